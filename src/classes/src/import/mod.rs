//! Rosters from files: bytes → table → entries → preview → what to write.
//!
//! Nothing here changes anything: [`read_roster`] takes a file apart, [`preview`]
//! compares it with known people and the roster as it stands, [`decide`] gives
//! the writes once a person has answered. All texts are Vietnamese.

mod decide;
mod grid;
mod heading;
mod legacy;
mod matching;
mod rows;
mod syllable;
mod template;
mod text;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use lophoc_ledger::fold_name;

pub use self::decide::{ImportWrite, decide, fill};
pub use self::legacy::{Coding, convert};
pub use self::matching::{KnownPeople, OnRoster, Prepared, mask, preview};
pub use self::template::{TemplateRow, roster_file, template_file};

use crate::day::Day;
use crate::person::{IdentifierKind, PersonForm};

/// Bytes of a file, at most.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Rows of a table with anything in them, at most.
pub const MAX_ROWS: usize = 20_000;
/// Columns of a table, at most.
pub const MAX_COLUMNS: usize = 60;
/// Letters of a cell, at most; longer ones are errors of their row.
const MAX_CELL: usize = 1_000;

/// Why a file as a whole is refused. The texts are shown as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No bytes.
    #[error("Tệp rỗng.")]
    Empty,
    /// Beyond [`MAX_BYTES`], or beyond the bound when unpacked.
    #[error("Tệp quá lớn (nhiều nhất 8 MB, và không được nén quá mức).")]
    TooLarge,
    /// More than [`MAX_ROWS`].
    #[error("Quá nhiều dòng (nhiều nhất 20.000 dòng).")]
    TooManyRows,
    /// More than [`MAX_COLUMNS`].
    #[error("Quá nhiều cột (nhiều nhất 60 cột).")]
    TooManyColumns,
    /// `.xls`, or a workbook with a password.
    #[error("Tệp Excel kiểu cũ (.xls) hoặc có mật khẩu: hãy mở bằng Excel và lưu lại dạng .xlsx.")]
    OldExcel,
    /// A ZIP file that is no workbook.
    #[error("Không phải tệp .xlsx: hãy lưu lại dạng .xlsx hoặc .csv.")]
    NotXlsx,
    /// A web page under another name.
    #[error(
        "Tệp là trang web (HTML), không phải bảng tính: hãy mở bằng Excel và lưu lại dạng .xlsx."
    )]
    Html,
    /// Damaged.
    #[error("Không đọc được tệp: tệp hỏng hoặc chưa tải lên đủ.")]
    Broken,
    /// Binary data.
    #[error("Tệp không phải là bảng: hãy dùng .xlsx hoặc .csv.")]
    NotATable,
    /// Says it is Unicode and is not.
    #[error("Chữ trong tệp không đúng bảng mã: hãy lưu lại dạng UTF-8 hoặc .xlsx.")]
    Encoding,
    /// The letters are no Vietnamese in any code.
    #[error(
        "Không nhận ra bảng mã chữ Việt (không phải Unicode, TCVN3 hay VNI): hãy chuyển tệp sang \
         Unicode rồi nhập lại."
    )]
    Letters,
    /// No heading row.
    #[error("Không tìm thấy dòng tiêu đề có cột Họ và tên: hãy dùng tệp mẫu.")]
    NoHeading,
    /// Headings and nothing below.
    #[error("Không có người nào dưới dòng tiêu đề.")]
    NoRows,
    /// The caller gave up.
    #[error("Đã dừng nhập.")]
    Stopped,
}

/// What an import is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are read.
    Reading,
    /// People are matched.
    Matching,
}

/// Told how far the work is: stage, rows done, rows in all. Answers whether to
/// go on.
pub type OnProgress<'a> = &'a mut dyn FnMut(Stage, u32, u32) -> bool;

struct Progress<'a>(OnProgress<'a>);

impl Progress<'_> {
    fn at(&mut self, stage: Stage, done: u32, total: u32) -> Result<(), Refused> {
        if (self.0)(stage, done, total) {
            Ok(())
        } else {
            Err(Refused::Stopped)
        }
    }
}

/// One row of a file, read and judged by itself. Empty fields of the form mean
/// that the file says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the row in the file, from 1.
    pub line: u32,
    /// What it says of the person; identifiers have no issuer yet.
    pub form: PersonForm,
    /// Note for the roster.
    pub note: String,
    /// Heading, message.
    pub errors: Vec<(String, String)>,
    /// Heading, message.
    pub warnings: Vec<(String, String)>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Name of the file.
    pub file: String,
    /// `xlsx`, `utf8`, `utf16`, `windows1258`, `tcvn3`, `vni`, `8bit`.
    pub encoding: String,
    /// Heading → field, `""` when not used.
    pub columns: Vec<(String, String)>,
    /// Field → heading.
    pub(crate) headings: BTreeMap<String, String>,
    /// Rows in order.
    pub entries: Vec<Entry>,
}

/// What must be looked up before a file can be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Identifiers: sort, value.
    pub identifiers: BTreeSet<(IdentifierKind, String)>,
    /// Names as [`fold_name`] makes them, with days of birth: people who may be
    /// asked about.
    pub names: BTreeSet<(String, Day)>,
    /// Names of units as [`fold_name`] makes them.
    pub units: BTreeSet<String>,
}

impl Sheet {
    /// What must be looked up.
    pub fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for Entry { form, .. } in &self.entries {
            let ids = form.identifiers.iter();
            wanted
                .identifiers
                .extend(ids.map(|id| (id.kind, id.value.clone())));
            if let Some(born) = form.born {
                wanted.names.insert((fold_name(&form.name), born));
            }
            if !form.unit_text.is_empty() {
                wanted.units.insert(fold_name(&form.unit_text));
            }
        }
        wanted
    }
}

/// Reads a roster from the bytes of a file.
///
/// # Errors
/// [`Refused`] when the file as a whole is no roster. Faults of single rows are
/// in their entries.
pub fn read_roster(
    bytes: &[u8],
    file: &str,
    today: Day,
    progress: OnProgress<'_>,
) -> Result<Sheet, Refused> {
    let grids = grid::read(bytes)?;
    rows::read(grids, file, today, &mut Progress(progress))
}
