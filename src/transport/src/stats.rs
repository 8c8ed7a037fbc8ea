//! Counters of the media plane. Each shard counts for itself and publishes a
//! copy once a second; nothing here is touched per packet by another thread.

/// Packets dropped, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    /// Neither STUN, DTLS, RTP nor RTCP.
    pub unknown_datagram: u64,
    /// Not STUN, and from an address no peer has proved to own.
    pub unknown_address: u64,
    /// STUN for an ICE user name nobody has.
    pub unknown_ufrag: u64,
    /// STUN with a wrong MESSAGE-INTEGRITY.
    pub bad_integrity: u64,
    /// Arrived on a local address that is not announced.
    pub unannounced: u64,
    /// Handshake work above the budget of a turn.
    pub handshake_budget: u64,
    /// RTP that no m-line of the offer declares, or of a codec we do not take.
    pub unknown_ssrc: u64,
    /// RTP payload above the size we forward.
    pub oversize: u64,
    /// The session refused the datagram.
    pub refused: u64,
    /// The send buffer of the socket was full.
    pub would_block: u64,
    /// The kernel refused a destination.
    pub send_error: u64,
    /// The send arena of a turn was full.
    pub arena_full: u64,
    /// Datagrams for a peer on another shard whose queue was full.
    pub handover_full: u64,
    /// Media for another shard whose queue was full.
    pub relay_full: u64,
    /// Messages (not media) for another shard that were lost. Must stay 0.
    pub relay_control_lost: u64,
    /// Packets for a slot without negotiated codec.
    pub no_codec: u64,
    /// Packets for a receiver that does not answer.
    pub receiver_silent: u64,
    /// Packets the forwarding core dropped.
    pub core: u64,
}

/// Sums over all shards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaStats {
    /// Shards that run.
    pub shards: usize,
    /// Peers adopted by a shard.
    pub peers: u64,
    /// Peers whose first packet has not come.
    pub pending_peers: u64,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Bytes received, UDP payload.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Bytes sent, UDP payload.
    pub bytes_out: u64,
    /// RTP packets taken from publishers.
    pub rtp_in: u64,
    /// RTP packets handed to receivers.
    pub rtp_forwarded: u64,
    /// Messages handed to the kernel.
    pub send_messages: u64,
    /// Of these, messages of more than one segment.
    pub gso_messages: u64,
    /// Segments in those messages.
    pub gso_segments: u64,
    /// Whether segmentation offload is in use; off after a refusal of the kernel.
    pub gso: bool,
    /// Times the kernel refused segmentation.
    pub gso_refused: u64,
    /// Keyframe requests sent to publishers.
    pub keyframe_requests_sent: u64,
    /// Keyframe requests heard from receivers.
    pub keyframe_requests_heard: u64,
    /// Messages relayed to other shards.
    pub relayed: u64,
    /// Datagrams handed to the shard that owns their peer.
    pub handed_over: u64,
    /// Most messages waiting in a queue between shards.
    pub queue_depth: u64,
    /// Peers waiting for commands to be applied.
    pub command_depth: u64,
    /// Sessions dropped because something in them panicked.
    pub panics: u64,
    /// Mean loss towards receivers in the last report of each, 0 to 1.
    pub loss: f64,
    /// Round-trip times in the last report of each connection: count of values
    /// at most [`RTT_BOUNDS_MS`], the last one above all bounds.
    pub rtt_counts: [u64; RTT_BOUNDS_MS.len() + 1],
    /// Mean round-trip time, milliseconds.
    pub rtt_mean_ms: f64,
    /// Sum of the bandwidth estimates of all receivers, bits per second.
    pub estimate_bps: u64,
    /// Drops.
    pub drops: Drops,
}

/// Upper bounds of the round-trip time histogram, milliseconds.
pub const RTT_BOUNDS_MS: [u64; 8] = [5, 10, 25, 50, 100, 200, 400, 1_000];

impl MediaStats {
    /// Datagrams per message handed to the kernel; 0 before the first.
    pub fn mean_run(&self) -> f64 {
        if self.send_messages == 0 {
            0.0
        } else {
            self.datagrams_out as f64 / self.send_messages as f64
        }
    }
}
