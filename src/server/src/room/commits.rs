//! What waits for the ledger. Appends of a room become durable in order, so only
//! the oldest is looked at.

use std::collections::VecDeque;
use std::time::Instant;

use lophoc_records::StoreError;
use lophoc_room::LinkId;
use tokio::sync::oneshot;

use crate::ws::outbox::CommitId;

type Durable = oneshot::Receiver<Result<(), StoreError>>;

#[derive(Debug)]
struct Commit {
    id: CommitId,
    durable: Durable,
    since: Instant,
    links: Vec<LinkId>,
}

/// Appends under way, oldest first. Bounded by the ledger's own queue, at which
/// the room waits.
#[derive(Debug, Default)]
pub(super) struct Commits {
    last: u64,
    waiting: VecDeque<Commit>,
    /// The last append failed and nothing was written since: what the room did
    /// is kept by the writer, but not on disk.
    behind: bool,
}

/// A finished append.
#[derive(Debug)]
pub(super) struct Settled {
    /// Which.
    pub(super) id: CommitId,
    /// Since when it was waited for.
    pub(super) since: Instant,
    /// Links with messages that wait for it.
    pub(super) links: Vec<LinkId>,
    /// How it ended.
    pub(super) result: Result<(), StoreError>,
}

impl Commits {
    /// An append under way.
    pub(super) fn push(&mut self, durable: Durable) {
        self.last += 1;
        self.waiting.push_back(Commit {
            id: CommitId(self.last),
            durable,
            since: Instant::now(),
            links: Vec::new(),
        });
    }

    /// The newest append under way, noting that `link` waits for it; 0 when
    /// everything is durable.
    pub(super) fn wait(&mut self, link: LinkId) -> CommitId {
        let Some(newest) = self.waiting.back_mut() else {
            return CommitId(0);
        };
        if !newest.links.contains(&link) {
            newest.links.push(link);
        }
        newest.id
    }

    /// Nothing is under way, and yet not everything is durable. Who is to wait
    /// for that needs an append, if only an empty one.
    pub(super) fn is_behind(&self) -> bool {
        self.behind && self.waiting.is_empty()
    }

    /// Nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits for the oldest append; for ever when there is none. Cancel safe.
    pub(super) async fn next(&mut self) -> Settled {
        let Some(oldest) = self.waiting.front_mut() else {
            return std::future::pending().await;
        };
        let result = (&mut oldest.durable)
            .await
            .unwrap_or(Err(StoreError::Stopped));
        // Appends become durable in order: one that is, has all before it.
        self.behind = result.is_err();
        match self.waiting.pop_front() {
            Some(Commit {
                id, since, links, ..
            }) => Settled {
                id,
                since,
                links,
                result,
            },
            None => std::future::pending().await,
        }
    }
}
