//! Boards of a session, for its record.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What is on the boards of a session; while it goes on, what is on them now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBoards {
    /// Those with something on them: blank ones by number, then pages by deck.
    pub boards: Vec<SessionBoard>,
    /// Pages of decks that were taken out of the room for which there was no place
    /// here; the log has them.
    pub left_out: u32,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBoard {
    /// The protocol's id: `w1`, or `<deck>-<page>` for the layer over a page.
    pub board: String,
    /// Deck below it; absent: a blank board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub deck: Option<String>,
    /// The deck's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub deck_name: Option<String>,
    /// Page of the deck, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub page: Option<u16>,
    /// The deck was taken out of the room; this is what was on the page then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub dropped: bool,
    /// Height of the board where it is 1600 wide; of a page as its deck begins.
    pub high: u32,
    /// What is on it, from the lowest to the highest.
    pub shapes: Vec<BoardShape>,
}

/// A figure on a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoardShape {
    /// Its number on the board.
    pub n: u32,
    /// Who drew it.
    pub person: PersonKey,
    /// The name shown in the room; empty where none is known.
    pub name: String,
    /// What it looks like: the protocol's `Figure`.
    #[ts(type = "unknown")]
    #[schema(value_type = Object)]
    pub fig: serde_json::Value,
}
