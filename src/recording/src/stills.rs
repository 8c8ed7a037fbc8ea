//! Small pictures of a recording: a poster for lists, and strips of little ones for
//! the time line. Taken from pictures that stand alone, of what is shown at these
//! moments, so that nothing is decoded but they.

use crate::edit::Cuts;
use crate::layout::Main;
use crate::scan::{ClusterAt, Index};
use crate::time::Span;

/// Least time between two of them, milliseconds of what is shown: keyframes come no
/// oftener.
const EVERY_MS: u64 = 10_000;
/// Most of a recording. Overflow: they stand further apart.
pub const MOST: usize = 150;
/// So many stand in a row of a strip, and so many rows has a whole one.
pub const ACROSS: usize = 5;
/// Of one strip.
pub const PER_STRIP: usize = ACROSS * ACROSS;
/// Width and height of a little one, pixels.
pub const TILE: (u32, u32) = (160, 90);
/// Width and height of the poster, pixels.
pub const POSTER: (u32, u32) = (640, 360);
/// Behind pictures of another shape.
const GROUND: &str = "0x10151c";

/// How far apart they stand, milliseconds of what is shown.
pub fn every(cuts: &Cuts) -> u64 {
    EVERY_MS.max(cuts.net_ms().div_ceil(MOST as u64))
}

/// At which recording times there is one: in the middle of equal parts of what is
/// shown.
pub fn times(cuts: &Cuts) -> Vec<u64> {
    let net = cuts.net_ms();
    let every = every(cuts);
    (0..net.div_ceil(every))
        .map(|number| number * every)
        .map(|from| from + every.min(net - from) / 2)
        .map(|at| cuts.to_recording(at))
        .collect()
}

/// How many strips there are for so many pictures.
pub fn strips(pictures: usize) -> usize {
    pictures.div_ceil(PER_STRIP)
}

/// The picture that stands alone and is shown nearest before a time of the file, else
/// the first within ten seconds after it; never one with a part in `cuts`
/// ([`crate::served::file_cuts`]).
pub fn keyframe(index: &Index, at_ms: u64, cuts: &[Span]) -> Option<ClusterAt> {
    let mut before = None;
    for (number, cluster) in index.clusters.iter().enumerate() {
        if cluster.time_ms > at_ms.saturating_add(EVERY_MS) {
            break;
        }
        let span = index.cluster_span(number)?;
        if !cluster.keyframe || cuts.iter().any(|cut| cut.meets(span)) {
            continue;
        }
        if cluster.time_ms > at_ms {
            return before.or(Some(*cluster));
        }
        before = Some(*cluster);
    }
    before
}

/// Which of them is on the poster: the first of a screen, else of a page, else of
/// somebody; not one of the very beginning, when there is another of its sort.
pub fn poster<P>(
    stills: &[Option<Main<P>>],
    is_screen: impl Fn(&Main<P>) -> bool,
) -> Option<usize> {
    let rank = |main: &Main<P>| match main {
        main if is_screen(main) => 0,
        Main::Slide(_) => 1,
        Main::Picture(_) => 2,
        Main::Title => 3,
    };
    let begins = stills.len() / 10;
    stills
        .iter()
        .enumerate()
        .filter_map(|(number, still)| Some((number, still.as_ref()?)))
        .filter(|(_, main)| !matches!(main, Main::Title))
        .min_by_key(|(number, main)| (rank(main), *number < begins, *number))
        .map(|(number, _)| number)
}

/// A picture a strip is made of: a file in `{in}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Its name.
    pub file: String,
    /// It is one picture and no film of one.
    pub page: bool,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn input(out: &mut Vec<String>, still: &Still) {
    // Of many inputs each would have as many threads as the machine has processors.
    out.extend(words(&["-threads", "1"]));
    if still.page {
        out.extend(words(&["-f", "image2", "-pattern_type", "none"]));
    }
    out.extend(words(&["-i", &format!("{{in}}/{}", still.file)]));
}

/// The first picture of an input, as large as fits.
fn fitted(number: usize, (width, height): (u32, u32), name: &str) -> String {
    format!(
        "[{number}:v]trim=end_frame=1,setpts=PTS-STARTPTS,\
         scale={width}:{height}:force_original_aspect_ratio=decrease,\
         pad={width}:{height}:-1:-1:color={GROUND},setsar=1,format=yuv420p[{name}]"
    )
}

fn begin() -> Vec<String> {
    words(&[
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-filter_complex_threads",
        "1",
    ])
}

fn end(out: &mut Vec<String>, quality: u32, file: &str) {
    out.extend(words(&["-map", "[o]", "-frames:v", "1", "-c:v", "libwebp"]));
    out.extend(words(&["-quality", &quality.to_string(), "-f", "webp"]));
    out.push(format!("{{out}}/{file}"));
}

/// The command line of a strip; `None` among the stills: nothing to be seen. At most
/// [`PER_STRIP`] of them.
pub fn strip_arguments(stills: &[Option<Still>], file: &str) -> Vec<String> {
    let mut out = begin();
    let mut filter = String::new();
    let mut inputs = 0;
    let cells = stills.len().clamp(1, PER_STRIP).next_multiple_of(ACROSS);
    let (width, height) = TILE;
    for cell in 0..cells {
        let name = format!("v{cell}");
        let part = match stills.get(cell) {
            Some(Some(still)) => {
                input(&mut out, still);
                inputs += 1;
                fitted(inputs - 1, TILE, &name)
            }
            _ => format!(
                "color=c={GROUND}:s={width}x{height}:r=1,trim=end_frame=1,\
                 setpts=PTS-STARTPTS,setsar=1,format=yuv420p[{name}]"
            ),
        };
        filter.push_str(&part);
        filter.push(';');
    }
    for cell in 0..cells {
        filter.push_str(&format!("[v{cell}]"));
    }
    let places: Vec<String> = (0..cells)
        .map(|cell| {
            let (row, column) = (cell / ACROSS, cell % ACROSS);
            format!("{}_{}", column as u32 * width, row as u32 * height)
        })
        .collect();
    filter.push_str(&format!(
        "xstack=inputs={cells}:layout={}[o]",
        places.join("|")
    ));
    out.extend(words(&["-filter_complex", &filter]));
    end(&mut out, 60, file);
    out
}

/// The command line of the poster.
pub fn poster_arguments(still: &Still, file: &str) -> Vec<String> {
    let mut out = begin();
    input(&mut out, still);
    out.extend(words(&["-filter_complex", &fitted(0, POSTER, "o")]));
    end(&mut out, 75, file);
    out
}

/// Whether ffmpeg can make anything of it: it writes nothing.
pub fn test_arguments(still: &Still) -> Vec<String> {
    let mut out = begin();
    input(&mut out, still);
    out.extend(words(&["-frames:v", "1", "-f", "null", "-"]));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::{Codec, SegmentId};

    fn cluster(time_ms: u64, keyframe: bool) -> ClusterAt {
        ClusterAt {
            offset: 100 + time_ms,
            len: 10,
            time_ms,
            keyframe,
            frame: 105 + time_ms,
            frame_len: 3,
        }
    }

    fn index(times: &[(u64, bool)]) -> Index {
        Index {
            codec: Codec::Vp8,
            tracks: Vec::new(),
            head: 100,
            clusters: times.iter().map(|(at, key)| cluster(*at, *key)).collect(),
            bytes: 1_000_000,
            end_ms: 60_000,
        }
    }

    proptest! {
        #[test]
        fn they_stand_evenly_in_what_is_shown_and_are_never_too_many(
            length in 0..20_000_000_u64,
            cuts in proptest::collection::vec((0..20_000_000_u64, 1..3_000_000_u64), 0..5),
        ) {
            let spans = cuts.into_iter().map(|(from, len)| Span::new(from, from + len));
            let cuts = Cuts::new(length, [], spans);
            let times = times(&cuts);
            prop_assert!(times.len() <= MOST);
            prop_assert_eq!(times.is_empty(), cuts.net_ms() == 0);
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(times.iter().all(|at| !cuts.hides(*at)));
            let apart = |pair: &[u64]| cuts.to_net(pair[1]) - cuts.to_net(pair[0]);
            prop_assert!(times.windows(2).all(|pair| apart(pair) <= every(&cuts)));
        }
    }

    #[test]
    fn the_picture_before_is_taken_unless_it_is_cut() {
        let index = index(&[(0, true), (1_000, false), (10_000, true), (20_000, true)]);
        let found = |at, cuts: &[Span]| keyframe(&index, at, cuts).map(|one| one.time_ms);
        assert_eq!(found(15_000, &[]), Some(10_000));
        assert_eq!(found(10_000, &[]), Some(10_000));
        // What was cut is not taken, though it stands alone.
        let cut = [Span::new(9_000, 11_000)];
        assert_eq!(found(15_000, &cut), Some(0));
        // Of a file that begins later: the first, when it is near.
        let late = self::index(&[(20_000, true)]);
        assert_eq!(
            keyframe(&late, 15_000, &[]).map(|one| one.time_ms),
            Some(20_000)
        );
        assert_eq!(keyframe(&late, 5_000, &[]), None);
        assert_eq!(found(25_000, &[Span::new(0, 60_000)]), None);
    }

    #[test]
    fn a_screen_is_on_the_poster_else_a_page_else_somebody() {
        let (screen, camera) = (SegmentId(1), SegmentId(2));
        let is_screen = |main: &Main<u8>| matches!(main, Main::Picture(one) if *one == screen);
        let camera = || Some(Main::Picture(camera));
        let mut all: Vec<Option<Main<u8>>> = vec![Some(Main::Title); 20];
        assert_eq!(poster(&all, is_screen), None);
        all[0] = camera();
        assert_eq!(poster(&all, is_screen), Some(0));
        all[9] = camera();
        assert_eq!(poster(&all, is_screen), Some(9));
        all[12] = Some(Main::Slide(3));
        assert_eq!(poster(&all, is_screen), Some(12));
        all[15] = Some(Main::Picture(screen));
        assert_eq!(poster(&all, is_screen), Some(15));
        all[15] = None;
        assert_eq!(poster(&all, is_screen), Some(12));
    }

    #[test]
    fn a_strip_has_whole_rows_and_as_many_inputs_as_there_are_pictures() {
        let still = |page| {
            Some(Still {
                file: "a".to_owned(),
                page,
            })
        };
        let line = strip_arguments(&[still(false), None, still(true)], "s.webp");
        assert_eq!(line.iter().filter(|word| *word == "-i").count(), 2);
        let filter = line.iter().find(|word| word.contains("xstack")).unwrap();
        assert!(filter.contains("xstack=inputs=5:layout=0_0|160_0|320_0|480_0|640_0[o]"));
        assert!(filter.contains("[0:v]") && filter.contains("[1:v]") && !filter.contains("[2:v]"));
        let many = vec![still(false); 26];
        let filter = strip_arguments(&many, "s.webp").join(" ");
        assert!(filter.contains("inputs=25:") && filter.contains("|640_360[o]"));
    }
}
