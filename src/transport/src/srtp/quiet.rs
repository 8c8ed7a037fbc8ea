//! Ciphers for the engine that open what comes and leave as it is what goes: its
//! reports reach us readable, are filtered, and sealed by [`super::Sealer`].

use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider,
    SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

/// Bytes the engine appends to a report: tag and index (RFC 7714 §9).
pub(super) const GCM_TRAILER: usize = 16 + 4;
/// The same for HMAC-SHA1 (RFC 3711 §3.4).
pub(super) const CM_TRAILER: usize = 4 + 10;

#[derive(Debug)]
pub(super) struct QuietSrtp {
    plain: &'static dyn SrtpProvider,
    cm: Factory<dyn SupportedAes128CmSha1_80>,
    gcm128: Factory<dyn SupportedAeadAes128Gcm>,
    gcm256: Factory<dyn SupportedAeadAes256Gcm>,
}

#[derive(Debug)]
struct Factory<T: ?Sized + 'static>(&'static T);

impl Default for QuietSrtp {
    fn default() -> Self {
        let plain = str0m::crypto::from_feature_flags().srtp_provider;
        Self {
            plain,
            cm: Factory(plain.aes_128_cm_sha1_80()),
            gcm128: Factory(plain.aead_aes_128_gcm()),
            gcm256: Factory(plain.aead_aes_256_gcm()),
        }
    }
}

/// The one instance there is; the engine wants its factories to live for ever.
pub(super) fn only() -> &'static QuietSrtp {
    static ONLY: std::sync::LazyLock<QuietSrtp> = std::sync::LazyLock::new(QuietSrtp::default);
    &ONLY
}

impl SrtpProvider for QuietSrtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &only().cm
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &only().gcm128
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &only().gcm256
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.plain.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.plain.srtp_aes_256_ecb_round(key, input, output);
    }
}

impl SupportedAes128CmSha1_80 for Factory<dyn SupportedAes128CmSha1_80> {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        match encrypt {
            true => Box::new(Quiet),
            false => self.0.create_cipher(key, false),
        }
    }
}

impl SupportedAeadAes128Gcm for Factory<dyn SupportedAeadAes128Gcm> {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        match encrypt {
            true => Box::new(Quiet),
            false => self.0.create_cipher(key, false),
        }
    }
}

impl SupportedAeadAes256Gcm for Factory<dyn SupportedAeadAes256Gcm> {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        match encrypt {
            true => Box::new(Quiet),
            false => self.0.create_cipher(key, false),
        }
    }
}

/// Copies, and opens nothing.
#[derive(Debug)]
struct Quiet;

fn copy(input: &[u8], output: &mut [u8]) {
    for (to, from) in output.iter_mut().zip(input) {
        *to = *from;
    }
}

fn refused() -> CryptoError {
    CryptoError::Other("this cipher opens nothing".into())
}

impl Aes128CmSha1_80Cipher for Quiet {
    fn encrypt(&mut self, _: &[u8; 16], input: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        copy(input, out);
        Ok(())
    }

    fn decrypt(&mut self, _: &[u8; 16], _: &[u8], _: &mut [u8]) -> Result<(), CryptoError> {
        Err(refused())
    }
}

/// The two ciphers with GCM have one shape.
macro_rules! quiet_gcm {
    ($cipher:ident) => {
        impl $cipher for Quiet {
            fn encrypt(
                &mut self,
                _: &[u8; 12],
                _: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                copy(input, output);
                Ok(())
            }

            fn decrypt(
                &mut self,
                _: &[u8; 12],
                _: &[&[u8]],
                _: &[u8],
                _: &mut [u8],
            ) -> Result<usize, CryptoError> {
                Err(refused())
            }
        }
    };
}

quiet_gcm!(AeadAes128GcmCipher);
quiet_gcm!(AeadAes256GcmCipher);
