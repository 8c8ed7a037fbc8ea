//! SRTCP of a light client: its own feedback is sealed, the server's sender
//! reports are opened, so that receiver reports can name them.

use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::{
    AeadAes128Gcm, AeadAes128GcmCipher, AeadAes256Gcm, AeadAes256GcmCipher, Aes128CmSha1_80,
    Aes128CmSha1_80Cipher, SrtpProvider,
};

use crate::keys::{Master, provider};

/// Label of the SRTCP encryption key, RFC 3711 section 4.3.2.
const LABEL_KEY: u8 = 3;
/// Label of the SRTCP authentication key.
const LABEL_AUTH: u8 = 4;
/// Label of the SRTCP salt.
const LABEL_SALT: u8 = 5;
/// Authentication tag of AES-GCM, bytes.
const TAG: usize = 16;
/// Header and sender SSRC, which stay clear.
const HEADER: usize = 8;
/// Bit of the SRTCP index word that says "encrypted", RFC 3711 section 3.4.
const ENCRYPTED: u32 = 1 << 31;

enum Cipher {
    Gcm128(Box<dyn AeadAes128GcmCipher>, [u8; 12]),
    Gcm256(Box<dyn AeadAes256GcmCipher>, [u8; 12]),
    Sha1(Box<dyn Aes128CmSha1_80Cipher>, [u8; 14], [u8; 20]),
}

impl Cipher {
    /// Keys of the side that is DTLS client, or of the other one.
    fn new(master: &Master, of_client: bool, encrypt: bool) -> Option<Self> {
        let srtp = provider().srtp_provider;
        let (key_len, salt_len) = match master.profile {
            SrtpProfile::AEAD_AES_256_GCM => (AeadAes256Gcm::KEY_LEN, AeadAes256Gcm::SALT_LEN),
            SrtpProfile::AEAD_AES_128_GCM => (AeadAes128Gcm::KEY_LEN, AeadAes128Gcm::SALT_LEN),
            SrtpProfile::AES128_CM_SHA1_80 => (Aes128CmSha1_80::KEY_LEN, Aes128CmSha1_80::SALT_LEN),
            _ => return None,
        };
        // RFC 5764 section 4.2: client key, server key, client salt, server salt.
        let (keys, salts) = master.material.split_at_checked(2 * key_len)?;
        let side = usize::from(!of_client);
        let key = keys.chunks_exact(key_len).nth(side)?;
        let salt = salts.chunks_exact(salt_len).nth(side)?;
        Some(match master.profile {
            SrtpProfile::AEAD_AES_256_GCM => Self::Gcm256(
                srtp.aead_aes_256_gcm()
                    .create_cipher(derive(srtp, key, salt, LABEL_KEY), encrypt),
                derive(srtp, key, salt, LABEL_SALT),
            ),
            SrtpProfile::AEAD_AES_128_GCM => Self::Gcm128(
                srtp.aead_aes_128_gcm()
                    .create_cipher(derive(srtp, key, salt, LABEL_KEY), encrypt),
                derive(srtp, key, salt, LABEL_SALT),
            ),
            _ => Self::Sha1(
                srtp.aes_128_cm_sha1_80()
                    .create_cipher(derive(srtp, key, salt, LABEL_KEY), encrypt),
                derive(srtp, key, salt, LABEL_SALT),
                derive(srtp, key, salt, LABEL_AUTH),
            ),
        })
    }
}

/// Seals the SRTCP packets one client sends.
pub struct RtcpSealer {
    cipher: Cipher,
    profile: SrtpProfile,
    index: u32,
}

impl RtcpSealer {
    pub(crate) fn new(master: &Master) -> Option<Self> {
        Some(Self {
            cipher: Cipher::new(master, master.active, true)?,
            profile: master.profile,
            index: 0,
        })
    }

    /// What the connection agreed on.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Writes into `out` the SRTCP of a compound RTCP packet of sender `ssrc`, RFC
    /// 7714 section 9.2 or RFC 3711 section 3.4. None when the packet is shorter
    /// than its header or the cipher fails.
    pub fn seal(&mut self, ssrc: u32, plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let (header, body) = plain.split_at_checked(HEADER)?;
        self.index = self
            .index
            .checked_add(1)
            .filter(|index| *index < ENCRYPTED)?;
        let word = (self.index | ENCRYPTED).to_be_bytes();
        out.clear();
        out.extend_from_slice(header);
        match &mut self.cipher {
            Cipher::Sha1(cipher, salt, auth) => {
                out.resize(plain.len(), 0);
                let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, u64::from(self.index));
                cipher.encrypt(&iv, body, out.get_mut(HEADER..)?).ok()?;
                out.extend_from_slice(&word);
                let tag = hmac_sha1(auth, out);
                out.extend_from_slice(tag.get(..Aes128CmSha1_80::HMAC_TAG_LEN)?);
                return Some(());
            }
            Cipher::Gcm128(cipher, salt) => {
                out.resize(plain.len() + TAG, 0);
                let iv = AeadAes128Gcm::rtcp_iv(*salt, ssrc, self.index);
                let sealed = out.get_mut(HEADER..)?;
                cipher.encrypt(&iv, &aad(header, word), body, sealed).ok()?;
            }
            Cipher::Gcm256(cipher, salt) => {
                out.resize(plain.len() + TAG, 0);
                let iv = AeadAes256Gcm::rtcp_iv(*salt, ssrc, self.index);
                let sealed = out.get_mut(HEADER..)?;
                cipher.encrypt(&iv, &aad(header, word), body, sealed).ok()?;
            }
        }
        out.extend_from_slice(&word);
        Some(())
    }
}

/// Opens the SRTCP packets one client receives.
pub struct RtcpOpener {
    cipher: Cipher,
}

impl RtcpOpener {
    pub(crate) fn new(master: &Master) -> Option<Self> {
        Some(Self {
            cipher: Cipher::new(master, !master.active, false)?,
        })
    }

    /// Writes into `out` the compound RTCP packet inside `sealed`. None when it is
    /// not of the other side. Repeats are not refused: nothing of a load client is
    /// worth protecting.
    pub fn open(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let header: [u8; HEADER] = *sealed.first_chunk()?;
        let [.., a, b, c, d] = header;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        out.clear();
        out.extend_from_slice(&header);
        if let Cipher::Sha1(cipher, salt, auth) = &mut self.cipher {
            let (signed, tag) = sealed.split_last_chunk::<{ Aes128CmSha1_80::HMAC_TAG_LEN }>()?;
            if hmac_sha1(auth, signed).get(..tag.len())? != tag {
                return None;
            }
            let (packet, word) = signed.split_last_chunk::<4>()?;
            let index = u32::from_be_bytes(*word) & !ENCRYPTED;
            let body = packet.get(HEADER..)?;
            out.resize(packet.len(), 0);
            let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, u64::from(index));
            return cipher.decrypt(&iv, body, out.get_mut(HEADER..)?).ok();
        }
        let (packet, word) = sealed.split_last_chunk::<4>()?;
        let index = u32::from_be_bytes(*word) & !ENCRYPTED;
        let body = packet.get(HEADER..)?;
        out.resize(
            packet.len().checked_sub(TAG).filter(|len| *len >= HEADER)?,
            0,
        );
        let plain = out.get_mut(HEADER..)?;
        let aads: [&[u8]; 2] = [&header, word];
        match &mut self.cipher {
            Cipher::Gcm128(cipher, salt) => {
                let iv = AeadAes128Gcm::rtcp_iv(*salt, ssrc, index);
                cipher.decrypt(&iv, &aads, body, plain).ok()?;
            }
            Cipher::Gcm256(cipher, salt) => {
                let iv = AeadAes256Gcm::rtcp_iv(*salt, ssrc, index);
                cipher.decrypt(&iv, &aads, body, plain).ok()?;
            }
            Cipher::Sha1(..) => return None,
        }
        Some(())
    }
}

/// Associated data of SRTCP with AES-GCM, RFC 7714 section 9.2.
fn aad(header: &[u8], word: [u8; 4]) -> [u8; HEADER + 4] {
    let mut aad = [0; HEADER + 4];
    for (to, from) in aad.iter_mut().zip(header.iter().chain(&word)) {
        *to = *from;
    }
    aad
}

fn hmac_sha1(key: &[u8; 20], data: &[u8]) -> [u8; 20] {
    provider().sha1_hmac_provider.sha1_hmac(key, &[data])
}

/// Key derivation of RFC 3711 section 4.3.1 with a key derivation rate of 0.
fn derive<const N: usize>(srtp: &dyn SrtpProvider, key: &[u8], salt: &[u8], label: u8) -> [u8; N] {
    let mut out = [0; N];
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
    out
}

#[cfg(test)]
mod tests {
    use str0m::config::KeyingMaterial;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn key_derivation_matches_rfc_3711_appendix_b3() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let srtp = provider().srtp_provider;
        let key_0: [u8; 16] = derive(srtp, &key, &salt, 0);
        assert_eq!(key_0.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let salt_0: [u8; 14] = derive(srtp, &key, &salt, 2);
        assert_eq!(salt_0.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let auth_0: [u8; 20] = derive(srtp, &key, &salt, 1);
        assert_eq!(
            auth_0.to_vec(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
        );
    }

    #[test]
    fn the_hmac_matches_rfc_2202() {
        let tag = hmac_sha1(&[0x0b; 20], b"Hi There");
        assert_eq!(
            tag.to_vec(),
            hex("b617318655057264e28bc0b6fb378c8ef146be00")
        );
    }

    #[test]
    fn what_one_side_seals_the_other_opens_and_nobody_else() {
        for profile in [
            SrtpProfile::AEAD_AES_256_GCM,
            SrtpProfile::AEAD_AES_128_GCM,
            SrtpProfile::AES128_CM_SHA1_80,
        ] {
            let bytes: Vec<u8> = (0..88).collect();
            let master = |active| Master {
                material: KeyingMaterial::new(&bytes),
                profile,
                active,
            };
            let mut sealer = RtcpSealer::new(&master(true)).unwrap();
            let mut plain = vec![0x80, 201, 0, 1];
            plain.extend_from_slice(&7u32.to_be_bytes());
            plain.extend_from_slice(b"twelve bytes");
            let (mut sealed, mut opened) = (Vec::new(), Vec::new());
            sealer.seal(7, &plain, &mut sealed).unwrap();
            sealer.seal(7, &plain, &mut sealed).unwrap();
            let mut other = RtcpOpener::new(&master(false)).unwrap();
            other.open(&sealed, &mut opened).unwrap();
            assert_eq!(opened, plain, "{profile}");
            let mut own = RtcpOpener::new(&master(true)).unwrap();
            assert!(own.open(&sealed, &mut opened).is_none(), "{profile}");
            for len in 0..sealed.len() {
                assert!(other.open(&sealed[..len], &mut opened).is_none());
            }
        }
    }
}
