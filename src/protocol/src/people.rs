//! Roles, rights, the roster.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::groups::GroupNo;
use crate::ids::{PersonId, TrackId};
use crate::media::{MediaKind, OnRung, TrackState};

/// Role of a person in a class session (domain nouns: Ban tổ chức, Chủ trì,
/// Người dạy, Cố vấn học tập, Cán bộ kỹ thuật, Thư ký, Thanh tra/giám sát,
/// Người học, Khách mời).
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
    /// Thư ký: lets people in, keeps and exports the lists.
    Secretary,
    /// Thanh tra, giám sát: there for all to see, sees everything, moderates
    /// nothing, is never counted as a learner.
    Inspector,
    /// Người học, đại biểu, điểm cầu.
    Learner,
    /// Khách mời.
    Guest,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 9] = [
        Self::Organiser,
        Self::Chair,
        Self::Trainer,
        Self::Adviser,
        Self::Technician,
        Self::Secretary,
        Self::Inspector,
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
    /// Begin the lesson.
    Start,
    /// Begin and end announced breaks.
    Break,
    /// Turn the waiting room on and off, see who waits, let in and send away.
    Admit,
    /// Hold presence checks.
    Check,
    /// End the session for everybody.
    End,
    /// Export attendance.
    Export,
    /// Write to one person.
    ChatPrivate,
    /// Ask in the Q&A and vote for questions.
    Question,
    /// React.
    React,
    /// Delete messages of others, set slow mode, review and answer questions.
    Moderate,
    /// Hold polls, quizzes and votes.
    Poll,
    /// Upload slides, show them and point on them.
    Slides,
    /// Leaf through the slides by oneself.
    Browse,
    /// Hand files out.
    HandOut,
    /// Hand a file in.
    HandIn,
    /// Set what learners may do, who is shown to all, the timer.
    Arrange,
    /// Hand roles over and name substitutes.
    SetRole,
    /// Make, open and close groups, move people, go from one to another.
    Groups,
    /// Draw on boards and slides.
    Draw,
    /// Type captions: a task that is handed over, whatever the role.
    Caption,
    /// Announce that the session is being recorded, and that it no longer is.
    Record,
    /// Edit the shared notes.
    Notes,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 34] = [
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
        Self::Start,
        Self::Break,
        Self::Admit,
        Self::Check,
        Self::End,
        Self::Export,
        Self::ChatPrivate,
        Self::Question,
        Self::React,
        Self::Moderate,
        Self::Poll,
        Self::Slides,
        Self::Browse,
        Self::HandOut,
        Self::HandIn,
        Self::Arrange,
        Self::SetRole,
        Self::Groups,
        Self::Draw,
        Self::Caption,
        Self::Record,
        Self::Notes,
    ];
}

/// What learners and guests may do in this room, on top of the table of rights:
/// a `false` takes it from them. Staff are not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Permits {
    /// Microphone.
    pub mic: bool,
    /// Camera.
    pub camera: bool,
    /// Screen, also with the floor.
    pub screen: bool,
    /// Chat to all.
    pub chat: bool,
    /// Messages to one person; lines to organisers and support stay open.
    pub private: bool,
    /// Q&A.
    pub question: bool,
    /// Reactions.
    pub react: bool,
    /// Raising hands.
    pub hand: bool,
    /// Leafing through the slides by oneself.
    pub browse: bool,
    /// Handing files in.
    pub hand_in: bool,
    /// Questions are seen by all at once; otherwise each waits for review.
    pub open_questions: bool,
    /// Drawing on boards and slides; whoever has the floor may in any case.
    pub draw: bool,
    /// Editing the shared notes.
    pub notes: bool,
}

impl Default for Permits {
    fn default() -> Self {
        Self {
            mic: true,
            camera: true,
            screen: true,
            chat: true,
            private: true,
            question: true,
            react: true,
            hand: true,
            browse: true,
            hand_in: true,
            open_questions: true,
            draw: false,
            notes: false,
        }
    }
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
    /// The connection stands for a hall (điểm cầu): the name of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub site: Option<String>,
    /// People ticked in at the site; absent = none yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<u32>")]
    pub hall: u32,
    /// Breakout group the person is assigned to; absent = the whole room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub group: Option<GroupNo>,
    /// Stands in for this person (dạy thay, chủ trì thay), by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stands_for: Option<String>,
    /// Has the captioner's task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub captions: bool,
    /// Gets less than everything; absent = everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rung: Option<OnRung>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Somebody in the waiting room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waiter {
    /// Id.
    pub who: PersonId,
    /// Full name, NFC.
    pub name: String,
    /// Unit, as known or declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Role.
    pub role: Role,
    /// Since when, ms since the epoch.
    pub since: u64,
    /// Link; a waiter whose link is lost keeps the place for the time of a resume.
    pub link: LinkState,
    /// The connection stands for a hall: the name of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub site: Option<String>,
}

/// Exact counts, also where the list is a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Everybody present: connections.
    pub total: u32,
    /// People behind them: everybody who is no site, and who is ticked in at
    /// the sites that are connected.
    pub people: u32,
    /// Everybody but learners and guests.
    pub staff: u32,
    /// Learners.
    pub learners: u32,
    /// Guests.
    pub guests: u32,
    /// Raised hands.
    pub hands: u32,
}
