//! People: who may see and change whom, and their personal numbers masked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{Identifier, IdentifierKind, Page, Person, PersonForm, UnitId, UnitRole};
use lophoc_ledger::PersonKey;
use lophoc_records::PersonQuery;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::text::Fields;
use super::{PAGE, Routes, Signed};
use crate::app::App;
use crate::clock::wall_ms;

const NAME: usize = 80;
const LINE: usize = 200;
const SHORT: usize = 120;
const PHONE: usize = 32;
/// Identifiers of one person.
const IDENTIFIERS: usize = 16;
/// Characters of an identifier (TT 26/2019 has 20 for the sector).
const IDENTIFIER: usize = 32;
const ISSUER: usize = 64;
/// Digits of a personal number.
const PERSONAL: usize = 12;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(one, change))
}

/// How far somebody's care of people goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everybody.
    All,
    /// People of these units and below.
    Under(Vec<UnitId>),
}

/// Whose data the asker may read beyond classes: administrators and organisers
/// all, since participants come from anywhere; contacts and inspectors those of
/// their units.
///
/// # Errors
/// `forbidden` when nobody's.
pub async fn may_read(app: &App, signed: &Signed) -> Result<Reach, ApiFault> {
    let organises = |role: &UnitRole| matches!(role, UnitRole::Organiser { .. });
    if signed.actor.admin
        || signed.actor.units.iter().any(organises)
        || app.store.is_organiser(signed.person()).await?
    {
        return Ok(Reach::All);
    }
    let units: Vec<UnitId> = signed.actor.units.iter().map(unit_of).cloned().collect();
    if units.is_empty() {
        return Err(ApiFault::forbidden());
    }
    Ok(Reach::Under(units))
}

/// Whose data the asker may change: administrators everybody's, organisers and
/// contacts of units those of their units.
///
/// # Errors
/// `forbidden` when nobody's.
pub fn may_write(signed: &Signed) -> Result<Reach, ApiFault> {
    if signed.actor.admin {
        return Ok(Reach::All);
    }
    let units: Vec<UnitId> = signed
        .actor
        .units
        .iter()
        .filter(|role| !matches!(role, UnitRole::Inspector { .. }))
        .map(unit_of)
        .cloned()
        .collect();
    if units.is_empty() {
        return Err(ApiFault::forbidden());
    }
    Ok(Reach::Under(units))
}

/// The unit of a role.
pub(super) fn unit_of(role: &UnitRole) -> &UnitId {
    match role {
        UnitRole::Organiser { unit }
        | UnitRole::Contact { unit }
        | UnitRole::Inspector { unit } => unit,
    }
}

impl Reach {
    /// Whether somebody of this unit is within.
    ///
    /// # Errors
    /// The store's.
    pub async fn holds(&self, app: &App, unit: Option<&UnitId>) -> Result<bool, ApiFault> {
        match (self, unit) {
            (Self::All, _) => Ok(true),
            (Self::Under(_), None) => Ok(false),
            (Self::Under(units), Some(unit)) => {
                let line = app.store.line_above(unit).await?;
                Ok(units.iter().any(|unit| line.contains(unit)))
            }
        }
    }

    /// The units, for the store.
    pub fn units(&self) -> Option<&[UnitId]> {
        match self {
            Self::All => None,
            Self::Under(units) => Some(units),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// In the name, in any spelling; or a whole sector or local identifier.
    q: String,
    /// Of this unit or below.
    unit: Option<String>,
    /// First entry, from 0.
    from: u32,
}

/// People by name, as far as the asker's care goes.
#[utoipa::path(get, path = "/people", tag = "people", params(Search), security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Page<Person>), (status = 403, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(search): Ask<Search>,
) -> Result<Json<Page<Person>>, ApiFault> {
    let reach = may_read(&app, &signed).await?;
    let query = PersonQuery {
        text: search.q,
        under: reach.units().map(<[UnitId]>::to_vec),
        within: search.unit.filter(|unit| !unit.is_empty()).map(UnitId),
    };
    let (mut items, total) = app.store.people(&query, search.from, PAGE).await?;
    items.iter_mut().for_each(mask);
    Ok(Json(Page { items, total }))
}

/// A new person.
#[utoipa::path(post, path = "/people", tag = "people", request_body = PersonForm, security(("cookie" = []), ("token" = [])), responses(
    (status = 201, body = Person), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 409, body = Refusal, description = "field identifiers: taken")))]
async fn create(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(mut form): Body<PersonForm>,
) -> Result<(StatusCode, Json<Person>), ApiFault> {
    let reach = may_write(&signed)?;
    check(&mut form, &[])?;
    if !reach.holds(&app, form.unit.as_ref()).await? {
        return Err(ApiFault::forbidden());
    }
    let id = app.store.add_person(&form, wall_ms()).await?;
    log(&app, &signed, &id).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &id).await?)))
}

/// A person; everybody may see himself.
#[utoipa::path(get, path = "/people/{id}", tag = "people", params(("id" = String, Path)), security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Person), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<Json<Person>, ApiFault> {
    let id = PersonKey(id);
    if &id == signed.person() {
        return shown(&app, &id).await.map(Json);
    }
    let reach = may_read(&app, &signed).await?;
    let person = shown(&app, &id).await?;
    if !reach.holds(&app, person.form.unit.as_ref()).await? {
        return Err(ApiFault::forbidden());
    }
    Ok(Json(person))
}

/// Change a person. A masked personal number stands for the one stored.
#[utoipa::path(put, path = "/people/{id}", tag = "people", params(("id" = String, Path)), request_body = PersonForm, security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Person), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal, description = "field identifiers: taken, or a sector identifier is missing")))]
async fn change(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
    Body(mut form): Body<PersonForm>,
) -> Result<Json<Person>, ApiFault> {
    let reach = may_write(&signed)?;
    let id = PersonKey(id);
    let was = app
        .store
        .person(&id)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    check(&mut form, &was.form.identifiers)?;
    // Nobody takes people out of another's care, nor hands them on to one.
    if !reach.holds(&app, was.form.unit.as_ref()).await?
        || !reach.holds(&app, form.unit.as_ref()).await?
    {
        return Err(ApiFault::forbidden());
    }
    app.store.update_person(&id, &form).await?;
    log(&app, &signed, &id).await?;
    shown(&app, &id).await.map(Json)
}

async fn log(app: &App, signed: &Signed, id: &PersonKey) -> Result<(), ApiFault> {
    let by = signed.person();
    Ok(app
        .store
        .log_change(by, "person", id.as_str(), wall_ms())
        .await?)
}

async fn shown(app: &App, id: &PersonKey) -> Result<Person, ApiFault> {
    let mut person = app
        .store
        .person(id)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    mask(&mut person);
    Ok(person)
}

/// Hides the middle of personal numbers.
pub fn mask(person: &mut Person) {
    for identifier in &mut person.form.identifiers {
        if identifier.kind == IdentifierKind::Personal {
            identifier.value = masked(&identifier.value);
        }
    }
}

/// `001234567834` → `0012******34`.
fn masked(value: &str) -> String {
    value
        .chars()
        .enumerate()
        .map(|(at, c)| {
            if (4..PERSONAL - 2).contains(&at) {
                '*'
            } else {
                c
            }
        })
        .collect()
}

/// Brings a form into the form it is stored in. `known` are the identifiers the
/// person has.
///
/// # Errors
/// The wrong fields.
pub fn check(form: &mut PersonForm, known: &[Identifier]) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    fields.required("name", &mut form.name, NAME);
    if let Some(sort) = &mut form.sort {
        fields.text("sort", sort, NAME);
    }
    form.sort = form.sort.take().filter(|sort| !sort.is_empty());
    fields.text("position", &mut form.position, SHORT);
    fields.text("unitText", &mut form.unit_text, LINE);
    fields.text("phone", &mut form.phone, PHONE);
    fields.text("email", &mut form.email, SHORT);
    fields.text("guardian", &mut form.guardian, LINE);
    fields.text("degree", &mut form.degree, SHORT);
    fields.own("custom", &mut form.custom);
    let phone = |c: char| {
        c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '(' | ')' | ',' | ';' | '/')
    };
    if !form.phone.chars().all(phone) {
        fields.wrong("phone", "badValue");
    }
    let at = form.email.split_once('@');
    if !form.email.is_empty()
        && (at.is_none_or(|(name, host)| name.is_empty() || !host.contains('.'))
            || form.email.contains(' '))
    {
        fields.wrong("email", "badValue");
    }
    if form.identifiers.len() > IDENTIFIERS {
        fields.wrong("identifiers", "tooLong");
    }
    for (no, identifier) in form.identifiers.iter_mut().enumerate() {
        if let Err(code) = check_identifier(identifier, known) {
            fields.wrong(&format!("identifiers[{no}].value"), code);
        }
    }
    fields.done()
}

fn check_identifier(identifier: &mut Identifier, known: &[Identifier]) -> Result<(), &'static str> {
    identifier.issuer = super::text::clean(&identifier.issuer).to_lowercase();
    let value = super::text::clean(&identifier.value);
    identifier.value = match identifier.kind {
        IdentifierKind::Personal => value.replace([' ', '.'], ""),
        IdentifierKind::Sector => value.replace(' ', ""),
        IdentifierKind::Local => value,
    };
    let length = identifier.value.chars().count();
    if length == 0 {
        return Err("required");
    }
    if length > IDENTIFIER || identifier.issuer.chars().count() > ISSUER {
        return Err("tooLong");
    }
    match identifier.kind {
        IdentifierKind::Personal => {
            let own = known.iter().find(|known| {
                known.kind == identifier.kind && masked(&known.value) == identifier.value
            });
            if let Some(own) = own {
                *identifier = own.clone();
            }
            let digits = identifier.value.bytes().all(|b| b.is_ascii_digit());
            if digits && identifier.value.len() == PERSONAL {
                Ok(())
            } else {
                Err("badValue")
            }
        }
        IdentifierKind::Sector => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            if identifier.value.chars().all(plain) {
                Ok(())
            } else {
                Err("badValue")
            }
        }
        IdentifierKind::Local => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn personal(value: &str) -> Identifier {
        Identifier {
            kind: IdentifierKind::Personal,
            issuer: String::new(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn a_masked_number_stands_for_the_one_stored_and_for_no_other() {
        let known = [personal("001234567834")];
        let mut form = PersonForm {
            name: "Hoa".to_owned(),
            identifiers: vec![personal("0012******34")],
            ..PersonForm::default()
        };
        assert_eq!(check(&mut form, &known), Ok(()));
        assert_eq!(form.identifiers, known);
        form.identifiers = vec![personal("0099******34")];
        assert_eq!(
            check(&mut form, &known),
            Err(ApiFault::field("identifiers[0].value", "badValue"))
        );
    }

    #[test]
    fn wrong_forms_name_their_fields() {
        let mut form = PersonForm {
            email: "hoa at truong".to_owned(),
            phone: "gọi sau".to_owned(),
            identifiers: vec![personal("12345")],
            ..PersonForm::default()
        };
        let fields = [
            ("email", "badValue"),
            ("identifiers[0].value", "badValue"),
            ("name", "required"),
            ("phone", "badValue"),
        ]
        .map(|(field, code)| (field.to_owned(), code.to_owned()));
        assert_eq!(check(&mut form, &[]), Err(ApiFault::fields(fields.into())));
    }
}
