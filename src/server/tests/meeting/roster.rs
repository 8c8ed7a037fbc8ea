//! Who is invited, and the workbooks the organiser sends.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::server::{Answer, Caller};

/// A line of a workbook.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    /// Mã định danh, leading zeros and all.
    pub code: String,
    pub position: &'static str,
    pub unit: String,
}

/// A Sở: id and names of its unit.
#[derive(Debug, Clone)]
pub struct Department {
    pub id: String,
    pub name: String,
    /// Name of its site.
    pub site: String,
}

impl Department {
    pub fn new(unit: &Value) -> Self {
        let text = |field: &str| unit[field].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            name: text("name"),
            site: format!("Điểm cầu Sở GDĐT {}", text("place")),
        }
    }
}

/// The people of three halls and three who come one by one.
pub struct Invited {
    /// Two of them of a school below the Sở.
    pub ha_noi: Vec<Line>,
    pub lao_cai: Vec<Line>,
    pub da_nang: Vec<Line>,
    /// Online with an own link; excused; in the chair's hall.
    pub single: Vec<Line>,
}

pub const SCHOOL: &str = "Trường THPT Bờ Hồ";

const FAMILY: [&str; 6] = ["Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Vũ"];
const MIDDLE: [&str; 3] = ["Thị", "Văn", "Đức"];
const GIVEN: [&str; 6] = ["An", "Ánh", "Bình", "Đạt", "Hằng", "Yến"];

/// Another name for each number below 108.
fn name(no: usize) -> String {
    let family = FAMILY[no % 6];
    let middle = MIDDLE[no / 6 % 3];
    let given = GIVEN[no / 18 % 6];
    format!("{family} {middle} {given}")
}

impl Invited {
    pub fn new(ha_noi: &str, lao_cai: &str, da_nang: &str) -> Self {
        let mut no = 0;
        let mut hall = |count: usize, area: &str, unit: &str| -> Vec<Line> {
            (0..count)
                .map(|at| {
                    no += 1;
                    Line {
                        name: name(no * 5 % 108),
                        code: format!("00{area}{at:06}"),
                        position: if at == 0 {
                            "Giám đốc Sở"
                        } else {
                            "Chuyên viên"
                        },
                        unit: unit.to_owned(),
                    }
                })
                .collect()
        };
        let mut own = hall(12, "01", ha_noi);
        for line in &mut own[10..] {
            line.unit = SCHOOL.to_owned();
            line.position = "Hiệu trưởng";
        }
        Self {
            ha_noi: own,
            lao_cai: hall(12, "15", lao_cai),
            da_nang: hall(6, "48", da_nang),
            single: hall(3, "00", "Bộ Giáo dục và Đào tạo"),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Line> {
        [&self.ha_noi, &self.lao_cai, &self.da_nang, &self.single]
            .into_iter()
            .flatten()
    }
}

/// The sites of all Sở.
pub fn sites(departments: &[Department]) -> Vec<Line> {
    departments
        .iter()
        .zip(0..)
        .map(|(department, at)| Line {
            name: department.site.clone(),
            code: format!("DC-{at:04}"),
            position: "",
            unit: department.name.clone(),
        })
        .collect()
}

/// A workbook as people write it: a title, a heading, text cells.
pub fn workbook<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "DANH SÁCH THÀNH PHẦN DỰ HỌP").unwrap();
    for (column, heading) in [
        "STT",
        "Mã định danh",
        "Họ và tên",
        "Chức vụ",
        "Đơn vị công tác",
    ]
    .iter()
    .enumerate()
    {
        sheet
            .write(2, u16::try_from(column).unwrap(), *heading)
            .unwrap();
    }
    for (row, line) in (3_u32..).zip(lines) {
        sheet.write(row, 0, f64::from(row - 2)).unwrap();
        for (column, text) in [line.code.as_str(), &line.name, line.position, &line.unit]
            .into_iter()
            .enumerate()
        {
            let column = u16::try_from(column + 1).unwrap();
            sheet.write_string(row, column, text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// Sends a workbook and waits for the preview: the job.
pub async fn send(organiser: &Caller, class: &str, file: &str, bytes: &[u8]) -> Value {
    let path = format!("/api/v1/classes/{class}/imports?file={file}");
    let kind = "application/octet-stream";
    let answer = organiser.call("POST", &path, kind, bytes).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    for _ in 0..300 {
        let job = organiser.get_ok(&format!("/imports/{id}")).await;
        match job["phase"].as_str().unwrap() {
            "ready" => return job,
            "reading" | "matching" => {}
            _ => panic!("{job}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the file is not read");
}

pub async fn apply(organiser: &Caller, job: &Value, sites: bool) -> Answer {
    let path = format!("/imports/{}/apply", job["id"].as_str().unwrap());
    organiser.post(&path, &json!({"sites": sites})).await
}
