//! Messages of a link: their rates, what people do for themselves, and the
//! replies.

use lophoc_ledger::{EventKind, LeaveReason};
use lophoc_protocol::limits::PEOPLE_PAGE;
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::{
    Action, ClientMessage, ErrorCode, MediaKind, PersonId, ServerFrame, ServerMessage, TrackState,
};

use crate::api::{Effect, LinkId};
use crate::bounds::FLOOD_WAIT_MS;
use crate::person::right_of;
use crate::room::{Room, key_of};

/// How a message was taken.
#[expect(clippy::large_enum_variant, reason = "it lives for one call")]
pub(crate) enum Done {
    /// `ok`, after the commit.
    Ok,
    /// This in place of `ok`.
    Reply(ServerMessage),
    /// `ok` comes later, with what it follows from, or came already.
    Later,
    /// The link is gone.
    Gone,
}

pub(crate) type Outcome = Result<Done, ErrorCode>;

impl Room {
    pub(crate) fn frame(&mut self, link: LinkId, id: Option<u32>, msg: ClientMessage) {
        let Some(person) = self.links.get(&link).cloned() else {
            self.lobby_frame(link, id, &msg);
            return;
        };
        self.heard(link);
        if !self.in_rate(&person, &msg) {
            self.too_often(&person, link, id);
            return;
        }
        match self.act(&person, link, id, msg) {
            Ok(Done::Ok) => self.say_ok(link, id),
            Ok(Done::Reply(msg)) => {
                let frame = ServerFrame { seq: None, id, msg };
                self.out.push(Effect::Send {
                    link,
                    frame,
                    after_commit: false,
                });
            }
            Ok(Done::Later | Done::Gone) => {}
            Err(code) => self.refuse(link, id, code),
        }
    }

    pub(crate) fn say_ok(&mut self, link: LinkId, id: Option<u32>) {
        if id.is_some() {
            let frame = ServerFrame {
                seq: None,
                id,
                msg: ServerMessage::Ok,
            };
            self.out.push(Effect::Send {
                link,
                frame,
                after_commit: true,
            });
        }
    }

    pub(crate) fn in_rate(&mut self, person: &PersonId, msg: &ClientMessage) -> bool {
        use ClientMessage as M;
        let now_ms = self.now.mono_ms;
        let Some(member) = self.roster.get_mut(person) else {
            return false;
        };
        let buckets = &mut member.buckets;
        if !buckets.everything.take(now_ms) {
            return false;
        }
        let own = match msg {
            M::Chat { .. } => &mut buckets.chats,
            M::Hand { .. } => &mut buckets.hands,
            M::ChatPage { .. }
            | M::PeoplePage { .. }
            | M::LobbyPage { .. }
            | M::PollPage { .. }
            | M::BoardGet { .. }
            | M::CaptionPage { .. }
            | M::NotesGet { .. } => &mut buckets.pages,
            M::ModMute { .. }
            | M::ModMuteAll { .. }
            | M::ModAsk { .. }
            | M::ModFloor { .. }
            | M::ModHand { .. }
            | M::ModRemove { .. }
            | M::ModLock { .. }
            | M::ModMode { .. }
            | M::ModStart
            | M::ModBreak { .. }
            | M::ModWaiting { .. }
            | M::ModAdmit { .. }
            | M::ModDeny { .. }
            | M::ModCheck { .. }
            | M::ModChecks { .. }
            | M::ModEnd
            | M::ChatDelete { .. }
            | M::QuestionSet { .. }
            | M::ModRecord { .. }
            | M::ModRecordPause { .. }
            | M::ModSlow { .. }
            | M::ModTimer { .. }
            | M::ModPermits { .. }
            | M::ModSpot { .. }
            | M::ModRole { .. }
            | M::ModSubstitute { .. }
            | M::PollOpen { .. }
            | M::PollClose { .. }
            | M::PollShow { .. }
            | M::PollDrop { .. }
            | M::SlideShow { .. }
            | M::SlideHide
            | M::DeckSet { .. }
            | M::DeckDrop { .. }
            | M::FileDrop { .. }
            | M::GroupsMake { .. }
            | M::GroupsMove { .. }
            | M::GroupsOpen { .. }
            | M::GroupsClose
            | M::GroupsSay { .. }
            | M::ModCaptioner { .. } => &mut buckets.moderation,
            M::GroupPick { .. } => &mut buckets.picks,
            M::Question { .. }
            | M::QuestionUp { .. }
            | M::PollAnswer { .. }
            | M::RecordReply { .. } => &mut buckets.answers,
            M::React { .. } => &mut buckets.reactions,
            M::SlidePoint { .. }
            | M::BoardLive { .. }
            | M::BoardPoint { .. }
            | M::CaptionLive { .. } => &mut buckets.points,
            M::CaptionLine { .. } => &mut buckets.captions,
            M::NotesEdit { .. } => &mut buckets.notes,
            M::BoardShow { .. }
            | M::BoardHide
            | M::BoardDraw { .. }
            | M::BoardErase { .. }
            | M::BoardClear { .. }
            | M::BoardUndo { .. }
            | M::BoardRedo { .. } => &mut buckets.strokes,
            M::Hello(_)
            | M::Offer { .. }
            | M::Ice { .. }
            | M::View(_)
            | M::Pub { .. }
            | M::Ping { .. }
            | M::Leave
            | M::AskReply { .. }
            | M::CheckReply { .. }
            | M::Unknown => return true,
        };
        own.take(now_ms)
    }

    /// Refused for its rate. A client that goes on regardless is sent away for
    /// a while; his stay lapses as with any broken link.
    fn too_often(&mut self, person: &PersonId, link: LinkId, id: Option<u32>) {
        let now_ms = self.now.mono_ms;
        let patient = self
            .roster
            .get_mut(person)
            .is_some_and(|member| member.buckets.flood.take(now_ms));
        if patient {
            if id.is_some() {
                self.refuse(link, id, ErrorCode::RateLimited);
            }
            return;
        }
        self.send(
            link,
            ServerMessage::Bye {
                action: ByeAction::Rejoin,
                code: Some(ErrorCode::RateLimited),
                after: Some(FLOOD_WAIT_MS),
            },
        );
        self.lapse(person, false);
        self.out.push(Effect::Close { link });
    }

    pub(crate) fn act(
        &mut self,
        me: &PersonId,
        link: LinkId,
        id: Option<u32>,
        msg: ClientMessage,
    ) -> Outcome {
        use ClientMessage as M;
        match msg {
            M::Leave => {
                self.say_leave(me, link, id);
                Ok(Done::Gone)
            }
            M::Pub { kind, st } => self.publish(me, kind, st),
            M::Hand { up } => self.hand(me, up),
            M::Chat { cid, text, to } => self.chat(me, &cid, &text, &to),
            M::ChatDelete { chat } => self.chat_delete(me, &chat),
            M::ChatPage { before } => {
                let (list, more) = self.chat.before(&before).ok_or(ErrorCode::NotFound)?;
                Ok(Done::Reply(ServerMessage::ChatPage { list, more }))
            }
            M::PeoplePage { q, from, n } => {
                let q: String = q.chars().take(lophoc_protocol::limits::MAX_NAME).collect();
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let n = usize::try_from(n.min(PEOPLE_PAGE)).unwrap_or(0);
                let (total, list) = self.roster.page(&q, from, n);
                Ok(Done::Reply(ServerMessage::PeoplePage { total, list }))
            }
            M::AskReply { kind, accept } => self.ask_reply(me, kind, accept),
            M::ModMute { who, kind } => self.mod_mute(me, &who, kind),
            M::ModMuteAll { may_unmute, except } => self.mod_mute_all(me, may_unmute, &except),
            M::ModAsk { who, kind } => self.mod_ask(me, &who, kind),
            M::ModFloor { who, give } => self.mod_floor(me, &who, give),
            M::ModHand { who } => self.mod_hand(me, who.as_ref()),
            M::ModRemove { who, bar } => self.mod_remove(me, &who, bar),
            M::ModLock { locked } => self.mod_lock(me, locked),
            M::ModMode { mode } => self.mod_mode(me, mode),
            M::ModStart => self.mod_start(me),
            M::ModBreak { on, minutes } => self.mod_break(me, on, minutes),
            M::ModWaiting { on } => self.mod_waiting(me, on),
            M::ModAdmit { who } => self.mod_admit(me, who.as_ref()),
            M::ModDeny { who } => self.mod_deny(me, &who),
            M::LobbyPage { q, from, n } => self.lobby_page(me, &q, from, n),
            M::ModCheck { window_sec } => self.mod_check(me, window_sec),
            M::ModChecks {
                every_min,
                jitter_min,
                window_sec,
            } => self.mod_checks(me, every_min, jitter_min, window_sec),
            M::CheckReply { check } => self.check_reply(me, &check),
            M::ModEnd => {
                self.need(me, Action::End)?;
                self.end(Some(me), Some((link, id)));
                Ok(Done::Gone)
            }
            M::Question { .. } | M::QuestionUp { .. } | M::QuestionSet { .. } => {
                self.question_act(me, msg)
            }
            M::React { e } => self.react(me, e),
            M::ModRecord { .. } | M::ModRecordPause { .. } | M::RecordReply { .. } => {
                self.record_act(me, msg)
            }
            M::ModSlow { .. }
            | M::ModTimer { .. }
            | M::ModPermits { .. }
            | M::ModSpot { .. }
            | M::ModRole { .. }
            | M::ModSubstitute { .. } => self.arrange_act(me, msg),
            M::PollOpen { .. }
            | M::PollAnswer { .. }
            | M::PollClose { .. }
            | M::PollShow { .. }
            | M::PollDrop { .. }
            | M::PollPage { .. } => self.poll_act(me, link, id, msg),
            M::SlideShow { .. }
            | M::SlideHide
            | M::SlidePoint { .. }
            | M::DeckSet { .. }
            | M::DeckDrop { .. } => self.slide_act(me, msg),
            M::BoardShow { .. }
            | M::BoardHide
            | M::BoardGet { .. }
            | M::BoardDraw { .. }
            | M::BoardLive { .. }
            | M::BoardPoint { .. }
            | M::BoardErase { .. }
            | M::BoardClear { .. }
            | M::BoardUndo { .. }
            | M::BoardRedo { .. } => self.board_act(me, msg),
            M::ModCaptioner { .. }
            | M::CaptionLive { .. }
            | M::CaptionLine { .. }
            | M::CaptionPage { .. } => self.caption_act(me, msg),
            M::NotesGet { .. } | M::NotesEdit { .. } => self.notes_act(me, msg),
            M::FileDrop { file } => self.file_drop(me, &file),
            M::GroupsMake { .. }
            | M::GroupsMove { .. }
            | M::GroupsOpen { .. }
            | M::GroupsClose
            | M::GroupsSay { .. }
            | M::GroupPick { .. } => self.group_act(me, msg),
            M::Hello(_)
            | M::Offer { .. }
            | M::Ice { .. }
            | M::View(_)
            | M::Ping { .. }
            | M::Unknown => Err(ErrorCode::BadRequest),
        }
    }

    /// The one gate before every act.
    pub(crate) fn need(&self, me: &PersonId, action: Action) -> Result<(), ErrorCode> {
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        if self.member_may(member, action) {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    fn say_leave(&mut self, me: &PersonId, link: LinkId, id: Option<u32>) {
        self.leave(me, LeaveReason::Left);
        self.say_ok(link, id);
        self.out.push(Effect::Close { link });
    }

    fn publish(&mut self, me: &PersonId, kind: MediaKind, state: TrackState) -> Outcome {
        if state == TrackState::Muted && kind != MediaKind::Mic {
            return Err(ErrorCode::BadRequest);
        }
        if state == TrackState::Live {
            self.need(me, right_of(kind))?;
            let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
            let name = member.name.clone();
            if member.is_held(kind, self.now.mono_ms) {
                return Err(ErrorCode::Forbidden);
            }
            if kind == MediaKind::ScreenAudio && member.tracks.screen != TrackState::Live {
                return Err(ErrorCode::BadRequest);
            }
            if kind == MediaKind::Screen
                && let Some(other) = self.other_sharer(me)
            {
                self.stop_track(&other, MediaKind::Screen, &name);
                self.settle(&other, &name);
            }
            if let Some(asked) = self
                .roster
                .get_mut(me)
                .and_then(|member| member.asked_mut(kind))
            {
                *asked = None;
            }
        }
        // Live again, or known to the page to be stopped.
        if let Some(member) = self.roster.get_mut(me) {
            *member.stopped.get_mut(kind) = None;
        }
        self.set_track(me, kind, state);
        self.settle(me, "");
        Ok(Done::Ok)
    }

    fn hand(&mut self, me: &PersonId, up: bool) -> Outcome {
        // Taking one's hand down needs no right.
        if up {
            self.need(me, Action::RaiseHand)?;
        }
        let changed = if up {
            self.roster.raise(me, self.now.wall_ms)
        } else {
            self.roster.lower(me)
        };
        if changed {
            self.record(EventKind::Hand {
                person: key_of(me),
                up,
                by: None,
            });
        }
        Ok(Done::Ok)
    }

    fn ask_reply(&mut self, me: &PersonId, kind: MediaKind, accept: bool) -> Outcome {
        let member = self.roster.get_mut(me).ok_or(ErrorCode::NotFound)?;
        let asked = member.asked_mut(kind).ok_or(ErrorCode::BadRequest)?;
        let asked = asked.take().ok_or(ErrorCode::NotFound)?;
        self.tell(
            &asked.by,
            ServerMessage::AskReply {
                who: me.clone(),
                kind,
                accept,
            },
        );
        Ok(Done::Ok)
    }
}
