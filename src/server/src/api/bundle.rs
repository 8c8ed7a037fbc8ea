//! The record bundle of a session (hồ sơ buổi học): one ZIP with everything an
//! archive needs, and a list of hashes.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{
    Class, ExportFormat, ExportKind, ExportQuery, ExportRecord, Frozen, Right, SessionBoards,
};
use lophoc_documents::csv::{CsvOptions, guarded};
use lophoc_documents::{Export, sha256_hex, vi};
use lophoc_ledger::{
    Consent, Event, EventKind, INDOCHINA_OFFSET_MIN, LastSeen, PersonKey, RecordingConsent,
    SessionKey, captions, recording_consents,
};
use lophoc_protocol::captions::CaptionLang;
use lophoc_records::RecordingAccepted;
use serde::Serialize;
use utoipa_axum::routes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::attendance_access::Asked;
use super::attendance_facts::Facts;
use super::error::{ApiFault, Refusal};
use super::exports::{disposition, write};
use super::extract::At;
use super::{Routes, Signed, boards, sheets};
use crate::app::App;
use crate::clock::wall_ms;
use crate::random;

/// Most bytes of all files together, before packing.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Captions, in the order of [`CaptionLang::ALL`].
const CAPTIONS: [&str; 2] = ["captions-vi.vtt", "captions-en.vtt"];
/// Version of the form of the manifest.
const SCHEMA: &str = "lophoc.bundle/1";

/// The routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(bundle))
}

/// One file of the bundle.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    bytes: usize,
    sha256: String,
}

/// What stands in `manifest.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema: &'static str,
    class: &'a str,
    session: &'a str,
    made_ms: u64,
    made_by: &'a str,
    /// Chat and the words in the log were left out.
    without_chat: bool,
    files: &'a [Entry],
}

/// Everything that goes in.
struct Contents {
    class: Class,
    facts: Facts,
    events: Vec<Event>,
    presence: Vec<LastSeen>,
    versions: Vec<(Frozen, String)>,
    exports: Vec<ExportRecord>,
    refused: Vec<(PersonKey, u64)>,
    told: Vec<RecordingAccepted>,
    chat: bool,
    made_ms: u64,
    made_by: String,
    export_id: String,
}

/// The record bundle of a session. Chat is in it for organisers alone.
#[utoipa::path(get, path = "/sessions/{id}/bundle.zip", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, content_type = "application/zip", description = "The bundle"),
        (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 413, body = Refusal),
        (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn bundle(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Response, ApiFault> {
    let mono = app.clock.now().mono_ms;
    if !app
        .attendance
        .export_rate
        .count(signed.person().clone(), mono)
    {
        return Err(ApiFault::rate_limited(None));
    }
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need_all(Right::Export)?;
    asked.need_all(Right::SeeAttendance)?;
    let chat = asked.grant(Right::ManageClass).all;
    let _place = app.attendance.heavy().await?;
    let gathered = app.gathered_now(&id).await?;
    let mut versions = Vec::new();
    for frozen in app.store.versions(&id).await? {
        if let Some(stored) = app.store.version(&id, frozen.no).await? {
            versions.push((frozen, stored.body));
        }
    }
    let contents = Contents {
        class: gathered.class.clone(),
        facts: gathered.facts.clone(),
        events: app.store.events(&id).await?,
        presence: app.store.presence(&id).await?,
        versions,
        exports: app
            .store
            .exports_of_session(&id)
            .await?
            .into_iter()
            .map(|one| one.record)
            .collect(),
        refused: app.store.refused_check_ins(&id).await?,
        told: app.store.recording_accepted(&gathered.class.id).await?,
        chat,
        made_ms: wall_ms(),
        made_by: asked.signed.name(),
        export_id: random::spoken::<16>()?,
    };
    let name = format!(
        "Hồ sơ buổi học - {} - Buổi {}",
        gathered.class.plan.title, session.no
    );
    let bytes = tokio::task::spawn_blocking(move || pack(&contents))
        .await
        .map_err(|_| ApiFault::internal())??;
    asked.log(&app, "bundle", &grant).await?;
    Ok((
        [
            (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
            (CONTENT_DISPOSITION, disposition("attachment", &name, "zip")),
        ],
        bytes,
    )
        .into_response())
}

/// Files one after another, with their hashes, within the bound.
struct Packer {
    zip: ZipWriter<std::io::Cursor<Vec<u8>>>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Packer {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), ApiFault> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MOST_BYTES {
            return Err(ApiFault::too_large());
        }
        // The same contents give the same bundle: no time of packing.
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a bundle was not packed");
            ApiFault::internal()
        };
        self.zip
            .start_file(name, options)
            .map_err(|error| failed(&error))?;
        self.zip.write_all(bytes).map_err(|error| failed(&error))?;
        self.entries.push(Entry {
            name: name.to_owned(),
            bytes: bytes.len(),
            sha256: sha256_hex(bytes),
        });
        Ok(())
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ApiFault> {
        let bytes = serde_json::to_vec_pretty(value).map_err(|_| ApiFault::internal())?;
        self.add(name, &bytes)
    }
}

fn pack(contents: &Contents) -> Result<Vec<u8>, ApiFault> {
    let facts = &contents.facts;
    let mut packer = Packer {
        zip: ZipWriter::new(std::io::Cursor::new(Vec::new())),
        entries: Vec::new(),
        bytes: 0,
    };
    packer.json(
        "plan.json",
        &(&contents.class, &facts.session, &facts.staff),
    )?;
    packer.json("roster.json", &facts.people)?;
    packer.json("attendance.json", facts)?;
    let export = Export {
        id: contents.export_id.clone(),
        made_ms: contents.made_ms,
        version: None,
        check_at: None,
    };
    let sheet = sheets::of_session(facts, ExportKind::Session, &ExportQuery::default(), export)
        .ok_or_else(ApiFault::internal)?
        .seal()
        .map_err(|_| ApiFault::too_large())?;
    let options = CsvOptions::default();
    packer.add(
        "attendance.xlsx",
        &write(&sheet, ExportFormat::Xlsx, options)?,
    )?;
    packer.add(
        "attendance.pdf",
        &write(&sheet, ExportFormat::Pdf, options)?,
    )?;
    packer.json("polls.json", &facts.polls)?;
    let export = Export {
        id: contents.export_id.clone(),
        made_ms: contents.made_ms,
        version: None,
        check_at: None,
    };
    let polls = sheets::of_session(facts, ExportKind::Polls, &ExportQuery::default(), export)
        .ok_or_else(ApiFault::internal)?
        .seal()
        .map_err(|_| ApiFault::too_large())?;
    packer.add("polls.csv", &write(&polls, ExportFormat::Csv, options)?)?;
    packer.add("polls.xlsx", &write(&polls, ExportFormat::Xlsx, options)?)?;
    let lines = captions(&contents.events);
    for (lang, name) in CaptionLang::ALL.into_iter().zip(CAPTIONS) {
        if lines.iter().any(|line| line.lang == lang.tag()) {
            let text = super::captions::of(&lines, lang, &sheets::headline(facts));
            packer.add(name, text.as_bytes())?;
        }
    }
    if let Some(notes) = lophoc_room::notes_of(&contents.events) {
        packer.add("notes.md", notes.as_bytes())?;
    }
    for notes in lophoc_room::group_notes_of(&contents.events) {
        let at = vi::full_time(notes.at_ms, INDOCHINA_OFFSET_MIN);
        let text = format!("# {} ({at})\n\n{}", notes.name, notes.text);
        packer.add(&format!("notes-{}.md", notes.of), text.as_bytes())?;
    }
    let drawn = boards::of(&contents.events);
    if !drawn.boards.is_empty() || drawn.left_out > 0 {
        // Compact: each point on a line of its own would be many times as long.
        let bytes = serde_json::to_vec(&drawn).map_err(|_| ApiFault::internal())?;
        packer.add("boards.json", &bytes)?;
    }
    for board in &drawn.boards {
        let name = format!("boards/{}.svg", board.board);
        packer.add(&name, boards::drawn(board).as_bytes())?;
    }
    packer.add("events.jsonl", events(contents)?.as_bytes())?;
    packer.json("last-seen.json", &contents.presence)?;
    packer.json("hall-marks.json", &facts.hall)?;
    packer.json("refused-check-ins.json", &contents.refused)?;
    packer.json("recordings.json", &facts.recordings)?;
    packer.json("incidents.json", &(&facts.duty, &facts.incidents))?;
    let export = Export {
        id: contents.export_id.clone(),
        made_ms: contents.made_ms,
        version: None,
        check_at: None,
    };
    let incidents = sheets::of_session(
        facts,
        ExportKind::Incidents,
        &ExportQuery::default(),
        export,
    )
    .ok_or_else(ApiFault::internal)?
    .seal()
    .map_err(|_| ApiFault::too_large())?;
    packer.add(
        "incidents.csv",
        &write(&incidents, ExportFormat::Csv, options)?,
    )?;
    packer.add(
        "incidents.xlsx",
        &write(&incidents, ExportFormat::Xlsx, options)?,
    )?;
    packer.json("recording-accepted.json", &contents.told)?;
    let consents = recording_consents(&contents.events, &contents.presence);
    packer.json("recording-consents.json", &consents)?;
    packer.add("recording-consents.csv", consents_csv(&consents).as_bytes())?;
    packer.json("adjustments.json", &facts.adjustments)?;
    packer.json("delegates.json", &facts.delegates)?;
    let versions: Vec<(&Frozen, serde_json::Value)> = contents
        .versions
        .iter()
        .map(|(frozen, body)| (frozen, serde_json::Value::String(body.clone())))
        .collect();
    packer.json("versions.json", &versions)?;
    packer.json("exports.json", &contents.exports)?;
    if contents.chat {
        let lines = chat(contents);
        packer.json("chat.json", &lines)?;
        packer.add("chat.csv", chat_csv(&lines).as_bytes())?;
    }
    packer.add("README.txt", readme(contents, &drawn).as_bytes())?;
    let manifest = Manifest {
        schema: SCHEMA,
        class: &facts.class.id,
        session: facts.session.id.as_str(),
        made_ms: contents.made_ms,
        made_by: &contents.made_by,
        without_chat: !contents.chat,
        files: &packer.entries,
    };
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(|_| ApiFault::internal())?;
    packer.add("manifest.json", &manifest)?;
    let packed = packer.zip.finish().map_err(|error| {
        tracing::error!(%error, "a bundle was not packed");
        ApiFault::internal()
    })?;
    Ok(packed.into_inner())
}

/// The log, one event a line. Everything is as it was written but what
/// [`leaves`] keeps back.
fn events(contents: &Contents) -> Result<String, ApiFault> {
    let nameless: HashMap<&str, &PersonKey> = contents
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Question {
                id,
                person,
                anonymous: true,
                ..
            } => Some((id.as_str(), person)),
            _ => None,
        })
        .collect();
    let mut lines = String::new();
    for event in &contents.events {
        let text = match leaves(&event.kind, contents.chat, &nameless) {
            Some(kind) => serde_json::to_string(&Event {
                kind,
                ..event.clone()
            }),
            None => serde_json::to_string(event),
        };
        lines.push_str(&text.map_err(|_| ApiFault::internal())?);
        lines.push('\n');
    }
    Ok(lines)
}

/// An event as it leaves the records; absent: unchanged.
///
/// Without the right to the `chat` its words are left out. What did not go to all
/// is private correspondence: its words leave the records with nobody, nor does
/// whom a message to one person went to. Who asked without the name is told to
/// nobody either (`nameless`: the authors of these questions). The address of a
/// file is a key: whoever has it needs no other right.
fn leaves(kind: &EventKind, chat: bool, nameless: &HashMap<&str, &PersonKey>) -> Option<EventKind> {
    let nobody = || PersonKey(String::new());
    Some(match kind {
        EventKind::Chat {
            person,
            id,
            cid,
            to,
            ..
        } if !chat || to.is_some() => EventKind::Chat {
            person: person.clone(),
            id: id.clone(),
            cid: cid.clone(),
            text: String::new(),
            to: to.as_deref().map(|to| match to.split_once(':') {
                Some(("person", _)) => "person".to_owned(),
                _ => to.to_owned(),
            }),
        },
        EventKind::Question {
            person,
            id,
            cid,
            text,
            anonymous,
            held,
        } if !chat || *anonymous => EventKind::Question {
            person: if *anonymous { nobody() } else { person.clone() },
            id: id.clone(),
            cid: if *anonymous {
                String::new()
            } else {
                cid.clone()
            },
            text: if chat { text.clone() } else { String::new() },
            anonymous: *anonymous,
            held: *held,
        },
        EventKind::QuestionSet {
            id,
            state,
            answer,
            by,
        } if !chat || nameless.contains_key(id.as_str()) => EventKind::QuestionSet {
            id: id.clone(),
            state: state.clone(),
            answer: answer.clone().filter(|_| chat),
            by: if nameless.get(id.as_str()) == Some(&by) {
                nobody()
            } else {
                by.clone()
            },
        },
        EventKind::Deck { deck, by } => EventKind::Deck {
            deck: without_address(deck),
            by: by.clone(),
        },
        EventKind::File { file } => EventKind::File {
            file: without_address(file),
        },
        _ => return None,
    })
}

fn without_address(item: &serde_json::Value) -> serde_json::Value {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.remove("url");
    }
    item
}

/// One message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChatLine<'a> {
    at_ms: u64,
    person: &'a PersonKey,
    name: &'a str,
    text: &'a str,
    /// Was taken from the screens, by its author or a moderator.
    deleted: bool,
}

/// What was written to all. Messages to one person, to a group, to the
/// organisers or to support are not in it.
fn chat(contents: &Contents) -> Vec<ChatLine<'_>> {
    let mut names: HashMap<&PersonKey, &str> = HashMap::new();
    let deleted: std::collections::HashSet<&str> = contents
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::ChatDeleted { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let mut lines = Vec::new();
    for event in &contents.events {
        match &event.kind {
            EventKind::Join { person, name, .. } => {
                names.insert(person, name);
            }
            EventKind::Chat {
                person,
                id,
                text,
                to: None,
                ..
            } => lines.push(ChatLine {
                at_ms: event.at.wall_ms,
                person,
                name: names.get(person).copied().unwrap_or_default(),
                text,
                deleted: deleted.contains(id.as_str()),
            }),
            _ => {}
        }
    }
    lines
}

/// UTF-8 with a byte order mark, CR LF, no cell a spreadsheet takes for a formula.
fn chat_csv(lines: &[ChatLine<'_>]) -> String {
    let cell = |text: &str| format!("\"{}\"", guarded(text).replace('"', "\"\""));
    let mut text = String::from("\u{feff}Thời gian,Họ và tên,Nội dung,Ghi chú\r\n");
    for line in lines {
        let time = vi::full_time(line.at_ms, INDOCHINA_OFFSET_MIN);
        let note = if line.deleted {
            "Đã xóa trong phòng"
        } else {
            ""
        };
        let row = [cell(&time), cell(line.name), cell(line.text), cell(note)];
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

fn consents_csv(consents: &[RecordingConsent]) -> String {
    let cell = |text: &str| format!("\"{}\"", guarded(text).replace('"', "\"\""));
    let mut text = String::from(
        "\u{feff}Thời gian,Họ và tên,Việc,Đơn vị ghi,Mục đích,Lưu giữ,Phạm vi ghi\r\n",
    );
    for one in consents {
        let time = vi::full_time(one.at_ms, INDOCHINA_OFFSET_MIN);
        let what = match one.what {
            Consent::Told => "Được thông báo",
            Consent::Accepted => "Đồng ý được ghi",
            Consent::Refused => "Không đồng ý, không bị ghi",
        };
        let whom = match one.whom.as_str() {
            "all" => "Người phát biểu và người được mời lên hình",
            "presenters" => "Chỉ người dạy, chủ trì và nội dung trình chiếu",
            _ => "",
        };
        let row = [
            cell(&time),
            cell(&one.name),
            cell(what),
            cell(&one.who),
            cell(&one.why),
            cell(&one.keep),
            cell(whom),
        ];
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

/// Which picture is which board.
fn pictures(drawn: &SessionBoards) -> String {
    let mut lines = String::new();
    if !drawn.boards.is_empty() {
        lines.push_str("\nBẢNG VẼ (boards/)\n\n");
    }
    for board in &drawn.boards {
        let name = format!("{}.svg", board.board);
        lines.push_str(&format!("{name:<24} {}\n", boards::title(board)));
    }
    if !drawn.boards.is_empty() {
        lines.push_str(
            "Hình của một trang tài liệu chỉ có nét vẽ, nền trong suốt, theo khổ trang đầu của tài liệu;\n\
             bản thân tài liệu không nằm trong hồ sơ. Bảng không còn nét vẽ nào thì không có hình.\n",
        );
    }
    if drawn.left_out > 0 {
        lines.push_str(&format!(
            "{} trang của tài liệu đã gỡ khỏi phòng không có hình ở đây; nét vẽ nằm trong events.jsonl.\n",
            drawn.left_out
        ));
    }
    lines
}

fn readme(contents: &Contents, drawn: &SessionBoards) -> String {
    let facts = &contents.facts;
    let chat = if contents.chat {
        "chat.csv, chat.json      Nội dung trò chuyện chung; không gồm tin nhắn riêng.\n"
    } else {
        "(Nội dung trò chuyện không có trong hồ sơ này: người xuất không thuộc Ban tổ chức.)\n"
    };
    format!(
        "HỒ SƠ BUỔI HỌC\n\
         \n\
         Lớp:            {}\n\
         Buổi:           {}\n\
         Đơn vị chủ trì: {}\n\
         Xuất lúc:       {} (giờ Việt Nam, UTC+7)\n\
         Người xuất:     {}\n\
         \n\
         CÁC TỆP\n\
         \n\
         plan.json                Kế hoạch lớp, buổi học và đội ngũ.\n\
         roster.json              Danh sách người học dùng để điểm danh buổi này.\n\
         attendance.json          Toàn bộ dữ liệu điểm danh, gồm từng khoảng có mặt.\n\
         attendance.xlsx, .pdf    Danh sách điểm danh để in và ký.\n\
         polls.json, .csv, .xlsx  Kết quả thăm dò, trắc nghiệm, biểu quyết; lượt ẩn danh chỉ có tổng.\n\
         captions-vi.vtt, -en.vtt Phụ đề do người ghi phụ đề gõ (WebVTT), khi buổi học có phụ đề.\n\
         notes.md                 Ghi chú chung của phòng, khi có người viết.\n\
         notes-g….md              Ghi chú của từng nhóm thảo luận (g2-1: lần mở nhóm thứ 2, nhóm số 1), dòng đầu\n\
                                  là tên nhóm và lúc mở.\n\
         boards.json, boards/     Nét vẽ trên bảng trắng và trên trang tài liệu lúc kết thúc buổi học, kèm người vẽ; mỗi bảng một hình SVG.\n\
         events.jsonl             Nhật ký gốc của phòng, mỗi dòng một sự kiện, đúng thứ tự ghi.\n\
         last-seen.json           Lần cuối máy chủ nhận được tín hiệu của từng người.\n\
         hall-marks.json          Điểm danh tại điểm cầu (đầu mối, mã QR, danh sách giấy).\n\
         refused-check-ins.json   Lần quét mã bị từ chối vì điện thoại đã dùng cho người khác.\n\
         recordings.json          Các lần ghi hình đã thông báo: từ lúc nào, đến lúc nào, ai ghi, để làm gì.\n\
         incidents.json, .csv, .xlsx  Lịch trực kỹ thuật và nhật ký sự cố.\n\
         recording-accepted.json  Ai đã xác nhận thông báo ghi hình của lớp trước khi vào phòng, lúc nào.\n\
         recording-consents.json, .csv  Ai được thông báo ghi hình, ai đồng ý, ai không đồng ý; lời văn nào, lúc nào.\n\
         adjustments.json         Các điều chỉnh, kèm người thực hiện và lý do.\n\
         delegates.json           Người dự thay.\n\
         versions.json            Các bản chốt điểm danh; mã băm SHA-256 là của chuỗi JSON đi kèm.\n\
         exports.json             Các tệp đã xuất và mã băm của từng tệp.\n\
         {chat}\
         manifest.json            Mã băm SHA-256 của từng tệp trong hồ sơ.\n\
         {}\n\
         Thời điểm ghi bằng mili giây từ 00:00 ngày 01/01/1970 (UTC).\n\
         Số phút có mặt được tính từ events.jsonl, last-seen.json và hall-marks.json theo quy tắc\n\
         ghi trong attendance.json; giá trị tự động được giữ bên cạnh giá trị đã điều chỉnh.\n",
        facts.class.title,
        sheets::headline(facts),
        facts.class.host,
        vi::full_time(contents.made_ms, INDOCHINA_OFFSET_MIN),
        contents.made_by,
        pictures(drawn),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_asked_without_the_name_and_keys_of_files_leave_with_nobody() {
        let who = |id: &str| PersonKey::from(id);
        let asked = |anonymous| EventKind::Question {
            person: who("p-asks"),
            id: "q1".to_owned(),
            cid: "c-asks".to_owned(),
            text: "Vì sao?".to_owned(),
            anonymous,
            held: false,
        };
        let set = |by: &str| EventKind::QuestionSet {
            id: "q1".to_owned(),
            state: "withdrawn".to_owned(),
            answer: Some("Vì thế".to_owned()),
            by: who(by),
        };
        let author = who("p-asks");
        let nameless = HashMap::from([("q1", &author)]);
        let text = |kind: &EventKind, chat, nameless| {
            let left = leaves(kind, chat, nameless);
            serde_json::to_string(left.as_ref().unwrap_or(kind)).unwrap()
        };
        let named = HashMap::new();
        for chat in [true, false] {
            for kind in [asked(true), set("p-asks")] {
                let text = text(&kind, chat, &nameless);
                assert!(!text.contains("asks"), "{text}");
                assert_eq!(text.contains("Vì"), chat, "{text}");
            }
            assert!(text(&set("p-mod"), chat, &nameless).contains("p-mod"));
            // With the name nothing is hidden.
            for kind in [asked(false), set("p-asks")] {
                assert!(text(&kind, chat, &named).contains("p-asks"));
            }
            let item = json!({"name": "Bài 1.pdf", "url": "/f/AAAA"});
            for kind in [
                EventKind::File { file: item.clone() },
                EventKind::Deck {
                    deck: item.clone(),
                    by: None,
                },
            ] {
                let text = text(&kind, chat, &nameless);
                assert!(
                    text.contains("Bài 1.pdf") && !text.contains("/f/"),
                    "{text}"
                );
            }
        }
    }
}
