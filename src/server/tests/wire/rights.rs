//! Role × action over the wire, in every mode of the room. The expectation is
//! written out here and not taken from the table it tests.

use lophoc_protocol::{Role, RoomMode};
use serde_json::{Value, json};

use crate::client::{Client, get};
use crate::world::World;

use Role::{Adviser, Chair, Guest, Learner, Organiser, Secretary, Technician, Trainer};

const STAFF: &[Role] = &[Organiser, Chair, Trainer, Adviser, Technician];
const LEADERS: &[Role] = &[Organiser, Chair, Trainer];
/// Who makes the counted time.
const TEACHERS: &[Role] = &[Organiser, Chair, Trainer, Adviser];
/// Who lets people in.
const DOOR: &[Role] = &[Organiser, Chair, Trainer, Adviser, Technician, Secretary];
const ALL_BUT_INSPECTOR: &[Role] = &[
    Organiser, Chair, Trainer, Adviser, Technician, Secretary, Learner, Guest,
];

/// What is asked, and who may.
fn requests(mode: RoomMode, target: &str) -> Vec<(Value, &'static [Role])> {
    let speakers: &[Role] = match mode {
        RoomMode::Discussion => ALL_BUT_INSPECTOR,
        RoomMode::Training => DOOR,
        RoomMode::Conference => LEADERS,
    };
    vec![
        (
            json!({"t": "chat", "cid": "c1", "text": "Xin chào"}),
            &Role::ALL,
        ),
        (json!({"t": "hand", "up": true}), &Role::ALL),
        (
            json!({"t": "pub", "kind": "camera", "st": "live"}),
            ALL_BUT_INSPECTOR,
        ),
        (json!({"t": "pub", "kind": "mic", "st": "live"}), speakers),
        (json!({"t": "pub", "kind": "screen", "st": "live"}), LEADERS),
        (json!({"t": "modHand", "who": target}), STAFF),
        (json!({"t": "modHand"}), STAFF),
        (json!({"t": "modMute", "who": target, "kind": "mic"}), STAFF),
        (
            json!({"t": "modMute", "who": target, "kind": "camera"}),
            STAFF,
        ),
        (
            json!({"t": "modMute", "who": target, "kind": "screen"}),
            STAFF,
        ),
        (json!({"t": "modMuteAll", "mayUnmute": true}), STAFF),
        (json!({"t": "modAsk", "who": target, "kind": "mic"}), STAFF),
        (json!({"t": "modFloor", "who": target, "give": true}), STAFF),
        (
            json!({"t": "modFloor", "who": target, "give": false}),
            STAFF,
        ),
        (json!({"t": "modLock", "locked": true}), STAFF),
        (json!({"t": "modMode", "mode": mode}), LEADERS),
        (json!({"t": "modStart"}), TEACHERS),
        (json!({"t": "modCheck", "windowSec": 60}), TEACHERS),
        (
            json!({"t": "modChecks", "everyMin": 0, "windowSec": 60}),
            TEACHERS,
        ),
        (json!({"t": "modBreak", "on": true}), TEACHERS),
        (json!({"t": "modWaiting", "on": true}), DOOR),
        (json!({"t": "modAdmit"}), DOOR),
        (json!({"t": "modRemove", "who": target, "bar": true}), STAFF),
        (json!({"t": "modEnd"}), LEADERS),
    ]
}

async fn check(mode: RoomMode) {
    for role in Role::ALL {
        let world = World::with(mode, |_| {}).await;
        let target = world.enter(Learner, "Người học").await;
        let token = world.token(role, "Người thử").await;
        let mut actor = Client::enter(&world.host(), &token).await;
        let path = format!("/api/sessions/{}/stays.csv", world.session);
        let exported = get(&world.host(), &path, Some(&token)).await.0;
        assert_eq!(
            exported == 200,
            [Organiser, Chair, Secretary].contains(&role),
            "{role:?} exports: {exported}"
        );
        for (request, may) in requests(mode, &target.person) {
            let outcome = actor.outcome(request.clone()).await;
            let expected = if may.contains(&role) {
                "ok"
            } else {
                "forbidden"
            };
            assert_eq!(outcome, expected, "{role:?} in {mode:?}: {request}");
        }
        drop((actor, target));
        world.server.stop().await;
    }
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_in_a_discussion() {
    check(RoomMode::Discussion).await;
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_in_training() {
    check(RoomMode::Training).await;
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_in_a_conference() {
    check(RoomMode::Conference).await;
}

#[tokio::test]
async fn only_organiser_and_chair_act_upon_organiser_and_chair() {
    let world = World::new().await;
    for role in [Organiser, Chair] {
        let high = world.enter(role, "Cấp trên").await;
        for actor in STAFF {
            let mut by = world.enter(*actor, "Người thử").await;
            let expected = if [Organiser, Chair].contains(actor) {
                "ok"
            } else {
                "forbidden"
            };
            let mute = json!({"t": "modMute", "who": high.person, "kind": "mic"});
            assert_eq!(by.outcome(mute).await, expected, "{actor:?} mutes {role:?}");
            if expected == "forbidden" {
                let remove = json!({"t": "modRemove", "who": high.person, "bar": false});
                assert_eq!(
                    by.outcome(remove).await,
                    "forbidden",
                    "{actor:?} removes {role:?}"
                );
            }
            by.leave().await;
        }
    }
    world.server.stop().await;
}

#[tokio::test]
async fn nobody_exports_another_session() {
    let world = World::new().await;
    let token = world.token(Organiser, "Ban tổ chức").await;
    assert_eq!(
        get(
            &world.host(),
            "/api/sessions/b-other/stays.csv",
            Some(&token)
        )
        .await
        .0,
        403
    );
    assert_eq!(
        get(
            &world.host(),
            &format!("/api/sessions/{}/stays.csv", world.session),
            None
        )
        .await
        .0,
        403
    );
    let guest = world.token(Guest, "Khách").await;
    let mut client = Client::enter(&world.host(), &guest).await;
    let you = &client.welcome["you"]["perms"];
    assert!(!you.as_array().unwrap().contains(&json!("export")));
    assert_eq!(client.chat("c", "a").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn an_organiser_who_was_removed_exports_no_more() {
    let world = World::new().await;
    let token = world.token(Organiser, "Người bị mời ra").await;
    let removed = Client::enter(&world.host(), &token).await;
    let mut other = world.enter(Organiser, "Ban tổ chức").await;
    let path = format!("/api/sessions/{}/stays.csv", world.session);
    assert_eq!(get(&world.host(), &path, Some(&token)).await.0, 200);
    let request = json!({"t": "modRemove", "who": removed.person, "bar": true});
    assert_eq!(other.outcome(request).await, "ok");
    let (status, body) = get(&world.host(), &path, Some(&token)).await;
    assert_eq!((status, body.contains("banned")), (403, true), "{body}");
    world.server.stop().await;
}

#[tokio::test]
async fn a_role_that_was_taken_away_exports_no_more() {
    let world = World::new().await;
    let token = world.token(Secretary, "Thư ký").await;
    let secretary = Client::enter(&world.host(), &token).await;
    let mut organiser = world.enter(Organiser, "Ban tổ chức").await;
    let path = format!("/api/sessions/{}/stays.csv", world.session);
    let export = async || get(&world.host(), &path, Some(&token)).await.0;
    assert_eq!(export().await, 200);
    for (role, status) in [("learner", 403), ("secretary", 200), ("guest", 403)] {
        let give = json!({"t": "modRole", "who": secretary.person, "role": role});
        assert_eq!(organiser.outcome(give).await, "ok");
        assert_eq!(export().await, status, "{role}");
    }
    world.server.stop().await;
}
