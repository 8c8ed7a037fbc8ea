//! The handle of the media plane.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lophoc_media::core::{CoreConfig, Listed};
use lophoc_media::overload::Stage;
use lophoc_media::types::{Allow, PeerId, ShardId, ViewSpec};
use mio::Waker;

use crate::api::{
    ConnectError, ConnectSpec, Connected, DisconnectReason, MediaConfig, MediaEvent, StartError,
};
use crate::egress::WallClock;
use crate::mailbox::{Commands, Mailbox, Reply};
use crate::registry::{Registry, Replaced, Route};
use crate::session::{Session, SessionFactory};
use crate::shard::{Pressure, Shard, Shared};
use crate::stats::{MediaStats, ShardStats};
use crate::tcp::acceptor::Acceptor;
use crate::tcp::{self, Gate};
use crate::udp::{self, LocalAddresses};
use crate::worker;

/// Most shards; more cores than this do not help one UDP port.
const MAX_SHARDS: usize = 64;

/// Ports tried where any will do.
const PORT_TRIES: usize = 16;

/// Handle of the running media plane; clones are cheap and name the same one.
/// Call [`MediaPlane::shutdown`] at the end: dropping the handle stops nothing.
#[derive(Clone)]
pub struct MediaPlane {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    factory: SessionFactory,
    port: u16,
    gate: Arc<Gate>,
    /// Wakes the thread that takes TCP connections.
    doorbell: Option<Waker>,
    stop: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Seconds from 1900 (NTP) to 1970.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// The wall clock at the start; later times follow from the monotonic one, so that
/// reports to receivers never step.
fn wall_clock() -> WallClock {
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = unix.as_secs().wrapping_add(NTP_UNIX_OFFSET) << 32;
    let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
    WallClock::new(Instant::now(), seconds | fraction)
}

impl MediaPlane {
    /// Opens the sockets and starts the shard threads. `on_event` is called on
    /// shard threads (and on the caller's where a pending connection ends) and
    /// must never block.
    ///
    /// # Errors
    /// [`StartError`] says which address or setting is at fault.
    pub fn start(
        config: MediaConfig,
        on_event: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let count = shard_count(config.shards);
        let (port, sockets, listeners) = open(&config, count)?;
        let local = LocalAddresses::new(&config.listen, &config.announce, port)?;
        let factory = SessionFactory::new(
            local.candidates().collect(),
            config.tcp,
            config.initial_estimate_bps,
            config.egress,
            wall_clock(),
        )
        .map_err(StartError::Certificate)?;
        let (mut mailboxes, mut inboxes) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (poll, waker) = worker::poller().map_err(StartError::Thread)?;
            let (mailbox, inbox) = Mailbox::new(waker);
            mailboxes.push(mailbox);
            inboxes.push((poll, inbox));
        }
        let shared = Arc::new(Shared {
            registry: Registry::new(config.max_peers),
            mailboxes,
            on_event: Box::new(on_event),
            silence_limit: config.silence_limit,
            overload_at: config.overload_at,
            local,
            stats: (0..count)
                .map(|_| Mutex::new(ShardStats::default()))
                .collect(),
            pressure: (0..count).map(|_| Pressure::default()).collect(),
        });
        let stop = Arc::new(AtomicBool::new(false));
        let start = Instant::now();
        let mut threads = Vec::with_capacity(count);
        for (index, ((poll, inbox), sockets)) in inboxes.into_iter().zip(sockets).enumerate() {
            let id = ShardId(index as u16);
            let mut core = CoreConfig::new(id, count as u16);
            core.max_peers = config.max_peers;
            core.initial_estimate = config.initial_estimate_bps;
            let mut shard = Shard::new(id, shared.clone(), inbox, sockets, config.gso, core, start);
            worker::register(&poll, &mut shard).map_err(StartError::Thread)?;
            let stop = stop.clone();
            let thread = thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || worker::run(shard, poll, &stop))
                .map_err(StartError::Thread)?;
            threads.push(thread);
        }
        let gate = Arc::new(Gate::new(config.max_peers, count));
        let mut doorbell = None;
        if !listeners.is_empty() {
            let (acceptor, waker) = Acceptor::new(listeners, shared.clone(), gate.clone())
                .map_err(StartError::Thread)?;
            doorbell = Some(waker);
            let stop = stop.clone();
            let thread = thread::Builder::new()
                .name("media-tcp".to_owned())
                .spawn(move || acceptor.run(&stop))
                .map_err(StartError::Thread)?;
            threads.push(thread);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                factory,
                port,
                gate,
                doorbell,
                stop,
                threads: Mutex::new(threads),
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
        self.connect_listed(spec, Listed::All)
    }

    /// As [`Self::connect`]; the connection may be sent only what is of the people
    /// listed, from its first moment on: a recording's.
    ///
    /// # Errors
    /// [`ConnectError`]: the offer is refused, or there is no place.
    pub fn connect_listed(
        &self,
        spec: ConnectSpec<'_>,
        listed: Listed,
    ) -> Result<Connected, ConnectError> {
        if self.stopped() {
            return Err(ConnectError::Stopped);
        }
        let registry = &self.inner.shared.registry;
        let place = registry.reserve().ok_or(ConnectError::Full)?;
        let epoch = registry.next_epoch();
        let now = Instant::now();
        let (mut session, answer_sdp) = self.inner.factory.accept(now, &spec, epoch, place)?;
        session.listed = listed;
        let mids = session.mids().clone();
        match registry.insert(now, Box::new(session)) {
            Replaced::Nothing => {}
            Replaced::Pending(old) => self.emit_end(spec.peer, old, DisconnectReason::Replaced),
            Replaced::Live(shard, old) => self.post(shard, spec.peer, old, |commands| {
                commands.disconnect = Some(DisconnectReason::Replaced);
            }),
        }
        Ok(Connected {
            answer_sdp,
            epoch,
            mids,
        })
    }

    /// Accepts a new offer of a connected peer (ICE restart, same m-lines) on
    /// the shard that owns it. `reply` is called once, there or on the caller's
    /// thread, and must not block. When a second offer comes before the first was
    /// looked at, the first is answered with [`ConnectError::Superseded`].
    pub fn restart(
        &self,
        peer: PeerId,
        offer: String,
        reply: impl FnOnce(Result<Connected, ConnectError>) + Send + 'static,
    ) {
        if self.stopped() {
            return reply(Err(ConnectError::Stopped));
        }
        let mut result = Err(ConnectError::UnknownPeer);
        let route = self.inner.shared.registry.route(peer, |session| {
            result = session.restart(&offer).map(|answer_sdp| Connected {
                answer_sdp,
                epoch: session.epoch,
                mids: session.mids().clone(),
            });
        });
        match route {
            Route::Shard(shard, epoch) => {
                let reply: Reply = Box::new(reply);
                self.post(shard, peer, epoch, |c| c.set_restart(offer, reply));
            }
            Route::Done | Route::Unknown => reply(result),
        }
    }

    /// A candidate the client found after its offer (the value of
    /// `RTCIceCandidate.candidate`). What cannot be used is ignored.
    pub fn add_candidate(&self, peer: PeerId, candidate: String) {
        self.command(
            peer,
            |session| session.add_candidate(&candidate),
            |commands| commands.add_candidate(candidate.clone()),
        );
    }

    /// What the peer may send from now on.
    pub fn set_allow(&self, peer: PeerId, allow: Allow) {
        self.command(
            peer,
            |session| session.allow = allow,
            |commands| commands.allow = Some(allow),
        );
    }

    /// Breakout group the peer is in from now on; 0 = none. Its connection stays.
    pub fn set_group(&self, peer: PeerId, group: u8) {
        self.command(
            peer,
            |session| session.group = group,
            |commands| commands.group = Some(group),
        );
    }

    /// Whose tracks the peer may be sent from now on.
    pub fn set_listed(&self, peer: PeerId, listed: &Listed) {
        self.command(
            peer,
            |session| session.listed.clone_from(listed),
            |commands| commands.listed = Some(listed.clone()),
        );
    }

    /// What the peer wants to receive. The newest view wins.
    pub fn set_view(&self, peer: PeerId, view: ViewSpec) {
        self.command(
            peer,
            |session| session.view.clone_from(&view),
            |commands| commands.view = Some(view.clone()),
        );
    }

    /// Ends the connection of a peer.
    pub fn disconnect(&self, peer: PeerId) {
        let registry = &self.inner.shared.registry;
        if let Some(epoch) = registry.remove_pending(peer) {
            self.emit_end(peer, epoch, DisconnectReason::Requested);
        } else if let Route::Shard(shard, epoch) = registry.route(peer, |_| {}) {
            self.post(shard, peer, epoch, |commands| {
                commands.disconnect = Some(DisconnectReason::Requested);
            });
        }
    }

    /// The port, the same on all addresses, for UDP and TCP.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// Counters summed over the shards, at most a second old.
    pub fn stats(&self) -> MediaStats {
        let shared = &self.inner.shared;
        let shards: Vec<ShardStats> = shared
            .stats
            .iter()
            .map(|s| s.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect();
        let mut stats = MediaStats {
            pending_peers: shared.registry.pending() as u64,
            overload: self.overload(),
            ..MediaStats::sum(shards.iter())
        };
        stats.tcp.add_gate(&self.inner.gate);
        stats
    }

    /// What the shard that has most to do gives up, at most a second old.
    pub fn overload(&self) -> Stage {
        let pressure = self.inner.shared.pressure.iter();
        pressure.map(Pressure::stage).max().unwrap_or_default()
    }

    /// Newcomers had better be refused: at least half of the shards, on one of which
    /// they would land, have nothing left to give up and more to do than they can.
    pub fn is_full(&self) -> bool {
        crowded(&self.inner.shared.pressure)
    }

    /// Ends all connections with a goodbye and joins the threads. Later calls of
    /// anything do nothing.
    pub fn shutdown(&self) {
        self.inner.stop.store(true, Ordering::Release);
        for mailbox in &self.inner.shared.mailboxes {
            mailbox.wake();
        }
        if let Some(doorbell) = &self.inner.doorbell {
            let _ = doorbell.wake();
        }
        let threads = {
            let mut threads = self
                .inner
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a shard thread had panicked");
            }
        }
        for (peer, epoch) in self.inner.shared.registry.expire(Instant::now(), true) {
            self.emit_end(peer, epoch, DisconnectReason::Shutdown);
        }
    }

    fn stopped(&self) -> bool {
        self.inner.stop.load(Ordering::Acquire)
    }

    fn command(
        &self,
        peer: PeerId,
        if_pending: impl FnOnce(&mut Session),
        if_live: impl FnOnce(&mut Commands),
    ) {
        if let Route::Shard(shard, epoch) = self.inner.shared.registry.route(peer, if_pending) {
            self.post(shard, peer, epoch, if_live);
        }
    }

    fn post(
        &self,
        shard: ShardId,
        peer: PeerId,
        epoch: lophoc_media::types::Epoch,
        add: impl FnOnce(&mut Commands),
    ) {
        if let Some(mailbox) = self.inner.shared.mailboxes.get(usize::from(shard.0)) {
            mailbox.command(peer, epoch, add);
        }
    }

    fn emit_end(&self, peer: PeerId, epoch: lophoc_media::types::Epoch, reason: DisconnectReason) {
        (self.inner.shared.on_event)(MediaEvent::Disconnected {
            peer,
            epoch,
            reason,
        });
    }
}

fn crowded(shards: &[Pressure]) -> bool {
    let full = shards.iter().filter(|shard| shard.is_full()).count();
    full > 0 && full * 2 >= shards.len()
}

/// Opens the port for UDP, and for TCP where wanted. A port that the kernel chose
/// for UDP may be taken for TCP; then another is tried.
fn open(
    config: &MediaConfig,
    shards: usize,
) -> Result<(u16, Vec<udp::Sockets>, Vec<TcpListener>), StartError> {
    let any = config.listen.iter().all(|address| address.port() == 0);
    let mut tries = if any { PORT_TRIES } else { 1 };
    loop {
        let (port, sockets) = udp::open(&config.listen, shards, config.socket_buffer_bytes)?;
        if !config.tcp {
            return Ok((port, sockets, Vec::new()));
        }
        tries -= 1;
        match tcp::open(&config.listen, port) {
            Ok(listeners) => return Ok((port, sockets, listeners)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// Shards to run when `wanted` are configured.
fn shard_count(wanted: usize) -> usize {
    let automatic = || thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(1));
    let count = if wanted == 0 { automatic() } else { wanted };
    count.clamp(1, MAX_SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_is_full_when_half_of_its_shards_are() {
        let shards = |full: &[bool]| -> Vec<Pressure> {
            let one = |full: &bool| {
                let pressure = Pressure::default();
                pressure.set(Stage::Video, *full);
                pressure
            };
            full.iter().map(one).collect()
        };
        assert!(!crowded(&[]));
        assert!(!crowded(&shards(&[false])));
        assert!(crowded(&shards(&[true])));
        assert!(crowded(&shards(&[true, false])));
        assert!(!crowded(&shards(&[true, false, false])));
        assert!(crowded(&shards(&[true, true, false])));
    }
}
