//! The code on a hall's screen, and the ticket a phone gets for it.
//!
//! Nothing is stored: a code names session, site and time step, and a tag of
//! the server's key proves it. Whoever scanned a fresh code has some minutes to
//! say who he is; the ticket proves that he scanned it in time.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lophoc_ledger::{PersonKey, SessionKey};
use serde::{Deserialize, Serialize};

use super::seal::{Keys, TokenError, open, seal};

/// A new code comes this often, ms.
const STEP_MS: u64 = 20_000;
/// Steps a code is good for, its own included.
const GOOD_STEPS: u64 = 3;
/// How long a ticket is good for, ms.
const TICKET_LIFE_MS: u64 = 5 * 60 * 1000;
/// Bytes of the tag. Short, since the code must be seen from the last row; a
/// guess hits once in 2^96, and there are rates.
const TAG: usize = 12;
/// First byte of every code.
const VERSION: u8 = 1;
/// Longest code worth looking at, bytes.
const LONGEST: usize = 256;

/// The code of a site in a time step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Session.
    pub session: SessionKey,
    /// Site; absent: the trainer's hall.
    pub site: Option<PersonKey>,
    step: u64,
}

/// What a phone that scanned a fresh code carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ticket {
    code: String,
    exp: u64,
}

impl Code {
    /// The code to show now.
    pub fn new(session: &SessionKey, site: Option<&PersonKey>, now_ms: u64) -> Self {
        Self {
            session: session.clone(),
            site: site.cloned(),
            step: now_ms / STEP_MS,
        }
    }

    /// When the next one is to be shown, ms. That may be at once: this one is
    /// good for two more steps after it, 40 seconds.
    pub fn next_ms(&self) -> u64 {
        self.step.saturating_add(1).saturating_mul(STEP_MS)
    }

    /// Whether it is good now: neither too old nor from a time to come.
    pub fn is_fresh(&self, now_ms: u64) -> bool {
        let step = now_ms / STEP_MS;
        // One step ahead: a clock that was set back must not lock a hall out.
        self.step <= step.saturating_add(1) && step < self.step.saturating_add(GOOD_STEPS)
    }

    /// The code as text for an address.
    pub fn seal(&self, keys: &Keys) -> String {
        let mut payload = vec![VERSION];
        payload.extend_from_slice(&self.step.to_be_bytes());
        payload.extend_from_slice(self.session.0.as_bytes());
        if let Some(site) = &self.site {
            payload.push(0);
            payload.extend_from_slice(site.0.as_bytes());
        }
        let tag = hmac::sign(&keys.check_in, &payload);
        payload.extend(tag.as_ref().iter().take(TAG));
        URL_SAFE_NO_PAD.encode(payload)
    }

    /// Opens a code, fresh or not.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for what this server did not make.
    pub fn open(keys: &Keys, text: &str) -> Result<Self, TokenError> {
        if text.len() > LONGEST {
            return Err(TokenError::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| TokenError::Invalid)?;
        let at = bytes.len().checked_sub(TAG).ok_or(TokenError::Invalid)?;
        let (payload, tag) = bytes.split_at_checked(at).ok_or(TokenError::Invalid)?;
        let whole = hmac::sign(&keys.check_in, payload);
        let own = whole.as_ref().get(..TAG).ok_or(TokenError::Invalid)?;
        constant_time::verify_slices_are_equal(own, tag).map_err(|_| TokenError::Invalid)?;
        let (head, rest) = payload.split_at_checked(9).ok_or(TokenError::Invalid)?;
        let (&version, step) = head.split_first().ok_or(TokenError::Invalid)?;
        let step: [u8; 8] = step.try_into().map_err(|_| TokenError::Invalid)?;
        if version != VERSION {
            return Err(TokenError::Invalid);
        }
        let names = std::str::from_utf8(rest).map_err(|_| TokenError::Invalid)?;
        let (session, site) = match names.split_once('\0') {
            Some((session, site)) => (session, Some(site)),
            None => (names, None),
        };
        Ok(Self {
            session: SessionKey(session.to_owned()),
            site: site.map(|site| PersonKey(site.to_owned())),
            step: u64::from_be_bytes(step),
        })
    }

    /// The ticket for whoever scanned this code.
    ///
    /// # Errors
    /// When it cannot be written; not met.
    pub fn ticket(&self, keys: &Keys, now_ms: u64) -> Result<String, TokenError> {
        let ticket = Ticket {
            code: self.seal(keys),
            exp: now_ms.saturating_add(TICKET_LIFE_MS),
        };
        seal(&keys.check_in, &ticket)
    }

    /// Whether a ticket was given for this code and is still good.
    pub fn admits(&self, keys: &Keys, ticket: &str, now_ms: u64) -> bool {
        open::<Ticket>(&keys.check_in, ticket)
            .is_ok_and(|ticket| ticket.exp > now_ms && ticket.code == self.seal(keys))
    }
}

/// What the records know a phone by: never its key.
pub fn mark_of_phone(keys: &Keys, device: &str) -> String {
    let tag = hmac::sign(&keys.check_in, format!("phone\0{device}").as_bytes());
    tag.as_ref()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        Keys::new(&[42; 32])
    }

    fn code(site: Option<&str>, now_ms: u64) -> Code {
        Code::new(
            &SessionKey::from("b1"),
            site.map(PersonKey::from).as_ref(),
            now_ms,
        )
    }

    #[test]
    fn a_code_opens_as_what_it_was_and_is_good_for_a_minute() {
        for site in [None, Some("p1")] {
            let made = code(site, 1_000_000);
            assert_eq!(Code::open(&keys(), &made.seal(&keys())), Ok(made.clone()));
            assert_eq!(made.next_ms(), 1_020_000 - 1_020_000 % STEP_MS);
            assert!(made.is_fresh(1_000_000) && made.is_fresh(1_040_000));
            assert!(!made.is_fresh(1_060_000));
            assert!(!made.is_fresh(900_000));
        }
    }

    #[test]
    fn a_code_is_good_for_forty_seconds_whenever_it_was_made() {
        for into in [0, 1, STEP_MS / 2, STEP_MS - 2, STEP_MS - 1] {
            let now = 50_000 * STEP_MS + into;
            let made = code(None, now);
            assert!(made.next_ms() > now);
            assert!(
                made.is_fresh(now + 2 * STEP_MS),
                "made {into} ms into its step"
            );
            assert!(!made.is_fresh(now + 3 * STEP_MS));
        }
    }

    #[test]
    fn a_ticket_is_good_for_its_code_and_its_time_alone() {
        let (one, other) = (code(Some("p1"), 0), code(Some("p2"), 0));
        let ticket = one.ticket(&keys(), 0).unwrap();
        assert!(one.admits(&keys(), &ticket, TICKET_LIFE_MS - 1));
        assert!(!one.admits(&keys(), &ticket, TICKET_LIFE_MS));
        assert!(!other.admits(&keys(), &ticket, 0));
        assert!(!one.admits(&Keys::new(&[1; 32]), &ticket, 0));
        assert!(!one.admits(&keys(), &one.seal(&keys()), 0));
    }

    #[test]
    fn two_sites_with_joined_names_have_different_codes() {
        let a = Code::new(&SessionKey::from("b1p"), None, 0);
        let b = Code::new(&SessionKey::from("b1"), Some(&PersonKey::from("p")), 0);
        assert_ne!(a.seal(&keys()), b.seal(&keys()));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let text = code(Some("p1"), 5_000_000).seal(&keys());
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let changed = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(Code::open(&keys(), &changed), Err(TokenError::Invalid));
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".{0,300}") {
            prop_assert_eq!(Code::open(&keys(), &text), Err(TokenError::Invalid));
            prop_assert!(!code(None, 0).admits(&keys(), &text, 0));
        }
    }
}
