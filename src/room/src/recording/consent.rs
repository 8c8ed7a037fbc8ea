//! Who accepted which words of a recording, who refused them, and who can tell.

use std::collections::HashMap;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::UNRECORDED_SHOWN;
use lophoc_protocol::recording::{RecordConsent, RecordState, RecordWhom, RecordedBy, Recording};
use lophoc_protocol::{ErrorCode, PersonId, ServerMessage};

use super::Terms;
use crate::act::{Done, Outcome};
use crate::api::{Effect, LinkId, RecordingAnswer, RecordingWords};
use crate::bounds::{RECORD_CHOICES, RECORD_NOTICES};
use crate::person::Member;
use crate::room::{Room, key_of};

/// What somebody answered last.
#[derive(Debug, Clone, Copy)]
struct Choice {
    /// To which words.
    notice: u64,
    accepted: bool,
    /// When, ms since the epoch.
    at_ms: u64,
}

/// Words and answers.
#[derive(Debug, Default)]
pub(super) struct Consents {
    /// Words by the number of their event. Bounded by [`RECORD_NOTICES`].
    notices: Vec<(u64, Terms)>,
    /// Bounded by [`RECORD_CHOICES`].
    choices: HashMap<PersonId, Choice>,
    /// Staff are to be told anew who attends unrecorded.
    changed: bool,
}

impl Consents {
    /// What somebody answered to these words.
    fn answer(&self, person: &PersonId, notice: u64) -> Option<bool> {
        let choice = self.choices.get(person)?;
        (choice.notice == notice).then_some(choice.accepted)
    }

    /// Whether somebody accepted these words.
    pub(super) fn accepted(&self, person: &PersonId, notice: u64) -> bool {
        self.answer(person, notice) == Some(true)
    }

    /// Whether the last that somebody said to any words is no.
    pub(super) fn refused(&self, person: &PersonId) -> bool {
        self.choices
            .get(person)
            .is_some_and(|choice| !choice.accepted)
    }
}

fn whom_name(whom: RecordWhom) -> &'static str {
    match whom {
        RecordWhom::All => "all",
        RecordWhom::Presenters => "presenters",
    }
}

fn ask_name(ask: RecordConsent) -> &'static str {
    match ask {
        RecordConsent::Notice => "notice",
        RecordConsent::Consent => "consent",
    }
}

impl Room {
    /// Number of these words; written down when they are new.
    pub(super) fn notice_of(&mut self, terms: &Terms) -> Result<u64, ErrorCode> {
        let known = &self.recording.consents.notices;
        if let Some((no, _)) = known.iter().find(|(_, of)| of == terms) {
            return Ok(*no);
        }
        if known.len() >= RECORD_NOTICES {
            return Err(ErrorCode::Full);
        }
        let RecordingWords { who, why, keep } = terms.words.clone();
        let no = self.record(EventKind::RecordingNotice {
            who,
            why,
            keep,
            whom: whom_name(terms.whom).to_owned(),
            ask: ask_name(terms.ask).to_owned(),
        });
        self.recording.consents.notices.push((no, terms.clone()));
        Ok(no)
    }

    /// What is told under the words of this number.
    pub fn recording_of(&self, notice: u64) -> Option<Recording> {
        let notices = &self.recording.consents.notices;
        let (_, terms) = notices.iter().find(|(no, _)| *no == notice)?;
        let RecordingWords { who, why, keep } = terms.words.clone();
        Some(Recording {
            by: terms.by,
            who,
            why,
            keep,
            since: self.now.wall_ms,
            recording: None,
            state: RecordState::Starting,
            whom: terms.whom,
            ask: terms.ask,
            notice,
            from_start: false,
        })
    }

    /// The terms a ledger names; words it does not know are asked for again.
    pub(super) fn terms_of(&self, notice: u64, words: RecordingWords) -> Terms {
        let notices = &self.recording.consents.notices;
        let known = notices.iter().find(|(no, _)| *no == notice);
        known.map_or(
            Terms {
                by: RecordedBy::Server,
                words,
                whom: RecordWhom::Presenters,
                ask: RecordConsent::Consent,
            },
            |(_, terms)| terms.clone(),
        )
    }

    /// Answers to the words of the recording that goes on.
    pub(super) fn record_reply(&mut self, me: &PersonId, notice: u64, accept: bool) -> Outcome {
        self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let now = self.recording.now.as_ref().ok_or(ErrorCode::NotFound)?;
        if notice == 0 || now.notice != notice || now.terms.ask != RecordConsent::Consent {
            return Err(ErrorCode::Conflict);
        }
        if !self.choose(me, notice, accept, self.now.wall_ms) {
            return Err(ErrorCode::Full);
        }
        self.tell(me, ServerMessage::RecordMine { notice, accept });
        // Nothing of somebody who refuses is taken from here on.
        self.tell_recorder();
        Ok(Done::Ok)
    }

    /// What somebody answered before he came in.
    pub(crate) fn answered_before(&mut self, person: &PersonId, answer: Option<&RecordingAnswer>) {
        let Some(answer) = answer else { return };
        let terms = Terms {
            by: RecordedBy::Server,
            words: answer.words.clone(),
            whom: answer.whom,
            ask: RecordConsent::Consent,
        };
        let Ok(notice) = self.notice_of(&terms) else {
            return;
        };
        // Said later in the room, or by another page, it stands.
        let later = self.recording.consents.choices.get(person);
        if later.is_some_and(|choice| choice.notice == notice && choice.at_ms >= answer.at_ms) {
            return;
        }
        self.choose(person, notice, answer.accepted, answer.at_ms);
    }

    /// Notes an answer; whether there was room for it.
    pub(super) fn choose(
        &mut self,
        who: &PersonId,
        notice: u64,
        accepted: bool,
        at_ms: u64,
    ) -> bool {
        let choices = &self.recording.consents.choices;
        if self.recording.consents.answer(who, notice) == Some(accepted) {
            return true;
        }
        if choices.len() >= RECORD_CHOICES && !choices.contains_key(who) {
            return false;
        }
        self.record(EventKind::RecordingChoice {
            person: key_of(who),
            notice,
            accepted,
        });
        self.note_choice(who, notice, accepted, at_ms);
        true
    }

    fn note_choice(&mut self, who: &PersonId, notice: u64, accepted: bool, at_ms: u64) {
        let consents = &mut self.recording.consents;
        consents.changed = true;
        consents.choices.insert(
            who.clone(),
            Choice {
                notice,
                accepted,
                at_ms,
            },
        );
    }

    /// What somebody who came in is told of his own answer.
    pub(super) fn record_mine(&self, person: &PersonId) -> Option<ServerMessage> {
        let choice = self.recording.consents.choices.get(person)?;
        Some(ServerMessage::RecordMine {
            notice: choice.notice,
            accept: choice.accepted,
        })
    }

    /// Whether somebody present attends unrecorded because he refused.
    fn is_unrecorded(&self, member: &Member) -> bool {
        let consents = &self.recording.consents;
        self.recording.now.as_ref().is_some_and(|now| {
            now.terms.by == RecordedBy::Server
                && match now.terms.ask {
                    RecordConsent::Notice => consents.refused(&member.id),
                    RecordConsent::Consent => {
                        consents.answer(&member.id, now.notice) == Some(false)
                    }
                }
        })
    }

    fn unrecorded(&self) -> ServerMessage {
        let list = self
            .roster
            .iter()
            .filter(|member| self.is_unrecorded(member))
            .map(|member| member.id.clone())
            .take(UNRECORDED_SHOWN)
            .collect();
        ServerMessage::Unrecorded { list }
    }

    /// Staff are to be told anew.
    pub(super) fn tell_unrecorded(&mut self) {
        self.recording.consents.changed = true;
    }

    /// Tells staff who attends unrecorded, when that changed.
    pub(super) fn tick_unrecorded(&mut self) {
        if !std::mem::take(&mut self.recording.consents.changed) {
            return;
        }
        let links: Vec<LinkId> = self
            .roster
            .iter()
            .take_while(|member| member.role.is_staff())
            .filter_map(Member::link)
            .collect();
        if !links.is_empty() {
            let msg = self.unrecorded();
            self.out.push(Effect::SendTo {
                links,
                frame: std::sync::Arc::new(lophoc_protocol::ServerFrame {
                    seq: None,
                    id: None,
                    msg,
                }),
            });
        }
    }

    /// Tells one of staff who attends unrecorded; at his coming, or when he became
    /// one.
    pub(super) fn show_unrecorded(&mut self, person: &PersonId, link: LinkId) {
        let staff = |member: &Member| member.role.is_staff();
        if self.recording.now.is_some() && self.roster.present(person).is_some_and(staff) {
            let msg = self.unrecorded();
            self.send(link, msg);
        }
    }

    pub(super) fn replay_consent(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RecordingNotice {
                who,
                why,
                keep,
                whom,
                ask,
            } => {
                let terms = Terms {
                    by: RecordedBy::Server,
                    words: RecordingWords {
                        who: who.clone(),
                        why: why.clone(),
                        keep: keep.clone(),
                    },
                    whom: if whom == whom_name(RecordWhom::All) {
                        RecordWhom::All
                    } else {
                        RecordWhom::Presenters
                    },
                    ask: if ask == ask_name(RecordConsent::Notice) {
                        RecordConsent::Notice
                    } else {
                        RecordConsent::Consent
                    },
                };
                let notices = &mut self.recording.consents.notices;
                if notices.len() < RECORD_NOTICES {
                    notices.push((event.seq, terms));
                }
            }
            EventKind::RecordingChoice {
                person,
                notice,
                accepted,
            } => {
                let who = PersonId(person.0.clone());
                let choices = &self.recording.consents.choices;
                if choices.len() < RECORD_CHOICES || choices.contains_key(&who) {
                    self.note_choice(&who, *notice, *accepted, event.at.wall_ms);
                }
            }
            _ => {}
        }
    }
}
