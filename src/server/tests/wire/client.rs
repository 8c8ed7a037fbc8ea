//! A client of `lophoc.v1` made of JSON values, and plain HTTP calls.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::world::hello;

/// Long enough for a busy machine; nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Client {
    pub socket: Socket,
    /// Frames read while something else was waited for.
    pub seen: Vec<Value>,
    pub welcome: Value,
    pub person: String,
    next_id: u32,
}

/// Opens the websocket.
pub async fn open(
    host: &str,
    origin: Option<&str>,
) -> Result<(Socket, Response<Option<Vec<u8>>>), u16> {
    let mut request = format!("ws://{host}/rtc/v1").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "lophoc.v1".parse().unwrap());
    if let Some(origin) = origin {
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
    }
    connect_async(request).await.map_err(|error| match error {
        tokio_tungstenite::tungstenite::Error::Http(answer) => answer.status().as_u16(),
        other => panic!("no websocket: {other}"),
    })
}

/// Opens a websocket whose side of the connection holds next to nothing unread.
pub async fn open_narrow(host: &str) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(host.parse().unwrap()).await.unwrap();
    let mut request = format!("ws://{host}/rtc/v1").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "lophoc.v1".parse().unwrap());
    client_async(request, MaybeTlsStream::Plain(stream))
        .await
        .unwrap()
        .0
}

impl Client {
    /// A socket that has said nothing yet.
    pub async fn raw(host: &str) -> Self {
        Self::over(open(host, None).await.unwrap().0)
    }

    pub fn over(socket: Socket) -> Self {
        Self {
            socket,
            seen: Vec::new(),
            welcome: Value::Null,
            person: String::new(),
            next_id: 100,
        }
    }

    /// Says hello and reads welcome and state.
    pub async fn enter(host: &str, token: &str) -> Self {
        let mut client = Self::raw(host).await;
        client.send(&hello(token)).await;
        client.greeted().await;
        client
    }

    /// Reads welcome and state.
    pub async fn greeted(&mut self) {
        let welcome = self.read().await.expect("a welcome");
        assert_eq!(welcome["t"], "welcome", "{welcome}");
        let state = self.read().await.expect("a state");
        assert_eq!(state["t"], "state", "{state}");
        self.person = welcome["you"]["person"].as_str().unwrap().to_owned();
        self.welcome = welcome;
        self.seen.push(state);
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_text(message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message; `None` when the server closed.
    pub async fn read(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("the server says nothing");
            match frame {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(other)) => panic!("unexpected frame {other:?}"),
            }
        }
    }

    /// Reads until a message of this type; the others are kept in `seen`.
    pub async fn until(&mut self, kind: &str) -> Value {
        self.until_that(|message| message["t"] == kind).await
    }

    pub async fn until_that(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self
                .read()
                .await
                .unwrap_or_else(|| panic!("closed after {:?}", self.seen));
            if wanted(&message) {
                return message;
            }
            self.seen.push(message);
        }
    }

    /// Sends with a request id and reads its `ok` or `err`.
    pub async fn ask(&mut self, mut message: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        message["id"] = json!(id);
        self.send(&message).await;
        self.until_that(|answer| answer["id"] == id).await
    }

    /// As [`Self::ask`]: `"ok"` or the error's code.
    pub async fn outcome(&mut self, message: Value) -> String {
        let answer = self.ask(message).await;
        match answer["t"].as_str() {
            Some("err") => answer["code"].as_str().unwrap().to_owned(),
            Some(kind) => kind.to_owned(),
            None => panic!("{answer}"),
        }
    }

    pub async fn chat(&mut self, cid: &str, text: &str) -> String {
        self.outcome(json!({"t": "chat", "cid": cid, "text": text}))
            .await
    }

    pub async fn leave(mut self) {
        self.send(&json!({"t": "leave"})).await;
        while self.read().await.is_some() {}
    }
}

/// `POST` with a JSON body: status and JSON answer.
pub async fn post(host: &str, path: &str, body: &Value) -> (u16, Value) {
    let (status, text) = post_text(host, path, &body.to_string()).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub async fn post_text(host: &str, path: &str, body: &str) -> (u16, String) {
    let head = format!(
        "content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    let (status, _, text) = call(host, "POST", path, &head, body).await;
    (status, text)
}

/// `GET`: status and body.
pub async fn get(host: &str, path: &str, bearer: Option<&str>) -> (u16, String) {
    let head = bearer
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let (status, _, text) = call(host, "GET", path, &head, "").await;
    (status, text)
}

/// Status, head in lower case, body.
pub async fn call(
    host: &str,
    method: &str,
    path: &str,
    head: &str,
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that refuses a large body may cut the rest off.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let head = head.to_lowercase();
    let body = if head.contains("transfer-encoding: chunked") {
        unchunk(body)
    } else {
        body.to_owned()
    };
    (status, head, body)
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}
