//! Units, people, accounts, sign-ins in the store.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a failing unwrap is a failing test

use lophoc_classes::{
    AccountState, ApiToken, DataCheck, Identifier, IdentifierKind, PersonForm, Scope, Unit, UnitId,
    UnitKind, UnitRole,
};
use lophoc_ledger::PersonKey;
use lophoc_records::{
    AccountToAdd, PersonQuery, SIGN_IN_IDLE_MS, SIGN_IN_LIFE_MS, SIGN_IN_LOG_KEPT_MS, SignInLine,
    Store, StoreError, UnitQuery,
};

async fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("x.db")).await.unwrap();
    (store, folder)
}

fn unit(id: &str, name: &str, admin: Option<&str>, professional: Option<&str>) -> Unit {
    Unit {
        id: UnitId::from(id),
        kind: UnitKind::Other,
        name: name.to_owned(),
        short: String::new(),
        parent_admin: admin.map(UnitId::from),
        parent_professional: professional.map(UnitId::from),
        sector_code: None,
        area_code: None,
        place: String::new(),
        valid_from: None,
        valid_to: None,
        merged_into: None,
        leader: String::new(),
        contact: String::new(),
        name_check: DataCheck::Verified,
        code_check: DataCheck::Verified,
    }
}

/// A school with two parents, named before them.
fn tree() -> Vec<Unit> {
    vec![
        unit(
            "u-school",
            "Trường THPT Đống Đa",
            Some("u-commune"),
            Some("u-dept"),
        ),
        unit("u-commune", "UBND phường Láng", None, None),
        unit("u-dept", "Sở GDĐT Hà Nội", None, None),
    ]
}

async fn person(store: &Store, name: &str, identifier: Option<&str>) -> PersonKey {
    let form = PersonForm {
        name: name.to_owned(),
        identifiers: identifier
            .map(|value| Identifier {
                kind: IdentifierKind::Sector,
                issuer: String::new(),
                value: value.to_owned(),
            })
            .into_iter()
            .collect(),
        ..PersonForm::default()
    };
    store.add_person(&form, 1).await.unwrap()
}

async fn account(store: &Store, login: &str) -> PersonKey {
    let person = person(store, "Nguyễn Thị Hoa", None).await;
    let new = AccountToAdd {
        person: person.clone(),
        login: login.to_owned(),
        secret: "hash".to_owned(),
        admin: false,
        units: Vec::new(),
    };
    store.add_accounts(&[new], 1).await.unwrap();
    person
}

fn ids(names: &[&str]) -> std::collections::BTreeSet<UnitId> {
    names.iter().map(|name| UnitId::from(*name)).collect()
}

#[tokio::test]
async fn both_parents_lead_up_and_down() {
    let (store, _folder) = store().await;
    store.load_units(&tree()).await.unwrap();
    let school = UnitId::from("u-school");
    assert_eq!(
        store.line_above(&school).await.unwrap(),
        ids(&["u-school", "u-commune", "u-dept"])
    );
    for parent in ["u-commune", "u-dept"] {
        let below = store
            .units_below(&UnitId::from(parent), None)
            .await
            .unwrap();
        assert_eq!(below, ids(&[parent, "u-school"]));
    }
    let query = UnitQuery {
        text: "dong da".to_owned(),
        ..UnitQuery::default()
    };
    assert_eq!(store.units(&query, 0, 10).await.unwrap().1, 1);
    store.close().await;
}

#[tokio::test]
async fn a_newer_list_leaves_what_the_installation_changed() {
    let (store, _folder) = store().await;
    store.load_units(&tree()).await.unwrap();
    let own = unit("u-dept", "Sở GDĐT thành phố Hà Nội", None, None);
    store.save_unit(&own).await.unwrap();
    let mut newer = tree();
    newer[1].name = "UBND phường Láng Hạ".to_owned();
    newer[2].name = "Sở khác".to_owned();
    store.load_units(&newer).await.unwrap();
    let name = async |id: &str| store.unit(&UnitId::from(id)).await.unwrap().unwrap().name;
    assert_eq!(name("u-dept").await, "Sở GDĐT thành phố Hà Nội");
    assert_eq!(name("u-commune").await, "UBND phường Láng Hạ");
    let circle = unit("u-dept", "Sở", Some("u-school"), None);
    let refused = store.save_unit(&circle).await;
    assert!(matches!(refused, Err(StoreError::Unknown("parentAdmin"))));
    store.close().await;
}

#[tokio::test]
async fn identifiers_are_somebodys_alone_and_those_of_the_sector_stay() {
    let (store, _folder) = store().await;
    let hoa = person(&store, "Nguyễn Thị Hoa", Some("0123")).await;
    let form = store.person(&hoa).await.unwrap().unwrap().form;
    let twin = store.add_person(&form, 1).await;
    assert!(matches!(twin, Err(StoreError::Taken("identifiers"))));
    let bare = PersonForm {
        identifiers: Vec::new(),
        ..form.clone()
    };
    let refused = store.update_person(&hoa, &bare).await;
    assert!(matches!(refused, Err(StoreError::Taken("identifiers"))));
    assert_eq!(store.person(&hoa).await.unwrap().unwrap().form, form);
    assert_eq!(
        store
            .person_of_identifier(&form.identifiers[0])
            .await
            .unwrap(),
        Some(hoa)
    );
    let query = PersonQuery {
        text: "100%_!".to_owned(),
        ..PersonQuery::default()
    };
    assert_eq!(store.people(&query, 0, 10).await.unwrap().1, 0);
    store.close().await;
}

#[tokio::test]
async fn sign_ins_end_unused_and_at_last_in_any_case() {
    let (store, _folder) = store().await;
    let hoa = account(&store, "hoa.nt").await;
    store.begin_sign_in("h", &hoa, 1_000).await.unwrap();
    let known = async |now| store.signed_in("h", now).await.unwrap().is_some();
    assert!(known(1_000 + SIGN_IN_IDLE_MS - 1).await);
    // Its use just now made it last.
    assert!(known(1_000 + SIGN_IN_IDLE_MS + 5).await);
    assert!(!known(1_000 + 3 * SIGN_IN_IDLE_MS).await);
    let mut now = 1_000;
    store.begin_sign_in("i", &hoa, now).await.unwrap();
    while now < 1_000 + SIGN_IN_LIFE_MS {
        assert!(store.signed_in("i", now).await.unwrap().is_some());
        now += SIGN_IN_IDLE_MS / 2;
    }
    assert!(store.signed_in("i", now).await.unwrap().is_none());
    store.begin_sign_in("j", &hoa, now).await.unwrap();
    store
        .set_account_state(&hoa, AccountState::Locked)
        .await
        .unwrap();
    assert!(store.signed_in("j", now).await.unwrap().is_none());
    store.close().await;
}

#[tokio::test]
async fn attempts_are_counted_before_and_waits_hold() {
    let (store, _folder) = store().await;
    let hoa = account(&store, "hoa.nt").await;
    let wait = |attempts: u32| (attempts >= 2).then_some(1_000);
    let attempt = async |now| store.try_password(&hoa, now, wait).await.unwrap();
    assert_eq!(attempt(1).await, Ok(()));
    assert_eq!(attempt(1).await, Ok(()));
    assert_eq!(attempt(2).await, Err(999));
    assert_eq!(attempt(1_001).await, Ok(()));
    store.begin_sign_in("h", &hoa, 1_002).await.unwrap();
    assert_eq!(attempt(1_002).await, Ok(()), "success begins anew");
    store.close().await;
}

#[tokio::test]
async fn tokens_end_and_log_lines_grow_old() {
    let (store, _folder) = store().await;
    let hoa = account(&store, "hoa.nt").await;
    let token = ApiToken {
        id: "t1".to_owned(),
        label: "x".to_owned(),
        scopes: vec![Scope::PeopleRead],
        expires_ms: 100,
        used_ms: None,
        secret: None,
    };
    store.add_api_token(&hoa, &token, "h", 1).await.unwrap();
    assert_eq!(
        store.api_token("h", 99).await.unwrap().unwrap().2,
        [Scope::PeopleRead]
    );
    assert!(store.api_token("h", 100).await.unwrap().is_none());
    let other = PersonKey::from("p-other");
    assert!(!store.end_api_token(&other, "t1", 50).await.unwrap());
    assert!(store.end_api_token(&hoa, "t1", 50).await.unwrap());
    assert!(store.api_token("h", 60).await.unwrap().is_none());

    let line = |at_ms| SignInLine {
        at_ms,
        person: Some(hoa.clone()),
        address: "192.0.2.1".to_owned(),
        port: 7,
        outcome: "ok".to_owned(),
    };
    store.log_sign_in(&line(1)).await.unwrap();
    store
        .log_sign_in(&line(SIGN_IN_LOG_KEPT_MS + 2))
        .await
        .unwrap();
    assert_eq!(
        store.sign_in_log(&hoa, 9).await.unwrap(),
        [line(SIGN_IN_LOG_KEPT_MS + 2)]
    );
    store.close().await;
}

#[tokio::test]
async fn accounts_are_made_all_or_none() {
    let (store, _folder) = store().await;
    let (a, b) = (
        person(&store, "A B", None).await,
        person(&store, "C D", None).await,
    );
    let new = |person: &PersonKey, login: &str, units| AccountToAdd {
        person: person.clone(),
        login: login.to_owned(),
        secret: String::new(),
        admin: false,
        units,
    };
    let same = [new(&a, "x", Vec::new()), new(&b, "x", Vec::new())];
    let refused = store.add_accounts(&same, 1).await;
    assert!(matches!(refused, Err(StoreError::Taken("login"))));
    let nowhere = vec![UnitRole::Contact {
        unit: UnitId::from("u-none"),
    }];
    let refused = store.add_accounts(&[new(&a, "x", nowhere)], 1).await;
    assert!(matches!(refused, Err(StoreError::Unknown("units"))));
    assert!(!store.has_accounts().await.unwrap());
    store.close().await;
}
