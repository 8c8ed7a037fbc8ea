//! The bare loop: header, copy, seal in place with a key of each receiver's own,
//! messages with segments. Nothing else, so nothing can be cheaper.

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::sys::{Messages, sender};
use super::{Event, Payload, Sent, Subject};

/// RTP header with a block of one-byte extensions: mid, transport-wide number,
/// time of sending.
const HEADER: usize = 12 + 4 + 12;
/// Authentication tag.
const TAG: usize = 16;
/// The arena is handed over whenever so much has gathered: what was sealed last is
/// still in the cache.
const FLUSH: usize = 256 << 10;
/// Room for a flush and the packets of one more receiver.
const ARENA: usize = FLUSH + 16 * 1_500;

struct Receiver {
    key: LessSafeKey,
    salt: [u8; 12],
    address: SocketAddrV4,
    /// Of sound and picture.
    streams: [Stream; 2],
    transport: u16,
}

#[derive(Clone, Copy)]
struct Stream {
    ssrc: u32,
    index: u64,
    ts: u32,
}

/// Which part of the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Headers, copies and seals; nothing is sent.
    Seal,
}

/// The loop.
pub struct Bare {
    part: Part,
    receivers: Vec<Receiver>,
    socket: UdpSocket,
    arena: Box<[u8]>,
    used: usize,
    messages: Messages,
    sent: Sent,
}

impl Bare {
    /// For these receivers.
    pub fn new(part: Part, addresses: &[SocketAddr]) -> Self {
        let receivers = addresses.iter().enumerate().map(|(index, address)| {
            let SocketAddr::V4(address) = *address else {
                panic!("receivers have IPv4 addresses");
            };
            let mut key = [7u8; 32];
            key[..8].copy_from_slice(&(index as u64).to_be_bytes());
            let key = UnboundKey::new(&AES_256_GCM, &key).expect("a key");
            let stream = |ssrc| Stream {
                ssrc,
                index: 100,
                ts: 0,
            };
            Receiver {
                key: LessSafeKey::new(key),
                salt: [index as u8; 12],
                address,
                streams: [stream(2 * index as u32 + 1), stream(2 * index as u32 + 2)],
                transport: 0,
            }
        });
        Self {
            part,
            receivers: receivers.collect(),
            socket: sender(),
            arena: vec![0; ARENA].into(),
            used: 0,
            messages: Messages::default(),
            sent: Sent::default(),
        }
    }

    fn hand_over(&mut self) {
        self.messages.send(&self.socket);
        self.used = 0;
    }
}

/// Writes and seals a packet at the begin of `out`; its length.
fn seal(receiver: &mut Receiver, video: bool, payload: &Payload, out: &mut [u8]) -> usize {
    let stream = &mut receiver.streams[usize::from(video)];
    let [s1, s2] = (stream.index as u16).to_be_bytes();
    let roc = (stream.index >> 16) as u32;
    let pt = if video { 96 } else { 111 };
    let [t1, t2] = receiver.transport.to_be_bytes();
    receiver.transport = receiver.transport.wrapping_add(1);
    let (header, rest) = out.split_at_mut(HEADER);
    header[..4].copy_from_slice(&[0x90, u8::from(payload.marker) << 7 | pt, s1, s2]);
    header[4..8].copy_from_slice(&stream.ts.to_be_bytes());
    header[8..12].copy_from_slice(&stream.ssrc.to_be_bytes());
    header[12..16].copy_from_slice(&[0xbe, 0xde, 0, 3]);
    header[16..28].copy_from_slice(&[0x40, b'3', 0x31, t1, t2, 0x22, 1, 2, 3, 0, 0, 0]);
    let size = payload.bytes.len();
    rest[..size].copy_from_slice(&payload.bytes);
    let mut nonce = receiver.salt;
    let [r1, r2, r3, r4] = roc.to_be_bytes();
    let [a, b, c, d] = stream.ssrc.to_be_bytes();
    // RFC 7714 section 8.1.
    let number = [0, 0, a, b, c, d, r1, r2, r3, r4, s1, s2];
    for (to, from) in nonce.iter_mut().zip(number) {
        *to ^= from;
    }
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = receiver
        .key
        .seal_in_place_separate_tag(nonce, Aad::from(&*header), &mut rest[..size])
        .expect("a seal");
    rest[size..size + TAG].copy_from_slice(tag.as_ref());
    stream.index += 1;
    HEADER + size + TAG
}

impl Subject for Bare {
    fn send(&mut self, event: &Event) {
        for at in 0..self.receivers.len() {
            if self.used >= FLUSH {
                self.hand_over();
            }
            let receiver = &mut self.receivers[at];
            if event.video {
                receiver.streams[1].ts = (event.at.as_millis() * 90) as u32;
            } else {
                receiver.streams[0].ts = (event.at.as_millis() * 48) as u32;
            }
            // A run ends where the size grows, or behind a smaller one.
            let (mut begin, mut first, mut last, mut count) = (self.used, 0, 0, 0);
            for payload in &event.packets {
                let receiver = &mut self.receivers[at];
                let len = seal(receiver, event.video, payload, &mut self.arena[self.used..]);
                if count > 0 && (len > first || last < first) {
                    self.message(at, begin, self.used, first, count);
                    (begin, count) = (self.used, 0);
                }
                if count == 0 {
                    first = len;
                }
                last = len;
                count += 1;
                self.used += len;
            }
            self.message(at, begin, self.used, first, count);
        }
    }

    fn flush(&mut self) {
        self.hand_over();
    }

    fn sent(&self) -> Sent {
        self.sent
    }
}

impl Bare {
    fn message(&mut self, receiver: usize, begin: usize, end: usize, segment: usize, count: u64) {
        self.sent.packets += count;
        self.sent.messages += 1;
        if self.part == Part::Seal {
            return;
        }
        if self.messages.is_full() {
            // What is sealed stays where it is until all is handed over.
            self.messages.send(&self.socket);
        }
        let segment = (count > 1).then_some(segment as u16);
        let to = self.receivers[receiver].address;
        self.messages.push(to, &self.arena[begin..end], segment);
    }
}
