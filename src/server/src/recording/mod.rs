//! Recordings: how they are made, what is kept of them, the work on them, how they
//! are shown, and how long they stay. The core (`lophoc-recording`) knows files and
//! times, the records know rows, `lophoc_classes` who may do what.

pub mod access;
mod at_rest;
mod compose;
pub mod consent;
mod control;
mod cues;
pub mod files;
pub mod films;
pub mod hooks;
mod host;
pub mod jobs;
pub mod keep;
mod local;
mod marker;
mod mixing;
mod pace;
mod playback;
pub mod retention;
mod rows;
mod serve;
pub mod show;
mod space;
mod stills;
pub mod storage;
mod supervise;
mod view;

pub use crate::auth::Viewer;
pub use access::{Access, access_of, may_watch};
pub(crate) use at_rest::AtRest;
pub use control::{Recorders, start};
pub use keep::{Keep, KeepError};
pub use serve::router;
pub use show::{detail, playback};
pub(crate) use space::boot_ns;
pub use supervise::this_program;
