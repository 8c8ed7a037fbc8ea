//! The workbook people fill in, and a roster in the same form.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, XlsxError,
};

use crate::person::{Gender, IdentifierKind, PersonForm};

/// Heading, width in letters, whether the example and remarks call it needed.
const COLUMNS: [(&str, f64, &str); 12] = [
    ("STT", 6.0, "Số thứ tự; có thể để trống."),
    (
        "Mã định danh",
        22.0,
        "Mã định danh trong cơ sở dữ liệu ngành. Nên có: là căn cứ đầu tiên để nhận ra người học.",
    ),
    (
        "Số định danh cá nhân",
        20.0,
        "12 chữ số, bắt đầu bằng số 0. Không bắt buộc; khi hiển thị được che bớt.",
    ),
    (
        "Mã giáo viên",
        16.0,
        "Số hiệu viên chức, mã giáo viên của địa phương. Không bắt buộc.",
    ),
    ("Họ và tên", 28.0, "Bắt buộc. Chữ Unicode."),
    ("Ngày sinh", 13.0, "Ngày/tháng/năm, ví dụ 06/09/1985."),
    ("Giới tính", 10.0, "Nam hoặc Nữ."),
    ("Chức vụ", 20.0, "Ví dụ: Giáo viên, Tổ trưởng chuyên môn."),
    (
        "Đơn vị công tác",
        34.0,
        "Tên đầy đủ của trường hoặc cơ quan.",
    ),
    ("Điện thoại", 15.0, "Viết cả số 0 ở đầu."),
    ("Email", 28.0, "Để gửi thông báo."),
    ("Ghi chú", 24.0, "Tùy ý."),
];

const EXAMPLE: [&str; 12] = [
    "VD",
    "0100000000",
    "001085000000",
    "GV0001",
    "Nguyễn Thị Hằng (ví dụ)",
    "06/09/1985",
    "Nữ",
    "Giáo viên",
    "Trường THCS Nguyễn Du (ví dụ)",
    "0900000000",
    "hang@example.edu.vn",
    "Dòng ví dụ có STT là VD, không được nhập",
];

const GUIDE: [&str; 7] = [
    "Giữ nguyên dòng tiêu đề; được bỏ bớt cột (trừ Họ và tên) và đổi thứ tự cột.",
    "Mỗi người một dòng. Dòng có STT là VD là ví dụ và không được nhập.",
    "Các cột đã định dạng Văn bản để giữ số 0 ở đầu. Khi dán từ tệp khác, hãy dán giá trị.",
    "Nhập lại tệp lần sau: người có cùng mã định danh được cập nhật, ô để trống không xóa dữ liệu đã có.",
    "Người chỉ trùng họ tên, ngày sinh và đơn vị phải được xác nhận bằng tay.",
    "Tệp dùng phông .VnTime (TCVN3) hoặc VNI được tự động chuyển sang Unicode.",
    "Nhiều nhất 20.000 dòng, 60 cột, 8 MB.",
];

/// One line of a roster in the form of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// Data, identifiers unmasked.
    pub form: PersonForm,
    /// Unit to show.
    pub unit_name: String,
    /// Note.
    pub note: String,
}

/// The template: headings, an example, remarks.
///
/// # Errors
/// When the workbook cannot be written.
pub fn template_file() -> Result<Vec<u8>, XlsxError> {
    file(&[EXAMPLE.map(str::to_owned)])
}

/// A roster in the form of the template; read again it changes nothing.
///
/// # Errors
/// When the workbook cannot be written, such as with a cell of more than 32,767
/// letters.
pub fn roster_file(rows: &[TemplateRow]) -> Result<Vec<u8>, XlsxError> {
    let cells: Vec<[String; 12]> = (1..).zip(rows).map(|(no, row)| cells(no, row)).collect();
    file(&cells)
}

fn cells(no: usize, row: &TemplateRow) -> [String; 12] {
    let form = &row.form;
    let id = |kind: IdentifierKind| {
        let found = form.identifiers.iter().find(|id| id.kind == kind);
        found.map(|id| id.value.clone()).unwrap_or_default()
    };
    let gender = form.gender.map_or("", |gender| match gender {
        Gender::Male => "Nam",
        Gender::Female => "Nữ",
        Gender::Other => "Khác",
    });
    [
        no.to_string(),
        id(IdentifierKind::Sector),
        id(IdentifierKind::Personal),
        id(IdentifierKind::Local),
        form.name.clone(),
        form.born.map(|day| day.slashed()).unwrap_or_default(),
        gender.to_owned(),
        form.position.clone(),
        row.unit_name.clone(),
        form.phone.clone(),
        form.email.clone(),
        row.note.clone(),
    ]
}

fn file(rows: &[[String; 12]]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The same bytes whenever it is made.
    let made = ExcelDateTime::from_ymd(2026, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let base = || {
        Format::new()
            .set_font_name("Times New Roman")
            .set_font_size(12)
    };
    let head = base()
        .set_bold()
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
        .set_border(FormatBorder::Thin)
        .set_background_color(Color::RGB(0x00E8_EEF7));
    let text = base().set_num_format("@");

    let sheet = book.add_worksheet().set_name("Danh sách")?;
    sheet.set_row_height(0, 34)?;
    for (column, (heading, width, _)) in (0_u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
        sheet.set_column_format(column, &text)?;
        sheet.write_string_with_format(0, column, heading, &head)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (line, cells) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            if !cell.is_empty() {
                sheet.write_string_with_format(line, column, cell, &text)?;
            }
        }
    }

    let guide = book.add_worksheet().set_name("Hướng dẫn")?;
    let wrap = base().set_text_wrap().set_align(FormatAlign::Top);
    guide.set_column_width(0, 26)?;
    guide.set_column_width(1, 90)?;
    guide.write_string_with_format(0, 0, "Hướng dẫn nhập danh sách", &base().set_bold())?;
    let mut line = 1;
    for remark in GUIDE {
        guide.write_string_with_format(line, 1, remark, &wrap)?;
        line += 1;
    }
    line += 1;
    for (heading, _, remark) in COLUMNS {
        guide.write_string_with_format(line, 0, heading, &base().set_bold())?;
        guide.write_string_with_format(line, 1, remark, &wrap)?;
        line += 1;
    }
    book.save_to_buffer()
}
