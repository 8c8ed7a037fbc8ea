//! A table to entries: codes of letters, headings, values, duplicates.

use std::collections::BTreeMap;

use lophoc_ledger::match_name;

use super::grid::{Cell, Grid, Value};
use super::heading::{self, Field, Layout};
use super::legacy::{Coding, Guess, convert, guess};
use super::values::{self, MAX_TEXT, Notes};
use super::{Entry, Progress, Refused, Sheet, Stage};
use crate::day::Day;
use crate::person::{Identifier, IdentifierKind, PersonForm};

/// Picks the table with a roster, brings its letters to Unicode and reads it.
pub(super) fn read(
    grids: Vec<Grid>,
    file: &str,
    today: Day,
    progress: &mut Progress<'_>,
) -> Result<Sheet, Refused> {
    let mut problem = Refused::NoHeading;
    for mut grid in grids {
        let coding = match to_unicode(&mut grid) {
            Ok(coding) => coding,
            Err(refused) => {
                problem = refused;
                continue;
            }
        };
        let Some(layout) = heading::find(&grid) else {
            continue;
        };
        let encoding = match (coding, grid.encoding.as_str()) {
            (Coding::Tcvn3, _) => "tcvn3",
            (Coding::Vni, _) => "vni",
            (Coding::Unicode, found) => found,
        };
        let entries = entries(&grid, &layout, today, progress)?;
        if entries.is_empty() {
            problem = Refused::NoRows;
            continue;
        }
        return Ok(Sheet {
            file: file.to_owned(),
            encoding: encoding.to_owned(),
            columns: columns(&layout),
            headings: headings(&layout),
            entries,
        });
    }
    Err(problem)
}

fn columns(layout: &Layout) -> Vec<(String, String)> {
    let named = layout
        .columns
        .iter()
        .filter(|(heading, _)| !heading.is_empty());
    named
        .map(|(heading, field)| (heading.clone(), field.map_or("", Field::as_str).to_owned()))
        .collect()
}

fn headings(layout: &Layout) -> BTreeMap<String, String> {
    let known = layout.columns.iter();
    known
        .filter_map(|(heading, field)| Some((field.as_ref()?.as_str().to_owned(), heading.clone())))
        .collect()
}

/// Brings each column to Unicode by what its own letters tell, else by what the
/// whole file tells. Gives the code that was found in any.
fn to_unicode(grid: &mut Grid) -> Result<Coding, Refused> {
    let eight_bit = grid.encoding == "8bit";
    let all = guess(texts(grid, None));
    match all {
        Guess::Unsure => return Err(Refused::Letters),
        // Bytes that make Western words are no proof of Unicode: there were none.
        Guess::Coded(Coding::Unicode) if eight_bit => return Err(Refused::Letters),
        Guess::Plain | Guess::Coded(_) => {}
    }
    let width = grid
        .rows
        .iter()
        .map(|(_, cells)| cells.len())
        .max()
        .unwrap_or(0);
    let mut found = Coding::Unicode;
    for column in 0..width {
        let own = guess(texts(grid, Some(column)));
        let coding = match (own, all) {
            (Guess::Plain, _) => continue,
            (Guess::Coded(Coding::Unicode), Guess::Coded(coding))
                if coding != Coding::Unicode && !is_modern(texts(grid, Some(column))) =>
            {
                coding
            }
            (Guess::Coded(coding), _) | (Guess::Unsure, Guess::Coded(coding)) => coding,
            (Guess::Unsure, _) => Coding::Unicode,
        };
        if coding == Coding::Unicode {
            continue;
        }
        found = coding;
        for (_, cells) in &mut grid.rows {
            if let Some(Cell {
                value: Value::Text(text),
                ..
            }) = cells.get_mut(column)
            {
                *text = convert(text, coding);
            }
        }
    }
    Ok(found)
}

/// Has letters only Unicode has.
fn is_modern<'a>(mut texts: impl Iterator<Item = &'a str>) -> bool {
    texts.any(|text| {
        text.chars()
            .any(|c| matches!(c, '\u{102}'..='\u{1b0}' | '\u{1ea0}'..='\u{1eff}'))
    })
}

fn texts(grid: &Grid, column: Option<usize>) -> impl Iterator<Item = &str> {
    grid.rows.iter().flat_map(move |(_, cells)| {
        let cells = cells.iter().enumerate();
        cells.filter_map(move |(at, cell)| match &cell.value {
            Value::Text(text) if column.is_none_or(|column| column == at) => Some(text.as_str()),
            _ => None,
        })
    })
}

fn entries(
    grid: &Grid,
    layout: &Layout,
    today: Day,
    progress: &mut Progress<'_>,
) -> Result<Vec<Entry>, Refused> {
    let below = || grid.rows.iter().skip(layout.row + 1);
    let total = u32::try_from(below().count()).unwrap_or(u32::MAX);
    let numbered = below()
        .filter(|(_, cells)| is_numbered(cells, layout))
        .count();
    let mut entries = Vec::new();
    for (done, (line, cells)) in (1_u32..).zip(below()) {
        if done.is_multiple_of(100) || done == total {
            progress.at(Stage::Reading, done, total)?;
        }
        let expects_number = numbered * 5 >= entries.len() * 4 && numbered > 0;
        if is_filling(cells, layout) || expects_number && is_footer(cells, layout) {
            continue;
        }
        if let Some(entry) = entry(*line, cells, layout, today) {
            entries.push(entry);
        }
    }
    mark_duplicates(&mut entries, layout);
    Ok(entries)
}

fn cell<'a>(cells: &'a [Cell], layout: &Layout, field: Field) -> &'a Cell {
    layout
        .column(field)
        .and_then(|column| cells.get(column))
        .unwrap_or(&Cell::EMPTY)
}

fn is_numbered(cells: &[Cell], layout: &Layout) -> bool {
    match &cell(cells, layout, Field::No).value {
        Value::Number(_) => true,
        Value::Text(text) => text.trim().trim_end_matches('.').parse::<u32>().is_ok(),
        _ => false,
    }
}

/// Rows that are no people: the example of the template, the numbers of columns
/// below the headings, the headings repeated on the next page.
fn is_filling(cells: &[Cell], layout: &Layout) -> bool {
    let no = cell(cells, layout, Field::No).text().unwrap_or_default();
    if matches!(
        lophoc_ledger::fold_name(&no).as_str(),
        "vd" | "vi du" | "mau"
    ) {
        return true;
    }
    let filled: Vec<String> = cells
        .iter()
        .filter(|cell| !cell.is_empty())
        .filter_map(Cell::text)
        .collect();
    let counts = |text: &String| {
        let bare = text.trim().trim_matches(['(', ')', '[', ']']);
        bare.len() <= 2 && (bare.parse::<u8>().is_ok() || matches!(bare, "A" | "B" | "C"))
    };
    let repeated = filled
        .iter()
        .filter(|text| heading::field(text).is_some())
        .count();
    filled.len() >= 2 && filled.iter().all(counts)
        || filled.len() >= 3 && repeated * 4 >= filled.len() * 3
}

/// Sums, dates and signatures below the table: no number, no identifier, no day
/// of birth, and little else.
fn is_footer(cells: &[Cell], layout: &Layout) -> bool {
    let empty = |field: Field| cell(cells, layout, field).is_empty();
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    !is_numbered(cells, layout)
        && [Field::Sector, Field::Personal, Field::Local, Field::Born]
            .into_iter()
            .all(empty)
        && filled <= 2
}

fn entry(line: u32, cells: &[Cell], layout: &Layout, today: Day) -> Option<Entry> {
    let at = |field: Field| cell(cells, layout, field);
    let used = layout.columns.iter().zip(cells);
    if used
        .filter(|((_, field), _)| field.is_some_and(|field| field != Field::No))
        .all(|(_, cell)| cell.is_empty())
    {
        return None;
    }
    let mut entry = Entry {
        line,
        form: PersonForm::default(),
        note: String::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let mut take = |field: Field, notes: Notes| {
        let heading = layout.heading(field).to_owned();
        errors.extend(notes.errors.into_iter().map(|text| (heading.clone(), text)));
        warnings.extend(
            notes
                .warnings
                .into_iter()
                .map(|text| (heading.clone(), text)),
        );
    };
    macro_rules! read {
        ($field:expr, $read:expr) => {{
            let mut notes = Notes::default();
            let got = $read(at($field), &mut notes);
            take($field, notes);
            got
        }};
    }
    let plain = |cell: &Cell, notes: &mut Notes| values::text(cell, MAX_TEXT, notes);
    let form = &mut entry.form;
    let name_field;
    if layout.column(Field::Name).is_some() {
        name_field = Field::Name;
        form.name = read!(Field::Name, values::name).unwrap_or_default();
    } else {
        name_field = Field::Given;
        let rest = read!(Field::Rest, values::name).unwrap_or_default();
        let given = read!(Field::Given, values::name).unwrap_or_default();
        let mut notes = Notes::default();
        if given.is_empty() && !rest.is_empty() && at(Field::Given).is_empty() {
            notes.errors.push("Thiếu tên.".to_owned());
        }
        take(Field::Given, notes);
        form.name = format!("{rest} {given}").trim().to_owned();
    }
    form.born = read!(Field::Born, |cell: &Cell, notes: &mut Notes| values::born(
        cell, today, notes
    ));
    form.gender = read!(Field::Gender, values::gender);
    form.position = read!(Field::Position, plain).unwrap_or_default();
    form.unit_text = read!(Field::Unit, plain).unwrap_or_default();
    form.phone = read!(Field::Phone, values::phone).unwrap_or_default();
    form.email = read!(Field::Email, values::email).unwrap_or_default();
    entry.note = read!(Field::Note, plain).unwrap_or_default();
    let kinds = [
        (
            IdentifierKind::Sector,
            read!(Field::Sector, values::identifier),
        ),
        (
            IdentifierKind::Personal,
            read!(Field::Personal, values::personal),
        ),
        (
            IdentifierKind::Local,
            read!(Field::Local, values::identifier),
        ),
    ];
    let given = kinds.into_iter();
    form.identifiers = given
        .filter_map(|(kind, value)| {
            Some(Identifier {
                kind,
                issuer: String::new(),
                value: value?,
            })
        })
        .collect();
    let mut notes = Notes::default();
    let number = form
        .identifiers
        .iter()
        .find(|id| id.kind == IdentifierKind::Personal);
    if let Some(number) = number
        && !values::personal_fits(&number.value, form.born, form.gender)
    {
        notes
            .warnings
            .push("Không khớp với năm sinh hoặc giới tính.".to_owned());
    }
    take(Field::Personal, notes);
    if form.name.is_empty()
        && errors
            .iter()
            .all(|(heading, _)| heading != layout.heading(name_field))
    {
        let heading = layout.heading(name_field).to_owned();
        errors.push((heading, "Thiếu họ và tên.".to_owned()));
    }
    entry.errors = errors;
    entry.warnings = warnings;
    Some(entry)
}

/// Entries of the same person in one file: none of them is taken, since nobody
/// can tell which one is meant.
fn mark_duplicates(entries: &mut [Entry], layout: &Layout) {
    let mut same: BTreeMap<(Field, String), Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for id in &entry.form.identifiers {
            let field = field_of(id.kind);
            same.entry((field, id.value.clone()))
                .or_default()
                .push(index);
        }
        if !entry.form.name.is_empty() {
            let form = &entry.form;
            let born = form.born.map(|day| day.to_string()).unwrap_or_default();
            let key = format!(
                "{}\n{born}\n{}",
                match_name(&form.name),
                match_name(&form.unit_text)
            );
            same.entry((Field::Name, key)).or_default().push(index);
        }
    }
    let lines: Vec<u32> = entries.iter().map(|entry| entry.line).collect();
    for ((field, _), places) in same {
        if places.len() < 2 {
            continue;
        }
        for place in &places {
            let others: Vec<String> = places
                .iter()
                .filter(|other| *other != place)
                .filter_map(|other| lines.get(*other))
                .take(5)
                .map(u32::to_string)
                .collect();
            let others = others.join(", ");
            let Some(entry) = entries.get_mut(*place) else {
                continue;
            };
            if field == Field::Name {
                let column = if layout.column(Field::Name).is_some() {
                    Field::Name
                } else {
                    Field::Given
                };
                let heading = layout.heading(column).to_owned();
                let text = format!("Trùng họ tên, ngày sinh và đơn vị với dòng {others}.");
                if entry.form.identifiers.is_empty() {
                    entry.errors.push((heading, text));
                } else {
                    entry.warnings.push((heading, text));
                }
            } else {
                let heading = layout.heading(field).to_owned();
                entry
                    .errors
                    .push((heading, format!("Trùng với dòng {others}.")));
            }
        }
    }
}

pub(super) fn field_of(kind: IdentifierKind) -> Field {
    match kind {
        IdentifierKind::Sector => Field::Sector,
        IdentifierKind::Personal => Field::Personal,
        IdentifierKind::Local => Field::Local,
    }
}
