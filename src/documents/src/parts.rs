//! Lines every printed format has in common.

use crate::model::Sealed;
use crate::vi;

/// Quốc hiệu.
pub const NATION: &str = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM";
/// Tiêu ngữ.
pub const MOTTO: &str = "Độc lập - Tự do - Hạnh phúc";
/// Label of the recipients.
pub const RECIPIENTS: &str = "Nơi nhận:";
/// Label of the counting rules.
pub const RULES: &str = "Quy tắc tính:";
/// In front of the id of an export, wherever it is printed.
pub const FILE_ID: &str = "Mã tệp:";

/// Place and day; blanks to fill by hand where nothing is known.
pub fn place_and_day(sheet: &Sealed) -> String {
    let head = &sheet.document().head;
    let day = head
        .day
        .map_or_else(|| "ngày … tháng … năm ……".to_owned(), vi::long_day);
    match head.place.as_deref() {
        Some(place) if !place.is_empty() => format!("{place}, {day}"),
        _ => format!("………, {day}"),
    }
}

/// `Số: …/DS-SGDĐT`, when the document has a number.
pub fn number(sheet: &Sealed) -> Option<String> {
    let number = sheet.document().head.number.as_deref()?;
    Some(format!("Số: {number}"))
}

/// The version as words.
pub fn version(sheet: &Sealed) -> String {
    match sheet.document().export.version {
        Some(no) => format!("bản chốt số {}", vi::counted(u64::from(no))),
        None => "bản chưa chốt".to_owned(),
    }
}

/// The lines in small print at the end.
pub fn small_print(sheet: &Sealed) -> Vec<String> {
    let export = &sheet.document().export;
    let offset = sheet.data().offset_min;
    let zone = if offset == vi::VIETNAM_MIN {
        "UTC+7, giờ Việt Nam".to_owned()
    } else {
        vi::zone(offset)
    };
    let mut lines = vec![
        format!(
            "Xuất lúc {} ({zone}); {}. {FILE_ID} {}",
            vi::full_time(export.made_ms, offset),
            version(sheet),
            export.id
        ),
        format!("SHA-256 của dữ liệu: {}", sheet.data_sha256()),
    ];
    if let Some(address) = export.check_at.as_deref().filter(|text| !text.is_empty()) {
        lines.push(format!("Kiểm tra tệp tại: {address}"));
    }
    lines
}
