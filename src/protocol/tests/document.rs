//! `docs/PROTOCOL.md` shows every golden file and names every code, action and
//! bound. `UPDATE_GOLDEN=1 cargo test -p lophoc-protocol` rewrites the examples.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lophoc_protocol::{Action, Role, parse_client, parse_server};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden(name: &str) -> String {
    let path = root()
        .join("src/protocol/golden")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no golden file {name}"));
    if name.starts_with("client/") {
        serde_json::to_string(&parse_client(&text).unwrap()).unwrap()
    } else {
        serde_json::to_string(&parse_server(&text).unwrap()).unwrap()
    }
}

fn marker(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- golden ")?.strip_suffix(" -->")
}

/// The page with every marker followed by its example.
fn filled(page: &str) -> (String, BTreeSet<String>) {
    let mut out = String::new();
    let mut shown = BTreeSet::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        let Some(name) = marker(line) else { continue };
        if lines.peek().is_some_and(|next| *next == "```json") {
            lines
                .by_ref()
                .take_while(|line| *line != "```")
                .for_each(drop);
        }
        out += &format!("```json\n{}\n```\n", golden(name));
        assert!(shown.insert(name.to_owned()), "{name} is shown twice");
    }
    (out, shown)
}

#[test]
fn the_page_shows_every_golden_file_as_it_is() {
    let path = root().join("docs/PROTOCOL.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (wanted, shown) = filled(&page);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert!(
            page == wanted,
            "docs/PROTOCOL.md is stale; UPDATE_GOLDEN=1 rewrites its examples"
        );
    }
    let files: BTreeSet<String> = ["client", "server"]
        .into_iter()
        .flat_map(|side| {
            std::fs::read_dir(root().join("src/protocol/golden").join(side))
                .unwrap()
                .map(move |entry| {
                    let name = entry.unwrap().file_name().into_string().unwrap();
                    format!("{side}/{}", name.strip_suffix(".json").unwrap())
                })
        })
        .collect();
    assert_eq!(shown, files);
}

#[test]
fn the_page_names_every_role_action_and_code() {
    let page = std::fs::read_to_string(root().join("docs/PROTOCOL.md")).unwrap();
    let mut names: Vec<serde_json::Value> = Vec::new();
    names.extend(
        Role::ALL
            .iter()
            .map(|role| serde_json::to_value(role).unwrap()),
    );
    names.extend(
        Action::ALL
            .iter()
            .map(|action| serde_json::to_value(action).unwrap()),
    );
    let codes =
        std::fs::read_to_string(root().join("web-client/src/core/proto/gen/ErrorCode.ts")).unwrap();
    let codes: Vec<&str> = codes
        .rsplit_once("export type")
        .unwrap()
        .1
        .split('"')
        .skip(1)
        .step_by(2)
        .collect();
    assert!(codes.len() >= 15, "{codes:?}");
    for name in names.iter().map(|name| name.as_str().unwrap()).chain(codes) {
        assert!(
            page.contains(&format!("`{name}`")),
            "{name} is not explained"
        );
    }
}
