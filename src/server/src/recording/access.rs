//! Who may do what with a recording.

use lophoc_classes::{
    AccountState, Actor, AudienceKind, Class, ClassState, RecordingState, Right, Scope, Standing,
    UnitId, grant, recording_open_until,
};
use lophoc_classes::{Day, is_protected};
use lophoc_ledger::{INDOCHINA_OFFSET_MIN, PersonKey};
use lophoc_records::{KnownAccount, Recording, StoreError};

use crate::app::App;
use crate::auth::Viewer;

/// What somebody may do with a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Watch it before its release, release and hide it, set audience and settings.
    pub review: bool,
    /// Trim and cut, set captions: after the release only who may review it again.
    pub edit: bool,
    /// Know how far the work on it is, and its film.
    pub inside: bool,
    /// Know who was recorded, who withdrew, who watched how much, and the log: who may
    /// see the attendance of all, or releases it.
    pub watchers: bool,
    /// Watch it now.
    pub watch: bool,
    /// Ask for its disposal, agree to one.
    pub dispose: bool,
}

/// How somebody stands to a recording while it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Live {
    /// He is in the room, seen by all; a lost connection leaves him there for a while.
    pub present: bool,
    /// The setting lets those who may watch it after its release watch it now.
    pub early: bool,
}

impl Access {
    /// Anything at all.
    pub fn any(self) -> bool {
        self.review || self.inside || self.watch || self.dispose
    }

    /// By right; `line`: the unit of the asker and all above it.
    pub fn of(
        actor: &Actor,
        standing: &Standing,
        recording: &Recording,
        live: Live,
        line: impl Fn(&UnitId) -> bool,
    ) -> Self {
        let may = |right| grant(actor, standing, right).all;
        let (review, edit) = (may(Right::ReviewRecordings), may(Right::EditRecordings));
        let there = recording.state.is_there();
        let audience = match recording.audience {
            AudienceKind::Enrolled | AudienceKind::Link => false,
            AudienceKind::Unit => recording.audience_unit.as_ref().is_some_and(line),
            AudienceKind::Public => true,
        };
        let watch = match recording.state {
            // While it goes on nobody hears the room from outside of it.
            RecordingState::Recording => {
                live.present && (review || edit || (live.early && may(Right::WatchRecordings)))
            }
            state => {
                review || edit || (state.is_open() && (may(Right::WatchRecordings) || audience))
            }
        };
        Self {
            review: review && there,
            edit: there && edit && (review || !recording.state.is_open()),
            inside: there && (review || edit),
            watchers: there && (review || edit && may(Right::SeeAttendance)),
            watch: there && watch,
            dispose: may(Right::DisposeRecordings),
        }
    }
}

/// What somebody may do with a recording.
///
/// # Errors
/// The store's.
pub async fn access_of(
    app: &App,
    actor: &Actor,
    recording: &Recording,
) -> Result<Access, StoreError> {
    let standing = app
        .store
        .standing_in(&actor.person, &recording.session)
        .await?;
    let line = line_of(app, &actor.person).await?;
    let live = live_of(app, &actor.person, recording).await?;
    Ok(Access::of(actor, &standing, recording, live, |unit| {
        line.contains(unit)
    }))
}

/// How somebody stands to a recording while it goes on.
///
/// # Errors
/// The store's.
pub async fn live_of(
    app: &App,
    person: &PersonKey,
    recording: &Recording,
) -> Result<Live, StoreError> {
    if recording.state != RecordingState::Recording {
        return Ok(Live::default());
    }
    let Some(session) = app.store.session(&recording.session).await? else {
        return Ok(Live::default());
    };
    let present = app.rooms.holds(session.room.as_str(), person).await;
    if !present {
        return Ok(Live::default());
    }
    let plan = app
        .store
        .recording_plan(&recording.class, &recording.session)
        .await?;
    Ok(Live {
        present,
        early: plan.is_some_and(|plan| plan.from_start),
    })
}

/// The unit of somebody and all above it.
///
/// # Errors
/// The store's.
pub async fn line_of(app: &App, person: &PersonKey) -> Result<Vec<UnitId>, StoreError> {
    match app
        .store
        .person(person)
        .await?
        .and_then(|one| one.form.unit)
    {
        Some(unit) => Ok(app.store.line_above(&unit).await?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

/// Who stands behind an address, while his account holds, and his token.
async fn actor_of(app: &App, viewer: &Viewer, now_ms: u64) -> Result<Option<Actor>, StoreError> {
    let known = match viewer {
        Viewer::Person(person) => app.store.account(person).await?,
        Viewer::Program { person, token } => {
            let found = app.store.api_token_by_id(person, token, now_ms).await?;
            found
                .filter(|(_, scopes)| scopes.contains(&Scope::RecordingsRead))
                .map(|(known, _)| known)
        }
        // What his account may elsewhere goes with its cookie.
        Viewer::Room(person) => {
            return Ok(Some(Actor {
                person: person.clone(),
                admin: false,
                units: Vec::new(),
            }));
        }
        Viewer::Link(_) | Viewer::Public => None,
    };
    let holds = |known: &KnownAccount| {
        matches!(
            known.account.state,
            AccountState::New | AccountState::Active
        )
    };
    Ok(known.filter(holds).map(|known| Actor {
        person: known.account.person.clone(),
        admin: known.account.admin,
        units: known.account.units,
    }))
}

/// Whether a viewer may take its files: everybody who may watch it when that is
/// allowed and it is over, else those who review it.
///
/// # Errors
/// The store's.
pub async fn may_download(
    app: &App,
    viewer: &Viewer,
    recording: &Recording,
    now_ms: u64,
) -> Result<bool, StoreError> {
    if recording.downloads && recording.state != RecordingState::Recording {
        return Ok(true);
    }
    match actor_of(app, viewer, now_ms).await? {
        Some(actor) => Ok(access_of(app, &actor, recording).await?.review),
        None => Ok(false),
    }
}

/// Whether a viewer may have bytes of it now. Who is not signed in has what the
/// audience gives.
///
/// # Errors
/// The store's.
pub async fn may_watch(
    app: &App,
    viewer: &Viewer,
    recording: &Recording,
    now_ms: u64,
) -> Result<bool, StoreError> {
    // Of a class that was destroyed nothing is shown, whatever became of the
    // recording's own row.
    let class = app.store.class(&recording.class).await?;
    if class.is_none_or(|class| class.state == ClassState::Destroyed) {
        return Ok(false);
    }
    match viewer {
        Viewer::Person(_) | Viewer::Program { .. } => {
            let Some(actor) = actor_of(app, viewer, now_ms).await? else {
                return Ok(false);
            };
            Ok(access_of(app, &actor, recording).await?.watch)
        }
        Viewer::Room(_) => {
            let Some(actor) = actor_of(app, viewer, now_ms).await? else {
                return Ok(false);
            };
            let goes = recording.state == RecordingState::Recording;
            Ok(goes && access_of(app, &actor, recording).await?.watch)
        }
        Viewer::Link(until) => Ok(recording.state == RecordingState::Published
            && recording.audience == AudienceKind::Link
            && recording.audience_until_ms == Some(*until)
            && now_ms < *until),
        Viewer::Public => Ok(recording.state == RecordingState::Published
            && recording.audience == AudienceKind::Public),
    }
}

/// The day up to which it must stay open; `None`: the class goes on.
pub fn open_until(recording: &Recording, class: &Class) -> Option<Day> {
    let ended = recording.ended_ms.unwrap_or(recording.started_ms);
    let ended = Day::of_ms(ended, INDOCHINA_OFFSET_MIN).ok()?;
    recording_open_until(class.state, class.open_until, ended)
}

/// As [`open_until`], when it must stay open today.
pub fn protection(recording: &Recording, class: &Class, now_ms: u64) -> Option<Option<Day>> {
    let until = open_until(recording, class);
    let today = Day::of_ms(now_ms, INDOCHINA_OFFSET_MIN).ok();
    is_protected(until, today).then_some(until)
}

#[cfg(test)]
mod tests {
    use lophoc_classes::{ClassId, StaffRole};
    use lophoc_ledger::SessionKey;

    use super::*;

    fn recording(state: RecordingState) -> Recording {
        Recording {
            id: "r".to_owned(),
            session: SessionKey("s".to_owned()),
            class: ClassId("k".to_owned()),
            session_title: String::new(),
            class_title: String::new(),
            state,
            title: None,
            started_ms: 0,
            ended_ms: None,
            length_ms: 0,
            bytes: 0,
            partial: None,
            manifest_sha256: None,
            verified_ms: None,
            downloads: false,
            licence: None,
            audience: AudienceKind::Enrolled,
            audience_unit: None,
            audience_until_ms: None,
            withdrawn: 0,
            audience_turn: 0,
            left_out: String::new(),
            pictures: None,
        }
    }

    fn access_as(standing: &Standing, state: RecordingState, live: Live) -> Access {
        let actor = Actor {
            person: PersonKey::from("p"),
            admin: false,
            units: Vec::new(),
        };
        Access::of(&actor, standing, &recording(state), live, |_| false)
    }

    fn access(role: StaffRole, state: RecordingState, present: bool) -> Access {
        let standing = Standing {
            staff: vec![role],
            ..Standing::default()
        };
        let early = false;
        access_as(&standing, state, Live { present, early })
    }

    #[test]
    fn learners_watch_what_goes_on_where_the_setting_says_so_and_they_are_there() {
        let learner = Standing {
            enrolled: true,
            ..Standing::default()
        };
        for (present, early) in [(true, true), (true, false), (false, true), (false, false)] {
            let live = Live { present, early };
            let now = access_as(&learner, RecordingState::Recording, live);
            assert_eq!(now.watch, present && early, "{live:?}");
            assert!(!now.review && !now.inside && !now.edit);
            // Somebody who only has the link of the room is no learner of the class.
            let guest = access_as(&Standing::default(), RecordingState::Recording, live);
            assert!(!guest.any(), "{live:?}");
            // What is over waits for its release.
            for state in [RecordingState::Processing, RecordingState::Review] {
                assert!(!access_as(&learner, state, live).any(), "{state:?}");
            }
        }
    }

    #[test]
    fn what_goes_on_is_heard_by_those_alone_who_are_seen_in_the_room() {
        for role in [StaffRole::Organiser, StaffRole::Chair, StaffRole::Trainer] {
            let outside = access(role, RecordingState::Recording, false);
            assert!(!outside.watch && outside.inside && outside.any());
            assert!(access(role, RecordingState::Recording, true).watch);
            assert!(access(role, RecordingState::Processing, false).watch);
        }
        // Being there gives no right.
        assert!(!access(StaffRole::Secretary, RecordingState::Recording, true).watch);
    }

    #[test]
    fn what_was_released_is_changed_by_those_alone_who_release() {
        use RecordingState::{Published, Review};
        assert!(access(StaffRole::Trainer, Review, false).edit);
        assert!(!access(StaffRole::Trainer, Published, false).edit);
        assert!(access(StaffRole::Trainer, Published, false).inside);
        assert!(access(StaffRole::Chair, Published, false).edit);
    }

    #[test]
    fn a_content_author_trims_what_is_not_released_and_learns_of_no_person() {
        use RecordingState::{Published, Review};
        let before = access(StaffRole::ContentAuthor, Review, false);
        assert!(before.edit && before.watch && !before.review && !before.watchers);
        assert!(!access(StaffRole::ContentAuthor, Published, false).edit);
        assert!(access(StaffRole::Trainer, Published, false).watchers);
    }
}
