//! The SRTCP key of a client connection.
//!
//! Light clients do not feed media to str0m, so str0m writes no feedback for
//! them; they write their own and need the key for it. The DTLS provider is
//! wrapped and the keying material copied as it passes. Feedback uses an SSRC
//! of its own, so no nonce is ever used twice (RFC 7714 section 9.1).
//! [`crate::srtcp`] does the sealing.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion, KeyingMaterial};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};

use crate::srtcp::{RtcpOpener, RtcpSealer};

/// Master keys as DTLS exported them.
pub(crate) struct Master {
    pub(crate) material: KeyingMaterial,
    pub(crate) profile: SrtpProfile,
    /// Whether this side is the DTLS client.
    pub(crate) active: bool,
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
    /// What seals own SRTCP and opens the server's, once. None before the
    /// handshake is done.
    pub fn take(&self) -> Option<(RtcpSealer, RtcpOpener)> {
        let master = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some((RtcpSealer::new(&master)?, RtcpOpener::new(&master)?))
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
