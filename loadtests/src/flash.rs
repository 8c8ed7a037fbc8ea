//! A clip with a flash and a beep in every second, made with ffmpeg: what is
//! recorded of it shows whether sound and picture are together and what is missing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::error::{LoadError, Result};
use crate::ivf::Clip;

/// Length of the clip, seconds; it is played in a loop.
const SECONDS: u32 = 10;
/// Frames in a second.
const RATE: u32 = 25;

/// Picture and sound.
#[derive(Debug, Clone)]
pub struct Flash {
    /// VP8: black, white for the first two frames of each second.
    pub clip: Arc<Clip>,
    /// Opus packets of 20 ms: silence, a tone for the first 100 ms of each second.
    pub sound: Arc<Vec<Vec<u8>>>,
}

impl Flash {
    /// Makes it in a folder. `gop`: frames from keyframe to keyframe; with 1 a
    /// keyframe that is asked for takes picture and sound not apart.
    pub fn make(folder: &Path, (width, height): (u32, u32), gop: u32) -> Result<Self> {
        let video = folder.join(format!("flash-{width}-{gop}.ivf"));
        let audio = folder.join("beep.ogg");
        let size = format!("{width}x{height}");
        // Noise, so that the encoder has something to do.
        let picture = format!(
            "color=black:s={size}:r={RATE}:d={SECONDS},noise=alls=12:allf=t,\
             drawbox=c=white:t=fill:enable='lt(mod(n\\,{RATE})\\,2)'"
        );
        let gop = gop.to_string();
        run(&[
            "-f",
            "lavfi",
            "-i",
            &picture,
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libvpx",
            "-b:v",
            "400k",
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
            "-g",
            &gop,
            "-keyint_min",
            &gop,
            "-auto-alt-ref",
            "0",
            &video.display().to_string(),
        ])?;
        let tone = format!(
            "aevalsrc='if(lt(mod(t\\,1)\\,0.1)\\,0.5*sin(2*PI*1000*t)\\,0)':s=48000:d={SECONDS}"
        );
        run(&[
            "-f",
            "lavfi",
            "-i",
            &tone,
            "-c:a",
            "libopus",
            "-b:a",
            "32k",
            "-frame_duration",
            "20",
            "-application",
            "lowdelay",
            "-vbr",
            "off",
            &audio.display().to_string(),
        ])?;
        let bytes = std::fs::read(&audio).map_err(LoadError::io("the beep"))?;
        let mut sound = ogg_packets(&bytes);
        // What the encoder adds at the end would move the loop on.
        sound.truncate((SECONDS * 50) as usize);
        Ok(Self {
            clip: Arc::new(Clip::open(&video)?),
            sound: Arc::new(sound),
        })
    }
}

/// Runs ffmpeg, quietly; what it complains of is the error.
fn run(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(LoadError::io("ffmpeg"))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(LoadError::Media(format!("ffmpeg: {why}")))
}

/// The packets of an Ogg stream behind its two heads (RFC 3533, RFC 7845).
fn ogg_packets(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    let mut rest = bytes;
    while rest.starts_with(b"OggS") {
        let count = rest.get(26).copied().map_or(0, usize::from);
        let (Some(lacing), Some(mut body)) = (rest.get(27..27 + count), rest.get(27 + count..))
        else {
            break;
        };
        for size in lacing {
            let Some((part, next)) = body.split_at_checked(usize::from(*size)) else {
                return packets;
            };
            packet.extend_from_slice(part);
            body = next;
            if *size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = body;
    }
    packets.drain(..packets.len().min(2));
    packets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_put_together_from_their_laces() {
        let page = |lacing: &[u8], body: &[u8]| {
            let mut page = b"OggS".to_vec();
            page.resize(26, 0);
            page.push(lacing.len() as u8);
            page.extend_from_slice(lacing);
            page.extend_from_slice(body);
            page
        };
        let mut bytes = page(&[1, 1], b"ht");
        bytes.extend(page(&[255], &[7; 255]));
        bytes.extend(page(&[2, 3], &[8; 5]));
        let packets = ogg_packets(&bytes);
        assert_eq!(
            packets,
            [vec![7; 255].into_iter().chain([8, 8]).collect(), vec![8; 3]]
        );
        assert!(ogg_packets(b"OggS").is_empty());
    }
}
