//! The heading row: which column is which field.

use lophoc_ledger::fold_name;

use super::grid::{Cell, Grid, Value};

/// A field of a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    No,
    Sector,
    Personal,
    Local,
    Name,
    Rest,
    Given,
    Born,
    Gender,
    Position,
    Unit,
    Phone,
    Email,
    Note,
}

impl Field {
    /// Name in answers; the running number is of no use to anybody.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Sector => "sector",
            Self::Personal => "personal",
            Self::Local => "local",
            Self::Name => "name",
            Self::Rest => "rest",
            Self::Given => "given",
            Self::Born => "born",
            Self::Gender => "gender",
            Self::Position => "position",
            Self::Unit => "unit",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Note => "note",
        }
    }
}

/// Whole headings, folded.
const EXACT: [(Field, &str); 14] = [
    (Field::No, "stt tt so tt|so thu tu|no|stt|tt"),
    (
        Field::Sector,
        "ma csdl|ma csdl nganh|ma bo gddt|ma so csdl nganh|sector id|ma dd",
    ),
    (
        Field::Personal,
        "cccd|so cccd|cccd cmnd|cmnd cccd|so cmnd cccd|so cccd cmnd|can cuoc|so can cuoc|the can cuoc|\
         so the can cuoc|can cuoc cong dan|so can cuoc cong dan|so dinh danh|sdd ca nhan|cmnd|so cmnd",
    ),
    (
        Field::Local,
        "ma giao vien|ma gv|so hieu|so hieu gv|ma cong chuc|ma vien chuc|ma can bo|ma cb|ma nhan vien|\
         ma nv|ma hoc vien|ma hv|ma hoc sinh|ma hs|ma so|ma nguoi hoc|ma so giao vien",
    ),
    (
        Field::Name,
        "ho ten|ho va ten|ho & ten|hoten|full name|ten day du|ten nguoi hoc|ten hoc vien|ten giao vien",
    ),
    (
        Field::Rest,
        "ho|ho dem|ho va dem|ho lot|ho va chu lot|ho chu lot|ho va ten lot|ho ten lot|ho va chu dem",
    ),
    (Field::Given, "ten|given name"),
    (
        Field::Born,
        "ngay sinh|sinh ngay|nam sinh|ngay thang nam sinh|ngay thang sinh|ngay nam sinh|date of birth",
    ),
    (Field::Gender, "gioi tinh|gioi|gt|nam nu|phai|gender"),
    (
        Field::Position,
        "chuc vu|chuc danh|chuc vu chuc danh|vi tri|vi tri viec lam|chuc vu cong tac|nhiem vu",
    ),
    (
        Field::Unit,
        "don vi|truong|don vi truong|truong don vi|co quan|co quan don vi|ten truong|ten don vi|noi lam viec|\
         workplace",
    ),
    (
        Field::Phone,
        "dien thoai|dt|sdt|so dt|so dien thoai|di dong|dtdd|dt di dong|dien thoai di dong|phone",
    ),
    (
        Field::Email,
        "email|e mail|mail|thu dien tu|hop thu|hop thu dien tu",
    ),
    (Field::Note, "ghi chu|luu y|note"),
];

/// Beginnings of headings, folded, tried in order after the whole ones.
const PREFIX: [(Field, &str); 24] = [
    (Field::Personal, "ma dinh danh ca nhan"),
    (Field::Personal, "so dinh danh ca nhan"),
    (Field::Personal, "dinh danh ca nhan"),
    (Field::Personal, "so cccd"),
    (Field::Personal, "cccd"),
    (Field::Personal, "so can cuoc"),
    (Field::Personal, "can cuoc"),
    (Field::Sector, "ma dinh danh"),
    (Field::Sector, "ma so dinh danh"),
    (Field::Sector, "dinh danh nganh"),
    (Field::Local, "so hieu"),
    (Field::Local, "ma giao vien"),
    (Field::Local, "ma gv"),
    (Field::Rest, "ho va ten dem"),
    (Field::Rest, "ho ten dem"),
    (Field::Rest, "ho dem"),
    (Field::Name, "ho va ten"),
    (Field::Name, "ho ten"),
    (Field::Born, "ngay sinh"),
    (Field::Born, "ngay thang nam sinh"),
    (Field::Unit, "don vi cong tac"),
    (Field::Unit, "noi cong tac"),
    (Field::Phone, "so dien thoai"),
    (Field::Email, "dia chi email"),
];

/// The field of a heading, if it is one.
pub(super) fn field(heading: &str) -> Option<Field> {
    let folded: String = fold_name(heading)
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let words: Vec<&str> = folded.split_whitespace().collect();
    let key = words.join(" ");
    // Sentences are no headings.
    if key.is_empty() || words.len() > 14 {
        return None;
    }
    let exact = EXACT
        .iter()
        .find(|(_, names)| names.split('|').any(|name| name.trim() == key))
        .map(|(field, _)| *field);
    exact.or_else(|| {
        let starts = |prefix: &str| {
            key.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        PREFIX
            .iter()
            .find(|(_, prefix)| starts(prefix))
            .map(|(field, _)| *field)
    })
}

/// What was found out about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Place of the heading row among the rows of the grid.
    pub row: usize,
    /// Per column: heading as written, field.
    pub columns: Vec<(String, Option<Field>)>,
}

impl Layout {
    pub fn column(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|(_, of)| *of == Some(field))
    }

    /// The heading of a field's column; its usual name when there is none.
    pub fn heading(&self, field: Field) -> &str {
        self.column(field)
            .and_then(|column| self.columns.get(column))
            .map_or("", |(heading, _)| heading.as_str())
    }
}

/// Rows from the top in which the headings are looked for.
const LOOKED_AT: usize = 60;

/// Finds the heading row: the one with the most fields, a name among them.
pub(super) fn find(grid: &Grid) -> Option<Layout> {
    let mut best: Option<(usize, Layout)> = None;
    for (row, (_, cells)) in grid.rows.iter().enumerate().take(LOOKED_AT) {
        let layout = layout(row, cells);
        let fields = layout.columns.iter().filter(|(_, of)| of.is_some()).count();
        let named = layout.column(Field::Name).is_some()
            || layout.column(Field::Rest).is_some() && layout.column(Field::Given).is_some();
        if named && fields >= 2 && best.as_ref().is_none_or(|(most, _)| fields > *most) {
            best = Some((fields, layout));
        }
    }
    let (_, mut layout) = best?;
    split_name(grid, &mut layout);
    Some(layout)
}

fn layout(row: usize, cells: &[Cell]) -> Layout {
    let mut columns: Vec<(String, Option<Field>)> = Vec::with_capacity(cells.len());
    for cell in cells {
        let heading = match &cell.value {
            Value::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => String::new(),
        };
        // The first column of a field counts.
        let of = field(&heading).filter(|of| columns.iter().all(|(_, had)| *had != Some(*of)));
        columns.push((heading, of));
    }
    Layout { row, columns }
}

/// One heading over two columns, family name and given name, is common.
fn split_name(grid: &Grid, layout: &mut Layout) {
    let Some(name) = layout.column(Field::Name) else {
        return;
    };
    if layout.column(Field::Rest).is_some() || layout.column(Field::Given).is_some() {
        return;
    }
    let unnamed = layout
        .columns
        .get(name + 1)
        .is_none_or(|(heading, _)| heading.is_empty());
    if !unnamed {
        return;
    }
    let is_text = |cells: &[Cell], column: usize| matches!(cells.get(column).map(|cell| &cell.value), Some(Value::Text(text)) if !text.trim().is_empty());
    let below = grid.rows.iter().skip(layout.row + 1).take(500);
    let named: Vec<&Vec<Cell>> = below
        .map(|(_, cells)| cells)
        .filter(|cells| is_text(cells, name))
        .collect();
    let both = named
        .iter()
        .filter(|cells| is_text(cells, name + 1))
        .count();
    if both > 0 && both * 5 >= named.len() * 4 {
        let heading = layout.heading(Field::Name).to_owned();
        if let Some(column) = layout.columns.get_mut(name) {
            column.1 = Some(Field::Rest);
        }
        if layout.columns.len() <= name + 1 {
            layout.columns.push((String::new(), None));
        }
        if let Some(column) = layout.columns.get_mut(name + 1) {
            *column = (heading, Some(Field::Given));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_with_and_without_marks_and_remarks() {
        for (heading, expected) in [
            ("STT", Field::No),
            ("Mã định danh", Field::Sector),
            ("Mã định danh Bộ GD&ĐT", Field::Sector),
            ("MA DINH DANH (CSDL ngành)", Field::Sector),
            ("Mã định danh cá nhân", Field::Personal),
            ("Số CCCD/Số định danh cá nhân", Field::Personal),
            ("Số định danh cá nhân\n(12 số)", Field::Personal),
            ("Mã giáo viên/số hiệu", Field::Local),
            ("Số hiệu viên chức", Field::Local),
            ("Họ và tên", Field::Name),
            ("HỌ VÀ TÊN HỌC VIÊN", Field::Name),
            ("ho ten", Field::Name),
            ("Họ và tên đệm", Field::Rest),
            ("Họ đệm", Field::Rest),
            ("Họ", Field::Rest),
            ("Tên", Field::Given),
            ("Ngày, tháng, năm sinh", Field::Born),
            ("Ngày sinh (dd/mm/yyyy)", Field::Born),
            ("Giới tính", Field::Gender),
            ("Nam/Nữ", Field::Gender),
            ("Chức vụ", Field::Position),
            ("Đơn vị công tác", Field::Unit),
            ("Trường", Field::Unit),
            ("Số ĐT", Field::Phone),
            ("Điện thoại", Field::Phone),
            ("E-mail", Field::Email),
            ("Ghi chú", Field::Note),
        ] {
            assert_eq!(field(heading), Some(expected), "{heading}");
        }
        for heading in ["", "Cộng hòa xã hội", "1", "Hộ khẩu", "Tên lớp", "Họp"] {
            assert_eq!(field(heading), None, "{heading}");
        }
    }
}
