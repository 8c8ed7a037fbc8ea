//! The films made of recordings: what is there, with its hash, and what is to go.

use lophoc_classes::RecordingFilm;
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::recording_jobs::{RecordingStage, redo};
use crate::store::{Store, from_db, to_db};

impl Store {
    /// The film of that name.
    pub async fn recording_film(
        &self,
        id: &str,
        file: &str,
    ) -> Result<Option<RecordingFilm>, StoreError> {
        let row = sqlx::query(
            "SELECT file, bytes, sha256, made_ms FROM recording_film \
             WHERE recording = $1 AND file = $2",
        )
        .bind(id)
        .bind(file)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(RecordingFilm {
                file: row.try_get("file")?,
                bytes: from_db(row.try_get("bytes")?)?,
                sha256: row.try_get("sha256")?,
                made_ms: from_db(row.try_get("made_ms")?)?,
            })
        })
        .transpose()
    }

    /// A film was made.
    pub async fn set_recording_film(
        &self,
        id: &str,
        film: &RecordingFilm,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO recording_film (recording, file, bytes, sha256, made_ms, over) \
             VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (recording, file) \
             DO UPDATE SET bytes = $3, sha256 = $4, made_ms = $5, over = 0",
        )
        .bind(id)
        .bind(&film.file)
        .bind(to_db(film.bytes)?)
        .bind(&film.sha256)
        .bind(to_db(film.made_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Names of all films of a recording that are there or were, those whose bytes are
    /// still to go among them.
    pub async fn recording_films(&self, id: &str) -> Result<Vec<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT file FROM recording_film WHERE recording = $1")
                .bind(id)
                .fetch_all(&self.pool)
                .await?,
        )
    }

    /// The bytes of a film are gone everywhere; `object`: its name in the storage.
    pub async fn recording_film_gone(
        &self,
        id: &str,
        file: &str,
        object: &str,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM recording_film WHERE recording = $1 AND file = $2")
            .bind(id)
            .bind(file)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM recording_object WHERE recording = $1 AND file = $2")
            .bind(id)
            .bind(object)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// A film is what is shown now after all.
    pub async fn recording_film_stays(&self, id: &str, file: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE recording_film SET over = 0 WHERE recording = $1 AND file = $2")
            .bind(id)
            .bind(file)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Recordings of which bytes of a film are still to go, or may be of small pictures:
    /// they go before others are made, and that was given up.
    pub async fn recordings_with_old_films(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT f.recording FROM recording_film f JOIN recording r ON r.id = f.recording \
             WHERE f.over = 1 AND r.state <> 'deleted' \
             UNION SELECT j.recording FROM recording_job j JOIN recording r ON r.id = j.recording \
             WHERE j.stage = 'pictures' AND j.state = 'failed' AND r.state <> 'deleted'",
        )
        .fetch_all(&self.pool)
        .await?)
    }
}

/// What is shown is something else from now on: films of before are to go, small
/// pictures of before are told to nobody, and these stages are to be done again.
/// Whoever works on one of them finds his place taken when he is done.
pub(crate) async fn made_is_over(
    change: &mut SqliteConnection,
    id: &str,
    stages: &[RecordingStage],
    now_ms: u64,
) -> Result<(), StoreError> {
    for text in [
        "UPDATE recording_film SET over = 1 WHERE recording = $1",
        "UPDATE recording SET pictures = NULL WHERE id = $1",
    ] {
        sqlx::query(text).bind(id).execute(&mut *change).await?;
    }
    redo(change, id, stages, now_ms).await
}
