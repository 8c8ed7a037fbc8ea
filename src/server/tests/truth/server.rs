//! The server as a process that is killed, and one clock for all.

use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Client, post};
use crate::world::hello;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Seconds since the scene began, and the wall clock that the server sees too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begun: Instant,
    begun_wall_ms: u64,
}

impl Clock {
    pub fn begin() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            begun: Instant::now(),
            begun_wall_ms: u64::try_from(wall.as_millis()).unwrap(),
        }
    }

    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    pub fn wall_ms(&self) -> u64 {
        self.begun_wall_ms + u64::try_from(self.begun.elapsed().as_millis()).unwrap()
    }

    pub fn at(&self, seconds: f64) -> Instant {
        self.begun + Duration::from_secs_f64(seconds)
    }

    pub async fn until(&self, seconds: f64) {
        tokio::time::sleep_until(self.at(seconds)).await;
    }
}

/// A running server.
pub struct Running {
    child: tokio::process::Child,
    pub host: String,
}

impl Running {
    pub async fn start(data: &Path) -> Self {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_lophoc"))
            .arg("serve")
            .env("LOPHOC_DATA_FOLDER", data)
            .env("LOPHOC_SERVER_LISTEN", "127.0.0.1:0")
            .env("LOPHOC_MEDIA_PORT", "0")
            .env("LOPHOC_MEDIA_LISTEN", "127.0.0.1")
            .env("LOPHOC_MEDIA_ANNOUNCE", "127.0.0.1")
            .env("LOPHOC_LIMITS_API_PER_MINUTE", "1000000")
            .env("LOPHOC_LIMITS_API_BURST", "100000")
            .env("LOPHOC_LIMITS_LINKS_PER_ADDRESS", "8000")
            .env("LOPHOC_LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(rest) = line.strip_prefix("ready http://localhost:") {
                let port = rest.split(' ').next().unwrap();
                let host = format!("127.0.0.1:{port}");
                // The rest of the output has no reader; it is small.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Self { child, host };
            }
        }
        panic!("the server did not start");
    }

    /// SIGKILL.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

/// What everybody in the scene shares.
pub struct Stage {
    pub clock: Clock,
    host: Mutex<String>,
    /// When the server died last, wall clock, ms; set just before the kill.
    died_ms: Mutex<u64>,
    over: watch::Sender<bool>,
}

impl Stage {
    pub fn new(clock: Clock, running: &Running) -> Self {
        Self {
            clock,
            host: Mutex::new(running.host.clone()),
            died_ms: Mutex::new(0),
            over: watch::Sender::new(false),
        }
    }

    pub fn host(&self) -> String {
        self.host.lock().unwrap().clone()
    }

    pub fn now_dead(&self) {
        *self.died_ms.lock().unwrap() = self.clock.wall_ms();
    }

    pub fn now_alive(&self, running: &Running) {
        self.host.lock().unwrap().clone_from(&running.host);
    }

    pub fn died_ms(&self) -> u64 {
        *self.died_ms.lock().unwrap()
    }

    pub fn finish(&self) {
        self.over.send_replace(true);
    }

    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }
}

/// A session token for a link, however often the server must be asked.
pub async fn token_of(stage: &Stage, link: &str, name: &str, device: &str) -> String {
    let body = json!({"link": link, "name": name, "unit": "Trường mẫu", "device": device});
    loop {
        let (host, body) = (stage.host(), body.clone());
        // The helper panics where no server listens.
        let answer = tokio::spawn(async move { post(&host, "/api/join", &body).await }).await;
        match answer {
            Ok((200, answer)) => return answer["token"].as_str().unwrap().to_owned(),
            Ok((status, answer)) => panic!("no token: {status} {answer}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(150)).await,
        }
    }
}

/// Opens a websocket to a server that may not be there.
pub async fn try_open(host: &str) -> Option<Socket> {
    let mut request = format!("ws://{host}/rtc/v1").into_client_request().ok()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "lophoc.v1".parse().ok()?);
    Some(connect_async(request).await.ok()?.0)
}

impl Client {
    /// Comes in, unless the server dies meanwhile.
    pub async fn try_enter(host: &str, token: &str) -> Option<Self> {
        let mut client = Self::over(try_open(host).await?);
        let hello = Message::text(hello(token).to_string());
        client.socket.send(hello).await.ok()?;
        loop {
            let message = client.read().await?;
            if message["t"] == "state" {
                return Some(client);
            }
            client.seen.push(message);
        }
    }

    /// As [`Self::ask`]; `None` when the server dies meanwhile.
    pub async fn try_ask(&mut self, mut message: Value) -> Option<Value> {
        let id = 9_000;
        message["id"] = json!(id);
        let text = Message::text(message.to_string());
        self.socket.send(text).await.ok()?;
        loop {
            let answer = self.read().await?;
            if answer["id"] == id {
                return Some(answer);
            }
        }
    }
}
