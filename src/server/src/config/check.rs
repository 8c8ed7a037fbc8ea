//! Rules between values.

use super::{Config, MailTls, StorageEncryption, StorageKind, TlsMode};

/// Browsers slow down with many relays.
const MAX_TURN_URLS: usize = 8;

/// Least size of a link's queue: with less, somebody who comes into a full room
/// would be sent away again and again.
const OUTBOX_LEAST: usize = 2 * 1024 * 1024;
const _: () = assert!(lophoc_room::bounds::CATCH_UP_BYTES < OUTBOX_LEAST);

/// What is wrong with the values, in words; empty when nothing is.
pub fn problems(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let mut rule = |broken: bool, words: &str| {
        if broken {
            found.push(words.to_owned());
        }
    };
    rule(
        config.server.listen.is_empty(),
        "server.listen: name at least one address",
    );
    rule(
        !config.server.public_url.is_empty() && !is_origin(&config.server.public_url),
        "server.public_url: expected http://host[:port] or https://host[:port] without a path",
    );
    rule(
        config
            .server
            .origins
            .iter()
            .any(|origin| !is_origin(origin)),
        "server.origins: expected http://host[:port] or https://host[:port] without a path",
    );
    rule(
        config.tls.mode == TlsMode::Files
            && (config.tls.cert.as_os_str().is_empty() || config.tls.key.as_os_str().is_empty()),
        "tls.mode = \"files\" needs tls.cert and tls.key",
    );
    rule(
        config.data.folder.as_os_str().is_empty(),
        "data.folder: name a folder",
    );
    rule(
        config.media.listen.is_empty(),
        "media.listen: name at least one address",
    );
    rule(config.media.max_peers == 0, "media.max_peers: at least 1");
    rule(config.media.shards > 256, "media.shards: at most 256");
    rule(
        config.media.initial_kbps < 50,
        "media.initial_kbps: at least 50",
    );
    rule(
        !(1..=900).contains(&config.media.overload_at),
        "media.overload_at: between 1 and 900",
    );
    let turn = &config.turn;
    rule(
        turn.urls
            .iter()
            .any(|url| !url.starts_with("turn:") && !url.starts_with("turns:")),
        "turn.urls: expected turn:host[:port] or turns:host[:port], ?transport=tcp behind it",
    );
    rule(
        turn.urls.len() > MAX_TURN_URLS,
        "turn.urls: at most 8 addresses",
    );
    rule(
        !turn.urls.is_empty() && turn.secret.len() < 16,
        "turn.secret: at least 16 characters, the same as static-auth-secret of the TURN server",
    );
    rule(
        !(1..=72).contains(&turn.hours),
        "turn.hours: between 1 and 72",
    );
    rule(config.rooms.max_people == 0, "rooms.max_people: at least 1");
    let limits = &config.limits;
    rule(
        [
            limits.api_per_minute,
            limits.api_burst,
            limits.links_per_address,
            limits.links,
            limits.frames_per_second,
            limits.frames_burst,
        ]
        .contains(&0),
        "limits: no limit may be 0",
    );
    rule(
        limits.outbox_messages < 64,
        "limits.outbox_messages: at least 64",
    );
    rule(
        limits.outbox_bytes < OUTBOX_LEAST,
        "limits.outbox_bytes: at least 2097152, what a newcomer is sent at once must fit",
    );
    let uploads = &config.uploads;
    rule(
        [
            uploads.deck_mb,
            uploads.hand_out_mb,
            uploads.hand_in_mb,
            uploads.session_mb,
        ]
        .contains(&0),
        "uploads: no size may be 0",
    );
    rule(uploads.workers > 8, "uploads.workers: at most 8");
    let storage = &config.storage;
    if storage.kind == StorageKind::S3 {
        rule(storage.bucket.is_empty(), "storage.bucket: name the bucket");
        rule(
            storage.access_key.is_empty(),
            "storage.access_key: the storage asks for one",
        );
        rule(
            storage.secret_key.is_empty() == storage.secret_file.as_os_str().is_empty(),
            "storage.secret_key and storage.secret_file: one of them",
        );
        rule(
            !storage.endpoint.is_empty()
                && !storage.endpoint.starts_with("https://")
                && !storage.endpoint.starts_with("http://"),
            "storage.endpoint: expected https://host[:port]",
        );
        rule(
            (storage.encryption == StorageEncryption::Kms) == storage.kms_key.is_empty(),
            "storage.kms_key: the name of the key for encryption = \"kms\", and for no other",
        );
    }
    rule(
        config.recording.min_free_mb < 16,
        "recording.min_free_mb: at least 16",
    );
    let mail = &config.mail;
    if !mail.host.is_empty() {
        rule(mail.port == 0, "mail.port: at least 1");
        rule(
            mail.from.is_empty(),
            "mail.from: name the sender, as Lớp học <lop-hoc@so.edu.vn>",
        );
        // Links in mails must not follow whatever name a request was sent to.
        rule(
            config.server.public_url.is_empty(),
            "mail.host: server.public_url is needed too, links in mails begin with it",
        );
        rule(
            mail.tls == MailTls::None && !is_loopback(&mail.host),
            "mail.tls = \"none\" is for a mail server on this machine; use starttls or tls",
        );
        rule(
            !(1..=600).contains(&mail.per_minute),
            "mail.per_minute: between 1 and 600",
        );
        rule(
            !(1..=3_600).contains(&mail.retry_s),
            "mail.retry_s: between 1 and 3600",
        );
    }
    rule(
        !mail.password.is_empty() && !mail.password_file.as_os_str().is_empty(),
        "mail.password and mail.password_file: one of them",
    );
    rule(
        !mail.user.is_empty()
            && mail.password.is_empty()
            && mail.password_file.as_os_str().is_empty(),
        "mail.user: a password is needed too, in mail.password or mail.password_file",
    );
    rule(
        !config.metrics.token.is_empty() && config.metrics.token.len() < 16,
        "metrics.token: at least 16 characters, or empty",
    );
    found
}

/// This machine, by name or address.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `scheme://host[:port]` and nothing more.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
    })
}
