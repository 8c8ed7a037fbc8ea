//! Spans for the ledger: when tracks were live and who spoke when.

use lophoc_ledger::EventKind;
use lophoc_protocol::{MediaKind, PersonId, TrackState};

use crate::api::Now;
use crate::bounds::{
    TALK_LEAST_MS, TALK_LEVEL, TALK_PAUSE_MS, TALK_PIECE_MS, TALKERS, TRACK_FLAP_MS,
};
use crate::person::{KINDS, kind_name};
use crate::room::{Room, key_of};

/// What the ledger has of a track.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Live.
    pub on: bool,
    /// When it was written, on the monotonic clock.
    pub at_ms: Option<u64>,
}

/// A speech that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Talk {
    pub from: Now,
    /// Last heard.
    pub last: Now,
    /// A piece of it was written already.
    pub cut: bool,
}

impl Room {
    /// Writes that a track went live or stopped. What changes back within
    /// [`TRACK_FLAP_MS`], or more often than the rate allows, is written later,
    /// as it stands then.
    pub(crate) fn note_track(&mut self, id: &PersonId, kind: MediaKind) {
        let now_ms = self.now.mono_ms;
        let Some(member) = self.roster.get_mut(id) else {
            return;
        };
        let on = *member.tracks.get(kind) == TrackState::Live;
        let written = *member.written.get(kind);
        if written.on == on {
            return;
        }
        let flaps = written
            .at_ms
            .is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < TRACK_FLAP_MS);
        if flaps || !member.buckets.tracks.take(now_ms) {
            self.late_tracks.insert((id.clone(), kind));
            return;
        }
        *member.written.get_mut(kind) = Written {
            on,
            at_ms: Some(now_ms),
        };
        self.record(EventKind::Track {
            person: key_of(id),
            kind: kind_name(kind).to_owned(),
            on,
        });
    }

    /// Writes what [`Self::note_track`] put off.
    pub(crate) fn note_late_tracks(&mut self) {
        for (id, kind) in std::mem::take(&mut self.late_tracks) {
            self.note_track(&id, kind);
        }
    }

    /// Somebody whose microphone is live sounds at this level, −dBov.
    pub(crate) fn heard_sound(&mut self, id: &PersonId, level: u8) {
        if level > TALK_LEVEL {
            return;
        }
        let now = self.now;
        let more = self.talkers.contains(id) || self.talkers.len() < TALKERS;
        let Some(member) = self.roster.get_mut(id).filter(|_| more) else {
            return;
        };
        match &mut member.talk {
            Some(talk) => talk.last = now,
            none => {
                *none = Some(Talk {
                    from: now,
                    last: now,
                    cut: false,
                });
                self.talkers.insert(id.clone());
            }
        }
    }

    /// Writes the speeches that are over, and pieces of long ones.
    pub(crate) fn note_talks(&mut self) {
        let now_ms = self.now.mono_ms;
        let (mut over, mut long) = (Vec::new(), Vec::new());
        for id in &self.talkers {
            let talk = self.roster.get(id).and_then(|member| member.talk);
            let Some(Talk { from, last, .. }) = talk else {
                over.push(id.clone());
                continue;
            };
            if now_ms.saturating_sub(last.mono_ms) >= TALK_PAUSE_MS {
                over.push(id.clone());
            } else if last.mono_ms.saturating_sub(from.mono_ms) >= TALK_PIECE_MS {
                long.push(id.clone());
            }
        }
        for id in over {
            self.end_talk(&id);
        }
        for id in long {
            let Some(member) = self.roster.get_mut(&id) else {
                continue;
            };
            let Some(talk) = &mut member.talk else {
                continue;
            };
            let (from, to) = (talk.from, talk.last);
            *talk = Talk {
                from: to,
                last: to,
                cut: true,
            };
            self.record_talk(&id, from, to);
        }
    }

    /// The speech is over: the person fell silent, his microphone is off or his
    /// link is gone.
    pub(crate) fn end_talk(&mut self, id: &PersonId) {
        self.talkers.remove(id);
        let talk = self
            .roster
            .get_mut(id)
            .and_then(|member| member.talk.take());
        let Some(Talk { from, last, cut }) = talk else {
            return;
        };
        let length_ms = last.mono_ms.saturating_sub(from.mono_ms);
        // The rest of a long speech belongs to it, however short.
        if length_ms >= TALK_LEAST_MS || (cut && length_ms > 0) {
            self.record_talk(id, from, last);
        }
    }

    fn record_talk(&mut self, id: &PersonId, from: Now, to: Now) {
        let (from, to) = (self.stamp(from), self.stamp(to));
        self.record(EventKind::Talk {
            person: key_of(id),
            from,
            to,
        });
    }

    /// Ends everything that goes on of somebody who goes away for good.
    pub(crate) fn end_spans(&mut self, id: &PersonId) {
        self.end_talk(id);
        for kind in KINDS {
            self.late_tracks.remove(&(id.clone(), kind));
            let Some(member) = self.roster.get_mut(id) else {
                return;
            };
            if std::mem::take(member.written.get_mut(kind)).on {
                self.record(EventKind::Track {
                    person: key_of(id),
                    kind: kind_name(kind).to_owned(),
                    on: false,
                });
            }
        }
    }
}
