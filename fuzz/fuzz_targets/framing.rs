#![no_main]
//! A stream cut into packets: the first byte says how it is split, and no split
//! changes what comes out or keeps more than one packet.

use libfuzzer_sys::fuzz_target;
use lophoc_media::framing::{Deframer, HEADER, MAX_PACKET};

fn cut(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, bool) {
    let mut deframer = Deframer::default();
    let mut packets = Vec::new();
    for part in stream.chunks(step) {
        let result = deframer.push(part, |packet| packets.push(packet.to_vec()));
        assert!(deframer.kept() <= HEADER + MAX_PACKET);
        if result.is_err() {
            return (packets, false);
        }
    }
    (packets, true)
}

fuzz_target!(|data: &[u8]| {
    let Some((step, stream)) = data.split_first() else {
        return;
    };
    let whole = cut(stream, stream.len().max(1));
    assert_eq!(whole, cut(stream, usize::from(*step).max(1)));
    assert!(whole.0.iter().all(|p| (1..=MAX_PACKET).contains(&p.len())));
});
