//! Text frames to messages and back.

use serde::Deserialize;

use crate::client::ClientFrame;
use crate::error::ErrorCode;
use crate::limits::MAX_INFLATED;
use crate::server::{ServerFrame, ServerMessage};

/// First byte of a binary frame that holds one gzip-compressed JSON message.
/// Only sent to a side that announced the capability [`CAP_GZIP`].
pub const CHANNEL_GZIP: u8 = 0;
/// Capability: gzip frames may be sent to this side.
pub const CAP_GZIP: &str = "gz";

/// A text frame is not a message of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a lophoc.v1 message: {code:?}")]
pub struct BadFrame {
    /// The request id, where one could be read: the refusal can answer it.
    pub id: Option<u32>,
    /// What is wrong.
    pub code: ErrorCode,
}

impl BadFrame {
    /// The refusal to send back.
    pub fn reply(self) -> ServerFrame {
        ServerFrame {
            seq: None,
            id: self.id,
            msg: ServerMessage::Err {
                code: self.code,
                retry: false,
            },
        }
    }
}

/// Reads one message of a client. An unknown `t` is no error but
/// [`ClientMessage::Unknown`](crate::ClientMessage::Unknown); unknown fields are ignored.
///
/// # Errors
/// [`BadFrame`] for text that is too long, is not JSON, or lacks what the
/// message needs.
pub fn parse_client(text: &str) -> Result<ClientFrame, BadFrame> {
    parse(text)
}

/// Reads one message of the server, with the same tolerance.
///
/// # Errors
/// As [`parse_client`].
pub fn parse_server(text: &str) -> Result<ServerFrame, BadFrame> {
    parse(text)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadFrame> {
    if text.len() > MAX_INFLATED {
        return Err(BadFrame {
            id: None,
            code: ErrorCode::TooLarge,
        });
    }
    serde_json::from_str(text).map_err(|_| BadFrame {
        id: request_id(text),
        code: ErrorCode::BadRequest,
    })
}

/// The `id` of a message that is otherwise not understood.
fn request_id(text: &str) -> Option<u32> {
    #[derive(Deserialize)]
    struct OnlyId {
        #[serde(default)]
        id: Option<u32>,
    }
    serde_json::from_str::<OnlyId>(text).ok()?.id
}
