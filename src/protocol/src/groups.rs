//! Breakout groups (nhóm thảo luận): parts of one room. Who changes the group
//! keeps link, connection and stay; only whom he hears and sees changes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Number of a group, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct GroupNo(pub u8);

/// How people come into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum GroupBy {
    /// By lot, equally many each.
    Random,
    /// People of one unit together.
    Unit,
    /// By hand.
    Manual,
    /// Everybody chooses.
    Choose,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Number.
    pub n: GroupNo,
    /// Name.
    pub name: String,
    /// People assigned, exact.
    pub people: u32,
}

/// The groups of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Groups {
    /// People are in their groups; otherwise they are only being formed.
    pub open: bool,
    /// How they are formed.
    pub by: GroupBy,
    /// Everybody is brought back then, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<u64>,
    /// In order of number.
    pub list: Vec<Group>,
}
