//! The organisation tree shipped with the server, `data/units.csv`, and the
//! rules every tree obeys.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::day::Day;
use crate::unit::{DataCheck, Unit, UnitId, UnitKind};

const SHIPPED: &str = include_str!("../data/units.csv");

/// Units in one file at most.
pub const MAX_UNITS: usize = 100_000;

/// Why a file of units is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUnits {
    /// A line is no unit.
    #[error("line {line}: {message}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// There are more than [`MAX_UNITS`].
    #[error("too many units")]
    TooMany,
    /// Two units have the same id.
    #[error("two units have the id {0}")]
    Twice(UnitId),
    /// A parent or successor is not in the file.
    #[error("{0} names {1}, which is not there")]
    Missing(UnitId, UnitId),
    /// A unit stands above itself.
    #[error("{0} is above itself")]
    Cycle(UnitId),
    /// The last day is before the first.
    #[error("{0} ends before it begins")]
    Days(UnitId),
    /// A unit with a successor has no last day.
    #[error("{0} was merged and has not ended")]
    NotEnded(UnitId),
}

/// A line of the file; empty = absent.
#[derive(Deserialize)]
struct Line {
    id: UnitId,
    kind: UnitKind,
    name: String,
    short: String,
    parent_admin: Option<UnitId>,
    parent_professional: Option<UnitId>,
    sector_code: Option<String>,
    area_code: Option<String>,
    place: String,
    valid_from: Option<Day>,
    valid_to: Option<Day>,
    merged_into: Option<UnitId>,
    name_check: DataCheck,
    code_check: DataCheck,
}

/// The units the server ships with, in the order of the file.
pub fn shipped() -> Vec<Unit> {
    // A test reads the file this was built with.
    read_units(SHIPPED).unwrap_or_default()
}

/// Units from CSV text as `data/README.md` describes it.
///
/// # Errors
/// [`BadUnits`], the first that is found; a file is taken whole or not at all.
pub fn read_units(text: &str) -> Result<Vec<Unit>, BadUnits> {
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut units = Vec::new();
    for line in reader.deserialize::<Line>() {
        let line = line.map_err(|error| BadUnits::Line {
            line: error.position().map_or(0, csv::Position::line),
            message: error.to_string(),
        })?;
        if units.len() >= MAX_UNITS {
            return Err(BadUnits::TooMany);
        }
        units.push(Unit {
            id: line.id,
            kind: line.kind,
            name: line.name,
            short: line.short,
            parent_admin: line.parent_admin,
            parent_professional: line.parent_professional,
            sector_code: line.sector_code,
            area_code: line.area_code,
            place: line.place,
            valid_from: line.valid_from,
            valid_to: line.valid_to,
            merged_into: line.merged_into,
            leader: String::new(),
            contact: String::new(),
            name_check: line.name_check,
            code_check: line.code_check,
        });
    }
    check_units(&units)?;
    Ok(units)
}

/// Whether units are a tree: ids once, parents and successors there, nobody
/// above itself by either parent or merged into itself, days in order.
///
/// # Errors
/// The first rule that is broken.
pub fn check_units(units: &[Unit]) -> Result<(), BadUnits> {
    let mut by_id: HashMap<&UnitId, &Unit> = HashMap::with_capacity(units.len());
    for unit in units {
        if by_id.insert(&unit.id, unit).is_some() {
            return Err(BadUnits::Twice(unit.id.clone()));
        }
    }
    for unit in units {
        for named in upward(unit).into_iter().chain(unit.merged_into.as_ref()) {
            if !by_id.contains_key(named) {
                return Err(BadUnits::Missing(unit.id.clone(), named.clone()));
            }
        }
        if let (Some(from), Some(to)) = (unit.valid_from, unit.valid_to)
            && to < from
        {
            return Err(BadUnits::Days(unit.id.clone()));
        }
        if unit.merged_into.is_some() && unit.valid_to.is_none() {
            return Err(BadUnits::NotEnded(unit.id.clone()));
        }
    }
    find_cycle(units, &by_id, |unit| upward(unit))?;
    find_cycle(units, &by_id, |unit| {
        unit.merged_into.as_ref().into_iter().collect()
    })
}

fn upward(unit: &Unit) -> Vec<&UnitId> {
    let parents = [&unit.parent_admin, &unit.parent_professional];
    parents.into_iter().flatten().collect()
}

/// Walks up from every unit, each edge once.
fn find_cycle<'a>(
    units: &'a [Unit],
    by_id: &HashMap<&'a UnitId, &'a Unit>,
    next: impl Fn(&'a Unit) -> Vec<&'a UnitId>,
) -> Result<(), BadUnits> {
    let mut done: HashSet<&UnitId> = HashSet::new();
    for start in units {
        // Depth first; a unit met again while it is on the path is a cycle.
        let mut on_path: HashSet<&UnitId> = HashSet::new();
        let mut stack = vec![(&start.id, false)];
        while let Some((id, leaving)) = stack.pop() {
            if leaving {
                on_path.remove(id);
                done.insert(id);
                continue;
            }
            if done.contains(id) {
                continue;
            }
            if !on_path.insert(id) {
                return Err(BadUnits::Cycle(id.clone()));
            }
            stack.push((id, true));
            if let Some(unit) = by_id.get(id) {
                for above in next(unit) {
                    if on_path.contains(above) {
                        return Err(BadUnits::Cycle(above.clone()));
                    }
                    stack.push((above, false));
                }
            }
        }
    }
    Ok(())
}

impl Unit {
    /// Whether the unit stands on that day.
    pub fn is_valid_on(&self, day: Day) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// The unit that does the work of `id` on `day`: itself while it stands, else
/// the one it was merged into, followed as far as needed. `None` when it is
/// unknown, or ended without a successor that stands.
pub fn successor<'a>(units: &'a [Unit], id: &UnitId, day: Day) -> Option<&'a Unit> {
    let mut wanted = id;
    // A chain is never longer than there are units.
    for _ in 0..=units.len() {
        let unit = units.iter().find(|unit| unit.id == *wanted)?;
        if unit.is_valid_on(day) {
            return Some(unit);
        }
        wanted = unit.merged_into.as_ref()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    const HEAD: &str = "id,kind,name,short,parent_admin,parent_professional,sector_code,area_code,\
                        place,valid_from,valid_to,merged_into,name_check,code_check\n";

    /// Lines of id, admin parent, professional parent, from, to, merged into.
    fn tree(lines: &[[&str; 6]]) -> Result<Vec<Unit>, BadUnits> {
        let rows: String = lines
            .iter()
            .map(|[id, admin, professional, from, to, into]| {
                format!(
                    "{id},school,T,,{admin},{professional},,,,{from},{to},{into},own,unverified\n"
                )
            })
            .collect();
        read_units(&format!("{HEAD}{rows}"))
    }

    #[test]
    fn the_shipped_file_is_a_tree_of_the_ministry_and_34_departments() {
        let units = read_units(SHIPPED).unwrap();
        assert_eq!(shipped(), units);
        let today = day("2026-01-01");
        let departments: Vec<&Unit> = units
            .iter()
            .filter(|unit| unit.kind == UnitKind::Department && unit.is_valid_on(today))
            .collect();
        assert_eq!(departments.len(), 34);
        let codes: HashSet<&str> = departments
            .iter()
            .filter_map(|unit| unit.area_code.as_deref())
            .collect();
        assert_eq!(codes.len(), 34);
        for unit in &departments {
            let code = unit.area_code.as_deref().unwrap();
            assert_eq!(unit.id.as_str(), format!("u-sgd-{code}"));
            assert_eq!(unit.short, "SGDĐT");
            assert_eq!(unit.parent_professional, Some(UnitId::from("u-moet")));
            assert_eq!(
                unit.parent_admin,
                Some(UnitId(format!("u-ubnd-{code}"))),
                "a department is an organ of the province"
            );
            assert!(!unit.place.is_empty());
            assert_eq!(unit.code_check, DataCheck::Unverified);
        }
        let merged = departments.iter().filter(|unit| unit.valid_from.is_some());
        assert_eq!(merged.count(), 23);
        let before = units
            .iter()
            .filter(|unit| unit.kind == UnitKind::Department && unit.valid_to.is_some());
        assert_eq!(before.count(), 29);
        assert_eq!(units[0].id.as_str(), "u-moet");
        assert_eq!(units[0].name_check, DataCheck::Verified);
    }

    #[test]
    fn names_of_the_shipped_file_are_composed_and_trimmed() {
        use unicode_normalization::is_nfc;
        for unit in shipped() {
            for text in [&unit.name, &unit.short, &unit.place] {
                assert!(is_nfc(text) && text.trim() == text.as_str(), "{text}");
            }
            assert!(!unit.name.is_empty());
        }
    }

    #[test]
    fn the_work_of_a_merged_department_is_found_on_the_day_asked() {
        let units = shipped();
        let old = UnitId::from("u-sgd-cu-ha-giang");
        let on = |text: &str| successor(&units, &old, day(text)).map(|unit| unit.id.as_str());
        assert_eq!(on("2025-06-30"), Some("u-sgd-cu-ha-giang"));
        assert_eq!(on("2025-07-01"), Some("u-sgd-08"));
        assert_eq!(
            successor(&units, &UnitId::from("u-none"), day("2026-01-01")),
            None
        );
        // It ended and nobody took over.
        let tree = tree(&[["a", "", "", "", "2025-06-30", ""]]).unwrap();
        assert_eq!(
            successor(&tree, &UnitId::from("a"), day("2025-07-01")),
            None
        );
    }

    #[test]
    fn broken_trees_are_refused_with_the_reason() {
        let id = UnitId::from;
        let cases = [
            (
                tree(&[["a", "", "", "", "", ""], ["a", "", "", "", "", ""]]),
                BadUnits::Twice(id("a")),
            ),
            (
                tree(&[["a", "b", "", "", "", ""]]),
                BadUnits::Missing(id("a"), id("b")),
            ),
            (
                tree(&[["a", "", "", "", "2025-01-01", "b"]]),
                BadUnits::Missing(id("a"), id("b")),
            ),
            (
                tree(&[["a", "", "", "2025-07-01", "2025-06-30", ""]]),
                BadUnits::Days(id("a")),
            ),
            (
                tree(&[["a", "", "", "", "", ""], ["b", "", "", "", "", "a"]]),
                BadUnits::NotEnded(id("b")),
            ),
        ];
        for (got, expected) in cases {
            assert_eq!(got, Err(expected));
        }
        // One parent each way round is a cycle as much as two of one sort.
        for lines in [
            &[["a", "a", "", "", "", ""]][..],
            &[["a", "b", "", "", "", ""], ["b", "", "a", "", "", ""]],
            &[
                ["a", "", "", "", "2025-01-01", "b"],
                ["b", "", "", "", "2025-01-01", "a"],
            ],
        ] {
            assert!(matches!(tree(lines), Err(BadUnits::Cycle(_))), "{lines:?}");
        }
        // Two ways to the same unit above are none.
        assert!(
            tree(&[
                ["top", "", "", "", "", ""],
                ["x", "top", "", "", "", ""],
                ["y", "top", "", "", "", ""],
                ["z", "x", "y", "", "", ""],
            ])
            .is_ok()
        );
        for text in [
            "",
            "id,kind\n1,2\n",
            &format!("{HEAD}a,castle,T,,,,,,,,,,own,own\n"),
        ] {
            match read_units(text) {
                Ok(units) => assert!(units.is_empty(), "{text}"),
                Err(error) => assert!(matches!(error, BadUnits::Line { .. }), "{error}"),
            }
        }
    }
}
