//! The seeds of the fuzz target are what they are called: files that are read.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use lophoc_classes::Day;
use lophoc_classes::import::read_roster;

#[test]
fn every_seed_of_the_import_is_a_roster_of_somebody() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/roster");
    let today = Day::new(2026, 11, 22).unwrap();
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let sheet = read_roster(&bytes, "seed", today, &mut |_, _, _| true);
        let sheet = sheet.unwrap_or_else(|refused| panic!("{}: {refused}", path.display()));
        assert!(
            sheet.entries.iter().any(|entry| entry.errors.is_empty()),
            "{}",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 6);
}
