//! Accounts, the browsers that are signed in, tokens of the API, the log of
//! sign-ins. Secrets come as hashes; this crate never sees a password.

use lophoc_classes::{Account, AccountState, ApiToken, Scope, UnitId, UnitRole};
use lophoc_ledger::{PersonKey, fold_name};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};
use crate::units::is_below;

/// A browser that did nothing for so long is signed out, ms.
pub const SIGN_IN_IDLE_MS: u64 = 12 * 60 * 60 * 1000;
/// A browser is signed out after so long in any case, ms.
pub const SIGN_IN_LIFE_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Lines of the log of sign-ins are kept for two years, ms.
pub const SIGN_IN_LOG_KEPT_MS: u64 = 2 * 365 * 24 * 60 * 60 * 1000;
/// Last uses are written at most so often, ms.
const TOUCH_MS: u64 = 60 * 1000;

/// An account with what sign-in needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// What may be shown.
    pub account: Account,
    /// Hash of the password.
    pub secret: String,
    /// The password must be changed before anything else.
    pub must_change: bool,
}

/// An account to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountToAdd {
    /// For whom.
    pub person: PersonKey,
    /// Login, lower case.
    pub login: String,
    /// Hash of the first password.
    pub secret: String,
    /// Quản trị hệ thống.
    pub admin: bool,
    /// Roles in units.
    pub units: Vec<UnitRole>,
}

/// How a sign-in went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInOutcome {
    /// Signed in.
    Ok,
    /// Wrong login or password.
    Wrong,
    /// Refused, since locked.
    Locked,
    /// Signed out.
    Out,
}

impl SignInOutcome {
    /// The name stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Locked => "locked",
            Self::Out => "out",
        }
    }
}

/// A line of the log of sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLine {
    /// When, ms.
    pub at_ms: u64,
    /// Who; absent when nobody has that login.
    pub person: Option<PersonKey>,
    /// Address of the client.
    pub address: String,
    /// Its port, 0 when a proxy hides it.
    pub port: u16,
    /// `ok`, `wrong`, `locked`, `out`.
    pub outcome: String,
}

const COLUMNS: &str = "account.person, account.login, account.secret, account.state, \
     account.must_change, account.admin, account.locked_until_ms, account.last_ms, person.name, \
     CASE WHEN person.unit_text <> '' THEN person.unit_text ELSE coalesce(unit.name, '') END AS unit_name";
const JOINED: &str = "account JOIN person ON person.id = account.person \
     LEFT JOIN unit ON unit.id = person.unit";

impl Store {
    /// Whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool, StoreError> {
        let one: Option<String> = sqlx::query_scalar("SELECT person FROM account LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(one.is_some())
    }

    /// The account of a login, given in lower case.
    pub async fn account_of_login(&self, login: &str) -> Result<Option<KnownAccount>, StoreError> {
        self.one_account("login", login).await
    }

    /// The account of a person.
    pub async fn account(&self, person: &PersonKey) -> Result<Option<KnownAccount>, StoreError> {
        self.one_account("person", person.as_str()).await
    }

    /// `column` is one of this module's own words.
    async fn one_account(
        &self,
        column: &'static str,
        value: &str,
    ) -> Result<Option<KnownAccount>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM {JOINED} WHERE account.{column} = $1");
        let row = sqlx::query(&text)
            .bind(value)
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => Ok(Some(self.with_roles(&row).await?)),
            None => Ok(None),
        }
    }

    /// Accounts whose name or login holds `query` (any spelling), of people of
    /// the units `under` or below (absent: of all), by name, from the `from`th
    /// on, `count` at most; and how many there are.
    pub async fn accounts(
        &self,
        query: &str,
        under: Option<&[UnitId]>,
        from: u32,
        count: u32,
    ) -> Result<(Vec<Account>, u32), StoreError> {
        let roots = under.unwrap_or_default();
        let mut condition =
            String::from("(person.folded LIKE $1 ESCAPE '!' OR account.login LIKE $1 ESCAPE '!')");
        if under.is_some() {
            condition.push_str(" AND ");
            condition.push_str(&is_below("person.unit", 4, roots.len()));
        }
        // The count has the same placeholders, so that both bind alike.
        let counting =
            format!("SELECT count(*) FROM {JOINED} WHERE {condition} AND $2 = $2 AND $3 = $3");
        let listing = format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE {condition} \
             ORDER BY person.folded, account.person LIMIT $2 OFFSET $3"
        );
        let pattern = like(&fold_name(query));
        let mut total = sqlx::query_scalar::<_, i64>(&counting)
            .bind(&pattern)
            .bind(i64::from(count))
            .bind(i64::from(from));
        let mut rows = sqlx::query(&listing)
            .bind(&pattern)
            .bind(i64::from(count))
            .bind(i64::from(from));
        for unit in roots {
            total = total.bind(unit.as_str());
            rows = rows.bind(unit.as_str());
        }
        let total = total.fetch_one(&self.pool).await?;
        let rows = rows.fetch_all(&self.pool).await?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in &rows {
            accounts.push(self.with_roles(row).await?.account);
        }
        Ok((accounts, u32::try_from(total).unwrap_or(u32::MAX)))
    }

    /// Stores new accounts, all or none. Their first passwords must be changed.
    ///
    /// # Errors
    /// [`StoreError::Taken`] `login` or `person`; [`StoreError::Unknown`]
    /// `person` or `units`.
    pub async fn add_accounts(&self, new: &[AccountToAdd], now_ms: u64) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for account in new {
            let person = account.person.as_str();
            exists(&mut change, "person", person, "person").await?;
            let added = sqlx::query(
                "INSERT INTO account (person, login, secret, state, must_change, admin, fails, created_ms) \
                 VALUES ($1, $2, $3, 'new', 1, $4, 0, $5) ON CONFLICT DO NOTHING",
            )
            .bind(person)
            .bind(&account.login)
            .bind(&account.secret)
            .bind(i64::from(account.admin))
            .bind(to_db(now_ms)?)
            .execute(&mut *change)
            .await?;
            if added.rows_affected() == 0 {
                let known: Option<String> =
                    sqlx::query_scalar("SELECT person FROM account WHERE person = $1")
                        .bind(person)
                        .fetch_optional(&mut *change)
                        .await?;
                return Err(StoreError::Taken(match known {
                    Some(_) => "person",
                    None => "login",
                }));
            }
            write_roles(&mut change, person, &account.units).await?;
        }
        Ok(change.commit().await?)
    }

    /// Whether a login was ever used.
    pub async fn login_taken(&self, login: &str) -> Result<bool, StoreError> {
        let known: Option<String> =
            sqlx::query_scalar("SELECT person FROM account WHERE login = $1")
                .bind(login)
                .fetch_optional(&self.pool)
                .await?;
        Ok(known.is_some())
    }

    /// Sets a password and signs all browsers out but `kept`. A `first` password
    /// must be changed; one chosen by the person makes the account active.
    pub async fn set_password(
        &self,
        person: &PersonKey,
        secret: &str,
        first: bool,
        kept: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE account SET secret = $1, must_change = $2, fails = 0, locked_until_ms = NULL, \
             state = CASE WHEN state = 'new' AND $4 THEN 'active' ELSE state END \
             WHERE person = $3",
        )
        .bind(secret)
        .bind(i64::from(first))
        .bind(person.as_str())
        .bind(!first)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown("person"));
        }
        sqlx::query("DELETE FROM sign_in WHERE person = $1 AND hash <> $2")
            .bind(person.as_str())
            .bind(kept.unwrap_or_default())
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    /// Moves an account to a state. Locked and retired sign it out; active takes
    /// the wait after wrong passwords away and is new while the first password
    /// stands.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] `person`.
    pub async fn set_account_state(
        &self,
        person: &PersonKey,
        state: AccountState,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE account SET state = CASE WHEN $1 = 'active' AND must_change = 1 THEN 'new' \
             ELSE $1 END, fails = 0, locked_until_ms = NULL WHERE person = $2",
        )
        .bind(state_name(state))
        .bind(person.as_str())
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown("person"));
        }
        if matches!(state, AccountState::Locked | AccountState::Retired) {
            sqlx::query("DELETE FROM sign_in WHERE person = $1")
                .bind(person.as_str())
                .execute(&mut *change)
                .await?;
        }
        Ok(change.commit().await?)
    }

    /// Sets what an account may do beyond its classes.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] `person` or `units`.
    pub async fn set_account_roles(
        &self,
        person: &PersonKey,
        admin: bool,
        units: &[UnitRole],
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query("UPDATE account SET admin = $1 WHERE person = $2")
            .bind(i64::from(admin))
            .bind(person.as_str())
            .execute(&mut *change)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown("person"));
        }
        sqlx::query("DELETE FROM unit_role WHERE person = $1")
            .bind(person.as_str())
            .execute(&mut *change)
            .await?;
        write_roles(&mut change, person.as_str(), units).await?;
        Ok(change.commit().await?)
    }

    /// Whether the person is on the staff list of any class.
    pub async fn is_staff(&self, person: &PersonKey) -> Result<bool, StoreError> {
        let one: Option<String> = sqlx::query_scalar(
            "SELECT class FROM staff WHERE person = $1 AND ended_ms IS NULL LIMIT 1",
        )
        .bind(person.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(one.is_some())
    }

    /// Whether the person organises any class.
    pub async fn is_organiser(&self, person: &PersonKey) -> Result<bool, StoreError> {
        let one: Option<String> = sqlx::query_scalar(
            "SELECT class FROM staff WHERE person = $1 AND role = 'organiser' \
             AND ended_ms IS NULL LIMIT 1",
        )
        .bind(person.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(one.is_some())
    }

    /// How many administrators can sign in.
    pub async fn admins(&self) -> Result<u32, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM account WHERE admin = 1 AND state IN ('new', 'active')",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Counts an attempt before its password is looked at, so that many at once
    /// do not all slip through. While a wait runs nothing is counted and the
    /// rest of it, ms, is the answer. `wait` gives the wait that a number of
    /// attempts without success costs, ms.
    pub async fn try_password(
        &self,
        person: &PersonKey,
        now_ms: u64,
        wait: impl Fn(u32) -> Option<u64>,
    ) -> Result<Result<(), u64>, StoreError> {
        let mut change = self.change().await?;
        let row = sqlx::query("SELECT fails, locked_until_ms FROM account WHERE person = $1")
            .bind(person.as_str())
            .fetch_optional(&mut *change)
            .await?
            .ok_or(StoreError::Unknown("person"))?;
        let fails: i64 = row.try_get("fails")?;
        let until: Option<i64> = row.try_get("locked_until_ms")?;
        let until = until.map(from_db).transpose()?.unwrap_or_default();
        if until > now_ms {
            return Ok(Err(until.saturating_sub(now_ms)));
        }
        let attempts = u32::try_from(fails).unwrap_or(u32::MAX).saturating_add(1);
        let until = wait(attempts).map(|wait| to_db(now_ms.saturating_add(wait)));
        sqlx::query("UPDATE account SET fails = $1, locked_until_ms = $2 WHERE person = $3")
            .bind(i64::from(attempts))
            .bind(until.transpose()?)
            .bind(person.as_str())
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(Ok(()))
    }

    /// Signs a browser in. `hash` is that of its secret.
    pub async fn begin_sign_in(
        &self,
        hash: &str,
        person: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let now = to_db(now_ms)?;
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM sign_in WHERE used_ms < $1 OR begun_ms < $2")
            .bind(to_db(now_ms.saturating_sub(SIGN_IN_IDLE_MS))?)
            .bind(to_db(now_ms.saturating_sub(SIGN_IN_LIFE_MS))?)
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "INSERT INTO sign_in (hash, person, begun_ms, used_ms) VALUES ($1, $2, $3, $3)",
        )
        .bind(hash)
        .bind(person.as_str())
        .bind(now)
        .execute(&mut *change)
        .await?;
        sqlx::query(
            "UPDATE account SET fails = 0, locked_until_ms = NULL, last_ms = $1 WHERE person = $2",
        )
        .bind(now)
        .bind(person.as_str())
        .execute(&mut *change)
        .await?;
        Ok(change.commit().await?)
    }

    /// Whose browser holds the secret with this hash, when it may still come in:
    /// within its times and with an account that is not locked.
    pub async fn signed_in(
        &self,
        hash: &str,
        now_ms: u64,
    ) -> Result<Option<KnownAccount>, StoreError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS}, sign_in.used_ms FROM {JOINED} JOIN sign_in ON sign_in.person = account.person \
             WHERE sign_in.hash = $1 AND sign_in.used_ms > $2 AND sign_in.begun_ms > $3 \
             AND account.state IN ('new', 'active')"
        ))
        .bind(hash)
        .bind(before(now_ms, SIGN_IN_IDLE_MS)?)
        .bind(before(now_ms, SIGN_IN_LIFE_MS)?)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let used: i64 = row.try_get("used_ms")?;
        if from_db(used)?.saturating_add(TOUCH_MS) < now_ms {
            sqlx::query("UPDATE sign_in SET used_ms = $1 WHERE hash = $2")
                .bind(to_db(now_ms)?)
                .bind(hash)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(self.with_roles(&row).await?))
    }

    /// Signs one browser out.
    pub async fn end_sign_in(&self, hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sign_in WHERE hash = $1")
            .bind(hash)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Writes a line of the log of sign-ins and drops those too old.
    pub async fn log_sign_in(&self, line: &SignInLine) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM sign_in_log WHERE at_ms < $1")
            .bind(before(line.at_ms, SIGN_IN_LOG_KEPT_MS)?)
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "INSERT INTO sign_in_log (at_ms, person, address, port, outcome) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(to_db(line.at_ms)?)
        .bind(line.person.as_ref().map_or("", PersonKey::as_str))
        .bind(&line.address)
        .bind(i64::from(line.port))
        .bind(&line.outcome)
        .execute(&mut *change)
        .await?;
        Ok(change.commit().await?)
    }

    /// The log of a person's sign-ins, newest first, `count` lines at most.
    pub async fn sign_in_log(
        &self,
        person: &PersonKey,
        count: u32,
    ) -> Result<Vec<SignInLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, person, address, port, outcome FROM sign_in_log WHERE person = $1 \
             ORDER BY at_ms DESC LIMIT $2",
        )
        .bind(person.as_str())
        .bind(i64::from(count))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let person: String = row.try_get("person")?;
                let port: i64 = row.try_get("port")?;
                Ok(SignInLine {
                    at_ms: from_db(row.try_get("at_ms")?)?,
                    person: (!person.is_empty()).then_some(PersonKey(person)),
                    address: row.try_get("address")?,
                    port: u16::try_from(port).unwrap_or_default(),
                    outcome: row.try_get("outcome")?,
                })
            })
            .collect()
    }

    /// Stores a token of the API. `hash` is that of its secret.
    pub async fn add_api_token(
        &self,
        person: &PersonKey,
        token: &ApiToken,
        hash: &str,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let scopes = serde_json::to_string(&token.scopes)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        sqlx::query(
            "INSERT INTO api_token (id, hash, person, label, scopes, made_ms, expires_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&token.id)
        .bind(hash)
        .bind(person.as_str())
        .bind(&token.label)
        .bind(scopes)
        .bind(to_db(now_ms)?)
        .bind(to_db(token.expires_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A person's tokens that were not ended, newest first; expired ones too.
    pub async fn api_tokens(&self, person: &PersonKey) -> Result<Vec<ApiToken>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, label, scopes, expires_ms, used_ms FROM api_token \
             WHERE person = $1 AND ended_ms IS NULL ORDER BY made_ms DESC, id",
        )
        .bind(person.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let used: Option<i64> = row.try_get("used_ms")?;
                Ok(ApiToken {
                    id: row.try_get("id")?,
                    label: row.try_get("label")?,
                    scopes: scopes_of(row)?,
                    expires_ms: from_db(row.try_get("expires_ms")?)?,
                    used_ms: used.map(from_db).transpose()?,
                    secret: None,
                })
            })
            .collect()
    }

    /// Ends a person's token; false when there is none of that id.
    pub async fn end_api_token(
        &self,
        person: &PersonKey,
        id: &str,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE api_token SET ended_ms = $1 WHERE id = $2 AND person = $3 AND ended_ms IS NULL",
        )
        .bind(to_db(now_ms)?)
        .bind(id)
        .bind(person.as_str())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// A person's token of this id, with its scopes, while token and account hold.
    pub async fn api_token_by_id(
        &self,
        person: &PersonKey,
        id: &str,
        now_ms: u64,
    ) -> Result<Option<(KnownAccount, Vec<Scope>)>, StoreError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS}, api_token.scopes FROM {JOINED} \
             JOIN api_token ON api_token.person = account.person \
             WHERE api_token.id = $1 AND api_token.person = $2 AND api_token.ended_ms IS NULL \
             AND api_token.expires_ms > $3 AND account.state IN ('new', 'active')"
        ))
        .bind(id)
        .bind(person.as_str())
        .bind(to_db(now_ms)?)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((self.with_roles(&row).await?, scopes_of(&row)?)))
    }

    /// Whose token has this hash, with its id and scopes, while token and account
    /// hold.
    pub async fn api_token(
        &self,
        hash: &str,
        now_ms: u64,
    ) -> Result<Option<(String, KnownAccount, Vec<Scope>)>, StoreError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS}, api_token.id, api_token.scopes, api_token.used_ms \
             FROM {JOINED} JOIN api_token ON api_token.person = account.person \
             WHERE api_token.hash = $1 AND api_token.ended_ms IS NULL AND api_token.expires_ms > $2 \
             AND account.state IN ('new', 'active')"
        ))
        .bind(hash)
        .bind(to_db(now_ms)?)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let used: Option<i64> = row.try_get("used_ms")?;
        let used = used.map(from_db).transpose()?.unwrap_or_default();
        if used.saturating_add(TOUCH_MS) < now_ms {
            sqlx::query("UPDATE api_token SET used_ms = $1 WHERE hash = $2")
                .bind(to_db(now_ms)?)
                .bind(hash)
                .execute(&self.pool)
                .await?;
        }
        let id = row.try_get("id")?;
        Ok(Some((id, self.with_roles(&row).await?, scopes_of(&row)?)))
    }

    /// An account from its row and its roles.
    async fn with_roles(&self, row: &SqliteRow) -> Result<KnownAccount, StoreError> {
        let person = PersonKey(row.try_get("person")?);
        let roles =
            sqlx::query("SELECT role, unit FROM unit_role WHERE person = $1 ORDER BY role, unit")
                .bind(person.as_str())
                .fetch_all(&self.pool)
                .await?;
        let units = roles
            .iter()
            .map(|row| role_of(row.try_get("role")?, UnitId(row.try_get("unit")?)))
            .collect::<Result<_, StoreError>>()?;
        let state: String = row.try_get("state")?;
        let (admin, must_change): (i64, i64) = (row.try_get("admin")?, row.try_get("must_change")?);
        let locked: Option<i64> = row.try_get("locked_until_ms")?;
        let last: Option<i64> = row.try_get("last_ms")?;
        Ok(KnownAccount {
            account: Account {
                person,
                name: row.try_get("name")?,
                unit: row.try_get("unit_name")?,
                login: row.try_get("login")?,
                state: state_of(&state)?,
                admin: admin != 0,
                units,
                locked_until_ms: locked.map(from_db).transpose()?,
                last_ms: last.map(from_db).transpose()?,
            },
            secret: row.try_get("secret")?,
            must_change: must_change != 0,
        })
    }
}

/// A time `span` before `now_ms`; before the epoch for small clocks of tests.
fn before(now_ms: u64, span: u64) -> Result<i64, StoreError> {
    Ok(to_db(now_ms)?.saturating_sub(to_db(span)?))
}

/// A pattern for LIKE … ESCAPE '!' that finds `text` anywhere.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Refuses a reference to a row that does not exist. `table` is one of our words.
pub(crate) async fn exists(
    change: &mut sqlx::SqliteConnection,
    table: &'static str,
    id: &str,
    field: &'static str,
) -> Result<(), StoreError> {
    let known: Option<String> =
        sqlx::query_scalar(&format!("SELECT id FROM {table} WHERE id = $1"))
            .bind(id)
            .fetch_optional(change)
            .await?;
    known.map(|_| ()).ok_or(StoreError::Unknown(field))
}

async fn write_roles(
    change: &mut sqlx::SqliteConnection,
    person: &str,
    units: &[UnitRole],
) -> Result<(), StoreError> {
    for role in units {
        let (name, unit) = match role {
            UnitRole::Organiser { unit } => ("organiser", unit),
            UnitRole::Contact { unit } => ("contact", unit),
            UnitRole::Inspector { unit } => ("inspector", unit),
        };
        exists(change, "unit", unit.as_str(), "units").await?;
        sqlx::query(
            "INSERT INTO unit_role (person, role, unit) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(person)
        .bind(name)
        .bind(unit.as_str())
        .execute(&mut *change)
        .await?;
    }
    Ok(())
}

fn role_of(name: String, unit: UnitId) -> Result<UnitRole, StoreError> {
    match name.as_str() {
        "organiser" => Ok(UnitRole::Organiser { unit }),
        "contact" => Ok(UnitRole::Contact { unit }),
        "inspector" => Ok(UnitRole::Inspector { unit }),
        _ => Err(StoreError::Damaged(format!("unit role {name}"))),
    }
}

fn state_name(state: AccountState) -> &'static str {
    match state {
        AccountState::New => "new",
        AccountState::Active => "active",
        AccountState::Locked => "locked",
        AccountState::Retired => "retired",
    }
}

fn state_of(name: &str) -> Result<AccountState, StoreError> {
    [
        AccountState::New,
        AccountState::Active,
        AccountState::Locked,
        AccountState::Retired,
    ]
    .into_iter()
    .find(|state| state_name(*state) == name)
    .ok_or_else(|| StoreError::Damaged(format!("account state {name}")))
}

fn scopes_of(row: &SqliteRow) -> Result<Vec<Scope>, StoreError> {
    let text: String = row.try_get("scopes")?;
    serde_json::from_str(&text).map_err(|_| StoreError::Damaged("scopes of a token".to_owned()))
}
