//! The measuring commands at their smallest, against the server's program. Nothing
//! here is about speed: a busy machine must not make it fail.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Command;

use loadtests::bars::Bars;
use loadtests::lecture::Lecture;
use loadtests::publisher::Pace;
use loadtests::report::LearnerProfile;
use loadtests::server::{Build, Options};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_cameras_and_profiles_are_all_counted() {
    let lecture = Lecture {
        learners: 2,
        rooms: 2,
        cameras: 2,
        profile: LearnerProfile::SeatPhone,
        full: Some(1),
        seconds: 2,
        warmup: 1,
        options: Options {
            shards: Some(1),
            ..Options::default()
        },
        ..Lecture::default()
    };
    let report = lecture.run().await.unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!((report.learners, report.connected), (4, 4), "{report}");
    // Two rooms: two cameras and a microphone each.
    let published = report.published;
    assert!(published.video > 3 * published.audio, "{report}");
    assert!(report.forwarded_packets > 0, "{report}");
    assert_eq!(
        (report.corrupt_packets, report.repeated_packets),
        (0, 0),
        "{report}"
    );
    assert!(report.latency_ms.count > 0, "{report}");
    // Two light learners of four write feedback themselves, all send reports.
    assert!(report.twcc_per_s > 1.0, "{report}");
    assert!(report.rtcp_per_s > report.twcc_per_s, "{report}");
    let load = report.shard_load.unwrap();
    assert!(load > 0.0 && load <= 1.05, "{report}");
    let (all, media) = (
        report.server_cpu_s.unwrap().total,
        report.media_cpu_s.unwrap(),
    );
    assert!(media > 0.0 && media <= all + 0.01, "{report}");
    let memory = [report.server_rss_mib, report.server_rss_start_mib];
    assert!(memory.iter().all(|mib| *mib > Some(1.0)), "{report}");
    assert!(report.light_ns_per_packet.unwrap() > 0.0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_bars_has_a_row_for_each_and_softens_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let bench = folder.path().join("bench.json");
    // A floor nobody reaches: those bars must be missed.
    let json = r#"{"2":{"bare":{"ns":1},"direct":{"ns":9}},"4":{"bare":{"ns":1}}}"#;
    std::fs::write(&bench, json).unwrap();
    let bars = Bars {
        learners: 3,
        sizes: [2, 4],
        full: 1,
        repeats: 1,
        seconds: 1,
        warmup: 0,
        profile: LearnerProfile::Viewer,
        // So little that one room is enough.
        load: 0.000_1,
        bare: Some(bench),
        build: Build::own(),
        options: Options::default(),
    };
    let report = bars.run().await.unwrap();
    let text = report.to_string();
    assert_eq!(report.rows.len(), 9, "{text}");
    let verdict = |start: &str| {
        let row = report.rows.iter().find(|row| row.what.starts_with(start));
        row.unwrap().pass
    };
    assert_eq!(
        verdict("cost per packet / bare loop, 2"),
        Some(false),
        "{text}"
    );
    assert_eq!(
        verdict("cost per packet / bare loop, 4"),
        Some(false),
        "{text}"
    );
    assert_eq!(
        verdict("the send path alone / bare loop, 2"),
        Some(false),
        "{text}"
    );
    assert!(!report.passed() && text.contains("FAIL"), "{text}");
    assert!(text.contains("UNOPTIMISED") || report.release, "{text}");
    assert_eq!(report.runs.len(), 5, "{text}");
    assert_eq!(report.runs["at ease"][0].settings.pace, Pace::Browser);
    let json: Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["runs"]["many"][0]["learners"], 4);
}

/// With the package `janus`, and where namespaces may be made, the comparison runs;
/// else it says what is missing.
#[test]
fn the_comparison_runs_or_says_what_it_needs() {
    let output = Command::new(env!("CARGO_BIN_EXE_loadtests"))
        .args([
            "compare",
            "--learners",
            "3",
            "--full",
            "1",
            "--repeats",
            "1",
        ])
        .args(["--seconds", "2", "--warmup", "1", "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some(line) = text.lines().find(|line| line.starts_with('{')) else {
        assert!(!output.status.success());
        let known = ["apt-get install janus", "unshare", "namespace"];
        assert!(known.iter().any(|what| said.contains(what)), "{said}");
        return;
    };
    let report: Value = serde_json::from_str(line).unwrap();
    for side in report["sides"].as_array().unwrap() {
        let run = &side["runs"][0];
        assert_eq!(run["connected"], 3, "{side}\n{said}");
        assert!(run["forwarded_packets"].as_u64().unwrap() > 0, "{side}");
        assert_eq!(run["corrupt_packets"], 0, "{side}");
        assert!(side["packets_per_cpu_s"].as_f64().unwrap() > 0.0, "{side}");
        assert!(side["cipher"].as_str().unwrap().contains("AES"), "{side}");
    }
    assert!(report["ratio"].as_f64().unwrap() > 0.0);
}
