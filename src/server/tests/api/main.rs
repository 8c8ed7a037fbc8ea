//! `/api/v1` over the wire: a real server on a free loopback port, calls as a
//! browser and as a program make them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in tests a failing unwrap is a failing test"
)]

mod accounts;
mod attendance;
mod attendance_world;
mod boards;
mod check_in;
mod classes;
mod classes_rights;
mod client;
mod console;
mod exports;
mod film;
mod hostile;
mod imports;
mod joining;
mod moto;
mod notices;
mod openapi;
mod own_fields;
mod people;
mod preflight;
mod recorder_host;
mod recording;
mod recordings;
mod recordings_bytes;
mod recordings_consent;
mod recordings_keep;
mod recordings_live;
mod recordings_stills;
mod recordings_world;
mod reports;
mod sign_in;
mod tokens;
