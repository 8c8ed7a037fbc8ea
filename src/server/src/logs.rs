//! The log: ids only, no names, no texts.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts logging to standard error. Does nothing when a log runs already
/// (tests start several servers in one process).
pub fn start(config: &LogConfig) {
    // The engine below logs addresses at lower levels; ours is what people ask for.
    let level = config.level.as_str();
    let filter = EnvFilter::new(format!(
        "warn,lophoc={level},lophoc_transport={level},lophoc_records={level}"
    ));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if config.json {
        builder.json().try_init()
    } else {
        builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init()
    };
    drop(started);
}
