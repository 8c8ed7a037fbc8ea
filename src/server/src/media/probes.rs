//! Connections of network checks: they belong to no room, forward nothing, and
//! end by themselves.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use lophoc_media::types::{Allow, PeerId, RoomKey, Slots};
use lophoc_transport::{ConnectError, ConnectSpec, Connected, MediaPlane};
use prometheus::IntGauge;
use tokio::sync::oneshot;

use crate::http::limit::Place;

/// How long the connection of a check lives at most. A browser that is done says
/// goodbye earlier.
pub const PROBE_LIFE: Duration = Duration::from_secs(15);
/// The one media line of a check: sound that never comes.
const SLOTS: Slots = Slots {
    audio: 1,
    video: 0,
    screen: 0,
};

/// The connections of checks that are open. As many as there are places for
/// them: see `CheckState`.
#[derive(Debug, Default)]
pub struct Probes {
    open: DashMap<PeerId, Probe>,
}

/// One of them; what it holds is given back when it goes.
#[derive(Debug)]
struct Probe {
    _place: Place,
    /// Its fall ends the wait for the end of the connection's life.
    _gone: oneshot::Sender<()>,
    gauge: IntGauge,
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// What a connection of a check is made of.
pub struct ProbeSpec {
    /// A number nobody else has.
    pub peer: PeerId,
    /// A room nobody is in.
    pub room: RoomKey,
    /// SDP offer with one line to receive sound.
    pub offer: String,
    /// Its place among those of its address.
    pub place: Place,
    /// Counts the open ones.
    pub gauge: IntGauge,
}

impl Probes {
    /// Makes a connection that lives for [`PROBE_LIFE`] at most. Computes for a
    /// millisecond or two: to be called where that holds nobody up.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(
        self: &Arc<Self>,
        media: &MediaPlane,
        runtime: &tokio::runtime::Handle,
        spec: ProbeSpec,
    ) -> Result<Connected, ConnectError> {
        let peer = spec.peer;
        let (gone, mut ended) = oneshot::channel();
        spec.gauge.inc();
        // Known before it is made: its end may come at once.
        self.open.insert(
            peer,
            Probe {
                _place: spec.place,
                _gone: gone,
                gauge: spec.gauge,
            },
        );
        let made = media.connect(ConnectSpec {
            room: spec.room,
            group: 0,
            peer,
            sends: Vec::new(),
            slots: SLOTS,
            allow: Allow::default(),
            offer: &spec.offer,
        });
        if made.is_err() {
            self.remove(peer);
            return made;
        }
        let (probes, media) = (Arc::clone(self), media.clone());
        runtime.spawn(async move {
            if tokio::time::timeout(PROBE_LIFE, &mut ended).await.is_err() {
                media.disconnect(peer);
                probes.remove(peer);
            }
        });
        made
    }

    /// The connection ended.
    pub fn remove(&self, peer: PeerId) {
        self.open.remove(&peer);
    }
}
