//! Sealing. Each packet is sealed in place, in the buffer it is sent from.
//!
//! # No number twice
//! With GCM, sealing two packets under one key, stream and index gives both away
//! (RFC 7714 §8.4). Why it cannot happen here:
//! - A key is made by one DTLS handshake of one connection, and a [`Sealer`] by one
//!   [`Caught`], which is moved, not copied: one key, one `Sealer`. The engine never
//!   gets a sealing key. A new connection (reconnect, takeover, restart of the
//!   server) is a new handshake; an ICE restart keeps the connection with its
//!   `Sealer` and its counters; a connection changes its shard before its handshake
//!   only, and with everything in it.
//! - RTP: the index of a stream is guarded by [`Indices`], which belongs to the
//!   stream's state and gives each index out once. Streams of a connection differ in
//!   SSRC (checked where they are made).
//! - RTCP: one counter for all streams of the key, which only grows and ends at 2³¹.
//! - RTP and RTCP have keys of their own by derivation.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use super::SrtpError;
use super::keys::{Caught, Derived, Profile, Way, What};
use super::quiet::{CM_TRAILER, GCM_TRAILER};

/// Most bytes sealing adds to a packet, RTP or RTCP.
#[cfg(test)]
pub(crate) const MAX_OVERHEAD: usize = GCM_TRAILER;
/// Tag of GCM.
pub(super) const GCM_TAG: usize = 16;
/// Tag of HMAC-SHA1 of 80 bits.
pub(super) const CM_TAG: usize = 10;
/// Indices of a key's reports end here, RFC 3711 §3.4.
const RTCP_END: u32 = 1 << 31;
/// Indices of a stream end here: 2⁴⁸, RFC 3711 §3.3.1.
const RTP_END: u64 = 1 << 48;

/// Seals what one connection is sent.
pub(crate) struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    rtcp_index: u32,
}

enum Cipher {
    Gcm {
        key: Box<LessSafeKey>,
        salt: [u8; 12],
    },
    Cm(Box<Cm>),
}

/// Counter mode with its own authentication.
pub(super) struct Cm {
    key: EncryptingKey,
    auth: hmac::Key,
    salt: [u8; 14],
}

impl Cm {
    pub(super) fn new(derived: &Derived) -> Result<Self, SrtpError> {
        let key = UnboundCipherKey::new(&AES_128, derived.key()).map_err(|_| SrtpError::Keys)?;
        Ok(Self {
            key: EncryptingKey::ctr(key).map_err(|_| SrtpError::Keys)?,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &derived.auth),
            salt: derived.salt,
        })
    }

    /// Counter mode turns text into cipher and cipher into text.
    pub(super) fn turn(&self, ssrc: u32, index: u64, bytes: &mut [u8]) -> Result<(), SrtpError> {
        let mut iv = [0u8; 16];
        for (to, from) in iv.iter_mut().zip(&self.salt) {
            *to = *from;
        }
        xor(&mut iv, 4, &ssrc.to_be_bytes());
        xor(&mut iv, 6, &index.to_be_bytes());
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        self.key
            .less_safe_encrypt(bytes, context)
            .map_err(|_| SrtpError::Library)?;
        Ok(())
    }

    /// The tag over two pieces.
    pub(super) fn tag(&self, first: &[u8], second: &[u8]) -> [u8; CM_TAG] {
        let mut context = hmac::Context::with_key(&self.auth);
        context.update(first);
        context.update(second);
        let mut tag = [0; CM_TAG];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

/// Adds `value` to `bytes` from `at` on, without carry.
fn xor(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(value) {
        *to ^= *from;
    }
}

/// Key and salt for GCM.
pub(super) fn gcm(
    profile: Profile,
    derived: &Derived,
) -> Result<(Box<LessSafeKey>, [u8; 12]), SrtpError> {
    let algorithm = match profile {
        Profile::Gcm256 => &AES_256_GCM,
        Profile::Gcm128 | Profile::Cm => &AES_128_GCM,
    };
    let key = UnboundKey::new(algorithm, derived.key()).map_err(|_| SrtpError::Keys)?;
    Ok((Box::new(LessSafeKey::new(key)), derived.salt12()))
}

/// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter, sequence number.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce, 2, &ssrc.to_be_bytes());
    // The index has 48 bits: counter and sequence number one after the other.
    let [_, _, a, b, c, d, e, f] = index.to_be_bytes();
    xor(&mut nonce, 6, &[a, b, c, d, e, f]);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 §9.1: two zero bytes, SSRC, two zero bytes, index.
pub(super) fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce, 2, &ssrc.to_be_bytes());
    xor(&mut nonce, 8, &index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

impl Sealer {
    /// With the keys of a handshake.
    pub(crate) fn new(keys: &Caught) -> Result<Self, SrtpError> {
        let cipher = |what| {
            let derived = keys.derive(Way::Out, what)?;
            Ok::<_, SrtpError>(match keys.profile() {
                Profile::Cm => Cipher::Cm(Box::new(Cm::new(&derived)?)),
                profile => {
                    let (key, salt) = gcm(profile, &derived)?;
                    Cipher::Gcm { key, salt }
                }
            })
        };
        Ok(Self {
            rtp: cipher(What::Rtp)?,
            rtcp: cipher(What::Rtcp)?,
            rtcp_index: 0,
        })
    }

    /// Reads what can be read of the key; the sum means nothing.
    pub(crate) fn warm(&self) -> u64 {
        match &self.rtp {
            Cipher::Gcm { key, .. } => key.algorithm().tag_len() as u64,
            Cipher::Cm(_) => 0,
        }
    }

    /// Bytes sealing adds to an RTP packet.
    pub(crate) fn rtp_overhead(&self) -> usize {
        match self.rtp {
            Cipher::Gcm { .. } => GCM_TAG,
            Cipher::Cm(_) => CM_TAG,
        }
    }

    /// Bytes the engine's quiet cipher left behind a report.
    pub(crate) fn quiet_trailer(&self) -> usize {
        match self.rtp {
            Cipher::Gcm { .. } => GCM_TRAILER,
            Cipher::Cm(_) => CM_TRAILER,
        }
    }

    /// Seals the packet that fills `packet` but for [`Self::rtp_overhead`] bytes at
    /// the end. `header`: bytes that stay readable. `index` must have been given out
    /// by the stream's [`Indices`].
    pub(crate) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        index: Index,
    ) -> Result<(), SrtpError> {
        let Index(index) = index;
        let overhead = self.rtp_overhead();
        let end = packet
            .len()
            .checked_sub(overhead)
            .ok_or(SrtpError::Length)?;
        let (bytes, tail) = packet.split_at_mut_checked(end).ok_or(SrtpError::Length)?;
        let (head, body) = bytes
            .split_at_mut_checked(header)
            .ok_or(SrtpError::Length)?;
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let tag = key
                    .seal_in_place_separate_tag(
                        rtp_nonce(salt, ssrc, index),
                        Aad::from(&*head),
                        body,
                    )
                    .map_err(|_| SrtpError::Library)?;
                tail.copy_from_slice(tag.as_ref());
            }
            Cipher::Cm(cm) => {
                cm.turn(ssrc, index, body)?;
                let rollover = u32::try_from(index >> 16).map_err(|_| SrtpError::Exhausted)?;
                tail.copy_from_slice(&cm.tag(bytes, &rollover.to_be_bytes()));
            }
        }
        Ok(())
    }

    /// Seals a compound report in place; `packet` grows by what sealing adds.
    pub(crate) fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let index = self.rtcp_index;
        if index >= RTCP_END {
            return Err(SrtpError::Exhausted);
        }
        let (&head, _) = packet.split_first_chunk::<8>().ok_or(SrtpError::Length)?;
        self.rtcp_index += 1;
        let [_, _, _, _, a, b, c, d] = head;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        // The first bit says that the report is sealed and not only signed.
        let marked = (RTCP_END | index).to_be_bytes();
        let body = packet.get_mut(8..).ok_or(SrtpError::Length)?;
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let mut aad = [0; 12];
                aad[..8].copy_from_slice(&head);
                aad[8..].copy_from_slice(&marked);
                let tag = key
                    .seal_in_place_separate_tag(rtcp_nonce(salt, ssrc, index), Aad::from(aad), body)
                    .map_err(|_| SrtpError::Library)?;
                packet.extend_from_slice(tag.as_ref());
                packet.extend_from_slice(&marked);
            }
            Cipher::Cm(cm) => {
                cm.turn(ssrc, u64::from(index), body)?;
                packet.extend_from_slice(&marked);
                let tag = cm.tag(packet, &[]);
                packet.extend_from_slice(&tag);
            }
        }
        Ok(())
    }
}

/// An index given out by [`Indices`]: it seals one packet.
#[derive(Debug)]
pub(crate) struct Index(u64);

impl Index {
    /// What stands in the header.
    pub(crate) fn seq(&self) -> u16 {
        (self.0 & 0xffff) as u16
    }
}

/// Gives out the indices of one stream under one key, each once. Packets may come
/// a little out of order, as they came from their source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Indices {
    /// Next above all given out.
    next: u64,
    /// Bit n: `next - 1 - n` was given out.
    given: u64,
}

impl Indices {
    /// Gives out `index`, unless it was before, or is too old to know.
    ///
    /// A first index above 65,535 is refused: a receiver begins with a rollover
    /// counter of zero (RFC 3711 §3.3.1). So is a leap of 32,768 or more, behind
    /// which it would guess the counter wrong.
    pub(crate) fn give(&mut self, index: u64) -> Option<Index> {
        if index >= RTP_END {
            return None;
        }
        if self.next == 0 {
            if index > 0xffff {
                return None;
            }
            (self.next, self.given) = (index + 1, 1);
            return Some(Index(index));
        }
        if index >= self.next {
            let leap = index + 1 - self.next;
            if leap >= 0x8000 {
                return None;
            }
            self.given = u32::try_from(leap)
                .ok()
                .and_then(|leap| self.given.checked_shl(leap))
                .unwrap_or(0)
                | 1;
            self.next = index + 1;
            return Some(Index(index));
        }
        let behind = u32::try_from(self.next - 1 - index).ok()?;
        let bit = 1u64.checked_shl(behind)?;
        if self.given & bit != 0 {
            return None;
        }
        self.given |= bit;
        Some(Index(index))
    }

    /// The least number not given out yet above all others; 0 before the first.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Gives out the next one.
    pub(crate) fn give_next(&mut self) -> Option<Index> {
        self.give(self.next.max(1))
    }
}
