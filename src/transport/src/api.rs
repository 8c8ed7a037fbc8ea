//! What the control plane says to the media plane and hears from it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use lophoc_media::types::{
    Allow, Binding, Epoch, Kind, Layer, PeerId, RoomKey, Rung, RungReason, Slots,
};

pub use crate::egress::EgressKind;

/// Settings of the media plane.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// Addresses to bind, at most one per family. All must name the same port;
    /// port 0 lets the kernel choose one, which all of them then share.
    pub listen: Vec<SocketAddr>,
    /// Addresses announced as host candidates. Empty announces every address of
    /// the machine's interfaces of the families listened on. An address that no
    /// interface carries (one-to-one NAT) is allowed.
    pub announce: Vec<IpAddr>,
    /// Shard threads; 0 means cores − 1, at least 1.
    pub shards: usize,
    /// Most connections, pending ones included. More are refused.
    pub max_peers: usize,
    /// Bandwidth assumed towards a new receiver, bits per second.
    pub initial_estimate_bps: u64,
    /// Wanted size of each socket's send and receive buffer, bytes.
    pub socket_buffer_bytes: usize,
    /// Whether to use UDP segmentation offload where the kernel has it.
    pub gso: bool,
    /// Whether clients may come by TCP too, on the same addresses and port.
    pub tcp: bool,
    /// How packets leave.
    pub egress: EgressKind,
    /// A connection of which nothing authentic was heard for so long is over.
    pub silence_limit: Duration,
    /// Per mille of its time from which a shard has more to do than it can.
    pub overload_at: u16,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            listen: vec![
                SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7882),
                SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 7882),
            ],
            announce: Vec::new(),
            shards: 0,
            max_peers: 8_192,
            initial_estimate_bps: 2_500_000,
            socket_buffer_bytes: 4 << 20,
            gso: true,
            tcp: true,
            egress: EgressKind::default(),
            silence_limit: crate::SILENCE_LIMIT,
            overload_at: lophoc_media::overload::HIGH,
        }
    }
}

/// The media plane could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No address to listen on.
    #[error("no media address to listen on")]
    NoAddress,
    /// Two listen addresses name different ports, or one family twice.
    #[error("media addresses must share one port and differ in family")]
    Addresses,
    /// An address could not be bound.
    #[error("cannot open the media socket {address}: {source}")]
    Socket {
        /// Address.
        address: SocketAddr,
        /// Reason.
        source: std::io::Error,
    },
    /// An address could not be bound for TCP.
    #[error(
        "cannot open the media port for TCP at {address}: {source}; \
         free it, or turn TCP off"
    )]
    Stream {
        /// Address.
        address: SocketAddr,
        /// Reason.
        source: std::io::Error,
    },
    /// Nothing to announce to clients.
    #[error("no address to announce to clients; set one")]
    NothingToAnnounce,
    /// The certificate could not be made.
    #[error("cannot make a DTLS certificate: {0}")]
    Certificate(String),
    /// A thread could not be started or a poller not opened.
    #[error("cannot start a shard: {0}")]
    Thread(std::io::Error),
}

/// A wish for a connection.
#[derive(Debug, Clone)]
pub struct ConnectSpec<'a> {
    /// Room.
    pub room: RoomKey,
    /// Breakout group the peer is in, from 1; 0 = none.
    pub group: u8,
    /// Peer.
    pub peer: PeerId,
    /// What the client's first m-lines carry, in their order.
    pub sends: Vec<Kind>,
    /// Receiving slots, which follow in the order audio, video, screen.
    pub slots: Slots,
    /// What the peer may send.
    pub allow: Allow,
    /// SDP offer of the client.
    pub offer: &'a str,
}

/// A connection waiting for its first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// SDP answer for the client.
    pub answer_sdp: String,
    /// Number of this connection.
    pub epoch: Epoch,
    /// Which m-line is what.
    pub mids: MidMap,
}

/// Identification tags (RFC 8843 `a=mid`) of the m-lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MidMap {
    /// M-lines the client sends on.
    pub sends: Vec<(Kind, String)>,
    /// Audio slots.
    pub audio: Vec<String>,
    /// Video slots.
    pub video: Vec<String>,
    /// Screen slots.
    pub screen: Vec<String>,
}

/// A connection was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The offer is longer than [`crate::MAX_OFFER_BYTES`].
    #[error("the offer is too large")]
    TooLarge,
    /// The offer is not SDP we can read, or an attribute we need is missing.
    #[error("the offer cannot be read: {0}")]
    Malformed(String),
    /// The m-lines are not those of the profile.
    #[error("the offer has {got} media lines, the profile {expected}")]
    MediaLines {
        /// Of the profile.
        expected: usize,
        /// Of the offer.
        got: usize,
    },
    /// A media line has the wrong kind or direction.
    #[error("media line {index} is not {expected}")]
    MediaLine {
        /// Index from 0.
        index: usize,
        /// What it must be, for example "video recvonly".
        expected: &'static str,
    },
    /// The client and the server share no codec for a media line.
    #[error("no common codec for media line {index}")]
    NoCodec {
        /// Index from 0.
        index: usize,
    },
    /// All places are taken.
    #[error("the server has no place for another connection")]
    Full,
    /// A newer offer of the same peer came before this one was looked at.
    #[error("a newer offer took the place of this one")]
    Superseded,
    /// There is no such peer (any more).
    #[error("no such peer")]
    UnknownPeer,
    /// The media plane is shutting down.
    #[error("the media plane is shutting down")]
    Stopped,
    /// Something broke inside; this connection is lost, others are not.
    #[error("the connection broke inside the server")]
    Internal,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The server asked for it.
    Requested,
    /// A newer connection of the same peer took its place.
    Replaced,
    /// The client said goodbye (DTLS close).
    ClosedByPeer,
    /// Nothing authentic was heard for [`MediaConfig::silence_limit`].
    TimedOut,
    /// The first packet never came.
    NeverConnected,
    /// DTLS or another part failed.
    Failed,
    /// The media plane stopped.
    Shutdown,
}

/// What happens in the media plane. Delivered to the callback given to
/// [`crate::MediaPlane::start`], on the shard's thread: the callback must never block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// ICE and DTLS are done.
    Connected {
        /// Peer.
        peer: PeerId,
        /// Connection.
        epoch: Epoch,
    },
    /// A connection ended.
    Disconnected {
        /// Peer.
        peer: PeerId,
        /// Connection.
        epoch: Epoch,
        /// Why.
        reason: DisconnectReason,
    },
    /// What is in the slots of a peer changed.
    Binding {
        /// Receiver.
        peer: PeerId,
        /// The whole of it.
        binding: Binding,
    },
    /// Loudness of publishers of a room: those of one shard and one breakout group,
    /// at most 5 a second.
    Levels {
        /// Room.
        room: RoomKey,
        /// Publisher and −dBov; silent ones are left out.
        levels: Vec<(PeerId, u8)>,
    },
    /// A receiver came to another rung of the ladder for weak links.
    Rung {
        /// Receiver.
        peer: PeerId,
        /// Where it is now.
        rung: Rung,
        /// Why not higher; absent on the highest.
        reason: Option<RungReason>,
    },
    /// How the connections of one shard are, every five seconds.
    Quality {
        /// Peers that are connected, with what is known of each.
        list: Vec<(PeerId, PeerQuality)>,
    },
    /// A track began or stopped to send.
    TrackLive {
        /// Publisher.
        peer: PeerId,
        /// Track.
        kind: Kind,
        /// Sends now.
        live: bool,
    },
    /// Layers of a publisher's track that somebody watches, one bit each.
    LayersWanted {
        /// Publisher.
        peer: PeerId,
        /// Track.
        kind: Kind,
        /// Bit n = layer n.
        layers: u8,
    },
}

/// How a connection is, as its last report says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerQuality {
    /// Loss towards the client, per mille; absent before the first report.
    pub loss_permille: Option<u16>,
    /// Round-trip time, milliseconds; absent before the first report.
    pub rtt_ms: Option<u32>,
    /// Estimated bandwidth towards the client, kbit/s.
    pub kbps: u32,
}

impl MediaEvent {
    /// Bit of a layer in [`MediaEvent::LayersWanted`].
    pub fn layer_bit(layer: Layer) -> u8 {
        1u8.checked_shl(u32::from(layer.0)).unwrap_or(0)
    }
}
