//! Files made into pages of slides.
//!
//! Three parts. What a file is, told by its content ([`sniff`], [`image`]). The
//! plan of a conversion ([`plan`]): a state machine that says which tool runs
//! next and takes what it said ([`parse`]); like the room it opens nothing and
//! asks no clock. And the thin shell that runs the tools in their sandbox
//! ([`tools`], [`run`], [`convert`]).
//!
//! No byte of an uploaded file is decoded in the process of the server: it looks
//! at headers, and the tools work without network, with nothing to read but the
//! file, and with bounded memory, time and output. Every bound is in [`limits`].

pub mod convert;
pub mod image;
pub mod limits;
pub mod parse;
pub mod plan;
pub mod run;
pub mod sniff;
pub mod tools;
mod zip;

pub use convert::{Job, Made, convert};
pub use plan::{Fault, Progress};
pub use sniff::{Kind, sniff};
pub use tools::Tools;
