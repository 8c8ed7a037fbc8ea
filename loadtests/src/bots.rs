//! Publishing bots: people with a recognisable picture and a tone, for looking
//! at a gallery in a real browser.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lophoc_protocol::{MediaKind, Profile, SlotCounts};
use str0m::format::Codec;
use tokio::sync::{oneshot, watch};

use crate::error::{LoadError, Result};
use crate::http::Origin;
use crate::ivf::{Clip, ClipLoop, read_opus};
use crate::lecture::{need_answer, publish, stopped, told};
use crate::pattern::StampClock;
use crate::peer::{Offered, local_ip, payload_type};
use crate::publisher::{AudioSource, Outlet, Pace, Packet, Publisher};
use crate::reactor::{Client, Reactor, Role};
use crate::signal::{Guest, Link, join};

/// Receiving slots of a bot: it wishes for no picture.
const SLOTS: SlotCounts = SlotCounts { a: 1, v: 1, s: 0 };
/// Level of a bot that speaks, −dBov.
const LOUD: u8 = 25;
/// Level of a bot that does not.
const QUIET: u8 = 90;
/// Packets of one turn of speaking: four seconds.
const TURN: usize = 200;

/// Settings.
#[derive(Debug, Clone)]
pub struct Bots {
    /// Server.
    pub origin: Origin,
    /// Open link.
    pub link: String,
    /// How many.
    pub count: usize,
    /// How long they stay, seconds.
    pub seconds: u64,
    /// VP8 in IVF; bot n plays file n, beginning anew when there are fewer.
    pub videos: Vec<PathBuf>,
    /// Opus packets; none = no microphone.
    pub audio: Option<PathBuf>,
    /// Names of the first bots; the others are called "Bot n".
    pub names: Vec<String>,
}

/// A tone, loud in one turn of as many as there are bots.
struct Tone {
    packets: Arc<Vec<Vec<u8>>>,
    index: usize,
    count: usize,
    sent: usize,
}

impl AudioSource for Tone {
    fn packet(&mut self) -> (Packet, u8) {
        let speaks = (self.sent / TURN) % self.count.max(1) == self.index;
        let payload = self.packets.get(self.sent % self.packets.len().max(1));
        self.sent += 1;
        let packet = Packet {
            payload: payload.cloned().unwrap_or_default(),
            stamp_at: None,
        };
        (packet, if speaks { LOUD } else { QUIET })
    }
}

struct Stage {
    origin: Origin,
    ip: IpAddr,
    link: String,
    count: usize,
    names: Vec<String>,
    clips: Vec<Arc<Clip>>,
    tone: Option<Arc<Vec<Vec<u8>>>>,
    reactor: Reactor,
    clock: StampClock,
}

impl Stage {
    async fn enter(&self, index: usize) -> Result<Link> {
        let guest = Guest {
            link: self.link.clone(),
            name: self
                .names
                .get(index)
                .cloned()
                .unwrap_or_else(|| format!("Bot {:02}", index + 1)),
            device: format!("loadtests-bot-{index}"),
        };
        let joined = join(&self.origin, &guest).await?;
        let offered = Offered::new(self.ip, Profile::Viewer, SLOTS)?;
        let (mut link, welcome) = Link::open(
            &self.origin,
            joined.token,
            Profile::Viewer,
            SLOTS,
            offered.sdp.clone(),
        )
        .await?;
        let mut peer = offered.answer(&need_answer(welcome.answer)?.sdp)?;
        let mut publisher = Publisher::new(self.clock, Pace::Browser);
        let video = payload_type(&mut peer.rtc, Codec::Vp8)?;
        let audio = payload_type(&mut peer.rtc, Codec::Opus)?;
        for (kind, mid) in peer.sends.clone() {
            match kind {
                MediaKind::Camera => {
                    if let Some(clip) = self.clips.get(index % self.clips.len().max(1)) {
                        let source = ClipLoop::new(Arc::clone(clip));
                        publisher = publisher.with_video(Outlet::new(mid, video), Box::new(source));
                    }
                }
                MediaKind::Mic => {
                    if let Some(packets) = &self.tone {
                        let packets = Arc::clone(packets);
                        let source = Tone {
                            packets,
                            index,
                            count: self.count,
                            sent: 0,
                        };
                        publisher = publisher.with_audio(Outlet::new(mid, audio), Box::new(source));
                    }
                }
                MediaKind::Screen | MediaKind::ScreenAudio => {}
            }
        }
        let (tell, connected) = oneshot::channel();
        self.reactor.add(Client::new(
            peer,
            Role::Publisher(Box::new(publisher)),
            tell,
        ))?;
        publish(&mut link).await?;
        told("a bot's media connection", connected).await?;
        Ok(link)
    }
}

impl Bots {
    /// Lets them in, keeps them for the time, lets them leave. `entered` runs
    /// once all are connected. Returns the links that broke meanwhile.
    pub async fn run(&self, entered: impl FnOnce()) -> Result<Vec<LoadError>> {
        let clips = self
            .videos
            .iter()
            .map(|path| Clip::open(path).map(Arc::new))
            .collect::<Result<Vec<_>>>()?;
        if clips.is_empty() {
            return Err(LoadError::BadFile {
                file: "--video".to_owned(),
                why: "at least one file is needed".to_owned(),
            });
        }
        let tone = match &self.audio {
            Some(path) => {
                let name = path.display().to_string();
                let bytes = std::fs::read(path).map_err(LoadError::io(name.clone()))?;
                let packets = read_opus(&bytes).map_err(|why| LoadError::BadFile {
                    file: name,
                    why: why.to_owned(),
                })?;
                Some(Arc::new(packets))
            }
            None => None,
        };
        let clock = StampClock::default();
        let stage = Stage {
            origin: self.origin.clone(),
            ip: local_ip(&self.origin).await?,
            link: self.link.clone(),
            count: self.count,
            names: self.names.clone(),
            clips,
            tone,
            reactor: Reactor::start("bots", clock.origin())?,
            clock,
        };
        let (tell_stop, stop) = watch::channel(false);
        let mut links = Vec::new();
        for index in 0..self.count {
            let link = stage.enter(index).await?;
            links.push(tokio::spawn(link.keep(stopped(stop.clone()))));
        }
        entered();
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let _ = tell_stop.send(true);
        let mut broken = Vec::new();
        for link in links {
            let ended = link
                .await
                .map_err(|why| LoadError::Media(why.to_string()))
                .flatten();
            broken.extend(ended.err());
        }
        Ok(broken)
    }
}
