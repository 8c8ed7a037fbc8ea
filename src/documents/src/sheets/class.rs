//! Bảng tổng hợp chuyên cần of a class, and tổng hợp theo đơn vị.

use std::collections::{BTreeMap, HashMap};

use lophoc_classes::Day;
use lophoc_ledger::{Report, Row, Rules, Status};

use super::{Context, class_rule, codes, no_column, order, result_code};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Mark, Place, Table};
use crate::vi;

/// A session as a column.
#[derive(Debug, Clone, Default)]
pub struct SessionColumn {
    /// Number in the class.
    pub no: u32,
    /// Day it was held on.
    pub day: Option<Day>,
    /// What it was about; for the table of sessions.
    pub title: String,
    /// Time that counted, ms.
    pub counted_ms: u64,
    /// Is in the sums.
    pub counted: bool,
}

/// One learner in one session; `None` in the line: was not expected in it.
#[derive(Debug, Clone, Copy)]
pub struct SessionMark {
    /// What stands.
    pub status: Status,
    /// Came late.
    pub late: bool,
    /// Left early.
    pub early: bool,
    /// Time present, ms.
    pub present_ms: u64,
    /// Was corrected by hand.
    pub adjusted: bool,
}

/// One learner.
#[derive(Debug, Clone, Default)]
pub struct LearnerLine {
    /// Mã định danh.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// Explicit key to sort by.
    pub sort: Option<String>,
    /// Ngày sinh.
    pub born: Option<Day>,
    /// Đơn vị công tác.
    pub unit: Option<String>,
    /// Own fields by name.
    pub fields: BTreeMap<String, String>,
    /// Per session, in the order of the columns.
    pub marks: Vec<Option<SessionMark>>,
    /// Sessions in the sums.
    pub sessions: u32,
    /// … that count as attended.
    pub attended: u32,
    /// Time present in them, ms.
    pub present_ms: u64,
    /// Share of the sessions, per mille.
    pub sessions_permille: u16,
    /// Share of the time, per mille.
    pub minutes_permille: u16,
    /// Đủ điều kiện.
    pub eligible: bool,
}

/// Input of the summary.
#[derive(Debug, Clone, Copy)]
pub struct ClassSummary<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Sessions in their order.
    pub sessions: &'a [SessionColumn],
    /// Learners, in any order.
    pub learners: &'a [LearnerLine],
    /// Rules of the class.
    pub rules: &'a Rules,
    /// Minutes in the columns of sessions in place of marks.
    pub in_minutes: bool,
}

impl ClassSummary<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let mut learners: Vec<&LearnerLine> = self.learners.iter().collect();
        learners.sort_by_cached_key(|line| {
            (order(&line.name, line.sort.as_deref()), line.code.clone())
        });
        let column = Column::new;
        let mut columns = vec![
            no_column(),
            column("Mã định danh", ColumnKind::Identifier),
            column("Họ và tên", ColumnKind::Text),
            column("Đơn vị công tác", ColumnKind::Text),
        ];
        columns.extend(self.context.person_columns());
        let first = columns.len();
        let group = if self.in_minutes {
            "Số phút tham dự từng buổi"
        } else {
            "Điểm danh từng buổi"
        };
        let kind = if self.in_minutes {
            ColumnKind::Minutes
        } else {
            ColumnKind::Code
        };
        for session in self.sessions {
            columns.push(Column::under(group, session.no.to_string(), kind));
        }
        columns.extend([
            Column::under("Tổng hợp", "Số buổi", ColumnKind::Count),
            Column::under("Tổng hợp", "Đạt", ColumnKind::Count),
            Column::under("Tổng hợp", "Số phút", ColumnKind::Minutes),
            Column::under("Tỷ lệ tham dự", "Theo buổi", ColumnKind::Percent),
            Column::under("Tỷ lệ tham dự", "Theo phút", ColumnKind::Percent),
            column("Đủ điều kiện", ColumnKind::Code),
        ]);
        let mut main = Table::new("Chuyên cần", Place::Main, columns);
        for (no, line) in (1_u64..).zip(&learners) {
            main.rows.push(self.row(no, line));
            for (index, mark) in line.marks.iter().take(self.sessions.len()).enumerate() {
                if mark.is_some_and(|mark| mark.adjusted) {
                    main.marks.push(Mark {
                        row: u32::try_from(no - 1).unwrap_or(u32::MAX),
                        column: u32::try_from(first + index).unwrap_or(u32::MAX),
                        note: "Đã điều chỉnh, xem danh sách điểm danh của buổi".to_owned(),
                    });
                }
            }
        }
        let eligible = learners.iter().filter(|line| line.eligible).count();
        let mean = mean(learners.iter().map(|line| line.minutes_permille));
        let count = |number: usize| vi::counted(number as u64);
        let foot = vec![format!(
            "Danh sách này có {} người học; đủ điều kiện {}, chưa đủ điều kiện {}. \
             Tỷ lệ tham dự bình quân {}.",
            count(learners.len()),
            count(eligible),
            count(learners.len() - eligible),
            vi::percent(mean)
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.extend(self.context.plan_line());
        let held = self
            .sessions
            .iter()
            .filter(|session| session.counted)
            .count();
        let minutes: u64 = self
            .sessions
            .iter()
            .filter(|session| session.counted)
            .map(|session| session.counted_ms)
            .sum();
        subtitle.push(format!(
            "Số buổi được tính: {} · Tổng thời gian được tính: {} phút",
            count(held),
            vi::grouped(vi::minutes(minutes))
        ));
        self.context.document(
            Kind::ClassSummary,
            "BẢNG TỔNG HỢP CHUYÊN CẦN",
            subtitle,
            vec![main, self.session_table(), codes()],
            foot,
            vec![class_rule(self.rules)],
        )
    }

    fn row(&self, no: u64, line: &LearnerLine) -> Vec<Cell> {
        let mut cells = vec![
            Cell::Count(no),
            line.code
                .as_deref()
                .filter(|code| !code.is_empty())
                .map_or(Cell::Empty, |code| Cell::Identifier(code.to_owned())),
            Cell::text(&line.name),
            Cell::maybe(line.unit.as_deref()),
        ];
        cells.extend(self.context.person_cells(Some(&line.fields)));
        for index in 0..self.sessions.len() {
            cells.push(match line.marks.get(index).copied().flatten() {
                None => Cell::Empty,
                Some(mark) if self.in_minutes && mark.status.is_present() => {
                    Cell::Minutes(mark.present_ms)
                }
                Some(mark) => Cell::text(result_code(mark.status, mark.late, mark.early)),
            });
        }
        cells.extend([
            Cell::count(line.sessions),
            Cell::count(line.attended),
            Cell::Minutes(line.present_ms),
            Cell::Permille(u32::from(line.sessions_permille)),
            Cell::Permille(u32::from(line.minutes_permille)),
            Cell::text(if line.eligible { "Có" } else { "Không" }),
        ]);
        cells
    }

    fn session_table(&self) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Các buổi",
            Place::Annex,
            vec![
                column("Buổi", ColumnKind::Count),
                column("Ngày", ColumnKind::Date),
                column("Nội dung", ColumnKind::Text),
                column("Thời gian được tính (phút)", ColumnKind::Minutes),
                column("Tính chuyên cần", ColumnKind::Code),
            ],
        );
        for session in self.sessions {
            table.rows.push(vec![
                Cell::count(session.no),
                session.day.map_or(Cell::Empty, Cell::Day),
                Cell::text(&session.title),
                Cell::Minutes(session.counted_ms),
                Cell::text(if session.counted { "x" } else { "" }),
            ]);
        }
        table
    }
}

/// Mean, rounded half up; 0 of nothing.
fn mean(shares: impl Iterator<Item = u16>) -> u32 {
    let (mut sum, mut count) = (0_u64, 0_u64);
    for share in shares {
        sum += u64::from(share);
        count += 1;
    }
    u32::try_from((sum * 2 + count).checked_div(count * 2).unwrap_or(0)).unwrap_or(0)
}

/// A unit with its counts: of people in a session, of turns (lượt) in a class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitLine {
    /// Unit.
    pub unit: String,
    /// Triệu tập.
    pub expected: u32,
    /// Có mặt trực tuyến.
    pub online: u32,
    /// Có mặt tại điểm cầu.
    pub at_site: u32,
    /// Có mặt trực tiếp.
    pub in_person: u32,
    /// Vắng có phép.
    pub excused: u32,
    /// Vắng không phép.
    pub absent: u32,
    /// Chưa điểm danh.
    pub not_taken: u32,
    /// Đi muộn.
    pub late: u32,
    /// Về sớm.
    pub early: u32,
    /// Tỷ lệ tham dự bình quân, per mille.
    pub mean_permille: u16,
}

impl UnitLine {
    fn present(&self) -> u32 {
        self.online + self.at_site + self.in_person
    }
}

/// Counts by unit of a session's attendance; `unit_of` names the unit of a row
/// (the roster's, with the report's own where it knows none).
pub fn unit_lines(report: &Report, unit_of: impl Fn(&Row) -> Option<String>) -> Vec<UnitLine> {
    let mut lines: Vec<(UnitLine, u64)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in report.rows.iter().filter(|row| row.expected) {
        let unit = unit_of(row).unwrap_or_default();
        let at = *places.entry(unit.clone()).or_insert_with(|| {
            lines.push((
                UnitLine {
                    unit,
                    ..UnitLine::default()
                },
                0,
            ));
            lines.len() - 1
        });
        let Some((line, shares)) = lines.get_mut(at) else {
            continue;
        };
        let stands = &row.stands;
        line.expected += 1;
        match stands.status {
            Status::Online => line.online += 1,
            Status::AtSite => line.at_site += 1,
            Status::InPerson => line.in_person += 1,
            Status::Excused => line.excused += 1,
            Status::Absent => line.absent += 1,
            Status::NotTaken => line.not_taken += 1,
        }
        if stands.status.is_present() {
            line.late += u32::from(stands.late);
            line.early += u32::from(stands.early);
            *shares += u64::from(stands.permille);
        }
    }
    lines
        .into_iter()
        .map(|(mut line, shares)| {
            let people = u64::from(line.expected);
            let mean = (shares * 2 + people).checked_div(people * 2).unwrap_or(0);
            line.mean_permille = u16::try_from(mean).unwrap_or(1_000);
            line
        })
        .collect()
}

/// Input of the summary by unit.
#[derive(Debug, Clone, Copy)]
pub struct UnitSummary<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Which session, `Buổi 3: …`; none: turns of the whole class.
    pub session: Option<&'a str>,
    /// Units, in any order; unnamed people under an empty name.
    pub units: &'a [UnitLine],
    /// Counting rules to print.
    pub rules: &'a Rules,
}

impl UnitSummary<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let mut units: Vec<&UnitLine> = self.units.iter().collect();
        // Names of units sort from their beginning, people of none at the end.
        units.sort_by_cached_key(|line| (line.unit.is_empty(), order("", Some(&line.unit))));
        let under = Column::under;
        let mut main = Table::new(
            "Theo đơn vị",
            Place::Main,
            vec![
                no_column(),
                Column::new("Đơn vị", ColumnKind::Text),
                Column::new("Triệu tập", ColumnKind::Count),
                under("Có mặt", "Tổng", ColumnKind::Count),
                under("Có mặt", "Trực tuyến", ColumnKind::Count),
                under("Có mặt", "Điểm cầu", ColumnKind::Count),
                under("Có mặt", "Trực tiếp", ColumnKind::Count),
                under("Vắng", "Có phép", ColumnKind::Count),
                under("Vắng", "Không phép", ColumnKind::Count),
                Column::new("Đi muộn", ColumnKind::Count),
                Column::new("Về sớm", ColumnKind::Count),
                under("Tỷ lệ", "Có mặt", ColumnKind::Percent),
                under("Tỷ lệ", "Thời gian", ColumnKind::Percent),
            ],
        );
        let mut sum = UnitLine {
            unit: "Cộng".to_owned(),
            ..UnitLine::default()
        };
        let mut shares = 0_u64;
        for (no, line) in (1_u64..).zip(&units) {
            main.rows.push(cells(Cell::Count(no), line));
            for (sum, part) in [
                (&mut sum.expected, line.expected),
                (&mut sum.online, line.online),
                (&mut sum.at_site, line.at_site),
                (&mut sum.in_person, line.in_person),
                (&mut sum.excused, line.excused),
                (&mut sum.absent, line.absent),
                (&mut sum.not_taken, line.not_taken),
                (&mut sum.late, line.late),
                (&mut sum.early, line.early),
            ] {
                *sum = sum.saturating_add(part);
            }
            shares += u64::from(line.mean_permille) * u64::from(line.expected);
        }
        let people = u64::from(sum.expected);
        let mean = (shares * 2 + people).checked_div(people * 2).unwrap_or(0);
        sum.mean_permille = u16::try_from(mean).unwrap_or(1_000);
        main.strong
            .push(u32::try_from(main.rows.len()).unwrap_or(0));
        main.rows.push(cells(Cell::Empty, &sum));
        let what = if self.session.is_some() {
            "người"
        } else {
            "lượt người"
        };
        let n = |number: u32| vi::counted(u64::from(number));
        let foot = vec![format!(
            "Tổng số {} đơn vị; triệu tập {} {what}, có mặt {}, vắng {} (có phép {}, không phép {}).",
            vi::counted(units.len() as u64),
            n(sum.expected),
            n(sum.present()),
            n(sum.excused + sum.absent),
            n(sum.excused),
            n(sum.absent)
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.extend(self.session.map(str::to_owned));
        subtitle.extend(self.context.plan_line());
        let rules = super::session_rules(self.rules);
        self.context.document(
            Kind::UnitSummary,
            "BẢNG TỔNG HỢP CHUYÊN CẦN THEO ĐƠN VỊ",
            subtitle,
            vec![main],
            foot,
            rules,
        )
    }
}

fn cells(no: Cell, line: &UnitLine) -> Vec<Cell> {
    let present = vi::permille(u64::from(line.present()), u64::from(line.expected));
    vec![
        no,
        Cell::text(if line.unit.is_empty() {
            "Không rõ đơn vị"
        } else {
            &line.unit
        }),
        Cell::count(line.expected),
        Cell::count(line.present()),
        Cell::count(line.online),
        Cell::count(line.at_site),
        Cell::count(line.in_person),
        Cell::count(line.excused),
        Cell::count(line.absent),
        Cell::count(line.late),
        Cell::count(line.early),
        Cell::Permille(present),
        Cell::Permille(u32::from(line.mean_permille)),
    ]
}
