//! Documents: one model of an exported sheet, several formats drawn from it,
//! and the check whether a file is one of ours.
//!
//! A sheet is built by [`sheets`] from plain inputs, sealed
//! ([`Document::seal`]: texts cleaned, bounds checked, hash computed) and then
//! written by [`xlsx`], [`csv`], [`pdf`], [`html`] or [`json`]. [`verify`]
//! reads such files back. Nothing here knows a clock, a database or a socket:
//! ids and times are arguments, and the same document gives the same bytes.

pub mod csv;
pub mod html;
pub mod json;
mod model;
mod parts;
pub mod pdf;
pub mod sheets;
mod text;
pub mod verify;
pub mod vi;
pub mod xlsx;

pub use model::{
    Cell, Column, ColumnKind, DATA_SCHEMA, Data, Document, Export, Head, Kind, MAX_CELLS,
    MAX_COLUMNS, MAX_LINES, MAX_TABLES, Mark, Orientation, Place, SealError, Sealed, Signature,
    Table, sha256_hex,
};
pub use text::{MAX_CELL, MAX_LINE, clean, in_file, on_paper};
