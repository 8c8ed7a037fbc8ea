//! Joining over `lophoc.v1`: `POST /api/join`, then the websocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use lophoc_protocol::client::{ClientInfo, DeviceClass};
use lophoc_protocol::{
    ClientFrame, ClientMessage, Hello, MediaKind, PROTO, PersonId, Profile, SUBPROTOCOL,
    ServerFrame, ServerMessage, SlotCounts, TrackId, Welcome,
};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::error::{LoadError, Result};
use crate::http::Origin;

/// Buffers of a websocket, bytes.
const READ_BUFFER: usize = 4 * 1024;
/// Longest wait for an expected frame.
const FRAME_TIMEOUT: Duration = Duration::from_secs(20);

/// Answer of `POST /api/join`.
#[derive(Debug, Clone, Deserialize)]
pub struct Joined {
    /// Session token.
    pub token: String,
    /// Person id.
    pub person: PersonId,
}

/// What a client says of itself when it joins.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Join link, whole or only its last part.
    pub link: String,
    /// Display name; ignored by personal links.
    pub name: String,
    /// Key that makes an open link give the same person again.
    pub device: String,
}

/// The part of a join link behind `/j/`.
fn link_token(link: &str) -> &str {
    let link = link.split(['?', '#']).next().unwrap_or_default();
    link.rsplit('/').next().unwrap_or_default()
}

/// Trades a link for a session token.
pub async fn join(origin: &Origin, guest: &Guest) -> Result<Joined> {
    trade(origin, guest, None).await
}

/// The same, accepting to be recorded where the session is.
pub async fn join_recorded(origin: &Origin, guest: &Guest) -> Result<Joined> {
    let body = serde_json::json!({
        "link": link_token(&guest.link),
        "device": guest.device,
    });
    let told: serde_json::Value = origin.post_json("/api/link", &body).await?;
    let words = told.pointer("/recording/words");
    trade(origin, guest, words.and_then(serde_json::Value::as_str)).await
}

async fn trade(origin: &Origin, guest: &Guest, recording: Option<&str>) -> Result<Joined> {
    let body = serde_json::json!({
        "link": link_token(&guest.link),
        "name": guest.name,
        "unit": "Load test",
        "device": guest.device,
        "recording": recording,
    });
    origin.post_json("/api/join", &body).await
}

/// An open websocket.
pub struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Opens a websocket with small buffers: the usual ones are as large as all the rest
/// of a client.
pub(crate) async fn connect(
    request: Request,
) -> tokio_tungstenite::tungstenite::Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(READ_BUFFER);
    let (socket, _) =
        tokio_tungstenite::connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// Only the name of a message, for frames nobody looks into.
#[derive(Deserialize)]
struct Named<'a> {
    t: &'a str,
}

fn signal_error(why: impl std::fmt::Display) -> LoadError {
    LoadError::Signal(why.to_string())
}

impl Link {
    /// Opens the websocket, says hello with `offer`, returns the welcome.
    pub async fn open(
        origin: &Origin,
        token: String,
        profile: Profile,
        slots: SlotCounts,
        offer: String,
    ) -> Result<(Self, Box<Welcome>)> {
        let mut request = origin
            .websocket()
            .into_client_request()
            .map_err(signal_error)?;
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let mut link = Self {
            socket: connect(request).await.map_err(signal_error)?,
        };
        let hello = Hello {
            proto: vec![PROTO],
            client: ClientInfo {
                app: "lophoc-load".to_owned(),
                ver: env!("CARGO_PKG_VERSION").to_owned(),
                browser: String::new(),
                class: DeviceClass::Desk,
                caps: Vec::new(),
            },
            token,
            resume: None,
            lang: "vi".to_owned(),
            profile,
            slots,
            offer: Some(offer),
            take_over: false,
        };
        link.send(ClientMessage::Hello(Box::new(hello))).await?;
        let welcome = link
            .wait_for("welcome", |frame| match frame.msg {
                ServerMessage::Welcome(welcome) => Some(welcome),
                _ => None,
            })
            .await?;
        Ok((link, welcome))
    }

    /// Sends a message without asking for a reply.
    pub async fn send(&mut self, msg: ClientMessage) -> Result<()> {
        self.send_frame(&ClientFrame { id: None, msg }).await
    }

    /// Sends a frame.
    pub async fn send_frame(&mut self, frame: &ClientFrame) -> Result<()> {
        let text = serde_json::to_string(frame).map_err(signal_error)?;
        self.socket
            .send(Message::Text(text.into()))
            .await
            .map_err(signal_error)
    }

    async fn text(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(_))) | None => {
                    return Err(signal_error("the server closed the link"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(signal_error(error)),
            }
        }
    }

    /// Next frame.
    pub async fn next(&mut self) -> Result<ServerFrame> {
        let text = self.text().await?;
        serde_json::from_str(&text)
            .map_err(|why| signal_error(format!("frame not understood: {why}: {text:.200}")))
    }

    /// Reads on until `pick` finds what it looks for. An `err`, `bye` or silence
    /// is an error.
    pub async fn wait_for<T>(
        &mut self,
        what: &'static str,
        mut pick: impl FnMut(ServerFrame) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                let frame = self.next().await?;
                match &frame.msg {
                    ServerMessage::Err { code, .. } => {
                        return Err(signal_error(format!("waiting for {what}: error {code:?}")));
                    }
                    ServerMessage::Bye { action, code, .. } => {
                        return Err(signal_error(format!(
                            "waiting for {what}: bye {action:?} {code:?}"
                        )));
                    }
                    _ => {}
                }
                if let Some(found) = pick(frame) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(FRAME_TIMEOUT, search)
            .await
            .map_err(|_| LoadError::Timeout(what))?
    }

    /// Waits until somebody publishes the given kind of track.
    pub async fn find_track(&mut self, kind: MediaKind) -> Result<TrackId> {
        let found = self.find_tracks(kind, 1).await?;
        found
            .first()
            .copied()
            .ok_or_else(|| signal_error("no track in the roster"))
    }

    /// Waits until `count` tracks of the given kind are published.
    pub async fn find_tracks(&mut self, kind: MediaKind, count: usize) -> Result<Vec<TrackId>> {
        let mut found: Vec<TrackId> = Vec::new();
        self.wait_for("tracks in the roster", |frame| {
            let people = match frame.msg {
                ServerMessage::State { people, .. } => people,
                ServerMessage::People { add, chg, .. } => add.into_iter().chain(chg).collect(),
                _ => return None,
            };
            for track in people.into_iter().flat_map(|person| person.tracks) {
                if track.kind == kind && !found.contains(&track.k) {
                    found.push(track.k);
                }
            }
            (found.len() >= count).then_some(())
        })
        .await?;
        found.truncate(count);
        Ok(found)
    }

    /// Keeps the link alive until `stop` resolves, then leaves. Frames are read
    /// and counted, not understood, as a client would have to; returns how many
    /// came.
    pub async fn keep(mut self, stop: impl Future<Output = ()>) -> Result<u64> {
        let mut ping = tokio::time::interval(Duration::from_millis(
            lophoc_protocol::limits::PING_EVERY_MS,
        ));
        let mut frames = 0;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = ping.tick() => self.send(ClientMessage::Ping { c: 0 }).await?,
                text = self.text() => {
                    let text = text?;
                    frames += 1;
                    if serde_json::from_str::<Named<'_>>(&text).is_ok_and(|name| name.t == "bye") {
                        return Err(signal_error(format!("the server ended the link: {text:.200}")));
                    }
                }
            }
        }
        self.leave().await?;
        Ok(frames)
    }

    /// Says that the person leaves and closes the link.
    pub async fn leave(mut self) -> Result<()> {
        self.send(ClientMessage::Leave).await?;
        self.socket.close(None).await.map_err(signal_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_be_whole_or_bare() {
        assert_eq!(link_token("http://127.0.0.1:1/j/abc.def?x=1"), "abc.def");
        assert_eq!(link_token("abc.def"), "abc.def");
        assert_eq!(link_token("/j/abc.def#top"), "abc.def");
    }
}
