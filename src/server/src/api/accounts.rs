//! Accounts: making them with a printable list, resetting, locking, roles.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use lophoc_classes::{
    Account, AccountState, IdentifierKind, NewAccount, Page, Person, PersonForm, Printed, UnitRole,
};
use lophoc_ledger::{PersonKey, fold_name};
use lophoc_records::{AccountToAdd, KnownAccount};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::people::{Reach, may_write};
use super::sign_in::LOGIN;
use super::{PAGE, Routes, Signed, need_admin};
use crate::app::App;
use crate::auth::generate;
use crate::clock::wall_ms;

/// Accounts made by one call.
const MOST: usize = 500;
/// Shortest login, characters.
const SHORTEST: usize = 3;
/// Roles in units of one account.
const ROLES: usize = 64;
/// Body of the call that makes accounts, bytes.
const BODY: usize = 512 * 1024;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .layer(DefaultBodyLimit::max(BODY))
        .routes(routes!(reset))
        .routes(routes!(state))
        .routes(routes!(roles))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// In name or login.
    q: String,
    /// First entry, from 0.
    from: u32,
}

/// Accounts by name, of the people in the asker's care.
#[utoipa::path(get, path = "/accounts", tag = "accounts", params(Search), security(("cookie" = [])), responses(
    (status = 200, body = Page<Account>), (status = 403, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(search): Ask<Search>,
) -> Result<Json<Page<Account>>, ApiFault> {
    let reach = may_write(&signed)?;
    let (items, total) = app
        .store
        .accounts(&search.q, reach.units(), search.from, PAGE)
        .await?;
    Ok(Json(Page { items, total }))
}

/// New accounts, all or none. First passwords are in this answer only.
#[utoipa::path(post, path = "/accounts", tag = "accounts", request_body = Vec<NewAccount>, security(("cookie" = [])), responses(
    (status = 201, body = Vec<Printed>), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 409, body = Refusal, description = "field login or person: taken")))]
async fn create(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(new): Body<Vec<NewAccount>>,
) -> Result<(StatusCode, Json<Vec<Printed>>), ApiFault> {
    if new.is_empty() || new.len() > MOST {
        return Err(ApiFault::bad());
    }
    let reach = may_write(&signed)?;
    for account in &new {
        let special = account.admin || !account.units.is_empty();
        if special && !signed.actor.admin {
            return Err(ApiFault::forbidden());
        }
        let person = app
            .store
            .person(&account.person)
            .await?
            .ok_or_else(|| ApiFault::field("person", "unknown"))?;
        if !reach.holds(&app, person.form.unit.as_ref()).await? {
            return Err(ApiFault::forbidden());
        }
    }
    let printed = make_accounts(&app, signed.person(), &new).await?;
    Ok((StatusCode::CREATED, Json(printed)))
}

/// Makes accounts with first passwords, all or none. Whether `by` may is the
/// caller's to decide.
///
/// # Errors
/// Fields `person`, `login`, `units`; `busy`.
async fn make_accounts(
    app: &App,
    by: &PersonKey,
    new: &[NewAccount],
) -> Result<Vec<Printed>, ApiFault> {
    let mut given = BTreeSet::new();
    let mut printed = Vec::with_capacity(new.len());
    for account in new {
        let person = app
            .store
            .person(&account.person)
            .await?
            .ok_or_else(|| ApiFault::field("person", "unknown"))?;
        if account.units.len() > ROLES {
            return Err(ApiFault::field("units", "tooLong"));
        }
        let login = match &account.login {
            Some(login) => checked_login(login)?,
            None => free_login(app, &person, &given).await?,
        };
        given.insert(login.clone());
        printed.push(Printed {
            person: person.id,
            name: person.form.name,
            unit: person.unit_name,
            login,
            password: generate()?,
        });
    }
    let passwords = printed.iter().map(|line| line.password.clone()).collect();
    let secrets = app.passwords.hash(passwords).await?;
    let accounts: Vec<AccountToAdd> = new
        .iter()
        .zip(printed.iter().zip(secrets))
        .map(|(account, (line, secret))| AccountToAdd {
            person: line.person.clone(),
            login: line.login.clone(),
            secret,
            admin: account.admin,
            units: account.units.clone(),
        })
        .collect();
    let now = wall_ms();
    app.store.add_accounts(&accounts, now).await?;
    for line in &printed {
        app.store
            .log_change(by, "account", line.person.as_str(), now)
            .await?;
    }
    tracing::info!(by = %by, count = printed.len(), "accounts made");
    Ok(printed)
}

/// A login as it is stored.
///
/// # Errors
/// Field `login`.
pub fn checked_login(login: &str) -> Result<String, ApiFault> {
    let login = login.trim().to_lowercase();
    let length = login.chars().count();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if length > LOGIN {
        Err(ApiFault::field("login", "tooLong"))
    } else if length < SHORTEST || !login.chars().all(plain) {
        Err(ApiFault::field("login", "badValue"))
    } else {
        Ok(login)
    }
}

/// The sector identifier, else given name and initials (`hoa.nt`), with a number
/// when somebody has or had it.
async fn free_login(
    app: &App,
    person: &Person,
    given: &BTreeSet<String>,
) -> Result<String, ApiFault> {
    let base = login_base(&person.form);
    for number in 1..10_000u32 {
        let login = match number {
            1 => base.clone(),
            number => format!("{base}{number}"),
        };
        if !given.contains(&login) && !app.store.login_taken(&login).await? {
            return Ok(login);
        }
    }
    Err(ApiFault::field("login", "taken"))
}

/// The login somebody gets when nobody has it: the sector identifier, else given
/// name and initials.
pub(super) fn login_base(form: &PersonForm) -> String {
    let sector = form
        .identifiers
        .iter()
        .find(|identifier| identifier.kind == IdentifierKind::Sector)
        .and_then(|identifier| checked_login(&identifier.value).ok());
    sector.unwrap_or_else(|| login_of_name(&form.name))
}

fn login_of_name(name: &str) -> String {
    let folded = fold_name(name);
    let mut words: Vec<String> = folded
        .split(' ')
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect())
        .filter(|word: &String| !word.is_empty())
        .collect();
    let Some(last) = words.pop() else {
        return "user".to_owned();
    };
    let initials: String = words
        .iter()
        .filter_map(|word| word.chars().next())
        .collect();
    let login: String = if initials.is_empty() {
        last
    } else {
        format!("{last}.{initials}")
    };
    // Room for the number behind it.
    let login: String = login.chars().take(LOGIN - 8).collect();
    if login.len() < SHORTEST {
        format!("user.{login}")
    } else {
        login
    }
}

/// A new first password, in this answer only. All browsers are signed out, and
/// tokens of the API end.
#[utoipa::path(post, path = "/accounts/{person}/reset", tag = "accounts", params(("person" = String, Path)), security(("cookie" = [])), responses(
    (status = 200, body = Printed), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn reset(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(person): At<String>,
) -> Result<Json<Printed>, ApiFault> {
    let known = in_care(&app, &signed, person).await?;
    let printed = reset_password(&app, known.account).await?;
    // Whoever had the password may have left himself another way in.
    for token in app.store.api_tokens(&printed.person).await? {
        app.store
            .end_api_token(&printed.person, &token.id, wall_ms())
            .await?;
    }
    note(&app, &signed, "reset", &printed.person).await?;
    Ok(Json(printed))
}

/// Gives the account a new first password.
///
/// # Errors
/// The store's, `busy`.
async fn reset_password(app: &App, account: Account) -> Result<Printed, ApiFault> {
    let password = generate()?;
    let secrets = app.passwords.hash(vec![password.clone()]).await?;
    let secret = secrets.first().ok_or_else(ApiFault::internal)?;
    app.store
        .set_password(&account.person, secret, true, None)
        .await?;
    Ok(Printed {
        person: account.person,
        name: account.name,
        unit: account.unit,
        login: account.login,
        password,
    })
}

#[derive(Debug, Deserialize, ToSchema)]
struct StateChange {
    /// `active`, `locked` or `retired`.
    state: AccountState,
}

/// Lock, open or retire an account.
#[utoipa::path(post, path = "/accounts/{person}/state", tag = "accounts", params(("person" = String, Path)), request_body = StateChange, security(("cookie" = [])), responses(
    (status = 200, body = Account), (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: oneself, the last administrator, or retired for good")))]
async fn state(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(person): At<String>,
    Body(change): Body<StateChange>,
) -> Result<Json<Account>, ApiFault> {
    let known = in_care(&app, &signed, person).await?;
    let person = &known.account.person;
    if change.state == AccountState::New {
        return Err(ApiFault::field("state", "badValue"));
    }
    // Only an administrator brings a retired account back.
    let back = known.account.state == AccountState::Retired && !signed.actor.admin;
    if person == signed.person() || back {
        return Err(ApiFault::refused(None));
    }
    app.store.set_account_state(person, change.state).await?;
    note(&app, &signed, "state", person).await?;
    shown(&app, person).await
}

#[derive(Debug, Deserialize, ToSchema)]
struct RolesChange {
    /// Quản trị hệ thống.
    admin: bool,
    /// Roles in units.
    units: Vec<UnitRole>,
}

/// What an account may do beyond its classes.
#[utoipa::path(post, path = "/accounts/{person}/roles", tag = "accounts", params(("person" = String, Path)), request_body = RolesChange, security(("cookie" = [])), responses(
    (status = 200, body = Account), (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: nobody takes his own administration away")))]
async fn roles(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(person): At<String>,
    Body(change): Body<RolesChange>,
) -> Result<Json<Account>, ApiFault> {
    need_admin(&signed)?;
    let known = in_care(&app, &signed, person).await?;
    let person = &known.account.person;
    if change.units.len() > ROLES {
        return Err(ApiFault::field("units", "tooLong"));
    }
    // So there is always an administrator left.
    if person == signed.person() && !change.admin {
        return Err(ApiFault::refused(None));
    }
    app.store
        .set_account_roles(person, change.admin, &change.units)
        .await?;
    note(&app, &signed, "roles", person).await?;
    shown(&app, person).await
}

async fn shown(app: &App, person: &PersonKey) -> Result<Json<Account>, ApiFault> {
    let known = app.store.account(person).await?;
    let known = known.ok_or_else(ApiFault::not_found)?;
    Ok(Json(known.account))
}

async fn note(app: &App, signed: &Signed, what: &str, about: &PersonKey) -> Result<(), ApiFault> {
    tracing::info!(by = %signed.person(), person = %about, what, "account changed");
    Ok(app
        .store
        .log_change(signed.person(), what, about.as_str(), wall_ms())
        .await?)
}

/// The account, when the asker may touch it: an administrator any, others those
/// of people in their care that hold no power of their own. A new password is a
/// way into the account.
async fn in_care(app: &App, signed: &Signed, person: String) -> Result<KnownAccount, ApiFault> {
    let reach = may_write(signed)?;
    let person = PersonKey(person);
    let known = app
        .store
        .account(&person)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    if reach == Reach::All {
        return Ok(known);
    }
    let unit = app.store.person(&person).await?.and_then(|p| p.form.unit);
    // Leading a class is a power as well: it corrects and freezes attendance.
    let special = known.account.admin
        || !known.account.units.is_empty()
        || app.store.is_organiser(&person).await?;
    if special || !reach.holds(app, unit.as_ref()).await? {
        return Err(ApiFault::forbidden());
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_made_from_names() {
        for (name, login) in [
            ("Nguyễn Thị Hoa", "hoa.nt"),
            ("Đặng Văn Đức", "duc.dv"),
            ("Y", "user.y"),
            ("K'Brơi", "kbroi"),
            ("李", "user"),
        ] {
            assert_eq!(login_of_name(name), login);
        }
        assert!(checked_login("Hoa.NT").is_ok_and(|login| login == "hoa.nt"));
        for bad in ["ab", "có dấu", "a b c", ""] {
            assert!(checked_login(bad).is_err(), "{bad}");
        }
    }
}
