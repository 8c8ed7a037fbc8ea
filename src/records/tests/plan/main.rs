//! Class records: life of a class, sessions, staff, rosters, lists.
// Helpers outside of a test function fail the test all the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a failing unwrap is a failing test"
)]

mod classes_life;
mod classes_lists;
mod classes_roster;
mod classes_sessions;
mod classes_staff;
mod recording_work;
mod world;
