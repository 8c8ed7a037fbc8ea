//! One person, several devices; sites.

use super::*;

fn on(play: &mut Play, device: &str) -> LinkId {
    play.hello("p1", "Nguyễn Văn An", Role::Learner, device, None)
}

#[test]
fn a_second_device_is_asked_whether_it_takes_over() {
    let mut play = Play::new(RoomMode::Training);
    let phone = on(&mut play, "điện thoại");
    play.wait(5_000);
    let events = play.ledger.len();
    let laptop = on(&mut play, "máy tính");
    let bye = play.client(laptop).bye.unwrap();
    assert_eq!(bye, (ByeAction::Stop, Some(ErrorCode::Elsewhere), None));
    assert_eq!(play.kinds(events), ["otherDevice"]);
    assert!(!play.client(phone).closed, "nothing changed for the first");
    assert_eq!(play.person("p1").unwrap().link, LinkState::Ok);
    play.take_over = true;
    let laptop = on(&mut play, "máy tính");
    assert!(play.client(laptop).welcomed);
    let bye = play.client(phone).bye.unwrap();
    assert_eq!(
        (bye.0, bye.1),
        (ByeAction::Stop, Some(ErrorCode::TakenOver))
    );
    let stays = stays(&play.ledger, &[], Some(play.room.stamp_now()));
    let devices: Vec<_> = stays.iter().map(|s| s.device.as_str()).collect();
    assert_eq!(devices, ["điện thoại", "máy tính"]);
    assert_eq!(stays[0].to_ms, Some(stays[1].from_ms), "once at a time");
}

#[test]
fn the_same_device_and_a_lost_or_silent_link_are_not_asked() {
    let mut play = Play::new(RoomMode::Training);
    on(&mut play, "a");
    let tab = on(&mut play, "a");
    assert!(play.client(tab).welcomed, "a second tab");
    play.drop_link(tab, false);
    let other = on(&mut play, "b");
    assert!(play.client(other).welcomed, "the first link was lost");
    play.wait_hearing(11_000, &[]);
    let third = on(&mut play, "c");
    assert!(play.client(third).welcomed, "the second was silent");
    assert!(play.ledger.iter().all(|e| e.kind.name() != "otherDevice"));
}

#[test]
fn nobody_takes_over_in_another_ones_name() {
    let mut play = Play::new(RoomMode::Training);
    let first = on(&mut play, "a");
    play.take_over = true;
    play.hello("p2", "Nguyễn Văn An", Role::Learner, "b", None);
    assert!(!play.client(first).closed);
    assert_eq!(
        play.room.counts().total,
        2,
        "the same name is not the same person"
    );
}

#[test]
fn a_device_is_another_only_when_it_does_not_resume() {
    let mut play = Play::new(RoomMode::Training);
    let first = on(&mut play, "a");
    let room = &play.room;
    let (session, key) = {
        let client = play.client(first);
        (client.session.clone(), client.key.clone())
    };
    let resume = lophoc_protocol::client::Resume {
        session: lophoc_protocol::SessionId(session),
        key,
        last_seq: 0,
    };
    assert!(room.is_on_other_device(&id("p1"), "b", None));
    assert!(!room.is_on_other_device(&id("p1"), "a", None));
    assert!(!room.is_on_other_device(&id("p1"), "b", Some(&resume)));
    assert!(!room.is_on_other_device(&id("p9"), "b", None));
}

#[test]
fn a_site_counts_as_the_people_ticked_in_there() {
    let mut play = Play::new(RoomMode::Conference);
    play.sites
        .insert("s1".into(), "Hội trường Sở Lào Cai".into());
    let hall = |play: &mut Play, people| {
        let site = id("s1");
        play.apply(Command::Hall { site, people });
    };
    // Known before anybody is connected.
    hall(&mut play, 4);
    let chair = play.join("pc", Role::Chair);
    assert_eq!(play.room.counts().people, 1);
    let site = play.join("s1", Role::Learner);
    assert_eq!(
        (play.room.counts().total, play.room.counts().people),
        (2, 5)
    );
    hall(&mut play, 32);
    play.wait(200);
    assert_eq!(play.client(chair).counts.people, 33);
    let shown = play.client(chair).people[&id("s1")].clone();
    assert_eq!(shown.site.as_deref(), Some("Hội trường Sở Lào Cai"));
    assert_eq!(shown.hall, 32);
    // The connection is what counts: without it nobody behind it is in.
    play.drop_link(site, true);
    play.wait(RESUME_MS + 2_000);
    assert_eq!(play.room.counts().people, 1);
    play.join("s1", Role::Learner);
    assert_eq!(play.room.counts().people, 33);
    let mut after = play.restart(1_000, &[]);
    assert_eq!(
        after.person("s1").unwrap().site,
        shown.site,
        "the ledger knows"
    );
    after.room.set_halls([(id("s1"), 30)]);
    assert_eq!(after.room.counts().people, 31);
    after.apply(Command::Tick);
}

#[test]
fn a_desk_sees_who_is_in_since_when_and_who_waits() {
    let mut play = Play::new(RoomMode::Training);
    let chair = play.join("pc", Role::Chair);
    let learner = play.join("p1", Role::Learner);
    play.ok(
        learner,
        M::Pub {
            kind: MediaKind::Camera,
            st: LIVE,
        },
    );
    play.ok(chair, M::ModWaiting { on: true });
    play.join("p2", Role::Learner);
    let joined = play.now.wall_ms;
    play.wait(5_000);
    play.drop_link(learner, false);
    let lost = play.now.wall_ms;
    play.wait(2_000);
    let desk = play.room.snapshot();
    assert_eq!(desk.counts, play.room.counts());
    assert_eq!(desk.waiting.len(), 1);
    let row = desk.people.iter().find(|p| p.person == id("p1")).unwrap();
    assert_eq!((row.since_ms, row.link_since_ms), (joined, lost));
    assert_eq!(
        (row.link, row.camera, row.mic),
        (LinkState::Lost, true, false)
    );
    assert_eq!(desk.people[0].person, id("pc"));
}

#[test]
fn nobody_changes_his_name_but_by_a_new_token() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.hello("p1", "Lê Thị Mai", Role::Learner, "a", None);
    // A resume carries no name of its own: the room takes the token's.
    let again = play.resume(learner);
    assert_eq!(play.client(again).you.clone().unwrap().name, "Lê Thị Mai");
    let hello = r#"{"t":"hello","proto":[1],"client":{"app":"x","ver":"1","class":"desk"},
        "token":"t","profile":"seat","slots":{"a":1,"v":1,"s":1},"name":"Hiệu trưởng","unit":"Bộ"}"#;
    let frame = lophoc_protocol::parse_client(hello).unwrap();
    assert!(
        !serde_json::to_string(&frame)
            .unwrap()
            .contains("Hiệu trưởng")
    );
}
