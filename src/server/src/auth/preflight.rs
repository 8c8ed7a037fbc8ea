//! Preflight links: `/preflight/<sealed claims>`. They are sealed with a key of
//! their own, so that none of them is good for coming into a room.

use lophoc_ledger::{PersonKey, SessionKey};
use serde::{Deserialize, Serialize};

use super::seal::{Keys, TokenError, open, seal};

/// What a preflight link grants: to check the way to the server, and to send
/// the result for this site and session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightClaims {
    /// Session.
    pub session: SessionKey,
    /// Person key of the site.
    pub site: PersonKey,
    /// Until then, ms since the epoch.
    pub exp: u64,
}

impl PreflightClaims {
    /// The part of the address after `/preflight/`.
    ///
    /// # Errors
    /// When it cannot be written; not met.
    pub fn seal(&self, keys: &Keys) -> Result<String, TokenError> {
        seal(&keys.preflight, self)
    }

    /// Opens a link. `now_ms` is ms since the epoch.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open(keys: &Keys, text: &str, now_ms: u64) -> Result<Self, TokenError> {
        let claims: Self = open(&keys.preflight, text)?;
        if claims.exp <= now_ms {
            Err(TokenError::Expired)
        } else {
            Ok(claims)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{LinkClaims, TokenClaims};
    use super::*;

    fn claims() -> PreflightClaims {
        PreflightClaims {
            session: SessionKey::from("b1"),
            site: PersonKey::from("p1"),
            exp: 1_000,
        }
    }

    #[test]
    fn a_preflight_link_is_good_for_its_time_and_for_nothing_else() {
        let keys = Keys::new(&[42; 32]);
        let text = claims().seal(&keys).unwrap();
        assert_eq!(PreflightClaims::open(&keys, &text, 999), Ok(claims()));
        assert_eq!(
            PreflightClaims::open(&keys, &text, 1_000),
            Err(TokenError::Expired)
        );
        assert_eq!(
            PreflightClaims::open(&Keys::new(&[1; 32]), &text, 0),
            Err(TokenError::Invalid)
        );
        assert_eq!(LinkClaims::open(&keys, &text, 0), Err(TokenError::Invalid));
        assert_eq!(TokenClaims::open(&keys, &text, 0), Err(TokenError::Invalid));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_a_panic(text in ".{0,300}") {
            let keys = Keys::new(&[42; 32]);
            prop_assert_eq!(PreflightClaims::open(&keys, &text, 0), Err(TokenError::Invalid));
        }
    }
}
