//! Captions: who types them, the line that is being typed, the finished ones.

use std::collections::{HashSet, VecDeque};

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::captions::{Caption, CaptionLang};
use lophoc_protocol::limits::{
    CAPTION_PAGE, CAPTIONS_SHOWN, MAX_CAPTION, MAX_CAPTION_MS, MAX_CAPTIONERS,
};
use lophoc_protocol::{Action, ClientMessage, ErrorCode, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{CAPTIONS_BYTES, CAPTIONS_EVER, CAPTIONS_KEPT};
use crate::chat::is_cid;
use crate::room::{Room, key_of};
use crate::talk::code_of;
use crate::text::clean_text;

/// The finished lines as far as they are kept in memory; see [`CAPTIONS_KEPT`]
/// and [`CAPTIONS_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Captions {
    lines: VecDeque<Caption>,
    known: HashSet<(PersonId, String)>,
    bytes: usize,
    /// Lines there ever were.
    count: u32,
}

impl Captions {
    fn knows(&self, who: &PersonId, cid: &str) -> bool {
        self.known.contains(&(who.clone(), cid.to_owned()))
    }

    fn push(&mut self, line: Caption) {
        self.count = line.n;
        self.bytes += line.text.len();
        self.known.insert((line.who.clone(), line.cid.clone()));
        self.lines.push_back(line);
        while self.lines.len() > CAPTIONS_KEPT || self.bytes > CAPTIONS_BYTES {
            let Some(old) = self.lines.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(old.text.len());
            self.known.remove(&(old.who, old.cid));
        }
    }

    /// The last lines before a number, oldest first, and whether there are older
    /// ones.
    fn before(&self, before: u32, most: usize) -> (Vec<Caption>, bool) {
        let end = self.lines.partition_point(|line| line.n < before);
        let begin = end.saturating_sub(most);
        let list = self.lines.range(begin..end).cloned().collect();
        (list, begin > 0)
    }
}

/// A line: no newline, nothing that is not to be seen, not too long.
fn clean(text: &str) -> Result<String, ErrorCode> {
    let text = clean_text(text, MAX_CAPTION).map_err(code_of)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Room {
    /// `modCaptioner`, `caption…`.
    pub(crate) fn caption_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        match msg {
            ClientMessage::ModCaptioner { who, on } => self.mod_captioner(me, &who, on),
            ClientMessage::CaptionLive { lang, text } => self.caption_live(me, lang, &text),
            ClientMessage::CaptionLine {
                cid,
                lang,
                text,
                took,
            } => self.caption_line(me, cid, lang, &text, took),
            ClientMessage::CaptionPage { before } => {
                let (list, more) = self.captions.before(before, CAPTION_PAGE);
                Ok(Done::Reply(ServerMessage::CaptionPage { list, more }))
            }
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn mod_captioner(&mut self, me: &PersonId, who: &PersonId, on: bool) -> Outcome {
        // Laying the task down needs no right.
        if on || me != who {
            self.need(me, Action::Arrange)?;
        }
        let member = self.roster.present(who).ok_or(ErrorCode::NotFound)?;
        if member.captions == on {
            return Ok(Done::Ok);
        }
        let others = self.roster.iter().filter(|member| member.captions).count();
        if on && (others >= MAX_CAPTIONERS || !self.arrangement.has_place(who)) {
            return Err(ErrorCode::Full);
        }
        self.record(EventKind::Captioner {
            person: key_of(who),
            on,
            by: key_of(me),
        });
        self.set_captioner(who, on);
        let by = self.name_of(me);
        self.settle(who, &by);
        Ok(Done::Ok)
    }

    /// Used alike for a command and for the ledger.
    fn set_captioner(&mut self, who: &PersonId, on: bool) {
        self.arrangement.set_captions(who, on);
        if let Some(member) = self.roster.get_mut(who) {
            member.captions = on;
            self.roster.touch(who);
        }
    }

    fn caption_live(&mut self, me: &PersonId, lang: CaptionLang, text: &str) -> Outcome {
        self.need(me, Action::Caption)?;
        let text = if text.trim().is_empty() {
            String::new()
        } else {
            clean(text)?
        };
        self.broadcast_lossy(ServerMessage::CaptionLive {
            who: me.clone(),
            lang,
            text,
        });
        Ok(Done::Ok)
    }

    fn caption_line(
        &mut self,
        me: &PersonId,
        cid: String,
        lang: CaptionLang,
        text: &str,
        took: u32,
    ) -> Outcome {
        if !is_cid(&cid) {
            return Err(ErrorCode::BadRequest);
        }
        // Before the right: a repeat of what was taken is harmless, also when the
        // task was handed on meanwhile.
        if self.captions.knows(me, &cid) {
            return Ok(Done::Ok);
        }
        self.need(me, Action::Caption)?;
        let text = clean(text)?;
        if self.captions.count >= CAPTIONS_EVER {
            return Err(ErrorCode::Full);
        }
        let took_ms = took.min(MAX_CAPTION_MS);
        self.record(EventKind::Caption {
            person: key_of(me),
            cid: cid.clone(),
            lang: lang.tag().to_owned(),
            text: text.clone(),
            took_ms,
        });
        let line = self.line(me, cid, lang, text, took_ms, self.now.wall_ms);
        self.captions.push(line.clone());
        self.broadcast(ServerMessage::Caption { c: line });
        Ok(Done::Ok)
    }

    fn line(
        &self,
        who: &PersonId,
        cid: String,
        lang: CaptionLang,
        text: String,
        took_ms: u32,
        at_ms: u64,
    ) -> Caption {
        Caption {
            n: self.captions.count.saturating_add(1),
            lang,
            who: who.clone(),
            name: self.name_of(who),
            text,
            from: at_ms.saturating_sub(u64::from(took_ms)),
            to: at_ms,
            cid,
        }
    }

    /// The last lines, for `state`.
    pub fn captions_shown(&self) -> Vec<Caption> {
        self.captions.before(u32::MAX, CAPTIONS_SHOWN).0
    }

    /// Takes up an event of the captions from the ledger.
    pub(crate) fn replay_caption(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Captioner { person, on, .. } => {
                let who = PersonId(person.0.clone());
                if self.arrangement.has_place(&who) {
                    self.set_captioner(&who, *on);
                }
            }
            EventKind::Caption {
                person,
                cid,
                lang,
                text,
                took_ms,
            } => {
                // A language this version does not know stays in the ledger.
                if let Some(lang) = CaptionLang::of(lang) {
                    let who = PersonId(person.0.clone());
                    let at_ms = event.at.wall_ms;
                    let line = self.line(&who, cid.clone(), lang, text.clone(), *took_ms, at_ms);
                    self.captions.push(line);
                }
            }
            _ => {}
        }
    }
}

/// Upper bound of the length of a line in JSON, bytes.
#[cfg(test)]
fn line_bytes(line: &Caption) -> usize {
    160 + crate::text::json_len(&line.text)
        + crate::text::json_len(&line.name)
        + line.cid.len()
        + line.who.0.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u32) -> Caption {
        Caption {
            n,
            lang: CaptionLang::Vi,
            who: PersonId::from("p1"),
            name: "\u{1ec7}".repeat(80),
            text: "\u{1ec7}".repeat(MAX_CAPTION),
            from: 1_790_000_000_000,
            to: 1_790_000_000_000,
            cid: format!("{n:064}"),
        }
    }

    #[test]
    fn memory_and_pages_are_bounded() {
        let mut captions = Captions::default();
        for n in 1..=5_000 {
            captions.push(line(n));
        }
        assert!(captions.lines.len() <= CAPTIONS_KEPT && captions.bytes <= CAPTIONS_BYTES);
        assert_eq!(captions.lines.len(), captions.known.len());
        let (page, more) = captions.before(4_000, CAPTION_PAGE);
        assert_eq!(
            (page.len(), page[0].n, page[99].n, more),
            (100, 3_900, 3_999, true)
        );
        let first = captions.lines[0].n;
        assert_eq!(captions.before(first, 10), (vec![], false));
        assert_eq!(captions.before(0, 10), (vec![], false));
        let (page, more) = captions.before(first + 3, 10);
        assert_eq!((page.len(), more), (3, false));
        let bytes: usize = page.iter().map(line_bytes).sum();
        assert!(serde_json::to_string(&page).unwrap().len() <= bytes + 16);
    }
}
