//! The log: ids only, no names, no texts.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts logging to standard error. Does nothing when a log runs already
/// (tests start several servers in one process).
pub fn start(config: &LogConfig) {
    start_at(config.level.as_str(), config.json);
}

/// The same for the recorder process, whose lines end where the server's do.
pub fn start_recorder(level: &str, json: bool) {
    start_at(level, json);
}

fn start_at(level: &str, json: bool) {
    // The engine below logs addresses at lower levels; ours is what people ask for.
    let filter = EnvFilter::new(format!(
        "warn,lophoc={level},lophoc_transport={level},lophoc_records={level},\
         lophoc_recorder={level}"
    ));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if json {
        builder.json().try_init()
    } else {
        builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init()
    };
    drop(started);
}
