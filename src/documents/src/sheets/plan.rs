//! Kế hoạch – thực hiện: what was planned beside what was held
//! (TT 21/2017/TT-BGDĐT Điều 3.1).

use super::Context;
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// A session, planned and held.
#[derive(Debug, Clone, Default)]
pub struct PlanLine {
    /// Number in the class.
    pub no: u32,
    /// What it is about.
    pub content: String,
    /// Planned beginning and end, ms; none: held outside the plan.
    pub planned: Option<(u64, u64)>,
    /// Planned trainers.
    pub planned_trainers: Vec<String>,
    /// Real beginning and end, ms; none: not held.
    pub held: Option<(u64, u64)>,
    /// Trainers who were in.
    pub trainers: Vec<String>,
    /// How it is judged: `Đúng kế hoạch`, `Rút ngắn`, `Dời lịch`…
    pub judgement: String,
    /// Why it differs.
    pub reason: Option<String>,
}

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct PlanSheet<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Sessions in the order of the plan.
    pub lines: &'a [PlanLine],
}

impl PlanSheet<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let offset = self.context.offset_min;
        let (plan, held) = ("Kế hoạch", "Thực hiện");
        let mut main = Table::new(
            "Kế hoạch - thực hiện",
            Place::Main,
            vec![
                Column::new("Buổi", ColumnKind::Count),
                Column::new("Nội dung", ColumnKind::Text),
                Column::under(plan, "Ngày", ColumnKind::Date),
                Column::under(plan, "Từ", ColumnKind::Time),
                Column::under(plan, "Đến", ColumnKind::Time),
                Column::under(plan, "Phút", ColumnKind::Minutes),
                Column::under(plan, "Người dạy", ColumnKind::Text),
                Column::under(held, "Ngày", ColumnKind::Date),
                Column::under(held, "Từ", ColumnKind::Time),
                Column::under(held, "Đến", ColumnKind::Time),
                Column::under(held, "Phút", ColumnKind::Minutes),
                Column::under(held, "Người dạy", ColumnKind::Text),
                Column::new("Chênh lệch (phút)", ColumnKind::Code),
                Column::new("Đánh giá", ColumnKind::Text),
                Column::new("Lý do", ColumnKind::Text),
            ],
        );
        let (mut planned_ms, mut held_ms, mut planned_no, mut held_no) =
            (0_u64, 0_u64, 0_u64, 0_u64);
        for line in self.lines {
            let length = |span: Option<(u64, u64)>| span.map(|(from, to)| to.saturating_sub(from));
            let mut cells = vec![Cell::count(line.no), Cell::text(&line.content)];
            for (span, trainers) in [
                (line.planned, &line.planned_trainers),
                (line.held, &line.trainers),
            ] {
                let day = span.and_then(|(from, _)| vi::day_of(from, offset));
                cells.extend([
                    day.map_or(Cell::Empty, Cell::Day),
                    span.map_or(Cell::Empty, |(from, _)| Cell::Time(from)),
                    span.map_or(Cell::Empty, |(_, to)| Cell::Time(to)),
                    length(span).map_or(Cell::Empty, Cell::Minutes),
                    Cell::text(trainers.join(", ")),
                ]);
            }
            cells.extend([
                Cell::text(difference(length(line.planned), length(line.held))),
                Cell::text(&line.judgement),
                Cell::maybe(line.reason.as_deref()),
            ]);
            main.rows.push(cells);
            if let Some(ms) = length(line.planned) {
                planned_ms += ms;
                planned_no += 1;
            }
            if let Some(ms) = length(line.held) {
                held_ms += ms;
                held_no += 1;
            }
        }
        let foot = vec![format!(
            "Kế hoạch {} buổi, {} phút; đã thực hiện {} buổi, {} phút, đạt {} thời lượng.",
            vi::counted(planned_no),
            vi::grouped(vi::minutes(planned_ms)),
            vi::counted(held_no),
            vi::grouped(vi::minutes(held_ms)),
            share(held_ms, planned_ms)
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.extend(self.context.plan_line());
        self.context.document(
            Kind::PlanActual,
            "BÁO CÁO THỰC HIỆN KẾ HOẠCH",
            subtitle,
            vec![main],
            foot,
            Vec::new(),
        )
    }
}

/// Held of planned; may be above the whole.
fn share(held: u64, planned: u64) -> String {
    if planned == 0 {
        return vi::percent(0);
    }
    let permille = (u128::from(held) * 2_000 + u128::from(planned)) / (u128::from(planned) * 2);
    vi::percent(u32::try_from(permille).unwrap_or(u32::MAX))
}

/// `−15`, `+5`, `0`: held against planned, in whole minutes.
fn difference(planned: Option<u64>, held: Option<u64>) -> String {
    let (Some(planned), Some(held)) = (planned, held) else {
        return String::new();
    };
    let (planned, held) = (vi::minutes(planned), vi::minutes(held));
    match held.cmp(&planned) {
        std::cmp::Ordering::Less => format!("−{}", planned - held),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("thêm {}", held - planned),
    }
}
