//! Made-up sheets with the shape of real ones, for tests and samples. The names
//! are put together from common Vietnamese names and mean nobody.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use lophoc_classes::Day;
use lophoc_documents::sheets::{
    AggregateLine, AggregatePeople, AggregateReport, ClassSummary, Context, Delegate,
    DelegateSheet, LearnerLine, Period, PersonInfo, PlanLine, PlanSheet, SessionColumn,
    SessionInfo, SessionMark, SessionOptions, SessionSheet, SiteInfo, SiteSheet, TrainerLine,
    TrainerSheet, UnitSummary, unit_lines,
};
use lophoc_documents::{Document, Export};
use lophoc_ledger::{Adjustment, Change, HallHow, HallMark, PersonKey, Report, Rules, Status};
use serde_json::{Value, json};

/// 7:30 on Sunday 6 September 2026 in Vietnam.
pub const START: u64 = 1_788_654_600_000;
pub const MINUTE: u64 = 60_000;
pub const SITE: &str = "p-diem-cau-nguyen-du";

const SURNAMES: [&str; 12] = [
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô",
];
const MIDDLE: [&str; 9] = [
    "Thị",
    "Văn",
    "Thị Ngọc",
    "Đức",
    "Thị Thanh",
    "Minh",
    "Quốc",
    "Thị Hồng",
    "Xuân",
];
const GIVEN: [&str; 24] = [
    "An", "Ánh", "Bình", "Châu", "Dung", "Dũng", "Đạt", "Đức", "Giang", "Hà", "Hải", "Hằng",
    "Hiền", "Hoa", "Hương", "Khánh", "Lan", "Linh", "Mai", "Nga", "Phương", "Thảo", "Trang", "Yến",
];
pub const SCHOOLS: [&str; 6] = [
    "Trường THCS Nguyễn Du",
    "Trường THCS Lê Quý Đôn",
    "Trường Tiểu học Kim Đồng",
    "Trường THPT chuyên Nguyễn Bỉnh Khiêm",
    "Trung tâm GDNN-GDTX khu vực 2",
    "Trường PTDTBT THCS Trà Leng",
];

pub fn name(i: usize) -> String {
    match i {
        5 => "H'Hen Niê".to_owned(),
        17 => "Y Moan Êban".to_owned(),
        23 => "Tôn Nữ Hoàng Thị Phương Thảo Nguyên".to_owned(),
        _ => format!(
            "{} {} {}",
            SURNAMES[i * 7 % 12],
            MIDDLE[i * 5 % 9],
            GIVEN[i * 11 % 24]
        ),
    }
}

pub fn context(id: &str) -> Context {
    Context {
        parent_unit: Some("Ủy ban nhân dân thành phố Đà Nẵng".to_owned()),
        unit: "Sở Giáo dục và Đào tạo".to_owned(),
        place: Some("Đà Nẵng".to_owned()),
        day: None,
        number: Some("…/DS-SGDĐT".to_owned()),
        recipients: Vec::new(),
        class_title: "Bồi dưỡng sử dụng học liệu số cho giáo viên trung học cơ sở".to_owned(),
        class_code: "THCS-2026-03".to_owned(),
        class_fields: vec![
            ("Nguồn kinh phí".to_owned(), "Chi thường xuyên".to_owned()),
            ("=Mã số".to_owned(), "=1+1".to_owned()),
        ],
        people_fields: vec!["Chức danh nghề nghiệp".to_owned(), "=Cỡ áo".to_owned()],
        plan: Some("Kế hoạch số 05/KH-SGDĐT ngày 01/8/2026 của Sở Giáo dục và Đào tạo".to_owned()),
        signatures: Vec::new(),
        export: Export {
            id: format!("LH-{id}-0001"),
            made_ms: START + 300 * MINUTE,
            version: Some(2),
            check_at: Some("lophoc.example.edu.vn/kiem-tra".to_owned()),
        },
        offset_min: 420,
    }
}

pub fn session() -> SessionInfo {
    SessionInfo {
        stand_ins: vec![],
        recordings: vec![],
        no: 3,
        content: "Thiết kế bài giảng tương tác".to_owned(),
        planned: Some((START, START + 210 * MINUTE)),
        form: "trực tuyến kết hợp trực tiếp".to_owned(),
        room: Some("thcs-2026-03".to_owned()),
        trainers: vec!["Trần Đình Đức".to_owned()],
        advisers: vec!["Lê Thị Ân".to_owned(), "Vũ Thị Hà".to_owned()],
        technicians: vec!["Nguyễn Văn Dũng".to_owned()],
        fields: vec![
            ("Báo cáo viên mời".to_owned(), "TS. Phan Thị Lụa".to_owned()),
            ("@Mã buổi".to_owned(), "=2+2".to_owned()),
        ],
    }
}

fn outcome(status: &str, present: u64, late: bool, early: bool) -> Value {
    let permille = (present * 2_000 + 195 * MINUTE) / (390 * MINUTE);
    json!({"status": status, "presentMs": present, "permille": permille, "late": late,
           "early": early, "enough": permille >= 800})
}

/// A report of `count` expected people, with a few guests.
pub fn report(count: usize) -> Report {
    let mut rows = Vec::new();
    for i in 0..count {
        let (status, from, to) = match i % 20 {
            3 => ("excused", 0, 0),
            11 => ("absent", 0, 0),
            7 => ("online", 14, 210),
            13 => ("online", 0, 185),
            9 | 10 => ("atSite", 0, 210),
            16 => ("inPerson", 0, 210),
            18 => ("online", 40, 150),
            _ => ("online", 0, 210),
        };
        let was_in = to > 0;
        let present = (to - from) * MINUTE - if to - from > 100 { 15 * MINUTE } else { 0 };
        let jitter = (i as u64 * 37) % 50 * 1_000;
        let late = from > 10;
        let early = was_in && to < 200;
        let site = (status == "atSite").then_some(SITE);
        let kind = if matches!(status, "atSite" | "inPerson") {
            "hall"
        } else {
            "online"
        };
        let mut intervals = Vec::new();
        if was_in {
            let (a, b) = (START + from * MINUTE + jitter, START + to * MINUTE);
            if i % 9 == 4 {
                intervals.push(json!({"fromMs": a, "toMs": a + 60 * MINUTE, "kind": kind,
                    "device": "d1", "end": "network"}));
                intervals.push(json!({"fromMs": a + 61 * MINUTE, "toMs": b, "kind": kind,
                    "device": "d1", "end": "ended"}));
            } else {
                intervals.push(json!({"fromMs": a, "toMs": b, "kind": kind, "site": site,
                    "end": if early { "left" } else { "ended" }}));
            }
        }
        let auto = outcome(
            status,
            if was_in { present - jitter } else { 0 },
            late,
            early,
        );
        let adjusted = i == 11 || i == 7;
        let stands = match i {
            11 => outcome("inPerson", 195 * MINUTE, false, false),
            7 => outcome(status, present - jitter, false, early),
            _ => auto.clone(),
        };
        let mut row = json!({
            "person": format!("p{i:05}"), "name": name(i), "unit": SCHOOLS[i % 6],
            "role": "learner", "expected": true, "isSite": false, "intervals": intervals,
            "entries": intervals.len(), "gaps": intervals.len().saturating_sub(1),
            "here": false, "checks": [0, 0], "auto": auto, "stands": stands,
            "adjusted": if adjusted { vec![if i == 11 { 1 } else { 2 }] } else { vec![] },
        });
        if was_in {
            row["firstInMs"] = json!(START + from * MINUTE + jitter);
            row["lastOutMs"] = json!(START + to * MINUTE);
        }
        if let Some(site) = site {
            row["site"] = json!(site);
        }
        if status == "excused" {
            row["excused"] = json!("Công tác theo giấy triệu tập số 12/GTT");
        }
        rows.push(row);
    }
    for (person, name, role) in [
        ("g1", "Đinh Công Hậu", "guest"),
        (SITE, "Điểm cầu Trường THCS Nguyễn Du", "learner"),
        ("t1", "Trần Đình Đức", "trainer"),
    ] {
        rows.push(json!({
            "person": person, "name": name, "role": role, "expected": false, "isSite": person == SITE,
            "intervals": [{"fromMs": START, "toMs": START + 210 * MINUTE, "kind": "online",
                           "end": "ended"}],
            "entries": 1, "gaps": 0, "firstInMs": START, "lastOutMs": START + 210 * MINUTE,
            "here": false, "checks": [0, 0],
            "auto": outcome("online", 195 * MINUTE, false, false),
            "stands": outcome("online", 195 * MINUTE, false, false), "adjusted": [],
        }));
    }
    let with = |status: &str| {
        rows.iter()
            .filter(|r| r["expected"] == true && r["stands"]["status"] == status)
            .count()
    };
    let (online, at_site, in_person) = (with("online"), with("atSite"), with("inPerson"));
    let sum: u64 = rows
        .iter()
        .filter(|r| r["expected"] == true)
        .map(|r| r["stands"]["permille"].as_u64().unwrap())
        .sum();
    let totals = json!({
        "expected": count, "present": online + at_site + in_person, "online": online,
        "atSite": at_site, "inPerson": in_person, "excused": with("excused"),
        "absent": with("absent"), "notTaken": 0, "late": 0, "early": 0,
        "meanPermille": sum.checked_div(count as u64).unwrap_or(0), "guests": 1,
    });
    serde_json::from_value(json!({
        "window": {"fromMs": START, "toMs": START + 210 * MINUTE, "counted": [],
                   "breaks": [{"fromMs": START + 100 * MINUTE, "toMs": START + 115 * MINUTE}],
                   "outages": [], "countedMs": 195 * MINUTE},
        "rules": Rules::default(), "rows": rows, "totals": totals, "ended": true,
    }))
    .unwrap()
}

/// Own fields of a person: none for every third, text that looks like a formula
/// for others.
fn own_fields(i: usize) -> BTreeMap<String, String> {
    if i.is_multiple_of(3) {
        return BTreeMap::new();
    }
    BTreeMap::from([
        (
            "Chức danh nghề nghiệp".to_owned(),
            format!(
                "Giáo viên THCS hạng {}",
                if i.is_multiple_of(2) { "II" } else { "III" }
            ),
        ),
        ("=Cỡ áo".to_owned(), "=1+1".to_owned()),
    ])
}

pub fn people(count: usize) -> BTreeMap<PersonKey, PersonInfo> {
    (0..count)
        .map(|i| {
            let info = PersonInfo {
                code: Some(format!("0{:011}", 48_000_000_000_u64 + i as u64 * 7_919)),
                sort: (i == 5).then(|| "Hen".to_owned()),
                born: Day::new(
                    1_968 + (i % 30) as u16,
                    1 + (i % 12) as u8,
                    1 + (i % 28) as u8,
                )
                .ok(),
                position: Some(
                    if i % 15 == 0 {
                        "Tổ trưởng chuyên môn"
                    } else {
                        "Giáo viên"
                    }
                    .to_owned(),
                ),
                unit: Some(SCHOOLS[i % 6].to_owned()),
                stands_in_for: (i == 12).then(|| "Phạm Đức Anh".to_owned()),
                fields: own_fields(i),
            };
            (PersonKey(format!("p{i:05}")), info)
        })
        .collect()
}

pub fn adjustments() -> Vec<Adjustment> {
    let adjust =
        |no, person: &str, change, was: &str, reason: &str, evidence: Option<&str>| Adjustment {
            no,
            person: PersonKey::from(person),
            change,
            was: was.to_owned(),
            reason: reason.to_owned(),
            evidence: evidence.map(str::to_owned),
            by: PersonKey::from("p-an"),
            by_name: "Lê Thị Ân".to_owned(),
            made_ms: START + 250 * MINUTE,
        };
    vec![
        adjust(
            1,
            "p00011",
            Change::Status {
                to: Status::InPerson,
            },
            "Vắng K",
            "Ngồi tại hội trường, quên điểm danh",
            Some("Danh sách ký giấy số 02"),
        ),
        adjust(
            2,
            "p00007",
            Change::Late { to: false },
            "Đi muộn",
            "Sự cố đường truyền của trường",
            None,
        ),
    ]
}

pub fn session_document(count: usize, options: SessionOptions) -> Document {
    let (context, session) = (context("BUOI3"), session());
    let report = report(count);
    let sites = BTreeMap::from([(
        PersonKey::from(SITE),
        "Điểm cầu Trường THCS Nguyễn Du".to_owned(),
    )]);
    SessionSheet {
        context: &context,
        session: &session,
        report: &report,
        people: &people(count),
        sites: &sites,
        adjustments: &adjustments(),
        options,
    }
    .build()
}

pub fn class_document(count: usize, sessions: usize) -> Document {
    let context = context("LOP");
    let columns: Vec<SessionColumn> = (0..sessions)
        .map(|i| SessionColumn {
            no: i as u32 + 1,
            day: Day::new(2026, 9, 1 + (i % 28) as u8).ok(),
            title: format!("Chuyên đề {}", i + 1),
            counted_ms: 195 * MINUTE,
            counted: true,
        })
        .collect();
    let learners: Vec<LearnerLine> = (0..count)
        .map(|i| {
            let marks: Vec<Option<SessionMark>> = (0..sessions)
                .map(|s| {
                    let status = match (i * 3 + s * 5) % 17 {
                        4 => Status::Excused,
                        9 => Status::Absent,
                        _ => Status::Online,
                    };
                    let late = (i + s) % 13 == 5 && status.is_present();
                    Some(SessionMark {
                        status,
                        late,
                        early: false,
                        present_ms: if status.is_present() { 190 * MINUTE } else { 0 },
                        adjusted: i == 2 && s == 1,
                    })
                })
                .collect();
            let attended = marks
                .iter()
                .flatten()
                .filter(|m| m.status.is_present())
                .count();
            let share = (attended * 1_000 / sessions.max(1)) as u16;
            LearnerLine {
                code: Some(format!("0{:011}", 48_000_000_000_u64 + i as u64 * 7_919)),
                name: name(i),
                unit: Some(SCHOOLS[i % 6].to_owned()),
                fields: own_fields(i),
                marks,
                sessions: sessions as u32,
                attended: attended as u32,
                present_ms: attended as u64 * 190 * MINUTE,
                sessions_permille: share,
                minutes_permille: (u32::from(share) * 190 / 195) as u16,
                eligible: share >= 800,
                ..LearnerLine::default()
            }
        })
        .collect();
    ClassSummary {
        context: &context,
        sessions: &columns,
        learners: &learners,
        rules: &Rules::default(),
        in_minutes: false,
    }
    .build()
}

pub fn unit_document() -> Document {
    let context = context("DONVI");
    let report = report(118);
    let lines = unit_lines(&report, |row| row.unit.clone());
    UnitSummary {
        context: &context,
        session: Some("Buổi 3: Thiết kế bài giảng tương tác"),
        units: &lines,
        rules: &report.rules,
    }
    .build()
}

pub fn site_document() -> Document {
    let context = context("DIEMCAU");
    let (report, session) = (report(118), session());
    let key = PersonKey::from(SITE);
    let hall: Vec<HallMark> = (0..118)
        .filter(|i| matches!(i % 20, 9 | 10))
        .map(|i| HallMark {
            seq: i,
            person: PersonKey(format!("p{i:05}")),
            site: Some(key.clone()),
            on: true,
            how: if i % 20 == 9 {
                HallHow::Qr
            } else {
                HallHow::Contact
            },
            by: key.clone(),
            at_ms: None,
            made_ms: START,
        })
        .collect();
    let sites = BTreeMap::from([
        (
            key,
            SiteInfo {
                name: "Điểm cầu Trường THCS Nguyễn Du".to_owned(),
                contact: Some("Đặng Thị Ái".to_owned()),
                place: Some("Hội trường A".to_owned()),
                expected: 14,
            },
        ),
        (
            PersonKey::from("p-diem-cau-tra-leng"),
            SiteInfo {
                name: "Điểm cầu Trường PTDTBT THCS Trà Leng".to_owned(),
                contact: Some("Hồ Thị Hả".to_owned()),
                place: None,
                expected: 9,
            },
        ),
    ]);
    SiteSheet {
        context: &context,
        session: &session,
        report: &report,
        people: &people(118),
        sites: &sites,
        hall: &hall,
    }
    .build()
}

pub fn delegate_document() -> Document {
    let mut context = context("DAIBIEU");
    context.class_title = String::new();
    context.class_code = String::new();
    context.plan = None;
    context.number = Some("…/DS-BGDĐT".to_owned());
    context.recipients = vec![
        "- Văn phòng Bộ (để báo cáo);".to_owned(),
        "- Các sở giáo dục và đào tạo;".to_owned(),
        "- Lưu: VT, CNTT.".to_owned(),
    ];
    let mut session = session();
    session.no = 0;
    session.content = "Hội nghị trực tuyến triển khai nhiệm vụ năm học 2026-2027".to_owned();
    let provinces = [
        "An Giang",
        "Bắc Ninh",
        "Cà Mau",
        "Cao Bằng",
        "Đắk Lắk",
        "Điện Biên",
        "Đồng Nai",
    ];
    let delegates: Vec<Delegate> = (0..34)
        .map(|i| {
            let province = provinces[i % provinces.len()];
            let status = match i % 12 {
                5 => Status::Excused,
                8 => Status::Absent,
                _ => Status::AtSite,
            };
            let came = status.is_present();
            Delegate {
                name: name(i + 30),
                position: Some("Giám đốc".to_owned()),
                unit: Some(format!("Sở GDĐT {province}")),
                substitute: (i % 7 == 2 && came)
                    .then(|| (name(i + 80), Some("Phó Giám đốc".to_owned()))),
                status,
                site: came.then(|| format!("Điểm cầu {province}")),
                first_in_ms: came.then_some(START + i as u64 * 20_000),
                last_out_ms: came.then_some(START + 150 * MINUTE),
                note: (i % 12 == 5).then(|| "Đi công tác, có văn bản số 118/SGDĐT-VP".to_owned()),
            }
        })
        .collect();
    DelegateSheet {
        context: &context,
        session: &session,
        began_ms: Some(START),
        delegates: &delegates,
    }
    .build()
}

pub fn plan_document() -> Document {
    let context = context("KEHOACH");
    let day = 24 * 60 * MINUTE;
    let lines: Vec<PlanLine> = (0..6_u64)
        .map(|i| {
            let planned = (START + i * day, START + i * day + 210 * MINUTE);
            let held = match i {
                2 => Some((planned.0, planned.1 - 45 * MINUTE)),
                4 => None,
                _ => Some(planned),
            };
            PlanLine {
                no: i as u32 + 1,
                content: format!("Chuyên đề {}: Thiết kế học liệu số", i + 1),
                planned: Some(planned),
                planned_trainers: vec!["Trần Đình Đức".to_owned()],
                held,
                trainers: held
                    .map(|_| "Trần Đình Đức".to_owned())
                    .into_iter()
                    .collect(),
                judgement: match i {
                    2 => "Rút ngắn",
                    4 => "Không tổ chức",
                    _ => "Đúng kế hoạch",
                }
                .to_owned(),
                reason: (i == 4).then(|| "Mưa bão, học viên nghỉ theo công điện".to_owned()),
            }
        })
        .collect();
    PlanSheet {
        context: &context,
        lines: &lines,
    }
    .build()
}

pub fn trainer_document() -> Document {
    let context = context("NGUOIDAY");
    let lines: Vec<TrainerLine> = (0..4_u32)
        .map(|i| TrainerLine {
            code: Some(format!("00{}", 48_090_000_001_u64 + u64::from(i))),
            name: name(i as usize + 40),
            role: if i == 0 {
                "Người dạy"
            } else {
                "Cố vấn học tập"
            }
            .to_owned(),
            unit: Some("Trường Đại học Sư phạm".to_owned()),
            assigned: 6,
            taught: 5,
            punctual: 5 - i % 2,
            live_ms: (1_000 - u64::from(i) * 90) * MINUTE,
            talk_ms: (600 - u64::from(i) * 120) * MINUTE,
            screen_ms: 300 * MINUTE,
            invited: 21,
            hands: 37,
            messages: 1_204,
            materials: Some(8),
            note: (i == 1).then(|| "Thay người dạy buổi 4".to_owned()),
            ..TrainerLine::default()
        })
        .collect();
    TrainerSheet {
        context: &context,
        scope: "Từ ngày 06/9/2026 đến ngày 11/9/2026",
        lines: &lines,
    }
    .build()
}

pub fn aggregate_document() -> Document {
    let mut context = context("TONGHOP");
    context.class_title = String::new();
    context.number = Some("…/BC-SGDĐT".to_owned());
    let people = |names: &[&str]| -> Vec<AggregatePeople> {
        (1_u32..)
            .zip(names)
            .map(|(n, name)| AggregatePeople {
                name: (*name).to_owned(),
                invited: 400 * n,
                attended: 380 * n,
                completed: 350 * n,
            })
            .collect()
    };
    let (from, to) = Period::YearBegin.days(2026).unwrap();
    let lines: Vec<AggregateLine> = (0..12_u32)
        .map(|i| AggregateLine {
            unit: format!("Phường số {}", i + 1),
            code: Some(format!("{:05}", 20_194 + i)),
            level: Some(["Tiểu học", "THCS", "THPT"][i as usize % 3].to_owned()),
            classes: 2 + i % 4,
            sessions: 12 + i,
            held_ms: (12 + u64::from(i)) * 195 * MINUTE,
            invited: 300 + i * 17,
            attended: 280 + i * 16,
            completed: 261 + i * 15,
        })
        .collect();
    AggregateReport {
        context: &context,
        from,
        to,
        period: Some(Period::YearBegin),
        lines: &lines,
        homes: &people(&["Phường số 1", "Phường số 2"]),
        levels: &people(&["Tiểu học", "THCS", "THPT", "Khác"]),
    }
    .build()
}

/// Every sheet, with a name for its files.
pub fn all() -> Vec<(&'static str, Document)> {
    vec![
        (
            "diem-danh",
            session_document(118, SessionOptions::default()),
        ),
        (
            "diem-danh-tach-ten",
            session_document(
                24,
                SessionOptions {
                    split_names: true,
                    without_signatures: false,
                },
            ),
        ),
        ("chuyen-can", class_document(40, 12)),
        ("theo-don-vi", unit_document()),
        ("diem-cau", site_document()),
        ("dai-bieu", delegate_document()),
        ("ke-hoach", plan_document()),
        ("nguoi-day", trainer_document()),
        ("tong-hop", aggregate_document()),
    ]
}
