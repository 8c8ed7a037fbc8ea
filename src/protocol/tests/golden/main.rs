//! Golden JSON files: one or more per message, parsed by both sides.
//! `UPDATE_GOLDEN=1 cargo test -p lophoc-protocol` rewrites them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod board;
mod captions;
mod client;
mod fixtures;
mod notes;
mod room;
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lophoc_protocol::{
    ClientFrame, ClientMessage, ServerFrame, ServerMessage, parse_client, parse_server,
};
use ts_rs::{Config, TS};

/// Names of all variants, as the client's TypeScript has them.
fn variants<T: TS>() -> BTreeSet<String> {
    T::decl(&Config::default())
        .split("\"t\": \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn all_client_samples() -> Vec<(&'static str, ClientFrame)> {
    let mut samples = client::client_samples();
    samples.extend(room::client_samples());
    samples.extend(board::client_samples());
    samples.extend(captions::client_samples());
    samples.extend(notes::client_samples());
    samples
}

fn all_server_samples() -> Vec<(&'static str, ServerFrame)> {
    let mut samples = server::server_samples();
    samples.extend(room::server_samples());
    samples.extend(board::server_samples());
    samples.extend(captions::server_samples());
    samples.extend(notes::server_samples());
    samples
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn check_file(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        found,
        wanted,
        "{} is stale; UPDATE_GOLDEN=1 rewrites it",
        path.display()
    );
}

fn pretty(frame: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(frame).unwrap() + "\n"
}

/// Every `.json` in the folder belongs to a sample.
fn assert_no_orphans(dir: &Path, names: &BTreeSet<&str>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".json").unwrap();
        assert!(names.contains(stem), "{name} has no sample");
    }
}

#[test]
fn golden_client_messages_are_current_and_read_back_the_same() {
    let dir = golden_dir().join("client");
    let samples = all_client_samples();
    let mut covered = BTreeSet::new();
    for (name, frame) in &samples {
        let text = pretty(frame);
        check_file(&dir.join(format!("{name}.json")), &text);
        assert_eq!(parse_client(&text).as_ref(), Ok(frame), "{name}");
        let variant = name.split('-').next().unwrap();
        assert!(text.contains(&format!("\"t\": \"{variant}\"")), "{text}");
        covered.insert(variant.to_owned());
    }
    assert_eq!(
        covered,
        variants::<ClientMessage>(),
        "a message has no golden file"
    );
    assert_no_orphans(&dir, &samples.iter().map(|(name, _)| *name).collect());
}

#[test]
fn golden_server_messages_are_current_and_read_back_the_same() {
    let dir = golden_dir().join("server");
    let samples = all_server_samples();
    let mut covered = BTreeSet::new();
    for (name, frame) in &samples {
        let text = pretty(frame);
        check_file(&dir.join(format!("{name}.json")), &text);
        assert_eq!(parse_server(&text).as_ref(), Ok(frame), "{name}");
        let variant = name.split('-').next().unwrap();
        assert!(text.contains(&format!("\"t\": \"{variant}\"")), "{text}");
        covered.insert(variant.to_owned());
    }
    assert_eq!(
        covered,
        variants::<ServerMessage>(),
        "a message has no golden file"
    );
    assert_no_orphans(&dir, &samples.iter().map(|(name, _)| *name).collect());
}

/// `t`, `id` and `seq` belong to the frame; `serde(flatten)` would let a
/// message field of the same name shadow them.
#[test]
fn no_message_has_a_field_that_collides_with_the_frame() {
    let frames = all_client_samples()
        .iter()
        .map(|(name, frame)| (*name, serde_json::to_value(&frame.msg).unwrap()))
        .chain(
            all_server_samples()
                .iter()
                .map(|(name, frame)| (*name, serde_json::to_value(&frame.msg).unwrap())),
        )
        .collect::<Vec<_>>();
    for (name, message) in frames {
        let fields = message.as_object().unwrap();
        assert!(!fields.contains_key("id"), "{name}");
        assert!(!fields.contains_key("seq"), "{name}");
    }
}

#[test]
fn a_message_from_the_future_is_unknown_and_keeps_its_request_id() {
    let dir = golden_dir().join("future");
    let unknown = std::fs::read_to_string(dir.join("unknown.json")).unwrap();
    assert_eq!(
        parse_client(&unknown),
        Ok(ClientFrame {
            id: Some(3),
            msg: ClientMessage::Unknown
        })
    );
    let server = parse_server(&unknown).unwrap();
    assert_eq!(server.msg, ServerMessage::Unknown);
    assert_eq!((server.seq, server.id), (Some(99), Some(3)));
}

#[test]
fn fields_from_the_future_are_ignored() {
    let dir = golden_dir().join("future");
    let chat = std::fs::read_to_string(dir.join("chat-more.json")).unwrap();
    let frame = parse_server(&chat).unwrap();
    assert_eq!(frame.seq, Some(45));
    let ServerMessage::Chat { m } = frame.msg else {
        panic!("{chat}")
    };
    assert_eq!(m.text, "Xin chào");
    let hand = r#"{"mood":{"x":[1,2]},"up":true,"t":"hand","id":5}"#;
    let frame = parse_client(hand).unwrap();
    assert_eq!(
        frame,
        ClientFrame {
            id: Some(5),
            msg: ClientMessage::Hand { up: true }
        }
    );
}
