//! UDP sockets of the clients: large receives with UDP_GRO.
//!
//! On loopback a receiver without UDP_GRO makes the *sender* pay for the
//! segmentation of its UDP_SEGMENT messages, which a network card would do; so
//! every client socket sets it. This is the only module of the crate with
//! `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, SystemTime};

use socket2::{Domain, Protocol, Socket, Type};

/// Messages taken from the kernel by one call.
const MESSAGES: usize = 8;
/// Largest coalesced message, bytes.
const MESSAGE_SIZE: usize = 65_536;
/// Room for the control data of one message, bytes.
const CONTROL_SIZE: usize = 64;
/// A message that seems to have waited longer was stamped by another clock.
const MAX_AGE: Duration = Duration::from_secs(2);
/// Wished size of the receive buffer; without the right for more, the kernel caps
/// it at `net.core.rmem_max`.
const RECEIVE_BUFFER: libc::c_int = 4 << 20;

/// Binds a non-blocking socket on `addr` with UDP_GRO and a large buffer.
pub fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if set(
        &socket,
        libc::SOL_SOCKET,
        libc::SO_RCVBUFFORCE,
        RECEIVE_BUFFER,
    )
    .is_err()
    {
        set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER)?;
    }
    socket.bind(&addr.into())?;
    set(&socket, libc::SOL_UDP, libc::UDP_GRO, 1)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    Ok(socket.into())
}

fn set(
    socket: &Socket,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the descriptor is open for the whole call and `value` outlives it;
    // the length is the size of what the pointer points to.
    let rc = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(&value).cast(),
            mem::size_of_val(&value) as libc::socklen_t,
        )
    };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Lets the process open as many descriptors as it may: each client has two.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for what the call writes.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is valid for the whole call.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
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
    /// How long it waited in the socket.
    pub age: Duration,
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
    /// Control data the headers point at.
    _control: Vec<Control>,
    names: Vec<libc::sockaddr_storage>,
    /// One for each message, each pointing at its part of the buffers above,
    /// which never move or grow.
    headers: Vec<libc::mmsghdr>,
    /// What `headers` point at.
    _parts: Vec<libc::iovec>,
    /// Length, segment size, age and sender of what the last call brought.
    filled: Vec<(usize, usize, Duration, SocketAddr)>,
}

impl Default for Batch {
    fn default() -> Self {
        let mut bytes = vec![0; MESSAGES * MESSAGE_SIZE];
        let mut control = vec![Control([0; CONTROL_SIZE]); MESSAGES];
        // SAFETY: all-zero addresses, iovecs and mmsghdrs are valid (null pointers,
        // zero lengths).
        let (mut names, mut parts, mut headers) = unsafe {
            (
                vec![mem::zeroed::<libc::sockaddr_storage>(); MESSAGES],
                vec![mem::zeroed::<libc::iovec>(); MESSAGES],
                vec![mem::zeroed::<libc::mmsghdr>(); MESSAGES],
            )
        };
        for ((((header, part), bytes), control), name) in headers
            .iter_mut()
            .zip(&mut parts)
            .zip(bytes.chunks_exact_mut(MESSAGE_SIZE))
            .zip(&mut control)
            .zip(&mut names)
        {
            part.iov_base = bytes.as_mut_ptr().cast();
            part.iov_len = bytes.len();
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
        }
        Self {
            bytes,
            _control: control,
            names,
            headers,
            _parts: parts,
            filled: Vec::with_capacity(MESSAGES),
        }
    }
}

impl Batch {
    /// Takes what waits in the socket. True when there may be more.
    pub fn receive(&mut self, fd: RawFd) -> io::Result<bool> {
        self.filled.clear();
        for header in &mut self.headers {
            header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as _;
            header.msg_hdr.msg_controllen = CONTROL_SIZE as _;
        }
        // SAFETY: every header points into `parts`, `bytes`, `control` and `names`
        // of this object, all alive and untouched during the call, with their true
        // lengths; as many headers are named as there are.
        let got = unsafe {
            libc::recvmmsg(
                fd,
                self.headers.as_mut_ptr(),
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
        let now = wall_clock();
        for (header, name) in self.headers.iter().zip(&self.names).take(got) {
            let length = (header.msg_len as usize).min(MESSAGE_SIZE);
            let told = read_control(&header.msg_hdr);
            let segment = told.segment.unwrap_or(length);
            // A clock that was set meanwhile tells nothing.
            let age = told.arrived.and_then(|arrived| now.checked_sub(arrived));
            let age = age.filter(|age| *age < MAX_AGE).unwrap_or_default();
            // A message without a sender's address is left out by its length of 0.
            let (length, from) = address(name).map_or((0, UNKNOWN), |from| (length, from));
            self.filled.push((length, segment, age, from));
        }
        Ok(got == MESSAGES)
    }

    /// What the last call brought.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.filled
            .iter()
            .zip(self.bytes.chunks_exact(MESSAGE_SIZE))
            .map(|(&(length, segment, age, from), bytes)| Message {
                from,
                age,
                bytes: bytes.get(..length).unwrap_or_default(),
                segment,
            })
    }
}

/// Stands for an address that is not one of IP.
const UNKNOWN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// The address the kernel wrote.
fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that a `sockaddr_in` stands there; the storage
            // is large and aligned enough for every sort of address.
            let a = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(a.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, of a `sockaddr_in6`.
            let a = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(a.sin6_addr.s6_addr);
            let port = u16::from_be(a.sin6_port);
            Some(SocketAddrV6::new(ip, port, a.sin6_flowinfo, a.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// What the kernel tells beside a message.
#[derive(Default)]
struct Told {
    /// Segment size of a coalesced message.
    segment: Option<usize>,
    /// When it arrived, by the clock on the wall.
    arrived: Option<Duration>,
}

fn read_control(header: &libc::msghdr) -> Told {
    let mut told = Told::default();
    // SAFETY: the kernel filled `msg_control` up to `msg_controllen`; the CMSG
    // macros stay inside it and return null at its end; level and type say what
    // the data of an item is.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = at.as_ref() {
            match (control.cmsg_level, control.cmsg_type) {
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let size = libc::CMSG_DATA(at).cast::<libc::c_int>().read_unaligned();
                    told.segment = usize::try_from(size).ok().filter(|size| *size > 0);
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time = libc::CMSG_DATA(at).cast::<libc::timespec>();
                    told.arrived = Some(since_epoch(time.read_unaligned()));
                }
                _ => {}
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    told
}

fn since_epoch(time: libc::timespec) -> Duration {
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// Now, by the clock the kernel stamps messages with.
fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
    fn a_message_knows_how_long_it_waited() {
        const WAITED: Duration = Duration::from_millis(20);
        let to = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let from = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut batch = Batch::default();
        // The kernel begins to stamp a little after the first socket asks for it.
        let told = (0..500).any(|_| {
            from.send_to(b"one", to.local_addr().unwrap()).unwrap();
            std::thread::sleep(WAITED);
            batch.receive(to.as_raw_fd()).unwrap();
            batch.messages().any(|message| message.age >= WAITED)
        });
        assert!(told);
    }

    #[test]
    fn an_empty_socket_is_no_error() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut batch = Batch::default();
        assert!(!batch.receive(socket.as_raw_fd()).unwrap());
        assert_eq!(batch.messages().count(), 0);
    }
}
