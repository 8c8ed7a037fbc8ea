//! What happens by itself: time-outs, and what was gathered is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use lophoc_ledger::LeaveReason;
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, RESUME_MS};
use lophoc_protocol::{GroupNo, PersonId, ServerFrame, ServerMessage, TrackState};

use crate::api::{Effect, LinkId};
use crate::bounds::{LEVELS, SWEEP_EVERY_MS};
use crate::levels::loudest;
use crate::person::Presence;
use crate::room::{Phase, Room};

/// A group while its levels are gathered.
#[derive(Default)]
struct Place {
    links: Vec<LinkId>,
    loud: Vec<(PersonId, u8)>,
}

impl Room {
    pub(crate) fn tick(&mut self) {
        if self.phase == Phase::Ended {
            return;
        }
        if self.phase == Phase::Open
            && self.now.mono_ms.saturating_sub(self.swept_ms) >= SWEEP_EVERY_MS
        {
            self.swept_ms = self.now.mono_ms;
            self.sweep();
            self.sweep_lobby();
            self.note_late_tracks();
            self.note_talks();
            self.tick_thrift();
        }
        if self.phase == Phase::Open {
            self.begin_when_due();
            self.end_break_when_due();
            self.tick_checks();
            self.tick_arrangement();
            self.tick_groups();
            self.tick_slides();
            self.tick_polls();
            self.tick_questions();
            self.tick_reactions();
            self.tick_recording();
        }
        self.tell_levels();
        self.tell_lobby();
        if let Some(hands) = self.roster.hand_news(self.now.mono_ms) {
            self.broadcast(hands);
        }
        if let Some(people) = self.roster.news(self.now.mono_ms) {
            self.broadcast(people);
        }
        self.say_ballots_kept();
    }

    /// Links that fell silent lapse; whoever did not come back is out.
    fn sweep(&mut self) {
        let now_ms = self.now.mono_ms;
        let mut silent = Vec::new();
        let mut out = Vec::new();
        for member in self.roster.iter() {
            match member.presence {
                Presence::Linked(link)
                    if now_ms.saturating_sub(member.heard.mono_ms) > LINK_TIMEOUT_MS =>
                {
                    silent.push((member.id.clone(), link));
                }
                Presence::Lost { since_ms, clean }
                    if now_ms.saturating_sub(since_ms) > RESUME_MS =>
                {
                    out.push((member.id.clone(), clean));
                }
                _ => {}
            }
        }
        for (person, link) in silent {
            self.lapse(&person, false);
            self.out.push(Effect::Close { link });
        }
        for (person, clean) in out {
            // A page that was closed properly left; a link that broke lapsed.
            let reason = if clean {
                LeaveReason::Left
            } else {
                LeaveReason::Network
            };
            self.leave(&person, reason);
        }
    }

    pub(crate) fn media_levels(&mut self, levels: &[(u64, u8)]) {
        for (peer, level) in levels {
            let Some(person) = self.peers.get(peer) else {
                continue;
            };
            let speaks = self
                .roster
                .present(person)
                .is_some_and(|member| member.tracks.mic == TrackState::Live);
            if speaks {
                let person = person.clone();
                let now_ms = self.now.mono_ms;
                self.levels.hear(person.clone(), *level, now_ms);
                if let Some(member) = self.roster.get_mut(&person) {
                    member.loud = Some((*level, now_ms));
                }
                self.heard_sound(&person, *level);
            }
        }
    }

    fn tell_levels(&mut self) {
        let links = usize::try_from(self.roster.counts().total).unwrap_or(usize::MAX);
        let Some(loud) = self.levels.take(self.now.mono_ms, links) else {
            return;
        };
        if self.breakout.is_open() {
            self.tell_levels_apart(&loud);
            return;
        }
        self.broadcast_lossy(ServerMessage::Levels { l: loudest(loud) });
    }

    /// Each group is told who speaks in it.
    fn tell_levels_apart(&mut self, loud: &[(PersonId, u8)]) {
        let mut places: BTreeMap<Option<GroupNo>, Place> = BTreeMap::new();
        for member in self.roster.iter() {
            if let Some(link) = member.link() {
                let place = places.entry(self.place_of(member)).or_default();
                place.links.push(link);
            }
        }
        for (person, level) in loud {
            let place = self.roster.present(person).map(|m| self.place_of(m));
            if let Some(place) = place.and_then(|place| places.get_mut(&place))
                && place.loud.len() < LEVELS
            {
                place.loud.push((person.clone(), *level));
            }
        }
        for Place { links, loud: l } in places.into_values() {
            self.out.push(Effect::LossyTo {
                links,
                frame: Arc::new(ServerFrame {
                    seq: None,
                    id: None,
                    msg: ServerMessage::Levels { l },
                }),
            });
        }
    }
}
