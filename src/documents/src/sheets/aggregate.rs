//! Báo cáo công tác tập huấn qua mạng of a Sở to the Bộ
//! (TT 21/2017/TT-BGDĐT Điều 12.2).

use lophoc_classes::Day;

use super::{Context, no_column};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// What counts, one sentence each.
const RULES: [&str; 4] = [
    "Tính các buổi học đã kết thúc, bắt đầu trong kỳ và được tính vào lớp; một lớp tính vào kỳ khi \
     có ít nhất một buổi như vậy. Số liệu lấy từ bản chốt điểm danh mới nhất của buổi, buổi chưa \
     chốt lấy số liệu hiện hành.",
    "Triệu tập: người học trong danh sách lớp, mỗi lớp tính một lượt. Tham dự: có mặt ít nhất một \
     buổi trong kỳ.",
    "Hoàn thành: đủ điều kiện theo quy tắc của lớp tính trên các buổi đến hết kỳ, chỉ của lớp đã \
     kết thúc mà buổi cuối nằm trong kỳ.",
    "Đơn vị trong bảng chính là đơn vị chủ trì lớp, gộp theo đơn vị trực thuộc gần nhất; cấp học \
     lấy theo tên trường.",
];

/// Presets of the sector's statistics: the day up to which is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Đầu năm học, số liệu đến 30/9.
    YearBegin,
    /// Giữa năm học, số liệu đến 30/01.
    MidYear,
    /// Cuối năm học, số liệu đến 15/6.
    YearEnd,
}

impl Period {
    /// From and to, both included, of the school year that begins in `year`;
    /// `None` outside the years of a [`Day`]. A school year begins on 16 June.
    pub fn days(self, year: u16) -> Option<(Day, Day)> {
        let next = year.checked_add(1)?;
        let begin = Day::new(year, 6, 16).ok()?;
        let end = match self {
            Self::YearBegin => Day::new(year, 9, 30),
            Self::MidYear => Day::new(next, 1, 30),
            Self::YearEnd => Day::new(next, 6, 15),
        };
        Some((begin, end.ok()?))
    }

    /// Name.
    pub fn name(self) -> &'static str {
        match self {
            Self::YearBegin => "Kỳ đầu năm học",
            Self::MidYear => "Kỳ giữa năm học",
            Self::YearEnd => "Kỳ cuối năm học",
        }
    }
}

/// A unit (or the sum of one level of schools).
#[derive(Debug, Clone, Default)]
pub struct AggregateLine {
    /// Unit.
    pub unit: String,
    /// Its code.
    pub code: Option<String>,
    /// Cấp học: `THCS`.
    pub level: Option<String>,
    /// Classes.
    pub classes: u32,
    /// Sessions held.
    pub sessions: u32,
    /// Their length, ms.
    pub held_ms: u64,
    /// Người học được triệu tập.
    pub invited: u32,
    /// … who took part.
    pub attended: u32,
    /// … who completed (đủ điều kiện).
    pub completed: u32,
}

/// Learners of one sort: of a unit, of a level of schools.
#[derive(Debug, Clone, Default)]
pub struct AggregatePeople {
    /// Unit or level.
    pub name: String,
    /// Người học được triệu tập.
    pub invited: u32,
    /// … who took part.
    pub attended: u32,
    /// … who completed.
    pub completed: u32,
}

/// Input of the report.
#[derive(Debug, Clone, Copy)]
pub struct AggregateReport<'a> {
    /// Reporting unit and export; class fields are empty.
    pub context: &'a Context,
    /// From.
    pub from: Day,
    /// To, included.
    pub to: Day,
    /// Preset it follows.
    pub period: Option<Period>,
    /// Units in the order they are to be shown.
    pub lines: &'a [AggregateLine],
    /// Learners by the unit they are of; no table when empty.
    pub homes: &'a [AggregatePeople],
    /// Learners by the level of the school they are of; no table when empty.
    pub levels: &'a [AggregatePeople],
}

impl AggregateReport<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let column = Column::new;
        let under = Column::under;
        let people = "Người học";
        let mut main = Table::new(
            "Báo cáo tổng hợp",
            Place::Main,
            vec![
                no_column(),
                column("Đơn vị", ColumnKind::Text),
                column("Mã đơn vị", ColumnKind::Identifier),
                column("Cấp học", ColumnKind::Text),
                column("Số lớp", ColumnKind::Count),
                column("Số buổi", ColumnKind::Count),
                column("Số giờ", ColumnKind::Hours),
                under(people, "Triệu tập", ColumnKind::Count),
                under(people, "Tham dự", ColumnKind::Count),
                under(people, "Hoàn thành", ColumnKind::Count),
                under("Tỷ lệ", "Tham dự", ColumnKind::Percent),
                under("Tỷ lệ", "Hoàn thành", ColumnKind::Percent),
            ],
        );
        let mut sum = AggregateLine {
            unit: "Cộng".to_owned(),
            ..AggregateLine::default()
        };
        for (no, line) in (1_u64..).zip(self.lines) {
            main.rows.push(cells(Cell::Count(no), line));
            sum.classes = sum.classes.saturating_add(line.classes);
            sum.sessions = sum.sessions.saturating_add(line.sessions);
            sum.held_ms = sum.held_ms.saturating_add(line.held_ms);
            sum.invited = sum.invited.saturating_add(line.invited);
            sum.attended = sum.attended.saturating_add(line.attended);
            sum.completed = sum.completed.saturating_add(line.completed);
        }
        main.strong
            .push(u32::try_from(main.rows.len()).unwrap_or(0));
        main.rows.push(cells(Cell::Empty, &sum));
        let n = |number: u32| vi::counted(u64::from(number));
        let foot = vec![format!(
            "Trong kỳ đã tổ chức {} lớp, {} buổi; triệu tập {} lượt người học, tham dự {}, \
             hoàn thành {}.",
            n(sum.classes),
            n(sum.sessions),
            n(sum.invited),
            n(sum.attended),
            n(sum.completed)
        )];
        let mut line = format!(
            "Từ {} đến {}",
            vi::short_day(self.from),
            vi::short_day(self.to)
        );
        if let Some(period) = self.period {
            line = format!("{}: {}", period.name(), line.to_lowercase());
        }
        let mut tables = vec![main];
        for (name, heading, lines) in [
            ("Người học theo đơn vị", "Đơn vị", self.homes),
            ("Người học theo cấp học", "Cấp học", self.levels),
        ] {
            if !lines.is_empty() {
                tables.push(people_table(name, heading, lines));
            }
        }
        self.context.document(
            Kind::Aggregate,
            "BÁO CÁO CÔNG TÁC TẬP HUẤN QUA MẠNG",
            vec![line],
            tables,
            foot,
            RULES.map(str::to_owned).to_vec(),
        )
    }
}

fn people_table(name: &str, heading: &str, lines: &[AggregatePeople]) -> Table {
    let column = Column::new;
    let mut table = Table::new(
        name,
        Place::Annex,
        vec![
            no_column(),
            column(heading, ColumnKind::Text),
            column("Triệu tập", ColumnKind::Count),
            column("Tham dự", ColumnKind::Count),
            column("Hoàn thành", ColumnKind::Count),
            Column::under("Tỷ lệ", "Tham dự", ColumnKind::Percent),
            Column::under("Tỷ lệ", "Hoàn thành", ColumnKind::Percent),
        ],
    );
    for (no, line) in (1_u64..).zip(lines) {
        table.rows.push(vec![
            Cell::Count(no),
            Cell::text(&line.name),
            Cell::count(line.invited),
            Cell::count(line.attended),
            Cell::count(line.completed),
            share(line.attended, line.invited),
            share(line.completed, line.invited),
        ]);
    }
    table
}

fn share(part: u32, whole: u32) -> Cell {
    Cell::Permille(vi::permille(part.into(), whole.into()))
}

fn cells(no: Cell, line: &AggregateLine) -> Vec<Cell> {
    vec![
        no,
        Cell::text(&line.unit),
        line.code
            .as_deref()
            .filter(|code| !code.is_empty())
            .map_or(Cell::Empty, |code| Cell::Identifier(code.to_owned())),
        Cell::maybe(line.level.as_deref()),
        Cell::count(line.classes),
        Cell::count(line.sessions),
        Cell::Hours(line.held_ms),
        Cell::count(line.invited),
        Cell::count(line.attended),
        Cell::count(line.completed),
        share(line.attended, line.invited),
        share(line.completed, line.invited),
    ]
}
