//! The sheets organisers need, built from plain inputs: what stands in which
//! column, in which words, in which order.

mod aggregate;
mod class;
mod delegates;
mod from_ledger;
mod incidents;
mod plan;
mod polls;
mod session;
mod sites;
mod trainers;

use std::collections::BTreeMap;

use lophoc_classes::Day;
use lophoc_ledger::{ClassBy, NameKey, NameOrder, Rules, Status, name_key_in};

use crate::model::{
    Cell, Column, ColumnKind, DATA_SCHEMA, Data, Document, Export, Head, Kind, Orientation, Place,
    Signature, Table,
};
use crate::vi;

pub use aggregate::{AggregateLine, AggregatePeople, AggregateReport, Period};
pub use class::{
    ClassSummary, LearnerLine, SessionColumn, SessionMark, UnitLine, UnitSummary, unit_lines,
};
pub use delegates::{Delegate, DelegateSheet};
pub use from_ledger::{
    SessionName, class_unit_lines, learner_lines, plan_lines, session_columns, trainer_lines,
};
pub use incidents::IncidentSheet;
pub use plan::{PlanLine, PlanSheet};
pub use polls::PollSheet;
pub use session::{SessionInfo, SessionOptions, SessionSheet};
pub use sites::{SiteInfo, SiteSheet};
pub use trainers::{TrainerLine, TrainerSheet};

/// What every sheet of a class shares.
#[derive(Debug, Clone)]
pub struct Context {
    /// Cơ quan chủ quản.
    pub parent_unit: Option<String>,
    /// Đơn vị chủ trì.
    pub unit: String,
    /// Địa danh.
    pub place: Option<String>,
    /// Day of the document; the day of the export when absent.
    pub day: Option<Day>,
    /// Số, ký hiệu.
    pub number: Option<String>,
    /// Nơi nhận.
    pub recipients: Vec<String>,
    /// Name of the class.
    pub class_title: String,
    /// Its code.
    pub class_code: String,
    /// Own fields of the class (TT 21/2017 Điều 5.1.đ): name and value, printed
    /// under its name.
    pub class_fields: Vec<(String, String)>,
    /// Names of own fields of people: columns after the unit.
    pub people_fields: Vec<String>,
    /// Plan it is held by: `Kế hoạch số 05/KH-SGDĐT ngày 01/8/2026 của …`.
    pub plan: Option<String>,
    /// Places to sign; the usual three when empty.
    pub signatures: Vec<Signature>,
    /// Which export.
    pub export: Export,
    /// Offset from UTC of the times shown, minutes.
    pub offset_min: i32,
}

/// What is known of a person beside the attendance.
#[derive(Debug, Clone, Default)]
pub struct PersonInfo {
    /// Mã định danh.
    pub code: Option<String>,
    /// Explicit key to sort by instead of the given name.
    pub sort: Option<String>,
    /// Ngày sinh.
    pub born: Option<Day>,
    /// Chức vụ.
    pub position: Option<String>,
    /// Đơn vị công tác.
    pub unit: Option<String>,
    /// Whose place the person takes (dự thay): the invited one's name.
    pub stands_in_for: Option<String>,
    /// Own fields by name.
    pub fields: BTreeMap<String, String>,
}

impl Context {
    /// A document of this class; the first table of `tables` is the sheet.
    pub(crate) fn document(
        &self,
        kind: Kind,
        title: &str,
        subtitle: Vec<String>,
        tables: Vec<Table>,
        foot: Vec<String>,
        rules: Vec<String>,
    ) -> Document {
        let signatures = if self.signatures.is_empty() {
            usual_signatures(kind)
        } else {
            self.signatures.clone()
        };
        Document {
            data: Data {
                schema: DATA_SCHEMA.to_owned(),
                kind,
                unit: self.unit.clone(),
                title: title.to_owned(),
                subtitle,
                offset_min: self.offset_min,
                tables,
                foot,
                rules,
            },
            head: Head {
                parent_unit: self.parent_unit.clone(),
                place: self.place.clone(),
                day: self
                    .day
                    .or_else(|| vi::day_of(self.export.made_ms, self.offset_min)),
                number: self.number.clone(),
            },
            signatures,
            recipients: self.recipients.clone(),
            export: self.export.clone(),
            orientation: Orientation::Fitting,
        }
    }

    /// First lines under the title: the class, and its own fields.
    pub(crate) fn class_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.class_title.is_empty() {
            let mut line = format!("Lớp tập huấn: {}", self.class_title);
            if !self.class_code.is_empty() {
                line.push_str(&format!(" · Mã lớp: {}", self.class_code));
            }
            lines.push(line);
        }
        lines.extend(
            self.class_fields
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines
    }

    /// The columns of own fields of people.
    pub(crate) fn person_columns(&self) -> impl Iterator<Item = Column> + '_ {
        self.people_fields
            .iter()
            .map(|name| Column::new(name.as_str(), ColumnKind::Text))
    }

    /// The cells in them.
    pub(crate) fn person_cells<'a>(
        &'a self,
        fields: Option<&'a BTreeMap<String, String>>,
    ) -> impl Iterator<Item = Cell> + 'a {
        self.people_fields.iter().map(move |name| {
            Cell::maybe(
                fields
                    .and_then(|fields| fields.get(name))
                    .map(String::as_str),
            )
        })
    }

    pub(crate) fn plan_line(&self) -> Option<String> {
        self.plan.as_ref().map(|plan| format!("(Kèm theo {plan})"))
    }
}

/// `(Ký, ghi rõ họ tên)` under each post.
fn usual_signatures(kind: Kind) -> Vec<Signature> {
    let posts: &[&str] = match kind {
        Kind::Session => &[
            "NGƯỜI LẬP BIỂU",
            "NGƯỜI DẠY/BÁO CÁO VIÊN",
            "THỦ TRƯỞNG ĐƠN VỊ",
        ],
        Kind::Delegates | Kind::Sites => &["THƯ KÝ", "TM. BAN TỔ CHỨC"],
        _ => &["NGƯỜI LẬP BIỂU", "THỦ TRƯỞNG ĐƠN VỊ"],
    };
    posts
        .iter()
        .map(|post| Signature {
            title: (*post).to_owned(),
            note: if post.starts_with("THỦ") || post.starts_with("TM.") {
                "(Ký, đóng dấu, ghi rõ họ tên)"
            } else {
                "(Ký, ghi rõ họ tên)"
            }
            .to_owned(),
            name: None,
        })
        .collect()
}

/// Key to order people by: the explicit key, else the given name.
pub(crate) fn order(name: &str, sort: Option<&str>) -> NameKey {
    name_key_in(NameOrder::default(), name, sort)
}

/// Họ và tên đệm, Tên: the given name is the last word.
pub(crate) fn split_name(name: &str) -> (&str, &str) {
    name.trim()
        .rsplit_once(char::is_whitespace)
        .map_or(("", name.trim()), |(before, given)| {
            (before.trim_end(), given)
        })
}

/// Số thứ tự.
pub(crate) fn no_column() -> Column {
    Column::new("STT", ColumnKind::Count)
}

/// A status, as the sheet names where somebody was.
pub(crate) fn form_name(status: Status) -> &'static str {
    match status {
        Status::Online => "Trực tuyến",
        Status::AtSite => "Tại điểm cầu",
        Status::InPerson => "Trực tiếp",
        Status::NotTaken | Status::Excused | Status::Absent => "",
    }
}

/// A result, as the sheet names it.
pub(crate) fn result_name(status: Status, late: bool, early: bool) -> &'static str {
    match (status, late, early) {
        (Status::NotTaken, ..) => "Chưa điểm danh",
        (Status::Excused, ..) => "Vắng P",
        (Status::Absent, ..) => "Vắng K",
        (_, true, true) => "Đi muộn, về sớm",
        (_, true, false) => "Đi muộn",
        (_, false, true) => "Về sớm",
        _ => "Có mặt",
    }
}

/// A result as a mark: x, P, K, M, S.
pub(crate) fn result_code(status: Status, late: bool, early: bool) -> &'static str {
    match (status, late, early) {
        (Status::NotTaken, ..) => "",
        (Status::Excused, ..) => "P",
        (Status::Absent, ..) => "K",
        (_, true, true) => "MS",
        (_, true, false) => "M",
        (_, false, true) => "S",
        _ => "x",
    }
}

/// Meaning of the marks.
pub(crate) fn codes() -> Table {
    let mut table = Table::new(
        "Ký hiệu",
        Place::Codes,
        vec![
            Column::new("Ký hiệu", ColumnKind::Code),
            Column::new("Ý nghĩa", ColumnKind::Text),
        ],
    );
    table.rows = [
        ("x", "Có mặt"),
        ("M", "Có mặt, đi muộn"),
        ("S", "Có mặt, về sớm"),
        ("MS", "Có mặt, đi muộn và về sớm"),
        ("P", "Vắng có phép"),
        ("K", "Vắng không phép"),
        ("*", "Giá trị đã điều chỉnh, xem danh sách điều chỉnh"),
        (
            "Trực tuyến",
            "Có mặt trực tuyến: tham gia bằng kết nối của mình",
        ),
        (
            "Tại điểm cầu",
            "Có mặt tại điểm cầu: dự chung một kết nối, được đầu mối hoặc mã QR xác nhận",
        ),
        (
            "Trực tiếp",
            "Có mặt trực tiếp: cùng hội trường với người dạy",
        ),
    ]
    .into_iter()
    .map(|(mark, meaning)| vec![Cell::text(mark), Cell::text(meaning)])
    .collect();
    table
}

/// A length of time in words: `10 phút`, `90 giây`.
fn length(ms: u64) -> String {
    if ms.is_multiple_of(60_000) && ms > 0 {
        format!("{} phút", vi::counted(ms / 60_000))
    } else {
        format!("{} giây", vi::counted(ms / 1_000))
    }
}

/// The counting rules of a session, as sentences.
pub(crate) fn session_rules(rules: &Rules) -> Vec<String> {
    let mut sentences = vec![
        "Thời gian có mặt tính trong thời gian buổi học, trừ giờ nghỉ đã thông báo; không tính lúc \
         chạy thử và lúc ở phòng chờ; nhiều thiết bị cùng lúc tính một lần."
            .to_owned(),
    ];
    if rules.grace_ms > 0 {
        sentences.push(format!(
            "Gián đoạn ngắn hơn {} được nối liền và tính là có mặt.",
            length(rules.grace_ms)
        ));
    } else {
        sentences.push("Mọi gián đoạn đều bị trừ.".to_owned());
    }
    sentences.push(format!(
        "Đi muộn: vào sau giờ bắt đầu quá {}; về sớm: ra trước giờ kết thúc quá {}.",
        length(rules.late_ms),
        length(rules.early_ms)
    ));
    sentences.push(format!(
        "Đạt buổi học khi tỷ lệ tham dự từ {} trở lên (theo kế hoạch lớp).",
        vi::percent(u32::from(rules.session_permille))
    ));
    sentences.push(
        if rules.count_outages {
            "Thời gian máy chủ gián đoạn vẫn tính vào thời gian buổi học."
        } else {
            "Thời gian máy chủ gián đoạn không tính vào thời gian buổi học."
        }
        .to_owned(),
    );
    sentences
}

/// The rule of the class, as a sentence.
pub(crate) fn class_rule(rules: &Rules) -> String {
    let of = match rules.class_by {
        ClassBy::Minutes => "tổng thời gian các buổi được tính",
        ClassBy::Sessions => "số buổi được tính",
    };
    format!(
        "Đủ điều kiện khi tham dự từ {} {of} trở lên (theo kế hoạch lớp).",
        vi::percent(u32::from(rules.class_permille))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of names in their order: given name, then what stands before.
    const NAMES: [&str; 22] = [
        "Đặng Thị Ái",
        "Nguyễn Văn An",
        "Dương Văn Anh",
        "Phạm Đức Anh",
        "Bùi Thị Ngọc Ánh",
        "Nguyễn Thị Ánh",
        "Trần Thị Ánh",
        "Đỗ Văn Ân",
        "Lê Thị Ân",
        "Nguyễn Thị Dung",
        "Nguyễn Văn Dũng",
        "Nguyễn Đức Đạt",
        "Trần Đình Đức",
        "Hoàng Hà",
        "Vũ Thị Hà",
        "Hồ Thị Hả",
        "Lý Hạ",
        "Đinh Thị Hải",
        "Ngô Thị Hằng",
        "Ngô Thị Hân",
        "Nguyễn Thị Ý",
        "Nguyễn Thị Yến",
    ];

    #[test]
    fn people_stand_in_the_order_of_given_names() {
        let mut names = NAMES;
        names.reverse();
        names.sort_by_key(|name| order(name, None));
        assert_eq!(names, NAMES);
        // The clan comes last in these names; an explicit key stands in for it.
        assert!(order("H'Hen Niê", Some("Hen")) < order("Lý Hiền", None));
        assert!(order("H'Hen Niê", None) > order("Lý Hiền", None));
    }

    #[test]
    fn names_split_before_the_given_name() {
        assert_eq!(split_name("Nguyễn Thị Ánh"), ("Nguyễn Thị", "Ánh"));
        assert_eq!(split_name(" Ánh "), ("", "Ánh"));
        assert_eq!(split_name(""), ("", ""));
    }

    #[test]
    fn rules_read_as_sentences() {
        let rules = Rules {
            grace_ms: 90_000,
            ..Rules::default()
        };
        let text = session_rules(&rules).join(" ");
        assert!(text.contains("Gián đoạn ngắn hơn 90 giây"), "{text}");
        assert!(text.contains("quá 10 phút; về sớm"), "{text}");
        assert!(text.contains("từ 80,0% trở lên"), "{text}");
        assert!(class_rule(&rules).contains("tổng thời gian"));
    }
}
