//! Questions and answers (hỏi đáp): asked by everybody, wanted by others,
//! reviewed and answered by those who moderate.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_QUESTION, QUESTIONS_SHOWN};
use lophoc_protocol::talk::{Question, QuestionState};
use lophoc_protocol::{Action, ClientMessage, ErrorCode, PersonId, QuestionId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{
    QUESTION_VOTES, QUESTIONS_EACH, QUESTIONS_EVERY_MS, QUESTIONS_FRAME_BYTES, QUESTIONS_KEPT,
    QUESTIONS_KEPT_BYTES, QUESTIONS_STATE_BYTES,
};
use crate::chat::is_cid;
use crate::person::Member;
use crate::room::{Room, key_of};
use crate::talk::code_of;
use crate::text::{clean_chat, json_len};

/// A question as the room keeps it.
#[derive(Debug)]
struct Asked {
    author: PersonId,
    cid: String,
    /// As it is shown: without the author where asked without the name.
    shown: Question,
    /// Who wants it answered.
    up: BTreeSet<PersonId>,
}

impl Asked {
    fn text_bytes(&self) -> usize {
        json_len(&self.shown.text) + self.shown.answer.as_deref().map_or(0, json_len)
    }

    /// Upper bound of the length in JSON, bytes; 160 for the fixed fields.
    fn frame_bytes(&self) -> usize {
        let shown = &self.shown;
        160 + json_len(&shown.text)
            + shown.answer.as_deref().map_or(0, json_len)
            + shown.name.as_deref().map_or(0, json_len)
            + shown.by.as_deref().map_or(0, json_len)
            + shown
                .from
                .as_ref()
                .map_or(0, |from| json_len(from.as_str()))
    }
}

/// The questions of a room. Bounded; see [`QUESTIONS_KEPT`],
/// [`QUESTIONS_KEPT_BYTES`], [`QUESTIONS_EACH`] and [`QUESTION_VOTES`].
#[derive(Debug, Default)]
pub(crate) struct Questions {
    /// By the number of the event that asked: in order of asking.
    list: BTreeMap<u64, Asked>,
    sent: HashMap<(PersonId, String), u64>,
    bytes: usize,
    votes: usize,
    /// New, or with other votes, since the last was told.
    dirty: BTreeSet<u64>,
    told_ms: Option<u64>,
}

/// Whether everybody sees a question in this state.
fn is_public(st: QuestionState) -> bool {
    !matches!(st, QuestionState::Held | QuestionState::Dismissed)
}

/// Whether it waits for an answer.
fn is_pending(st: QuestionState) -> bool {
    matches!(
        st,
        QuestionState::Held | QuestionState::Open | QuestionState::Live
    )
}

fn state_name(st: QuestionState) -> &'static str {
    match st {
        QuestionState::Held => "held",
        QuestionState::Open => "open",
        QuestionState::Live => "live",
        QuestionState::Answered => "answered",
        QuestionState::Dismissed => "dismissed",
    }
}

fn state_of(name: &str) -> Option<QuestionState> {
    [
        QuestionState::Held,
        QuestionState::Open,
        QuestionState::Live,
        QuestionState::Answered,
        QuestionState::Dismissed,
    ]
    .into_iter()
    .find(|st| state_name(*st) == name)
}

impl Questions {
    fn number(&self, q: &QuestionId) -> Option<u64> {
        let n = q.as_str().strip_prefix('q')?.parse().ok()?;
        (self.list.get(&n)?.shown.q == *q).then_some(n)
    }

    /// Makes room for one more of so many bytes; what had to go.
    fn make_room(&mut self, bytes: usize) -> Option<Vec<(QuestionId, QuestionState)>> {
        let fits = |many: usize, kept: usize| {
            many < QUESTIONS_KEPT && kept.saturating_add(bytes) <= QUESTIONS_KEPT_BYTES
        };
        if fits(self.list.len(), self.bytes) {
            return Some(Vec::new());
        }
        // Nothing goes when it would not be enough.
        let waiting = self.list.values().filter(|a| is_pending(a.shown.st));
        let (many, kept) = waiting.fold((0, 0), |(many, kept), asked| {
            (many + 1, kept + asked.text_bytes())
        });
        if !fits(many, kept) {
            return None;
        }
        let mut gone = Vec::new();
        while !fits(self.list.len(), self.bytes) {
            let n = self
                .list
                .iter()
                .find(|(_, asked)| !is_pending(asked.shown.st))
                .map(|(n, _)| *n)?;
            let asked = self.list.remove(&n)?;
            self.bytes = self.bytes.saturating_sub(asked.text_bytes());
            self.votes = self.votes.saturating_sub(asked.up.len());
            self.dirty.remove(&n);
            gone.push((asked.shown.q, asked.shown.st));
            self.sent.remove(&(asked.author, asked.cid));
        }
        Some(gone)
    }

    fn insert(&mut self, n: u64, asked: Asked) {
        self.bytes += asked.text_bytes();
        self.sent
            .insert((asked.author.clone(), asked.cid.clone()), n);
        self.list.insert(n, asked);
    }

    /// Sets or takes back a vote; false when nothing changes.
    fn vote(&mut self, n: u64, who: &PersonId, on: bool) -> bool {
        let Some(asked) = self.list.get_mut(&n) else {
            return false;
        };
        let changed = if on {
            asked.up.insert(who.clone())
        } else {
            asked.up.remove(who)
        };
        if changed {
            self.votes = if on {
                self.votes + 1
            } else {
                self.votes.saturating_sub(1)
            };
            asked.shown.up = u32::try_from(asked.up.len()).unwrap_or(u32::MAX);
        }
        changed
    }

    fn set(&mut self, n: u64, st: QuestionState, answer: Option<String>, by: Option<String>) {
        let Some(asked) = self.list.get_mut(&n) else {
            return;
        };
        let before = asked.text_bytes();
        // An answer stays when the question is answered aloud or set aside
        // later, and goes when it is open again.
        if st == QuestionState::Answered {
            if answer.is_some() {
                asked.shown.answer = answer;
            }
        } else {
            asked.shown.answer = None;
        }
        asked.shown.st = st;
        asked.shown.by = match st {
            QuestionState::Answered | QuestionState::Dismissed => by,
            QuestionState::Held | QuestionState::Open | QuestionState::Live => None,
        };
        self.bytes = self.bytes.saturating_sub(before) + asked.text_bytes();
    }

    fn live(&self) -> Option<u64> {
        self.list
            .iter()
            .find(|(_, asked)| asked.shown.st == QuestionState::Live)
            .map(|(n, _)| *n)
    }

    fn mine(&self, who: &PersonId) -> ServerMessage {
        let pick = |which: &dyn Fn(&Asked) -> bool| {
            self.list
                .values()
                .filter(|asked| which(asked))
                .map(|asked| asked.shown.q.clone())
                .collect()
        };
        ServerMessage::QuestionsMine {
            asked: pick(&|asked| asked.author == *who),
            up: pick(&|asked| asked.up.contains(who)),
        }
    }
}

/// Frames that hold these questions, each of bounded size.
fn frames<'a>(list: impl Iterator<Item = &'a Asked>) -> Vec<ServerMessage> {
    let mut all = Vec::new();
    let mut set = Vec::new();
    let mut bytes = 0;
    for asked in list {
        bytes += asked.frame_bytes();
        if bytes > QUESTIONS_FRAME_BYTES && !set.is_empty() {
            all.push(std::mem::take(&mut set));
            bytes = asked.frame_bytes();
        }
        set.push(asked.shown.clone());
    }
    if !set.is_empty() {
        all.push(set);
    }
    all.into_iter()
        .map(|set| ServerMessage::Questions {
            set,
            del: Vec::new(),
        })
        .collect()
}

impl Room {
    /// `question`, `questionUp`, `questionSet`.
    pub(crate) fn question_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        match msg {
            ClientMessage::Question {
                cid,
                text,
                anonymous,
            } => self.question(me, &cid, &text, anonymous),
            ClientMessage::QuestionUp { q, on } => self.question_up(me, &q, on),
            ClientMessage::QuestionSet { q, st, answer } => self.question_set(me, &q, st, answer),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn question(&mut self, me: &PersonId, cid: &str, text: &str, anonymous: bool) -> Outcome {
        self.need(me, Action::Question)?;
        if !is_cid(cid) {
            return Err(ErrorCode::BadRequest);
        }
        let key = (me.clone(), cid.to_owned());
        if self.questions.sent.contains_key(&key) {
            return Ok(Done::Ok);
        }
        let text = question_text(text)?;
        let pending = self
            .questions
            .list
            .values()
            .filter(|asked| asked.author == *me && is_pending(asked.shown.st))
            .count();
        if pending >= QUESTIONS_EACH {
            return Err(ErrorCode::Full);
        }
        let gone = self
            .questions
            .make_room(json_len(&text))
            .ok_or(ErrorCode::Full)?;
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let held = !self.arrangement.permits.open_questions && !member.role.is_staff();
        let id = format!("q{}", self.next_event);
        let n = self.record(EventKind::Question {
            person: key_of(me),
            id: id.clone(),
            cid: cid.to_owned(),
            text: text.clone(),
            anonymous,
            held,
        });
        self.tell_forgotten(gone);
        self.put_question(n, me, cid, id, text, anonymous, held, self.now.wall_ms);
        self.questions.dirty.insert(n);
        if let Some(link) = self.roster.get(me).and_then(Member::link) {
            if held && let Some(asked) = self.questions.list.get(&n) {
                let msg = ServerMessage::Questions {
                    set: vec![asked.shown.clone()],
                    del: Vec::new(),
                };
                self.send_durable(link, None, msg);
            }
            let mine = self.questions.mine(me);
            self.send_durable(link, None, mine);
        }
        Ok(Done::Ok)
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    fn put_question(
        &mut self,
        n: u64,
        author: &PersonId,
        cid: &str,
        id: String,
        text: String,
        anonymous: bool,
        held: bool,
        at_ms: u64,
    ) {
        let name = (!anonymous).then(|| self.name_of(author));
        let asked = Asked {
            author: author.clone(),
            cid: cid.to_owned(),
            shown: Question {
                q: QuestionId(id),
                from: (!anonymous).then(|| author.clone()),
                name,
                text,
                at: at_ms,
                up: 0,
                st: if held {
                    QuestionState::Held
                } else {
                    QuestionState::Open
                },
                answer: None,
                by: None,
            },
            up: BTreeSet::new(),
        };
        self.questions.insert(n, asked);
    }

    /// What left memory leaves the screens.
    fn tell_forgotten(&mut self, gone: Vec<(QuestionId, QuestionState)>) {
        let (open, hidden): (Vec<_>, Vec<_>) = gone.into_iter().partition(|(_, st)| is_public(*st));
        let ids = |list: Vec<(QuestionId, QuestionState)>| -> Vec<QuestionId> {
            list.into_iter().map(|(q, _)| q).collect()
        };
        let (open, hidden) = (ids(open), ids(hidden));
        if !open.is_empty() {
            self.broadcast(ServerMessage::Questions {
                set: Vec::new(),
                del: open,
            });
        }
        if !hidden.is_empty() {
            let msg = ServerMessage::Questions {
                set: Vec::new(),
                del: hidden,
            };
            self.tell_moderators(&msg, None);
        }
    }

    /// Whether the person sees a question: what all see, his own, and as a
    /// moderator everything.
    fn sees(&self, member: &Member, asked: &Asked) -> bool {
        is_public(asked.shown.st)
            || asked.author == member.id
            || self.member_may(member, Action::Moderate)
    }

    fn question_up(&mut self, me: &PersonId, q: &QuestionId, on: bool) -> Outcome {
        self.need(me, Action::Question)?;
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let n = self.questions.number(q).ok_or(ErrorCode::NotFound)?;
        let asked = self.questions.list.get(&n).ok_or(ErrorCode::NotFound)?;
        if !self.sees(member, asked) {
            return Err(ErrorCode::NotFound);
        }
        // The author wants it answered by having asked.
        if asked.author == *me {
            return Err(ErrorCode::Forbidden);
        }
        if !matches!(asked.shown.st, QuestionState::Open | QuestionState::Live) {
            return Err(ErrorCode::Conflict);
        }
        if on && self.questions.votes >= QUESTION_VOTES && !asked.up.contains(me) {
            return Err(ErrorCode::Full);
        }
        if self.questions.vote(n, me, on) {
            self.record(EventKind::QuestionUp {
                person: key_of(me),
                id: q.0.clone(),
                on,
            });
            self.questions.dirty.insert(n);
            if let Some(link) = self.roster.get(me).and_then(Member::link) {
                let mine = self.questions.mine(me);
                self.send_durable(link, None, mine);
            }
        }
        Ok(Done::Ok)
    }

    fn question_set(
        &mut self,
        me: &PersonId,
        q: &QuestionId,
        st: QuestionState,
        answer: Option<String>,
    ) -> Outcome {
        use QuestionState as S;
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let moderates = self.member_may(member, Action::Moderate);
        let n = self.questions.number(q).ok_or(ErrorCode::NotFound)?;
        let asked = self.questions.list.get(&n).ok_or(ErrorCode::NotFound)?;
        if !self.sees(member, asked) {
            return Err(ErrorCode::NotFound);
        }
        let own = asked.author == *me;
        let may = moderates || (own && st == S::Dismissed);
        if !may {
            return Err(ErrorCode::Forbidden);
        }
        if answer.is_some() && st != S::Answered {
            return Err(ErrorCode::BadRequest);
        }
        let answer = answer.as_deref().map(question_text).transpose()?;
        let from = asked.shown.st;
        if from == st && (answer.is_none() || answer == asked.shown.answer) {
            return Ok(Done::Ok);
        }
        let allowed = match (from, st) {
            // What was reviewed is not held again; it can be set aside.
            (_, S::Held) => false,
            // Asked and answered is everybody's.
            (S::Live | S::Answered, S::Dismissed) => moderates,
            _ => true,
        };
        if !allowed {
            return Err(ErrorCode::Conflict);
        }
        let more = answer.as_deref().map_or(0, json_len);
        let left = QUESTIONS_KEPT_BYTES.saturating_sub(self.questions.bytes);
        if more > left {
            return Err(ErrorCode::Full);
        }
        // One at a time: who goes on to the next has answered the one before.
        if st == S::Live
            && let Some(before) = self.questions.live().filter(|before| *before != n)
        {
            self.change_question(before, me, S::Answered, None);
        }
        self.change_question(n, me, st, answer);
        Ok(Done::Ok)
    }

    fn change_question(
        &mut self,
        n: u64,
        by: &PersonId,
        st: QuestionState,
        answer: Option<String>,
    ) {
        let Some(asked) = self.questions.list.get(&n) else {
            return;
        };
        let (id, before) = (asked.shown.q.clone(), asked.shown.st);
        self.record(EventKind::QuestionSet {
            id: id.0.clone(),
            state: state_name(st).to_owned(),
            answer: answer.clone(),
            by: key_of(by),
        });
        let name = self.name_of_other(n, by);
        self.questions.set(n, st, answer, name);
        self.questions.dirty.remove(&n);
        let Some(asked) = self.questions.list.get(&n) else {
            return;
        };
        let author = asked.author.clone();
        let msg = ServerMessage::Questions {
            set: vec![asked.shown.clone()],
            del: Vec::new(),
        };
        if is_public(st) {
            self.broadcast(msg);
            return;
        }
        if is_public(before) {
            self.broadcast(ServerMessage::Questions {
                set: Vec::new(),
                del: vec![id],
            });
        }
        self.tell_moderators(&msg, Some(&author));
    }

    /// Name of who changed a question, unless that is its author: it would tell
    /// who asked without the name.
    fn name_of_other(&self, n: u64, by: &PersonId) -> Option<String> {
        let asked = self.questions.list.get(&n)?;
        (asked.author != *by).then(|| self.name_of(by))
    }

    /// To everybody who moderates, and to one more.
    fn tell_moderators(&mut self, msg: &ServerMessage, also: Option<&PersonId>) {
        let links: Vec<_> = self
            .roster
            .iter()
            .filter(|member| also == Some(&member.id) || self.member_may(member, Action::Moderate))
            .filter_map(Member::link)
            .collect();
        for link in links {
            self.send(link, msg.clone());
        }
    }

    /// The questions a person sees, for his `state`: what is live, then what
    /// waits, the newest first, then what was answered last. In order of asking.
    pub(crate) fn questions_shown(&self, to: &PersonId) -> Vec<Question> {
        let shown = self.questions_in_state(to);
        shown
            .iter()
            .filter_map(|n| self.questions.list.get(n))
            .map(|asked| asked.shown.clone())
            .collect()
    }

    fn questions_in_state(&self, to: &PersonId) -> BTreeSet<u64> {
        let Some(member) = self.roster.get(to) else {
            return BTreeSet::new();
        };
        let mut all: Vec<(u8, u64, &Asked)> = self
            .questions
            .list
            .iter()
            .filter(|(_, asked)| self.sees(member, asked))
            .map(|(n, asked)| {
                let rank = match asked.shown.st {
                    QuestionState::Live => 0,
                    QuestionState::Held | QuestionState::Open => 1,
                    QuestionState::Answered => 2,
                    QuestionState::Dismissed => 3,
                };
                (rank, *n, asked)
            })
            .collect();
        all.sort_by_key(|(rank, n, _)| (*rank, std::cmp::Reverse(*n)));
        let mut bytes = 0;
        all.into_iter()
            .take(QUESTIONS_SHOWN)
            .take_while(|(_, _, asked)| {
                bytes += asked.frame_bytes();
                bytes <= QUESTIONS_STATE_BYTES
            })
            .map(|(_, n, _)| n)
            .collect()
    }

    /// Every question a person sees, in order of asking.
    pub fn questions_seen_by(&self, person: &PersonId) -> Vec<Question> {
        let Some(member) = self.roster.get(person) else {
            return Vec::new();
        };
        self.questions
            .list
            .values()
            .filter(|asked| self.sees(member, asked))
            .map(|asked| asked.shown.clone())
            .collect()
    }

    /// What only this person is told of questions and chat, after `state` and
    /// `resumed`: the messages that concern him, the questions that not all see
    /// or that `state` had no place for, and his own part in them.
    pub(crate) fn talk_mine(&self, to: &PersonId) -> Vec<ServerMessage> {
        let Some(member) = self.roster.get(to) else {
            return Vec::new();
        };
        let mut news: Vec<ServerMessage> = self.chat_mine(member).into_iter().collect();
        if self.questions.list.is_empty() {
            return news;
        }
        let told = self.questions_in_state(to);
        let rest = self.questions.list.iter().filter(|(n, asked)| {
            self.sees(member, asked) && (!is_public(asked.shown.st) || !told.contains(n))
        });
        news.extend(frames(rest.map(|(_, asked)| asked)));
        news.push(self.questions.mine(to));
        news
    }

    /// The person's role changed: he sees more or fewer questions and messages.
    pub(crate) fn show_talk(&mut self, id: &PersonId) {
        let Some(member) = self.roster.present(id) else {
            return;
        };
        let mut news = self.talk_mine(id);
        if !news
            .iter()
            .any(|msg| matches!(msg, ServerMessage::ChatMine { .. }))
        {
            news.push(ServerMessage::ChatMine { list: Vec::new() });
        }
        let del: Vec<QuestionId> = self
            .questions
            .list
            .values()
            .filter(|asked| !self.sees(member, asked))
            .map(|asked| asked.shown.q.clone())
            .collect();
        if !del.is_empty() {
            news.push(ServerMessage::Questions {
                set: Vec::new(),
                del,
            });
        }
        for msg in news {
            self.tell(id, msg);
        }
    }

    /// Tells what was gathered: new questions and votes.
    pub(crate) fn tick_questions(&mut self) {
        let now_ms = self.now.mono_ms;
        let soon = |told_ms: u64| now_ms < told_ms.saturating_add(QUESTIONS_EVERY_MS);
        if self.questions.dirty.is_empty() || self.questions.told_ms.is_some_and(soon) {
            return;
        }
        self.questions.told_ms = Some(now_ms);
        let mut bytes = 0;
        let (mut open, mut hidden) = (Vec::new(), Vec::new());
        while let Some(n) = self.questions.dirty.pop_first() {
            let Some(asked) = self.questions.list.get(&n) else {
                continue;
            };
            bytes += asked.frame_bytes();
            if bytes > QUESTIONS_FRAME_BYTES && open.len() + hidden.len() > 0 {
                // The rest comes with the next.
                self.questions.dirty.insert(n);
                break;
            }
            if is_public(asked.shown.st) {
                open.push(asked.shown.clone());
            } else {
                hidden.push(asked.shown.clone());
            }
        }
        if !open.is_empty() {
            self.broadcast(ServerMessage::Questions {
                set: open,
                del: Vec::new(),
            });
        }
        if !hidden.is_empty() {
            let msg = ServerMessage::Questions {
                set: hidden,
                del: Vec::new(),
            };
            self.tell_moderators(&msg, None);
        }
    }

    /// Takes up an event of a question from the ledger.
    pub(crate) fn replay_question(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Question {
                person,
                id,
                cid,
                text,
                anonymous,
                held,
            } => {
                let author = PersonId(person.0.clone());
                if self.questions.make_room(json_len(text)).is_some() {
                    self.put_question(
                        event.seq,
                        &author,
                        cid,
                        id.clone(),
                        text.clone(),
                        *anonymous,
                        *held,
                        event.at.wall_ms,
                    );
                }
            }
            EventKind::QuestionUp { person, id, on } => {
                if let Some(n) = self.questions.number(&QuestionId(id.clone())) {
                    self.questions.vote(n, &PersonId(person.0.clone()), *on);
                }
            }
            EventKind::QuestionSet {
                id,
                state,
                answer,
                by,
            } => {
                if let Some(n) = self.questions.number(&QuestionId(id.clone()))
                    && let Some(st) = state_of(state)
                {
                    let name = self.name_of_other(n, &PersonId(by.0.clone()));
                    self.questions.set(n, st, answer.clone(), name);
                }
            }
            _ => {}
        }
    }
}

/// Text of a question or an answer.
fn question_text(text: &str) -> Result<String, ErrorCode> {
    let text = clean_chat(text).map_err(code_of)?;
    if text.chars().count() > MAX_QUESTION {
        return Err(ErrorCode::TooLarge);
    }
    Ok(text)
}
