//! Whether the sender of a binding request knows the password (RFC 8489 §14.5),
//! found out before any state is made for it. Whom the request is for is read by
//! [`lophoc_media::stun`]; everything else about STUN is str0m's.

use aws_lc_rs::hmac;
use lophoc_media::stun::{Class, peek};

/// Length of the STUN header, bytes.
const HEADER: usize = 20;
const METHOD_BINDING: u16 = 1;
const ATTR_MESSAGE_INTEGRITY: u16 = 0x0008;
/// HMAC-SHA1 output, bytes.
const INTEGRITY_LEN: usize = 20;
/// Longest ICE user name looked at. RFC 8445 §5.3 allows 256; ours are short.
const MAX_UFRAG: usize = 64;
/// Most attributes walked.
const MAX_ATTRIBUTES: usize = 32;

/// A binding request, not yet verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BindingRequest<'a> {
    /// Our half of USERNAME: the ufrag of the connection asked for.
    pub(crate) local_ufrag: &'a str,
    bytes: &'a [u8],
    integrity_at: usize,
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

/// Where the MESSAGE-INTEGRITY attribute begins; what follows it is not covered
/// by it.
fn find_integrity(bytes: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    for _ in 0..MAX_ATTRIBUTES {
        let kind = be16(bytes, at)?;
        let len = usize::from(be16(bytes, at + 2)?);
        if kind == ATTR_MESSAGE_INTEGRITY {
            return (len == INTEGRITY_LEN).then_some(at);
        }
        at += 4 + len.next_multiple_of(4);
    }
    None
}

impl<'a> BindingRequest<'a> {
    /// Reads a binding request that carries USERNAME and MESSAGE-INTEGRITY;
    /// `None` for any other message.
    pub(crate) fn peek(bytes: &'a [u8]) -> Option<Self> {
        let message = peek(bytes)?;
        let whole = bytes.len() == HEADER + usize::from(be16(bytes, 2)?);
        if message.class != Class::Request || message.method != METHOD_BINDING || !whole {
            return None;
        }
        Some(Self {
            local_ufrag: message.local_ufrag.filter(|u| u.len() <= MAX_UFRAG)?,
            bytes,
            integrity_at: find_integrity(bytes)?,
        })
    }

    /// Whether MESSAGE-INTEGRITY was made with `password` (RFC 8489 §14.5).
    pub(crate) fn verify(&self, password: &str) -> bool {
        let (Some(head), Some(body), Some(found)) = (
            self.bytes.get(..2),
            self.bytes.get(4..self.integrity_at),
            self.bytes
                .get(self.integrity_at + 4..self.integrity_at + 4 + INTEGRITY_LEN),
        ) else {
            return false;
        };
        // The length counted is that of a message ending with the integrity.
        let Ok(length) = u16::try_from(self.integrity_at + 4 + INTEGRITY_LEN - HEADER) else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(head);
        context.update(&length.to_be_bytes());
        context.update(body);
        aws_lc_rs::constant_time::verify_slices_are_equal(context.sign().as_ref(), found).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A binding request as ICE sends it.
    pub(crate) fn request(username: &str, password: &str) -> Vec<u8> {
        let mut message = Vec::new();
        message.extend_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        message.extend_from_slice(&[7; 12]);
        message.extend_from_slice(&6u16.to_be_bytes());
        message.extend_from_slice(&(username.len() as u16).to_be_bytes());
        message.extend_from_slice(username.as_bytes());
        message.resize(message.len().next_multiple_of(4), 0);
        let length = (message.len() + 24 - HEADER) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let tag = hmac::sign(&key, &message);
        message.extend_from_slice(&ATTR_MESSAGE_INTEGRITY.to_be_bytes());
        message.extend_from_slice(&(INTEGRITY_LEN as u16).to_be_bytes());
        message.extend_from_slice(tag.as_ref());
        message
    }

    #[test]
    fn a_request_names_its_ufrag_and_proves_its_password() {
        let bytes = request("server:client", "secret");
        let peeked = BindingRequest::peek(&bytes).unwrap();
        assert_eq!(peeked.local_ufrag, "server");
        assert!(peeked.verify("secret"));
        assert!(!peeked.verify("other"));
    }

    #[test]
    fn a_fingerprint_after_the_integrity_changes_nothing() {
        let mut bytes = request("server:client", "secret");
        bytes.extend_from_slice(&[0x80, 0x28, 0, 4, 1, 2, 3, 4]);
        let length = (bytes.len() - HEADER) as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(BindingRequest::peek(&bytes).unwrap().verify("secret"));
    }

    #[test]
    fn the_reference_vector_of_rfc_5769_verifies() {
        // RFC 5769 §2.1.
        const VECTOR: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
            802200105354554e207465737420636c69656e74\
            002400046e0001ff80290008932ff9b151263b36\
            00060009 6576746a3a68367659202020\
            000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2\
            80280004e57a3bcf";
        let hex: String = VECTOR.chars().filter(char::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        let peeked = BindingRequest::peek(&bytes).unwrap();
        assert_eq!(peeked.local_ufrag, "evtj");
        assert!(peeked.verify("VOkJxbRl1RmTxUk/WvJxBt"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(peeked) = BindingRequest::peek(&bytes) {
                let _ = peeked.verify("x");
            }
        }

        #[test]
        fn a_damaged_request_never_verifies(at in 0usize..64, bit in 0u8..8) {
            let mut bytes = request("server:client", "secret");
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let verified = BindingRequest::peek(&bytes).is_some_and(|p| p.verify("secret"));
            prop_assert!(!verified);
        }
    }
}
