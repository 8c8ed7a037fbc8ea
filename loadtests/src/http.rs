//! As much HTTP/1.1 as a load client needs: one request per connection, plain
//! text, bodies of known length.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::{LoadError, Result};

/// Largest answer taken, bytes.
const MAX_ANSWER: u64 = 4 << 20;
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Host and port of a server reached without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// Parses `http://host:port`. TLS is not spoken by the generator: it would
    /// measure the generator's own handshakes.
    pub fn parse(url: &str) -> Result<Self> {
        let bad = || LoadError::BadUrl(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(bad)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (authority, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(bad());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// Value of the `Host` header.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Address of the signalling socket.
    pub fn websocket(&self) -> String {
        format!("ws://{}/rtc/v1", self.authority())
    }

    async fn exchange(&self, head: String, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let work = async {
            let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            stream.write_all(&[head.as_bytes(), body].concat()).await?;
            let mut answer = Vec::new();
            stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
            Ok(answer)
        };
        let answer = tokio::time::timeout(TIMEOUT, work)
            .await
            .map_err(|_| LoadError::Timeout("an HTTP answer"))?
            .map_err(LoadError::io(format!("request to {}", self.authority())))?;
        parse_answer(&answer)
            .ok_or_else(|| LoadError::Signal("the answer is not HTTP/1.1".to_owned()))
    }

    /// Sends JSON, expects JSON.
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T> {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.authority(),
            body.len()
        );
        let (status, answer) = self.exchange(head, body.as_bytes()).await?;
        let what = format!("POST {path}");
        if status != 200 {
            return Err(http_error(what, status, &answer));
        }
        serde_json::from_slice(&answer)
            .map_err(|why| LoadError::Signal(format!("{what}: answer not understood: {why}")))
    }

    /// Fetches bytes.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.authority()
        );
        match self.exchange(head, &[]).await? {
            (200, body) => Ok(body),
            (status, body) => Err(http_error(format!("GET {path}"), status, &body)),
        }
    }

    /// Sends bytes in the name of a person.
    pub async fn post_bytes(&self, path: &str, token: &str, body: &[u8]) -> Result<()> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.authority(),
            body.len()
        );
        match self.exchange(head, body).await? {
            (200..=299, _) => Ok(()),
            (status, body) => Err(http_error(format!("POST {path}"), status, &body)),
        }
    }

    /// Fetches text.
    pub async fn get(&self, path: &str) -> Result<String> {
        self.get_as(path, None).await
    }

    /// The same with a token.
    pub async fn get_as(&self, path: &str, token: Option<&str>) -> Result<String> {
        let right = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{right}Connection: close\r\n\r\n",
            self.authority()
        );
        let (status, answer) = self.exchange(head, &[]).await?;
        if status != 200 {
            return Err(http_error(format!("GET {path}"), status, &answer));
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

fn http_error(what: String, status: u16, body: &[u8]) -> LoadError {
    let body: String = String::from_utf8_lossy(body).chars().take(200).collect();
    LoadError::Http { what, status, body }
}

/// Splits an answer into status and body; chunked bodies are put together.
fn parse_answer(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()?
        .strip_prefix("HTTP/1.1 ")?
        .get(..3)?
        .parse()
        .ok()?;
    let chunked = lines.any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    if chunked {
        Some((status, dechunk(body)?))
    } else {
        Some((status, body.to_vec()))
    }
}

fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(body.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        body = body.get(end + 2..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(body.get(..size)?);
        body = body.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_parsed_and_others_refused() {
        let origin = Origin::parse("http://127.0.0.1:8080/x").unwrap();
        assert_eq!(
            origin,
            Origin {
                host: "127.0.0.1".into(),
                port: 8080
            }
        );
        assert_eq!(
            Origin::parse("http://[::1]:9").unwrap().websocket(),
            "ws://[::1]:9/rtc/v1"
        );
        assert_eq!(Origin::parse("http://lop").unwrap().port, 80);
        for bad in ["https://lop", "lop:80", "http://", "http://lop:port"] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_with_and_without_chunks_are_read() {
        let plain = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(parse_answer(plain), Some((404, b"hi".to_vec())));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n";
        assert_eq!(parse_answer(chunked), Some((200, b"abcd".to_vec())));
    }

    #[test]
    fn broken_answers_are_refused() {
        for bad in [
            &b""[..],
            b"HTTP/1.1 200",
            b"HTTP/1.1 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n",
        ] {
            assert_eq!(parse_answer(bad), None);
        }
    }
}
