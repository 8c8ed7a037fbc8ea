//! Packets on a byte stream (RFC 4571): each stands behind its length in two
//! bytes. What comes in is cut into packets however the stream was split on its
//! way; what goes out gets its header here.

/// Longest packet taken from a stream, bytes: what fits a datagram on any path,
/// with room to spare. Browsers send at most about 1,250.
pub const MAX_PACKET: usize = 1_500;
/// Bytes of the length.
pub const HEADER: usize = 2;

/// A length that nobody honest sends: the stream is given up, since nothing
/// after it can be told apart any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// The length the stream named.
    pub length: usize,
}

/// Header of a packet of so many bytes; `None` when it exceeds [`MAX_PACKET`].
pub fn header(length: usize) -> Option<[u8; HEADER]> {
    (length <= MAX_PACKET)
        .then(|| u16::try_from(length).ok())
        .flatten()
        .map(u16::to_be_bytes)
}

/// Length of the packet a stream begins with, once both bytes of it are there.
///
/// # Errors
/// [`TooLong`].
pub fn announced(bytes: &[u8]) -> Result<Option<usize>, TooLong> {
    let (Some(high), Some(low)) = (bytes.first(), bytes.get(1)) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > MAX_PACKET {
        return Err(TooLong { length });
    }
    Ok(Some(length))
}

/// Cuts a stream into packets. Holds at most one packet that has begun.
#[derive(Debug, Default)]
pub struct Deframer {
    kept: Vec<u8>,
}

impl Deframer {
    /// Takes what came next and gives every packet that is whole now to `packet`.
    /// Empty packets are allowed by the RFC and mean nothing; they are left out.
    ///
    /// # Errors
    /// [`TooLong`]; what came before it was given out.
    pub fn push(&mut self, bytes: &[u8], mut packet: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.kept.is_empty()
                && let Some(length) = announced(rest)?
                && let Some(whole) = rest.get(HEADER..HEADER + length)
            {
                // The common case: nothing is copied.
                if !whole.is_empty() {
                    packet(whole);
                }
                rest = rest.get(HEADER + length..).unwrap_or_default();
                continue;
            }
            let want = announced(&self.kept)?.map_or(HEADER, |length| HEADER + length);
            let missing = want.saturating_sub(self.kept.len()).min(rest.len());
            let (now, later) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
            self.kept.extend_from_slice(now);
            rest = later;
            match announced(&self.kept)? {
                Some(length) if self.kept.len() >= HEADER + length => {
                    if let Some(whole) = self.kept.get(HEADER..)
                        && !whole.is_empty()
                    {
                        packet(whole);
                    }
                    self.kept.clear();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Bytes of a packet that has begun, its length included.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
        packets
            .iter()
            .flat_map(|p| {
                header(p.len())
                    .unwrap()
                    .into_iter()
                    .chain(p.iter().copied())
            })
            .collect()
    }

    fn cut(stream: &[u8], at: &[usize]) -> (Vec<Vec<u8>>, Result<(), TooLong>, usize) {
        let (mut deframer, mut out) = (Deframer::default(), Vec::new());
        let mut rest = stream;
        let mut sizes = at
            .iter()
            .copied()
            .chain(std::iter::repeat(stream.len().max(1)));
        while !rest.is_empty() {
            let (now, later) = rest.split_at(sizes.next().unwrap().clamp(1, rest.len()));
            rest = later;
            if let Err(e) = deframer.push(now, |p| out.push(p.to_vec())) {
                return (out, Err(e), deframer.kept());
            }
            assert!(deframer.kept() <= HEADER + MAX_PACKET);
        }
        (out, Ok(()), deframer.kept())
    }

    #[test]
    fn a_length_above_the_bound_ends_the_stream_after_what_was_whole() {
        let mut stream = framed(&[vec![1, 2, 3]]);
        stream.extend([0x05, 0xdd, 9, 9, 9]);
        for split in 1..stream.len() {
            let (packets, result, _) = cut(&stream, &[split]);
            assert_eq!(packets, [vec![1, 2, 3]]);
            assert_eq!(result, Err(TooLong { length: 1_501 }));
        }
        assert_eq!(cut(&[0xff, 0xff], &[1]).1, Err(TooLong { length: 65_535 }));
        assert_eq!(header(MAX_PACKET + 1), None);
    }

    #[test]
    fn empty_packets_mean_nothing() {
        let stream = framed(&[vec![], vec![7], vec![], vec![]]);
        assert_eq!(cut(&stream, &[1, 1, 1]).0, [vec![7]]);
    }

    #[test]
    fn a_packet_that_has_begun_waits_for_its_rest() {
        let (packets, result, kept) = cut(&[0, 4, 1, 2], &[]);
        assert_eq!((packets, result, kept), (vec![], Ok(()), 4));
    }

    proptest! {
        #[test]
        fn any_split_of_the_stream_gives_the_same_packets(
            packets in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..MAX_PACKET + 1), 0..12),
            at in proptest::collection::vec(1usize..2_000, 0..40),
        ) {
            let stream = framed(&packets);
            let whole: Vec<Vec<u8>> = packets.into_iter().filter(|p| !p.is_empty()).collect();
            let (once, first, _) = cut(&stream, &[]);
            let (many, second, kept) = cut(&stream, &at);
            let (single, ..) = cut(&stream, &vec![1; stream.len()]);
            prop_assert_eq!(&once, &whole);
            prop_assert_eq!(&many, &whole);
            prop_assert_eq!(&single, &whole);
            prop_assert_eq!((first, second, kept), (Ok(()), Ok(()), 0));
        }

        #[test]
        fn no_bytes_make_it_fall_over_or_keep_more_than_a_packet(
            stream in proptest::collection::vec(any::<u8>(), 0..4_000),
            at in proptest::collection::vec(1usize..300, 0..40),
        ) {
            let (once, first, _) = cut(&stream, &[]);
            let (many, second, _) = cut(&stream, &at);
            prop_assert_eq!(once, many);
            prop_assert_eq!(first, second);
        }
    }
}
