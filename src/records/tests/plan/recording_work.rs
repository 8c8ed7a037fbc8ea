//! Which stage of which recording is worked on next.

use lophoc_records::{JobEnd, NewRecording, RecordingJob, RecordingStage as S};

use crate::world::{HOUR, NOW, World};

async fn take(world: &World, stages: &[S], at: u64) -> Option<RecordingJob> {
    let store = &world.store;
    store
        .take_recording_job("w", stages, at, HOUR)
        .await
        .unwrap()
}

async fn end(world: &World, job: &RecordingJob, end: JobEnd) {
    assert!(
        world
            .store
            .recording_job_done("w", job, &end)
            .await
            .unwrap()
    );
}

/// A recording that ended, up to its pictures.
async fn ended(world: &World, id: &str, at: u64) {
    let class = world.class("Lớp").await;
    let session = world.session(&class.id, NOW).await;
    let new = NewRecording {
        id: id.to_owned(),
        session: session.id,
        by: None,
        started_ms: at,
    };
    world.store.begin_recording(&new).await.unwrap();
    world.store.end_recording(id, at).await.unwrap();
    for stage in [S::Finalise, S::Quick, S::Mix] {
        let job = take(world, &[stage], at).await.unwrap();
        assert_eq!(job.recording, id);
        end(world, &job, JobEnd::Done).await;
    }
}

#[tokio::test]
async fn what_an_upgrade_finds_to_do_waits_for_new_recordings() {
    let world = World::new().await;
    for old in ["a1", "a2"] {
        ended(&world, old, NOW).await;
        world.store.recording_ready(old, "{}", NOW).await.unwrap();
    }
    ended(&world, "b", NOW + HOUR).await;
    let at = NOW + 2 * HOUR;
    let mut taken = Vec::new();
    let last = [S::Pictures, S::Verify, S::Upload, S::Render];
    for _ in 0..4 {
        if taken.len() == 3 {
            let publish = take(&world, &[S::Publish], at).await.unwrap();
            world.store.recording_ready("b", "{}", at).await.unwrap();
            end(&world, &publish, JobEnd::Done).await;
        }
        let job = take(&world, &last, at).await.unwrap();
        end(&world, &job, JobEnd::Done).await;
        taken.push((job.recording, job.stage));
    }
    let of_b = |stage| ("b".to_owned(), stage);
    // Its film too: nobody waits for pictures of old ones.
    assert_eq!(
        taken,
        [S::Pictures, S::Verify, S::Upload, S::Render].map(of_b)
    );
    let next = take(&world, &last, at).await.unwrap();
    assert_eq!((next.recording.as_str(), next.stage), ("a2", S::Pictures));
}

#[tokio::test]
async fn pictures_that_fail_hold_up_neither_checks_nor_the_upload() {
    let world = World::new().await;
    ended(&world, "a", NOW).await;
    let last = [S::Pictures, S::Verify, S::Upload, S::Render];
    let job = take(&world, &last, NOW).await.unwrap();
    assert_eq!(job.stage, S::Pictures);
    assert!(
        take(&world, &last, NOW).await.is_none(),
        "while they are made"
    );
    end(&world, &job, JobEnd::Again(NOW + HOUR, "disk".to_owned())).await;
    for stage in [S::Verify, S::Upload] {
        let job = take(&world, &last, NOW).await.unwrap();
        assert_eq!(job.stage, stage);
        end(&world, &job, JobEnd::Done).await;
    }
    let again = take(&world, &last, NOW + HOUR).await.unwrap();
    assert_eq!((again.stage, again.tries), (S::Pictures, 2));
}
