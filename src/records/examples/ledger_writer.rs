//! Appends to the ledger as fast as it answers and prints what was
//! acknowledged, one `session seq` per line, until it is killed.
//!
//! `ledger_writer DB SESSIONS SEED`: the database, how many sessions of its
//! first class to write to at once, and a seed for the sizes of the appends.
//! tests/kill.rs runs and kills it; by hand it shows the rate of commits.

use std::io::Write as _;
use std::path::PathBuf;

use lophoc_ledger::{Event, EventKind, LastSeen, PersonKey, SessionKey, Stamp};
use lophoc_records::{LedgerWriter, Store};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Appends under way at once per session.
const AHEAD: usize = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let mut args = std::env::args_os().skip(1);
    let mut next = || args.next().ok_or("usage: ledger_writer DB SESSIONS SEED");
    let path = PathBuf::from(next()?);
    let sessions: usize = next()?.to_string_lossy().parse()?;
    let seed: u64 = next()?.to_string_lossy().parse()?;

    let store = Store::open(&path).await?;
    let boot = store.next_boot().await?;
    let class = store
        .classes()
        .await?
        .into_iter()
        .next()
        .ok_or("no class")?;
    let mut tasks = tokio::task::JoinSet::new();
    for (index, session) in store
        .sessions_of_class(&class.id)
        .await?
        .into_iter()
        .take(sessions)
        .enumerate()
    {
        let events = store.events(&session.id).await?;
        let next = events.last().map_or(1, |event| event.seq + 1);
        let random = Xorshift(seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        tasks.spawn(write(store.ledger(), session.id, boot, next, random));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn write(
    ledger: LedgerWriter,
    session: SessionKey,
    boot: u64,
    mut next: u64,
    mut random: Xorshift,
) -> Result<(), AnyError> {
    let mut waiting = std::collections::VecDeque::new();
    loop {
        let count = 1 + random.next() % 5;
        let events: Vec<Event> = (next..next + count)
            .map(|seq| event(&session, seq, boot))
            .collect();
        next += count;
        waiting.push_back((next - 1, ledger.append_waiting(events).await));
        if random.next().is_multiple_of(16) {
            let at = Stamp {
                wall_ms: next,
                mono_ms: next,
                boot,
            };
            ledger
                .sweep(
                    &session,
                    vec![LastSeen {
                        person: PersonKey::from("p1"),
                        at,
                    }],
                )
                .await?;
        }
        if waiting.len() >= AHEAD
            && let Some((seq, answer)) = waiting.pop_front()
        {
            answer.await??;
            // A line is written whole: the pipe survives this process.
            let line = format!("{session} {seq}\n");
            std::io::stdout().write_all(line.as_bytes())?;
        }
    }
}

/// The event with that number is always the same, so that it can be checked.
fn event(session: &SessionKey, seq: u64, boot: u64) -> Event {
    let at = Stamp {
        wall_ms: 1_788_654_600_000 + seq,
        mono_ms: seq,
        boot,
    };
    let person = PersonKey(format!("p{}", seq % 50));
    let kind = EventKind::Chat {
        person,
        id: format!("c{seq}"),
        cid: format!("u{seq}"),
        text: "Chào cả lớp! ".repeat((seq % 7) as usize),
        to: None,
    };
    Event {
        session: session.clone(),
        seq,
        at,
        kind,
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
