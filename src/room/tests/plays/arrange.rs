//! What learners may do, who is shown to all, the timer, roles handed over.

use super::*;
use lophoc_protocol::limits::{MAX_LABEL, MAX_SPOTLIGHT, MAX_TIMER_SEC};
use lophoc_protocol::people::Permits;
use lophoc_room::bounds::KEEP_MS;

fn permits(permits: Permits) -> M {
    M::ModPermits { permits }
}

fn role(who: &str, role: Role) -> M {
    M::ModRole { who: id(who), role }
}

fn perms(play: &Play, link: LinkId) -> Vec<Action> {
    play.client(link).you.clone().unwrap().perms
}

fn shown(play: &Play, link: LinkId) -> Vec<String> {
    let room = play.client(link).room.clone().unwrap();
    room.spotlight.into_iter().map(|who| who.0).collect()
}

#[test]
fn each_permit_takes_its_right_from_learners_and_guests_alone() {
    let all = Permits::default();
    for (action, taken) in [
        (Action::Speak, Permits { mic: false, ..all }),
        (
            Action::ShowCamera,
            Permits {
                camera: false,
                ..all
            },
        ),
        (
            Action::ShareScreen,
            Permits {
                screen: false,
                ..all
            },
        ),
        (Action::Chat, Permits { chat: false, ..all }),
        (
            Action::ChatPrivate,
            Permits {
                private: false,
                ..all
            },
        ),
        (
            Action::Question,
            Permits {
                question: false,
                ..all
            },
        ),
        (
            Action::React,
            Permits {
                react: false,
                ..all
            },
        ),
        (Action::RaiseHand, Permits { hand: false, ..all }),
        (
            Action::Browse,
            Permits {
                browse: false,
                ..all
            },
        ),
        (
            Action::HandIn,
            Permits {
                hand_in: false,
                ..all
            },
        ),
        (Action::Draw, Permits { draw: false, ..all }),
        (
            Action::Notes,
            Permits {
                notes: false,
                ..all
            },
        ),
    ] {
        for mode in [
            RoomMode::Discussion,
            RoomMode::Training,
            RoomMode::Conference,
        ] {
            let mut play = Play::new(mode);
            let chair = play.join("pc", Role::Chair);
            let links: Vec<_> = Role::ALL
                .iter()
                .enumerate()
                .map(|(n, role)| (*role, play.join(&format!("p{n}"), *role)))
                .collect();
            let before: Vec<_> = links.iter().map(|(_, link)| perms(&play, *link)).collect();
            play.ok(chair, permits(taken));
            for ((role, link), before) in links.iter().zip(before) {
                let mut wanted = before;
                if !role.is_staff() {
                    wanted.retain(|other| *other != action);
                }
                assert_eq!(perms(&play, *link), wanted, "{role:?} {mode:?} {action:?}");
            }
            // It comes back, and with it the right.
            play.ok(chair, permits(all));
            assert!(links.iter().all(|(_, link)| {
                play.room.may(*link, Action::Chat) && play.room.may(*link, Action::React)
            }));
        }
    }
}

#[test]
fn what_is_taken_stops_at_once_and_the_floor_lifts_microphone_and_camera() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let presenter = play.join("p3", Role::Learner);
    let give = |who: &str, give| M::ModFloor { who: id(who), give };
    play.ok(trainer, give("p3", true));
    for link in [learner, presenter, trainer] {
        play.ok(link, publish(MIC, LIVE));
        play.ok(link, publish(MediaKind::Camera, LIVE));
    }
    play.ok(presenter, publish(MediaKind::Screen, LIVE));
    play.news(learner);
    play.ok(
        trainer,
        permits(Permits {
            mic: false,
            camera: false,
            screen: false,
            ..Permits::default()
        }),
    );
    assert_eq!(play.allowed("p2"), lophoc_room::Allow4::default());
    let news = play.news(learner);
    let by = "Nguyễn Văn p1";
    assert!(news.contains(&muted(by)), "{news:?}");
    let floor = play.allowed("p3");
    assert!(floor.mic && floor.camera && !floor.screen);
    assert!(play.allowed("p1").mic && play.allowed("p1").camera);
    for kind in [MIC, MediaKind::Camera] {
        assert_eq!(
            play.refused(learner, publish(kind, LIVE)),
            ErrorCode::Forbidden
        );
    }
    // Who is asked to speak may, whatever was taken.
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MIC,
        },
    );
    play.ok(learner, publish(MIC, LIVE));
    play.ok(trainer, give("p3", false));
    assert_eq!(play.allowed("p3"), lophoc_room::Allow4::default());
    // A new mode gives nothing back.
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Training,
        },
    );
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Discussion,
        },
    );
    assert!(!play.allowed("p2").mic);
    assert_eq!(
        play.refused(learner, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );

    let mut after = play.restart(1_000, &[]);
    assert_eq!(after.room.info(), play.room.info());
    let back = after.join("p2", Role::Learner);
    assert_eq!(
        after.refused(back, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
}

#[test]
fn a_hand_that_is_up_can_be_taken_down_without_the_right() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, M::Hand { up: true });
    play.ok(
        trainer,
        permits(Permits {
            hand: false,
            ..Permits::default()
        }),
    );
    play.ok(learner, M::Hand { up: false });
    assert_eq!(
        play.refused(learner, M::Hand { up: true }),
        ErrorCode::Forbidden
    );
    assert_eq!(play.room.counts().hands, 0);
}

#[test]
fn who_is_left_out_when_all_are_muted_goes_on_speaking() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let presenter = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    let mute_all = |may_unmute, except: &[&str]| M::ModMuteAll {
        may_unmute,
        except: except.iter().map(|who| id(who)).collect(),
    };
    for link in [presenter, other] {
        play.ok(link, publish(MIC, LIVE));
    }
    play.ok(trainer, mute_all(false, &["p2", "p99"]));
    assert!(play.allowed("p2").mic && !play.allowed("p3").mic);
    // Also after a pause of his own, and after a crash.
    play.ok(presenter, publish(MIC, TrackState::Muted));
    play.ok(presenter, publish(MIC, LIVE));
    assert_eq!(
        play.refused(other, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
    let mut after = play.restart(1_000, &[]);
    let back = after.join("p2", Role::Learner);
    after.ok(back, publish(MIC, LIVE));
    let other = after.join("p3", Role::Learner);
    assert_eq!(
        after.refused(other, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
    let trainer = after.join("p1", Role::Trainer);
    after.ok(trainer, mute_all(false, &[]));
    assert!(!after.allowed("p2").mic, "until all are muted without him");

    // Being left out gives nobody a right he has not.
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(trainer, mute_all(false, &["p2"]));
    assert_eq!(
        play.refused(learner, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
}

#[test]
fn the_spotlight_is_told_to_all_and_empties_with_those_who_go() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let links: Vec<_> = (2..=6)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    let spot = |who: &[&str]| M::ModSpot {
        who: who.iter().map(|who| id(who)).collect(),
    };
    assert_eq!(play.refused(links[0], spot(&["p2"])), ErrorCode::Forbidden);
    assert_eq!(play.refused(trainer, spot(&["p99"])), ErrorCode::NotFound);
    let many: Vec<&str> = ["p1", "p2", "p3", "p4", "p5"][..=MAX_SPOTLIGHT].to_vec();
    assert_eq!(play.refused(trainer, spot(&many)), ErrorCode::BadRequest);
    play.ok(trainer, spot(&["p3", "p2", "p3", "p4"]));
    assert_eq!(shown(&play, links[4]), ["p3", "p2", "p4"]);
    play.ok(links[1], M::Leave);
    assert_eq!(shown(&play, links[4]), ["p2", "p4"]);
    // A broken link is awaited, and out when it does not come back.
    play.drop_link(links[0], false);
    play.wait(10_000);
    assert_eq!(shown(&play, links[4]), ["p2", "p4"]);
    let mut after = play.restart(1_000, &[]);
    assert_eq!(after.room.info().spotlight, play.room.info().spotlight);
    after.join("p4", Role::Learner);
    after.wait(RESUME_MS + 3_000);
    assert_eq!(after.room.info().spotlight, [id("p4")]);
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p4"),
            bar: false,
        },
    );
    assert_eq!(shown(&play, trainer), ["p2"]);
}

#[test]
fn who_is_shown_to_all_is_listed_where_the_roster_is_a_sample() {
    let mut play = Play::with(RoomConfig {
        max_people: 5_000,
        ..config(RoomMode::Training)
    });
    let trainer = play.join("pt", Role::Trainer);
    for n in 0..600 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    play.wait(2_000);
    play.ok(
        trainer,
        M::ModSpot {
            who: vec![id("p77")],
        },
    );
    play.wait(1_000);
    assert!(play.client(trainer).people.contains_key(&id("p77")));
    play.ok(trainer, M::ModSpot { who: vec![] });
    play.wait(1_000);
    assert!(!play.client(trainer).people.contains_key(&id("p77")));
}

#[test]
fn a_timer_runs_out_by_itself_and_over_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let timer = |secs, label: &str| M::ModTimer {
        secs,
        label: label.into(),
    };
    assert_eq!(play.refused(learner, timer(5, "")), ErrorCode::Forbidden);
    assert_eq!(
        play.refused(trainer, timer(MAX_TIMER_SEC + 1, "")),
        ErrorCode::BadRequest
    );
    let long = "x".repeat(MAX_LABEL + 1);
    assert_eq!(play.refused(trainer, timer(5, &long)), ErrorCode::TooLarge);
    play.ok(trainer, timer(60, "  Làm bài\n tập "));
    let seen = |play: &Play, link| play.client(link).room.clone().unwrap().timer;
    let told = seen(&play, learner).unwrap();
    assert_eq!(
        (told.label.as_str(), told.until - told.at),
        ("Làm bài tập", 60_000)
    );
    let mut after = play.restart(20_000, &[]);
    let back = after.join("p2", Role::Learner);
    assert_eq!(seen(&after, back), Some(told));
    after.wait(39_000);
    assert!(seen(&after, back).is_some());
    after.wait(1_500);
    assert_eq!(seen(&after, back), None);
    let late = play.restart(70_000, &[]);
    assert_eq!(late.room.info().timer, None);

    play.ok(trainer, timer(30, ""));
    play.ok(trainer, timer(0, "gì đó"));
    assert_eq!(seen(&play, learner), None);
    let events = play.ledger.len();
    play.ok(trainer, timer(0, ""));
    assert_eq!(play.ledger.len(), events);
    assert_eq!(play.restart(1_000, &[]).room.info().timer, None);
}

// ---- roles ----

#[test]
fn a_role_is_handed_over_live() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    play.ok(other, M::Hand { up: true });
    play.ok(trainer, role("p3", Role::Trainer));
    play.wait(300);
    let you = play.client(other).you.clone().unwrap();
    assert_eq!(you.role, Role::Trainer);
    assert!(you.perms.contains(&Action::SetRole));
    let seen = play.client(learner);
    assert_eq!(seen.people[&id("p3")].role, Role::Trainer);
    assert_eq!((seen.counts.staff, seen.counts.learners), (2, 1));
    assert_eq!(seen.hands.len(), 1, "the hand stays up");
    play.ok(other, publish(MIC, LIVE));
    // Taken back, what it allowed stops.
    play.ok(trainer, role("p3", Role::Learner));
    assert!(!play.allowed("p3").mic);
    assert_eq!(play.client(other).you.clone().unwrap().role, Role::Learner);
    let events = play.ledger.len();
    play.ok(trainer, role("p3", Role::Learner));
    assert_eq!(play.ledger.len(), events);
    assert_eq!(
        play.refused(trainer, role("p99", Role::Guest)),
        ErrorCode::NotFound
    );
}

#[test]
fn nobody_hands_over_more_than_he_has() {
    use Role::{Chair, Learner, Organiser, Trainer};
    for mine in Role::ALL {
        for theirs in Role::ALL {
            for given in Role::ALL {
                let mut play = Play::new(RoomMode::Training);
                play.join("p0", Organiser);
                let me = play.join("p1", mine);
                play.join("p2", theirs);
                let leads = |role| matches!(role, Organiser | Chair);
                let may = matches!(mine, Organiser | Chair | Trainer)
                    && (given != Organiser || mine == Organiser)
                    && (given != Chair || leads(mine))
                    && (!leads(theirs) || leads(mine));
                let reply = play.ask(me, role("p2", given));
                let case = format!("{mine:?} makes a {theirs:?} a {given:?}");
                assert_eq!(reply == ServerMessage::Ok, may, "{case}");
                if may {
                    assert_eq!(play.person("p2").unwrap().role, given, "{case}");
                } else {
                    assert_eq!(play.person("p2").unwrap().role, theirs, "{case}");
                }
            }
        }
    }
    // Nor makes himself more than he is.
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Trainer);
    assert_eq!(
        play.refused(trainer, role("p1", Organiser)),
        ErrorCode::Forbidden
    );
    // The last to hand roles over keeps his own.
    assert_eq!(
        play.refused(trainer, role("p1", Learner)),
        ErrorCode::Conflict
    );
    play.join("p2", Chair);
    play.ok(trainer, role("p1", Learner));
}

#[test]
fn a_role_outlives_reload_absence_and_crash_whatever_the_token_says() {
    let mut play = Play::with(RoomConfig {
        waiting: false,
        ..config(RoomMode::Training)
    });
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(trainer, role("p2", Role::Secretary));
    let events = play.ledger.len();
    let is_secretary = |play: &Play, link| {
        let you = play.client(link).you.clone().unwrap();
        you.role == Role::Secretary && play.person("p2").unwrap().role == Role::Secretary
    };
    // The page goes on, then a reload, both with the old token.
    play.drop_link(learner, false);
    play.now.wall_ms += 1_000;
    let resumed = {
        let old = play.client(learner).clone();
        let resume = lophoc_protocol::client::Resume {
            session: old.session.as_str().into(),
            key: old.key.clone(),
            last_seq: old.seq,
        };
        play.hello("p2", "Nguyễn Văn p2", Role::Learner, "máy", Some(resume))
    };
    assert!(is_secretary(&play, resumed));
    assert_eq!(play.kinds(events), ["lapse", "return"], "no second join");
    let reloaded = play.join("p2", Role::Learner);
    assert!(is_secretary(&play, reloaded));
    // A long absence, and the doors closed behind him.
    play.ok(reloaded, M::Leave);
    play.ok(trainer, M::ModWaiting { on: true });
    play.wait(KEEP_MS + 1_000);
    let back = play.join("p2", Role::Learner);
    assert!(is_secretary(&play, back));
    let mut after = play.restart(1_000, &[]);
    assert_eq!(after.room.counts(), play.room.counts());
    let back = after.join("p2", Role::Learner);
    assert!(is_secretary(&after, back));
    // Attendance goes by the role he came with.
    let roles: Vec<_> = after
        .ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Join { person, role, .. } if person.as_str() == "p2" => Some(role.as_str()),
            _ => None,
        })
        .collect();
    assert!(roles.iter().all(|role| *role == "learner"), "{roles:?}");

    // Who was sent out is again who he was.
    let trainer = after.join("p1", Role::Trainer);
    after.ok(
        trainer,
        M::ModRemove {
            who: id("p2"),
            bar: false,
        },
    );
    after.ok(trainer, M::ModWaiting { on: false });
    let back = after.join("p2", Role::Learner);
    assert_eq!(after.client(back).you.clone().unwrap().role, Role::Learner);
}

#[test]
fn a_new_moderator_sees_what_moderators_see_and_no_longer_when_it_is_taken() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let helper = play.join("p2", Role::Learner);
    let author = play.join("p3", Role::Learner);
    let line = |cid: &str| M::Chat {
        cid: cid.into(),
        text: "ban tổ chức ơi".into(),
        to: lophoc_protocol::talk::Audience::Organisers,
    };
    play.ok(
        trainer,
        permits(Permits {
            open_questions: false,
            ..Permits::default()
        }),
    );
    play.ok(
        author,
        M::Question {
            cid: "a".into(),
            text: "chờ duyệt".into(),
            anonymous: false,
        },
    );
    play.ok(author, line("b"));
    play.wait(1_100);
    assert!(play.client(helper).questions.is_empty());
    play.ok(trainer, role("p2", Role::Adviser));
    assert_eq!(play.client(helper).questions.len(), 1);
    assert_eq!(play.client(helper).direct.len(), 1);
    play.ok(trainer, role("p2", Role::Learner));
    assert!(play.client(helper).questions.is_empty());
    assert!(play.client(helper).direct.is_empty());
    // Also when it is taken while the link is broken.
    play.ok(trainer, role("p2", Role::Adviser));
    play.drop_link(helper, false);
    play.ok(trainer, role("p2", Role::Learner));
    let back = play.resume(helper);
    assert!(play.client(back).questions.is_empty());
    assert!(play.client(back).direct.is_empty());
}

#[test]
fn a_substitute_is_named_and_kept() {
    let mut play = Play::new(RoomMode::Training);
    let chair = play.join("p1", Role::Chair);
    let learner = play.join("p2", Role::Learner);
    let stands_in = |instead: &str| M::ModSubstitute {
        who: id("p2"),
        instead: instead.into(),
    };
    assert_eq!(
        play.refused(learner, stands_in("Thầy Nam")),
        ErrorCode::Forbidden
    );
    assert_eq!(
        play.refused(chair, stands_in(&"x".repeat(200))),
        ErrorCode::TooLarge
    );
    play.ok(chair, stands_in(" Thầy  Nam "));
    play.ok(chair, stands_in("Thầy Nam"));
    play.wait(300);
    let seen = |play: &Play, link: LinkId| play.client(link).people[&id("p2")].stands_for.clone();
    assert_eq!(seen(&play, chair).as_deref(), Some("Thầy Nam"));
    let named = play.kinds(0).iter().filter(|k| **k == "substitute").count();
    assert_eq!(named, 1);
    play.ok(learner, M::Leave);
    play.wait(KEEP_MS + 1_000);
    play.join("p2", Role::Learner);
    let mut after = play.restart(1_000, &[]);
    let chair = after.join("p1", Role::Chair);
    assert_eq!(seen(&after, chair).as_deref(), Some("Thầy Nam"));
    after.ok(chair, stands_in(""));
    after.wait(300);
    assert_eq!(seen(&after, chair), None);
}
