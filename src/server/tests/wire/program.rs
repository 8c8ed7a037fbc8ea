//! The program under another name than its own.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::get;
use crate::crash::{BINARY, start_program};

/// Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_program_of_any_name_has_its_recorder() {
    // Beside the binary, so that it need not be copied.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("giang duong-0.1");
    std::fs::hard_link(Path::new(BINARY), &program).unwrap();
    let running = start_program(&program, &folder.path().join("data")).await;
    let since = Instant::now();
    loop {
        let (status, text) = get(&running.host, "/metrics", None).await;
        assert_eq!(status, 200);
        if text.lines().any(|line| line == "lophoc_recorder_up 1") {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "there is no recorder");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
