//! The real binary on an empty data folder, and calls of `/api/v1` as pages,
//! rooms and phones make them.

use std::path::Path;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A password the rules take.
const PASSWORD: &str = "mưa rào tháng bảy";

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// A running server.
pub struct Running {
    pub host: String,
    /// Login and first password of the account the first start makes.
    pub first: (String, String),
    _child: tokio::process::Child,
}

impl Running {
    /// With the limits it ships with.
    pub async fn start(data: &Path) -> Self {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_lophoc"))
            .arg("serve")
            .env("LOPHOC_DATA_FOLDER", data)
            .env("LOPHOC_SERVER_LISTEN", "127.0.0.1:0")
            .env("LOPHOC_MEDIA_PORT", "0")
            .env("LOPHOC_MEDIA_LISTEN", "127.0.0.1")
            .env("LOPHOC_MEDIA_ANNOUNCE", "127.0.0.1")
            .env("LOPHOC_LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut first = None;
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(rest) = line.strip_prefix("first account ") {
                let (login, password) = rest.split_once(' ').unwrap();
                first = Some((login.to_owned(), password.to_owned()));
            }
            if let Some(rest) = line.strip_prefix("ready http://localhost:") {
                let port = rest.split(' ').next().unwrap();
                return Self {
                    host: format!("127.0.0.1:{port}"),
                    first: first.expect("an account of the first start"),
                    _child: child,
                };
            }
        }
        panic!("the server did not start");
    }

    /// Nobody signed in.
    pub fn nobody(&self) -> Caller {
        Caller {
            host: self.host.clone(),
            key: Key::None,
        }
    }

    /// Somebody in a room, by the token of the room.
    pub fn in_room(&self, token: &str) -> Caller {
        Caller {
            host: self.host.clone(),
            key: Key::Bearer(token.to_owned()),
        }
    }

    /// Signs in with a first password, which opens nothing but its change.
    pub async fn settle(&self, login: &str, first: &str) -> Caller {
        let caller = self.sign_in(login, first).await;
        let refused = caller.get("/classes").await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "mustChange".to_owned())
        );
        let change = json!({"old": first, "new": PASSWORD});
        let told = caller.post_ok("/me/password", &change, 200).await;
        assert_eq!(told["mustChange"], false);
        caller
    }

    async fn sign_in(&self, login: &str, password: &str) -> Caller {
        let body = json!({"login": login, "password": password});
        let answer = self.nobody().post("/sign-in", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["mustChange"], true);
        Caller {
            host: self.host.clone(),
            key: Key::Cookie(answer.cookie("lophoc").unwrap()),
        }
    }
}

#[derive(Debug, Clone)]
enum Key {
    None,
    Cookie(String),
    Bearer(String),
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub host: String,
    key: Key,
}

/// What a call answered.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Code of the refusal.
    pub fn code(&self) -> String {
        let code = &self.json()["error"]["code"];
        code.as_str().unwrap_or_default().to_owned()
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        let start = format!("set-cookie: {name}=");
        let (_, rest) = self.head.split_once(&start)?;
        Some(rest.split([';', '\r']).next()?.to_owned())
    }
}

impl Caller {
    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", &format!("/api/v1{path}"), "", b"").await
    }

    pub async fn get_ok(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text());
        answer.json()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1{path}");
        let body = body.to_string();
        self.call("POST", &path, "application/json", body.as_bytes())
            .await
    }

    pub async fn post_ok(&self, path: &str, body: &Value, status: u16) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, status, "{path} {body} {}", answer.text());
        answer.json()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", &format!("/api/v1{path}"), "", b"")
            .await
    }

    /// Any call, with the headers one of our own pages sends.
    pub async fn call(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let host = &self.host;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        if !kind.is_empty() {
            head.push_str(&format!("content-type: {kind}\r\n"));
        }
        let mark = format!("x-lophoc: 1\r\norigin: http://{host}\r\n");
        match &self.key {
            Key::None => head.push_str(&mark),
            Key::Cookie(cookie) => {
                head.push_str(&format!("cookie: lophoc={cookie}\r\n{mark}"));
            }
            Key::Bearer(token) => head.push_str(&format!("authorization: Bearer {token}\r\n")),
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let body = &bytes[end + 4..];
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: if chunked {
                unchunk(body)
            } else {
                body.to_vec()
            },
            head,
        }
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    whole
}
