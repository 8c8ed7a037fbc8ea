//! The keys and their defaults. `config/lophoc.toml` shows each with a comment;
//! a test holds the two together.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Pages and signalling.
    pub server: ServerConfig,
    /// HTTPS.
    pub tls: TlsConfig,
    /// What is kept.
    pub data: DataConfig,
    /// Sound and picture.
    pub media: MediaSection,
    /// Relays for closed networks.
    pub turn: TurnConfig,
    /// Rooms.
    pub rooms: RoomsConfig,
    /// Slides and files.
    pub uploads: UploadsConfig,
    /// Where recordings are kept.
    pub storage: StorageConfig,
    /// Who is told of finished recordings.
    pub webhooks: WebhooksConfig,
    /// Recordings made by this server.
    pub recording: RecordingConfig,
    /// Notices by e-mail.
    pub mail: MailConfig,
    /// Rates and sizes.
    pub limits: LimitsConfig,
    /// Log.
    pub log: LogConfig,
    /// Metrics.
    pub metrics: MetricsConfig,
}

/// Pages and signalling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Addresses and ports to listen on (TCP).
    pub listen: Vec<SocketAddr>,
    /// Address people type, for the links; empty = made from `listen`.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Further origins whose pages may open the websocket.
    pub origins: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
        }
    }
}

/// How HTTPS is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Plain HTTP: localhost, or behind a proxy that does HTTPS.
    #[default]
    Off,
    /// Certificate and key from files.
    Files,
    /// A self-signed certificate made at the first start, kept in the data folder.
    Generated,
}

/// HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Mode.
    pub mode: TlsMode,
    /// Certificate chain, PEM (`mode = "files"`).
    pub cert: PathBuf,
    /// Private key, PEM (`mode = "files"`).
    pub key: PathBuf,
    /// Further names and addresses of the generated certificate.
    pub names: Vec<String>,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of the database and the generated certificate.
    pub folder: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("./data"),
        }
    }
}

/// Sound and picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaSection {
    /// UDP port, and TCP port of the same number; 0 takes any free one.
    pub port: u16,
    /// Addresses to bind.
    pub listen: Vec<IpAddr>,
    /// Addresses told to clients; empty = loopback and those of the interfaces.
    pub announce: Vec<IpAddr>,
    /// Threads; 0 = one less than the processor has cores, at least one.
    pub shards: u16,
    /// Most media connections.
    pub max_peers: usize,
    /// Bandwidth first assumed for a receiver, kbit/s.
    pub initial_kbps: u32,
    /// Whether browsers may send sound and picture by TCP where no UDP goes.
    pub tcp: bool,
    /// Whether newcomers are refused while the media threads have more to do than
    /// they can. Those who are in, and staff, always come in.
    pub admission: bool,
    /// Per mille of its time from which a media thread has more to do than it can.
    pub overload_at: u16,
}

impl Default for MediaSection {
    fn default() -> Self {
        Self {
            port: 10_000,
            listen: vec![IpAddr::from([0, 0, 0, 0]), IpAddr::from([0u16; 8])],
            announce: Vec::new(),
            shards: 0,
            max_peers: 6_000,
            initial_kbps: 1_000,
            tcp: true,
            admission: true,
            overload_at: lophoc_media::overload::HIGH,
        }
    }
}

/// A TURN server beside this one, for offices whose firewall lets nothing but
/// HTTPS through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnConfig {
    /// Addresses told to clients; empty = none.
    pub urls: Vec<String>,
    /// Secret shared with the TURN server, from which credentials are made.
    pub secret: String,
    /// Hours a credential lasts.
    pub hours: u32,
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            secret: String::new(),
            hours: 12,
        }
    }
}

/// Rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomsConfig {
    /// Most people in one room.
    pub max_people: u32,
    /// Open a demo class at the start and print its links.
    pub demo: bool,
}

impl Default for RoomsConfig {
    fn default() -> Self {
        Self {
            max_people: 5_000,
            demo: false,
        }
    }
}

/// Slides and files that people bring into rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadsConfig {
    /// Largest file of slides, MB.
    pub deck_mb: u32,
    /// Largest file handed out, MB.
    pub hand_out_mb: u32,
    /// Largest file handed in, MB.
    pub hand_in_mb: u32,
    /// All files of a session, MB.
    pub session_mb: u32,
    /// What stays free on the disk, MB.
    pub keep_free_mb: u32,
    /// Conversions at a time.
    pub workers: u8,
    /// Converts without a sandbox where there is none.
    pub without_sandbox: bool,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        Self {
            deck_mb: 100,
            hand_out_mb: 100,
            hand_in_mb: 20,
            session_mb: 2_048,
            keep_free_mb: 1_024,
            workers: 1,
            without_sandbox: false,
        }
    }
}

/// Recordings made by this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingConfig {
    /// Whether rooms can be recorded.
    pub enabled: bool,
    /// What must be free on the disk for a recording to begin, MB.
    pub min_free_mb: u32,
    /// Whether one film (MP4) is made of each recording.
    pub film: bool,
    /// Whether a poster and small pictures for the time line are made.
    pub pictures: bool,
}

impl Default for RecordingConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            min_free_mb: 5_120,
            film: true,
            pictures: true,
        }
    }
}

/// Where recordings are kept beside the data folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// In the data folder alone.
    #[default]
    Local,
    /// In an S3-compatible object storage as well.
    S3,
}

/// What the object storage encrypts with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageEncryption {
    /// As the bucket is set.
    #[default]
    Bucket,
    /// A key of the storage (SSE-S3, AES-256).
    Aes256,
    /// A key of its key service (SSE-KMS).
    Kms,
}

/// Where recordings are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// Kind.
    pub kind: StorageKind,
    /// Address of the storage; empty = Amazon's.
    pub endpoint: String,
    /// Region.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Folder inside the bucket.
    pub prefix: String,
    /// Access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// File with the secret, in place of `secret_key`.
    pub secret_file: PathBuf,
    /// What the storage encrypts files with.
    pub encryption: StorageEncryption,
    /// Name of the key, where its key service has it.
    pub kms_key: String,
    /// Whether files stay in the data folder when they are in the storage.
    pub keep_local: bool,
    /// Checksums of recordings are looked at again after so many days; 0 = never.
    pub verify_days: u32,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            kind: StorageKind::Local,
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            bucket: String::new(),
            prefix: "recordings".to_owned(),
            access_key: String::new(),
            secret_key: String::new(),
            secret_file: PathBuf::new(),
            encryption: StorageEncryption::Bucket,
            kms_key: String::new(),
            keep_local: true,
            verify_days: 30,
        }
    }
}

/// Who is told of finished recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Hosts inside of the own network that may be told, also by plain HTTP.
    pub private_hosts: Vec<String>,
}

/// How the mail server is talked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In the clear; for a mail server on this machine only.
    None,
    /// In the clear until STARTTLS; refused where the server has none.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// Notices by e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// Mail server; empty = no mail is sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS.
    pub tls: MailTls,
    /// Certificate of the authority that signed the server's, PEM; empty = those
    /// of the system alone.
    pub ca: PathBuf,
    /// Account; empty = none.
    pub user: String,
    /// Its password.
    pub password: String,
    /// File with the password, in place of `password`.
    pub password_file: PathBuf,
    /// Sender: an address, or a name with the address in `<…>`.
    pub from: String,
    /// Most mails per minute.
    pub per_minute: u32,
    /// First wait before a mail is tried again, seconds; four times as long each
    /// further time.
    pub retry_s: u32,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: MailTls::Starttls,
            ca: PathBuf::new(),
            user: String::new(),
            password: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
            per_minute: 60,
            retry_s: 60,
        }
    }
}

/// Rates and sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Calls of `/api/link` and `/api/join` from one address, per minute.
    pub api_per_minute: u32,
    /// The same, at once.
    pub api_burst: u32,
    /// Websockets from one address.
    pub links_per_address: u32,
    /// Websockets in all.
    pub links: u32,
    /// Frames of one websocket, per second.
    pub frames_per_second: u32,
    /// The same, at once.
    pub frames_burst: u32,
    /// Messages that may wait for one slow websocket.
    pub outbox_messages: usize,
    /// Bytes that may wait for one slow websocket.
    pub outbox_bytes: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            api_per_minute: 1_200,
            api_burst: 600,
            links_per_address: 1_000,
            links: 8_000,
            frames_per_second: 20,
            frames_burst: 60,
            outbox_messages: 512,
            outbox_bytes: 2 * 1024 * 1024,
        }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Faults.
    Error,
    /// Faults and doubtful things.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// For searching a fault.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The level as the log filter spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Level.
    pub level: LogLevel,
    /// One JSON object per line.
    pub json: bool,
}

/// Metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Token that opens `/metrics` to other machines; empty = loopback only.
    pub token: String,
}
