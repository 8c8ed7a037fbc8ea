//! Everything the sheets of a session are made of, gathered from the records
//! and computed. Frozen versions are these facts as JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lophoc_classes::{
    Class, ClassForm, Day, Delegate, DutyEntry, Grant, Incident, Session, SessionPhase,
    StaffMember, StaffRole, UnitId,
};
use lophoc_documents::sha256_hex;
use lophoc_ledger::{
    Activity, Adjustment, EventKind, HallMark, PersonKey, PollRecord, RecordingSpan, Report,
    SessionKey, Stamp, activity, attendance, polls, recordings, totals,
};
use lophoc_records::{AttendanceInput, Listed, Store, StoreError, last_marks};
use serde::{Deserialize, Serialize};

/// Version of the form of [`Facts`] in JSON. Fields are only ever added.
pub const FACTS_SCHEMA: &str = "lophoc.attendance/1";

/// The class as the head of a sheet names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassFacts {
    /// Id.
    pub id: String,
    /// Tên lớp.
    pub title: String,
    /// Mã lớp.
    pub code: String,
    /// Đơn vị chủ trì.
    pub host: String,
    /// Cơ quan chủ quản.
    pub parent_unit: Option<String>,
    /// Địa danh.
    pub place: Option<String>,
    /// Kế hoạch: số, ký hiệu.
    pub plan_no: String,
    /// … day.
    pub plan_day: Option<Day>,
    /// Hình thức.
    pub form: ClassForm,
    /// Own fields that stand on the sheets: name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
    /// Names of own fields of people that are columns of the sheets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people_fields: Vec<String>,
}

impl ClassFacts {
    /// Of a class; `parent_unit` and `place` are those of its host.
    pub fn new(class: &Class, parent_unit: Option<String>, place: Option<String>) -> Self {
        Self {
            id: class.id.0.clone(),
            title: class.plan.title.clone(),
            code: class.plan.code.clone(),
            host: class.host_name.clone(),
            parent_unit,
            place,
            plan_no: class.plan.plan_no.clone(),
            plan_day: class.plan.plan_day,
            form: class.plan.form,
            fields: class.plan.sheet_fields(),
            people_fields: class.plan.people_on_sheets.clone(),
        }
    }
}

/// The session as the head of a sheet names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFacts {
    /// Id.
    pub id: SessionKey,
    /// Number in the class.
    pub no: u32,
    /// Nội dung.
    pub title: String,
    /// Room.
    pub room: String,
    /// Place where people meet in person.
    pub place: String,
    /// Planned beginning, ms.
    pub starts_ms: Option<u64>,
    /// Planned end, ms.
    pub ends_ms: Option<u64>,
    /// Counts for the class.
    pub counts: bool,
    /// Own fields that stand on the sheets: name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}

/// Somebody on the staff of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaffFacts {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Role.
    pub role: StaffRole,
    /// Instead of whom.
    pub instead_of: Option<PersonKey>,
}

/// Somebody on the roster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersonFacts {
    /// Name.
    pub name: String,
    /// Explicit key to sort by.
    pub sort: Option<String>,
    /// Key identifier.
    pub identifier: String,
    /// Day of birth.
    pub born: Option<Day>,
    /// Post.
    pub position: String,
    /// Unit in the tree.
    pub unit: Option<UnitId>,
    /// Unit to show.
    pub unit_name: String,
    /// Is a site.
    pub site: bool,
    /// People of the roster who belong to the site.
    pub expected: u32,
    /// Own fields that are columns of the sheets, by name; no others are kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// Everything the sheets of a session are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// [`FACTS_SCHEMA`].
    pub schema: String,
    /// Class.
    pub class: ClassFacts,
    /// Session.
    pub session: SessionFacts,
    /// Staff of the session.
    pub staff: Vec<StaffFacts>,
    /// Attendance.
    pub report: Report,
    /// What everybody did.
    pub activity: Activity,
    /// The roster the attendance was taken by.
    pub people: BTreeMap<PersonKey, PersonFacts>,
    /// Substitutes.
    pub delegates: Vec<Delegate>,
    /// Corrections.
    pub adjustments: Vec<Adjustment>,
    /// Ticks at sites.
    pub hall: Vec<HallMark>,
    /// Polls, quizzes and votes with their results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polls: Vec<PollRecord>,
    /// Recordings as they were announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<RecordingSpan>,
    /// Incident log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Incident>,
    /// Technical duty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duty: Vec<DutyEntry>,
}

/// Facts with what only this server needs beside them.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Class.
    pub class: Class,
    /// Session.
    pub session: Session,
    /// The facts.
    pub facts: Facts,
    /// Of each unit of the roster: itself and all above it.
    pub lines: HashMap<UnitId, HashSet<UnitId>>,
    /// Phones, for calling absentees.
    pub phones: HashMap<PersonKey, String>,
    /// Who was sent out of the room and not let in since.
    pub away: HashSet<PersonKey>,
    /// Hash of what stands, to see whether something changed since a freeze.
    pub stands: String,
}

/// Gathers and computes. `now`: the clocks of this server, when it runs the
/// session's room.
///
/// # Errors
/// The store's; [`StoreError::UnknownSession`].
pub async fn gather(
    store: &Store,
    id: &SessionKey,
    now: Option<Stamp>,
) -> Result<Gathered, StoreError> {
    let unknown = || StoreError::UnknownSession(id.clone());
    let session = store.lesson(id).await?.ok_or_else(unknown)?;
    let class = store.class(&session.class).await?.ok_or_else(unknown)?;
    let (input, listed) = store.attendance_input(id).await?;
    let staff = staff_in(&store.staff(&class.id).await?, id);
    let delegates = store.delegates(id).await?;
    let incidents = store.incidents(id).await?;
    let (_, duty) = store.duty(id).await?;
    let units: BTreeSet<UnitId> = listed.iter().filter_map(|one| one.unit.clone()).collect();
    let lines = store.unit_lines(&units).await?;
    let (parent_unit, place) = match &class.plan.host {
        Some(host) => store.letterhead(host).await?,
        None => (None, None),
    };
    let over = matches!(
        session.phase,
        SessionPhase::Ended
            | SessionPhase::Frozen
            | SessionPhase::Exported
            | SessionPhase::Cancelled
    );
    let now = now.filter(|_| !over);
    let computed = tokio::task::spawn_blocking(move || {
        compute(
            Parts {
                class,
                session,
                input,
                listed,
                staff,
                delegates,
                incidents,
                duty,
                lines,
                parent_unit,
                place,
            },
            now,
        )
    });
    computed
        .await
        .map_err(|error| StoreError::Damaged(format!("attendance was not computed: {error}")))
}

struct Parts {
    class: Class,
    session: Session,
    input: AttendanceInput,
    listed: Vec<Listed>,
    staff: Vec<StaffFacts>,
    delegates: Vec<Delegate>,
    incidents: Vec<Incident>,
    duty: Vec<DutyEntry>,
    lines: HashMap<UnitId, HashSet<UnitId>>,
    parent_unit: Option<String>,
    place: Option<String>,
}

fn compute(parts: Parts, now: Option<Stamp>) -> Gathered {
    let Parts {
        class,
        session,
        input,
        listed,
        staff,
        delegates,
        incidents,
        duty,
        lines,
        parent_unit,
        place,
    } = parts;
    let report = attendance(&input.input(now));
    let activity = activity(&input.input(now), session.form.starts_ms);
    let away = sent_away(&input);
    let phones = listed
        .iter()
        .map(|one| (one.person.clone(), one.phone.clone()))
        .collect();
    let people = people_of(listed, &lines, &class.plan.people_on_sheets);
    let said = serde_json::to_string(&(&report, &delegates)).unwrap_or_default();
    let facts = Facts {
        schema: FACTS_SCHEMA.to_owned(),
        class: ClassFacts::new(&class, parent_unit, place),
        session: SessionFacts {
            id: session.id.clone(),
            no: session.no,
            title: session.form.title.clone(),
            room: session.room.clone(),
            place: session.form.place.clone(),
            starts_ms: session.form.starts_ms,
            ends_ms: session.form.ends_ms,
            counts: session.form.counts,
            fields: session.form.sheet_fields(),
        },
        staff,
        report,
        activity,
        people,
        delegates,
        adjustments: input.adjustments,
        hall: input.hall,
        polls: polls(&input.events),
        recordings: recordings(&input.events, &input.presence),
        incidents,
        duty,
    };
    Gathered {
        class,
        session,
        facts,
        lines,
        phones,
        away,
        stands: sha256_hex(said.as_bytes()),
    }
}

fn people_of(
    listed: Vec<Listed>,
    lines: &HashMap<UnitId, HashSet<UnitId>>,
    columns: &[String],
) -> BTreeMap<PersonKey, PersonFacts> {
    // How many people of the roster are of a unit or below it; of units that
    // are in no tree, by their names.
    let mut below: HashMap<&UnitId, u32> = HashMap::new();
    let mut named: HashMap<&str, u32> = HashMap::new();
    for one in listed.iter().filter(|one| !one.site) {
        match one.unit.as_ref().and_then(|unit| lines.get(unit)) {
            Some(line) => {
                for unit in line {
                    *below.entry(unit).or_default() += 1;
                }
            }
            None => *named.entry(one.unit_name.as_str()).or_default() += 1,
        }
    }
    let expected: Vec<u32> = listed
        .iter()
        .map(|one| match &one.unit {
            _ if !one.site => 0,
            Some(unit) => below.get(unit).copied().unwrap_or_default(),
            None => named
                .get(one.unit_name.as_str())
                .copied()
                .unwrap_or_default(),
        })
        .collect();
    listed
        .into_iter()
        .zip(expected)
        .map(|(one, expected)| {
            let facts = PersonFacts {
                name: one.name,
                sort: one.sort,
                identifier: one.identifier,
                born: one.born,
                position: one.position,
                unit: one.unit,
                unit_name: one.unit_name,
                site: one.site,
                expected,
                fields: one
                    .custom
                    .into_iter()
                    // Of two of the same name the first stands.
                    .rev()
                    .filter(|(name, value)| !value.is_empty() && columns.contains(name))
                    .collect(),
            };
            (one.person, facts)
        })
        .collect()
}

/// Who was removed and has not come in since.
fn sent_away(input: &AttendanceInput) -> HashSet<PersonKey> {
    let mut away = HashSet::new();
    for event in &input.events {
        match &event.kind {
            EventKind::Removed { person, .. } => {
                away.insert(person.clone());
            }
            EventKind::Join { person, .. } => {
                away.remove(person);
            }
            _ => {}
        }
    }
    away
}

/// Staff of a session: its own, and that of the class whose role nobody has
/// instead of them there.
pub fn staff_in(staff: &[StaffMember], session: &SessionKey) -> Vec<StaffFacts> {
    let own: Vec<&StaffMember> = staff
        .iter()
        .filter(|one| one.ended_ms.is_none() && one.session.as_ref() == Some(session))
        .collect();
    staff
        .iter()
        .filter(|one| one.ended_ms.is_none())
        .filter(|one| match &one.session {
            Some(of) => of == session,
            None => !own
                .iter()
                .any(|sub| sub.role == one.role && sub.instead_of.as_ref() == Some(&one.person)),
        })
        .map(|one| StaffFacts {
            person: one.person.clone(),
            name: one.name.clone(),
            unit: one.unit.clone(),
            role: one.role,
            instead_of: one.instead_of.clone(),
        })
        .collect()
}

impl Gathered {
    /// Whether a grant reaches a person.
    pub fn reaches(&self, grant: &Grant, person: &PersonKey) -> bool {
        reach(&self.facts.people, &self.lines, grant, person)
    }

    /// Whether a unit is one of these or below one of them.
    pub fn in_any(&self, unit: &UnitId, units: &BTreeSet<UnitId>) -> bool {
        units.contains(unit)
            || self
                .lines
                .get(unit)
                .is_some_and(|line| line.iter().any(|above| units.contains(above)))
    }

    /// Whether a person of the roster belongs to a site: is of its unit or
    /// below it.
    pub fn belongs(&self, person: &PersonFacts, site: &PersonFacts) -> bool {
        if person.site {
            return false;
        }
        match (&site.unit, &person.unit) {
            (Some(unit), Some(own)) => {
                own == unit || self.lines.get(own).is_some_and(|line| line.contains(unit))
            }
            (None, _) | (_, None) => {
                !site.unit_name.is_empty() && site.unit_name == person.unit_name
            }
        }
    }

    /// The facts a grant reaches. Totals are of these people.
    pub fn cut(&self, grant: &Grant) -> Facts {
        if grant.all {
            return self.facts.clone();
        }
        cut(&self.facts, |person| self.reaches(grant, person))
    }
}

/// Whether a grant reaches a person of a roster. `lines`: of each unit, itself
/// and all above it.
pub fn reach(
    people: &BTreeMap<PersonKey, PersonFacts>,
    lines: &HashMap<UnitId, HashSet<UnitId>>,
    grant: &Grant,
    person: &PersonKey,
) -> bool {
    if grant.all || grant.people.contains(person) {
        return true;
    }
    if grant.units.is_empty() {
        return false;
    }
    people
        .get(person)
        .and_then(|one| one.unit.as_ref())
        .is_some_and(|unit| {
            grant.units.contains(unit)
                || lines
                    .get(unit)
                    .is_some_and(|line| line.iter().any(|above| grant.units.contains(above)))
        })
}

/// Facts of the people `visible` alone, and of the sites they sit at.
pub fn cut(facts: &Facts, visible: impl Fn(&PersonKey) -> bool) -> Facts {
    let mut own = facts.clone();
    own.report.rows.retain(|row| visible(&row.person));
    own.report.totals = totals(&own.report.rows);
    let sites: HashSet<PersonKey> = own
        .report
        .rows
        .iter()
        .filter_map(|row| row.site.clone())
        .collect();
    own.people
        .retain(|person, _| visible(person) || sites.contains(person));
    // A site out of reach is there for its name alone.
    for (person, one) in &mut own.people {
        if !visible(person) {
            one.fields.clear();
        }
    }
    own.delegates.retain(|one| visible(&one.invited));
    own.adjustments.retain(|one| visible(&one.person));
    own.hall.retain(|mark| visible(&mark.person));
    // Their sums are of everybody.
    own.polls.clear();
    own.activity.people.clear();
    own.activity.floor.clear();
    own
}

/// People ticked in at each site now.
pub fn ticked(hall: &[HallMark]) -> HashMap<Option<&PersonKey>, u32> {
    let mut counts = HashMap::new();
    for mark in last_marks(hall).into_values().filter(|mark| mark.on) {
        *counts.entry(mark.site.as_ref()).or_default() += 1;
    }
    counts
}
