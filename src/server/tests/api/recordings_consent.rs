//! Who is recorded after the fact: what people take back, what they refuse later, and
//! what became of the right of a program.

use lophoc_classes::{ApiToken, ClassKind, Scope};
use lophoc_ledger::{EventKind, PersonKey};
use serde_json::{Value, json};

use crate::attendance_world::{Class, MINUTE, now_ms};
use crate::recordings_world::{ID, Made, announced, path, recorded, recorded_as, send, worked};

async fn published(class: &Class) {
    let step = json!({"to": "published"});
    let told = send(class, &class.organiser, "POST", "/state", &step).await;
    assert_eq!(told.status, 200, "{}", told.text());
}

async fn playback(class: &Class, who: &PersonKey) -> Value {
    let answer = class.get(who, &path("/playback")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The mixed sound, when it is there again.
async fn sound(class: &Class, who: &PersonKey) -> (String, Vec<u8>) {
    for _ in 0..600 {
        let waits = class.store().recording_stages(ID).await.unwrap();
        let waits = waits
            .iter()
            .any(|(stage, state, _)| stage.as_str() == "mix" && state != "done");
        if let Some(url) = playback(class, who).await["sound"]
            .as_str()
            .filter(|_| !waits)
        {
            let answer = class.get(who, url).await;
            assert_eq!(answer.status, 200);
            return (url.to_owned(), answer.body);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:?}", class.store().recording_stages(ID).await);
}

async fn withdraw(class: &Class, who: &PersonKey, body: Value) -> u16 {
    send(class, who, "POST", "/withdraw", &body).await.status
}

#[tokio::test]
async fn who_takes_it_back_is_in_nothing_that_is_made_of_it_and_his_addresses_end() {
    let mut class = Class::new().await;
    class.begin().await;
    let made = Made {
        trainer: &class.trainer,
        learner: &class.learners[0],
        never: &[],
        began_ms: class.began + MINUTE,
        length_ms: MINUTE,
        size: 0,
        pause: None,
        loud: true,
    };
    recorded_as(&class, &made).await;
    worked(&class).await;
    published(&class).await;
    // Enrolled, and not in the room that day.
    let (learner, other) = (class.learners[0].clone(), class.learners[3].clone());
    let (url, with) = sound(&class, &other).await;
    assert_eq!(
        playback(&class, &learner).await["mine"]["canWithdraw"],
        true
    );
    assert_eq!(playback(&class, &other).await["mine"]["canWithdraw"], false);

    // For himself, or by who reviews; and only who was there.
    let trainer = json!({"person": class.trainer.as_str()});
    assert_eq!(withdraw(&class, &class.stranger, json!({})).await, 404);
    assert_eq!(withdraw(&class, &other, json!({})).await, 404);
    assert_eq!(withdraw(&class, &learner, trainer.clone()).await, 403);
    assert_eq!(
        withdraw(&class, &class.stranger, trainer.clone()).await,
        404
    );
    let nobody = json!({"person": "p-nobody"});
    assert_eq!(withdraw(&class, &class.organiser, nobody).await, 400);

    assert_eq!(withdraw(&class, &learner, json!({})).await, 204);
    assert_eq!(class.get(&other, &url).await.status, 403);
    let (_, without) = sound(&class, &other).await;
    assert!(
        without.len() * 2 < with.len(),
        "{} {}",
        without.len(),
        with.len()
    );
    assert_eq!(
        playback(&class, &learner).await["mine"]["canWithdraw"],
        false
    );
    let list = class.get(&learner, "/api/v1/recordings").await.json();
    assert_eq!(list["items"][0]["canWithdraw"], false);
    let detail = class.get(&class.organiser, &path("")).await.json();
    let log = detail["log"].as_array().unwrap();
    let line = log.iter().find(|line| line["what"] == "consent").unwrap();
    assert_eq!(line["text"], "Đặng Thị Ái");
    // The original stays as it was written.
    let segments = class.store().recording_segments(ID).await.unwrap();
    assert_eq!(segments.len(), 3);

    // A repeat changes nothing; on behalf of the trainer his picture goes.
    assert_eq!(withdraw(&class, &learner, json!({})).await, 204);
    let told = playback(&class, &other).await;
    let camera = told["tracks"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(class.get(&other, &camera).await.status, 200);
    assert_eq!(withdraw(&class, &class.organiser, trainer).await, 204);
    assert_eq!(class.get(&other, &camera).await.status, 403);
    assert_eq!(playback(&class, &other).await["tracks"], json!([]));
    class.server.stop().await;
}

#[tokio::test]
async fn a_refusal_under_the_same_words_after_its_end_counts_at_every_address() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    let notice = announced(&mut class).await;
    let says = |person: &PersonKey, accepted| EventKind::RecordingChoice {
        person: person.clone(),
        notice,
        accepted,
    };
    let (trainer, learner) = (class.trainer.clone(), class.learners[0].clone());
    class.event(1, says(&trainer, true)).await;
    class.event(1, says(&learner, true)).await;
    // Typed by somebody who never answered.
    let second = class.learners[1].clone();
    let line = EventKind::Caption {
        person: second,
        cid: "c".to_owned(),
        lang: "vi".to_owned(),
        text: "không ai được đọc".to_owned(),
        took_ms: 100,
    };
    class.event(90_000, line).await;
    worked(&class).await;
    published(&class).await;
    let told = playback(&class, &learner).await;
    assert_eq!(told["captions"], json!([]));
    let camera = told["tracks"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(class.get(&learner, &camera).await.status, 200);

    class.event(100_000, says(&trainer, false)).await;
    assert_eq!(class.get(&learner, &camera).await.status, 403);
    assert_eq!(playback(&class, &learner).await["tracks"], json!([]));
    sound(&class, &learner).await;
    class.server.stop().await;
}

#[tokio::test]
async fn what_a_program_may_watch_ends_with_its_token() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let token = async |id: &str, scope| {
        let secret = format!("lpt_{id}");
        let hash = crate::attendance_world::hash(&secret);
        let token = ApiToken {
            id: id.to_owned(),
            label: String::new(),
            scopes: vec![scope],
            expires_ms: now_ms() + 60 * MINUTE,
            used_ms: None,
            secret: None,
        };
        class
            .store()
            .add_api_token(&class.organiser, &token, &hash, now_ms())
            .await
            .unwrap();
        format!("authorization: Bearer {secret}\r\n")
    };
    let get = async |head: &str, at: &str| class.raw("GET", at, head, b"").await;
    let classes = token("classes", Scope::ClassesRead).await;
    assert_eq!(get(&classes, &path("")).await.status, 200);
    for rest in ["/playback", "/watchers"] {
        assert_eq!(get(&classes, &path(rest)).await.status, 403, "{rest}");
    }
    let attendance = token("attendance", Scope::AttendanceRead).await;
    assert_eq!(get(&attendance, &path("/watchers")).await.status, 200);
    let watches = token("watches", Scope::RecordingsRead).await;
    let told = get(&watches, &path("/playback")).await.json();
    let camera = told["tracks"][0]["url"].as_str().unwrap();
    assert!(
        class
            .store()
            .end_api_token(&class.organiser, "watches", now_ms())
            .await
            .unwrap()
    );
    assert_eq!(get("", camera).await.status, 403);
    class.server.stop().await;
}

#[tokio::test]
async fn a_setting_asks_for_as_much_as_the_sort_of_class_does_now() {
    let class = Class::new().await;
    let put = async |kind| {
        let known = class.store().class(&class.class).await.unwrap().unwrap();
        let mut plan = known.plan;
        plan.kind = kind;
        class
            .store()
            .change_plan(&class.class, plan, known.rev, &class.organiser, now_ms())
            .await
            .unwrap();
    };
    put(ClassKind::Public).await;
    let form = json!({"on": true, "who": "Sở", "by": "server", "ask": "notice"});
    let at = class.of_class("recording");
    let head = "content-type: application/json\r\n";
    let body = form.to_string();
    let set = class
        .call(Some(&class.organiser), "PUT", &at, head, body.as_bytes())
        .await;
    assert_eq!(set.status, 200, "{}", set.text());
    let asks = async || {
        let plan = class
            .store()
            .recording_plan(&class.class, &class.session)
            .await;
        plan.unwrap().unwrap().asks
    };
    assert!(!asks().await);
    put(ClassKind::Pupils).await;
    assert!(asks().await);
    let told = class.get(&class.organiser, &at).await.json();
    assert_eq!(told["ask"], "consent");
    class.server.stop().await;
}
