//! The core of recordings, without doing anything itself: what is written while
//! a class is recorded, what the files say afterwards, and how they are shown.
//!
//! A recording is a folder: `journal.jsonl` ([`journal`], read by [`timeline`]),
//! one Matroska file per segment of a track ([`mkv`]), a side file with samples of
//! its clock, the mixed sound `sound.webm` ([`mix`]), and in the end
//! `manifest.json` ([`manifest`]).
//!
//! - [`time`]: recording time and how it hangs on the machine's clocks; [`clock`]:
//!   time of a track → recording time.
//! - [`capture`]: the state machine that turns frames into writes.
//! - [`control`]: what the server and the recorder process say to each other.
//! - [`scan`]: which clusters a file has, however it ends; [`served`]: what is
//!   served of it, seekable, without what was cut, without copying.
//! - [`repair`]: what a recorder that died left.
//! - [`edit`]: cuts and net time; [`layout`]: what is seen when; [`compose`]: the
//!   command lines that make a film of it; [`stills`]: those of small pictures.
//!
//! No file, socket, clock or thread is touched here. Bytes come from whoever has
//! them ([`scan::ReadAt`]).

pub mod capture;
pub mod clock;
pub mod compose;
pub mod control;
pub mod edit;
pub mod journal;
pub mod layout;
pub mod limits;
pub mod manifest;
pub mod media;
pub mod mix;
pub mod mkv;
pub mod repair;
pub mod scan;
pub mod served;
pub mod stills;
pub mod time;
pub mod timeline;

pub use capture::{Alarm, Capture, Input, Output, Status};
pub use edit::{Cut, CutWhy, Cuts};
pub use journal::Line;
pub use manifest::Manifest;
pub use media::{Codec, Frame, Policy, RecordingId, SegmentId, Slot, Source, TrackKind};
pub use served::VirtualFile;
pub use time::{Anchor, Now, Span};
pub use timeline::Timeline;
