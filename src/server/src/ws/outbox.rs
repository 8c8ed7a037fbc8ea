//! What waits to be written to one websocket.
//!
//! The room pushes and never waits; the socket's own task takes. Bounds: a number
//! of messages and a number of bytes. Overflow: levels and what else may be lost
//! go first, then the link is
//! shed: the queue is dropped and the client is asked to resume.
//!
//! Order is kept. A message that says something is kept for good waits for the
//! commit it stands for ([`After`]) and holds back what comes behind it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::codec::Encoded;

/// Importance of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Kept, in order.
    Ordered,
    /// Loudness: only the newest matters, and it may be lost.
    Levels,
    /// The pointer on a page: only the newest matters, and it may be lost.
    Point,
    /// Reactions: only the newest matter, and they may be lost.
    Reactions,
    /// Pieces of a figure that is being drawn: each counts, and may be lost.
    Stroke,
    /// A line of captions on its way: only the newest matters, and it may be lost.
    Caption,
    /// Slots: only the newest matters, and it is never lost.
    Bind,
    /// Layers somebody watches: only the newest matters, and it is never lost.
    Layers,
}

/// What goes first when the queue is full.
const LOSSY: [Lane; 5] = [
    Lane::Levels,
    Lane::Point,
    Lane::Stroke,
    Lane::Caption,
    Lane::Reactions,
];

/// Number of a commit of the room; 0 = none is waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId(pub u64);

/// What a message waits for.
#[derive(Debug, Clone, Default)]
pub struct After {
    /// This commit.
    pub commit: CommitId,
    /// Sent instead when the commit fails. Without it the link is closed then.
    pub otherwise: Option<Arc<Encoded>>,
}

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Messages.
    pub messages: usize,
    /// Bytes of their plain form.
    pub bytes: usize,
}

/// What the socket does next.
#[derive(Debug)]
pub enum Next {
    /// Send this.
    Send(Arc<Encoded>),
    /// Everything is sent: close.
    Close,
    /// The client is too slow: say so if it still can be said, and close.
    Shed,
    /// What the client waits for could not be kept: it has to come again.
    NotKept,
}

/// The queue of one link.
#[derive(Debug)]
pub struct Outbox {
    bounds: Bounds,
    state: Mutex<State>,
    changed: Notify,
    given_up: Notify,
}

#[derive(Debug)]
struct Entry {
    lane: Lane,
    frame: Arc<Encoded>,
    after: After,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Entry>,
    bytes: usize,
    settled: CommitId,
    /// Nothing leaves before the greeting.
    held: bool,
    closing: bool,
    shed: bool,
    not_kept: bool,
    dropped_levels: u64,
}

impl Outbox {
    /// An empty queue that holds everything back until [`Self::release`].
    pub fn held(bounds: Bounds) -> Self {
        let state = Mutex::new(State {
            held: true,
            ..State::default()
        });
        Self {
            bounds,
            state,
            changed: Notify::new(),
            given_up: Notify::new(),
        }
    }

    /// Adds a message.
    pub fn push(&self, lane: Lane, frame: Arc<Encoded>) {
        self.push_after(lane, frame, After::default());
    }

    /// Adds a message that waits for a commit. Does nothing once the link closes.
    pub fn push_after(&self, lane: Lane, frame: Arc<Encoded>, after: After) {
        let mut state = self.lock();
        if state.closing || state.shed {
            return;
        }
        if !matches!(lane, Lane::Ordered | Lane::Stroke) {
            state.remove(lane);
        }
        if state.is_full(self.bounds, frame.size()) {
            for lossy in LOSSY {
                state.dropped_levels += state.remove(lossy);
            }
            if LOSSY.contains(&lane) {
                state.dropped_levels += 1;
                return;
            }
        }
        if state.is_full(self.bounds, frame.size()) {
            state.queue.clear();
            state.bytes = 0;
            state.shed = true;
            self.given_up.notify_waiters();
        } else {
            state.bytes += frame.size();
            state.queue.push_back(Entry { lane, frame, after });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Puts the greeting in front of what came meanwhile and lets it all go.
    pub fn release(&self, greeting: Option<(Arc<Encoded>, CommitId)>) {
        let mut state = self.lock();
        state.held = false;
        if let Some((frame, commit)) = greeting
            && !state.shed
        {
            state.bytes += frame.size();
            let after = After {
                commit,
                otherwise: None,
            };
            state.queue.push_front(Entry {
                lane: Lane::Ordered,
                frame,
                after,
            });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The commit succeeded or failed; commits settle in order.
    pub fn settle(&self, commit: CommitId, kept: bool) {
        let mut state = self.lock();
        state.settled = state.settled.max(commit);
        if !kept {
            for entry in state
                .queue
                .iter_mut()
                .filter(|entry| entry.after.commit == commit)
            {
                match entry.after.otherwise.take() {
                    Some(otherwise) => entry.frame = otherwise,
                    None => entry.after.commit = CommitId(u64::MAX),
                }
            }
            state.not_kept |= state
                .queue
                .iter()
                .any(|entry| entry.after.commit == CommitId(u64::MAX));
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Close after what was pushed so far.
    pub fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_one();
    }

    /// Waits for the next thing to do. Cancel safe.
    pub async fn next(&self) -> Next {
        loop {
            let changed = self.changed.notified();
            if let Some(next) = self.lock().take() {
                return next;
            }
            changed.await;
        }
    }

    /// Whether the link was given up.
    pub fn is_shed(&self) -> bool {
        self.lock().shed
    }

    /// Waits until the link is given up, also while a write is stuck.
    pub async fn shed(&self) {
        loop {
            let mut given_up = std::pin::pin!(self.given_up.notified());
            // Listen first, look then: nothing is missed in between.
            given_up.as_mut().enable();
            if self.is_shed() {
                return;
            }
            given_up.await;
        }
    }

    /// Messages waiting, and levels dropped so far.
    pub fn depth(&self) -> (usize, u64) {
        let state = self.lock();
        (state.queue.len(), state.dropped_levels)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self, bounds: Bounds, more: usize) -> bool {
        self.queue.len() >= bounds.messages || self.bytes.saturating_add(more) > bounds.bytes
    }

    fn remove(&mut self, lane: Lane) -> u64 {
        let before = self.queue.len();
        let bytes = &mut self.bytes;
        self.queue.retain(|entry| {
            let keep = entry.lane != lane;
            if !keep {
                *bytes = bytes.saturating_sub(entry.frame.size());
            }
            keep
        });
        u64::try_from(before - self.queue.len()).unwrap_or(0)
    }

    fn take(&mut self) -> Option<Next> {
        if self.shed {
            return Some(Next::Shed);
        }
        if self.held {
            return None;
        }
        if self.not_kept {
            return Some(Next::NotKept);
        }
        match self.queue.front() {
            Some(entry) if entry.after.commit > self.settled => None,
            Some(_) => {
                let entry = self.queue.pop_front()?;
                self.bytes = self.bytes.saturating_sub(entry.frame.size());
                Some(Next::Send(entry.frame))
            }
            None => self.closing.then_some(Next::Close),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_protocol::{ServerFrame, ServerMessage};

    const SMALL: Bounds = Bounds {
        messages: 4,
        bytes: 1_000_000,
    };

    fn numbered(id: u32) -> Arc<Encoded> {
        Arc::new(
            Encoded::new(&ServerFrame {
                seq: None,
                id: Some(id),
                msg: ServerMessage::Ok,
            })
            .unwrap(),
        )
    }

    fn open(bounds: Bounds) -> Outbox {
        let outbox = Outbox::held(bounds);
        outbox.release(None);
        outbox
    }

    async fn sent(outbox: &Outbox) -> String {
        match outbox.next().await {
            Next::Send(frame) => match frame.message(false) {
                axum::extract::ws::Message::Text(text) => text.to_string(),
                other => format!("{other:?}"),
            },
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_greeting_comes_before_what_was_pushed_while_it_was_awaited() {
        let outbox = Outbox::held(SMALL);
        outbox.push(Lane::Ordered, numbered(2));
        outbox.release(Some((numbered(1), CommitId(0))));
        for id in 1..3 {
            assert!(sent(&outbox).await.contains(&format!("\"id\":{id}")));
        }
        outbox.close();
        assert!(matches!(outbox.next().await, Next::Close));
    }

    #[tokio::test]
    async fn only_the_newest_levels_and_bindings_wait() {
        let outbox = open(SMALL);
        for id in 0..100 {
            outbox.push(Lane::Levels, numbered(id));
            outbox.push(Lane::Bind, numbered(1_000 + id));
        }
        assert_eq!(outbox.depth().0, 2);
        assert!(sent(&outbox).await.contains("99"));
        assert!(sent(&outbox).await.contains("1099"));
    }

    #[tokio::test]
    async fn each_sort_waits_beside_the_others() {
        let outbox = open(SMALL);
        outbox.push(Lane::Reactions, numbered(1));
        outbox.push(Lane::Point, numbered(2));
        outbox.push(Lane::Levels, numbered(3));
        outbox.push(Lane::Levels, numbered(4));
        for id in [1, 2, 4] {
            assert!(sent(&outbox).await.contains(&format!("\"id\":{id}")));
        }
        outbox.push(Lane::Reactions, numbered(0));
        for id in 1..=4 {
            outbox.push(Lane::Ordered, numbered(id));
        }
        assert!(!outbox.is_shed() && outbox.depth().0 == 4);
    }

    #[tokio::test]
    async fn levels_give_way_before_the_link_is_shed() {
        let outbox = open(SMALL);
        outbox.push(Lane::Levels, numbered(0));
        for id in 1..=4 {
            outbox.push(Lane::Ordered, numbered(id));
        }
        assert!(!outbox.is_shed());
        assert_eq!(outbox.depth(), (4, 1));
        outbox.push(Lane::Levels, numbered(9));
        assert_eq!(outbox.depth(), (4, 2));
        outbox.push(Lane::Ordered, numbered(5));
        assert!(outbox.is_shed());
        assert!(matches!(outbox.next().await, Next::Shed));
    }

    #[tokio::test]
    async fn pieces_of_a_stroke_all_pass_and_give_way_together() {
        let outbox = open(SMALL);
        for id in 0..3 {
            outbox.push(Lane::Stroke, numbered(id));
        }
        assert_eq!(outbox.depth().0, 3);
        for id in 10..14 {
            outbox.push(Lane::Ordered, numbered(id));
        }
        assert!(!outbox.is_shed());
        assert_eq!(outbox.depth().0, 4);
    }

    #[tokio::test]
    async fn bytes_are_bounded_too() {
        let outbox = open(Bounds {
            messages: 1_000,
            bytes: 100,
        });
        for id in 0..20 {
            outbox.push(Lane::Ordered, numbered(id));
        }
        assert!(outbox.is_shed());
    }

    fn after(commit: u64, otherwise: Option<u32>) -> After {
        After {
            commit: CommitId(commit),
            otherwise: otherwise.map(numbered),
        }
    }

    #[tokio::test]
    async fn what_stands_for_a_commit_waits_for_it_and_holds_back_what_follows() {
        let outbox = open(SMALL);
        outbox.push_after(Lane::Ordered, numbered(1), after(5, None));
        outbox.push(Lane::Ordered, numbered(2));
        assert!(outbox.lock().take().is_none());
        outbox.settle(CommitId(4), true);
        assert!(outbox.lock().take().is_none());
        outbox.settle(CommitId(5), true);
        assert!(sent(&outbox).await.contains("1"));
        assert!(sent(&outbox).await.contains("2"));
    }

    #[tokio::test]
    async fn a_failed_commit_is_never_acknowledged() {
        let outbox = open(SMALL);
        outbox.push_after(Lane::Ordered, numbered(1), after(5, Some(77)));
        outbox.settle(CommitId(5), false);
        assert!(sent(&outbox).await.contains("77"));
        outbox.push_after(Lane::Ordered, numbered(2), after(6, None));
        outbox.settle(CommitId(6), false);
        assert!(matches!(outbox.next().await, Next::NotKept));
    }
}
