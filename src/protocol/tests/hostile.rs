//! Whatever arrives, parsing returns.
#![allow(clippy::unwrap_used, clippy::panic)]

use lophoc_protocol::{ClientMessage, ErrorCode, TrackId, parse_client, parse_server};
use proptest::prelude::*;
use serde_json::Value;

const TAGS: &[&str] = &[
    "hello",
    "offer",
    "ice",
    "view",
    "pub",
    "ping",
    "leave",
    "hand",
    "chat",
    "chatPage",
    "peoplePage",
    "modMute",
    "modMuteAll",
    "modAsk",
    "askReply",
    "modFloor",
    "modHand",
    "modRemove",
    "modLock",
    "modMode",
    "modStart",
    "modBreak",
    "modWaiting",
    "modAdmit",
    "modDeny",
    "lobbyPage",
    "modCheck",
    "modChecks",
    "checkReply",
    "modEnd",
    "waiting",
    "lobby",
    "check",
    "welcome",
    "state",
    "bind",
    "people",
    "you",
    "x",
];
const KEYS: &[&str] = &[
    "id", "seq", "t", "up", "cid", "text", "q", "from", "n", "who", "kind", "st", "sdp", "rev",
    "slots", "audio", "mode", "proto", "client", "token", "profile", "c", "l", "v", "a", "counts",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        proptest::sample::select(&["mic", "live", "k1c", "training", "k"][..])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(KEYS), inner), 0..6).prop_map(
                |pairs| pairs
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<Value>()
            ),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = parse_client(&text);
        let _ = parse_server(&text);
        let _ = text.parse::<TrackId>();
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = parse_client(&text);
        let _ = parse_server(&text);
    }

    #[test]
    fn arbitrary_fields_under_a_known_tag_never_panic(
        tag in proptest::sample::select(TAGS),
        fields in proptest::collection::vec((proptest::sample::select(KEYS), any_json()), 0..8),
    ) {
        let mut object: serde_json::Map<String, Value> =
            fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        object.insert("t".into(), Value::from(tag));
        let text = Value::from(object).to_string();
        let _ = parse_server(&text);
        // What was understood once is understood again the same.
        if let Ok(frame) = parse_client(&text) {
            let again = serde_json::to_string(&frame).unwrap();
            if frame.msg != ClientMessage::Unknown {
                prop_assert_eq!(parse_client(&again), Ok(frame));
            }
        }
    }

    #[test]
    fn a_track_id_reads_back_what_it_prints(peer in any::<u64>(), pick in 0usize..4) {
        use lophoc_protocol::MediaKind::{Camera, Mic, Screen, ScreenAudio};
        let track = TrackId { peer, kind: [Mic, Camera, Screen, ScreenAudio][pick] };
        prop_assert_eq!(track.to_string().parse::<TrackId>(), Ok(track));
    }
}

#[test]
fn a_bad_message_is_refused_under_its_request_id() {
    let bad = parse_client(r#"{"t":"pub","id":7,"kind":"smell","st":"live"}"#).unwrap_err();
    assert_eq!((bad.id, bad.code), (Some(7), ErrorCode::BadRequest));
    let text = serde_json::to_string(&bad.reply()).unwrap();
    assert_eq!(text, r#"{"id":7,"t":"err","code":"bad_request"}"#);
    assert_eq!(parse_client("{").unwrap_err().id, None);
    assert_eq!(
        parse_client(r#"{"t":"ping","id":-1,"c":1}"#)
            .unwrap_err()
            .id,
        None
    );
}

#[test]
fn nesting_beyond_reason_is_refused() {
    let text = "[".repeat(100_000);
    assert!(parse_client(&text).is_err());
    let text = format!(
        r#"{{"t":"x","a":{}1{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(parse_client(&text).is_err());
}

#[test]
fn text_beyond_the_largest_frame_is_too_large() {
    let text = format!(
        r#"{{"t":"chat","cid":"1","text":"{}"}}"#,
        "a".repeat(600_000)
    );
    assert_eq!(parse_client(&text).unwrap_err().code, ErrorCode::TooLarge);
}
