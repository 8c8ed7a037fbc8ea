//! What is entered of classes, courses, sessions and steps: cleaned and bounded.

use lophoc_classes::{
    CourseForm, Day, MAX_PERSON_COLUMNS, MAX_SHEET_FIELDS, Plan, SessionForm, StepRequest,
};
use lophoc_ledger::INDOCHINA_OFFSET_MIN;
use lophoc_records::SessionMode;
use unicode_normalization::UnicodeNormalization as _;

use super::super::error::ApiFault;
use super::super::text::{Fields, clean};
use super::SEARCH;

/// Titles, places, issuers, characters.
const TITLE: usize = 300;
/// Codes of classes, characters.
const CODE: usize = 64;
/// Numbers of documents (`1234/KH-SGDĐT-GDTrH`), characters.
const DOCUMENT: usize = 100;
/// Longer texts, characters.
const PROSE: usize = 4_000;
/// Lessons (tiết) of a class or course.
const PERIODS: u16 = 5_000;
/// Longest grace, ms.
const GRACE_MS: u64 = 60 * 60 * 1000;
/// Longest session; also longest time after which somebody is late, ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Longest rehearsal, minutes.
const REHEARSAL_MIN: u16 = 240;

/// A text to search for.
///
/// # Errors
/// Field `q` too long.
pub fn search(text: &str) -> Result<String, ApiFault> {
    let mut fields = Fields::default();
    let mut text = text.to_owned();
    fields.text("q", &mut text, SEARCH);
    fields.done()?;
    Ok(text)
}

/// A plan. `at` goes before the names of its fields.
///
/// # Errors
/// The wrong fields.
pub fn plan(plan: &mut Plan, at: &str) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    let name = |field: &str| format!("{at}{field}");
    fields.required(&name("title"), &mut plan.title, TITLE);
    fields.text(&name("code"), &mut plan.code, CODE);
    if plan.host.as_ref().is_none_or(|host| host.0.is_empty()) {
        fields.wrong(&name("host"), "required");
    }
    plan.course = plan.course.take().filter(|course| !course.0.is_empty());
    fields.text(&name("decisionNo"), &mut plan.decision_no, DOCUMENT);
    fields.text(&name("decisionBy"), &mut plan.decision_by, TITLE);
    fields.text(&name("planNo"), &mut plan.plan_no, DOCUMENT);
    prose(&mut fields, &name("systems"), &mut plan.systems);
    prose(&mut fields, &name("guide"), &mut plan.guide);
    prose(&mut fields, &name("exam"), &mut plan.exam);
    prose(&mut fields, &name("completion"), &mut plan.completion);
    if let (Some(from), Some(to)) = (plan.from, plan.to)
        && to < from
    {
        fields.wrong(&name("to"), "badValue");
    }
    if plan.periods > PERIODS {
        fields.wrong(&name("periods"), "badValue");
    }
    let rules = &plan.rules;
    let bounds = [
        ("graceMs", rules.grace_ms <= GRACE_MS),
        ("lateMs", rules.late_ms <= DAY_MS),
        ("earlyMs", rules.early_ms <= DAY_MS),
        ("sessionPermille", rules.session_permille <= 1_000),
        ("classPermille", rules.class_permille <= 1_000),
    ];
    for (field, fits) in bounds {
        if !fits {
            fields.wrong(&name(&format!("rules.{field}")), "badValue");
        }
    }
    fields.own(&name("custom"), &mut plan.custom);
    fields.own_on_sheets(
        &name("onSheets"),
        &plan.custom,
        &mut plan.on_sheets,
        MAX_SHEET_FIELDS,
    );
    fields.own_names(
        &name("peopleOnSheets"),
        &mut plan.people_on_sheets,
        MAX_PERSON_COLUMNS,
    );
    fields.done()
}

/// A course.
///
/// # Errors
/// The wrong fields.
pub fn course(form: &mut CourseForm) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    fields.required("title", &mut form.title, TITLE);
    prose(&mut fields, "programme", &mut form.programme);
    prose(&mut fields, "basis", &mut form.basis);
    fields.text("schoolYear", &mut form.school_year, CODE);
    if form.periods > PERIODS {
        fields.wrong("periods", "badValue");
    }
    fields.done()
}

/// A session.
///
/// # Errors
/// The wrong fields.
pub fn session(form: &mut SessionForm) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    fields.required("title", &mut form.title, TITLE);
    fields.text("place", &mut form.place, TITLE);
    if SessionMode::from_name(&form.mode).is_none() {
        fields.wrong("mode", "badValue");
    }
    let on_calendar = |ms: Option<u64>| {
        ms.is_none_or(|ms| ms > 0 && Day::of_ms(ms, INDOCHINA_OFFSET_MIN).is_ok())
    };
    if !on_calendar(form.starts_ms) {
        fields.wrong("startsMs", "badValue");
    }
    if !on_calendar(form.ends_ms) {
        fields.wrong("endsMs", "badValue");
    }
    match (form.starts_ms, form.ends_ms) {
        (None, Some(_)) => fields.wrong("startsMs", "required"),
        (Some(starts), Some(ends)) if ends <= starts || ends - starts > DAY_MS => {
            fields.wrong("endsMs", "badValue");
        }
        _ => {}
    }
    if form.rehearsal_min > REHEARSAL_MIN {
        fields.wrong("rehearsalMin", "badValue");
    }
    fields.own("custom", &mut form.custom);
    fields.own_on_sheets(
        "onSheets",
        &form.custom,
        &mut form.on_sheets,
        MAX_SHEET_FIELDS,
    );
    fields.done()
}

/// A step.
///
/// # Errors
/// The wrong fields.
pub fn step(request: &mut StepRequest) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    fields.text("document", &mut request.document, DOCUMENT);
    prose(&mut fields, "reason", &mut request.reason);
    fields.done()
}

/// A reason that must be given.
///
/// # Errors
/// Field `reason`.
pub fn reason(text: &mut String) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    prose(&mut fields, "reason", text);
    if text.is_empty() {
        fields.wrong("reason", "required");
    }
    fields.done()
}

/// A text of several lines: each line cleaned, at most one empty line between
/// two.
fn prose(fields: &mut Fields, name: &str, text: &mut String) {
    let composed: String = text.nfc().collect();
    let mut lines: Vec<String> = Vec::new();
    for line in composed.lines().map(clean) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    *text = lines.join("\n").trim_end().to_owned();
    if text.chars().count() > PROSE {
        fields.wrong(name, "tooLong");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_classes::UnitId;

    fn good() -> Plan {
        Plan {
            title: "Tập huấn".to_owned(),
            host: Some(UnitId::from("u1")),
            ..Plan::default()
        }
    }

    fn wrong(change: impl FnOnce(&mut Plan)) -> ApiFault {
        let mut one = good();
        change(&mut one);
        plan(&mut one, "").unwrap_err()
    }

    fn form(starts_ms: Option<u64>, ends_ms: Option<u64>) -> SessionForm {
        SessionForm {
            title: "Buổi 1".to_owned(),
            starts_ms,
            ends_ms,
            mode: "training".to_owned(),
            rehearsal_min: 30,
            waiting: false,
            counts: true,
            place: String::new(),
            custom: Vec::new(),
            on_sheets: Vec::new(),
        }
    }

    #[test]
    fn plans_are_bounded_field_by_field() {
        assert_eq!(plan(&mut good(), ""), Ok(()));
        let one = |field: &str, code: &str| ApiFault::field(field, code);
        assert_eq!(
            wrong(|p| p.title = " \u{202e}".to_owned()),
            one("title", "required")
        );
        assert_eq!(
            wrong(|p| p.title = "a".repeat(301)),
            one("title", "tooLong")
        );
        assert_eq!(wrong(|p| p.code = "a".repeat(65)), one("code", "tooLong"));
        assert_eq!(
            wrong(|p| p.guide = "ă".repeat(4_001)),
            one("guide", "tooLong")
        );
        assert_eq!(wrong(|p| p.host = None), one("host", "required"));
        assert_eq!(
            wrong(|p| p.custom = vec![("a".to_owned(), "b".to_owned()); 31]),
            one("custom", "tooLong")
        );
        assert_eq!(
            wrong(|p| p.on_sheets = vec!["a".to_owned(); 9]),
            one("onSheets", "tooLong")
        );
        assert_eq!(
            wrong(|p| p.custom = vec![(" ".to_owned(), "b".to_owned())]),
            one("custom[0][0]", "required")
        );
        assert_eq!(
            wrong(|p| {
                p.from = "2026-09-02".parse().ok();
                p.to = "2026-09-01".parse().ok();
            }),
            one("to", "badValue")
        );
        assert_eq!(
            wrong(|p| p.rules.session_permille = 1_001),
            one("rules.sessionPermille", "badValue")
        );
    }

    #[test]
    fn longer_texts_keep_their_lines() {
        let mut one = good();
        one.guide = "  Bước 1:\r\n mở  liên kết\n\n\n\nBước 2\u{0}\n".to_owned();
        plan(&mut one, "").unwrap();
        assert_eq!(one.guide, "Bước 1:\nmở liên kết\n\nBước 2");
    }

    #[test]
    fn sessions_have_a_beginning_before_their_end() {
        const HOUR: u64 = 3_600_000;
        let at = 1_788_715_800_000;
        for (starts, ends) in [(None, None), (Some(at), None), (Some(at), Some(at + HOUR))] {
            assert_eq!(session(&mut form(starts, ends)), Ok(()));
        }
        for (starts, ends, field, code) in [
            (None, Some(at), "startsMs", "required"),
            (Some(at), Some(at), "endsMs", "badValue"),
            (Some(at), Some(at + 25 * HOUR), "endsMs", "badValue"),
            (Some(u64::MAX), None, "startsMs", "badValue"),
        ] {
            assert_eq!(
                session(&mut form(starts, ends)),
                Err(ApiFault::field(field, code)),
                "{starts:?} {ends:?}"
            );
        }
        let mut odd = form(None, None);
        odd.mode = "party".to_owned();
        odd.rehearsal_min = 241;
        let both = [("mode", "badValue"), ("rehearsalMin", "badValue")];
        let both = both.map(|(field, code)| (field.to_owned(), code.to_owned()));
        assert_eq!(session(&mut odd), Err(ApiFault::fields(both.into())));
    }
}
