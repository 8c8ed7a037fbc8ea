//! Processor time of a process, thread by thread, by the scheduler's clock.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{LoadError, Result};

/// How the threads of the media plane begin; a number follows.
const MEDIA: &str = "media-";

/// Run time of each thread so far.
#[derive(Debug, Clone, Default)]
pub struct ThreadTimes(BTreeMap<u32, (String, u64)>);

impl ThreadTimes {
    /// Of the threads of `pid` that live now.
    pub fn of(pid: u32) -> Result<Self> {
        let tasks = format!("/proc/{pid}/task");
        let entries = std::fs::read_dir(&tasks).map_err(LoadError::io(tasks.clone()))?;
        let mut times = BTreeMap::new();
        for task in entries.flatten() {
            // A thread may end while the list is read.
            let Some(id) = task.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            let (Ok(name), Ok(line)) = (
                std::fs::read_to_string(task.path().join("comm")),
                std::fs::read_to_string(task.path().join("schedstat")),
            ) else {
                continue;
            };
            let nanos = line
                .split_whitespace()
                .next()
                .and_then(|field| field.parse().ok());
            times.insert(id, (name.trim().to_owned(), nanos.unwrap_or(0)));
        }
        Ok(Self(times))
    }

    /// What the threads ran since `before`. A thread that ended in between is not
    /// counted.
    pub fn since(&self, before: &Self) -> ThreadCpu {
        let mut named: BTreeMap<String, f64> = BTreeMap::new();
        for (id, (name, nanos)) in &self.0 {
            let earlier = before.0.get(id).map_or(0, |(_, nanos)| *nanos);
            *named.entry(name.clone()).or_default() += nanos.saturating_sub(earlier) as f64 / 1e9;
        }
        ThreadCpu { named }
    }
}

/// Run time between two moments, seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ThreadCpu {
    /// By name; threads of one name together.
    pub named: BTreeMap<String, f64>,
}

impl ThreadCpu {
    /// Of all threads.
    pub fn total(&self) -> f64 {
        self.named.values().sum()
    }

    fn shards(&self) -> impl Iterator<Item = f64> {
        self.named.iter().filter_map(|(name, seconds)| {
            let number = name.strip_prefix(MEDIA)?;
            number.parse::<u16>().is_ok().then_some(*seconds)
        })
    }

    /// Of the threads that forward media.
    pub fn media(&self) -> f64 {
        self.shards().sum()
    }

    /// Of the media thread that ran most.
    pub fn busiest_shard(&self) -> f64 {
        self.shards().fold(0.0, f64::max)
    }

    /// Of the threads of that name.
    pub fn of(&self, name: &str) -> f64 {
        self.named.get(name).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_thread_that_works_is_found_by_its_name() {
        let pid = std::process::id();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let before = ThreadTimes::of(pid).unwrap();
        let busy = std::thread::Builder::new()
            .name("media-7".to_owned())
            .spawn(move || {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(60) {
                    std::hint::spin_loop();
                }
                told.recv()
            })
            .unwrap();
        let began = Instant::now();
        let spent = loop {
            let spent = ThreadTimes::of(pid).unwrap().since(&before);
            if spent.busiest_shard() > 0.0 || began.elapsed() > Duration::from_secs(20) {
                break spent;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        tell.send(()).unwrap();
        busy.join().unwrap().unwrap();
        assert!(spent.of("media-7") > 0.0 && spent.media() <= spent.total());
        assert_eq!(spent.of("nobody"), 0.0);
    }
}
