//! What the ledger computed, on the sheets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod common;

use std::collections::BTreeMap;

use lophoc_documents::sheets::{
    ClassSummary, PlanSheet, SessionName, UnitSummary, class_unit_lines, learner_lines, plan_lines,
    session_columns,
};
use lophoc_documents::{Cell, Kind};
use lophoc_ledger::{
    ClassPart, NameOrder, PlanRules, Planned, Rules, SessionKey, class_summary, plan_versus_actual,
};

#[test]
fn the_summary_of_a_class_stands_on_its_sheet() {
    let report = common::report(40);
    let keys = [SessionKey::from("s1"), SessionKey::from("s2")];
    let parts: Vec<ClassPart<'_>> = keys
        .iter()
        .map(|session| ClassPart {
            session,
            counts: true,
            report: &report,
        })
        .collect();
    let summary = class_summary(&parts, &Rules::default(), NameOrder::default());
    let names = BTreeMap::from([(
        keys[1].clone(),
        SessionName {
            no: 7,
            title: "Ôn tập".to_owned(),
            ..SessionName::default()
        },
    )]);
    let columns = session_columns(&summary, &names);
    assert_eq!((columns[0].no, columns[1].no), (1, 7));
    let people = common::people(40);
    let learners = learner_lines(&summary, &people);
    let context = common::context("LOP2");
    let document = ClassSummary {
        context: &context,
        sessions: &columns,
        learners: &learners,
        rules: &summary.rules,
        in_minutes: false,
    }
    .build();
    let main = document.data.main().unwrap();
    assert_eq!(main.rows.len(), summary.rows.len());
    let at = main
        .rows
        .iter()
        .position(|row| {
            row[1] == Cell::Identifier(people.values().nth(3).unwrap().code.clone().unwrap())
        })
        .unwrap();
    // Behind the two columns of people's own fields.
    assert_eq!(main.rows[at][6..8], [Cell::text("P"), Cell::text("P")]);
    let eligible = main
        .rows
        .iter()
        .filter(|row| row.last() == Some(&Cell::text("Có")))
        .count();
    assert_eq!(eligible, summary.eligible as usize);
    // Rows stand in the order the ledger gives.
    let order: Vec<&Cell> = main.rows.iter().map(|row| &row[2]).collect();
    let wanted: Vec<Cell> = summary
        .rows
        .iter()
        .map(|row| Cell::text(&row.name))
        .collect();
    assert_eq!(order.len(), wanted.len());

    let units = class_unit_lines(&summary);
    let document = UnitSummary {
        context: &context,
        session: None,
        units: &units,
        rules: &summary.rules,
    }
    .build();
    assert_eq!(document.data.kind, Kind::UnitSummary);
    let main = document.data.main().unwrap();
    let sum = main.rows.last().unwrap();
    assert_eq!(sum[1], Cell::text("Cộng"));
    assert_eq!(sum[2], Cell::count(summary.turns.expected));
    assert_eq!(sum[3], Cell::count(summary.turns.present));
    assert!(document.data.foot[0].contains("lượt người"));
}

#[test]
fn plan_and_what_was_held_stand_side_by_side() {
    let report = common::report(3);
    let planned = Planned {
        session: SessionKey::from("s1"),
        from_ms: Some(common::START),
        to_ms: Some(common::START + 240 * common::MINUTE),
        moved_to_ms: None,
        cancelled: false,
    };
    let plan = plan_versus_actual(
        &[(planned, Some(&report.window))],
        &PlanRules::default(),
        common::START + 300 * common::MINUTE,
    );
    let lines = plan_lines(&plan, &BTreeMap::new());
    let context = common::context("KEHOACH2");
    let document = PlanSheet {
        context: &context,
        lines: &lines,
    }
    .build();
    let row = &document.data.main().unwrap().rows[0];
    assert_eq!(row[0], Cell::Count(1));
    assert_eq!(row[12], Cell::text("−30"));
    assert_eq!(row[13], Cell::text("Rút ngắn"));
    assert!(
        document.data.foot[0].contains("đạt 87,5% thời lượng"),
        "{}",
        document.data.foot[0]
    );
}
