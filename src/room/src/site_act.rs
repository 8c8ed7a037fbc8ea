//! What somebody who is in the room does there from outside of its page: a
//! technician at the console. The rights are those of the room.

use lophoc_protocol::talk::Audience;
use lophoc_protocol::{Action, ClientMessage, ErrorCode, MediaKind, PersonId, ServerMessage};

use crate::act::Done;
use crate::api::{Effect, LinkId, Now};
use crate::room::Room;

/// An act upon somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideAct {
    /// Ask for microphone or camera.
    Ask(MediaKind),
    /// Mute.
    Mute,
    /// Let the media be connected anew.
    Restart,
    /// Send a message.
    Say {
        /// Client's id of it.
        cid: String,
        /// Words.
        text: String,
    },
}

/// A site that is in the room or awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteNow {
    /// The connection.
    pub person: PersonId,
    /// Name of the site.
    pub name: String,
    /// Connected.
    pub here: bool,
    /// Since when it is so, ms since the epoch.
    pub since_ms: u64,
}

impl Room {
    /// Does something as somebody who is in the room and connected, with his
    /// rights and rates.
    ///
    /// # Errors
    /// As the command in the room; [`ErrorCode::Forbidden`] for who is not in.
    pub fn act_outside(
        &mut self,
        now: Now,
        me: &PersonId,
        who: &PersonId,
        act: OutsideAct,
    ) -> (Vec<Effect>, Result<(), ErrorCode>) {
        self.set_now(now);
        let done = self.outside(me, who, act);
        (self.take_out(), done)
    }

    fn outside(&mut self, me: &PersonId, who: &PersonId, act: OutsideAct) -> Result<(), ErrorCode> {
        let link = self
            .roster
            .present(me)
            .and_then(crate::person::Member::link)
            .ok_or(ErrorCode::Forbidden)?;
        let who = who.clone();
        let msg = match act {
            OutsideAct::Ask(kind) => ClientMessage::ModAsk { who, kind },
            OutsideAct::Mute => ClientMessage::ModMute {
                who,
                kind: MediaKind::Mic,
            },
            OutsideAct::Say { cid, text } => ClientMessage::Chat {
                cid,
                text,
                to: Audience::Person(who),
            },
            OutsideAct::Restart => return self.restart_media(me, &who),
        };
        self.frame_as(me, link, msg).map(|done| match done {
            Done::Ok | Done::Reply(_) | Done::Later | Done::Gone => (),
        })
    }

    /// Asks a client to connect its media anew. Nobody hears of it.
    fn restart_media(&mut self, me: &PersonId, who: &PersonId) -> Result<(), ErrorCode> {
        // Counted as any other moderation.
        let alike = ClientMessage::ModMute {
            who: who.clone(),
            kind: MediaKind::Mic,
        };
        if !self.in_rate(me, &alike) {
            return Err(ErrorCode::RateLimited);
        }
        self.need(me, Action::Mute)?;
        self.roster.present(who).ok_or(ErrorCode::NotFound)?;
        self.tell(who, ServerMessage::Renegotiate);
        Ok(())
    }

    fn frame_as(
        &mut self,
        me: &PersonId,
        link: LinkId,
        msg: ClientMessage,
    ) -> Result<Done, ErrorCode> {
        if !self.in_rate(me, &msg) {
            return Err(ErrorCode::RateLimited);
        }
        self.act(me, link, None, msg)
    }

    /// Sites that are in the room or awaited.
    pub fn sites(&self) -> Vec<SiteNow> {
        self.roster
            .iter()
            .filter_map(|member| {
                Some(SiteNow {
                    person: member.id.clone(),
                    name: member.site.clone()?,
                    here: member.link().is_some(),
                    since_ms: member.link_since_ms,
                })
            })
            .collect()
    }
}
