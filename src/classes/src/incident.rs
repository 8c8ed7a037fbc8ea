//! The technicians of a session: who is on duty (lịch trực kỹ thuật), what went
//! wrong and what was done about it (nhật ký sự cố; TT 21/2017 Điều 10.3), and the
//! sites as their console shows them.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::class::Session;
use crate::preflight::Preflight;
use crate::rights::Right;

/// Entries of a duty roster, at most.
pub const MAX_DUTY: usize = 30;
/// Incidents of a session, at most.
pub const MAX_INCIDENTS: u32 = 1_000;
/// Entries of one incident, at most.
pub const MAX_INCIDENT_ENTRIES: usize = 100;

/// Somebody on duty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DutyEntry {
    /// Name, at most 80 characters.
    pub name: String,
    /// Phone, at most 40 characters.
    pub phone: String,
    /// From, ms; absent = from the beginning of the session.
    pub from_ms: Option<u64>,
    /// Until, ms; absent = to its end.
    pub to_ms: Option<u64>,
    /// What he cares for, at most 200 characters.
    pub note: String,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum IncidentKind {
    /// Link to the server.
    Link,
    /// Sound.
    Sound,
    /// Picture.
    Picture,
    /// Slides, files, shared screen.
    Content,
    /// Signing in, joining.
    Account,
    /// Power, the hall, its machines.
    Hall,
    /// Something else.
    Other,
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum IncidentSeverity {
    /// Nhẹ: one notices.
    Low,
    /// Vừa: somebody cannot follow.
    Medium,
    /// Nặng: the session suffers.
    High,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum IncidentState {
    /// Mới ghi nhận.
    Open,
    /// Đang xử lý.
    Handling,
    /// Đã xử lý.
    Solved,
}

/// One entry of an incident. Never changed: a correction is another entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentEntry {
    /// When, ms.
    pub at_ms: u64,
    /// New state; absent = a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub state: Option<IncidentState>,
    /// Words; may be empty.
    pub text: String,
    /// By whom; absent = the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<PersonKey>,
    /// Name; empty = the server.
    pub by_name: String,
}

/// An incident with everything that was written of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Number in the session, from 1.
    pub no: u32,
    /// What.
    pub kind: IncidentKind,
    /// How bad.
    pub severity: IncidentSeverity,
    /// Site, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub site: Option<PersonKey>,
    /// Name of the site or person, as written down; may be empty.
    pub subject: String,
    /// Where it stands.
    pub state: IncidentState,
    /// In order, at least one.
    pub entries: Vec<IncidentEntry>,
}

impl Incident {
    /// When somebody first reached a state, ms.
    pub fn reached(&self, state: IncidentState) -> Option<u64> {
        let found = self.entries.iter().find(|entry| entry.state == Some(state));
        found.map(|entry| entry.at_ms)
    }
}

/// `POST /api/v1/sessions/{id}/incidents`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIncident {
    /// What.
    pub kind: IncidentKind,
    /// How bad.
    pub severity: IncidentSeverity,
    /// Site, when it is about one.
    #[serde(default)]
    pub site: Option<PersonKey>,
    /// Name of the site or person, at most 120 characters.
    #[serde(default)]
    pub subject: String,
    /// What happened, at most 1,000 characters.
    pub text: String,
}

/// `POST /api/v1/sessions/{id}/incidents/{no}/entries`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIncidentEntry {
    /// New state; absent = a note.
    #[serde(default)]
    pub state: Option<IncidentState>,
    /// Words, at most 1,000 characters; needed for a note and to solve it.
    #[serde(default)]
    pub text: String,
}

/// How the connection of a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SiteLinkState {
    /// In the room.
    Here,
    /// Lost a moment ago, awaited.
    Lost,
    /// Not in the room.
    Away,
}

/// A site on the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteLine {
    /// The site.
    pub site: PersonKey,
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// How its connection is.
    pub link: SiteLinkState,
    /// Since when, ms.
    pub since_ms: Option<u64>,
    /// Last sign of life, ms.
    pub heard_ms: Option<u64>,
    /// Microphone is live.
    pub mic: bool,
    /// Camera is live.
    pub camera: bool,
    /// Loudness of its microphone in the last seconds, −dBov: 0 loudest; absent =
    /// nothing was heard.
    pub level: Option<u8>,
    /// Rung of the ladder for weak links, the protocol's name; absent = it gets
    /// everything, or is not here.
    pub rung: Option<String>,
    /// Loss towards it, per mille.
    pub loss_permille: Option<u16>,
    /// Round-trip time, ms.
    pub rtt_ms: Option<u32>,
    /// Estimated bandwidth towards it, kbit/s.
    pub kbps: Option<u32>,
    /// People ticked in there.
    pub hall: u32,
    /// Its check before the session.
    pub preflight: Option<Preflight>,
}

/// What the recorder does in a session, as its technicians see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecorderState {
    /// Nothing is recorded.
    Off,
    /// It is recorded from outside of the room, not by the server.
    External,
    /// The recorder is being started.
    Starting,
    /// It records.
    On,
    /// Nothing is taken until it is told to go on.
    Paused,
    /// The recorder is gone and is being brought back.
    Failed,
}

/// What went wrong with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecorderTrouble {
    /// There is no recorder.
    NoRecorder,
    /// The recorder was gone and was brought back.
    Failed,
    /// Something is missing from the recording.
    Gap,
    /// Little room is left on the disk.
    DiskLow,
    /// The disk does not keep up: what is recorded waits in memory.
    DiskSlow,
    /// The disk is full or failed: the recording has ended.
    DiskFull,
    /// The recording has ended before it was stopped.
    Ended,
}

/// An alarm of the recorder, as in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecorderAlarm {
    /// When it was noticed, ms since the epoch.
    pub at: u64,
    /// What.
    pub what: RecorderTrouble,
    /// Of a gap: from when, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<u64>,
    /// Of a gap: until when, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<u64>,
    /// Of a disk: bytes left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub left: Option<u64>,
}

/// The recorder of a session, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecorderLine {
    /// What it does.
    pub state: RecorderState,
    /// Since when it is recorded, ms since the epoch.
    pub since_ms: Option<u64>,
    /// Why the server cannot record now what is set to be recorded by it.
    pub unable: Option<RecorderTrouble>,
    /// What went wrong in this session, the oldest first, at most the last twenty.
    pub alarms: Vec<RecorderAlarm>,
}

/// The technicians' console of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsolePage {
    /// Name of the class.
    pub class_title: String,
    /// Session.
    pub session: Session,
    /// Duty roster.
    pub duty: Vec<DutyEntry>,
    /// Version of the duty roster; 0 = none was written.
    pub duty_version: u32,
    /// Technicians on the staff of the session, by name.
    pub technicians: Vec<String>,
    /// Sites by name.
    pub sites: Vec<SiteLine>,
    /// Incidents, the newest first.
    pub incidents: Vec<Incident>,
    /// What the server gives up for want of computing time, at the moment: 0 nothing,
    /// 1 thumbnails, 2 large cameras, 3 frames of screens, 4 cameras.
    pub overload: u8,
    /// The recorder.
    pub recorder: RecorderLine,
    /// The asker is in the room now, as he must be to act there.
    pub in_room: bool,
    /// The asker's rights here.
    pub rights: Vec<Right>,
    /// Server clock, ms.
    pub now_ms: u64,
}

/// What a technician does to a site in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SiteAct {
    /// Ask to turn the microphone on.
    AskMic,
    /// Ask to turn the camera on.
    AskCamera,
    /// Mute it.
    Mute,
    /// Let it connect its media anew.
    Restart,
    /// Send it a message.
    Say,
}

/// `POST /api/v1/sessions/{id}/console/acts`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SiteActForm {
    /// The site.
    pub site: PersonKey,
    /// What.
    pub act: SiteAct,
    /// Client's id of the message (uuid), with `say`.
    #[serde(default)]
    pub cid: String,
    /// Words, with `say`.
    #[serde(default)]
    pub text: String,
}
