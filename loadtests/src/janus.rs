//! The same lecture on Janus (Debian's package), driven over its websocket API:
//! one publisher in a room of the videoroom plugin, N subscribers.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use lophoc_protocol::{MediaKind, Profile, SlotCounts};
use serde_json::{Value, json};
use str0m::format::Codec;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::classroom::{Joins, Voice, is_full};
use crate::crowd::Crowd;
use crate::error::{LoadError, Result};
use crate::learner::{Depth, Learner, PayloadTypes};
use crate::lecture::{line, stopped, told};
use crate::pattern::BrowserPattern;
use crate::peer::{Offered, Peer, payload_type};
use crate::publisher::{Outlet, Pace, Publisher};
use crate::reactor::{Client, Role};
use crate::server::free_port;
use crate::signal::connect;

/// The program.
pub const PROGRAM: &str = "janus";
/// Room of the lecture.
const ROOM: u64 = 1;
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for the start.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// Where a distribution may have put the modules.
const MODULES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/janus",
    "/usr/lib/aarch64-linux-gnu/janus",
    "/usr/lib/janus",
];

fn trouble(why: impl std::fmt::Display) -> LoadError {
    LoadError::Server(format!("janus: {why}"))
}

/// A running Janus with a configuration of its own.
pub struct Janus {
    child: Child,
    url: String,
    _folder: TempDir,
}

/// Links one module into a folder that holds nothing else, so that nothing else
/// is loaded.
fn only(folder: &Path, sort: &str, module: &str) -> Result<PathBuf> {
    let from = MODULES
        .iter()
        .map(|base| Path::new(base).join(sort).join(module))
        .find(|path| path.exists())
        .ok_or_else(|| trouble(format!("{module} is not there; apt-get install janus")))?;
    let to = folder.join(sort);
    std::fs::create_dir(&to).map_err(LoadError::io(to.display().to_string()))?;
    std::os::unix::fs::symlink(&from, to.join(module))
        .map_err(LoadError::io(from.display().to_string()))?;
    Ok(to)
}

impl Janus {
    /// Version as the program tells it; an error when it is not installed.
    pub async fn version() -> Result<String> {
        let output = Command::new(PROGRAM)
            .arg("--version")
            .output()
            .await
            .map_err(|_| trouble("not installed; apt-get install janus"))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        // "Janus version: 1102 (1.1.2)"
        let number = text.lines().find_map(|line| {
            let (_, rest) = line.split_once("version")?.1.split_once('(')?;
            Some(rest.split_once(')')?.0)
        });
        Ok(format!("janus {}", number.unwrap_or("of unknown version")))
    }

    /// Starts it on `ip`, which must not be of a loopback device, with two event
    /// loops.
    pub async fn start(ip: Ipv4Addr) -> Result<Self> {
        let folder = TempDir::new().map_err(LoadError::io("temporary folder"))?;
        let at = folder.path();
        let plugins = only(at, "plugins", "libjanus_videoroom.so")?;
        let transports = only(at, "transports", "libjanus_websockets.so")?;
        let port = free_port(ip)?;
        let nothing = at.join("nothing");
        std::fs::create_dir(&nothing).map_err(LoadError::io("temporary folder"))?;
        let files = [
            (
                "janus.jcfg",
                format!(
                    "general: {{\n configs_folder = \"{0}\"\n plugins_folder = \"{1}\"\n \
                     transports_folder = \"{2}\"\n events_folder = \"{3}\"\n \
                     loggers_folder = \"{3}\"\n debug_level = 2\n session_timeout = 0\n \
                     event_loops = 2\n interface = \"{ip}\"\n}}\nnat: {{\n ice_lite = true\n \
                     ice_enforce_list = \"{ip}\"\n}}\n",
                    at.display(),
                    plugins.display(),
                    transports.display(),
                    nothing.display(),
                ),
            ),
            (
                "janus.transport.websockets.jcfg",
                format!(
                    "general: {{\n json = \"compact\"\n ws = true\n ws_port = {port}\n \
                     ws_ip = \"{ip}\"\n wss = false\n}}\nadmin: {{\n admin_ws = false\n}}\n"
                ),
            ),
            (
                "janus.plugin.videoroom.jcfg",
                format!(
                    "room-{ROOM}: {{\n description = \"lecture\"\n publishers = 6\n \
                     bitrate = 0\n fir_freq = 0\n audiocodec = \"opus\"\n \
                     videocodec = \"vp8\"\n record = false\n}}\n"
                ),
            ),
        ];
        for (name, text) in files {
            std::fs::write(at.join(name), text).map_err(LoadError::io(name))?;
        }
        let mut command = Command::new(PROGRAM);
        command
            .arg("--config")
            .arg(at.join("janus.jcfg"))
            .arg("--configs-folder")
            .arg(at)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|why| trouble(format!("cannot be started: {why}")))?;
        let mut janus = Self {
            child,
            url: format!("ws://{ip}:{port}/"),
            _folder: folder,
        };
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = janus.child.try_wait() {
                return Err(trouble(format!("ended at once: {status}")));
            }
            if Handle::open(&janus.url).await.is_ok() {
                return Ok(janus);
            }
            if began.elapsed() > START_TIMEOUT {
                return Err(LoadError::Timeout("janus to be ready"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.map_err(LoadError::io("janus"))
    }
}

/// One client's websocket, session and handle.
struct Handle {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    handle: u64,
    asked: u64,
}

impl Handle {
    async fn open(url: &str) -> Result<Self> {
        let mut request = url.into_client_request().map_err(trouble)?;
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("janus-protocol"),
        );
        let mut handle = Self {
            socket: connect(request).await.map_err(trouble)?,
            session: 0,
            handle: 0,
            asked: 0,
        };
        handle.session = handle.make(json!({"janus": "create"})).await?;
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.videoroom"});
        handle.handle = handle.make(attach).await?;
        Ok(handle)
    }

    async fn send(&mut self, mut message: Value) -> Result<String> {
        self.asked += 1;
        let transaction = format!("t{}", self.asked);
        if let Some(fields) = message.as_object_mut() {
            fields.insert("transaction".to_owned(), transaction.clone().into());
            for (name, id) in [("session_id", self.session), ("handle_id", self.handle)] {
                if id != 0 {
                    fields.insert(name.to_owned(), id.into());
                }
            }
        }
        self.socket
            .send(Message::Text(message.to_string().into()))
            .await
            .map_err(trouble)?;
        Ok(transaction)
    }

    /// The next message about `transaction` that is no mere acknowledgement.
    async fn answer(&mut self, transaction: &str) -> Result<Value> {
        let search = async {
            loop {
                let text = match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => return Err(trouble(error)),
                    None => return Err(trouble("closed the link")),
                };
                let value: Value = serde_json::from_str(&text).map_err(trouble)?;
                let of_this = value.get("transaction").and_then(Value::as_str) == Some(transaction);
                match value.get("janus").and_then(Value::as_str) {
                    Some("ack") => {}
                    Some("error") => return Err(trouble(value)),
                    _ if of_this => {
                        let inner = value.pointer("/plugindata/data/error");
                        return match inner {
                            Some(error) => Err(trouble(error)),
                            None => Ok(value),
                        };
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(TIMEOUT, search)
            .await
            .map_err(|_| LoadError::Timeout("an answer of janus"))?
    }

    /// Waits until the media connection is up in the eyes of the server.
    async fn up(&mut self) -> Result<()> {
        let search = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let value: Value = serde_json::from_str(&text).map_err(trouble)?;
                        if value.get("janus").and_then(Value::as_str) == Some("webrtcup") {
                            return Ok(());
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(trouble(error)),
                    None => return Err(trouble("closed the link")),
                }
            }
        };
        tokio::time::timeout(TIMEOUT, search)
            .await
            .map_err(|_| LoadError::Timeout("janus to be connected"))?
    }

    async fn make(&mut self, message: Value) -> Result<u64> {
        let transaction = self.send(message).await?;
        let answer = self.answer(&transaction).await?;
        answer
            .pointer("/data/id")
            .and_then(Value::as_u64)
            .ok_or_else(|| trouble(answer))
    }

    async fn ask(&mut self, body: Value, jsep: Option<(&str, String)>) -> Result<Value> {
        let mut message = json!({"janus": "message", "body": body});
        if let (Some((sort, sdp)), Some(fields)) = (jsep, message.as_object_mut()) {
            fields.insert("jsep".to_owned(), json!({"type": sort, "sdp": sdp}));
        }
        let transaction = self.send(message).await?;
        self.answer(&transaction).await
    }

    /// All candidates of this client stand in its SDP.
    async fn no_more_candidates(&mut self) -> Result<()> {
        self.send(json!({"janus": "trickle", "candidate": {"completed": true}}))
            .await
            .map(drop)
    }

    /// Reads until `stop` resolves.
    async fn keep(mut self, stop: impl Future<Output = ()>) -> Result<u64> {
        let mut frames = 0;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(frames),
                frame = self.socket.next() => match frame {
                    Some(Ok(_)) => frames += 1,
                    Some(Err(error)) => return Err(trouble(error)),
                    None => return Err(trouble("closed the link")),
                },
            }
        }
    }
}

fn sdp_of(answer: &Value) -> Result<&str> {
    answer
        .pointer("/jsep/sdp")
        .and_then(Value::as_str)
        .ok_or_else(|| trouble(answer))
}

/// The lecture.
#[derive(Debug, Clone, Copy)]
pub struct JanusLecture {
    /// Learners.
    pub learners: usize,
    /// Of them, those that decrypt.
    pub full: usize,
    /// How the publisher puts a frame on the wire.
    pub pace: Pace,
}

struct JoinTimes {
    connected: Duration,
    first_video: Duration,
    link: JoinHandle<Result<u64>>,
}

impl JanusLecture {
    /// Brings in the publisher, then the learners, and waits until each has seen
    /// video or failed to.
    pub async fn fill(self, janus: &Janus, crowd: &Arc<Crowd>) -> Result<Joins> {
        let mut joins = Joins::default();
        let (feed, link) = self.publisher(&janus.url, crowd).await?;
        joins.links.push(link);
        let mut tasks = JoinSet::new();
        for index in 0..self.learners {
            let (url, crowd) = (janus.url.clone(), Arc::clone(crowd));
            tasks.spawn(async move { self.learner(&url, &crowd, feed, index).await });
        }
        while let Some(joined) = tasks.join_next().await {
            match joined
                .map_err(|why| LoadError::Media(why.to_string()))
                .flatten()
            {
                Ok(times) => {
                    joins.connected.record(times.connected);
                    joins.first_video.record(times.first_video);
                    joins.links.push(times.link);
                }
                Err(error) => joins.failures.push(error.to_string()),
            }
        }
        Ok(joins)
    }

    async fn publisher(self, url: &str, crowd: &Crowd) -> Result<(u64, JoinHandle<Result<u64>>)> {
        let mut handle = Handle::open(url).await?;
        let join = json!({"request": "join", "room": ROOM, "ptype": "publisher"});
        let joined = handle.ask(join, None).await?;
        let feed = joined
            .pointer("/plugindata/data/id")
            .and_then(Value::as_u64)
            .ok_or_else(|| trouble(&joined))?;
        let none = SlotCounts { a: 0, v: 0, s: 0 };
        let offered = Offered::new(crowd.ip, Profile::Viewer, none)?;
        let publish = json!({"request": "publish"});
        let jsep = Some(("offer", offered.sdp.clone()));
        let answer = handle.ask(publish, jsep).await?;
        let mut peer = offered.answer(sdp_of(&answer)?)?;
        handle.no_more_candidates().await?;
        let video = Outlet::new(
            line(&peer, MediaKind::Camera)?,
            payload_type(&mut peer.rtc, Codec::Vp8)?,
        );
        let audio = Outlet::new(
            line(&peer, MediaKind::Mic)?,
            payload_type(&mut peer.rtc, Codec::Opus)?,
        );
        let publisher = Publisher::new(crowd.clock, self.pace)
            .with_video(video, Box::new(BrowserPattern::default()))
            .with_audio(audio, Box::new(Voice));
        let (tell, connected) = oneshot::channel();
        crowd.add(Client::new(
            peer,
            Role::Publisher(Box::new(publisher)),
            tell,
        ))?;
        told("the trainer's media connection", connected).await?;
        // Before that nobody can subscribe to it.
        handle.up().await?;
        let link = tokio::spawn(handle.keep(stopped(crowd.stopped())));
        Ok((feed, link))
    }

    async fn learner(self, url: &str, crowd: &Crowd, feed: u64, index: usize) -> Result<JoinTimes> {
        let place = crowd.joining.acquire().await;
        let began = Instant::now();
        let mut handle = Handle::open(url).await?;
        let join = json!({
            "request": "join", "room": ROOM, "ptype": "subscriber",
            "streams": [{"feed": feed}],
        });
        let attached = handle.ask(join, None).await?;
        let offer = sdp_of(&attached)?;
        let (mut peer, answer) = Peer::of_offer(crowd.ip, offer)?;
        let start = json!({"request": "start"});
        handle.ask(start, Some(("answer", answer))).await?;
        handle.no_more_candidates().await?;
        let types = PayloadTypes {
            video: payload_type(&mut peer.rtc, Codec::Vp8)?,
            audio: payload_type(&mut peer.rtc, Codec::Opus)?,
        };
        let depth = if is_full(index, self.full, self.learners) {
            Depth::Full
        } else {
            Depth::Light
        };
        let (tell_connected, connected) = oneshot::channel();
        let (tell_video, first_video) = oneshot::channel();
        let learner = Learner::new(depth, types, crowd.clock, peer.transport_id, tell_video);
        let role = Role::Learner(Box::new(learner));
        crowd.add(Client::new(peer, role, tell_connected))?;
        let link = tokio::spawn(handle.keep(stopped(crowd.stopped())));
        let connected = told("a learner's media connection", connected).await? - began;
        drop(place);
        let first_video = told("a learner's first video packet", first_video).await? - began;
        Ok(JoinTimes {
            connected,
            first_video,
            link,
        })
    }
}
