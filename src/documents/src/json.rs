//! JSON, for learning systems and archives. The schema of the file is
//! `docs/exports/lophoc.export-1.schema.json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Data, Sealed};
use crate::vi;

/// Version of the form of the file.
pub const SCHEMA: &str = "lophoc.export/1";

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which export.
    pub export: Mark,
    /// The data; its canonical form (this object without blanks, fields in this
    /// order) is what the hash is of.
    pub data: Data,
    /// The full typed record behind the sheet (the attendance report, the log),
    /// as the server keeps it; not part of the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
}

/// Which export a file is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Id.
    pub id: String,
    /// When made: ISO 8601 with the offset of the time zone.
    pub made_at: String,
    /// When made, ms since the epoch UTC.
    pub made_ms: u64,
    /// Frozen version; absent: chưa chốt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// SHA-256 of the data, hex.
    pub data_sha256: String,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write JSON: {0}")]
pub struct WriteError(#[from] serde_json::Error);

/// The document as JSON, with the record behind it when given.
///
/// # Errors
/// [`WriteError`]; not met for a sealed document.
pub fn write(sheet: &Sealed, record: Option<Value>) -> Result<Vec<u8>, WriteError> {
    let export = &sheet.document().export;
    let file = File {
        schema: SCHEMA.to_owned(),
        export: Mark {
            id: export.id.clone(),
            made_at: vi::iso_time(export.made_ms, sheet.data().offset_min),
            made_ms: export.made_ms,
            version: export.version,
            data_sha256: sheet.data_sha256().to_owned(),
        },
        data: sheet.data().clone(),
        record,
    };
    Ok(serde_json::to_vec_pretty(&file)?)
}
