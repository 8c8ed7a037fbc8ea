//! The TCP connections of one shard: sockets in its poller, what each has begun
//! to read and still has to write. Nothing here blocks.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::framing::Deframer;
use lophoc_media::types::PeerId;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::Permit;
use super::outbox::Outbox;

/// Poller tokens below this one belong to the shard itself.
pub(crate) const FIRST_TOKEN: usize = 16;
/// Bytes of one read.
pub(crate) const READ_BYTES: usize = 16 << 10;
/// Reads of one connection and turn; what is left waits in the kernel.
const READS_PER_TURN: usize = 4;
/// So much waiting is written at once and not only at the end of the turn.
const WRITE_AT: usize = 32 << 10;
/// A connection on which nothing came for so long is closed. Browsers check a
/// pair in reserve each 25 s.
const IDLE: Duration = Duration::from_secs(60);
/// A connection in use is never silent for so long.
const QUIET: Duration = Duration::from_secs(3);
/// A connection whose other end takes nothing for so long is closed.
const STUCK: Duration = Duration::from_secs(10);

/// Number of a connection, never given twice; its token in the poller.
pub(crate) type LinkId = usize;

/// One connection of a peer.
struct Link {
    stream: TcpStream,
    peer: PeerId,
    remote: SocketAddr,
    /// The announced address it came to.
    announced: SocketAddr,
    deframer: Deframer,
    outbox: Outbox,
    /// The socket takes nothing since then; `None` while it does.
    blocked: Option<Instant>,
    heard: Instant,
    /// How often something came.
    reads: u64,
    _permit: Permit,
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkCounters {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) dropped_video: u64,
    pub(crate) dropped_vital: u64,
    /// For a connection that is no more.
    pub(crate) gone: u64,
    pub(crate) too_long: u64,
    pub(crate) stuck: u64,
}

/// A connection that is closed now.
pub(crate) struct Closed {
    pub(crate) id: LinkId,
    pub(crate) peer: PeerId,
    pub(crate) remote: SocketAddr,
}

/// What a read brought.
pub(crate) enum Heard {
    /// So many bytes, now in the buffer.
    Bytes(usize),
    /// Nothing more for the time being.
    Nothing,
    /// The end, or an error.
    End,
}

/// All connections of a shard. Bounded by the permits of the gate.
#[derive(Default)]
pub(crate) struct Links {
    registry: Option<Registry>,
    links: HashMap<LinkId, Link>,
    by_pair: HashMap<(SocketAddr, SocketAddr), LinkId>,
    next: LinkId,
    /// Connections that may hold unread bytes.
    ready: Vec<LinkId>,
    /// Connections with something to write.
    dirty: Vec<LinkId>,
    /// Connections a write found broken.
    broken: Vec<LinkId>,
    pub(crate) counters: LinkCounters,
}

impl Links {
    /// The poller of the shard's thread.
    pub(crate) fn set_registry(&mut self, registry: Registry) {
        self.registry = Some(registry);
    }

    /// Takes a connection into the poller.
    ///
    /// # Errors
    /// The poller refuses it.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        peer: PeerId,
        stream: TcpStream,
        (remote, announced): (SocketAddr, SocketAddr),
        permit: Permit,
    ) -> io::Result<LinkId> {
        let id = FIRST_TOKEN.wrapping_add(self.next);
        self.next += 1;
        if let Some(registry) = &self.registry {
            registry.register(
                &mut SourceFd(&stream.as_raw_fd()),
                Token(id),
                Interest::READABLE | Interest::WRITABLE,
            )?;
        }
        let link = Link {
            stream,
            peer,
            remote,
            announced,
            deframer: Deframer::default(),
            outbox: Outbox::default(),
            blocked: None,
            heard: now,
            reads: 0,
            _permit: permit,
        };
        self.links.insert(id, link);
        self.by_pair.insert((remote, announced), id);
        self.ready.push(id);
        Ok(id)
    }

    /// The connection between two addresses.
    pub(crate) fn between(&self, remote: SocketAddr, announced: SocketAddr) -> Option<LinkId> {
        self.by_pair.get(&(remote, announced)).copied()
    }

    /// The one of these connections that is missed least: on which nothing came
    /// for the longest time, or, where something came on all just now, the least.
    pub(crate) fn quietest(&self, now: Instant, ids: &[LinkId]) -> Option<LinkId> {
        let of = |id: &LinkId| Some((*id, self.links.get(id)?));
        let quiet = ids
            .iter()
            .filter_map(of)
            .filter(|(_, link)| now.saturating_duration_since(link.heard) > QUIET)
            .min_by_key(|(_, link)| link.heard);
        let (id, _) =
            quiet.or_else(|| ids.iter().filter_map(of).min_by_key(|(_, link)| link.reads))?;
        Some(id)
    }

    /// Whose a connection is, its other end and the announced address.
    pub(crate) fn ends(&self, id: LinkId) -> Option<(PeerId, SocketAddr, SocketAddr)> {
        let link = self.links.get(&id)?;
        Some((link.peer, link.remote, link.announced))
    }

    /// What the poller tells of a connection.
    pub(crate) fn on_event(&mut self, id: LinkId, readable: bool, writable: bool) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if readable {
            self.ready.push(id);
        }
        if writable && link.blocked.is_some() {
            self.dirty.push(id);
        }
    }

    /// Whether the shard should take a turn at once.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Connections to read from in this turn.
    pub(crate) fn take_ready(&mut self) -> Vec<LinkId> {
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_unstable();
        ready.dedup();
        ready
    }

    /// Reads made of one connection in a turn; more is left for the next.
    pub(crate) fn reads(&self) -> std::ops::Range<usize> {
        0..READS_PER_TURN
    }

    /// There is more to read from this connection.
    pub(crate) fn read_later(&mut self, id: LinkId) {
        self.ready.push(id);
    }

    /// Reads once.
    pub(crate) fn read(&mut self, now: Instant, id: LinkId, buffer: &mut [u8]) -> Heard {
        let Some(link) = self.links.get_mut(&id) else {
            return Heard::Nothing;
        };
        loop {
            match link.stream.read(buffer) {
                Ok(0) => return Heard::End,
                Ok(count) => {
                    link.heard = now;
                    link.reads += 1;
                    self.counters.bytes_in += count as u64;
                    return Heard::Bytes(count);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Heard::Nothing,
                Err(_) => return Heard::End,
            }
        }
    }

    /// Lends the deframer, so that its packets can be acted upon meanwhile.
    pub(crate) fn lend_deframer(&mut self, id: LinkId) -> Option<Deframer> {
        let link = self.links.get_mut(&id)?;
        Some(std::mem::take(&mut link.deframer))
    }

    /// Takes it back.
    pub(crate) fn give_back(&mut self, id: LinkId, deframer: Deframer) {
        if let Some(link) = self.links.get_mut(&id) {
            link.deframer = deframer;
        }
    }

    /// Queues a packet for the connection between two addresses.
    pub(crate) fn queue(
        &mut self,
        now: Instant,
        remote: SocketAddr,
        announced: SocketAddr,
        vital: bool,
        packet: &[u8],
    ) {
        let id = self.between(remote, announced);
        let Some((id, link)) = id.and_then(|id| Some((id, self.links.get_mut(&id)?))) else {
            // Checks try addresses that lead nowhere; that is what they are for.
            self.counters.gone += u64::from(classify(packet) != Datagram::Stun);
            return;
        };
        let clean = link.outbox.is_empty();
        let lost = link.outbox.push(now, vital, packet);
        self.counters.dropped_video += lost.video;
        self.counters.dropped_vital += lost.vital;
        if link.blocked.is_some() {
            return;
        }
        if clean && !link.outbox.is_empty() {
            self.dirty.push(id);
        }
        if link.outbox.len() >= WRITE_AT && !write(link, now, &mut self.counters) {
            self.broken.push(id);
        }
    }

    /// Writes what waits, as far as the sockets take it.
    pub(crate) fn flush(&mut self, now: Instant) {
        while let Some(id) = self.dirty.pop() {
            if let Some(link) = self.links.get_mut(&id)
                && !write(link, now, &mut self.counters)
            {
                self.broken.push(id);
            }
        }
    }

    /// A connection that a write found broken, closed now.
    pub(crate) fn take_broken(&mut self) -> Option<Closed> {
        loop {
            let id = self.broken.pop()?;
            if let Some(closed) = self.close(id) {
                return Some(closed);
            }
        }
    }

    /// Connections on which nothing comes or goes any more.
    pub(crate) fn dead(&mut self, now: Instant) -> Vec<LinkId> {
        let mut dead = Vec::new();
        for (id, link) in &self.links {
            let stuck = link
                .blocked
                .is_some_and(|at| now.saturating_duration_since(at) > STUCK);
            self.counters.stuck += u64::from(stuck);
            if stuck || now.saturating_duration_since(link.heard) > IDLE {
                dead.push(*id);
            }
        }
        dead
    }

    /// Says what still waits, as far as the socket takes it, and closes.
    pub(crate) fn finish(&mut self, now: Instant, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            write(link, now, &mut self.counters);
            // Closing with unread bytes would reset the connection, and the
            // other end would lose the goodbye.
            let mut rest = [0; 4_096];
            for _ in 0..READS_PER_TURN {
                if !matches!(link.stream.read(&mut rest), Ok(1..)) {
                    break;
                }
            }
            let _ = link.stream.shutdown(Shutdown::Write);
        }
        self.close(id);
    }

    /// Closes and forgets a connection.
    pub(crate) fn close(&mut self, id: LinkId) -> Option<Closed> {
        let link = self.links.remove(&id)?;
        let pair = (link.remote, link.announced);
        if self.by_pair.get(&pair) == Some(&id) {
            self.by_pair.remove(&pair);
        }
        if let Some(registry) = &self.registry {
            let _ = registry.deregister(&mut SourceFd(&link.stream.as_raw_fd()));
        }
        Some(Closed {
            id,
            peer: link.peer,
            remote: link.remote,
        })
    }

    /// Closes everything.
    pub(crate) fn clear(&mut self) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            self.close(id);
        }
        self.ready.clear();
        self.dirty.clear();
        self.broken.clear();
    }
}

/// Writes until all is gone or the socket takes no more; `false`: it is broken.
fn write(link: &mut Link, now: Instant, counters: &mut LinkCounters) -> bool {
    while !link.outbox.is_empty() {
        match link.stream.write(link.outbox.waiting()) {
            Ok(0) => return false,
            Ok(count) => {
                counters.bytes_out += count as u64;
                counters.packets_out += link.outbox.wrote(count);
                link.blocked = None;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                link.blocked.get_or_insert(now);
                return true;
            }
            Err(_) => return false,
        }
    }
    link.blocked = None;
    true
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;

    use socket2::SockRef;

    use super::super::Gate;
    use super::*;

    /// A connection in `links`, and the client's end of it.
    fn connect(links: &mut Links, now: Instant, gate: &Arc<Gate>) -> (LinkId, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, remote) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        SockRef::from(&stream)
            .set_send_buffer_size(4 << 10)
            .unwrap();
        SockRef::from(&client)
            .set_recv_buffer_size(4 << 10)
            .unwrap();
        let ends = (remote, listener.local_addr().unwrap());
        let permit = Gate::permit(gate).unwrap();
        let id = links.add(now, PeerId(1), stream, ends, permit).unwrap();
        (id, client)
    }

    #[test]
    fn a_connection_that_takes_nothing_is_given_up_and_one_that_reads_is_not() {
        let gate = Arc::new(Gate::new(1, 8));
        let (mut links, start) = (Links::default(), Instant::now());
        let (deaf, _kept) = connect(&mut links, start, &gate);
        let (good, mut reader) = connect(&mut links, start, &gate);
        reader.set_nonblocking(true).unwrap();
        // More than the kernel takes for the one who reads nothing.
        for _ in 0..20_000 {
            for id in [deaf, good] {
                let (_, remote, announced) = links.ends(id).unwrap();
                links.queue(start, remote, announced, true, &[0x80; 1_200]);
            }
            links.flush(start);
            links.on_event(good, false, true);
            let mut rest = [0; 64 << 10];
            while matches!(reader.read(&mut rest), Ok(1..)) {}
        }
        assert!(links.counters.dropped_vital > 0);
        assert!(links.dead(start + STUCK).is_empty());
        assert_eq!(links.counters.stuck, 0);
        // What the reader left is written before its time is up.
        for _ in 0..1_000 {
            links.on_event(good, false, true);
            links.flush(start);
            let mut rest = [0; 64 << 10];
            while matches!(reader.read(&mut rest), Ok(1..)) {}
        }
        let later = start + STUCK + Duration::from_millis(1);
        assert_eq!(links.dead(later), [deaf]);
        assert_eq!(links.counters.stuck, 1);
        assert!(links.take_broken().is_none());
    }
}
