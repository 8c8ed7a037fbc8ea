//! The room itself: its state, its one entrance, and the small steps the other
//! modules are made of.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use lophoc_ledger::{Event, EventKind, LastSeen, PersonKey, Stamp};
use lophoc_protocol::client::Resume;
use lophoc_protocol::media::Overload;
use lophoc_protocol::people::Counts;
use lophoc_protocol::server::{RoomInfo, You};
use lophoc_protocol::{
    Action, ErrorCode, MediaKind, Person, PersonId, Role, RoomMode, ServerFrame, ServerMessage,
    TrackState,
};

use crate::api::{Allow4, Command, Effect, LinkId, Now, RoomConfig};
use crate::arrange::Arrangement;
use crate::board::Easel;
use crate::bounds::{SITES, STAFF_RESERVE};
use crate::captions::Captions;
use crate::chat::ChatLog;
use crate::checks::Checks;
use crate::direct::DirectLog;
use crate::files::Files;
use crate::groups::Breakout;
use crate::lesson::Lesson;
use crate::levels::Levels;
use crate::notes::{GroupNotes, Notes, notes_id};
use crate::person::{KINDS, Member, Stop, Told, right_of};
use crate::polls::Polls;
use crate::questions::Questions;
use crate::reactions::Reactions;
use crate::recording::Recordings;
use crate::rights::allowed;
use crate::ring::Ring;
use crate::roster::Roster;
use crate::slides::Slides;
use crate::thrift::Thrift;
use crate::waiters::Lobby;

/// Where the room is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// People come and go.
    Open,
    /// The server is stopping; nobody is let in.
    Draining,
    /// The session has ended.
    Ended,
}

/// The room of one class session.
#[derive(Debug)]
pub struct Room {
    pub(crate) config: RoomConfig,
    pub(crate) now: Now,
    pub(crate) phase: Phase,
    pub(crate) roster: Roster,
    /// Who speaks through which link; one link a person.
    pub(crate) links: HashMap<LinkId, PersonId>,
    /// Whose media peer is which; one peer a person.
    pub(crate) peers: HashMap<u64, PersonId>,
    pub(crate) chat: ChatLog,
    /// Messages that do not go to all.
    pub(crate) direct: DirectLog,
    pub(crate) ring: Ring,
    pub(crate) mode: RoomMode,
    pub(crate) locked: bool,
    /// Nobody but staff may unmute without the floor or being asked.
    pub(crate) mics_closed: bool,
    pub(crate) barred: HashSet<PersonId>,
    /// Loudest level of each person since the last tick.
    pub(crate) levels: Levels,
    /// Tracks that changed too soon after they were written.
    pub(crate) late_tracks: BTreeSet<(PersonId, MediaKind)>,
    /// Who speaks.
    pub(crate) talkers: BTreeSet<PersonId>,
    pub(crate) lesson: Lesson,
    pub(crate) lobby: Lobby,
    pub(crate) checks: Checks,
    /// People ticked in at each site.
    pub(crate) halls: HashMap<PersonId, u32>,
    pub(crate) polls: Polls,
    pub(crate) questions: Questions,
    pub(crate) reactions: Reactions,
    pub(crate) slides: Slides,
    pub(crate) easel: Easel,
    pub(crate) captions: Captions,
    pub(crate) notes: Notes,
    pub(crate) group_notes: GroupNotes,
    pub(crate) files: Files,
    pub(crate) breakout: Breakout,
    pub(crate) arrangement: Arrangement,
    pub(crate) recording: Recordings,
    pub(crate) thrift: Thrift,
    /// What the server gives up for want of computing time.
    pub(crate) overload: Option<Overload>,
    pub(crate) started_ms: u64,
    pub(crate) next_event: u64,
    pub(crate) swept_ms: u64,
    pub(crate) out: Vec<Effect>,
}

impl Room {
    /// The room of a session that never was open.
    pub fn new(config: RoomConfig, now: Now) -> Self {
        let mut room = Self::empty(config, now);
        room.record(EventKind::Opened {
            room: room.config.room.0.clone(),
            title: room.config.title.clone(),
            host: room.config.host.clone(),
        });
        room.begin_when_due();
        room
    }

    pub(crate) fn empty(config: RoomConfig, now: Now) -> Self {
        Self {
            mode: config.mode,
            lobby: Lobby::new(config.waiting),
            config,
            now,
            phase: Phase::Open,
            roster: Roster::default(),
            links: HashMap::new(),
            peers: HashMap::new(),
            chat: ChatLog::default(),
            direct: DirectLog::default(),
            ring: Ring::default(),
            locked: false,
            mics_closed: false,
            barred: HashSet::new(),
            levels: Levels::default(),
            late_tracks: BTreeSet::new(),
            talkers: BTreeSet::new(),
            lesson: Lesson::default(),
            checks: Checks::default(),
            halls: HashMap::new(),
            polls: Polls::default(),
            questions: Questions::default(),
            reactions: Reactions::default(),
            slides: Slides::default(),
            easel: Easel::default(),
            captions: Captions::default(),
            notes: Notes::default(),
            group_notes: GroupNotes::default(),
            files: Files::default(),
            breakout: Breakout::default(),
            arrangement: Arrangement::default(),
            recording: Recordings::new(now.mono_ms),
            thrift: Thrift::default(),
            overload: None,
            started_ms: now.wall_ms,
            next_event: 1,
            swept_ms: now.mono_ms,
            out: Vec::new(),
        }
    }

    /// Carries out one command. The first call also hands out what
    /// [`Self::new`] or [`Self::rebuild`] wrote to the ledger.
    pub fn apply(&mut self, now: Now, command: Command) -> Vec<Effect> {
        self.set_now(now);
        match command {
            Command::Hello(arrival) => self.hello(*arrival),
            Command::Frame { link, id, msg } => self.frame(link, id, msg),
            Command::Heard { link } => self.heard(link),
            Command::LinkClosed { link, clean } => self.link_closed(link, clean),
            Command::MediaLevels { levels } => self.media_levels(&levels),
            Command::Rungs { list } => self.rungs(&list),
            Command::Overload { overload } => self.set_overload(overload),
            Command::RecordingSet { plan, least, by } => {
                if std::mem::replace(&mut self.config.record_ask, least) != least {
                    self.tell_record_desks();
                }
                self.recording_set(plan, &by);
            }
            Command::Recorder(report) => self.recorder(report),
            Command::Hall { site, people } => self.set_hall(site, people),
            Command::Deck(deck) => self.deck(*deck),
            Command::File(file) => self.file(*file),
            Command::Tick => self.tick(),
            Command::End => self.end(None, None),
            Command::Drain => self.drain(),
        }
        self.take_out()
    }

    pub(crate) fn set_now(&mut self, now: Now) {
        self.now = Now {
            wall_ms: now.wall_ms,
            mono_ms: self.now.mono_ms.max(now.mono_ms),
        };
    }

    pub(crate) fn take_out(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.out)
    }

    /// Whether the person behind a link may do something now.
    pub fn may(&self, link: LinkId, action: Action) -> bool {
        self.links
            .get(&link)
            .and_then(|id| self.roster.present(id))
            .is_some_and(|member| self.member_may(member, action))
    }

    /// The person behind a link.
    pub fn person_of(&self, link: LinkId) -> Option<&PersonId> {
        self.links.get(&link)
    }

    /// The media peer behind a link.
    pub fn peer_of(&self, link: LinkId) -> Option<u64> {
        self.roster.get(self.links.get(&link)?)?.peer
    }

    /// Whether a media peer belongs to somebody present, or who waits.
    pub fn has_peer(&self, peer: u64) -> bool {
        self.peers.contains_key(&peer) || self.lobby.has_peer(peer)
    }

    /// Whether the person is in on another device than this one, whose page
    /// does not go on with the session: a hello that is let in needs a media
    /// peer of its own.
    pub fn is_on_other_device(
        &self,
        person: &PersonId,
        device: &str,
        resume: Option<&Resume>,
    ) -> bool {
        self.roster
            .present(person)
            .is_some_and(|member| member.device != device && !member.resumes(resume))
    }

    /// How many people are ticked in at each site, when the room is loaded.
    pub fn set_halls(&mut self, halls: impl IntoIterator<Item = (PersonId, u32)>) {
        for (site, people) in halls {
            self.set_hall(site, people);
        }
    }

    fn set_hall(&mut self, site: PersonId, people: u32) {
        if self.halls.len() >= SITES && !self.halls.contains_key(&site) {
            return;
        }
        self.roster.set_hall(&site, people);
        self.halls.insert(site, people);
    }

    /// The links that belong to the room.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.links.keys().copied()
    }

    /// Exact counts of the present.
    pub fn counts(&self) -> Counts {
        self.roster.counts()
    }

    /// Everybody present, connected or awaited, in the order of pages.
    pub fn people(&self) -> Vec<Person> {
        self.roster.iter().map(Member::entry).collect()
    }

    /// The latest sign of life of everybody who is connected, for the sweep that
    /// persists them.
    pub fn last_seen(&self) -> Vec<LastSeen> {
        self.roster
            .iter()
            .filter(|member| member.link().is_some())
            .map(|member| LastSeen {
                person: key_of(&member.id),
                at: self.stamp(member.heard),
            })
            .collect()
    }

    /// The room as people see it.
    pub fn info(&self) -> RoomInfo {
        RoomInfo {
            room: self.config.room.clone(),
            title: self.config.title.clone(),
            host: self.config.host.clone(),
            mode: self.mode,
            locked: self.locked,
            recording: self.recording.now(self.config.recording.as_ref()),
            started_at: self.started_ms,
            phase: self.lesson_phase(),
            lesson_at: self.lesson.started_ms,
            break_until: self.break_until(),
            starts_at: self.config.starts_ms,
            ends_at: self.config.ends_ms,
            waiting: self.lobby.on,
            permits: self.arrangement.permits,
            spotlight: self.arrangement.spotlight.clone(),
            slow_sec: self.arrangement.slow_sec,
            timer: self.arrangement.timer(),
            speech_kbps: self.thrift.kbps(),
            overload: self.overload,
        }
    }

    /// Whether the session has ended.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether the room is locked for newcomers.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether there is no place left for a newcomer of this role.
    pub fn is_full(&self, role: Role) -> bool {
        let reserve = if role.is_staff() { STAFF_RESERVE } else { 0 };
        let total = usize::try_from(self.counts().total).unwrap_or(usize::MAX);
        total >= self.config.max_people.saturating_add(reserve)
    }

    /// The number of the last state-bearing broadcast.
    pub fn last_seq(&self) -> u64 {
        self.ring.last_seq()
    }

    /// The clocks at the last command, as the ledger writes them.
    pub fn stamp_now(&self) -> Stamp {
        self.stamp(self.now)
    }

    pub(crate) fn stamp(&self, at: Now) -> Stamp {
        Stamp {
            wall_ms: at.wall_ms,
            mono_ms: at.mono_ms,
            boot: self.config.boot,
        }
    }

    /// Writes to the ledger; the number of the event.
    pub(crate) fn record(&mut self, kind: EventKind) -> u64 {
        let seq = self.next_event;
        self.next_event += 1;
        self.out.push(Effect::Ledger(Event {
            session: self.config.session.clone(),
            seq,
            at: self.stamp(self.now),
            kind,
        }));
        seq
    }

    pub(crate) fn broadcast(&mut self, msg: ServerMessage) {
        let frame = self.ring.push(msg);
        self.out.push(Effect::Broadcast(frame));
    }

    pub(crate) fn broadcast_lossy(&mut self, msg: ServerMessage) {
        self.out.push(Effect::BroadcastLossy(Arc::new(ServerFrame {
            seq: None,
            id: None,
            msg,
        })));
    }

    pub(crate) fn send(&mut self, link: LinkId, msg: ServerMessage) {
        let frame = ServerFrame {
            seq: None,
            id: None,
            msg,
        };
        self.out.push(Effect::Send {
            link,
            frame,
            after_commit: false,
        });
    }

    /// Sends to a person, when he is connected. What matters after a cut is
    /// kept in his state and sent anew on his return.
    pub(crate) fn tell(&mut self, id: &PersonId, msg: ServerMessage) {
        if let Some(link) = self.roster.get(id).and_then(Member::link) {
            self.send(link, msg);
        }
    }

    /// Whether a present person may do something: the table, what moderators
    /// did to his microphone, and what they took from learners and guests. In a
    /// group people discuss, whatever the mode of the room.
    pub(crate) fn member_may(&self, member: &Member, action: Action) -> bool {
        let grouped = self.place_of(member).is_some();
        let mode = if grouped {
            RoomMode::Discussion
        } else {
            self.mode
        };
        let called = match action {
            Action::Speak => member.floor || member.opened,
            // A task of its own, which comes with nothing else.
            Action::Caption => member.captions,
            _ => member.floor,
        };
        let staff = member.role.is_staff();
        let closed = action == Action::Speak && self.mics_closed && !grouped && !staff;
        allowed(member.role, mode, called, action)
            && (called || !closed)
            && (staff || self.arrangement.permits_to(action, member.floor, called))
    }

    pub(crate) fn perms(&self, member: &Member) -> Vec<Action> {
        Action::ALL
            .into_iter()
            .filter(|action| self.member_may(member, *action))
            .collect()
    }

    pub(crate) fn you(&self, member: &Member) -> You {
        You {
            person: member.id.clone(),
            name: member.name.clone(),
            role: member.role,
            perms: self.perms(member),
            floor: member.floor,
            group: self.place_of(member),
            notes: self.text_of(member).map(notes_id),
            token: None,
        }
    }

    pub(crate) fn told_of(&self, member: &Member) -> Told {
        (self.perms(member), member.floor, self.place_of(member))
    }

    fn allow_now(&self, member: &Member) -> Allow4 {
        let sends = |kind| {
            *member.tracks.get(kind) == TrackState::Live
                && member.is_present()
                && self.member_may(member, right_of(kind))
        };
        Allow4 {
            mic: sends(MediaKind::Mic),
            camera: sends(MediaKind::Camera),
            screen: sends(MediaKind::Screen),
            screen_audio: sends(MediaKind::ScreenAudio),
        }
    }

    /// After rights, tracks or the group changed: stops what is no longer allowed
    /// (in the name of `by`), tells the person his rights and the media plane
    /// what to let through and to whom.
    pub(crate) fn settle(&mut self, id: &PersonId, by: &str) {
        let Some(member) = self.roster.present(id) else {
            return;
        };
        let place = self.place_of(member);
        let moved = member.placed != place;
        if moved && member.tracks.screen == TrackState::Live {
            self.stop_track(id, MediaKind::Screen, by);
        }
        for kind in KINDS {
            let Some(member) = self.roster.present(id) else {
                return;
            };
            if *member.tracks.get(kind) == TrackState::Live
                && !self.member_may(member, right_of(kind))
            {
                self.stop_track(id, kind, by);
            }
        }
        let Some(member) = self.roster.present(id) else {
            return;
        };
        let told = self.told_of(member);
        let allow = self.allow_now(member);
        let you = (member.told.as_ref() != Some(&told)).then(|| self.you(member));
        let peer = member.peer.filter(|_| member.allow != allow);
        let moved = member.peer.filter(|_| moved);
        if let Some(member) = self.roster.get_mut(id) {
            member.told = Some(told);
            member.allow = allow;
            member.placed = place;
        }
        if moved.is_some() {
            self.roster.touch(id);
        }
        if let Some(you) = you {
            self.tell(id, ServerMessage::You(you));
            self.polls_anew(id);
        }
        if let Some(peer) = peer {
            self.out.push(Effect::Allow { peer, allow });
        }
        if let Some(peer) = moved {
            let group = place.map(|group| group.0);
            self.out.push(Effect::Group { peer, group });
        }
    }

    /// Who else shares a screen where this person is.
    pub(crate) fn other_sharer(&self, id: &PersonId) -> Option<PersonId> {
        let place = self.place_of(self.roster.present(id)?);
        let shares = |member: &&Member| {
            member.tracks.screen == TrackState::Live
                && member.id != *id
                && self.place_of(member) == place
        };
        self.roster
            .iter()
            .find(shares)
            .map(|other| other.id.clone())
    }

    /// Rights changed for everybody.
    pub(crate) fn settle_all(&mut self, by: &str) {
        for id in self.roster.ids() {
            self.settle(&id, by);
        }
    }

    /// Sets the state of a track. The sound of a screen ends with the screen.
    pub(crate) fn set_track(&mut self, id: &PersonId, kind: MediaKind, state: TrackState) {
        let Some(member) = self.roster.get_mut(id) else {
            return;
        };
        let slot = member.tracks.get_mut(kind);
        if *slot == state {
            return;
        }
        *slot = state;
        let silent = kind == MediaKind::Mic && state != TrackState::Live;
        if kind == MediaKind::Screen {
            let on = state == TrackState::Live;
            if !on {
                member.tracks.screen_audio = TrackState::Off;
            }
            self.record(EventKind::Share {
                person: key_of(id),
                on,
            });
        }
        if silent {
            self.end_talk(id);
        }
        self.note_track(id, kind);
        if kind == MediaKind::Screen {
            self.note_track(id, MediaKind::ScreenAudio);
        }
        self.roster.touch(id);
    }

    /// Stops a track that is sent, in the name of `by`, and tells its owner. Of
    /// somebody whose link is lost it is not known what his page will send, so
    /// the stop waits for him. The caller settles.
    pub(crate) fn stop_track(&mut self, id: &PersonId, kind: MediaKind, by: &str) {
        let Some(member) = self.roster.get_mut(id) else {
            return;
        };
        let live = *member.tracks.get(kind) == TrackState::Live;
        if live || member.link().is_none() {
            *member.stopped.get_mut(kind) = Some(Stop {
                by: by.to_owned(),
                before_return: false,
            });
        }
        if live {
            let state = if kind == MediaKind::Mic {
                TrackState::Muted
            } else {
                TrackState::Off
            };
            self.set_track(id, kind, state);
            self.tell(
                id,
                ServerMessage::Muted {
                    kind,
                    by: by.to_owned(),
                },
            );
        }
    }

    pub(crate) fn name_of(&self, id: &PersonId) -> String {
        self.roster
            .get(id)
            .map(|member| member.name.clone())
            .unwrap_or_default()
    }

    /// `err` to a request, `warn` where nobody asked.
    pub(crate) fn refuse(&mut self, link: LinkId, id: Option<u32>, code: ErrorCode) {
        let msg = match id {
            Some(_) => {
                let retry = matches!(code, ErrorCode::RateLimited | ErrorCode::Busy);
                ServerMessage::Err { code, retry }
            }
            None => ServerMessage::Warn { code },
        };
        let frame = ServerFrame { seq: None, id, msg };
        self.out.push(Effect::Send {
            link,
            frame,
            after_commit: false,
        });
    }
}

/// The ledger's key of a person.
pub(crate) fn key_of(id: &PersonId) -> PersonKey {
    PersonKey(id.0.clone())
}
