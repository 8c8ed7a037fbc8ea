//! Sites (điểm cầu) whose links are lost and come back: written into the incident
//! log by the server itself.

use std::collections::HashMap;

use lophoc_ledger::PersonKey;
use lophoc_protocol::PersonId;
use lophoc_room::SiteNow;

/// A site is written down as lost when it is gone for this long, ms. Shorter cuts
/// heal by themselves, and longer than [`RESUME_MS`](lophoc_protocol::limits::RESUME_MS)
/// nobody is awaited.
pub(super) const LOST_AFTER_MS: u64 = 30_000;
/// Sites remembered. Overflow: further ones are not written down.
const MOST: usize = 2_000;

/// What is to be written of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Lost since then, ms since the epoch.
    Lost {
        site: PersonKey,
        name: String,
        since_ms: u64,
    },
    /// Back since then, ms since the epoch.
    Back { site: PersonKey, since_ms: u64 },
}

/// What was written of each site.
#[derive(Debug, Default)]
pub(super) struct Watch {
    lost: HashMap<PersonId, bool>,
}

impl Watch {
    /// What is new. Of a room that was loaded every site that is here is told as
    /// back: the log knows whether it was lost.
    pub(super) fn look(&mut self, sites: &[SiteNow], now_ms: u64) -> Vec<News> {
        let mut news = Vec::new();
        for site in sites {
            let known = self.lost.get(&site.person).copied();
            if known.is_none() && self.lost.len() >= MOST {
                continue;
            }
            let lost = if site.here {
                false
            } else if now_ms.saturating_sub(site.since_ms) >= LOST_AFTER_MS {
                true
            } else {
                continue;
            };
            if known == Some(lost) {
                continue;
            }
            self.lost.insert(site.person.clone(), lost);
            let (key, since_ms) = (PersonKey(site.person.0.clone()), site.since_ms);
            news.push(if lost {
                News::Lost {
                    site: key,
                    name: site.name.clone(),
                    since_ms,
                }
            } else {
                News::Back {
                    site: key,
                    since_ms,
                }
            });
        }
        news
    }

    /// It could not be written: it is told again.
    pub(super) fn forget(&mut self, site: &PersonKey) {
        self.lost.remove(&PersonId(site.0.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(here: bool, since_ms: u64) -> SiteNow {
        SiteNow {
            person: PersonId::from("p-site"),
            name: "Điểm cầu Sa Pa".to_owned(),
            here,
            since_ms,
        }
    }

    #[test]
    fn a_cut_is_told_once_when_it_lasts_and_once_when_it_is_over() {
        let mut watch = Watch::default();
        let key = || PersonKey::from("p-site");
        let back = |since_ms| News::Back {
            site: key(),
            since_ms,
        };
        assert_eq!(watch.look(&[site(true, 5)], 10), [back(5)]);
        assert_eq!(watch.look(&[site(true, 5)], 20), []);
        assert_eq!(watch.look(&[site(false, 100)], 100 + LOST_AFTER_MS - 1), []);
        let lost = News::Lost {
            site: key(),
            name: "Điểm cầu Sa Pa".to_owned(),
            since_ms: 100,
        };
        assert_eq!(watch.look(&[site(false, 100)], 100 + LOST_AFTER_MS), [lost]);
        assert_eq!(watch.look(&[site(false, 100)], 999_999), []);
        // Out of the roster, then back.
        assert_eq!(watch.look(&[], 999_999), []);
        assert_eq!(watch.look(&[site(true, 200)], 999_999), [back(200)]);
        watch.forget(&key());
        assert_eq!(watch.look(&[site(true, 200)], 999_999), [back(200)]);
    }
}
