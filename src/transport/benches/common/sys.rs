//! The system calls of the measurement: clock of a thread, receivers that drain,
//! messages with a segment size.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libc::c_int;

/// Buffers of the sockets, bytes.
const BUFFER: c_int = 16 << 20;
/// Messages of one `sendmmsg`.
pub const SEND_MESSAGES: usize = 64;
/// Messages of one `recvmmsg`.
const RECEIVE_MESSAGES: usize = 8;
/// Bytes of a received message.
const MESSAGE: usize = 65_536;
/// Longest wait for what has not arrived.
const PATIENCE: Duration = Duration::from_secs(2);

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Processor time of this thread.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for what the call writes.
    check(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) })
        .expect("the clock of a thread");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread on one processor, where there is more than one.
pub fn pin(processor: usize) {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return;
    }
    // SAFETY: a zeroed set is empty; the set lives across the call and its size is
    // given. A refusal only makes the measurement noisier.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, mem::size_of_val(&set), &raw const set);
    }
}

fn set(socket: &UdpSocket, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for the whole call; pointer and length are
    // those of `value`.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            ptr::from_ref(&value).cast(),
            mem::size_of_val(&value) as libc::socklen_t,
        )
    })
    .map(drop)
}

/// A socket to send from.
pub fn sender() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    if set(&socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, BUFFER).is_err() {
        set(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, BUFFER).expect("a buffer");
    }
    socket
}

/// Receivers: sockets with UDP_GRO and the thread that empties them.
pub struct Drain {
    addresses: Vec<SocketAddr>,
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    /// So many receivers on loopback.
    pub fn new(receivers: usize) -> Self {
        let sockets: Vec<UdpSocket> = (0..receivers)
            .map(|_| {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
                if set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER).is_err() {
                    set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER).expect("a buffer");
                }
                set(&socket, libc::SOL_UDP, libc::UDP_GRO, 1).expect("UDP_GRO");
                socket
            })
            .collect();
        let addresses = sockets.iter().map(|s| s.local_addr().expect("bound"));
        let addresses = addresses.collect();
        let received = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (received, stop) = (Arc::clone(&received), Arc::clone(&stop));
            move || drain(&sockets, &received, &stop)
        });
        Self {
            addresses,
            received,
            stop,
            thread: Some(thread),
        }
    }

    /// Where they listen.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Datagrams received.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Sleeps until at most `waiting` of `sent` datagrams have not been received.
    pub fn wait(&self, sent: u64, waiting: u64) {
        let began = Instant::now();
        while self.received() + waiting < sent && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread that drains");
        }
    }
}

/// Control data, aligned as `cmsghdr` demands.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 64]);

fn drain(sockets: &[UdpSocket], received: &AtomicU64, stop: &AtomicBool) {
    pin(1);
    // SAFETY: no pointers; the descriptor is closed below.
    let poll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).expect("epoll");
    for (index, socket) in sockets.iter().enumerate() {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: index as u64,
        };
        // SAFETY: both descriptors are open and `event` lives across the call.
        check(unsafe {
            libc::epoll_ctl(
                poll,
                libc::EPOLL_CTL_ADD,
                socket.as_raw_fd(),
                &raw mut event,
            )
        })
        .expect("epoll");
    }
    let mut buffers = vec![0u8; RECEIVE_MESSAGES * MESSAGE];
    let mut control = [Control([0; 64]); RECEIVE_MESSAGES];
    // SAFETY: zeroed headers and events are valid.
    let mut parts: [libc::iovec; RECEIVE_MESSAGES] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; RECEIVE_MESSAGES] = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let mut events: [libc::epoll_event; 256] = unsafe { mem::zeroed() };
    for (((header, part), bytes), control) in headers
        .iter_mut()
        .zip(&mut parts)
        .zip(buffers.chunks_exact_mut(MESSAGE))
        .zip(&mut control)
    {
        part.iov_base = bytes.as_mut_ptr().cast();
        part.iov_len = bytes.len();
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
    }
    while !stop.load(Ordering::Relaxed) {
        // SAFETY: `events` has room for as many events as are named.
        let ready = unsafe { libc::epoll_wait(poll, events.as_mut_ptr(), 256, 50) };
        for event in events.iter().take(ready.max(0) as usize) {
            let socket = &sockets[event.u64 as usize];
            received.fetch_add(receive(socket.as_raw_fd(), &mut headers), Ordering::Relaxed);
        }
    }
    // SAFETY: the descriptor is this function's own.
    unsafe { libc::close(poll) };
}

/// Datagrams of one `recvmmsg`.
fn receive(fd: RawFd, headers: &mut [libc::mmsghdr; RECEIVE_MESSAGES]) -> u64 {
    for header in headers.iter_mut() {
        header.msg_hdr.msg_controllen = mem::size_of::<Control>() as _;
    }
    // SAFETY: every header points at buffers of the caller that live across the call.
    let got = unsafe {
        libc::recvmmsg(
            fd,
            headers.as_mut_ptr(),
            RECEIVE_MESSAGES as libc::c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    };
    let mut datagrams = 0;
    for header in headers.iter().take(got.max(0) as usize) {
        let length = header.msg_len as usize;
        let segment = segment(&header.msg_hdr).unwrap_or(length).max(1);
        datagrams += length.div_ceil(segment) as u64;
    }
    datagrams
}

fn segment(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel filled the control data up to `msg_controllen`; the macros
    // stay inside.
    unsafe {
        let item = libc::CMSG_FIRSTHDR(header);
        let control = item.as_ref()?;
        let found = control.cmsg_level == libc::SOL_UDP && control.cmsg_type == libc::UDP_GRO;
        found.then(|| libc::CMSG_DATA(item).cast::<c_int>().read_unaligned() as usize)
    }
}

/// Messages that wait for one `sendmmsg`, built without allocation.
pub struct Messages {
    headers: Box<[libc::mmsghdr; SEND_MESSAGES]>,
    parts: Box<[libc::iovec; SEND_MESSAGES]>,
    names: Box<[libc::sockaddr_in; SEND_MESSAGES]>,
    control: Box<[Control; SEND_MESSAGES]>,
    len: usize,
}

impl Default for Messages {
    fn default() -> Self {
        // SAFETY: zeroed headers, parts and addresses are valid.
        unsafe {
            Self {
                headers: Box::new(mem::zeroed()),
                parts: Box::new(mem::zeroed()),
                names: Box::new(mem::zeroed()),
                control: Box::new([Control([0; 64]); SEND_MESSAGES]),
                len: 0,
            }
        }
    }
}

impl Messages {
    /// Whether no message has room any more.
    pub fn is_full(&self) -> bool {
        self.len == SEND_MESSAGES
    }

    /// Adds a message. `bytes` must stay where it is until [`Self::send`].
    pub fn push(&mut self, to: SocketAddrV4, bytes: &[u8], segment: Option<u16>) {
        let at = self.len;
        let name = &mut self.names[at];
        name.sin_family = libc::AF_INET as libc::sa_family_t;
        name.sin_port = to.port().to_be();
        name.sin_addr.s_addr = u32::from_ne_bytes(to.ip().octets());
        self.parts[at].iov_base = bytes.as_ptr().cast_mut().cast();
        self.parts[at].iov_len = bytes.len();
        let header = &mut self.headers[at].msg_hdr;
        header.msg_name = ptr::from_mut(name).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_in>() as libc::socklen_t;
        header.msg_iov = &raw mut self.parts[at];
        header.msg_iovlen = 1;
        header.msg_control = ptr::null_mut();
        header.msg_controllen = 0;
        if let Some(segment) = segment {
            header.msg_control = self.control[at].0.as_mut_ptr().cast();
            // SAFETY: the control buffer is aligned and larger than one item of two
            // bytes; CMSG_FIRSTHDR gives its begin, as its length is set.
            unsafe {
                header.msg_controllen = libc::CMSG_SPACE(2) as _;
                let item = libc::CMSG_FIRSTHDR(header);
                (*item).cmsg_level = libc::SOL_UDP;
                (*item).cmsg_type = libc::UDP_SEGMENT;
                (*item).cmsg_len = libc::CMSG_LEN(2) as _;
                libc::CMSG_DATA(item).cast::<u16>().write_unaligned(segment);
            }
        }
        self.len += 1;
    }

    /// Hands all messages to the kernel.
    pub fn send(&mut self, socket: &UdpSocket) {
        let mut sent = 0;
        while sent < self.len {
            // SAFETY: the headers point at `parts`, `names`, `control` and at bytes
            // the caller keeps; as many are named as are left.
            let result = check(unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    self.headers.as_mut_ptr().add(sent),
                    (self.len - sent) as libc::c_uint,
                    0,
                )
            });
            sent += result.expect("the kernel takes the messages") as usize;
        }
        self.len = 0;
    }
}
