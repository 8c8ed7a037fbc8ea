//! What reaches a shard from outside its thread: commands of the control plane,
//! which coalesce per connection, and messages of other shards through a bounded
//! queue. Neither side ever waits for the other.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use lophoc_media::core::Listed;
use lophoc_media::relay::RelayMsg;
use lophoc_media::types::{Allow, Epoch, PeerId, ShardId, ViewSpec};
use mio::Waker;

use crate::api::{ConnectError, Connected, DisconnectReason};
use crate::tcp::Arrival;

/// Messages that may wait for one shard. When full, a message is dropped and
/// counted: media is replaced by a keyframe, the rest is repeated by the core.
const QUEUE: usize = 8_192;
/// Media and datagrams leave this much of the queue to everything else.
const RESERVED: usize = 2_048;
/// Candidates that may wait for one connection; more are ignored.
const MAX_CANDIDATES: usize = 32;

/// Answers a restart, once.
pub(crate) type Reply = Box<dyn FnOnce(Result<Connected, ConnectError>) + Send>;

/// What the control plane wants of one connection; the newest of each wins.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) allow: Option<Allow>,
    pub(crate) group: Option<u8>,
    pub(crate) listed: Option<Listed>,
    pub(crate) view: Option<ViewSpec>,
    pub(crate) candidates: Vec<String>,
    pub(crate) restart: Option<(String, Reply)>,
    pub(crate) disconnect: Option<DisconnectReason>,
}

impl Commands {
    pub(crate) fn add_candidate(&mut self, candidate: String) {
        if self.candidates.len() < MAX_CANDIDATES {
            self.candidates.push(candidate);
        }
    }

    /// A newer restart makes the waiting one pointless.
    pub(crate) fn set_restart(&mut self, offer: String, reply: Reply) {
        if let Some((_, old)) = self.restart.replace((offer, reply)) {
            old(Err(ConnectError::Superseded));
        }
    }
}

/// A message from shard to shard. Owned bytes, never shared.
pub(crate) enum ShardMessage {
    /// Of the forwarding core.
    Relay(RelayMsg),
    /// A datagram of a peer that lives on the receiving shard.
    Datagram {
        source: SocketAddr,
        local: IpAddr,
        bytes: Box<[u8]>,
    },
    /// A TCP connection for a peer of the receiving shard.
    Stream(Box<Arrival>),
    /// `address` proved to be a peer of the sending shard: its datagrams go there.
    Owned(SocketAddr),
}

impl ShardMessage {
    fn is_lossy(&self) -> bool {
        match self {
            Self::Relay(msg) => msg.is_media(),
            Self::Datagram { .. } | Self::Stream(_) => true,
            Self::Owned(_) => false,
        }
    }
}

/// The queue had no room.
pub(crate) enum Lost {
    Media,
    Control,
}

/// Letter box of one shard.
pub(crate) struct Mailbox {
    commands: Mutex<HashMap<(PeerId, Epoch), Commands>>,
    messages: SyncSender<(ShardId, ShardMessage)>,
    depth: AtomicUsize,
    waker: Waker,
    awake: AtomicBool,
}

/// The shard's end of its letter box.
pub(crate) struct Inbox {
    messages: Receiver<(ShardId, ShardMessage)>,
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> (Self, Inbox) {
        let (sender, messages) = sync_channel(QUEUE);
        let mailbox = Self {
            commands: Mutex::new(HashMap::new()),
            messages: sender,
            depth: AtomicUsize::new(0),
            waker,
            awake: AtomicBool::new(false),
        };
        (mailbox, Inbox { messages })
    }

    /// Adds to the commands of a connection. The table is bounded by the number
    /// of connections, since commands coalesce.
    pub(crate) fn command(&self, peer: PeerId, epoch: Epoch, add: impl FnOnce(&mut Commands)) {
        {
            let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
            add(commands.entry((peer, epoch)).or_default());
        }
        self.wake();
    }

    /// Takes all commands. `None` when another thread is just adding one; it
    /// will wake the shard again.
    pub(crate) fn take_commands(&self) -> Option<HashMap<(PeerId, Epoch), Commands>> {
        match self.commands.try_lock() {
            Ok(commands) if commands.is_empty() => {
                drop(commands);
                None
            }
            Ok(mut commands) => Some(std::mem::take(&mut *commands)),
            Err(std::sync::TryLockError::Poisoned(commands)) => {
                Some(std::mem::take(&mut *commands.into_inner()))
            }
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// Connections with waiting commands, if that can be told without waiting.
    pub(crate) fn command_depth(&self) -> usize {
        self.commands.try_lock().map_or(0, |c| c.len())
    }

    /// Queues a message of another shard.
    pub(crate) fn send(&self, from: ShardId, message: ShardMessage) -> Result<(), Lost> {
        let lossy = message.is_lossy();
        if lossy && self.depth() >= QUEUE - RESERVED {
            return Err(Lost::Media);
        }
        self.depth.fetch_add(1, Ordering::Relaxed);
        match self.messages.try_send((from, message)) {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.depth.fetch_sub(1, Ordering::Relaxed);
                Err(if lossy { Lost::Media } else { Lost::Control })
            }
        }
    }

    /// Messages waiting.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Wakes the shard, with one system call however often it is asked for.
    pub(crate) fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel) {
            let _ = self.waker.wake();
        }
    }

    /// Called by the shard before it looks for work: later additions wake again.
    pub(crate) fn woken(&self) {
        self.awake.store(false, Ordering::Release);
    }

    /// The next message of another shard.
    pub(crate) fn receive(&self, inbox: &Inbox) -> Option<(ShardId, ShardMessage)> {
        let message = inbox.messages.try_recv().ok()?;
        self.depth.fetch_sub(1, Ordering::Relaxed);
        Some(message)
    }
}
