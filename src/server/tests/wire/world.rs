//! A server of a test's own, and people who come in.

use std::path::Path;

use lophoc::config::Config;
use lophoc::{LinkMaker, Server};
use lophoc_protocol::{Role, RoomMode};
use serde_json::{Value, json};

use crate::client::{Client, post};

pub struct World {
    pub server: Server,
    pub room: String,
    pub session: String,
    pub links: LinkMaker,
    folder: tempfile::TempDir,
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
        Self::with(RoomMode::Discussion, |_| {}).await
    }

    pub async fn with(mode: RoomMode, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let session = lophoc::create(&server.app.store, "Lớp thử", "Sở GDĐT", mode, 2)
            .await
            .unwrap();
        let links = LinkMaker::new(&server.app.store, server.public_url())
            .await
            .unwrap();
        Self {
            server,
            room: session.room,
            session: session.id.0,
            links,
            folder,
        }
    }

    /// The data folder, unless a test chose another.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `127.0.0.1:port`
    pub fn host(&self) -> String {
        self.server.addresses()[0].to_string()
    }

    pub fn link(&self, role: Role) -> String {
        self.links.link(&self.room, role, None, 1).unwrap()
    }

    /// The call of the join page: a session token.
    pub async fn token(&self, role: Role, name: &str) -> String {
        let mut body =
            json!({"link": self.link(role), "name": name, "device": format!("device of {name}")});
        // Guests say where they come from.
        if role == Role::Guest {
            body["unit"] = json!("Trường khách");
        }
        let (status, answer) = post(&self.host(), "/api/join", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Somebody who is in the room, greeted.
    pub async fn enter(&self, role: Role, name: &str) -> Client {
        let token = self.token(role, name).await;
        Client::enter(&self.host(), &token).await
    }
}

/// A hello without media.
pub fn hello(token: &str) -> Value {
    json!({
        "t": "hello", "id": 1, "proto": [1], "token": token, "lang": "vi",
        "client": {"app": "test", "ver": "1", "browser": "", "class": "desk", "caps": []},
        "profile": "seat", "slots": {"a": 5, "v": 9, "s": 1},
    })
}
