//! Recordings, as the recorder process tells of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lophoc_recording::RecordingId;
use lophoc_recording::control::Status;
use prometheus::{IntCounter, IntGauge};

use super::Maker;

/// Counters of recordings.
#[derive(Debug)]
pub struct RecordingMetrics {
    /// The recorder process is there.
    pub up: IntGauge,
    /// How often it was gone.
    pub restarts: IntCounter,
    /// Gaps told.
    pub gaps: IntCounter,
    /// Free bytes where recordings lie.
    pub disk_free: IntGauge,
    running: IntGauge,
    tracks: IntGauge,
    queued: IntGauge,
    frames: IntCounter,
    bytes: IntCounter,
    dropped: IntCounter,
    track_seconds: IntCounter,
    /// What was told last of each that runs, and milliseconds not counted yet.
    last: Mutex<(HashMap<RecordingId, Status>, u64)>,
}

impl RecordingMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, prometheus::Error> {
        Ok(Self {
            up: make.gauge("lophoc_recorder_up", "1 while a recorder process is there")?,
            restarts: make.counter(
                "lophoc_recorder_deaths_total",
                "Times the recorder process was gone",
            )?,
            gaps: make.counter("lophoc_recording_gaps_total", "Gaps in recordings")?,
            disk_free: make.gauge(
                "lophoc_recording_disk_free_bytes",
                "Free room where recordings lie",
            )?,
            running: make.gauge("lophoc_recordings", "Recordings that go on")?,
            tracks: make.gauge("lophoc_recording_tracks", "Tracks being written")?,
            queued: make.gauge("lophoc_recording_queue_bytes", "Bytes waiting for the disk")?,
            frames: make.counter("lophoc_recording_frames_total", "Frames recorded")?,
            bytes: make.counter("lophoc_recording_bytes_total", "Bytes recorded")?,
            dropped: make.counter(
                "lophoc_recording_dropped_bytes_total",
                "Bytes dropped because the disk was too slow",
            )?,
            track_seconds: make.counter(
                "lophoc_recording_track_seconds_total",
                "Seconds recorded, summed over tracks",
            )?,
            last: Mutex::default(),
        })
    }

    /// How recordings go, counted since the process began.
    pub fn take(&self, list: &[Status]) {
        let sum = |of: fn(&Status) -> u64| {
            let sum = list.iter().map(of).fold(0, u64::saturating_add);
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        self.running.set(i64::try_from(list.len()).unwrap_or(0));
        self.tracks.set(sum(|status| u64::from(status.tracks)));
        self.queued.set(sum(|status| status.queued));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, rest) = &mut *last;
        let mut now = HashMap::new();
        for status in list {
            // One that counts less than before is of another process.
            let before = known
                .get(&status.recording)
                .filter(|before| before.frames <= status.frames);
            let since = |of: fn(&Status) -> u64| of(status).saturating_sub(before.map_or(0, of));
            self.frames.inc_by(since(|status| status.frames));
            self.bytes.inc_by(since(|status| status.bytes));
            self.dropped.inc_by(since(|status| status.dropped));
            *rest = rest.saturating_add(since(|status| status.track_ms));
            now.insert(status.recording.clone(), status.clone());
        }
        self.track_seconds.inc_by(*rest / 1_000);
        *rest %= 1_000;
        *known = now;
    }
}
