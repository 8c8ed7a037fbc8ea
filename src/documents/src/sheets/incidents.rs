//! Nhật ký sự cố kỹ thuật of a session with its duty roster (TT 21/2017 Điều 10.3).

use lophoc_classes::{
    DutyEntry, Incident, IncidentEntry, IncidentKind, IncidentSeverity, IncidentState,
};

use super::delegates::session_line;
use super::{Context, SessionInfo, no_column};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct IncidentSheet<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Session.
    pub session: &'a SessionInfo,
    /// Day and time it was really begun, ms.
    pub began_ms: Option<u64>,
    /// Incidents, oldest first.
    pub incidents: &'a [Incident],
    /// Who was on duty.
    pub duty: &'a [DutyEntry],
}

fn kind_name(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::Link => "Kết nối",
        IncidentKind::Sound => "Âm thanh",
        IncidentKind::Picture => "Hình ảnh",
        IncidentKind::Content => "Trình chiếu, tài liệu",
        IncidentKind::Account => "Đăng nhập, vào phòng",
        IncidentKind::Hall => "Điện, thiết bị tại điểm cầu",
        IncidentKind::Other => "Khác",
    }
}

fn severity_name(severity: IncidentSeverity) -> &'static str {
    match severity {
        IncidentSeverity::Low => "Nhẹ",
        IncidentSeverity::Medium => "Vừa",
        IncidentSeverity::High => "Nặng",
    }
}

fn state_name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Open => "Mới ghi nhận",
        IncidentState::Handling => "Đang xử lý",
        IncidentState::Solved => "Đã xử lý",
    }
}

fn by_name(entry: &IncidentEntry) -> &str {
    if entry.by.is_none() {
        "Hệ thống"
    } else {
        &entry.by_name
    }
}

impl IncidentSheet<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let solved = self
            .incidents
            .iter()
            .filter(|one| one.state == IncidentState::Solved)
            .count();
        let foot = vec![format!(
            "Buổi học có {} sự cố, trong đó {} sự cố đã xử lý.",
            vi::counted(self.incidents.len() as u64),
            vi::counted(solved as u64)
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.push(session_line(
            self.session,
            self.began_ms,
            self.context.offset_min,
        ));
        subtitle.retain(|line| !line.is_empty());
        subtitle.extend(self.session.own_lines());
        self.context.document(
            Kind::Incidents,
            "NHẬT KÝ SỰ CỐ KỸ THUẬT",
            subtitle,
            vec![self.list(), self.course(), self.duty()],
            foot,
            Vec::new(),
        )
    }

    fn list(&self) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Sự cố",
            Place::Main,
            vec![
                column("Số", ColumnKind::Count),
                column("Thời điểm", ColumnKind::DateTime),
                column("Điểm cầu, người", ColumnKind::Text),
                column("Loại", ColumnKind::Text),
                column("Mức độ", ColumnKind::Text),
                column("Nội dung", ColumnKind::Text),
                column("Người ghi", ColumnKind::Text),
                column("Bắt đầu xử lý", ColumnKind::Time),
                column("Xử lý xong", ColumnKind::Time),
                column("Tình trạng", ColumnKind::Text),
                column("Kết quả xử lý", ColumnKind::Text),
            ],
        );
        for one in self.incidents {
            let Some(first) = one.entries.first() else {
                continue;
            };
            let solved = one
                .entries
                .iter()
                .rev()
                .find(|entry| entry.state == Some(IncidentState::Solved))
                .filter(|_| one.state == IncidentState::Solved);
            let handled = one.reached(IncidentState::Handling);
            table.rows.push(vec![
                Cell::count(one.no),
                Cell::DateTime(first.at_ms),
                Cell::text(&one.subject),
                Cell::text(kind_name(one.kind)),
                Cell::text(severity_name(one.severity)),
                Cell::text(&first.text),
                Cell::text(by_name(first)),
                handled.map_or(Cell::Empty, Cell::Time),
                solved.map_or(Cell::Empty, |entry| Cell::Time(entry.at_ms)),
                Cell::text(state_name(one.state)),
                Cell::maybe(solved.map(|entry| entry.text.as_str())),
            ]);
        }
        table
    }

    /// Everything that was written, in order.
    fn course(&self) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Diễn biến",
            Place::Annex,
            vec![
                column("Sự cố số", ColumnKind::Count),
                column("Thời điểm", ColumnKind::DateTime),
                column("Tình trạng", ColumnKind::Text),
                column("Nội dung", ColumnKind::Text),
                column("Người ghi", ColumnKind::Text),
            ],
        );
        for one in self.incidents {
            for entry in &one.entries {
                table.rows.push(vec![
                    Cell::count(one.no),
                    Cell::DateTime(entry.at_ms),
                    Cell::text(entry.state.map_or("Ghi chú", state_name)),
                    Cell::text(&entry.text),
                    Cell::text(by_name(entry)),
                ]);
            }
        }
        table
    }

    fn duty(&self) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Lịch trực kỹ thuật",
            Place::Annex,
            vec![
                no_column(),
                column("Họ và tên", ColumnKind::Text),
                column("Điện thoại", ColumnKind::Identifier),
                column("Từ", ColumnKind::DateTime),
                column("Đến", ColumnKind::DateTime),
                column("Phụ trách", ColumnKind::Text),
            ],
        );
        for (no, one) in (1_u64..).zip(self.duty) {
            let phone = if one.phone.is_empty() {
                Cell::Empty
            } else {
                Cell::Identifier(one.phone.clone())
            };
            table.rows.push(vec![
                Cell::Count(no),
                Cell::text(&one.name),
                phone,
                one.from_ms.map_or(Cell::Empty, Cell::DateTime),
                one.to_ms.map_or(Cell::Empty, Cell::DateTime),
                Cell::text(&one.note),
            ]);
        }
        table
    }
}
