//! The configuration: one file, every key with a default, environment
//! overrides, and a refusal that names the line of an unknown key.

mod check;
mod env;
mod load;
mod model;

pub use check::problems;
pub use load::{ConfigError, load, load_text};
pub use model::{
    Config, DataConfig, LimitsConfig, LogConfig, LogLevel, MailConfig, MailTls, MediaSection,
    MetricsConfig, RecordingConfig, RoomsConfig, ServerConfig, StorageConfig, StorageEncryption,
    StorageKind, TlsConfig, TlsMode, TurnConfig, UploadsConfig, WebhooksConfig,
};

/// Prefix of the variables that override keys.
pub const ENV_PREFIX: &str = "LOPHOC_";
