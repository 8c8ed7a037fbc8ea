//! Who asks for the attendance of a session or class, what he may, and the log
//! of it.

use std::collections::BTreeSet;

use lophoc_classes::{Class, ClassId, Grant, Right, Session, Standing, UnitId, grant};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_records::{Access, Author};

use super::actor::staff_role;
use super::attendance_facts::Gathered;
use super::error::ApiFault;
use super::people::unit_of;
use super::{How, Signed};
use crate::app::App;
use crate::clock::wall_ms;

/// Longest id anybody has, characters; longer ones are nobody's.
const MAX_ID: usize = 64;

/// Somebody who asks for something of a session or class.
pub struct Asked {
    /// Who.
    pub signed: Signed,
    standing: Standing,
    class: ClassId,
    session: Option<SessionKey>,
}

impl Asked {
    /// For a session. The token of another room is refused.
    ///
    /// # Errors
    /// `notFound`, `forbidden`.
    pub async fn session(
        app: &App,
        signed: Signed,
        id: &SessionKey,
    ) -> Result<(Self, Session), ApiFault> {
        if let How::Room { session, .. } = &signed.how
            && session != id
        {
            return Err(ApiFault::forbidden());
        }
        if id.0.len() > MAX_ID {
            return Err(ApiFault::not_found());
        }
        let session = app
            .store
            .lesson(id)
            .await?
            .ok_or_else(ApiFault::not_found)?;
        let mut standing = app.store.standing_in(signed.person(), id).await?;
        // Whoever the records know is what they say now: a token outlives the
        // end of a role. The others have the role of their link.
        if let How::Room { role, .. } = &signed.how
            && let Some(role) = staff_role(*role)
            && !standing.staff.contains(&role)
            && app.store.person(signed.person()).await?.is_none()
        {
            standing.staff.push(role);
        }
        let mut asked = Self {
            signed,
            standing,
            class: session.class.clone(),
            session: Some(id.clone()),
        };
        asked.keep_own_units(app).await?;
        Ok((asked, session))
    }

    /// For a class.
    ///
    /// # Errors
    /// `notFound`, `forbidden` with the token of a room.
    pub async fn class(app: &App, signed: Signed, id: &ClassId) -> Result<(Self, Class), ApiFault> {
        if matches!(signed.how, How::Room { .. }) {
            return Err(ApiFault::forbidden());
        }
        if id.0.len() > MAX_ID {
            return Err(ApiFault::not_found());
        }
        let class = app.store.class(id).await?.ok_or_else(ApiFault::not_found)?;
        let standing = app.store.standing(signed.person(), id).await?;
        let mut asked = Self {
            signed,
            standing,
            class: id.clone(),
            session: None,
        };
        asked.keep_own_units(app).await?;
        Ok((asked, class))
    }

    /// Roles in units reach into what these host and into classes where people
    /// of theirs take part, not into everybody's.
    async fn keep_own_units(&mut self, app: &App) -> Result<(), ApiFault> {
        let line = &self.standing.host_line;
        let roles = &mut self.signed.actor.units;
        let outside: BTreeSet<UnitId> = roles
            .iter()
            .map(unit_of)
            .filter(|unit| !line.contains(*unit))
            .cloned()
            .collect();
        if !outside.is_empty() && !app.store.units_take_part(&self.class, &outside).await? {
            roles.retain(|role| line.contains(unit_of(role)));
        }
        Ok(())
    }

    /// How far a right goes.
    pub fn grant(&self, right: Right) -> Grant {
        grant(&self.signed.actor, &self.standing, right)
    }

    /// How far a right goes.
    ///
    /// # Errors
    /// `forbidden` when there is nothing of it.
    pub fn need(&self, right: Right) -> Result<Grant, ApiFault> {
        let grant = self.grant(right);
        if grant.any() {
            Ok(grant)
        } else {
            Err(ApiFault::forbidden())
        }
    }

    /// A right over everybody.
    ///
    /// # Errors
    /// `forbidden` when it does not reach everybody.
    pub fn need_all(&self, right: Right) -> Result<Grant, ApiFault> {
        let grant = self.grant(right);
        if grant.all {
            Ok(grant)
        } else {
            Err(ApiFault::forbidden())
        }
    }

    /// All rights here.
    pub fn rights(&self) -> Vec<Right> {
        Right::ALL
            .into_iter()
            .filter(|right| self.grant(*right).any())
            .collect()
    }

    /// Whoever was sent out of the room does not go on with its token.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn not_sent_away(&self, gathered: &Gathered) -> Result<(), ApiFault> {
        let in_room = matches!(self.signed.how, How::Room { .. });
        if in_room && gathered.away.contains(self.signed.person()) {
            return Err(ApiFault::forbidden());
        }
        Ok(())
    }

    /// Who writes, now.
    pub fn author(&self) -> Author {
        Author {
            by: self.signed.person().clone(),
            name: self.signed.name(),
            at_ms: wall_ms(),
        }
    }

    /// Writes down what was done with the attendance.
    ///
    /// # Errors
    /// The store's: what is not written down is not shown.
    pub async fn log(&self, app: &App, what: &str, grant: &Grant) -> Result<(), ApiFault> {
        let by_token = matches!(self.signed.how, How::Token { .. });
        let what = if by_token && what == "view" {
            "api"
        } else {
            what
        };
        app.store
            .log_access(Access {
                at_ms: wall_ms(),
                by: self.signed.person(),
                by_name: &self.signed.name(),
                what,
                extent: extent(grant, self.signed.person()),
                class: &self.class,
                session: self.session.as_ref(),
            })
            .await?;
        Ok(())
    }
}

/// How much somebody saw.
pub fn extent(grant: &Grant, person: &PersonKey) -> &'static str {
    if grant.all {
        "all"
    } else if !grant.units.is_empty() {
        "unit"
    } else if grant.people.iter().all(|one| one == person) {
        "own"
    } else {
        "learners"
    }
}
