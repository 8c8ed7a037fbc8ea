//! The configuration file and its refusals.

#![allow(
    clippy::unwrap_used,
    reason = "in tests a failing unwrap is a failing test"
)]

use lophoc::config::{Config, ConfigError, TlsMode, load_text};

const SHIPPED: &str = include_str!("../../../config/lophoc.toml");

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn refusal(text: &str) -> String {
    load_text(text, "f", &[]).unwrap_err().to_string()
}

#[test]
fn the_shipped_file_names_every_key_with_its_default_and_a_comment() {
    assert_eq!(
        load_text(SHIPPED, "f", &[]).unwrap().config,
        Config::default()
    );
    let schema = toml::Table::try_from(Config::default()).unwrap();
    let file: toml::Table = toml::from_str(SHIPPED).unwrap();
    assert_eq!(file, schema, "a key is missing in config/lophoc.toml");
    let lines: Vec<&str> = SHIPPED.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') {
            let before = at
                .checked_sub(1)
                .and_then(|before| lines.get(before))
                .unwrap();
            assert!(
                before.starts_with('#'),
                "line {}: {line} has no comment",
                at + 1
            );
        }
    }
}

#[test]
fn unknown_keys_and_sections_are_refused_with_line_and_hint() {
    assert_eq!(
        refusal("[server]\n\nlissten = []\n"),
        "f:3: unknown key `lissten`; did you mean `listen`?"
    );
    assert_eq!(
        refusal("\n[medai]\nport = 1\n"),
        "f:2: unknown section `medai`; did you mean `media`?"
    );
    assert_eq!(
        refusal("[log]\nfrobnicate = 1\n"),
        "f:2: unknown key `frobnicate`"
    );
}

#[test]
fn wrong_values_are_refused_with_their_line() {
    assert!(refusal("[media]\nport = \"x\"\n").starts_with("f:2: "));
    assert!(refusal("[server]\nlisten = [\"nonsense\"]\n").starts_with("f:2: "));
    assert!(refusal("[tls]\nmode = \"maybe\"\n").starts_with("f:2: "));
    assert!(refusal("[media\n").starts_with("f:1: "));
    assert!(refusal("[tls]\nmode = \"files\"\n").contains("needs tls.cert and tls.key"));
    assert!(
        refusal("[server]\npublic_url = \"https://a.vn/path\"\n").contains("server.public_url")
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = env(&[
        ("LOPHOC_SERVER_LISTEN", "0.0.0.0:8443, [::]:8443"),
        ("LOPHOC_TLS_MODE", "generated"),
        ("LOPHOC_MEDIA_MAX_PEERS", "7"),
        ("LOPHOC_LOG_JSON", "true"),
        ("LOPHOC_LOG_COLOUR", "true"),
        ("HOME", "/root"),
    ]);
    let loaded = load_text("[media]\nmax_peers = 5\nport = 9\n", "f", &variables).unwrap();
    assert_eq!(loaded.config.server.listen.len(), 2);
    assert_eq!(
        (loaded.config.tls.mode, loaded.config.log.json),
        (TlsMode::Generated, true)
    );
    assert_eq!(
        (loaded.config.media.max_peers, loaded.config.media.port),
        (7, 9)
    );
    assert_eq!(loaded.unknown_variables, ["LOPHOC_LOG_COLOUR"]);
    let wrong = load_text("", "f", &env(&[("LOPHOC_MEDIA_PORT", "many")])).unwrap_err();
    assert!(matches!(wrong, ConfigError::Variable { .. }), "{wrong}");
}
