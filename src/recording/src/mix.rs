//! The mixed sound: every voice and every sound of a screen at its place, summed,
//! kept below full scale, encoded anew, on an exact grid of 20 ms of recording time.
//!
//! A piece is made from nothing but the frames of its time (and a little before, for
//! decoders and encoder to settle), so pieces can be made while the class runs, and
//! made again after a crash, and are always the same.

use std::collections::VecDeque;

use opus::{Application, Bitrate, Channels, Decoder, Encoder};

use crate::mkv::{Cluster, TrackHead};

/// Samples of a second.
const RATE: u64 = 48_000;
/// Samples of a millisecond.
const PER_MS: u64 = 48;
/// Samples of a frame that is encoded: 20 ms.
const GRID: usize = 960;
/// The same in milliseconds.
pub const GRID_MS: u64 = 20;
/// Sound before a piece that its decoders and encoder are given to settle, ms.
pub const SETTLE_MS: u64 = 120;
/// Sound after a piece that is looked at, so that nothing rises over full scale, ms.
const AHEAD_MS: u64 = 10;
/// What sounds of packets lags behind, samples: 6.5 ms.
const LAG: i64 = 312;
/// Longest hole that is concealed, samples: 100 ms.
const CONCEAL: i64 = 4_800;
/// A frame is moved to touch the one before up to this far, samples: 40 ms.
const TOUCH: i64 = 1_920;
/// Samples a frame may be stretched or shortened by to come to its place.
const STRETCH: i64 = 3;
/// Longest frame of Opus, samples: 120 ms.
const LONGEST: usize = 5_760;
/// Highest level, of 1: one decibel below full scale.
const CEILING: f32 = 0.891;
/// How fast it becomes louder again, of the rest in a sample: some 200 ms.
const RELEASE: f32 = 0.000_1;
/// Bits a second.
const BITRATE: i32 = 40_000;
/// Longest piece, milliseconds; a longer one is refused.
pub const MAX_PIECE_MS: u64 = 10 * 60_000;
/// Length of a cluster, milliseconds.
const CLUSTER_MS: u64 = 1_000;

/// A packet of a sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Recording time, milliseconds.
    pub t_ms: u64,
    /// The packet.
    pub bytes: Vec<u8>,
}

/// The packets of one segment, in order: those from [`SETTLE_MS`] before the piece
/// to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voice {
    /// The packets.
    pub packets: Vec<Packet>,
}

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
pub enum MixError {
    /// Opus does not do it.
    #[error("the codec failed: {0}")]
    Codec(#[from] opus::Error),
    /// A piece begins or ends beside the grid, is empty or longer than
    /// [`MAX_PIECE_MS`].
    #[error("no piece of 20 ms each, at most ten minutes")]
    Piece,
}

/// What the file of the mixed sound begins with.
pub fn file_head() -> Vec<u8> {
    TrackHead::opus().file_head()
}

/// The clusters of the mixed sound from `from_ms` to `to_ms`, both multiples of
/// [`GRID_MS`]; time of the file is recording time. Silence where nothing sounds.
///
/// # Errors
/// [`MixError`].
pub fn piece(from_ms: u64, to_ms: u64, voices: &[Voice]) -> Result<Vec<u8>, MixError> {
    let grid = from_ms.is_multiple_of(GRID_MS) && to_ms.is_multiple_of(GRID_MS);
    if !grid || to_ms <= from_ms || to_ms - from_ms > MAX_PIECE_MS {
        return Err(MixError::Piece);
    }
    // Before the beginning there is nothing to settle on but silence.
    let settle_ms = SETTLE_MS.min(from_ms) / GRID_MS * GRID_MS;
    let begin_ms = from_ms - settle_ms;
    let len = (to_ms + AHEAD_MS - begin_ms) * PER_MS;
    let mut sum = vec![[0_f32; 2]; usize::try_from(len).unwrap_or(0)];
    for voice in voices {
        add(&mut sum, begin_ms, voice)?;
    }
    limit(&mut sum);
    encode(&sum, begin_ms, from_ms, to_ms)
}

/// Adds a voice to what sounds from `begin_ms` on.
fn add(sum: &mut [[f32; 2]], begin_ms: u64, voice: &Voice) -> Result<(), MixError> {
    let rate = u32::try_from(RATE).unwrap_or(48_000);
    let mut decoder = Decoder::new(rate, Channels::Stereo)?;
    let mut buffer = vec![0_f32; LONGEST * 2];
    // Where the sound so far ends, samples after `begin_ms`.
    let mut cursor: Option<i64> = None;
    for packet in &voice.packets {
        let at = signed(packet.t_ms, begin_ms) - LAG;
        let mut lasts = GRID;
        if let Ok(samples) = decoder.get_nb_samples(&packet.bytes) {
            lasts = samples.min(LONGEST);
        }
        if let Some(end) = cursor {
            let hole = at - end;
            if (TOUCH + 1..=TOUCH + CONCEAL).contains(&hole) {
                conceal(&mut decoder, &mut buffer, hole, |samples| {
                    write(sum, end, samples, samples.len() / 2);
                })?;
                cursor = Some(at);
            } else if hole.abs() > TOUCH {
                cursor = None;
            }
        }
        let Ok(decoded) = decoder.decode_float(&packet.bytes, &mut buffer, false) else {
            // No packet of Opus: a hole of its length.
            continue;
        };
        let samples = buffer.get(..decoded * 2).unwrap_or_default();
        let begin = cursor.unwrap_or(at);
        // Clocks differ: it comes to its place by parts no ear notices.
        let long = i64::try_from(decoded).unwrap_or(0);
        let off = (at - begin).clamp(-STRETCH, STRETCH);
        let to = if lasts >= GRID { long + off } else { long };
        write(sum, begin, samples, usize::try_from(to).unwrap_or(0));
        cursor = Some(begin + to);
    }
    Ok(())
}

fn signed(t_ms: u64, begin_ms: u64) -> i64 {
    let ms = i128::from(t_ms) - i128::from(begin_ms);
    i64::try_from(ms * i128::from(PER_MS)).unwrap_or(i64::MAX / 4)
}

/// What the decoder makes of a hole, in parts it can make.
fn conceal(
    decoder: &mut Decoder,
    buffer: &mut [f32],
    hole: i64,
    put: impl FnOnce(&[f32]),
) -> Result<(), MixError> {
    // Parts are multiples of 2.5 ms; the rest is what the frame before fades into.
    let parts = usize::try_from(hole / 120).unwrap_or(0).min(LONGEST / 120);
    let samples = parts * 120;
    if let Some(buffer) = buffer.get_mut(..samples * 2).filter(|all| !all.is_empty()) {
        decoder.decode_float(&[], buffer, false)?;
        put(buffer);
    }
    Ok(())
}

/// Adds samples (both ears by turns) at a place, stretched to `len`.
fn write(sum: &mut [[f32; 2]], at: i64, samples: &[f32], len: usize) {
    let count = samples.len() / 2;
    if count == 0 || len == 0 {
        return;
    }
    let ears = |number: usize| -> [f32; 2] {
        let number = number.min(count - 1) * 2;
        match samples.get(number..number + 2) {
            Some([left, right]) => [*left, *right],
            _ => [0.0, 0.0],
        }
    };
    for number in 0..len {
        let Some(place) = i64::try_from(number)
            .ok()
            .and_then(|number| usize::try_from(at + number).ok())
            .and_then(|place| sum.get_mut(place))
        else {
            continue;
        };
        let value = if len == count {
            ears(number)
        } else {
            #[allow(clippy::cast_precision_loss)] // some thousands
            let part = (number * count % len) as f32 / len as f32;
            let (a, b) = (ears(number * count / len), ears(number * count / len + 1));
            [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]
        };
        place[0] += value[0];
        place[1] += value[1];
    }
}

/// Keeps it below the ceiling: it becomes quieter a little before what would be too
/// loud, and slowly louder again.
fn limit(sum: &mut [[f32; 2]]) {
    let ahead = usize::try_from(AHEAD_MS * PER_MS / 2).unwrap_or(1);
    // Loudest of what comes next, by a queue that falls.
    let mut loud: VecDeque<(usize, f32)> = VecDeque::new();
    let level = |ears: &[f32; 2]| ears[0].abs().max(ears[1].abs());
    let mut next = 0;
    let mut gain = 1.0_f32;
    for at in 0..sum.len() {
        while next < sum.len().min(at + ahead) {
            let one = sum.get(next).map_or(0.0, level);
            while loud.back().is_some_and(|(_, less)| *less <= one) {
                loud.pop_back();
            }
            loud.push_back((next, one));
            next += 1;
        }
        while loud.front().is_some_and(|(place, _)| *place < at) {
            loud.pop_front();
        }
        let most = loud.front().map_or(0.0, |(_, level)| *level);
        let want = if most > CEILING { CEILING / most } else { 1.0 };
        if want < gain {
            // Down within the time ahead.
            gain += (want - gain) * 0.05;
        } else {
            gain += (want - gain) * RELEASE;
        }
        if let Some(ears) = sum.get_mut(at) {
            for ear in ears {
                *ear = (*ear * gain).clamp(-0.99, 0.99);
            }
        }
    }
}

/// Encodes it, and puts what lies in the piece into clusters.
fn encode(sum: &[[f32; 2]], begin_ms: u64, from_ms: u64, to_ms: u64) -> Result<Vec<u8>, MixError> {
    let rate = u32::try_from(RATE).unwrap_or(48_000);
    let mut encoder = Encoder::new(rate, Channels::Stereo, Application::Audio)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
    encoder.set_vbr(true)?;
    encoder.set_complexity(5)?;
    let mut out = Vec::new();
    let mut cluster: Option<Cluster> = None;
    let mut packet = vec![0; 1_500];
    let mut t_ms = begin_ms;
    for frame in sum.chunks_exact(GRID) {
        if t_ms >= to_ms {
            break;
        }
        let len = encoder.encode_float(frame.as_flattened(), &mut packet)?;
        if t_ms >= from_ms {
            if cluster
                .as_ref()
                .is_some_and(|cluster| t_ms >= cluster.time_ms() + CLUSTER_MS)
                && let Some(full) = cluster.take()
            {
                out.extend(full.finish());
            }
            let cluster = cluster.get_or_insert_with(|| Cluster::new(t_ms));
            cluster.push(t_ms, true, packet.get(..len).unwrap_or_default());
        }
        t_ms += GRID_MS;
    }
    if let Some(last) = cluster {
        out.extend(last.finish());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Index, frames};

    /// Packets of a tone, from `from_ms` on, whose clock runs `ppm` too fast.
    fn tone(hertz: f32, level: f32, from_ms: u64, to_ms: u64, ppm: i64) -> Voice {
        let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip).unwrap();
        let mut packets = Vec::new();
        let mut sample = 0_u32;
        for number in 0.. {
            let t_ms = from_ms + (number * 20 * (1_000_000 - ppm) / 1_000_000) as u64;
            if t_ms >= to_ms {
                break;
            }
            let pcm: Vec<f32> = (0..960)
                .map(|_| {
                    sample += 1;
                    level * (sample as f32 * hertz * std::f32::consts::TAU / 48_000.0).sin()
                })
                .collect();
            packets.push(Packet {
                t_ms,
                bytes: encoder.encode_vec_float(&pcm, 1_500).unwrap(),
            });
        }
        Voice { packets }
    }

    /// What is heard, in order, one ear.
    fn heard(clusters: &[u8]) -> Vec<f32> {
        let file = [file_head(), clusters.to_vec()].concat();
        let index = Index::read(&mut file.as_slice(), file.len() as u64, 0).unwrap();
        assert_eq!(index.bytes, file.len() as u64);
        let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
        let mut out = Vec::new();
        for cluster in &index.clusters {
            let bytes = &file[cluster.offset as usize..(cluster.offset + cluster.len) as usize];
            for frame in frames(bytes).unwrap() {
                let mut buffer = vec![0.0; LONGEST * 2];
                let bytes = &bytes[frame.offset..frame.offset + frame.len];
                let count = decoder.decode_float(bytes, &mut buffer, false).unwrap();
                assert_eq!(count, GRID);
                out.extend(buffer[..count * 2].chunks(2).map(|ears| ears[0]));
            }
        }
        out
    }

    fn level(samples: &[f32]) -> f32 {
        (samples.iter().map(|one| one * one).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn two_voices_are_at_their_places() {
        let voices = [
            tone(440.0, 0.3, 200, 700, 0),
            tone(660.0, 0.3, 1_000, 1_500, 0),
        ];
        let sound = heard(&piece(0, 2_000, &voices).unwrap());
        assert_eq!(sound.len(), 96_000);
        let part = |from: usize, to: usize| level(&sound[from * 48..to * 48]);
        assert!(part(0, 180) < 0.01, "{}", part(0, 180));
        assert!(part(230, 690) > 0.15, "{}", part(230, 690));
        assert!(part(740, 980) < 0.01, "{}", part(740, 980));
        assert!(part(1_030, 1_490) > 0.15);
        assert!(part(1_560, 2_000) < 0.01);
        // The beginning to a few milliseconds.
        let begins = sound.iter().position(|one| one.abs() > 0.1).unwrap();
        assert!((195 * 48..225 * 48).contains(&begins), "{}", begins / 48);
    }

    #[test]
    fn pieces_join_without_a_hole_and_are_the_same_when_made_again() {
        let all = tone(300.0, 0.4, 0, 4_000, 0);
        let of = |from: u64, to: u64| {
            let packets = all.packets.iter();
            let packets = packets.filter(|one| one.t_ms + SETTLE_MS >= from && one.t_ms < to + 40);
            [Voice {
                packets: packets.cloned().collect(),
            }]
        };
        let mut joined = piece(0, 2_000, &of(0, 2_000)).unwrap();
        assert_eq!(joined, piece(0, 2_000, &of(0, 2_000)).unwrap());
        joined.extend(piece(2_000, 4_000, &of(2_000, 4_000)).unwrap());
        let sound = heard(&joined);
        assert_eq!(sound.len(), 4 * 48_000);
        for part in sound[9_600..186_000].chunks_exact(480) {
            assert!((0.2..0.4).contains(&level(part)), "{}", level(part));
        }
    }

    #[test]
    fn many_loud_voices_stay_below_full_scale() {
        let voices: Vec<Voice> = (0..6)
            .map(|number| tone(300.0 + number as f32 * 70.0, 0.9, 0, 1_000, 0))
            .collect();
        let sound = heard(&piece(0, 1_000, &voices).unwrap());
        assert!(sound.iter().all(|one| one.abs() <= 1.05));
        assert!(level(&sound[9_600..]) > 0.2);
    }

    #[test]
    fn a_short_hole_is_concealed_and_a_long_one_silent() {
        let mut voice = tone(200.0, 0.5, 0, 2_000, 0);
        voice
            .packets
            .retain(|one| !(500..560).contains(&one.t_ms) && !(1_000..1_400).contains(&one.t_ms));
        let sound = heard(&piece(0, 2_000, &[voice]).unwrap());
        assert!(level(&sound[505 * 48..550 * 48]) > 0.02, "concealed");
        assert!(level(&sound[1_060 * 48..1_380 * 48]) < 0.01, "silent");
    }

    #[test]
    fn a_clock_that_runs_wrong_leaves_no_clicks() {
        for ppm in [-400, 400] {
            let sound = heard(&piece(0, 8_000, &[tone(250.0, 0.4, 0, 8_000, ppm)]).unwrap());
            for part in sound[9_600..7_900 * 48].chunks_exact(960) {
                assert!((0.2..0.36).contains(&level(part)), "{}", level(part));
            }
        }
    }

    #[test]
    fn what_is_no_packet_is_a_hole() {
        let mut voice = tone(200.0, 0.5, 0, 1_000, 0);
        voice.packets[10].bytes = vec![0xFF; 7];
        voice.packets[11].bytes = Vec::new();
        assert!(piece(0, 1_000, &[voice]).is_ok());
        assert!(piece(0, 0, &[]).is_err() && piece(10, 40, &[]).is_err());
    }
}
