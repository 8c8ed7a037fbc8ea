//! The person behind an open link: the same browser is the same person.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lophoc_protocol::PersonId;

use super::seal::Keys;

/// Bytes of the id before encoding: two people collide once in 2^48 people.
const ID_BYTES: usize = 12;

/// The person a browser is under one link, and the mark of the device for the
/// ledger. `device` is the random key the browser keeps; it cannot be found
/// back from either.
pub fn person_of_device(keys: &Keys, link_id: &str, device: &str) -> (PersonId, String) {
    (
        PersonId(format!("p{}", digest(keys, "person", link_id, device))),
        digest(keys, "device", "", device),
    )
}

fn digest(keys: &Keys, what: &str, link_id: &str, device: &str) -> String {
    let mut context = hmac::Context::with_key(&keys.person);
    // Lengths first, so that no two inputs run together to the same bytes.
    for part in [what, link_id, device] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let tag = context.sign();
    URL_SAFE_NO_PAD.encode(tag.as_ref().get(..ID_BYTES).unwrap_or_default())
}
