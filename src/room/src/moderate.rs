//! What staff do to others. Each act begins with the right it needs.

use lophoc_ledger::{EventKind, LeaveReason};
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::{
    Action, ErrorCode, MediaKind, PersonId, RoomMode, ServerMessage, TrackState,
};

use crate::act::{Done, Outcome};
use crate::api::Effect;
use crate::bounds::BARRED;
use crate::join::mode_name;
use crate::person::{Asked, Member, kind_name};
use crate::rights::may_act_on;
use crate::room::{Room, key_of};

impl Room {
    /// The right to act, and to act upon this person.
    fn need_over(&self, me: &PersonId, action: Action, who: &PersonId) -> Result<(), ErrorCode> {
        self.need(me, action)?;
        let role = |id| self.roster.get(id).map(|member: &Member| member.role);
        let (mine, theirs) = (role(me), role(who).ok_or(ErrorCode::NotFound)?);
        if me == who || mine.is_some_and(|mine| may_act_on(mine, theirs)) {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    fn need_present(&self, who: &PersonId) -> Result<(), ErrorCode> {
        self.roster
            .present(who)
            .map(|_| ())
            .ok_or(ErrorCode::NotFound)
    }

    pub(crate) fn mod_mute(&mut self, me: &PersonId, who: &PersonId, kind: MediaKind) -> Outcome {
        self.need_over(me, Action::Mute, who)?;
        self.need_present(who)?;
        let by = self.name_of(me);
        self.record(EventKind::Mute {
            person: Some(key_of(who)),
            kind: kind_name(kind).to_owned(),
            by: key_of(me),
            may_unmute: true,
            except: Vec::new(),
        });
        if kind == MediaKind::Mic {
            self.close_mic(who);
        }
        self.stop_track(who, kind, &by);
        self.settle(who, &by);
        Ok(Done::Ok)
    }

    /// Takes back what asking had opened.
    pub(crate) fn close_mic(&mut self, who: &PersonId) {
        if let Some(member) = self.roster.get_mut(who) {
            member.opened = false;
            member.asked_mic = None;
        }
    }

    pub(crate) fn mod_mute_all(
        &mut self,
        me: &PersonId,
        may_unmute: bool,
        except: &[PersonId],
    ) -> Outcome {
        self.need(me, Action::Mute)?;
        let by = self.name_of(me);
        // Left out is who could speak; being left out gives nobody the right to.
        let except: Vec<PersonId> = self
            .roster
            .iter()
            .filter(|member| {
                !member.role.is_staff()
                    && except.contains(&member.id)
                    && self.member_may(member, Action::Speak)
            })
            .map(|member| member.id.clone())
            .collect();
        self.record(EventKind::Mute {
            person: None,
            kind: kind_name(MediaKind::Mic).to_owned(),
            by: key_of(me),
            may_unmute,
            except: except.iter().map(key_of).collect(),
        });
        for id in self.close_mics(may_unmute, &except) {
            self.stop_track(&id, MediaKind::Mic, &by);
        }
        self.settle_all(&by);
        Ok(Done::Ok)
    }

    /// Closes the microphones of all but staff and of those left out, who may go
    /// on speaking; whose were closed. Used alike for a command and for the
    /// ledger.
    pub(crate) fn close_mics(&mut self, may_unmute: bool, except: &[PersonId]) -> Vec<PersonId> {
        self.mics_closed = !may_unmute;
        let mut closed = Vec::new();
        for id in self.roster.ids() {
            let Some(member) = self.roster.get_mut(&id).filter(|m| !m.role.is_staff()) else {
                continue;
            };
            if !except.contains(&id) {
                closed.push(id);
            } else if !may_unmute {
                member.opened = true;
            }
        }
        for id in &closed {
            self.close_mic(id);
        }
        closed
    }

    pub(crate) fn mod_ask(&mut self, me: &PersonId, who: &PersonId, kind: MediaKind) -> Outcome {
        self.need(me, Action::AskUnmute)?;
        if !matches!(kind, MediaKind::Mic | MediaKind::Camera) {
            return Err(ErrorCode::BadRequest);
        }
        self.need_present(who)?;
        self.record(EventKind::Asked {
            person: key_of(who),
            kind: kind_name(kind).to_owned(),
            by: key_of(me),
        });
        if kind == MediaKind::Mic
            && let Some(member) = self.roster.get_mut(who)
        {
            member.opened = true;
        }
        // The right comes first, so that the answer finds it.
        self.settle(who, "");
        self.ask(me, who, kind);
        Ok(Done::Ok)
    }

    fn ask(&mut self, me: &PersonId, who: &PersonId, kind: MediaKind) {
        let name = self.name_of(me);
        let Some(member) = self.roster.get_mut(who) else {
            return;
        };
        if *member.tracks.get(kind) == TrackState::Live {
            return;
        }
        *member.stopped.get_mut(kind) = None;
        if let Some(asked) = member.asked_mut(kind) {
            *asked = Some(Asked {
                by: me.clone(),
                name: name.clone(),
            });
            self.tell(who, ServerMessage::Asked { kind, by: name });
        }
    }

    pub(crate) fn mod_floor(&mut self, me: &PersonId, who: &PersonId, give: bool) -> Outcome {
        // Handing the floor back needs no right.
        if give {
            self.need(me, Action::GiveFloor)?;
        } else if me != who {
            self.need_over(me, Action::GiveFloor, who)?;
        }
        self.need_present(who)?;
        let by = self.name_of(me);
        let Some(member) = self.roster.get_mut(who) else {
            return Err(ErrorCode::NotFound);
        };
        if member.floor == give {
            return Ok(Done::Ok);
        }
        member.floor = give;
        self.roster.touch(who);
        self.record(EventKind::Floor {
            person: key_of(who),
            given: give,
            by: key_of(me),
        });
        if give {
            if self.roster.lower(who) {
                self.record(EventKind::Hand {
                    person: key_of(who),
                    up: false,
                    by: Some(key_of(me)),
                });
            }
            self.settle(who, &by);
            if me != who {
                self.ask(me, who, MediaKind::Mic);
            }
        } else {
            self.close_mic(who);
            if me != who {
                self.stop_track(who, MediaKind::Mic, &by);
            }
            self.settle(who, &by);
        }
        Ok(Done::Ok)
    }

    pub(crate) fn mod_hand(&mut self, me: &PersonId, who: Option<&PersonId>) -> Outcome {
        self.need(me, Action::LowerHands)?;
        let people = match who {
            Some(who) => {
                self.need_present(who)?;
                vec![who.clone()]
            }
            None => self.roster.raised(),
        };
        for id in people {
            if self.roster.lower(&id) {
                let by = Some(key_of(me));
                self.record(EventKind::Hand {
                    person: key_of(&id),
                    up: false,
                    by,
                });
            }
        }
        Ok(Done::Ok)
    }

    /// Also bars somebody who has left already.
    pub(crate) fn mod_remove(&mut self, me: &PersonId, who: &PersonId, bar: bool) -> Outcome {
        if bar && self.lobby.has(who) {
            self.need(me, Action::Remove)?;
            if self.barred.len() >= BARRED {
                return Err(ErrorCode::Full);
            }
            self.bar_guest(me, who);
            return Ok(Done::Ok);
        }
        self.need_over(me, Action::Remove, who)?;
        if me == who {
            return Err(ErrorCode::BadRequest);
        }
        let present = self.roster.present(who).is_some();
        if !present && !bar {
            return Err(ErrorCode::NotFound);
        }
        if bar && !self.barred.contains(who) && self.barred.len() >= BARRED {
            return Err(ErrorCode::Full);
        }
        self.end_spans(who);
        self.record(EventKind::Removed {
            person: key_of(who),
            by: key_of(me),
            barred: bar,
        });
        if bar {
            self.barred.insert(who.clone());
        }
        let link = self.roster.get(who).and_then(Member::link);
        self.leave(who, LeaveReason::Removed);
        // Whoever was removed is a newcomer to a locked room.
        self.roster.forget(who);
        self.arrangement.forget(who);
        if let Some(link) = link {
            let code = if bar {
                ErrorCode::Banned
            } else {
                ErrorCode::Removed
            };
            let action = ByeAction::Stop;
            self.send(
                link,
                ServerMessage::Bye {
                    action,
                    code: Some(code),
                    after: None,
                },
            );
            self.out.push(Effect::Close { link });
        }
        Ok(Done::Ok)
    }

    pub(crate) fn mod_lock(&mut self, me: &PersonId, locked: bool) -> Outcome {
        self.need(me, Action::Lock)?;
        if self.locked != locked {
            self.locked = locked;
            self.record(EventKind::Locked {
                on: locked,
                by: key_of(me),
            });
            self.tell_room();
        }
        Ok(Done::Ok)
    }

    pub(crate) fn mod_mode(&mut self, me: &PersonId, mode: RoomMode) -> Outcome {
        self.need(me, Action::SetMode)?;
        if self.mode != mode {
            self.mode = mode;
            self.record(EventKind::Mode {
                mode: mode_name(mode).to_owned(),
                by: key_of(me),
            });
            self.tell_room();
            for id in self.roster.ids() {
                self.close_mic(&id);
            }
            let by = self.name_of(me);
            self.settle_all(&by);
        }
        Ok(Done::Ok)
    }
}
