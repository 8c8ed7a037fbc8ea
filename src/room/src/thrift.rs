//! Who gets less than everything because of a weak link or by own choice, and what
//! those who speak do for them.
//!
//! The media plane forwards sound and never makes it smaller. So while somebody
//! listens on the lowest rung, everybody who speaks is asked to send speech in a
//! rate that fits there ([`SPEECH_KBPS`]). It is one rate for the room: speech
//! stays wide-band, and nobody has to know for whom it is.

use lophoc_protocol::media::{OnRung, Overload, Rung};

use crate::bounds::{SPEECH_HOLD_MS, SPEECH_KBPS};
use crate::room::{Phase, Room};

/// Whether speech is sent small.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Thrift {
    on: bool,
    /// When somebody was on the lowest rung last, monotonic ms.
    needed_ms: u64,
}

impl Thrift {
    pub(crate) fn kbps(self) -> Option<u16> {
        self.on.then_some(SPEECH_KBPS)
    }
}

impl Room {
    /// The rungs of all media peers of people present, as the room knows them.
    pub fn known_rungs(&self) -> impl Iterator<Item = (u64, Option<OnRung>)> {
        self.roster
            .iter()
            .filter_map(|member| Some((member.peer?, member.rung)))
    }

    /// Peers came to other rungs.
    pub(crate) fn rungs(&mut self, list: &[(u64, Option<OnRung>)]) {
        for (peer, rung) in list {
            let Some(person) = self.peers.get(peer).cloned() else {
                continue;
            };
            let Some(member) = self.roster.get_mut(&person) else {
                continue;
            };
            if member.rung != *rung {
                member.rung = *rung;
                self.roster.touch(&person);
            }
        }
        self.tick_thrift();
    }

    /// What the server gives up, as the room knows it.
    pub fn known_overload(&self) -> Option<Overload> {
        self.overload
    }

    /// The server gives up something else from now on.
    pub(crate) fn set_overload(&mut self, overload: Option<Overload>) {
        if self.overload == overload || self.phase != Phase::Open {
            return;
        }
        self.overload = overload;
        self.tell_room();
    }

    /// Speech becomes small at once, and large again only when nobody needed it
    /// small for a while.
    pub(crate) fn tick_thrift(&mut self) {
        if self.phase != Phase::Open {
            return;
        }
        let needs = self
            .roster
            .iter()
            .any(|member| member.rung.is_some_and(|on| on.at == Rung::Sound));
        let now_ms = self.now.mono_ms;
        if needs {
            self.thrift.needed_ms = now_ms;
        }
        let on = needs
            || (self.thrift.on && now_ms.saturating_sub(self.thrift.needed_ms) < SPEECH_HOLD_MS);
        if on != self.thrift.on {
            self.thrift.on = on;
            self.tell_room();
        }
    }
}
