//! Slides, files handed out and in: what is known of them. Their bytes are files
//! beside the database.

use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Most materials of a session that are read.
const LIST: i64 = 20_000;
/// A file whose conversion was begun this often and never ended is given up: it
/// may be what ended the server.
const TRIES: i64 = 3;

/// What a material is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaterialKind {
    /// Slides.
    Deck,
    /// Handed out.
    Out,
    /// Handed in.
    In,
}

/// How far a material is. Files are ready from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaterialState {
    /// Waits to be converted.
    Queued,
    /// Is being converted.
    Converting,
    /// Can be used.
    Ready,
    /// Could not be converted; the protocol's name of why.
    Failed(String),
}

/// What people say of a material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialLabels {
    /// `draft`, `pending`, `reviewed`.
    pub review: String,
    /// Licence.
    pub licence: Option<String>,
    /// Owner of the rights.
    pub owner: Option<String>,
}

/// A material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// Id in the room.
    pub id: String,
    /// Session.
    pub session: SessionKey,
    /// What it is.
    pub kind: MaterialKind,
    /// File name as given.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Unguessable key of its address and name of its folder.
    pub key: String,
    /// How far it is.
    pub state: MaterialState,
    /// Pages of a deck; 0 until known.
    pub pages: u16,
    /// Width of the first page, points.
    pub width: u16,
    /// Its height.
    pub height: u16,
    /// What people say of it.
    pub labels: MaterialLabels,
    /// Who brought it.
    pub by: PersonKey,
    /// His name.
    pub by_name: String,
    /// When, ms.
    pub made_ms: u64,
    /// When it was taken out of the room, ms.
    pub dropped_ms: Option<u64>,
}

/// Bytes of what was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandInBytes {
    /// By everybody.
    pub all: u64,
    /// By one person.
    pub own: u64,
}

/// How many wait to be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialsWaiting {
    /// Of all sessions.
    pub all: u64,
    /// Of one session.
    pub own: u64,
}

const COLUMNS: &str = "id, session, kind, name, bytes, sha256, key, state, why, pages, width, \
                       height, review, licence, owner, made_by, by_name, made_ms, dropped_ms";

impl Store {
    /// Writes down a material.
    pub async fn add_material(&self, material: &Material) -> Result<(), StoreError> {
        let text = format!(
            "INSERT INTO material ({COLUMNS}, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0)"
        );
        let (state, why) = state_word(&material.state);
        sqlx::query(&text)
            .bind(&material.id)
            .bind(material.session.as_str())
            .bind(kind_word(material.kind))
            .bind(&material.name)
            .bind(to_db(material.bytes)?)
            .bind(&material.sha256)
            .bind(&material.key)
            .bind(state)
            .bind(why)
            .bind(i64::from(material.pages))
            .bind(i64::from(material.width))
            .bind(i64::from(material.height))
            .bind(&material.labels.review)
            .bind(&material.labels.licence)
            .bind(&material.labels.owner)
            .bind(material.by.as_str())
            .bind(&material.by_name)
            .bind(to_db(material.made_ms)?)
            .bind(material.dropped_ms.map(to_db).transpose()?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets a material that the room did not take.
    pub async fn remove_material(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM material WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All materials of a session, those taken out of the room too, in order of
    /// coming.
    pub async fn materials(&self, session: &SessionKey) -> Result<Vec<Material>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM material WHERE session = $1 ORDER BY made_ms, id LIMIT $2"
        );
        let rows = sqlx::query(&text)
            .bind(session.as_str())
            .bind(LIST)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(of_row).collect()
    }

    /// The material with this key.
    pub async fn material_of_key(&self, key: &str) -> Result<Option<Material>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM material WHERE key = $1");
        let row = sqlx::query(&text)
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(of_row).transpose()
    }

    /// The material of the same bytes, name and kind that the same person brought
    /// to the same session, if it is there still and did not fail.
    pub async fn same_material(&self, like: &Material) -> Result<Option<Material>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM material WHERE session = $1 AND kind = $2 AND name = $3 \
             AND sha256 = $4 AND made_by = $5 AND state <> 'failed' AND dropped_ms IS NULL LIMIT 1"
        );
        let row = sqlx::query(&text)
            .bind(like.session.as_str())
            .bind(kind_word(like.kind))
            .bind(&like.name)
            .bind(&like.sha256)
            .bind(like.by.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(of_row).transpose()
    }

    /// Bytes of all materials of a session whose bytes are kept.
    pub async fn material_bytes(&self, session: &SessionKey) -> Result<u64, StoreError> {
        let sum: i64 = sqlx::query_scalar(
            "SELECT COALESCE(SUM(bytes), 0) FROM material WHERE session = $1 AND state <> 'failed'",
        )
        .bind(session.as_str())
        .fetch_one(&self.pool)
        .await?;
        from_db(sum)
    }

    /// Bytes of what was handed in to a session, by all and by one person; what was
    /// taken back counts, since its bytes are kept.
    pub async fn hand_in_bytes(
        &self,
        session: &SessionKey,
        by: &PersonKey,
    ) -> Result<HandInBytes, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE(SUM(bytes), 0) AS every, \
             COALESCE(SUM(CASE WHEN made_by = $2 THEN bytes ELSE 0 END), 0) AS own \
             FROM material WHERE session = $1 AND kind = 'in' AND state <> 'failed'",
        )
        .bind(session.as_str())
        .bind(by.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(HandInBytes {
            all: from_db(row.try_get("every")?)?,
            own: from_db(row.try_get("own")?)?,
        })
    }

    /// How many wait to be converted, in all and of this session. What was taken out
    /// of its room waits for nothing.
    pub async fn materials_waiting(
        &self,
        session: &SessionKey,
    ) -> Result<MaterialsWaiting, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS every, \
             COALESCE(SUM(CASE WHEN session = $1 THEN 1 ELSE 0 END), 0) AS own \
             FROM material WHERE state = 'queued' AND dropped_ms IS NULL",
        )
        .bind(session.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(MaterialsWaiting {
            all: from_db(row.try_get("every")?)?,
            own: from_db(row.try_get("own")?)?,
        })
    }

    /// At the start of the server: what was being converted waits again; what was
    /// begun too often is given up for `why`.
    pub async fn resume_materials(&self, why: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE material SET state = CASE WHEN tries >= $1 THEN 'failed' ELSE 'queued' END, \
             why = CASE WHEN tries >= $1 THEN $2 END WHERE state = 'converting'",
        )
        .bind(TRIES)
        .bind(why)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes one that waits for conversion. Sessions take turns: it is the one that
    /// waits longest of the session that follows `after` in the order of their keys.
    pub async fn next_material(
        &self,
        after: Option<&SessionKey>,
    ) -> Result<Option<Material>, StoreError> {
        let text = format!(
            "UPDATE material SET state = 'converting', tries = tries + 1 WHERE id = \
             (SELECT id FROM material WHERE state = 'queued' AND dropped_ms IS NULL \
             ORDER BY CASE WHEN session <= $1 THEN 1 ELSE 0 END, session, made_ms, id LIMIT 1) \
             RETURNING {COLUMNS}"
        );
        let row = sqlx::query(&text)
            .bind(after.map_or("", SessionKey::as_str))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(of_row).transpose()
    }

    /// The conversion was stopped and is to begin anew; it does not count.
    pub async fn put_back_material(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE material SET state = 'queued', \
             tries = CASE WHEN tries > 0 THEN tries - 1 ELSE 0 END \
             WHERE id = $1 AND state = 'converting'",
        )
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How the conversion of a deck ended, and its pages.
    pub async fn finish_material(
        &self,
        id: &str,
        state: &MaterialState,
        [pages, width, height]: [u16; 3],
    ) -> Result<(), StoreError> {
        let (state, why) = state_word(state);
        sqlx::query(
            "UPDATE material SET state = $2, why = $3, pages = $4, width = $5, height = $6 \
             WHERE id = $1",
        )
        .bind(id)
        .bind(state)
        .bind(why)
        .bind(i64::from(pages))
        .bind(i64::from(width))
        .bind(i64::from(height))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What people said of a material.
    pub async fn label_material(
        &self,
        id: &str,
        labels: &MaterialLabels,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE material SET review = $2, licence = $3, owner = $4 WHERE id = $1")
            .bind(id)
            .bind(&labels.review)
            .bind(&labels.licence)
            .bind(&labels.owner)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A material was taken out of its room. It stays.
    pub async fn drop_material(&self, id: &str, at_ms: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE material SET dropped_ms = $2 WHERE id = $1 AND dropped_ms IS NULL")
            .bind(id)
            .bind(to_db(at_ms)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn kind_word(kind: MaterialKind) -> &'static str {
    match kind {
        MaterialKind::Deck => "deck",
        MaterialKind::Out => "out",
        MaterialKind::In => "in",
    }
}

fn state_word(state: &MaterialState) -> (&'static str, Option<&str>) {
    match state {
        MaterialState::Queued => ("queued", None),
        MaterialState::Converting => ("converting", None),
        MaterialState::Ready => ("ready", None),
        MaterialState::Failed(why) => ("failed", Some(why)),
    }
}

fn of_row(row: &SqliteRow) -> Result<Material, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("a material's {what}"));
    let small = |name: &str| -> Result<u16, StoreError> {
        u16::try_from(row.try_get::<i64, _>(name)?).map_err(|_| damaged(name))
    };
    let kind = match row.try_get("kind")? {
        "deck" => MaterialKind::Deck,
        "out" => MaterialKind::Out,
        "in" => MaterialKind::In,
        _ => return Err(damaged("kind")),
    };
    let state = match row.try_get("state")? {
        "queued" => MaterialState::Queued,
        "converting" => MaterialState::Converting,
        "ready" => MaterialState::Ready,
        "failed" => MaterialState::Failed(
            row.try_get::<Option<String>, _>("why")?
                .unwrap_or_else(|| "internal".to_owned()),
        ),
        _ => return Err(damaged("state")),
    };
    Ok(Material {
        id: row.try_get("id")?,
        session: SessionKey(row.try_get("session")?),
        kind,
        name: row.try_get("name")?,
        bytes: from_db(row.try_get("bytes")?)?,
        sha256: row.try_get("sha256")?,
        key: row.try_get("key")?,
        state,
        pages: small("pages")?,
        width: small("width")?,
        height: small("height")?,
        labels: MaterialLabels {
            review: row.try_get("review")?,
            licence: row.try_get("licence")?,
            owner: row.try_get("owner")?,
        },
        by: PersonKey(row.try_get("made_by")?),
        by_name: row.try_get("by_name")?,
        made_ms: from_db(row.try_get("made_ms")?)?,
        dropped_ms: row
            .try_get::<Option<i64>, _>("dropped_ms")?
            .map(from_db)
            .transpose()?,
    })
}
