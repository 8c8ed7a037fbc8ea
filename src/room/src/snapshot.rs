//! The room as somebody sees it who looks at it from outside, for a desk.

use lophoc_protocol::media::OnRung;
use lophoc_protocol::people::{Counts, LinkState, Waiter};
use lophoc_protocol::recording::{RecordAlarm, RecordTrouble};
use lophoc_protocol::server::RoomInfo;
use lophoc_protocol::{MediaKind, PersonId, Role, TrackState};

use crate::room::Room;

/// A voice is shown as heard for this long, ms.
const LOUD_FOR_MS: u64 = 3_000;

/// Somebody who is in, as a desk shows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonNow {
    /// Who.
    pub person: PersonId,
    /// Full name.
    pub name: String,
    /// Unit, when known or declared.
    pub unit: Option<String>,
    /// Role.
    pub role: Role,
    /// Whether the link is up.
    pub link: LinkState,
    /// When the present visit began, ms since the epoch.
    pub since_ms: u64,
    /// Since when the link is as it is, ms since the epoch.
    pub link_since_ms: u64,
    /// Last sign of life, ms since the epoch.
    pub heard_ms: u64,
    /// Mark of the device.
    pub device: String,
    /// Name of the site the connection stands for.
    pub site: Option<String>,
    /// People ticked in there.
    pub hall: u32,
    /// Microphone is live.
    pub mic: bool,
    /// Camera is live.
    pub camera: bool,
    /// Loudness heard in the last seconds, −dBov.
    pub level: Option<u8>,
    /// Gets less than everything.
    pub rung: Option<OnRung>,
    /// Media peer, by which the media plane's figures are found.
    pub peer: Option<u64>,
}

/// A room at one moment. As large as the room: at most its places and as many
/// who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The room.
    pub info: RoomInfo,
    /// Exact counts.
    pub counts: Counts,
    /// Everybody present, connected or awaited: staff first, then by name.
    pub people: Vec<PersonNow>,
    /// Who waits to be let in, in order of coming.
    pub waiting: Vec<Waiter>,
    /// Why the server cannot record now what is set to be recorded by it.
    pub unable: Option<RecordTrouble>,
    /// What went wrong with recordings, oldest first.
    pub alarms: Vec<RecordAlarm>,
}

impl Room {
    /// The room now.
    pub fn snapshot(&self) -> Snapshot {
        let now_ms = self.now.mono_ms;
        let people = self
            .roster
            .iter()
            .map(|member| {
                let live = |kind| *member.tracks.get(kind) == TrackState::Live;
                PersonNow {
                    person: member.id.clone(),
                    name: member.name.clone(),
                    unit: member.unit.clone(),
                    role: member.role,
                    link: match member.link() {
                        Some(_) => LinkState::Ok,
                        None => LinkState::Lost,
                    },
                    since_ms: member.since_ms,
                    link_since_ms: member.link_since_ms,
                    heard_ms: member.heard.wall_ms,
                    device: member.device.clone(),
                    site: member.site.clone(),
                    hall: member.hall,
                    mic: live(MediaKind::Mic),
                    camera: live(MediaKind::Camera),
                    level: member
                        .loud
                        .filter(|(_, at)| now_ms.saturating_sub(*at) < LOUD_FOR_MS)
                        .map(|(level, _)| level),
                    rung: member.rung,
                    peer: member.peer,
                }
            })
            .collect();
        Snapshot {
            info: self.info(),
            counts: self.counts(),
            people,
            waiting: self.waiting(),
            unable: self.unable_to_record(),
            alarms: self.record_alarms(),
        }
    }

    /// Whether somebody is here, seen by all; whose connection was lost is for a while.
    pub fn holds(&self, person: &PersonId) -> bool {
        self.roster.present(person).is_some()
    }
}
