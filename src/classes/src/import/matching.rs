//! Who an entry is (domain: 2.5): by sector identifier, then personal number,
//! then local identifier; by name, day of birth and unit only after a person
//! has confirmed it; never by name alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lophoc_ledger::{PersonKey, match_name};

use super::heading::Field;
use super::rows::field_of;
use super::{Entry, OnProgress, Progress, Refused, Sheet, Stage};
use crate::person::{Gender, Identifier, IdentifierKind, Person, PersonForm};
use crate::rest::{ImportAction, ImportCounts, ImportPreview, ImportRow};
use crate::roster::RosterState;
use crate::unit::UnitId;

/// A person's row of the roster as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnRoster {
    /// State.
    pub state: RosterState,
    /// Is a site.
    pub site: bool,
    /// Note.
    pub note: String,
}

/// What the installation knows of the people a file may mean.
#[derive(Debug, Clone, Default)]
pub struct KnownPeople {
    /// Everybody on the roster and everybody [`Sheet::wanted`] asks for,
    /// identifiers unmasked.
    pub people: Vec<Person>,
    /// The roster, withdrawn rows included.
    pub roster: BTreeMap<PersonKey, OnRoster>,
    /// Units by [`match_name`] of their full name; names of two units left out.
    pub units: BTreeMap<String, UnitId>,
    /// Issuer of local identifiers in the file: the host of the class.
    pub local_issuer: String,
    /// The importer may touch people of these units only; absent: everybody.
    pub only_units: Option<BTreeSet<UnitId>>,
    /// Beside those units: these people (own learners of an adviser).
    pub only_people: BTreeSet<PersonKey>,
}

/// An import that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What is shown.
    pub preview: ImportPreview,
    /// Rows in the order of the preview, units and issuers filled in.
    pub(super) entries: Vec<Entry>,
    /// People of the roster who are no sites.
    pub(super) roster: BTreeMap<PersonKey, OnRoster>,
}

/// `001099012345` → `0010******45`.
pub fn mask(personal: &str) -> String {
    let count = personal.chars().count();
    let shown = |place: usize| count >= 8 && (place < 4 || place + 2 >= count);
    let letters = personal.chars().enumerate();
    letters
        .map(|(place, c)| if shown(place) { c } else { '*' })
        .collect()
}

struct Index<'a> {
    known: &'a KnownPeople,
    by_id: HashMap<(IdentifierKind, &'a str, &'a str), &'a Person>,
    by_name: HashMap<String, Vec<&'a Person>>,
}

/// What was found out about an entry.
struct Found<'a> {
    person: Option<&'a Person>,
    by: &'static str,
    ask: bool,
}

/// Compares a file with known people and the roster.
///
/// # Errors
/// [`Refused::Stopped`].
pub fn preview(
    sheet: &Sheet,
    known: &KnownPeople,
    progress: OnProgress<'_>,
) -> Result<Prepared, Refused> {
    let mut progress = Progress(progress);
    let mut index = Index {
        known,
        by_id: HashMap::new(),
        by_name: HashMap::new(),
    };
    for person in &known.people {
        for id in &person.form.identifiers {
            index.by_id.insert((id.kind, &id.issuer, &id.value), person);
        }
        let name = match_name(&person.form.name);
        index.by_name.entry(name).or_default().push(person);
    }

    let mut entries = sheet.entries.clone();
    let total = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let mut found = Vec::with_capacity(entries.len());
    for (done, entry) in (1_u32..).zip(&mut entries) {
        if done.is_multiple_of(100) || done == total {
            progress.at(Stage::Matching, done, total)?;
        }
        for id in &mut entry.form.identifiers {
            if id.kind == IdentifierKind::Local {
                id.issuer.clone_from(&known.local_issuer);
            }
        }
        entry.form.unit = known.units.get(&match_name(&entry.form.unit_text)).cloned();
        found.push(index.find(entry, sheet));
    }
    refuse_twice(&mut entries, &found, sheet);

    let mut counts = ImportCounts::default();
    let mut rows = Vec::with_capacity(entries.len());
    let mut seen: BTreeSet<&PersonKey> = BTreeSet::new();
    for (entry, found) in entries.iter().zip(&found) {
        seen.extend(found.person.map(|person| &person.id));
        rows.push(row(entry, found, known, &mut counts));
    }
    let missing = known
        .people
        .iter()
        .filter(|person| !seen.contains(&person.id) && index.is_own(person))
        .filter(|person| {
            let row = known.roster.get(&person.id);
            row.is_some_and(|row| row.state != RosterState::Withdrawn && !row.site)
        })
        .map(|person| (person.id.clone(), person.form.name.clone()))
        .collect();
    Ok(Prepared {
        preview: ImportPreview {
            file: sheet.file.clone(),
            encoding: sheet.encoding.clone(),
            columns: sheet.columns.clone(),
            rows,
            missing,
            counts,
        },
        entries,
        roster: known.roster.clone(),
    })
}

impl<'a> Index<'a> {
    /// The importer may touch this person.
    fn is_own(&self, person: &Person) -> bool {
        let Some(only) = &self.known.only_units else {
            return true;
        };
        let unit = person.form.unit.as_ref();
        unit.is_some_and(|unit| only.contains(unit)) || self.known.only_people.contains(&person.id)
    }

    fn find(&self, entry: &mut Entry, sheet: &Sheet) -> Found<'a> {
        let mut matches: Vec<(IdentifierKind, &'a Person)> = Vec::new();
        for id in &entry.form.identifiers {
            let key = (id.kind, id.issuer.as_str(), id.value.as_str());
            if let Some(person) = self.by_id.get(&key) {
                matches.push((id.kind, person));
            }
        }
        matches.sort_by_key(|(kind, _)| *kind);
        let mut found = match matches.first() {
            Some((kind, person)) => {
                // Of people in the care of others nothing is told, nor a name.
                if self.is_own(person) {
                    self.check_match(entry, *kind, person, &matches, sheet);
                }
                let by = match kind {
                    IdentifierKind::Sector => "sector",
                    IdentifierKind::Personal => "personal",
                    IdentifierKind::Local => "local",
                };
                Found {
                    person: Some(person),
                    by,
                    ask: false,
                }
            }
            None => self.by_name_born_unit(entry, sheet),
        };
        if let Some(only) = &self.known.only_units {
            let outside = match &entry.form.unit {
                Some(unit) => !only.contains(unit),
                None => found.person.is_none(),
            };
            if outside || found.person.is_some_and(|person| !self.is_own(person)) {
                let text = "Người hoặc đơn vị này ngoài phạm vi quản lý của bạn.";
                entry
                    .errors
                    .push((sheet.heading(Field::Unit), text.to_owned()));
                found.person = None;
            }
        }
        found
    }

    fn check_match(
        &self,
        entry: &mut Entry,
        by: IdentifierKind,
        person: &Person,
        matches: &[(IdentifierKind, &Person)],
        sheet: &Sheet,
    ) {
        for (kind, other) in matches {
            if other.id != person.id {
                let text = format!(
                    "Đã thuộc về người khác, không phải người có {}.",
                    sheet.heading(field_of(by))
                );
                entry.errors.push((sheet.heading(field_of(*kind)), text));
            }
        }
        for id in &entry.form.identifiers {
            if contradicts(id, &person.form) {
                let text = "Khác với số đã ghi của người này.".to_owned();
                entry.errors.push((sheet.heading(field_of(id.kind)), text));
            }
        }
        let named = !entry.form.name.is_empty();
        if named && match_name(&entry.form.name) != match_name(&person.form.name) {
            if by == IdentifierKind::Local {
                let text = "Đã thuộc về người có họ tên khác.".to_owned();
                entry.errors.push((sheet.heading(field_of(by)), text));
            } else {
                let text = format!("Khác với họ tên đã ghi: {}.", person.form.name);
                entry.warnings.push((sheet.name_heading(), text));
            }
        }
    }

    fn by_name_born_unit(&self, entry: &mut Entry, sheet: &Sheet) -> Found<'a> {
        let nobody = Found {
            person: None,
            by: "",
            ask: false,
        };
        let form = &entry.form;
        let Some(named) = self.by_name.get(&match_name(&form.name)) else {
            return nobody;
        };
        let possible: Vec<&'a Person> = named
            .iter()
            .copied()
            .filter(|person| {
                !form
                    .identifiers
                    .iter()
                    .any(|id| contradicts(id, &person.form))
            })
            .collect();
        let full: Vec<&'a Person> = possible
            .iter()
            .copied()
            .filter(|person| form.born.is_some() && form.born == person.form.born)
            .filter(|person| same_unit(form, person) == Some(true))
            .collect();
        // On this roster somebody of that name whom nothing else speaks against
        // is asked about too: lists of names alone would double at every import.
        let listed: Vec<&'a Person> = possible
            .into_iter()
            .filter(|person| self.known.roster.contains_key(&person.id))
            .filter(|person| {
                form.born.is_none() || person.form.born.is_none() || form.born == person.form.born
            })
            .filter(|person| same_unit(form, person) != Some(false))
            .collect();
        let candidates = if full.is_empty() { listed } else { full };
        match candidates.as_slice() {
            [] => nobody,
            [person] => Found {
                person: Some(person),
                by: "nameBornUnit",
                ask: true,
            },
            _ => {
                let text = format!(
                    "Có {} người cùng họ tên như vậy; cần mã định danh để phân biệt.",
                    candidates.len()
                );
                entry.errors.push((sheet.name_heading(), text));
                nobody
            }
        }
    }
}

impl Sheet {
    /// Heading of a field's column.
    fn heading(&self, field: Field) -> String {
        let found = self.headings.get(field.as_str());
        found.cloned().unwrap_or_default()
    }

    fn name_heading(&self) -> String {
        let whole = self.heading(Field::Name);
        if whole.is_empty() {
            self.heading(Field::Given)
        } else {
            whole
        }
    }
}

/// Sector and personal identifiers never change: another value of the same
/// issuer is another person.
fn contradicts(id: &Identifier, form: &PersonForm) -> bool {
    let same_sort = |other: &&Identifier| other.kind == id.kind && other.issuer == id.issuer;
    let mut own = form.identifiers.iter().filter(same_sort);
    id.kind != IdentifierKind::Local
        && form.identifiers.iter().any(|other| same_sort(&other))
        && own.all(|other| other.value != id.value)
}

/// Whether the units are the same; `None` when either has none.
fn same_unit(form: &PersonForm, person: &Person) -> Option<bool> {
    if let (Some(unit), Some(other)) = (&form.unit, &person.form.unit)
        && unit == other
    {
        return Some(true);
    }
    if form.unit_text.is_empty() || person.unit_name.is_empty() {
        return None;
    }
    Some(match_name(&form.unit_text) == match_name(&person.unit_name))
}

/// Two rows that are one person by different identifiers.
fn refuse_twice(entries: &mut [Entry], found: &[Found<'_>], sheet: &Sheet) {
    let mut lines: BTreeMap<&PersonKey, Vec<u32>> = BTreeMap::new();
    for (entry, found) in entries.iter().zip(found) {
        if let Some(person) = found.person {
            lines.entry(&person.id).or_default().push(entry.line);
        }
    }
    for (entry, found) in entries.iter_mut().zip(found) {
        let same = found.person.and_then(|person| lines.get(&person.id));
        let others: Vec<String> = same
            .into_iter()
            .flatten()
            .filter(|line| **line != entry.line)
            .take(5)
            .map(u32::to_string)
            .collect();
        // Rows with the same identifier say so already.
        if !others.is_empty() && entry.errors.is_empty() {
            let text = format!("Cùng một người với dòng {}.", others.join(", "));
            entry.errors.push((sheet.name_heading(), text));
        }
    }
}

fn row(
    entry: &Entry,
    found: &Found<'_>,
    known: &KnownPeople,
    counts: &mut ImportCounts,
) -> ImportRow {
    let on_roster = found.person.and_then(|person| known.roster.get(&person.id));
    let diff = found
        .person
        .map(|person| differences(entry, person, on_roster))
        .unwrap_or_default();
    let action = match (found.person, on_roster) {
        _ if !entry.errors.is_empty() => ImportAction::Bad,
        (Some(_), _) if found.ask => ImportAction::Ask,
        (None, _) => ImportAction::New,
        (Some(_), None) => ImportAction::Add,
        (Some(_), Some(_)) if diff.is_empty() => ImportAction::Same,
        (Some(_), Some(_)) => ImportAction::Change,
    };
    let count = match action {
        ImportAction::New => &mut counts.new,
        ImportAction::Add => &mut counts.added,
        ImportAction::Change => &mut counts.changed,
        ImportAction::Same => &mut counts.same,
        ImportAction::Ask => &mut counts.ask,
        ImportAction::Bad => &mut counts.bad,
    };
    *count += 1;
    let key = entry.form.identifiers.first();
    ImportRow {
        line: entry.line,
        action,
        name: entry.form.name.clone(),
        identifier: key.map(shown).unwrap_or_default(),
        unit: entry.form.unit_text.clone(),
        person: found.person.map(|person| person.id.clone()),
        by: found.by.to_owned(),
        diff,
        errors: entry.errors.clone(),
        warnings: entry.warnings.clone(),
    }
}

fn shown(id: &Identifier) -> String {
    match id.kind {
        IdentifierKind::Personal => mask(&id.value),
        IdentifierKind::Sector | IdentifierKind::Local => id.value.clone(),
    }
}

/// What an entry changes of a person and his row: field, old, new.
fn differences(
    entry: &Entry,
    person: &Person,
    on_roster: Option<&OnRoster>,
) -> Vec<(String, String, String)> {
    let (new, old) = (&entry.form, &person.form);
    let mut diff = Vec::new();
    let mut compare = |field: &str, old: &str, new: &str| {
        if !new.is_empty() && old != new {
            diff.push((field.to_owned(), old.to_owned(), new.to_owned()));
        }
    };
    let day = |form: &PersonForm| form.born.map(|day| day.slashed()).unwrap_or_default();
    let sex = |form: &PersonForm| {
        let word = form.gender.map(|gender| match gender {
            Gender::Male => "Nam",
            Gender::Female => "Nữ",
            Gender::Other => "Khác",
        });
        word.unwrap_or_default()
    };
    compare("name", &old.name, &new.name);
    compare("born", &day(old), &day(new));
    compare("gender", sex(old), sex(new));
    compare("position", &old.position, &new.position);
    if same_unit(new, person) != Some(true) {
        compare("unit", &person.unit_name, &new.unit_text);
    }
    compare("phone", &old.phone, &new.phone);
    compare("email", &old.email, &new.email);
    for id in &new.identifiers {
        let kept = old
            .identifiers
            .iter()
            .find(|own| own.kind == id.kind && own.issuer == id.issuer);
        if kept.is_none_or(|kept| kept.value != id.value) {
            let was = kept.map(shown).unwrap_or_default();
            compare(field_of(id.kind).as_str(), &was, &shown(id));
        }
    }
    if let Some(row) = on_roster {
        compare("note", &row.note, &entry.note);
        if row.state == RosterState::Withdrawn {
            compare("state", "withdrawn", "official");
        }
    }
    diff
}
