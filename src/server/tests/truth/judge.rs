//! Truth against report.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_ledger::{Event, EventKind, Report};

use crate::guest::{Diary, Stay};

/// The counted window as it was. Wall clock, ms.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub from_ms: u64,
    pub to_ms: u64,
    pub breaks: Vec<(u64, u64)>,
    pub outages: Vec<(u64, u64)>,
}

impl Truth {
    /// What counts: the lesson without breaks and without the time in which
    /// there was no server.
    fn counted(&self) -> Vec<(u64, u64)> {
        let mut without: Vec<(u64, u64)> = [&self.breaks[..], &self.outages[..]].concat();
        without.sort_unstable();
        let mut at = self.from_ms;
        let mut counted = Vec::new();
        for (from, to) in without {
            counted.push((at, from));
            at = to;
        }
        counted.push((at, self.to_ms));
        counted
    }
}

fn shared(a: (u64, u64), b: (u64, u64)) -> u64 {
    a.1.min(b.1).saturating_sub(a.0.max(b.0))
}

/// Time present in the counted window; gaps with less than `grace_ms` of
/// counted time in them are bridged.
fn present_ms(stays: &[Stay], counted: &[(u64, u64)], grace_ms: u64) -> u64 {
    let inside = |span| counted.iter().map(|part| shared(span, *part)).sum::<u64>();
    let mut total = 0;
    let mut last: Option<u64> = None;
    for stay in stays {
        if let Some(before) = last {
            let gap = inside((before, stay.from_ms));
            if gap < grace_ms {
                total += gap;
            }
        }
        total += inside((stay.from_ms.max(last.unwrap_or(0)), stay.to_ms));
        last = Some(stay.to_ms.max(last.unwrap_or(0)));
    }
    total
}

/// Every total within a second of the truth, or within five where a link fell
/// silent or the server was killed under it.
pub fn judge(report: &Report, truth: &Truth, diaries: &[Diary], grace_ms: u64) {
    let counted = truth.counted();
    let length: u64 = counted.iter().map(|part| part.1 - part.0).sum();
    let rows: BTreeMap<&str, _> = report
        .rows
        .iter()
        .map(|row| (row.person.as_str(), row))
        .collect();
    let mut worst = BTreeMap::new();
    let mut wrong = Vec::new();
    for diary in diaries {
        let row = rows[diary.person.as_str()];
        assert_eq!(row.name, diary.name, "the last name stands");
        let present = present_ms(&diary.stays, &counted, grace_ms);
        let off = row.auto.present_ms.abs_diff(present);
        let clean = diary.stays.iter().all(|stay| stay.clean);
        let bar = if clean { 1_000 } else { 5_000 };
        let most = worst.entry(clean).or_insert(0);
        *most = off.max(*most);
        if off > bar {
            wrong.push(format!(
                "{}: {} ms computed, {present} ms true\n  true {:?}\n  seen {:?}",
                diary.name,
                row.auto.present_ms,
                diary.stays,
                row.intervals
                    .iter()
                    .map(|part| (part.from_ms, part.to_ms, part.end.clone()))
                    .collect::<Vec<_>>()
            ));
        }
    }
    println!(
        "grace {} s: {} people, window {} ms computed, {length} ms true; worst {} ms where every end was clean, {} ms otherwise",
        grace_ms / 1_000,
        diaries.len(),
        report.window.counted_ms,
        worst.get(&true).unwrap_or(&0),
        worst.get(&false).unwrap_or(&0),
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(report.window.counted_ms.abs_diff(length) <= 5_000);
    let people: BTreeSet<&str> = diaries.iter().map(|diary| diary.person.as_str()).collect();
    assert_eq!(people.len(), diaries.len(), "two people became one");
}

/// Every chat message that was acknowledged is in the ledger.
pub fn nothing_acknowledged_is_missing(events: &[Event], diaries: &[Diary]) {
    let kept: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Chat { cid, .. } => Some(cid.as_str()),
            _ => None,
        })
        .collect();
    let mut acknowledged = 0;
    for cid in diaries.iter().flat_map(|diary| &diary.chats) {
        assert!(
            kept.contains(cid.as_str()),
            "{cid} was acknowledged and is gone"
        );
        acknowledged += 1;
    }
    assert!(acknowledged > diaries.len(), "too little was acknowledged");
}
