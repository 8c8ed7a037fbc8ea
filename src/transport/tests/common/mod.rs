//! A small str0m client for tests: sans-IO, so that unit tests drive it on
//! virtual time, with a wrapper that runs it on a loopback socket.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test uses a part; a failing unwrap is a failing test"
)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use lophoc_media::framing::{Deframer, header};
use lophoc_media::types::{Kind, Slots};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, PayloadParams};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::media::{Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{Extension, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// A packet the client received.
#[derive(Debug, Clone)]
pub struct Received {
    pub codec: Codec,
    pub seq: u64,
    pub ts: u32,
    pub marker: bool,
    pub ssrc: u32,
    pub has_mid: bool,
    pub level: Option<i8>,
    pub has_capture_time: bool,
    pub payload: Vec<u8>,
}

/// A str0m client.
pub struct Client {
    pub rtc: Rtc,
    pub address: SocketAddr,
    pub connected: bool,
    pub closed: bool,
    pub keyframe_requests: usize,
    pub received: HashMap<Mid, Vec<Received>>,
    pub out: Vec<(SocketAddr, Vec<u8>)>,
    pub deadline: Instant,
    pub sends: Vec<(Kind, Mid)>,
    pub slots: Vec<Mid>,
    protocol: Protocol,
    pending: Option<SdpPendingOffer>,
    clock: Instant,
    next_seq: HashMap<(Mid, Option<Rid>), u64>,
}

impl Client {
    /// A client at `address` and its offer for a profile.
    pub fn new(now: Instant, address: SocketAddr, sends: &[Kind], slots: Slots) -> (Self, String) {
        Self::build(now, address, sends, slots, &[])
    }

    /// A client whose video m-lines send the layers `rids`.
    pub fn build(
        now: Instant,
        address: SocketAddr,
        sends: &[Kind],
        slots: Slots,
        rids: &[&str],
    ) -> (Self, String) {
        let host = Candidate::host(address, "udp").unwrap();
        Self::with(now, host, sends, slots, rids)
    }

    /// A client that comes by TCP from `address`.
    pub fn over_tcp(
        now: Instant,
        address: SocketAddr,
        sends: &[Kind],
        slots: Slots,
    ) -> (Self, String) {
        Self::with(now, active(address), sends, slots, &[])
    }

    fn with(
        now: Instant,
        host: Candidate,
        sends: &[Kind],
        slots: Slots,
        rids: &[&str],
    ) -> (Self, String) {
        let (address, protocol) = (host.addr(), host.proto());
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .set_extension(5, Extension::AbsoluteCaptureTime)
            .build(now);
        rtc.add_local_candidate(host);
        let mut api = rtc.sdp_api();
        let mut add = |audio: bool, direction| {
            let kind = if audio {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            let simulcast =
                (!audio && direction == Direction::SendOnly && !rids.is_empty()).then(|| {
                    let mut simulcast = Simulcast::new();
                    for rid in rids {
                        simulcast.add_send_layer(SimulcastLayer::new(rid));
                    }
                    simulcast
                });
            api.add_media(kind, direction, None, None, simulcast)
        };
        let sends: Vec<_> = sends
            .iter()
            .map(|k| (*k, add(k.is_audio(), Direction::SendOnly)))
            .collect();
        let slots = (0..slots.audio)
            .map(|_| true)
            .chain((0..slots.video + slots.screen).map(|_| false))
            .map(|audio| add(audio, Direction::RecvOnly))
            .collect();
        let (offer, pending) = api.apply().unwrap();
        let client = Self {
            rtc,
            address,
            connected: false,
            closed: false,
            keyframe_requests: 0,
            received: HashMap::new(),
            out: Vec::new(),
            deadline: now,
            sends,
            slots,
            protocol,
            pending: Some(pending),
            clock: now,
            next_seq: HashMap::new(),
        };
        (client, offer.to_sdp_string())
    }

    /// Takes the server's answer.
    pub fn accept(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// An offer that restarts ICE.
    pub fn restart(&mut self) -> String {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Moves to another local address, as after a change of network.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
        self.rtc.add_local_candidate(match self.protocol {
            Protocol::Udp => Candidate::host(address, "udp").unwrap(),
            _ => active(address),
        });
    }

    pub fn handle(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        self.clock = self.clock.max(now);
        if let Ok(receive) = Receive::new(self.protocol, from, self.address, bytes) {
            let input = Input::Receive(self.clock, receive);
            if self.rtc.accepts(&input) {
                self.rtc.handle_input(input).unwrap();
            }
        }
        self.drain();
    }

    pub fn tick(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
        self.rtc.handle_input(Input::Timeout(self.clock)).unwrap();
        self.drain();
    }

    pub fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                Output::Transmit(t) => {
                    if t.source == self.address && t.proto == self.protocol {
                        self.out.push((t.destination, t.contents.to_vec()));
                    }
                }
                Output::Event(event) => self.on_event(event),
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::Closed => self.closed = true,
            Event::KeyframeRequest(_) => self.keyframe_requests += 1,
            Event::RtpPacket(packet) => {
                if packet.payload.is_empty() {
                    return;
                }
                let pt = packet.header.payload_type;
                let codec = self
                    .rtc
                    .codec_config()
                    .find(|p| p.pt() == pt || p.red() == Some(pt))
                    .map(|p| p.spec().codec);
                let mid = self
                    .rtc
                    .direct_api()
                    .stream_rx(&packet.header.ssrc)
                    .unwrap()
                    .mid();
                self.received.entry(mid).or_default().push(Received {
                    codec: codec.unwrap(),
                    seq: *packet.seq_no,
                    ts: packet.header.timestamp,
                    marker: packet.header.marker,
                    ssrc: *packet.header.ssrc,
                    has_mid: packet.header.ext_vals.mid.is_some(),
                    level: packet.header.ext_vals.audio_level,
                    has_capture_time: packet.header.ext_vals.abs_capture_time.is_some(),
                    payload: packet.payload.to_vec(),
                });
            }
            _ => {}
        }
    }

    /// Queues an RTP packet on the m-line of `kind`.
    pub fn write(&mut self, kind: Kind, ts: u32, marker: bool, payload: Vec<u8>) {
        self.write_layer(kind, None, ts, marker, payload);
    }

    /// Queues an RTP packet of one layer.
    pub fn write_layer(
        &mut self,
        kind: Kind,
        rid: Option<&str>,
        ts: u32,
        marker: bool,
        payload: Vec<u8>,
    ) {
        let wanted = if kind.is_audio() {
            Codec::Opus
        } else {
            Codec::Vp8
        };
        let pt = self.payload_types(wanted).0;
        self.write_as(kind, rid, pt, ts, marker, payload);
    }

    /// Payload type of a codec, and of RED around it.
    pub fn payload_types(&self, codec: Codec) -> (Pt, Option<Pt>) {
        // Of the many kinds of H.264 the one the server takes.
        let usual = |p: &&PayloadParams| {
            let format = p.spec().format;
            format.profile_level_id == Some(0x42_e01f) && format.packetization_mode == Some(1)
        };
        let params = self
            .rtc
            .codec_config()
            .params()
            .iter()
            .filter(|p| p.spec().codec == codec)
            .find(|p| codec != Codec::H264 || usual(p));
        (params.unwrap().pt(), params.unwrap().red())
    }

    /// Queues an RTP packet under a payload type.
    pub fn write_as(
        &mut self,
        kind: Kind,
        rid: Option<&str>,
        pt: Pt,
        ts: u32,
        marker: bool,
        payload: Vec<u8>,
    ) {
        let rid = rid.map(Rid::from);
        let mid = self.sends.iter().find(|(k, _)| *k == kind).unwrap().1;
        let seq = self.next_seq.entry((mid, rid)).or_insert(1);
        *seq += 1;
        let seq = *seq;
        let clock = self.clock;
        let mut extensions = str0m::rtp::ExtensionValues::default();
        if kind.is_audio() {
            extensions.audio_level = Some(-20);
            extensions.voice_activity = Some(true);
        }
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, rid).unwrap();
        stream.write_rtp(
            RtpWrite::new(pt, seq.into(), ts, clock, payload)
                .marker(marker)
                .nackable(!kind.is_audio())
                .ext_vals(extensions),
        );
    }

    /// Asks for a keyframe on a receiving m-line.
    pub fn ask_keyframe(&mut self, mid: Mid) {
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Packets received on the n-th slot.
    pub fn on_slot(&self, slot: usize) -> &[Received] {
        self.received.get(&self.slots[slot]).map_or(&[], |v| v)
    }
}

fn active(address: SocketAddr) -> Candidate {
    let host = Candidate::builder().tcp().host(address);
    host.tcptype(TcpType::Active).build().unwrap()
}

/// A client on a TCP connection.
pub struct TcpClient {
    pub client: Client,
    pub stream: TcpStream,
    /// Reads nothing while this is set.
    pub deaf: bool,
    /// The server closed the connection.
    pub ended: bool,
    server: SocketAddr,
    deframer: Deframer,
    unsent: Vec<u8>,
}

impl TcpClient {
    /// A client connected to the media port.
    pub fn new(server: SocketAddr, sends: &[Kind], slots: Slots) -> (Self, String) {
        let stream = dial(server);
        let address = stream.local_addr().unwrap();
        let (client, offer) = Client::over_tcp(Instant::now(), address, sends, slots);
        let client = Self {
            client,
            stream,
            deaf: false,
            ended: false,
            server,
            deframer: Deframer::default(),
            unsent: Vec::new(),
        };
        (client, offer)
    }

    /// Connects anew from another port.
    pub fn redial(&mut self) {
        self.stream = dial(self.server);
        self.deframer = Deframer::default();
        self.unsent.clear();
        self.ended = false;
        self.client.move_to(self.stream.local_addr().unwrap());
    }

    /// Sends and receives whatever is ready.
    pub fn step(&mut self) {
        let mut buffer = [0; 20_000];
        while !self.deaf && !self.ended {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    let (client, server) = (&mut self.client, self.server);
                    self.deframer
                        .push(&buffer[..count], |packet| {
                            client.handle(Instant::now(), server, packet);
                        })
                        .unwrap();
                }
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        if self.client.deadline <= Instant::now() {
            self.client.tick(Instant::now());
        }
        for (_, bytes) in self.client.out.drain(..) {
            self.unsent.extend(header(bytes.len()).unwrap());
            self.unsent.extend(bytes);
        }
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(_) => break,
            }
        }
    }
}

fn dial(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A VP8 packet with 15-bit picture id and TL0PICIDX (RFC 7741 §4.2), as browsers
/// send it; the first packet of a keyframe tells its size (RFC 6386 §9.1).
pub fn vp8(picture: u16, first: bool, key: bool, len: usize) -> Vec<u8> {
    let mut payload = vec![
        0x80 | if first { 0x10 } else { 0 },
        0xe0, // picture id, TL0PICIDX, TID
        0x80 | (picture >> 8) as u8,
        picture as u8,
        picture as u8,
        0,
    ];
    if first {
        // Frame tag: bit 0 is the inverse of "keyframe".
        payload.extend([u8::from(!key) | 0x10, 0, 0]);
        if key {
            payload.extend([0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00]);
        }
    }
    payload.resize(len.max(payload.len()), picture as u8);
    payload
}

/// A client on a loopback socket.
pub struct NetClient {
    pub client: Client,
    pub socket: UdpSocket,
}

impl NetClient {
    pub fn new(sends: &[Kind], slots: Slots) -> (Self, String) {
        Self::on("127.0.0.1:0", sends, slots)
    }

    /// A client whose socket is bound to `address`.
    pub fn on(address: &str, sends: &[Kind], slots: Slots) -> (Self, String) {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let (client, offer) = Client::new(Instant::now(), address, sends, slots);
        (Self { client, socket }, offer)
    }

    /// Continues from another port, as after a change of network.
    pub fn rebind(&mut self) {
        self.socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        self.socket.set_nonblocking(true).unwrap();
        self.client.move_to(self.socket.local_addr().unwrap());
    }

    /// Sends and receives whatever is ready.
    pub fn step(&mut self) {
        let mut buffer = [0; 2_000];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            self.client.handle(Instant::now(), from, &buffer[..len]);
        }
        if self.client.deadline <= Instant::now() {
            self.client.tick(Instant::now());
        }
        for (to, bytes) in self.client.out.drain(..) {
            let _ = self.socket.send_to(&bytes, to);
        }
    }
}

/// Runs clients until `done` or the time is over; tells whether it was done.
pub fn run_until(
    clients: &mut [&mut NetClient],
    limit: Duration,
    mut done: impl FnMut(&mut [&mut NetClient]) -> bool,
) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        for client in clients.iter_mut() {
            client.step();
        }
        if done(clients) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}
