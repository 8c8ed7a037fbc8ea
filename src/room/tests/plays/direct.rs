//! Messages that do not go to all, deletion, slow mode.

use super::*;
use lophoc_protocol::people::Permits;
use lophoc_protocol::server::ChatEntry;
use lophoc_protocol::talk::Audience;

fn to(cid: &str, text: &str, to: Audience) -> M {
    M::Chat {
        cid: cid.into(),
        text: text.into(),
        to,
    }
}

fn person(who: &str) -> Audience {
    Audience::Person(id(who))
}

fn texts(list: &[ChatEntry]) -> Vec<&str> {
    list.iter().map(|m| m.text.as_str()).collect()
}

/// Everything a client was ever sent, as one text.
fn seen(play: &Play, link: LinkId) -> String {
    serde_json::to_string(&play.client(link).inbox).unwrap()
}

fn closed() -> M {
    M::ModPermits {
        permits: Permits {
            chat: false,
            private: false,
            ..Permits::default()
        },
    }
}

#[test]
fn a_message_to_one_person_reaches_him_and_its_author_alone() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let chair = play.join("p2", Role::Chair);
    let a = play.join("p3", Role::Learner);
    let b = play.join("p4", Role::Learner);
    play.ok(a, to("x", "chỉ hai ta", person("p4")));
    play.ok(a, to("x", "chỉ hai ta", person("p4")));
    play.wait(2_000);
    for link in [a, b] {
        let direct = &play.client(link).direct;
        assert_eq!(texts(direct), ["chỉ hai ta"]);
        assert_eq!(direct[0].to_name.as_deref(), Some("Nguyễn Văn p4"));
        assert!(play.client(link).chat.is_empty());
    }
    let late = play.join("p5", Role::Organiser);
    for link in [trainer, chair, late] {
        assert!(!seen(&play, link).contains("chỉ hai ta"));
    }
    let events: Vec<_> = play
        .ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Chat { to, .. } => Some(to.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(events, [Some("person:p4".to_owned())]);

    assert_eq!(
        play.refused(a, to("y", "mình", person("p3"))),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(a, to("y", "ai?", person("p99"))),
        ErrorCode::NotFound
    );
}

#[test]
fn the_authors_copy_waits_for_the_ledger_and_the_receivers_does_not() {
    let mut play = Play::new(RoomMode::Training);
    let a = play.join("p1", Role::Learner);
    let b = play.join("p2", Role::Trainer);
    let msg = to("x", "chào thầy", person("p2"));
    let id = Some(9);
    let effects = play
        .room
        .apply(play.now, Command::Frame { link: a, id, msg });
    let mut copies = vec![];
    for effect in effects {
        match effect {
            lophoc_room::Effect::Send {
                link,
                frame,
                after_commit,
            } if matches!(frame.msg, ServerMessage::ChatDirect { .. }) => {
                assert_eq!(frame.seq, None);
                copies.push((link, after_commit));
            }
            lophoc_room::Effect::SendTo { links, frame } => {
                assert!(matches!(frame.msg, ServerMessage::ChatDirect { .. }));
                assert_eq!(frame.seq, None);
                copies.extend(links.into_iter().map(|link| (link, false)));
            }
            _ => {}
        }
    }
    copies.sort();
    assert_eq!(copies, [(a, true), (b, false)]);
}

#[test]
fn the_line_to_the_organisers_passes_the_trainer_by() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let technician = play.join("p2", Role::Technician);
    let secretary = play.join("p3", Role::Secretary);
    let learner = play.join("p4", Role::Learner);
    let other = play.join("p5", Role::Learner);
    // Open whatever was taken.
    play.ok(trainer, closed());
    play.ok(learner, to("x", "về thầy giáo", Audience::Organisers));
    assert_eq!(texts(&play.client(secretary).direct), ["về thầy giáo"]);
    assert_eq!(texts(&play.client(learner).direct), ["về thầy giáo"]);
    // Who comes later finds what was written before.
    let organiser = play.join("p6", Role::Organiser);
    assert_eq!(texts(&play.client(organiser).direct), ["về thầy giáo"]);
    play.ok(organiser, to("r", "chúng tôi xem lại", person("p4")));
    assert_eq!(
        texts(&play.client(learner).direct),
        ["về thầy giáo", "chúng tôi xem lại"]
    );
    play.wait(1_000);
    for link in [trainer, technician, other] {
        assert!(!seen(&play, link).contains("về thầy giáo"));
        assert!(!seen(&play, link).contains("chúng tôi xem lại"));
    }
}

#[test]
fn without_a_technician_the_organisers_read_the_line_to_support() {
    let mut play = Play::new(RoomMode::Training);
    let organiser = play.join("p1", Role::Organiser);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, to("x", "không nghe được", Audience::Support));
    assert_eq!(texts(&play.client(organiser).direct), ["không nghe được"]);
    let technician = play.join("p3", Role::Technician);
    assert_eq!(texts(&play.client(technician).direct), ["không nghe được"]);
    play.ok(learner, to("y", "vẫn không được", Audience::Support));
    assert_eq!(
        texts(&play.client(technician).direct),
        ["không nghe được", "vẫn không được"]
    );
    assert_eq!(play.client(organiser).direct.len(), 1, "has its technician");
}

#[test]
fn what_was_taken_from_learners_holds_between_them_and_not_towards_staff() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.join("p3", Role::Guest);
    play.ok(trainer, closed());
    let refused = |play: &mut Play, msg| play.refused(learner, msg);
    assert_eq!(refused(&mut play, chat("a", "x")), ErrorCode::Forbidden);
    assert_eq!(
        refused(&mut play, to("a", "x", person("p3"))),
        ErrorCode::Forbidden
    );
    play.ok(learner, to("a", "thưa thầy", person("p1")));
    play.ok(trainer, to("a", "em nói đi", person("p2")));
    play.ok(trainer, chat("b", "chào cả lớp"));
    let perms = play.client(learner).you.clone().unwrap().perms;
    assert!(!perms.contains(&Action::Chat) && !perms.contains(&Action::ChatPrivate));
}

#[test]
fn a_group_is_written_to_by_the_rules_of_the_chat() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("t", Role::Trainer);
    let learner = play.join("p1", Role::Learner);
    let one = || lophoc_protocol::groups::GroupNo(1);
    play.ok(
        trainer,
        M::GroupsMake {
            names: vec!["Nhóm 1".into()],
            by: lophoc_protocol::groups::GroupBy::Manual,
        },
    );
    play.ok(
        trainer,
        M::GroupsMove {
            moves: vec![(id("p1"), Some(one()))],
        },
    );
    play.ok(learner, to("1", "nhóm ơi", Audience::Group));
    play.ok(trainer, M::ModSlow { secs: 30 });
    play.wait(20_000);
    assert_eq!(
        play.refused(learner, to("2", "còn ai", Audience::Group)),
        ErrorCode::SlowMode
    );
    play.wait(11_000);
    play.ok(learner, to("2", "còn ai", Audience::Group));
    play.ok(trainer, closed());
    play.wait(40_000);
    assert_eq!(
        play.refused(learner, to("3", "lén", Audience::Group)),
        ErrorCode::Forbidden
    );
}

#[test]
fn nobody_without_a_group_writes_to_it() {
    let mut play = Play::new(RoomMode::Discussion);
    let learner = play.join("p1", Role::Learner);
    assert_eq!(
        play.refused(learner, to("x", "nhóm ơi", Audience::Group)),
        ErrorCode::Conflict
    );
}

#[test]
fn direct_messages_outlive_a_crash_and_stay_with_whom_they_concern() {
    let mut play = Play::new(RoomMode::Training);
    let a = play.join("p1", Role::Learner);
    play.join("p2", Role::Learner);
    let organiser = play.join("p3", Role::Organiser);
    play.ok(a, to("1", "riêng", person("p2")));
    play.ok(a, to("2", "ban tổ chức ơi", Audience::Organisers));
    play.ok(a, to("3", "kỹ thuật ơi", Audience::Support));
    play.ok(a, to("4", "xoá đi", person("p2")));
    let gone = play.client(a).direct[3].id.clone();
    play.ok(a, M::ChatDelete { chat: gone });
    let mut after = play.restart(1_000, &[]);
    let links: Vec<_> = [
        ("p1", Role::Learner),
        ("p2", Role::Learner),
        ("p3", Role::Organiser),
        ("p4", Role::Technician),
        ("p5", Role::Learner),
    ]
    .map(|(who, role)| after.join(who, role))
    .into();
    assert_eq!(after.client(links[0]).direct, play.client(a).direct);
    assert_eq!(texts(&after.client(links[1]).direct), ["riêng"]);
    assert_eq!(after.client(links[2]).direct, play.client(organiser).direct);
    assert_eq!(texts(&after.client(links[3]).direct), ["kỹ thuật ơi"]);
    assert!(after.client(links[4]).direct.is_empty());
    // A repeat is no second message, deleted or not.
    let events = after.ledger.len();
    after.ok(links[0], to("1", "riêng", person("p2")));
    after.ok(links[0], to("4", "xoá đi", person("p2")));
    assert_eq!(after.ledger.len(), events);
}

#[test]
fn a_lost_link_finds_its_messages_on_its_return() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.drop_link(learner, false);
    play.ok(trainer, to("1", "em còn đó không?", person("p2")));
    let back = play.resume(learner);
    let news = play.news(back);
    assert!(matches!(news[0], ServerMessage::Resumed { .. }));
    assert_eq!(texts(&play.client(back).direct), ["em còn đó không?"]);
}

#[test]
fn a_deleted_message_is_gone_everywhere_but_in_the_ledger() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    let away = play.join("p4", Role::Learner);
    play.ok(learner, chat("1", "giữ lại"));
    play.drop_link(away, false);
    play.ok(learner, chat("2", "lỡ lời"));
    play.ok(learner, chat("3", "lời khác"));
    let ids: Vec<_> = play
        .client(other)
        .chat
        .iter()
        .map(|m| m.id.clone())
        .collect();
    let delete = |n: usize| M::ChatDelete {
        chat: ids[n].clone(),
    };
    assert_eq!(play.refused(other, delete(1)), ErrorCode::Forbidden);
    play.ok(learner, delete(1));
    play.ok(learner, delete(1));
    play.ok(trainer, delete(2));
    assert_eq!(texts(&play.client(other).chat), ["giữ lại"]);
    let deletions: Vec<_> = play
        .ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::ChatDeleted { by, .. } => Some(by.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(deletions, ["p2", "p1"], "deleting twice is deleting once");

    // Not in the replay of a link that was away, nor for a newcomer, nor after
    // a crash; and a repeat does not bring it back.
    let back = play.resume(away);
    assert!(!seen(&play, back).contains("lỡ lời"));
    assert_eq!(texts(&play.client(back).chat), ["giữ lại"]);
    let late = play.join("p5", Role::Learner);
    assert_eq!(texts(&play.client(late).chat), ["giữ lại"]);
    play.ok(learner, chat("2", "lỡ lời"));
    assert_eq!(texts(&play.client(late).chat), ["giữ lại"]);
    let mut after = play.restart(1_000, &[]);
    let back = after.join("p3", Role::Learner);
    assert_eq!(texts(&after.client(back).chat), ["giữ lại"]);
    let nowhere = M::ChatDelete {
        chat: "c999".into(),
    };
    assert_eq!(after.refused(back, nowhere), ErrorCode::NotFound);
}

#[test]
fn a_moderator_deletes_no_message_he_does_not_see() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let a = play.join("p2", Role::Learner);
    let b = play.join("p3", Role::Learner);
    let secretary = play.join("p4", Role::Secretary);
    play.ok(a, to("1", "riêng", person("p3")));
    play.ok(a, to("2", "lên trên", Audience::Organisers));
    let ids: Vec<_> = play.client(a).direct.iter().map(|m| m.id.clone()).collect();
    let delete = |n: usize| M::ChatDelete {
        chat: ids[n].clone(),
    };
    for n in [0, 1] {
        assert_eq!(play.refused(trainer, delete(n)), ErrorCode::NotFound);
    }
    assert_eq!(play.refused(b, delete(0)), ErrorCode::Forbidden);
    play.ok(secretary, delete(1));
    assert_eq!(texts(&play.client(a).direct), ["riêng"]);
    play.ok(a, delete(0));
    assert!(play.client(b).direct.is_empty());
    play.wait(500);
    assert!(!seen(&play, trainer).contains("chatGone"));
}

#[test]
fn in_slow_mode_learners_wait_between_two_messages_to_all() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let slow = |secs| M::ModSlow { secs };
    assert_eq!(play.refused(trainer, slow(601)), ErrorCode::BadRequest);
    assert_eq!(play.refused(learner, slow(10)), ErrorCode::Forbidden);
    play.ok(trainer, slow(600));
    play.ok(trainer, slow(600));
    assert_eq!(play.client(learner).room.as_ref().unwrap().slow_sec, 600);
    play.ok(learner, chat("1", "một"));
    assert_eq!(play.refused(learner, chat("2", "hai")), ErrorCode::SlowMode);
    // A repeat is no second message, and other ways stay open.
    play.ok(learner, chat("1", "một"));
    play.ok(learner, to("3", "thưa thầy", person("p1")));
    play.ok(trainer, chat("1", "một"));
    play.ok(trainer, chat("2", "hai"));
    assert_eq!(
        play.kinds(0)
            .iter()
            .filter(|kind| **kind == "slowMode")
            .count(),
        1
    );

    let mut after = play.restart(300_000, &[]);
    let back = after.join("p2", Role::Learner);
    assert_eq!(after.refused(back, chat("2", "hai")), ErrorCode::SlowMode);
    after.wait(300_000);
    after.ok(back, chat("2", "hai"));
}
