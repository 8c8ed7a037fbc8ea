//! A class on virtual time: shards wired in memory, publishers that encode,
//! receivers that keep what they get.

#![allow(dead_code)] // each test file uses its part
#![allow(clippy::indexing_slicing, clippy::unwrap_used)] // helpers of tests, which may panic

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_media::core::{
    CoreConfig, CoreStats, DropReason, Listed, Output, PeerSpec, RelayMsg, ShardCore,
};
use lophoc_media::opus::OpusView;
use lophoc_media::types::*;

pub const ROOM: RoomKey = RoomKey(1);

pub fn camera(peer: u64) -> TrackKey {
    TrackKey {
        peer: PeerId(peer),
        kind: Kind::Camera,
    }
}

pub fn mic(peer: u64) -> TrackKey {
    TrackKey {
        peer: PeerId(peer),
        kind: Kind::Mic,
    }
}

pub fn screen(peer: u64) -> TrackKey {
    TrackKey {
        peer: PeerId(peer),
        kind: Kind::Screen,
    }
}

pub const ALL: Allow = Allow {
    mic: true,
    camera: true,
    screen: true,
    screen_audio: true,
};
pub const SEAT: Slots = Slots {
    audio: 3,
    video: 4,
    screen: 1,
};

/// First byte of an Opus packet of one frame: SILK wideband, 20 ms.
const OPUS_20_MS: u8 = 9 << 3;

/// Keyframe header of VP8 with a picture id; the rest names the packet.
fn vp8_payload(picture: u16, tl0: u8, key: bool, height: u16, first: bool, name: u64) -> Vec<u8> {
    let mut bytes = vec![0x80 | if first { 0x10 } else { 0 }, 0xC0];
    bytes.extend((0x8000 | picture).to_be_bytes());
    bytes.push(tl0);
    if first {
        bytes.extend([if key { 0x10 } else { 0x11 }, 0, 0]);
        if key {
            bytes.extend([0x9D, 0x01, 0x2A]);
            bytes.extend((height * 16 / 9).to_le_bytes());
            bytes.extend(height.to_le_bytes());
        }
    }
    bytes.extend(name.to_be_bytes());
    bytes
}

/// One encoder of one layer.
pub struct Encoder {
    pub track: TrackKey,
    pub layer: Layer,
    pub codec: Codec,
    pub seq: u64,
    pub ts: u32,
    pub picture: u16,
    pub height: u16,
    pub packets: usize,
    pub size: usize,
    pub key_next: bool,
    pub keyframes: u32,
    pub level: u8,
    pub on: bool,
}

impl Encoder {
    pub fn video(track: TrackKey, layer: u8) -> Self {
        let seed = track.peer.0 * 31 + u64::from(layer) * 7 + 5;
        Self {
            track,
            layer: Layer(layer),
            codec: Codec::Vp8,
            seq: seed * 997,
            ts: (seed as u32).wrapping_mul(77_777_777),
            picture: (seed as u16).wrapping_mul(901) & 0x7FFF,
            height: [180, 360, 720][usize::from(layer)],
            packets: 1 + 2 * usize::from(layer),
            size: 300,
            key_next: true,
            keyframes: 0,
            level: 0,
            on: true,
        }
    }

    pub fn audio(track: TrackKey, level: u8) -> Self {
        Self {
            codec: Codec::Opus,
            level,
            packets: 1,
            ..Self::video(track, 0)
        }
    }

    pub fn frame(&mut self) -> Vec<SourcePacket> {
        let key = std::mem::take(&mut self.key_next);
        self.keyframes += u32::from(key && self.codec == Codec::Vp8);
        self.picture = (self.picture + 1) & 0x7FFF;
        self.ts = self.ts.wrapping_add(
            self.codec.clock_rate() / if self.codec == Codec::Opus { 50 } else { 25 },
        );
        let count = if key && self.codec != Codec::Opus {
            self.packets * 2
        } else {
            self.packets
        };
        (0..count)
            .map(|index| {
                self.seq += 1;
                let name = self.track.peer.0 << 48
                    | (self.track.kind as u64) << 44
                    | u64::from(self.layer.0) << 40
                    | (self.seq & 0xFF_FFFF_FFFF);
                let mut payload = match self.codec {
                    Codec::Opus => [&[OPUS_20_MS][..], &name.to_be_bytes()].concat(),
                    _ => vp8_payload(
                        self.picture,
                        self.picture as u8,
                        key,
                        self.height,
                        index == 0,
                        name,
                    ),
                };
                if self.codec != Codec::Opus {
                    payload.resize(payload.len() + self.size, 0xAB);
                }
                SourcePacket {
                    codec: self.codec,
                    layer: self.layer,
                    seq: self.seq,
                    ts: self.ts,
                    marker: index + 1 == count,
                    level: (self.codec == Codec::Opus).then_some(self.level),
                    capture_ntp: None,
                    payload: Arc::from(payload),
                }
            })
            .collect()
    }
}

/// What a slot got: everything that leaves under its SSRC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub at: Duration,
    pub seq: u64,
    pub ts: u32,
    pub marker: bool,
    pub vp8: Option<Vp8Numbers>,
    pub payload: Vec<u8>,
}

impl Got {
    pub fn begins_keyframe(&self) -> bool {
        lophoc_media::vp8::Vp8View::parse(&self.payload).is_some_and(|view| view.begins_keyframe())
    }

    pub fn name(&self) -> (u64, u8, u64) {
        let at = if self.vp8.is_some() {
            let view = lophoc_media::vp8::Vp8View::parse(&self.payload).unwrap();
            view.descriptor_len
                + if view.begins_keyframe() {
                    10
                } else if view.start {
                    3
                } else {
                    0
                }
        } else {
            self.frames()[0].start
        };
        self.name_at(at)
    }

    fn name_at(&self, at: usize) -> (u64, u8, u64) {
        let name = u64::from_be_bytes(self.payload[at..at + 8].try_into().unwrap());
        (name >> 48, (name >> 40 & 0xF) as u8, name & 0xFF_FFFF_FFFF)
    }

    fn frames(&self) -> Vec<std::ops::Range<usize>> {
        OpusView::parse(&self.payload).unwrap().frames
    }

    /// Time and name of each frame of sound in it.
    pub fn sounds(&self) -> Vec<(u32, (u64, u8, u64))> {
        let frames = self.frames().into_iter().enumerate();
        frames
            .map(|(n, frame)| (self.ts + 960 * n as u32, self.name_at(frame.start)))
            .collect()
    }
}

fn only(list: &[u64]) -> Listed {
    Listed::Only(list.iter().copied().map(PeerId).collect())
}

pub type Received = BTreeMap<(PeerId, SlotRef), Vec<Got>>;

pub struct World {
    pub start: Instant,
    pub now: Instant,
    pub cores: Vec<ShardCore>,
    pub home: HashMap<PeerId, usize>,
    pub encoders: Vec<Encoder>,
    pub received: Received,
    /// Payloads of sound by receiver, and whether they are RFC 2198.
    pub sounds: HashMap<PeerId, Vec<(Vec<u8>, bool)>>,
    pub bindings: HashMap<PeerId, Binding>,
    pub requests: Vec<(Duration, TrackKey, Layer)>,
    pub levels: Vec<Vec<(PeerId, u8)>>,
    pub live: Vec<(PeerId, Kind, bool)>,
    pub wanted: HashMap<TrackKey, u8>,
    pub wanted_rate: HashMap<PeerId, u64>,
    pub rungs: Vec<(PeerId, Rung, Option<RungReason>)>,
    /// Whether encoders follow [`Output::LayersWanted`].
    pub obey_wants: bool,
    pub placing: fn(PeerId, usize) -> usize,
    /// Breakout group of each peer, as the core was told.
    pub groups: HashMap<PeerId, u8>,
    /// Whose packets a peer may get, of those who have a list.
    pub listed: HashMap<PeerId, Vec<u64>>,
    /// In which group each packet was sent, by its name.
    sent_in: HashMap<(u64, u8, u64), u8>,
    /// How long messages between shards take, and how many per cent are lost.
    pub between: (Duration, u64),
    under_way: Vec<(Instant, usize, ShardId, RelayMsg)>,
    messages: u64,
    next_audio: Instant,
    next_video: Instant,
    media_between: u64,
}

impl World {
    pub fn new(shards: u16) -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            cores: (0..shards)
                .map(|shard| ShardCore::new(CoreConfig::new(ShardId(shard), shards), start))
                .collect(),
            home: HashMap::new(),
            encoders: Vec::new(),
            received: Received::new(),
            sounds: HashMap::new(),
            bindings: HashMap::new(),
            requests: Vec::new(),
            levels: Vec::new(),
            live: Vec::new(),
            wanted: HashMap::new(),
            wanted_rate: HashMap::new(),
            rungs: Vec::new(),
            obey_wants: false,
            placing: |peer, shards| peer.0 as usize % shards,
            groups: HashMap::new(),
            listed: HashMap::new(),
            sent_in: HashMap::new(),
            between: (Duration::ZERO, 0),
            under_way: Vec::new(),
            messages: 0,
            next_audio: start + Duration::from_millis(7),
            next_video: start + Duration::from_millis(3),
            media_between: 0,
        }
    }

    pub fn shard_of(&self, peer: u64) -> usize {
        self.home[&PeerId(peer)]
    }

    pub fn join(&mut self, peer: u64, slots: Slots) {
        self.join_as(peer, 1, slots, None);
    }

    pub fn join_as(&mut self, peer: u64, epoch: u32, slots: Slots, shard: Option<usize>) {
        let id = PeerId(peer);
        let shard = shard.unwrap_or_else(|| (self.placing)(id, self.cores.len()));
        self.home.insert(id, shard);
        let spec = PeerSpec {
            room: ROOM,
            group: self.groups.get(&id).copied().unwrap_or(0),
            peer: id,
            epoch: Epoch(epoch),
            slots,
            allow: ALL,
            red: true,
        };
        self.cores[shard].add_peer(self.now, spec);
        self.settle();
    }

    /// A receiver that gets only what is of these people.
    pub fn join_listed(&mut self, peer: u64, slots: Slots, list: &[u64]) {
        let id = PeerId(peer);
        let shard = (self.placing)(id, self.cores.len());
        self.home.insert(id, shard);
        self.listed.insert(id, list.to_vec());
        let spec = PeerSpec {
            room: ROOM,
            group: 0,
            peer: id,
            epoch: Epoch(1),
            slots,
            allow: Allow::default(),
            red: true,
        };
        self.cores[shard].add_listed_peer(self.now, spec, only(list));
        self.settle();
    }

    pub fn list(&mut self, peer: u64, list: &[u64]) {
        let (id, shard) = (PeerId(peer), self.shard_of(peer));
        self.listed.insert(id, list.to_vec());
        self.cores[shard].set_listed(self.now, id, only(list));
        self.settle();
    }

    pub fn leave(&mut self, peer: u64) {
        let shard = self.shard_of(peer);
        self.encoders
            .retain(|encoder| encoder.track.peer != PeerId(peer));
        self.cores[shard].remove_peer(self.now, PeerId(peer), Epoch(1));
        self.settle();
    }

    pub fn allow(&mut self, peer: u64, allow: Allow) {
        let shard = self.shard_of(peer);
        self.cores[shard].set_allow(self.now, PeerId(peer), allow);
        self.settle();
    }

    /// Sends a peer to a breakout group.
    pub fn group(&mut self, peer: u64, group: u8) {
        let shard = self.shard_of(peer);
        self.groups.insert(PeerId(peer), group);
        self.cores[shard].set_group(self.now, PeerId(peer), group);
        self.settle();
    }

    fn group_of(&self, peer: PeerId) -> u8 {
        self.groups.get(&peer).copied().unwrap_or(0)
    }

    pub fn estimate(&mut self, peer: u64, bits: u64) {
        let shard = self.shard_of(peer);
        self.cores[shard].set_estimate(self.now, PeerId(peer), bits);
        self.settle();
    }

    /// Packets of sound sent to a receiver, and how many with redundancy.
    pub fn sounds_sent(&self, peer: u64) -> (usize, usize) {
        let all = self.reds(peer);
        (all.len(), all.iter().filter(|(_, red)| *red).count())
    }

    /// Payloads of sound sent to a receiver, and whether they are RFC 2198.
    pub fn reds(&self, peer: u64) -> &[(Vec<u8>, bool)] {
        self.sounds.get(&PeerId(peer)).map_or(&[], Vec::as_slice)
    }

    /// The rung the peer was told last.
    pub fn rung(&self, peer: u64) -> Rung {
        let told = self.rungs.iter().rev().find(|told| told.0 == PeerId(peer));
        told.map_or(Rung::Full, |told| told.1)
    }

    pub fn view(&mut self, peer: u64, view: ViewSpec) {
        let shard = self.shard_of(peer);
        self.cores[shard].set_view(self.now, PeerId(peer), view);
        self.settle();
    }

    /// Tracks into the video slots (screens into the screen slot) at a height.
    pub fn watch(&mut self, peer: u64, tracks: &[(TrackKey, u16)]) {
        let rev = self
            .bindings
            .get(&PeerId(peer))
            .map_or(1, |binding| binding.rev + 1);
        let wishes = tracks
            .iter()
            .enumerate()
            .map(|(index, (track, height))| Wish {
                slot: if track.kind == Kind::Screen {
                    SlotRef::Screen(0)
                } else {
                    SlotRef::Video(index as u8)
                },
                source: Some(WishSource::Track(*track)),
                height: *height,
                priority: 0,
            })
            .collect();
        self.view(
            peer,
            ViewSpec {
                rev,
                wishes,
                ..ViewSpec::default()
            },
        );
    }

    pub fn publish_camera(&mut self, peer: u64, layers: u8) {
        self.encoders
            .extend((0..layers).map(|layer| Encoder::video(camera(peer), layer)));
    }

    pub fn publish_mic(&mut self, peer: u64, level: u8) {
        self.encoders.push(Encoder::audio(mic(peer), level));
    }

    pub fn encoder(&mut self, track: TrackKey, layer: u8) -> &mut Encoder {
        self.encoders
            .iter_mut()
            .find(|encoder| encoder.track == track && encoder.layer == Layer(layer))
            .unwrap()
    }

    pub fn camera_on(&mut self, peer: u64, on: bool) {
        for encoder in &mut self.encoders {
            if encoder.track == camera(peer) {
                encoder.key_next |= on && !encoder.on;
                encoder.on = on;
            }
        }
    }

    /// Lets time pass: video 25/s, audio 50/s, ticks when due.
    pub fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        loop {
            let tick = self
                .cores
                .iter()
                .map(ShardCore::next_deadline)
                .min()
                .unwrap();
            let next = tick.min(self.next_audio).min(self.next_video);
            let arrival = self.under_way.iter().map(|(due, ..)| *due).min();
            let next = arrival.map_or(next, |arrival| next.min(arrival));
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            self.arrive();
            for core in &mut self.cores {
                if core.next_deadline() <= self.now {
                    core.tick(self.now);
                }
            }
            self.settle();
            if self.next_video <= self.now {
                self.next_video += Duration::from_millis(40);
                self.encode(false);
            }
            if self.next_audio <= self.now {
                self.next_audio += Duration::from_millis(20);
                self.encode(true);
            }
        }
        self.now = end;
    }

    /// Messages between shards whose time has come, in the order of sending.
    fn arrive(&mut self) {
        let now = self.now;
        let due = |entry: &(Instant, usize, ShardId, RelayMsg)| entry.0 <= now;
        let (here, rest) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(due);
        self.under_way = rest;
        for (_, to, from, msg) in here {
            self.cores[to].relay_in(self.now, from, msg);
            self.settle();
        }
    }

    fn encode(&mut self, audio: bool) {
        for index in 0..self.encoders.len() {
            let encoder = &mut self.encoders[index];
            if !encoder.on || (encoder.codec == Codec::Opus) != audio {
                continue;
            }
            let wanted = self.wanted.get(&encoder.track).copied().unwrap_or(0xFF);
            if self.obey_wants && !audio && wanted >> encoder.layer.0 & 1 == 0 {
                encoder.key_next = true;
                continue;
            }
            let track = encoder.track;
            for packet in encoder.frame() {
                self.push(track, packet);
            }
        }
    }

    pub fn push(&mut self, track: TrackKey, packet: SourcePacket) {
        let shard = self.home[&track.peer];
        let group = self.group_of(track.peer);
        let got = Got {
            at: Duration::ZERO,
            seq: 0,
            ts: 0,
            marker: false,
            vp8: (packet.codec == Codec::Vp8).then_some(Vp8Numbers {
                picture_id: 0,
                tl0: 0,
            }),
            payload: packet.payload.to_vec(),
        };
        self.sent_in.insert(got.name(), group);
        self.cores[shard].ingest(self.now, track.peer, track.kind, packet);
        self.settle();
    }

    pub fn relay(&mut self, to: usize, from: u16, msg: RelayMsg) {
        self.cores[to].relay_in(self.now, ShardId(from), msg);
        self.settle();
    }

    /// Carries outputs until nothing is left, then visits the receivers.
    pub fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for shard in 0..self.cores.len() {
                while let Some(output) = self.cores[shard].poll_output() {
                    quiet = false;
                    self.act(shard, output);
                }
            }
            if quiet {
                break;
            }
        }
        for shard in 0..self.cores.len() {
            let mut out = Vec::new();
            while let Some(peer) = self.cores[shard].next_dirty() {
                self.cores[shard].drain_pending(peer, &mut out);
                for forward in out.drain(..) {
                    let payload = if forward.codec == Codec::Opus {
                        let sounds = self.sounds.entry(peer).or_default();
                        sounds.push((forward.payload.to_vec(), forward.red));
                        let primary = lophoc_media::red::primary(&forward.payload);
                        match primary.filter(|_| forward.red) {
                            Some(primary) => primary.payload.to_vec(),
                            None => forward.payload.to_vec(),
                        }
                    } else {
                        forward.payload.to_vec()
                    };
                    let got = Got {
                        at: self.now - self.start,
                        seq: forward.seq,
                        ts: forward.ts,
                        marker: forward.marker,
                        vp8: forward.vp8,
                        payload,
                    };
                    let listed = self.listed.get(&peer);
                    assert!(
                        listed.is_none_or(|list| list.contains(&got.name().0)),
                        "{peer:?} got something of {} at {:?}",
                        got.name().0,
                        got.at
                    );
                    // A test may feed packets of its own past `push`.
                    if let Some(sent_in) = self.sent_in.get(&got.name()) {
                        assert_eq!(
                            *sent_in,
                            self.group_of(peer),
                            "{peer:?} got what was sent in another group at {:?}",
                            got.at
                        );
                    }
                    self.received
                        .entry((peer, forward.slot))
                        .or_default()
                        .push(got);
                }
            }
            assert_eq!(self.cores[shard].flush_by(), None);
        }
    }

    fn act(&mut self, shard: usize, output: Output) {
        match output {
            Output::Relay { to, msg } => {
                assert_ne!(usize::from(to.0), shard, "a shard never writes to itself");
                self.media_between += u64::from(msg.is_media());
                let (lag, lost) = self.between;
                let (to, from) = (usize::from(to.0), ShardId(shard as u16));
                self.messages += 1;
                if self.messages.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33 & 0x7F < lost * 128 / 100
                {
                    return;
                }
                if lag.is_zero() {
                    self.cores[to].relay_in(self.now, from, msg);
                } else {
                    // Each pair of shards has a lag of its own.
                    let lag = lag * (1 + (2 * u32::from(from.0) + to as u32) % 3);
                    self.under_way.push((self.now + lag, to, from, msg));
                }
            }
            Output::RequestKeyframe { peer, kind, layer } => {
                let track = TrackKey { peer, kind };
                self.requests.push((self.now - self.start, track, layer));
                for encoder in &mut self.encoders {
                    encoder.key_next |= encoder.track == track && encoder.layer == layer;
                }
            }
            Output::Binding { peer, binding } => {
                self.bindings.insert(peer, binding);
            }
            Output::Levels { levels, .. } => self.levels.push(levels),
            Output::TrackLive { peer, kind, live } => self.live.push((peer, kind, live)),
            Output::Wanted {
                peer,
                bits_per_second,
                ..
            } => {
                self.wanted_rate.insert(peer, bits_per_second);
            }
            Output::Rung { peer, rung, reason } => self.rungs.push((peer, rung, reason)),
            Output::LayersWanted { peer, kind, layers } => {
                self.wanted.insert(TrackKey { peer, kind }, layers);
            }
        }
    }

    pub fn got(&self, peer: u64, slot: SlotRef) -> &[Got] {
        self.received
            .get(&(PeerId(peer), slot))
            .map_or(&[], Vec::as_slice)
    }

    pub fn video(&self, peer: u64, slot: u8) -> (Option<TrackKey>, SlotState) {
        self.bindings[&PeerId(peer)].video[usize::from(slot)]
    }

    pub fn heard(&self, peer: u64) -> BTreeSet<u64> {
        let audio = &self.bindings[&PeerId(peer)].audio;
        audio.iter().flatten().map(|track| track.peer.0).collect()
    }

    /// Layer of the last packet a slot got within `millis`.
    pub fn layer_now(&self, peer: u64, slot: u8, millis: u64) -> Option<u8> {
        let last = self.got(peer, SlotRef::Video(slot)).last()?;
        let age = (self.now - self.start).saturating_sub(last.at);
        (age <= Duration::from_millis(millis)).then(|| last.name().1)
    }

    pub fn stats(&self) -> Vec<CoreStats> {
        self.cores.iter().map(ShardCore::stats).collect()
    }

    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.stats().iter().map(|stats| stats.dropped(reason)).sum()
    }

    pub fn media_between_shards(&self) -> u64 {
        self.media_between
    }

    /// What must hold for every stream of every receiver, whatever happened.
    pub fn check_streams(&self) {
        for ((peer, slot), got) in &self.received {
            let mut last: Option<&Got> = None;
            for packet in got {
                if let Some(last) = last {
                    assert_eq!(
                        packet.seq,
                        last.seq + 1,
                        "{peer:?} {slot:?} at {:?}",
                        packet.at
                    );
                    let step = packet.ts.wrapping_sub(last.ts) as i32;
                    assert!(step >= 0, "{peer:?} {slot:?} steps back at {:?}", packet.at);
                    if let (Some(now), Some(before)) = (packet.vp8, last.vp8) {
                        let step = now.picture_id.wrapping_sub(before.picture_id) & 0x7FFF;
                        assert_eq!(step, u16::from(last.marker), "{peer:?} {slot:?}");
                    }
                    let source = |got: &Got| (got.name().0, got.name().1);
                    if packet.vp8.is_some() && source(packet) != source(last) {
                        assert!(
                            packet.begins_keyframe(),
                            "{peer:?} {slot:?} at {:?}",
                            packet.at
                        );
                    }
                } else {
                    assert!(packet.seq < 65_536);
                    assert!(packet.vp8.is_none() || packet.begins_keyframe());
                }
                last = Some(packet);
            }
        }
    }
}
