//! The handle of the media plane.

use std::sync::Arc;

use lophoc_media::types::{Allow, PeerId, ViewSpec};

use crate::api::{ConnectError, ConnectSpec, Connected, MediaConfig, MediaEvent, StartError};
use crate::stats::MediaStats;

/// Handle of the running media plane; clones are cheap and name the same one.
#[derive(Clone)]
pub struct MediaPlane {
    inner: Arc<Inner>,
}

struct Inner {
    port: u16,
    #[expect(dead_code, reason = "used by the shards")]
    on_event: Box<dyn Fn(MediaEvent) + Send + Sync>,
}

impl MediaPlane {
    /// Opens the sockets and starts the shard threads. `on_event` is called on
    /// shard threads and must never block.
    ///
    /// # Errors
    /// [`StartError`] says which address or setting is at fault.
    pub fn start(
        config: MediaConfig,
        on_event: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let port = config.listen.first().ok_or(StartError::NoAddress)?.port();
        Ok(Self {
            inner: Arc::new(Inner {
                port,
                on_event: Box::new(on_event),
            }),
        })
    }

    /// Builds a connection from the client's offer on the caller's thread
    /// (1–2 ms) and registers it; it comes alive with the client's first packet.
    /// An older connection of the same peer is removed.
    ///
    /// # Errors
    /// [`ConnectError`]: the offer is refused, or there is no place.
    pub fn connect(&self, spec: ConnectSpec<'_>) -> Result<Connected, ConnectError> {
        let _ = spec;
        Err(ConnectError::Stopped)
    }

    /// Accepts a new offer of a connected peer (ICE restart, same m-lines) on
    /// the shard that owns it. `reply` is called once, on that shard's thread,
    /// and must not block.
    pub fn restart(
        &self,
        peer: PeerId,
        offer: String,
        reply: impl FnOnce(Result<Connected, ConnectError>) + Send + 'static,
    ) {
        let _ = (peer, offer);
        reply(Err(ConnectError::UnknownPeer));
    }

    /// A candidate the client found after its offer (the value of
    /// `RTCIceCandidate.candidate`). What cannot be used is ignored.
    pub fn add_candidate(&self, peer: PeerId, candidate: String) {
        let _ = (peer, candidate);
    }

    /// What the peer may send from now on.
    pub fn set_allow(&self, peer: PeerId, allow: Allow) {
        let _ = (peer, allow);
    }

    /// What the peer wants to receive. The newest view wins.
    pub fn set_view(&self, peer: PeerId, view: ViewSpec) {
        let _ = (peer, view);
    }

    /// Ends the connection of a peer.
    pub fn disconnect(&self, peer: PeerId) {
        let _ = peer;
    }

    /// The UDP port, the same on all addresses.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// Counters summed over the shards, at most a second old.
    pub fn stats(&self) -> MediaStats {
        MediaStats::default()
    }

    /// Ends all connections and joins the threads. Further calls do nothing.
    pub fn shutdown(&self) {}
}
