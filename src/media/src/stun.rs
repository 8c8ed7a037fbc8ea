//! A look into a STUN message (RFC 8489) that is not authenticated yet: enough
//! to find the connection it may belong to, by the local half of USERNAME.

use crate::bytes::Reader;

const MAGIC_COOKIE: u32 = 0x2112_A442;
const USERNAME: u16 = 0x0006;
/// Longest USERNAME of RFC 8489 section 14.3 is 509 bytes; ours are far shorter.
const MAX_USERNAME: usize = 513;
/// More attributes than any client sends; the rest is not looked at.
const MAX_ATTRIBUTES: usize = 32;

/// Class of a message (RFC 8489 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Request.
    Request,
    /// Indication.
    Indication,
    /// Success response.
    Success,
    /// Error response.
    Error,
}

/// What can be told without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    /// Class.
    pub class: Class,
    /// Method; 1 is Binding.
    pub method: u16,
    /// Transaction.
    pub transaction: [u8; 12],
    /// Part of USERNAME before the colon: the ufrag of whoever is asked, that
    /// is ours in a request. `None` when there is no USERNAME.
    pub local_ufrag: Option<&'a str>,
    /// Part after the colon: the ufrag of whoever asks.
    pub remote_ufrag: Option<&'a str>,
}

/// Reads header and USERNAME. `None` when it is no STUN message, is cut off, or
/// its USERNAME is not `ufrag:ufrag` in the characters of RFC 8445 section 5.3.
pub fn peek(datagram: &[u8]) -> Option<Peek<'_>> {
    let mut reader = Reader::new(datagram);
    let kind = reader.u16()?;
    if kind & 0xC000 != 0 {
        return None;
    }
    let length = usize::from(reader.u16()?);
    if reader.u32()? != MAGIC_COOKIE || !length.is_multiple_of(4) {
        return None;
    }
    let transaction = reader.array::<12>()?;
    let username = find_username(reader.take(length)?)?;
    let (local_ufrag, remote_ufrag) = match username {
        Some(name) => {
            let (local, remote) = split_username(name)?;
            (Some(local), Some(remote))
        }
        None => (None, None),
    };
    Some(Peek {
        class: class_of(kind),
        method: (kind & 0x000F) | ((kind & 0x00E0) >> 1) | ((kind & 0x3E00) >> 2),
        transaction,
        local_ufrag,
        remote_ufrag,
    })
}

fn class_of(kind: u16) -> Class {
    match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    }
}

/// Outer `None`: malformed.
fn find_username(attributes: &[u8]) -> Option<Option<&[u8]>> {
    let mut reader = Reader::new(attributes);
    for _ in 0..MAX_ATTRIBUTES {
        if reader.rest().is_empty() {
            break;
        }
        let kind = reader.u16()?;
        let length = usize::from(reader.u16()?);
        let value = reader.take(length)?;
        if kind == USERNAME {
            return (length <= MAX_USERNAME).then_some(Some(value));
        }
        // Padding to four bytes; a message may end before it.
        let padding = length.next_multiple_of(4) - length;
        reader.take(padding.min(reader.rest().len()))?;
    }
    Some(None)
}

fn split_username(name: &[u8]) -> Option<(&str, &str)> {
    let (local, remote) = std::str::from_utf8(name).ok()?.split_once(':')?;
    let ice_char = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let good = |s: &str| !s.is_empty() && s.chars().all(ice_char);
    (good(local) && good(remote)).then_some((local, remote))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut out = kind.to_be_bytes().to_vec();
        out.extend((body.len() as u16).to_be_bytes());
        out.extend(MAGIC_COOKIE.to_be_bytes());
        out.extend([7; 12]);
        out.extend(body);
        out
    }

    #[test]
    fn the_local_ufrag_is_the_part_before_the_colon() {
        let bytes = message(1, &[(0x8022, b"abc"), (USERNAME, b"serv3r:cli/ent+")]);
        let peek = peek(&bytes).unwrap();
        assert_eq!(peek.class, Class::Request);
        assert_eq!(peek.method, 1);
        assert_eq!(peek.local_ufrag, Some("serv3r"));
        assert_eq!(peek.remote_ufrag, Some("cli/ent+"));
    }

    #[test]
    fn a_response_without_username_is_still_a_stun_message() {
        let bytes = message(0x0101, &[]);
        let peek = peek(&bytes).map(|p| (p.class, p.method, p.local_ufrag));
        assert_eq!(peek, Some((Class::Success, 1, None)));
    }

    #[test]
    fn a_username_without_colon_or_with_foreign_characters_is_refused() {
        for name in [&b"nocolon"[..], b":x", b"x:", b"a b:c", b"\xff:a", b"a:b:c"] {
            assert_eq!(peek(&message(1, &[(USERNAME, name)])), None, "{name:?}");
        }
    }

    #[test]
    fn wrong_cookie_and_cut_messages_are_refused() {
        let good = message(1, &[(USERNAME, b"a:b")]);
        for end in 0..good.len() {
            assert_eq!(peek(&good[..end]), None);
        }
        let mut bad = good;
        bad[4] ^= 1;
        assert_eq!(peek(&bad), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = peek(&bytes);
        }

        #[test]
        fn arbitrary_attributes_never_panic(
            attributes in proptest::collection::vec(any::<u8>(), 0..200),
            claimed in any::<u16>(),
        ) {
            let mut bytes = message(1, &[]);
            bytes[2..4].copy_from_slice(&claimed.to_be_bytes());
            bytes.extend(attributes);
            let _ = peek(&bytes);
        }

        #[test]
        fn every_username_comes_back(local in "[a-zA-Z0-9+/]{4,32}", remote in "[a-zA-Z0-9+/]{4,32}") {
            let bytes = message(1, &[(USERNAME, format!("{local}:{remote}").as_bytes())]);
            prop_assert_eq!(peek(&bytes).unwrap().local_ufrag, Some(local.as_str()));
        }
    }
}
