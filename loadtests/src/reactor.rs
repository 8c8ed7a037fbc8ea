//! A thread that drives many str0m clients: one poll over all sockets, one heap
//! of timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};
use tokio::sync::oneshot;

use crate::error::{LoadError, Result};
use crate::feedback::{LightFeedback, Scratch};
use crate::keys::KeySlot;
use crate::learner::{Depth, Learner};
use crate::peer::Peer;
use crate::publisher::Publisher;
use crate::socket::Batch;

/// Commands that may wait for the thread; a full queue makes the sender wait.
const COMMANDS: usize = 1_024;
/// Longest sleep of the thread.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Receive calls on one socket before the others get their turn.
const MAX_RECEIVES: usize = 4;
/// Sender SSRC of own feedback. Media SSRCs are drawn by the engine; the engine
/// of a light client sends no media, so they never meet.
const FEEDBACK_SSRC: u32 = 0x4c6f_6164;

const WAKER: Token = Token(usize::MAX);

/// What a client does with media.
pub enum Role {
    /// Receives.
    Learner(Box<Learner>),
    /// Sends.
    Publisher(Box<Publisher>),
}

/// A client the reactor drives.
pub struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    server: Option<SocketAddr>,
    /// The address the socket is connected to.
    tied: Option<SocketAddr>,
    keys: KeySlot,
    /// Its media.
    pub role: Role,
    /// Whether ICE and DTLS are up.
    pub connected: bool,
    /// Number of its room within the run.
    pub room: usize,
    on_connected: Option<oneshot::Sender<Instant>>,
    rtc_next: Instant,
    armed: Option<Instant>,
    send_errors: u64,
    reports_sent: u64,
}

impl Client {
    /// A client made of an answered peer.
    pub fn new(peer: Peer, role: Role, on_connected: oneshot::Sender<Instant>) -> Self {
        Self {
            rtc: peer.rtc,
            socket: UdpSocket::from_std(peer.socket),
            local: peer.local,
            server: None,
            tied: None,
            keys: peer.keys,
            role,
            connected: false,
            room: 0,
            on_connected: Some(on_connected),
            rtc_next: Instant::now(),
            armed: None,
            send_errors: 0,
            reports_sent: 0,
        }
    }

    /// The same client in another room of the run.
    #[must_use]
    pub fn of_room(mut self, room: usize) -> Self {
        self.room = room;
        self
    }

    fn transmit(&mut self, to: SocketAddr, bytes: &[u8]) {
        self.reports_sent += u64::from(is_rtcp(bytes));
        if self.socket.send_to(bytes, to).is_err() {
            self.send_errors += 1;
        }
    }

    /// Sends own feedback. The socket of a light client, which sends little else,
    /// is tied to the server then: the kernel need not look for the way each time.
    fn report(&mut self, bytes: &[u8]) {
        let Some(server) = self.server else {
            return;
        };
        if self.tied != Some(server) {
            if self.socket.connect(server).is_err() {
                self.send_errors += 1;
                return;
            }
            self.tied = Some(server);
        }
        self.reports_sent += 1;
        if self.socket.send(bytes).is_err() {
            self.send_errors += 1;
        }
    }

    /// Packets of RTCP sent.
    pub fn reports_sent(&self) -> u64 {
        self.reports_sent
    }

    /// Takes everything the engine has to say.
    fn drain(&mut self, now: Instant, origin: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(next)) => {
                    self.rtc_next = next;
                    return;
                }
                Ok(Output::Transmit(out)) => self.transmit(out.destination, &out.contents),
                Ok(Output::Event(event)) => self.event(event, now, origin),
                Err(error) => {
                    tracing::debug!(%error, "client failed");
                    self.connected = false;
                    self.rtc.disconnect();
                    self.rtc_next = now + MAX_SLEEP;
                    return;
                }
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant, origin: Instant) {
        match event {
            Event::Connected => {
                self.connected = true;
                match &mut self.role {
                    Role::Publisher(publisher) => publisher.start(now),
                    Role::Learner(learner) if learner.depth == Depth::Light => {
                        learner.feedback = self
                            .keys
                            .take()
                            .map(|keys| LightFeedback::new(keys, FEEDBACK_SSRC, origin, now));
                        if learner.feedback.is_none() {
                            tracing::warn!("no SRTCP keys: a client stays fully decrypting");
                            learner.depth = Depth::Full;
                        }
                    }
                    Role::Learner(_) => {}
                }
                if let Some(told) = self.on_connected.take() {
                    // Nobody may be waiting any more.
                    let _ = told.send(now);
                }
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.connected = false;
            }
            Event::RtpPacket(packet) => {
                if let Role::Learner(learner) = &mut self.role {
                    learner.decrypted(&packet, Instant::now());
                }
            }
            Event::KeyframeRequest(_) => {
                if let Role::Publisher(publisher) = &mut self.role {
                    publisher.ask_keyframe();
                }
            }
            _ => {}
        }
    }

    fn datagram(
        &mut self,
        from: SocketAddr,
        bytes: &[u8],
        (now, arrived): (Instant, Instant),
        origin: Instant,
        scratch: &mut Scratch,
    ) {
        self.server = Some(from);
        // RFC 7983: 128 to 191 is RTP and RTCP.
        if bytes
            .first()
            .is_some_and(|first| (128..192).contains(first))
            && let Role::Learner(learner) = &mut self.role
            && learner.depth == Depth::Light
            && learner.feedback.is_some()
        {
            if is_rtcp(bytes) {
                learner.sealed_reports(bytes, now, scratch);
            } else {
                // As browsers do, the time is the kernel's: what this thread
                // lets wait is no delay of the way.
                learner.sealed(bytes, arrived);
            }
            return;
        }
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, bytes) else {
            return;
        };
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, receive)) {
            tracing::debug!(%error, "client failed");
            self.connected = false;
            self.rtc.disconnect();
        }
        self.drain(now, origin);
    }

    /// Does what is due at `now`.
    fn wake(&mut self, now: Instant, origin: Instant, scratch: &mut Scratch) {
        let wrote = match &mut self.role {
            Role::Publisher(publisher) => {
                self.connected
                    && publisher.next().is_some_and(|due| due <= now)
                    && publisher.run(now, &mut self.rtc)
            }
            Role::Learner(learner) => {
                if learner.feedback_due(now, scratch) {
                    self.report(&scratch.sealed);
                }
                false
            }
        };
        if wrote || self.rtc_next <= now {
            if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
                tracing::debug!(%error, "client failed");
                self.connected = false;
                self.rtc.disconnect();
            }
            self.drain(now, origin);
        }
    }

    fn next(&self) -> Instant {
        let media = match &self.role {
            Role::Publisher(publisher) if self.connected => publisher.next(),
            Role::Publisher(_) => None,
            Role::Learner(learner) => learner.next(),
        };
        media.map_or(self.rtc_next, |media| media.min(self.rtc_next))
    }
}

/// RFC 5761: which second bytes are RTCP's; RFC 7983: 128 to 191 is RTP and RTCP.
fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [128..192, 192..224, ..])
}

type Visit = Box<dyn FnOnce(&mut [Box<Client>]) + Send>;

enum Command {
    Add(Box<Client>),
    Visit(Visit),
    Stop,
}

/// Handle of the thread; dropping it stops the thread.
pub struct Reactor {
    commands: mpsc::SyncSender<Command>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Reactor {
    /// Starts the thread. `origin` is the zero of the feedback clocks.
    pub fn start(name: &str, origin: Instant) -> Result<Self> {
        let fail = || LoadError::io("reactor");
        let poll = Poll::new().map_err(fail())?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(fail())?);
        let (commands, inbox) = mpsc::sync_channel(COMMANDS);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let mut state = State {
                    poll,
                    inbox,
                    origin,
                    clients: Vec::new(),
                    timers: BinaryHeap::new(),
                    batch: Batch::default(),
                    scratch: Scratch::default(),
                };
                if let Err(error) = state.run() {
                    tracing::error!(%error, "reactor stopped");
                }
            })
            .map_err(fail())?;
        Ok(Self {
            commands,
            waker,
            thread: Some(thread),
        })
    }

    fn command(&self, command: Command) -> Result<()> {
        self.commands
            .send(command)
            .map_err(|_| LoadError::Media("the client thread ended".to_owned()))?;
        self.waker.wake().map_err(LoadError::io("reactor"))
    }

    /// Hands a client over.
    pub fn add(&self, client: Client) -> Result<()> {
        self.command(Command::Add(Box::new(client)))
    }

    /// Runs `visit` over all clients on the thread and returns what it says.
    pub async fn visit<T: Send + 'static>(
        &self,
        visit: impl FnOnce(&mut [Box<Client>]) -> T + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        self.command(Command::Visit(Box::new(move |clients| {
            // Nobody may be waiting any more.
            let _ = tell.send(visit(clients));
        })))?;
        told.await
            .map_err(|_| LoadError::Media("the client thread ended".to_owned()))
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        if self.command(Command::Stop).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A panic of the thread has been printed already.
            let _ = thread.join();
        }
    }
}

struct State {
    poll: Poll,
    inbox: mpsc::Receiver<Command>,
    origin: Instant,
    /// By token; none ever leaves.
    clients: Vec<Box<Client>>,
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    batch: Batch,
    scratch: Scratch,
}

impl State {
    fn run(&mut self) -> std::io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        // Sockets that still had data when their turn ended.
        let mut unfinished: Vec<usize> = Vec::new();
        loop {
            let now = Instant::now();
            let sleep = if unfinished.is_empty() {
                let next = self.timers.peek().map(|Reverse((at, _))| *at);
                next.map_or(MAX_SLEEP, |at| at.saturating_duration_since(now))
                    .min(MAX_SLEEP)
            } else {
                Duration::ZERO
            };
            match self.poll.poll(&mut events, Some(sleep)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for id in std::mem::take(&mut unfinished) {
                if self.read(id) {
                    unfinished.push(id);
                }
            }
            for event in &events {
                if event.token() == WAKER {
                    while let Ok(command) = self.inbox.try_recv() {
                        match command {
                            Command::Stop => return Ok(()),
                            Command::Add(client) => self.adopt(client)?,
                            Command::Visit(visit) => visit(&mut self.clients),
                        }
                    }
                } else if self.read(event.token().0) {
                    unfinished.push(event.token().0);
                }
            }
            self.fire();
        }
    }

    fn adopt(&mut self, mut client: Box<Client>) -> std::io::Result<()> {
        let id = self.clients.len();
        self.poll
            .registry()
            .register(&mut client.socket, Token(id), Interest::READABLE)?;
        client.wake(Instant::now(), self.origin, &mut self.scratch);
        arm(&mut self.timers, id, &mut client);
        self.clients.push(client);
        Ok(())
    }

    /// Reads one socket. True when there may be more in it.
    fn read(&mut self, id: usize) -> bool {
        let Some(client) = self.clients.get_mut(id) else {
            return false;
        };
        let mut more = true;
        for _ in 0..MAX_RECEIVES {
            // A refused port shows up as an error here; ICE finds out by itself.
            more = self
                .batch
                .receive(client.socket.as_raw_fd())
                .unwrap_or_default();
            let now = Instant::now();
            for message in self.batch.messages() {
                let arrived = now.checked_sub(message.age).unwrap_or(now);
                for datagram in message.datagrams() {
                    client.datagram(
                        message.from,
                        datagram,
                        (now, arrived),
                        self.origin,
                        &mut self.scratch,
                    );
                }
            }
            if !more {
                break;
            }
        }
        arm(&mut self.timers, id, client);
        more
    }

    fn fire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, id))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            if client.armed != Some(at) {
                continue;
            }
            client.armed = None;
            if client.next() <= now {
                client.wake(now, self.origin, &mut self.scratch);
            }
            arm(&mut self.timers, id, client);
        }
    }
}

/// Puts a client on the heap, unless an earlier entry of it is there: then that
/// one fires and puts it right.
fn arm(timers: &mut BinaryHeap<Reverse<(Instant, usize)>>, id: usize, client: &mut Client) {
    let next = client.next();
    if client.armed.is_none_or(|armed| next < armed) {
        client.armed = Some(next);
        timers.push(Reverse((next, id)));
    }
}
