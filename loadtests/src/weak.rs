//! One learner on a link of 64 kbit/s, 5 % loss and 300 ms: is speech understood, are
//! slides read?
//!
//! A trainer with camera, microphone and slides teaches over a good line; the
//! learner's websocket, pages and media all pass the same bad link
//! ([`crate::impair`]). Told are the rungs of the ladder over time, how long each
//! page took from the trainer's turn to its last byte, and which part of the sound
//! a player with a buffer of [`BUFFER`] has to conceal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use lophoc_protocol::media::{OnRung, View, ViewMode};
use lophoc_protocol::server::Answer;
use lophoc_protocol::slides::{Deck, DeckState};
use lophoc_protocol::{ClientMessage, MediaKind, Profile, ServerFrame, ServerMessage, SlotCounts};
use serde::Serialize;
use str0m::format::Codec;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::error::{LoadError, Result};
use crate::http::Origin;
use crate::impair::{Badness, Impaired, Passed};
use crate::learner::{Depth, Learner, PayloadTypes};
use crate::lecture::{LEARNER_SLOTS, line, need_answer, publish, stopped, told, watch_track};
use crate::pattern::{BrowserPattern, StampClock, audio_packet};
use crate::peer::{Offered, payload_type};
use crate::publisher::{AudioSource, Outlet, Pace, Packet, Publisher};
use crate::reactor::{Client, Reactor, Role};
use crate::server::{Build, OwnServer};
use crate::signal::{Guest, Link, join};

/// What a player holds back to bridge what comes late.
pub const BUFFER: Duration = Duration::from_millis(400);
/// Sound of one packet.
const FRAME: Duration = Duration::from_millis(20);
/// Usual rate of a microphone, kbit/s.
const USUAL_KBPS: u16 = 32;
/// Level of the trainer's voice, −dBov.
const VOICE: u8 = 20;
/// Between two pages.
const PAGE_EVERY: Duration = Duration::from_secs(12);
/// What the client asks a page to be sent at on the lowest rung, kbit/s.
const PAGE_KBPS: u16 = 22;
/// Pages of the deck.
const PAGES: u16 = 12;
/// Longest wait for the deck: a conversion takes its time on a busy machine.
const DECK_TIMEOUT: Duration = Duration::from_secs(300);

/// Settings of the lesson.
#[derive(Debug, Clone)]
pub struct Weak {
    /// From the server to the learner.
    pub down: Badness,
    /// From the learner to the server.
    pub up: Badness,
    /// Dice of the link.
    pub seed: u64,
    /// Seconds of lesson.
    pub seconds: u64,
    /// The learner saves data from the beginning, instead of being found weak.
    pub saver: bool,
    /// Build of the server.
    pub build: Build,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct WeakReport {
    /// Seconds of lesson.
    pub seconds: u64,
    /// When the learner came to which rung, seconds after joining.
    pub rungs: Vec<(f64, Option<OnRung>)>,
    /// When the trainer was told a rate for speech, seconds, and the rate, kbit/s.
    pub speech: Vec<(f64, Option<u16>)>,
    /// Page number, seconds from the trainer's turn to the last byte, bytes.
    pub pages: Vec<(u16, f64, usize)>,
    /// Packets of sound that were sent from the first to the last that came.
    pub sound_sent: u64,
    /// Of these, percent that never came.
    pub sound_lost: f64,
    /// Of these, percent that came too late for a buffer of 400 ms.
    pub sound_late: f64,
    /// Percent of the sound of each five seconds that has to be concealed.
    pub concealed_each: Vec<f64>,
    /// The same of the last half of the lesson, when the ladder has settled.
    pub settled_lost: f64,
    /// The same of the last half of the lesson.
    pub settled_late: f64,
    /// Longest silence a player would have, of the last half, ms.
    pub settled_gap_ms: u64,
    /// Packets of video that came, of the last half.
    pub settled_video: u64,
    /// Through the link towards the learner.
    pub offered: u64,
    /// Lost on the link towards the learner.
    pub lost: u64,
    /// Dropped before its full queue.
    pub full: u64,
}

impl WeakReport {
    /// Percent of sound a player conceals once the ladder has settled.
    pub fn concealed(&self) -> f64 {
        self.settled_lost + self.settled_late
    }

    /// Percent concealed in the middle one of the stretches of the last half: what
    /// one hears for most of the time, whatever one search for more costs.
    pub fn usually_concealed(&self) -> f64 {
        let half = self.concealed_each.len() / 2;
        let mut settled = self.concealed_each.get(half..).unwrap_or_default().to_vec();
        settled.sort_by(f64::total_cmp);
        settled.get(settled.len() / 2).copied().unwrap_or(100.0)
    }

    /// Longest wait for a page, seconds.
    pub fn slowest_page(&self) -> f64 {
        self.pages
            .iter()
            .map(|(_, time, _)| *time)
            .fold(0.0, f64::max)
    }
}

impl fmt::Display for WeakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rung) in &self.rungs {
            match rung {
                Some(on) => writeln!(f, "{at:7.1} s  rung {:?}, {:?}", on.at, on.why)?,
                None => writeln!(f, "{at:7.1} s  rung Full")?,
            }
        }
        for (at, kbps) in &self.speech {
            match kbps {
                Some(kbps) => writeln!(f, "{at:7.1} s  speech at {kbps} kbit/s")?,
                None => writeln!(f, "{at:7.1} s  speech as usual")?,
            }
        }
        for (page, time, bytes) in &self.pages {
            writeln!(f, "page {page:3}  {time:5.1} s  {bytes} bytes")?;
        }
        writeln!(
            f,
            "sound   {} packets, {:.1} % lost, {:.1} % late",
            self.sound_sent, self.sound_lost, self.sound_late
        )?;
        write!(f, "concealed, each 5 s, %:")?;
        for part in &self.concealed_each {
            write!(f, " {part:.0}")?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "settled {:.1} % concealed ({:.1} % lost, {:.1} % late), longest gap {} ms, {} video packets",
            self.concealed(),
            self.settled_lost,
            self.settled_late,
            self.settled_gap_ms,
            self.settled_video
        )?;
        writeln!(
            f,
            "link    {} packets, {} lost, {} before a full queue",
            self.offered, self.lost, self.full
        )
    }
}

/// The trainer's voice, in the rate the room asks for.
struct Voice(Arc<AtomicU16>);

impl AudioSource for Voice {
    fn packet(&mut self) -> (Packet, u8) {
        let mut packet = audio_packet();
        let bytes = usize::from(self.0.load(Ordering::Relaxed)) * 1_000 / 8 / 50;
        packet.payload.resize(bytes.max(20), 0);
        (packet, VOICE)
    }
}

/// The answer with the relay in place of the server, and the server's address.
fn through(answer: &Answer, relay: SocketAddr) -> Result<(String, SocketAddr)> {
    let mut server = None;
    let mut sdp = String::new();
    for one in answer.sdp.lines() {
        if let Some(candidate) = one.strip_prefix("a=candidate:") {
            let mut words: Vec<&str> = candidate.split_whitespace().collect();
            let address = words.get(4).zip(words.get(5));
            let address = address.and_then(|(ip, port)| format!("{ip}:{port}").parse().ok());
            let udp = words.get(2).is_some_and(|w| w.eq_ignore_ascii_case("udp"));
            let (Some(address), true, None) = (address, udp, server) else {
                continue;
            };
            server = Some(address);
            let (ip, port) = (relay.ip().to_string(), relay.port().to_string());
            for (place, word) in [(4, &ip), (5, &port)] {
                if let Some(old) = words.get_mut(place) {
                    *old = word;
                }
            }
            sdp.push_str(&format!("a=candidate:{}\r\n", words.join(" ")));
        } else {
            sdp.push_str(one);
            sdp.push_str("\r\n");
        }
    }
    let server =
        server.ok_or_else(|| LoadError::Signal("the answer names no address".to_owned()))?;
    Ok((sdp, server))
}

/// An offer that tells no address.
fn without_candidates(sdp: &str) -> String {
    let told = |one: &&str| !one.starts_with("a=candidate:");
    sdp.split_inclusive('\n').filter(told).collect()
}

/// A PDF of pages of text.
fn pdf(pages: u16) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    let mut object = |out: &mut Vec<u8>, text: String| {
        offsets.push(out.len());
        let n = offsets.len();
        out.extend(format!("{n} 0 obj\n{text}\nendobj\n").bytes());
    };
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    object(&mut out, "<</Type/Catalog/Pages 2 0 R>>".to_owned());
    object(
        &mut out,
        format!("<</Type/Pages/Count {pages}/Kids[{}]>>", kids.join(" ")),
    );
    object(
        &mut out,
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    );
    for page in 0..pages {
        object(
            &mut out,
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 960 540]/Resources<</Font<</F 3 0 R>>>>/Contents {} 0 R>>",
                5 + 2 * page
            ),
        );
        let mut text = format!(
            "BT /F 40 Tf 50 470 Td (Bai giang, trang {}) Tj ET\n",
            page + 1
        );
        for row in 0..8 {
            let y = 410 - row * 48;
            text.push_str(&format!(
                "BT /F 26 Tf 60 {y} Td (Dong {row}: hinh thuc, thoi gian va cach thuc tham gia lop {}) Tj ET\n",
                u32::from(page) * 31 + row
            ));
        }
        object(
            &mut out,
            format!("<</Length {}>>stream\n{text}\nendstream", text.len()),
        );
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).bytes());
    for offset in &offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(
        format!(
            "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n",
            offsets.len() + 1
        )
        .bytes(),
    );
    out
}

fn error(why: impl fmt::Display) -> LoadError {
    LoadError::Signal(why.to_string())
}

/// A page turn of the trainer.
type Turn = (u16, Instant);

/// What both sides of the lesson share.
struct Lesson {
    began: Instant,
    kbps: Arc<AtomicU16>,
    stop: watch::Receiver<bool>,
}

/// The trainer's link: turns pages, follows the rate for speech, tells both.
async fn teach(
    mut link: Link,
    lesson: Lesson,
    deck: Deck,
    turns: mpsc::Sender<Turn>,
) -> Result<Vec<(f64, Option<u16>)>> {
    let mut speech = Vec::new();
    let mut ping = tokio::time::interval(Duration::from_secs(4));
    let mut turn = tokio::time::interval(PAGE_EVERY);
    let mut page = 0;
    loop {
        tokio::select! {
            () = stopped(lesson.stop.clone()) => break,
            _ = ping.tick() => link.send(ClientMessage::Ping { c: 0 }).await?,
            _ = turn.tick() => {
                page = page % deck.pages.max(1) + 1;
                let now = Instant::now();
                link.send(ClientMessage::SlideShow { deck: deck.deck.clone(), page }).await?;
                // Nobody may be listening at the end.
                let _ = turns.try_send((page, now));
            }
            frame = link.next() => if let ServerMessage::Room(room) = frame?.msg {
                let before = speech.last().and_then(|(_, kbps)| *kbps);
                if room.speech_kbps != before {
                    lesson.kbps.store(room.speech_kbps.unwrap_or(USUAL_KBPS), Ordering::Relaxed);
                    speech.push((lesson.began.elapsed().as_secs_f64(), room.speech_kbps));
                }
            },
        }
    }
    link.leave().await?;
    Ok(speech)
}

/// What the learner saw.
#[derive(Default)]
struct Seen {
    rungs: Vec<(f64, Option<OnRung>)>,
    pages: Vec<(u16, f64, usize)>,
}

/// The learner's link: fetches the small picture of each page shown.
async fn learn(
    mut link: Link,
    origin: Origin,
    lesson: Lesson,
    deck: Deck,
    mut turns: mpsc::Receiver<Turn>,
) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut ping = tokio::time::interval(Duration::from_secs(4));
    let mut fetching: JoinSet<Result<(u16, usize, Instant)>> = JoinSet::new();
    let mut turned: Vec<Turn> = Vec::new();
    loop {
        tokio::select! {
            () = stopped(lesson.stop.clone()) => break,
            _ = ping.tick() => link.send(ClientMessage::Ping { c: 0 }).await?,
            Some(turn) = turns.recv() => turned.push(turn),
            Some(page) = fetching.join_next() => {
                let (page, bytes, at) = page.map_err(error)??;
                let turn = turned.iter().rev().find(|(number, turn)| *number == page && *turn < at);
                if let Some((_, turn)) = turn {
                    seen.pages.push((page, (at - *turn).as_secs_f64(), bytes));
                }
            }
            frame = link.next() => match frame?.msg {
                ServerMessage::Rung { on } => {
                    seen.rungs.push((lesson.began.elapsed().as_secs_f64(), on));
                }
                ServerMessage::Stage { stage: Some(stage) } => {
                    let path = format!("{}/{}/s.webp?kbps={PAGE_KBPS}", deck.url, stage.page);
                    let origin = origin.clone();
                    fetching.spawn(async move {
                        let bytes = origin.get_bytes(&path).await?.len();
                        Ok((stage.page, bytes, Instant::now()))
                    });
                }
                _ => {}
            },
        }
    }
    link.leave().await?;
    Ok(seen)
}

/// How a player fares with these packets: sent, percent lost, percent late, longest
/// gap.
fn play(voice: &[(Instant, Instant)]) -> (u64, f64, f64, Duration) {
    let latency = |(sent, came): &(Instant, Instant)| came.saturating_duration_since(*sent);
    let Some(quickest) = voice.iter().map(latency).min() else {
        return (0, 100.0, 0.0, Duration::MAX);
    };
    let mut sent: Vec<Instant> = voice.iter().map(|(sent, _)| *sent).collect();
    sent.sort();
    sent.dedup();
    let (Some(first), Some(last)) = (sent.first(), sent.last()) else {
        return (0, 100.0, 0.0, Duration::MAX);
    };
    let all = ((*last - *first).as_secs_f64() / FRAME.as_secs_f64()).round() as u64 + 1;
    let mut on_time: Vec<Instant> = voice
        .iter()
        .filter(|packet| latency(packet) <= quickest + BUFFER)
        .map(|(sent, _)| *sent)
        .collect();
    on_time.sort();
    on_time.dedup();
    let gap = on_time
        .windows(2)
        .filter_map(|two| Some(*two.get(1)? - *two.first()?))
        .max()
        .unwrap_or_default()
        .saturating_sub(FRAME);
    let percent = |part: u64| part as f64 / all.max(1) as f64 * 100.0;
    let came = (sent.len() as u64).min(all);
    let late = came.saturating_sub(on_time.len() as u64);
    (all, percent(all - came), percent(late), gap)
}

/// Percent to conceal of each stretch of the lesson, by when it was spoken.
fn each(voice: &[(Instant, Instant)], stretch: Duration) -> Vec<f64> {
    let latency = |(sent, came): &(Instant, Instant)| came.saturating_duration_since(*sent);
    let (Some(quickest), Some(first), Some(last)) = (
        voice.iter().map(latency).min(),
        voice.iter().map(|(sent, _)| *sent).min(),
        voice.iter().map(|(sent, _)| *sent).max(),
    ) else {
        return Vec::new();
    };
    let stretches = ((last - first).as_secs_f64() / stretch.as_secs_f64()) as usize;
    let mut heard = vec![0u32; stretches];
    for packet in voice
        .iter()
        .filter(|packet| latency(packet) <= quickest + BUFFER)
    {
        let at = ((packet.0 - first).as_secs_f64() / stretch.as_secs_f64()) as usize;
        if let Some(count) = heard.get_mut(at) {
            *count += 1;
        }
    }
    let all = stretch.as_secs_f64() / FRAME.as_secs_f64();
    heard
        .into_iter()
        .map(|count| 100.0 - f64::from(count) / all * 100.0)
        .collect()
}

impl Weak {
    /// Runs it.
    pub async fn run(&self) -> Result<WeakReport> {
        let server = OwnServer::start(self.build.binary().await?).await?;
        let report = self.drive(&server).await;
        let ended = server.stop().await;
        let report = report?;
        ended?;
        Ok(report)
    }

    async fn drive(&self, server: &OwnServer) -> Result<WeakReport> {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let clock = StampClock::default();
        let (tell_stop, stop) = watch::channel(false);
        let kbps = Arc::new(AtomicU16::new(USUAL_KBPS));
        let room = server.new_class("Weak link", "training").await?;

        // The trainer, on a good line.
        let guest = |link: String, name: &str| Guest {
            link,
            name: name.to_owned(),
            device: format!("loadtests-{name}"),
        };
        let trainer = guest(server.link(&room, "trainer").await?, "trainer");
        let joined = join(&server.origin, &trainer).await?;
        let token = joined.token.clone();
        let slots = SlotCounts { a: 5, v: 9, s: 1 };
        let offered = Offered::new(ip, Profile::Seat, slots)?;
        let offer = offered.sdp.clone();
        let (mut trainer, welcome) =
            Link::open(&server.origin, joined.token, Profile::Seat, slots, offer).await?;
        let mut peer = offered.answer(&need_answer(welcome.answer)?.sdp)?;
        let video = Outlet::new(
            line(&peer, MediaKind::Camera)?,
            payload_type(&mut peer.rtc, Codec::Vp8)?,
        );
        let audio = Outlet::new(
            line(&peer, MediaKind::Mic)?,
            payload_type(&mut peer.rtc, Codec::Opus)?,
        );
        let publisher = Publisher::new(clock, Pace::Browser)
            .with_video(video, Box::new(BrowserPattern::default()))
            .with_audio(audio, Box::new(Voice(Arc::clone(&kbps))));
        let teaching = Reactor::start("trainer", clock.origin())?;
        let (tell, connected) = oneshot::channel();
        teaching.add(Client::new(
            peer,
            Role::Publisher(Box::new(publisher)),
            tell,
        ))?;
        publish(&mut trainer).await?;
        told("the trainer's media connection", connected).await?;
        server
            .origin
            .post_bytes("/api/decks?name=weak.pdf", &token, &pdf(PAGES))
            .await?;
        let deck = ready_deck(&mut trainer).await?;

        // The learner, behind the bad link.
        let link = Impaired::new(self.up, self.down, self.seed);
        let http: SocketAddr = format!("{}:{}", server.origin.host, server.origin.port)
            .parse()
            .map_err(error)?;
        let listener = TcpListener::bind((ip, 0))
            .await
            .map_err(LoadError::io("relay"))?;
        let near = listener.local_addr().map_err(LoadError::io("relay"))?;
        let origin = Origin {
            host: near.ip().to_string(),
            port: near.port(),
        };
        let mut relays = JoinSet::new();
        let tcp = link.clone();
        relays.spawn(async move { tcp.relay_tcp(listener, http).await });
        let socket = UdpSocket::bind((ip, 0))
            .await
            .map_err(LoadError::io("relay"))?;
        let relay = socket.local_addr().map_err(LoadError::io("relay"))?;

        let began = Instant::now();
        let learner = guest(server.link(&room, "learner").await?, "learner");
        let joined = join(&origin, &learner).await?;
        let offered = Offered::new(ip, Profile::Viewer, LEARNER_SLOTS)?;
        // The server must not know another way than through the link.
        let offer = without_candidates(&offered.sdp);
        let (mut learner, welcome) =
            Link::open(&origin, joined.token, Profile::Viewer, LEARNER_SLOTS, offer).await?;
        let answer = need_answer(welcome.answer)?;
        let (sdp, media) = through(&answer, relay)?;
        let udp = link.clone();
        relays.spawn(async move { udp.relay_udp(socket, media).await });
        let mut peer = offered.answer(&sdp)?;
        let types = PayloadTypes {
            video: payload_type(&mut peer.rtc, Codec::Vp8)?,
            audio: payload_type(&mut peer.rtc, Codec::Opus)?,
        };
        let (tell, connected) = oneshot::channel();
        let (first, _) = oneshot::channel();
        let ears =
            Learner::new(Depth::Full, types, clock, peer.transport_id, first).keeping_voice();
        let listening = Reactor::start("learner", clock.origin())?;
        listening.add(Client::new(peer, Role::Learner(Box::new(ears)), tell))?;
        let track = learner.find_track(MediaKind::Camera).await?;
        let mode = if self.saver {
            ViewMode::Save
        } else {
            ViewMode::Normal
        };
        let view = View {
            mode,
            ..watch_track(&answer, track, 360)?
        };
        learner.send(ClientMessage::View(view)).await?;
        told("the learner's media connection", connected).await?;

        let lesson = || Lesson {
            began,
            kbps: Arc::clone(&kbps),
            stop: stop.clone(),
        };
        let (turn, turns) = mpsc::channel(64);
        let teach = tokio::spawn(teach(trainer, lesson(), deck.clone(), turn));
        let learn = tokio::spawn(learn(learner, origin, lesson(), deck, turns));
        let half = Duration::from_secs(self.seconds.max(2)) / 2;
        tokio::time::sleep(half).await;
        let (before, _) = heard(&listening).await?;
        tokio::time::sleep(half).await;
        let (after, video) = heard(&listening).await?;
        let _ = tell_stop.send(true);
        let speech = teach.await.map_err(error)??;
        let seen = learn.await.map_err(error)??;
        let (_, down): (Passed, Passed) = link.passed();
        let whole: Vec<_> = before.iter().chain(&after).copied().collect();
        let (sound_sent, sound_lost, sound_late, _) = play(&whole);
        let (_, settled_lost, settled_late, gap) = play(&after);
        Ok(WeakReport {
            seconds: self.seconds,
            rungs: seen.rungs,
            speech,
            pages: seen.pages,
            sound_sent,
            sound_lost,
            sound_late,
            concealed_each: each(&whole, Duration::from_secs(5)),
            settled_lost,
            settled_late,
            settled_gap_ms: gap.as_millis() as u64,
            settled_video: video,
            offered: down.offered,
            lost: down.lost,
            full: down.full,
        })
    }
}

/// Sound since the last call, and video packets.
async fn heard(reactor: &Reactor) -> Result<(Vec<(Instant, Instant)>, u64)> {
    reactor
        .visit(|clients| {
            let mut out = (Vec::new(), 0);
            for client in clients.iter_mut() {
                if let Role::Learner(learner) = &mut client.role {
                    out.0.extend(learner.take_voice());
                    out.1 += learner.take().video;
                }
            }
            out
        })
        .await
}

/// Waits until the deck is ready to be shown.
async fn ready_deck(link: &mut Link) -> Result<Deck> {
    let mut ping = tokio::time::interval(Duration::from_secs(4));
    let wait = async {
        loop {
            tokio::select! {
                _ = ping.tick() => link.send(ClientMessage::Ping { c: 0 }).await?,
                frame = link.next() => if let ServerFrame { msg: ServerMessage::Deck { deck }, .. } = frame? {
                    match &deck.st {
                        DeckState::Ready => return Ok(*deck),
                        DeckState::Failed { .. } => return Err(error(format!("the deck: {:?}", deck.st))),
                        _ => {}
                    }
                },
            }
        }
    };
    tokio::time::timeout(DECK_TIMEOUT, wait)
        .await
        .map_err(|_| LoadError::Timeout("the deck"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_conceals_what_is_lost_and_what_is_late() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let voice: Vec<_> = (0..100u32)
            .filter(|n| !(10..15).contains(n))
            .map(|n| {
                let sent = start + FRAME * n;
                let late = if n == 50 { ms(600) } else { ms(150) };
                (sent, sent + late)
            })
            .collect();
        let (all, lost, late, gap) = play(&voice);
        assert_eq!((all, lost, late), (100, 5.0, 1.0));
        assert_eq!(gap, ms(100));
        assert_eq!(play(&[]).1, 100.0);
    }

    #[test]
    fn the_candidate_becomes_the_relay_and_others_go() {
        let sdp = "v=0\r\na=candidate:1 1 udp 2130706431 10.0.0.1 4000 typ host\r\n\
                   a=candidate:2 1 tcp 2130706431 10.0.0.1 4000 typ host\r\na=x\r\n";
        let answer = Answer {
            sdp: sdp.to_owned(),
            mids: Default::default(),
        };
        let relay = ([127, 0, 0, 1], 9).into();
        let (sdp, server) = through(&answer, relay).unwrap();
        assert_eq!(server, std::net::SocketAddr::from(([10, 0, 0, 1], 4_000)));
        assert_eq!(
            sdp,
            "v=0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=x\r\n"
        );
    }
}
