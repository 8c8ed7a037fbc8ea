//! Takes TCP connections and keeps each until it has said whose it is.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::framing::{HEADER, MAX_PACKET, announced};
use lophoc_media::types::ShardId;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::{Arrival, Gate, Permit, count, prepare};
use crate::mailbox::ShardMessage;
use crate::registry::Owner;
use crate::shard::Shared;
use crate::stun::BindingRequest;

/// Time for the first frame.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that have not said whose they are; the oldest gives way, since an
/// honest one says it at once.
pub(crate) const MAX_STRANGERS: usize = 512;
/// Of these, from one address (IPv6: one network of 64 bits); an office sits
/// behind one.
pub(crate) const MAX_STRANGERS_OF_SOURCE: usize = 64;
/// Connections taken per turn.
const ACCEPTS_PER_TURN: usize = 128;
/// Pause after an error that another try would meet again, such as no more
/// descriptors.
const PAUSE: Duration = Duration::from_secs(1);
const EVENTS: usize = 128;
const WAKER: Token = Token(0);
const FIRST_LISTENER: usize = 1;
const FIRST_STRANGER: usize = 16;

/// A connection without a peer.
struct Stranger {
    stream: TcpStream,
    remote: SocketAddr,
    local: IpAddr,
    since: Instant,
    bytes: Vec<u8>,
    permit: Permit,
}

/// What the bytes of a stranger are so far.
#[derive(Debug, PartialEq, Eq)]
enum Begins {
    /// Not whole yet.
    Waiting,
    /// A frame of so many bytes, header excluded, that may be a STUN message.
    Frame(usize),
    /// Nothing for us.
    Garbage,
}

fn begins(bytes: &[u8]) -> Begins {
    match announced(bytes) {
        Err(_) | Ok(Some(0)) => Begins::Garbage,
        Ok(None) => Begins::Waiting,
        Ok(Some(length)) => match bytes.get(HEADER..) {
            Some(body) if !body.is_empty() && classify(body) != Datagram::Stun => Begins::Garbage,
            Some(body) if body.len() >= length => Begins::Frame(length),
            _ => Begins::Waiting,
        },
    }
}

/// Whom an address counts for.
fn source_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let network = u128::from(ip) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

/// The thread's state.
pub(crate) struct Acceptor {
    poll: Poll,
    listeners: Vec<TcpListener>,
    shared: Arc<Shared>,
    gate: Arc<Gate>,
    /// By token; tokens grow, so the first is the oldest.
    strangers: BTreeMap<usize, Stranger>,
    next: usize,
    /// When to look at the listeners, other than when the poller says so.
    accept_at: Option<Instant>,
}

impl Acceptor {
    /// Takes the listeners into a poller.
    ///
    /// # Errors
    /// Of the poller.
    pub(crate) fn new(
        listeners: Vec<TcpListener>,
        shared: Arc<Shared>,
        gate: Arc<Gate>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        for (index, listener) in listeners.iter().enumerate() {
            poll.registry().register(
                &mut SourceFd(&listener.as_raw_fd()),
                Token(FIRST_LISTENER + index),
                Interest::READABLE,
            )?;
        }
        let acceptor = Self {
            poll,
            listeners,
            shared,
            gate,
            strangers: BTreeMap::new(),
            next: FIRST_STRANGER,
            accept_at: Some(Instant::now()),
        };
        Ok((acceptor, waker))
    }

    /// Runs until `stop` is set and the thread is woken.
    pub(crate) fn run(mut self, stop: &Arc<AtomicBool>) {
        let mut events = Events::with_capacity(EVENTS);
        while !stop.load(Ordering::Acquire) {
            let timeout = self
                .deadline()
                .map(|at| at.saturating_duration_since(Instant::now()));
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != ErrorKind::Interrupted
            {
                tracing::error!(%error, "TCP media connections lost their poller; UDP goes on");
                break;
            }
            let now = Instant::now();
            for event in &events {
                match event.token() {
                    WAKER => {}
                    Token(id) if id >= FIRST_STRANGER => self.hear(id),
                    _ => self.accept_at = Some(now),
                }
            }
            if self.accept_at.is_some_and(|at| at <= now) {
                self.accept_at = None;
                self.accept(now);
            }
            self.expire(now);
            self.gate
                .waiting
                .store(self.strangers.len(), Ordering::Relaxed);
        }
        self.gate.waiting.store(0, Ordering::Relaxed);
    }

    fn deadline(&self) -> Option<Instant> {
        let oldest = self.strangers.values().next().map(|s| s.since + PATIENCE);
        [oldest, self.accept_at].into_iter().flatten().min()
    }

    fn accept(&mut self, now: Instant) {
        let mut taken = Vec::new();
        for listener in &self.listeners {
            for turn in 0..=ACCEPTS_PER_TURN {
                if turn == ACCEPTS_PER_TURN {
                    self.accept_at = Some(now);
                    break;
                }
                match listener.accept() {
                    Ok((stream, remote)) => taken.push((stream, remote)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(e)
                        if matches!(
                            e.kind(),
                            ErrorKind::Interrupted | ErrorKind::ConnectionAborted
                        ) => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot take a TCP media connection");
                        self.accept_at = Some(now + PAUSE);
                        break;
                    }
                }
            }
        }
        for (stream, remote) in taken {
            self.take(now, stream, remote);
        }
    }

    fn take(&mut self, now: Instant, stream: TcpStream, remote: SocketAddr) {
        let Some(permit) = Gate::permit(&self.gate) else {
            count(&self.gate.full);
            return;
        };
        self.make_room(remote.ip());
        let id = self.next;
        self.next += 1;
        let ready = prepare(&stream).and_then(|()| {
            self.poll.registry().register(
                &mut SourceFd(&stream.as_raw_fd()),
                Token(id),
                Interest::READABLE,
            )?;
            stream.local_addr()
        });
        // An error here is that of a connection gone already.
        if let Ok(local) = ready {
            let stranger = Stranger {
                stream,
                remote,
                local: local.ip(),
                since: now,
                bytes: Vec::new(),
                permit,
            };
            self.strangers.insert(id, stranger);
            count(&self.gate.accepted);
            self.hear(id);
        }
    }

    /// Sends the oldest stranger away where there are too many.
    fn make_room(&mut self, ip: IpAddr) {
        let source = source_of(ip);
        let mut of_source = self
            .strangers
            .iter()
            .filter(|(_, s)| source_of(s.remote.ip()) == source)
            .map(|(id, _)| *id);
        let oldest = of_source.next();
        let crowd = usize::from(oldest.is_some()) + of_source.count();
        if crowd >= MAX_STRANGERS_OF_SOURCE
            && let Some(id) = oldest
        {
            self.strangers.remove(&id);
            count(&self.gate.crowded);
        } else if self.strangers.len() >= MAX_STRANGERS {
            self.strangers.pop_first();
            count(&self.gate.crowded);
        }
    }

    fn hear(&mut self, id: usize) {
        let Some(stranger) = self.strangers.get_mut(&id) else {
            return;
        };
        let mut buffer = [0; HEADER + MAX_PACKET];
        loop {
            match begins(&stranger.bytes) {
                Begins::Waiting => {}
                Begins::Frame(length) => return self.introduce(id, length),
                Begins::Garbage => {
                    count(&self.gate.garbage);
                    break;
                }
            }
            match stranger.stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    let new = buffer.get(..read).unwrap_or_default();
                    stranger.bytes.extend_from_slice(new);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(_) => break,
            }
        }
        self.strangers.remove(&id);
    }

    /// Hands a connection whose first frame is whole to the shard of its peer.
    fn introduce(&mut self, id: usize, length: usize) {
        let Some(mut stranger) = self.strangers.remove(&id) else {
            return;
        };
        let first = stranger
            .bytes
            .get(HEADER..HEADER + length)
            .unwrap_or_default();
        let Some(request) = BindingRequest::peek(first) else {
            count(&self.gate.garbage);
            return;
        };
        let shard = match self.shared.registry.owner(&request) {
            Owner::Anyone => self.gate.least_loaded(),
            Owner::Shard(ShardId(shard)) => usize::from(shard),
            Owner::Nobody => {
                count(&self.gate.unknown);
                return;
            }
        };
        // Leaving the poller before another one takes it.
        let raw = stranger.stream.as_raw_fd();
        let left = self.poll.registry().deregister(&mut SourceFd(&raw));
        let (Some(mailbox), Ok(())) = (self.shared.mailboxes.get(shard), left) else {
            return;
        };
        stranger.permit.assign(shard);
        let rest = stranger.bytes.split_off(HEADER + length);
        stranger.bytes.drain(..HEADER);
        let arrival = Arrival {
            stream: stranger.stream,
            remote: stranger.remote,
            local: stranger.local,
            first: stranger.bytes,
            rest,
            permit: stranger.permit,
        };
        let to = ShardId(u16::try_from(shard).unwrap_or(0));
        // A full queue closes the connection; the browser connects again.
        if mailbox
            .send(to, ShardMessage::Stream(Box::new(arrival)))
            .is_err()
        {
            count(&self.gate.full);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.strangers.first_entry()
            && now.saturating_duration_since(oldest.get().since) >= PATIENCE
        {
            oldest.remove();
            count(&self.gate.silent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_stranger_is() {
        assert_eq!(begins(&[]), Begins::Waiting);
        assert_eq!(begins(&[0]), Begins::Waiting);
        assert_eq!(begins(&[0, 20]), Begins::Waiting);
        assert_eq!(begins(&[0, 2, 0, 1]), Begins::Frame(2));
        assert_eq!(begins(&[0, 2, 0, 1, 9, 9]), Begins::Frame(2));
        assert_eq!(begins(&[0, 0]), Begins::Garbage);
        assert_eq!(begins(b"GET / HTTP/1.1"), Begins::Garbage);
        // A TLS greeting, and media before any check.
        assert_eq!(begins(&[0x16, 3, 1, 2, 0]), Begins::Garbage);
        assert_eq!(begins(&[0, 100, 0x80, 0x60]), Begins::Garbage);
        assert_eq!(begins(&[0, 100, 22]), Begins::Garbage);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_source() {
        let ip = |text: &str| source_of(text.parse().unwrap());
        assert_eq!(ip("2001:db8::1"), ip("2001:db8::ffff:1"));
        assert_ne!(ip("2001:db8::1"), ip("2001:db8:0:1::1"));
        assert_ne!(ip("192.0.2.1"), ip("192.0.2.2"));
    }
}
