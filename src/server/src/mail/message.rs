//! The words of a mail. Vietnamese first, English below; plain text, a simple
//! page of the same words, and the calendar entry. Nothing is fetched when it is
//! opened.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use lophoc_classes::{Class, ClassKind, NoticeKind, Session};
use lophoc_documents::{sha256_hex, vi};
use lophoc_ledger::{INDOCHINA_OFFSET_MIN, PersonKey};

use crate::api::ics::{self, Guest};

/// Longest subject, characters.
const SUBJECT: usize = 200;

/// What a notice says.
pub struct Words<'a> {
    /// Class.
    pub class: &'a Class,
    /// Session.
    pub session: &'a Session,
    /// What it tells.
    pub what: NoticeKind,
    /// Name of the person; empty when it is for everybody.
    pub name: &'a str,
    /// Link into the room, or to the page that shows one's own; empty in a
    /// cancellation.
    pub url: &'a str,
    /// The link is this person's alone.
    pub own: bool,
}

/// A letter that is to be written.
pub struct Letter<'a> {
    /// What it says.
    pub words: Words<'a>,
    /// Number of the notice.
    pub sequence: u32,
    /// To whom.
    pub person: &'a PersonKey,
    /// His address.
    pub to: Address,
    /// Address people reach the server by.
    pub base: &'a str,
    /// The clock, ms.
    pub now_ms: u64,
}

/// An address mail can be sent to; `None` for anything else.
pub fn address(text: &str) -> Option<Address> {
    let text = text.trim();
    // Longer ones do not exist (RFC 5321, 4.5.3.1).
    (text.len() <= 254 && text.is_ascii())
        .then(|| text.parse().ok())
        .flatten()
}

/// The host of an address people reach the server by, `localhost` when it has
/// none that can stand in a header.
pub fn host_of(base: &str) -> &str {
    let host = base.split_once("://").map_or(base, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    match !host.is_empty() && host.bytes().all(plain) {
        true => host,
        false => "localhost",
    }
}

impl Words<'_> {
    /// As text to be copied.
    pub fn text(&self) -> String {
        let all: Vec<String> = self
            .paragraphs()
            .iter()
            .map(|lines| lines.join("\n"))
            .collect();
        all.join("\n\n")
    }

    fn subject(&self) -> String {
        let what = match self.what {
            NoticeKind::Invite => "Mời tham dự",
            NoticeKind::Update => "Thay đổi",
            NoticeKind::Cancel => "Hủy",
        };
        let text = format!(
            "{what}: {} – {}",
            self.session.form.title, self.class.plan.title
        );
        text.chars()
            .filter(|c| !c.is_control())
            .take(SUBJECT)
            .collect()
    }

    fn addressed(&self) -> &'static str {
        match self.class.plan.kind {
            ClassKind::Training => "Thầy/Cô",
            ClassKind::Pupils => "bạn",
            ClassKind::Meeting | ClassKind::Public => "Quý đại biểu",
        }
    }

    fn time(&self) -> (String, String) {
        let Some(from) = self.session.form.starts_ms else {
            return ("sẽ thông báo sau".to_owned(), "to be announced".to_owned());
        };
        let clock = |ms| vi::hour_minute(ms, INDOCHINA_OFFSET_MIN);
        let mut span = clock(from);
        if let Some(to) = self.session.form.ends_ms {
            span.push_str(&format!("–{}", clock(to)));
        }
        let day = vi::day_of(from, INDOCHINA_OFFSET_MIN);
        let slashed = day.map(lophoc_classes::Day::slashed).unwrap_or_default();
        (
            format!("{span} ngày {slashed} (giờ Việt Nam)"),
            format!("{span} on {slashed} (Vietnam time, UTC+7)"),
        )
    }

    /// Paragraphs, each of lines.
    fn paragraphs(&self) -> Vec<Vec<String>> {
        let (time_vi, time_en) = self.time();
        let whom = self.addressed();
        let host = &self.class.host_name;
        let place = &self.session.form.place;
        let (place_vi, place_en) = match place.is_empty() {
            true => ("Trực tuyến", "Online"),
            false => (place.as_str(), place.as_str()),
        };
        let (line_vi, line_en) = match self.what {
            NoticeKind::Invite => (
                format!("{host} trân trọng mời {whom} tham dự buổi học sau."),
                format!("{host} invites you to the session below."),
            ),
            NoticeKind::Update => (
                format!("{host} xin thông báo buổi học sau có thay đổi. Đây là thông tin mới."),
                format!("{host} has changed the session below. These are the new details."),
            ),
            NoticeKind::Cancel => (
                format!("{host} xin thông báo buổi học sau đã được hủy."),
                format!("{host} has cancelled the session below."),
            ),
        };
        let title = |class: &str, session: &str, time: &str, where_: &str, words: [&str; 2]| {
            let mut lines = vec![
                format!("{class}: {}", self.class.plan.title),
                format!("{session} {}: {}", self.session.no, self.session.form.title),
                format!("{}: {time}", words[0]),
            ];
            if self.what != NoticeKind::Cancel {
                lines.push(format!("{}: {where_}", words[1]));
            }
            lines
        };
        let dear = match self.name.is_empty() {
            true => whom.to_owned(),
            false => self.name.to_owned(),
        };
        let mut all = vec![
            vec![format!("Kính gửi {dear},")],
            vec![line_vi],
            title("Lớp", "Buổi", &time_vi, place_vi, ["Thời gian", "Địa điểm"]),
        ];
        if self.what != NoticeKind::Cancel {
            let mut lines = vec![format!("Vào lớp: {}", self.url)];
            if self.own {
                lines.push(format!(
                    "Liên kết này dành riêng cho {whom}, xin không chuyển cho người khác."
                ));
            }
            all.push(lines);
            let guide = &self.class.plan.guide;
            if !guide.is_empty() {
                all.push(guide.lines().map(str::to_owned).collect());
            }
        }
        all.push(vec!["Trân trọng,".to_owned(), host.clone()]);
        all.push(vec!["———".to_owned()]);
        all.push(vec![line_en]);
        all.push(title(
            "Class",
            "Session",
            &time_en,
            place_en,
            ["Time", "Place"],
        ));
        if self.what != NoticeKind::Cancel {
            let mut lines = vec![format!("Join: {}", self.url)];
            if self.own {
                lines.push("This link is yours alone; please do not pass it on.".to_owned());
            }
            all.push(lines);
        }
        all
    }

    fn page(&self, paragraphs: &[Vec<String>]) -> String {
        let mut page = String::from(
            "<!DOCTYPE html><html lang=\"vi\"><head><meta charset=\"utf-8\"></head>\
             <body style=\"font-family:sans-serif;font-size:16px;line-height:1.5\">",
        );
        for lines in paragraphs {
            page.push_str("<p>");
            for (no, line) in lines.iter().enumerate() {
                if no > 0 {
                    page.push_str("<br>");
                }
                match line.strip_suffix(self.url).filter(|_| !self.url.is_empty()) {
                    Some(before) => {
                        let url = escaped(self.url);
                        page.push_str(&format!("{}<a href=\"{url}\">{url}</a>", escaped(before)));
                    }
                    None => page.push_str(&escaped(line)),
                }
            }
            page.push_str("</p>");
        }
        page.push_str("</body></html>");
        page
    }
}

impl Letter<'_> {
    /// The same for every try: a server that takes it twice shows it once.
    fn message_id(&self) -> String {
        let whose = sha256_hex(self.person.as_str().as_bytes());
        let whose = whose.get(..16).unwrap_or_default();
        let host = host_of(self.base);
        format!(
            "<{}.{}.{whose}@{host}>",
            self.words.session.id, self.sequence
        )
    }

    /// The mail. `None`: a part of it cannot be written.
    pub fn written(&self, from: &Mailbox) -> Option<Message> {
        let words = &self.words;
        let organizer = from.email.to_string();
        let to = self.to.to_string();
        let calendar = ics::calendar(
            words.class,
            words.session,
            self.base,
            self.now_ms,
            Some(&Guest {
                organizer: &organizer,
                name: words.name,
                address: &to,
                sequence: self.sequence,
                url: words.url,
                cancelled: words.what == NoticeKind::Cancel,
            }),
        );
        let body = MultiPart::alternative()
            .singlepart(SinglePart::plain(words.text()))
            .singlepart(SinglePart::html(words.page(&words.paragraphs())));
        let body = match calendar {
            None => body,
            Some(calendar) => {
                let method = match words.what {
                    NoticeKind::Cancel => "CANCEL",
                    NoticeKind::Invite | NoticeKind::Update => "REQUEST",
                };
                let kind = format!("text/calendar; charset=utf-8; method={method}");
                let shown = SinglePart::builder()
                    .header(ContentType::parse(&kind).ok()?)
                    .body(calendar.clone());
                let file = Attachment::new("buoi-hoc.ics".to_owned())
                    .body(calendar, ContentType::parse(&kind).ok()?);
                MultiPart::mixed()
                    .multipart(body.singlepart(shown))
                    .singlepart(file)
            }
        };
        let name: String = words.name.chars().filter(|c| !c.is_control()).collect();
        // Whoever answers automatically does not answer this (RFC 3834).
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(Some(name), self.to.clone()))
            .subject(words.subject())
            .message_id(Some(self.message_id()))
            .raw_header(automatic)
            .multipart(body)
            .ok()
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_classes::{ClassId, ClassState, Plan, SessionForm, SessionPhase};
    use lophoc_ledger::SessionKey;

    fn class(title: &str) -> Class {
        Class {
            id: ClassId::from("l1"),
            plan: Plan {
                title: title.to_owned(),
                ..Plan::default()
            },
            host_name: "Sở <GDĐT> Hà Nội".to_owned(),
            state: ClassState::Open,
            open_until: None,
            created_ms: 0,
            rev: 3,
        }
    }

    fn session() -> Session {
        Session {
            id: SessionKey::from("b1"),
            class: ClassId::from("l1"),
            room: "r1".to_owned(),
            no: 1,
            form: SessionForm {
                title: "Chuyển đổi số\r\nBcc: x@y.vn".to_owned(),
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
            trainers: Vec::new(),
        }
    }

    fn mail(name: &str, what: NoticeKind) -> String {
        let (class, session) = (class("Lớp \"A\""), session());
        let letter = Letter {
            words: Words {
                class: &class,
                session: &session,
                what,
                name,
                url: "https://lop.vn/j/abc",
                own: true,
            },
            sequence: 4,
            person: &PersonKey::from("p1"),
            to: address("an@truong.edu.vn").unwrap(),
            base: "https://lop.vn",
            now_ms: 1_788_700_000_000,
        };
        let from: Mailbox = "Lớp học <khong-tra-loi@so.edu.vn>".parse().unwrap();
        String::from_utf8(letter.written(&from).unwrap().formatted()).unwrap()
    }

    #[test]
    fn nobody_writes_a_header_by_his_name_or_title() {
        let text = mail("An\r\nBcc: kẻ@lạ.vn", NoticeKind::Invite);
        let head = text.split("\r\n\r\n").next().unwrap();
        for line in head.split("\r\n") {
            assert!(!line.to_lowercase().starts_with("bcc:"), "{head}");
            assert!(line.is_ascii() && line.len() < 998, "{line}");
        }
        assert!(head.contains("Message-ID: <b1.4."), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        assert!(head.contains("=?utf-8?"), "{head}");
    }

    #[test]
    fn the_same_mail_has_the_same_id_and_the_calendar_its_method() {
        let id = |text: &str| {
            let found = text.lines().find(|line| line.starts_with("Message-ID"));
            found.unwrap().to_owned()
        };
        let (one, two) = (
            mail("An", NoticeKind::Invite),
            mail("An", NoticeKind::Cancel),
        );
        assert_eq!(id(&one), id(&two));
        assert!(one.contains("method=REQUEST"), "{one}");
        assert!(two.contains("method=CANCEL"), "{two}");
        assert!(!two.contains("lop.vn/j/abc"));
    }

    #[test]
    fn only_plain_addresses_are_written_to() {
        for good in ["an@truong.edu.vn", " a.b+c@so.gov.vn "] {
            assert!(address(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "an",
            "an@",
            "@so.vn",
            "an@so.vn\r\nBcc: x@y",
            "a b@so.vn",
            "ăn@so.vn",
        ] {
            assert!(address(bad).is_none(), "{bad}");
        }
    }
}
