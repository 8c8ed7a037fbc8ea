//! Danh sách đại biểu: who was invited to a meeting and who came, in person or
//! by a substitute (dự thay). Both names are kept.

use lophoc_classes::Day;
use lophoc_ledger::Status;

use super::{Context, SessionInfo, form_name, no_column};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// An invited person.
#[derive(Debug, Clone)]
pub struct Delegate {
    /// Name of the invited person.
    pub name: String,
    /// Post.
    pub position: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Who came in the place: name and post.
    pub substitute: Option<(String, Option<String>)>,
    /// What stands, of whoever came.
    pub status: Status,
    /// Site where seen.
    pub site: Option<String>,
    /// Came, ms.
    pub first_in_ms: Option<u64>,
    /// Went, ms.
    pub last_out_ms: Option<u64>,
    /// Why absent, or another note.
    pub note: Option<String>,
}

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct DelegateSheet<'a> {
    /// Meeting and export.
    pub context: &'a Context,
    /// Session.
    pub session: &'a SessionInfo,
    /// Day and time it was really begun, ms.
    pub began_ms: Option<u64>,
    /// Delegates in the order of the invitation (rank, not alphabet).
    pub delegates: &'a [Delegate],
}

impl DelegateSheet<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let column = Column::new;
        let mut main = Table::new(
            "Đại biểu",
            Place::Main,
            vec![
                no_column(),
                Column::under("Đại biểu được mời", "Họ và tên", ColumnKind::Text),
                Column::under("Đại biểu được mời", "Chức vụ", ColumnKind::Text),
                Column::under("Đại biểu được mời", "Đơn vị", ColumnKind::Text),
                Column::under("Người dự thay", "Họ và tên", ColumnKind::Text),
                Column::under("Người dự thay", "Chức vụ", ColumnKind::Text),
                column("Hình thức", ColumnKind::Text),
                column("Điểm cầu", ColumnKind::Text),
                column("Giờ vào", ColumnKind::Time),
                column("Giờ ra", ColumnKind::Time),
                column("Kết quả", ColumnKind::Text),
                column("Ghi chú", ColumnKind::Text),
                column("Chữ ký", ColumnKind::Sign),
            ],
        );
        for (no, delegate) in (1_u64..).zip(self.delegates) {
            let (name, post) = match &delegate.substitute {
                Some((name, post)) => (Some(name.as_str()), post.as_deref()),
                None => (None, None),
            };
            main.rows.push(vec![
                Cell::Count(no),
                Cell::text(&delegate.name),
                Cell::maybe(delegate.position.as_deref()),
                Cell::maybe(delegate.unit.as_deref()),
                Cell::maybe(name),
                Cell::maybe(post),
                Cell::text(form_name(delegate.status)),
                Cell::maybe(delegate.site.as_deref()),
                delegate.first_in_ms.map_or(Cell::Empty, Cell::Time),
                delegate.last_out_ms.map_or(Cell::Empty, Cell::Time),
                Cell::text(result(delegate)),
                Cell::maybe(delegate.note.as_deref()),
                Cell::Empty,
            ]);
        }
        let count = |test: &dyn Fn(&Delegate) -> bool| {
            vi::counted(self.delegates.iter().filter(|d| test(d)).count() as u64)
        };
        let foot = vec![format!(
            "Mời {} đại biểu; có mặt {} (trong đó dự thay {}), vắng có lý do {}, vắng không lý do {}.",
            count(&|_| true),
            count(&|d| d.status.is_present()),
            count(&|d| d.status.is_present() && d.substitute.is_some()),
            count(&|d| d.status == Status::Excused),
            count(&|d| d.status == Status::Absent),
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.push(session_line(
            self.session,
            self.began_ms,
            self.context.offset_min,
        ));
        subtitle.extend(self.session.own_lines());
        subtitle.retain(|line| !line.is_empty());
        self.context.document(
            Kind::Delegates,
            "DANH SÁCH ĐẠI BIỂU",
            subtitle,
            vec![main],
            foot,
            Vec::new(),
        )
    }
}

fn result(delegate: &Delegate) -> &'static str {
    match delegate.status {
        Status::NotTaken => "Chưa điểm danh",
        Status::Excused => "Vắng có lý do",
        Status::Absent => "Vắng không lý do",
        _ if delegate.substitute.is_some() => "Cử người dự thay",
        _ => "Có mặt",
    }
}

/// `Buổi 1: … · 07 giờ 30, ngày 06/9/2026 · Hình thức: …`
pub(crate) fn session_line(session: &SessionInfo, began: Option<u64>, offset_min: i32) -> String {
    let mut parts = Vec::new();
    match (session.no, session.content.as_str()) {
        (0, "") => {}
        (0, content) => parts.push(content.to_owned()),
        (no, "") => parts.push(format!("Buổi {no}")),
        (no, content) => parts.push(format!("Buổi {no}: {content}")),
    }
    if let Some(ms) = began.or(session.planned.map(|(from, _)| from)) {
        let day = vi::day_of(ms, offset_min).map(|day: Day| vi::short_day(day));
        parts.push(format!(
            "Thời gian: {}, {}",
            vi::spoken_time(ms, offset_min),
            day.unwrap_or_default()
        ));
    }
    if !session.form.is_empty() {
        parts.push(format!("Hình thức: {}", session.form));
    }
    parts.join(" · ")
}
