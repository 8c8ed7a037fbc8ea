//! A server of a test's own, and browsers that call it.
#![allow(dead_code, reason = "not every slice needs every helper")]

use std::path::Path;

use lophoc::Server;
use lophoc::config::Config;
use lophoc_classes::{PersonForm, UnitId, UnitRole};
use lophoc_ledger::PersonKey;
use lophoc_records::Store;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A password the rules take.
pub const PASSWORD: &str = "mưa rào tháng bảy";

pub struct World {
    pub server: Server,
    _folder: tempfile::TempDir,
}

/// An account and the browser that signed in with it.
pub struct Member {
    pub person: PersonKey,
    pub login: String,
    pub browser: Browser,
}

/// What a call answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower-case head.
    pub head: String,
    pub body: String,
}

/// A client with a cookie, a token, or neither.
#[derive(Debug, Clone)]
pub struct Browser {
    pub host: String,
    pub cookie: Option<String>,
    pub bearer: Option<String>,
}

/// Defaults on free loopback ports and a temporary folder.
pub fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.server.listen = vec!["127.0.0.1:0".parse().unwrap()];
    config.data.folder = folder.to_owned();
    config.media.port = 0;
    config.media.shards = 1;
    config.media.listen = vec!["127.0.0.1".parse().unwrap()];
    config.media.announce = vec!["127.0.0.1".parse().unwrap()];
    config
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        Self {
            server: Server::start(config).await.unwrap(),
            _folder: folder,
        }
    }

    /// Its data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.server.app.config.data.folder.clone()
    }

    pub fn store(&self) -> &Store {
        &self.server.app.store
    }

    /// `127.0.0.1:port`
    pub fn host(&self) -> String {
        self.server.addresses()[0].to_string()
    }

    /// Nobody signed in.
    pub fn browser(&self) -> Browser {
        Browser {
            host: self.host(),
            cookie: None,
            bearer: None,
        }
    }

    pub async fn person(&self, name: &str, unit: Option<&str>) -> PersonKey {
        let form = PersonForm {
            name: name.to_owned(),
            unit: unit.map(UnitId::from),
            ..PersonForm::default()
        };
        self.store().add_person(&form, 1).await.unwrap()
    }

    /// An administrator with a password of his own.
    pub async fn admin(&self) -> Member {
        let printed = lophoc::create_account(self.store(), "quan.tri", "Quản trị", true)
            .await
            .unwrap();
        self.settle(&printed.login, &printed.password).await
    }

    /// Somebody with an account, roles in units, and a password of his own.
    pub async fn member(&self, login: &str, unit: Option<&str>, roles: &[UnitRole]) -> Member {
        let printed = lophoc::create_account(self.store(), login, "Lê Văn An", false)
            .await
            .unwrap();
        let mut form = self
            .store()
            .person(&printed.person)
            .await
            .unwrap()
            .unwrap()
            .form;
        form.unit = unit.map(UnitId::from);
        self.store()
            .update_person(&printed.person, &form)
            .await
            .unwrap();
        self.store()
            .set_account_roles(&printed.person, false, roles)
            .await
            .unwrap();
        self.settle(&printed.login, &printed.password).await
    }

    /// Signs in with a first password and changes it.
    pub async fn settle(&self, login: &str, first: &str) -> Member {
        let browser = self.sign_in(login, first).await;
        let change = json!({"old": first, "new": PASSWORD});
        let (status, told) = browser.post("/me/password", &change).await;
        assert_eq!(status, 200, "{told}");
        Member {
            person: PersonKey(told["account"]["person"].as_str().unwrap().to_owned()),
            login: login.to_owned(),
            browser,
        }
    }

    /// A browser that signed in.
    pub async fn sign_in(&self, login: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        let body = json!({"login": login, "password": password});
        let answer = browser
            .call(
                "POST",
                "/api/v1/sign-in",
                &browser.headers(),
                &body.to_string(),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser.cookie = Some(answer.cookie().unwrap());
        browser
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The secret the answer sets.
    pub fn cookie(&self) -> Option<String> {
        let (_, rest) = self.head.split_once("set-cookie: lophoc=")?;
        Some(rest.split(';').next()?.to_owned())
    }

    /// Code of the refusal.
    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Browser {
    /// With a token instead of a cookie.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            cookie: None,
            bearer: Some(token.to_owned()),
            host: self.host.clone(),
        }
    }

    /// What one of our own pages sends.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-lophoc", "1".to_owned()),
            ("origin", format!("http://{}", self.host)),
        ];
        if let Some(cookie) = &self.cookie {
            headers.push(("cookie", format!("lophoc={cookie}")));
        }
        if let Some(token) = &self.bearer {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        headers
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, &body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("PUT", path, &body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.ask("DELETE", path, "").await
    }

    /// A call below `/api/v1` with the headers of our own pages.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let path = format!("/api/v1{path}");
        let answer = self.call(method, &path, &self.headers(), body).await;
        (answer.status, answer.json())
    }

    /// Any call with exactly these headers.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let body = body.as_ref();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.host
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        let _ = stream.write_all(head.as_bytes()).await;
        // A server that refuses a large body may cut the rest off.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        read(&answer)
    }
}

fn read(answer: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head[9..12].parse().unwrap();
    // The secret in a cookie has capitals; names of headers are sent small.
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Answer {
        status,
        head: head.to_owned(),
        body: if chunked {
            dechunk(body)
        } else {
            body.to_owned()
        },
    }
}

fn dechunk(body: &str) -> String {
    let mut out = Vec::new();
    let mut rest = body.as_bytes();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < end + 2 + size {
            break;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The code of a refusal.
pub fn code(answer: &(u16, Value)) -> (u16, &str) {
    (
        answer.0,
        answer.1["error"]["code"].as_str().unwrap_or_default(),
    )
}
