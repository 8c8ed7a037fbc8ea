//! One websocket from hello to close.
//!
//! Reading and writing go on side by side: a client that reads nothing still is
//! heard, and one that sends nothing still is told. Whatever ends first ends the
//! link.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use lophoc_protocol::limits::LINK_TIMEOUT_MS;
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::wire::CAP_GZIP;
use lophoc_protocol::{
    BadFrame, ClientFrame, ClientMessage, ErrorCode, Hello, PROTO, ServerFrame, ServerMessage,
    parse_client,
};
use lophoc_room::LinkId;

use super::codec::{Encoded, decode_binary};
use super::outbox::{Bounds, Lane, Next, Outbox};
use crate::app::App;
use crate::auth::TokenClaims;
use crate::bucket::Bucket;
use crate::clock::wall_ms;
use crate::http::error::code_of;
use crate::media::bound_view;
use crate::room::{Joining, RoomGone, RoomHandle};

/// The first frame must come within this time.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Longest a single write may take.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// Time for the last words to a client that is being closed.
const FAREWELL: Duration = Duration::from_secs(2);
/// Frames that are no messages of ours before the link is closed; one a minute
/// is forgiven.
const BAD_FRAMES: (f64, u32) = (1.0 / 60.0, 4);
/// Frames above the rate before the link is closed; five a second are forgiven.
const LIMITED_FRAMES: (f64, u32) = (5.0, 200);

/// Longest candidate line looked at, bytes. Overflow: ignored.
const MAX_CANDIDATE: usize = 512;

type Sink = SplitSink<WebSocket, Message>;
type Stream = SplitStream<WebSocket>;

/// Why a link ended; the name is the label in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed it.
    Closed,
    /// The connection broke.
    Broken,
    /// Nothing was heard for too long.
    Silent,
    /// The room asked for it.
    Room,
    /// The client read too slowly.
    Slow,
    /// Too many frames that are none.
    Malformed,
    /// A frame larger than allowed.
    TooLarge,
    /// Too many frames.
    Flood,
    /// The room stopped.
    RoomGone,
    /// The storage failed what the client waits for.
    NotKept,
}

impl End {
    fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Silent => "silent",
            Self::Room => "room",
            Self::Slow => "slow",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Flood => "flood",
            Self::RoomGone => "room_gone",
            Self::NotKept => "not_kept",
        }
    }

    /// What the client is told, where it is not told by the room.
    fn bye(self) -> Option<Bye> {
        let (action, code, after) = match self {
            Self::Closed | Self::Broken | Self::Room => return None,
            Self::Silent => (ByeAction::Resume, None, None),
            Self::Slow | Self::RoomGone => (ByeAction::Resume, Some(ErrorCode::Busy), Some(500)),
            Self::NotKept => (ByeAction::Rejoin, Some(ErrorCode::Busy), Some(2_000)),
            Self::Malformed => (ByeAction::Stop, Some(ErrorCode::BadRequest), None),
            Self::TooLarge => (ByeAction::Stop, Some(ErrorCode::TooLarge), None),
            Self::Flood => (
                ByeAction::Rejoin,
                Some(ErrorCode::RateLimited),
                Some(10_000),
            ),
        };
        Some(Bye {
            action,
            code,
            after,
        })
    }
}

/// Last words.
struct Bye {
    action: ByeAction,
    code: Option<ErrorCode>,
    /// Wait before coming back, ms.
    after: Option<u64>,
}

/// Serves a socket until it closes.
pub async fn run(app: &Arc<App>, socket: WebSocket) {
    let (sink, mut stream) = socket.split();
    let greeting = match tokio::time::timeout(HELLO_WITHIN, read_hello(&mut stream)).await {
        Ok(Ok(greeting)) => greeting,
        Ok(Err(Some(bad))) => return refuse(app, sink, stream, bad).await,
        Ok(Err(None)) => return,
        Err(_) => {
            return refuse(
                app,
                sink,
                stream,
                BadFrame {
                    id: None,
                    code: ErrorCode::BadRequest,
                },
            )
            .await;
        }
    };
    let (id, hello) = greeting;
    let link = app.next_link();
    match enter(app, link, id, hello).await {
        Ok(entered) => serve(app, link, entered, sink, stream).await,
        Err(code) => {
            app.metrics
                .joins
                .with_label_values(&[label(code).as_str()])
                .inc();
            refuse(app, sink, stream, BadFrame { id, code }).await;
        }
    }
}

/// A link that has its room.
struct Entered {
    room: RoomHandle,
    outbox: Arc<Outbox>,
    gzip: bool,
}

async fn read_hello(stream: &mut Stream) -> Result<(Option<u32>, Box<Hello>), Option<BadFrame>> {
    loop {
        let frame = match stream.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(message)) => decode(&message).map_err(Some)?,
            Some(Err(_)) | None => return Err(None),
        };
        return match frame {
            Some(ClientFrame {
                id,
                msg: ClientMessage::Hello(hello),
            }) => Ok((id, hello)),
            Some(ClientFrame { id, .. }) => Err(Some(BadFrame {
                id,
                code: ErrorCode::BadRequest,
            })),
            None => Err(None),
        };
    }
}

/// The message in a frame; `None` for a close.
fn decode(message: &Message) -> Result<Option<ClientFrame>, BadFrame> {
    match message {
        Message::Text(text) => parse_client(text.as_str()).map(Some),
        Message::Binary(bytes) => decode_binary(bytes).map(Some),
        Message::Close(_) | Message::Ping(_) | Message::Pong(_) => Ok(None),
    }
}

/// Checks the token and hands the link to its room.
async fn enter(
    app: &Arc<App>,
    link: LinkId,
    id: Option<u32>,
    hello: Box<Hello>,
) -> Result<Entered, ErrorCode> {
    if !hello.proto.contains(&PROTO) {
        return Err(ErrorCode::BadRequest);
    }
    let claims = TokenClaims::open(&app.keys, &hello.token, wall_ms()).map_err(code_of)?;
    let gzip = hello.client.caps.iter().any(|cap| cap == CAP_GZIP);
    let limits = &app.config.limits;
    let outbox = Arc::new(Outbox::held(Bounds {
        messages: limits.outbox_messages,
        bytes: limits.outbox_bytes,
    }));
    let joining = Joining {
        link,
        id,
        claims,
        hello,
        outbox: Arc::clone(&outbox),
    };
    let room = app.rooms.join(app, joining).await?;
    Ok(Entered { room, outbox, gzip })
}

async fn serve(app: &Arc<App>, link: LinkId, entered: Entered, mut sink: Sink, mut stream: Stream) {
    let Entered { room, outbox, gzip } = entered;
    let end = {
        let reading = read(app, link, &room, &outbox, &mut stream);
        let writing = write(app, &outbox, gzip, &mut sink);
        tokio::select! {
            end = reading => end,
            end = writing => end,
            () = outbox.shed() => End::Slow,
        }
    };
    // The room first: who watches the roster should not wait for the farewell.
    room.closed(link, end == End::Closed).await;
    app.metrics.closed.with_label_values(&[end.label()]).inc();
    tracing::debug!(link = link.0, end = end.label(), "link closed");
    if let Some(bye) = end.bye() {
        farewell(&mut sink, bye).await;
    }
    close(sink, stream).await;
}

async fn read(
    app: &App,
    link: LinkId,
    room: &RoomHandle,
    outbox: &Outbox,
    stream: &mut Stream,
) -> End {
    let limits = &app.config.limits;
    let now = || app.clock.now().mono_ms;
    let mut bucket = Bucket::new(
        f64::from(limits.frames_per_second),
        limits.frames_burst,
        now(),
    );
    let mut bad = Bucket::new(BAD_FRAMES.0, BAD_FRAMES.1, now());
    let mut limited = Bucket::new(LIMITED_FRAMES.0, LIMITED_FRAMES.1, now());
    loop {
        let silence = Duration::from_millis(LINK_TIMEOUT_MS);
        let message = match tokio::time::timeout(silence, stream.next()).await {
            Err(_) => return End::Silent,
            Ok(None | Some(Ok(Message::Close(_)))) => return End::Closed,
            Ok(Some(Err(error))) => return broken(&error),
            Ok(Some(Ok(message))) => message,
        };
        app.metrics.frames_in.inc();
        let allowed = bucket.take(now());
        let done = match decode(&message) {
            // Pings of the websocket itself: they count like any other frame.
            Ok(None) if allowed => room.heard(link).await,
            Ok(None) if limited.take(now()) => Ok(()),
            Ok(None) => return End::Flood,
            Ok(Some(frame)) if allowed => take(room, link, outbox, frame).await,
            Ok(Some(frame)) => {
                app.metrics
                    .refused
                    .with_label_values(&["rate_limited"])
                    .inc();
                if !limited.take(now()) {
                    return End::Flood;
                }
                reply(
                    outbox,
                    frame.id,
                    ServerMessage::Err {
                        code: ErrorCode::RateLimited,
                        retry: true,
                    },
                );
                room.heard(link).await
            }
            Err(refusal) => {
                app.metrics
                    .refused
                    .with_label_values(&[label(refusal.code).as_str()])
                    .inc();
                push(outbox, &refusal.reply());
                if !bad.take(now()) {
                    return End::Malformed;
                }
                Ok(())
            }
        };
        if done.is_err() {
            return End::RoomGone;
        }
    }
}

/// A frame larger than allowed ends the connection at the reader. The error's
/// type belongs to a version of a library that we do not name; its text is tested.
fn broken(error: &axum::Error) -> End {
    tracing::debug!(%error, "websocket broke");
    if error.to_string().contains("too long") {
        End::TooLarge
    } else {
        End::Broken
    }
}

async fn take(
    room: &RoomHandle,
    link: LinkId,
    outbox: &Outbox,
    frame: ClientFrame,
) -> Result<(), RoomGone> {
    let ClientFrame { id, msg } = frame;
    match msg {
        ClientMessage::Ping { c } => {
            reply(outbox, id, ServerMessage::Pong { c, now: wall_ms() });
            room.heard(link).await
        }
        ClientMessage::Unknown => {
            if id.is_some() {
                reply(
                    outbox,
                    id,
                    ServerMessage::Err {
                        code: ErrorCode::BadRequest,
                        retry: false,
                    },
                );
            }
            room.heard(link).await
        }
        msg => room.frame(link, id, bounded(msg)).await,
    }
}

/// What waits for the room is no larger than what it can use.
fn bounded(msg: ClientMessage) -> ClientMessage {
    match msg {
        ClientMessage::View(mut view) => {
            bound_view(&mut view);
            ClientMessage::View(view)
        }
        ClientMessage::Ice { cand } => ClientMessage::Ice {
            cand: cand.filter(|candidate| candidate.len() <= MAX_CANDIDATE),
        },
        other => other,
    }
}

async fn write(app: &App, outbox: &Outbox, gzip: bool, sink: &mut Sink) -> End {
    loop {
        let frame = match outbox.next().await {
            Next::Send(frame) => frame,
            Next::Close => return End::Room,
            Next::Shed => return End::Slow,
            Next::NotKept => return End::NotKept,
        };
        app.metrics.frames_out.inc();
        match tokio::time::timeout(WRITE_WITHIN, sink.send(frame.message(gzip))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Broken,
            Err(_) => return End::Slow,
        }
    }
}

fn reply(outbox: &Outbox, id: Option<u32>, msg: ServerMessage) {
    push(outbox, &ServerFrame { seq: None, id, msg });
}

fn push(outbox: &Outbox, frame: &ServerFrame) {
    match Encoded::new(frame) {
        Ok(frame) => outbox.push(Lane::Ordered, Arc::new(frame)),
        Err(error) => tracing::error!(%error, "a message cannot be serialized"),
    }
}

/// Answers a link that never got a room, and closes it.
async fn refuse(app: &App, mut sink: Sink, stream: Stream, bad: BadFrame) {
    app.metrics
        .refused
        .with_label_values(&[label(bad.code).as_str()])
        .inc();
    let (action, after) = match bad.code {
        ErrorCode::Busy | ErrorCode::Internal => (ByeAction::Rejoin, Some(2_000)),
        _ => (ByeAction::Stop, None),
    };
    if let Ok(frame) = Encoded::new(&bad.reply()) {
        let _ = tokio::time::timeout(FAREWELL, sink.send(frame.message(false))).await;
    }
    farewell(
        &mut sink,
        Bye {
            action,
            code: Some(bad.code),
            after,
        },
    )
    .await;
    close(sink, stream).await;
}

async fn farewell(sink: &mut Sink, bye: Bye) {
    let Bye {
        action,
        code,
        after,
    } = bye;
    let bye = ServerFrame {
        seq: None,
        id: None,
        msg: ServerMessage::Bye {
            action,
            code,
            after,
        },
    };
    if let Ok(frame) = Encoded::new(&bye) {
        let _ = tokio::time::timeout(FAREWELL, sink.send(frame.message(false))).await;
    }
}

/// Closes in order: what was sent arrives before the connection goes, because
/// what the client still sends is read meanwhile.
async fn close(mut sink: Sink, mut stream: Stream) {
    let normal = CloseFrame {
        code: 1000,
        reason: "".into(),
    };
    let _ = tokio::time::timeout(FAREWELL, async {
        if sink.send(Message::Close(Some(normal))).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    })
    .await;
}

/// A code as the protocol spells it, for a label.
fn label(code: ErrorCode) -> String {
    serde_json::to_value(code)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
