//! The keys: caught as they pass from DTLS to the engine, and what follows from
//! them (RFC 3711 §4.3, RFC 5764 §4.2).

use std::cell::RefCell;
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};

use super::SrtpError;
use super::quiet;

/// How packets are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// AES in counter mode and HMAC-SHA1 of 80 bits, RFC 3711.
    Cm,
    /// AES-128-GCM, RFC 7714.
    Gcm128,
    /// AES-256-GCM, RFC 7714.
    Gcm256,
}

impl Profile {
    fn of(profile: SrtpProfile) -> Option<Self> {
        match profile {
            SrtpProfile::AES128_CM_SHA1_80 => Some(Self::Cm),
            SrtpProfile::AEAD_AES_128_GCM => Some(Self::Gcm128),
            SrtpProfile::AEAD_AES_256_GCM => Some(Self::Gcm256),
            _ => None,
        }
    }

    /// Bytes of a master key.
    fn key(self) -> usize {
        match self {
            Self::Cm | Self::Gcm128 => 16,
            Self::Gcm256 => 32,
        }
    }

    /// Bytes of a salt.
    fn salt(self) -> usize {
        match self {
            Self::Cm => 14,
            Self::Gcm128 | Self::Gcm256 => 12,
        }
    }
}

/// What DTLS agreed upon, as it passed.
pub(crate) struct Caught {
    profile: Profile,
    /// Client key, server key, client salt, server salt.
    material: Vec<u8>,
    /// We are the DTLS client.
    client: bool,
}

/// Keys and salt of one direction and one of RTP and RTCP.
pub(crate) struct Derived {
    pub(super) key: [u8; 32],
    pub(super) key_len: usize,
    pub(super) auth: [u8; 20],
    pub(super) salt: [u8; 14],
}

impl Derived {
    pub(super) fn key(&self) -> &[u8] {
        self.key.get(..self.key_len).unwrap_or_default()
    }

    /// The salt of a profile with GCM.
    pub(super) fn salt12(&self) -> [u8; 12] {
        let mut salt = [0; 12];
        for (to, from) in salt.iter_mut().zip(&self.salt) {
            *to = *from;
        }
        salt
    }
}

/// Direction seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

/// RTP or RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Rtp,
    Rtcp,
}

impl Caught {
    #[cfg(test)]
    pub(crate) fn of(profile: Profile, material: Vec<u8>, client: bool) -> Self {
        Self {
            profile,
            material,
            client,
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// Session keys of a direction, RFC 3711 §4.3.1 with a key derivation rate of 0.
    pub(super) fn derive(&self, way: Way, what: What) -> Result<Derived, SrtpError> {
        let (key, salt) = (self.profile.key(), self.profile.salt());
        // The DTLS client seals with the first half.
        let second = usize::from((way == Way::Out) != self.client);
        let part = |at: usize, len: usize| self.material.get(at..at + len).ok_or(SrtpError::Keys);
        let master = part(second * key, key)?;
        let master_salt = part(2 * key + second * salt, salt)?;
        let first = match what {
            What::Rtp => 0,
            What::Rtcp => 3,
        };
        let mut derived = Derived {
            key: [0; 32],
            key_len: key,
            auth: [0; 20],
            salt: [0; 14],
        };
        stream(
            master,
            master_salt,
            first,
            derived.key.get_mut(..key).ok_or(SrtpError::Keys)?,
        )?;
        stream(master, master_salt, first + 1, &mut derived.auth)?;
        stream(
            master,
            master_salt,
            first + 2,
            derived.salt.get_mut(..salt).ok_or(SrtpError::Keys)?,
        )?;
        Ok(derived)
    }
}

/// The key stream of RFC 3711 §4.3.3 for a label.
fn stream(key: &[u8], salt: &[u8], label: u8, out: &mut [u8]) -> Result<(), SrtpError> {
    let plain = str0m::crypto::from_feature_flags().srtp_provider;
    let mut block = [0u8; 16];
    for (to, from) in block.iter_mut().zip(salt) {
        *to = *from;
    }
    block[7] ^= label;
    for (counter, chunk) in (0u16..).zip(out.chunks_mut(16)) {
        block[14..].copy_from_slice(&counter.to_be_bytes());
        // The library pads in this mode: room for one block more.
        let mut sealed = [0u8; 32];
        match key.len() {
            16 => plain.srtp_aes_128_ecb_round(key, &block, &mut sealed),
            32 => plain.srtp_aes_256_ecb_round(key, &block, &mut sealed),
            _ => return Err(SrtpError::Keys),
        }
        for (to, from) in chunk.iter_mut().zip(&sealed) {
            *to = *from;
        }
    }
    Ok(())
}

thread_local! {
    /// Keys that passed during the present call into the engine.
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs engine code and tells the keys that passed in it, if any did.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> (T, Option<Caught>) {
    // What an earlier call may have left belongs to another connection.
    CAUGHT.with(|place| place.borrow_mut().take());
    let result = work();
    let caught = CAUGHT.with(|place| place.borrow_mut().take());
    (result, caught)
}

/// The cryptography given to the engine: as it comes, except that keys are caught
/// and nothing is sealed.
pub(crate) fn provider() -> CryptoProvider {
    static DTLS: CatchingDtls = CatchingDtls;
    CryptoProvider {
        srtp_provider: quiet::only(),
        dtls_provider: &DTLS,
        ..str0m::crypto::from_feature_flags()
    }
}

#[derive(Debug)]
struct CatchingDtls;

impl DtlsProvider for CatchingDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        str0m::crypto::from_feature_flags()
            .dtls_provider
            .generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let plain = str0m::crypto::from_feature_flags().dtls_provider;
        let inner = plain.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(Catching { inner }))
    }
}

#[derive(Debug)]
struct Catching {
    inner: Box<dyn DtlsInstance>,
}

impl DtlsInstance for Catching {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let client = self.inner.is_active();
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output
            && let Some(profile) = Profile::of(*profile)
        {
            let caught = Caught {
                profile,
                material: material.as_ref().to_vec(),
                client,
            };
            CAUGHT.with(|place| *place.borrow_mut() = Some(caught));
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
