//! What a technician does to a site from the console, as somebody who is in.

use super::*;
use lophoc_room::{Effect, OutsideAct};

fn act(play: &mut Play, me: &str, who: &str, act: OutsideAct) -> (Vec<Effect>, Option<ErrorCode>) {
    let now = play.now;
    let (effects, done) = play.room.act_outside(now, &id(me), &id(who), act);
    (effects, done.err())
}

fn sent(effects: &[Effect], link: LinkId) -> Vec<ServerMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send {
                link: to, frame, ..
            } if *to == link => Some(frame.msg.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_rights_of_the_room_hold_from_outside_too() {
    let mut play = Play::new(RoomMode::Conference);
    play.join("p1", Role::Technician);
    let site = play.join("p2", Role::Learner);
    play.join("p3", Role::Learner);
    let mic = || OutsideAct::Ask(MIC);
    assert_eq!(
        act(&mut play, "p9", "p2", mic()).1,
        Some(ErrorCode::Forbidden)
    );
    assert_eq!(
        act(&mut play, "p3", "p2", mic()).1,
        Some(ErrorCode::Forbidden)
    );
    for what in [OutsideAct::Mute, OutsideAct::Restart] {
        assert_eq!(
            act(&mut play, "p3", "p2", what).1,
            Some(ErrorCode::Forbidden)
        );
    }
    assert_eq!(
        act(&mut play, "p1", "p9", mic()).1,
        Some(ErrorCode::NotFound)
    );

    let (effects, code) = act(&mut play, "p1", "p2", mic());
    assert_eq!(code, None);
    assert!(
        sent(&effects, site)
            .iter()
            .any(|msg| matches!(msg, ServerMessage::Asked { kind: MIC, .. }))
    );
    let (effects, code) = act(&mut play, "p1", "p2", OutsideAct::Restart);
    assert_eq!(
        (sent(&effects, site), code),
        (vec![ServerMessage::Renegotiate], None)
    );
    let say = OutsideAct::Say {
        cid: "c1".into(),
        text: "Điểm cầu kiểm tra dây micro".into(),
    };
    let (effects, code) = act(&mut play, "p1", "p2", say);
    assert_eq!(code, None);
    let kept = effects.iter().any(|effect| {
        matches!(effect, Effect::Ledger(event) if matches!(event.kind, EventKind::Chat { .. }))
    });
    assert!(kept);
}

#[test]
fn nobody_is_made_to_connect_anew_without_end() {
    let mut play = Play::new(RoomMode::Conference);
    play.join("p1", Role::Technician);
    play.join("p2", Role::Learner);
    let refused = (0..1_000).find_map(|_| act(&mut play, "p1", "p2", OutsideAct::Restart).1);
    assert_eq!(refused, Some(ErrorCode::RateLimited));
}
