//! Outgoing datagrams of one turn of a shard: copied into one arena, joined to
//! runs of equal size per destination, handed to the kernel with segmentation
//! offload. Media is never queued: what the kernel does not take is dropped and
//! counted.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::sys::{self, SEND_MESSAGES, SendMessage};
use crate::udp::Sockets;

/// Bytes of a turn's arena; a datagram that finds it full is dropped.
const ARENA_BYTES: usize = 8 << 20;
/// A turn with many receivers flushes whenever so much has gathered: what was
/// sealed last is still in the processor's cache.
const FLUSH_BYTES: usize = 256 << 10;
/// Datagrams of a turn; more are dropped.
const MAX_ENTRIES: usize = 16_384;
/// Most segments of a message (`UDP_MAX_SEGMENTS` of Linux before 6.5).
const MAX_SEGMENTS: usize = 64;
/// Most bytes of a message: an IP datagram less its headers.
const MAX_MESSAGE: usize = 65_000;
/// A segment this small fits every path, so its refusal means that the kernel
/// or device cannot segment, not that the segment is too long for the path.
const SAFE_SEGMENT: usize = 1_200;
/// So many refusals in a row of runs of safe size turn segmentation off.
const MAX_REFUSALS: u32 = 8;

/// A datagram in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) destination: SocketAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// Neighbouring entries that form one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: usize,
    pub(crate) count: usize,
}

/// What became of the datagrams, since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SendCounters {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    pub(crate) gso_messages: u64,
    pub(crate) gso_segments: u64,
    pub(crate) gso_refused: u64,
    pub(crate) would_block: u64,
    pub(crate) send_error: u64,
    pub(crate) arena_full: u64,
}

/// Datagrams waiting for the end of the turn.
pub(crate) struct SendBatch {
    /// Grows with need and is not cleared: what lies beyond `used` is old.
    arena: Vec<u8>,
    used: usize,
    entries: Vec<Entry>,
    runs: Vec<Run>,
    gso: bool,
    refusals: u32,
    pub(crate) counters: SendCounters,
}

/// Appends to `runs` the messages `entries` can be sent as: a run has one
/// destination and one source, and all its datagrams are of one size except that
/// the last may be shorter.
pub(crate) fn build_runs(entries: &[Entry], gso: bool, runs: &mut Vec<Run>) {
    runs.clear();
    let mut open: Option<(Run, &Entry, usize)> = None;
    for (index, entry) in entries.iter().enumerate() {
        if let Some((run, head, last)) = &mut open
            && gso
            && head.destination == entry.destination
            && head.source == entry.source
            && *last == head.len
            && entry.len <= head.len
            && entry.len > 0
            && run.count < MAX_SEGMENTS
            && (run.count + 1) * head.len <= MAX_MESSAGE
        {
            run.count += 1;
            *last = entry.len;
            continue;
        }
        if let Some((run, ..)) = open.take() {
            runs.push(run);
        }
        let run = Run {
            first: index,
            count: 1,
        };
        open = Some((run, entry, entry.len));
    }
    if let Some((run, ..)) = open {
        runs.push(run);
    }
}

impl SendBatch {
    pub(crate) fn new(gso: bool) -> Self {
        Self {
            arena: vec![0; 256 << 10],
            used: 0,
            entries: Vec::with_capacity(1_024),
            runs: Vec::with_capacity(1_024),
            gso,
            refusals: 0,
            counters: SendCounters::default(),
        }
    }

    /// Whether segmentation offload is in use.
    pub(crate) fn gso(&self) -> bool {
        self.gso
    }

    /// Adds a datagram; dropped and counted when the turn's arena is full.
    pub(crate) fn push(&mut self, destination: SocketAddr, source: Option<IpAddr>, bytes: &[u8]) {
        self.push_with(destination, source, bytes.len(), |place| {
            place.copy_from_slice(bytes);
            true
        });
    }

    /// Adds a datagram of `len` bytes that `fill` writes in its place, all of them:
    /// what it finds there is old. Dropped and counted when the turn's arena is full,
    /// dropped where `fill` says so.
    pub(crate) fn push_with(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        let (start, end) = (self.used, self.used + len);
        if self.entries.len() >= MAX_ENTRIES || end > ARENA_BYTES {
            self.counters.arena_full += 1;
            return false;
        }
        if end > self.arena.len() {
            self.arena.resize(end.next_multiple_of(FLUSH_BYTES), 0);
        }
        let filled = self.arena.get_mut(start..end).is_some_and(fill);
        if filled {
            self.used = end;
            self.entries.push(Entry {
                destination,
                source,
                start,
                len,
            });
        }
        filled
    }

    /// Forgets what was not sent yet.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.used = 0;
        self.runs.clear();
    }

    /// Whether to flush before more is added: the arena should stay in the cache.
    pub(crate) fn wants_flush(&self) -> bool {
        self.used >= FLUSH_BYTES
    }

    /// Sends everything; afterwards the batch is empty whatever happened.
    pub(crate) fn flush(&mut self, sockets: &Sockets) {
        if self.entries.is_empty() {
            return;
        }
        let mut runs = std::mem::take(&mut self.runs);
        build_runs(&self.entries, self.gso, &mut runs);
        for v6 in [false, true] {
            self.flush_family(sockets, v6, &runs);
        }
        self.runs = runs;
        self.used = 0;
        self.entries.clear();
    }

    fn flush_family(&mut self, sockets: &Sockets, v6: bool, runs: &[Run]) {
        let of_family = runs.iter().filter(|run| {
            self.entries
                .get(run.first)
                .is_some_and(|e| e.destination.is_ipv6() == v6)
        });
        let Some(socket) = sockets.family(v6) else {
            self.counters.send_error += of_family.map(|r| r.count as u64).sum::<u64>();
            return;
        };
        // At most 64 messages at a time, built on the stack: no allocation.
        let mut pending = of_family.peekable();
        let mut counters = self.counters;
        let (mut gso, mut refusals) = (self.gso, self.refusals);
        while pending.peek().is_some() {
            let mut messages = [EMPTY; SEND_MESSAGES];
            let mut chunk = [Run { first: 0, count: 0 }; SEND_MESSAGES];
            let mut len = 0;
            for ((message, place), run) in messages.iter_mut().zip(&mut chunk).zip(pending.by_ref())
            {
                if let Some(m) = self.message(*run) {
                    *message = m;
                    *place = *run;
                    len += 1;
                }
                if len == SEND_MESSAGES {
                    break;
                }
            }
            let mut rest = messages.get(..len).unwrap_or_default();
            let mut rest_runs = chunk.get(..len).unwrap_or_default();
            while let Some((first, run)) = rest.first().zip(rest_runs.first()) {
                let taken = match sys::send(socket, rest) {
                    Ok(sent) => {
                        for (m, r) in rest.iter().zip(rest_runs).take(sent) {
                            counters.count(m, *r);
                            if m.segment.is_some() {
                                refusals = 0;
                            }
                        }
                        sent.max(1)
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                        let lost = rest_runs.iter().map(|r| r.count as u64).sum::<u64>();
                        let more = pending.by_ref().map(|r| r.count as u64).sum::<u64>();
                        counters.would_block += lost + more;
                        break;
                    }
                    Err(e) if first.segment.is_some() && refuses_segmentation(&e) => {
                        counters.gso_refused += 1;
                        let safe = first
                            .segment
                            .is_some_and(|s| usize::from(s) <= SAFE_SEGMENT);
                        refusals += u32::from(safe);
                        if e.raw_os_error() == Some(libc::EIO) || refusals >= MAX_REFUSALS {
                            gso = false;
                        }
                        self.send_plainly(socket, *run, &mut counters);
                        1
                    }
                    Err(_) => {
                        counters.send_error += run.count as u64;
                        1
                    }
                };
                rest = rest.get(taken..).unwrap_or_default();
                rest_runs = rest_runs.get(taken..).unwrap_or_default();
            }
        }
        if self.gso && !gso {
            tracing::warn!("the kernel refuses UDP segmentation offload; sending without it");
        }
        (self.gso, self.refusals, self.counters) = (gso, refusals, counters);
    }

    /// The run as one message; its entries lie one after the other in the arena.
    fn message(&self, run: Run) -> Option<SendMessage<'_>> {
        let entries = self.entries.get(run.first..run.first + run.count)?;
        let (first, last) = (entries.first()?, entries.last()?);
        Some(SendMessage {
            destination: first.destination,
            source: first.source,
            bytes: self.arena.get(first.start..last.start + last.len)?,
            segment: if run.count > 1 {
                Some(u16::try_from(first.len).ok()?)
            } else {
                None
            },
        })
    }

    /// Sends a refused run datagram by datagram.
    fn send_plainly(&self, socket: &std::net::UdpSocket, run: Run, counters: &mut SendCounters) {
        for first in run.first..run.first + run.count {
            let single = Run { first, count: 1 };
            let Some(message) = self.message(single) else {
                continue;
            };
            match sys::send(socket, &[message]) {
                Ok(_) => counters.count(&message, single),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => counters.would_block += 1,
                Err(_) => counters.send_error += 1,
            }
        }
    }
}

impl SendCounters {
    fn count(&mut self, message: &SendMessage<'_>, run: Run) {
        self.messages += 1;
        self.datagrams += run.count as u64;
        self.bytes += message.bytes.len() as u64;
        if run.count > 1 {
            self.gso_messages += 1;
            self.gso_segments += run.count as u64;
        }
    }
}

const EMPTY: SendMessage<'static> = SendMessage {
    destination: SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
    source: None,
    bytes: &[],
    segment: None,
};

/// Errors of `sendmsg` that speak of the segmentation: EIO where the device has
/// no checksum offload, EINVAL where the segment exceeds the path's size,
/// EMSGSIZE likewise on some kernels.
fn refuses_segmentation(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::EOPNOTSUPP)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(list: &[(u8, usize)]) -> Vec<Entry> {
        let mut start = 0;
        list.iter()
            .map(|&(host, len)| {
                let entry = Entry {
                    destination: SocketAddr::from(([127, 0, 0, host], 9)),
                    source: None,
                    start,
                    len,
                };
                start += len;
                entry
            })
            .collect()
    }

    fn runs(list: &[(u8, usize)]) -> Vec<usize> {
        let mut runs = Vec::new();
        build_runs(&entries(list), true, &mut runs);
        runs.iter().map(|r| r.count).collect()
    }

    #[test]
    fn a_frame_of_equal_packets_is_one_run_and_a_shorter_one_rides_along() {
        assert_eq!(runs(&[(1, 1_150), (1, 1_150), (1, 1_150), (1, 90)]), [4]);
    }

    #[test]
    fn chromiums_frame_of_two_sizes_is_two_runs() {
        assert_eq!(runs(&[(1, 912), (1, 912), (1, 913), (1, 913)]), [2, 2]);
    }

    #[test]
    fn nothing_follows_the_shorter_last_segment() {
        assert_eq!(runs(&[(1, 1_150), (1, 90), (1, 90)]), [2, 1]);
    }

    #[test]
    fn a_different_destination_never_joins_a_run() {
        assert_eq!(runs(&[(1, 100), (2, 100), (1, 100)]), [1, 1, 1]);
    }

    proptest! {
        #[test]
        fn runs_cover_all_entries_in_order_and_keep_the_kernels_rules(
            list in proptest::collection::vec((1u8..3, 0usize..1_500), 0..300),
            gso: bool,
        ) {
            let entries = entries(&list);
            let mut runs = Vec::new();
            build_runs(&entries, gso, &mut runs);
            let mut next = 0;
            for run in &runs {
                prop_assert_eq!(run.first, next);
                prop_assert!(run.count >= 1 && run.count <= MAX_SEGMENTS);
                let of_run = &entries[run.first..run.first + run.count];
                let size = of_run[0].len;
                prop_assert!(of_run.iter().all(|e| e.destination == of_run[0].destination));
                for e in &of_run[..run.count - 1] {
                    prop_assert_eq!(e.len, size);
                }
                prop_assert!(of_run[run.count - 1].len <= size);
                prop_assert!(of_run.iter().map(|e| e.len).sum::<usize>() <= MAX_MESSAGE);
                if !gso {
                    prop_assert_eq!(run.count, 1);
                }
                next += run.count;
            }
            prop_assert_eq!(next, entries.len());
        }
    }
}
