//! A class to show the product with, as pure data: a training class of a Sở with
//! 36 teachers of six schools. Everybody and everything in it is made up: names
//! of schools say *(mẫu)*, identifiers begin with `MAU`, addresses end in
//! `example`.

use crate::class::{ClassForm, ClassKind, GuestPolicy, Plan};
use crate::day::Day;
use crate::person::{Gender, Identifier, IdentifierKind, PersonForm};
use crate::staff::StaffRole;
use crate::unit::UnitId;

/// The six schools.
const SCHOOLS: [&str; 6] = [
    "Trường THCS Hoa Phượng (mẫu)",
    "Trường THCS Sông Xanh (mẫu)",
    "Trường THCS Đồi Thông (mẫu)",
    "Trường TH và THCS Bình Minh (mẫu)",
    "Trường THCS Cánh Buồm (mẫu)",
    "Trường PTDTBT THCS Suối Ngàn (mẫu)",
];

/// Names, six of each school in turn; after the name whether it is a woman.
const PEOPLE: [(&str, bool); 36] = [
    ("Đặng Thị Ái", true),
    ("Nguyễn Văn An", false),
    ("Dương Văn Anh", false),
    ("Phạm Đức Anh", false),
    ("Bùi Thị Ngọc Ánh", true),
    ("Nguyễn Thị Ánh", true),
    ("Đỗ Văn Ân", false),
    ("Lê Thị Ân", true),
    ("Hoàng Quốc Bảo", false),
    ("Trần Thị Bích", true),
    ("Vũ Thanh Bình", false),
    ("Phan Thị Kim Chi", true),
    ("Nguyễn Mạnh Cường", false),
    ("Nguyễn Thị Dung", true),
    ("Nguyễn Văn Dũng", false),
    ("Nguyễn Đức Đạt", false),
    ("Trần Đình Đức", false),
    ("Lương Thị Giang", true),
    ("Hoàng Hà", true),
    ("Vũ Thị Hà", true),
    ("Hồ Thị Hả", true),
    ("Lý Hạ", false),
    ("Đinh Thị Hải", true),
    ("Ngô Thị Hằng", true),
    ("Ngô Thị Hân", true),
    ("Trịnh Minh Hiếu", false),
    ("Cao Thị Thu Hòa", true),
    ("Tạ Quang Huy", false),
    ("Mai Thị Lan", true),
    ("Y Moan Êban", false),
    ("H'Hen Niê", true),
    ("Chu Văn Nghĩa", false),
    ("Kiều Thị Phượng", true),
    ("Lò Văn Thuận", false),
    ("Nguyễn Thị Ý", true),
    ("Nguyễn Thị Yến", true),
];

/// Somebody of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPerson {
    /// Data; the unit is written out, not in the tree.
    pub form: PersonForm,
    /// On the staff as this; absent: a learner.
    pub role: Option<StaffRole>,
}

/// The class of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoClass {
    /// Plan, every field of TT21 Điều 9.1 filled in.
    pub plan: Plan,
    /// Trainer and technician first, then 36 learners.
    pub people: Vec<DemoPerson>,
    /// Titles of its sessions in order.
    pub sessions: Vec<String>,
}

/// A class that begins on `from`, hosted by `host`.
pub fn demo_class(host: &UnitId, from: Day) -> DemoClass {
    let mut people = vec![
        somebody(
            901,
            ("Lê Thị Minh Tâm", true),
            "Giảng viên",
            "Sở Giáo dục và Đào tạo (mẫu)",
            Some(StaffRole::Trainer),
        ),
        somebody(
            902,
            ("Phùng Gia Khánh", false),
            "Chuyên viên CNTT",
            "Sở Giáo dục và Đào tạo (mẫu)",
            Some(StaffRole::Technician),
        ),
    ];
    for (no, name) in (1_u32..).zip(PEOPLE) {
        let school = SCHOOLS
            .into_iter()
            .cycle()
            .nth(no as usize - 1)
            .unwrap_or_default();
        let position = match no {
            1..=6 => "Tổ trưởng chuyên môn",
            _ => "Giáo viên",
        };
        people.push(somebody(no, name, position, school, None));
    }
    DemoClass {
        plan: plan(host, from),
        people,
        sessions: vec![
            "Buổi 1: Dạy học trực tuyến và an toàn trên môi trường mạng".to_owned(),
            "Buổi 2: Thiết kế học liệu số và kiểm tra, đánh giá".to_owned(),
            "Buổi 3: Thực hành theo nhóm và giải đáp".to_owned(),
        ],
    }
}

fn somebody(
    no: u32,
    (name, woman): (&str, bool),
    position: &str,
    unit: &str,
    role: Option<StaffRole>,
) -> DemoPerson {
    // Spread over 30 years, always the same.
    let days = i32::try_from(no * 7_919 % 10_950).unwrap_or_default();
    let born = Day::new(1_966, 1, 15).map(|day| day.plus_days(days)).ok();
    DemoPerson {
        form: PersonForm {
            name: name.to_owned(),
            born,
            gender: Some(if woman { Gender::Female } else { Gender::Male }),
            position: position.to_owned(),
            unit_text: unit.to_owned(),
            email: format!("mau{no:04}@gddt.example"),
            identifiers: vec![Identifier {
                kind: IdentifierKind::Sector,
                issuer: String::new(),
                value: format!("MAU{no:07}"),
            }],
            ..PersonForm::default()
        },
        role,
    }
}

fn plan(host: &UnitId, from: Day) -> Plan {
    Plan {
        title: "Tập huấn ứng dụng CNTT trong dạy học cấp THCS (mẫu)".to_owned(),
        code: "MAU-THCS-01".to_owned(),
        kind: ClassKind::Training,
        host: Some(host.clone()),
        decision_no: "00/QĐ-SGDĐT (mẫu)".to_owned(),
        decision_day: Some(from.plus_days(-40)),
        decision_by: "Sở Giáo dục và Đào tạo (mẫu)".to_owned(),
        plan_no: "00/KH-SGDĐT (mẫu)".to_owned(),
        plan_day: Some(from.plus_days(-30)),
        form: ClassForm::Hybrid,
        from: Some(from),
        to: Some(from.plus_days(2)),
        periods: 12,
        systems: "Phòng học trực tuyến Lophoc; học liệu trên hệ thống LMS của Sở.".to_owned(),
        guide: "Mở liên kết riêng trong thông báo bằng máy tính hoặc điện thoại, kiểm tra loa và micro \
                trước giờ học 15 phút. Trường có điểm cầu thì đầu mối điểm danh tại chỗ."
            .to_owned(),
        exam: "Kiểm tra trắc nghiệm qua mạng cuối khóa.".to_owned(),
        completion: "Dự ít nhất 80% thời lượng và đạt bài kiểm tra từ 5 điểm.".to_owned(),
        guests: GuestPolicy::Wait,
        ..Plan::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_demo_is_complete_made_up_and_always_the_same() {
        let host = UnitId::from("u-sgd-01");
        let from: Day = "2026-09-06".parse().unwrap();
        let demo = demo_class(&host, from);
        assert_eq!(demo, demo_class(&host, from));
        let learners = demo.people.iter().filter(|one| one.role.is_none());
        assert_eq!((demo.people.len(), learners.count()), (38, 36));
        let ids: BTreeSet<&str> = demo
            .people
            .iter()
            .flat_map(|one| &one.form.identifiers)
            .map(|id| id.value.as_str())
            .collect();
        assert_eq!(ids.len(), 38);
        assert!(ids.iter().all(|id| id.starts_with("MAU")));
        let units: BTreeSet<&str> = demo
            .people
            .iter()
            .map(|one| one.form.unit_text.as_str())
            .collect();
        assert_eq!(units.len(), 7);
        assert!(units.iter().all(|unit| unit.ends_with("(mẫu)")));
        assert!(demo.people.iter().all(|one| one.form.born.is_some()));
    }
}
