//! iCalendar (RFC 5545) of one session.

use lophoc_classes::{Class, Day, Session, SessionPhase};

use crate::mail::host_of;

/// Longest line, octets without the line break (RFC 5545, 3.1).
const LINE: usize = 75;
/// Length of a session without a planned end, ms.
const USUAL_MS: u64 = 2 * 60 * 60 * 1000;

/// Somebody the entry is sent to.
pub struct Guest<'a> {
    /// Address of the sender.
    pub organizer: &'a str,
    /// Name.
    pub name: &'a str,
    /// Address.
    pub address: &'a str,
    /// Number of the notice.
    pub sequence: u32,
    /// His link into the room; empty in a cancellation.
    pub url: &'a str,
    /// The session, or its class, was cancelled.
    pub cancelled: bool,
}

/// The file; `None` without a planned beginning. `base` is the address people
/// reach the server by, `now_ms` when the file is made. With a guest it is an
/// invitation or cancellation to him (RFC 6047), else a file for everybody.
pub fn calendar(
    class: &Class,
    session: &Session,
    base: &str,
    now_ms: u64,
    guest: Option<&Guest<'_>>,
) -> Option<String> {
    let starts = session.form.starts_ms?;
    let ends = session
        .form
        .ends_ms
        .unwrap_or_else(|| starts.saturating_add(USUAL_MS));
    let host = host_of(base);
    let cancelled = guest.map_or(session.phase == SessionPhase::Cancelled, |guest| {
        guest.cancelled
    });
    let mut file = File::default();
    file.line("BEGIN:VCALENDAR");
    file.line("VERSION:2.0");
    file.line("PRODID:-//Lophoc//Lophoc//VI");
    file.line("CALSCALE:GREGORIAN");
    file.line(if cancelled {
        "METHOD:CANCEL"
    } else if guest.is_some() {
        "METHOD:REQUEST"
    } else {
        "METHOD:PUBLISH"
    });
    file.line("BEGIN:VEVENT");
    file.text("UID", &format!("{}@{host}", session.id));
    file.line(&format!("DTSTAMP:{}", utc(now_ms)?));
    let sequence = guest.map_or(class.rev, |guest| guest.sequence.into());
    file.line(&format!("SEQUENCE:{sequence}"));
    if let Some(guest) = guest {
        let organizer = parameter(&class.host_name);
        file.line(&format!(
            "ORGANIZER;CN=\"{organizer}\":mailto:{}",
            guest.organizer
        ));
        file.line(&format!(
            "ATTENDEE;CN=\"{}\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:{}",
            parameter(guest.name),
            guest.address
        ));
    }
    file.line(&format!("DTSTART:{}", utc(starts)?));
    file.line(&format!("DTEND:{}", utc(ends)?));
    file.text(
        "SUMMARY",
        &format!("{} – {}", session.form.title, class.plan.title),
    );
    let place = if session.form.place.is_empty() {
        "Trực tuyến"
    } else {
        &session.form.place
    };
    file.text("LOCATION", place);
    let mut told = format!("Đơn vị chủ trì: {}", class.host_name);
    if !session.trainers.is_empty() {
        told.push_str(&format!("\nNgười dạy: {}", session.trainers.join(", ")));
    }
    if !class.plan.guide.is_empty() {
        told.push_str(&format!("\n\n{}", class.plan.guide));
    }
    let own = guest
        .map(|guest| guest.url)
        .filter(|url| !url.is_empty() && !cancelled);
    match own {
        Some(url) => told.push_str(&format!("\n\nVào lớp: {url}")),
        None => told.push_str(&format!("\n\nLớp của tôi: {base}/my")),
    }
    file.text("DESCRIPTION", &told);
    match own {
        Some(url) => file.line(&format!("URL:{url}")),
        None => file.line(&format!("URL:{base}/my")),
    }
    file.line(if cancelled {
        "STATUS:CANCELLED"
    } else {
        "STATUS:CONFIRMED"
    });
    if !cancelled {
        file.line("BEGIN:VALARM");
        file.line("ACTION:DISPLAY");
        file.line("TRIGGER:-PT15M");
        file.text("DESCRIPTION", &session.form.title);
        file.line("END:VALARM");
    }
    file.line("END:VEVENT");
    file.line("END:VCALENDAR");
    Some(file.0)
}

/// The value of a parameter within quotes: it has no way to hold a quote
/// (RFC 5545, 3.1).
fn parameter(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| if c == '"' { '\'' } else { c })
        .collect()
}

/// `20260906T003000Z`
fn utc(ms: u64) -> Option<String> {
    let day = Day::of_ms(ms, 0).ok()?;
    let second = ms / 1_000 % 86_400;
    Some(format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        day.year(),
        day.month(),
        day.day(),
        second / 3_600,
        second / 60 % 60,
        second % 60
    ))
}

#[derive(Default)]
struct File(String);

impl File {
    /// A property whose value is a text, escaped (RFC 5545, 3.3.11).
    fn text(&mut self, name: &str, value: &str) {
        let mut line = format!("{name}:");
        for c in value.chars() {
            match c {
                '\\' | ';' | ',' => {
                    line.push('\\');
                    line.push(c);
                }
                '\n' => line.push_str("\\n"),
                c if c.is_control() => {}
                c => line.push(c),
            }
        }
        self.line(&line);
    }

    /// One line, folded between characters, never inside of one.
    fn line(&mut self, line: &str) {
        let mut room = LINE;
        for c in line.chars() {
            if c.len_utf8() > room {
                self.0.push_str("\r\n ");
                // The space counts.
                room = LINE - 1;
            }
            room -= c.len_utf8();
            self.0.push(c);
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_classes::{ClassId, ClassState, Plan, SessionForm};
    use lophoc_ledger::SessionKey;

    fn sample() -> (Class, Session) {
        let class = Class {
            id: ClassId::from("l1"),
            plan: Plan {
                title: "Tập huấn; chương trình mới, đợt 2".to_owned(),
                guide: "Mở liên kết.\nBEGIN:VEVENT".to_owned(),
                ..Plan::default()
            },
            host_name: "Sở Giáo dục và Đào tạo Hà Nội".to_owned(),
            state: ClassState::Open,
            open_until: None,
            created_ms: 0,
            rev: 3,
        };
        let session = Session {
            id: SessionKey::from("b1"),
            class: ClassId::from("l1"),
            room: "r1".to_owned(),
            no: 1,
            form: SessionForm {
                title: "Buổi 1: Ứng dụng công nghệ thông tin trong dạy học \\ kiểm tra, đánh giá học sinh".to_owned(),
                starts_ms: Some(1_788_715_800_000),
                ends_ms: None,
                mode: "training".to_owned(),
                rehearsal_min: 0,
                waiting: false,
                counts: true,
                place: String::new(),
                custom: Vec::new(),
                on_sheets: Vec::new(),
            },
            phase: SessionPhase::Scheduled,
            began_ms: None,
            ended_ms: None,
            frozen: 0,
            trainers: vec!["Nguyễn Thị Hằng".to_owned()],
        };
        (class, session)
    }

    fn unfolded(file: &str) -> Vec<String> {
        let whole = file.replace("\r\n ", "");
        whole.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_folded_between_characters_and_texts_escaped() {
        let (class, session) = sample();
        let file = calendar(
            &class,
            &session,
            "https://lop.example.vn:8443",
            1_788_700_000_000,
            None,
        )
        .unwrap();
        assert!(file.ends_with("END:VCALENDAR\r\n"));
        for line in file.split("\r\n") {
            assert!(line.len() <= 75, "{} octets: {line}", line.len());
            assert!(!line.contains(['\n', '\r']));
        }
        let lines = unfolded(&file);
        let has = |line: &str| assert!(lines.iter().any(|one| one == line), "{line}\n{file}");
        has("UID:b1@lop.example.vn");
        has("DTSTART:20260906T173000Z");
        has("DTEND:20260906T193000Z");
        has("SEQUENCE:3");
        has("LOCATION:Trực tuyến");
        has(
            "SUMMARY:Buổi 1: Ứng dụng công nghệ thông tin trong dạy học \\\\ kiểm tra\\, đánh giá học sinh – Tập huấn\\; chương trình mới\\, đợt 2",
        );
        // What somebody typed opens no second event.
        assert_eq!(
            lines.iter().filter(|line| *line == "BEGIN:VEVENT").count(),
            1
        );
    }

    #[test]
    fn a_cancelled_session_cancels_and_one_without_time_has_no_file() {
        let (class, mut session) = sample();
        session.phase = SessionPhase::Cancelled;
        let file = calendar(&class, &session, "http://localhost", 0, None).unwrap();
        let lines = unfolded(&file);
        assert!(lines.iter().any(|line| line == "METHOD:CANCEL"));
        assert!(lines.iter().any(|line| line == "STATUS:CANCELLED"));
        assert!(!lines.iter().any(|line| line == "BEGIN:VALARM"));
        session.form.starts_ms = None;
        assert_eq!(
            calendar(&class, &session, "http://localhost", 0, None),
            None
        );
    }
}
