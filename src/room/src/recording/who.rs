//! Who is taken by a recording of the server, and what it looks at.

use lophoc_protocol::recording::{RecordConsent, RecordWhom};
use lophoc_protocol::{MediaKind, PersonId, Role, TrackState};

use crate::api::Effect;
use crate::bounds::RECORD_PROMOTED;
use crate::person::{Member, right_of};
use crate::recorder::{RecordCommand, RecordWho, Taken};
use crate::room::{Room, key_of};

/// Place of a role among those who present; absent = is not one of them.
fn presents(role: Role) -> Option<u8> {
    match role {
        Role::Trainer => Some(0),
        Role::Chair => Some(1),
        Role::Organiser => Some(2),
        Role::Adviser => Some(3),
        Role::Technician | Role::Secretary | Role::Inspector | Role::Learner | Role::Guest => None,
    }
}

impl Room {
    /// Whether a person may be taken at all.
    fn may_be_taken(&self, member: &Member) -> bool {
        let Some(now) = &self.recording.now else {
            return false;
        };
        let whom = match now.terms.whom {
            RecordWhom::All => true,
            RecordWhom::Presenters => presents(member.role).is_some(),
        };
        let asked = match now.terms.ask {
            // Nobody is asked; who said no all the same is left out.
            RecordConsent::Notice => !self.recording.consents.refused(&member.id),
            RecordConsent::Consent => self.recording.consents.accepted(&member.id, now.notice),
        };
        whom && asked && member.is_present() && self.place_of(member).is_none()
    }

    fn sends(&self, member: &Member, kind: MediaKind) -> bool {
        *member.tracks.get(kind) == TrackState::Live && self.member_may(member, right_of(kind))
    }

    /// Who is taken now.
    pub(super) fn who_is_taken(&self) -> RecordWho {
        let Some(now) = &self.recording.now else {
            return RecordWho::default();
        };
        let taken: Vec<(u64, &Member)> = self
            .roster
            .iter()
            .filter(|member| self.may_be_taken(member))
            .filter_map(|member| Some((member.peer?, member)))
            .collect();
        let spot = &self.arrangement.spotlight;
        let place = |id: &PersonId| spot.iter().position(|of| of == id).unwrap_or(usize::MAX);
        let mut shown: Vec<(u64, &Member)> = taken
            .iter()
            .copied()
            .filter(|(_, member)| self.sends(member, MediaKind::Camera))
            .collect();
        // Of equals, the one before stays.
        let presenter = shown
            .iter()
            .filter_map(|(peer, member)| {
                let rank = presents(member.role)?;
                let stays = now.told.presenter == Some(*peer);
                Some((place(&member.id), rank, !stays, *peer))
            })
            .min()
            .map(|(.., peer)| peer);
        shown.retain(|(peer, member)| {
            Some(*peer) != presenter
                && (member.spot || member.floor || presents(member.role).is_some())
        });
        shown.sort_by_key(|(peer, member)| (place(&member.id), !member.floor, *peer));
        let screen = taken
            .iter()
            .find(|(_, member)| self.sends(member, MediaKind::Screen))
            .map(|(peer, _)| *peer);
        let mut may: Vec<Taken> = taken
            .iter()
            .map(|(peer, member)| Taken {
                peer: *peer,
                person: key_of(&member.id),
            })
            .collect();
        may.sort_unstable();
        RecordWho {
            may,
            presenter,
            promoted: shown
                .into_iter()
                .map(|(peer, _)| peer)
                .take(RECORD_PROMOTED)
                .collect(),
            screen,
        }
    }

    /// Tells the recorder who is taken, when that changed.
    pub(super) fn tell_recorder(&mut self) {
        self.recording.seen = self.roster.changes();
        if self
            .recording
            .now
            .as_ref()
            .is_none_or(|now| now.id.is_none())
        {
            return;
        }
        let who = self.who_is_taken();
        if let Some(now) = &mut self.recording.now
            && let Some(id) = now.id.clone()
            && now.told != who
        {
            now.told.clone_from(&who);
            self.out
                .push(Effect::Record(RecordCommand::Who { id, who }));
        }
    }

    /// The same, when people changed since.
    pub(super) fn tick_who(&mut self) {
        if self.recording.seen != self.roster.changes() {
            self.tell_recorder();
        }
    }
}
