//! The system calls the standard library lacks: `recvmmsg` with receive
//! coalescing, `sendmmsg` with a segment size and a source address per message,
//! interface addresses. All `unsafe` of the program is in this file.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{c_int, c_void};

/// Most messages of one `recvmmsg`.
pub(crate) const RECV_MESSAGES: usize = 32;
/// Bytes of a receive slot: the kernel coalesces up to a whole IP datagram.
pub(crate) const RECV_SLOT: usize = 65_536;
/// Most messages of one `sendmmsg`.
pub(crate) const SEND_MESSAGES: usize = 64;

/// Bytes for the control data of one message: two items of at most 20 bytes
/// with 16 bytes of header each, aligned.
const CONTROL: usize = 128;

/// Control data, aligned as `cmsghdr` demands.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// What came with a received message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecvMeta {
    /// Sender.
    pub(crate) source: SocketAddr,
    /// Local address it was sent to.
    pub(crate) local: Option<IpAddr>,
    /// Bytes in the slot.
    pub(crate) len: usize,
    /// Size of each datagram in the slot but the last.
    pub(crate) segment: usize,
}

/// One message to send: one datagram, or several of `segment` bytes each (the
/// last may be shorter).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendMessage<'a> {
    /// Receiver.
    pub(crate) destination: SocketAddr,
    /// Local address to send from; none leaves it to the kernel.
    pub(crate) source: Option<IpAddr>,
    /// Contents.
    pub(crate) bytes: &'a [u8],
    /// Segment size; none for a single datagram.
    pub(crate) segment: Option<u16>,
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Processor time the calling thread has used.
pub(crate) fn thread_time() -> std::time::Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the result.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if done != 0 {
        return std::time::Duration::ZERO;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    std::time::Duration::new(seconds, nanos.min(999_999_999))
}

fn set_option(socket: &UdpSocket, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the
    // pointer and length describe `value`, which lives across the call.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast::<c_void>(),
            mem::size_of::<c_int>() as libc::socklen_t,
        )
    })
    .map(drop)
}

/// Asks for the destination address of every datagram.
pub(crate) fn enable_packet_info(socket: &UdpSocket, v6: bool) -> io::Result<()> {
    if v6 {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

/// Lets the kernel hand over several datagrams of one sender at once.
pub(crate) fn enable_gro(socket: &UdpSocket) -> io::Result<()> {
    set_option(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Whether the kernel knows UDP segmentation offload on this socket.
pub(crate) fn supports_gso(socket: &UdpSocket) -> bool {
    // A size of 0 means "off" and changes nothing where it is known.
    set_option(socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok()
}

/// Sets the buffers beyond the limit of unprivileged processes; fails without
/// the capability for it.
pub(crate) fn force_buffers(socket: &UdpSocket, bytes: usize) -> io::Result<()> {
    let bytes = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)?;
    set_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, bytes)
}

fn zeroed_storage() -> libc::sockaddr_storage {
    // SAFETY: `sockaddr_storage` is plain old data for which zero is valid.
    unsafe { mem::zeroed() }
}

fn read_address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage, which is large and
            // aligned enough for every address type, holds a `sockaddr_in`.
            let a = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(a.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(a.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for `sockaddr_in6`.
            let a = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(a.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(a.sin6_port), 0, a.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn write_address(address: SocketAddr, storage: &mut libc::sockaddr_storage) -> libc::socklen_t {
    let length = match address {
        SocketAddr::V4(a) => {
            // SAFETY: the storage is large and aligned enough for `sockaddr_in`,
            // and any bit pattern is valid in both.
            let out = unsafe { &mut *ptr::from_mut(storage).cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as libc::sa_family_t;
            out.sin_port = a.port().to_be();
            out.sin_addr.s_addr = u32::from_ne_bytes(a.ip().octets());
            mem::size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(a) => {
            // SAFETY: as above, for `sockaddr_in6`.
            let out = unsafe { &mut *ptr::from_mut(storage).cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            out.sin6_port = a.port().to_be();
            out.sin6_addr.s6_addr = a.ip().octets();
            out.sin6_scope_id = a.scope_id();
            mem::size_of::<libc::sockaddr_in6>()
        }
    };
    length as libc::socklen_t
}

/// Receives up to [`RECV_MESSAGES`] messages without blocking. Message `i` lies
/// in `buffer[i * RECV_SLOT..]`; `metas` is filled in the same order (a message
/// that did not fit or has no usable sender gets length 0).
///
/// # Errors
/// Of the system call, `WouldBlock` among them.
pub(crate) fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    metas: &mut Vec<RecvMeta>,
) -> io::Result<usize> {
    metas.clear();
    let slots = (buffer.len() / RECV_SLOT).min(RECV_MESSAGES);
    let mut names = [zeroed_storage(); RECV_MESSAGES];
    let mut controls = [Control([0; CONTROL]); RECV_MESSAGES];
    // SAFETY: `iovec` and `mmsghdr` are plain old data for which zero (null
    // pointers, no lengths) is valid.
    let mut iovecs: [libc::iovec; RECV_MESSAGES] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; RECV_MESSAGES] = unsafe { mem::zeroed() };
    for ((((slot, iovec), name), control), header) in buffer
        .chunks_exact_mut(RECV_SLOT)
        .zip(&mut iovecs)
        .zip(&mut names)
        .zip(&mut controls)
        .zip(&mut headers)
    {
        iovec.iov_base = slot.as_mut_ptr().cast();
        iovec.iov_len = slot.len();
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_hdr.msg_iov = iovec;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
        header.msg_hdr.msg_controllen = CONTROL as _;
    }
    // SAFETY: the first `slots` headers point to buffers, names, controls and
    // iovecs that are alive and not otherwise used until the call returns, with
    // their true lengths.
    let count = check(unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            slots as libc::c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    })? as usize;
    for (header, name) in headers.iter().zip(&names).take(count) {
        let len = header.msg_len as usize;
        let (local, segment) = read_control(&header.msg_hdr);
        let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
        let source = read_address(name);
        metas.push(RecvMeta {
            source: source.unwrap_or_else(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0)),
            local,
            len: if whole && source.is_some() { len } else { 0 },
            segment: segment.filter(|s| *s > 0).unwrap_or(len),
        });
    }
    Ok(count)
}

/// Destination address and segment size out of the control data of a message
/// the kernel has filled.
fn read_control(header: &libc::msghdr) -> (Option<IpAddr>, Option<usize>) {
    let (mut local, mut segment) = (None, None);
    // SAFETY: `header` was filled by the kernel and its control buffer is alive;
    // the CMSG macros stay inside `msg_controllen`. Values are read unaligned,
    // each only where level and type say that the kernel wrote this type.
    unsafe {
        let mut item = libc::CMSG_FIRSTHDR(header);
        while !item.is_null() {
            let data = libc::CMSG_DATA(item);
            match ((*item).cmsg_level, (*item).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = ptr::read_unaligned(data.cast::<libc::in_pktinfo>());
                    let ip = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
                    local = Some(IpAddr::V4(ip));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = ptr::read_unaligned(data.cast::<libc::in6_pktinfo>());
                    local = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let size = ptr::read_unaligned(data.cast::<c_int>());
                    segment = usize::try_from(size).ok();
                }
                _ => {}
            }
            item = libc::CMSG_NXTHDR(header, item);
        }
    }
    (local, segment)
}

/// Sends up to [`SEND_MESSAGES`] messages without blocking and tells how many
/// the kernel took. Fails only when it did not take the first.
///
/// # Errors
/// Of the system call, `WouldBlock` among them.
pub(crate) fn send(socket: &UdpSocket, messages: &[SendMessage<'_>]) -> io::Result<usize> {
    let count = messages.len().min(SEND_MESSAGES);
    if count == 0 {
        return Ok(0);
    }
    let mut names = [const { MaybeUninit::<libc::sockaddr_storage>::uninit() }; SEND_MESSAGES];
    let mut controls = [const { MaybeUninit::<Control>::uninit() }; SEND_MESSAGES];
    // SAFETY: `iovec` and `mmsghdr` are plain old data for which zero is valid.
    let mut iovecs: [libc::iovec; SEND_MESSAGES] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; SEND_MESSAGES] = unsafe { mem::zeroed() };
    for ((((message, iovec), name), control), header) in messages
        .iter()
        .zip(&mut iovecs)
        .zip(&mut names)
        .zip(&mut controls)
        .zip(&mut headers)
    {
        // The kernel only reads through this pointer.
        iovec.iov_base = message.bytes.as_ptr().cast_mut().cast();
        iovec.iov_len = message.bytes.len();
        let name = name.write(zeroed_storage());
        let header = &mut header.msg_hdr;
        header.msg_namelen = write_address(message.destination, name);
        header.msg_name = ptr::from_mut(name).cast();
        header.msg_iov = iovec;
        header.msg_iovlen = 1;
        write_control(message, header, control.write(Control([0; CONTROL])));
    }
    // SAFETY: the first `count` headers point to names, controls, iovecs and
    // contents that are alive until the call returns, with their true lengths;
    // the kernel writes only `msg_len` of the headers.
    let sent = check(unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            libc::MSG_DONTWAIT as _,
        )
    })?;
    Ok(sent as usize)
}

/// Writes segment size and source address of `message` as control data.
fn write_control(message: &SendMessage<'_>, header: &mut libc::msghdr, control: &mut Control) {
    if message.segment.is_none() && message.source.is_none() {
        return;
    }
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL as _;
    let mut used = 0usize;
    // SAFETY: control buffer and length were just set and are zeroed, so the
    // CMSG macros yield headers inside of it: two items of at most 40 bytes each
    // fit into CONTROL. Values are written unaligned at the place CMSG_DATA
    // names, with the length CMSG_LEN gives for their type.
    unsafe {
        let mut item = libc::CMSG_FIRSTHDR(header);
        if let Some(segment) = message.segment
            && !item.is_null()
        {
            (*item).cmsg_level = libc::SOL_UDP;
            (*item).cmsg_type = libc::UDP_SEGMENT;
            (*item).cmsg_len = libc::CMSG_LEN(mem::size_of::<u16>() as u32) as _;
            ptr::write_unaligned(libc::CMSG_DATA(item).cast::<u16>(), segment);
            used += libc::CMSG_SPACE(mem::size_of::<u16>() as u32) as usize;
            item = libc::CMSG_NXTHDR(header, item);
        }
        match message.source {
            Some(IpAddr::V4(ip)) if !item.is_null() => {
                (*item).cmsg_level = libc::IPPROTO_IP;
                (*item).cmsg_type = libc::IP_PKTINFO;
                let size = mem::size_of::<libc::in_pktinfo>() as u32;
                (*item).cmsg_len = libc::CMSG_LEN(size) as _;
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(ip.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                ptr::write_unaligned(libc::CMSG_DATA(item).cast(), info);
                used += libc::CMSG_SPACE(size) as usize;
            }
            Some(IpAddr::V6(ip)) if !item.is_null() => {
                (*item).cmsg_level = libc::IPPROTO_IPV6;
                (*item).cmsg_type = libc::IPV6_PKTINFO;
                let size = mem::size_of::<libc::in6_pktinfo>() as u32;
                (*item).cmsg_len = libc::CMSG_LEN(size) as _;
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: ip.octets(),
                    },
                    ipi6_ifindex: 0,
                };
                ptr::write_unaligned(libc::CMSG_DATA(item).cast(), info);
                used += libc::CMSG_SPACE(size) as usize;
            }
            _ => {}
        }
    }
    header.msg_controllen = used as _;
}

/// Addresses of all interfaces that are up, in the system's order.
///
/// # Errors
/// Of the system call.
pub(crate) fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut list: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `list` is a valid place for the pointer the call returns.
    check(unsafe { libc::getifaddrs(&raw mut list) })?;
    let mut addresses = Vec::new();
    let mut item = list;
    // SAFETY: the list is the one just returned, walked by its own links until
    // null and freed once afterwards. `ifa_addr` may be null; where it is not,
    // its family says which address type it points to.
    unsafe {
        while !item.is_null() {
            let entry = &*item;
            let up = entry.ifa_flags & (libc::IFF_UP as libc::c_uint) != 0;
            if up && !entry.ifa_addr.is_null() {
                match c_int::from((*entry.ifa_addr).sa_family) {
                    libc::AF_INET => {
                        let a = ptr::read_unaligned(entry.ifa_addr.cast::<libc::sockaddr_in>());
                        let ip = Ipv4Addr::from(a.sin_addr.s_addr.to_ne_bytes());
                        addresses.push(IpAddr::V4(ip));
                    }
                    libc::AF_INET6 => {
                        let a = ptr::read_unaligned(entry.ifa_addr.cast::<libc::sockaddr_in6>());
                        addresses.push(IpAddr::V6(Ipv6Addr::from(a.sin6_addr.s6_addr)));
                    }
                    _ => {}
                }
            }
            item = entry.ifa_next;
        }
        libc::freeifaddrs(list);
    }
    Ok(addresses)
}
