//! Roles, rights, the roster.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{PersonId, TrackId};
use crate::media::{MediaKind, TrackState};

/// Role of a person in a class session (domain nouns: Ban tổ chức, Chủ trì,
/// Người dạy, Cố vấn học tập, Cán bộ kỹ thuật, Người học, Khách mời).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Ban tổ chức.
    Organiser,
    /// Chủ trì / chủ tọa.
    Chair,
    /// Người dạy, báo cáo viên.
    Trainer,
    /// Cố vấn học tập.
    Adviser,
    /// Cán bộ kỹ thuật.
    Technician,
    /// Người học, đại biểu, điểm cầu.
    Learner,
    /// Khách mời.
    Guest,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::Organiser,
        Self::Chair,
        Self::Trainer,
        Self::Adviser,
        Self::Technician,
        Self::Learner,
        Self::Guest,
    ];

    /// Staff are listed to everybody in rooms too large for a full roster.
    pub fn is_staff(self) -> bool {
        !matches!(self, Self::Learner | Self::Guest)
    }
}

/// How a room treats speaking (the three modes of Vietnamese practice).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RoomMode {
    /// Thảo luận: everybody may speak.
    Discussion,
    /// Đào tạo: one speaks, learners ask for the floor.
    Training,
    /// Hội nghị truyền hình: the chair gives the floor.
    Conference,
}

/// Something a right is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Send the microphone.
    Speak,
    /// Send the camera.
    ShowCamera,
    /// Share a screen, with or without sound.
    ShareScreen,
    /// Write in the chat.
    Chat,
    /// Raise one's hand.
    RaiseHand,
    /// Lower other people's hands.
    LowerHands,
    /// Mute one person or all.
    Mute,
    /// Ask a person to unmute or to show the camera.
    AskUnmute,
    /// Give and withdraw the floor.
    GiveFloor,
    /// Remove a person.
    Remove,
    /// Lock and unlock the room.
    Lock,
    /// Change the mode of the room.
    SetMode,
    /// End the session for everybody.
    End,
    /// Export attendance.
    Export,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 14] = [
        Self::Speak,
        Self::ShowCamera,
        Self::ShareScreen,
        Self::Chat,
        Self::RaiseHand,
        Self::LowerHands,
        Self::Mute,
        Self::AskUnmute,
        Self::GiveFloor,
        Self::Remove,
        Self::Lock,
        Self::SetMode,
        Self::End,
        Self::Export,
    ];
}

/// One published track in the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PersonTrack {
    /// Track id, to be used in `view`.
    pub k: TrackId,
    /// What it is.
    pub kind: MediaKind,
    /// `live` or `muted`; tracks that are off are not listed.
    pub st: TrackState,
}

/// Whether a person's link is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LinkState {
    /// Connected.
    Ok,
    /// Lost; may return within the resume window.
    Lost,
}

/// A person in the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// Full name, NFC.
    pub name: String,
    /// Unit, as known or declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Role.
    pub role: Role,
    /// Link.
    pub link: LinkState,
    /// Holds the floor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub floor: bool,
    /// When the hand was raised, server ms since the epoch; absent when down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hand: Option<u64>,
    /// Tracks that are not off.
    #[serde(default)]
    pub tracks: Vec<PersonTrack>,
}

/// Exact counts, also where the list is a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Everybody present.
    pub total: u32,
    /// Organisers, chairs, trainers, advisers, technicians.
    pub staff: u32,
    /// Learners.
    pub learners: u32,
    /// Guests.
    pub guests: u32,
    /// Raised hands.
    pub hands: u32,
}
