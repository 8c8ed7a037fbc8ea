//! Who may do what with a recording.

use lophoc_classes::{
    Actor, AudienceKind, Class, RecordingState, Right, Standing, UnitId, grant,
    recording_open_until,
};
use lophoc_classes::{Day, is_protected};
use lophoc_ledger::{INDOCHINA_OFFSET_MIN, PersonKey};
use lophoc_records::{Recording, StoreError};

use crate::app::App;
use crate::auth::Viewer;

/// What somebody may do with a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Watch it before its release, release and hide it, set audience and settings.
    pub review: bool,
    /// Trim and cut.
    pub edit: bool,
    /// Watch it now.
    pub watch: bool,
    /// Ask for its disposal, agree to one.
    pub dispose: bool,
}

impl Access {
    /// Anything at all.
    pub fn any(self) -> bool {
        self.review || self.edit || self.watch || self.dispose
    }

    /// By right; `line`: the unit of the asker and all above it.
    pub fn of(
        actor: &Actor,
        standing: &Standing,
        recording: &Recording,
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
        Self {
            review: review && there,
            edit: edit && there,
            watch: there
                && (review
                    || edit
                    || (recording.state.is_open() && (may(Right::WatchRecordings) || audience))),
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
    Ok(Access::of(actor, &standing, recording, |unit| {
        line.contains(unit)
    }))
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
    match viewer {
        Viewer::Person(person) | Viewer::Program(person) => {
            let Some(known) = app.store.account(person).await? else {
                return Ok(false);
            };
            let actor = Actor {
                person: person.clone(),
                admin: known.account.admin,
                units: known.account.units.clone(),
            };
            Ok(access_of(app, &actor, recording).await?.watch)
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
