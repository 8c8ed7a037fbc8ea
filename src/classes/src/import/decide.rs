//! From a preview and a person's answers to what is written.

use lophoc_ledger::PersonKey;

use super::matching::Prepared;
use crate::person::{IdentifierKind, PersonForm};
use crate::rest::{ImportAction, ImportApply};
use crate::roster::RosterState;

/// One thing to write. All of them are written, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportWrite {
    /// A new person, and a row for him.
    New {
        /// Data.
        form: PersonForm,
        /// Note.
        note: String,
    },
    /// A known person: [`fill`] his data, and his row, new or not.
    Known {
        /// Who.
        person: PersonKey,
        /// What the file says of him; empty = nothing.
        form: PersonForm,
        /// Note; empty keeps the old one.
        note: String,
    },
    /// His row is withdrawn.
    Withdraw {
        /// Who.
        person: PersonKey,
    },
}

/// The writes of an import; `None` when rows are bad and may not be left out.
pub fn decide(prepared: &Prepared, answers: &ImportApply) -> Option<Vec<ImportWrite>> {
    if prepared.preview.counts.bad > 0 && !answers.skip_bad {
        return None;
    }
    let mut writes = Vec::new();
    for (row, entry) in prepared.preview.rows.iter().zip(&prepared.entries) {
        let new = || ImportWrite::New {
            form: entry.form.clone(),
            note: entry.note.clone(),
        };
        let known = |person: &PersonKey| ImportWrite::Known {
            person: person.clone(),
            form: entry.form.clone(),
            note: entry.note.clone(),
        };
        match (row.action, &row.person, answers.same.get(&row.line)) {
            (ImportAction::New, ..) | (ImportAction::Ask, _, Some(false)) => writes.push(new()),
            (ImportAction::Add | ImportAction::Change, Some(person), _)
            | (ImportAction::Ask, Some(person), Some(true)) => writes.push(known(person)),
            (ImportAction::Same, Some(person), _) => {
                let site = prepared.roster.get(person).is_some_and(|row| row.site);
                if answers.sites && !site {
                    writes.push(known(person));
                }
            }
            _ => {}
        }
    }
    if answers.withdraw_missing {
        let missing = prepared.preview.missing.iter();
        writes.extend(missing.map(|(person, _)| ImportWrite::Withdraw {
            person: person.clone(),
        }));
    }
    Some(writes)
}

impl Prepared {
    /// The row's state before, if the person had one when the preview was made.
    pub fn state_of(&self, person: &PersonKey) -> Option<RosterState> {
        self.roster.get(person).map(|row| row.state)
    }
}

/// Puts what a file says into what is known: empty fields say nothing, an
/// identifier of the same sort and issuer is replaced when it is local and stays
/// when it is not.
pub fn fill(base: &mut PersonForm, from: &PersonForm) {
    let take = |base: &mut String, from: &String| {
        if !from.is_empty() {
            base.clone_from(from);
        }
    };
    take(&mut base.name, &from.name);
    take(&mut base.position, &from.position);
    take(&mut base.phone, &from.phone);
    take(&mut base.email, &from.email);
    if from.born.is_some() {
        base.born = from.born;
    }
    if from.gender.is_some() {
        base.gender = from.gender;
    }
    match &from.unit {
        // The name in the file is that of the unit.
        Some(unit) => {
            base.unit = Some(unit.clone());
            base.unit_text.clear();
        }
        None => take(&mut base.unit_text, &from.unit_text),
    }
    for id in &from.identifiers {
        let same = |own: &crate::person::Identifier| own.kind == id.kind && own.issuer == id.issuer;
        if id.kind == IdentifierKind::Local {
            base.identifiers.retain(|own| !same(own));
        }
        if !base.identifiers.iter().any(same) {
            base.identifiers.push(id.clone());
        }
    }
}
