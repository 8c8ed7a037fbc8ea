//! The life of a class: every step from every state, revisions, the six months.

use lophoc_classes::{
    Class, ClassState, ClassStep, NewStaff, RosterState, StaffRole, StepRefused, StepRequest,
};
use lophoc_ledger::EventKind;
use lophoc_records::StoreError;

use crate::world::{DAY, HOUR, NOW, World, started};

/// From every state on the way, which steps succeed; all others are refused and
/// change nothing.
#[tokio::test]
async fn a_class_walks_its_life_and_every_other_step_is_refused_and_changes_nothing() {
    use ClassStep as S;
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let session = world.session(&class.id, NOW).await;
    let trainer = world.person("Nguyễn Thị Hằng", Some("so1")).await;
    let staff = NewStaff {
        person: trainer.clone(),
        role: StaffRole::Trainer,
        session: None,
        instead_of: None,
        learners: Vec::new(),
    };
    world
        .store
        .add_staff(&class.id, &staff, &world.by, NOW)
        .await
        .unwrap();
    world
        .enrol(&class.id, &[trainer], RosterState::Planned)
        .await;

    let way: [(ClassStep, ClassState, &[ClassStep]); 5] = [
        (
            S::Submit,
            ClassState::Draft,
            &[S::Submit, S::Postpone, S::Cancel],
        ),
        (
            S::Approve,
            ClassState::Submitted,
            &[S::Return, S::Approve, S::Postpone, S::Cancel],
        ),
        (
            S::Prepare,
            ClassState::Approved,
            &[S::Prepare, S::Postpone, S::Cancel],
        ),
        (
            S::Open,
            ClassState::Preparing,
            &[S::Open, S::Postpone, S::Cancel],
        ),
        (
            S::Announce,
            ClassState::Open,
            &[S::Announce, S::Run, S::Postpone, S::Cancel],
        ),
    ];
    for (step, state, allowed) in way {
        refuses_all_but(&world, &class, state, allowed, NOW).await;
        world.step_at(&class.id, step, NOW).await.unwrap();
    }
    refuses_all_but(
        &world,
        &class,
        ClassState::Announced,
        &[S::Run, S::Postpone, S::Cancel],
        NOW,
    )
    .await;

    // The first lesson that begins makes it run; nobody has to note it.
    world.begin(&session.id, NOW + HOUR).await;
    refuses_all_but(&world, &class, ClassState::Running, &[], NOW + HOUR).await;
    let ended = vec![(NOW + 2 * HOUR, EventKind::Ended { by: None })];
    world.log(&session.id, 2, ended).await;
    let later = NOW + 3 * HOUR;
    refuses_all_but(
        &world,
        &class,
        ClassState::Running,
        &[S::Finish, S::Postpone, S::Cancel],
        later,
    )
    .await;
    let finished = world.step_at(&class.id, S::Finish, later).await.unwrap();
    assert_eq!(finished.open_until, "2027-03-06".parse().ok());
    world.step_at(&class.id, S::Grade, later).await.unwrap();
    // Attendance is not frozen yet.
    refuses_all_but(&world, &class, ClassState::Grading, &[], later).await;
    world.freeze(&session.id).await;
    world.step_at(&class.id, S::Publish, later).await.unwrap();
    world
        .step_at(&class.id, S::OpenMaterials, later)
        .await
        .unwrap();
    // 06/03/2027 counts in full.
    let last = NOW + 181 * DAY;
    let refused = world.step_at(&class.id, S::Archive, last).await;
    assert!(
        matches!(&refused, Err(StoreError::Protected(until)) if Some(*until) == finished.open_until),
        "{refused:?}"
    );
    let after = last + DAY;
    world.step_at(&class.id, S::Archive, after).await.unwrap();
    let refused = world.step_at(&class.id, S::Destroy, after).await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(StepRefused::NoApproval))
    ));
    let request = StepRequest {
        step: S::Destroy,
        document: "7/QĐ-TH".to_owned(),
        reason: "Hết hạn".to_owned(),
    };
    let gone = world
        .store
        .step_class(&class.id, &request, &world.by, after)
        .await
        .unwrap();
    assert_eq!(gone.state, ClassState::Destroyed);
    refuses_all_but(&world, &class, ClassState::Destroyed, &[], after).await;

    let log = world.store.class_log(&class.id).await.unwrap();
    let told: Vec<(&str, &str)> = log
        .iter()
        .map(|line| (line.what.as_str(), line.becomes.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("create", "draft"),
            ("submit", "submitted"),
            ("approve", "approved"),
            ("prepare", "preparing"),
            ("open", "open"),
            ("announce", "announced"),
            ("run", "running"),
            ("finish", "finished"),
            ("grade", "grading"),
            ("publish", "published"),
            ("openMaterials", "materialsOpen"),
            ("archive", "archived"),
            ("destroy", "destroyed"),
        ]
    );
    // Noted later, with the time of the lesson.
    assert_eq!(log[6].at_ms, NOW + HOUR);
    assert_eq!(log[12].document, "7/QĐ-TH");
}

async fn refuses_all_but(
    world: &World,
    class: &Class,
    state: ClassState,
    allowed: &[ClassStep],
    now: u64,
) {
    let before = world.store.class(&class.id).await.unwrap().unwrap();
    assert_eq!(before.state, state);
    let details = world.store.class_details(&before, now).await.unwrap();
    assert_eq!(details.steps, allowed, "offered from {state:?}");
    for step in ClassStep::ALL {
        if allowed.contains(&step) {
            continue;
        }
        let refused = world.step_at(&class.id, step, now).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Refused(_) | StoreError::Protected(_))
            ),
            "{step:?} from {state:?}: {refused:?}"
        );
    }
    let after = world.store.class(&class.id).await.unwrap().unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_class_that_runs_is_running_after_a_crash_as_well() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let session = world.session(&class.id, NOW).await;
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class.id, &steps).await;
    world.begin(&session.id, NOW).await;
    let world = world.reopened().await;
    let known = world.store.class(&class.id).await.unwrap().unwrap();
    assert_eq!(known.state, ClassState::Running);
}

#[tokio::test]
async fn the_six_months_count_from_the_last_day_with_a_session_when_that_is_later() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let session = world.session(&class.id, NOW).await;
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class.id, &steps).await;
    // Held on 31/08/2027, finished by a clock that stands before that.
    world.hold(&session.id, 1_819_674_000_000).await;
    let done = world.step_at(&class.id, ClassStep::Finish, NOW).await;
    assert_eq!(done.unwrap().open_until, "2028-02-29".parse().ok());
}

#[tokio::test]
async fn a_plan_is_changed_by_whoever_saw_the_latest_one() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let plan = world.plan("Lớp hè");
    let changed = world
        .store
        .change_plan(&class.id, plan.clone(), class.rev, &world.by, NOW)
        .await
        .unwrap();
    assert_eq!((changed.rev, changed.plan.title.as_str()), (2, "Lớp hè"));
    let stale = world
        .store
        .change_plan(&class.id, world.plan("Lớp đông"), class.rev, &world.by, NOW)
        .await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    // A step counts as a change.
    world
        .step_at(&class.id, ClassStep::Submit, NOW)
        .await
        .unwrap();
    let stale = world
        .store
        .change_plan(&class.id, plan, changed.rev, &world.by, NOW)
        .await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let known = world.store.class(&class.id).await.unwrap().unwrap();
    assert_eq!(known.plan.title, "Lớp hè");
}

#[tokio::test]
async fn an_approved_plan_keeps_its_number_and_codes_are_one_of_a_kind() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    world
        .steps(&class.id, &[ClassStep::Submit, ClassStep::Approve])
        .await;
    let class = world.store.class(&class.id).await.unwrap().unwrap();
    let mut plan = class.plan.clone();
    plan.plan_no.clear();
    let refused = world
        .store
        .change_plan(&class.id, plan, class.rev, &world.by, NOW)
        .await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(StepRefused::NoPlan))
    ));

    let mut coded = world.plan("Một");
    coded.code = "BD-2026-Đ1".to_owned();
    world
        .store
        .create_planned(coded.clone(), &world.by, NOW)
        .await
        .unwrap();
    coded.code = "bd-2026-đ1".to_owned();
    let taken = world.store.create_planned(coded, &world.by, NOW).await;
    assert!(matches!(taken, Err(StoreError::Taken("code"))));
    // Two classes without a code are no trouble.
    world.class("Hai").await;
    world.class("Ba").await;
    let mut odd = world.plan("Bốn");
    odd.host = Some("nowhere".into());
    let unknown = world.store.create_planned(odd, &world.by, NOW).await;
    assert!(matches!(unknown, Err(StoreError::Unknown("host"))));
}

#[tokio::test]
async fn only_a_draft_without_a_log_is_deleted_and_its_deletion_is_kept() {
    let world = World::new().await;
    let class = world.class("Nháp").await;
    world.session(&class.id, NOW).await;
    let person = world.person("Lê Văn Út", None).await;
    world
        .enrol(&class.id, &[person], RosterState::Planned)
        .await;
    world
        .store
        .delete_class(&class.id, &world.by, NOW)
        .await
        .unwrap();
    assert_eq!(world.store.class(&class.id).await.unwrap(), None);
    assert!(world.store.lessons(&class.id).await.unwrap().is_empty());
    let log = world.store.class_log(&class.id).await.unwrap();
    let last = log.last().unwrap();
    assert_eq!(
        (last.what.as_str(), last.reason.as_str()),
        ("delete", "Nháp")
    );

    let logged = world.class("Có nhật ký").await;
    let session = world.session(&logged.id, NOW).await;
    world.log(&session.id, 1, vec![(NOW, started())]).await;
    let refused = world.store.delete_class(&logged.id, &world.by, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    assert!(world.store.session(&session.id).await.unwrap().is_some());

    let submitted = world.class("Đã trình").await;
    world.steps(&submitted.id, &[ClassStep::Submit]).await;
    let refused = world
        .store
        .delete_class(&submitted.id, &world.by, NOW)
        .await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(StepRefused::WrongState))
    ));
}

#[tokio::test]
async fn what_belongs_to_a_finished_class_is_protected_and_the_day_is_told() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let held = world.session(&class.id, NOW).await;
    let person = world.person("Lê Văn Út", None).await;
    world
        .enrol(
            &class.id,
            std::slice::from_ref(&person),
            RosterState::Planned,
        )
        .await;
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class.id, &steps).await;
    world.hold(&held.id, NOW).await;
    world
        .step_at(&class.id, ClassStep::Finish, NOW + 2 * HOUR)
        .await
        .unwrap();
    let until = "2027-03-06".parse().unwrap();
    let out = [crate::world::change(&person, RosterState::Withdrawn)];
    let roster = world.store.change_roster(&class.id, &out, world.author());
    for refused in [
        world
            .store
            .delete_class(&class.id, &world.by, NOW)
            .await
            .err(),
        world.store.delete_session(&held.id, NOW).await.err(),
        roster.await.err(),
    ] {
        assert!(
            matches!(refused, Some(StoreError::Protected(day)) if day == until),
            "{refused:?}"
        );
    }
    let added = world
        .store
        .add_session(&class.id, &crate::world::form("Thêm", None), &world.by, NOW)
        .await;
    assert!(matches!(added, Err(StoreError::Refused(_))));
}
