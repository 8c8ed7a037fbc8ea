//! Life cycles of classes and sessions (domain: 2.2), the six-month rule, and
//! the readiness check. Forbidden steps are refused with the reason.

use crate::class::{ClassKind, ClassState, ClassStep, SessionPhase, StepRefused};
use crate::day::Day;

/// Calendar months for which materials stay open after a class is finished:
/// "tối thiểu 6 tháng" (TT21 Điều 10.8).
pub const OPEN_MONTHS: u32 = 6;

/// What a step looks at, counted by the caller at the moment of the step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepFacts {
    /// Number and day of the plan are entered.
    pub plan_numbered: bool,
    /// Trainers on the staff list that stand, of the class or of a session; for
    /// a meeting its chair counts.
    pub trainers: u32,
    /// Sessions that are not cancelled.
    pub sessions: u32,
    /// Sessions in rehearsal, running or in a break.
    pub live: u32,
    /// Sessions that are neither ended nor cancelled, live ones included.
    pub unended: u32,
    /// Sessions held that count and whose attendance has no frozen version.
    pub unfrozen: u32,
    /// People on the roster that are not withdrawn.
    pub people: u32,
    /// Protection of the class, set when it was finished.
    pub open_until: Option<Day>,
    /// Today where the installation stands; absent counts as protected.
    pub today: Option<Day>,
    /// The request names a document: the approval of a destruction.
    pub document: bool,
}

impl ClassState {
    /// All states.
    pub const ALL: [Self; 15] = [
        Self::Draft,
        Self::Submitted,
        Self::Approved,
        Self::Preparing,
        Self::Open,
        Self::Announced,
        Self::Running,
        Self::Finished,
        Self::Grading,
        Self::Published,
        Self::MaterialsOpen,
        Self::Archived,
        Self::Destroyed,
        Self::Postponed,
        Self::Cancelled,
    ];

    /// Name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Preparing => "preparing",
            Self::Open => "open",
            Self::Announced => "announced",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Grading => "grading",
            Self::Published => "published",
            Self::MaterialsOpen => "materialsOpen",
            Self::Archived => "archived",
            Self::Destroyed => "destroyed",
            Self::Postponed => "postponed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The class has not come to its end: sessions may be added and held.
    pub fn before_end(self) -> bool {
        matches!(
            self,
            Self::Draft
                | Self::Submitted
                | Self::Approved
                | Self::Preparing
                | Self::Open
                | Self::Announced
                | Self::Running
        )
    }

    /// The step's result by the state alone; `None`: no such step from here.
    fn target(self, step: ClassStep) -> Option<Self> {
        let target = match (self, step) {
            (Self::Draft, ClassStep::Submit) => Self::Submitted,
            (Self::Submitted, ClassStep::Return) => Self::Draft,
            (Self::Submitted, ClassStep::Approve) => Self::Approved,
            (Self::Approved, ClassStep::Prepare) => Self::Preparing,
            (Self::Preparing, ClassStep::Open) => Self::Open,
            (Self::Open, ClassStep::Announce) => Self::Announced,
            (Self::Open | Self::Announced, ClassStep::Run) => Self::Running,
            (Self::Running, ClassStep::Finish) => Self::Finished,
            (Self::Finished, ClassStep::Grade) => Self::Grading,
            (Self::Grading, ClassStep::Publish) => Self::Published,
            (Self::Published, ClassStep::OpenMaterials) => Self::MaterialsOpen,
            (Self::MaterialsOpen, ClassStep::Archive) => Self::Archived,
            (Self::Archived, ClassStep::Destroy) => Self::Destroyed,
            (state, ClassStep::Postpone) if state.before_end() => Self::Postponed,
            (Self::Postponed, ClassStep::Resume) => Self::Preparing,
            (Self::Postponed, ClassStep::Cancel) => Self::Cancelled,
            (state, ClassStep::Cancel) if state.before_end() => Self::Cancelled,
            _ => return None,
        };
        Some(target)
    }

    /// Takes a step. [`ClassStep::Finish`] goes with setting
    /// [`open_until`]; opening is never refused for what the readiness check
    /// finds, it warns (TT21 Điều 4: the check is logged).
    ///
    /// # Errors
    /// The first reason that stands against it.
    pub fn step(self, step: ClassStep, facts: &StepFacts) -> Result<Self, StepRefused> {
        let target = self.target(step).ok_or(StepRefused::WrongState)?;
        let refuse = |when: bool, why: StepRefused| if when { Err(why) } else { Ok(()) };
        match step {
            // A class that was postponed as a draft must not pass the approval.
            ClassStep::Approve | ClassStep::Resume => {
                refuse(!facts.plan_numbered, StepRefused::NoPlan)?;
            }
            // The notice says who teaches, when, and goes to somebody.
            ClassStep::Announce => {
                refuse(facts.sessions == 0, StepRefused::NoSession)?;
                refuse(facts.trainers == 0, StepRefused::NoTrainer)?;
                refuse(facts.people == 0, StepRefused::NoRoster)?;
            }
            ClassStep::Run => refuse(facts.sessions == 0, StepRefused::NoSession)?,
            ClassStep::Finish => refuse(facts.unended > 0, StepRefused::SessionOpen)?,
            ClassStep::Publish => refuse(facts.unfrozen > 0, StepRefused::NotFrozen)?,
            ClassStep::Archive => refuse(
                is_protected(facts.open_until, facts.today),
                StepRefused::Protected,
            )?,
            ClassStep::Destroy => {
                refuse(
                    is_protected(facts.open_until, facts.today),
                    StepRefused::Protected,
                )?;
                refuse(!facts.document, StepRefused::NoApproval)?;
            }
            // Nobody is put out of a lesson by a change of paper.
            ClassStep::Postpone | ClassStep::Cancel => {
                refuse(facts.live > 0, StepRefused::SessionOpen)?;
            }
            ClassStep::Submit
            | ClassStep::Return
            | ClassStep::Prepare
            | ClassStep::Open
            | ClassStep::Grade
            | ClassStep::OpenMaterials => {}
        }
        Ok(target)
    }

    /// Steps the state has, in order of [`ClassStep::ALL`], whatever the facts.
    pub fn steps(self) -> Vec<ClassStep> {
        let all = ClassStep::ALL.into_iter();
        all.filter(|step| self.target(*step).is_some()).collect()
    }

    /// Steps that would succeed now.
    pub fn steps_now(self, facts: &StepFacts) -> Vec<ClassStep> {
        let all = ClassStep::ALL.into_iter();
        all.filter(|step| self.step(*step, facts).is_ok()).collect()
    }
}

impl ClassStep {
    /// All steps.
    pub const ALL: [Self; 16] = [
        Self::Submit,
        Self::Return,
        Self::Approve,
        Self::Prepare,
        Self::Open,
        Self::Announce,
        Self::Run,
        Self::Finish,
        Self::Grade,
        Self::Publish,
        Self::OpenMaterials,
        Self::Archive,
        Self::Destroy,
        Self::Postpone,
        Self::Resume,
        Self::Cancel,
    ];
}

/// Last day on which a class finished on `close` is protected: six calendar
/// months later, the end of a month staying the end (TT21 Điều 10.8).
pub fn open_until(close: Day) -> Day {
    close.plus_months(OPEN_MONTHS)
}

/// Whether protection stands on `today`. The last day counts in full, as terms
/// in months do. A class without an end of protection, or a day that is not
/// known, is protected: what is deleted does not come back.
pub fn is_protected(open_until: Option<Day>, today: Option<Day>) -> bool {
    match (open_until, today) {
        (Some(until), Some(today)) => today <= until,
        _ => true,
    }
}

/// A step in the life of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionStep {
    /// Scheduled → rehearsal: the room opens (kết nối thử).
    OpenRoom,
    /// Rehearsal → scheduled: the room closed again without a lesson.
    CloseRoom,
    /// Scheduled or rehearsal → running. Ended → running: ended by mistake, it
    /// stays the same session.
    Start,
    /// Running → break.
    Pause,
    /// Break → running.
    Continue,
    /// Running or break → ended.
    End,
    /// Ended, or frozen before → frozen; needs a version of the attendance.
    Freeze,
    /// Frozen → exported; stays exported when exported again.
    Export,
    /// Scheduled or rehearsal → cancelled.
    Cancel,
}

impl SessionStep {
    /// All steps.
    pub const ALL: [Self; 9] = [
        Self::OpenRoom,
        Self::CloseRoom,
        Self::Start,
        Self::Pause,
        Self::Continue,
        Self::End,
        Self::Freeze,
        Self::Export,
        Self::Cancel,
    ];
}

impl SessionPhase {
    /// All phases.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Rehearsal,
        Self::Running,
        Self::Break,
        Self::Ended,
        Self::Frozen,
        Self::Exported,
        Self::Cancelled,
    ];

    /// Name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Rehearsal => "rehearsal",
            Self::Running => "running",
            Self::Break => "break",
            Self::Ended => "ended",
            Self::Frozen => "frozen",
            Self::Exported => "exported",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// The room is open: rehearsal, lesson or break.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Rehearsal | Self::Running | Self::Break)
    }

    /// The lesson was held to its end.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Ended | Self::Frozen | Self::Exported)
    }

    /// Takes a step.
    ///
    /// # Errors
    /// [`StepRefused::WrongState`] when the phase has no such step.
    pub fn step(self, step: SessionStep) -> Result<Self, StepRefused> {
        let target = match (self, step) {
            (Self::Scheduled, SessionStep::OpenRoom) => Self::Rehearsal,
            (Self::Rehearsal, SessionStep::CloseRoom) => Self::Scheduled,
            (Self::Scheduled | Self::Rehearsal | Self::Ended, SessionStep::Start) => Self::Running,
            (Self::Running, SessionStep::Pause) => Self::Break,
            (Self::Break, SessionStep::Continue) => Self::Running,
            (Self::Running | Self::Break, SessionStep::End) => Self::Ended,
            (Self::Ended | Self::Frozen | Self::Exported, SessionStep::Freeze) => Self::Frozen,
            (Self::Frozen | Self::Exported, SessionStep::Export) => Self::Exported,
            (Self::Scheduled | Self::Rehearsal, SessionStep::Cancel) => Self::Cancelled,
            _ => return Err(StepRefused::WrongState),
        };
        Ok(target)
    }

    /// Steps the phase has.
    pub fn steps(self) -> Vec<SessionStep> {
        let all = SessionStep::ALL.into_iter();
        all.filter(|step| self.step(*step).is_ok()).collect()
    }
}

impl ClassKind {
    /// Rules of TT21 on training classes apply: decision, adviser, test.
    pub fn is_taught(self) -> bool {
        matches!(self, Self::Training | Self::Pupils)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// Everything is as every step wants it.
    fn good() -> StepFacts {
        StepFacts {
            plan_numbered: true,
            trainers: 1,
            sessions: 2,
            people: 30,
            open_until: Some(day("2026-03-01")),
            today: Some(day("2026-03-02")),
            document: true,
            ..StepFacts::default()
        }
    }

    /// The picture of domain 2.2: every pair of state and step.
    fn table() -> BTreeMap<(&'static str, usize), ClassState> {
        use ClassState as S;
        use ClassStep as T;
        let mut table = BTreeMap::new();
        let mut put = |from: S, step: T, to: S| {
            let number = T::ALL.iter().position(|one| *one == step).unwrap();
            table.insert((from.as_str(), number), to);
        };
        put(S::Draft, T::Submit, S::Submitted);
        put(S::Submitted, T::Return, S::Draft);
        put(S::Submitted, T::Approve, S::Approved);
        put(S::Approved, T::Prepare, S::Preparing);
        put(S::Preparing, T::Open, S::Open);
        put(S::Open, T::Announce, S::Announced);
        put(S::Open, T::Run, S::Running);
        put(S::Announced, T::Run, S::Running);
        put(S::Running, T::Finish, S::Finished);
        put(S::Finished, T::Grade, S::Grading);
        put(S::Grading, T::Publish, S::Published);
        put(S::Published, T::OpenMaterials, S::MaterialsOpen);
        put(S::MaterialsOpen, T::Archive, S::Archived);
        put(S::Archived, T::Destroy, S::Destroyed);
        for from in [
            S::Draft,
            S::Submitted,
            S::Approved,
            S::Preparing,
            S::Open,
            S::Announced,
            S::Running,
        ] {
            put(from, T::Postpone, S::Postponed);
            put(from, T::Cancel, S::Cancelled);
        }
        put(S::Postponed, T::Resume, S::Preparing);
        put(S::Postponed, T::Cancel, S::Cancelled);
        table
    }

    #[test]
    fn each_pair_of_state_and_step_goes_where_the_picture_says_or_is_refused() {
        let table = table();
        let mut allowed = 0;
        for state in ClassState::ALL {
            let mut steps = Vec::new();
            for (number, step) in ClassStep::ALL.into_iter().enumerate() {
                let expected = table.get(&(state.as_str(), number)).copied();
                let got = state.step(step, &good());
                assert_eq!(
                    got,
                    expected.ok_or(StepRefused::WrongState),
                    "{state:?} {step:?}"
                );
                if got.is_ok() {
                    allowed += 1;
                    steps.push(step);
                }
            }
            assert_eq!(state.steps(), steps, "{state:?}");
            assert_eq!(state.steps_now(&good()), steps, "{state:?}");
        }
        assert_eq!(allowed, table.len());
        assert!(ClassState::Destroyed.steps().is_empty());
        assert!(ClassState::Cancelled.steps().is_empty());
    }

    #[test]
    fn steps_are_refused_for_the_first_fact_that_stands_against_them() {
        use ClassState as S;
        use ClassStep as T;
        let none = StepFacts::default();
        let refused = |state: S, step: T, facts: &StepFacts| state.step(step, facts).unwrap_err();
        assert_eq!(
            refused(S::Submitted, T::Approve, &none),
            StepRefused::NoPlan
        );
        assert_eq!(refused(S::Postponed, T::Resume, &none), StepRefused::NoPlan);
        assert_eq!(refused(S::Open, T::Announce, &none), StepRefused::NoSession);
        assert_eq!(refused(S::Open, T::Run, &none), StepRefused::NoSession);
        let held = StepFacts {
            sessions: 1,
            ..none
        };
        assert_eq!(refused(S::Open, T::Announce, &held), StepRefused::NoTrainer);
        let taught = StepFacts {
            trainers: 1,
            ..held
        };
        assert_eq!(
            refused(S::Open, T::Announce, &taught),
            StepRefused::NoRoster
        );
        let open = StepFacts {
            unended: 1,
            ..good()
        };
        assert_eq!(
            refused(S::Running, T::Finish, &open),
            StepRefused::SessionOpen
        );
        let live = StepFacts { live: 1, ..good() };
        for step in [T::Postpone, T::Cancel] {
            assert_eq!(
                refused(S::Running, step, &live),
                StepRefused::SessionOpen,
                "{step:?}"
            );
        }
        let loose = StepFacts {
            unfrozen: 1,
            ..good()
        };
        assert_eq!(
            refused(S::Grading, T::Publish, &loose),
            StepRefused::NotFrozen
        );
        let early = StepFacts {
            today: Some(day("2026-03-01")),
            ..good()
        };
        assert_eq!(
            refused(S::MaterialsOpen, T::Archive, &early),
            StepRefused::Protected
        );
        assert_eq!(
            refused(S::Archived, T::Destroy, &early),
            StepRefused::Protected
        );
        let quiet = StepFacts {
            document: false,
            ..good()
        };
        assert_eq!(
            refused(S::Archived, T::Destroy, &quiet),
            StepRefused::NoApproval
        );
        assert!(!S::Archived.steps_now(&quiet).contains(&T::Destroy));
    }

    #[test]
    fn a_class_opens_whatever_is_missing() {
        assert_eq!(
            ClassState::Preparing.step(ClassStep::Open, &StepFacts::default()),
            Ok(ClassState::Open)
        );
    }

    #[test]
    fn six_months_are_calendar_months_and_keep_the_end_of_the_month() {
        for (close, until) in [
            ("2026-03-06", "2026-09-06"),
            ("2026-08-31", "2027-02-28"),
            ("2027-08-31", "2028-02-29"),
            ("2026-12-31", "2027-06-30"),
            ("2026-07-01", "2027-01-01"),
        ] {
            assert_eq!(open_until(day(close)), day(until), "{close}");
        }
    }

    #[test]
    fn the_last_day_is_protected_and_what_is_unknown_too() {
        let until = Some(day("2026-09-06"));
        assert!(is_protected(until, Some(day("2026-09-06"))));
        assert!(!is_protected(until, Some(day("2026-09-07"))));
        assert!(is_protected(None, Some(day("2026-09-07"))));
        assert!(is_protected(until, None));
    }

    #[test]
    fn each_pair_of_phase_and_step_of_a_session() {
        use SessionPhase as P;
        use SessionStep as T;
        let allowed = [
            (P::Scheduled, T::OpenRoom, P::Rehearsal),
            (P::Rehearsal, T::CloseRoom, P::Scheduled),
            (P::Scheduled, T::Start, P::Running),
            (P::Rehearsal, T::Start, P::Running),
            (P::Ended, T::Start, P::Running),
            (P::Running, T::Pause, P::Break),
            (P::Break, T::Continue, P::Running),
            (P::Running, T::End, P::Ended),
            (P::Break, T::End, P::Ended),
            (P::Ended, T::Freeze, P::Frozen),
            (P::Frozen, T::Freeze, P::Frozen),
            (P::Exported, T::Freeze, P::Frozen),
            (P::Frozen, T::Export, P::Exported),
            (P::Exported, T::Export, P::Exported),
            (P::Scheduled, T::Cancel, P::Cancelled),
            (P::Rehearsal, T::Cancel, P::Cancelled),
        ];
        for phase in P::ALL {
            for step in T::ALL {
                let to = allowed
                    .iter()
                    .find(|(from, by, _)| (*from, *by) == (phase, step))
                    .map(|(_, _, to)| *to);
                assert_eq!(
                    phase.step(step),
                    to.ok_or(StepRefused::WrongState),
                    "{phase:?} {step:?}"
                );
                assert_eq!(phase.steps().contains(&step), to.is_some());
            }
        }
        // Frozen attendance is evidence: the lesson cannot be taken up again.
        assert!(P::Frozen.step(T::Start).is_err());
    }

    #[test]
    fn names_are_those_of_json() {
        for state in ClassState::ALL {
            assert_eq!(
                serde_json::to_value(state).unwrap().as_str(),
                Some(state.as_str())
            );
            assert_eq!(ClassState::from_name(state.as_str()), Some(state));
        }
        for phase in SessionPhase::ALL {
            assert_eq!(
                serde_json::to_value(phase).unwrap().as_str(),
                Some(phase.as_str())
            );
            assert_eq!(SessionPhase::from_name(phase.as_str()), Some(phase));
        }
        assert_eq!(ClassState::from_name("lost"), None);
    }
}
