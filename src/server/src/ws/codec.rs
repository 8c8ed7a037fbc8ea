//! Frames on the wire: text is JSON; binary is a channel byte and a payload,
//! channel 0 being gzip of a JSON message.

use std::io::{Read as _, Write as _};
use std::sync::OnceLock;

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use lophoc_protocol::limits::{GZIP_OVER, MAX_INFLATED};
use lophoc_protocol::wire::CHANNEL_GZIP;
use lophoc_protocol::{BadFrame, ClientFrame, ErrorCode, ServerFrame, parse_client};

/// A frame to send, serialized once for all who get it; compressed at most once.
#[derive(Debug)]
pub struct Encoded {
    text: Utf8Bytes,
    gzip: OnceLock<Bytes>,
}

impl Encoded {
    /// Serializes `frame`.
    pub fn new(frame: &ServerFrame) -> Result<Self, serde_json::Error> {
        Ok(Self {
            text: serde_json::to_string(frame)?.into(),
            gzip: OnceLock::new(),
        })
    }

    /// Bytes of the plain form, by which queues are bounded.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// As a websocket message, compressed when it is large and `gzip` is spoken.
    pub fn message(&self, gzip: bool) -> Message {
        if gzip && self.text.len() > GZIP_OVER {
            let packed = self.gzip.get_or_init(|| pack(self.text.as_bytes()));
            if !packed.is_empty() {
                return Message::Binary(packed.clone());
            }
        }
        Message::Text(self.text.clone())
    }
}

fn pack(json: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(vec![CHANNEL_GZIP], Compression::fast());
    // Writing to memory does not fail; an empty result means "send it plain".
    match encoder.write_all(json).and_then(|()| encoder.finish()) {
        Ok(packed) => packed.into(),
        Err(_) => Bytes::new(),
    }
}

/// A binary frame from a client.
pub fn decode_binary(bytes: &[u8]) -> Result<ClientFrame, BadFrame> {
    let refuse = |code| BadFrame { id: None, code };
    let Some((&CHANNEL_GZIP, packed)) = bytes.split_first() else {
        return Err(refuse(ErrorCode::BadRequest));
    };
    let mut json = Vec::new();
    let limit = u64::try_from(MAX_INFLATED)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let inflated = GzDecoder::new(packed).take(limit).read_to_end(&mut json);
    if json.len() > MAX_INFLATED {
        return Err(refuse(ErrorCode::TooLarge));
    }
    inflated.map_err(|_| refuse(ErrorCode::BadRequest))?;
    parse_client(std::str::from_utf8(&json).map_err(|_| refuse(ErrorCode::BadRequest))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_protocol::{ClientMessage, ServerMessage};
    use proptest::prelude::*;

    fn gzip(json: &[u8]) -> Vec<u8> {
        pack(json).to_vec()
    }

    #[test]
    fn small_frames_go_plain_and_large_ones_compressed_once() {
        let small = Encoded::new(&ServerFrame {
            seq: None,
            id: Some(1),
            msg: ServerMessage::Ok,
        })
        .unwrap();
        assert!(matches!(small.message(true), Message::Text(_)));
        let sdp = "a=candidate ".repeat(500);
        let msg = ServerMessage::Answer(lophoc_protocol::server::Answer {
            sdp,
            mids: Default::default(),
        });
        let large = Encoded::new(&ServerFrame {
            seq: None,
            id: None,
            msg,
        })
        .unwrap();
        assert!(matches!(large.message(false), Message::Text(_)));
        let Message::Binary(packed) = large.message(true) else {
            panic!("expected a binary frame")
        };
        assert_eq!(packed.first(), Some(&CHANNEL_GZIP));
        assert!(packed.len() < large.size() / 10);
    }

    #[test]
    fn compressed_client_frames_are_read() {
        let frame = decode_binary(&gzip(br#"{"t":"hand","id":7,"up":true}"#)).unwrap();
        assert_eq!(
            frame,
            ClientFrame {
                id: Some(7),
                msg: ClientMessage::Hand { up: true }
            }
        );
    }

    #[test]
    fn a_frame_that_inflates_beyond_the_bound_is_refused() {
        let mut bomb = br#"{"t":"chat","cid":"a","text":""#.to_vec();
        bomb.resize(MAX_INFLATED + 10, b'a');
        assert_eq!(
            decode_binary(&gzip(&bomb)),
            Err(BadFrame {
                id: None,
                code: ErrorCode::TooLarge
            })
        );
    }

    #[test]
    fn deep_nesting_is_refused_without_using_up_the_stack() {
        let deep = format!(
            r#"{{"t":"leave","x":{}{}}}"#,
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert!(decode_binary(&gzip(deep.as_bytes())).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode_binary(&bytes);
            let _ = decode_binary(&gzip(&bytes));
        }
    }
}
