//! SRTP of what leaves this server, and the reports that come back (RFC 3711,
//! RFC 7714). The engine opens what publishers send; what is *sent* is sealed here
//! and nowhere else: the engine gets ciphers that do nothing ([`quiet`]), so that
//! no key, stream and index can meet twice by two hands.

mod keys;
mod open;
mod quiet;
mod seal;

#[cfg(test)]
pub(crate) use keys::Profile;
pub(crate) use keys::{Caught, catch, provider};
pub(crate) use open::Opener;
#[cfg(test)]
use seal::MAX_OVERHEAD;
pub(crate) use seal::{Index, Indices, Sealer};

/// SRTP cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SrtpError {
    /// The key material is not as long as its profile demands.
    #[error("key material of an unexpected length")]
    Keys,
    /// A packet is shorter than its headers, or too long for its buffer.
    #[error("packet of an impossible length")]
    Length,
    /// All numbers of this key are used up.
    #[error("the key is used up")]
    Exhausted,
    /// The library refused.
    #[error("the cryptographic library refused")]
    Library,
    /// Not sealed with our key, or changed on the way.
    #[error("not authentic")]
    Forged,
    /// Came before.
    #[error("came before")]
    Replayed,
}

#[cfg(test)]
mod tests;
