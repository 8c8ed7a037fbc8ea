//! People and their identifiers (domain: 2.5).

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::day::Day;
use crate::unit::UnitId;

/// Sort of identifier, in matching order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum IdentifierKind {
    /// Mã định danh trong CSDL ngành. Text of up to 32 characters, immutable.
    Sector,
    /// Số định danh cá nhân, 12 digits. Shown masked, never in addresses or logs.
    Personal,
    /// Anything local: số hiệu viên chức, mã giáo viên, student number.
    Local,
}

/// An identifier of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identifier {
    /// Sort.
    pub kind: IdentifierKind,
    /// Who issued it (`moet`, a province's code, a school); `""` for the usual
    /// issuer of its sort.
    #[serde(default)]
    pub issuer: String,
    /// The value, leading zeros kept. Masked (`0012******34`) in answers for
    /// `personal`.
    pub value: String,
}

/// Sex as rosters state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Gender {
    /// Nam.
    Male,
    /// Nữ.
    Female,
    /// Khác.
    Other,
}

/// What can be entered of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PersonForm {
    /// Họ và tên, NFC.
    pub name: String,
    /// Explicit key to sort by (names of minorities); absent = given name.
    pub sort: Option<String>,
    /// Ngày sinh.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub born: Option<Day>,
    /// Giới tính.
    pub gender: Option<Gender>,
    /// Chức vụ.
    pub position: String,
    /// Đơn vị công tác in the tree.
    pub unit: Option<UnitId>,
    /// Đơn vị công tác as written, when it is not in the tree or differs.
    pub unit_text: String,
    /// Điện thoại.
    pub phone: String,
    /// Email.
    pub email: String,
    /// Is a pupil (minor): cannot rename himself, guardian is informed.
    pub pupil: bool,
    /// Guardian: name, phone or e-mail.
    pub guardian: String,
    /// Học hàm, học vị.
    pub degree: String,
    /// Identifiers.
    pub identifiers: Vec<Identifier>,
    /// Own fields: name and value, in order. A class names those that are columns
    /// of its sheets.
    pub custom: Vec<(String, String)>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Id, for life.
    pub id: PersonKey,
    /// The rest.
    #[serde(flatten)]
    pub form: PersonForm,
    /// Unit to show: `unit_text`, else the full name of `unit`.
    pub unit_name: String,
}
