//! What hangs on recordings: who watched, captions, disposal, quota of units, and
//! what lies in the object storage.

use lophoc_classes::{
    APPROVALS, ClassId, Disposal, DisposalApproval, PlaybackCaptions, RecordingQuota, UnitId,
    Watcher,
};
use lophoc_ledger::{PersonKey, name_key};
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::recordings::{RecordingAuthor, log};
use crate::store::{Store, from_db, to_db};

/// Caption files of a recording. Overflow: refused.
pub const MAX_CAPTIONS: i64 = 10;
/// Spans kept of what one person watched. Overflow: the shortest gaps are closed.
const SPANS: usize = 500;
/// People of a list of watchers.
const WATCHERS: i64 = 10_000;

/// What somebody watched of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Spans of recording time, ms, in order, not touching.
    pub spans: Vec<(u64, u64)>,
    /// Where to go on.
    pub resume_ms: u64,
}

/// A file in the object storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredObject {
    /// File in the folder of the recording.
    pub file: String,
    /// Id of the upload under way.
    pub upload: Option<String>,
    /// What the storage calls its parts.
    pub parts: Vec<String>,
    /// Bytes of these parts.
    pub part_bytes: u64,
    /// Bytes of the finished object.
    pub bytes: u64,
    /// Read back and found the same, ms since the epoch.
    pub verified_ms: Option<u64>,
    /// The hash it was found to have, hexadecimal; empty: of before this was kept.
    pub sha256: String,
}

impl StoredObject {
    /// Whether this file, of this length and hash, is there whole.
    pub fn is(&self, bytes: u64, sha256: &str) -> bool {
        self.verified_ms.is_some()
            && self.bytes == bytes
            && (self.sha256.is_empty() || self.sha256 == sha256)
    }
}

/// Both together, in order, not touching each other.
fn merged(spans: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = spans.into_iter().filter(|(from, to)| from < to).collect();
    all.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(all.len());
    for (from, to) in all {
        match out.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => out.push((from, to)),
        }
    }
    while out.len() > SPANS {
        let narrowest = out
            .windows(2)
            .enumerate()
            .min_by_key(|(_, pair)| match pair {
                [(_, end), (begin, _)] => begin.saturating_sub(*end),
                _ => u64::MAX,
            })
            .map(|(at, _)| at);
        let Some(at) = narrowest else { break };
        let (_, to) = out.remove(at.saturating_add(1));
        if let Some((_, end)) = out.get_mut(at) {
            *end = to;
        }
    }
    out
}

fn spans_of(text: &str) -> Result<Vec<(u64, u64)>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("what was watched".to_owned()))
}

async fn disposal_of(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Option<Disposal>, StoreError> {
    let Some(row) = sqlx::query(
        "SELECT reason, made_by, by_name, made_ms, done_ms, bytes, manifest_sha256 \
         FROM recording_disposal WHERE recording = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?
    else {
        return Ok(None);
    };
    let rows = sqlx::query(
        "SELECT person, name, at_ms FROM recording_disposal_approval WHERE recording = $1 \
         ORDER BY at_ms, person",
    )
    .bind(id)
    .fetch_all(&mut *connection)
    .await?;
    let approvals = rows
        .iter()
        .map(|row| {
            Ok(DisposalApproval {
                person: PersonKey(row.try_get("person")?),
                name: row.try_get("name")?,
                at_ms: from_db(row.try_get("at_ms")?)?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    let number = |name: &str| -> Result<Option<u64>, StoreError> {
        row.try_get::<Option<i64>, _>(name)?
            .map(from_db)
            .transpose()
    };
    Ok(Some(Disposal {
        reason: row.try_get("reason")?,
        by: PersonKey(row.try_get("made_by")?),
        by_name: row.try_get("by_name")?,
        at_ms: from_db(row.try_get("made_ms")?)?,
        approvals,
        can_approve: false,
        done_ms: number("done_ms")?,
        bytes: number("bytes")?,
        manifest_sha256: row.try_get("manifest_sha256")?,
    }))
}

impl Store {
    /// What somebody watched.
    pub async fn watched(&self, id: &str, person: &PersonKey) -> Result<Watched, StoreError> {
        let row = sqlx::query(
            "SELECT spans, resume_ms FROM recording_watch WHERE recording = $1 AND person = $2",
        )
        .bind(id)
        .bind(person.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(Watched::default());
        };
        Ok(Watched {
            spans: spans_of(row.try_get("spans")?)?,
            resume_ms: from_db(row.try_get("resume_ms")?)?,
        })
    }

    /// Somebody watched more of it; what he watched before stays.
    pub async fn add_watched(
        &self,
        id: &str,
        person: &PersonKey,
        watched: &Watched,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let before: Option<String> = sqlx::query_scalar(
            "SELECT spans FROM recording_watch WHERE recording = $1 AND person = $2",
        )
        .bind(id)
        .bind(person.as_str())
        .fetch_optional(&mut *change)
        .await?;
        let before = before.as_deref().map(spans_of).transpose()?;
        let all = merged(
            before
                .unwrap_or_default()
                .into_iter()
                .chain(watched.spans.iter().copied()),
        );
        let text =
            serde_json::to_string(&all).map_err(|error| StoreError::Damaged(error.to_string()))?;
        sqlx::query(
            "INSERT INTO recording_watch (recording, person, spans, resume_ms, last_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (recording, person) \
             DO UPDATE SET spans = $3, resume_ms = $4, last_ms = $5",
        )
        .bind(id)
        .bind(person.as_str())
        .bind(text)
        .bind(to_db(watched.resume_ms)?)
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// How many watched.
    pub async fn watcher_count(&self, id: &str) -> Result<u32, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM recording_watch WHERE recording = $1")
                .bind(id)
                .fetch_one(&self.pool)
                .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Who watched what, by name. `length` gives of spans how many ms are shown, and
    /// of the whole.
    pub async fn watchers(
        &self,
        id: &str,
        shown: impl Fn(&[(u64, u64)]) -> u64,
        whole_ms: u64,
    ) -> Result<Vec<Watcher>, StoreError> {
        let rows = sqlx::query(
            "SELECT w.person, w.spans, w.last_ms, p.name, u.name AS unit FROM recording_watch w \
             LEFT JOIN person p ON p.id = w.person LEFT JOIN unit u ON u.id = p.unit \
             WHERE w.recording = $1 LIMIT $2",
        )
        .bind(id)
        .bind(WATCHERS)
        .fetch_all(&self.pool)
        .await?;
        let mut list = Vec::with_capacity(rows.len());
        for row in &rows {
            let watched_ms = shown(&spans_of(row.try_get("spans")?)?);
            let person = PersonKey(row.try_get("person")?);
            let name: Option<String> = row.try_get("name")?;
            list.push(Watcher {
                name: name.unwrap_or_else(|| person.0.clone()),
                person,
                unit: row.try_get("unit")?,
                watched_ms,
                percent: percent_of(watched_ms, whole_ms),
                last_ms: from_db(row.try_get("last_ms")?)?,
            });
        }
        list.sort_by_cached_key(|one| (name_key(&one.name), one.person.clone()));
        Ok(list)
    }

    /// Somebody asks for the disposal of a recording. A wish that was there stays.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody did already.
    pub async fn ask_disposal(
        &self,
        id: &str,
        reason: &str,
        by: &PersonKey,
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "INSERT INTO recording_disposal (recording, reason, made_by, by_name, made_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(reason)
        .bind(by.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Taken("reason"));
        }
        log(&mut change, id, author, "disposal", reason).await?;
        change.commit().await?;
        Ok(())
    }

    /// Takes back the wish to dispose of it, as long as it is not done.
    pub async fn withdraw_disposal(
        &self,
        id: &str,
        author: &RecordingAuthor,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recording_disposal WHERE recording = $1 AND done_ms IS NULL",
        )
        .bind(id)
        .fetch_one(&mut *change)
        .await?;
        if open == 0 {
            return Ok(false);
        }
        for table in ["recording_disposal_approval", "recording_disposal"] {
            let text = format!("DELETE FROM {table} WHERE recording = $1");
            sqlx::query(&text).bind(id).execute(&mut *change).await?;
        }
        log(&mut change, id, author, "disposal", "withdrawn").await?;
        change.commit().await?;
        Ok(true)
    }

    /// Somebody agrees. With enough of them it is done here and now: the recording
    /// is deleted for everybody, its record stays; the bytes go afterwards
    /// ([`recordings_to_purge`](Self::recordings_to_purge)). Tells whether it is.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when nobody asked for it; [`StoreError::Taken`] for
    /// who asked for it himself or agreed already.
    pub async fn approve_disposal(
        &self,
        id: &str,
        person: &PersonKey,
        author: &RecordingAuthor,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let Some(disposal) = disposal_of(&mut change, id).await? else {
            return Err(StoreError::Unknown("disposal"));
        };
        if disposal.done_ms.is_some() {
            return Ok(true);
        }
        if disposal.by == *person || disposal.approvals.iter().any(|one| one.person == *person) {
            return Err(StoreError::Taken("disposal"));
        }
        sqlx::query(
            "INSERT INTO recording_disposal_approval (recording, person, name, at_ms) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(id)
        .bind(person.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *change)
        .await?;
        log(&mut change, id, author, "disposal", "approved").await?;
        let done = disposal.approvals.len().saturating_add(1) >= APPROVALS;
        if done {
            delete(&mut change, id, author).await?;
        }
        change.commit().await?;
        Ok(done)
    }

    /// The disposal of a recording, asked for or done.
    pub async fn disposal(&self, id: &str) -> Result<Option<Disposal>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        disposal_of(&mut connection, id).await
    }

    /// Recordings disposed of up to then whose bytes are to go.
    pub async fn recordings_to_purge(&self, before_ms: u64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT recording FROM recording_disposal WHERE done_ms <= $1 \
             AND purged_ms IS NULL ORDER BY coalesce(done_ms, 0)",
        )
        .bind(to_db(before_ms)?)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The bytes of a recording are gone everywhere.
    pub async fn recording_purged(&self, id: &str, now_ms: u64) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for text in [
            "DELETE FROM recording_captions WHERE recording = $1",
            "DELETE FROM recording_object WHERE recording = $1",
            "DELETE FROM recording_film WHERE recording = $1",
            "DELETE FROM recording_watch WHERE recording = $1",
            "UPDATE recording SET bytes = 0 WHERE id = $1",
        ] {
            sqlx::query(text).bind(id).execute(&mut *change).await?;
        }
        sqlx::query("UPDATE recording_disposal SET purged_ms = $2 WHERE recording = $1")
            .bind(id)
            .bind(to_db(now_ms)?)
            .execute(&mut *change)
            .await?;
        log(
            &mut change,
            id,
            &RecordingAuthor::server(now_ms),
            "disposal",
            "purged",
        )
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// Captions in a language, in place of those before.
    pub async fn set_recording_captions(
        &self,
        id: &str,
        [lang, label, body]: [&str; 3],
        author: &RecordingAuthor,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let others: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recording_captions WHERE recording = $1 AND lang <> $2",
        )
        .bind(id)
        .bind(lang)
        .fetch_one(&mut *change)
        .await?;
        if others >= MAX_CAPTIONS {
            return Err(StoreError::TooMany("lang"));
        }
        sqlx::query(
            "INSERT INTO recording_captions (recording, lang, label, body, made_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (recording, lang) \
             DO UPDATE SET label = $3, body = $4, made_ms = $5",
        )
        .bind(id)
        .bind(lang)
        .bind(label)
        .bind(body)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *change)
        .await?;
        log(&mut change, id, author, "captions", lang).await?;
        change.commit().await?;
        Ok(())
    }

    /// Takes captions away. `false`: there were none.
    pub async fn remove_recording_captions(
        &self,
        id: &str,
        lang: &str,
        author: &RecordingAuthor,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query("DELETE FROM recording_captions WHERE recording = $1 AND lang = $2")
            .bind(id)
            .bind(lang)
            .execute(&mut *change)
            .await?;
        let was = done.rows_affected() > 0;
        if was {
            let text = format!("− {lang}");
            log(&mut change, id, author, "captions", &text).await?;
        }
        change.commit().await?;
        Ok(was)
    }

    /// Caption files without addresses.
    pub async fn recording_captions(&self, id: &str) -> Result<Vec<PlaybackCaptions>, StoreError> {
        let rows = sqlx::query(
            "SELECT lang, label FROM recording_captions WHERE recording = $1 ORDER BY lang",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PlaybackCaptions {
                    lang: row.try_get("lang")?,
                    label: row.try_get("label")?,
                    url: String::new(),
                })
            })
            .collect()
    }

    /// One caption file.
    pub async fn recording_caption(
        &self,
        id: &str,
        lang: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT body FROM recording_captions WHERE recording = $1 AND lang = $2",
        )
        .bind(id)
        .bind(lang)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// How much the classes a unit hosts keep, and its bound.
    pub async fn recording_quota(&self, unit: &UnitId) -> Result<RecordingQuota, StoreError> {
        let used: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(r.bytes), 0) FROM recording r JOIN class c ON c.id = r.class \
             WHERE c.host = $1",
        )
        .bind(unit.as_str())
        .fetch_one(&self.pool)
        .await?;
        let bytes: Option<i64> =
            sqlx::query_scalar("SELECT bytes FROM recording_quota WHERE unit = $1")
                .bind(unit.as_str())
                .fetch_optional(&self.pool)
                .await?;
        let (used, bytes) = (from_db(used)?, bytes.map(from_db).transpose()?);
        Ok(RecordingQuota {
            used,
            bytes,
            warning: bytes.is_some_and(|bytes| used > bytes / 10 * 9),
        })
    }

    /// A bound for a unit, or none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for the unit.
    pub async fn set_recording_quota(
        &self,
        unit: &UnitId,
        bytes: Option<u64>,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let known: i64 = sqlx::query_scalar("SELECT count(*) FROM unit WHERE id = $1")
            .bind(unit.as_str())
            .fetch_one(&mut *change)
            .await?;
        if known == 0 {
            return Err(StoreError::Unknown("unit"));
        }
        sqlx::query("DELETE FROM recording_quota WHERE unit = $1")
            .bind(unit.as_str())
            .execute(&mut *change)
            .await?;
        if let Some(bytes) = bytes {
            sqlx::query(
                "INSERT INTO recording_quota (unit, bytes, made_by, made_ms) VALUES ($1, $2, $3, $4)",
            )
            .bind(unit.as_str())
            .bind(to_db(bytes)?)
            .bind(by.as_str())
            .bind(to_db(now_ms)?)
            .execute(&mut *change)
            .await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// What of a recording lies in the object storage.
    pub async fn recording_objects(&self, id: &str) -> Result<Vec<StoredObject>, StoreError> {
        let rows = sqlx::query(
            "SELECT file, upload, parts, part_bytes, bytes, verified_ms, sha256 FROM recording_object \
             WHERE recording = $1 ORDER BY file",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let parts: String = row.try_get("parts")?;
                Ok(StoredObject {
                    file: row.try_get("file")?,
                    upload: row.try_get("upload")?,
                    parts: serde_json::from_str(&parts)
                        .map_err(|_| StoreError::Damaged("parts of an object".to_owned()))?,
                    part_bytes: from_db(row.try_get("part_bytes")?)?,
                    bytes: from_db(row.try_get("bytes")?)?,
                    verified_ms: row
                        .try_get::<Option<i64>, _>("verified_ms")?
                        .map(from_db)
                        .transpose()?,
                    sha256: row.try_get("sha256")?,
                })
            })
            .collect()
    }

    /// How far a file is in the object storage.
    pub async fn set_recording_object(
        &self,
        id: &str,
        object: &StoredObject,
    ) -> Result<(), StoreError> {
        let parts = serde_json::to_string(&object.parts)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        sqlx::query(
            "INSERT INTO recording_object (recording, file, upload, parts, part_bytes, bytes, \
             verified_ms, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (recording, file) DO UPDATE SET upload = $3, parts = $4, \
             part_bytes = $5, bytes = $6, verified_ms = $7, sha256 = $8",
        )
        .bind(id)
        .bind(&object.file)
        .bind(&object.upload)
        .bind(parts)
        .bind(to_db(object.part_bytes)?)
        .bind(to_db(object.bytes)?)
        .bind(object.verified_ms.map(to_db).transpose()?)
        .bind(&object.sha256)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// It is disposed of: nobody is served anything of it from now on.
async fn delete(
    change: &mut SqliteConnection,
    id: &str,
    author: &RecordingAuthor,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE recording_disposal SET done_ms = $2, \
         bytes = (SELECT bytes FROM recording WHERE id = $1), \
         manifest_sha256 = (SELECT manifest_sha256 FROM recording WHERE id = $1) \
         WHERE recording = $1",
    )
    .bind(id)
    .bind(to_db(author.at_ms)?)
    .execute(&mut *change)
    .await?;
    sqlx::query("UPDATE recording SET state = 'deleted', withdrawn = withdrawn + 1 WHERE id = $1")
        .bind(id)
        .execute(&mut *change)
        .await?;
    // Nothing is made of it any more.
    sqlx::query("DELETE FROM recording_job WHERE recording = $1")
        .bind(id)
        .execute(&mut *change)
        .await?;
    log(change, id, author, "state", "→ deleted").await
}

/// A class was destroyed, with the approval of that number: so are its recordings. A
/// wish to dispose of one that stood open is fulfilled by it.
pub(crate) async fn delete_with_class(
    change: &mut SqliteConnection,
    class: &ClassId,
    document: &str,
    by: &PersonKey,
    now_ms: u64,
) -> Result<(), StoreError> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM person WHERE id = $1")
        .bind(by.as_str())
        .fetch_optional(&mut *change)
        .await?;
    let author = RecordingAuthor {
        by: Some(by.clone()),
        name: name.unwrap_or_else(|| by.0.clone()),
        at_ms: now_ms,
    };
    let all: Vec<String> =
        sqlx::query_scalar("SELECT id FROM recording WHERE class = $1 AND state <> 'deleted'")
            .bind(class.as_str())
            .fetch_all(&mut *change)
            .await?;
    for id in all {
        sqlx::query(
            "INSERT INTO recording_disposal (recording, reason, made_by, by_name, made_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(document)
        .bind(by.as_str())
        .bind(&author.name)
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
        log(&mut *change, &id, &author, "disposal", document).await?;
        delete(&mut *change, &id, &author).await?;
    }
    Ok(())
}

/// A part of a whole, 0 to 100.
fn percent_of(part: u64, whole: u64) -> u8 {
    match whole {
        0 => 0,
        whole => u8::try_from((part.saturating_mul(100) / whole).min(100)).unwrap_or(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_watched_adds_up_once_and_stays_bounded() {
        assert_eq!(
            merged([(10, 20), (0, 5), (18, 30), (5, 7), (40, 40)]),
            vec![(0, 7), (10, 30)]
        );
        let many = (0..2_000_u64).map(|n| (n * 10, n * 10 + if n == 7 { 9 } else { 1 }));
        let kept = merged(many);
        assert_eq!(kept.len(), SPANS);
        assert_eq!(kept.first().map(|span| span.0), Some(0));
        assert_eq!(kept.last().map(|span| span.1), Some(19_991));
    }

    #[test]
    fn percent_never_leaves_its_bounds() {
        assert_eq!(percent_of(1, 0), 0);
        assert_eq!(percent_of(50, 100), 50);
        assert_eq!(percent_of(u64::MAX, 2), 100);
    }
}
