//! Reports: our own about what was sent, the receiver's about what came, and what
//! of the engine's goes on.

use lophoc_media::rtcp;

/// Packet types, RFC 3550 §12.1, RFC 4585 §6.1.
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Words of the sender's own figures in a sender report.
const SENDER_INFO: usize = 20;

/// The stream the engine is asked to send a picture-loss indication about when the
/// address it sends to is to be learnt: there is no such stream.
pub(crate) const NOBODY: u32 = 0;

/// What goes on of a compound report of the engine: no sender reports (the engine
/// has sent nothing) except their blocks, no descriptions, no question we asked
/// for ourselves. `out` is cleared first; empty = nothing to send.
pub(crate) fn filter(compound: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = compound;
    while let Some((&[first, kind, a, b], _)) = rest.split_first_chunk::<4>() {
        let length = 4 * (usize::from(u16::from_be_bytes([a, b])) + 1);
        let Some((item, after)) = rest.split_at_checked(length) else {
            return;
        };
        rest = after;
        match kind {
            DESCRIPTION => {}
            SENDER_REPORT => blocks_of(first, item, out),
            PAYLOAD_FEEDBACK
                if item.get(8..12) == Some(&NOBODY.to_be_bytes()[..]) && first & 0x1f == 1 => {}
            _ => out.extend_from_slice(item),
        }
    }
}

/// The blocks of a sender report as a receiver report.
fn blocks_of(first: u8, item: &[u8], out: &mut Vec<u8>) {
    let (Some(ssrc), Some(blocks)) = (item.get(4..8), item.get(8 + SENDER_INFO..)) else {
        return;
    };
    if first & 0x1f == 0 || blocks.is_empty() {
        return;
    }
    let Ok(words) = u16::try_from(1 + blocks.len() / 4) else {
        return;
    };
    out.extend_from_slice(&[first, RECEIVER_REPORT]);
    out.extend_from_slice(&words.to_be_bytes());
    out.extend_from_slice(ssrc);
    out.extend_from_slice(blocks);
}

/// Whether the engine should see a report too: there is something in it about what
/// the client itself sends.
pub(crate) fn concerns_engine(compound: &[u8]) -> bool {
    rtcp::items(compound).any(|item| {
        matches!(
            item,
            Ok(rtcp::Item::SenderReport(_) | rtcp::Item::Other { .. } | rtcp::Item::Bye)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_engines_reports_only_what_it_knows_goes_on() {
        let mut sender = vec![0x81, 200, 0, 12];
        sender.extend([1, 1, 1, 1]);
        sender.extend([2; SENDER_INFO]);
        sender.extend([3; 24]);
        let empty = [&[0x80, 200, 0, 6][..], &[7; 24]].concat();
        let description = [0x81, 202, 0, 1, 9, 9, 9, 9];
        let nack = [0x81, 205, 0, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0, 7, 0, 0];
        let probe = [0x81, 206, 0, 2, 4, 4, 4, 4, 0, 0, 0, 0];
        let loss = [0x81, 206, 0, 2, 4, 4, 4, 4, 0, 0, 0, 9];
        let all = [&sender[..], &empty, &description, &nack, &probe, &loss].concat();
        let mut out = Vec::new();
        filter(&all, &mut out);
        let mut report = vec![0x81, 201, 0, 7, 1, 1, 1, 1];
        report.extend([3; 24]);
        assert_eq!(out, [&report[..], &nack, &loss].concat());
        filter(&[&empty[..], &description, &probe].concat(), &mut out);
        assert!(out.is_empty());
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let mut out = Vec::new();
        for cut in 0..16 {
            let nack = [0x81, 205, 0, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0, 7, 0, 0];
            filter(&nack[..cut], &mut out);
            assert!(out.is_empty());
        }
    }
}
