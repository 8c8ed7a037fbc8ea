//! Notices of sessions by e-mail: what was told, and the outbox. A mail is
//! written down before it is sent and again after the server took it; what dies
//! in between is sent once more, under the same Message-ID.

use std::collections::BTreeMap;

use lophoc_classes::{NoticeKind, NoticeLine, Undelivered};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::attendance::Author;
use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};
use crate::units::{name_of, of_name};

/// Notices of one session in a list; older ones are left out.
const LIST: i64 = 50;
/// Mails that did not arrive, in one list; more are counted only.
const UNDELIVERED: i64 = 200;
/// Notices of one session. Overflow: [`StoreError::TooMany`].
const MAX_NOTICES: i64 = 500;

/// The last notice of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastNotice {
    /// Its number.
    pub sequence: u32,
    /// Invitation, change, cancellation.
    pub what: NoticeKind,
    /// What was told, as a digest.
    pub told: String,
}

/// A notice to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// Number, above that of the last one unless the same is told.
    pub sequence: u32,
    /// Invitation, change, cancellation.
    pub what: NoticeKind,
    /// What is told, as a digest.
    pub told: String,
    /// Address people reach the server by.
    pub base: String,
}

/// A mail that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Session.
    pub session: SessionKey,
    /// Number of the notice.
    pub sequence: u32,
    /// Invitation, change, cancellation.
    pub what: NoticeKind,
    /// To whom.
    pub person: PersonKey,
    /// His address when it was queued.
    pub address: String,
    /// Address people reach the server by.
    pub base: String,
    /// Tries before this one.
    pub tries: u32,
    /// The person got an earlier notice of the session.
    pub again: bool,
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The mail server took it.
    Yes,
    /// Tried again from then on, ms.
    Later(u64, String),
    /// Never.
    No(String),
}

impl Store {
    /// The addresses of the roster of a session's class: of those who were not
    /// withdrawn, whether they have one or not.
    pub async fn addresses(
        &self,
        session: &SessionKey,
    ) -> Result<BTreeMap<PersonKey, String>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.id, p.email FROM session s JOIN roster r ON r.class = s.class \
             JOIN person p ON p.id = r.person WHERE s.id = $1 AND r.state <> 'withdrawn'",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((PersonKey(row.try_get("id")?), row.try_get("email")?)))
            .collect()
    }

    /// The last notice of a session.
    pub async fn last_notice(
        &self,
        session: &SessionKey,
    ) -> Result<Option<LastNotice>, StoreError> {
        let row = sqlx::query(
            "SELECT sequence, what, told FROM notice WHERE session = $1 \
             ORDER BY sequence DESC LIMIT 1",
        )
        .bind(session.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(LastNotice {
                sequence: number(&row, "sequence")?,
                what: kind(&row)?,
                told: row.try_get("told")?,
            })
        })
        .transpose()
    }

    /// Who has a mail of a notice that was sent or waits; with `sequence`
    /// absent, of any notice of the session.
    pub async fn notified(
        &self,
        session: &SessionKey,
        sequence: Option<u32>,
    ) -> Result<Vec<(PersonKey, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT person, address FROM notice_mail WHERE session = $1 \
             AND ($2 < 0 OR sequence = $2) AND state <> 'failed'",
        )
        .bind(session.as_str())
        .bind(sequence.map_or(-1, i64::from))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((PersonKey(row.try_get("person")?), row.try_get("address")?)))
            .collect()
    }

    /// Writes down a notice and queues its mails: all of it or nothing. Whoever
    /// has a mail of this very notice gets no second one, unless it failed; what
    /// waits of earlier notices is not sent any more. Tells how many were queued.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] `notices`.
    pub async fn add_notice(
        &self,
        session: &SessionKey,
        notice: &NewNotice,
        people: &[(PersonKey, String)],
        author: &Author,
    ) -> Result<u32, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notice WHERE session = $1")
            .bind(session.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if count >= MAX_NOTICES {
            return Err(StoreError::TooMany("notices"));
        }
        sqlx::query(
            "INSERT INTO notice (session, sequence, what, told, base, made_by, by_name, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session, sequence) DO NOTHING",
        )
        .bind(session.as_str())
        .bind(i64::from(notice.sequence))
        .bind(name_of(&notice.what)?)
        .bind(&notice.told)
        .bind(&notice.base)
        .bind(author.by.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE notice_mail SET state = 'failed', reason = 'superseded', done_ms = $3 \
             WHERE session = $1 AND sequence < $2 AND state = 'queued'",
        )
        .bind(session.as_str())
        .bind(i64::from(notice.sequence))
        .bind(to_db(author.at_ms)?)
        .execute(&mut *transaction)
        .await?;
        // Its recipients were looked at and written to: the log of the class says so.
        sqlx::query(
            "INSERT INTO access_log (at_ms, made_by, by_name, what, extent, class, session) \
             SELECT $1, $2, $3, 'notice', 'all', class, id FROM session WHERE id = $4",
        )
        .bind(to_db(author.at_ms)?)
        .bind(author.by.as_str())
        .bind(&author.name)
        .bind(session.as_str())
        .execute(&mut *transaction)
        .await?;
        let mut queued = 0_u32;
        for (person, address) in people {
            let done = queue(
                &mut transaction,
                session,
                notice.sequence,
                person,
                address,
                author,
            )
            .await?;
            queued = queued.saturating_add(u32::from(done));
        }
        transaction.commit().await?;
        Ok(queued)
    }

    /// The mail that is due for longest.
    pub async fn due_mail(&self, now_ms: u64) -> Result<Option<DueMail>, StoreError> {
        let row = sqlx::query(
            "SELECT m.session, m.sequence, n.what, m.person, m.address, n.base, m.tries, \
             EXISTS (SELECT 1 FROM notice_mail o WHERE o.session = m.session \
             AND o.person = m.person AND o.sequence < m.sequence AND o.state = 'sent') AS again \
             FROM notice_mail m JOIN notice n ON n.session = m.session \
             AND n.sequence = m.sequence WHERE m.state = 'queued' AND m.next_ms <= $1 \
             ORDER BY m.next_ms, m.session, m.person LIMIT 1",
        )
        .bind(to_db(now_ms)?)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(DueMail {
                session: SessionKey(row.try_get("session")?),
                sequence: number(&row, "sequence")?,
                what: kind(&row)?,
                person: PersonKey(row.try_get("person")?),
                address: row.try_get("address")?,
                base: row.try_get("base")?,
                tries: number(&row, "tries")?,
                again: row.try_get("again")?,
            })
        })
        .transpose()
    }

    /// When the next mail is due, ms; `None`: nothing waits.
    pub async fn next_mail_ms(&self) -> Result<Option<u64>, StoreError> {
        let next: Option<i64> =
            sqlx::query_scalar("SELECT min(next_ms) FROM notice_mail WHERE state = 'queued'")
                .fetch_one(&self.pool)
                .await?;
        next.map(from_db).transpose()
    }

    /// Writes down what became of a try. Nothing when the mail does not wait any
    /// more: a later notice took its place.
    pub async fn mail_done(
        &self,
        mail: &DueMail,
        sent: &Sent,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let (state, next_ms, reason) = match sent {
            Sent::Yes => ("sent", now_ms, ""),
            Sent::Later(next_ms, reason) => ("queued", *next_ms, reason.as_str()),
            Sent::No(reason) => ("failed", now_ms, reason.as_str()),
        };
        sqlx::query(
            "UPDATE notice_mail SET state = $4, tries = tries + 1, next_ms = $5, reason = $6, \
             done_ms = $7 WHERE session = $1 AND sequence = $2 AND person = $3 \
             AND state = 'queued'",
        )
        .bind(mail.session.as_str())
        .bind(i64::from(mail.sequence))
        .bind(mail.person.as_str())
        .bind(state)
        .bind(to_db(next_ms)?)
        .bind(reason)
        .bind((state != "queued").then(|| to_db(now_ms)).transpose()?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The notices of a session with what became of their mails, latest first.
    pub async fn notices(&self, session: &SessionKey) -> Result<Vec<NoticeLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.sequence, n.what, n.by_name, n.made_ms, \
             count(CASE WHEN m.state = 'queued' THEN 1 END) AS queued, \
             count(CASE WHEN m.state = 'sent' THEN 1 END) AS sent, \
             count(CASE WHEN m.state = 'failed' THEN 1 END) AS failed \
             FROM notice n LEFT JOIN notice_mail m ON m.session = n.session \
             AND m.sequence = n.sequence WHERE n.session = $1 \
             GROUP BY n.sequence, n.what, n.by_name, n.made_ms ORDER BY n.sequence DESC LIMIT $2",
        )
        .bind(session.as_str())
        .bind(LIST)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(NoticeLine {
                    sequence: number(row, "sequence")?,
                    what: kind(row)?,
                    by: row.try_get("by_name")?,
                    made_ms: from_db(row.try_get("made_ms")?)?,
                    queued: number(row, "queued")?,
                    sent: number(row, "sent")?,
                    failed: number(row, "failed")?,
                })
            })
            .collect()
    }

    /// Mails of a notice that did not arrive, or not yet after a try; 200 at most.
    pub async fn undelivered(
        &self,
        session: &SessionKey,
        sequence: u32,
    ) -> Result<Vec<Undelivered>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.person, p.name, m.address, m.state, m.reason, m.tries FROM notice_mail m \
             JOIN person p ON p.id = m.person WHERE m.session = $1 AND m.sequence = $2 \
             AND m.state <> 'sent' AND m.reason <> '' ORDER BY p.folded, m.person LIMIT $3",
        )
        .bind(session.as_str())
        .bind(i64::from(sequence))
        .bind(UNDELIVERED)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let state: String = row.try_get("state")?;
                Ok(Undelivered {
                    person: PersonKey(row.try_get("person")?),
                    name: row.try_get("name")?,
                    address: row.try_get("address")?,
                    reason: row.try_get("reason")?,
                    again: state == "queued",
                    tries: number(row, "tries")?,
                })
            })
            .collect()
    }
}

async fn queue(
    connection: &mut SqliteConnection,
    session: &SessionKey,
    sequence: u32,
    person: &PersonKey,
    address: &str,
    author: &Author,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO notice_mail (session, sequence, person, address, state, tries, next_ms, \
         reason) VALUES ($1, $2, $3, $4, 'queued', 0, $5, '') \
         ON CONFLICT (session, sequence, person) DO UPDATE SET address = excluded.address, \
         state = 'queued', tries = 0, next_ms = excluded.next_ms, reason = '', done_ms = NULL \
         WHERE notice_mail.state = 'failed'",
    )
    .bind(session.as_str())
    .bind(i64::from(sequence))
    .bind(person.as_str())
    .bind(address)
    .bind(to_db(author.at_ms)?)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

fn number(row: &SqliteRow, column: &str) -> Result<u32, StoreError> {
    let number: i64 = row.try_get(column)?;
    u32::try_from(number).map_err(|_| StoreError::Damaged(format!("{column} {number}")))
}

fn kind(row: &SqliteRow) -> Result<NoticeKind, StoreError> {
    let name: String = row.try_get("what")?;
    of_name(&name).ok_or_else(|| StoreError::Damaged(format!("notice {name}")))
}
