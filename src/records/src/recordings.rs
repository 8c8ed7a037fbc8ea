//! Recordings this server made: what is known of them, their state, what somebody
//! set, and the log of it. Their bytes are files beside the database.

use lophoc_classes::{
    Actor, AudienceKind, ClassId, CutWhy, RecordingCut, RecordingLogLine, RecordingSegment,
    RecordingState, TimeSpan, UnitId,
};
use lophoc_ledger::{PersonKey, SessionKey, fold_name};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::class_list::seen_classes;
use crate::error::StoreError;
use crate::recording_films::made_is_over;
use crate::recording_jobs::RecordingStage;
use crate::store::{Store, from_db, to_db};

/// Recordings of one list. Overflow: the oldest are left out.
pub const MAX_RECORDINGS: u32 = 500;
/// Lines of its log that are read; older ones are left out.
const LOG: i64 = 500;

/// A recording that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// Id, the name of its folder too.
    pub id: String,
    /// Session.
    pub session: SessionKey,
    /// Who began it; absent = by the setting.
    pub by: Option<PersonKey>,
    /// When, ms since the epoch.
    pub started_ms: u64,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Id.
    pub id: String,
    /// Session.
    pub session: SessionKey,
    /// Class.
    pub class: ClassId,
    /// Title of the session.
    pub session_title: String,
    /// Title of the class.
    pub class_title: String,
    /// State.
    pub state: RecordingState,
    /// Own title.
    pub title: Option<String>,
    /// Began, ms since the epoch.
    pub started_ms: u64,
    /// Ended, ms since the epoch.
    pub ended_ms: Option<u64>,
    /// Length, cuts included, ms; 0 while it goes on.
    pub length_ms: u64,
    /// Bytes of its files, by which the quota of its unit is judged.
    pub bytes: u64,
    /// It is not whole, for this reason.
    pub partial: Option<String>,
    /// SHA-256 of its manifest.
    pub manifest_sha256: Option<String>,
    /// Its checksums were last looked at, ms since the epoch.
    pub verified_ms: Option<u64>,
    /// Its audience may take the files.
    pub downloads: bool,
    /// Licence.
    pub licence: Option<String>,
    /// Audience.
    pub audience: AudienceKind,
    /// Its unit.
    pub audience_unit: Option<UnitId>,
    /// End of its link.
    pub audience_until_ms: Option<u64>,
    /// Counts up with every withdrawal.
    pub withdrawn: u32,
    /// Counts up with every setting of the audience.
    pub audience_turn: u32,
    /// Of whom there are files that nobody is shown, as a mark; empty = of nobody.
    pub left_out: String,
    /// As what the small pictures that are there were made, as a mark; absent: there
    /// are none of what is shown.
    pub pictures: Option<String>,
}

/// Which recordings, within what the asker may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Of this class.
    pub class: Option<ClassId>,
    /// Of this session.
    pub session: Option<SessionKey>,
    /// Title of recording, session or class holds this.
    pub q: String,
    /// Units above the asker, his own too: for recordings open to a unit.
    pub line: Vec<UnitId>,
}

/// Who does something, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingAuthor {
    /// Who; absent = the server.
    pub by: Option<PersonKey>,
    /// Name; empty = the server.
    pub name: String,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

impl RecordingAuthor {
    /// The server itself.
    pub fn server(at_ms: u64) -> Self {
        Self {
            by: None,
            name: String::new(),
            at_ms,
        }
    }
}

/// What is known of a recording when it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingFacts {
    /// Length, ms.
    pub length_ms: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Why it is not whole.
    pub partial: Option<String>,
    /// Hash of the manifest.
    pub manifest_sha256: String,
    /// Its segments with the names of their files.
    pub segments: Vec<(RecordingSegment, String)>,
}

const COLUMNS: &str = "r.id, r.session, r.class, r.state, r.title, r.started_ms, r.ended_ms, \
     r.length_ms, r.bytes, r.partial, r.manifest_sha256, r.verified_ms, r.downloads, r.licence, \
     r.audience, r.audience_unit, r.audience_until_ms, r.withdrawn, r.audience_turn, r.left_out, \
     r.pictures, s.title AS session_title, k.title AS class_title";
const FROM: &str = "recording r JOIN session s ON s.id = r.session JOIN class k ON k.id = r.class";

pub(crate) fn audience_word(kind: AudienceKind) -> &'static str {
    match kind {
        AudienceKind::Enrolled => "enrolled",
        AudienceKind::Unit => "unit",
        AudienceKind::Link => "link",
        AudienceKind::Public => "public",
    }
}

fn of_row(row: &SqliteRow) -> Result<Recording, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("a recording's {what}"));
    let small = |name: &str| -> Result<u32, StoreError> {
        u32::try_from(row.try_get::<i64, _>(name)?).map_err(|_| damaged(name))
    };
    let time = |name: &str| -> Result<Option<u64>, StoreError> {
        row.try_get::<Option<i64>, _>(name)?
            .map(from_db)
            .transpose()
    };
    let audience: String = row.try_get("audience")?;
    let state: String = row.try_get("state")?;
    Ok(Recording {
        id: row.try_get("id")?,
        session: SessionKey(row.try_get("session")?),
        class: ClassId(row.try_get("class")?),
        session_title: row.try_get("session_title")?,
        class_title: row.try_get("class_title")?,
        state: RecordingState::from_name(&state).ok_or_else(|| damaged("state"))?,
        title: row.try_get("title")?,
        started_ms: from_db(row.try_get("started_ms")?)?,
        ended_ms: time("ended_ms")?,
        length_ms: from_db(row.try_get("length_ms")?)?,
        bytes: from_db(row.try_get("bytes")?)?,
        partial: row.try_get("partial")?,
        manifest_sha256: row.try_get("manifest_sha256")?,
        verified_ms: time("verified_ms")?,
        downloads: row.try_get::<i64, _>("downloads")? != 0,
        licence: row.try_get("licence")?,
        audience: match audience.as_str() {
            "enrolled" => AudienceKind::Enrolled,
            "unit" => AudienceKind::Unit,
            "link" => AudienceKind::Link,
            "public" => AudienceKind::Public,
            _ => return Err(damaged("audience")),
        },
        audience_unit: row
            .try_get::<Option<String>, _>("audience_unit")?
            .map(UnitId),
        audience_until_ms: time("audience_until_ms")?,
        withdrawn: small("withdrawn")?,
        audience_turn: small("audience_turn")?,
        left_out: row.try_get("left_out")?,
        pictures: row.try_get("pictures")?,
    })
}

/// A line of the log, in the same transaction as what it tells.
pub(crate) async fn log(
    connection: &mut SqliteConnection,
    id: &str,
    author: &RecordingAuthor,
    what: &str,
    text: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO recording_log (recording, at_ms, made_by, by_name, what, text) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(to_db(author.at_ms)?)
    .bind(author.by.as_ref().map(PersonKey::as_str))
    .bind(&author.name)
    .bind(what)
    .bind(text)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Option<Recording>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM {FROM} WHERE r.id = $1");
    let row = sqlx::query(&text)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(of_row).transpose()
}

impl Store {
    /// A recording begins; durable when this returns. A repeat changes nothing.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] when the unit keeps as much as it may;
    /// [`StoreError::UnknownSession`].
    pub async fn begin_recording(&self, new: &NewRecording) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let full: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM session s JOIN class c ON c.id = s.class \
             JOIN recording_quota q ON q.unit = c.host WHERE s.id = $1 AND q.bytes <= \
             (SELECT coalesce(sum(r.bytes), 0) FROM recording r JOIN class k ON k.id = r.class \
             WHERE k.host = c.host) AND NOT EXISTS (SELECT 1 FROM recording WHERE id = $2)",
        )
        .bind(new.session.as_str())
        .bind(&new.id)
        .fetch_one(&mut *change)
        .await?;
        if full > 0 {
            return Err(StoreError::TooMany("recordings"));
        }
        let done = sqlx::query(
            "INSERT INTO recording (id, session, class, state, started_ms, made_by) \
             SELECT $1, s.id, s.class, 'recording', $3, $4 FROM session s WHERE s.id = $2 \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&new.id)
        .bind(new.session.as_str())
        .bind(to_db(new.started_ms)?)
        .bind(new.by.as_ref().map(PersonKey::as_str))
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 && read(&mut change, &new.id).await?.is_none() {
            return Err(StoreError::UnknownSession(new.session.clone()));
        }
        change.commit().await?;
        Ok(())
    }

    /// A recording.
    pub async fn recording(&self, id: &str) -> Result<Option<Recording>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id).await
    }

    /// Recordings in one of these states, oldest first.
    pub async fn recordings_in(
        &self,
        states: &[RecordingState],
    ) -> Result<Vec<Recording>, StoreError> {
        let mut found = Vec::new();
        for state in states {
            let text =
                format!("SELECT {COLUMNS} FROM {FROM} WHERE r.state = $1 ORDER BY r.started_ms");
            let rows = sqlx::query(&text)
                .bind(state.as_str())
                .fetch_all(&self.pool)
                .await?;
            for row in &rows {
                found.push(of_row(row)?);
            }
        }
        found.sort_by_key(|one| one.started_ms);
        Ok(found)
    }

    /// Recordings of classes the asker may see, and published ones whose audience
    /// he is by his unit or as everybody; latest first. What he may do with each is
    /// another question.
    pub async fn recordings(
        &self,
        actor: &Actor,
        filter: &RecordingFilter,
    ) -> Result<Vec<Recording>, StoreError> {
        let mut query = seen_classes(
            actor,
            &format!(
                "SELECT {COLUMNS} FROM {FROM} WHERE (r.class IN (SELECT id FROM seen) \
                 OR (r.state = 'published' AND (r.audience = 'public'"
            ),
        );
        if !filter.line.is_empty() {
            query.push(" OR (r.audience = 'unit' AND r.audience_unit IN (");
            let mut list = query.separated(", ");
            for unit in &filter.line {
                list.push_bind(unit.as_str().to_owned());
            }
            query.push("))");
        }
        // What holds himself he is told of, to take it back.
        query
            .push(")) OR r.id IN (SELECT recording FROM recording_segment WHERE person = ")
            .push_bind(actor.person.as_str().to_owned())
            .push("))");
        if let Some(class) = &filter.class {
            query
                .push(" AND r.class = ")
                .push_bind(class.as_str().to_owned());
        }
        if let Some(session) = &filter.session {
            query
                .push(" AND r.session = ")
                .push_bind(session.as_str().to_owned());
        }
        query
            .push(" ORDER BY r.started_ms DESC, r.id LIMIT ")
            .push_bind(i64::from(MAX_RECORDINGS));
        let rows = query.build().fetch_all(&self.pool).await?;
        let mut found: Vec<Recording> = rows.iter().map(of_row).collect::<Result<_, _>>()?;
        let words = fold_name(filter.q.trim());
        if !words.is_empty() {
            found.retain(|one| {
                [
                    one.title.as_deref().unwrap_or_default(),
                    &one.session_title,
                    &one.class_title,
                ]
                .iter()
                .any(|text| fold_name(text).contains(&words))
            });
        }
        Ok(found)
    }

    /// Its files are whole and known; what was known of them before is replaced.
    pub async fn set_recording_facts(
        &self,
        id: &str,
        facts: &RecordingFacts,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query(
            "UPDATE recording SET length_ms = $2, bytes = $3, partial = $4, manifest_sha256 = $5 \
             WHERE id = $1",
        )
        .bind(id)
        .bind(to_db(facts.length_ms)?)
        .bind(to_db(facts.bytes)?)
        .bind(&facts.partial)
        .bind(&facts.manifest_sha256)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM recording_segment WHERE recording = $1")
            .bind(id)
            .execute(&mut *change)
            .await?;
        for (segment, file) in &facts.segments {
            sqlx::query(
                "INSERT INTO recording_segment (recording, id, file, kind, person, from_ms, \
                 to_ms, bytes, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(id)
            .bind(&segment.id)
            .bind(file)
            .bind(&segment.kind)
            .bind(segment.person.as_str())
            .bind(to_db(segment.from_ms)?)
            .bind(to_db(segment.to_ms)?)
            .bind(to_db(segment.bytes)?)
            .bind(&segment.sha256)
            .execute(&mut *change)
            .await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Bytes of its files.
    pub async fn set_recording_bytes(&self, id: &str, bytes: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording SET bytes = $2 WHERE id = $1")
            .bind(id)
            .bind(to_db(bytes)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Small pictures are there, made as this mark says.
    pub async fn set_recording_pictures(&self, id: &str, mark: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording SET pictures = $2 WHERE id = $1")
            .bind(id)
            .bind(mark)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Those made as this mark says are not what is shown, or gone.
    pub async fn recording_pictures_gone(&self, id: &str, mark: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording SET pictures = NULL WHERE id = $1 AND pictures = $2")
            .bind(id)
            .bind(mark)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Its files with their names; empty before the recording ended.
    pub async fn recording_segments(
        &self,
        id: &str,
    ) -> Result<Vec<(RecordingSegment, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, file, kind, person, from_ms, to_ms, bytes, sha256, damaged_ms \
             FROM recording_segment WHERE recording = $1 ORDER BY from_ms, id",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let segment = RecordingSegment {
                    id: row.try_get("id")?,
                    kind: row.try_get("kind")?,
                    person: PersonKey(row.try_get("person")?),
                    from_ms: from_db(row.try_get("from_ms")?)?,
                    to_ms: from_db(row.try_get("to_ms")?)?,
                    bytes: from_db(row.try_get("bytes")?)?,
                    sha256: row.try_get("sha256")?,
                    damaged_ms: row
                        .try_get::<Option<i64>, _>("damaged_ms")?
                        .map(from_db)
                        .transpose()?,
                };
                Ok((segment, row.try_get("file")?))
            })
            .collect()
    }

    /// A step from `from` to `to`; hiding and archiving withdraw all addresses.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is not in `from` any more.
    pub async fn step_recording(
        &self,
        id: &str,
        from: RecordingState,
        to: RecordingState,
        note: &str,
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let closes = i64::from(from.is_open() && !to.is_open());
        let done = sqlx::query(
            "UPDATE recording SET state = $3, withdrawn = withdrawn + $4 \
             WHERE id = $1 AND state = $2",
        )
        .bind(id)
        .bind(from.as_str())
        .bind(to.as_str())
        .bind(closes)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Stale);
        }
        let text = match note {
            "" => format!("{} → {}", from.as_str(), to.as_str()),
            note => format!("{} → {}: {note}", from.as_str(), to.as_str()),
        };
        log(&mut change, id, author, "state", &text).await?;
        change.commit().await?;
        Ok(())
    }

    /// Downloads, licence, title.
    pub async fn set_recording_settings(
        &self,
        id: &str,
        settings: &lophoc_classes::RecordingSettings,
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query("UPDATE recording SET downloads = $2, licence = $3, title = $4 WHERE id = $1")
            .bind(id)
            .bind(i64::from(settings.downloads))
            .bind(&settings.licence)
            .bind(&settings.title)
            .execute(&mut *change)
            .await?;
        let text = serde_json::to_string(settings)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        log(&mut change, id, author, "settings", &text).await?;
        change.commit().await?;
        Ok(())
    }

    /// Who may watch it. All addresses and links given before end.
    pub async fn set_recording_audience(
        &self,
        id: &str,
        audience: &lophoc_classes::AudienceForm,
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query(
            "UPDATE recording SET audience = $2, audience_unit = $3, audience_until_ms = $4, \
             withdrawn = withdrawn + 1, audience_turn = audience_turn + 1 WHERE id = $1",
        )
        .bind(id)
        .bind(audience_word(audience.kind))
        .bind(audience.unit.as_ref().map(UnitId::as_str))
        .bind(audience.until_ms.map(to_db).transpose()?)
        .execute(&mut *change)
        .await?;
        let text = serde_json::to_string(audience)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        log(&mut change, id, author, "audience", &text).await?;
        change.commit().await?;
        Ok(())
    }

    /// What somebody cut out, in order.
    pub async fn recording_cuts(&self, id: &str) -> Result<Vec<RecordingCut>, StoreError> {
        let rows = sqlx::query(
            "SELECT from_ms, to_ms, why FROM recording_cut WHERE recording = $1 ORDER BY from_ms",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let why: String = row.try_get("why")?;
                Ok(RecordingCut {
                    from_ms: from_db(row.try_get("from_ms")?)?,
                    to_ms: from_db(row.try_get("to_ms")?)?,
                    why: match why.as_str() {
                        "trim" => CutWhy::Trim,
                        _ => CutWhy::Cut,
                    },
                })
            })
            .collect()
    }

    /// Cuts in place of those before. Addresses given before end: what is cut now
    /// is served to nobody any more.
    pub async fn set_recording_cuts(
        &self,
        id: &str,
        cuts: &[TimeSpan],
        length_ms: u64,
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM recording_cut WHERE recording = $1")
            .bind(id)
            .execute(&mut *change)
            .await?;
        for cut in cuts {
            let trim = cut.from_ms == 0 || cut.to_ms >= length_ms;
            sqlx::query(
                "INSERT INTO recording_cut (recording, from_ms, to_ms, why) VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(to_db(cut.from_ms)?)
            .bind(to_db(cut.to_ms)?)
            .bind(if trim { "trim" } else { "cut" })
            .execute(&mut *change)
            .await?;
        }
        sqlx::query("UPDATE recording SET withdrawn = withdrawn + 1 WHERE id = $1")
            .bind(id)
            .execute(&mut *change)
            .await?;
        let made = [RecordingStage::Pictures, RecordingStage::Render];
        made_is_over(&mut change, id, &made, author.at_ms).await?;
        let text =
            serde_json::to_string(cuts).map_err(|error| StoreError::Damaged(error.to_string()))?;
        log(&mut change, id, author, "cuts", &text).await?;
        change.commit().await?;
        Ok(())
    }

    /// What happened to it, latest first.
    pub async fn recording_log(&self, id: &str) -> Result<Vec<RecordingLogLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, by_name, what, text FROM recording_log WHERE recording = $1 \
             ORDER BY id DESC LIMIT $2",
        )
        .bind(id)
        .bind(LOG)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RecordingLogLine {
                    at_ms: from_db(row.try_get("at_ms")?)?,
                    by_name: row.try_get("by_name")?,
                    what: row.try_get("what")?,
                    text: row.try_get("text")?,
                })
            })
            .collect()
    }

    /// A line of its log that stands alone.
    pub async fn log_recording(
        &self,
        id: &str,
        author: &RecordingAuthor,
        what: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        log(&mut connection, id, author, what, text).await
    }
}
