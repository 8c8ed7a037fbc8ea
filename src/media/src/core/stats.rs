//! Plain counters of a shard's core.

/// Why something was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum DropReason {
    /// From a peer this core does not know.
    UnknownPeer,
    /// A kind the peer may not send.
    NotAllowed,
    /// A layer number out of range.
    BadLayer,
    /// From or about an older connection.
    StaleEpoch,
    /// From another shard about a track this core does not know.
    UnknownTrack,
    /// Peer table full.
    PeersFull,
    /// Room table full.
    RoomsFull,
    /// Track table full.
    TracksFull,
    /// Video waiting for a receiver's visit.
    PendingVideoFull,
    /// Audio waiting for a receiver's visit (the oldest goes).
    PendingAudioFull,
    /// Packets waiting for another shard.
    RelayFull,
    /// Outputs waiting for the shard thread.
    OutputsFull,
    /// Older than the switch to the present source, already sent, or too old.
    Late,
    /// A wish for a slot the peer does not have, or more wishes than slots.
    BadWish,
    /// Asked for again, but no longer kept.
    NotKept,
}

impl DropReason {
    /// All reasons, in the order of [`CoreStats::drops`].
    pub const ALL: [Self; 15] = [
        Self::UnknownPeer,
        Self::NotAllowed,
        Self::BadLayer,
        Self::StaleEpoch,
        Self::UnknownTrack,
        Self::PeersFull,
        Self::RoomsFull,
        Self::TracksFull,
        Self::PendingVideoFull,
        Self::PendingAudioFull,
        Self::RelayFull,
        Self::OutputsFull,
        Self::Late,
        Self::BadWish,
        Self::NotKept,
    ];

    /// Name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownPeer => "unknown_peer",
            Self::NotAllowed => "not_allowed",
            Self::BadLayer => "bad_layer",
            Self::StaleEpoch => "stale_epoch",
            Self::UnknownTrack => "unknown_track",
            Self::PeersFull => "peers_full",
            Self::RoomsFull => "rooms_full",
            Self::TracksFull => "tracks_full",
            Self::PendingVideoFull => "pending_video_full",
            Self::PendingAudioFull => "pending_audio_full",
            Self::RelayFull => "relay_full",
            Self::OutputsFull => "outputs_full",
            Self::Late => "late",
            Self::BadWish => "bad_wish",
            Self::NotKept => "not_kept",
        }
    }
}

/// Counters since the start, and table sizes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoreStats {
    /// Packets of local publishers taken in.
    pub packets_in: u64,
    /// Payload bytes of them.
    pub bytes_in: u64,
    /// Packets put into receivers' pending lists.
    pub packets_out: u64,
    /// Payload bytes of them.
    pub bytes_out: u64,
    /// Packets copied to other shards.
    pub relay_packets_out: u64,
    /// Packets taken from other shards.
    pub relay_packets_in: u64,
    /// Drops, indexed by [`DropReason`].
    pub drops: [u64; DropReason::ALL.len()],
    /// Wishes for a keyframe, from everywhere.
    pub keyframes_asked: u64,
    /// Requests that went on to a publisher or its shard.
    pub keyframes_sent: u64,
    /// Wishes the throttle held back.
    pub keyframes_suppressed: u64,
    /// Late joiners served with keyframe and everything since.
    pub replays_whole: u64,
    /// Late joiners served with a still picture.
    pub replays_still: u64,
    /// Slots that changed source or layer.
    pub switches: u64,
    /// Packets put into pending lists a second time, since they were missed.
    pub resends: u64,
    /// Local peers.
    pub peers: usize,
    /// Rooms.
    pub rooms: usize,
    /// Tracks, local and of other shards.
    pub tracks: usize,
    /// Slots bound to a track.
    pub subscriptions: usize,
    /// Packets pending for receivers.
    pub pending: usize,
    /// Packets pending for other shards.
    pub relay_pending: usize,
    /// Outputs waiting.
    pub outputs: usize,
    /// Payload bytes held by keyframe caches.
    pub cache_bytes: usize,
}

impl CoreStats {
    /// Counts one drop.
    pub(crate) fn drop_one(&mut self, reason: DropReason) {
        self.drop_many(reason, 1);
    }

    /// Counts drops.
    pub(crate) fn drop_many(&mut self, reason: DropReason, count: u64) {
        if let Some(counter) = self.drops.get_mut(reason as usize) {
            *counter = counter.saturating_add(count);
        }
    }

    /// Drops for one reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.get(reason as usize).copied().unwrap_or(0)
    }
}
