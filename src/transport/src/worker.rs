//! The loop of a shard thread: wait for datagrams, messages or a deadline, then
//! take a turn.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::mailbox::Mailbox;
use crate::shard::Shard;
use crate::tcp::links::FIRST_TOKEN;

const WAKER: Token = Token(0);
const V4: Token = Token(1);
const V6: Token = Token(2);
const EVENTS: usize = 128;

/// A poller and its waker, made before the thread so that failures are told.
pub(crate) fn poller() -> io::Result<(Poll, Waker)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    Ok((poll, waker))
}

/// Registers the sockets of a shard.
pub(crate) fn register(poll: &Poll, shard: &mut Shard) -> io::Result<()> {
    let registry = poll.registry().try_clone()?;
    shard.links().set_registry(registry);
    for (v6, token) in [(false, V4), (true, V6)] {
        if let Some(socket) = shard.sockets().family(v6) {
            poll.registry().register(
                &mut SourceFd(&socket.as_raw_fd()),
                token,
                Interest::READABLE,
            )?;
        }
    }
    Ok(())
}

/// Runs until `stop` is set and the shard is woken.
pub(crate) fn run(mut shard: Shard, mut poll: Poll, stop: &Arc<AtomicBool>) {
    let mut events = Events::with_capacity(EVENTS);
    let mut readable = [true; 2];
    let mut last = Instant::now();
    while !stop.load(Ordering::Acquire) {
        // What comes within a moment of the last turn is taken in one turn: while
        // hundreds of clients report, each turn would find one datagram otherwise.
        let rest = shard.rest().saturating_sub(last.elapsed());
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
        let timeout = match shard.next_turn() {
            Some(at) if readable == [false; 2] => at.saturating_duration_since(Instant::now()),
            _ => Duration::ZERO,
        };
        if let Err(error) = poll.poll(&mut events, Some(timeout))
            && error.kind() != io::ErrorKind::Interrupted
        {
            // A poller that fails will fail again: without it the shard is blind.
            tracing::error!(%error, "a shard lost its poller");
            break;
        }
        for event in &events {
            match event.token() {
                V4 => readable[0] = true,
                V6 => readable[1] = true,
                Token(link) if link >= FIRST_TOKEN => {
                    let closed = event.is_read_closed() || event.is_error();
                    let readable = event.is_readable() || closed;
                    shard.links().on_event(link, readable, event.is_writable());
                }
                _ => {}
            }
        }
        if let Some(mailbox) = shard.mailbox() {
            Mailbox::woken(mailbox);
        }
        last = Instant::now();
        shard.guarded_turn(last, &mut readable);
        shard.worked(Instant::now());
    }
    shard.shut_down(Instant::now());
}
