//! The client's offer against its profile, before str0m sees it: size, number,
//! order, kind, direction and tag of the m-lines.

use lophoc_media::types::{Kind, Slots};

use crate::api::{ConnectError, MidMap};

/// Most m-lines of a profile. The largest one has 4 + 5 + 25 + 2.
const MAX_MEDIA_LINES: usize = 64;
/// Longest `a=mid`, bytes: str0m keeps 16.
const MAX_MID: usize = 16;

/// One m-line of an offer (RFC 8866 §5.14) and the attributes that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section<'a> {
    media: &'a str,
    mid: Option<&'a str>,
    direction: Option<&'a str>,
}

/// Checks the offer against the profile and tells which tag is what.
pub(crate) fn check(offer: &str, sends: &[Kind], slots: Slots) -> Result<MidMap, ConnectError> {
    if offer.len() > crate::MAX_OFFER_BYTES {
        return Err(ConnectError::TooLarge);
    }
    let sections = sections(offer)?;
    let expected = sends.len()
        + usize::from(slots.audio)
        + usize::from(slots.video)
        + usize::from(slots.screen);
    if sections.len() != expected || expected > MAX_MEDIA_LINES || expected == 0 {
        return Err(ConnectError::MediaLines {
            expected,
            got: sections.len(),
        });
    }
    let mut mids = MidMap::default();
    let mut lines = sections.iter().enumerate();
    for kind in sends {
        let what = if kind.is_audio() {
            "audio sendonly"
        } else {
            "video sendonly"
        };
        if let Some(mid) = lines.next().map(|line| take(line, what)).transpose()? {
            mids.sends.push((*kind, mid));
        }
    }
    for (count, what, list) in [
        (slots.audio, "audio recvonly", &mut mids.audio),
        (slots.video, "video recvonly", &mut mids.video),
        (slots.screen, "video recvonly", &mut mids.screen),
    ] {
        for line in lines.by_ref().take(usize::from(count)) {
            list.push(take(line, what)?);
        }
    }
    check_unique(&sections)?;
    Ok(mids)
}

/// The tag of a line that is `what`, for example "audio sendonly".
fn take(
    (index, section): (usize, &Section<'_>),
    what: &'static str,
) -> Result<String, ConnectError> {
    let direction = section.direction.unwrap_or("sendrecv");
    if what.split_once(' ') != Some((section.media, direction)) {
        return Err(ConnectError::MediaLine {
            index,
            expected: what,
        });
    }
    let mid = section.mid.unwrap_or_default();
    // str0m silently replaces other characters, after which tags could collide.
    let usable =
        !mid.is_empty() && mid.len() <= MAX_MID && mid.bytes().all(|b| b.is_ascii_alphanumeric());
    if !usable {
        return Err(ConnectError::Malformed(format!(
            "media line {index} needs an a=mid of 1 to {MAX_MID} letters and digits"
        )));
    }
    Ok(mid.to_owned())
}

fn check_unique(sections: &[Section<'_>]) -> Result<(), ConnectError> {
    let mut mids: Vec<_> = sections.iter().filter_map(|s| s.mid).collect();
    mids.sort_unstable();
    if mids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(ConnectError::Malformed(
            "two media lines share an a=mid".into(),
        ));
    }
    Ok(())
}

fn sections(offer: &str) -> Result<Vec<Section<'_>>, ConnectError> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in offer.lines() {
        if let Some(rest) = line.strip_prefix("m=") {
            if sections.len() > MAX_MEDIA_LINES {
                break;
            }
            sections.push(Section {
                media: rest.split(' ').next().unwrap_or_default(),
                mid: None,
                direction: None,
            });
            continue;
        }
        let (Some(section), Some(attribute)) = (sections.last_mut(), line.strip_prefix("a="))
        else {
            continue;
        };
        match attribute {
            "sendonly" | "recvonly" | "sendrecv" | "inactive" => {
                section.direction = Some(attribute);
            }
            _ => {
                if let Some(mid) = attribute.strip_prefix("mid:") {
                    section.mid = Some(mid);
                }
            }
        }
    }
    if sections.is_empty() {
        return Err(ConnectError::Malformed("no media lines".into()));
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOTS: Slots = Slots {
        audio: 1,
        video: 1,
        screen: 1,
    };

    fn offer(lines: &[(&str, &str, &str)]) -> String {
        let mut sdp = String::from("v=0\r\n");
        for (media, direction, mid) in lines {
            sdp += &format!("m={media} 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na={direction}\r\n");
        }
        sdp
    }

    const GOOD: [(&str, &str, &str); 4] = [
        ("audio", "sendonly", "0"),
        ("audio", "recvonly", "1"),
        ("video", "recvonly", "2"),
        ("video", "recvonly", "3"),
    ];

    #[test]
    fn the_lines_of_the_profile_get_their_names() {
        let mids = check(&offer(&GOOD), &[Kind::Mic], SLOTS).unwrap();
        assert_eq!(mids.sends, [(Kind::Mic, "0".to_owned())]);
        assert_eq!(mids.audio, ["1"]);
        assert_eq!(mids.video, ["2"]);
        assert_eq!(mids.screen, ["3"]);
    }

    #[test]
    fn too_few_lines_are_refused_with_both_numbers() {
        assert_eq!(
            check(&offer(&GOOD[..3]), &[Kind::Mic], SLOTS),
            Err(ConnectError::MediaLines {
                expected: 4,
                got: 3
            })
        );
    }

    #[test]
    fn a_wrong_direction_or_kind_names_its_line() {
        let mut lines = GOOD;
        lines[2].1 = "sendrecv";
        assert_eq!(
            check(&offer(&lines), &[Kind::Mic], SLOTS),
            Err(ConnectError::MediaLine {
                index: 2,
                expected: "video recvonly"
            })
        );
        assert!(check(&offer(&GOOD), &[Kind::Camera], SLOTS).is_err());
    }

    #[test]
    fn tags_that_are_missing_doubled_or_strange_are_refused() {
        for mid in ["", "1", "a b", "_", "12345678901234567"] {
            let mut lines = GOOD;
            lines[3].2 = mid;
            assert!(
                matches!(
                    check(&offer(&lines), &[Kind::Mic], SLOTS),
                    Err(ConnectError::Malformed(_))
                ),
                "{mid:?}"
            );
        }
    }

    #[test]
    fn an_offer_beyond_the_size_limit_is_refused_unread() {
        let big = "a".repeat(crate::MAX_OFFER_BYTES + 1);
        assert_eq!(check(&big, &[], SLOTS), Err(ConnectError::TooLarge));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(m=|a=|mid:|audio|video|recvonly|\r\n| |.){0,60}") {
            let _ = check(&text, &[Kind::Mic], SLOTS);
        }
    }
}
