//! Polls, quizzes and votes.
//!
//! Answers are added up here; nobody is told more than the sums, but for those
//! who hold polls, and only of a named one. Of an **anonymous** poll the ledger
//! must not tell who cast which ballot: ballots are gathered and written
//! together, the people by their keys and the ballots by what they say, and the
//! newest [`BALLOTS_LEAST`] wait until the next ones or the close, so that none
//! is ever written alone while the poll goes on. Who cast one is told `ok` when
//! it is written; what was not written when the server died was acknowledged to
//! nobody, and its people are asked again.

mod draft;
mod held;
mod tell;

use std::collections::HashMap;

use lophoc_ledger::{Event, EventKind, PersonKey};
use lophoc_protocol::limits::POLLS_SHOWN;
use lophoc_protocol::poll::{PollChoice, PollDraft, PollState};
use lophoc_protocol::{
    Action, ClientMessage, ErrorCode, PersonId, PollId, ServerFrame, ServerMessage,
};

use crate::act::{Done, Outcome};
use crate::api::{Effect, LinkId};
use crate::bounds::{
    BALLOTS_EVENT, BALLOTS_EVERY_MS, BALLOTS_LEAST, BALLOTS_MOST, POLL_ANSWER_BYTES, POLL_ANSWERS,
    POLLS_EVER, POLLS_OPEN,
};
use crate::chat::is_cid;
use crate::lesson::Until;
use crate::room::{Room, key_of};
use draft::{clean_answer, clean_draft};
use held::{Ballot, Held, Row};

/// What a person's page knows of the polls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PollsSeen {
    /// It was sent what only those see who hold polls.
    secrets: bool,
    /// It has just got a `state`, from which so many of the oldest were left out.
    older: Option<usize>,
}

/// The polls of a room.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    /// On the screens, oldest first; at most [`POLLS_SHOWN`].
    list: Vec<Held>,
    /// All that were opened in this session, by the client's ids.
    made: HashMap<(PersonId, String), PollId>,
    /// Whose ballot is written and who has not been told so.
    kept: Vec<(PersonId, LinkId, u32)>,
}

impl Polls {
    fn place(&self, id: &PollId) -> Option<usize> {
        self.list.iter().position(|poll| poll.id == *id)
    }

    fn get(&self, id: &PollId) -> Result<&Held, ErrorCode> {
        self.list
            .iter()
            .find(|poll| poll.id == *id)
            .ok_or(ErrorCode::NotFound)
    }

    fn get_mut(&mut self, id: &PollId) -> Option<&mut Held> {
        self.list.iter_mut().find(|poll| poll.id == *id)
    }
}

fn id_of(key: &PersonKey) -> PersonId {
    PersonId(key.0.clone())
}

impl Room {
    /// `pollOpen` and what follows it.
    pub(crate) fn poll_act(
        &mut self,
        me: &PersonId,
        link: LinkId,
        id: Option<u32>,
        msg: ClientMessage,
    ) -> Outcome {
        use ClientMessage as M;
        match msg {
            M::PollOpen { cid, draft } => {
                let poll = self.poll_open(me, cid, draft)?;
                // As durable as an `ok`.
                let msg = ServerMessage::PollOpened { poll };
                let frame = ServerFrame { seq: None, id, msg };
                self.out.push(Effect::Send {
                    link,
                    frame,
                    after_commit: true,
                });
                Ok(Done::Later)
            }
            M::PollAnswer { poll, answer } => self.poll_answer(me, link, id, &poll, &answer),
            M::PollClose { poll } => {
                self.need(me, Action::Poll)?;
                if self.polls.get(&poll)?.is_open() {
                    self.close_poll(&poll, Some(me));
                    self.say_ballots_kept();
                }
                Ok(Done::Ok)
            }
            M::PollShow { poll, on } => self.poll_show(me, &poll, on),
            M::PollDrop { poll } => {
                self.need(me, Action::Poll)?;
                if self.polls.get(&poll)?.is_open() {
                    return Err(ErrorCode::Conflict);
                }
                self.drop_poll(me, &poll);
                Ok(Done::Ok)
            }
            M::PollPage { poll, from, n } => {
                self.need(me, Action::Poll)?;
                let poll = self.polls.get(&poll)?;
                if poll.draft.anonymous {
                    return Err(ErrorCode::Forbidden);
                }
                let (total, list) = poll.page(from, n);
                Ok(Done::Reply(ServerMessage::PollPage { total, list }))
            }
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn poll_open(
        &mut self,
        me: &PersonId,
        cid: String,
        draft: PollDraft,
    ) -> Result<PollId, ErrorCode> {
        self.need(me, Action::Poll)?;
        if !is_cid(&cid) {
            return Err(ErrorCode::BadRequest);
        }
        if let Some(made) = self.polls.made.get(&(me.clone(), cid.clone())) {
            return Ok(made.clone());
        }
        let draft = clean_draft(draft)?;
        if self.polls.made.len() >= POLLS_EVER {
            return Err(ErrorCode::Full);
        }
        if self.polls.list.iter().filter(|poll| poll.is_open()).count() >= POLLS_OPEN {
            return Err(ErrorCode::Conflict);
        }
        if self.polls.list.len() >= POLLS_SHOWN {
            // The screens show the newest; the record has them all.
            let oldest = self.polls.list.iter().find(|poll| !poll.is_open());
            let oldest = oldest.map(|poll| poll.id.clone());
            self.drop_poll(me, &oldest.ok_or(ErrorCode::Conflict)?);
        }
        let id = PollId(format!("v{}", self.next_event));
        let until = draft
            .secs
            .map(|secs| Until::after(self.now, u64::from(secs) * 1_000));
        self.record(EventKind::PollOpened {
            id: id.0.clone(),
            cid: cid.clone(),
            by: key_of(me),
            draft: serde_json::to_value(&draft).map_err(|_| ErrorCode::Internal)?,
            until_ms: until.map(|until| until.wall_ms),
        });
        let by = self.name_of(me);
        let (at_ms, now_ms) = (self.now.wall_ms, self.now.mono_ms);
        let held = Held::new(id.clone(), by, draft, at_ms, until, now_ms);
        self.polls.made.insert((me.clone(), cid), id.clone());
        self.polls.list.push(held);
        self.tell_poll(&id);
        Ok(id)
    }

    fn poll_answer(
        &mut self,
        me: &PersonId,
        link: LinkId,
        id: Option<u32>,
        poll: &PollId,
        answer: &[PollChoice],
    ) -> Outcome {
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let bytes = self.polls.list.iter().map(|poll| poll.bytes).sum::<usize>();
        let held = self.polls.get(poll)?;
        if !held.may_answer(member) {
            return Err(ErrorCode::Forbidden);
        }
        if !held.is_open() {
            return Err(ErrorCode::Conflict);
        }
        let answer = clean_answer(&held.draft, answer)?;
        let voice = held.voice_of(member);
        if held.is_spoken_for(voice.as_ref(), me) {
            return Err(ErrorCode::Conflict);
        }
        let again = held.has_answered(me);
        let many = usize::try_from(held.answered()).unwrap_or(usize::MAX);
        if bytes >= POLL_ANSWER_BYTES || (!again && many >= POLL_ANSWERS) {
            return Err(ErrorCode::Full);
        }
        if held.draft.anonymous {
            return self.cast_ballot(me, (link, id), poll, voice, answer);
        }
        let mine = ServerMessage::PollMine {
            poll: poll.clone(),
            answer: answer.clone(),
            score: None,
        };
        if held.has_row(me, &answer) {
            // Sent again.
            self.send_durable(link, None, mine);
            return Ok(Done::Ok);
        }
        let row = Row {
            name: member.name.clone(),
            unit: member.unit.clone().or_else(|| member.site.clone()),
            answer: answer.clone(),
            at_ms: self.now.wall_ms,
        };
        self.record(EventKind::PollAnswered {
            person: key_of(me),
            id: poll.0.clone(),
            answer: Some(serde_json::to_value(&answer).map_err(|_| ErrorCode::Internal)?),
            voice: None,
        });
        if let Some(held) = self.polls.get_mut(poll) {
            held.put(me, voice, row);
        }
        self.send_durable(link, None, mine);
        Ok(Done::Ok)
    }

    /// Takes a ballot of an anonymous poll; its `ok` comes when it is written.
    fn cast_ballot(
        &mut self,
        me: &PersonId,
        (link, id): (LinkId, Option<u32>),
        poll: &PollId,
        voice: Option<String>,
        answer: Vec<PollChoice>,
    ) -> Outcome {
        let held = self.polls.get_mut(poll).ok_or(ErrorCode::NotFound)?;
        if held.has_answered(me) {
            // The same once more, and not written yet: sent again.
            let waits = held.ballots.iter_mut().find(|ballot| ballot.who == *me);
            let waits = waits.filter(|ballot| ballot.answer == answer);
            let ballot = waits.ok_or(ErrorCode::Conflict)?;
            (ballot.link, ballot.id) = (link, id);
        } else {
            let who = me.clone();
            held.cast(Ballot {
                who,
                voice,
                answer,
                link,
                id,
            });
        }
        let mine = ServerMessage::PollMine {
            poll: poll.clone(),
            answer: Vec::new(),
            score: None,
        };
        self.send(link, mine);
        Ok(Done::Later)
    }

    fn poll_show(&mut self, me: &PersonId, id: &PollId, on: bool) -> Outcome {
        self.need(me, Action::Poll)?;
        let state = self.polls.get(id)?.st;
        let wanted = if on {
            PollState::Shown
        } else {
            PollState::Closed
        };
        if state == PollState::Open {
            return Err(ErrorCode::Conflict);
        }
        if state == wanted {
            return Ok(Done::Ok);
        }
        self.record(EventKind::PollShown {
            id: id.0.clone(),
            on,
            by: key_of(me),
        });
        if let Some(poll) = self.polls.get_mut(id) {
            poll.st = wanted;
        }
        self.tell_poll(id);
        self.tell_scores(id);
        Ok(Done::Ok)
    }

    fn drop_poll(&mut self, by: &PersonId, id: &PollId) {
        let Some(place) = self.polls.place(id) else {
            return;
        };
        self.polls.list.remove(place);
        self.record(EventKind::PollDropped {
            id: id.0.clone(),
            by: key_of(by),
        });
        self.broadcast(ServerMessage::PollGone { poll: id.clone() });
    }

    /// Takes no more answers; `by` is absent when the time ran out.
    fn close_poll(&mut self, id: &PollId, by: Option<&PersonId>) {
        let unnamed = self.write_ballots(id, usize::MAX);
        let Some(place) = self.polls.place(id) else {
            return;
        };
        let Some(poll) = self.polls.list.get_mut(place) else {
            return;
        };
        poll.eligible = poll.eligible_of(self.roster.iter());
        poll.st = PollState::Closed;
        let eligible = poll.eligible;
        self.record(EventKind::PollClosed {
            id: id.0.clone(),
            by: by.map(key_of),
            eligible,
            unnamed,
        });
        self.tell_poll(id);
    }

    /// Writes the oldest ballots that wait, at most so many: people by their
    /// keys, ballots by what they say. Where earlier ones are written and these
    /// are too few to hide each other, as it can be after a restart, it is not
    /// written who answered; how many these are.
    fn write_ballots(&mut self, id: &PollId, most: usize) -> u32 {
        let now_ms = self.now.mono_ms;
        let Some(poll) = self.polls.get_mut(id) else {
            return 0;
        };
        poll.kept_ms = now_ms;
        let many = poll.ballots.len().min(most);
        let written: Vec<Ballot> = poll.ballots.drain(..many).collect();
        if written.is_empty() {
            return 0;
        }
        let named = !poll.has_written || many >= BALLOTS_LEAST;
        let mut people = Vec::with_capacity(many);
        let mut ballots = Vec::with_capacity(many);
        for ballot in written {
            people.push((key_of(&ballot.who), ballot.voice));
            let json = serde_json::to_value(&ballot.answer).unwrap_or_default();
            ballots.push((json.to_string(), json, ballot.answer));
            if let Some(id) = ballot.id {
                self.polls.kept.push((ballot.who, ballot.link, id));
            }
        }
        people.sort_unstable();
        ballots.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (person, voice) in people.into_iter().filter(|_| named) {
            self.record(EventKind::PollAnswered {
                person,
                id: id.0.clone(),
                answer: None,
                voice,
            });
        }
        for part in ballots.chunks(BALLOTS_EVENT) {
            self.record(EventKind::PollBallots {
                id: id.0.clone(),
                ballots: part.iter().map(|(_, json, _)| json.clone()).collect(),
            });
        }
        if let Some(poll) = self.polls.get_mut(id) {
            for (_, _, answer) in &ballots {
                poll.written(answer);
            }
        }
        if named {
            0
        } else {
            u32::try_from(many).unwrap_or(u32::MAX)
        }
    }

    /// Says `ok` to those whose ballots were just written, after everything else
    /// that is written with them.
    pub(crate) fn say_ballots_kept(&mut self) {
        for (who, link, id) in std::mem::take(&mut self.polls.kept) {
            if self.links.get(&link) == Some(&who) {
                self.say_ok(link, Some(id));
            }
        }
    }

    /// The server stops: ballots are written where they are enough to hide each
    /// other. The links go, so nobody is told; the others are asked again.
    pub(crate) fn keep_ballots(&mut self) {
        for id in self.open_polls() {
            let waiting = self.polls.get(&id).map_or(0, |poll| poll.ballots.len());
            if waiting >= BALLOTS_LEAST {
                self.write_ballots(&id, usize::MAX);
            }
        }
        self.polls.kept.clear();
    }

    /// The session ends, and with it what is asked.
    pub(crate) fn close_polls(&mut self) {
        for id in self.open_polls() {
            self.close_poll(&id, None);
        }
    }

    fn open_polls(&self) -> Vec<PollId> {
        let open = self.polls.list.iter().filter(|poll| poll.is_open());
        open.map(|poll| poll.id.clone()).collect()
    }

    /// Tells what was gathered, writes ballots, closes what is over.
    pub(crate) fn tick_polls(&mut self) {
        let now_ms = self.now.mono_ms;
        for id in self.open_polls() {
            let Ok(poll) = self.polls.get(&id) else {
                continue;
            };
            if poll.until.is_some_and(|until| now_ms >= until.mono_ms) {
                self.close_poll(&id, None);
                continue;
            }
            let ready = poll.ballots.len().saturating_sub(BALLOTS_LEAST);
            if ready >= BALLOTS_LEAST && now_ms.saturating_sub(poll.kept_ms) >= BALLOTS_EVERY_MS {
                self.write_ballots(&id, ready.min(BALLOTS_MOST));
            }
            self.tell_poll_when_due(&id);
        }
    }

    /// Takes up an event of a poll from the ledger.
    pub(crate) fn replay_poll(&mut self, event: &Event) {
        let at_ms = event.at.wall_ms;
        let now = self.now;
        match &event.kind {
            EventKind::PollOpened {
                id,
                cid,
                by,
                draft,
                until_ms,
            } => {
                let id = PollId(id.clone());
                let made = (id_of(by), cid.clone());
                self.polls.made.insert(made, id.clone());
                let Ok(draft) = serde_json::from_value::<PollDraft>(draft.clone()) else {
                    return;
                };
                let by = self.name_of(&id_of(by));
                let until = until_ms.map(|until_ms| Until::wall(now, until_ms));
                let held = Held::new(id, by, draft, at_ms, until, now.mono_ms);
                self.polls.list.push(held);
            }
            EventKind::PollAnswered {
                person,
                id,
                answer,
                voice,
            } => {
                let who = id_of(person);
                let Some(poll) = self.polls.get_mut(&PollId(id.clone())) else {
                    return;
                };
                let Some(answer) = answer else {
                    // He may have been removed before it was written.
                    poll.mark(&who, voice.clone());
                    return;
                };
                let Some(member) = self.roster.get(&who) else {
                    return;
                };
                let voice = poll.voice_of(member);
                if let Ok(answer) = serde_json::from_value::<Vec<PollChoice>>(answer.clone()) {
                    let row = Row {
                        name: member.name.clone(),
                        unit: member.unit.clone().or_else(|| member.site.clone()),
                        answer,
                        at_ms,
                    };
                    poll.put(&who, voice, row);
                }
            }
            EventKind::PollBallots { id, ballots } => {
                if let Some(poll) = self.polls.get_mut(&PollId(id.clone())) {
                    for ballot in ballots {
                        if let Ok(answer) =
                            serde_json::from_value::<Vec<PollChoice>>(ballot.clone())
                        {
                            poll.count(&answer);
                        }
                    }
                }
            }
            EventKind::PollClosed {
                id,
                eligible,
                unnamed,
                ..
            } => {
                if let Some(poll) = self.polls.get_mut(&PollId(id.clone())) {
                    poll.st = PollState::Closed;
                    poll.unnamed = *unnamed;
                    poll.eligible = *eligible;
                }
            }
            EventKind::PollShown { id, on, .. } => {
                if let Some(poll) = self.polls.get_mut(&PollId(id.clone())) {
                    poll.st = if *on {
                        PollState::Shown
                    } else {
                        PollState::Closed
                    };
                }
            }
            EventKind::PollDropped { id, .. } => {
                self.polls.list.retain(|poll| poll.id.as_str() != id);
            }
            _ => {}
        }
    }
}
