//! The whole table of rights, against expectations written apart from it, and
//! over the commands themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Play, id};
use lophoc_protocol::poll::{Choose, PollChoice, PollDraft, PollItem, PollKind};
use lophoc_protocol::{
    Action, ClientMessage as M, ErrorCode, MediaKind, Role, RoomMode, ServerMessage, TrackState,
};
use lophoc_room::rights::{allowed, may_act_on};

const MODES: [RoomMode; 3] = [
    RoomMode::Discussion,
    RoomMode::Training,
    RoomMode::Conference,
];

/// The rules in sentences, one by one.
fn expected(role: Role, mode: RoomMode, floor: bool, action: Action) -> bool {
    let leads_or_teaches = matches!(role, Role::Organiser | Role::Chair | Role::Trainer);
    let helps = matches!(role, Role::Adviser | Role::Technician);
    let writes = role == Role::Secretary;
    let watches = role == Role::Inspector;
    match action {
        Action::Speak => {
            // The floor always lets speak; those who lead and teach need none.
            floor
                || leads_or_teaches
                || match mode {
                    RoomMode::Discussion => !watches,
                    RoomMode::Training => helps || writes,
                    RoomMode::Conference => false,
                }
        }
        Action::ShowCamera => floor || !watches,
        Action::Chat | Action::RaiseHand => true,
        Action::ShareScreen => floor || leads_or_teaches,
        Action::LowerHands
        | Action::Mute
        | Action::AskUnmute
        | Action::GiveFloor
        | Action::Remove
        | Action::Lock => leads_or_teaches || helps,
        Action::SetMode | Action::End => leads_or_teaches,
        // What makes the counted time is for those who teach or lead.
        Action::Start | Action::Break | Action::Check => leads_or_teaches || role == Role::Adviser,
        Action::Admit => leads_or_teaches || helps || writes,
        Action::Export => matches!(role, Role::Organiser | Role::Chair | Role::Secretary),
        Action::ChatPrivate
        | Action::Question
        | Action::React
        | Action::Browse
        | Action::HandIn => true,
        Action::Moderate | Action::HandOut => leads_or_teaches || helps || writes,
        Action::Poll => leads_or_teaches || role == Role::Adviser || writes,
        Action::Slides => floor && !watches || leads_or_teaches || helps || writes,
        // Learners and guests may while the permits of the room say so.
        Action::Draw | Action::Notes => role != Role::Inspector,
        // Handed over, whatever the role: here the floor stands for it.
        Action::Caption => floor,
        Action::Arrange | Action::Groups => leads_or_teaches || helps,
        Action::SetRole => leads_or_teaches,
        Action::Record => leads_or_teaches || role == Role::Technician || writes,
    }
}

#[test]
fn the_table_says_what_the_rules_say() {
    for role in Role::ALL {
        for mode in MODES {
            for floor in [false, true] {
                for action in Action::ALL {
                    assert_eq!(
                        allowed(role, mode, floor, action),
                        expected(role, mode, floor, action),
                        "{role:?} {mode:?} floor={floor} {action:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn organisers_and_chairs_yield_to_each_other_only() {
    for actor in Role::ALL {
        for target in Role::ALL {
            let protected = matches!(target, Role::Organiser | Role::Chair);
            let leads = matches!(actor, Role::Organiser | Role::Chair);
            assert_eq!(
                may_act_on(actor, target),
                leads || !protected,
                "{actor:?} {target:?}"
            );
        }
    }
}

/// Each command that needs a right, with the right it needs.
fn commands() -> Vec<(Action, M)> {
    let who = || id("pTarget");
    vec![
        (
            Action::Speak,
            M::Pub {
                kind: MediaKind::Mic,
                st: TrackState::Live,
            },
        ),
        (
            Action::ShowCamera,
            M::Pub {
                kind: MediaKind::Camera,
                st: TrackState::Live,
            },
        ),
        (
            Action::ShareScreen,
            M::Pub {
                kind: MediaKind::Screen,
                st: TrackState::Live,
            },
        ),
        (
            Action::Chat,
            M::Chat {
                cid: "1".into(),
                text: "chào".into(),
                to: lophoc_protocol::talk::Audience::All,
            },
        ),
        (Action::RaiseHand, M::Hand { up: true }),
        (Action::LowerHands, M::ModHand { who: Some(who()) }),
        (Action::LowerHands, M::ModHand { who: None }),
        (
            Action::Mute,
            M::ModMute {
                who: who(),
                kind: MediaKind::Mic,
            },
        ),
        (
            Action::Mute,
            M::ModMute {
                who: who(),
                kind: MediaKind::Camera,
            },
        ),
        (
            Action::Mute,
            M::ModMute {
                who: who(),
                kind: MediaKind::Screen,
            },
        ),
        (
            Action::Mute,
            M::ModMuteAll {
                may_unmute: true,
                except: vec![],
            },
        ),
        (
            Action::Mute,
            M::ModMuteAll {
                may_unmute: false,
                except: vec![],
            },
        ),
        (
            Action::AskUnmute,
            M::ModAsk {
                who: who(),
                kind: MediaKind::Mic,
            },
        ),
        (
            Action::AskUnmute,
            M::ModAsk {
                who: who(),
                kind: MediaKind::Camera,
            },
        ),
        (
            Action::GiveFloor,
            M::ModFloor {
                who: who(),
                give: true,
            },
        ),
        (
            Action::GiveFloor,
            M::ModFloor {
                who: who(),
                give: false,
            },
        ),
        (
            Action::Remove,
            M::ModRemove {
                who: who(),
                bar: false,
            },
        ),
        (
            Action::Remove,
            M::ModRemove {
                who: who(),
                bar: true,
            },
        ),
        (Action::Lock, M::ModLock { locked: true }),
        (
            Action::SetMode,
            M::ModMode {
                mode: RoomMode::Conference,
            },
        ),
        (
            Action::SetMode,
            M::ModMode {
                mode: RoomMode::Discussion,
            },
        ),
        (Action::End, M::ModEnd),
        (
            Action::Groups,
            M::GroupsMake {
                names: vec!["Nhóm 1".into()],
                by: lophoc_protocol::groups::GroupBy::Random,
            },
        ),
        (Action::Groups, M::GroupsClose),
    ]
}

#[test]
fn every_command_checks_the_right_of_the_role() {
    for role in Role::ALL {
        for mode in MODES {
            for floor in [false, true] {
                for (action, command) in commands() {
                    let mut play = Play::new(mode);
                    let chair = play.join("pChair", Role::Chair);
                    play.join("pTarget", Role::Learner);
                    let link = play.join("pActor", role);
                    if floor {
                        play.ok(
                            chair,
                            M::ModFloor {
                                who: id("pActor"),
                                give: true,
                            },
                        );
                    }
                    let events = play.ledger.len();
                    let reply = play.ask(link, command.clone());
                    let case = format!("{role:?} {mode:?} floor={floor} {command:?}");
                    if expected(role, mode, floor, action) {
                        assert_eq!(reply, ServerMessage::Ok, "{case}");
                    } else {
                        let code = ErrorCode::Forbidden;
                        assert_eq!(reply, ServerMessage::Err { code, retry: false }, "{case}");
                        assert_eq!(play.ledger.len(), events, "a refusal does nothing: {case}");
                        assert!(!play.room.is_ended() && !play.room.is_locked(), "{case}");
                        assert!(play.person("pTarget").is_some(), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn polls_are_held_by_those_who_may_and_answered_by_all_but_inspectors() {
    for role in Role::ALL {
        for mode in MODES {
            let mut play = Play::new(mode);
            let chair = play.join("pChair", Role::Chair);
            let link = play.join("pActor", role);
            let open = |cid: &str| M::PollOpen {
                cid: cid.into(),
                draft: PollDraft {
                    kind: PollKind::YesNo,
                    title: String::new(),
                    items: vec![PollItem {
                        text: String::new(),
                        choose: Choose::One,
                        options: vec![],
                        correct: vec![],
                    }],
                    anonymous: false,
                    live: false,
                    secs: None,
                    quorum: None,
                    by_site: false,
                },
            };
            let ServerMessage::PollOpened { poll } = play.ask(chair, open("c")) else {
                panic!("{role:?}")
            };
            let answer = M::PollAnswer {
                poll: poll.clone(),
                answer: vec![PollChoice {
                    chosen: vec![1],
                    text: None,
                }],
            };
            let holds = expected(role, mode, false, Action::Poll);
            let forbidden = ServerMessage::Err {
                code: ErrorCode::Forbidden,
                retry: false,
            };
            for (may, command) in [
                (role != Role::Inspector, answer),
                (
                    holds,
                    M::PollPage {
                        poll: poll.clone(),
                        from: 0,
                        n: 10,
                    },
                ),
                (holds, M::PollClose { poll: poll.clone() }),
                (
                    holds,
                    M::PollShow {
                        poll: poll.clone(),
                        on: true,
                    },
                ),
                (holds, M::PollDrop { poll }),
                (holds, open("d")),
            ] {
                let events = play.ledger.len();
                let reply = play.ask(link, command.clone());
                let case = format!("{role:?} {mode:?} {command:?} {reply:?}");
                assert_eq!(reply != forbidden, may, "{case}");
                assert!(
                    !matches!(reply, ServerMessage::Err { .. }) || !may,
                    "{case}"
                );
                assert!(may || play.ledger.len() == events, "{case}");
            }
        }
    }
}

#[test]
fn a_person_is_told_exactly_the_rights_he_has() {
    for role in Role::ALL {
        for mode in MODES {
            for floor in [false, true] {
                let mut play = Play::new(mode);
                let chair = play.join("pChair", Role::Chair);
                let link = play.join("pActor", role);
                if floor {
                    play.ok(
                        chair,
                        M::ModFloor {
                            who: id("pActor"),
                            give: true,
                        },
                    );
                }
                let you = play.client(link).you.clone().unwrap();
                let wanted: Vec<Action> = Action::ALL
                    .into_iter()
                    .filter(|action| expected(role, mode, floor, *action))
                    // The one permit that is not given at first.
                    .filter(|action| *action != Action::Draw || role.is_staff() || floor)
                    .filter(|action| *action != Action::Notes || role.is_staff())
                    // No floor gives the captioner's task.
                    .filter(|action| *action != Action::Caption)
                    .collect();
                assert_eq!((you.perms, you.floor), (wanted.clone(), floor));
                for action in Action::ALL {
                    assert_eq!(play.room.may(link, action), wanted.contains(&action));
                }
            }
        }
    }
}

#[test]
fn nobody_but_organiser_and_chair_acts_upon_them() {
    for actor in Role::ALL {
        for target in [Role::Organiser, Role::Chair] {
            for command in [
                M::ModMute {
                    who: id("pTop"),
                    kind: MediaKind::Mic,
                },
                M::ModRemove {
                    who: id("pTop"),
                    bar: true,
                },
                M::ModFloor {
                    who: id("pTop"),
                    give: false,
                },
            ] {
                let mut play = Play::new(RoomMode::Training);
                play.join("pTop", target);
                let link = play.join("pActor", actor);
                let reply = play.ask(link, command.clone());
                let may = matches!(actor, Role::Organiser | Role::Chair);
                assert_eq!(
                    reply == ServerMessage::Ok,
                    may,
                    "{actor:?} {target:?} {command:?}"
                );
            }
        }
    }
}
