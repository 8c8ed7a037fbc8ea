//! The one model of an exported document that every format is drawn from.

use std::fmt::Write as _;

use lophoc_classes::{Day, ExportKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::text::{MAX_CELL, MAX_LINE, clean};

/// Version of the form of [`Data`] in JSON.
pub const DATA_SCHEMA: &str = "lophoc.data/1";

/// Most tables of a document.
pub const MAX_TABLES: usize = 16;
/// Most columns of a table.
pub const MAX_COLUMNS: usize = 150;
/// Most cells of a document, raw intervals included.
pub const MAX_CELLS: usize = 3_000_000;
/// Most lines of each list outside the tables.
pub const MAX_LINES: usize = 200;

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Danh sách điểm danh người học.
    Session,
    /// Bảng tổng hợp chuyên cần.
    ClassSummary,
    /// Tổng hợp theo đơn vị.
    UnitSummary,
    /// Thành phần tham dự theo điểm cầu.
    Sites,
    /// Danh sách đại biểu.
    Delegates,
    /// Kế hoạch – thực hiện (TT 21/2017 Điều 3.1).
    PlanActual,
    /// Hoạt động của người dạy (TT 21/2017 Điều 5.1.c).
    TrainerActivity,
    /// Kết quả thăm dò, trắc nghiệm, biểu quyết.
    Polls,
    /// Nhật ký sự cố kỹ thuật (TT 21/2017 Điều 10.3).
    Incidents,
    /// Báo cáo công tác tập huấn qua mạng, Sở → Bộ (TT 21/2017 Điều 12.2).
    Aggregate,
}

impl From<ExportKind> for Kind {
    fn from(kind: ExportKind) -> Self {
        match kind {
            ExportKind::Session => Self::Session,
            ExportKind::ClassSummary => Self::ClassSummary,
            ExportKind::UnitSummary => Self::UnitSummary,
            ExportKind::Sites => Self::Sites,
            ExportKind::Delegates => Self::Delegates,
            ExportKind::PlanActual => Self::PlanActual,
            ExportKind::TrainerActivity => Self::TrainerActivity,
            ExportKind::Polls => Self::Polls,
            ExportKind::Incidents => Self::Incidents,
            ExportKind::Aggregate => Self::Aggregate,
        }
    }
}

/// One cell, typed, so that every format can write it in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cell {
    /// Nothing known; also a place for a signature.
    Empty,
    /// Words.
    Text(String),
    /// Digits that are no number: mã định danh, a phone.
    Identifier(String),
    /// A calendar day.
    Day(Day),
    /// A moment, ms since the epoch UTC, shown as hour and minute.
    Time(u64),
    /// A moment, ms since the epoch UTC, shown with day and seconds.
    DateTime(u64),
    /// A length, ms, shown in whole minutes.
    Minutes(u64),
    /// A length, ms, shown in tenths of an hour.
    Hours(u64),
    /// A share, per mille.
    Permille(u32),
    /// A number of things.
    Count(u64),
}

impl Cell {
    /// A text, nothing when absent or blank.
    pub fn text(text: impl AsRef<str>) -> Self {
        match text.as_ref() {
            "" => Self::Empty,
            text => Self::Text(text.to_owned()),
        }
    }

    /// A text that may be absent.
    pub fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// A number of things, from any width.
    pub fn count(number: impl TryInto<u64>) -> Self {
        Self::Count(number.try_into().unwrap_or(0))
    }
}

/// What a column holds; decides how it is set and how wide it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ColumnKind {
    /// Words, set left.
    Text,
    /// A short mark (x, P, K), centred.
    Code,
    /// Digits that are no number.
    Identifier,
    /// A day.
    Date,
    /// An hour and minute.
    Time,
    /// A moment with day.
    DateTime,
    /// A length in minutes.
    Minutes,
    /// A length in hours.
    Hours,
    /// A share.
    Percent,
    /// A number of things.
    Count,
    /// Left blank for a signature, at least 25 mm wide on paper.
    Sign,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Heading.
    pub heading: String,
    /// Heading above it, shared with the neighbours that name the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it holds.
    pub kind: ColumnKind,
}

impl Column {
    /// A column without a group.
    pub fn new(heading: impl Into<String>, kind: ColumnKind) -> Self {
        Self {
            heading: heading.into(),
            group: None,
            kind,
        }
    }

    /// A column under a heading shared with its neighbours.
    pub fn under(group: impl Into<String>, heading: impl Into<String>, kind: ColumnKind) -> Self {
        Self {
            heading: heading.into(),
            group: Some(group.into()),
            kind,
        }
    }
}

/// Where a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The sheet itself. A document has exactly one, its first table.
    Main,
    /// Printed behind the sheet (list of corrections).
    Annex,
    /// Raw data: a sheet of its own in XLSX, in JSON, not on paper.
    Raw,
    /// Meaning of the marks: as [`Place::Raw`].
    Codes,
}

/// A mark on a cell: its value was set by a person (điều chỉnh).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Row, from 0.
    pub row: u32,
    /// Column, from 0.
    pub column: u32,
    /// What it says, shown beside the cell where the format can.
    pub note: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Name: heading of an annex, name of a sheet in XLSX.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows, each with a cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// Marked cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Rows of sums, set bold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strong: Vec<u32>,
}

impl Table {
    /// An empty table.
    pub fn new(name: impl Into<String>, place: Place, columns: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            place,
            columns,
            rows: Vec::new(),
            marks: Vec::new(),
            strong: Vec::new(),
        }
    }

    /// Whether any column stands under a group.
    pub fn has_groups(&self) -> bool {
        self.columns.iter().any(|column| column.group.is_some())
    }

    /// Runs of neighbours under one group: first column, length, group.
    pub fn groups(&self) -> Vec<(usize, usize, Option<&str>)> {
        let mut runs: Vec<(usize, usize, Option<&str>)> = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let group = column.group.as_deref();
            match runs.last_mut() {
                Some((_, len, last)) if group.is_some() && *last == group => *len += 1,
                _ => runs.push((index, 1, group)),
            }
        }
        runs
    }

    /// Whether the cell carries a mark.
    pub fn marked(&self) -> std::collections::HashSet<(u32, u32)> {
        self.marks
            .iter()
            .map(|mark| (mark.row, mark.column))
            .collect()
    }
}

/// What a document says: the part that is hashed. Two exports of the same data
/// have the same `Data`, whoever made them and whenever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// [`DATA_SCHEMA`].
    pub schema: String,
    /// Which document.
    pub kind: Kind,
    /// Unit that issues it (đơn vị chủ trì).
    pub unit: String,
    /// Title, capitals.
    pub title: String,
    /// Lines under the title: class, session, plan, time, people.
    pub subtitle: Vec<String>,
    /// Offset from UTC of the times shown, minutes.
    pub offset_min: i32,
    /// Tables.
    pub tables: Vec<Table>,
    /// Sentences under the sheet.
    pub foot: Vec<String>,
    /// Counting rules used, one sentence each.
    pub rules: Vec<String>,
}

impl Data {
    /// The form of the data whose SHA-256 stands on the sheet: JSON, fields in
    /// fixed order.
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The sheet itself.
    pub fn main(&self) -> Option<&Table> {
        self.tables.first()
    }

    /// Tables that go on paper.
    pub fn printed(&self) -> impl Iterator<Item = &Table> {
        self.tables
            .iter()
            .filter(|table| table.place != Place::Raw && table.place != Place::Codes)
    }
}

/// Head of a document by Nghị định 30/2020/NĐ-CP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Cơ quan chủ quản.
    pub parent_unit: Option<String>,
    /// Địa danh.
    pub place: Option<String>,
    /// Day of the document; blank places to fill by hand when absent.
    pub day: Option<Day>,
    /// Số, ký hiệu, with room for the number: `…/DS-SGDĐT`.
    pub number: Option<String>,
}

/// A place to sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Post, capitals: `NGƯỜI LẬP BIỂU`, `TM. BAN TỔ CHỨC`.
    pub title: String,
    /// What to do: `(Ký, ghi rõ họ tên)`.
    pub note: String,
    /// Name under the signature.
    pub name: Option<String>,
}

/// Which export this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Id of the export, 8–64 of `A–Z a–z 0–9 -`.
    pub id: String,
    /// When it was made, ms since the epoch UTC.
    pub made_ms: u64,
    /// Number of the frozen version; `None`: chưa chốt.
    pub version: Option<u32>,
    /// Where a file can be checked, an address for people.
    pub check_at: Option<String>,
}

/// Which way the paper lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orientation {
    /// Landscape with more than 8 columns.
    #[default]
    Fitting,
    /// Portrait.
    Portrait,
    /// Landscape.
    Landscape,
}

/// A document before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it says.
    pub data: Data,
    /// Head.
    pub head: Head,
    /// Places to sign, left to right, at most 3.
    pub signatures: Vec<Signature>,
    /// Nơi nhận; empty when it is not sent.
    pub recipients: Vec<String>,
    /// Which export.
    pub export: Export,
    /// Which way the paper lies.
    pub orientation: Orientation,
}

/// A document that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More of something than a document holds.
    #[error("too many {what}: at most {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The first table, and no other, must be the sheet itself.
    #[error("a document needs exactly one main table, its first")]
    MainTable,
    /// The id of the export holds other characters or is too short or long.
    #[error("bad id of an export")]
    ExportId,
}

/// A document whose texts are cleaned, whose size is within bounds and whose
/// hash is known. Only these can be written.
#[derive(Debug, Clone)]
pub struct Sealed {
    document: Document,
    canonical: String,
    sha256: String,
}

impl Sealed {
    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What it says.
    pub fn data(&self) -> &Data {
        &self.document.data
    }

    /// The hashed form of the data.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// SHA-256 of [`Sealed::canonical`], hex.
    pub fn data_sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether the paper lies across.
    pub fn is_landscape(&self) -> bool {
        match self.document.orientation {
            Orientation::Portrait => false,
            Orientation::Landscape => true,
            Orientation::Fitting => self.data().printed().any(|table| table.columns.len() > 8),
        }
    }
}

/// SHA-256 as hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

impl Document {
    /// Cleans every text, checks the bounds and computes the hash.
    ///
    /// # Errors
    /// [`SealError`] when something is out of bounds.
    pub fn seal(mut self) -> Result<Sealed, SealError> {
        let id = &self.export.id;
        if !(8..=64).contains(&id.len())
            || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(SealError::ExportId);
        }
        bound(&self.data)?;
        for (what, len, limit) in [
            ("signatures", self.signatures.len(), 3),
            ("recipients", self.recipients.len(), MAX_LINES),
        ] {
            if len > limit {
                return Err(SealError::TooMany { what, limit });
            }
        }
        tidy(&mut self.data);
        let line = |text: &mut String| *text = clean(text, MAX_LINE);
        let head = &mut self.head;
        let of_head = [&mut head.parent_unit, &mut head.place, &mut head.number];
        for text in of_head.into_iter().flatten() {
            *text = clean(text, 200);
        }
        self.recipients.iter_mut().for_each(line);
        for signature in &mut self.signatures {
            for text in [&mut signature.title, &mut signature.note] {
                *text = clean(text, 200);
            }
            if let Some(name) = &mut signature.name {
                *name = clean(name, 200);
            }
        }
        if let Some(address) = &mut self.export.check_at {
            *address = clean(address, 300);
        }
        let canonical = self.data.canonical();
        let sha256 = sha256_hex(canonical.as_bytes());
        Ok(Sealed {
            document: self,
            canonical,
            sha256,
        })
    }
}

fn bound(data: &Data) -> Result<(), SealError> {
    let too_many = |what, limit| Err(SealError::TooMany { what, limit });
    if data.tables.len() > MAX_TABLES {
        return too_many("tables", MAX_TABLES);
    }
    let mains = data.tables.iter().filter(|t| t.place == Place::Main);
    if mains.count() != 1 || data.main().is_none_or(|t| t.place != Place::Main) {
        return Err(SealError::MainTable);
    }
    let mut cells = 0_usize;
    for table in &data.tables {
        if table.columns.is_empty() || table.columns.len() > MAX_COLUMNS {
            return too_many("columns", MAX_COLUMNS);
        }
        cells = cells.saturating_add(table.columns.len().saturating_mul(table.rows.len()));
    }
    if cells > MAX_CELLS {
        return too_many("cells", MAX_CELLS);
    }
    for (what, lines) in [
        ("lines", &data.subtitle),
        ("sentences", &data.foot),
        ("rules", &data.rules),
    ] {
        if lines.len() > MAX_LINES {
            return too_many(what, MAX_LINES);
        }
    }
    Ok(())
}

fn tidy(data: &mut Data) {
    data.schema = DATA_SCHEMA.to_owned();
    data.unit = clean(&data.unit, 200);
    data.title = clean(&data.title, 300);
    for lines in [&mut data.subtitle, &mut data.foot, &mut data.rules] {
        for text in lines.iter_mut() {
            *text = clean(text, MAX_LINE);
        }
        lines.retain(|text| !text.is_empty());
    }
    for table in &mut data.tables {
        table.name = clean(&table.name, 200);
        for column in &mut table.columns {
            column.heading = clean(&column.heading, 100);
            if let Some(group) = &mut column.group {
                *group = clean(group, 200);
            }
        }
        let width = table.columns.len();
        for row in &mut table.rows {
            row.resize(width, Cell::Empty);
            for cell in row.iter_mut() {
                if let Cell::Text(text) | Cell::Identifier(text) = cell {
                    *text = clean(text, MAX_CELL);
                    if text.is_empty() {
                        *cell = Cell::Empty;
                    }
                }
            }
        }
        let rows = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
        let columns = u32::try_from(width).unwrap_or(u32::MAX);
        table
            .marks
            .retain(|mark| mark.row < rows && mark.column < columns);
        for mark in &mut table.marks {
            mark.note = clean(&mark.note, MAX_CELL);
        }
        table.strong.retain(|row| *row < rows);
    }
}
