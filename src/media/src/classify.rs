//! What a datagram is by its first byte (RFC 7983 section 7), with RTP told
//! from RTCP by the second (RFC 5761 section 4).

/// Kind of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datagram {
    /// Connectivity check.
    Stun,
    /// Handshake or data channel.
    Dtls,
    /// Protected media.
    Rtp,
    /// Protected report.
    Rtcp,
    /// Nothing we speak (ZRTP, TURN channels, garbage): drop and count.
    Unknown,
}

/// Looks at no more than two bytes.
pub fn classify(datagram: &[u8]) -> Datagram {
    match (datagram.first(), datagram.get(1)) {
        (Some(0..=3), _) => Datagram::Stun,
        (Some(20..=63), _) => Datagram::Dtls,
        (Some(128..=191), Some(192..=223)) => Datagram::Rtcp,
        (Some(128..=191), Some(_)) => Datagram::Rtp,
        _ => Datagram::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ranges_of_rfc_7983_are_told_apart() {
        assert_eq!(classify(&[]), Datagram::Unknown);
        assert_eq!(classify(&[0, 1]), Datagram::Stun);
        assert_eq!(classify(&[3]), Datagram::Stun);
        assert_eq!(classify(&[4, 0]), Datagram::Unknown);
        assert_eq!(classify(&[20, 254]), Datagram::Dtls);
        assert_eq!(classify(&[63, 254]), Datagram::Dtls);
        assert_eq!(classify(&[64, 0]), Datagram::Unknown);
        assert_eq!(classify(&[128, 96]), Datagram::Rtp);
        assert_eq!(classify(&[0x90, 0xff]), Datagram::Rtp);
        assert_eq!(classify(&[0x80, 200]), Datagram::Rtcp);
        assert_eq!(classify(&[191, 223]), Datagram::Rtcp);
        assert_eq!(classify(&[192, 0]), Datagram::Unknown);
        assert_eq!(classify(&[128]), Datagram::Unknown);
    }

    proptest! {
        #[test]
        fn only_the_first_two_bytes_decide(bytes in proptest::collection::vec(any::<u8>(), 2..64)) {
            prop_assert_eq!(classify(&bytes), classify(&bytes[..2]));
        }
    }
}
