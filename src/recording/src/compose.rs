//! One film of a recording: which command lines make it.
//!
//! Every stretch ([`crate::layout`]) becomes a chunk with the same settings, so
//! that chunks are joined without encoding again and a stop repeats one chunk, not a
//! class. Frames are counted on the net time of the whole film: however many chunks
//! there are, sound and picture stay together.

use crate::edit::Cuts;
use crate::layout::{Main, Stretch};
use crate::media::SegmentId;
use crate::scan::Index;
use crate::served::VirtualFile;
use crate::time::Span;

/// Width of the film, pixels.
pub const WIDTH: u32 = 1_280;
/// Height of the film, pixels.
pub const HEIGHT: u32 = 720;
/// Pictures a second.
pub const FPS: u64 = 25;
/// Length of a picture, milliseconds.
const FRAME_MS: u64 = 1_000 / FPS;
/// Width and height of what is small in the corner, pixels.
const SMALL: (u32, u32) = (288, 162);
/// Behind everything.
const GROUND: &str = "0x10151c";
/// Bits a second of its sound.
const SOUND: &str = "96k";

/// A chunk of the film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<P> {
    /// Counts up from 0.
    pub number: usize,
    /// What is seen.
    pub stretch: Stretch<P>,
    /// How many frames it has, never none.
    pub frames: u64,
}

impl<P> Chunk<P> {
    /// Its file.
    pub fn file(&self) -> String {
        format!("chunk-{:05}.mp4", self.number)
    }
}

/// The chunks of a film. A stretch shorter than a frame may have none.
pub fn chunks<P: Clone>(stretches: &[Stretch<P>]) -> Vec<Chunk<P>> {
    let mut net_ms = 0;
    let mut all = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let first = net_ms / FRAME_MS;
        net_ms += stretch.span.len_ms();
        let frames = net_ms / FRAME_MS - first;
        if frames > 0 {
            all.push(Chunk {
                number: all.len(),
                stretch: stretch.clone(),
                frames,
            });
        }
    }
    all
}

/// The part of a picture's file that a chunk needs, from the keyframe before it on;
/// times in it are those of the file. `None`: it has nothing there.
pub fn part(index: &Index, start_ms: u64, span: Span) -> Option<VirtualFile> {
    let from = span.from_ms.saturating_sub(start_ms);
    let to = span.to_ms.saturating_sub(start_ms);
    let begin = index
        .clusters
        .iter()
        .rev()
        .find(|cluster| cluster.keyframe && cluster.time_ms <= from)
        .map_or(0, |cluster| cluster.time_ms);
    VirtualFile::new(
        index,
        &[Span::new(0, begin), Span::new(to + 1_000, u64::MAX)],
    )
}

/// A picture a chunk is made of: a file in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Name in the folder `{in}`.
    pub file: String,
    /// Where in the file the chunk begins, milliseconds; `None`: it is a still picture.
    pub at_ms: Option<u64>,
}

/// The title of a film, shown where nothing else is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// File with the text in `{in}`.
    pub file: String,
    /// Font file.
    pub font: String,
}

fn text(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Seconds with milliseconds.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn input(out: &mut Vec<String>, input: &Input) {
    match input.at_ms {
        // The time in the file, whatever it begins with; decoded from the keyframe
        // before it, whose picture may still stand.
        Some(at_ms) => out.extend(text(&[
            "-seek_timestamp",
            "1",
            "-noaccurate_seek",
            "-ss",
            &seconds(at_ms),
        ])),
        None => out.extend(text(&[
            "-f",
            "image2",
            "-pattern_type",
            "none",
            "-framerate",
            &FPS.to_string(),
        ])),
    }
    out.extend(text(&["-i", &format!("{{in}}/{}", input.file)]));
}

/// A picture made as large as fits, `more` done to it; each only once, however often
/// it is shown: one that stands still sends nothing, the last goes on. Times are those
/// of the chunk and never counted anew: where a picture changes its size, ffmpeg makes
/// the whole graph anew in the middle.
fn fitted(number: usize, input: &Input, (width, height): (u32, u32), more: &str) -> String {
    let times = match input.at_ms {
        Some(_) => format!("fps={FPS},tpad=stop_mode=clone:stop=-1,trim=start=0"),
        None => format!("loop=loop=-1:size=1,setpts=N/({FPS}*TB)"),
    };
    format!(
        "[{number}:v]scale={width}:{height}:force_original_aspect_ratio=decrease:\
         force_divisible_by=2,setsar=1,format=yuv420p{more},{times}"
    )
}

/// Arguments of ffmpeg for a chunk: `{in}` its folder, `{out}` where it writes
/// `file`. `main` absent: the title, or where there is none, the ground alone.
pub fn chunk_arguments(
    frames: u64,
    main: Option<&Input>,
    small: Option<&Input>,
    title: Option<&Title>,
    file: &str,
) -> Vec<String> {
    let mut out = text(&["-v", "error", "-nostdin", "-y", "-threads", "2"]);
    let mut graph;
    if let Some(main) = main {
        input(&mut out, main);
        let pad = format!(",pad={WIDTH}:{HEIGHT}:(ow-iw)/2:(oh-ih)/2:color={GROUND}");
        graph = fitted(0, main, (WIDTH, HEIGHT), &pad);
    } else {
        let ground = format!("color=c={GROUND}:size={WIDTH}x{HEIGHT}:rate={FPS}");
        out.extend(text(&["-f", "lavfi", "-i", &ground]));
        graph = "[0:v]format=yuv420p".to_owned();
        if let Some(title) = title {
            graph += &format!(
                ",drawtext=textfile={{in}}/{}:fontfile={}:expansion=none:fontsize=40:\
                 fontcolor=white:line_spacing=16:x=(w-text_w)/2:y=(h-text_h)/2",
                title.file, title.font
            );
        }
    }
    if let Some(small) = small {
        input(&mut out, small);
        graph += &format!(
            "[m];{}[s];[m][s]overlay=W-w-20:H-h-20",
            fitted(1, small, SMALL, "")
        );
    }
    out.extend(text(&[
        "-filter_complex",
        &format!("{graph}[v]"),
        "-map",
        "[v]",
    ]));
    out.extend(text(&["-frames:v", &frames.to_string()]));
    // No frames that look ahead: chunks then join to the frame.
    out.extend(text(&[
        "-an",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "26",
        "-profile:v",
        "high",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "50",
        "-video_track_timescale",
        "12800",
        "-threads",
        "2",
        "-f",
        "mp4",
    ]));
    out.push(format!("{{out}}/{file}"));
    out
}

/// The list ffmpeg joins chunks by; names are inside of the folder of the list.
pub fn list<P>(chunks: &[Chunk<P>]) -> String {
    use std::fmt::Write as _;
    let mut list = String::from("ffconcat version 1.0\n");
    for chunk in chunks {
        let _ = write!(
            list,
            "file '{}'\nduration {}\n",
            chunk.file(),
            seconds(chunk.frames * FRAME_MS)
        );
    }
    list
}

/// Arguments of ffmpeg that join the chunks listed in `{in}/list` with the mixed
/// sound `{in}/sound.webm` (absent: without) into `{out}/<file>`. The sound is that of
/// the whole recording; what is cut is left out of it to the sample.
pub fn join_arguments(cuts: &Cuts, sound: bool, file: &str) -> Vec<String> {
    let mut out = text(&[
        "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0",
    ]);
    out.extend(text(&["-i", "{in}/list"]));
    if sound {
        out.extend(text(&["-i", "{in}/sound.webm"]));
        out.extend(text(&["-filter_complex", &sound_graph(&cuts.kept())]));
        out.extend(text(&["-map", "0:v", "-map", "[a]"]));
        out.extend(text(&["-c:a", "aac", "-b:a", SOUND]));
    } else {
        out.extend(text(&["-map", "0:v"]));
    }
    out.extend(text(&[
        "-c:v",
        "copy",
        "-movflags",
        "+faststart",
        "-f",
        "mp4",
    ]));
    out.push(format!("{{out}}/{file}"));
    out
}

/// What is kept of the sound, one after the other.
fn sound_graph(kept: &[Span]) -> String {
    let trim = |span: &Span| {
        format!(
            "atrim=start={}:end={},asetpts=PTS-STARTPTS",
            seconds(span.from_ms),
            seconds(span.to_ms)
        )
    };
    if let [only] = kept {
        return format!("[1:a]{}[a]", trim(only));
    }
    let number = kept.len();
    let mut graph = format!("[1:a]asplit={number}");
    for at in 0..number {
        graph += &format!("[i{at}]");
    }
    for (at, span) in kept.iter().enumerate() {
        graph += &format!(";[i{at}]{}[o{at}]", trim(span));
    }
    graph += ";";
    for at in 0..number {
        graph += &format!("[o{at}]");
    }
    graph + &format!("concat=n={number}:v=0:a=1[a]")
}

/// The files of pictures that a chunk needs: which is large, which small.
pub fn pictures<P>(chunk: &Chunk<P>) -> (Option<SegmentId>, Option<SegmentId>) {
    let main = match chunk.stretch.main {
        Main::Picture(segment) => Some(segment),
        Main::Slide(_) | Main::Title => None,
    };
    (main, chunk.stretch.small)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However it is cut into stretches, the film has as many frames as it lasts.
        #[test]
        fn frames_add_up(lens in proptest::collection::vec(1_u64..3_000, 1..200)) {
            let mut at = 0;
            let stretches: Vec<Stretch<u8>> = lens.iter().map(|len| {
                at += len + 7;
                Stretch { span: Span::new(at - len, at), main: Main::Title, small: None }
            }).collect();
            let chunks = chunks(&stretches);
            let frames: u64 = chunks.iter().map(|chunk| chunk.frames).sum();
            prop_assert_eq!(frames, lens.iter().sum::<u64>() / FRAME_MS);
            prop_assert!(chunks.iter().enumerate().all(|(at, chunk)| chunk.number == at && chunk.frames > 0));
        }
    }
}
