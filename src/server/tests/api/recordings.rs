//! Recordings after the room: who sees what, release, cuts, signed addresses, and
//! everything somebody may try with them.

use lophoc_classes::RecordingState;
use lophoc_ledger::EventKind;
use lophoc_recording::scan::Index;
use serde_json::{Value, json};

use crate::attendance_world::{Answer, Class, MINUTE};
use crate::recordings_world::{
    ID, announced, holds, later, mark, path, recorded, send, url_of, worked,
};

async fn state(class: &Class, to: &str, note: &str) -> Answer {
    send(
        class,
        &class.organiser,
        "POST",
        "/state",
        &json!({"to": to, "note": note}),
    )
    .await
}

async fn playback(class: &Class, who: &lophoc_ledger::PersonKey) -> Value {
    let answer = class.get(who, &path("/playback")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn it_is_worked_on_released_watched_and_hidden_again() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    let learner = class.learners[0].clone();

    // While it goes on learners see nothing of it, those who review that there is
    // one: nobody hears a room he is not in.
    assert_eq!(class.get(&learner, &path("")).await.status, 404);
    let list = class
        .get(&class.organiser, "/api/v1/recordings")
        .await
        .json();
    assert_eq!(list["items"][0]["state"], "recording");
    assert_eq!(list["items"][0]["canWatch"], false);
    for who in [&class.organiser, &class.trainer] {
        assert_eq!(class.get(who, &path("/playback")).await.status, 403);
    }

    worked(&class).await;
    let detail = class.get(&class.organiser, &path("")).await.json();
    assert_eq!(detail["state"], "review", "{detail}");
    assert_eq!(detail["durationMs"], MINUTE);
    assert_eq!(detail["segments"].as_array().unwrap().len(), 3);
    assert_eq!(detail["canReview"], true);
    assert!(detail["openUntilMs"].is_null(), "the class goes on");
    assert!(
        class
            .folder()
            .join("recordings")
            .join(ID)
            .join("manifest.json")
            .is_file()
    );
    let stages = class.store().recording_stages(ID).await.unwrap();
    let done: Vec<&str> = stages
        .iter()
        .filter(|(_, state, _)| state == "done")
        .map(|(stage, _, _)| stage.as_str())
        .filter(|stage| *stage != "render")
        .collect();
    assert_eq!(
        done,
        ["finalise", "quick", "mix", "verify", "publish"],
        "{stages:?}"
    );

    // Who is in it learns that there is one; the others do not.
    let other = class.learners[3].clone();
    let empty = class.get(&other, "/api/v1/recordings").await.json();
    assert_eq!(empty["items"].as_array().unwrap().len(), 0);
    let own = class.get(&learner, "/api/v1/recordings").await.json();
    assert_eq!(own["items"][0]["canWithdraw"], true);
    assert_eq!(own["items"][0]["canWatch"], false);
    assert_eq!(class.get(&learner, &path("/playback")).await.status, 404);
    for who in [&learner, &class.technician, &class.admin] {
        let answer = send(&class, who, "POST", "/state", &json!({"to": "published"})).await;
        assert!(matches!(answer.status, 403 | 404), "{}", answer.status);
    }
    // The trainer may look, trim, but not release.
    assert_eq!(playback(&class, &class.trainer).await["live"], false);
    let refused = send(
        &class,
        &class.trainer,
        "POST",
        "/state",
        &json!({"to": "published"}),
    )
    .await;
    assert_eq!(refused.status, 403);

    assert_eq!(state(&class, "published", "").await.status, 200);
    let told = playback(&class, &learner).await;
    assert_eq!(told["durationMs"], MINUTE);
    assert_eq!(told["tracks"].as_array().unwrap().len(), 1);
    assert_eq!(told["tracks"][0]["name"], "Vũ Thị Giảng");
    assert_eq!(told["tracks"][0]["presenter"], true);
    assert!(told["sound"].as_str().unwrap().contains("sound.webm"));
    assert!(told["downloads"]["sound"].is_null());
    assert_eq!(
        class.get(&class.stranger, &path("/playback")).await.status,
        404
    );
    let detail = class.get(&learner, &path("")).await.json();
    assert_eq!(detail["segments"].as_array().unwrap().len(), 0);

    // Watched: apart from attendance, each second once.
    for spans in [
        json!([[0, 20_000]]),
        json!([[10_000, 30_000], [50_000, 99_000_000]]),
    ] {
        let form = json!({"spans": spans, "resumeMs": 30_000});
        assert_eq!(
            send(&class, &learner, "POST", "/watched", &form)
                .await
                .status,
            204
        );
    }
    let told = playback(&class, &learner).await;
    assert_eq!(told["resumeMs"], 30_000);
    assert_eq!(told["mine"]["watchedPercent"], 66);
    assert_eq!(class.get(&learner, &path("/watchers")).await.status, 403);
    let watchers = class.get(&class.organiser, &path("/watchers")).await.json();
    assert_eq!(watchers["items"][0]["watchedMs"], 40_000);
    assert_eq!(watchers["items"][0]["person"], learner.as_str());

    let settings = json!({"downloads": true, "licence": "CC BY 4.0", "title": "Buổi 1"});
    assert_eq!(
        send(&class, &class.organiser, "PUT", "/settings", &settings)
            .await
            .status,
        200
    );
    let told = playback(&class, &learner).await;
    assert_eq!(
        (&told["title"], &told["licence"]),
        (&json!("Buổi 1"), &json!("CC BY 4.0"))
    );
    assert!(told["downloads"]["sound"].is_string());

    // It must stay open: hidden for a reason only, never archived, never disposed of.
    assert_eq!(
        state(&class, "hidden", " ").await.json()["error"]["fields"]["note"],
        "required"
    );
    let refused = state(&class, "archived", "cũ").await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "protected".to_owned())
    );
    let form = json!({"reason": "hết hạn"});
    let refused = send(&class, &class.organiser, "POST", "/disposal", &form).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "protected".to_owned())
    );
    assert_eq!(state(&class, "hidden", "Lộ thông tin").await.status, 200);
    assert_eq!(class.get(&learner, &path("/playback")).await.status, 404);
    let detail = class.get(&class.organiser, &path("")).await.json();
    assert!(
        detail["log"][0]["text"]
            .as_str()
            .unwrap()
            .contains("Lộ thông tin")
    );
    class.server.stop().await;
}

#[tokio::test]
async fn bytes_are_for_those_who_may_have_them_now_and_for_nobody_else() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    assert_eq!(state(&class, "published", "").await.status, 200);
    let (learner, other) = (class.learners[0].clone(), class.learners[3].clone());
    let told = playback(&class, &learner).await;
    let url = url_of(&told, "camera").to_owned();
    let whole = class.get(&learner, &url).await;
    assert_eq!(whole.status, 200);
    assert!(whole.head.contains("video/webm"), "{}", whole.head);
    let index = Index::read(&mut whole.body.as_slice(), whole.body.len() as u64, 0).unwrap();
    assert_eq!(index.clusters.len(), 60);
    for (range, from, to) in [("0-99", 0, 100), ("5000-", 5_000, whole.body.len())] {
        let head = format!("range: bytes={range}\r\n");
        let part = class.call(Some(&learner), "GET", &url, &head, b"").await;
        assert_eq!(part.status, 206);
        assert_eq!(part.body, whole.body[from..to]);
    }
    let beyond = class
        .call(
            Some(&learner),
            "GET",
            &url,
            "range: bytes=99999999-\r\n",
            b"",
        )
        .await;
    assert_eq!(beyond.status, 416);
    let sound = class.get(&learner, told["sound"].as_str().unwrap()).await;
    let index = Index::read(&mut sound.body.as_slice(), sound.body.len() as u64, 0).unwrap();
    assert_eq!(index.end_ms, MINUTE);

    // Nobody signed in, somebody else with the same address, another sign of it.
    assert_eq!(class.raw("GET", &url, "", b"").await.status, 403);
    assert_eq!(class.get(&other, &url).await.status, 403);
    assert_eq!(class.get(&class.organiser, &url).await.status, 403);
    let (at, query) = url.split_once('?').unwrap();
    let changed = |from: &str, to: &str| format!("{at}?{}", query.replacen(from, to, 1));
    let forged = [
        at.to_owned(),
        changed("e=", "e=9"),
        changed("s=", "s=A"),
        changed("v=u.", "v=t."),
        changed("v=u.", "v=p&x=u."),
        url.replace("0001.webm", "0002.webm"),
        url.replace(ID, "01JD0000000000000000000002"),
        url.replace("0001.webm", "..%2F..%2Flophoc.db"),
        url.replace("60.0001.webm", "journal.jsonl"),
        url.replace("60.0001.webm", "%2e%2e%2fjournal.jsonl"),
        format!("/media/recordings/..%2f..%2f/lophoc.db?{query}"),
    ];
    for forged in forged {
        let answer = class.get(&learner, &forged).await;
        assert!(
            matches!(answer.status, 400 | 403 | 404),
            "{forged}: {}",
            answer.status
        );
        assert!(!holds(&answer.body, b"SQLite"), "{forged}");
    }
    // The voice of one person is served to nobody: the mixed sound is.
    assert!(
        told["tracks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|track| track["kind"] == "camera")
    );

    // A second of it is cut out: no byte of it is served any more, by old addresses
    // nor by new ones, and the file on the disk stays as it was.
    let file = class.folder().join("recordings").join(ID).join("0001.webm");
    let before = std::fs::read(&file).unwrap();
    assert!(holds(&whole.body, &mark(33_000)));
    let cuts = json!({"cuts": [{"fromMs": 32_500, "toMs": 34_500}, {"fromMs": 0, "toMs": 5_000}]});
    assert_eq!(
        send(&class, &learner, "PUT", "/cuts", &cuts).await.status,
        403
    );
    // What was released is changed by those alone who release it.
    let late = send(&class, &class.trainer, "PUT", "/cuts", &cuts).await;
    assert_eq!(late.status, 403);
    let detail = class.get(&class.trainer, &path("")).await.json();
    assert_eq!(detail["canEdit"], false);
    let late = class
        .call(
            Some(&class.trainer),
            "PUT",
            &path("/captions/vi"),
            "content-type: text/vtt\r\n",
            b"WEBVTT\n",
        )
        .await;
    assert_eq!(late.status, 403);
    let edited = send(&class, &class.organiser, "PUT", "/cuts", &cuts).await;
    assert_eq!(edited.status, 200, "{}", edited.text());
    assert_eq!(edited.json()["durationMs"], 53_000);
    assert_eq!(edited.json()["cuts"][0]["why"], "trim");
    assert_eq!(class.get(&learner, &url).await.status, 403);
    let told = playback(&class, &learner).await;
    assert_eq!(told["cuts"].as_array().unwrap().len(), 2);
    let now = class.get(&learner, url_of(&told, "camera")).await;
    for t in (32_520..34_500).step_by(40).chain((0..5_000).step_by(40)) {
        assert!(!holds(&now.body, &mark(t)), "{t}");
    }
    // A picture goes on with the first that stands alone.
    for t in [10_000, 20_000, 31_960, 40_000, 59_960] {
        assert!(holds(&now.body, &mark(t)), "{t}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    for bad in [
        json!({"cuts": [{"fromMs": 9_000, "toMs": 8_000}]}),
        json!({"cuts": [{"fromMs": 0, "toMs": 60_000}]}),
        json!({"cuts": [{"fromMs": 70_000, "toMs": 80_000}]}),
    ] {
        assert_eq!(
            send(&class, &class.organiser, "PUT", "/cuts", &bad)
                .await
                .status,
            400,
            "{bad}"
        );
    }

    // As a file to keep only where that is allowed, whatever is added to an address.
    let sound = format!("{}&download=true", told["sound"].as_str().unwrap());
    assert_eq!(class.get(&learner, &sound).await.status, 403);
    let settings = json!({"downloads": true});
    assert_eq!(
        send(&class, &class.organiser, "PUT", "/settings", &settings)
            .await
            .status,
        200
    );
    let kept = class.get(&learner, &sound).await;
    assert_eq!(kept.status, 200);
    assert!(kept.head.contains("attachment"), "{}", kept.head);
    assert!(kept.head.contains("private, no-cache"), "{}", kept.head);

    // Hidden: the address of a moment ago is good for nothing.
    let url = url_of(&told, "camera").to_owned();
    assert_eq!(class.get(&learner, &url).await.status, 200);
    assert_eq!(state(&class, "hidden", "nhầm").await.status, 200);
    assert_eq!(class.get(&learner, &url).await.status, 403);
    class.server.stop().await;
}

#[tokio::test]
async fn links_units_and_everybody_are_audiences_that_end() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    assert_eq!(state(&class, "published", "").await.status, 200);
    let audience =
        async |body: Value| send(&class, &class.organiser, "PUT", "/audience", &body).await;
    for bad in [
        json!({"kind": "unit"}),
        json!({"kind": "unit", "unit": "u-none"}),
        json!({"kind": "link"}),
        json!({"kind": "link", "untilMs": 5}),
        json!({"kind": "link", "untilMs": later(900 * 24 * 60 * MINUTE)}),
    ] {
        assert_eq!(audience(bad.clone()).await.status, 400, "{bad}");
    }
    let denied = send(
        &class,
        &class.trainer,
        "PUT",
        "/audience",
        &json!({"kind": "public"}),
    )
    .await;
    assert_eq!(denied.status, 403);

    // People of another unit.
    assert_eq!(class.get(&class.stranger, &path("")).await.status, 404);
    assert_eq!(
        audience(json!({"kind": "unit", "unit": "u-so-y"}))
            .await
            .status,
        200
    );
    let told = playback(&class, &class.stranger).await;
    assert_eq!(
        class
            .get(&class.stranger, told["sound"].as_str().unwrap())
            .await
            .status,
        200
    );
    let list = class
        .get(&class.stranger, "/api/v1/recordings")
        .await
        .json();
    assert_eq!(list["items"][0]["canWatch"], true);

    // A link, without an account, for a moment.
    let until = later(4_000);
    let link = audience(json!({"kind": "link", "untilMs": until}))
        .await
        .json();
    assert_eq!(
        class
            .get(&class.stranger, told["sound"].as_str().unwrap())
            .await
            .status,
        403
    );
    let token = link["link"]
        .as_str()
        .unwrap()
        .rsplit_once("/r/")
        .unwrap()
        .1
        .to_owned();
    let by_link = format!("/api/v1/recording-links/{token}/playback");
    let open = class.raw("GET", &by_link, "", b"").await.json();
    let sound = open["sound"].as_str().unwrap().to_owned();
    assert_eq!(class.raw("GET", &sound, "", b"").await.status, 200);
    assert!(open["urlsExpireMs"].as_u64().unwrap() <= until);
    let wrong = format!(
        "/api/v1/recording-links/{}/playback",
        token.replace('.', "x.")
    );
    assert_eq!(class.raw("GET", &wrong, "", b"").await.status, 404);
    while later(0) <= until {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(class.raw("GET", &by_link, "", b"").await.status, 404);
    assert_eq!(class.raw("GET", &sound, "", b"").await.status, 403);

    // A link that went astray is replaced by another, of the same day too.
    let until = later(60 * MINUTE);
    let token_of = |link: &Value| {
        let text = link["link"].as_str().unwrap();
        text.rsplit_once("/r/").unwrap().1.to_owned()
    };
    let before = audience(json!({"kind": "link", "untilMs": until})).await;
    let after = audience(json!({"kind": "link", "untilMs": until})).await;
    for (link, status) in [(before.json(), 404), (after.json(), 200)] {
        let by_link = format!("/api/v1/recording-links/{}/playback", token_of(&link));
        assert_eq!(class.raw("GET", &by_link, "", b"").await.status, status);
    }

    // Everybody, and no longer.
    let link = audience(json!({"kind": "public"})).await.json();
    let token = link["link"]
        .as_str()
        .unwrap()
        .rsplit_once("/r/")
        .unwrap()
        .1
        .to_owned();
    let by_link = format!("/api/v1/recording-links/{token}/playback");
    let open = class.raw("GET", &by_link, "", b"").await.json();
    let sound = open["sound"].as_str().unwrap().to_owned();
    assert_eq!(class.raw("GET", &sound, "", b"").await.status, 200);
    assert_eq!(audience(json!({"kind": "enrolled"})).await.status, 200);
    assert_eq!(class.raw("GET", &by_link, "", b"").await.status, 404);
    assert_eq!(class.raw("GET", &sound, "", b"").await.status, 403);
    class.server.stop().await;
}

#[tokio::test]
async fn chat_polls_captions_and_boards_are_told_on_its_time_without_cuts_and_the_unrecorded() {
    let mut class = Class::new().await;
    class.begin().await;
    // Begins with the lesson; paused from minute 50 on.
    crate::recordings_world::recorded_at(
        &class,
        class.began,
        60 * MINUTE,
        Some((50 * MINUTE, 55 * MINUTE)),
    )
    .await;
    class.end().await;
    let notice = announced(&mut class).await;
    for (who, accepted) in [(0, true), (1, true), (2, false)] {
        let person = class.learners[who].clone();
        let kind = EventKind::RecordingChoice {
            person,
            notice,
            accepted,
        };
        class.event(1, kind).await;
    }
    let trainer = class.trainer.clone();
    let accepted = EventKind::RecordingChoice {
        person: trainer,
        notice,
        accepted: true,
    };
    class.event(1, accepted).await;
    let third = class.learners[2].clone();
    class.join(2, &third, "learner").await;
    let (first, second) = (class.learners[0].clone(), class.learners[1].clone());
    for (after, person, id) in [
        (10 * MINUTE, &first, "a"),
        (12 * MINUTE, &second, "unrecorded"),
        (13 * MINUTE, &third, "refused"),
        (52 * MINUTE, &first, "paused"),
        (58 * MINUTE, &first, "b"),
    ] {
        let kind = EventKind::Chat {
            person: person.clone(),
            id: id.to_owned(),
            cid: id.to_owned(),
            text: format!("lời {id}"),
            to: None,
        };
        class.event(i64::try_from(after).unwrap(), kind).await;
    }
    let shape = |n: u32| json!({"n": n, "by": class.trainer.as_str(), "cid": "c", "fig": {"kind": "pen", "ink": "red", "w": 1, "p": [0, 0, 5, 5]}});
    let drawn = [(5, 1), (51, 2), (52, 3), (57, 4)].map(|(minute, n)| (minute, n, shape(n)));
    for (minute, n, shape) in drawn {
        let kind = EventKind::BoardDrawn {
            board: "w1".to_owned(),
            shape,
        };
        class.event(minute * MINUTE as i64, kind).await;
        if n == 3 {
            let erased = EventKind::BoardErased {
                board: "w1".to_owned(),
                n: vec![3],
                by: class.trainer.clone(),
            };
            class.event(53 * MINUTE as i64, erased).await;
        }
    }
    worked(&class).await;
    let told = playback(&class, &class.organiser).await;
    assert_eq!(
        told["cuts"],
        json!([{"fromMs": 50 * MINUTE, "toMs": 55 * MINUTE}])
    );
    let ids: Vec<&str> = told["chat"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(told["chat"][0]["atMs"], 10 * MINUTE);
    assert_eq!(told["chat"][0]["name"], "Đặng Thị Ái");
    let text = told.to_string();
    assert!(!text.contains("chuyện riêng") && !text.contains("bí mật"));
    assert_eq!(told["polls"][0]["atMs"], 40 * MINUTE);
    assert_eq!(told["polls"][0]["question"], "Mấy tháng?");
    assert!(
        told["polls"][0]["options"][0]["votes"].is_null(),
        "results were not shown"
    );
    // What was drawn and erased while it was paused was never there; what stayed is
    // there afterwards.
    let boards = told["boards"].as_array().unwrap();
    let drawn: Vec<(u64, u64)> = boards
        .iter()
        .filter_map(|one| Some((one["shape"]["n"].as_u64()?, one["atMs"].as_u64()?)))
        .collect();
    assert_eq!(drawn, [(1, 5 * MINUTE), (2, 55 * MINUTE), (4, 57 * MINUTE)]);
    let captions = told["captions"].as_array().unwrap();
    assert_eq!(captions.len(), 2);
    let vtt = class
        .get(&class.organiser, captions[1]["url"].as_str().unwrap())
        .await;
    assert!(
        vtt.text()
            .contains("00:32:57.000 --> 00:33:00.000\nChào &lt;các&gt; em"),
        "{}",
        vtt.text()
    );

    // Captions by hand in place of those typed in the room.
    let put = async |lang: &str, body: &[u8]| {
        class
            .call(
                Some(&class.trainer),
                "PUT",
                &path(&format!("/captions/{lang}")),
                "content-type: text/vtt\r\nx-label: Ti%E1%BA%BFng Vi%E1%BB%87t\r\n",
                body,
            )
            .await
    };
    assert_eq!(put("vi", b"<html>").await.status, 400);
    assert_eq!(put("..", b"WEBVTT\n").await.status, 400);
    let body = "WEBVTT\n\n00:00.000 --> 00:02.000\nXin chào\n".as_bytes();
    assert_eq!(put("vi", body).await.status, 200);
    let told = playback(&class, &class.organiser).await;
    assert_eq!(told["captions"][0]["label"], "Tiếng Việt");
    let vtt = class
        .get(
            &class.organiser,
            told["captions"][0]["url"].as_str().unwrap(),
        )
        .await;
    assert_eq!(vtt.body, body);
    assert_eq!(
        class.store().recording(ID).await.unwrap().unwrap().state,
        RecordingState::Review
    );

    // What was said where something is cut is in no captions.
    let cuts = json!({"cuts": [{"fromMs": 1_000, "toMs": 5_000}]});
    assert_eq!(
        send(&class, &class.trainer, "PUT", "/cuts", &cuts)
            .await
            .status,
        200
    );
    let told = playback(&class, &class.organiser).await;
    let url = told["captions"][0]["url"].as_str().unwrap();
    let vtt = class.get(&class.organiser, url).await;
    assert_eq!(vtt.text(), "WEBVTT\n");

    // Whom nobody knows sees no chat and no keys of people.
    assert_eq!(state(&class, "published", "").await.status, 200);
    let public = json!({"kind": "public"});
    let link = send(&class, &class.organiser, "PUT", "/audience", &public).await;
    let link = link.json()["link"].as_str().unwrap().to_owned();
    let token = link.rsplit_once("/r/").unwrap().1;
    let by_link = format!("/api/v1/recording-links/{token}/playback");
    let open = class.raw("GET", &by_link, "", b"").await;
    assert_eq!(open.status, 200);
    assert!(!open.text().contains("lời a") && !open.text().contains("Đặng Thị Ái"));
    assert!(!open.text().contains(class.trainer.as_str()));
    assert_eq!(open.json()["tracks"][0]["name"], "Vũ Thị Giảng");
    assert!(!open.json()["boards"].as_array().unwrap().is_empty());
    class.server.stop().await;
}
