//! The SRTCP key of a client connection.
//!
//! Light clients do not feed media to str0m, so str0m writes no feedback for
//! them; they write their own and need the key for it. The DTLS provider is
//! wrapped and the keying material copied as it passes. Feedback uses an SSRC
//! of its own, so no nonce is ever used twice (RFC 7714 section 9.1).

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion, KeyingMaterial};
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{
    AeadAes128Gcm, AeadAes128GcmCipher, AeadAes256Gcm, AeadAes256GcmCipher, CryptoError,
    SrtpProvider,
};

/// Label of the SRTCP encryption key, RFC 3711 section 4.3.2.
const LABEL_RTCP_KEY: u8 = 3;
/// Label of the SRTCP salt.
const LABEL_RTCP_SALT: u8 = 5;
/// Authentication tag of AES-GCM, bytes.
const TAG: usize = 16;
/// Bit of the SRTCP index word that says "encrypted", RFC 3711 section 3.4.
const ENCRYPTED: u32 = 1 << 31;

/// Master keys as DTLS exported them.
struct Master {
    material: KeyingMaterial,
    profile: SrtpProfile,
    /// Whether this side is the DTLS client.
    active: bool,
}

/// Where the keys of one connection appear once its handshake is done.
#[derive(Clone, Default)]
pub struct KeySlot(Arc<Mutex<Option<Master>>>);

impl fmt::Debug for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySlot")
    }
}

impl KeySlot {
    /// The sealer for own SRTCP, once. None before the handshake is done or
    /// when the profile is not AES-GCM.
    pub fn sealer(&self) -> Option<RtcpSealer> {
        let master = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        RtcpSealer::new(&master)
    }
}

thread_local! {
    /// Slot of the connection built last on this thread.
    static LAST: RefCell<Option<KeySlot>> = const { RefCell::new(None) };
}

/// Slot of the connection that was built last on this thread.
pub fn take_last_slot() -> KeySlot {
    LAST.with(|last| last.borrow_mut().take())
        .unwrap_or_default()
}

/// The crypto provider of all clients: the one of str0m with DTLS wrapped.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| {
        let inner = str0m::crypto::from_feature_flags();
        let tap: &'static Tap = Box::leak(Box::new(Tap {
            inner: inner.dtls_provider,
        }));
        Arc::new(CryptoProvider {
            dtls_provider: tap,
            ..inner
        })
    }))
}

#[derive(Debug)]
struct Tap {
    inner: &'static dyn DtlsProvider,
}

impl DtlsProvider for Tap {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.inner.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let slot = KeySlot::default();
        LAST.with(|last| *last.borrow_mut() = Some(slot.clone()));
        let inner = self.inner.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(TapInstance { inner, slot }))
    }
}

#[derive(Debug)]
struct TapInstance {
    inner: Box<dyn DtlsInstance>,
    slot: KeySlot,
}

impl DtlsInstance for TapInstance {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let active = self.inner.is_active();
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let master = Master {
                material: KeyingMaterial::new(material),
                profile: *profile,
                active,
            };
            *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(master);
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

enum Cipher {
    Aes128(Box<dyn AeadAes128GcmCipher>),
    Aes256(Box<dyn AeadAes256GcmCipher>),
}

/// Seals SRTCP packets of one connection, AES-GCM only.
pub struct RtcpSealer {
    cipher: Cipher,
    salt: [u8; 12],
    index: u32,
}

impl RtcpSealer {
    fn new(master: &Master) -> Option<Self> {
        let srtp = provider().srtp_provider;
        let key_len = match master.profile {
            SrtpProfile::AEAD_AES_256_GCM => AeadAes256Gcm::KEY_LEN,
            SrtpProfile::AEAD_AES_128_GCM => AeadAes128Gcm::KEY_LEN,
            _ => return None,
        };
        // RFC 5764 section 4.2: client key, server key, client salt, server salt.
        let (keys, salts) = master.material.split_at_checked(2 * key_len)?;
        let side = usize::from(!master.active);
        let key = keys.chunks_exact(key_len).nth(side)?;
        let master_salt = salts.chunks_exact(AeadAes128Gcm::SALT_LEN).nth(side)?;
        let mut salt = [0; 12];
        derive(srtp, key, master_salt, LABEL_RTCP_SALT, &mut salt);
        let cipher = if key_len == AeadAes256Gcm::KEY_LEN {
            let mut session = [0; AeadAes256Gcm::KEY_LEN];
            derive(srtp, key, master_salt, LABEL_RTCP_KEY, &mut session);
            Cipher::Aes256(srtp.aead_aes_256_gcm().create_cipher(session, true))
        } else {
            let mut session = [0; AeadAes128Gcm::KEY_LEN];
            derive(srtp, key, master_salt, LABEL_RTCP_KEY, &mut session);
            Cipher::Aes128(srtp.aead_aes_128_gcm().create_cipher(session, true))
        };
        Some(Self {
            cipher,
            salt,
            index: 0,
        })
    }

    /// Turns a compound RTCP packet of sender `ssrc` into SRTCP, RFC 7714
    /// section 9.2. None when the packet is shorter than its header or the
    /// cipher fails.
    pub fn seal(&mut self, ssrc: u32, plain: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = plain.split_at_checked(8)?;
        self.index = self
            .index
            .checked_add(1)
            .filter(|index| *index < ENCRYPTED)?;
        let word = (self.index | ENCRYPTED).to_be_bytes();
        let iv = AeadAes128Gcm::rtcp_iv(self.salt, ssrc, self.index);
        let aad = [header, &word].concat();
        let mut packet = vec![0; plain.len() + TAG + word.len()];
        let (sealed_header, rest) = packet.split_at_mut_checked(8)?;
        sealed_header.copy_from_slice(header);
        let (sealed, trailer) = rest.split_at_mut_checked(body.len() + TAG)?;
        match &mut self.cipher {
            Cipher::Aes128(cipher) => cipher.encrypt(&iv, &aad, body, sealed),
            Cipher::Aes256(cipher) => cipher.encrypt(&iv, &aad, body, sealed),
        }
        .ok()?;
        trailer.copy_from_slice(&word);
        Some(packet)
    }
}

/// Key derivation of RFC 3711 section 4.3.1 with a key derivation rate of 0.
fn derive(srtp: &dyn SrtpProvider, key: &[u8], salt: &[u8], label: u8, out: &mut [u8]) {
    let mut counter = [0u8; 16];
    for (to, from) in counter.iter_mut().zip(salt) {
        *to = *from;
    }
    counter[7] ^= label;
    for (round, chunk) in out.chunks_mut(16).enumerate() {
        let [high, low] = (round as u16).to_be_bytes();
        counter[14] = high;
        counter[15] = low;
        let mut block = [0u8; 32];
        if key.len() == AeadAes256Gcm::KEY_LEN {
            srtp.srtp_aes_256_ecb_round(key, &counter, &mut block);
        } else {
            srtp.srtp_aes_128_ecb_round(key, &counter, &mut block);
        }
        for (to, from) in chunk.iter_mut().zip(block) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_derivation_matches_rfc_3711_appendix_b3() {
        let hex = |text: &str| -> Vec<u8> {
            text.as_bytes()
                .chunks(2)
                .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
                .collect()
        };
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let srtp = provider().srtp_provider;
        let mut out = [0; 16];
        derive(srtp, &key, &salt, 0, &mut out);
        assert_eq!(out.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let mut out = [0; 14];
        derive(srtp, &key, &salt, 2, &mut out);
        assert_eq!(out.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    }
}
