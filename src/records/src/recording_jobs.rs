//! Work on recordings that have ended: one row a stage, taken one stage after the
//! other, with a lease, so that a worker that died is followed by another one.

use lophoc_classes::{RecordingProgress, RecordingState};
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::recordings::{RecordingAuthor, log};
use crate::store::{Store, from_db, to_db};

/// A stage of the work, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordingStage {
    /// The journal is read to its end, files are known.
    Finalise,
    /// What is needed to play it at once is there.
    Quick,
    /// Sound is mixed to the end.
    Mix,
    /// A poster and small pictures for the time line.
    Pictures,
    /// Each file's SHA-256 against what was written down while it grew.
    Verify,
    /// Into the object storage.
    Upload,
    /// It waits for its release; those who asked for it are told.
    Publish,
    /// One film is made of it; nobody waits for it.
    Render,
}

impl RecordingStage {
    /// All stages in order.
    pub const ALL: [Self; 8] = [
        Self::Finalise,
        Self::Quick,
        Self::Mix,
        Self::Pictures,
        Self::Verify,
        Self::Upload,
        Self::Publish,
        Self::Render,
    ];

    /// Name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finalise => "finalise",
            Self::Verify => "verify",
            Self::Quick => "quick",
            Self::Mix => "mix",
            Self::Pictures => "pictures",
            Self::Upload => "upload",
            Self::Publish => "publish",
            Self::Render => "render",
        }
    }

    /// The stage of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

/// A stage somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingJob {
    /// Recording.
    pub recording: String,
    /// Stage.
    pub stage: RecordingStage,
    /// How often it was begun, this time included.
    pub tries: u32,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Done.
    Done,
    /// There is nothing to do, or nothing to do it with: why.
    Skipped(String),
    /// Once more at this time, ms: why.
    Again(u64, String),
    /// Given up: why. Later stages go on without it.
    Failed(String),
}

impl Store {
    /// A recording has ended: its stages wait to be done. A repeat changes nothing.
    ///
    /// Tells whether it had not ended before.
    pub async fn end_recording(&self, id: &str, now_ms: u64) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE recording SET state = 'processing', ended_ms = coalesce(ended_ms, $2) \
             WHERE id = $1 AND state = 'recording'",
        )
        .bind(id)
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
        let ended = done.rows_affected() > 0;
        if ended {
            for (step, stage) in RecordingStage::ALL.into_iter().enumerate() {
                sqlx::query(
                    "INSERT INTO recording_job (recording, stage, step, state, due_ms) \
                     VALUES ($1, $2, $3, 'waiting', $4) ON CONFLICT DO NOTHING",
                )
                .bind(id)
                .bind(stage.as_str())
                .bind(i64::try_from(step).unwrap_or(i64::MAX))
                .bind(to_db(now_ms)?)
                .execute(&mut *change)
                .await?;
            }
            let author = RecordingAuthor::server(now_ms);
            log(&mut change, id, &author, "state", "recording → processing").await?;
        }
        change.commit().await?;
        Ok(ended)
    }

    /// Takes the next stage that is due: one whose earlier stages are over and which
    /// nobody works on, or whose worker's lease ended. Pictures that failed hold up
    /// nothing while they wait for their next try. Of several, one of a recording that
    /// cannot be reviewed yet, the earliest stage first; then those of the newest: what
    /// an upgrade finds to do on old ones waits.
    pub async fn take_recording_job(
        &self,
        worker: &str,
        stages: &[RecordingStage],
        now_ms: u64,
        lease_ms: u64,
    ) -> Result<Option<RecordingJob>, StoreError> {
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
            "UPDATE recording_job SET state = 'running', tries = tries + 1, percent = 0, \
             why = NULL, worker = ",
        );
        query.push_bind(worker.to_owned());
        query.push(", lease_ms = ");
        query.push_bind(to_db(now_ms.saturating_add(lease_ms))?);
        query.push(
            " WHERE (recording, stage) = (SELECT j.recording, j.stage FROM recording_job j \
             WHERE ((j.state = 'waiting' AND j.due_ms <= ",
        );
        query.push_bind(to_db(now_ms)?);
        query.push(") OR (j.state = 'running' AND j.lease_ms <= ");
        query.push_bind(to_db(now_ms)?);
        query.push(")) AND j.stage IN (");
        let mut list = query.separated(", ");
        for stage in stages {
            list.push_bind(stage.as_str());
        }
        query.push(
            ") AND NOT EXISTS (SELECT 1 FROM recording_job e WHERE e.recording = j.recording \
             AND e.step < j.step AND (e.state = 'running' OR (e.state = 'waiting' \
             AND NOT (e.stage = 'pictures' AND e.tries > 0)))) \
             ORDER BY CASE WHEN EXISTS (SELECT 1 FROM recording r WHERE r.id = j.recording \
             AND r.state = 'processing') THEN j.step ELSE 100 END, \
             j.recording DESC, j.step LIMIT 1) RETURNING recording, stage, tries",
        );
        let row = query.build().fetch_optional(&self.pool).await?;
        row.map(|row| {
            let stage: String = row.try_get("stage")?;
            Ok(RecordingJob {
                recording: row.try_get("recording")?,
                stage: RecordingStage::from_name(&stage)
                    .ok_or_else(|| StoreError::Damaged("a stage".to_owned()))?,
                tries: u32::try_from(row.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX),
            })
        })
        .transpose()
    }

    /// The worker goes on: its lease is renewed. `false`: somebody else took it.
    pub async fn go_on_recording_job(
        &self,
        worker: &str,
        job: &RecordingJob,
        percent: u8,
        until_ms: u64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE recording_job SET percent = $4, lease_ms = $5 \
             WHERE recording = $1 AND stage = $2 AND state = 'running' AND worker = $3",
        )
        .bind(&job.recording)
        .bind(job.stage.as_str())
        .bind(worker)
        .bind(i64::from(percent.min(100)))
        .bind(to_db(until_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// A stage ended. `false`: somebody else took it meanwhile, nothing is changed.
    pub async fn recording_job_done(
        &self,
        worker: &str,
        job: &RecordingJob,
        end: &JobEnd,
    ) -> Result<bool, StoreError> {
        let (state, due, why) = match end {
            JobEnd::Done => ("done", None, None),
            JobEnd::Skipped(why) => ("skipped", None, Some(why)),
            JobEnd::Again(at, why) => ("waiting", Some(to_db(*at)?), Some(why)),
            JobEnd::Failed(why) => ("failed", None, Some(why)),
        };
        let done = sqlx::query(
            "UPDATE recording_job SET state = $4, due_ms = coalesce($5, due_ms), why = $6, \
             lease_ms = 0, percent = CASE WHEN $4 = 'done' THEN 100 ELSE percent END \
             WHERE recording = $1 AND stage = $2 AND state = 'running' AND worker = $3",
        )
        .bind(&job.recording)
        .bind(job.stage.as_str())
        .bind(worker)
        .bind(state)
        .bind(due)
        .bind(why)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// A stop of the server puts a stage back; this try does not count.
    pub async fn put_back_recording_job(
        &self,
        worker: &str,
        job: &RecordingJob,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE recording_job SET state = 'waiting', lease_ms = 0, \
             tries = CASE WHEN tries > 0 THEN tries - 1 ELSE 0 END \
             WHERE recording = $1 AND stage = $2 AND state = 'running' AND worker = $3",
        )
        .bind(&job.recording)
        .bind(job.stage.as_str())
        .bind(worker)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// At the start of the server nobody works on anything: leases of before end.
    pub async fn free_recording_jobs(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording_job SET lease_ms = 0 WHERE state = 'running'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// These stages are to be done again (a film that is not as it was made, the
    /// upload of what is new). One that is being done is done again afterwards.
    pub async fn redo_recording_jobs(
        &self,
        id: &str,
        stages: &[RecordingStage],
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        redo(&mut change, id, stages, now_ms).await?;
        change.commit().await?;
        Ok(())
    }

    /// Uploads that were given up and were last due before then are to be done again:
    /// how many.
    pub async fn redo_failed_uploads(
        &self,
        before_ms: u64,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE recording_job SET state = 'waiting', tries = 0, due_ms = $2, why = NULL, \
             percent = 0, worker = '' WHERE stage = 'upload' AND state = 'failed' \
             AND due_ms <= $1",
        )
        .bind(to_db(before_ms)?)
        .bind(to_db(now_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// How far the work on a recording is: the stage that is under way, that waits,
    /// or the first that failed. `None`: nothing to tell.
    pub async fn recording_progress(
        &self,
        id: &str,
    ) -> Result<Option<RecordingProgress>, StoreError> {
        let row = sqlx::query(
            "SELECT stage, state, percent, why FROM recording_job WHERE recording = $1 \
             AND state IN ('waiting', 'running', 'failed') \
             ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END, step \
             LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            let state: String = row.try_get("state")?;
            Ok(RecordingProgress {
                stage: row.try_get("stage")?,
                percent: u8::try_from(row.try_get::<i64, _>("percent")?).unwrap_or(100),
                failed: match state.as_str() {
                    "failed" => Some(
                        row.try_get::<Option<String>, _>("why")?
                            .unwrap_or_else(|| "internal".to_owned()),
                    ),
                    _ => None,
                },
            })
        })
        .transpose()
    }

    /// How stages stand, in order, with the reason: for tests and technicians.
    pub async fn recording_stages(
        &self,
        id: &str,
    ) -> Result<Vec<(RecordingStage, String, Option<String>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT stage, state, why FROM recording_job WHERE recording = $1 ORDER BY step",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let stage: String = row.try_get("stage")?;
                Ok((
                    RecordingStage::from_name(&stage)
                        .ok_or_else(|| StoreError::Damaged("a stage".to_owned()))?,
                    row.try_get("state")?,
                    row.try_get("why")?,
                ))
            })
            .collect()
    }

    /// The work is done: processing → review. Messages to those who asked for them
    /// are written in the same transaction. `false`: it was not in processing.
    pub async fn recording_ready(
        &self,
        id: &str,
        body: &str,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE recording SET state = 'review' WHERE id = $1 AND state = 'processing'",
        )
        .bind(id)
        .execute(&mut *change)
        .await?;
        let first = done.rows_affected() > 0;
        if first {
            let author = RecordingAuthor::server(now_ms);
            log(&mut change, id, &author, "state", "processing → review").await?;
        }
        // Once a recording, whatever became of its state meanwhile.
        let told: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recording_log WHERE recording = $1 AND what = 'ready'",
        )
        .bind(id)
        .fetch_one(&mut *change)
        .await?;
        if told == 0 {
            log(
                &mut change,
                id,
                &RecordingAuthor::server(now_ms),
                "ready",
                "",
            )
            .await?;
            crate::webhooks::queue(&mut change, id, body, now_ms).await?;
        }
        change.commit().await?;
        Ok(first)
    }

    /// Recordings whose checksums were not looked at since `before_ms`, the oldest
    /// look first. Those that are worked on or gone are left out, and those that could
    /// not be looked at of late.
    pub async fn recordings_to_verify(
        &self,
        before_ms: u64,
        now_ms: u64,
        most: u32,
    ) -> Result<Vec<String>, StoreError> {
        let states = [
            RecordingState::Review,
            RecordingState::Published,
            RecordingState::Hidden,
            RecordingState::Archived,
        ]
        .map(|state| format!("'{}'", state.as_str()))
        .join(", ");
        let text = format!(
            "SELECT id FROM recording WHERE state IN ({states}) \
             AND coalesce(verified_ms, 0) < $1 AND coalesce(verify_after_ms, 0) <= $2 \
             ORDER BY coalesce(verified_ms, 0), id LIMIT $3"
        );
        Ok(sqlx::query_scalar(&text)
            .bind(to_db(before_ms)?)
            .bind(to_db(now_ms)?)
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?)
    }

    /// Its checksums could not be looked at: not again before that time, so that the
    /// others have their turn.
    pub async fn recording_not_verified(&self, id: &str, after_ms: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording SET verify_after_ms = $2 WHERE id = $1")
            .bind(id)
            .bind(to_db(after_ms)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What looking at the checksums found: names of segments that are not as they
    /// were written.
    pub async fn recording_verified(
        &self,
        id: &str,
        damaged: &[String],
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let before: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM recording_segment WHERE recording = $1 AND damaged_ms IS NOT NULL",
        )
        .bind(id)
        .fetch_all(&mut *change)
        .await?;
        sqlx::query("UPDATE recording SET verified_ms = $2, verify_after_ms = NULL WHERE id = $1")
            .bind(id)
            .bind(to_db(now_ms)?)
            .execute(&mut *change)
            .await?;
        sqlx::query("UPDATE recording_segment SET damaged_ms = NULL WHERE recording = $1")
            .bind(id)
            .execute(&mut *change)
            .await?;
        for segment in damaged {
            sqlx::query(
                "UPDATE recording_segment SET damaged_ms = $3 WHERE recording = $1 AND id = $2",
            )
            .bind(id)
            .bind(segment)
            .bind(to_db(now_ms)?)
            .execute(&mut *change)
            .await?;
        }
        let mut sorted = before;
        sorted.sort();
        let mut now: Vec<String> = damaged.to_vec();
        now.sort();
        if sorted != now {
            let text = match now.is_empty() {
                true => "whole again".to_owned(),
                false => format!("damaged: {}", now.join(", ")),
            };
            log(
                &mut change,
                id,
                &RecordingAuthor::server(now_ms),
                "verify",
                &text,
            )
            .await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// When the earliest stage that waits is due, ms.
    pub async fn next_recording_job_ms(&self) -> Result<Option<u64>, StoreError> {
        let next: Option<i64> =
            sqlx::query_scalar("SELECT min(due_ms) FROM recording_job WHERE state = 'waiting'")
                .fetch_one(&self.pool)
                .await?;
        next.map(from_db).transpose()
    }
}

/// These stages are to be done again. Whoever works on one of them finds his place
/// taken when he is done.
pub(crate) async fn redo(
    change: &mut SqliteConnection,
    id: &str,
    stages: &[RecordingStage],
    now_ms: u64,
) -> Result<(), StoreError> {
    for stage in stages {
        sqlx::query(
            "UPDATE recording_job SET state = 'waiting', tries = 0, due_ms = $3, why = NULL, \
             percent = 0, worker = '' WHERE recording = $1 AND stage = $2",
        )
        .bind(id)
        .bind(stage.as_str())
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
    }
    Ok(())
}
