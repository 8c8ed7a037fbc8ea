//! Danh sách điểm danh người học: the sheet of a session.

use std::collections::BTreeMap;

use lophoc_ledger::{Adjustment, Change, IntervalKind, PersonKey, Report, Row, Status, Totals};

use super::{
    Context, PersonInfo, codes, form_name, no_column, order, result_name, session_rules, split_name,
};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Mark, Place, Table};
use crate::vi;

/// The session as the head of the sheet names it.
#[derive(Debug, Clone, Default)]
pub struct SessionInfo {
    /// Number of the session in its class.
    pub no: u32,
    /// What it is about.
    pub content: String,
    /// Planned beginning and end, ms; shown until it has really begun and ended.
    pub planned: Option<(u64, u64)>,
    /// Hình thức: `trực tuyến`.
    pub form: String,
    /// Phòng.
    pub room: Option<String>,
    /// Người dạy.
    pub trainers: Vec<String>,
    /// Cố vấn học tập.
    pub advisers: Vec<String>,
    /// Cán bộ kỹ thuật.
    pub technicians: Vec<String>,
    /// Who stood in for whom among those who run the session (thay người dạy,
    /// TT 21/2017 Điều 8.5).
    pub stand_ins: Vec<(String, String)>,
    /// Recordings that were announced: from, until, by whom.
    pub recordings: Vec<(u64, Option<u64>, String)>,
    /// Own fields of the session: name and value, printed under its name.
    pub fields: Vec<(String, String)>,
}

impl SessionInfo {
    /// The lines of its own fields.
    pub(crate) fn own_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
    }
}

/// Choices of layout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// Họ và tên đệm and Tên in columns of their own.
    pub split_names: bool,
    /// Without the column to sign in.
    pub without_signatures: bool,
}

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct SessionSheet<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Session.
    pub session: &'a SessionInfo,
    /// Attendance.
    pub report: &'a Report,
    /// What is known of the people.
    pub people: &'a BTreeMap<PersonKey, PersonInfo>,
    /// Names of the sites by the person key of their connection.
    pub sites: &'a BTreeMap<PersonKey, String>,
    /// All corrections of the session.
    pub adjustments: &'a [Adjustment],
    /// Layout.
    pub options: SessionOptions,
}

/// Columns a correction marks, by place in the sheet.
struct Places {
    form: usize,
    minutes: usize,
    share: usize,
    result: usize,
}

impl SessionSheet<'_> {
    /// The document: roster in the order of given names, people outside it in
    /// a list of their own, corrections, raw intervals, codes, automatic values.
    pub fn build(&self) -> Document {
        let mut expected: Vec<&Row> = self.report.rows.iter().filter(|row| row.expected).collect();
        expected.sort_by_cached_key(|row| self.key(row));
        let mut guests: Vec<&Row> = self
            .report
            .rows
            .iter()
            .filter(|row| !row.expected && is_guest(row))
            .collect();
        guests.sort_by_cached_key(|row| self.key(row));

        let mut main = self.table("Điểm danh", Place::Main, &expected);
        let (_, places) = self.columns();
        self.mark(&mut main, &expected, &places);
        let mut tables = vec![main];
        if !guests.is_empty() {
            tables.push(self.table("Người tham dự ngoài danh sách", Place::Annex, &guests));
        }
        if let Some(corrections) = self.corrections() {
            tables.push(corrections);
        }
        let everyone: Vec<&Row> = expected.iter().chain(&guests).copied().collect();
        tables.push(self.intervals(&everyone));
        tables.push(codes());
        tables.push(self.automatic(&everyone));
        self.context.document(
            Kind::Session,
            "DANH SÁCH ĐIỂM DANH NGƯỜI HỌC",
            self.subtitle(),
            tables,
            vec![foot(&self.report.totals, self.report.ended)],
            session_rules(&self.report.rules),
        )
    }

    fn info(&self, row: &Row) -> Option<&PersonInfo> {
        self.people.get(&row.person)
    }

    fn key(&self, row: &Row) -> (lophoc_ledger::NameKey, PersonKey) {
        let sort = self.info(row).and_then(|info| info.sort.as_deref());
        (order(&row.name, sort), row.person.clone())
    }

    fn unit<'r>(&'r self, row: &'r Row) -> Option<&'r str> {
        self.info(row)
            .and_then(|info| info.unit.as_deref())
            .or(row.unit.as_deref())
    }

    fn code(&self, row: &Row) -> Cell {
        match self.info(row).and_then(|info| info.code.as_deref()) {
            Some(code) if !code.is_empty() => Cell::Identifier(code.to_owned()),
            _ => Cell::Empty,
        }
    }

    fn subtitle(&self) -> Vec<String> {
        let offset = self.context.offset_min;
        let session = self.session;
        let mut lines = self.context.class_lines();
        if session.content.is_empty() {
            lines.push(format!("Buổi {}", session.no));
        } else {
            lines.push(format!("Buổi {}: {}", session.no, session.content));
        }
        lines.extend(session.own_lines());
        lines.extend(self.context.plan_line());
        let window = &self.report.window;
        let times = match (window.from_ms, window.to_ms, session.planned) {
            (Some(from), Some(to), _) => Some((from, Some(to))),
            (Some(from), None, planned) => Some((from, planned.map(|(_, to)| to))),
            (None, _, Some((from, to))) => Some((from, Some(to))),
            (None, _, None) => None,
        };
        let mut parts = Vec::new();
        if let Some((from, to)) = times {
            let until = to.map_or_else(|| "…".to_owned(), |to| vi::spoken_time(to, offset));
            let day = vi::day_of(from, offset)
                .map(vi::short_day)
                .unwrap_or_default();
            parts.push(format!(
                "Thời gian: {} – {until}, {day}",
                vi::spoken_time(from, offset)
            ));
        }
        if window.counted_ms > 0 {
            parts.push(format!(
                "Thời gian được tính: {} phút",
                vi::grouped(vi::minutes(window.counted_ms))
            ));
        }
        if !session.form.is_empty() {
            parts.push(format!("Hình thức: {}", session.form));
        }
        if let Some(room) = &session.room {
            parts.push(format!("Phòng: {room}"));
        }
        lines.push(parts.join(" · "));
        let staff: Vec<String> = [
            ("Người dạy", &session.trainers),
            ("Cố vấn học tập", &session.advisers),
            ("Cán bộ kỹ thuật", &session.technicians),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(role, names)| format!("{role}: {}", names.join(", ")))
        .collect();
        lines.push(staff.join(" · "));
        if !session.stand_ins.is_empty() {
            let names: Vec<String> = session
                .stand_ins
                .iter()
                .map(|(name, other)| format!("{name} (thay {other})"))
                .collect();
            lines.push(format!("Người thay thế: {}", names.join(", ")));
        }
        if !session.recordings.is_empty() {
            let spans: Vec<String> = session
                .recordings
                .iter()
                .map(|(from, to, who)| {
                    let until = to.map_or_else(|| "…".to_owned(), |to| vi::spoken_time(to, offset));
                    format!("{} – {until} ({who})", vi::spoken_time(*from, offset))
                })
                .collect();
            lines.push(format!("Ghi hình: {}", spans.join(", ")));
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn columns(&self) -> (Vec<Column>, Places) {
        let column = Column::new;
        let mut columns = vec![no_column(), column("Mã định danh", ColumnKind::Identifier)];
        if self.options.split_names {
            columns.push(column("Họ và tên đệm", ColumnKind::Text));
            columns.push(column("Tên", ColumnKind::Text));
        } else {
            columns.push(column("Họ và tên", ColumnKind::Text));
        }
        columns.push(column("Ngày sinh", ColumnKind::Date));
        columns.push(column("Chức vụ", ColumnKind::Text));
        columns.push(column("Đơn vị công tác", ColumnKind::Text));
        columns.extend(self.context.person_columns());
        let form = columns.len();
        columns.extend([
            column("Hình thức", ColumnKind::Text),
            column("Điểm cầu", ColumnKind::Text),
            column("Giờ vào", ColumnKind::Time),
            column("Giờ ra", ColumnKind::Time),
            column("Số lần vào/ra", ColumnKind::Count),
            column("Tổng thời gian (phút)", ColumnKind::Minutes),
            column("Tỷ lệ (%)", ColumnKind::Percent),
            column("Kết quả", ColumnKind::Text),
            column("Ghi chú", ColumnKind::Text),
        ]);
        if !self.options.without_signatures {
            columns.push(column("Chữ ký", ColumnKind::Sign));
        }
        let places = Places {
            form,
            minutes: form + 5,
            share: form + 6,
            result: form + 7,
        };
        (columns, places)
    }

    fn table(&self, name: &str, place: Place, rows: &[&Row]) -> Table {
        let (columns, _) = self.columns();
        let mut table = Table::new(name, place, columns);
        for (no, row) in (1_u64..).zip(rows) {
            table.rows.push(self.row(no, row));
        }
        table
    }

    fn row(&self, no: u64, row: &Row) -> Vec<Cell> {
        let info = self.info(row);
        let stands = &row.stands;
        let was_in = !row.intervals.is_empty();
        let mut cells = vec![Cell::Count(no), self.code(row)];
        if self.options.split_names {
            let (before, given) = split_name(&row.name);
            cells.push(Cell::text(before));
            cells.push(Cell::text(given));
        } else {
            cells.push(Cell::text(&row.name));
        }
        cells.push(
            info.and_then(|info| info.born)
                .map_or(Cell::Empty, Cell::Day),
        );
        cells.push(Cell::maybe(info.and_then(|info| info.position.as_deref())));
        cells.push(Cell::maybe(self.unit(row)));
        cells.extend(self.context.person_cells(info.map(|info| &info.fields)));
        // The heading says already that it is a site.
        let site = row.site.as_ref().map(|site| {
            let name = self.sites.get(site).map_or(site.as_str(), String::as_str);
            name.strip_prefix("Điểm cầu ").unwrap_or(name)
        });
        let measured = was_in || stands.status.is_present();
        cells.extend([
            Cell::text(form_name(stands.status)),
            Cell::maybe(site),
            row.first_in_ms.map_or(Cell::Empty, Cell::Time),
            row.last_out_ms.map_or(Cell::Empty, Cell::Time),
            if was_in {
                Cell::count(row.entries)
            } else {
                Cell::Empty
            },
            if measured {
                Cell::Minutes(stands.present_ms)
            } else {
                Cell::Empty
            },
            if measured {
                Cell::Permille(u32::from(stands.permille))
            } else {
                Cell::Empty
            },
            Cell::text(result_name(stands.status, stands.late, stands.early)),
            Cell::text(self.note(row)),
        ]);
        if !self.options.without_signatures {
            cells.push(Cell::Empty);
        }
        cells
    }

    fn note(&self, row: &Row) -> String {
        let mut notes = Vec::new();
        if let Some(invited) = self
            .info(row)
            .and_then(|info| info.stands_in_for.as_deref())
        {
            notes.push(format!("Dự thay {invited}"));
        }
        if row.stands.status == Status::Excused
            && let Some(reason) = &row.excused
        {
            notes.push(reason.clone());
        }
        if row.stands.status.is_present() && !row.stands.enough {
            notes.push("Chưa đủ thời lượng".to_owned());
        }
        if row.gaps > 0 {
            notes.push(format!(
                "{} lần gián đoạn",
                vi::counted(u64::from(row.gaps))
            ));
        }
        if row.checks.1 > 0 {
            notes.push(format!(
                "Trả lời {}/{} lần kiểm tra",
                row.checks.0, row.checks.1
            ));
        }
        if !row.adjusted.is_empty() {
            let numbers: Vec<String> = row.adjusted.iter().map(u64::to_string).collect();
            notes.push(format!("Điều chỉnh số {}", numbers.join(", ")));
        }
        notes.join("; ")
    }

    /// Marks the cells that corrections decide.
    fn mark(&self, table: &mut Table, rows: &[&Row], places: &Places) {
        for (at, row) in (0_u32..).zip(rows) {
            for adjustment in self
                .adjustments
                .iter()
                .filter(|a| a.person == row.person && row.adjusted.contains(&a.no))
            {
                let columns: &[usize] = match adjustment.change {
                    Change::Status { .. } => &[places.form, places.result],
                    Change::Present { .. } => &[places.minutes, places.share],
                    Change::Late { .. } | Change::Early { .. } => &[places.result],
                    Change::Clear => &[],
                };
                for column in columns {
                    table.marks.push(Mark {
                        row: at,
                        column: u32::try_from(*column).unwrap_or(u32::MAX),
                        note: format!(
                            "Điều chỉnh số {}: “{}” → “{}”; {}; {}. Lý do: {}",
                            adjustment.no,
                            adjustment.was,
                            new_value(&adjustment.change),
                            adjustment.by_name,
                            vi::full_time(adjustment.made_ms, self.context.offset_min),
                            adjustment.reason
                        ),
                    });
                }
            }
        }
    }

    fn corrections(&self) -> Option<Table> {
        if self.adjustments.is_empty() {
            return None;
        }
        let column = Column::new;
        let mut table = Table::new(
            "Danh sách điều chỉnh",
            Place::Annex,
            vec![
                column("Số", ColumnKind::Count),
                column("Họ và tên", ColumnKind::Text),
                column("Nội dung", ColumnKind::Text),
                column("Giá trị cũ", ColumnKind::Text),
                column("Giá trị mới", ColumnKind::Text),
                column("Lý do", ColumnKind::Text),
                column("Minh chứng", ColumnKind::Text),
                column("Người điều chỉnh", ColumnKind::Text),
                column("Thời điểm", ColumnKind::DateTime),
            ],
        );
        let mut all: Vec<&Adjustment> = self.adjustments.iter().collect();
        all.sort_by_key(|adjustment| adjustment.no);
        for adjustment in all {
            let name = self
                .report
                .rows
                .iter()
                .find(|row| row.person == adjustment.person)
                .map_or(adjustment.person.as_str(), |row| row.name.as_str());
            table.rows.push(vec![
                Cell::Count(adjustment.no),
                Cell::text(name),
                Cell::text(changed_field(&adjustment.change)),
                Cell::text(&adjustment.was),
                Cell::text(new_value(&adjustment.change)),
                Cell::text(&adjustment.reason),
                Cell::maybe(adjustment.evidence.as_deref()),
                Cell::text(&adjustment.by_name),
                Cell::DateTime(adjustment.made_ms),
            ]);
        }
        Some(table)
    }

    fn intervals(&self, rows: &[&Row]) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Khoảng thời gian",
            Place::Raw,
            vec![
                no_column(),
                column("Mã định danh", ColumnKind::Identifier),
                column("Họ và tên", ColumnKind::Text),
                column("Vào lúc", ColumnKind::DateTime),
                column("Ra lúc", ColumnKind::DateTime),
                column("Thời lượng (phút)", ColumnKind::Minutes),
                column("Hình thức", ColumnKind::Text),
                column("Thiết bị", ColumnKind::Text),
                column("Điểm cầu", ColumnKind::Text),
                column("Lý do ra", ColumnKind::Text),
            ],
        );
        let mut no = 0_u64;
        for row in rows {
            for interval in &row.intervals {
                no += 1;
                let site = interval
                    .site
                    .as_ref()
                    .map(|site| self.sites.get(site).map_or(site.as_str(), String::as_str));
                table.rows.push(vec![
                    Cell::Count(no),
                    self.code(row),
                    Cell::text(&row.name),
                    Cell::DateTime(interval.from_ms),
                    if interval.open {
                        Cell::Empty
                    } else {
                        Cell::DateTime(interval.to_ms)
                    },
                    Cell::Minutes(interval.to_ms.saturating_sub(interval.from_ms)),
                    Cell::text(match (interval.kind, site) {
                        (IntervalKind::Online, _) => "Trực tuyến",
                        (IntervalKind::Hall, Some(_)) => "Tại điểm cầu",
                        (IntervalKind::Hall, None) => "Trực tiếp",
                    }),
                    Cell::maybe(interval.device.as_deref()),
                    Cell::maybe(site),
                    Cell::text(if interval.open {
                        "Đang trong phòng"
                    } else {
                        end_name(interval.end.as_deref())
                    }),
                ]);
            }
        }
        table
    }

    /// What the server computed, whatever was corrected since.
    fn automatic(&self, rows: &[&Row]) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Giá trị tự động",
            Place::Raw,
            vec![
                no_column(),
                column("Mã định danh", ColumnKind::Identifier),
                column("Họ và tên", ColumnKind::Text),
                column("Hình thức", ColumnKind::Text),
                column("Tổng thời gian (phút)", ColumnKind::Minutes),
                column("Tỷ lệ (%)", ColumnKind::Percent),
                column("Kết quả", ColumnKind::Text),
                column("Số lần gián đoạn", ColumnKind::Count),
                column("Đủ thời lượng", ColumnKind::Code),
            ],
        );
        for (no, row) in (1_u64..).zip(rows) {
            let auto = &row.auto;
            table.rows.push(vec![
                Cell::Count(no),
                self.code(row),
                Cell::text(&row.name),
                Cell::text(form_name(auto.status)),
                Cell::Minutes(auto.present_ms),
                Cell::Permille(u32::from(auto.permille)),
                Cell::text(result_name(auto.status, auto.late, auto.early)),
                Cell::count(row.gaps),
                Cell::text(if auto.enough { "x" } else { "" }),
            ]);
        }
        table
    }
}

/// Neither on the roster nor of the staff nor a site, but was in.
fn is_guest(row: &Row) -> bool {
    !row.is_site && matches!(row.role.as_str(), "learner" | "guest") && !row.intervals.is_empty()
}

/// The sentence with the counts.
pub(crate) fn foot(totals: &Totals, ended: bool) -> String {
    let n = |number: u32| vi::counted(u64::from(number));
    let mut present = format!("trực tuyến {}", n(totals.online));
    if totals.at_site > 0 {
        present.push_str(&format!(", tại điểm cầu {}", n(totals.at_site)));
    }
    present.push_str(&format!(", trực tiếp {}", n(totals.in_person)));
    let mut text = format!(
        "Danh sách này có {} người; có mặt {} ({present}), vắng {} (có phép {}, không phép {})",
        n(totals.expected),
        n(totals.present),
        n(totals.excused + totals.absent),
        n(totals.excused),
        n(totals.absent),
    );
    if totals.not_taken > 0 {
        text.push_str(&format!(", chưa điểm danh {}", n(totals.not_taken)));
    }
    text.push_str(&format!(
        ". Tỷ lệ tham dự bình quân {}.",
        vi::percent(u32::from(totals.mean_permille))
    ));
    if totals.guests > 0 {
        text.push_str(&format!(
            " Ngoài danh sách có {} người tham dự.",
            n(totals.guests)
        ));
    }
    if !ended {
        text.push_str(" Buổi học chưa kết thúc, số liệu còn thay đổi.");
    }
    text
}

fn changed_field(change: &Change) -> &'static str {
    match change {
        Change::Status { .. } => "Kết quả điểm danh",
        Change::Present { .. } => "Tổng thời gian",
        Change::Late { .. } => "Đi muộn",
        Change::Early { .. } => "Về sớm",
        Change::Clear => "Bỏ các điều chỉnh trước",
    }
}

fn new_value(change: &Change) -> String {
    let yes = |to: bool| if to { "Có" } else { "Không" }.to_owned();
    match change {
        Change::Status { to } if to.is_present() => {
            format!("Có mặt – {}", form_name(*to).to_lowercase())
        }
        Change::Status { to } => result_name(*to, false, false).to_owned(),
        Change::Present { to_ms } => format!("{} phút", vi::grouped(vi::minutes(*to_ms))),
        Change::Late { to } | Change::Early { to } => yes(*to),
        Change::Clear => "Giá trị tự động".to_owned(),
    }
}

fn end_name(end: Option<&str>) -> &str {
    match end {
        Some("left") => "Rời phòng",
        Some("network" | "lapse") => "Mất kết nối",
        Some("removed") => "Được mời ra khỏi phòng",
        Some("ended") => "Kết thúc buổi học",
        Some("serverStopped") => "Máy chủ dừng",
        Some("takenOver") => "Tham gia trên thiết bị khác",
        Some(_) => "Lý do khác",
        None => "",
    }
}
