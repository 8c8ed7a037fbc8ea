#![no_main]
//! Any bytes as a file of a recording: the index lies within them, and so does what
//! is served of it.

use libfuzzer_sys::fuzz_target;
use lophoc_recording::scan::{Index, cluster_bytes, frames};
use lophoc_recording::served::Piece;
use lophoc_recording::{Span, VirtualFile};

fuzz_target!(|data: &[u8]| {
    let len = data.len() as u64;
    for doubtful in [0, u64::MAX] {
        let Ok(index) = Index::read(&mut &*data, len, doubtful) else {
            return;
        };
        assert!(index.bytes <= len && index.head <= len);
        for cluster in &index.clusters {
            assert!(cluster.offset + cluster.len <= index.bytes);
            assert!(cluster.frame + cluster.frame_len <= cluster.offset + cluster.len);
            let bytes = cluster_bytes(&mut &*data, cluster).unwrap_or_default();
            for frame in frames(&bytes).unwrap_or_default() {
                assert!(frame.offset + frame.len <= bytes.len());
            }
        }
        for cuts in [&[][..], &[Span::new(500, 2_500)][..]] {
            let Some(file) = VirtualFile::new(&index, cuts) else {
                continue;
            };
            let mut sent = 0;
            for piece in file.read(0, u64::MAX) {
                sent += match piece {
                    Piece::Head(bytes) => bytes.len() as u64,
                    Piece::File(range) => {
                        assert!(range.offset + range.len <= len);
                        range.len
                    }
                };
            }
            assert_eq!(sent, file.total);
        }
    }
});
