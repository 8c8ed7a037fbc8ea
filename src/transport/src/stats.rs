//! Counters of the media plane. Each shard counts for itself and publishes a
//! copy once a second; nothing here is touched per packet by another thread.

use std::sync::atomic::{AtomicU64, Ordering};

use lophoc_media::core::CoreStats;
use lophoc_media::overload::Stage;

use crate::batch::SendCounters;
use crate::session::{Report, SessionCounters};
use crate::tcp::Gate;
use crate::tcp::links::LinkCounters;

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
    /// Video for a TCP connection that takes no more at the time.
    pub tcp_video: u64,
    /// Anything else for a TCP connection whose queue was full.
    pub tcp_full: u64,
    /// Packets for a TCP connection that has ended.
    pub tcp_gone: u64,
    /// Packets for a receiver that does not answer.
    pub receiver_silent: u64,
    /// Video that waited too long for its turn on a narrow path.
    pub paced_out: u64,
    /// Packets the forwarding core dropped.
    pub core: u64,
}

/// Media by TCP, and connections that were sent away or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpStats {
    /// Connections open now.
    pub open: u64,
    /// Of these, connections that have not said whose they are.
    pub waiting: u64,
    /// Connections taken.
    pub accepted: u64,
    /// Packets received.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Above the number of connections the server holds.
    pub full: u64,
    /// Gave way to a newer one before it had said whose it was.
    pub crowded: u64,
    /// Did not say in time whose it was.
    pub silent: u64,
    /// Began with something else than a connectivity check.
    pub garbage: u64,
    /// Asked for a connection nobody has, or with a wrong password.
    pub unknown: u64,
    /// Named a packet longer than any.
    pub too_long: u64,
    /// Took nothing for too long.
    pub stuck: u64,
}

impl TcpStats {
    fn add(&mut self, links: &LinkCounters) {
        self.packets_in += links.packets_in;
        self.packets_out += links.packets_out;
        self.bytes_in += links.bytes_in;
        self.bytes_out += links.bytes_out;
        self.too_long += links.too_long;
        self.stuck += links.stuck;
    }

    /// Takes over what the acceptor and all shards count together.
    pub(crate) fn add_gate(&mut self, gate: &Gate) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.open = gate.open() as u64;
        self.waiting = gate.waiting() as u64;
        self.accepted = load(&gate.accepted);
        self.full = load(&gate.full);
        self.crowded = load(&gate.crowded);
        self.silent = load(&gate.silent);
        self.garbage = load(&gate.garbage);
        self.unknown = load(&gate.unknown);
    }
}

/// Sums over all shards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaStats {
    /// Shards that run.
    pub shards: usize,
    /// Share of its time the busiest shard works, 0 to 1.
    pub load: f64,
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
    /// RTP packets sent again.
    pub resent: u64,
    /// Packets of padding, to find out what a path bears.
    pub padding_out: u64,
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
    /// What the shard that has most to do gives up.
    pub overload: Stage,
    /// Media by TCP.
    pub tcp: TcpStats,
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

/// Counters of one shard, as it publishes them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShardStats {
    pub(crate) load: f64,
    pub(crate) peers: u64,
    pub(crate) datagrams_in: u64,
    pub(crate) bytes_in: u64,
    pub(crate) rtp_in: u64,
    pub(crate) rtp_forwarded: u64,
    pub(crate) resent: u64,
    pub(crate) padding_out: u64,
    pub(crate) sent: SendCounters,
    pub(crate) links: LinkCounters,
    pub(crate) gso: bool,
    pub(crate) keyframe_requests_sent: u64,
    pub(crate) keyframe_requests_heard: u64,
    pub(crate) relayed: u64,
    pub(crate) handed_over: u64,
    pub(crate) queue_depth: u64,
    pub(crate) command_depth: u64,
    pub(crate) panics: u64,
    pub(crate) loss_sum: f64,
    pub(crate) loss_count: u64,
    pub(crate) rtt_counts: [u64; RTT_BOUNDS_MS.len() + 1],
    pub(crate) rtt_sum_ms: f64,
    pub(crate) estimate_bps: u64,
    pub(crate) drops: Drops,
}

impl ShardStats {
    /// Adds what a session counted.
    pub(crate) fn add_session(&mut self, counters: &SessionCounters) {
        self.rtp_in += counters.rtp_in;
        self.rtp_forwarded += counters.rtp_out;
        self.drops.unknown_ssrc += counters.unknown_ssrc;
        self.drops.oversize += counters.oversize;
        self.drops.no_codec += counters.no_codec;
        self.drops.receiver_silent += counters.receiver_silent;
        self.drops.refused += counters.refused;
        self.drops.paced_out += counters.paced_out;
        self.resent += counters.resent;
        self.padding_out += counters.padding_out;
    }

    /// Adds the sessions that live now to a copy that is to be published.
    pub(crate) fn add_live<'a>(
        &mut self,
        sessions: impl Iterator<Item = (&'a SessionCounters, &'a Report)>,
    ) {
        for (counters, report) in sessions {
            self.peers += 1;
            self.add_session(counters);
            self.estimate_bps += report.estimate;
            if let Some(loss) = report.loss {
                self.loss_sum += f64::from(loss);
                self.loss_count += 1;
            }
            if let Some(rtt) = report.rtt {
                let ms = rtt.as_secs_f64() * 1_000.0;
                self.rtt_sum_ms += ms;
                let bucket = RTT_BOUNDS_MS
                    .iter()
                    .take_while(|b| **b as f64 <= ms)
                    .count();
                if let Some(count) = self.rtt_counts.get_mut(bucket) {
                    *count += 1;
                }
            }
        }
    }

    /// Takes over the core's drops.
    pub(crate) fn add_core(&mut self, core: &CoreStats) {
        self.drops.core = core.drops.iter().sum();
    }

    /// Takes over the counters of the TCP connections.
    pub(crate) fn add_links(&mut self, links: &LinkCounters) {
        self.links = *links;
        self.drops.tcp_video = links.dropped_video;
        self.drops.tcp_full = links.dropped_vital;
        self.drops.tcp_gone = links.gone;
    }

    /// Takes over the counters of the send batch.
    pub(crate) fn add_sent(&mut self, sent: &SendCounters, gso: bool) {
        self.sent = *sent;
        self.gso = gso;
        self.drops.would_block = sent.would_block;
        self.drops.send_error = sent.send_error;
        self.drops.arena_full = sent.arena_full;
    }
}

impl MediaStats {
    /// Sums what the shards published.
    pub(crate) fn sum<'a>(shards: impl Iterator<Item = &'a ShardStats>) -> Self {
        let mut sum = Self {
            gso: true,
            ..Self::default()
        };
        let (mut loss, mut loss_count, mut rtt) = (0.0, 0, 0.0);
        for s in shards {
            sum.shards += 1;
            sum.load = sum.load.max(s.load);
            sum.peers += s.peers;
            sum.datagrams_in += s.datagrams_in;
            sum.bytes_in += s.bytes_in;
            sum.datagrams_out += s.sent.datagrams;
            sum.bytes_out += s.sent.bytes;
            sum.rtp_in += s.rtp_in;
            sum.rtp_forwarded += s.rtp_forwarded;
            sum.resent += s.resent;
            sum.padding_out += s.padding_out;
            sum.send_messages += s.sent.messages;
            sum.gso_messages += s.sent.gso_messages;
            sum.gso_segments += s.sent.gso_segments;
            sum.gso &= s.gso;
            sum.gso_refused += s.sent.gso_refused;
            sum.keyframe_requests_sent += s.keyframe_requests_sent;
            sum.keyframe_requests_heard += s.keyframe_requests_heard;
            sum.relayed += s.relayed;
            sum.handed_over += s.handed_over;
            sum.queue_depth = sum.queue_depth.max(s.queue_depth);
            sum.command_depth += s.command_depth;
            sum.panics += s.panics;
            sum.estimate_bps += s.estimate_bps;
            for (total, count) in sum.rtt_counts.iter_mut().zip(s.rtt_counts) {
                *total += count;
            }
            loss += s.loss_sum;
            loss_count += s.loss_count;
            rtt += s.rtt_sum_ms;
            sum.tcp.add(&s.links);
            sum.drops.add(&s.drops);
        }
        let rtt_count: u64 = sum.rtt_counts.iter().sum();
        sum.loss = loss / loss_count.max(1) as f64;
        sum.rtt_mean_ms = rtt / rtt_count.max(1) as f64;
        sum
    }
}

impl Drops {
    /// Every counter with its name, for metrics.
    pub fn named(&self) -> [(&'static str, u64); 22] {
        [
            ("unknown_datagram", self.unknown_datagram),
            ("unknown_address", self.unknown_address),
            ("unknown_ufrag", self.unknown_ufrag),
            ("bad_integrity", self.bad_integrity),
            ("unannounced", self.unannounced),
            ("handshake_budget", self.handshake_budget),
            ("unknown_ssrc", self.unknown_ssrc),
            ("oversize", self.oversize),
            ("refused", self.refused),
            ("would_block", self.would_block),
            ("send_error", self.send_error),
            ("arena_full", self.arena_full),
            ("handover_full", self.handover_full),
            ("relay_full", self.relay_full),
            ("relay_control_lost", self.relay_control_lost),
            ("no_codec", self.no_codec),
            ("tcp_video", self.tcp_video),
            ("tcp_full", self.tcp_full),
            ("tcp_gone", self.tcp_gone),
            ("receiver_silent", self.receiver_silent),
            ("paced_out", self.paced_out),
            ("core", self.core),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.unknown_datagram += other.unknown_datagram;
        self.unknown_address += other.unknown_address;
        self.unknown_ufrag += other.unknown_ufrag;
        self.bad_integrity += other.bad_integrity;
        self.unannounced += other.unannounced;
        self.handshake_budget += other.handshake_budget;
        self.unknown_ssrc += other.unknown_ssrc;
        self.oversize += other.oversize;
        self.refused += other.refused;
        self.would_block += other.would_block;
        self.send_error += other.send_error;
        self.arena_full += other.arena_full;
        self.handover_full += other.handover_full;
        self.relay_full += other.relay_full;
        self.relay_control_lost += other.relay_control_lost;
        self.no_codec += other.no_codec;
        self.tcp_video += other.tcp_video;
        self.tcp_full += other.tcp_full;
        self.tcp_gone += other.tcp_gone;
        self.receiver_silent += other.receiver_silent;
        self.paced_out += other.paced_out;
        self.core += other.core;
    }
}
