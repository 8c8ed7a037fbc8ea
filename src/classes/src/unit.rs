//! Organisation units (đơn vị): a tree with dates, two parents, codes.

use lophoc_ledger::fold_name;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::day::Day;
use crate::id;

id!(
    /// Id of a unit.
    UnitId
);

/// Sort of unit. Data, not law: sorts come and go with reforms, so an unknown
/// one is kept as `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum UnitKind {
    /// Bộ.
    Ministry,
    /// Cục, Vụ, Thanh tra, Văn phòng of the Ministry.
    MinistryUnit,
    /// Chương trình, dự án of the Ministry; has no province.
    Project,
    /// Sở GDĐT.
    Department,
    /// Phòng GDĐT, until 30/6/2025.
    DistrictOffice,
    /// UBND xã, phường, đặc khu.
    Commune,
    /// Trường mầm non, tiểu học, THCS, THPT and mixed ones.
    School,
    /// Trung tâm GDTX, GDNN-GDTX.
    Centre,
    /// Đại học, học viện, cao đẳng sư phạm.
    University,
    /// Anything else.
    Other,
}

/// Whether a name or code of the shipped list was checked against a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataCheck {
    /// Checked.
    Verified,
    /// From recall; to be checked before it is relied on.
    Unverified,
    /// Entered by this installation's people.
    Own,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// Id.
    pub id: UnitId,
    /// Sort.
    pub kind: UnitKind,
    /// Tên đầy đủ.
    pub name: String,
    /// Tên viết tắt, as in document numbers (`SGDĐT`).
    #[serde(default)]
    pub short: String,
    /// Administrative parent (for a school: UBND xã).
    #[serde(default)]
    pub parent_admin: Option<UnitId>,
    /// Professional parent (for a school: Sở).
    #[serde(default)]
    pub parent_professional: Option<UnitId>,
    /// Sector code (mã đơn vị).
    #[serde(default)]
    pub sector_code: Option<String>,
    /// Area code: 2 digits province, 5 digits commune (QĐ 19/2025/QĐ-TTg).
    #[serde(default)]
    pub area_code: Option<String>,
    /// Địa danh on documents (`Hà Nội`).
    #[serde(default)]
    pub place: String,
    /// First day of validity.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub valid_from: Option<Day>,
    /// Last day of validity.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub valid_to: Option<Day>,
    /// Unit that took over.
    #[serde(default)]
    pub merged_into: Option<UnitId>,
    /// Lãnh đạo phụ trách.
    #[serde(default)]
    pub leader: String,
    /// Đầu mối CNTT: name, phone.
    #[serde(default)]
    pub contact: String,
    /// Whether the name was checked.
    pub name_check: DataCheck,
    /// Whether the codes were checked.
    pub code_check: DataCheck,
}

impl Unit {
    /// Cấp học of a school, by the words of its name; several with a comma
    /// between. `None` for what is no school, and for names that do not tell.
    pub fn level(&self) -> Option<String> {
        match self.kind {
            UnitKind::School => level_of(&self.name),
            UnitKind::Centre => Some("GDTX".to_owned()),
            UnitKind::University => Some("Đại học, cao đẳng".to_owned()),
            _ => None,
        }
    }
}

/// Cấp học a school's name tells: `Trường TH&THCS Sơn Đông` is two.
pub fn level_of(name: &str) -> Option<String> {
    let folded = fold_name(name);
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|some| some == wanted);
    let levels: Vec<&str> = [
        (
            "Mầm non",
            has(&["mam", "non"]) || has(&["mau", "giao"]) || has(&["nha", "tre"]),
        ),
        ("Tiểu học", has(&["tieu", "hoc"]) || has(&["th"])),
        ("THCS", has(&["thcs"]) || has(&["trung", "hoc", "co", "so"])),
        (
            "THPT",
            has(&["thpt"]) || has(&["trung", "hoc", "pho", "thong"]),
        ),
        ("GDTX", has(&["gdtx"]) || has(&["gdnn"])),
    ]
    .into_iter()
    .filter_map(|(level, is)| is.then_some(level))
    .collect();
    (!levels.is_empty()).then(|| levels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_a_school_is_read_from_its_name() {
        for (name, level) in [
            ("Trường Mầm non Hoa Sen", Some("Mầm non")),
            ("Trường Tiểu học Kim Đồng", Some("Tiểu học")),
            ("Trường TH&THCS Sơn Đông", Some("Tiểu học, THCS")),
            ("THCS Nguyễn Du", Some("THCS")),
            ("Trường Trung học phổ thông Chu Văn An", Some("THPT")),
            ("Trường THCS và THPT Đinh Tiên Hoàng", Some("THCS, THPT")),
            ("Trường Thị xã", None),
            ("", None),
        ] {
            assert_eq!(level_of(name).as_deref(), level, "{name}");
        }
    }
}
