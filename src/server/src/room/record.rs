//! What a room wants of the recorder, and what people answered to be recorded.

use std::sync::Arc;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::recording::RecordWhom;
use lophoc_room::{RecordCommand, RecordingAnswer, RecordingWords};

use super::actor::Actor;
use crate::auth::{NoticeClaims, TokenClaims};
use crate::clock::wall_ms;
use crate::http::{plan_hash, plan_told};

impl Actor {
    /// Hands a command of the room to the recorder. Never waits.
    pub(super) fn record(&mut self, command: RecordCommand) {
        let recorders = &self.app.routes.recorders;
        recorders.carry(&self.id, self.run, command);
    }

    /// Notes what people answered to the words of the recording that goes on or is
    /// set: whoever comes back is not asked again. The ledger has it in any case.
    pub(super) fn note_choices(&self, events: &[Event]) {
        for event in events {
            let EventKind::RecordingChoice {
                person,
                notice,
                accepted,
            } = &event.kind
            else {
                continue;
            };
            let Some(now) = self.room.recording_of(*notice) else {
                continue;
            };
            let (person, accepted) = (person.clone(), *accepted);
            let words = plan_hash(&plan_told(now));
            let (app, session) = (Arc::clone(&self.app), self.session.clone());
            tokio::spawn(async move {
                let store = &app.store;
                let noted = store
                    .set_recording_choice(&session, &person, &words, accepted, wall_ms())
                    .await;
                if let Err(error) = noted {
                    tracing::warn!(%session, %error, "an answer to a recording could not be noted");
                }
            });
        }
    }
}

/// What the holder of a token answered to the words of a recording.
pub(super) fn answer_of(claims: &TokenClaims) -> Option<RecordingAnswer> {
    let NoticeClaims {
        who,
        why,
        keep,
        answer,
    } = claims.recording.clone()?;
    let answer = answer?;
    Some(RecordingAnswer {
        words: RecordingWords { who, why, keep },
        whom: if answer.presenters {
            RecordWhom::Presenters
        } else {
            RecordWhom::All
        },
        accepted: answer.accepted,
        at_ms: answer.at_ms,
    })
}
