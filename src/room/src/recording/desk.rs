//! What the recorder tells, and whom the room tells that something went wrong.

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::RECORD_ALARMS;
use lophoc_protocol::recording::{RecordAlarm, RecordPlan, RecordTrouble, RecordedBy};
use lophoc_protocol::{Action, PersonId, RecordingId, ServerMessage};

use super::Up;
use crate::api::LinkId;
use crate::bounds::{RECORD_ALONE_MS, RECORDER_WAIT_MS};
use crate::person::Member;
use crate::recorder::RecorderReport;
use crate::room::{Phase, Room};

/// Name of a trouble in the ledger; the same as on the wire.
fn trouble_name(what: RecordTrouble) -> &'static str {
    match what {
        RecordTrouble::NoRecorder => "noRecorder",
        RecordTrouble::Failed => "failed",
        RecordTrouble::Gap => "gap",
        RecordTrouble::DiskLow => "diskLow",
        RecordTrouble::DiskSlow => "diskSlow",
        RecordTrouble::DiskFull => "diskFull",
        RecordTrouble::Ended => "ended",
    }
}

fn trouble_of(name: &str) -> Option<RecordTrouble> {
    [
        RecordTrouble::NoRecorder,
        RecordTrouble::Failed,
        RecordTrouble::Gap,
        RecordTrouble::DiskLow,
        RecordTrouble::DiskSlow,
        RecordTrouble::DiskFull,
        RecordTrouble::Ended,
    ]
    .into_iter()
    .find(|what| trouble_name(*what) == name)
}

fn alarm(at: u64, what: RecordTrouble) -> RecordAlarm {
    RecordAlarm {
        at,
        what,
        from: None,
        to: None,
        left: None,
    }
}

impl Room {
    /// The recorder says something.
    pub(crate) fn recorder(&mut self, report: RecorderReport) {
        if self.phase == Phase::Ended {
            return;
        }
        let at = self.now.wall_ms;
        match report {
            RecorderReport::Ready { id } => {
                let was = self.recording.ready.clone().err();
                self.recording.ready = Ok(id);
                if was.is_some() {
                    self.tell_record_desks();
                }
                self.record_by_setting();
            }
            RecorderReport::Unavailable { why } => {
                if self.recording.ready != Err(why) {
                    self.recording.ready = Err(why);
                    self.tell_record_desks();
                }
                self.lack_recorder(0);
            }
            RecorderReport::Capturing { id } => {
                if self.set_up(&id, Up::Yes) {
                    self.note_news(&id, "capturing", None);
                }
            }
            RecorderReport::Failed { id } => {
                if self.set_up(&id, Up::Gone) {
                    self.sound_alarm(&id, alarm(at, RecordTrouble::Failed));
                }
            }
            RecorderReport::Gap { id, from_ms, to_ms } => {
                let gap = RecordAlarm {
                    from: Some(from_ms),
                    to: Some(to_ms),
                    ..alarm(at, RecordTrouble::Gap)
                };
                self.sound_alarm(&id, gap);
            }
            RecorderReport::DiskLow { id, left } => {
                let low = RecordAlarm {
                    left: Some(left),
                    ..alarm(at, RecordTrouble::DiskLow)
                };
                self.sound_alarm(&id, low);
            }
            RecorderReport::DiskSlow { id } => {
                self.sound_alarm(&id, alarm(at, RecordTrouble::DiskSlow));
            }
            RecorderReport::Ended { id, why } => {
                if self.goes_on(&id) {
                    self.sound_alarm(&id, alarm(at, why));
                    self.end_recording(None);
                    self.tell_room();
                }
            }
        }
    }

    fn goes_on(&self, id: &RecordingId) -> bool {
        let now = self.recording.now.as_ref();
        now.is_some_and(|now| now.id.as_ref() == Some(id))
    }

    /// Whether that is news.
    fn set_up(&mut self, id: &RecordingId, up: Up) -> bool {
        let now = self.recording.now.as_mut();
        let Some(now) = now.filter(|now| now.id.as_ref() == Some(id) && now.up != up) else {
            return false;
        };
        let before = now.state();
        now.up = up;
        if now.state() != before {
            self.tell_room();
        }
        true
    }

    fn note_news(&mut self, id: &RecordingId, what: &str, of: Option<&RecordAlarm>) -> bool {
        let written = self.recording.news.take(self.now.mono_ms);
        if written {
            self.record(EventKind::RecordingNews {
                id: id.0.clone(),
                what: what.to_owned(),
                from_ms: of.and_then(|of| of.from),
                to_ms: of.and_then(|of| of.to),
                left: of.and_then(|of| of.left),
            });
        }
        written
    }

    fn sound_alarm(&mut self, id: &RecordingId, alarm: RecordAlarm) {
        if !id.0.is_empty() && !self.goes_on(id) {
            return;
        }
        let written = self.note_news(id, trouble_name(alarm.what), Some(&alarm));
        let last = self.recording.alarms.back().map(|last| last.what);
        if written || last != Some(alarm.what) {
            self.keep_alarm(alarm);
            self.tell_record_desks();
        }
    }

    fn keep_alarm(&mut self, alarm: RecordAlarm) {
        let alarms = &mut self.recording.alarms;
        while alarms.len() >= RECORD_ALARMS {
            alarms.pop_front();
        }
        alarms.push_back(alarm);
    }

    /// A lesson that should be recorded by the setting is not, for want of a
    /// recorder, for longer than `wait_ms`: told once.
    fn lack_recorder(&mut self, wait_ms: u64) {
        let Err(why) = self.recording.ready else {
            return;
        };
        let due = self.config.recording.as_ref();
        let due = due.is_some_and(|plan| plan.auto && plan.by == RecordedBy::Server);
        let begun = self.lesson.started_ms;
        let waited = begun.is_some_and(|at| self.now.wall_ms.saturating_sub(at) >= wait_ms);
        if due && waited && !self.recording.any && !self.recording.lacked {
            self.recording.lacked = true;
            let none = RecordingId(String::new());
            self.sound_alarm(&none, alarm(self.now.wall_ms, why));
        }
    }

    /// Whether a recording of the server goes on.
    pub fn is_recorded_here(&self) -> bool {
        let now = self.recording.now.as_ref();
        now.is_some_and(|now| now.id.is_some())
    }

    pub(crate) fn tick_recording(&mut self) {
        self.lack_recorder(RECORDER_WAIT_MS);
        self.end_when_alone();
        self.tick_who();
        self.tick_unrecorded();
    }

    /// Nobody is there who could be recorded, or who could stop it.
    fn end_when_alone(&mut self) {
        let now_ms = self.now.mono_ms;
        let goes = self.recording.now.as_ref();
        if self.counts().total > 0 || goes.is_none_or(|now| now.id.is_none()) {
            self.recording.alone_ms = None;
            return;
        }
        let since_ms = *self.recording.alone_ms.get_or_insert(now_ms);
        if now_ms.saturating_sub(since_ms) >= RECORD_ALONE_MS {
            self.end_recording(None);
        }
    }

    /// Why the server cannot record, where the setting says that it does and nothing
    /// is recorded.
    pub(crate) fn unable_to_record(&self) -> Option<RecordTrouble> {
        let plan = self.config.recording.as_ref();
        plan.filter(|plan| plan.by == RecordedBy::Server && self.recording.now.is_none())?;
        self.recording.ready.clone().err()
    }

    /// What went wrong, oldest first.
    pub(crate) fn record_alarms(&self) -> Vec<RecordAlarm> {
        self.recording.alarms.iter().cloned().collect()
    }

    fn record_desk(&self) -> ServerMessage {
        let plan = self.config.recording.as_ref().map(|plan| {
            Box::new(RecordPlan {
                by: plan.by,
                who: plan.words.who.clone(),
                why: plan.words.why.clone(),
                keep: plan.words.keep.clone(),
                auto: plan.begins(),
                whom: plan.whom,
                ask: plan.ask,
            })
        });
        // While one goes on, no other can begin.
        let goes = self
            .recording
            .now
            .as_ref()
            .is_some_and(|now| now.id.is_some());
        ServerMessage::RecordDesk {
            unable: self.recording.ready.clone().err().filter(|_| !goes),
            plan,
            ask: self.least_ask(),
            alarms: self.record_alarms(),
        }
    }

    fn minds_recording(&self, member: &Member) -> bool {
        self.member_may(member, Action::Record) || self.member_may(member, Action::Moderate)
    }

    /// Tells those who look after recordings how it stands.
    pub(crate) fn tell_record_desks(&mut self) {
        let links: Vec<LinkId> = self
            .roster
            .iter()
            .filter(|member| self.minds_recording(member))
            .filter_map(Member::link)
            .collect();
        for link in links {
            let msg = self.record_desk();
            self.send(link, msg);
        }
    }

    /// What somebody who came in, or got another role, is told of recordings.
    pub(crate) fn show_recording(&mut self, person: &PersonId, link: LinkId) {
        if let Some(mine) = self.record_mine(person) {
            self.send(link, mine);
        }
        let minds = |member: &Member| self.minds_recording(member);
        if self.roster.present(person).is_some_and(minds) {
            let msg = self.record_desk();
            self.send(link, msg);
        }
        self.show_unrecorded(person, link);
    }

    pub(super) fn replay_record_news(&mut self, event: &Event) {
        let EventKind::RecordingNews {
            what,
            from_ms,
            to_ms,
            left,
            ..
        } = &event.kind
        else {
            return;
        };
        if let Some(what) = trouble_of(what) {
            self.keep_alarm(RecordAlarm {
                from: *from_ms,
                to: *to_ms,
                left: *left,
                ..alarm(event.at.wall_ms, what)
            });
        }
    }
}
