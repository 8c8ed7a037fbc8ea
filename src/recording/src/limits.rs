//! Every bound of a recording, with what happens at it.

/// A cluster is closed when it spans this long, milliseconds. At a kill no more than
/// this, the time between two ticks (100 ms) and what a frame waits for those before
/// it and for the word whose it is (200 ms) is lost: less than a second.
pub const CLUSTER_MS: u64 = 600;
/// A cluster is closed when it holds this much, bytes.
pub const CLUSTER_BYTES: usize = 1 << 20;
/// Largest frame; a larger one is dropped and logged as a gap.
pub const FRAME_BYTES: usize = 4 << 20;
/// While a disk does not follow, what it cost is told this often at most, milliseconds;
/// at first every [`SYNC_MS`], then ever more rarely up to this.
pub const QUEUE_ALARM_MS: u64 = 60_000;
/// Files are synced this often, milliseconds: at a power cut no more than this and
/// what a kill takes is lost, five seconds.
pub const SYNC_MS: u64 = 4_000;
/// A picture goes on in a new file after this long, milliseconds.
pub const PICTURE_SEGMENT_MS: u64 = 30 * 60_000;
/// A sound goes on in a new file after this long, milliseconds.
pub const SOUND_SEGMENT_MS: u64 = 5 * 60_000;
/// Keyframes of recorded pictures are asked for this often, milliseconds, so
/// that any place is near one.
pub const KEYFRAME_EVERY_MS: u64 = 10_000;
/// While a keyframe is needed, it is asked for this often, milliseconds.
pub const KEYFRAME_AGAIN_MS: u64 = 500;
/// No keyframe for this long, milliseconds: an alarm.
pub const KEYFRAME_ALARM_MS: u64 = 5_000;
/// Sound: a longer silence between two frames that no talkspurt explains is a gap, ms.
pub const SOUND_HOLE_MS: u64 = 100;
/// Sound that lies no farther back than this before the latest, ticks of 48 kHz, came
/// twice.
pub const SOUND_AGAIN_TICKS: u64 = 48_000 / 5;
/// A picture that stands still this long, milliseconds, is a gap when frames are missing.
pub const PICTURE_HOLE_MS: u64 = 1_000;
/// H.264: after so many keyframes in a row without parameter sets, those before hold.
pub const UNTOLD_KEYFRAMES: u32 = 3;
/// Segments of one recording; further tracks are not opened, with an alarm.
pub const MAX_SEGMENTS: usize = 9_999;
/// Slots a capture follows; bindings of further ones are ignored.
pub const MAX_SLOTS: usize = 64;
/// Longest line of a journal, bytes; a longer one is damage.
pub const JOURNAL_LINE: usize = 16 << 10;
/// Largest journal that is read, bytes: a day of a large class has some 200 MB. A
/// larger one is left alone and told as damage.
pub const JOURNAL_BYTES: u64 = 1 << 30;
/// Gaps of a recording that are remembered one by one; later ones are in the journal
/// alone.
pub const MAX_GAPS: usize = 200_000;
/// Times a minute a track may go on in a new file because of what its source says
/// (its clock jumped, its format changed). Overflow: jumps are placed by arrival in
/// the same file; frames of yet another format are left out, and told as a gap.
pub const ANEW_A_MINUTE: usize = 12;
/// A recording nobody went on with for so long has ended, milliseconds: hours of
/// nothing are not part of a class.
pub const OUTAGE_MS: u64 = 30 * 60_000;
/// Clusters of one file that are indexed; the file counts as ending there.
pub const MAX_CLUSTERS: usize = 200_000;
/// Largest head (everything before the first cluster) of a file, bytes.
pub const MAX_HEAD: u64 = 64 << 10;
/// Largest cluster that is believed, bytes.
pub const MAX_CLUSTER: u64 = 16 << 20;
/// Longest recording, milliseconds; later it ends by itself.
pub const RECORDING_MS: u64 = 24 * 3_600_000;
/// Cuts of a recording.
pub const MAX_CUTS: usize = 1_000;
/// Samples of the clock in a side file stand this far apart, milliseconds.
pub const CLOCK_EVERY_MS: u64 = 1_000;

/// Free space below which teacher and technicians are warned, bytes.
pub const DISK_WARN: u64 = 10 << 30;
/// Below: pictures of learners are no longer taken.
pub const DISK_LEAN: u64 = 5 << 30;
/// Below: sound and screen alone.
pub const DISK_SPARE: u64 = 2 << 30;
/// Below: files are closed and the recording ends.
pub const DISK_END: u64 = 500 << 20;
/// Free space a start needs at least, bytes.
pub const DISK_START: u64 = 5 << 30;
/// Freed for closing files on a full disk, bytes.
pub const BALLAST: u64 = 64 << 20;
