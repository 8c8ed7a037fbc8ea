//! Who may come in: join links and session tokens, both signed, both with an
//! end; the person a browser with an open link is; passwords and the secrets of
//! those who are signed in.
//!
//! Links are secrets that people pass on, tokens live ten minutes. Neither is
//! kept on the server: the signature is the proof. The role is checked again by
//! the room for every command.

mod check_in;
mod link;
mod password;
mod person;
mod preflight;
mod recording;
mod seal;
mod secret;
mod token;
mod turn;
mod waits;

pub use check_in::{Code, mark_of_phone};
pub use link::{LinkClaims, NamedPerson};
pub use password::{LONGEST, PasswordError, Passwords, allowed, generate};
pub use person::person_of_device;
pub use preflight::PreflightClaims;
pub use recording::{MediaAddress, ROOM_WATCH, RecordingClaims, RoomWatchClaims, Viewer};
pub use seal::{Keys, TokenError};
pub use secret::{API_TOKEN, api_secret, cookie_secret, hash_of};
pub use token::{AnswerClaims, NoticeClaims, TOKEN_LIFE_MS, TokenClaims};
pub use turn::{ice_servers, ice_servers_before};
pub use waits::{FREE_PER_ACCOUNT, FREE_PER_ADDRESS, Waits, wait_ms};
