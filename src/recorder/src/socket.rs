//! The UDP socket of one recording: many datagrams in one call.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{RecvMeta, UdpSocketState};
use tokio::io::Interest;

/// Largest coalesced message, bytes.
const MESSAGE: usize = 65_536;
/// Messages taken by one call.
const MESSAGES: usize = 4;
/// Wished receive buffer, bytes: a burst of keyframes of every slot.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A socket.
pub struct Socket {
    socket: tokio::net::UdpSocket,
    state: UdpSocketState,
    bytes: Vec<u8>,
    /// Its address.
    pub local: SocketAddr,
}

impl Socket {
    /// A socket on any free port of this address. Inside a tokio runtime.
    pub fn bind(ip: IpAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let state = UdpSocketState::new((&socket).into())?;
        // The kernel caps it; what it gives is enough for a class.
        let _ = state.set_recv_buffer_size((&socket).into(), RECEIVE_BUFFER);
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket)?,
            state,
            bytes: vec![0; MESSAGE * MESSAGES],
            local,
        })
    }

    /// Waits until something came.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Gives what has come to `each`, with its sender; `false` when nothing was there.
    pub fn receive(&mut self, mut each: impl FnMut(SocketAddr, &[u8])) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); MESSAGES];
        let (socket, state) = (&self.socket, &self.state);
        let mut parts = self.bytes.chunks_mut(MESSAGE).map(IoSliceMut::new);
        let mut empty = || IoSliceMut::new(&mut []);
        let mut buffers: [IoSliceMut<'_>; MESSAGES] =
            std::array::from_fn(|_| parts.next().unwrap_or_else(&mut empty));
        let received = socket.try_io(Interest::READABLE, || {
            state.recv(socket.into(), &mut buffers, &mut metas)
        });
        let count = match received {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            // What an earlier datagram met (no listener): of no meaning here.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
            Err(error) => return Err(error),
        };
        drop(parts);
        for (meta, buffer) in metas.iter().zip(&buffers).take(count) {
            let Some(bytes) = buffer.get(..meta.len) else {
                continue;
            };
            for datagram in bytes.chunks(meta.stride.max(1)) {
                each(meta.addr, datagram);
            }
        }
        Ok(true)
    }

    /// Sends; what does not fit is lost, as on any network.
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) {
        let _ = self.socket.try_send_to(bytes, to);
    }
}
