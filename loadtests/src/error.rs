//! What can go wrong in a load run, in words for the person who started it.

/// A run or one of its clients failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// File or socket.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The address of the server is not usable.
    #[error("not a usable server address: {0} (expected http://host:port)")]
    BadUrl(String),
    /// The server answered a request with an error.
    #[error("{what}: the server answered {status} {body}")]
    Http {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// Start of the body.
        body: String,
    },
    /// The websocket broke or carried something unexpected.
    #[error("signalling: {0}")]
    Signal(String),
    /// The media connection could not be set up.
    #[error("media: {0}")]
    Media(String),
    /// Something did not happen in time.
    #[error("timed out: {0}")]
    Timeout(&'static str),
    /// A file is not what it should be.
    #[error("{file}: {why}")]
    BadFile {
        /// Path.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The server process could not be started or ended early.
    #[error("server: {0}")]
    Server(String),
}

impl LoadError {
    /// Wraps an I/O error with what was attempted.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, LoadError>;
