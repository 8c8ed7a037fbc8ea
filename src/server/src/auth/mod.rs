//! Who may come in: join links and session tokens, both signed, both with an
//! end; and the person a browser with an open link is.
//!
//! Links are secrets that people pass on, tokens live ten minutes. Neither is
//! kept on the server: the signature is the proof. The role is checked again by
//! the room for every command.

mod link;
mod person;
mod seal;
mod token;

pub use link::{LinkClaims, NamedPerson};
pub use person::person_of_device;
pub use seal::{Keys, TokenError};
pub use token::{TOKEN_LIFE_MS, TokenClaims};
