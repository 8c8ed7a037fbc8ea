//! Everybody the room knows, and what the others are told of them.

use std::collections::{BTreeSet, HashMap};

use lophoc_protocol::limits::FULL_ROSTER;
use lophoc_protocol::people::Counts;
use lophoc_protocol::server::RaisedHand;
use lophoc_protocol::{Person, PersonId, Role, ServerMessage};

use crate::bounds::{FULL_AGAIN, PEOPLE_EVERY_MS, PEOPLE_FRAME, PEOPLE_FRAME_BYTES, SAMPLE};
use crate::hands::HandQueue;
use crate::person::{Hand, Member, Presence, SortKey};
use crate::text::fold;

/// The people. Changes are gathered and told once per tick; a room of more than
/// [`FULL_ROSTER`] tells of those who stand out, and exact counts.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    members: HashMap<PersonId, Member>,
    /// The present, in the order of pages.
    order: BTreeSet<(SortKey, PersonId)>,
    counts: Counts,
    hands: HandQueue,
    /// Those the broadcasts have told of.
    shown: BTreeSet<PersonId>,
    /// Those a `state` told of before the broadcasts did.
    early: BTreeSet<PersonId>,
    /// Those who changed since.
    dirty: BTreeSet<PersonId>,
    sampled: bool,
    /// Counts as last told; absent when a newcomer was told others.
    told_counts: Option<Counts>,
    told_ms: u64,
    /// How often anybody changed.
    changes: u64,
    told_hands_ms: u64,
}

impl Roster {
    pub(crate) fn get(&self, id: &PersonId) -> Option<&Member> {
        self.members.get(id)
    }

    /// For changes that neither the order, nor the counts, nor other people's
    /// view depend on; [`Self::touch`] where they are to be told.
    pub(crate) fn get_mut(&mut self, id: &PersonId) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    /// A present person.
    pub(crate) fn present(&self, id: &PersonId) -> Option<&Member> {
        self.members.get(id).filter(|member| member.is_present())
    }

    /// The present, in the order of pages.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.order.iter().filter_map(|(_, id)| self.members.get(id))
    }

    /// Ids of the present; for loops that change them.
    pub(crate) fn ids(&self) -> Vec<PersonId> {
        self.order.iter().map(|(_, id)| id.clone()).collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many are known, present or gone.
    pub(crate) fn known(&self) -> usize {
        self.members.len()
    }

    /// How often anybody changed: another number means that somebody did.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The person's entry is to be told.
    pub(crate) fn touch(&mut self, id: &PersonId) {
        self.changes += 1;
        self.dirty.insert(id.clone());
    }

    /// Takes somebody in, or replaces what is known of him. `member` is present.
    pub(crate) fn enter(&mut self, member: Member) {
        self.exit(&member.id.clone(), 0);
        let id = member.id.clone();
        self.count(member.role, 1);
        self.counts.people = self.counts.people.saturating_add(member.heads());
        if let Some(hand) = member.hand {
            self.hands.insert(hand.order, id.clone());
            self.counts.hands += 1;
        }
        self.order.insert((member.sort.clone(), id.clone()));
        self.touch(&id);
        self.members.insert(id, member);
    }

    /// The person is no longer present. What he held stays with him; the queue
    /// and the counts forget it.
    pub(crate) fn exit(&mut self, id: &PersonId, now_wall_ms: u64) {
        let Some(member) = self
            .members
            .get_mut(id)
            .filter(|member| member.is_present())
        else {
            return;
        };
        member.presence = Presence::Gone {
            since_ms: now_wall_ms,
        };
        let (role, sort, hand) = (member.role, member.sort.clone(), member.hand);
        let heads = member.heads();
        self.count(role, -1);
        self.counts.people = self.counts.people.saturating_sub(heads);
        if let Some(hand) = hand {
            self.hands.remove(hand.order);
            self.counts.hands = self.counts.hands.saturating_sub(1);
        }
        self.order.remove(&(sort, id.clone()));
        self.touch(id);
    }

    /// How many people are ticked in at a site; false when nothing changes.
    pub(crate) fn set_hall(&mut self, id: &PersonId, people: u32) -> bool {
        let Some(member) = self
            .members
            .get_mut(id)
            .filter(|member| member.hall != people)
        else {
            return false;
        };
        let before = member.heads();
        member.hall = people;
        if member.is_present() {
            let heads = member.heads();
            let others = self.counts.people.saturating_sub(before);
            self.counts.people = others.saturating_add(heads);
            self.touch(id);
        }
        true
    }

    /// The person's connection stands for a hall.
    pub(crate) fn set_site(&mut self, id: &PersonId, name: &str) {
        let Some(member) = self.members.get(id).cloned() else {
            return;
        };
        let member = Member {
            site: Some(name.to_owned()),
            ..member
        };
        if member.is_present() {
            self.enter(member);
        } else {
            self.members.insert(id.clone(), member);
        }
    }

    /// Another role: another place in the order, other counts.
    pub(crate) fn set_role(&mut self, id: &PersonId, role: Role) {
        let Some(mut member) = self.members.get(id).cloned() else {
            return;
        };
        let (name, unit) = (member.name.clone(), member.unit.clone());
        member.rename(name, unit, role);
        if member.is_present() {
            self.enter(member);
        } else {
            self.members.insert(id.clone(), member);
        }
    }

    /// Nobody, present or gone, is assigned to a group any more.
    pub(crate) fn ungroup(&mut self) {
        for member in self.members.values_mut() {
            if member.group.take().is_some() && member.is_present() {
                self.dirty.insert(member.id.clone());
            }
        }
    }

    /// Keeps somebody in mind who is not here.
    pub(crate) fn remember(&mut self, member: Member) {
        self.members.entry(member.id.clone()).or_insert(member);
    }

    /// Forgets somebody who is gone.
    pub(crate) fn forget(&mut self, id: &PersonId) {
        if self
            .members
            .get(id)
            .is_some_and(|member| !member.is_present())
        {
            self.members.remove(id);
        }
    }

    /// Forgets of the gone who left longest ago; false when all are present.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        let oldest = self
            .members
            .values()
            .filter_map(|member| match member.presence {
                Presence::Gone { since_ms } => Some((since_ms, &member.id)),
                Presence::Linked(_) | Presence::Lost { .. } => None,
            })
            .min()
            .map(|(_, id)| id.clone());
        oldest.is_some_and(|id| self.members.remove(&id).is_some())
    }

    fn count(&mut self, role: Role, by: i32) {
        let field = match role {
            Role::Learner => &mut self.counts.learners,
            Role::Guest => &mut self.counts.guests,
            _ => &mut self.counts.staff,
        };
        *field = field.saturating_add_signed(by);
        self.counts.total = self.counts.total.saturating_add_signed(by);
    }

    /// Raises the hand of a present person; false when it is up already.
    pub(crate) fn raise(&mut self, id: &PersonId, at_ms: u64) -> bool {
        let Some(member) = self.members.get_mut(id) else {
            return false;
        };
        if !member.is_present() || member.hand.is_some() {
            return false;
        }
        let order = self.hands.next_order();
        member.hand = Some(Hand { order, at_ms });
        self.hands.insert(order, id.clone());
        self.counts.hands += 1;
        self.touch(id);
        true
    }

    /// Lowers a hand; false when it is down already.
    pub(crate) fn lower(&mut self, id: &PersonId) -> bool {
        let Some(member) = self.members.get_mut(id) else {
            return false;
        };
        let Some(hand) = member.hand.take() else {
            return false;
        };
        if member.is_present() {
            self.hands.remove(hand.order);
            self.counts.hands = self.counts.hands.saturating_sub(1);
            self.touch(id);
        }
        true
    }

    /// Everybody with a hand up, in order.
    pub(crate) fn raised(&self) -> Vec<PersonId> {
        self.hands.all()
    }

    /// The head of the queue, for a newcomer.
    pub(crate) fn hands_head(&mut self) -> Vec<RaisedHand> {
        let members = &self.members;
        self.hands.show(|id| hand_entry(members, id))
    }

    /// Roster entries for a `state`, and whether they are a sample. Whoever
    /// stands out comes first, `own` before all.
    pub(crate) fn state(&mut self, own: &PersonId) -> (Vec<Person>, bool) {
        let mut list = Vec::new();
        let mut bytes = 0;
        let mut cut = false;
        let rest: Vec<&Member> = if self.sampled || self.order.len() > FULL_ROSTER {
            self.shown
                .iter()
                .filter_map(|id| self.members.get(id))
                .filter(|m| m.is_present())
                .collect()
        } else {
            let (first, then): (Vec<&Member>, Vec<&Member>) = self
                .order
                .iter()
                .filter_map(|(_, id)| self.members.get(id))
                .partition(|m| m.stands_out());
            first.into_iter().chain(then).collect()
        };
        let own_first = self.members.get(own).into_iter();
        for member in own_first.chain(rest.into_iter().filter(|member| member.id != *own)) {
            bytes += member.entry_bytes();
            if bytes > PEOPLE_FRAME_BYTES {
                cut = true;
                break;
            }
            list.push(member.entry());
        }
        for person in &list {
            if !self.shown.contains(&person.id) {
                self.early.insert(person.id.clone());
            }
        }
        if self.told_counts != Some(self.counts) {
            self.told_counts = None;
        }
        let all = usize::try_from(self.counts.total).unwrap_or(usize::MAX);
        let sampled = cut || list.len() < all;
        (list, sampled)
    }

    /// A page of the present whose name or unit holds every word of `q`.
    pub(crate) fn page(&self, q: &str, from: usize, n: usize) -> (u32, Vec<Person>) {
        let q = fold(q);
        // A word said twice asks for no more work.
        let words: BTreeSet<&str> = q.split_whitespace().collect();
        let mut total = 0usize;
        let mut list = Vec::new();
        for member in self.iter() {
            if !words.iter().all(|word| member.search.contains(word)) {
                continue;
            }
            if total >= from && list.len() < n {
                list.push(member.entry());
            }
            total += 1;
        }
        (u32::try_from(total).unwrap_or(u32::MAX), list)
    }

    /// Milliseconds between two `people`: a room tenfold as large is told ten
    /// times less often, so the work per second stays flat per person.
    pub(crate) fn every_ms(&self) -> u64 {
        let size = u64::from(self.counts.total) / FULL_ROSTER as u64;
        PEOPLE_EVERY_MS * size.max(1)
    }

    /// What changed since the last time, when there is something and it is time.
    pub(crate) fn news(&mut self, now_ms: u64) -> Option<ServerMessage> {
        if now_ms < self.told_ms.saturating_add(self.every_ms()) {
            return None;
        }
        let total = self.order.len();
        if !self.sampled && total > FULL_ROSTER {
            self.sampled = true;
            self.dirty.extend(self.shown.iter().cloned());
        } else if self.sampled && total <= FULL_AGAIN {
            self.sampled = false;
            self.dirty
                .extend(self.order.iter().map(|(_, id)| id.clone()));
        }
        if self.dirty.is_empty() && self.told_counts == Some(self.counts) {
            return None;
        }
        let (mut add, mut chg, mut del) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        while bytes < PEOPLE_FRAME_BYTES && add.len() + chg.len() < PEOPLE_FRAME {
            let Some(id) = self.dirty.pop_first() else {
                break;
            };
            let early = self.early.remove(&id);
            let listed = self
                .members
                .get(&id)
                .filter(|member| member.is_present() && (!self.sampled || member.stands_out()));
            match listed {
                Some(member) if self.shown.contains(&id) => {
                    bytes += member.entry_bytes();
                    chg.push(member.entry());
                }
                Some(member) if !self.sampled || self.shown.len() < SAMPLE => {
                    bytes += member.entry_bytes();
                    add.push(member.entry());
                    self.shown.insert(id);
                }
                Some(_) => {}
                None => {
                    if self.shown.remove(&id) || early {
                        bytes += id.as_str().len() + 3;
                        del.push(id);
                    }
                }
            }
        }
        if add.is_empty()
            && chg.is_empty()
            && del.is_empty()
            && self.told_counts == Some(self.counts)
        {
            return None;
        }
        self.told_ms = now_ms;
        self.told_counts = Some(self.counts);
        Some(ServerMessage::People {
            counts: self.counts,
            add,
            chg,
            del,
        })
    }

    /// The hand queue, when its head changed and it is time.
    pub(crate) fn hand_news(&mut self, now_ms: u64) -> Option<ServerMessage> {
        if now_ms < self.told_hands_ms.saturating_add(self.every_ms()) {
            return None;
        }
        let members = &self.members;
        let list = self.hands.news(|id| hand_entry(members, id))?;
        self.told_hands_ms = now_ms;
        Some(ServerMessage::Hands { list })
    }
}

fn hand_entry(members: &HashMap<PersonId, Member>, id: &PersonId) -> Option<RaisedHand> {
    let member = members.get(id)?;
    Some(RaisedHand {
        who: id.clone(),
        name: member.name.clone(),
        at: member.hand?.at_ms,
    })
}
