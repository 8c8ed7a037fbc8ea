//! Hoạt động của người dạy trên môi trường mạng
//! (TT 21/2017/TT-BGDĐT Điều 5.1.c).

use super::{Context, no_column, order};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// What one trainer did in the sessions of the sheet.
#[derive(Debug, Clone, Default)]
pub struct TrainerLine {
    /// Mã định danh.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// Explicit key to sort by.
    pub sort: Option<String>,
    /// Role: `Người dạy`, `Cố vấn học tập`.
    pub role: String,
    /// Đơn vị công tác.
    pub unit: Option<String>,
    /// Sessions assigned.
    pub assigned: u32,
    /// … taught.
    pub taught: u32,
    /// … in the room in time for the beginning.
    pub punctual: u32,
    /// Time in the room inside the sessions, ms.
    pub live_ms: u64,
    /// Time with the floor or speaking, ms.
    pub talk_ms: u64,
    /// Time the screen was shared, ms.
    pub screen_ms: u64,
    /// Times others were given the floor or asked to speak.
    pub invited: u32,
    /// Hands of others attended to.
    pub hands: u32,
    /// Messages sent to the room.
    pub messages: u32,
    /// Polls run; `None` where none were kept, and without any the column is
    /// left out. The same below.
    pub polls: Option<u32>,
    /// Questions answered.
    pub questions: Option<u32>,
    /// Materials shared.
    pub materials: Option<u32>,
    /// Took the place of (thay người dạy), or was replaced by.
    pub note: Option<String>,
}

/// A column that stands only when something is known for it.
type Extra = (&'static str, fn(&TrainerLine) -> Option<u32>);

const EXTRAS: [Extra; 3] = [
    ("Thăm dò", |line| line.polls),
    ("Câu hỏi đã trả lời", |line| line.questions),
    ("Học liệu chia sẻ", |line| line.materials),
];

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct TrainerSheet<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// What it covers: `Buổi 3: …` or `Từ ngày … đến ngày …`.
    pub scope: &'a str,
    /// Trainers and advisers, in any order.
    pub lines: &'a [TrainerLine],
}

impl TrainerSheet<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let mut lines: Vec<&TrainerLine> = self.lines.iter().collect();
        lines.sort_by_cached_key(|line| {
            (order(&line.name, line.sort.as_deref()), line.code.clone())
        });
        let column = Column::new;
        let under = Column::under;
        let mut main = Table::new(
            "Hoạt động người dạy",
            Place::Main,
            vec![
                no_column(),
                column("Mã định danh", ColumnKind::Identifier),
                column("Họ và tên", ColumnKind::Text),
                column("Vai trò", ColumnKind::Text),
                column("Đơn vị công tác", ColumnKind::Text),
                under("Số buổi", "Được giao", ColumnKind::Count),
                under("Số buổi", "Đã dạy", ColumnKind::Count),
                under("Số buổi", "Đúng giờ", ColumnKind::Count),
                under("Thời gian", "Trực tiếp giảng dạy (giờ)", ColumnKind::Hours),
                under("Thời gian", "Phát biểu (phút)", ColumnKind::Minutes),
                under("Thời gian", "Chia sẻ màn hình (phút)", ColumnKind::Minutes),
                under("Tương tác", "Mời phát biểu", ColumnKind::Count),
                under("Tương tác", "Giơ tay đã giải quyết", ColumnKind::Count),
                under("Tương tác", "Tin nhắn", ColumnKind::Count),
            ],
        );
        let extras: Vec<Extra> = EXTRAS
            .into_iter()
            .filter(|(_, of)| lines.iter().any(|line| of(line).is_some()))
            .collect();
        for (heading, _) in &extras {
            main.columns
                .push(under("Tương tác", heading, ColumnKind::Count));
        }
        main.columns.push(column("Ghi chú", ColumnKind::Text));
        for (no, line) in (1_u64..).zip(&lines) {
            let mut cells = vec![
                Cell::Count(no),
                line.code
                    .as_deref()
                    .filter(|code| !code.is_empty())
                    .map_or(Cell::Empty, |code| Cell::Identifier(code.to_owned())),
                Cell::text(&line.name),
                Cell::text(&line.role),
                Cell::maybe(line.unit.as_deref()),
                Cell::count(line.assigned),
                Cell::count(line.taught),
                Cell::count(line.punctual),
                Cell::Hours(line.live_ms),
                Cell::Minutes(line.talk_ms),
                Cell::Minutes(line.screen_ms),
                Cell::count(line.invited),
                Cell::count(line.hands),
                Cell::count(line.messages),
            ];
            for (_, of) in &extras {
                cells.push(of(line).map_or(Cell::Empty, Cell::count));
            }
            cells.push(Cell::maybe(line.note.as_deref()));
            main.rows.push(cells);
        }
        let live: u64 = lines.iter().map(|line| line.live_ms).sum();
        let taught: u64 = lines.iter().map(|line| u64::from(line.taught)).sum();
        let tenths = vi::tenths_of_hour(live);
        let foot = vec![format!(
            "Có {} người dạy với {} lượt buổi, tổng thời gian giảng dạy trực tiếp {},{} giờ.",
            vi::counted(lines.len() as u64),
            vi::counted(taught),
            vi::grouped(tenths / 10),
            tenths % 10
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.push(self.scope.to_owned());
        subtitle.retain(|line| !line.is_empty());
        self.context.document(
            Kind::TrainerActivity,
            "BÁO CÁO HOẠT ĐỘNG CỦA NGƯỜI DẠY",
            subtitle,
            vec![main],
            foot,
            vec![
                "Thời gian giảng dạy là thời gian có mặt trong buổi học, trừ giờ nghỉ; số liệu lấy từ \
                 nhật ký của máy chủ, không ghi nội dung."
                    .to_owned(),
            ],
        )
    }
}
