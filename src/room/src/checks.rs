//! Presence checks (kiểm tra sự có mặt): everybody but staff is asked to
//! confirm being there. Whoever lost the link while he could have answered gets
//! the time he was away on top. One check at a time.

use std::collections::HashMap;

use lophoc_ledger::EventKind;
use lophoc_protocol::limits::{CHECK_CATCH_UP_MS, CHECK_SECS, MAX_CHECK_EVERY_MIN, RESUME_MS};
use lophoc_protocol::{Action, ErrorCode, LessonPhase, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::api::LinkId;
use crate::bounds::{CHECK_RESULT_EVERY_MS, CHECK_STRETCH_MS};
use crate::lesson::Until;
use crate::person::{Member, Presence};
use crate::room::{Room, key_of};

/// Checks that come by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub every_ms: u64,
    pub jitter_ms: u64,
    pub window_ms: u64,
    /// The next one, on the monotonic clock.
    next_ms: u64,
}

/// Where somebody stands who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// May answer until then, monotonic.
    Until(u64),
    /// The link broke then, monotonic, with so much time left.
    Away { since_ms: u64, left_ms: u64 },
    /// Has answered.
    Given,
    /// Can answer no more.
    Missed,
}

/// The check that runs.
#[derive(Debug)]
struct Running {
    id: String,
    at_ms: u64,
    until: Until,
    people: HashMap<PersonId, Answer>,
    answered: u32,
    told: Option<(u32, u32)>,
    told_ms: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    schedule: Option<Schedule>,
    running: Option<Running>,
    /// How many were asked in this session.
    count: u64,
}

/// A well mixed number from a seed and a counter (splitmix64).
pub(crate) fn draw(seed: u64, n: u64) -> u64 {
    let mut x = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Schedule {
    /// Time from one check to the next: `every` give or take up to `jitter`.
    fn wait_ms(&self, seed: u64, n: u64) -> u64 {
        let span = self.jitter_ms.saturating_mul(2).saturating_add(1);
        let least = self.every_ms.saturating_sub(self.jitter_ms);
        least.saturating_add(draw(seed, n) % span)
    }
}

impl Running {
    fn asked(&self) -> u32 {
        u32::try_from(self.people.len()).unwrap_or(u32::MAX)
    }

    fn result(&self, over: bool) -> ServerMessage {
        ServerMessage::CheckResult {
            check: self.id.clone(),
            at: self.at_ms,
            until: self.until.wall_ms,
            asked: self.asked(),
            answered: self.answered,
            over,
        }
    }
}

impl Room {
    fn window_ms(window_sec: u32) -> Result<u64, ErrorCode> {
        let (least, most) = CHECK_SECS;
        if (least..=most).contains(&window_sec) {
            Ok(u64::from(window_sec) * 1_000)
        } else {
            Err(ErrorCode::BadRequest)
        }
    }

    pub(crate) fn mod_check(&mut self, me: &PersonId, window_sec: u32) -> Outcome {
        self.need(me, Action::Check)?;
        let window_ms = Self::window_ms(window_sec)?;
        if self.checks.running.is_some() {
            return Err(ErrorCode::Busy);
        }
        self.ask_all(window_ms);
        Ok(Done::Ok)
    }

    pub(crate) fn mod_checks(
        &mut self,
        me: &PersonId,
        every_min: u16,
        jitter_min: u16,
        window_sec: u32,
    ) -> Outcome {
        self.need(me, Action::Check)?;
        let window_ms = Self::window_ms(window_sec)?;
        if every_min > MAX_CHECK_EVERY_MIN || (every_min > 0 && jitter_min >= every_min) {
            return Err(ErrorCode::BadRequest);
        }
        let every_ms = u64::from(every_min) * 60_000;
        let jitter_ms = u64::from(jitter_min) * 60_000;
        if every_min == 0 && self.checks.schedule.is_none() {
            return Ok(Done::Ok);
        }
        self.set_schedule(every_ms, jitter_ms, window_ms);
        self.record(EventKind::Checks {
            every_ms,
            jitter_ms,
            window_ms,
            by: key_of(me),
        });
        Ok(Done::Ok)
    }

    /// Sets or ends the schedule; used alike for a command and for the ledger.
    pub(crate) fn set_schedule(&mut self, every_ms: u64, jitter_ms: u64, window_ms: u64) {
        let mut schedule = Schedule {
            every_ms,
            jitter_ms,
            window_ms,
            next_ms: 0,
        };
        let wait_ms = schedule.wait_ms(self.config.seed, self.checks.count);
        schedule.next_ms = self.now.mono_ms.saturating_add(wait_ms);
        self.checks.schedule = (every_ms > 0).then_some(schedule);
    }

    /// Asks everybody present but staff.
    fn ask_all(&mut self, window_ms: u64) {
        let id = format!("k{}", self.next_event);
        let until = Until::after(self.now, window_ms);
        self.record(EventKind::CheckAsked {
            id: id.clone(),
            until_ms: until.wall_ms,
        });
        let now_ms = self.now.mono_ms;
        let mut links = Vec::new();
        let mut people = HashMap::new();
        for member in self.roster.iter().filter(|member| !member.role.is_staff()) {
            let answer = match member.presence {
                Presence::Linked(link) => {
                    links.push(link);
                    Answer::Until(until.mono_ms)
                }
                // Has the whole time when he is back.
                Presence::Lost { .. } | Presence::Gone { .. } => Answer::Away {
                    since_ms: now_ms,
                    left_ms: window_ms,
                },
            };
            people.insert(member.id.clone(), answer);
        }
        for link in links {
            let check = id.clone();
            let until = until.wall_ms;
            self.send(link, ServerMessage::Check { check, until });
        }
        self.checks.count += 1;
        self.checks.running = Some(Running {
            id,
            at_ms: self.now.wall_ms,
            until,
            people,
            answered: 0,
            told: None,
            told_ms: 0,
        });
    }

    pub(crate) fn check_reply(&mut self, me: &PersonId, check: &str) -> Outcome {
        let now_ms = self.now.mono_ms;
        let running = self.checks.running.as_mut().ok_or(ErrorCode::NotFound)?;
        let answer = running.people.get_mut(me).ok_or(ErrorCode::NotFound)?;
        match answer {
            Answer::Until(until_ms) if running.id == check && now_ms <= *until_ms => {}
            _ => return Err(ErrorCode::NotFound),
        }
        *answer = Answer::Given;
        running.answered += 1;
        self.record(EventKind::CheckAnswered {
            person: key_of(me),
            id: check.to_owned(),
        });
        Ok(Done::Ok)
    }

    /// The link of somebody who was asked broke: his time stands still.
    pub(crate) fn check_away(&mut self, id: &PersonId) {
        let now_ms = self.now.mono_ms;
        if let Some(answer) = self
            .checks
            .running
            .as_mut()
            .and_then(|running| running.people.get_mut(id))
            && let Answer::Until(until_ms) = *answer
        {
            *answer = if until_ms >= now_ms {
                Answer::Away {
                    since_ms: now_ms,
                    left_ms: until_ms - now_ms,
                }
            } else {
                Answer::Missed
            };
        }
    }

    /// Somebody is out for good: he can answer no more.
    pub(crate) fn check_gone(&mut self, id: &PersonId) {
        if let Some(answer) = self
            .checks
            .running
            .as_mut()
            .and_then(|running| running.people.get_mut(id))
            && *answer != Answer::Given
        {
            *answer = Answer::Missed;
        }
    }

    /// Somebody is connected: what he can still answer, and for staff how it goes.
    pub(crate) fn show_check(&mut self, id: &PersonId, link: LinkId) {
        let now = self.now;
        let may = self
            .roster
            .present(id)
            .is_some_and(|member| self.member_may(member, Action::Check));
        let Some(running) = &mut self.checks.running else {
            return;
        };
        let mut news = Vec::new();
        if let Some(answer) = running.people.get_mut(id) {
            if let Answer::Away { left_ms, .. } = *answer {
                let most = running
                    .until
                    .mono_ms
                    .saturating_add(CHECK_STRETCH_MS)
                    .saturating_sub(now.mono_ms);
                let left_ms = left_ms.max(CHECK_CATCH_UP_MS).min(most);
                *answer = Answer::Until(now.mono_ms.saturating_add(left_ms));
            }
            if let Answer::Until(until_ms) = *answer
                && until_ms > now.mono_ms
            {
                news.push(ServerMessage::Check {
                    check: running.id.clone(),
                    until: now.wall_ms.saturating_add(until_ms - now.mono_ms),
                });
            }
        }
        if may {
            news.push(running.result(false));
        }
        for msg in news {
            self.send(link, msg);
        }
    }

    /// Asks when it is time, tells how it goes, and ends what is over.
    pub(crate) fn tick_checks(&mut self) {
        self.ask_when_due();
        let now_ms = self.now.mono_ms;
        let Some(running) = &mut self.checks.running else {
            return;
        };
        let open = now_ms <= running.until.mono_ms
            || running.people.values().any(|answer| match *answer {
                Answer::Until(until_ms) => now_ms <= until_ms,
                Answer::Away { since_ms, .. } => now_ms.saturating_sub(since_ms) <= RESUME_MS,
                Answer::Given | Answer::Missed => false,
            });
        let over = !open || now_ms > running.until.mono_ms.saturating_add(CHECK_STRETCH_MS);
        let now_told = (running.asked(), running.answered);
        let changed = running.told != Some(now_told)
            && now_ms >= running.told_ms.saturating_add(CHECK_RESULT_EVERY_MS);
        if !over && !changed {
            return;
        }
        running.told = Some(now_told);
        running.told_ms = now_ms;
        let msg = running.result(over);
        if over {
            self.checks.running = None;
        }
        let links: Vec<LinkId> = self
            .roster
            .iter()
            .take_while(|member| member.role.is_staff())
            .filter(|member| self.member_may(member, Action::Check))
            .filter_map(Member::link)
            .collect();
        for link in links {
            self.send(link, msg.clone());
        }
    }

    fn ask_when_due(&mut self) {
        let now_ms = self.now.mono_ms;
        let live = self.lesson_phase() == LessonPhase::Live;
        let (seed, count) = (self.config.seed, self.checks.count);
        let busy = self.checks.running.is_some();
        let Some(schedule) = &mut self.checks.schedule else {
            return;
        };
        if now_ms < schedule.next_ms {
            return;
        }
        let wait_ms = schedule.wait_ms(seed, count.saturating_add(1));
        schedule.next_ms = now_ms.saturating_add(wait_ms);
        let window_ms = schedule.window_ms;
        // One that falls into a break, or beside another, is left out.
        if live && !busy {
            self.ask_all(window_ms);
        }
    }

    /// A check as the ledger tells of it. Everybody is away until he comes back.
    pub(crate) fn replay_check(&mut self, id: &str, at_ms: u64, until_ms: u64) {
        self.checks.count += 1;
        let left_ms = until_ms.saturating_sub(at_ms);
        let people = self
            .roster
            .iter()
            .filter(|member| !member.role.is_staff())
            .map(|member| {
                let since_ms = self.now.mono_ms;
                (member.id.clone(), Answer::Away { since_ms, left_ms })
            })
            .collect();
        self.checks.running = Some(Running {
            id: id.to_owned(),
            at_ms,
            until: Until::wall(self.now, until_ms),
            people,
            answered: 0,
            told: None,
            told_ms: 0,
        });
    }

    /// An answer as the ledger tells of it.
    pub(crate) fn replay_answer(&mut self, person: &PersonId, id: &str) {
        if let Some(running) = self
            .checks
            .running
            .as_mut()
            .filter(|running| running.id == id)
            && let Some(answer) = running.people.get_mut(person)
            && *answer != Answer::Given
        {
            *answer = Answer::Given;
            running.answered += 1;
        }
    }

    /// After a rebuild: who was last heard when has so much time left; a check
    /// nobody can answer any more is forgotten.
    pub(crate) fn settle_check(&mut self, heard_ms: impl Fn(&PersonId) -> Option<u64>) {
        let now = self.now;
        let Some(running) = &mut self.checks.running else {
            return;
        };
        let until_ms = running.until.wall_ms;
        let window_ms = until_ms.saturating_sub(running.at_ms);
        for (id, answer) in &mut running.people {
            if *answer == Answer::Given {
                continue;
            }
            let left_ms = heard_ms(id)
                .map_or(0, |heard_ms| until_ms.saturating_sub(heard_ms))
                .min(window_ms);
            *answer = if left_ms > 0 {
                Answer::Away {
                    since_ms: now.mono_ms,
                    left_ms,
                }
            } else {
                Answer::Missed
            };
        }
        let open = running
            .people
            .values()
            .any(|answer| matches!(answer, Answer::Away { .. }));
        if !open && now.wall_ms > until_ms {
            self.checks.running = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn checks_come_every_so_often_give_or_take(
            every in 1u64..240, jitter in 0u64..240, seed in any::<u64>(), n in any::<u64>(),
        ) {
            prop_assume!(jitter < every);
            let schedule = Schedule {
                every_ms: every * 60_000,
                jitter_ms: jitter * 60_000,
                window_ms: 60_000,
                next_ms: 0,
            };
            let wait_ms = schedule.wait_ms(seed, n);
            prop_assert!(wait_ms >= (every - jitter) * 60_000);
            prop_assert!(wait_ms <= (every + jitter) * 60_000);
        }
    }

    #[test]
    fn the_lot_falls_evenly_and_another_seed_falls_otherwise() {
        let schedule = Schedule {
            every_ms: 20 * 60_000,
            jitter_ms: 10 * 60_000,
            window_ms: 60_000,
            next_ms: 0,
        };
        let early = (0..1_000)
            .filter(|n| schedule.wait_ms(7, *n) < schedule.every_ms)
            .count();
        assert!((400..600).contains(&early), "{early}");
        let of = |seed| {
            (0..10)
                .map(move |n| schedule.wait_ms(seed, n))
                .collect::<Vec<_>>()
        };
        assert_ne!(of(1), of(2));
        assert_eq!(of(3), of(3));
    }
}
