#![no_main]
//! A file is a roster or refused; what was read can be compared and decided on,
//! and shows no personal number in full.

use libfuzzer_sys::fuzz_target;
use lophoc_classes::import::{KnownPeople, decide, preview, read_roster};
use lophoc_classes::{Day, IdentifierKind, ImportApply};

fuzz_target!(|data: &[u8]| {
    let today = Day::new(2026, 11, 22).expect("a day");
    let Ok(sheet) = read_roster(data, "file", today, &mut |_, _, _| true) else {
        return;
    };
    let known = KnownPeople::default();
    let prepared = preview(&sheet, &known, &mut |_, _, _| true).expect("nobody stopped it");
    assert_eq!(prepared.preview.rows.len(), sheet.entries.len());
    for (row, entry) in prepared.preview.rows.iter().zip(&sheet.entries) {
        for id in &entry.form.identifiers {
            assert!(id.kind != IdentifierKind::Personal || row.identifier != id.value);
        }
    }
    let answers = ImportApply {
        skip_bad: true,
        ..ImportApply::default()
    };
    let writes = decide(&prepared, &answers).expect("bad rows are left out");
    assert_eq!(writes.len(), prepared.preview.counts.new as usize);
});
