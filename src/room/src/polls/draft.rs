//! What may be asked, and what is an answer to it.

use std::collections::BTreeSet;

use lophoc_protocol::ErrorCode;
use lophoc_protocol::limits::{MAX_POLL_ITEMS, MAX_POLL_OPTIONS, MAX_POLL_SEC, MAX_POLL_TEXT};
use lophoc_protocol::poll::{Choose, PollChoice, PollDraft, PollItem, PollKind};

use crate::bounds::{POLL_ANSWERS, POLL_DRAFT_BYTES, POLL_LEAST_SEC};
use crate::text::{BadText, clean_text};

/// How many options an item has; the words of some are the client's.
pub(super) fn options_of(kind: PollKind, item: &PollItem) -> usize {
    match kind {
        PollKind::YesNo => 2,
        PollKind::Vote => 3,
        PollKind::Letters | PollKind::Poll | PollKind::Quiz => item.options.len(),
    }
}

/// A text that may be empty.
fn clean(text: &str) -> Result<String, ErrorCode> {
    match clean_text(text, MAX_POLL_TEXT) {
        Ok(text) => Ok(text),
        Err(BadText::Empty) => Ok(String::new()),
        Err(BadText::TooLong) => Err(ErrorCode::TooLarge),
        Err(BadText::Control) => Err(ErrorCode::BadRequest),
    }
}

/// The same in one line.
fn clean_line(text: &str) -> Result<String, ErrorCode> {
    Ok(clean(text)?.replace('\n', " "))
}

fn sure(holds: bool) -> Result<(), ErrorCode> {
    if holds {
        Ok(())
    } else {
        Err(ErrorCode::BadRequest)
    }
}

/// The poll with its texts cleaned, when it can be asked.
pub(super) fn clean_draft(draft: PollDraft) -> Result<PollDraft, ErrorCode> {
    let most = match draft.kind {
        PollKind::Quiz => MAX_POLL_ITEMS,
        PollKind::YesNo | PollKind::Letters | PollKind::Poll | PollKind::Vote => 1,
    };
    sure((1..=most).contains(&draft.items.len()))?;
    if let Some(secs) = draft.secs {
        sure((POLL_LEAST_SEC..=MAX_POLL_SEC).contains(&secs))?;
    }
    if let Some(quorum) = draft.quorum {
        let most = u32::try_from(POLL_ANSWERS).unwrap_or(u32::MAX);
        sure(draft.kind == PollKind::Vote && (1..=most).contains(&quorum))?;
    }
    let title = clean_line(&draft.title)?;
    let items = draft
        .items
        .into_iter()
        .map(|item| clean_item(draft.kind, item))
        .collect::<Result<Vec<_>, _>>()?;
    if draft.kind == PollKind::Vote {
        // The record must say what was voted on.
        let asked = items.iter().any(|item| !item.text.is_empty());
        sure(asked || !title.is_empty())?;
    }
    let draft = PollDraft {
        title,
        items,
        ..draft
    };
    let bytes = serde_json::to_string(&draft).map_or(usize::MAX, |json| json.len());
    if bytes > POLL_DRAFT_BYTES {
        return Err(ErrorCode::TooLarge);
    }
    Ok(draft)
}

fn clean_item(kind: PollKind, item: PollItem) -> Result<PollItem, ErrorCode> {
    let text = clean(&item.text)?;
    sure(item.options.len() <= MAX_POLL_OPTIONS)?;
    let options = item
        .options
        .iter()
        .map(|option| clean_line(option))
        .collect::<Result<Vec<_>, _>>()?;
    match (kind, item.choose) {
        (PollKind::YesNo | PollKind::Vote, Choose::One) => sure(options.is_empty())?,
        (PollKind::Letters, Choose::One | Choose::Many) => {
            sure(options.len() >= 2 && options.iter().all(String::is_empty))?;
        }
        (PollKind::Poll | PollKind::Quiz, Choose::One | Choose::Many) => {
            sure(options.len() >= 2 && options.iter().all(|option| !option.is_empty()))?;
        }
        (PollKind::Poll | PollKind::Quiz, Choose::Text) => sure(options.is_empty())?,
        _ => return Err(ErrorCode::BadRequest),
    }
    let item = PollItem {
        text,
        options,
        ..item
    };
    let correct = distinct(&item.correct, options_of(kind, &item))?;
    match (kind, item.choose) {
        // One answer cannot be two.
        (PollKind::Quiz, Choose::One) => sure(correct.len() <= 1)?,
        (PollKind::Quiz, Choose::Many) => {}
        _ => sure(correct.is_empty())?,
    }
    Ok(PollItem { correct, ..item })
}

/// The indexes in order, when each is below `options` and none comes twice.
fn distinct(indexes: &[u8], options: usize) -> Result<Vec<u8>, ErrorCode> {
    let set: BTreeSet<u8> = indexes.iter().copied().collect();
    sure(set.len() == indexes.len())?;
    sure(set.iter().all(|index| usize::from(*index) < options))?;
    Ok(set.into_iter().collect())
}

/// The answer with its texts cleaned and its choices in order, when it is one
/// to this poll.
pub(super) fn clean_answer(
    draft: &PollDraft,
    answer: &[PollChoice],
) -> Result<Vec<PollChoice>, ErrorCode> {
    sure(answer.len() == draft.items.len())?;
    draft
        .items
        .iter()
        .zip(answer)
        .map(|(item, choice)| clean_choice(draft.kind, item, choice))
        .collect()
}

fn clean_choice(
    kind: PollKind,
    item: &PollItem,
    choice: &PollChoice,
) -> Result<PollChoice, ErrorCode> {
    let chosen = distinct(&choice.chosen, options_of(kind, item))?;
    let text = match (item.choose, &choice.text) {
        (Choose::One, None) => {
            sure(chosen.len() == 1)?;
            None
        }
        (Choose::Many, None) => {
            sure(!chosen.is_empty())?;
            None
        }
        (Choose::Text, Some(text)) => {
            let text = clean(text)?;
            sure(chosen.is_empty() && !text.is_empty())?;
            Some(text)
        }
        _ => return Err(ErrorCode::BadRequest),
    };
    Ok(PollChoice { chosen, text })
}

/// Points: one for each item of a quiz whose right options are exactly those
/// chosen. `None` where nothing can be scored.
pub(super) fn score(draft: &PollDraft, answer: &[PollChoice]) -> Option<u16> {
    let mut scored = draft
        .items
        .iter()
        .zip(answer)
        .filter(|(item, _)| !item.correct.is_empty())
        .peekable();
    scored.peek()?;
    let points = scored
        .filter(|(item, choice)| item.correct == choice.chosen)
        .count();
    u16::try_from(points).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(choose: Choose, options: &[&str], correct: &[u8]) -> PollItem {
        PollItem {
            text: String::new(),
            choose,
            options: options.iter().map(|o| (*o).to_owned()).collect(),
            correct: correct.to_vec(),
        }
    }

    fn draft(kind: PollKind, items: Vec<PollItem>) -> PollDraft {
        PollDraft {
            kind,
            title: "Hỏi".into(),
            items,
            anonymous: false,
            live: false,
            secs: None,
            quorum: None,
            by_site: false,
        }
    }

    fn good(draft: PollDraft) -> bool {
        clean_draft(draft).is_ok()
    }

    #[test]
    fn each_kind_asks_in_its_way_only() {
        use Choose::{Many, One, Text};
        use PollKind::{Letters, Poll, Quiz, Vote, YesNo};
        let ab: &[&str] = &["a", "b"];
        let blank: &[&str] = &["", ""];
        for (kind, choose, options, wanted) in [
            (YesNo, One, &[][..], true),
            (YesNo, Many, &[][..], false),
            (YesNo, Text, &[][..], false),
            (YesNo, One, ab, false),
            (Vote, One, &[][..], true),
            (Vote, Many, &[][..], false),
            (Vote, One, ab, false),
            (Letters, One, blank, true),
            (Letters, Many, blank, true),
            (Letters, One, ab, false),
            (Letters, One, &[""][..], false),
            (Letters, Text, &[][..], false),
            (Poll, One, ab, true),
            (Poll, Many, ab, true),
            (Poll, One, blank, false),
            (Poll, One, &["a"][..], false),
            (Poll, Text, &[][..], true),
            (Poll, Text, ab, false),
            (Quiz, One, ab, true),
            (Quiz, Text, &[][..], true),
        ] {
            let case = format!("{kind:?} {choose:?} {options:?}");
            let asked = draft(kind, vec![item(choose, options, &[])]);
            assert_eq!(good(asked), wanted, "{case}");
        }
    }

    #[test]
    fn right_answers_are_a_quizs_and_in_range() {
        use Choose::{Many, One, Text};
        use PollKind::{Poll, Quiz};
        let ab: &[&str] = &["a", "b", "c"];
        for (kind, choose, options, correct, wanted) in [
            (Poll, One, ab, &[1][..], false),
            (Quiz, One, ab, &[2][..], true),
            (Quiz, One, ab, &[3][..], false),
            (Quiz, One, ab, &[0, 1][..], false),
            (Quiz, Many, ab, &[2, 0][..], true),
            (Quiz, Many, ab, &[1, 1][..], false),
            (Quiz, Text, &[][..], &[0][..], false),
        ] {
            let asked = draft(kind, vec![item(choose, options, correct)]);
            assert_eq!(good(asked), wanted, "{kind:?} {choose:?} {correct:?}");
        }
    }

    #[test]
    fn bounds_hold() {
        use PollKind::{Poll, Quiz, Vote, YesNo};
        let one = || item(Choose::One, &["a", "b"], &[]);
        let plain = || item(Choose::One, &[], &[]);
        assert!(!good(draft(Poll, vec![])));
        assert!(!good(draft(Poll, vec![one(), one()])));
        assert!(good(draft(Quiz, vec![one(); MAX_POLL_ITEMS])));
        assert!(!good(draft(Quiz, vec![one(); MAX_POLL_ITEMS + 1])));
        let many = vec!["x"; MAX_POLL_OPTIONS + 1];
        assert!(!good(draft(Poll, vec![item(Choose::One, &many, &[])])));
        assert!(good(draft(Poll, vec![item(Choose::One, &many[1..], &[])])));

        let timed = |secs| PollDraft {
            secs: Some(secs),
            ..draft(YesNo, vec![plain()])
        };
        assert!(!good(timed(0)) && !good(timed(4)) && good(timed(5)));
        assert!(good(timed(MAX_POLL_SEC)) && !good(timed(MAX_POLL_SEC + 1)));

        let valid = |kind, quorum| PollDraft {
            quorum: Some(quorum),
            ..draft(kind, vec![plain()])
        };
        assert!(!good(valid(YesNo, 1)) && !good(valid(Vote, 0)) && good(valid(Vote, 1)));

        let vote = PollDraft {
            title: " ".into(),
            ..draft(Vote, vec![plain()])
        };
        assert!(!good(vote), "nobody knows what was voted on");

        let long = "ế".repeat(MAX_POLL_TEXT + 1);
        let asked = draft(Poll, vec![item(Choose::One, &["a", &long], &[])]);
        assert_eq!(clean_draft(asked), Err(ErrorCode::TooLarge));
        let heavy = item(Choose::One, &[&long[..MAX_POLL_TEXT * 3]; 12], &[]);
        let asked = draft(Quiz, vec![heavy]);
        assert_eq!(clean_draft(asked), Err(ErrorCode::TooLarge));
    }

    #[test]
    fn texts_are_cleaned() {
        let asked = PollDraft {
            title: " Ke\u{302}\u{301}t\nquả\u{202e} ".into(),
            ..draft(
                PollKind::Poll,
                vec![item(Choose::One, &["+", " b\u{7}"], &[])],
            )
        };
        let clean = clean_draft(asked).unwrap();
        assert_eq!(clean.title, "Kết quả");
        assert_eq!(clean.items[0].options, ["+", "b"]);
    }

    #[test]
    fn an_answer_fits_its_items() {
        let asked = clean_draft(draft(
            PollKind::Quiz,
            vec![
                item(Choose::One, &["a", "b"], &[1]),
                item(Choose::Many, &["a", "b", "c"], &[2, 0]),
                item(Choose::Text, &[], &[]),
            ],
        ))
        .unwrap();
        let choice = |chosen: &[u8], text: Option<&str>| PollChoice {
            chosen: chosen.to_vec(),
            text: text.map(str::to_owned),
        };
        let right = [
            choice(&[1], None),
            choice(&[2, 0], None),
            choice(&[], Some(" tốt ")),
        ];
        let clean = clean_answer(&asked, &right).unwrap();
        assert_eq!(clean[1].chosen, [0, 2]);
        assert_eq!(clean[2].text.as_deref(), Some("tốt"));
        assert_eq!(score(&asked, &clean), Some(2));

        for (n, wrong) in [
            (0, choice(&[], None)),
            (0, choice(&[0, 1], None)),
            (0, choice(&[2], None)),
            (0, choice(&[0], Some("chữ"))),
            (1, choice(&[], None)),
            (1, choice(&[0, 0], None)),
            (1, choice(&[3], None)),
            (2, choice(&[], None)),
            (2, choice(&[], Some(" \n"))),
            (2, choice(&[0], Some("chữ"))),
        ] {
            let mut answer = right.clone();
            answer[n] = wrong;
            let refused = clean_answer(&asked, &answer);
            assert_eq!(refused, Err(ErrorCode::BadRequest), "{answer:?}");
        }
        assert!(clean_answer(&asked, &right[..2]).is_err());
        let mut long = right.clone();
        long[2] = choice(&[], Some(&"x".repeat(MAX_POLL_TEXT + 1)));
        assert_eq!(clean_answer(&asked, &long), Err(ErrorCode::TooLarge));

        let part = [right[0].clone(), choice(&[0], None), right[2].clone()];
        let part = clean_answer(&asked, &part).unwrap();
        assert_eq!(score(&asked, &part), Some(1), "exactly the right ones");
        let plain = draft(PollKind::Poll, vec![item(Choose::One, &["a", "b"], &[])]);
        assert_eq!(score(&plain, &part), None);
    }
}
