//! One person: comes, keeps the link alive, goes as the script says, comes back
//! by himself when the server died; writes down the truth.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::script::{Cut, Play, Visit};
use crate::server::{Stage, token_of, try_open};
use crate::world::hello;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

const PING: Duration = Duration::from_millis(lophoc_protocol::limits::PING_EVERY_MS);

/// Presence as it was.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    pub from_ms: u64,
    pub to_ms: u64,
    /// The server can know the end to the second.
    pub clean: bool,
}

/// What one person saw.
#[derive(Debug, Default)]
pub struct Diary {
    pub person: String,
    /// Name at the last welcome.
    pub name: String,
    pub stays: Vec<Stay>,
    /// Was asked before another device took over.
    pub asked: bool,
    /// Chat messages the server acknowledged.
    pub chats: Vec<String>,
}

enum End {
    /// As the script says, or with the lesson.
    Done,
    /// The server is gone.
    Died,
}

/// Silent sockets, kept open until the scene is over.
#[derive(Default)]
struct Silent(Vec<Socket>);

struct Person<'a> {
    stage: &'a Stage,
    link: &'a str,
    diary: Diary,
    silent: Silent,
}

/// Plays all visits of one person.
pub async fn attend(stage: &Stage, play: &Play) -> Diary {
    let mut person = Person {
        stage,
        link: &play.link,
        diary: Diary::default(),
        silent: Silent::default(),
    };
    let mut visits = play.visits.iter().peekable();
    let mut held: Option<Socket> = None;
    while let Some(visit) = visits.next() {
        // A visit without end lasts until the next device takes over.
        let until = match (&visit.to, visits.peek()) {
            (None, Some(next)) => Some(next.from),
            _ => None,
        };
        stage.clock.until(visit.from).await;
        let old = held.take();
        loop {
            match person.visit(visit, until).await {
                (End::Done, socket) => {
                    held = socket;
                    break;
                }
                (End::Died, _) => {
                    let wait = 500 + u64::from(visit.name.len() as u32 * 37 % 2_000);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
            }
        }
        drop(old);
    }
    person.diary
}

impl Person<'_> {
    /// One connection, from hello to its end.
    async fn visit(&mut self, visit: &Visit, until: Option<f64>) -> (End, Option<Socket>) {
        let Some(mut socket) = self.enter(visit).await else {
            return (End::Died, None);
        };
        let stage = self.stage;
        let from_ms = stage.clock.wall_ms();
        let cid = format!("{}-{from_ms}", visit.device.replace(' ', "-"));
        let chat = json!({"t": "chat", "id": 7, "cid": cid, "text": cid});
        let mut alive = socket.send(Message::text(chat.to_string())).await.is_ok();
        let end = visit
            .to
            .map(|(at, _)| at)
            .or(until)
            .map_or_else(|| stage.clock.at(3_600.0), |at| stage.clock.at(at));
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        while alive {
            tokio::select! {
                () = tokio::time::sleep_until(end) => break,
                _ = ping.tick() => {
                    let ping = json!({"t": "ping", "c": 1}).to_string();
                    alive = socket.send(Message::text(ping)).await.is_ok();
                }
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let message: Value = serde_json::from_str(&text).unwrap();
                        if message["id"] == 7 && message["t"] == "ok" {
                            self.diary.chats.push(cid.clone());
                        }
                        if message["t"] == "bye" {
                            assert_eq!(message["code"], "ended", "{message}");
                            self.note(from_ms, stage.clock.wall_ms(), true);
                            return (End::Done, None);
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => alive = false,
                },
            }
        }
        if !alive {
            // Either the lesson ended or the server died.
            let now = stage.clock.wall_ms();
            if stage.is_over() {
                self.note(from_ms, now, true);
                return (End::Done, None);
            }
            let died = stage.died_ms();
            assert!(died >= from_ms, "a link broke while the server lived");
            self.note(from_ms, died, false);
            return (End::Died, None);
        }
        match visit.to {
            Some((_, cut)) => {
                self.note(from_ms, stage.clock.wall_ms(), cut.is_clean());
                self.cut(socket, cut).await;
                (End::Done, None)
            }
            // The next device takes over: this one stays until then.
            None => {
                self.note(from_ms, stage.clock.wall_ms(), true);
                (End::Done, Some(socket))
            }
        }
    }

    fn note(&mut self, from_ms: u64, to_ms: u64, clean: bool) {
        self.diary.stays.push(Stay {
            from_ms,
            to_ms,
            clean,
        });
    }

    /// Comes in, through the waiting room where there is one. `None`: the
    /// server died meanwhile.
    async fn enter(&mut self, visit: &Visit) -> Option<Socket> {
        let mut take_over = false;
        loop {
            let token = token_of(self.stage, self.link, &visit.name, &visit.device).await;
            let Some(mut socket) = try_open(&self.stage.host()).await else {
                tokio::time::sleep(Duration::from_millis(150)).await;
                continue;
            };
            let mut greeting = hello(&token);
            if take_over {
                greeting["takeOver"] = json!(true);
            }
            socket
                .send(Message::text(greeting.to_string()))
                .await
                .ok()?;
            let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
            loop {
                let text = tokio::select! {
                    _ = ping.tick() => {
                        let ping = json!({"t": "ping", "c": 1}).to_string();
                        socket.send(Message::text(ping)).await.ok()?;
                        continue;
                    }
                    frame = socket.next() => match frame {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(_)) => continue,
                        Some(Err(_)) | None => return None,
                    },
                };
                let message: Value = serde_json::from_str(&text).unwrap();
                match message["t"].as_str().unwrap() {
                    "welcome" => {
                        let person = message["you"]["person"].as_str().unwrap();
                        assert!(
                            self.diary.person.is_empty() || self.diary.person == person,
                            "one person became two"
                        );
                        person.clone_into(&mut self.diary.person);
                        visit.name.clone_into(&mut self.diary.name);
                        return Some(socket);
                    }
                    "bye" if message["code"] == "elsewhere" => {
                        take_over = visit.takes_over;
                        self.diary.asked |= take_over;
                        assert!(take_over, "{message} for {}", visit.name);
                        break;
                    }
                    "bye" => panic!("{message} for {}", visit.name),
                    _ => {}
                }
            }
        }
    }

    async fn cut(&mut self, mut socket: Socket, cut: Cut) {
        match cut {
            Cut::Leave => {
                let _ = socket
                    .send(Message::text(json!({"t": "leave"}).to_string()))
                    .await;
                let _ = socket.close(None).await;
            }
            Cut::Close => {
                let _ = socket.close(None).await;
            }
            Cut::Reset => {
                if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
                    socket2::SockRef::from(stream)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                }
            }
            Cut::Silence => self.silent.0.push(socket),
        }
    }
}
