//! Rosters: versions, states, who sees what, size.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{
    ClassId, ClassStep, Grant, Identifier, IdentifierKind, PersonForm, RosterState, UnitId,
};
use lophoc_ledger::PersonKey;
use lophoc_records::{RosterLine, StoreError};

use crate::world::{NOW, World, change};

fn all() -> Grant {
    Grant {
        all: true,
        ..Grant::default()
    }
}

async fn states(world: &World, class: &ClassId) -> BTreeMap<PersonKey, RosterState> {
    let page = world
        .store
        .roster_page(class, &all(), "", 0, 500)
        .await
        .unwrap();
    page.items
        .into_iter()
        .map(|row| (row.person.id, row.state))
        .collect()
}

/// The roster of a version, from its lines.
fn at_version(lines: &[RosterLine], version: u32) -> BTreeMap<&PersonKey, RosterState> {
    let upto = lines.iter().filter(|line| line.version <= version);
    upto.map(|line| (&line.person, line.state)).collect()
}

#[tokio::test]
async fn the_first_list_of_an_open_class_is_its_official_one() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class, &steps).await;
    let [a, b, c] = [
        world.person("A", None).await,
        world.person("B", None).await,
        world.person("C", None).await,
    ];
    let first = [
        change(&a, RosterState::Official),
        change(&b, RosterState::Planned),
    ];
    let made = world
        .store
        .change_roster(&class, &first, world.author())
        .await;
    made.unwrap().unwrap();
    world
        .enrol(&class, std::slice::from_ref(&c), RosterState::Official)
        .await;
    let expected = BTreeMap::from([
        (a, RosterState::Official),
        (b, RosterState::Official),
        (c, RosterState::Added),
    ]);
    assert_eq!(states(&world, &class).await, expected);
}

#[tokio::test]
async fn each_change_makes_a_version_and_every_version_can_be_read_again() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let [a, b, c] = [
        world.person("A", None).await,
        world.person("B", None).await,
        world.person("C", None).await,
    ];
    world
        .enrol(&class, &[a.clone(), b.clone()], RosterState::Planned)
        .await;
    // Nothing changes: no version.
    let same = [change(&a, RosterState::Planned)];
    let made = world
        .store
        .change_roster(&class, &same, world.author())
        .await;
    assert_eq!(made.unwrap(), None);
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class, &steps).await;
    // Who was planned is official; who comes now is an addition whatever was asked.
    let mut noted = change(&b, RosterState::Withdrawn);
    noted.note = "Chuyển công tác".to_owned();
    let late = [
        change(&c, RosterState::Official),
        noted,
        change(&a, RosterState::Planned),
    ];
    let made = world
        .store
        .change_roster(&class, &late, world.author())
        .await;
    let made = made.unwrap().unwrap();
    assert_eq!(
        (made.no, made.added, made.changed, made.withdrawn),
        (3, 1, 0, 1)
    );
    assert_eq!(made.by, "Trần Tổ Chức");
    let expected = BTreeMap::from([
        (a.clone(), RosterState::Official),
        (b.clone(), RosterState::Withdrawn),
        (c.clone(), RosterState::Added),
    ]);
    assert_eq!(states(&world, &class).await, expected);
    // Who comes back is an addition.
    world
        .enrol(&class, std::slice::from_ref(&b), RosterState::Official)
        .await;
    assert_eq!(states(&world, &class).await[&b], RosterState::Added);

    let versions = world.store.roster_versions(&class).await.unwrap();
    let told: Vec<(u32, &str)> = versions
        .iter()
        .map(|one| (one.no, one.how.as_str()))
        .collect();
    assert_eq!(
        told,
        [(1, "manual"), (2, "state"), (3, "manual"), (4, "manual")]
    );
    let lines = world.store.roster_lines(&class).await.unwrap();
    use RosterState::{Added, Official, Planned, Withdrawn};
    assert_eq!(
        at_version(&lines, 1),
        BTreeMap::from([(&a, Planned), (&b, Planned)])
    );
    assert_eq!(
        at_version(&lines, 2),
        BTreeMap::from([(&a, Official), (&b, Official)])
    );
    assert_eq!(
        at_version(&lines, 3),
        BTreeMap::from([(&a, Official), (&b, Withdrawn), (&c, Added)])
    );
    assert_eq!(at_version(&lines, 4)[&b], Added);
}

#[tokio::test]
async fn one_unknown_person_leaves_the_roster_as_it_was() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let a = world.person("A", None).await;
    let both = [
        change(&a, RosterState::Planned),
        change(
            &PersonKey::from("p'; DROP TABLE roster; --"),
            RosterState::Planned,
        ),
    ];
    let refused = world
        .store
        .change_roster(&class, &both, world.author())
        .await;
    assert!(
        matches!(refused, Err(StoreError::Unknown("person"))),
        "{refused:?}"
    );
    assert!(states(&world, &class).await.is_empty());
    assert!(
        world
            .store
            .roster_versions(&class)
            .await
            .unwrap()
            .is_empty()
    );
    // To withdraw somebody who is not there is no change.
    let out = [change(&a, RosterState::Withdrawn)];
    let made = world
        .store
        .change_roster(&class, &out, world.author())
        .await;
    assert_eq!(made.unwrap(), None);
}

#[tokio::test]
async fn a_grant_of_units_or_people_cuts_the_roster() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let school = world.person("Trường", Some("truong")).await;
    let commune = world.person("Xã", Some("xa")).await;
    let other = world.person("Khác", Some("so2")).await;
    let people = [school.clone(), commune.clone(), other.clone()];
    world.enrol(&class, &people, RosterState::Planned).await;
    let by_units = |units: &[&str]| Grant {
        units: units.iter().map(|unit| UnitId::from(*unit)).collect(),
        ..Grant::default()
    };
    let by_person = Grant {
        people: BTreeSet::from([other.clone()]),
        ..Grant::default()
    };
    let both = Grant {
        people: BTreeSet::from([other.clone()]),
        ..by_units(&["xa"])
    };
    let cases = [
        (all(), vec![&school, &commune, &other]),
        // By the administrative and by the professional parent.
        (by_units(&["xa"]), vec![&school, &commune]),
        (by_units(&["so1"]), vec![&school]),
        (by_units(&["bo"]), vec![&school, &other]),
        (by_units(&["nowhere"]), vec![]),
        (by_person, vec![&other]),
        (both, vec![&school, &commune, &other]),
        (Grant::default(), vec![]),
    ];
    for (grant, expected) in cases {
        let page = world
            .store
            .roster_page(&class, &grant, "", 0, 50)
            .await
            .unwrap();
        let seen: BTreeSet<&PersonKey> = page.items.iter().map(|row| &row.person.id).collect();
        let wanted: BTreeSet<&PersonKey> = expected.into_iter().collect();
        assert_eq!(seen, wanted, "{grant:?}");
        assert_eq!(page.total as usize, seen.len());
        let reached = world.store.reached(&grant, &class).await.unwrap();
        assert_eq!(reached.iter().collect::<BTreeSet<_>>(), seen, "{grant:?}");
        for person in &people {
            let one = world
                .store
                .reaches(&grant, std::slice::from_ref(person))
                .await;
            assert_eq!(one.unwrap(), seen.contains(person), "{grant:?} {person}");
        }
    }
}

#[tokio::test]
async fn five_thousand_rows_are_paged_by_given_name_and_searched_without_marks() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let mut people = Vec::new();
    for no in 0..5_000 {
        let given = ["An", "Ánh", "Bình", "Chi", "Dũng", "Đạt", "Hằng", "Yến"][no % 8];
        let form = PersonForm {
            name: format!("Nguyễn Số{no:04} {given}"),
            identifiers: vec![Identifier {
                kind: IdentifierKind::Sector,
                issuer: String::new(),
                value: format!("00{no:08}"),
            }],
            ..PersonForm::default()
        };
        people.push(world.store.add_person(&form, NOW).await.unwrap());
    }
    world.enrol(&class, &people, RosterState::Planned).await;
    let mut names = Vec::new();
    for from in (0..5_000).step_by(500) {
        let page = world
            .store
            .roster_page(&class, &all(), "", from, 500)
            .await
            .unwrap();
        assert_eq!((page.total, page.items.len()), (5_000, 500));
        names.extend(page.items.into_iter().map(|row| row.person.form.name));
    }
    let mut sorted = names.clone();
    sorted.sort_by_cached_key(|name| lophoc_ledger::name_key(name));
    assert_eq!(names, sorted);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 5_000);
    assert!(names[0].ends_with(" An") && names[4_999].ends_with(" Yến"));

    let find = async |q: &str| {
        world
            .store
            .roster_page(&class, &all(), q, 0, 10)
            .await
            .unwrap()
    };
    assert_eq!(find("hang").await.total, 625);
    assert_eq!(
        find("so0007 yen").await.items[0].person.form.name,
        "Nguyễn Số0007 Yến"
    );
    let by_number = find("0000000042").await;
    assert_eq!(
        by_number.items[0].person.form.identifiers[0].value,
        "0000000042"
    );
    for hostile in ["%", "_", "\\", "' OR '1'='1", "\u{0}"] {
        assert_eq!(
            find(hostile).await.total,
            if hostile == "\u{0}" { 5_000 } else { 0 },
            "{hostile:?}"
        );
    }
    let past = world
        .store
        .roster_page(&class, &all(), "", u32::MAX, 10)
        .await
        .unwrap();
    assert!(past.items.is_empty() && past.total == 5_000);
}
