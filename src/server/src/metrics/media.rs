//! The media plane counts for itself; its sums are copied here when somebody
//! asks for the metrics.

use lophoc_transport::{MediaStats, RTT_BOUNDS_MS, TcpStats};
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::Maker;

/// Copies of the media plane's counters.
#[derive(Debug)]
pub struct MediaMetrics {
    shards: IntGauge,
    load: Gauge,
    peers: IntGaugeVec,
    datagrams: IntCounterVec,
    bytes: IntCounterVec,
    packets: IntCounterVec,
    sends: IntCounterVec,
    gso_segments: IntCounter,
    gso_run: Gauge,
    gso: IntGauge,
    gso_refused: IntCounter,
    extra: IntCounterVec,
    keyframes: IntCounterVec,
    relayed: IntCounter,
    handed_over: IntCounter,
    queues: IntGaugeVec,
    panics: IntCounter,
    loss: Gauge,
    rtt: IntGaugeVec,
    rtt_mean: Gauge,
    estimate: IntGauge,
    drops: IntCounterVec,
    overload: IntGauge,
    tcp_connections: IntGaugeVec,
    tcp_accepted: IntCounter,
    tcp_packets: IntCounterVec,
    tcp_bytes: IntCounterVec,
    tcp_refused: IntCounterVec,
}

impl MediaMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, prometheus::Error> {
        Ok(Self {
            shards: make.gauge("lophoc_media_shards", "Media threads that run")?,
            load: make.real(
                "lophoc_media_shard_load",
                "Share of its time the busiest media thread works, 0 to 1",
            )?,
            peers: make.gauges2("lophoc_media_peers", "Media connections", &["state"])?,
            datagrams: make.counters("lophoc_media_datagrams_total", "UDP datagrams", "dir")?,
            bytes: make.counters("lophoc_media_bytes_total", "UDP payload bytes", "dir")?,
            packets: make.counters(
                "lophoc_media_rtp_packets_total",
                "RTP packets taken from publishers (in) and handed to receivers (out)",
                "dir",
            )?,
            sends: make.counters(
                "lophoc_media_sends_total",
                "Messages handed to the kernel",
                "sort",
            )?,
            gso_segments: make.counter(
                "lophoc_media_gso_segments_total",
                "Datagrams sent as segments",
            )?,
            gso_run: make.real(
                "lophoc_media_gso_mean_run",
                "Datagrams per message handed to the kernel",
            )?,
            gso: make.gauge(
                "lophoc_media_gso_in_use",
                "1 while segmentation offload is used",
            )?,
            gso_refused: make.counter(
                "lophoc_media_gso_refused_total",
                "Times the kernel refused segmentation",
            )?,
            extra: make.counters(
                "lophoc_media_extra_packets_total",
                "RTP packets sent again, and packets of padding that look for bandwidth",
                "sort",
            )?,
            keyframes: make.counters(
                "lophoc_media_keyframe_requests_total",
                "Keyframe requests heard from receivers and sent to publishers",
                "dir",
            )?,
            relayed: make.counter(
                "lophoc_media_relayed_total",
                "Messages relayed between media threads",
            )?,
            handed_over: make.counter(
                "lophoc_media_handed_over_total",
                "Datagrams handed to the thread that owns their connection",
            )?,
            queues: make.gauges2(
                "lophoc_media_queue_depth",
                "Messages waiting in the media plane",
                &["queue"],
            )?,
            panics: make.counter(
                "lophoc_media_panics_total",
                "Media connections lost by a fault of the server",
            )?,
            loss: make.real(
                "lophoc_media_loss_ratio",
                "Mean loss towards receivers in their last reports",
            )?,
            rtt: make.gauges2(
                "lophoc_media_rtt_connections",
                "Connections with at most this round-trip time",
                &["le_ms"],
            )?,
            rtt_mean: make.real("lophoc_media_rtt_mean_seconds", "Mean round-trip time")?,
            estimate: make.gauge(
                "lophoc_media_estimate_bits_per_second",
                "Sum of the receivers' bandwidth estimates",
            )?,
            drops: make.counters(
                "lophoc_media_drops_total",
                "Packets dropped, by reason",
                "reason",
            )?,
            overload: make.gauge(
                "lophoc_media_overload_stage",
                "What is given up for want of computing time: 0 nothing, 1 thumbnails, 2 large cameras, 3 frames of screens, 4 cameras",
            )?,
            tcp_connections: make.gauges2(
                "lophoc_media_tcp_connections",
                "TCP connections to the media port: of a peer, and not known yet whose",
                &["state"],
            )?,
            tcp_accepted: make.counter(
                "lophoc_media_tcp_accepted_total",
                "TCP connections taken at the media port",
            )?,
            tcp_packets: make.counters(
                "lophoc_media_tcp_packets_total",
                "Packets on TCP connections",
                "dir",
            )?,
            tcp_bytes: make.counters(
                "lophoc_media_tcp_bytes_total",
                "Bytes on TCP connections",
                "dir",
            )?,
            tcp_refused: make.counters(
                "lophoc_media_tcp_refused_total",
                "TCP connections sent away or cut off, by reason",
                "reason",
            )?,
        })
    }

    /// Takes over the sums.
    pub fn update(&self, stats: &MediaStats) {
        gauge(&self.shards, u64::try_from(stats.shards).unwrap_or(0));
        self.load.set(stats.load);
        gauge(&self.peers.with_label_values(&["connected"]), stats.peers);
        gauge(
            &self.peers.with_label_values(&["pending"]),
            stats.pending_peers,
        );
        both(&self.datagrams, stats.datagrams_in, stats.datagrams_out);
        both(&self.bytes, stats.bytes_in, stats.bytes_out);
        both(&self.packets, stats.rtp_in, stats.rtp_forwarded);
        counter(&self.sends.with_label_values(&["all"]), stats.send_messages);
        counter(
            &self.sends.with_label_values(&["segmented"]),
            stats.gso_messages,
        );
        counter(&self.gso_segments, stats.gso_segments);
        self.gso_run.set(stats.mean_run());
        gauge(&self.gso, u64::from(stats.gso));
        counter(&self.gso_refused, stats.gso_refused);
        counter(&self.extra.with_label_values(&["resent"]), stats.resent);
        counter(
            &self.extra.with_label_values(&["padding"]),
            stats.padding_out,
        );
        both(
            &self.keyframes,
            stats.keyframe_requests_heard,
            stats.keyframe_requests_sent,
        );
        counter(&self.relayed, stats.relayed);
        counter(&self.handed_over, stats.handed_over);
        gauge(
            &self.queues.with_label_values(&["shards"]),
            stats.queue_depth,
        );
        gauge(
            &self.queues.with_label_values(&["commands"]),
            stats.command_depth,
        );
        counter(&self.panics, stats.panics);
        self.loss.set(stats.loss);
        self.rtt_mean.set(stats.rtt_mean_ms / 1000.0);
        gauge(&self.estimate, stats.estimate_bps);
        gauge(&self.overload, u64::from(stats.overload.number()));
        self.update_rtt(stats);
        for (reason, count) in stats.drops.named() {
            counter(&self.drops.with_label_values(&[reason]), count);
        }
        self.update_tcp(&stats.tcp);
    }

    fn update_tcp(&self, tcp: &TcpStats) {
        let state = |name| self.tcp_connections.with_label_values(&[name]);
        gauge(&state("peer"), tcp.open.saturating_sub(tcp.waiting));
        gauge(&state("waiting"), tcp.waiting);
        counter(&self.tcp_accepted, tcp.accepted);
        both(&self.tcp_packets, tcp.packets_in, tcp.packets_out);
        both(&self.tcp_bytes, tcp.bytes_in, tcp.bytes_out);
        for (reason, count) in [
            ("full", tcp.full),
            ("crowded", tcp.crowded),
            ("silent", tcp.silent),
            ("garbage", tcp.garbage),
            ("unknown", tcp.unknown),
            ("too_long", tcp.too_long),
            ("stuck", tcp.stuck),
        ] {
            counter(&self.tcp_refused.with_label_values(&[reason]), count);
        }
    }

    fn update_rtt(&self, stats: &MediaStats) {
        let mut sum = 0;
        let bounds = RTT_BOUNDS_MS
            .iter()
            .map(u64::to_string)
            .chain(std::iter::once("+Inf".to_owned()));
        for (bound, count) in bounds.zip(stats.rtt_counts) {
            sum += count;
            gauge(&self.rtt.with_label_values(&[bound.as_str()]), sum);
        }
    }
}

fn both(counters: &IntCounterVec, incoming: u64, outgoing: u64) {
    counter(&counters.with_label_values(&["in"]), incoming);
    counter(&counters.with_label_values(&["out"]), outgoing);
}

/// A counter never goes back: a shard that restarted counts on from where it was.
fn counter(metric: &IntCounter, now: u64) {
    metric.inc_by(now.saturating_sub(metric.get()));
}

fn gauge(metric: &IntGauge, now: u64) {
    metric.set(i64::try_from(now).unwrap_or(i64::MAX));
}
