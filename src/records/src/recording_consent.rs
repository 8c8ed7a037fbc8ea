//! Who is left out of a recording that was made: what people took back, and what
//! follows from it for whatever was made of its files.

use std::collections::BTreeSet;

use lophoc_ledger::{Event, PersonKey, SessionKey};

use crate::error::StoreError;
use crate::ledger::{EVENT_COLUMNS, event_of_row};
use crate::recording_films::made_is_over;
use crate::recording_jobs::RecordingStage;
use crate::recordings::{RecordingAuthor, log};
use crate::store::{Store, from_db, to_db};

/// Kinds of events that tell who is recorded.
const KINDS: &str = "'join', 'roleGiven', 'recording', 'recordingNotice', 'recordingChoice'";
/// Stages that make something of the files of more than one person, or send it.
const MADE: [RecordingStage; 4] = [
    RecordingStage::Mix,
    RecordingStage::Pictures,
    RecordingStage::Upload,
    RecordingStage::Render,
];

impl Store {
    /// Number of the last event of a session; 0: none.
    pub async fn last_event(&self, session: &SessionKey) -> Result<u64, StoreError> {
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM event WHERE session = $1")
                .bind(session.as_str())
                .fetch_one(&self.pool)
                .await?;
        from_db(last)
    }

    /// Those events of a session, in order, that tell who is recorded.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one can not be read.
    pub async fn consent_events(&self, session: &SessionKey) -> Result<Vec<Event>, StoreError> {
        let text = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE session = $1 AND kind IN ({KINDS}) \
             ORDER BY seq"
        );
        let rows = sqlx::query(&text)
            .bind(session.as_str())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| event_of_row(session, row)).collect()
    }

    /// The last events of a session, in order, that tell what became of its
    /// recordings; `most` of them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one can not be read.
    pub async fn recording_news(
        &self,
        session: &SessionKey,
        most: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let text = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE session = $1 AND kind = 'recordingNews' \
             ORDER BY seq DESC LIMIT $2"
        );
        let rows = sqlx::query(&text)
            .bind(session.as_str())
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        let newest_last = rows.iter().rev();
        newest_last.map(|row| event_of_row(session, row)).collect()
    }

    /// Somebody takes back that he is recorded: addresses given before end, and he
    /// is on record for good. `false`: he did so before.
    pub async fn withdraw_from_recording(
        &self,
        id: &str,
        person: &PersonKey,
        name: &str,
        author: &RecordingAuthor,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let by = author.by.as_ref().unwrap_or(person);
        let done = sqlx::query(
            "INSERT INTO recording_withdrawal (recording, person, made_by, by_name, at_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(person.as_str())
        .bind(by.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *change)
        .await?;
        let first = done.rows_affected() > 0;
        if first {
            sqlx::query("UPDATE recording SET withdrawn = withdrawn + 1 WHERE id = $1")
                .bind(id)
                .execute(&mut *change)
                .await?;
            log(&mut change, id, author, "consent", name).await?;
        }
        change.commit().await?;
        Ok(first)
    }

    /// Who took it back.
    pub async fn recording_withdrawals(&self, id: &str) -> Result<BTreeSet<PersonKey>, StoreError> {
        let people: Vec<String> =
            sqlx::query_scalar("SELECT person FROM recording_withdrawal WHERE recording = $1")
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
        Ok(people.into_iter().map(PersonKey).collect())
    }

    /// Ended recordings with files of somebody who did not take it back.
    pub async fn recordings_holding(
        &self,
        person: &PersonKey,
    ) -> Result<BTreeSet<String>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT s.recording FROM recording_segment s WHERE s.person = $1 \
             AND NOT EXISTS (SELECT 1 FROM recording_withdrawal w \
             WHERE w.recording = s.recording AND w.person = $1)",
        )
        .bind(person.as_str())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().collect())
    }

    /// Other people than before are left out of what is shown: addresses end, and
    /// sound and film are made anew. `false`: somebody was quicker.
    pub async fn leave_out(
        &self,
        id: &str,
        from: &str,
        to: &str,
        sound: &str,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE recording SET left_out = $3, withdrawn = withdrawn + 1 \
             WHERE id = $1 AND left_out = $2",
        )
        .bind(id)
        .bind(from)
        .bind(to)
        .execute(&mut *change)
        .await?;
        let first = done.rows_affected() > 0;
        if first {
            made_is_over(&mut change, id, &MADE, now_ms).await?;
            // The sound that lies in the storage is not what will be sent.
            sqlx::query(
                "UPDATE recording_object SET verified_ms = NULL, bytes = 0, part_bytes = 0, \
                 parts = '[]' WHERE recording = $1 AND file = $2 AND upload IS NULL",
            )
            .bind(id)
            .bind(sound)
            .execute(&mut *change)
            .await?;
        }
        change.commit().await?;
        Ok(first)
    }
}
