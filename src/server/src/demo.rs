//! What the demo class shows besides a room: a plan, staff, a roster, and a past
//! session with its attendance. Everybody in it is made up and says so.

use crate::accounts;
use lophoc_classes::demo::{DemoClass, demo_class};
use lophoc_classes::{Day, Excuse, NewStaff, RosterChange, RosterState, SessionForm, UnitId};
use lophoc_ledger::{Event, EventKind, LeaveReason, PersonKey, SessionKey, Stamp};
use lophoc_records::{Author, ClassId, RosterAuthor, RosterHow, SessionState, Store, StoreError};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Vietnam is seven hours ahead of UTC; the past session began at eight there.
const ZONE_MS: u64 = 7 * 60 * MINUTE_MS;
const BEGAN_AT_MS: u64 = 8 * 60 * MINUTE_MS;
const LASTED_MIN: u64 = 150;
/// The break of the past session, minutes after its beginning.
const BREAK_MIN: (u64, u64) = (75, 90);
/// The run of the server that the made-up events belong to: before all real ones.
const BOOT: u64 = 0;

/// Fills the demo class once; later calls do nothing.
///
/// # Errors
/// Those of the store.
pub async fn fill(
    store: &Store,
    class: &ClassId,
    host: &UnitId,
    organiser: &PersonKey,
    now_ms: u64,
) -> Result<(), StoreError> {
    if !store.roster_lines(class).await?.is_empty() {
        return Ok(());
    }
    let began_ms = (now_ms + ZONE_MS) / DAY_MS * DAY_MS - DAY_MS + BEGAN_AT_MS - ZONE_MS;
    let from = Day::of_ms(began_ms, 420).map_err(|bad| StoreError::Damaged(bad.to_string()))?;
    let content = demo_class(host, from);
    let mut plan = content.plan.clone();
    if let Some(known) = store.class(class).await? {
        plan.title = known.plan.title;
        store
            .change_plan(class, plan, known.rev, organiser, now_ms)
            .await?;
    }
    let learners = people(store, class, &content, organiser, now_ms).await?;
    let form = SessionForm {
        title: content.sessions.first().cloned().unwrap_or_default(),
        starts_ms: Some(began_ms),
        ends_ms: Some(began_ms + LASTED_MIN * MINUTE_MS),
        mode: "training".to_owned(),
        rehearsal_min: 30,
        waiting: false,
        counts: true,
        place: String::new(),
        custom: Vec::new(),
        on_sheets: Vec::new(),
    };
    let session = store.add_session(class, &form, organiser, began_ms).await?;
    let scene = Scene {
        session: session.id.clone(),
        began_ms,
        events: Vec::new(),
    };
    let events = scene.play(&session.room, &form.title, organiser, &learners);
    store
        .set_session_state(&session.id, SessionState::Open)
        .await?;
    match store.ledger().append(events).await {
        Ok(written) => written?,
        Err(_) => return Err(StoreError::Stopped),
    }
    store
        .set_session_state(&session.id, SessionState::Ended)
        .await?;
    if let Some((person, ..)) = learners.last() {
        let author = Author {
            by: organiser.clone(),
            name: accounts::DEMO_NAME.to_owned(),
            at_ms: began_ms,
        };
        let excuse = Excuse {
            person: person.clone(),
            reason: "Nghỉ ốm, có đơn".to_owned(),
        };
        store.add_excuses(&session.id, &[excuse], &author).await?;
    }
    Ok(())
}

/// Key, name and unit of a learner.
type Learner = (PersonKey, String, String);

/// Enters everybody; staff to the staff list, the others to the roster.
async fn people(
    store: &Store,
    class: &ClassId,
    content: &DemoClass,
    organiser: &PersonKey,
    now_ms: u64,
) -> Result<Vec<Learner>, StoreError> {
    let (mut learners, mut rows) = (Vec::new(), Vec::new());
    for person in &content.people {
        let key = store.add_person(&person.form, now_ms).await?;
        match person.role {
            Some(role) => {
                let entry = NewStaff {
                    person: key,
                    role,
                    session: None,
                    instead_of: None,
                    learners: Vec::new(),
                };
                store.add_staff(class, &entry, organiser, now_ms).await?;
            }
            None => {
                rows.push(RosterChange {
                    person: key.clone(),
                    state: RosterState::Official,
                    site: false,
                    note: String::new(),
                });
                let (name, unit) = (person.form.name.clone(), person.form.unit_text.clone());
                learners.push((key, name, unit));
            }
        }
    }
    let author = RosterAuthor {
        by: organiser,
        how: RosterHow::Import,
        now_ms,
    };
    store.change_roster(class, &rows, author).await?;
    Ok(learners)
}

/// The past session while it is written.
struct Scene {
    session: SessionKey,
    began_ms: u64,
    events: Vec<(u64, EventKind)>,
}

impl Scene {
    /// `at_s` counts from twenty minutes before the lesson.
    fn at(&mut self, at_s: u64, kind: EventKind) {
        self.events.push((at_s * 1_000, kind));
    }

    fn stamp(&self, mono_ms: u64) -> Stamp {
        Stamp {
            wall_ms: self.began_ms - REHEARSAL_S * 1_000 + mono_ms,
            mono_ms,
            boot: BOOT,
        }
    }

    fn join(&mut self, at_s: u64, (person, name, unit): &Learner) {
        self.at(
            at_s,
            EventKind::Join {
                person: person.clone(),
                name: name.clone(),
                unit: Some(unit.clone()),
                role: "learner".to_owned(),
                device: "demo".to_owned(),
            },
        );
    }

    fn play(
        mut self,
        room: &str,
        title: &str,
        organiser: &PersonKey,
        learners: &[Learner],
    ) -> Vec<Event> {
        let lesson = |minute: u64| REHEARSAL_S + minute * 60;
        let opened = EventKind::Opened {
            room: room.to_owned(),
            title: title.to_owned(),
            host: String::new(),
        };
        self.at(0, opened);
        let by = Some(organiser.clone());
        self.at(lesson(0), EventKind::Started { by: by.clone() });
        for (minute, on) in [(BREAK_MIN.0, true), (BREAK_MIN.1, false)] {
            let until_ms = on.then(|| self.stamp(lesson(BREAK_MIN.1) * 1_000).wall_ms);
            let by = by.clone();
            self.at(lesson(minute), EventKind::Break { on, by, until_ms });
        }
        for (n, learner) in (0_u64..).zip(learners) {
            let person = learner.0.clone();
            // Most come in the ten minutes before the beginning.
            let early = REHEARSAL_S - 600 + n * 17;
            let left = |reason| EventKind::Leave {
                person: learner.0.clone(),
                reason,
            };
            match n {
                5 | 20 => self.join(lesson(11 + n), learner),
                9 | 27 => {
                    self.join(early, learner);
                    self.at(lesson(100 + n), left(LeaveReason::Left));
                }
                12 => {
                    // A link that broke, found out later, and a return.
                    self.join(early, learner);
                    let last_heard = self.stamp(lesson(40) * 1_000);
                    let person = person.clone();
                    self.at(lesson(40) + 25, EventKind::Lapse { person, last_heard });
                    self.at(lesson(41) + 30, left(LeaveReason::Network));
                    self.join(lesson(52), learner);
                }
                15 => {
                    // Short enough for the grace.
                    self.join(early, learner);
                    let last_heard = self.stamp(lesson(30) * 1_000);
                    let lapsed = person.clone();
                    self.at(
                        lesson(30) + 25,
                        EventKind::Lapse {
                            person: lapsed,
                            last_heard,
                        },
                    );
                    self.at(lesson(30) + 40, EventKind::Return { person });
                }
                33 | 35 => {}
                _ => self.join(early, learner),
            }
        }
        self.at(lesson(LASTED_MIN), EventKind::Ended { by });
        let mut kinds = std::mem::take(&mut self.events);
        kinds.sort_by_key(|(mono_ms, _)| *mono_ms);
        (1..)
            .zip(kinds)
            .map(|(seq, (mono_ms, kind))| Event {
                session: self.session.clone(),
                seq,
                at: self.stamp(mono_ms),
                kind,
            })
            .collect()
    }
}

/// Length of the rehearsal of the past session, seconds.
const REHEARSAL_S: u64 = 20 * 60;
