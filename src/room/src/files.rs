//! Files handed out and in. Their bytes travel over HTTP; the room knows what
//! there is and who hears of it.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::MAX_FILES;
use lophoc_protocol::slides::{FileItem, FileWay};
use lophoc_protocol::{Action, ErrorCode, FileId, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{FILES_BYTES, FILES_EVER, FILES_FRAME_BYTES, HAND_INS_EACH, HAND_OUTS_BYTES};
use crate::room::{Phase, Room, key_of};
use crate::slides::json_len;

/// A file and the length of its JSON.
#[derive(Debug)]
struct Kept {
    item: FileItem,
    bytes: usize,
}

/// The files of a room, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Files {
    list: Vec<Kept>,
    dropped: BTreeSet<FileId>,
    /// How many each person ever handed in: what is taken back keeps its bytes.
    /// At most [`FILES_EVER`] people, as many as there were files.
    handed_in: BTreeMap<PersonId, usize>,
}

impl Files {
    fn knows(&self, id: &FileId) -> bool {
        self.dropped.contains(id) || self.list.iter().any(|kept| kept.item.file == *id)
    }

    fn put(&mut self, item: FileItem) {
        if !self.knows(&item.file) {
            let bytes = json_len(&item);
            if item.way == FileWay::In {
                let own = self.handed_in.entry(item.by.clone()).or_default();
                *own = own.saturating_add(1);
            }
            self.list.push(Kept { item, bytes });
        }
    }

    fn remove(&mut self, id: &FileId) {
        self.list.retain(|kept| kept.item.file != *id);
        if self.dropped.len() < FILES_EVER {
            self.dropped.insert(id.clone());
        }
    }

    /// Ids of those taken back.
    pub(crate) fn taken_back(&self) -> impl Iterator<Item = String> + '_ {
        self.dropped.iter().map(|id| id.0.clone())
    }

    fn bytes(&self, way: FileWay) -> usize {
        self.list
            .iter()
            .filter(|kept| kept.item.way == way)
            .map(|kept| kept.bytes)
            .sum()
    }

    /// Whether there is a place for one more. Its name is reckoned long.
    fn has_place(&self, person: &PersonId, way: FileWay) -> bool {
        const ONE: usize = 1_200;
        let ever = self.list.len().saturating_add(self.dropped.len());
        if self.list.len() >= MAX_FILES || ever >= FILES_EVER {
            return false;
        }
        let taken = self.bytes(way).saturating_add(ONE);
        match way {
            FileWay::Out => taken <= HAND_OUTS_BYTES,
            FileWay::In => {
                let own = self.handed_in.get(person).copied().unwrap_or_default();
                taken <= FILES_BYTES && own < HAND_INS_EACH
            }
        }
    }
}

impl Room {
    /// Whether a person may hand a file out or in now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_bring_file(&self, person: &PersonId, way: FileWay) -> Result<(), ErrorCode> {
        if self.phase != Phase::Open {
            return Err(ErrorCode::Ended);
        }
        self.need(
            person,
            match way {
                FileWay::Out => Action::HandOut,
                FileWay::In => Action::HandIn,
            },
        )?;
        if self.files.has_place(person, way) {
            Ok(())
        } else {
            Err(ErrorCode::Full)
        }
    }

    /// A file from the server. A file that is known changes nothing.
    pub(crate) fn file(&mut self, item: FileItem) {
        if self.phase != Phase::Open
            || self.files.knows(&item.file)
            || !self.files.has_place(&item.by, item.way)
        {
            return;
        }
        self.files.put(item.clone());
        if let Ok(file) = serde_json::to_value(&item) {
            self.record(EventKind::File { file });
        }
        let (way, by) = (item.way, item.by.clone());
        let file = Box::new(item);
        self.tell_of_file(way, &by, ServerMessage::File { file });
    }

    /// Everybody hears of what is handed out; of what is handed in its author
    /// and staff do.
    fn tell_of_file(&mut self, way: FileWay, by: &PersonId, msg: ServerMessage) {
        if way == FileWay::Out {
            self.broadcast(msg);
            return;
        }
        let concerned: Vec<PersonId> = self
            .roster
            .iter()
            .filter(|member| member.role.is_staff() || member.id == *by)
            .map(|member| member.id.clone())
            .collect();
        for person in concerned {
            self.tell(&person, msg.clone());
        }
    }

    /// One's own, or any with the right to hand out.
    pub(crate) fn file_drop(&mut self, me: &PersonId, file: &FileId) -> Outcome {
        let found = self.files.list.iter().find(|kept| kept.item.file == *file);
        let Some(kept) = found else {
            // Taken back before: the request came twice.
            let known = self.files.dropped.contains(file);
            return if known {
                Ok(Done::Ok)
            } else {
                Err(ErrorCode::NotFound)
            };
        };
        let (way, by) = (kept.item.way, kept.item.by.clone());
        if by != *me {
            let seen = way == FileWay::Out
                || self
                    .roster
                    .present(me)
                    .is_some_and(|member| member.role.is_staff());
            if !seen {
                return Err(ErrorCode::NotFound);
            }
            self.need(me, Action::HandOut)?;
        }
        self.files.remove(file);
        self.record(EventKind::FileDropped {
            id: file.0.clone(),
            by: key_of(me),
        });
        self.tell_of_file(way, &by, ServerMessage::FileGone { file: file.clone() });
        Ok(Done::Ok)
    }

    /// The files handed out, for `state`, oldest first.
    pub fn files_out(&self) -> Vec<FileItem> {
        self.files
            .list
            .iter()
            .filter(|kept| kept.item.way == FileWay::Out)
            .map(|kept| kept.item.clone())
            .collect()
    }

    /// The files handed in that concern this person, after `state` and
    /// `resumed`: in as many frames as they need, and always one, which says
    /// that files taken back meanwhile are gone.
    pub(crate) fn files_mine(&self, to: &PersonId) -> Vec<ServerMessage> {
        let staff = self
            .roster
            .get(to)
            .is_some_and(|member| member.role.is_staff());
        let mut frames = Vec::new();
        let mut list = Vec::new();
        let mut bytes = 0;
        let mine = self
            .files
            .list
            .iter()
            .filter(|kept| kept.item.way == FileWay::In && (staff || kept.item.by == *to));
        for kept in mine {
            if bytes + kept.bytes > FILES_FRAME_BYTES {
                frames.push(ServerMessage::FilesMine {
                    list: std::mem::take(&mut list),
                    add: !frames.is_empty(),
                });
                bytes = 0;
            }
            bytes += kept.bytes;
            list.push(kept.item.clone());
        }
        // Nothing was ever handed in: nothing to say.
        if !list.is_empty() || (frames.is_empty() && !self.files.dropped.is_empty()) {
            frames.push(ServerMessage::FilesMine {
                list,
                add: !frames.is_empty(),
            });
        }
        frames
    }

    /// Takes up an event of a file from the ledger.
    pub(crate) fn replay_file(&mut self, event: &Event) {
        match &event.kind {
            EventKind::File { file } => {
                if let Ok(item) = serde_json::from_value(file.clone()) {
                    self.files.put(item);
                }
            }
            EventKind::FileDropped { id, .. } => self.files.remove(&FileId(id.clone())),
            _ => {}
        }
    }
}
