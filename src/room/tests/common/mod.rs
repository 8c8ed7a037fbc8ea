//! A stage for small plays: a room, virtual time, and clients that believe
//! only what they are sent. Every effect is checked on its way.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use lophoc_ledger::{Event, EventKind, LastSeen, LeaveReason, SessionKey};
use lophoc_protocol::board::{Boards, Shape};
use lophoc_protocol::captions::Caption;
use lophoc_protocol::client::Resume;
use lophoc_protocol::groups::Groups;
use lophoc_protocol::limits::MAX_FRAME;
use lophoc_protocol::notes::GroupNotes;
use lophoc_protocol::people::{Counts, PersonTrack};
use lophoc_protocol::poll::{Poll, PollChoice};
use lophoc_protocol::recording::{RecordConsent, RecordTrouble};
use lophoc_protocol::server::{ByeAction, ChatEntry, RaisedHand, RoomInfo, You};
use lophoc_protocol::talk::{Audience, Question};
use lophoc_protocol::{
    BoardId, ClientMessage, ErrorCode, GroupNo, NotesId, Person, PersonId, PollId, QuestionId,
    Role, RoomId, RoomMode, ServerFrame, ServerMessage, SessionId,
};
use lophoc_room::{
    Allow4, Arrival, Command, Effect, Identity, LinkId, Now, Op, RecordCommand, RecordingAnswer,
    Room, RoomConfig,
};

pub const START: Now = Now {
    wall_ms: 1_790_000_000_000,
    mono_ms: 5_000,
};

/// How it stands with recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    pub unable: Option<RecordTrouble>,
    pub alarms: Vec<RecordTrouble>,
}

/// What a client believes.
#[derive(Debug, Default, Clone)]
pub struct Client {
    pub person: String,
    pub welcomed: bool,
    pub session: String,
    pub key: String,
    pub seq: u64,
    pub you: Option<You>,
    pub room: Option<RoomInfo>,
    pub counts: Counts,
    pub people: BTreeMap<PersonId, Person>,
    pub sampled: bool,
    pub hands: Vec<RaisedHand>,
    pub chat: Vec<ChatEntry>,
    pub polls: BTreeMap<PollId, Poll>,
    /// Own answers and points.
    pub mine: BTreeMap<PollId, (Vec<PollChoice>, Option<u16>)>,
    /// What did not go to all.
    pub direct: Vec<ChatEntry>,
    pub questions: BTreeMap<QuestionId, Question>,
    /// Own questions and votes.
    pub part: (Vec<QuestionId>, Vec<QuestionId>),
    pub groups: Option<Groups>,
    /// Boards there are, and what is known to be on them.
    pub boards: Boards,
    pub drawn: BTreeMap<BoardId, BTreeMap<u32, Shape>>,
    /// Lines of captions known.
    pub captions: BTreeMap<u32, Caption>,
    /// The shared notes, followed edit by edit, and their version.
    pub notes: Option<String>,
    pub notes_rev: u32,
    /// The notes of the group it asked for last: which, their version, the text.
    pub reads: Option<(NotesId, u32, String)>,
    /// The notes of groups, as staff are told.
    pub notes_list: Vec<GroupNotes>,
    /// Whether the server can record, and what went wrong.
    pub record_desk: Option<Desk>,
    /// What one answered to the words of a recording: their number, accepted.
    pub record_mine: Option<(u64, bool)>,
    /// Who attends unrecorded.
    pub unrecorded: Vec<String>,
    /// Who speaks, as last told.
    pub levels: Vec<(PersonId, u8)>,
    pub inbox: Vec<ServerFrame>,
    pub closed: bool,
    pub bye: Option<(ByeAction, Option<ErrorCode>, Option<u64>)>,
}

impl Client {
    fn receive(&mut self, frame: &ServerFrame) {
        assert!(!self.closed, "a frame after the close: {frame:?}");
        let bytes = serde_json::to_string(frame).unwrap().len();
        assert!(bytes <= MAX_FRAME, "{bytes} bytes");
        if let Some(seq) = frame.seq {
            if !matches!(frame.msg, ServerMessage::State { .. }) {
                assert!(self.welcomed, "a broadcast before the welcome");
                assert_eq!(seq, self.seq + 1, "a broadcast was skipped");
            }
            self.seq = seq;
        }
        match frame.msg.clone() {
            ServerMessage::Welcome(welcome) => {
                self.welcomed = true;
                self.session = welcome.session.0.clone();
                self.key = welcome.key.clone();
                self.direct.clear();
                self.part = (vec![], vec![]);
                self.you = Some(welcome.you.clone());
                self.reads = None;
                self.notes_list.clear();
                self.room = Some(welcome.room.clone());
            }
            ServerMessage::Resumed { key, from, you } => {
                self.welcomed = true;
                assert_eq!(from, self.seq + 1);
                self.key = key;
                self.you = Some(you);
                self.reads = None;
            }
            ServerMessage::State {
                counts,
                people,
                sampled,
                hands,
                chat,
                polls,
                questions,
                groups,
                boards,
                captions,
                notes,
                ..
            } => {
                if self.notes.is_none() || self.notes_rev != notes {
                    self.notes = (notes == 0).then(String::new);
                    self.notes_rev = notes;
                }
                self.captions = captions.into_iter().map(|c| (c.n, c)).collect();
                self.boards = boards.map(|boards| *boards).unwrap_or_default();
                self.drawn.clear();
                assert!(chat.iter().all(|m| m.to.is_all()), "in the state: {chat:?}");
                self.questions = questions.into_iter().map(|q| (q.q.clone(), q)).collect();
                self.polls = polls.into_iter().map(|p| (p.poll.clone(), p)).collect();
                self.mine.clear();
                self.groups = groups;
                self.counts = counts;
                self.people = people.into_iter().map(|p| (p.id.clone(), p)).collect();
                self.sampled = sampled;
                self.hands = hands;
                self.chat = chat;
            }
            ServerMessage::People {
                counts,
                add,
                chg,
                del,
            } => {
                self.counts = counts;
                for person in add.into_iter().chain(chg) {
                    self.people.insert(person.id.clone(), person);
                }
                for id in del {
                    self.people.remove(&id);
                }
            }
            ServerMessage::Hands { list } => self.hands = list,
            ServerMessage::Chat { m } => {
                assert!(m.to.is_all(), "told to all: {m:?}");
                self.chat.push(m);
            }
            ServerMessage::ChatPage { list, .. } => {
                assert!(list.iter().all(|m| m.to.is_all()), "on a page: {list:?}");
            }
            ServerMessage::ChatDirect { m } => {
                self.check_mine(&m);
                self.direct.push(m);
            }
            ServerMessage::RecordDesk { unable, alarms, .. } => {
                let alarms = alarms.into_iter().map(|alarm| alarm.what).collect();
                self.record_desk = Some(Desk { unable, alarms });
            }
            ServerMessage::RecordMine { notice, accept } => {
                self.record_mine = Some((notice, accept));
            }
            ServerMessage::Unrecorded { list } => {
                self.unrecorded = list.into_iter().map(|id| id.0).collect();
            }
            ServerMessage::ChatMine { list } => {
                for m in &list {
                    self.check_mine(m);
                }
                self.direct = list;
            }
            ServerMessage::ChatGone { chat } => {
                self.chat.retain(|m| m.id != chat);
                self.direct.retain(|m| m.id != chat);
            }
            ServerMessage::Questions { set, del } => {
                for question in set {
                    self.questions.insert(question.q.clone(), question);
                }
                for q in del {
                    self.questions.remove(&q);
                }
            }
            ServerMessage::QuestionsMine { asked, up } => self.part = (asked, up),
            ServerMessage::Groups { groups } => self.groups = groups,
            ServerMessage::Boards { boards } => self.boards = boards,
            ServerMessage::Board { board, set, del } => {
                let drawn = self.drawn.entry(board).or_default();
                drawn.extend(set.into_iter().map(|shape| (shape.n, shape)));
                drawn.retain(|n, _| !del.contains(n));
            }
            ServerMessage::BoardPage { board, list, .. } => {
                let drawn = self.drawn.entry(board).or_default();
                drawn.extend(list.into_iter().map(|shape| (shape.n, shape)));
            }
            ServerMessage::Notes { of: Some(of), edit } => {
                assert!(self.reads_group(&of), "{} is told {edit:?}", self.person);
                assert_eq!(frame.seq, None);
                if let Some((known, rev, text)) = &mut self.reads
                    && *known == of
                {
                    *rev += 1;
                    assert_eq!(edit.rev, *rev, "an edit was skipped");
                    *text = Op::read(&edit.op).apply(text).unwrap();
                }
            }
            ServerMessage::NotesPage {
                of: Some(of),
                rev,
                text,
                ..
            } if self.reads_group(&of) => {
                // Who left the group may ask, and is told nothing further.
                self.reads = text.map(|text| (of, rev, text));
            }
            ServerMessage::NotesList { list } => {
                let staff = self.you.as_ref().unwrap().role.is_staff();
                assert!(staff || list.is_empty(), "{} is told {list:?}", self.person);
                let reads = self.reads.take();
                self.reads = reads.filter(|(of, ..)| list.iter().any(|one| one.of == *of));
                self.notes_list = list;
            }
            ServerMessage::Notes { of: None, edit } => {
                self.notes_rev += 1;
                assert_eq!(edit.rev, self.notes_rev, "an edit was skipped");
                let op = Op::read(&edit.op);
                self.notes = self.notes.take().map(|text| op.apply(&text).unwrap());
            }
            ServerMessage::NotesPage {
                of: None,
                rev,
                text: Some(text),
                ..
            } => {
                assert_eq!(rev, self.notes_rev);
                self.notes = Some(text);
            }
            ServerMessage::Caption { c } => {
                self.captions.insert(c.n, c);
            }
            ServerMessage::Levels { l } => self.levels = l,
            ServerMessage::Poll { poll } => {
                self.polls.insert(poll.poll.clone(), *poll);
            }
            ServerMessage::PollGone { poll } => {
                self.polls.remove(&poll);
                self.mine.remove(&poll);
            }
            ServerMessage::PollMine {
                poll,
                answer,
                score,
            } => {
                self.mine.insert(poll, (answer, score));
            }
            ServerMessage::Room(info) => self.room = Some(info),
            ServerMessage::You(you) => {
                self.you = Some(you);
                let reads = self.reads.take();
                self.reads = reads.filter(|(of, ..)| self.reads_group(of));
            }
            ServerMessage::Bye {
                action,
                code,
                after,
            } => self.bye = Some((action, code, after)),
            _ => {}
        }
        self.inbox.push(frame.clone());
    }
}

impl Client {
    /// Whether the notes of a group concern it now.
    pub fn reads_group(&self, of: &NotesId) -> bool {
        let you = self.you.as_ref().unwrap();
        you.role.is_staff() || you.notes.as_ref() == Some(of)
    }

    /// A message that does not go to all reaches whom it concerns only.
    fn check_mine(&self, m: &ChatEntry) {
        let role = self.you.as_ref().unwrap().role;
        let own = m.from.as_str() == self.person;
        let concerns = match &m.to {
            Audience::All => false,
            Audience::Person(who) => who.as_str() == self.person,
            Audience::Organisers => matches!(
                role,
                Role::Organiser | Role::Chair | Role::Secretary | Role::Adviser
            ),
            Audience::Support => role.is_staff() && role != Role::Trainer,
            Audience::Group => true,
        };
        assert!(own || concerns, "{} is told {m:?}", self.person);
    }
}

pub struct Play {
    pub room: Room,
    pub config: RoomConfig,
    pub now: Now,
    pub clients: BTreeMap<LinkId, Client>,
    /// Links the server would send broadcasts to.
    pub open: HashSet<LinkId>,
    pub ledger: Vec<Event>,
    pub allow: HashMap<u64, Allow4>,
    /// Breakout group of each peer, as the media plane was told.
    pub group: HashMap<u64, u8>,
    pub gone: Vec<u64>,
    pub ended: bool,
    pub seq: u64,
    /// Names of the sites among the people.
    pub sites: HashMap<String, String>,
    /// Units of people.
    pub units: HashMap<String, String>,
    /// The next hello takes over.
    pub take_over: bool,
    /// The next hello is of a guest who waits by the rule of the class.
    pub waits: bool,
    /// What people answered to the words of a recording before they come in.
    pub answers: HashMap<String, RecordingAnswer>,
    /// What the recorder was told.
    pub recorder: Vec<RecordCommand>,
    /// The server can carry nobody more.
    pub crowded: bool,
    /// Links of people who wait.
    pub waiting: HashSet<LinkId>,
    peers: HashMap<String, u64>,
    next: u64,
}

pub fn config(mode: RoomMode) -> RoomConfig {
    RoomConfig {
        room: RoomId::from("r1"),
        session: SessionKey::from("b1"),
        title: "Tập huấn, buổi 1".into(),
        host: "Sở GDĐT".into(),
        mode,
        boot: 1,
        starts_ms: None,
        ends_ms: None,
        recording: None,
        record_ask: RecordConsent::Consent,
        waiting: false,
        seed: 7,
        max_people: 1_000,
    }
}

impl Play {
    pub fn new(mode: RoomMode) -> Self {
        Self::with(config(mode))
    }

    pub fn with(config: RoomConfig) -> Self {
        Self::on(Room::new(config.clone(), START), config, vec![], START)
    }

    fn on(room: Room, config: RoomConfig, ledger: Vec<Event>, now: Now) -> Self {
        Self {
            room,
            config,
            now,
            clients: BTreeMap::new(),
            open: HashSet::new(),
            ledger,
            allow: HashMap::new(),
            group: HashMap::new(),
            gone: vec![],
            ended: false,
            seq: 0,
            sites: HashMap::new(),
            units: HashMap::new(),
            take_over: false,
            waits: false,
            answers: HashMap::new(),
            recorder: vec![],
            crowded: false,
            waiting: HashSet::new(),
            peers: HashMap::new(),
            next: 0,
        }
    }

    /// The server was killed and starts again `after_ms` later on what is durable.
    pub fn restart(&self, after_ms: u64, presence: &[LastSeen]) -> Self {
        let config = RoomConfig {
            boot: self.config.boot + 1,
            ..self.config.clone()
        };
        let now = Now {
            wall_ms: self.now.wall_ms + after_ms,
            mono_ms: 700,
        };
        let room = Room::rebuild(config.clone(), &self.ledger, presence, now);
        let mut play = Self::on(room, config, self.ledger.clone(), now);
        play.next = self.next + 1_000;
        play.sites = self.sites.clone();
        play.units = self.units.clone();
        play
    }

    pub fn apply(&mut self, command: Command) {
        let effects = self.room.apply(self.now, command);
        // `ok` waits for the events before it, so none may come after it.
        let ok = effects.iter().position(
            |effect| matches!(effect, Effect::Send { frame, .. } if frame.msg == ServerMessage::Ok),
        );
        let last = effects
            .iter()
            .rposition(|effect| matches!(effect, Effect::Ledger(_)));
        if let (Some(ok), Some(last)) = (ok, last) {
            assert!(last < ok, "acknowledged before it is kept: {effects:?}");
        }
        for effect in effects {
            self.carry_out(effect);
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Ledger(event) => {
                assert_eq!(
                    event.seq,
                    self.ledger.len() as u64 + 1,
                    "a hole in the ledger"
                );
                assert_eq!(event.session, self.config.session);
                self.ledger.push(event);
            }
            Effect::Broadcast(frame) => {
                self.seq += 1;
                assert_eq!(frame.seq, Some(self.seq));
                self.spread(&frame);
            }
            Effect::BroadcastLossy(frame) => {
                assert_eq!(frame.seq, None);
                self.spread(&frame);
            }
            Effect::LossyTo { links, frame } | Effect::SendTo { links, frame } => {
                assert_eq!(frame.seq, None);
                for link in links {
                    assert!(self.open.contains(&link), "to a link of the room");
                    self.clients.get_mut(&link).unwrap().receive(&frame);
                }
            }
            Effect::Send { link, frame, .. } => {
                if matches!(
                    frame.msg,
                    ServerMessage::Welcome(_) | ServerMessage::Resumed { .. }
                ) {
                    self.waiting.remove(&link);
                    self.open.insert(link);
                }
                if matches!(frame.msg, ServerMessage::Waiting(_)) {
                    self.waiting.insert(link);
                }
                let client = self.clients.get_mut(&link).expect("a known link");
                client.receive(&frame);
                if let ServerMessage::NotesPage { of: Some(of), .. } = &frame.msg
                    && !self.client(link).reads_group(of)
                {
                    let who = self.client(link).person.clone();
                    assert!(self.was_in(&who, of), "{who} never was in {of}");
                }
            }
            Effect::Replay { link, frames } => {
                for frame in frames {
                    self.clients.get_mut(&link).unwrap().receive(&frame);
                }
            }
            Effect::Close { link } => {
                self.open.remove(&link);
                self.waiting.remove(&link);
                self.clients.get_mut(&link).unwrap().closed = true;
            }
            Effect::Allow { peer, allow } => {
                self.allow.insert(peer, allow);
            }
            Effect::Group { peer, group } => {
                let before = match group {
                    Some(group) => self.group.insert(peer, group),
                    None => self.group.remove(&peer),
                };
                assert_ne!(before, group, "told what it knows");
            }
            Effect::MediaGone { peer } => {
                self.allow.remove(&peer);
                self.group.remove(&peer);
                self.gone.push(peer);
            }
            Effect::Record(command) => self.recorder.push(command),
            Effect::Ended => self.ended = true,
        }
    }

    fn spread(&mut self, frame: &Arc<ServerFrame>) {
        for link in &self.open {
            self.clients.get_mut(link).unwrap().receive(frame);
        }
    }

    /// What holds after every command.
    fn check(&self) {
        let people = self.room.people();
        // Nobody waits and is in; who waits is shown.
        let queue = self.room.waiting();
        for waiter in &queue {
            assert!(people.iter().all(|p| p.id != waiter.who), "waits and is in");
        }
        for link in &self.waiting {
            assert!(
                self.room.is_waiting(*link),
                "waits by the client's belief only"
            );
        }
        // In a large room now and then will do.
        if people.len() > 60 && !self.now.mono_ms.is_multiple_of(1_000) {
            return;
        }
        let count = |f: &dyn Fn(&Person) -> bool| people.iter().filter(|p| f(p)).count() as u32;
        let counts = Counts {
            total: people.len() as u32,
            people: people
                .iter()
                .map(|p| if p.site.is_some() { p.hall } else { 1 })
                .sum(),
            staff: count(&|p| p.role.is_staff()),
            learners: count(&|p| p.role == Role::Learner),
            guests: count(&|p| p.role == Role::Guest),
            hands: count(&|p| p.hand.is_some()),
        };
        assert_eq!(self.room.counts(), counts, "counts are exact");

        let mut of_links: Vec<LinkId> = self.room.links().collect();
        let mut open: Vec<LinkId> = self.open.iter().copied().collect();
        of_links.sort();
        open.sort();
        assert_eq!(of_links, open, "the server and the room agree on the links");
        let persons: HashSet<&PersonId> = of_links
            .iter()
            .map(|link| self.room.person_of(*link).unwrap())
            .collect();
        assert_eq!(persons.len(), of_links.len(), "one link a person");
        for person in persons {
            assert!(people.iter().any(|p| p.id == *person), "nobody is hidden");
        }

        // Who is in by the ledger is listed, and nobody else.
        let mut present: HashSet<String> = HashSet::new();
        for event in &self.ledger {
            match &event.kind {
                EventKind::Join { person, .. } => {
                    present.insert(person.0.clone());
                }
                // Whoever was in when the server stopped is awaited.
                EventKind::Leave { person, reason } if *reason != LeaveReason::ServerStopped => {
                    present.remove(&person.0);
                }
                EventKind::Removed { person, .. } => {
                    present.remove(&person.0);
                }
                EventKind::Ended { .. } => present.clear(),
                EventKind::Return { person } => {
                    assert!(present.contains(&person.0), "a return without a join");
                }
                _ => {}
            }
        }
        let listed: HashSet<String> = people.iter().map(|p| p.id.0.clone()).collect();
        assert_eq!(listed, present, "roster and ledger agree");
        let open = self.groups_are_open();
        let mut sharing = HashSet::new();
        for person in &people {
            let place = person.group.filter(|_| open);
            let shares = |t: &PersonTrack| t.kind == lophoc_protocol::MediaKind::Screen;
            if person.tracks.iter().any(shares) {
                assert!(sharing.insert(place), "one screen at a time");
            }
            let link = of_links
                .iter()
                .find(|link| self.room.person_of(**link) == Some(&person.id));
            let Some(link) = link else { continue };
            let you = self.clients[link].you.as_ref().unwrap();
            assert_eq!(you.group, place, "everybody knows where he is");
            let notes = you.notes.as_ref().and_then(NotesId::parts);
            assert_eq!(notes.map(|(_, group)| group), place, "and where he writes");
            let peer = self.room.peer_of(*link).unwrap();
            let told = self.group.get(&peer).copied().map(GroupNo);
            assert_eq!(told, place, "and so does the media plane");
        }
    }

    /// Whether people are in groups, by the ledger.
    pub fn groups_are_open(&self) -> bool {
        let last = self.ledger.iter().rev().find_map(|event| match event.kind {
            EventKind::GroupsOpen { on, .. } => Some(on),
            _ => None,
        });
        last == Some(true)
    }

    /// Whether somebody was in the group of these notes, by the ledger.
    fn was_in(&self, person: &str, of: &NotesId) -> bool {
        let (mut round, mut open, mut mine) = (0, false, None);
        self.ledger.iter().any(|event| {
            match &event.kind {
                EventKind::GroupsMade { .. } => mine = None,
                EventKind::Grouped {
                    person: who, group, ..
                } if who.0 == person => mine = *group,
                EventKind::GroupsOpen { on: true, .. } if !open => {
                    open = true;
                    round += 1;
                }
                EventKind::GroupsOpen { on: false, .. } => (open, mine) = (false, None),
                _ => {}
            }
            let group = mine.filter(|_| open).map(GroupNo);
            group.is_some_and(|group| NotesId::of(round, group) == *of)
        })
    }

    pub fn peer(&mut self, person: &str) -> u64 {
        let next = 100 + self.peers.len() as u64;
        *self.peers.entry(person.to_owned()).or_insert(next)
    }

    pub fn hello(
        &mut self,
        person: &str,
        name: &str,
        role: Role,
        device: &str,
        resume: Option<Resume>,
    ) -> LinkId {
        self.next += 1;
        let link = LinkId(self.next);
        let client = match &resume {
            // The same page goes on with what it knows.
            Some(resume) => self
                .clients
                .values()
                .rfind(|c| c.session == resume.session.0 && c.key == resume.key)
                .map(|old| Client {
                    inbox: vec![],
                    closed: false,
                    bye: None,
                    welcomed: false,
                    ..old.clone()
                })
                .unwrap_or_default(),
            None => Client::default(),
        };
        self.clients.insert(
            link,
            Client {
                person: person.into(),
                ..client
            },
        );
        let arrival = Arrival {
            link,
            identity: Identity {
                person: PersonId::from(person),
                name: name.into(),
                unit: self.units.get(person).cloned(),
                role,
                site: self.sites.get(person).cloned(),
            },
            device: device.into(),
            peer: self.peer(person),
            session: SessionId(format!("s{}", self.next)),
            key: format!("key{}", self.next),
            resume,
            take_over: std::mem::take(&mut self.take_over),
            waits: std::mem::take(&mut self.waits),
            recording: self.answers.get(person).cloned(),
            crowded: self.crowded,
        };
        self.apply(Command::Hello(Box::new(arrival)));
        link
    }

    /// Comes in under a name made of the id.
    pub fn join(&mut self, person: &str, role: Role) -> LinkId {
        self.hello(person, &format!("Nguyễn Văn {person}"), role, "máy", None)
    }

    /// The page of a lost link comes back.
    pub fn resume(&mut self, link: LinkId) -> LinkId {
        let old = self.clients[&link].clone();
        let role = old.you.as_ref().map_or(Role::Learner, |you| you.role);
        let name = old
            .you
            .as_ref()
            .map_or(String::new(), |you| you.name.clone());
        let resume = Resume {
            session: SessionId(old.session.clone()),
            key: old.key.clone(),
            last_seq: old.seq,
        };
        self.hello(&old.person.clone(), &name, role, "máy", Some(resume))
    }

    pub fn drop_link(&mut self, link: LinkId, clean: bool) {
        self.open.remove(&link);
        self.waiting.remove(&link);
        self.clients.get_mut(&link).unwrap().closed = true;
        self.apply(Command::LinkClosed { link, clean });
    }

    /// Sends a request; the reply.
    pub fn ask(&mut self, link: LinkId, msg: ClientMessage) -> ServerMessage {
        self.next += 1;
        let id = self.next as u32;
        self.apply(Command::Frame {
            link,
            id: Some(id),
            msg,
        });
        let inbox = &self.clients[&link].inbox;
        let mut replies = inbox.iter().filter(|frame| frame.id == Some(id));
        let reply = replies.next().expect("a reply").msg.clone();
        assert!(replies.next().is_none(), "one reply only");
        reply
    }

    pub fn ok(&mut self, link: LinkId, msg: ClientMessage) {
        let reply = self.ask(link, msg.clone());
        assert_eq!(reply, ServerMessage::Ok, "{msg:?}");
    }

    pub fn refused(&mut self, link: LinkId, msg: ClientMessage) -> ErrorCode {
        match self.ask(link, msg.clone()) {
            ServerMessage::Err { code, .. } => code,
            other => panic!("{msg:?} was answered by {other:?}"),
        }
    }

    /// Time passes; whoever has a link pings.
    pub fn wait(&mut self, ms: u64) {
        let links: Vec<LinkId> = self.open.iter().chain(&self.waiting).copied().collect();
        self.wait_hearing(ms, &links);
    }

    /// Time passes; only these links give signs of life.
    pub fn wait_hearing(&mut self, ms: u64, links: &[LinkId]) {
        let end = self.now.mono_ms + ms;
        while self.now.mono_ms < end {
            self.now.mono_ms += 100;
            self.now.wall_ms += 100;
            if self.now.mono_ms.is_multiple_of(4_000) {
                for link in links {
                    self.apply(Command::Heard { link: *link });
                }
            }
            self.apply(Command::Tick);
        }
    }

    /// What a client was sent since the last look.
    pub fn news(&mut self, link: LinkId) -> Vec<ServerMessage> {
        let inbox = &mut self.clients.get_mut(&link).unwrap().inbox;
        std::mem::take(inbox)
            .into_iter()
            .map(|frame| frame.msg)
            .collect()
    }

    pub fn client(&self, link: LinkId) -> &Client {
        &self.clients[&link]
    }

    pub fn person(&self, id: &str) -> Option<Person> {
        self.room.people().into_iter().find(|p| p.id.as_str() == id)
    }

    /// Kinds of the ledger since event number `from`.
    pub fn kinds(&self, from: usize) -> Vec<&str> {
        self.ledger[from..]
            .iter()
            .map(|event| event.kind.name())
            .collect()
    }

    pub fn allowed(&self, person: &str) -> Allow4 {
        self.peers
            .get(person)
            .and_then(|peer| self.allow.get(peer))
            .copied()
            .unwrap_or_default()
    }
}

pub fn id(person: &str) -> PersonId {
    PersonId::from(person)
}
