//! The lesson inside the open room: rehearsal (kết nối thử), beginning,
//! announced breaks. Only the ledger's `Started` opens the time that counts for
//! attendance; its planned end closes nothing.

use lophoc_ledger::EventKind;
use lophoc_protocol::limits::MAX_BREAK_MIN;
use lophoc_protocol::{Action, ErrorCode, LessonPhase, PersonId, Role, ServerMessage};

use crate::act::{Done, Outcome};
use crate::api::Now;
use crate::room::{Phase, Room, key_of};

/// A moment to come, on both clocks: the one people are told, and the one that
/// never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    pub wall_ms: u64,
    pub mono_ms: u64,
}

impl Until {
    /// `ms` from now.
    pub(crate) fn after(now: Now, ms: u64) -> Self {
        Self {
            wall_ms: now.wall_ms.saturating_add(ms),
            mono_ms: now.mono_ms.saturating_add(ms),
        }
    }

    /// A moment of the wall clock; one that is over is now.
    pub(crate) fn wall(now: Now, wall_ms: u64) -> Self {
        Self {
            wall_ms,
            mono_ms: now
                .mono_ms
                .saturating_add(wall_ms.saturating_sub(now.wall_ms)),
        }
    }
}

/// Where the lesson is.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    /// Actual beginning, ms since the epoch.
    pub started_ms: Option<u64>,
    pub pause: Pause,
}

/// An announced break.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    #[default]
    None,
    /// Until somebody ends it.
    Open,
    /// Ends by itself then.
    Until(Until),
}

/// Whose presence begins the lesson when its time has come.
fn leads(role: Role) -> bool {
    matches!(
        role,
        Role::Organiser | Role::Chair | Role::Trainer | Role::Adviser
    )
}

impl Room {
    /// Where the lesson is.
    pub fn lesson_phase(&self) -> LessonPhase {
        if self.phase == Phase::Ended {
            LessonPhase::Ended
        } else if self.lesson.started_ms.is_none() {
            LessonPhase::Rehearsal
        } else if self.lesson.pause == Pause::None {
            LessonPhase::Live
        } else {
            LessonPhase::Break
        }
    }

    /// Begins the lesson when its time has come: at once where none was
    /// planned, else as soon as somebody who leads or teaches is connected.
    pub(crate) fn begin_when_due(&mut self) {
        if self.phase != Phase::Open || self.lesson.started_ms.is_some() {
            return;
        }
        let due = match self.config.starts_ms {
            None => true,
            Some(at_ms) => {
                self.now.wall_ms >= at_ms
                    && self
                        .roster
                        .iter()
                        .take_while(|member| member.role.is_staff())
                        .any(|member| member.link().is_some() && leads(member.role))
            }
        };
        if due {
            self.begin_lesson(None);
        }
    }

    fn begin_lesson(&mut self, by: Option<&PersonId>) {
        self.lesson.started_ms = Some(self.now.wall_ms);
        self.record(EventKind::Started { by: by.map(key_of) });
        self.record_by_setting();
        self.tell_room();
    }

    /// Tells everybody what the room is like now, those who wait as well.
    pub(crate) fn tell_room(&mut self) {
        if self.counts().total > 0 {
            self.broadcast(ServerMessage::Room(self.info()));
        }
        for link in self.lobby.links() {
            self.send(link, ServerMessage::Room(self.info()));
        }
    }

    pub(crate) fn mod_start(&mut self, me: &PersonId) -> Outcome {
        self.need(me, Action::Start)?;
        if self.lesson.started_ms.is_none() {
            self.begin_lesson(Some(me));
        }
        Ok(Done::Ok)
    }

    pub(crate) fn mod_break(&mut self, me: &PersonId, on: bool, minutes: Option<u16>) -> Outcome {
        self.need(me, Action::Break)?;
        if minutes.is_some_and(|minutes| !(1..=MAX_BREAK_MIN).contains(&minutes)) {
            return Err(ErrorCode::BadRequest);
        }
        if self.lesson.started_ms.is_none() {
            return Err(ErrorCode::BadRequest);
        }
        if on {
            let pause = minutes.map_or(Pause::Open, |minutes| {
                Pause::Until(Until::after(self.now, u64::from(minutes) * 60_000))
            });
            self.set_pause(pause, Some(me));
        } else if self.lesson.pause != Pause::None {
            self.set_pause(Pause::None, Some(me));
        }
        Ok(Done::Ok)
    }

    fn set_pause(&mut self, pause: Pause, by: Option<&PersonId>) {
        self.lesson.pause = pause;
        self.record(EventKind::Break {
            on: pause != Pause::None,
            by: by.map(key_of),
            until_ms: self.break_until(),
        });
        self.tell_room();
    }

    /// Announced end of the break, ms since the epoch.
    pub(crate) fn break_until(&self) -> Option<u64> {
        match self.lesson.pause {
            Pause::Until(until) => Some(until.wall_ms),
            Pause::None | Pause::Open => None,
        }
    }

    /// Ends a break whose time ran out.
    pub(crate) fn end_break_when_due(&mut self) {
        if let Pause::Until(until) = self.lesson.pause
            && self.now.mono_ms >= until.mono_ms
        {
            self.set_pause(Pause::None, None);
        }
    }

    /// A break as the ledger tells of it.
    pub(crate) fn replay_break(&mut self, on: bool, until_ms: Option<u64>) {
        self.lesson.pause = match until_ms {
            _ if !on => Pause::None,
            None => Pause::Open,
            Some(until_ms) => Pause::Until(Until::wall(self.now, until_ms)),
        };
    }
}
