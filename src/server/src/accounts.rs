//! Accounts for the command line, the first start and the demo.

use lophoc_classes::{
    DataCheck, NewStaff, PersonForm, Printed, StaffRole, Unit, UnitId, UnitKind, UnitRole,
};
use lophoc_ledger::PersonKey;
use lophoc_records::{AccountToAdd, ClassId, Store, StoreError};

use crate::auth::{PasswordError, Passwords, generate};
use crate::clock::wall_ms;
use crate::random::NoRandomness;

/// Login of the administrator made at the first start.
const FIRST_LOGIN: &str = "admin";
const FIRST_NAME: &str = "Quản trị hệ thống";
/// Login of the organiser of the demo class.
const DEMO_LOGIN: &str = "demo";
pub(crate) const DEMO_NAME: &str = "Trần Thị Minh Châu";
const DEMO_POSITION: &str = "Ban tổ chức lớp mẫu";
/// Unit the demo class belongs to.
pub(crate) const DEMO_UNIT: &str = "u-demo";
const DEMO_UNIT_NAME: &str = "Sở GDĐT (lớp mẫu)";
/// The Ministry in the list the server ships with.
const MINISTRY: &str = "u-moet";

/// An account cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Hashing.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A login or name that cannot be used.
    #[error("{0} cannot be used: {1}")]
    Text(&'static str, &'static str),
    /// Nobody has this login.
    #[error("there is no account {0}")]
    NoAccount(String),
}

/// Makes a person with an account. The password must be changed at the first
/// sign-in.
pub async fn create(
    store: &Store,
    login: &str,
    name: &str,
    admin: bool,
) -> Result<Printed, AccountError> {
    let login = crate::api::checked_login(login)
        .map_err(|_| AccountError::Text("login", "3 to 64 letters a–z, digits, . - _ @"))?;
    let name = lophoc_room::text::clean_name(name)
        .map_err(|_| AccountError::Text("name", "1 to 80 characters"))?;
    if store.login_taken(&login).await? {
        return Err(AccountError::Text("login", "taken"));
    }
    let form = PersonForm {
        name: name.clone(),
        ..PersonForm::default()
    };
    let person = store.add_person(&form, wall_ms()).await?;
    let password = generate()?;
    add(store, &person, &login, &password, admin, Vec::new()).await?;
    Ok(Printed {
        person,
        name,
        unit: String::new(),
        login,
        password,
    })
}

/// Gives the account of a login a new first password.
pub async fn reset(store: &Store, login: &str) -> Result<Printed, AccountError> {
    let login = login.trim().to_lowercase();
    let known = store
        .account_of_login(&login)
        .await?
        .ok_or_else(|| AccountError::NoAccount(login.clone()))?;
    let password = generate()?;
    let secret = hash(&password).await?;
    let account = known.account;
    store
        .set_password(&account.person, &secret, true, None)
        .await?;
    store
        .log_change(
            &account.person,
            "resetByServer",
            account.person.as_str(),
            wall_ms(),
        )
        .await?;
    Ok(Printed {
        person: account.person,
        name: account.name,
        unit: account.unit,
        login,
        password,
    })
}

/// An administrator for an installation without any account; `None` when it has
/// one. The password is told here and never again.
pub async fn first(store: &Store) -> Result<Option<Printed>, AccountError> {
    if store.has_accounts().await? {
        return Ok(None);
    }
    create(store, FIRST_LOGIN, FIRST_NAME, true).await.map(Some)
}

/// The organiser of the demo class, with a password that is new at every start
/// and good as it is.
pub async fn demo(store: &Store, class: &ClassId) -> Result<Printed, AccountError> {
    let password = generate()?;
    let person = match store.account_of_login(DEMO_LOGIN).await? {
        Some(known) => known.account.person,
        None => demo_person(store, &password).await?,
    };
    let secret = hash(&password).await?;
    store.set_password(&person, &secret, false, None).await?;
    let standing = store.standing(&person, class).await?;
    if !standing.staff.contains(&StaffRole::Organiser) {
        let entry = NewStaff {
            person: person.clone(),
            role: StaffRole::Organiser,
            session: None,
            instead_of: None,
            learners: Vec::new(),
        };
        store.add_staff(class, &entry, &person, wall_ms()).await?;
    }
    Ok(Printed {
        person,
        name: DEMO_NAME.to_owned(),
        unit: DEMO_UNIT_NAME.to_owned(),
        login: DEMO_LOGIN.to_owned(),
        password,
    })
}

async fn demo_person(store: &Store, password: &str) -> Result<PersonKey, AccountError> {
    let unit = UnitId::from(DEMO_UNIT);
    let ministry = store.unit(&UnitId::from(MINISTRY)).await?;
    let ministry = ministry.map(|unit| unit.id);
    if store.unit(&unit).await?.is_none() {
        store
            .save_unit(&Unit {
                id: unit.clone(),
                kind: UnitKind::Department,
                name: DEMO_UNIT_NAME.to_owned(),
                short: "SGDĐT".to_owned(),
                parent_admin: ministry.clone(),
                parent_professional: ministry,
                sector_code: None,
                area_code: None,
                place: String::new(),
                valid_from: None,
                valid_to: None,
                merged_into: None,
                leader: String::new(),
                contact: String::new(),
                name_check: DataCheck::Own,
                code_check: DataCheck::Own,
            })
            .await?;
    }
    let form = PersonForm {
        name: DEMO_NAME.to_owned(),
        position: DEMO_POSITION.to_owned(),
        unit: Some(unit.clone()),
        ..PersonForm::default()
    };
    let person = store.add_person(&form, wall_ms()).await?;
    let roles = vec![UnitRole::Organiser { unit }];
    add(store, &person, DEMO_LOGIN, password, false, roles).await?;
    Ok(person)
}

async fn add(
    store: &Store,
    person: &PersonKey,
    login: &str,
    password: &str,
    admin: bool,
    units: Vec<UnitRole>,
) -> Result<(), AccountError> {
    let account = AccountToAdd {
        person: person.clone(),
        login: login.to_owned(),
        secret: hash(password).await?,
        admin,
        units,
    };
    let now = wall_ms();
    store.add_accounts(&[account], now).await?;
    // Made by the server itself: there may be nobody else yet.
    store
        .log_change(person, "accountByServer", person.as_str(), now)
        .await?;
    Ok(())
}

async fn hash(password: &str) -> Result<String, AccountError> {
    let made = Passwords::new(1).hash(vec![password.to_owned()]).await?;
    Ok(made.into_iter().next().ok_or(PasswordError::Failed)?)
}
