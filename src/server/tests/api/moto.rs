//! A storage of S3's kind on this machine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lophoc::config::{Config, StorageEncryption, StorageKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub struct Moto(Child, u16);

/// Where `scripts/packages.sh test` puts it, or wherever the shell finds it.
fn program() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin/moto_server");
    match own.is_file() {
        true => own,
        false => PathBuf::from("moto_server"),
    }
}

impl Moto {
    /// `None` where it is not installed; one that does not start fails the test.
    pub async fn start() -> Option<Self> {
        // The port may be another's before moto takes it: then on another one.
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let child = Command::new(program())
                .args(["-H", "127.0.0.1", "-p", &port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let Ok(child) = child else {
                println!("SKIPPED: moto_server is not installed (scripts/packages.sh test)");
                return None;
            };
            let mut moto = Self(child, port);
            if moto.listens().await {
                return Some(moto);
            }
        }
        panic!("moto_server does not listen");
    }

    async fn listens(&mut self) -> bool {
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if self.0.try_wait().unwrap().is_some() {
                return false;
            }
            let to = ("127.0.0.1", self.1);
            if tokio::net::TcpStream::connect(to).await.is_ok() {
                return self.ask("PUT", "/bucket").await.contains(" 200 ");
            }
        }
        false
    }

    /// Recordings are taken there, and do not stay here.
    pub fn set(&self, config: &mut Config) {
        config.storage.kind = StorageKind::S3;
        config.storage.endpoint = format!("http://127.0.0.1:{}", self.1);
        config.storage.bucket = "bucket".to_owned();
        config.storage.access_key = "key".to_owned();
        config.storage.secret_key = "secret".to_owned();
        config.storage.keep_local = false;
        config.storage.encryption = StorageEncryption::Aes256;
    }

    /// Its answer to a call by hand.
    pub async fn ask(&self, method: &str, path: &str) -> String {
        self.send(method, path, b"").await
    }

    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.1))
            .await
            .unwrap();
        let call = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(call.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Names of all that lies there.
    pub async fn names(&self) -> String {
        self.ask("GET", "/bucket?list-type=2").await
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
