//! Webhooks: those who asked are told that a recording is ready, by the rules of
//! Standard Webhooks, again and again until they take it. Nobody is told by way of an
//! address inside of the own network unless the settings name it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lophoc_records::{DueHook, HookEnd, Recording};
use reqwest::Url;
use serde_json::json;

use crate::app::App;
use crate::clock::wall_ms;

/// Looked for messages also without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// Messages sent at one time: one who takes long to answer holds up few others.
const AT_ONCE: u32 = 8;
/// Time for one try, and for the name service before it.
const WITHIN: Duration = Duration::from_secs(15);
/// Tries of one message. Overflow: it is given up, after about three days.
const TRIES: u32 = 10;
/// First wait, ms; three times as long each time.
const RETRY_MS: u64 = 10_000;
/// Longest wait, ms.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;
/// Longest address, bytes.
pub const MAX_URL: usize = 1_000;

/// Why an address cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is no `https` address without a password in it.
    #[error("no https address")]
    Form,
    /// It leads into a network that is not open to everybody.
    #[error("an address inside of a private network")]
    Private,
    /// It leads nowhere.
    #[error("the name leads nowhere")]
    Nowhere,
}

/// The message that a recording is ready.
pub fn ready(recording: &Recording, title: &str, now_ms: u64) -> String {
    json!({
        "type": "recording.ready",
        "timestamp": iso(now_ms),
        "data": {
            "recording": recording.id,
            "session": recording.session,
            "class": recording.class,
            "title": title,
            "classTitle": recording.class_title,
            "startedMs": recording.started_ms,
            "endedMs": recording.ended_ms,
            "lengthMs": recording.length_ms,
        },
    })
    .to_string()
}

/// A moment as RFC 3339 writes it, UTC.
fn iso(ms: u64) -> String {
    let day =
        lophoc_classes::Day::of_ms(ms, 0).map_or_else(|_| String::new(), |day| day.to_string());
    let second = ms / 1_000 % 86_400;
    format!(
        "{day}T{:02}:{:02}:{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// A fresh secret, as Standard Webhooks writes them.
///
/// # Errors
/// The system gives no random numbers.
pub fn secret() -> Result<String, crate::random::NoRandomness> {
    let mut bytes = [0_u8; 24];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| crate::random::NoRandomness)?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}

/// The signature of a message: `v1,` and base64 of an HMAC of id, time and body.
pub fn sign(secret: &str, id: &str, seconds: u64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

/// Whether this address belongs to everybody's internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_unspecified()
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                // Shared by carriers, benchmarks, special assignments.
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0 && c == 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            // Global unicast alone, and of that neither documentation nor what
            // wraps an address of the older kind.
            (a & 0xe000) == 0x2000
                && !(a == 0x2001 && b == 0x0db8)
                && a != 0x2002
                && !(a == 0x2001 && b == 0)
        }
    }
}

/// The address when it has the right form; where it leads is looked at when it is
/// called.
///
/// # Errors
/// [`BadUrl::Form`], and [`BadUrl::Private`] for a bare number inside.
pub fn checked(text: &str, allowed: &[String]) -> Result<Url, BadUrl> {
    let url = Url::parse(text).map_err(|_| BadUrl::Form)?;
    let host = url.host_str().ok_or(BadUrl::Form)?.to_owned();
    let named = is_allowed(&host, allowed);
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && named);
    let plain = url.username().is_empty() && url.password().is_none();
    if text.len() > MAX_URL || !scheme || !plain {
        return Err(BadUrl::Form);
    }
    let bare = host.trim_matches(['[', ']']).parse::<IpAddr>();
    if let Ok(ip) = bare
        && !named
        && !is_public(ip)
    {
        return Err(BadUrl::Private);
    }
    Ok(url)
}

fn is_allowed(host: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|one| one.eq_ignore_ascii_case(host))
}

/// Where the address leads now: every answer of the name service must be open to
/// everybody, and the call goes to what was looked at and nowhere else.
async fn led(url: &Url, allowed: &[String]) -> Result<Vec<SocketAddr>, BadUrl> {
    let host = url.host_str().ok_or(BadUrl::Form)?;
    let port = url.port_or_known_default().ok_or(BadUrl::Form)?;
    let asked = tokio::net::lookup_host((host.trim_matches(['[', ']']), port));
    let found: Vec<SocketAddr> = tokio::time::timeout(WITHIN, asked)
        .await
        .map_err(|_| BadUrl::Nowhere)?
        .map_err(|_| BadUrl::Nowhere)?
        .collect();
    if found.is_empty() {
        return Err(BadUrl::Nowhere);
    }
    if !is_allowed(host, allowed) && found.iter().any(|address| !is_public(address.ip())) {
        return Err(BadUrl::Private);
    }
    Ok(found)
}

/// The worker.
pub(super) async fn work(app: Arc<App>) {
    while !app.keep.stops() {
        match app.store.due_hooks(wall_ms(), AT_ONCE).await {
            Ok(hooks) if !hooks.is_empty() => {
                let tries = hooks.iter().map(|hook| one(&app, hook));
                futures_util::future::join_all(tries).await;
            }
            Ok(_) => {
                let next = app.store.next_hook_ms().await.ok().flatten();
                let until = next.map_or(LOOK_EVERY, |next| {
                    Duration::from_millis(next.saturating_sub(wall_ms()).saturating_add(1))
                });
                let _ =
                    tokio::time::timeout(until.min(LOOK_EVERY), app.keep.hooks.notified()).await;
            }
            Err(error) => {
                tracing::warn!(%error, "messages that wait cannot be read");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

async fn one(app: &App, hook: &DueHook) {
    let end = match send(app, hook).await {
        Ok(()) => HookEnd::Taken,
        Err(why) => later(hook, why),
    };
    while let Err(error) = app.store.hook_done(hook, &end, wall_ms()).await {
        if app.keep.stops() {
            return;
        }
        tracing::warn!(%error, "what became of a message cannot be written down");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn later(hook: &DueHook, why: String) -> HookEnd {
    if hook.tries.saturating_add(1) >= TRIES {
        return HookEnd::GivenUp(why);
    }
    let wait = RETRY_MS
        .saturating_mul(3_u64.saturating_pow(hook.tries))
        .min(LONGEST_MS);
    HookEnd::Again(wall_ms().saturating_add(wait), why)
}

/// One try; why it failed in short.
async fn send(app: &App, hook: &DueHook) -> Result<(), String> {
    let allowed = &app.config.webhooks.private_hosts;
    let url = checked(&hook.url, allowed).map_err(|bad| bad.to_string())?;
    let addresses = led(&url, allowed).await.map_err(|bad| bad.to_string())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let client = reqwest::Client::builder()
        // No way around what was looked at: no other name, no proxy, no redirect.
        .resolve_to_addrs(&host, &addresses)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(WITHIN)
        .build()
        .map_err(|error| error.to_string())?;
    let seconds = wall_ms() / 1_000;
    let signature =
        sign(&hook.secret, &hook.id, seconds, &hook.body).ok_or_else(|| "secret".to_owned())?;
    let answer = client
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("lophoc/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &hook.id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(hook.body.clone())
        .send()
        .await
        .map_err(|error| match error {
            error if error.is_timeout() => "timeout".to_owned(),
            error if error.is_connect() => "unreachable".to_owned(),
            _ => "failed".to_owned(),
        })?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("answered {}", status.as_u16())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the standard's own libraries.
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn inner_networks_are_not_public_however_they_are_written() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "203.162.0.11", "2402:800::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn addresses_are_https_and_lead_outside_unless_they_are_named() {
        let none: &[String] = &[];
        assert!(checked("https://lms.example.vn/hook", none).is_ok());
        for (text, bad) in [
            ("http://lms.example.vn/", BadUrl::Form),
            ("ftp://lms.example.vn/", BadUrl::Form),
            ("https://a:b@lms.example.vn/", BadUrl::Form),
            ("nonsense", BadUrl::Form),
            ("https://127.0.0.1/", BadUrl::Private),
            ("https://2130706433/", BadUrl::Private),
            ("https://0x7f.1/", BadUrl::Private),
            ("https://[::1]/", BadUrl::Private),
            ("https://169.254.169.254/latest", BadUrl::Private),
        ] {
            assert_eq!(checked(text, none).err(), Some(bad), "{text}");
        }
        let named = ["lms.noi.bo".to_owned(), "127.0.0.1".to_owned()];
        assert!(checked("http://lms.noi.bo/hook", &named).is_ok());
        assert!(checked("http://127.0.0.1:9000/", &named).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_called() {
        let url = checked("https://localhost/", &[]).unwrap();
        assert_eq!(led(&url, &[]).await, Err(BadUrl::Private));
    }

    #[test]
    fn moments_are_written_as_the_rfc_says() {
        assert_eq!(iso(1_614_265_330_123), "2021-02-25T15:02:10Z");
    }
}
