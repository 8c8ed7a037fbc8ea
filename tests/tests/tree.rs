//! The rules of the tree: who may depend on what, and what no file may hold.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates that decide without doing: no runtime, engine, socket or database.
const SANS_IO: [&str; 7] = [
    "lophoc-protocol",
    "lophoc-media",
    "lophoc-room",
    "lophoc-ledger",
    "lophoc-classes",
    "lophoc-documents",
    "lophoc-recording",
];

/// What a sans-IO crate never reaches, directly or through others.
const DOING: [&str; 14] = [
    "tokio",
    "str0m",
    "mio",
    "socket2",
    "sqlx",
    "sqlx-core",
    "axum",
    "hyper",
    "webrtc",
    "rtc",
    "async-std",
    "rand",
    "libc",
    "aws-lc-rs",
];

/// Which crates of the workspace each may name, tests included.
const MAY_NAME: [(&str, &[&str]); 14] = [
    ("lophoc-protocol", &[]),
    ("lophoc-media", &[]),
    ("lophoc-ledger", &[]),
    ("lophoc-room", &["lophoc-protocol", "lophoc-ledger"]),
    ("lophoc-classes", &["lophoc-ledger"]),
    ("lophoc-documents", &["lophoc-ledger", "lophoc-classes"]),
    ("lophoc-records", &["lophoc-ledger", "lophoc-classes"]),
    ("lophoc-transport", &["lophoc-media"]),
    ("lophoc-slides", &[]),
    ("lophoc-recording", &["lophoc-ledger"]),
    ("lophoc-recorder", &["lophoc-recording"]),
    (
        "lophoc",
        &[
            "lophoc-protocol",
            "lophoc-media",
            "lophoc-transport",
            "lophoc-room",
            "lophoc-ledger",
            "lophoc-records",
            "lophoc-classes",
            "lophoc-documents",
            "lophoc-slides",
            "lophoc-recording",
            "lophoc-recorder",
        ],
    ),
    // It reads the sound it gets as the media plane does.
    ("loadtests", &["lophoc-media", "lophoc-protocol"]),
    (
        "lophoc-tests",
        &["lophoc-protocol", "lophoc-recording", "loadtests"],
    ),
];

/// Old databases are made by hand there.
const IN_TESTS_OF_THE_SERVER: &str = "tests of lophoc";
/// Packages only these crates may name.
const RESERVED: [(&str, &[&str]); 6] = [
    ("opus", &["lophoc-recording"]),
    // The recorder is a client of the media plane in a process of its own.
    (
        "str0m",
        &["lophoc-transport", "lophoc-recorder", "loadtests"],
    ),
    ("webrtc", &["loadtests", "lophoc-tests"]),
    ("sqlx", &["lophoc-records", IN_TESTS_OF_THE_SERVER]),
    ("axum", &["lophoc"]),
    ("mio", &["lophoc-transport", "loadtests"]),
];

/// Crates that may hold `unsafe`.
const MAY_BE_UNSAFE: [&str; 2] = ["src/transport/", "loadtests/"];

/// Longest source file, lines.
const MAX_LINES: usize = 900;
/// Longest file of tests, lines: a list of cases is read one by one.
const MAX_TEST_LINES: usize = 1_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The resolved graph: packages by name with what they name and, for ordinary
/// dependencies only, what they need to be built into something.
struct Graph {
    names: BTreeMap<String, String>,
    named: BTreeMap<String, BTreeSet<String>>,
    needs: BTreeMap<String, BTreeSet<String>>,
    members: BTreeSet<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn graph() -> Graph {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let rustc = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .unwrap();
    let host = String::from_utf8(rustc.stdout).unwrap();
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", host.trim()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let array = |value: &Value| value.as_array().unwrap().clone();
    let names: BTreeMap<String, String> = array(&json["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let (mut named, mut needs) = (BTreeMap::new(), BTreeMap::new());
    for node in array(&json["resolve"]["nodes"]) {
        let (mut all, mut ordinary) = (BTreeSet::new(), BTreeSet::new());
        for dependency in array(&node["deps"]) {
            let id = text(&dependency["pkg"]);
            if array(&dependency["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"].is_null())
            {
                ordinary.insert(id.clone());
            }
            all.insert(id);
        }
        named.insert(text(&node["id"]), all);
        needs.insert(text(&node["id"]), ordinary);
    }
    let members = array(&json["workspace_members"]).iter().map(text).collect();
    Graph {
        names,
        named,
        needs,
        members,
    }
}

impl Graph {
    fn member(&self, name: &str) -> &String {
        let found = self.members.iter().find(|id| self.names[*id] == name);
        found.unwrap_or_else(|| panic!("no crate {name} in the workspace"))
    }

    /// Names of everything an ordinary build of `name` reaches.
    fn reach(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.member(name)];
        while let Some(id) = open.pop() {
            for next in &self.needs[id] {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[test]
fn sans_io_crates_reach_no_runtime_engine_socket_or_database() {
    let graph = graph();
    for name in SANS_IO {
        let reach = graph.reach(name);
        // Reading and writing workbooks brings a ZIP library, whose source of
        // random numbers for encryption names libc; neither is ever asked for.
        let unzips = ["lophoc-classes", "lophoc-documents"].contains(&name);
        // On processors that are not ours its hash asks libc what they can do.
        let hashes = name == "lophoc-recording";
        let names_libc = unzips || hashes;
        let found: Vec<&&str> = DOING
            .iter()
            .filter(|doing| reach.contains(*doing) && !(names_libc && **doing == "libc"))
            .collect();
        assert!(found.is_empty(), "{name} reaches {found:?}");
    }
}

#[test]
fn crates_of_the_workspace_name_only_those_they_may() {
    let graph = graph();
    assert_eq!(
        graph.members.len(),
        MAY_NAME.len(),
        "every crate needs a line in MAY_NAME"
    );
    let ours: BTreeSet<&str> = graph
        .members
        .iter()
        .map(|id| graph.names[id].as_str())
        .collect();
    for (name, may) in MAY_NAME {
        for id in &graph.named[graph.member(name)] {
            let other = graph.names[id].as_str();
            assert!(
                !ours.contains(other) || may.contains(&other),
                "{name} must not name {other}"
            );
        }
    }
}

#[test]
fn reserved_packages_are_named_only_where_they_belong() {
    let graph = graph();
    for (package, may) in RESERVED {
        for id in &graph.members {
            let is = |other: &String| graph.names[other] == package;
            let mut name = graph.names[id].clone();
            if !graph.needs[id].iter().any(is) {
                name = format!("tests of {name}");
            }
            let own = name.strip_prefix("tests of ").unwrap_or(&name);
            let names_it = graph.named[id].iter().any(is);
            assert!(
                !names_it || may.contains(&own) || may.contains(&name.as_str()),
                "{name} must not name {package}"
            );
        }
    }
}

/// Files under version control and new ones that are not ignored.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git ls-files failed");
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines()
        .filter(|path| endings.iter().any(|ending| path.ends_with(ending)))
        .filter(|path| !path.contains("/gen/") && !path.ends_with("package-lock.json"))
        // A file may be listed and deleted.
        .filter_map(|path| {
            Some((
                path.to_owned(),
                std::fs::read_to_string(root().join(path)).ok()?,
            ))
        })
        .collect()
}

/// Code of a line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[test]
fn unsafe_code_is_in_transport_and_the_load_clients_only() {
    // Put together here, so that this file does not hold it.
    let word = ["un", "safe"].concat();
    for (path, text) in files(&[".rs"]) {
        if MAY_BE_UNSAFE.iter().any(|may| path.starts_with(may)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let found = [" {", " fn", " impl", " extern", " trait"]
                .iter()
                .any(|behind| code(line).contains(&format!("{word}{behind}")));
            let allowed = line.contains(&format!("allow({word}_code"));
            assert!(
                !found && !allowed,
                "{path}:{} holds {word} code",
                number + 1
            );
        }
    }
}

#[test]
fn sans_io_crates_take_time_and_chance_as_arguments() {
    let doing = [
        "Instant::now",
        "SystemTime::now",
        "std::fs",
        "std::thread",
        "UdpSocket",
        "TcpStream",
    ];
    for (path, text) in files(&[".rs"]) {
        let inside = [
            "src/protocol/src/",
            "src/media/src/",
            "src/room/src/",
            "src/ledger/src/",
            "src/classes/src/",
            "src/documents/src/",
            "src/recording/src/",
        ];
        if !inside.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        // Tests of a crate may start from the clock.
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in product.lines().enumerate() {
            for word in doing {
                assert!(
                    !code(line).contains(word),
                    "{path}:{} names {word}",
                    number + 1
                );
            }
        }
    }
}

#[test]
fn no_file_is_left_unfinished() {
    let words: Vec<String> = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["todo", "!("],
        ["unimple", "mented!("],
        ["#[ig", "nore"],
        ["for ", "now"],
        ["test.", "only("],
        ["test.", "skip("],
        ["dbg", "!("],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect();
    for (path, text) in files(&[
        ".rs", ".ts", ".svelte", ".css", ".toml", ".sh", ".md", ".sql",
    ]) {
        for (number, line) in text.lines().enumerate() {
            for word in &words {
                let found = line.contains(word.as_str());
                // The loop, not the excuse.
                let code = line.trim_start().starts_with(&["for ", "now in "].concat());
                assert!(!found || code, "{path}:{} holds {word:?}", number + 1);
            }
        }
    }
}

#[test]
fn source_files_stay_within_a_length_one_can_read() {
    for (path, text) in files(&[".rs", ".ts", ".svelte", ".css"]) {
        let lines = text.lines().count();
        let most = if path.contains("tests/") {
            MAX_TEST_LINES
        } else {
            MAX_LINES
        };
        assert!(
            lines < most,
            "{path} has {lines} lines, fewer than {most} are wanted"
        );
    }
}
