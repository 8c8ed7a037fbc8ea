//! Sites (điểm cầu) and ticking people in there (domain: 3.4).

use lophoc_ledger::{HallHow, PersonKey};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A site in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// Person key its connection joins with; absent: the trainer's hall.
    pub site: Option<PersonKey>,
    /// Name (`Điểm cầu Trường THCS Nguyễn Du`).
    pub name: String,
    /// Its connection is in the room now.
    pub connected: bool,
    /// People ticked in now.
    pub people: u32,
    /// People of its unit's roster.
    pub expected: u32,
}

/// A person who may be ticked in at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HallPerson {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Position.
    pub position: String,
    /// Ticked in at this site.
    pub here: bool,
    /// Ticked in elsewhere, or online with an own connection.
    pub elsewhere: bool,
    /// How ticked.
    #[serde(default)]
    pub how: Option<HallHow>,
}

/// Ticking people in or out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HallTick {
    /// Who, at most 500 at a time.
    pub people: Vec<PersonKey>,
    /// In or out.
    pub on: bool,
    /// `contact` or `paper`.
    pub how: HallHow,
    /// From, or until, then, ms. Absent: as long as the site is connected; with
    /// `on: false`: the tick was a mistake.
    #[serde(default)]
    pub at_ms: Option<u64>,
}

/// What the page behind the code on the hall screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckInOffer {
    /// Session title.
    pub title: String,
    /// Class title.
    pub class: String,
    /// Host unit.
    pub host: String,
    /// Site name.
    pub site: String,
    /// The person this phone was ticked in as, when it was before.
    #[serde(default)]
    pub known: Option<String>,
}
