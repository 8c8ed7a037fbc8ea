//! Kết quả thăm dò, trắc nghiệm, biểu quyết: sums of each poll of a session; who
//! answered what where the poll was a named one, and nothing but sums where it
//! was not.

use lophoc_ledger::{PollAsked, PollChosen, PollRecord};

use super::delegates::session_line;
use super::{Context, SessionInfo};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// Most named answers in the sheet, far above what a session has. Overflow: the
/// later ones stand in the record bundle (`polls.json`) alone.
const MOST_ANSWERS: usize = 200_000;

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct PollSheet<'a> {
    /// Class and export.
    pub context: &'a Context,
    /// Session.
    pub session: &'a SessionInfo,
    /// Day and time it was really begun, ms.
    pub began_ms: Option<u64>,
    /// Polls in the order they were opened.
    pub polls: &'a [PollRecord],
}

fn kind_name(poll: &PollRecord) -> &'static str {
    match (poll.kind.as_str(), poll.anonymous) {
        ("quiz", _) => "Câu hỏi trắc nghiệm",
        ("vote", true) => "Biểu quyết kín",
        ("vote", false) => "Biểu quyết",
        ("yesNo" | "letters", _) => "Thăm dò nhanh",
        _ => "Thăm dò ý kiến",
    }
}

/// The words of an option, which may be the client's.
fn option_name(kind: &str, item: &PollAsked, index: usize) -> String {
    let own: &[&str] = match kind {
        "yesNo" => &["Có", "Không"],
        "vote" => &["Tán thành", "Không tán thành", "Ý kiến khác"],
        _ => &[],
    };
    let letter = u8::try_from(index)
        .ok()
        .and_then(|index| b'A'.checked_add(index))
        .map(char::from)
        .unwrap_or('?');
    match (own.get(index), item.options.get(index)) {
        (Some(name), _) => (*name).to_owned(),
        (None, Some(text)) if !text.is_empty() => format!("{letter}. {text}"),
        (None, _) => letter.to_string(),
    }
}

/// An answer in words: what was chosen, or the text.
fn answer_name(kind: &str, item: &PollAsked, choice: &PollChosen) -> String {
    if let Some(text) = &choice.text {
        return text.clone();
    }
    let names: Vec<String> = choice
        .chosen
        .iter()
        .map(|index| option_name(kind, item, usize::from(*index)))
        .collect();
    names.join("; ")
}

/// `1) B. 6 tháng | 2) A. …`; without numbers where there is one question.
fn answers_name(poll: &PollRecord, answer: &[PollChosen]) -> String {
    let mut parts = poll.items.iter().zip(answer).zip(1_usize..);
    if poll.items.len() == 1 {
        return parts
            .next()
            .map(|((item, choice), _)| answer_name(&poll.kind, item, choice))
            .unwrap_or_default();
    }
    parts
        .map(|((item, choice), no)| format!("{no}) {}", answer_name(&poll.kind, item, choice)))
        .collect::<Vec<_>>()
        .join(" | ")
}

fn note(poll: &PollRecord) -> String {
    let mut parts = vec![
        if poll.anonymous {
            "Ẩn danh"
        } else {
            "Ghi danh"
        }
        .to_owned(),
    ];
    if poll.by_site {
        parts.push("mỗi điểm cầu một phiếu".to_owned());
    }
    if let (Some(quorum), Some(valid)) = (poll.quorum, poll.is_valid()) {
        let quorum = vi::counted(u64::from(quorum));
        parts.push(if valid {
            format!("đủ số phiếu tối thiểu ({quorum})")
        } else {
            format!("không đủ số phiếu tối thiểu ({quorum})")
        });
    }
    if poll.closed_ms.is_none() {
        parts.push("chưa đóng".to_owned());
    }
    parts.join("; ")
}

fn permille(part: u32, whole: u32) -> Cell {
    if whole == 0 {
        return Cell::Empty;
    }
    let share = u64::from(part) * 1_000 / u64::from(whole);
    Cell::Permille(u32::try_from(share).unwrap_or(u32::MAX))
}

impl PollSheet<'_> {
    /// The document.
    pub fn build(&self) -> Document {
        let mut tables = vec![self.sums()];
        tables.extend([self.answers(), self.texts()].into_iter().flatten());
        let votes = self.polls.iter().filter(|poll| poll.kind == "vote").count();
        let foot = vec![format!(
            "Buổi học có {} lượt thăm dò, trắc nghiệm, biểu quyết, trong đó {} lượt biểu quyết.",
            vi::counted(self.polls.len() as u64),
            vi::counted(votes as u64)
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.push(session_line(
            self.session,
            self.began_ms,
            self.context.offset_min,
        ));
        subtitle.extend(self.session.own_lines());
        subtitle.retain(|line| !line.is_empty());
        self.context.document(
            Kind::Polls,
            "KẾT QUẢ THĂM DÒ, TRẮC NGHIỆM, BIỂU QUYẾT",
            subtitle,
            tables,
            foot,
            vec![
                "Tỷ lệ tính trên số người đã trả lời; câu được chọn nhiều phương án có thể cộng lại \
                 quá 100%."
                    .to_owned(),
                "Lượt ẩn danh chỉ có số liệu tổng hợp; máy chủ không lưu ai đã chọn phương án nào."
                    .to_owned(),
            ],
        )
    }

    /// A row for each poll, and below it one for each option.
    fn sums(&self) -> Table {
        let column = Column::new;
        let mut main = Table::new(
            "Kết quả",
            Place::Main,
            vec![
                column("Lượt", ColumnKind::Count),
                column("Hình thức", ColumnKind::Text),
                column("Nội dung", ColumnKind::Text),
                column("Phương án", ColumnKind::Text),
                column("Số lượt chọn", ColumnKind::Count),
                column("Tỷ lệ (%)", ColumnKind::Percent),
                column("Đã trả lời", ColumnKind::Count),
                column("Được trả lời", ColumnKind::Count),
                column("Bắt đầu", ColumnKind::Time),
                column("Kết thúc", ColumnKind::Time),
                column("Người mở", ColumnKind::Text),
                column("Ghi chú", ColumnKind::Text),
            ],
        );
        for (no, poll) in (1_u64..).zip(self.polls) {
            main.strong
                .push(u32::try_from(main.rows.len()).unwrap_or(u32::MAX));
            main.rows.push(vec![
                Cell::Count(no),
                Cell::text(kind_name(poll)),
                Cell::text(&poll.title),
                Cell::Empty,
                Cell::Empty,
                permille(poll.answered, poll.eligible.unwrap_or_default()),
                Cell::count(poll.answered),
                poll.eligible.map_or(Cell::Empty, Cell::count),
                Cell::Time(poll.at_ms),
                poll.closed_ms.map_or(Cell::Empty, Cell::Time),
                Cell::text(&poll.by_name),
                Cell::text(note(poll)),
            ]);
            let mut line = |text: &str, option: &str, count: u32, note: &str| {
                main.rows.push(vec![
                    Cell::Count(no),
                    Cell::Empty,
                    Cell::text(text),
                    Cell::text(option),
                    Cell::count(count),
                    permille(count, poll.answered),
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Empty,
                    Cell::text(note),
                ]);
            };
            for ((item, sums), nth) in poll.items.iter().zip(&poll.sums).zip(1_usize..) {
                let text = match (poll.items.len(), item.text.as_str()) {
                    (1, text) => text.to_owned(),
                    (_, "") => format!("Câu {nth}"),
                    (_, text) => format!("Câu {nth}: {text}"),
                };
                if item.choose == "text" {
                    // Of a named poll the texts stand with their names.
                    let named = poll.answers.len();
                    let many = if poll.anonymous {
                        sums.texts.len()
                    } else {
                        named
                    };
                    let many = u32::try_from(many).unwrap_or(u32::MAX);
                    line(&text, "Trả lời bằng lời", many, "");
                }
                for (index, count) in sums.counts.iter().enumerate() {
                    let right = item
                        .correct
                        .iter()
                        .any(|right| usize::from(*right) == index);
                    let text = if index == 0 { text.as_str() } else { "" };
                    let option = option_name(&poll.kind, item, index);
                    line(
                        text,
                        &option,
                        *count,
                        if right { "Đáp án đúng" } else { "" },
                    );
                }
            }
        }
        main
    }

    /// Who answered what in the named polls.
    fn answers(&self) -> Option<Table> {
        let column = Column::new;
        let mut table = Table::new(
            "Người trả lời",
            Place::Annex,
            vec![
                column("Lượt", ColumnKind::Count),
                column("Họ và tên", ColumnKind::Text),
                column("Đơn vị, điểm cầu", ColumnKind::Text),
                column("Trả lời", ColumnKind::Text),
                column("Điểm", ColumnKind::Count),
                column("Lúc", ColumnKind::Time),
            ],
        );
        for (no, poll) in (1_u64..).zip(self.polls) {
            let left = MOST_ANSWERS.saturating_sub(table.rows.len());
            for row in poll.answers.iter().take(left) {
                table.rows.push(vec![
                    Cell::Count(no),
                    Cell::text(&row.name),
                    Cell::maybe(row.unit.as_deref()),
                    Cell::text(answers_name(poll, &row.answer)),
                    row.score.map_or(Cell::Empty, Cell::count),
                    Cell::Time(row.at_ms),
                ]);
            }
        }
        (!table.rows.is_empty()).then_some(table)
    }

    /// What was written in the anonymous polls.
    fn texts(&self) -> Option<Table> {
        let column = Column::new;
        let mut table = Table::new(
            "Ý kiến ẩn danh",
            Place::Annex,
            vec![
                column("Lượt", ColumnKind::Count),
                column("Câu", ColumnKind::Count),
                column("Ý kiến", ColumnKind::Text),
            ],
        );
        for (no, poll) in (1_u64..).zip(self.polls).filter(|(_, poll)| poll.anonymous) {
            for (nth, sums) in (1_u64..).zip(&poll.sums) {
                for text in &sums.texts {
                    table
                        .rows
                        .push(vec![Cell::Count(no), Cell::Count(nth), Cell::text(text)]);
                }
            }
        }
        (!table.rows.is_empty()).then_some(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Export;
    use lophoc_ledger::{PersonKey, PollAnswer, PollSums};

    fn item(text: &str, choose: &str, options: &[&str], correct: &[u8]) -> PollAsked {
        PollAsked {
            text: text.to_owned(),
            choose: choose.to_owned(),
            options: options.iter().map(|one| (*one).to_owned()).collect(),
            correct: correct.to_vec(),
        }
    }

    fn poll(kind: &str, items: Vec<PollAsked>) -> PollRecord {
        PollRecord {
            id: "v1".to_owned(),
            kind: kind.to_owned(),
            title: "Nội dung".to_owned(),
            sums: vec![PollSums::default(); items.len()],
            items,
            anonymous: false,
            by_site: false,
            quorum: None,
            by: PersonKey::from("t"),
            by_name: "Trần Văn Dạy".to_owned(),
            at_ms: 1_788_654_600_000,
            closed_ms: Some(1_788_654_660_000),
            answered: 0,
            eligible: Some(4),
            shown: true,
            answers: Vec::new(),
        }
    }

    fn build(polls: &[PollRecord]) -> Document {
        let context = Context {
            parent_unit: None,
            unit: "Sở GDĐT".to_owned(),
            place: None,
            day: None,
            number: None,
            recipients: Vec::new(),
            class_title: "Tập huấn".to_owned(),
            class_code: String::new(),
            class_fields: Vec::new(),
            people_fields: Vec::new(),
            plan: None,
            signatures: Vec::new(),
            export: Export {
                id: "LH-POLLS-01".to_owned(),
                made_ms: 1_788_654_600_000,
                version: None,
                check_at: None,
            },
            offset_min: 420,
        };
        let session = SessionInfo {
            no: 1,
            ..SessionInfo::default()
        };
        PollSheet {
            context: &context,
            session: &session,
            began_ms: None,
            polls,
        }
        .build()
    }

    fn said(table: &Table) -> String {
        format!("{:?}", table.rows)
    }

    #[test]
    fn a_quiz_shows_sums_right_answers_and_who_has_how_many_points() {
        let items = vec![
            item("Bao lâu?", "one", &["3 tháng", "6 tháng"], &[1]),
            item("", "many", &["x", "y"], &[0]),
        ];
        let mut quiz = poll("quiz", items);
        quiz.answered = 2;
        quiz.sums[0].counts = vec![1, 1];
        quiz.sums[1].counts = vec![2, 0];
        quiz.answers.push(PollAnswer {
            person: PersonKey::from("a"),
            name: "Lê Thị Ân".to_owned(),
            unit: Some("THPT số 1".to_owned()),
            answer: vec![
                PollChosen {
                    chosen: vec![1],
                    text: None,
                },
                PollChosen {
                    chosen: vec![0, 1],
                    text: None,
                },
            ],
            score: Some(1),
            at_ms: 1_788_654_620_000,
        });
        let document = build(&[quiz]);
        let main = &document.data.tables[0];
        assert_eq!(main.rows.len(), 5);
        assert_eq!(main.rows[0][5], Cell::Permille(500));
        assert_eq!(main.rows[2][3], Cell::text("B. 6 tháng"));
        assert_eq!(main.rows[2][11], Cell::text("Đáp án đúng"));
        assert_eq!(main.rows[3][2], Cell::text("Câu 2"));
        let who = &document.data.tables[1];
        assert_eq!(
            who.rows[0][1..5],
            [
                Cell::text("Lê Thị Ân"),
                Cell::text("THPT số 1"),
                Cell::text("1) B. 6 tháng | 2) A. x; B. y"),
                Cell::Count(1)
            ]
        );
        assert!(document.seal().is_ok());
    }

    #[test]
    fn a_secret_vote_shows_sums_alone_and_whether_it_is_valid() {
        let mut vote = poll("vote", vec![item("", "one", &[], &[])]);
        vote.anonymous = true;
        vote.by_site = true;
        vote.quorum = Some(3);
        vote.answered = 2;
        vote.sums[0].counts = vec![1, 0, 1];
        let document = build(&[vote.clone()]);
        assert_eq!(document.data.tables.len(), 1);
        let main = said(&document.data.tables[0]);
        for wanted in [
            "Biểu quyết kín",
            "Không tán thành",
            "không đủ số phiếu tối thiểu (03)",
        ] {
            assert!(main.contains(wanted), "{wanted}: {main}");
        }
        vote.answered = 3;
        let main = said(&build(&[vote]).data.tables[0]);
        assert!(main.contains("; đủ số phiếu tối thiểu"), "{main}");
    }

    #[test]
    fn anonymous_words_stand_without_names() {
        let mut asked = poll("poll", vec![item("Góp ý", "text", &[], &[])]);
        asked.anonymous = true;
        asked.answered = 1;
        asked.sums[0].texts = vec!["Rất bổ ích".to_owned()];
        let document = build(&[asked]);
        assert_eq!(document.data.tables[1].name, "Ý kiến ẩn danh");
        assert!(said(&document.data.tables[1]).contains("Rất bổ ích"));
        assert!(document.seal().is_ok());
        assert!(build(&[]).seal().is_ok(), "a session without any");
    }
}
