//! Classes and links for the command line.

use lophoc_protocol::{PersonId, Role, RoomId, RoomMode};
use lophoc_records::{NewClass, NewSession, Session, SessionMode, Store, StoreError};

use crate::auth::{Keys, LinkClaims, NamedPerson, TokenError};
use crate::clock::wall_ms;
use crate::random::{self, NoRandomness};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// A class or link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClassError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Sealing failed.
    #[error("cannot make the link: {0}")]
    Seal(#[from] TokenError),
    /// No such room.
    #[error("there is no room {0}")]
    NoRoom(String),
    /// A name or title that cannot be used.
    #[error("{what}: {source}")]
    Text {
        /// Which.
        what: &'static str,
        /// Why.
        source: lophoc_room::text::BadText,
    },
}

/// Makes links that start with `url`.
#[derive(Debug)]
pub struct LinkMaker {
    /// Signing keys.
    pub keys: Keys,
    /// Address people type.
    pub url: String,
}

impl LinkMaker {
    /// From the store's secret.
    pub async fn new(store: &Store, url: String) -> Result<Self, ClassError> {
        Ok(Self {
            keys: Keys::new(&store.secret().await?),
            url,
        })
    }

    /// An open link, or a personal one for a name.
    pub fn link(
        &self,
        room: &str,
        role: Role,
        named: Option<(&str, Option<&str>)>,
        hours: u32,
    ) -> Result<String, ClassError> {
        let named = named
            .map(|(name, unit)| named_person(name, unit))
            .transpose()?;
        let exp = wall_ms().saturating_add(u64::from(hours).saturating_mul(HOUR_MS));
        let claims = LinkClaims {
            room: RoomId::from(room),
            role,
            exp,
            lid: random::id("i")?,
            site: None,
            named,
        };
        Ok(format!("{}/j/{}", self.url, claims.seal(&self.keys)?))
    }
}

fn named_person(name: &str, unit: Option<&str>) -> Result<NamedPerson, ClassError> {
    let name = lophoc_room::text::clean_name(name).map_err(|source| ClassError::Text {
        what: "name",
        source,
    })?;
    let unit = lophoc_room::text::clean_unit(unit.unwrap_or_default()).map_err(|source| {
        ClassError::Text {
            what: "unit",
            source,
        }
    })?;
    Ok(NamedPerson {
        person: PersonId(random::id("p")?),
        name,
        unit,
    })
}

/// Creates a class with one session, planned from now on for `hours`.
pub async fn create(
    store: &Store,
    title: &str,
    host: &str,
    mode: RoomMode,
    hours: u32,
) -> Result<Session, ClassError> {
    let clean = |what, text| {
        lophoc_room::text::clean_unit(text)
            .and_then(|text| text.ok_or(lophoc_room::text::BadText::Empty))
            .map_err(|source| ClassError::Text { what, source })
    };
    let (title, host_unit) = (clean("title", title)?, clean("host", host)?);
    let class = store
        .create_class(NewClass {
            title: title.clone(),
            host_unit,
        })
        .await?;
    let now = wall_ms();
    let session = NewSession {
        class: class.id,
        title,
        mode: match mode {
            RoomMode::Discussion => SessionMode::Discussion,
            RoomMode::Training => SessionMode::Training,
            RoomMode::Conference => SessionMode::Conference,
        },
        starts_ms: Some(now),
        ends_ms: Some(now.saturating_add(u64::from(hours).saturating_mul(HOUR_MS))),
    };
    Ok(store.create_session(session).await?)
}

/// Whether the room exists.
pub async fn known_room(store: &Store, room: &str) -> Result<(), ClassError> {
    match store.session_of_room(room).await? {
        Some(_) => Ok(()),
        None => Err(ClassError::NoRoom(room.to_owned())),
    }
}
