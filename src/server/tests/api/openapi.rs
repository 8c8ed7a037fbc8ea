//! The description: every route is in it, and it holds together.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::World;

/// Every reference in the document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.insert(target);
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_holds_together() {
    let world = World::new().await;
    let (status, document) = world.browser().get("/openapi.json").await;
    assert_eq!(status, 200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in found {
        let pointer = target.strip_prefix('#').expect("references stay inside");
        assert!(
            document.pointer(pointer).is_some(),
            "{target} leads nowhere"
        );
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, call) in item.as_object().unwrap() {
            assert!(call["responses"].is_object(), "{method} {path}");
            assert!(call["tags"].is_array(), "{method} {path}");
            let parameters = call["parameters"].as_array().cloned().unwrap_or_default();
            for part in path.split('/').filter_map(|p| p.split_once('{')) {
                let name = part.1.split('}').next().unwrap();
                let named = parameters
                    .iter()
                    .any(|parameter| parameter["name"] == name && parameter["in"] == "path");
                assert!(named, "{method} {path} does not describe {name}");
            }
            let id = format!("{method} {path}");
            assert!(ids.insert(id));
        }
    }
    world.server.stop().await;
}

/// A route that is called by its description answers something of its own: not
/// the answer for addresses nobody serves.
#[tokio::test]
async fn every_described_call_is_served() {
    let world = World::new().await;
    let document = serde_json::to_value(lophoc::openapi()).unwrap();
    let browser = world.browser();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace(['{', '}'], "");
            let answer = browser
                .call(&method.to_uppercase(), &path, &browser.headers(), "{}")
                .await;
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
        }
    }
    world.server.stop().await;
}

/// The source of the slices: whoever adds a route without a description meets
/// this test.
#[test]
fn no_route_is_added_without_a_description() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let plain = text.matches(".route(").count();
            // The catch-all for addresses nobody serves is the only one.
            let allowed = usize::from(path.ends_with("api/mod.rs"));
            assert_eq!(plain, allowed, "{}", path.display());
        }
    }
}
