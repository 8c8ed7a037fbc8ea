//! What is told of every event: its name, and whom it is about.

use super::{EventKind, PersonKey};

impl EventKind {
    /// Name of the kind, the field `e`; empty when a raw event has none.
    pub fn name(&self) -> &str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Reopened {} => "reopened",
            Self::Ended { .. } => "ended",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Lapse { .. } => "lapse",
            Self::Return { .. } => "return",
            Self::Removed { .. } => "removed",
            Self::Locked { .. } => "locked",
            Self::Mode { .. } => "mode",
            Self::Floor { .. } => "floor",
            Self::Hand { .. } => "hand",
            Self::Mute { .. } => "mute",
            Self::Asked { .. } => "asked",
            Self::Share { .. } => "share",
            Self::Chat { .. } => "chat",
            Self::Waiting { .. } => "waiting",
            Self::WaitOver { .. } => "waitOver",
            Self::Started { .. } => "started",
            Self::Break { .. } => "break",
            Self::OtherDevice { .. } => "otherDevice",
            Self::Track { .. } => "track",
            Self::Talk { .. } => "talk",
            Self::CheckAsked { .. } => "checkAsked",
            Self::CheckAnswered { .. } => "checkAnswered",
            Self::WaitingRoom { .. } => "waitingRoom",
            Self::Site { .. } => "site",
            Self::Checks { .. } => "checks",
            Self::ChatDeleted { .. } => "chatDeleted",
            Self::Question { .. } => "question",
            Self::QuestionUp { .. } => "questionUp",
            Self::QuestionSet { .. } => "questionSet",
            Self::PollOpened { .. } => "pollOpened",
            Self::PollAnswered { .. } => "pollAnswered",
            Self::PollBallots { .. } => "pollBallots",
            Self::PollClosed { .. } => "pollClosed",
            Self::PollShown { .. } => "pollShown",
            Self::PollDropped { .. } => "pollDropped",
            Self::Permits { .. } => "permits",
            Self::SlowMode { .. } => "slowMode",
            Self::Spotlight { .. } => "spotlight",
            Self::RoleGiven { .. } => "roleGiven",
            Self::Substitute { .. } => "substitute",
            Self::Recording { .. } => "recording",
            Self::RecordingNotice { .. } => "recordingNotice",
            Self::RecordingChoice { .. } => "recordingChoice",
            Self::RecordingPaused { .. } => "recordingPaused",
            Self::RecordingNews { .. } => "recordingNews",
            Self::Timer { .. } => "timer",
            Self::Deck { .. } => "deck",
            Self::DeckDropped { .. } => "deckDropped",
            Self::Slide { .. } => "slide",
            Self::BoardShown { .. } => "boardShown",
            Self::BoardDrawn { .. } => "boardDrawn",
            Self::BoardErased { .. } => "boardErased",
            Self::BoardUndone { .. } => "boardUndone",
            Self::File { .. } => "file",
            Self::FileDropped { .. } => "fileDropped",
            Self::GroupsMade { .. } => "groupsMade",
            Self::Grouped { .. } => "grouped",
            Self::GroupsOpen { .. } => "groupsOpen",
            Self::GroupsSaid { .. } => "groupsSaid",
            Self::Captioner { .. } => "captioner",
            Self::Caption { .. } => "caption",
            Self::NotesEdited { .. } => "notesEdited",
            Self::GroupNotesEdited { .. } => "groupNotesEdited",
            Self::Unknown(raw) => raw.get("e").and_then(|e| e.as_str()).unwrap_or_default(),
        }
    }

    /// The person an event is about, when it is about one.
    pub fn person(&self) -> Option<&PersonKey> {
        match self {
            Self::Join { person, .. }
            | Self::Leave { person, .. }
            | Self::Lapse { person, .. }
            | Self::Return { person }
            | Self::Removed { person, .. }
            | Self::Floor { person, .. }
            | Self::Hand { person, .. }
            | Self::Asked { person, .. }
            | Self::Share { person, .. }
            | Self::Chat { person, .. }
            | Self::Waiting { person, .. }
            | Self::WaitOver { person, .. }
            | Self::OtherDevice { person, .. }
            | Self::Track { person, .. }
            | Self::Talk { person, .. }
            | Self::CheckAnswered { person, .. }
            | Self::Question { person, .. }
            | Self::QuestionUp { person, .. }
            | Self::PollAnswered { person, .. }
            | Self::RoleGiven { person, .. }
            | Self::Substitute { person, .. }
            | Self::Grouped { person, .. }
            | Self::Captioner { person, .. }
            | Self::Caption { person, .. }
            | Self::NotesEdited { person, .. }
            | Self::GroupNotesEdited { person, .. }
            | Self::RecordingChoice { person, .. }
            | Self::Site { person, .. } => Some(person),
            Self::Mute { person, .. } => person.as_ref(),
            Self::Opened { .. }
            | Self::Reopened {}
            | Self::Ended { .. }
            | Self::Locked { .. }
            | Self::Mode { .. }
            | Self::Started { .. }
            | Self::Break { .. }
            | Self::CheckAsked { .. }
            | Self::WaitingRoom { .. }
            | Self::Checks { .. }
            | Self::ChatDeleted { .. }
            | Self::QuestionSet { .. }
            | Self::PollOpened { .. }
            | Self::PollBallots { .. }
            | Self::PollClosed { .. }
            | Self::PollShown { .. }
            | Self::PollDropped { .. }
            | Self::Permits { .. }
            | Self::SlowMode { .. }
            | Self::Spotlight { .. }
            | Self::Recording { .. }
            | Self::RecordingNotice { .. }
            | Self::RecordingPaused { .. }
            | Self::RecordingNews { .. }
            | Self::Timer { .. }
            | Self::Deck { .. }
            | Self::DeckDropped { .. }
            | Self::Slide { .. }
            | Self::BoardShown { .. }
            | Self::BoardDrawn { .. }
            | Self::BoardErased { .. }
            | Self::BoardUndone { .. }
            | Self::File { .. }
            | Self::FileDropped { .. }
            | Self::GroupsMade { .. }
            | Self::GroupsOpen { .. }
            | Self::GroupsSaid { .. }
            | Self::Unknown(_) => None,
        }
    }
}
