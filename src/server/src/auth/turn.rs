//! Credentials for the TURN server that run out by themselves: the user name is
//! the second at which it does, the password its HMAC-SHA1 under a secret shared
//! with the TURN server (draft-uberti-behave-turn-rest-00, what coturn calls
//! `use-auth-secret`). The name of the user could follow the time and is left
//! out: the relay has no need to know who it is.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lophoc_protocol::media::IceServer;

use crate::config::TurnConfig;

/// Life of credentials for somebody who is not in a room yet, s.
const BEFORE_S: u64 = 10 * 60;

/// The relays for a client that is in a room, with credentials good from `now_ms`
/// on (ms since the epoch); none where none is configured.
pub fn ice_servers(config: &TurnConfig, now_ms: u64) -> Vec<IceServer> {
    servers(config, now_ms, u64::from(config.hours) * 3_600)
}

/// The same for one that is not in a room and may never be let in: good for the
/// ten minutes in which it has to get there. In the room it gets others.
pub fn ice_servers_before(config: &TurnConfig, now_ms: u64) -> Vec<IceServer> {
    servers(config, now_ms, BEFORE_S)
}

fn servers(config: &TurnConfig, now_ms: u64, life_s: u64) -> Vec<IceServer> {
    if config.urls.is_empty() {
        return Vec::new();
    }
    let until = (now_ms / 1_000).saturating_add(life_s);
    let username = until.to_string();
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        config.secret.as_bytes(),
    );
    let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    vec![IceServer {
        urls: config.urls.clone(),
        username,
        credential,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(urls: &[&str]) -> TurnConfig {
        TurnConfig {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            secret: "north-and-south-secret".to_owned(),
            hours: 2,
        }
    }

    /// The expected password is that of
    /// `printf 1790007200 | openssl dgst -sha1 -hmac north-and-south-secret -binary | base64`.
    #[test]
    fn the_credential_is_what_coturn_computes() {
        let servers = ice_servers(&config(&["turns:hop.example.vn:443"]), 1_790_000_000_999);
        let [server] = servers.as_slice() else {
            panic!("{servers:?}")
        };
        assert_eq!(server.username, "1790007200");
        assert_eq!(server.credential, "Ej3tz+FqSj38fVKgEbyF1robHEo=");
    }

    #[test]
    fn without_an_address_there_is_none() {
        assert_eq!(ice_servers(&config(&[]), 0), []);
    }

    #[test]
    fn whoever_is_not_in_yet_gets_minutes() {
        let servers = ice_servers_before(&config(&["turn:a"]), 1_790_000_000_999);
        let until: Vec<&str> = servers.iter().map(|one| one.username.as_str()).collect();
        assert_eq!(until, ["1790000600"]);
        assert_eq!(ice_servers_before(&config(&[]), 0), []);
    }
}
