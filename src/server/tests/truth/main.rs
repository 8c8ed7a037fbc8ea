//! The scripted truth: two hundred people over real sockets, whose every coming
//! and going is written down by the test itself and compared with what the
//! server computes from its ledger. Drops of three kinds, two devices, renames,
//! a waiting room, breaks, and a server killed with SIGKILL twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)] // tests

#[path = "../wire/client.rs"]
#[allow(dead_code)]
mod client;
mod guest;
mod judge;
mod script;
mod server;
#[path = "../wire/world.rs"]
#[allow(dead_code)]
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lophoc_ledger::{Input, PersonKey, Rules, attendance};
use lophoc_records::Store;
use serde_json::json;

use crate::client::Client;
use crate::guest::Diary;
use crate::judge::{Truth, judge};
use crate::script::{BREAKS, END, KILLS, PEOPLE, START};
use crate::server::{Clock, Running, Stage, token_of};

/// The organiser lets people in, begins, breaks and ends the lesson; comes back
/// after every death of the server like everybody else.
async fn organise(stage: Arc<Stage>, link: String, truth: Arc<Mutex<Truth>>) {
    let clock = stage.clock;
    let mut plan: Vec<(f64, serde_json::Value)> = vec![(START, json!({"t": "modStart"}))];
    for (from, to) in BREAKS {
        plan.push((from, json!({"t": "modBreak", "on": true})));
        plan.push((to, json!({"t": "modBreak", "on": false})));
    }
    plan.push((END, json!({"t": "modEnd"})));
    let mut plan = plan.into_iter().peekable();
    'alive: loop {
        let token = token_of(&stage, &link, "Ban tổ chức", "device of the organiser").await;
        let Some(mut me) = Client::try_enter(&stage.host(), &token).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        loop {
            if let Some((at, message)) = plan.next_if(|(at, _)| clock.seconds() >= *at) {
                let Some(answer) = me.try_ask(message.clone()).await else {
                    panic!("the server died while the lesson was {message} at {at}");
                };
                assert_eq!(answer["t"], "ok", "{message}: {answer}");
                let now = clock.wall_ms();
                let mut truth = truth.lock().unwrap();
                match message["t"].as_str().unwrap() {
                    "modStart" => truth.from_ms = now,
                    "modEnd" => {
                        truth.to_ms = now;
                        return;
                    }
                    _ if message["on"] == true => truth.breaks.push((now, now)),
                    _ => truth.breaks.last_mut().unwrap().1 = now,
                }
                continue;
            }
            // Refused for its rate at times, which is no matter.
            if me.try_ask(json!({"t": "modAdmit"})).await.is_none() {
                continue 'alive;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attendance_is_the_scripted_truth() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (session, organiser, plays) = script::prepare(&data).await;
    let running = Running::start(&data).await;
    let clock = Clock::begin();
    let stage = Arc::new(Stage::new(clock, &running));
    let truth = Arc::new(Mutex::new(Truth::default()));

    let mut lesson = tokio::spawn(organise(stage.clone(), organiser, truth.clone()));
    let guests: Vec<_> = plays
        .iter()
        .cloned()
        .map(|play| {
            let stage = stage.clone();
            tokio::spawn(async move { guest::attend(&stage, &play).await })
        })
        .collect();

    let mut running = Some(running);
    for kill in KILLS {
        clock.until(kill).await;
        let mut dying = running.take().unwrap();
        stage.now_dead();
        dying.kill().await;
        truth.lock().unwrap().outages.push((clock.wall_ms(), 0));
        let fresh = Running::start(&data).await;
        truth.lock().unwrap().outages.last_mut().unwrap().1 = clock.wall_ms();
        stage.now_alive(&fresh);
        running = Some(fresh);
    }
    (&mut lesson).await.unwrap();
    stage.finish();
    let mut diaries: Vec<Diary> = Vec::new();
    for guest in guests {
        diaries.push(guest.await.unwrap());
    }
    running.take().unwrap().kill().await;

    for (play, diary) in plays.iter().zip(&diaries) {
        let second = play.visits.iter().any(|visit| visit.takes_over);
        assert_eq!(diary.asked, second, "{}", diary.name);
    }

    let store = Store::open(&data.join("lophoc.db")).await.unwrap();
    let events = store.events(&session).await.unwrap();
    let presence = store.presence(&session).await.unwrap();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event.seq, seq, "the ledger has a hole");
    }
    judge::nothing_acknowledged_is_missing(&events, &diaries);

    let truth = truth.lock().unwrap().clone();
    for grace_s in [0u64, 60] {
        let rules = Rules {
            grace_ms: grace_s * 1_000,
            ..Rules::default()
        };
        let report = attendance(&Input {
            events: &events,
            presence: &presence,
            now: None,
            hall: &[],
            expected: &[],
            adjustments: &[],
            rules: &rules,
        });
        let learners: Vec<&PersonKey> = report
            .rows
            .iter()
            .filter(|row| row.role == "learner")
            .map(|row| &row.person)
            .collect();
        assert_eq!(learners.len(), PEOPLE, "somebody was split, merged or lost");
        judge(&report, &truth, &diaries, grace_s * 1_000);
    }
}
