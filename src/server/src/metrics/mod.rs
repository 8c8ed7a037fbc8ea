//! Counters for Prometheus. Names start with `lophoc_`, units stand in the name,
//! and no label carries a room, a person or an address.

mod media;
mod recording;

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

pub use media::MediaMetrics;
pub use recording::RecordingMetrics;

/// Everything the control plane counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// The media plane's counters, copied when asked.
    pub media: MediaMetrics,
    /// Recordings.
    pub recording: RecordingMetrics,
    /// Rooms in memory.
    pub rooms: IntGauge,
    /// People present, by role.
    pub people: IntGaugeVec,
    /// Open websockets.
    pub links: IntGauge,
    /// Connections of network checks.
    pub probes: IntGauge,
    /// Joins by result.
    pub joins: IntCounterVec,
    /// Resumes that were accepted.
    pub resumes: IntCounter,
    /// Frames from clients.
    pub frames_in: IntCounter,
    /// Frames to clients.
    pub frames_out: IntCounter,
    /// Frames refused, by reason.
    pub refused: IntCounterVec,
    /// Websockets closed by the server, by reason.
    pub closed: IntCounterVec,
    /// Levels dropped for slow websockets.
    pub dropped_levels: IntCounter,
    /// HTTP calls refused by a rate limit.
    pub limited: IntCounter,
    /// From handing events to the ledger until they are durable.
    pub commit: Histogram,
    /// Events handed to the ledger.
    pub events: IntCounter,
    /// Commits that failed.
    pub commit_failures: IntCounter,
    /// Room tasks that broke and were rebuilt.
    pub room_faults: IntCounter,
    /// Commands waiting for rooms, at the last look.
    pub room_queue: IntGauge,
    /// Messages waiting for websockets, at the last look.
    pub ws_queue: IntGauge,
}

impl Metrics {
    /// Registers everything.
    pub fn new() -> Result<Self, prometheus::Error> {
        let make = Maker {
            registry: Registry::new(),
        };
        let build = make.gauges2("lophoc_build_info", "Always 1", &["version", "commit"])?;
        build
            .with_label_values(&[env!("CARGO_PKG_VERSION"), env!("BUILD_COMMIT")])
            .set(1);
        let frames = make.counters("lophoc_ws_frames_total", "Websocket frames", "dir")?;
        Ok(Self {
            media: MediaMetrics::new(&make)?,
            recording: RecordingMetrics::new(&make)?,
            rooms: make.gauge("lophoc_rooms", "Rooms in memory")?,
            people: make.gauges("lophoc_people", "People present", "role")?,
            links: make.gauge("lophoc_links", "Open websockets")?,
            probes: make.gauge(
                "lophoc_check_connections",
                "Connections of network checks, in no room",
            )?,
            joins: make.counters(
                "lophoc_joins_total",
                "Joins by result: ok or the error code",
                "result",
            )?,
            resumes: make.counter(
                "lophoc_resumes_total",
                "Links that went on where they broke",
            )?,
            frames_in: frames.with_label_values(&["in"]),
            frames_out: frames.with_label_values(&["out"]),
            refused: make.counters(
                "lophoc_ws_refused_total",
                "Frames from clients refused",
                "reason",
            )?,
            closed: make.counters(
                "lophoc_ws_closed_total",
                "Websockets closed by the server",
                "reason",
            )?,
            dropped_levels: make.counter(
                "lophoc_ws_dropped_levels_total",
                "Level messages dropped for slow clients",
            )?,
            limited: make.counter(
                "lophoc_http_limited_total",
                "HTTP calls above the rate of their address",
            )?,
            commit: make.histogram(
                "lophoc_ledger_commit_seconds",
                "From handing events to the ledger until they are durable",
                &[
                    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
                ],
            )?,
            events: make.counter("lophoc_ledger_events_total", "Events handed to the ledger")?,
            commit_failures: make
                .counter("lophoc_ledger_failures_total", "Ledger commits that failed")?,
            room_faults: make.counter(
                "lophoc_room_faults_total",
                "Rooms that broke and were rebuilt",
            )?,
            room_queue: make.gauge("lophoc_room_queue", "Commands waiting for rooms")?,
            ws_queue: make.gauge("lophoc_ws_queue", "Messages waiting for websockets")?,
            registry: make.registry,
        })
    }

    /// The text for Prometheus.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        String::from_utf8(out).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

/// Makes and registers.
#[derive(Debug)]
pub(crate) struct Maker {
    registry: Registry,
}

impl Maker {
    fn register<M: prometheus::core::Collector + Clone + 'static>(
        &self,
        metric: M,
    ) -> Result<M, prometheus::Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.register(IntCounter::new(name, help)?)
    }

    pub(crate) fn counters(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.register(IntCounterVec::new(Opts::new(name, help), &[label])?)
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.register(IntGauge::new(name, help)?)
    }

    pub(crate) fn real(
        &self,
        name: &str,
        help: &str,
    ) -> Result<prometheus::Gauge, prometheus::Error> {
        self.register(prometheus::Gauge::new(name, help)?)
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.gauges2(name, help, &[label])
    }

    pub(crate) fn gauges2(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
    ) -> Result<Histogram, prometheus::Error> {
        self.register(Histogram::with_opts(
            HistogramOpts::new(name, help).buckets(bounds.to_vec()),
        )?)
    }
}
