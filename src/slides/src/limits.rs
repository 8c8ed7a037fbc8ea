//! Every bound of a conversion, and what happens at it.

use std::time::Duration;

/// Pages of a deck. Overflow: refused as too many before a page is made.
pub const MAX_PAGES: u16 = 500;
/// Width of the small variant of a page, pixels.
pub const SMALL_WIDTH: u32 = 640;
/// Width of the large one, pixels.
pub const LARGE_WIDTH: u32 = 1_600;
/// Largest small variant, bytes. Overflow: lower quality, then fewer pixels.
pub const SMALL_BYTES: u64 = 40_000;
/// Largest large variant, bytes. Overflow: as [`SMALL_BYTES`].
pub const LARGE_BYTES: u64 = 600_000;
/// A page is at most this many times as high as wide. Overflow: it becomes
/// narrower than the others.
pub const MAX_TALL: u32 = 3;
/// Sides of an uploaded picture, pixels. Overflow: refused as too large, before
/// it is decoded.
pub const MAX_SIDE: u32 = 16_000;
/// Pixels of an uploaded picture. Overflow: as [`MAX_SIDE`].
pub const MAX_PIXELS: u64 = 60_000_000;
/// Entries of an office file. Overflow: refused as too hard.
pub const MAX_ENTRIES: u32 = 20_000;
/// Directory of an office file, bytes. Overflow: as [`MAX_ENTRIES`].
pub const MAX_DIRECTORY: u64 = 8 * 1024 * 1024;
/// An office file unpacked, bytes. Overflow: as [`MAX_ENTRIES`].
pub const MAX_UNPACKED: u64 = 1024 * 1024 * 1024;
/// Words of the text layer of a page. Overflow: the rest is left out.
pub const MAX_WORDS: usize = 4_000;
/// A word of it, Unicode scalar values. Overflow: cut.
pub const MAX_WORD: usize = 120;
/// Pages rendered by one run of a tool.
pub const CHUNK: u16 = 6;
/// What a tool says, bytes. Overflow: the rest is not read.
pub const MAX_SAID: u64 = 32 * 1024 * 1024;
/// One file a tool writes, bytes. Overflow: the tool is ended, the file is too hard.
pub const MAX_WRITTEN: u64 = 200 * 1024 * 1024;
/// All a conversion has on disk at a time, bytes. Overflow: as [`MAX_WRITTEN`].
pub const MAX_WORK: u64 = 600 * 1024 * 1024;
/// What a tool has in its `/tmp`, bytes; it is memory. Overflow: the tool is told
/// that the disk is full.
pub const MAX_TEMPORARY: u64 = 512 * 1024 * 1024;
/// The same in `/dev/shm`.
pub const MAX_SHARED: u64 = 64 * 1024 * 1024;
/// Address space of the office program, bytes. Overflow: it fails, the file is broken.
pub const OFFICE_MEMORY: u64 = 4 * 1024 * 1024 * 1024;
/// Address space of the other tools, bytes. Overflow: as [`OFFICE_MEMORY`].
pub const TOOL_MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// Processes and threads of a tool. Overflow: as [`OFFICE_MEMORY`].
pub const MAX_PROCESSES: u32 = 256;
/// Processor time of the office program. Overflow: the file is too hard.
pub const OFFICE_TIME: Duration = Duration::from_secs(90);
/// Processor time of one run of another tool. Overflow: as [`OFFICE_TIME`].
pub const TOOL_TIME: Duration = Duration::from_secs(60);
/// Time for a whole conversion. Overflow: as [`OFFICE_TIME`].
pub const WHOLE_TIME: Duration = Duration::from_secs(30 * 60);
