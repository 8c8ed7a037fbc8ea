//! A place in the room: a websocket that keeps itself alive and remembers all
//! it was told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::client::{PATIENCE, open, post};
use crate::server::now_ms;
use crate::world::hello;

/// As often as the server asks for.
const PING: Duration = Duration::from_secs(4);

/// Something happened not before the first and not after the second, ms.
#[derive(Debug, Clone, Copy)]
pub struct Moment(pub u64, pub u64);

enum Order {
    Say(String),
    Reset,
}

/// Somebody's link into the room.
pub struct Live {
    pub name: String,
    pub person: String,
    /// Token of the room, for calls of `/api/v1`.
    pub token: String,
    /// Role the server gave.
    pub role: String,
    orders: mpsc::UnboundedSender<Order>,
    seen: Arc<Mutex<Vec<Value>>>,
    count: watch::Receiver<usize>,
    next: AtomicU32,
}

impl Live {
    /// Joins by a link and says hello; the first answer is among what was seen.
    pub async fn knock(host: &str, join: &Value) -> Self {
        let (status, seat) = post(host, "/api/join", join).await;
        assert_eq!(status, 200, "{seat}");
        let text = |field: &str| seat[field].as_str().unwrap().to_owned();
        let token = text("token");
        let (socket, _) = open(host, None).await.unwrap();
        let (mut sink, mut stream) = socket.split();
        sink.send(Message::text(hello(&token).to_string()))
            .await
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (counter, count) = watch::channel(0);
        let (orders, mut given) = mpsc::unbounded_channel();
        let note = Arc::clone(&seen);
        tokio::spawn(async move {
            let add = |message: Value| {
                let mut all = note.lock().unwrap();
                all.push(message);
                counter.send_replace(all.len());
            };
            let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
            loop {
                tokio::select! {
                    _ = ping.tick() => {
                        let ping = json!({"t": "ping", "c": 1}).to_string();
                        let _ = sink.send(Message::text(ping)).await;
                    }
                    order = given.recv() => match order {
                        Some(Order::Say(text)) => {
                            let _ = sink.send(Message::text(text)).await;
                        }
                        Some(Order::Reset) => {
                            let socket = sink.reunite(stream).unwrap();
                            if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
                                stream.set_zero_linger().unwrap();
                            }
                            return;
                        }
                        None => return,
                    },
                    frame = stream.next() => match frame {
                        Some(Ok(Message::Text(text))) => add(serde_json::from_str(&text).unwrap()),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => {
                            add(json!({"t": "closed"}));
                            return;
                        }
                        Some(Ok(_)) => {}
                    },
                }
            }
        });
        let live = Self {
            name: text("name"),
            person: text("person"),
            role: text("role"),
            token,
            orders,
            seen,
            count,
            next: AtomicU32::new(100),
        };
        live.after(0, "an answer to the hello", |message| message["id"] == 1)
            .await;
        live
    }

    /// Type of the answer to the hello: `welcome`, `waiting`, `bye`.
    pub fn greeting(&self) -> String {
        self.seen.lock().unwrap()[0]["t"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// How much was seen up to now.
    pub fn mark(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The first message from `mark` on that is wanted, waiting for it.
    pub async fn after(&self, mark: usize, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut count = self.count.clone();
        let mut from = mark;
        let found = async {
            loop {
                let known = *count.borrow_and_update();
                {
                    let all = self.seen.lock().unwrap();
                    if let Some(found) = all.iter().skip(from).find(|message| wanted(message)) {
                        return found.clone();
                    }
                    from = from.max(known.min(all.len()));
                }
                if count.changed().await.is_err() {
                    panic!("{}: closed before {what}", self.name);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => {
                let all = self.seen.lock().unwrap();
                let last: Vec<&Value> = all.iter().rev().take(5).collect();
                panic!("{}: no {what}; last {last:?}", self.name)
            }
        }
    }

    /// Sends with a request id and waits for the reply.
    pub async fn ask(&self, mut message: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        message["id"] = json!(id);
        let mark = self.mark();
        self.say(&message);
        let what = format!("reply to {message}");
        self.after(mark, &what, |answer| answer["id"] == id).await
    }

    /// As [`Self::ask`]: `"ok"` or the code of the error.
    pub async fn outcome(&self, message: Value) -> String {
        let answer = self.ask(message).await;
        let field = if answer["t"] == "err" { "code" } else { "t" };
        answer[field].as_str().unwrap().to_owned()
    }

    /// As [`Self::ask`], which must succeed; when it did.
    pub async fn done(&self, message: Value) -> Moment {
        let before = now_ms();
        assert_eq!(self.outcome(message.clone()).await, "ok", "{message}");
        Moment(before, now_ms())
    }

    /// Waits until let in.
    pub async fn let_in(&self) {
        self.after(0, "welcome", |message| message["t"] == "welcome")
            .await;
        self.after(0, "state", |message| message["t"] == "state")
            .await;
    }

    /// Leaves for good.
    pub async fn leave(&self) -> Moment {
        let mark = self.mark();
        let before = now_ms();
        self.say(&json!({"t": "leave"}));
        self.after(mark, "end", |message| message["t"] == "closed")
            .await;
        Moment(before, now_ms())
    }

    /// Cuts the link as a router does that forgets it: a reset, without a word.
    pub async fn reset(&self) -> Moment {
        // Heard a moment before.
        let mark = self.mark();
        self.say(&json!({"t": "ping", "c": 77}));
        self.after(mark, "pong", |message| message["c"] == 77).await;
        let before = now_ms();
        let _ = self.orders.send(Order::Reset);
        Moment(before, before + 300)
    }

    fn say(&self, message: &Value) {
        let _ = self.orders.send(Order::Say(message.to_string()));
    }
}
