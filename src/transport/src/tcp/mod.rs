//! ICE over TCP (RFC 6544) on the number of the UDP port, for networks that let
//! no UDP out. Browsers connect to us, never we to them.
//!
//! A connection first belongs to the [`acceptor`], a thread of its own: until its
//! first frame asks for a connection we know, it costs a descriptor and a small
//! buffer, both bounded, and no shard hears of it. Then it is handed to the shard
//! of its peer, where [`links`] reads and writes it without ever blocking. What a
//! socket does not take waits in a bounded [`outbox`], from which video is dropped
//! before sound.

pub(crate) mod acceptor;
pub(crate) mod links;
pub(crate) mod outbox;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::api::StartError;

/// Connections the kernel completes before the acceptor takes them; more wait
/// for a repeated SYN.
const BACKLOG: i32 = 1_024;
/// Bytes the kernel may hold that did not leave yet: little, so that what waits
/// does so where it can still be dropped.
const UNSENT: u32 = 16 << 10;
/// A connection whose data nobody confirms for so long is dead to the kernel.
const USER_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections one peer may have; the quietest gives way. A browser opens one for
/// each pair of addresses.
pub(crate) const MAX_LINKS_OF_PEER: usize = 8;
/// Connections per place for a peer, at which new ones are refused.
const LINKS_PER_PLACE: usize = 2;

/// Opens the listeners beside the UDP sockets. `port` is theirs.
///
/// # Errors
/// An address cannot be bound; a missing family is passed over as with UDP.
pub(crate) fn open(listen: &[SocketAddr], port: u16) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(listen.len());
    for address in listen {
        let address = SocketAddr::new(address.ip(), port);
        match bind(address) {
            Ok(listener) => listeners.push(listener),
            Err(e) if address.is_ipv6() && listen.len() > 1 && crate::udp::lacks_family(&e) => {}
            Err(source) => return Err(StartError::Stream { address, source }),
        }
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Makes a connection small and quick; where the kernel lacks an option it is
/// merely slower.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
    Ok(())
}

/// What all threads know of TCP connections: how many there are, and why others
/// are not.
#[derive(Debug)]
pub(crate) struct Gate {
    max: usize,
    open: AtomicUsize,
    waiting: AtomicUsize,
    /// Connections each shard was given and still has.
    loads: Vec<AtomicUsize>,
    pub(crate) accepted: AtomicU64,
    pub(crate) full: AtomicU64,
    pub(crate) crowded: AtomicU64,
    pub(crate) silent: AtomicU64,
    pub(crate) garbage: AtomicU64,
    pub(crate) unknown: AtomicU64,
}

impl Gate {
    pub(crate) fn new(max_peers: usize, shards: usize) -> Self {
        Self {
            max: max_peers.saturating_mul(LINKS_PER_PLACE).max(1),
            open: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            loads: (0..shards).map(|_| AtomicUsize::new(0)).collect(),
            accepted: AtomicU64::new(0),
            full: AtomicU64::new(0),
            crowded: AtomicU64::new(0),
            silent: AtomicU64::new(0),
            garbage: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    /// Connections that are open, those without a peer included.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that have not said yet whose they are.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn permit(gate: &Arc<Self>) -> Option<Permit> {
        gate.open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < gate.max).then_some(open + 1)
            })
            .ok()
            .map(|_| Permit {
                gate: gate.clone(),
                shard: None,
            })
    }

    /// The shard with the fewest TCP connections.
    fn least_loaded(&self) -> usize {
        let load = |(_, load): &(usize, &AtomicUsize)| load.load(Ordering::Relaxed);
        let least = self.loads.iter().enumerate().min_by_key(load);
        least.map_or(0, |(shard, _)| shard)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The right to one open connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    shard: Option<usize>,
}

impl Permit {
    /// Counts the connection to the load of a shard.
    pub(crate) fn assign(&mut self, shard: usize) {
        self.release();
        if let Some(load) = self.gate.loads.get(shard) {
            load.fetch_add(1, Ordering::Relaxed);
            self.shard = Some(shard);
        }
    }

    fn release(&mut self) {
        let shard = self.shard.take();
        if let Some(load) = shard.and_then(|shard| self.gate.loads.get(shard)) {
            load.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release();
        self.gate.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection whose first frame asks for a peer of the shard it is sent to.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) remote: SocketAddr,
    pub(crate) local: IpAddr,
    /// The STUN request it began with.
    pub(crate) first: Vec<u8>,
    /// What was read behind it.
    pub(crate) rest: Vec<u8>,
    pub(crate) permit: Permit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_and_go_to_the_shard_with_the_fewest() {
        let gate = Arc::new(Gate::new(2, 2));
        let mut permits: Vec<Permit> = Vec::new();
        for expected in [0, 1, 0, 1] {
            let mut permit = Gate::permit(&gate).unwrap();
            assert_eq!(gate.least_loaded(), expected);
            permit.assign(gate.least_loaded());
            permits.push(permit);
        }
        assert!(Gate::permit(&gate).is_none());
        permits.remove(1);
        assert_eq!((gate.open(), gate.least_loaded()), (3, 1));
        let mut moved = permits.remove(0);
        moved.assign(1);
        assert_eq!(gate.least_loaded(), 0);
        drop((moved, permits));
        assert_eq!(gate.open(), 0);
    }
}
