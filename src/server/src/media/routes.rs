//! Where events of the media plane go. Called on the media plane's threads:
//! nothing here waits.

use std::sync::Arc;

use dashmap::DashMap;
use lophoc_media::types::{Binding, Epoch, PeerId, RoomKey, ViewSpec};
use lophoc_protocol::media::{OnRung, View};
use lophoc_protocol::{ServerFrame, ServerMessage};
use lophoc_transport::{DisconnectReason, MediaEvent, PeerQuality};
use tokio::sync::mpsc;

use super::convert::{MidTable, Watched, rung_of};
use super::probes::Probes;
use crate::recording::{Recorders, boot_ns};
use crate::ws::codec::Encoded;
use crate::ws::outbox::{Lane, Outbox};

/// Loudness of publishers of a room: peer and −dBov.
pub type Levels = Vec<(u64, u8)>;

/// The routes of all peers and rooms. As many entries as there are people in
/// rooms: entries go when the person goes.
#[derive(Debug, Default)]
pub struct Routes {
    peers: DashMap<PeerId, Route>,
    rooms: DashMap<RoomKey, mpsc::Sender<Levels>>,
    /// Connections of network checks, which have no route.
    pub probes: Arc<Probes>,
    /// Recordings, whose connections have no route either.
    pub recorders: Arc<Recorders>,
}

/// One peer.
#[derive(Debug, Default)]
struct Route {
    outbox: Option<Arc<Outbox>>,
    connection: Option<(Epoch, MidTable)>,
    view: Option<View>,
    binding: Option<Binding>,
    quality: Option<PeerQuality>,
    rung: Option<OnRung>,
    /// Layers of the own pictures that somebody watches.
    layers: Watched,
    /// What the link was told of them.
    told_layers: Watched,
}

impl Routes {
    /// Levels of the room go here; when the queue is full they are dropped.
    pub fn add_room(&self, room: RoomKey, levels: mpsc::Sender<Levels>) {
        self.rooms.insert(room, levels);
    }

    /// The room is gone.
    pub fn remove_room(&self, room: RoomKey) {
        self.rooms.remove(&room);
    }

    /// The peer's messages go to this link from now on. `again`: the link goes on
    /// where another stopped, so what is in the slots is told once more.
    pub fn attach(&self, peer: PeerId, outbox: &Arc<Outbox>, again: bool) {
        let mut route = self.peers.entry(peer).or_default();
        route.outbox = Some(Arc::clone(outbox));
        if again {
            route.send_binding();
            route.send_rung();
            route.send_layers();
        } else {
            // Whoever begins anew sends everything.
            route.told_layers = Watched::default();
        }
    }

    /// The link is gone; the media may still flow. A newer link stays.
    pub fn detach(&self, peer: PeerId, outbox: &Arc<Outbox>) {
        if let Some(mut route) = self.peers.get_mut(&peer)
            && route
                .outbox
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, outbox))
        {
            route.outbox = None;
        }
    }

    /// The peer is gone.
    pub fn remove(&self, peer: PeerId) {
        self.peers.remove(&peer);
    }

    /// The last figures of the peer's connection; absent without one.
    pub fn quality(&self, peer: PeerId) -> Option<PeerQuality> {
        let route = self.peers.get(&peer)?;
        route.quality.filter(|_| route.connection.is_some())
    }

    /// The rung of the peer's connection; absent when it gets everything.
    pub fn rung(&self, peer: PeerId) -> Option<OnRung> {
        let route = self.peers.get(&peer)?;
        route.rung.filter(|_| route.connection.is_some())
    }

    /// How many peers have a route.
    #[cfg(test)]
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// A connection was made. Returns the last view, in its m-lines.
    pub fn connected(&self, peer: PeerId, epoch: Epoch, mids: MidTable) -> Option<ViewSpec> {
        let mut route = self.peers.entry(peer).or_default();
        let view = route.view.as_ref().map(|view| mids.view(view));
        match &route.connection {
            // An answer that was overtaken by a newer one.
            Some((known, _)) if *known > epoch => return None,
            Some((known, _)) if *known == epoch => {}
            _ => {
                route.binding = None;
                route.quality = None;
                route.rung = None;
                // It sends everything. A word about the one before may still come to it.
                route.layers = Watched::default();
                route.tell_layers();
            }
        }
        route.connection = Some((epoch, mids));
        view
    }

    /// A view; `None` while there is no connection to apply it to.
    pub fn view(&self, peer: PeerId, view: View) -> Option<ViewSpec> {
        let mut route = self.peers.get_mut(&peer)?;
        let spec = route.connection.as_ref().map(|(_, mids)| mids.view(&view));
        route.view = Some(view);
        spec
    }

    /// Something happened in the media plane.
    pub fn on_event(&self, event: MediaEvent) {
        match event {
            MediaEvent::Binding { peer, binding } => {
                if self.recorders.on_binding(peer, boot_ns, &binding) {
                    return;
                }
                if let Some(mut route) = self.peers.get_mut(&peer) {
                    route.binding = Some(binding);
                    route.send_binding();
                }
            }
            MediaEvent::Rung { peer, rung, reason } => {
                if let Some(mut route) = self.peers.get_mut(&peer) {
                    route.rung = rung_of(rung, reason);
                    route.send_rung();
                }
            }
            MediaEvent::Levels { room, levels } => {
                if let Some(to) = self.rooms.get(&room) {
                    // Full: loudness is the first thing to lose.
                    let _ = to.try_send(
                        levels
                            .into_iter()
                            .map(|(peer, level)| (peer.0, level))
                            .collect(),
                    );
                }
            }
            MediaEvent::Disconnected {
                peer,
                epoch,
                reason,
            } => self.disconnected(peer, epoch, reason),
            MediaEvent::Quality { list } => {
                for (peer, quality) in list {
                    if let Some(mut route) = self.peers.get_mut(&peer) {
                        route.quality = Some(quality);
                    }
                }
            }
            MediaEvent::Connected { peer, .. } => tracing::debug!(peer = peer.0, "media connected"),
            MediaEvent::LayersWanted { peer, kind, layers } => {
                if let Some(mut route) = self.peers.get_mut(&peer) {
                    route.layers.set(kind, layers);
                    route.tell_layers();
                }
            }
            // The roster tells what is published.
            MediaEvent::TrackLive { .. } => {}
        }
    }

    fn disconnected(&self, peer: PeerId, epoch: Epoch, reason: DisconnectReason) {
        let asked = matches!(
            reason,
            DisconnectReason::Requested | DisconnectReason::Replaced | DisconnectReason::Shutdown
        );
        tracing::debug!(peer = peer.0, ?reason, "media disconnected");
        self.probes.remove(peer);
        if !asked {
            self.recorders.on_lost(peer, epoch);
        }
        let Some(mut route) = self.peers.get_mut(&peer) else {
            return;
        };
        if asked
            || route
                .connection
                .as_ref()
                .is_none_or(|(current, _)| *current != epoch)
        {
            return;
        }
        route.connection = None;
        route.binding = None;
        route.send(Lane::Ordered, ServerMessage::Renegotiate);
    }
}

impl Route {
    fn send_binding(&self) {
        if let (Some((_, mids)), Some(binding)) = (&self.connection, &self.binding) {
            self.send(Lane::Bind, mids.bind(binding));
        }
    }

    fn send_rung(&self) {
        self.send(Lane::Ordered, ServerMessage::Rung { on: self.rung });
    }

    /// Tells the layers watched if they are not those told last.
    fn tell_layers(&mut self) {
        if self.layers != self.told_layers {
            self.send_layers();
        }
    }

    fn send_layers(&mut self) {
        self.told_layers = self.layers;
        self.send(Lane::Layers, self.layers.message());
    }

    fn send(&self, lane: Lane, msg: ServerMessage) {
        let Some(outbox) = &self.outbox else { return };
        match Encoded::new(&ServerFrame {
            seq: None,
            id: None,
            msg,
        }) {
            Ok(frame) => outbox.push(lane, Arc::new(frame)),
            Err(error) => tracing::error!(%error, "a message cannot be serialized"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::outbox::{Bounds, Next};
    use lophoc_media::types::Kind;
    use lophoc_transport::MidMap;

    const PEER: PeerId = PeerId(7);

    fn link() -> Arc<Outbox> {
        let outbox = Outbox::held(Bounds {
            messages: 100,
            bytes: 100_000,
        });
        outbox.release(None);
        Arc::new(outbox)
    }

    fn watched(routes: &Routes, kind: Kind, layers: u8) {
        routes.on_event(MediaEvent::LayersWanted {
            peer: PEER,
            kind,
            layers,
        });
    }

    fn connect(routes: &Routes, epoch: u32) {
        routes.connected(PEER, Epoch(epoch), MidTable::new(MidMap::default()));
    }

    /// Everything that waits, as text.
    async fn told(outbox: &Outbox) -> Vec<String> {
        let mut list = Vec::new();
        while outbox.depth().0 > 0 {
            if let Next::Send(frame) = outbox.next().await
                && let axum::extract::ws::Message::Text(text) = frame.message(false)
            {
                list.push(text.to_string());
            }
        }
        list
    }

    #[tokio::test]
    async fn a_publisher_is_told_what_is_watched_and_the_newest_counts() {
        let (routes, outbox) = (Routes::default(), link());
        routes.attach(PEER, &outbox, false);
        connect(&routes, 1);
        watched(&routes, Kind::Camera, 0b111);
        watched(&routes, Kind::Mic, 0b1);
        assert!(told(&outbox).await.is_empty(), "everything is sent anyway");
        watched(&routes, Kind::Camera, 0b001);
        watched(&routes, Kind::Screen, 0);
        watched(&routes, Kind::Camera, 0b011);
        assert_eq!(
            told(&outbox).await,
            [r#"{"t":"layers","camera":["q","h"],"screen":[]}"#]
        );
        watched(&routes, Kind::Camera, 0b011);
        assert!(told(&outbox).await.is_empty());
    }

    #[tokio::test]
    async fn what_is_watched_is_told_anew_to_a_link_that_goes_on() {
        let (routes, first) = (Routes::default(), link());
        routes.attach(PEER, &first, false);
        connect(&routes, 1);
        watched(&routes, Kind::Camera, 0b001);
        routes.detach(PEER, &first);
        watched(&routes, Kind::Camera, 0b100);
        let second = link();
        routes.attach(PEER, &second, true);
        let list = told(&second).await;
        assert_eq!(list.last().unwrap(), r#"{"t":"layers","camera":["f"]}"#);
        // A page loaded anew sends everything until told.
        let third = link();
        routes.attach(PEER, &third, false);
        assert!(told(&third).await.is_empty());
    }

    #[tokio::test]
    async fn a_new_connection_sends_everything_again() {
        let (routes, outbox) = (Routes::default(), link());
        routes.attach(PEER, &outbox, false);
        connect(&routes, 1);
        watched(&routes, Kind::Camera, 0);
        connect(&routes, 1);
        assert_eq!(told(&outbox).await, [r#"{"t":"layers","camera":[]}"#]);
        connect(&routes, 2);
        assert_eq!(told(&outbox).await, [r#"{"t":"layers"}"#]);
    }
}
