//! The UDP port: for each shard one socket per family, all bound to the same
//! port, so that the kernel spreads clients over shards by their address and
//! keeps each one's choice.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::api::StartError;
use crate::sys;

/// Below this a burst of keyframes to a few hundred receivers is lost, bytes.
const SMALL_BUFFER: usize = 1 << 20;

/// Sockets of one shard.
pub(crate) struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    /// Whether the kernel knows segmentation offload.
    pub(crate) gso: bool,
}

impl Sockets {
    /// The socket of a family.
    pub(crate) fn family(&self, v6: bool) -> Option<&UdpSocket> {
        if v6 {
            self.v6.as_ref()
        } else {
            self.v4.as_ref()
        }
    }
}

/// Opens the port for all shards. All sockets are bound before any is read, so
/// that no client is moved when a later one joins.
pub(crate) fn open(
    listen: &[SocketAddr],
    shards: usize,
    buffer: usize,
) -> Result<(u16, Vec<Sockets>), StartError> {
    let mut port = check_addresses(listen)?;
    let mut all = Vec::with_capacity(shards);
    for _ in 0..shards {
        let mut sockets = Sockets {
            v4: None,
            v6: None,
            gso: true,
        };
        for address in listen {
            let address = SocketAddr::new(address.ip(), port);
            let failed = |source| StartError::Socket { address, source };
            let socket = match bind(address, buffer) {
                Ok(socket) => socket,
                // A machine without IPv6 still serves, unless IPv6 is all there is.
                Err(e) if address.is_ipv6() && listen.len() > 1 && lacks_family(&e) => {
                    tracing::info!(%address, "no IPv6 on this machine; media on IPv4 alone");
                    continue;
                }
                Err(e) => return Err(failed(e)),
            };
            port = socket.local_addr().map_err(failed)?.port();
            sockets.gso &= sys::supports_gso(&socket);
            if address.is_ipv6() {
                sockets.v6 = Some(socket);
            } else {
                sockets.v4 = Some(socket);
            }
        }
        all.push(sockets);
    }
    warn_when_small(&all);
    Ok((port, all))
}

fn check_addresses(listen: &[SocketAddr]) -> Result<u16, StartError> {
    let first = listen.first().ok_or(StartError::NoAddress)?;
    let families = listen.iter().filter(|a| a.is_ipv6()).count();
    let one_per_family = families <= 1 && listen.len() - families <= 1;
    if !one_per_family || listen.iter().any(|a| a.port() != first.port()) {
        return Err(StartError::Addresses);
    }
    Ok(first.port())
}

pub(crate) fn lacks_family(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
    )
}

fn bind(address: SocketAddr, buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    let socket = UdpSocket::from(socket);
    sys::enable_packet_info(&socket, address.is_ipv6())?;
    // Receive coalescing only saves work; older kernels lack it.
    let _ = sys::enable_gro(&socket);
    if sys::force_buffers(&socket, buffer).is_err() {
        let socket = socket2::SockRef::from(&socket);
        // The kernel silently caps the size; what came of it is read back.
        let _ = socket.set_recv_buffer_size(buffer);
        let _ = socket.set_send_buffer_size(buffer);
    }
    Ok(socket)
}

/// Reads the buffer sizes back, since the kernel caps them without a word.
fn warn_when_small(all: &[Sockets]) {
    let Some(socket) = all.first().and_then(|s| s.v4.as_ref().or(s.v6.as_ref())) else {
        return;
    };
    let socket = socket2::SockRef::from(socket);
    let receive = socket.recv_buffer_size().unwrap_or(0);
    let send = socket.send_buffer_size().unwrap_or(0);
    if receive < SMALL_BUFFER || send < SMALL_BUFFER {
        tracing::warn!(
            receive,
            send,
            "media socket buffers are small; raise net.core.rmem_max and net.core.wmem_max"
        );
    }
}

/// Which addresses are announced and how a datagram's local address maps to one.
#[derive(Debug, Clone)]
pub(crate) struct LocalAddresses {
    port: u16,
    /// Announced address and whether an interface of this machine carries it.
    announced: Vec<(IpAddr, bool)>,
}

impl LocalAddresses {
    /// From the configured addresses, or from the machine's interfaces when
    /// none is configured.
    pub(crate) fn new(
        listen: &[SocketAddr],
        announce: &[IpAddr],
        port: u16,
    ) -> Result<Self, StartError> {
        let bound = |ip: &IpAddr| {
            listen
                .iter()
                .any(|l| l.is_ipv6() == ip.is_ipv6() && (l.ip().is_unspecified() || l.ip() == *ip))
        };
        let family = |ip: &IpAddr| listen.iter().any(|l| l.is_ipv6() == ip.is_ipv6());
        let own = sys::interface_addresses().unwrap_or_default();
        let mut announced: Vec<(IpAddr, bool)> = if announce.is_empty() {
            own.iter()
                .filter(|ip| bound(ip) && !is_link_local(ip))
                .map(|ip| (*ip, true))
                .collect()
        } else {
            announce
                .iter()
                .filter(|ip| family(ip) && !ip.is_unspecified())
                .map(|ip| (*ip, own.contains(ip) || ip.is_loopback()))
                .collect()
        };
        announced.dedup();
        // Loopback is of use to a browser on this machine only.
        announced.sort_by_key(|(ip, _)| ip.is_loopback());
        announced.truncate(MAX_ANNOUNCED);
        if announced.is_empty() {
            return Err(StartError::NothingToAnnounce);
        }
        Ok(Self { port, announced })
    }

    /// Addresses to offer as host candidates.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.announced
            .iter()
            .map(|(ip, _)| SocketAddr::new(*ip, self.port))
    }

    /// The announced address a datagram to `local` was meant for: itself, or the
    /// outer address of a one-to-one NAT.
    pub(crate) fn announced_for(&self, local: IpAddr) -> Option<SocketAddr> {
        self.announced
            .iter()
            .find(|(ip, _)| *ip == local)
            .or_else(|| {
                self.announced
                    .iter()
                    .find(|(ip, own)| !own && ip.is_ipv6() == local.is_ipv6())
            })
            .map(|(ip, _)| SocketAddr::new(*ip, self.port))
    }

    /// The address to send from for an announced one; none where no interface
    /// carries it and the kernel must choose.
    pub(crate) fn source_for(&self, announced: IpAddr) -> Option<IpAddr> {
        self.announced
            .iter()
            .find(|(ip, _)| *ip == announced)
            .and_then(|(ip, own)| own.then_some(*ip))
    }
}

/// Most host candidates in an answer; each costs the client connectivity checks.
const MAX_ANNOUNCED: usize = 8;

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::SendBatch;
    use crate::sys::{RECV_MESSAGES, RECV_SLOT, RecvMeta};
    use std::net::{Ipv4Addr, Ipv6Addr};

    const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn wait_readable(socket: &UdpSocket, buffer: &mut [u8], metas: &mut Vec<RecvMeta>) -> usize {
        for _ in 0..2_000 {
            match sys::receive(socket, buffer, metas) {
                Ok(n) => return n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Err(e) => panic!("{e}"),
            }
        }
        panic!("nothing came");
    }

    fn round_trip(ip: IpAddr) {
        let address = SocketAddr::new(ip, 0);
        let Ok((port, sockets)) = open(&[address], 1, 1 << 20) else {
            assert!(ip.is_ipv6(), "IPv4 loopback always exists");
            return; // no IPv6 on this machine
        };
        let (peer_port, peers) = open(&[address], 1, 1 << 20).unwrap();
        let mut batch = SendBatch::new(true);
        for (n, len) in [1_100usize, 1_100, 1_100, 1_100, 80]
            .into_iter()
            .enumerate()
        {
            batch.push(
                SocketAddr::new(ip, peer_port),
                Some(ip),
                &vec![n as u8; len],
            );
        }
        batch.flush(&sockets[0]);
        assert_eq!(batch.counters.datagrams, 5);
        assert_eq!(batch.counters.send_error + batch.counters.would_block, 0);

        let peer = peers[0].family(ip.is_ipv6()).unwrap();
        let mut buffer = vec![0; RECV_MESSAGES * RECV_SLOT];
        let mut metas = Vec::new();
        let mut sizes = Vec::new();
        while sizes.len() < 5 {
            let count = wait_readable(peer, &mut buffer, &mut metas);
            for (slot, meta) in buffer.chunks(RECV_SLOT).zip(&metas).take(count) {
                assert_eq!(meta.source, SocketAddr::new(ip, port));
                assert_eq!(meta.local, Some(ip));
                for datagram in slot[..meta.len].chunks(meta.segment) {
                    assert!(datagram.iter().all(|b| usize::from(*b) == sizes.len()));
                    sizes.push(datagram.len());
                }
            }
        }
        assert_eq!(sizes, [1_100, 1_100, 1_100, 1_100, 80]);
        if batch.gso() {
            assert_eq!(batch.counters.messages, 1);
            assert_eq!(batch.counters.gso_segments, 5);
        }
    }

    #[test]
    fn a_run_arrives_as_its_datagrams_over_ipv4_and_tells_its_local_address() {
        round_trip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn a_run_arrives_as_its_datagrams_over_ipv6_and_tells_its_local_address() {
        round_trip(IpAddr::V6(Ipv6Addr::LOCALHOST));
    }

    #[test]
    fn answers_leave_from_the_address_that_was_asked() {
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let (_, sockets) = open(&[any], 1, 1 << 20).unwrap();
        let peer = UdpSocket::bind(LOOPBACK).unwrap();
        // The whole of 127.0.0.0/8 is this machine.
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let mut batch = SendBatch::new(true);
        batch.push(peer.local_addr().unwrap(), Some(second), b"x");
        batch.flush(&sockets[0]);
        let mut buffer = [0; 8];
        let (_, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(from.ip(), second);
    }

    #[test]
    fn shards_share_one_port() {
        let (port, sockets) = open(&[LOOPBACK], 3, 1 << 20).unwrap();
        assert_eq!(sockets.len(), 3);
        for s in &sockets {
            assert_eq!(s.family(false).unwrap().local_addr().unwrap().port(), port);
        }
    }

    #[test]
    fn a_nat_address_is_offered_but_not_sent_from() {
        let outer: IpAddr = "203.0.113.7".parse().unwrap();
        let inner: IpAddr = "10.1.2.3".parse().unwrap();
        let listen = [SocketAddr::from(([0, 0, 0, 0], 7))];
        let local = LocalAddresses::new(&listen, &[outer], 7).unwrap();
        assert_eq!(local.announced_for(inner), Some(SocketAddr::new(outer, 7)));
        assert_eq!(local.source_for(outer), None);
    }

    #[test]
    fn a_datagram_to_an_address_not_announced_has_no_candidate() {
        let listen = [SocketAddr::from(([0, 0, 0, 0], 7))];
        let lo = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let local = LocalAddresses::new(&listen, &[lo], 7).unwrap();
        assert_eq!(local.announced_for("10.1.2.3".parse().unwrap()), None);
        assert_eq!(local.source_for(lo), Some(lo));
    }
}
