//! Faults: a room that breaks, a storage that is full.

use std::path::Path;
use std::sync::Arc;

use axum::extract::ws::Message;
use lophoc_ledger::SessionKey;
use lophoc_protocol::client::{ClientInfo, DeviceClass};
use lophoc_protocol::{
    ClientMessage, Hello, PersonId, Profile, Role, RoomId, RoomMode, ServerFrame, ServerMessage,
    SlotCounts, parse_server,
};
use lophoc_records::{Store, StoreOptions};
use lophoc_transport::{MediaConfig, MediaPlane};

use super::{Joining, RoomHandle, ToRoom};
use crate::app::{App, Parts};
use crate::auth::{Keys, TokenClaims};
use crate::classes::create;
use crate::clock::Clock;
use crate::config::Config;
use crate::media::Routes;
use crate::metrics::Metrics;
use crate::ws::outbox::{Bounds, Next, Outbox};

struct World {
    app: Arc<App>,
    room: RoomId,
    session: SessionKey,
}

async fn world(folder: &Path, max_bytes: Option<u64>) -> World {
    let store = Store::open_with(&folder.join("db"), StoreOptions { max_bytes })
        .await
        .unwrap();
    let session = create(&store, "Lớp", "Sở", RoomMode::Discussion, 1)
        .await
        .unwrap();
    let media = MediaConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        announce: vec!["127.0.0.1".parse().unwrap()],
        shards: 1,
        ..MediaConfig::default()
    };
    let routes = Arc::new(Routes::default());
    let media = MediaPlane::start(media, |_| {}).unwrap();
    let parts = Parts {
        config: Config::default(),
        keys: Keys::new(&[1; 32]),
        boot: store.next_boot().await.unwrap(),
        store,
        media,
        routes,
        metrics: Metrics::new().unwrap(),
        clock: Clock::new(),
        remote: None,
    };
    World {
        app: App::new(parts),
        room: RoomId(session.room),
        session: session.id,
    }
}

impl World {
    /// Somebody comes in; the room, his queue and his link.
    async fn join(&self, person: &str) -> (RoomHandle, Arc<Outbox>, lophoc_room::LinkId) {
        let link = self.app.next_link();
        let outbox = Arc::new(Outbox::held(Bounds {
            messages: 64,
            bytes: 1 << 20,
        }));
        let claims = TokenClaims {
            room: self.room.clone(),
            session: self.session.clone(),
            person: PersonId::from(person),
            name: person.to_owned(),
            unit: None,
            role: Role::Learner,
            site: None,
            waits: false,
            rules: None,
            recording: None,
            device: "d".into(),
            exp: u64::MAX,
        };
        let hello = Box::new(Hello {
            proto: vec![1],
            client: ClientInfo {
                app: "test".into(),
                ver: "1".into(),
                browser: String::new(),
                class: DeviceClass::Desk,
                caps: vec![],
            },
            token: String::new(),
            resume: None,
            lang: "vi".into(),
            profile: Profile::Viewer,
            slots: SlotCounts { a: 3, v: 2, s: 1 },
            offer: None,
            take_over: false,
        });
        let joining = Joining {
            link,
            id: None,
            claims,
            hello,
            outbox: Arc::clone(&outbox),
        };
        (
            self.app.rooms.join(&self.app, joining).await.unwrap(),
            outbox,
            link,
        )
    }
}

/// The next message, or what else the socket would do.
async fn next(outbox: &Outbox) -> Result<ServerFrame, Next> {
    match outbox.next().await {
        Next::Send(frame) => match frame.message(false) {
            Message::Text(text) => Ok(parse_server(text.as_str()).unwrap()),
            other => panic!("{other:?}"),
        },
        other => Err(other),
    }
}

async fn answer(outbox: &Outbox, id: u32) -> ServerMessage {
    loop {
        let frame = next(outbox).await.unwrap();
        if frame.id == Some(id) {
            return frame.msg;
        }
    }
}

fn chat(n: u32, text: &str) -> ClientMessage {
    ClientMessage::Chat {
        cid: format!("c{n}"),
        text: text.to_owned(),
        to: lophoc_protocol::talk::Audience::All,
    }
}

#[tokio::test]
async fn a_room_that_breaks_is_rebuilt_from_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), None).await;
    let (room, outbox, link) = world.join("An").await;
    room.frame(link, Some(7), chat(1, "trước")).await.unwrap();
    assert_eq!(answer(&outbox, 7).await, ServerMessage::Ok);
    room.send(ToRoom::Break).await.unwrap();
    // Sockets notice when they speak to it.
    while room.heard(link).await.is_ok() {
        tokio::task::yield_now().await;
    }
    // The watcher of the task tells when all of it is gone.
    while world.app.metrics.room_faults.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        world.app.routes.peers(),
        0,
        "nobody is left in the media plane"
    );
    let (_, outbox, _) = world.join("Bình").await;
    assert!(matches!(
        next(&outbox).await.unwrap().msg,
        ServerMessage::Welcome(_)
    ));
    match next(&outbox).await.unwrap().msg {
        ServerMessage::State { chat, .. } => assert_eq!(chat[0].text, "trước"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.app.metrics.room_faults.get(), 1);
    world.app.media.shutdown();
}

#[tokio::test]
async fn with_a_full_storage_nothing_is_acknowledged_and_the_class_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    // Room for the schema and a few messages.
    let path = folder.path().join("db");
    Store::open(&path).await.unwrap().close().await;
    let schema = std::fs::metadata(&path).unwrap().len();
    let world = world(folder.path(), Some(schema + 96 * 1024)).await;
    let (room, writer, link) = world.join("An").await;
    let (_, reader, _) = world.join("Bình").await;
    let text = "ế".repeat(4_900);
    let mut n = 0;
    let refused = loop {
        n += 1;
        assert!(n < 10, "the storage never filled up");
        room.frame(link, Some(n), chat(n, &text)).await.unwrap();
        let told = answer(&writer, n).await;
        if told != ServerMessage::Ok {
            break told;
        }
    };
    let busy = ServerMessage::Err {
        code: lophoc_protocol::ErrorCode::Busy,
        retry: true,
    };
    assert_eq!(refused, busy);
    // Sent again it is known to the room, and still not on disk.
    room.frame(link, Some(100), chat(n, &text)).await.unwrap();
    assert_eq!(answer(&writer, 100).await, busy);
    // The others have the message all the same: the room goes on.
    let mut heard = 0;
    while heard < n {
        heard += u32::from(matches!(
            next(&reader).await.unwrap().msg,
            ServerMessage::Chat { .. }
        ));
    }
    // A newcomer's join cannot be kept, so he is not let in.
    let (_, newcomer, _) = world.join("Chi").await;
    assert!(matches!(next(&newcomer).await, Err(Next::NotKept)));
    assert!(!world.app.database_writable().await);
    world.app.media.shutdown();
}
