//! The JSON of events: names are for ever, newer logs load.

use lophoc_ledger::{Event, EventKind, LeaveReason, PersonKey, SessionKey, Stamp};
use proptest::prelude::*;
use serde_json::json;

fn person() -> impl Strategy<Value = PersonKey> {
    "p[a-z0-9]{1,8}".prop_map(PersonKey)
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(wall_ms, mono_ms, boot)| Stamp {
        wall_ms,
        mono_ms,
        boot,
    })
}

fn reason() -> impl Strategy<Value = LeaveReason> {
    prop_oneof![
        Just(LeaveReason::Left),
        Just(LeaveReason::Network),
        Just(LeaveReason::Removed),
        Just(LeaveReason::Ended),
        Just(LeaveReason::ServerStopped),
        Just(LeaveReason::TakenOver),
    ]
}

fn kind() -> impl Strategy<Value = EventKind> {
    let text = "\\PC{0,12}";
    prop_oneof![
        (text, text, text).prop_map(|(room, title, host)| EventKind::Opened { room, title, host }),
        Just(EventKind::Reopened {}),
        prop::option::of(person()).prop_map(|by| EventKind::Ended { by }),
        (person(), text, prop::option::of(text), text, text).prop_map(
            |(person, name, unit, role, device)| EventKind::Join {
                person,
                name,
                unit,
                role,
                device
            }
        ),
        (person(), reason()).prop_map(|(person, reason)| EventKind::Leave { person, reason }),
        (person(), stamp())
            .prop_map(|(person, last_heard)| EventKind::Lapse { person, last_heard }),
        person().prop_map(|person| EventKind::Return { person }),
        (person(), person(), any::<bool>()).prop_map(|(person, by, barred)| EventKind::Removed {
            person,
            by,
            barred
        }),
        (any::<bool>(), person()).prop_map(|(on, by)| EventKind::Locked { on, by }),
        (text, person()).prop_map(|(mode, by)| EventKind::Mode { mode, by }),
        (person(), any::<bool>(), person()).prop_map(|(person, given, by)| EventKind::Floor {
            person,
            given,
            by
        }),
        (person(), any::<bool>(), prop::option::of(person()))
            .prop_map(|(person, up, by)| EventKind::Hand { person, up, by }),
        (
            prop::option::of(person()),
            text,
            person(),
            any::<bool>(),
            prop::collection::vec(person(), 0..3)
        )
            .prop_map(|(person, kind, by, may_unmute, except)| EventKind::Mute {
                person,
                kind,
                by,
                may_unmute,
                except
            }),
        (person(), text, person()).prop_map(|(person, kind, by)| EventKind::Asked {
            person,
            kind,
            by
        }),
        (person(), any::<bool>()).prop_map(|(person, on)| EventKind::Share { person, on }),
        (person(), text, text, text).prop_map(|(person, id, cid, text)| EventKind::Chat {
            person,
            id,
            cid,
            text,
            to: None
        }),
    ]
}

proptest! {
    #[test]
    fn every_event_comes_back_from_its_json_as_it_was(kind in kind(), at in stamp(), seq: u64) {
        let event = Event { session: SessionKey::from("b1"), seq, at, kind };
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }

    #[test]
    fn the_name_of_a_kind_is_the_field_e(kind in kind()) {
        let json = serde_json::to_value(&kind).unwrap();
        prop_assert_eq!(json.get("e").and_then(|e| e.as_str()), Some(kind.name()));
        let person = json.get("person").and_then(|person| person.as_str());
        prop_assert_eq!(kind.person().map(|person| person.as_str()), person);
    }

    #[test]
    fn any_json_object_loads_and_is_written_back_unchanged(
        name in "[a-zA-Z]{0,8}",
        fields in prop::collection::btree_map("[a-z]{1,6}", any::<i32>(), 0..5),
    ) {
        let mut object = serde_json::Map::new();
        for (field, value) in fields {
            object.insert(field, json!(value));
        }
        object.insert("e".to_owned(), json!(name));
        let raw = serde_json::Value::Object(object);
        let kind: EventKind = serde_json::from_value(raw.clone()).unwrap();
        if let EventKind::Unknown(_) = kind {
            prop_assert_eq!(serde_json::to_value(&kind).unwrap(), raw);
        }
    }
}

#[test]
fn the_released_form_of_each_kind_still_loads() {
    let by = PersonKey::from("p1");
    let person = PersonKey::from("p2");
    let released = [
        (
            json!({"e": "opened", "room": "r1", "title": "T", "host": "H"}),
            EventKind::Opened {
                room: "r1".into(),
                title: "T".into(),
                host: "H".into(),
            },
        ),
        (json!({"e": "reopened"}), EventKind::Reopened {}),
        (json!({"e": "ended"}), EventKind::Ended { by: None }),
        (
            json!({"e": "join", "person": "p2", "name": "N", "role": "learner", "device": "d"}),
            EventKind::Join {
                person: person.clone(),
                name: "N".into(),
                unit: None,
                role: "learner".into(),
                device: "d".into(),
            },
        ),
        (
            json!({"e": "leave", "person": "p2", "reason": "serverStopped"}),
            EventKind::Leave {
                person: person.clone(),
                reason: LeaveReason::ServerStopped,
            },
        ),
        (
            json!({"e": "lapse", "person": "p2", "lastHeard": {"wallMs": 1, "monoMs": 2, "boot": 3}}),
            EventKind::Lapse {
                person: person.clone(),
                last_heard: Stamp {
                    wall_ms: 1,
                    mono_ms: 2,
                    boot: 3,
                },
            },
        ),
        (
            json!({"e": "return", "person": "p2"}),
            EventKind::Return {
                person: person.clone(),
            },
        ),
        (
            json!({"e": "removed", "person": "p2", "by": "p1", "barred": true}),
            EventKind::Removed {
                person: person.clone(),
                by: by.clone(),
                barred: true,
            },
        ),
        (
            json!({"e": "locked", "on": true, "by": "p1"}),
            EventKind::Locked {
                on: true,
                by: by.clone(),
            },
        ),
        (
            json!({"e": "mode", "mode": "training", "by": "p1"}),
            EventKind::Mode {
                mode: "training".into(),
                by: by.clone(),
            },
        ),
        (
            json!({"e": "floor", "person": "p2", "given": true, "by": "p1"}),
            EventKind::Floor {
                person: person.clone(),
                given: true,
                by: by.clone(),
            },
        ),
        (
            json!({"e": "hand", "person": "p2", "up": true}),
            EventKind::Hand {
                person: person.clone(),
                up: true,
                by: None,
            },
        ),
        (
            json!({"e": "mute", "kind": "mic", "by": "p1"}),
            EventKind::Mute {
                person: None,
                kind: "mic".into(),
                by: by.clone(),
                may_unmute: true,
                except: vec![],
            },
        ),
        (
            json!({"e": "asked", "person": "p2", "kind": "camera", "by": "p1"}),
            EventKind::Asked {
                person: person.clone(),
                kind: "camera".into(),
                by: by.clone(),
            },
        ),
        (
            json!({"e": "share", "person": "p2", "on": false}),
            EventKind::Share {
                person: person.clone(),
                on: false,
            },
        ),
        (
            json!({"e": "chat", "person": "p2", "id": "c1", "cid": "u", "text": "chào"}),
            EventKind::Chat {
                person,
                id: "c1".into(),
                cid: "u".into(),
                text: "chào".into(),
                to: None,
            },
        ),
    ];
    for (text, kind) in released {
        assert_eq!(serde_json::from_value::<EventKind>(text).unwrap(), kind);
    }
}

#[test]
fn a_kind_of_a_newer_version_loads_keeps_everything_and_is_written_back_unchanged() {
    let raw = json!({"e": "presenceCheck", "round": 3, "asked": ["p1", "p2"]});
    let kind: EventKind = serde_json::from_value(raw.clone()).unwrap();
    assert_eq!(kind, EventKind::Unknown(raw.clone()));
    assert_eq!(kind.name(), "presenceCheck");
    assert_eq!(serde_json::to_value(&kind).unwrap(), raw);
}

#[test]
fn a_new_field_of_a_known_kind_does_not_keep_it_from_loading() {
    let raw = json!({"e": "return", "person": "p2", "why": "wifi"});
    let kind: EventKind = serde_json::from_value(raw).unwrap();
    assert_eq!(
        kind,
        EventKind::Return {
            person: PersonKey::from("p2")
        }
    );
}

#[test]
fn a_leave_for_a_reason_of_a_newer_version_is_still_a_leave() {
    let raw = json!({"e": "leave", "person": "p2", "reason": "abducted"});
    let kind: EventKind = serde_json::from_value(raw).unwrap();
    let person = PersonKey::from("p2");
    assert_eq!(
        kind,
        EventKind::Leave {
            person,
            reason: LeaveReason::Other
        }
    );
}
