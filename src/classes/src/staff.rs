//! Staff of a class or of one session (TT21 Điều 8).

use lophoc_ledger::{PersonKey, SessionKey};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Role of a staff member.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum StaffRole {
    /// Ban tổ chức.
    Organiser,
    /// Chủ trì, chủ tọa.
    Chair,
    /// Người dạy, báo cáo viên.
    Trainer,
    /// Cố vấn học tập.
    Adviser,
    /// Cán bộ kỹ thuật.
    Technician,
    /// Cán bộ xây dựng học liệu số; comes into the room as a guest does.
    ContentAuthor,
    /// Thư ký.
    Secretary,
    /// Thanh tra, giám sát; present openly.
    Observer,
}

impl StaffRole {
    /// All roles.
    pub const ALL: [Self; 8] = [
        Self::Organiser,
        Self::Chair,
        Self::Trainer,
        Self::Adviser,
        Self::Technician,
        Self::ContentAuthor,
        Self::Secretary,
        Self::Observer,
    ];

    /// Name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organiser => "organiser",
            Self::Chair => "chair",
            Self::Trainer => "trainer",
            Self::Adviser => "adviser",
            Self::Technician => "technician",
            Self::ContentAuthor => "contentAuthor",
            Self::Secretary => "secretary",
            Self::Observer => "observer",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// One entry of the staff list. Entries are never changed, only ended, so a
/// substitution leaves both names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffMember {
    /// Id of the entry.
    pub id: u64,
    /// Who.
    pub person: PersonKey,
    /// Name, for lists.
    pub name: String,
    /// Unit, for lists.
    pub unit: String,
    /// As what.
    pub role: StaffRole,
    /// For one session only; absent: for the class.
    #[serde(default)]
    pub session: Option<SessionKey>,
    /// Instead of whom (thay người dạy).
    #[serde(default)]
    pub instead_of: Option<PersonKey>,
    /// Learners of an adviser; empty: all of the class.
    #[serde(default)]
    pub learners: Vec<PersonKey>,
    /// Ended, ms; absent while it stands.
    #[serde(default)]
    pub ended_ms: Option<u64>,
}
