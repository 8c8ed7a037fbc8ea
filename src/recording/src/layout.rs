//! What is seen when: from segments, slides and cuts a list of stretches in each of
//! which the picture is made up the same way. The player may change it, composing
//! follows it.

use serde::{Deserialize, Serialize};

use crate::edit::{self, Cuts};
use crate::media::{SegmentId, TrackKind};
use crate::time::Span;

/// Stretches shorter than this are joined with the one before, milliseconds: nobody
/// sees them, and each costs a start of the encoder.
const SHORTEST_MS: u64 = 400;
/// Longest stretch, milliseconds: what composing does again after a crash.
pub const LONGEST_MS: u64 = 60_000;

/// A picture there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// Its file.
    pub segment: SegmentId,
    /// Camera or screen.
    pub kind: TrackKind,
    /// Of somebody who teaches or chairs.
    pub presenter: bool,
    /// When.
    pub span: Span,
}

/// A page of slides that is shown from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slide<P> {
    /// From when, recording time.
    pub at_ms: u64,
    /// Which page; `None`: none any more.
    pub page: Option<P>,
}

/// What fills the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "value")]
pub enum Main<P> {
    /// A picture.
    Picture(SegmentId),
    /// A page.
    Slide(P),
    /// Nothing: the title of the class.
    Title,
}

/// A stretch in which the picture is made up the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stretch<P> {
    /// When, recording time.
    pub span: Span,
    /// What is large.
    pub main: Main<P>,
    /// What is small in a corner.
    pub small: Option<SegmentId>,
}

/// What is seen when, without what was cut, in order. A shared screen is large, else
/// the page, else who teaches, else anybody; beside a screen or page whoever teaches
/// is small.
pub fn stretches<P: Clone + PartialEq>(
    pictures: &[Picture],
    slides: &[Slide<P>],
    cuts: &Cuts,
) -> Vec<Stretch<P>> {
    let mut slides: Vec<&Slide<P>> = slides.iter().collect();
    slides.sort_by_key(|slide| slide.at_ms);
    let mut edges: Vec<u64> = pictures
        .iter()
        .flat_map(|picture| [picture.span.from_ms, picture.span.to_ms])
        .chain(slides.iter().map(|slide| slide.at_ms))
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let mut all: Vec<Stretch<P>> = Vec::new();
    for kept in cuts.kept() {
        let first = all.len();
        let inner = edges
            .iter()
            .copied()
            .filter(|at| *at > kept.from_ms && *at < kept.to_ms);
        let mut from_ms = kept.from_ms;
        for to_ms in inner.chain([kept.to_ms]) {
            let (main, small) = shown(pictures, &slides, from_ms);
            match all.get_mut(first..).and_then(<[_]>::last_mut) {
                Some(last)
                    if (&last.main, &last.small) == (&main, &small)
                        || to_ms - from_ms < SHORTEST_MS =>
                {
                    last.span.to_ms = to_ms;
                }
                _ => all.push(Stretch {
                    span: Span::new(from_ms, to_ms),
                    main,
                    small,
                }),
            }
            from_ms = to_ms;
        }
    }
    all.into_iter().flat_map(parts).collect()
}

/// Parts of at most [`LONGEST_MS`].
fn parts<P: Clone>(stretch: Stretch<P>) -> Vec<Stretch<P>> {
    let mut parts = Vec::new();
    let mut from_ms = stretch.span.from_ms;
    while from_ms < stretch.span.to_ms {
        let left = stretch.span.to_ms - from_ms;
        // No short rest.
        let len = if left < LONGEST_MS * 3 / 2 {
            left
        } else {
            LONGEST_MS
        };
        parts.push(Stretch {
            span: Span::new(from_ms, from_ms + len),
            ..stretch.clone()
        });
        from_ms += len;
    }
    parts
}

fn shown<P: Clone>(
    pictures: &[Picture],
    slides: &[&Slide<P>],
    at_ms: u64,
) -> (Main<P>, Option<SegmentId>) {
    // The one that began last, should there be two.
    let find = |kind: TrackKind, presenter: Option<bool>| {
        pictures
            .iter()
            .filter(|picture| {
                picture.kind == kind
                    && presenter.is_none_or(|is| picture.presenter == is)
                    && picture.span.from_ms <= at_ms
                    && at_ms < picture.span.to_ms
            })
            .max_by_key(|picture| picture.span.from_ms)
            .map(|picture| picture.segment)
    };
    let teacher = find(TrackKind::Camera, Some(true));
    let somebody = teacher.or_else(|| find(TrackKind::Camera, None));
    let page = slides
        .iter()
        .take_while(|slide| slide.at_ms <= at_ms)
        .last()
        .and_then(|slide| slide.page.clone());
    match (find(TrackKind::Screen, None), page, somebody) {
        (Some(screen), _, _) => (Main::Picture(screen), teacher),
        (None, Some(page), _) => (Main::Slide(page), teacher),
        (None, None, Some(camera)) => (Main::Picture(camera), None),
        (None, None, None) => (Main::Title, None),
    }
}

/// The parts of a segment that are shown.
pub fn shown_of(segment: Span, cuts: &Cuts) -> Vec<Span> {
    edit::without(segment, &cuts.spans())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(segment: u32, kind: TrackKind, presenter: bool, from: u64, to: u64) -> Picture {
        Picture {
            segment: SegmentId(segment),
            kind,
            presenter,
            span: Span::new(from, to),
        }
    }

    #[test]
    fn a_screen_is_large_and_the_teacher_small_beside_it() {
        let pictures = [
            picture(1, TrackKind::Camera, true, 0, 50_000),
            picture(2, TrackKind::Screen, true, 20_000, 30_000),
            picture(3, TrackKind::Camera, false, 40_000, 60_000),
        ];
        let slides = [
            Slide {
                at_ms: 10_000,
                page: Some("one"),
            },
            Slide {
                at_ms: 35_000,
                page: None,
            },
        ];
        let cuts = Cuts::new(70_000, [], [Span::new(0, 5_000), Span::new(22_000, 25_000)]);
        let all = stretches(&pictures, &slides, &cuts);
        let told: Vec<_> = all
            .iter()
            .map(|one| (one.span.from_ms, one.main.clone(), one.small.map(|id| id.0)))
            .collect();
        assert_eq!(
            told,
            [
                (5_000, Main::Picture(SegmentId(1)), None),
                (10_000, Main::Slide("one"), Some(1)),
                (20_000, Main::Picture(SegmentId(2)), Some(1)),
                (25_000, Main::Picture(SegmentId(2)), Some(1)),
                (30_000, Main::Slide("one"), Some(1)),
                (35_000, Main::Picture(SegmentId(1)), None),
                (50_000, Main::Picture(SegmentId(3)), None),
                (60_000, Main::Title, None),
            ]
        );
        assert_eq!(shown_of(pictures[1].span, &cuts).len(), 2);
    }

    proptest! {
        /// The stretches are what is kept, whole and in order.
        #[test]
        fn nothing_is_missing_or_twice(
            pictures in proptest::collection::vec((1_u32..9, any::<bool>(), any::<bool>(), 0_u64..200_000, 1_u64..90_000), 0..8),
            slides in proptest::collection::vec((0_u64..200_000, proptest::option::of(0_u8..5)), 0..8),
            edits in proptest::collection::vec((0_u64..200_000, 1_u64..50_000), 0..5),
        ) {
            let pictures: Vec<Picture> = pictures.into_iter().map(|(id, screen, presenter, from, len)| {
                let kind = if screen { TrackKind::Screen } else { TrackKind::Camera };
                picture(id, kind, presenter, from, from + len)
            }).collect();
            let slides: Vec<_> = slides.into_iter().map(|(at_ms, page)| Slide { at_ms, page }).collect();
            let edits = edits.into_iter().map(|(from, len)| Span::new(from, from + len));
            let cuts = Cuts::new(210_000, [], edits);
            let all = stretches(&pictures, &slides, &cuts);
            prop_assert_eq!(all.iter().map(|one| one.span.len_ms()).sum::<u64>(), cuts.net_ms());
            prop_assert!(all.windows(2).all(|pair| pair[0].span.to_ms <= pair[1].span.from_ms));
            prop_assert!(all.iter().all(|one| !cuts.hides(one.span.from_ms) && one.span.len_ms() <= LONGEST_MS * 3 / 2));
        }

        /// Net time and recording time are the same thing.
        #[test]
        fn net_time_comes_back(
            edits in proptest::collection::vec((0_u64..200_000, 1_u64..50_000), 0..6),
            pauses in proptest::collection::vec((0_u64..200_000, 1_u64..50_000), 0..4),
            net in 0_u64..210_000,
        ) {
            let spans = |all: Vec<(u64, u64)>| all.into_iter().map(|(from, len)| Span::new(from, from + len)).collect::<Vec<_>>();
            let cuts = Cuts::new(210_000, spans(pauses), spans(edits));
            prop_assume!(net < cuts.net_ms());
            let t_ms = cuts.to_recording(net);
            prop_assert!(!cuts.hides(t_ms));
            prop_assert_eq!(cuts.to_net(t_ms), net);
            prop_assert_eq!(cuts.to_net(210_000), cuts.net_ms());
            let gone: u64 = cuts.list().iter().map(|cut| cut.span.len_ms()).sum();
            prop_assert_eq!(gone + cuts.net_ms(), 210_000);
        }
    }
}
