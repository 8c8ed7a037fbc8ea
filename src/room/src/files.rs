//! Files handed out and in.

use lophoc_ledger::Event;
use lophoc_protocol::slides::FileItem;
use lophoc_protocol::{ErrorCode, FileId, PersonId, ServerMessage};

use crate::act::Outcome;
use crate::room::Room;

/// The files of a room.
#[derive(Debug, Default)]
pub(crate) struct Files {}

impl Room {
    pub(crate) fn file_drop(&mut self, _me: &PersonId, _file: &FileId) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// The files handed out, for `state`.
    pub(crate) fn files_out(&self) -> Vec<FileItem> {
        Vec::new()
    }

    /// The files handed in that concern this person, after `state` and `resumed`.
    pub(crate) fn files_mine(&self, _to: &PersonId) -> Vec<ServerMessage> {
        Vec::new()
    }

    /// Takes up an event of a file from the ledger.
    pub(crate) fn replay_file(&mut self, _event: &Event) {}
}
