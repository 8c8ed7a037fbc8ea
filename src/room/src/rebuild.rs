//! The room made again from its ledger, after a restart.

use std::collections::HashMap;

use lophoc_ledger::{Event, EventKind, LastSeen, LeaveReason, PersonKey, Stamp, WaitOutcome};
use lophoc_protocol::{PersonId, Role, RoomMode};

use crate::api::{Identity, Now, RoomConfig};
use crate::join::{mode_name, role_name};
use crate::person::Presence;
use crate::room::{Phase, Room, key_of};

fn id_of(key: &PersonKey) -> PersonId {
    PersonId(key.0.clone())
}

impl Room {
    /// The room as the events of its session left it: mode, lock, barred
    /// people, chat, hands and floor come back; whoever was in is awaited for
    /// the time of a resume, and his stay ends at his last sign of life
    /// (`presence`). Without events this is [`Self::new`].
    ///
    /// What it writes to the ledger (`Reopened`, lapses) comes out of the first
    /// [`Self::apply`].
    pub fn rebuild(config: RoomConfig, events: &[Event], presence: &[LastSeen], now: Now) -> Self {
        if events.is_empty() {
            return Self::new(config, now);
        }
        let mut room = Self::empty(config, now);
        let mut ordered: Vec<&Event> = events.iter().collect();
        ordered.sort_by_key(|event| event.seq);
        ordered.dedup_by_key(|event| event.seq);

        // Who has an open stay, and his latest event.
        let mut open: HashMap<PersonId, Stamp> = HashMap::new();
        // When the others were heard last, ms since the epoch.
        let mut heard: HashMap<PersonId, u64> = HashMap::new();
        for event in &ordered {
            room.replay(event, &mut open);
            match &event.kind {
                EventKind::Lapse { person, last_heard } => {
                    heard.insert(id_of(person), last_heard.wall_ms);
                }
                EventKind::Leave { person, .. } => {
                    heard.insert(id_of(person), event.at.wall_ms);
                }
                _ => {}
            }
        }
        room.next_event = ordered.last().map_or(1, |event| event.seq + 1);
        if room.phase == Phase::Ended {
            return room;
        }

        room.record(EventKind::Reopened {});
        let mut seen: HashMap<PersonId, Stamp> = HashMap::new();
        for mark in presence {
            let at = seen.entry(id_of(&mark.person)).or_insert(mark.at);
            if (mark.at.boot, mark.at.mono_ms) > (at.boot, at.mono_ms) {
                *at = mark.at;
            }
        }
        for id in room.roster.ids() {
            if let Some(member) = room.roster.get_mut(&id) {
                member.link_since_ms = now.wall_ms;
                member.presence = Presence::Lost {
                    since_ms: now.mono_ms,
                    clean: false,
                };
            }
            let Some(known) = open.get(&id) else { continue };
            let last_heard = seen
                .get(&id)
                .filter(|seen| (seen.boot, seen.mono_ms) > (known.boot, known.mono_ms))
                .unwrap_or(known);
            let last_heard = *last_heard;
            heard.insert(id.clone(), last_heard.wall_ms);
            room.record(EventKind::Lapse {
                person: key_of(&id),
                last_heard,
            });
        }
        room.settle_check(|id| heard.get(id).copied());
        if !room.lobby.on {
            // The server died between turning it off and letting them in. Guests
            // may wait by the rule of their class.
            room.empty_lobby_of(None, |role| role != Role::Guest);
        }
        room.begin_when_due();
        room.record_by_setting();
        room.start_recorder(true, None);
        room
    }

    fn replay(&mut self, event: &Event, open: &mut HashMap<PersonId, Stamp>) {
        let at = event.at;
        let then = Now {
            wall_ms: at.wall_ms,
            mono_ms: self.now.mono_ms,
        };
        match &event.kind {
            EventKind::Opened { .. } => self.started_ms = at.wall_ms,
            EventKind::Ended { .. } => {
                for id in self.roster.ids() {
                    self.exit_quietly(&id, false, at.wall_ms);
                }
                open.clear();
                self.phase = Phase::Ended;
            }
            EventKind::Join {
                person,
                name,
                unit,
                role,
                device,
            } => {
                let id = id_of(person);
                let identity = Identity {
                    person: id.clone(),
                    name: name.clone(),
                    unit: unit.clone(),
                    role: role_of(role),
                    site: None,
                };
                self.enter_quietly(&identity, device, then);
                open.insert(id, at);
            }
            EventKind::Return { person } => {
                open.insert(id_of(person), at);
            }
            EventKind::Lapse { person, .. } => {
                open.remove(&id_of(person));
            }
            EventKind::Leave { person, reason } => {
                let id = id_of(person);
                open.remove(&id);
                // Whoever was in when the server stopped is awaited.
                if *reason != LeaveReason::ServerStopped {
                    self.exit_quietly(&id, *reason == LeaveReason::Network, at.wall_ms);
                }
            }
            EventKind::Removed { person, barred, .. } => {
                let id = id_of(person);
                open.remove(&id);
                self.exit_quietly(&id, false, at.wall_ms);
                self.roster.forget(&id);
                self.arrangement.forget(&id);
                if *barred {
                    self.barred.insert(id);
                }
            }
            EventKind::Locked { on, .. } => self.locked = *on,
            EventKind::Mode { mode, .. } => {
                if let Some(mode) = mode_of(mode) {
                    self.mode = mode;
                }
                for id in self.roster.ids() {
                    self.close_mic(&id);
                }
            }
            EventKind::Floor { person, given, .. } => {
                let id = id_of(person);
                if let Some(member) = self.roster.get_mut(&id).filter(|m| m.is_present()) {
                    member.floor = *given;
                }
                if !given {
                    self.close_mic(&id);
                }
            }
            EventKind::Hand { person, up, .. } => {
                let id = id_of(person);
                if *up {
                    self.roster.raise(&id, at.wall_ms);
                } else {
                    self.roster.lower(&id);
                }
            }
            EventKind::Mute {
                person: Some(person),
                kind,
                ..
            } => {
                if kind == "mic" {
                    self.close_mic(&id_of(person));
                }
            }
            EventKind::Mute {
                person: None,
                may_unmute,
                except,
                ..
            } => {
                let except: Vec<PersonId> = except.iter().map(id_of).collect();
                self.close_mics(*may_unmute, &except);
            }
            EventKind::Asked { person, kind, .. } => {
                if kind == "mic"
                    && let Some(member) = self.roster.get_mut(&id_of(person))
                {
                    member.opened = true;
                }
            }
            EventKind::Chat { .. } | EventKind::ChatDeleted { .. } => {
                self.replay_chat(&event.kind, at.wall_ms);
            }
            EventKind::Waiting {
                person,
                name,
                unit,
                role,
                device,
            } => {
                let identity = Identity {
                    person: id_of(person),
                    name: name.clone(),
                    unit: unit.clone(),
                    role: role_of(role),
                    site: None,
                };
                self.lobby.put(identity, device, then);
            }
            EventKind::WaitOver {
                person, outcome, ..
            } => {
                if let Some(guest) = self.lobby.take(&id_of(person))
                    && *outcome == WaitOutcome::Admitted
                {
                    self.know(&guest.identity);
                }
            }
            EventKind::WaitingRoom { on, .. } => self.lobby.on = *on,
            EventKind::Started { .. } => {
                self.lesson.started_ms.get_or_insert(at.wall_ms);
            }
            EventKind::Break { on, until_ms, .. } => self.replay_break(*on, *until_ms),
            EventKind::Site { person, name } => {
                self.roster.set_site(&id_of(person), name);
            }
            EventKind::Checks {
                every_ms,
                jitter_ms,
                window_ms,
                ..
            } => self.set_schedule(*every_ms, *jitter_ms, *window_ms),
            EventKind::CheckAsked { id, until_ms } => {
                self.replay_check(id, at.wall_ms, *until_ms);
            }
            EventKind::CheckAnswered { person, id } => {
                self.replay_answer(&id_of(person), id);
            }
            EventKind::PollOpened { .. }
            | EventKind::PollAnswered { .. }
            | EventKind::PollBallots { .. }
            | EventKind::PollClosed { .. }
            | EventKind::PollShown { .. }
            | EventKind::PollDropped { .. } => self.replay_poll(event),
            EventKind::Question { .. }
            | EventKind::QuestionUp { .. }
            | EventKind::QuestionSet { .. } => self.replay_question(event),
            EventKind::Permits { .. }
            | EventKind::SlowMode { .. }
            | EventKind::Spotlight { .. }
            | EventKind::RoleGiven { .. }
            | EventKind::Substitute { .. }
            | EventKind::Timer { .. } => self.replay_arrangement(event),
            EventKind::Recording { .. }
            | EventKind::RecordingNotice { .. }
            | EventKind::RecordingChoice { .. }
            | EventKind::RecordingPaused { .. }
            | EventKind::RecordingNews { .. } => self.replay_recording(event),
            EventKind::Deck { .. } | EventKind::DeckDropped { .. } | EventKind::Slide { .. } => {
                self.replay_slide(event);
            }
            EventKind::BoardShown { .. }
            | EventKind::BoardDrawn { .. }
            | EventKind::BoardErased { .. }
            | EventKind::BoardUndone { .. } => self.replay_board(event),
            EventKind::Captioner { .. } | EventKind::Caption { .. } => self.replay_caption(event),
            EventKind::NotesEdited { .. } | EventKind::GroupNotesEdited { .. } => {
                self.replay_notes(event);
            }
            EventKind::File { .. } | EventKind::FileDropped { .. } => self.replay_file(event),
            EventKind::GroupsMade { .. }
            | EventKind::Grouped { .. }
            | EventKind::GroupsOpen { .. }
            | EventKind::GroupsSaid { .. } => self.replay_group(event),
            EventKind::Reopened {}
            | EventKind::Share { .. }
            | EventKind::OtherDevice { .. }
            | EventKind::Track { .. }
            | EventKind::Talk { .. }
            | EventKind::Unknown(_) => {}
        }
        // Whoever speaks, chats or acts was there.
        if let Some(known) = event
            .kind
            .person()
            .and_then(|person| open.get_mut(&id_of(person)))
            && matches!(
                event.kind,
                EventKind::Chat { .. }
                    | EventKind::Caption { .. }
                    | EventKind::NotesEdited { .. }
                    | EventKind::GroupNotesEdited { .. }
                    | EventKind::Share { on: true, .. }
                    | EventKind::Track { on: true, .. }
                    | EventKind::CheckAnswered { .. }
                    | EventKind::Question { .. }
                    | EventKind::QuestionUp { .. }
                    // A ballot of an anonymous poll is written later.
                    | EventKind::PollAnswered {
                        answer: Some(_),
                        ..
                    }
            )
        {
            *known = at;
        }
    }
}

/// A role the ledger names; one this version does not know has the least rights.
pub(crate) fn role_of(name: &str) -> Role {
    Role::ALL
        .into_iter()
        .find(|role| role_name(*role) == name)
        .unwrap_or(Role::Guest)
}

fn mode_of(name: &str) -> Option<RoomMode> {
    [
        RoomMode::Discussion,
        RoomMode::Training,
        RoomMode::Conference,
    ]
    .into_iter()
    .find(|mode| mode_name(*mode) == name)
}
