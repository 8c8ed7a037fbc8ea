//! UDP sockets of the clients: large receives with UDP_GRO.
//!
//! On loopback a receiver without UDP_GRO makes the *sender* pay for the
//! segmentation of its UDP_SEGMENT messages, which a network card would do; so
//! every client socket sets it. This is the only module of the crate with
//! `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::RawFd;

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

/// Messages taken from the kernel by one call.
const MESSAGES: usize = 8;
/// Largest coalesced message, bytes.
const MESSAGE_SIZE: usize = 65_536;
/// Room for the control data of one message, bytes.
const CONTROL_SIZE: usize = 64;
/// Wished size of the receive buffer; the kernel caps it at `net.core.rmem_max`.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Binds a non-blocking socket on `addr` with UDP_GRO and a large buffer.
pub fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(&addr.into())?;
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open for the whole call and `on` outlives it;
    // the length is the size of what the pointer points to.
    let rc = unsafe {
        libc::setsockopt(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            libc::SOL_UDP,
            libc::UDP_GRO,
            std::ptr::from_ref(&on).cast(),
            mem::size_of_val(&on) as libc::socklen_t,
        )
    };
    if rc != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket.into())
}

/// One message of a batch: one datagram or a run of equal ones.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Sender.
    pub from: SocketAddr,
    /// Bytes of all segments.
    pub bytes: &'a [u8],
    /// Size of a segment; the last may be shorter.
    pub segment: usize,
}

impl<'a> Message<'a> {
    /// The datagrams in it.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes.chunks(self.segment.max(1))
    }
}

/// Control buffer aligned as `cmsghdr` wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_SIZE]);

/// Buffers of `recvmmsg`, made once per thread.
pub struct Batch {
    bytes: Vec<u8>,
    control: Vec<Control>,
    names: Vec<SockAddrStorage>,
    /// Length, segment size and sender of what the last call brought.
    filled: Vec<(usize, usize, SocketAddr)>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            bytes: vec![0; MESSAGES * MESSAGE_SIZE],
            control: vec![Control([0; CONTROL_SIZE]); MESSAGES],
            names: (0..MESSAGES).map(|_| SockAddrStorage::zeroed()).collect(),
            filled: Vec::with_capacity(MESSAGES),
        }
    }
}

impl Batch {
    /// Takes what waits in the socket. True when there may be more.
    pub fn receive(&mut self, fd: RawFd) -> io::Result<bool> {
        self.filled.clear();
        // SAFETY: all-zero iovec and mmsghdr are valid (null pointers, zero lengths).
        let mut parts: [libc::iovec; MESSAGES] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; MESSAGES] = unsafe { mem::zeroed() };
        for ((((header, part), bytes), control), name) in headers
            .iter_mut()
            .zip(&mut parts)
            .zip(self.bytes.chunks_exact_mut(MESSAGE_SIZE))
            .zip(&mut self.control)
            .zip(&mut self.names)
        {
            part.iov_base = bytes.as_mut_ptr().cast();
            part.iov_len = bytes.len();
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            header.msg_hdr.msg_namelen = mem::size_of_val(name) as libc::socklen_t;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_SIZE;
        }
        // SAFETY: every header points into `parts`, `self.bytes`, `self.control`
        // and `self.names`, all alive and untouched during the call, with their
        // true lengths; MESSAGES headers are passed.
        let got = unsafe {
            libc::recvmmsg(
                fd,
                headers.as_mut_ptr(),
                MESSAGES as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        if got < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(false),
                _ => Err(error),
            };
        }
        let got = got as usize;
        for (header, name) in headers.iter().zip(&mut self.names).take(got) {
            let name = mem::replace(name, SockAddrStorage::zeroed());
            let length = (header.msg_len as usize).min(MESSAGE_SIZE);
            let segment = gro_size(&header.msg_hdr).unwrap_or(length);
            // SAFETY: the kernel wrote `msg_namelen` bytes of an address into `name`.
            let from = unsafe { SockAddr::new(name, header.msg_hdr.msg_namelen) }.as_socket();
            let Some(from) = from else { continue };
            self.filled.push((length, segment, from));
        }
        Ok(got == MESSAGES)
    }

    /// What the last call brought.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.filled
            .iter()
            .zip(self.bytes.chunks_exact(MESSAGE_SIZE))
            .map(|(&(length, segment, from), bytes)| Message {
                from,
                bytes: bytes.get(..length).unwrap_or_default(),
                segment,
            })
    }
}

/// Segment size the kernel reports for a coalesced message.
fn gro_size(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel filled `msg_control` up to `msg_controllen`; the CMSG
    // macros stay inside it and return null at its end.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = at.as_ref() {
            if control.cmsg_level == libc::SOL_UDP && control.cmsg_type == libc::UDP_GRO {
                let size = libc::CMSG_DATA(at).cast::<libc::c_int>().read_unaligned();
                return usize::try_from(size).ok().filter(|size| *size > 0);
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn datagrams_arrive_with_their_bounds_and_sender() {
        let to = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let from = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        for payload in [&b"one"[..], b"three", b"four"] {
            from.send_to(payload, to.local_addr().unwrap()).unwrap();
        }
        let mut batch = Batch::default();
        let mut seen = Vec::new();
        while seen.len() < 3 {
            batch.receive(to.as_raw_fd()).unwrap();
            for message in batch.messages() {
                assert_eq!(message.from, from.local_addr().unwrap());
                seen.extend(message.datagrams().map(<[u8]>::to_vec));
            }
        }
        assert_eq!(seen, [b"one".to_vec(), b"three".to_vec(), b"four".to_vec()]);
    }

    #[test]
    fn an_empty_socket_is_no_error() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut batch = Batch::default();
        assert!(!batch.receive(socket.as_raw_fd()).unwrap());
        assert_eq!(batch.messages().count(), 0);
    }
}
