//! Captions somebody uploaded, without what was said where something is cut. Whose
//! file it is nobody knows: what cannot be read for sure is left out.

use lophoc_recording::Span;

/// A moment of WebVTT (`[hh:]mm:ss.ttt`), ms.
fn moment(text: &str) -> Option<u64> {
    let (rest, millis) = text.trim().split_once('.')?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| -> Option<u64> {
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok())?
    };
    let mut parts = rest.rsplit(':');
    let seconds = number(parts.next()?, 2..=2)?;
    let minutes = number(parts.next()?, 2..=2)?;
    let hours = match parts.next() {
        Some(hours) => number(hours, 1..=6)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    let whole = hours.checked_mul(60)?.checked_add(minutes)?;
    let whole = whole.checked_mul(60)?.checked_add(seconds)?;
    whole
        .checked_mul(1_000)?
        .checked_add(number(millis, 3..=3)?)
}

/// From and to of a line of times.
fn times(line: &str) -> Option<(u64, u64)> {
    let (from, rest) = line.split_once("-->")?;
    let to = rest.split_whitespace().next()?;
    Some((moment(from)?, moment(to)?))
}

/// Whether a block of lines may be shown: a style, or cues all of which lie outside
/// of what is cut.
fn is_shown(block: &[&str], cuts: &[Span]) -> bool {
    let first = block.first().copied().unwrap_or_default().trim_end();
    if matches!(first, "STYLE" | "REGION") && !block.iter().any(|line| line.contains("-->")) {
        return true;
    }
    let mut cues = block.iter().filter(|line| line.contains("-->")).peekable();
    cues.peek().is_some()
        && cues.all(|line| {
            times(line).is_some_and(|(from, to)| {
                let to = to.max(from.saturating_add(1));
                cuts.iter()
                    .all(|cut| to <= cut.from_ms || cut.to_ms <= from)
            })
        })
}

/// The file without cues that meet what is cut; as it is where nothing is.
pub fn without(text: &str, cuts: &[Span]) -> String {
    if cuts.is_empty() {
        return text.to_owned();
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::from("WEBVTT\n");
    let mut lines = text.lines().skip(1);
    // What stands right below the first line belongs to it.
    for line in lines.by_ref() {
        if line.is_empty() {
            break;
        }
    }
    let rest: Vec<&str> = lines.collect();
    for block in rest.split(|line| line.is_empty()) {
        if !block.is_empty() && is_shown(block, cuts) {
            out.push('\n');
            for line in block {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "WEBVTT - Buổi 1\n\nSTYLE\n::cue { color: red }\n\nNOTE bí mật\n\n\
        1\n00:01.000 --> 00:03.000\nđầu\n\n2\n00:00:04.000 --> 00:00:06.000 align:start\nbị cắt\n\n\
        00:06.500 --> 00:09.000\nnửa\n00:20.000 --> 00:21.000\nhai\n\n00:30.000 --> 00:31.000\ncuối\n";

    #[test]
    fn cues_that_meet_a_cut_are_left_out_and_others_keep_their_times() {
        let cuts = [Span::new(5_000, 8_000)];
        assert_eq!(
            without(FILE, &cuts),
            "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.000 --> 00:03.000\nđầu\n\n\
             00:30.000 --> 00:31.000\ncuối\n"
        );
        assert_eq!(without(FILE, &[]), FILE);
        let returns = FILE.replace('\n', "\r");
        assert_eq!(without(&returns, &cuts), without(FILE, &cuts));
    }

    #[test]
    fn what_has_no_times_that_can_be_read_is_left_out() {
        let file = "WEBVTT\n\n0:1.0 --> 00:02.000\na\n\n00:01.000 -> 00:02.000\nb\n\n\
            00:09.000 --> 00:01.000\nc\n\n00:05.000 --> 00:05.000\nd\n";
        assert_eq!(
            without(file, &[Span::new(5_000, 6_000)]),
            "WEBVTT\n\n00:09.000 --> 00:01.000\nc\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_a_panic(text in "(?s).{0,200}", from in 0u64..9_000, len in 1u64..9_000) {
            let _ = without(&text, &[Span::new(from, from + len)]);
            let _ = moment(&text);
        }
    }
}
