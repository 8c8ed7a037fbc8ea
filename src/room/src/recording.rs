//! Recordings: that one goes on is told to all the whole time, whatever makes it.

mod consent;
mod desk;
mod who;

use std::collections::VecDeque;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_LABEL, MAX_RECORD_TEXT};
use lophoc_protocol::recording::{
    RecordAlarm, RecordConsent, RecordState, RecordTrouble, RecordWhom,
};
use lophoc_protocol::server::{RecordedBy, Recording};
use lophoc_protocol::{Action, ClientMessage, ErrorCode, PersonId, RecordingId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::api::{Effect, RecordingPlan, RecordingWords};
use crate::bounds::RECORD_NEWS;
use crate::bucket::Bucket;
use crate::recorder::{RecordCommand, RecordStart, RecordWho};
use crate::room::{Phase, Room, key_of};
use crate::talk::code_of;
use crate::text::{BadText, clean_label, clean_text};
use consent::Consents;

/// Whether the recorder takes what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Up {
    /// It was asked to.
    Starting,
    /// It does.
    Yes,
    /// It is gone.
    Gone,
}

/// The recording that goes on.
#[derive(Debug, Clone)]
struct OnNow {
    terms: Terms,
    since_ms: u64,
    /// Of the server.
    id: Option<RecordingId>,
    notice: u64,
    paused: bool,
    up: Up,
    /// What the recorder was told last.
    told: RecordWho,
}

/// What is told of a recording. People accept or refuse all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub by: RecordedBy,
    pub words: RecordingWords,
    pub whom: RecordWhom,
    pub ask: RecordConsent,
}

/// What is known of recordings.
#[derive(Debug)]
pub(crate) struct Recordings {
    now: Option<OnNow>,
    /// There is or was one.
    any: bool,
    /// Id for the next recording of the server, or why there can be none.
    ready: Result<RecordingId, RecordTrouble>,
    consents: Consents,
    /// Bounded by [`RECORD_ALARMS`](lophoc_protocol::limits::RECORD_ALARMS).
    alarms: VecDeque<RecordAlarm>,
    /// That there is no recorder was told.
    lacked: bool,
    news: Bucket,
    /// Since when nobody is there, monotonic.
    alone_ms: Option<u64>,
    /// The roster when it was last seen who is taken.
    seen: u64,
}

impl Recordings {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            now: None,
            any: false,
            ready: Err(RecordTrouble::NoRecorder),
            consents: Consents::default(),
            alarms: VecDeque::new(),
            lacked: false,
            news: Bucket::full(RECORD_NEWS, now_ms),
            alone_ms: None,
            seen: 0,
        }
    }

    /// The one that goes on, by this setting.
    pub(crate) fn now(&self, plan: Option<&RecordingPlan>) -> Option<Recording> {
        let now = self.now.as_ref()?;
        let from_start = plan.is_some_and(|plan| plan.by == RecordedBy::Server && plan.from_start);
        let RecordingWords { who, why, keep } = now.terms.words.clone();
        Some(Recording {
            by: now.terms.by,
            who,
            why,
            keep,
            since: now.since_ms,
            recording: now.id.clone(),
            state: now.state(),
            whom: now.terms.whom,
            ask: now.terms.ask,
            notice: now.notice,
            from_start: from_start && now.terms.by == RecordedBy::Server,
        })
    }
}

impl OnNow {
    fn state(&self) -> RecordState {
        match self.up {
            _ if self.paused => RecordState::Paused,
            Up::Starting => RecordState::Starting,
            Up::Yes => RecordState::On,
            Up::Gone => RecordState::Failed,
        }
    }
}

impl RecordingPlan {
    fn terms(&self) -> Terms {
        match self.by {
            RecordedBy::External => Terms::external(self.words.clone()),
            RecordedBy::Server => Terms {
                by: self.by,
                words: self.words.clone(),
                whom: self.whom,
                ask: self.ask,
            },
        }
    }
}

impl Terms {
    /// Of a recording from outside: nobody is left out of it.
    fn external(words: RecordingWords) -> Self {
        Self {
            by: RecordedBy::External,
            words,
            whom: RecordWhom::All,
            ask: RecordConsent::Notice,
        }
    }
}

/// Name of what makes a recording, in the ledger.
fn source_name(by: RecordedBy) -> &'static str {
    match by {
        RecordedBy::External => "external",
        RecordedBy::Server => "server",
    }
}

impl RecordingWords {
    /// Cleans and bounds what somebody wrote.
    ///
    /// # Errors
    /// [`BadText`] of the field named: who records is missing, or something is too long.
    pub fn clean(who: &str, why: &str, keep: &str) -> Result<Self, (&'static str, BadText)> {
        let long = |field, text| match clean_text(text, MAX_RECORD_TEXT) {
            Ok(text) => Ok(text),
            Err(BadText::Empty) => Ok(String::new()),
            Err(bad) => Err((field, bad)),
        };
        Ok(Self {
            who: clean_label(who, MAX_LABEL).map_err(|bad| ("who", bad))?,
            why: long("why", why)?,
            keep: long("keep", keep)?,
        })
    }
}

impl Room {
    /// `modRecord`, `modRecordPause`, `recordReply`.
    pub(crate) fn record_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        match msg {
            ClientMessage::ModRecord { on: false, .. } => {
                self.need(me, Action::Record)?;
                if self.end_recording(Some(me)) {
                    self.tell_room();
                }
                Ok(Done::Ok)
            }
            ClientMessage::ModRecord {
                who,
                why,
                keep,
                by,
                whom,
                ask,
                ..
            } => {
                self.need(me, Action::Record)?;
                let words =
                    RecordingWords::clean(&who, &why, &keep).map_err(|(_, bad)| code_of(bad))?;
                let terms = match by {
                    RecordedBy::External => Terms::external(words),
                    RecordedBy::Server if ask < self.least_ask().max(self.asked_now()) => {
                        return Err(ErrorCode::Forbidden);
                    }
                    RecordedBy::Server => Terms {
                        by,
                        words,
                        whom,
                        ask,
                    },
                };
                self.begin_recording(terms, Some(me))?;
                Ok(Done::Ok)
            }
            ClientMessage::ModRecordPause { on } => self.mod_record_pause(me, on),
            ClientMessage::RecordReply { notice, accept } => self.record_reply(me, notice, accept),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    /// Least that a recording of the server asks for, by the sort of class and the
    /// setting of the session: a public event is told (Luật 91/2025/QH15, Điều
    /// 32), a class is asked (Điều 9).
    pub(crate) fn least_ask(&self) -> RecordConsent {
        let least = self.config.record_ask;
        match &self.config.recording {
            Some(plan) if plan.by == RecordedBy::Server => least.max(plan.ask),
            _ => least,
        }
    }

    /// What the recording that goes on asks for. It may ask for more later, never
    /// for less: people were told that they are asked.
    fn asked_now(&self) -> RecordConsent {
        let now = self.recording.now.as_ref();
        now.filter(|now| now.terms.by == RecordedBy::Server)
            .map_or(RecordConsent::Notice, |now| now.terms.ask)
    }

    /// The terms of the setting, which may be older than the sort of class is.
    fn terms_set(&self, plan: &RecordingPlan) -> Terms {
        let mut terms = plan.terms();
        if terms.by == RecordedBy::Server {
            terms.ask = terms.ask.max(self.least_ask()).max(self.asked_now());
        }
        terms
    }

    fn mod_record_pause(&mut self, me: &PersonId, on: bool) -> Outcome {
        self.need(me, Action::Record)?;
        let now = self.recording.now.as_mut().ok_or(ErrorCode::NotFound)?;
        let id = now.id.clone().ok_or(ErrorCode::Conflict)?;
        if now.paused == on {
            return Ok(Done::Ok);
        }
        now.paused = on;
        self.record(EventKind::RecordingPaused {
            id: id.0.clone(),
            on,
            by: key_of(me),
        });
        if on {
            self.out.push(Effect::Record(RecordCommand::Pause { id }));
        } else {
            self.tell_recorder();
            self.out.push(Effect::Record(RecordCommand::Resume { id }));
        }
        self.tell_room();
        Ok(Done::Ok)
    }

    /// The setting changed.
    pub(crate) fn recording_set(&mut self, plan: Option<RecordingPlan>, by: &PersonId) {
        if self.config.recording == plan {
            return;
        }
        let before = std::mem::replace(&mut self.config.recording, plan.clone());
        self.recording.lacked = false;
        self.tell_record_desks();
        let early =
            |plan: &Option<RecordingPlan>| plan.as_ref().is_some_and(|plan| plan.from_start);
        if self.recording.now.is_some() && early(&before) != early(&plan) {
            self.tell_room();
        }
        if self.phase != Phase::Open || self.lesson.started_ms.is_none() {
            return;
        }
        let goes = self.recording.now.as_ref().map(|now| now.terms.by);
        // What the setting does not begin, it does not end: somebody did.
        let follows =
            |plan: &RecordingPlan| goes == Some(plan.by) || (goes.is_none() && plan.begins());
        match plan {
            Some(plan)
                if follows(&plan)
                    && self
                        .begin_recording(self.terms_set(&plan), Some(by))
                        .is_err() =>
            {
                // It begins as soon as there is a recorder.
                self.recording.any = false;
            }
            Some(_) => {}
            None if before.is_some_and(|before| goes == Some(before.by))
                && self.end_recording(Some(by)) =>
            {
                self.tell_room();
            }
            None => {}
        }
    }

    /// Where the setting says so, the recording begins with the lesson. What
    /// was decided in the room goes before.
    pub(crate) fn record_by_setting(&mut self) {
        if self.phase != Phase::Open || self.lesson.started_ms.is_none() || self.recording.any {
            return;
        }
        if let Some(plan) = self.config.recording.clone().filter(RecordingPlan::begins) {
            // Without a recorder it is tried again, and told.
            let _ = self.begin_recording(self.terms_set(&plan), None);
        }
    }

    /// Begins a recording, or changes what is told of the one that goes on.
    fn begin_recording(&mut self, terms: Terms, by: Option<&PersonId>) -> Result<(), ErrorCode> {
        let before = self.recording.now.as_ref();
        if before.is_some_and(|now| now.terms == terms) {
            return Ok(());
        }
        if before.is_some_and(|now| now.terms.by != terms.by) {
            // Two at a time would be told as one.
            return Err(ErrorCode::Conflict);
        }
        let going = before.and_then(|now| now.id.clone());
        let id = match (terms.by, &going) {
            (RecordedBy::External, _) => None,
            (RecordedBy::Server, Some(id)) => Some(id.clone()),
            (RecordedBy::Server, None) => Some(self.recording.ready.clone().map_err(refusal)?),
        };
        let notice = match terms.by {
            RecordedBy::External => 0,
            RecordedBy::Server => self.notice_of(&terms)?,
        };
        if id.is_some() && going.is_none() {
            // Each id is for one recording.
            self.recording.ready = Err(RecordTrouble::NoRecorder);
        }
        let since_ms = before_or(self.recording.now.as_ref(), self.now.wall_ms);
        let now = match self.recording.now.take() {
            Some(now) => OnNow {
                terms: terms.clone(),
                notice,
                ..now
            },
            None => OnNow {
                terms: terms.clone(),
                since_ms,
                id: id.clone(),
                notice,
                paused: false,
                up: if id.is_some() { Up::Starting } else { Up::Yes },
                told: RecordWho::default(),
            },
        };
        self.recording.now = Some(now);
        self.recording.any = true;
        self.recording.lacked = false;
        let RecordingWords { who, why, keep } = terms.words;
        self.record(EventKind::Recording {
            on: true,
            source: source_name(terms.by).to_owned(),
            who,
            why,
            keep,
            id: id.map(|id| id.0).unwrap_or_default(),
            notice,
            by: by.map(key_of),
        });
        if let Some(by) = by
            && terms.by == RecordedBy::Server
            && !self.recording.consents.refused(by)
        {
            // Who begins it knows what he begins; a refusal he takes back himself.
            if self.choose(by, notice, true, self.now.wall_ms) {
                let accept = true;
                self.tell(by, ServerMessage::RecordMine { notice, accept });
            }
        }
        match going {
            None => self.start_recorder(false, by),
            Some(_) => self.tell_recorder(),
        }
        self.tell_room();
        Ok(())
    }

    /// Tells the recorder to begin, or to go on with a recording that was under way
    /// when the room was loaded.
    pub(crate) fn start_recorder(&mut self, again: bool, by: Option<&PersonId>) {
        let who = self.who_is_taken();
        let Some(now) = self.recording.now.as_mut() else {
            return;
        };
        let Some(id) = now.id.clone() else { return };
        now.told.clone_from(&who);
        let start = RecordStart {
            id,
            since_ms: now.since_ms,
            again,
            paused: now.paused,
            words: now.terms.words.clone(),
            whom: now.terms.whom,
            ask: now.terms.ask,
            by: by.map(key_of),
            who,
        };
        self.out
            .push(Effect::Record(RecordCommand::Start(Box::new(start))));
    }

    /// Ends the recording that goes on; whether there was one.
    pub(crate) fn end_recording(&mut self, by: Option<&PersonId>) -> bool {
        let Some(was) = self.recording.now.take() else {
            return false;
        };
        self.record(EventKind::Recording {
            on: false,
            source: String::new(),
            who: String::new(),
            why: String::new(),
            keep: String::new(),
            id: was.id.clone().map(|id| id.0).unwrap_or_default(),
            notice: 0,
            by: by.map(key_of),
        });
        if let Some(id) = was.id {
            self.out.push(Effect::Record(RecordCommand::Stop { id }));
        }
        self.tell_unrecorded();
        true
    }

    /// Takes up an event of a recording from the ledger.
    pub(crate) fn replay_recording(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Recording { on: false, .. } => {
                self.recording.now = None;
                self.recording.any = true;
            }
            EventKind::Recording {
                source,
                who,
                why,
                keep,
                id,
                notice,
                ..
            } => {
                let words = RecordingWords {
                    who: who.clone(),
                    why: why.clone(),
                    keep: keep.clone(),
                };
                let server = source == source_name(RecordedBy::Server) && !id.is_empty();
                let terms = if server {
                    self.terms_of(*notice, words)
                } else {
                    Terms::external(words)
                };
                let before = self.recording.now.take();
                self.recording.now = Some(OnNow {
                    terms,
                    since_ms: before_or(before.as_ref(), event.at.wall_ms),
                    id: server.then(|| RecordingId(id.clone())),
                    notice: *notice,
                    paused: before.is_some_and(|before| before.paused),
                    up: if server { Up::Starting } else { Up::Yes },
                    told: RecordWho::default(),
                });
                self.recording.any = true;
            }
            EventKind::RecordingPaused { on, .. } => {
                if let Some(now) = &mut self.recording.now {
                    now.paused = *on;
                }
            }
            EventKind::RecordingNotice { .. } | EventKind::RecordingChoice { .. } => {
                self.replay_consent(event);
            }
            EventKind::RecordingNews { .. } => self.replay_record_news(event),
            _ => {}
        }
    }
}

impl RecordingPlan {
    fn begins(&self) -> bool {
        self.auto || self.by == RecordedBy::External
    }
}

fn before_or(before: Option<&OnNow>, now_ms: u64) -> u64 {
    before.map_or(now_ms, |before| before.since_ms)
}

/// Why a recording cannot begin.
fn refusal(why: RecordTrouble) -> ErrorCode {
    match why {
        RecordTrouble::DiskFull | RecordTrouble::DiskLow => ErrorCode::NoSpace,
        _ => ErrorCode::NoRecorder,
    }
}
