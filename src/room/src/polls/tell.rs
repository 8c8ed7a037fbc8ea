//! Who is told what of the polls.

use lophoc_protocol::poll::Poll;
use lophoc_protocol::{Action, PersonId, PollId, ServerMessage};

use super::PollsSeen;
use super::held::Held;
use crate::api::LinkId;
use crate::bounds::POLLS_FRAME_BYTES;
use crate::person::Member;
use crate::room::Room;

fn said(poll: Poll) -> ServerMessage {
    ServerMessage::Poll {
        poll: Box::new(poll),
    }
}

impl Room {
    fn eligible(&self, poll: &Held) -> u32 {
        if poll.is_open() {
            poll.eligible_of(self.roster.iter())
        } else {
            poll.eligible
        }
    }

    fn holds_polls(&self, who: &PersonId) -> bool {
        self.roster
            .present(who)
            .is_some_and(|member| self.member_may(member, Action::Poll))
    }

    /// The links of those who hold polls.
    fn poll_links(&self) -> Vec<(PersonId, LinkId)> {
        self.roster
            .iter()
            .take_while(|member| member.role.is_staff())
            .filter(|member| self.member_may(member, Action::Poll))
            .filter_map(|member| Some((member.id.clone(), member.link()?)))
            .collect()
    }

    /// The polls on the screens as this person sees them, oldest first.
    pub fn polls_of(&self, who: &PersonId) -> Vec<Poll> {
        self.poll_views(self.holds_polls(who))
    }

    fn saw_secrets(&mut self, who: &PersonId, secrets: bool) {
        if let Some(member) = self.roster.get_mut(who) {
            member.polls.secrets = secrets;
        }
    }

    /// Tells all of a poll that is new or has changed.
    pub(super) fn tell_poll(&mut self, id: &PollId) {
        self.tell_poll_to(id, true);
    }

    fn tell_poll_to(&mut self, id: &PollId, everybody: bool) {
        let now_ms = self.now.mono_ms;
        let Some(place) = self.polls.place(id) else {
            return;
        };
        let Some(poll) = self.polls.list.get(place) else {
            return;
        };
        let eligible = self.eligible(poll);
        let public = everybody.then(|| poll.view(false, eligible));
        let secret = poll.has_secrets().then(|| poll.view(true, eligible));
        if let Some(poll) = self.polls.list.get_mut(place) {
            poll.told = Some((poll.answered(), eligible));
            poll.told_ms = now_ms;
            poll.changed = false;
        }
        if let Some(public) = public {
            self.broadcast(said(public));
        }
        let Some(secret) = secret else { return };
        for (who, link) in self.poll_links() {
            self.saw_secrets(&who, true);
            self.send(link, said(secret.clone()));
        }
    }

    /// Tells how an open poll goes, when it is time and there is something new.
    pub(super) fn tell_poll_when_due(&mut self, id: &PollId) {
        let now_ms = self.now.mono_ms;
        let Ok(poll) = self.polls.get(id) else { return };
        let every_ms = poll.every_ms(self.links.len());
        if now_ms < poll.told_ms.saturating_add(every_ms) {
            return;
        }
        let told = poll.told != Some((poll.answered(), self.eligible(poll)));
        // Whoever sees no sums learns nothing from one who changed his mind.
        let everybody = told || (poll.changed && poll.draft.live);
        if everybody || poll.changed {
            self.tell_poll_to(id, everybody);
        }
    }

    /// Everybody learns his points when the results are shown, and loses them
    /// with the results.
    pub(super) fn tell_scores(&mut self, id: &PollId) {
        let Ok(poll) = self.polls.get(id) else { return };
        if poll.draft.items.iter().all(|item| item.correct.is_empty()) {
            return;
        }
        let news: Vec<(LinkId, ServerMessage)> = poll
            .answerers()
            .iter()
            .filter_map(|who| {
                let link = self.roster.present(who).and_then(Member::link)?;
                Some((link, mine(poll, who)?))
            })
            .collect();
        for (link, msg) in news {
            self.send(link, msg);
        }
    }

    /// The polls on the screens, for `state`: the newest that fit. What does not
    /// comes with [`Self::polls_mine`].
    pub(crate) fn polls_shown(&mut self, to: &PersonId) -> Vec<Poll> {
        let holds = self.holds_polls(to);
        let older = self.left_out(holds);
        if let Some(member) = self.roster.get_mut(to) {
            member.polls = PollsSeen {
                secrets: holds,
                older: Some(older),
            };
        }
        let newer = self.polls.list.iter().skip(older);
        newer.map(|poll| self.view_told(poll, holds)).collect()
    }

    /// How many of the oldest polls are left out of a `state`.
    fn left_out(&self, holds: bool) -> usize {
        let mut left = POLLS_FRAME_BYTES;
        let fit = self
            .polls
            .list
            .iter()
            .rev()
            .take_while(|poll| {
                let bytes = poll.view_bytes(holds) + 1;
                let fits = bytes <= left;
                left = left.saturating_sub(bytes);
                fits
            })
            .count();
        self.polls.list.len().saturating_sub(fit)
    }

    /// A poll for somebody who comes. How many may answer is what all were told
    /// last, so that a crowd that comes at once is not counted for each of them;
    /// the next telling, to him too, is at most some seconds away.
    fn view_told(&self, poll: &Held, holds: bool) -> Poll {
        let eligible = match poll.told {
            Some((_, eligible)) if poll.is_open() => eligible.max(poll.answered()),
            _ => self.eligible(poll),
        };
        poll.view(holds, eligible)
    }

    fn poll_views(&self, holds: bool) -> Vec<Poll> {
        self.polls
            .list
            .iter()
            .map(|poll| poll.view(holds, self.eligible(poll)))
            .collect()
    }

    /// What only this person is told of polls, after `state` and `resumed`.
    pub(crate) fn polls_mine(&mut self, to: &PersonId) -> Vec<ServerMessage> {
        let holds = self.holds_polls(to);
        let Some(member) = self.roster.get_mut(to) else {
            return Vec::new();
        };
        let seen = member.polls;
        member.polls = PollsSeen {
            secrets: holds,
            older: None,
        };
        let mut news = Vec::new();
        if let Some(older) = seen.older {
            let older = self.polls.list.iter().take(older);
            news.extend(older.map(|poll| said(self.view_told(poll, holds))));
        } else if holds || seen.secrets {
            // What was broadcast meanwhile was for everybody.
            news.extend(self.poll_views(holds).into_iter().map(said));
        }
        news.extend(self.polls.list.iter().filter_map(|poll| mine(poll, to)));
        news
    }

    /// Somebody's rights changed: he is told the polls anew when he sees more of
    /// them now, or less.
    pub(crate) fn polls_anew(&mut self, who: &PersonId) {
        let holds = self.holds_polls(who);
        let Some((link, seen)) = self
            .roster
            .present(who)
            .and_then(|member| Some((member.link()?, member.polls)))
        else {
            return;
        };
        if seen.secrets == holds {
            return;
        }
        self.saw_secrets(who, holds);
        for poll in self.poll_views(holds) {
            self.send(link, said(poll));
        }
    }
}

fn mine(poll: &Held, who: &PersonId) -> Option<ServerMessage> {
    let (answer, score) = poll.mine(who)?;
    Some(ServerMessage::PollMine {
        poll: poll.id.clone(),
        answer,
        score,
    })
}
