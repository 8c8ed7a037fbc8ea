//! Opening the reports that come back (RFC 3711 §3.4, RFC 7714 §9).

use aws_lc_rs::aead::{Aad, LessSafeKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::SrtpError;
use super::keys::{Caught, Profile, Way, What};
use super::seal::{CM_TAG, Cm, GCM_TAG, gcm, rtcp_nonce};

/// Senders of reports told apart at once; a client has a handful. Beyond it the
/// one heard longest ago is forgotten.
const MAX_SENDERS: usize = 64;

/// Opens the reports of one client.
pub(crate) struct Opener {
    cipher: Cipher,
    senders: Vec<Sender>,
}

enum Cipher {
    Gcm {
        key: Box<LessSafeKey>,
        salt: [u8; 12],
    },
    Cm(Box<Cm>),
}

/// What came from one sender, so that nothing counts twice.
struct Sender {
    ssrc: u32,
    highest: u32,
    /// Bit n: `highest - n` came.
    came: u64,
}

impl Opener {
    /// With the keys of a handshake.
    pub(crate) fn new(keys: &Caught) -> Result<Self, SrtpError> {
        let derived = keys.derive(Way::In, What::Rtcp)?;
        let cipher = match keys.profile() {
            Profile::Cm => Cipher::Cm(Box::new(Cm::new(&derived)?)),
            profile => {
                let (key, salt) = gcm(profile, &derived)?;
                Cipher::Gcm { key, salt }
            }
        };
        Ok(Self {
            cipher,
            senders: Vec::new(),
        })
    }

    /// Opens a report into `out` (cleared first).
    ///
    /// # Errors
    /// Forged, replayed, or too short. Nothing is remembered of it then.
    pub(crate) fn open(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        out.clear();
        let (&head, _) = packet.split_first_chunk::<8>().ok_or(SrtpError::Length)?;
        let [_, _, _, _, a, b, c, d] = head;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let index = match &self.cipher {
            Cipher::Gcm { key, salt } => {
                let (rest, &marked) = packet.split_last_chunk::<4>().ok_or(SrtpError::Length)?;
                let index = sealed_index(marked)?;
                if rest.len() < 8 + GCM_TAG {
                    return Err(SrtpError::Length);
                }
                out.extend_from_slice(rest);
                let mut aad = [0; 12];
                aad[..8].copy_from_slice(&head);
                aad[8..].copy_from_slice(&marked);
                let body = out.get_mut(8..).ok_or(SrtpError::Length)?;
                let nonce = rtcp_nonce(salt, ssrc, index);
                key.open_in_place(nonce, Aad::from(aad), body)
                    .map_err(|_| SrtpError::Forged)?;
                out.truncate(rest.len() - GCM_TAG);
                index
            }
            Cipher::Cm(cm) => {
                let (rest, tag) = packet
                    .split_last_chunk::<CM_TAG>()
                    .ok_or(SrtpError::Length)?;
                verify_slices_are_equal(&cm.tag(rest, &[]), tag).map_err(|_| SrtpError::Forged)?;
                let (bytes, &marked) = rest.split_last_chunk::<4>().ok_or(SrtpError::Length)?;
                let index = sealed_index(marked)?;
                out.extend_from_slice(bytes);
                let body = out.get_mut(8..).ok_or(SrtpError::Length)?;
                cm.turn(ssrc, u64::from(index), body)?;
                index
            }
        };
        self.note(ssrc, index)
    }

    /// Remembers that a report came.
    fn note(&mut self, ssrc: u32, index: u32) -> Result<(), SrtpError> {
        let Some(at) = self.senders.iter().position(|sender| sender.ssrc == ssrc) else {
            if self.senders.len() >= MAX_SENDERS {
                self.senders.remove(0);
            }
            self.senders.push(Sender {
                ssrc,
                highest: index,
                came: 1,
            });
            return Ok(());
        };
        let sender = self.senders.get_mut(at).ok_or(SrtpError::Length)?;
        if index > sender.highest {
            let leap = index - sender.highest;
            sender.came = sender.came.checked_shl(leap).unwrap_or(0) | 1;
            sender.highest = index;
            return Ok(());
        }
        let bit = 1u64
            .checked_shl(sender.highest - index)
            .ok_or(SrtpError::Replayed)?;
        if sender.came & bit != 0 {
            return Err(SrtpError::Replayed);
        }
        sender.came |= bit;
        Ok(())
    }
}

/// The index, if the report is sealed; one that is only signed is not accepted.
fn sealed_index(marked: [u8; 4]) -> Result<u32, SrtpError> {
    let word = u32::from_be_bytes(marked);
    if word >> 31 == 0 {
        return Err(SrtpError::Forged);
    }
    Ok(word & 0x7fff_ffff)
}
