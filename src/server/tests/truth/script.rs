//! Who comes when, and how they go.

use std::path::Path;

use std::time::{SystemTime, UNIX_EPOCH};

use lophoc::LinkMaker;
use lophoc_classes::SessionForm;
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_protocol::Role;
use lophoc_records::{NewClass, Store};

/// Learners.
pub const PEOPLE: usize = 200;
/// Beginning of the lesson, seconds of the scene; before it is rehearsal.
pub const START: f64 = 7.0;
/// Announced breaks.
pub const BREAKS: [(f64, f64); 2] = [(50.0, 57.0), (95.0, 101.0)];
/// Deaths of the server.
pub const KILLS: [f64; 2] = [40.0, 80.0];
/// End of the lesson.
pub const END: f64 = 126.0;

/// How a visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// `leave`, as by the button.
    Leave,
    /// A close frame, as by closing the tab.
    Close,
    /// A TCP reset.
    Reset,
    /// Nothing more is heard.
    Silence,
}

impl Cut {
    /// A third each; clean closes by turns of both sorts.
    fn nth(n: usize) -> Self {
        match n % 6 {
            0 => Self::Leave,
            3 => Self::Close,
            1 | 4 => Self::Reset,
            _ => Self::Silence,
        }
    }

    /// Whether the server can know the end to the second.
    pub fn is_clean(self) -> bool {
        self != Self::Silence
    }
}

/// One visit.
#[derive(Debug, Clone)]
pub struct Visit {
    pub from: f64,
    /// Absent: until the lesson ends.
    pub to: Option<(f64, Cut)>,
    pub name: String,
    pub device: String,
    /// Takes the place of the device before.
    pub takes_over: bool,
}

/// One person.
#[derive(Debug, Clone)]
pub struct Play {
    pub link: String,
    pub visits: Vec<Visit>,
}

/// A number in 0..1 that is the same in every run.
fn chance(seed: usize, salt: usize) -> f64 {
    let mut x = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (salt as u64) << 32;
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 32;
    (x % 10_000) as f64 / 10_000.0
}

fn visits(i: usize) -> Vec<Visit> {
    let between = |salt, from: f64, to: f64| from + (to - from) * chance(i, salt);
    let name = format!("Nguyễn Văn Học Viên {i:03}");
    let visit = |from, to| Visit {
        from,
        to,
        name: name.clone(),
        device: format!("device of person {i}"),
        takes_over: false,
    };
    let early = between(1, 0.3, 5.0);
    let cut = Cut::nth(i / 5);
    match i % 5 {
        // Between the deaths of the server.
        0 => vec![visit(
            between(2, 44.0, 47.0),
            Some((between(3, 66.0, 76.0), cut)),
        )],
        // All the time.
        1 => vec![visit(early, None)],
        // Drops and comes back.
        2 => {
            let gone = between(4, 15.0, 24.0);
            let back = gone + between(5, 3.0, 12.0);
            vec![visit(early, Some((gone, cut))), visit(back, None)]
        }
        // Away for longer than any grace.
        3 => vec![
            visit(early, Some((between(6, 10.0, 13.0), cut))),
            visit(between(7, 103.0, 106.0), None),
        ],
        // Another device takes over.
        _ if i.is_multiple_of(2) => {
            let at = between(8, 18.0, 26.0);
            let second = Visit {
                device: format!("other device of person {i}"),
                takes_over: true,
                ..visit(at, None)
            };
            vec![visit(early, None), second]
        }
        // Comes back under a corrected name.
        _ => {
            let gone = between(9, 15.0, 20.0);
            let back = Visit {
                name: format!("{name} (Trường THCS số {i})"),
                ..visit(gone + between(10, 2.0, 8.0), None)
            };
            vec![visit(early, Some((gone, Cut::Close))), back]
        }
    }
}

/// A class with a session that has a rehearsal and a waiting room, the
/// organiser's link, and everybody's script.
pub async fn prepare(data: &Path) -> (SessionKey, String, Vec<Play>) {
    let store = Store::open(&data.join("lophoc.db")).await.unwrap();
    let class = store
        .create_class(NewClass {
            title: "Lớp kiểm chứng".to_owned(),
            host_unit: "Sở GDĐT".to_owned(),
        })
        .await
        .unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    // Planned for later: until the organiser begins it is rehearsal.
    let form = SessionForm {
        title: "Buổi kiểm chứng".to_owned(),
        starts_ms: Some(now_ms + 30 * 60_000),
        ends_ms: Some(now_ms + 90 * 60_000),
        mode: "discussion".to_owned(),
        rehearsal_min: 60,
        waiting: true,
        counts: true,
        place: String::new(),
        custom: Vec::new(),
        on_sheets: Vec::new(),
    };
    let by = PersonKey::from("p-test");
    let session = store
        .add_session(&class.id, &form, &by, now_ms)
        .await
        .unwrap();
    let links = LinkMaker::new(&store, "http://localhost".to_owned())
        .await
        .unwrap();
    let organiser = links.link(&session.room, Role::Organiser, None, 2).unwrap();
    let open = links.link(&session.room, Role::Learner, None, 2).unwrap();
    let plays = (0..PEOPLE)
        .map(|i| {
            let visits = visits(i);
            // Only a personal link makes two devices one person.
            let link = if visits.iter().any(|visit| visit.takes_over) {
                let named = Some((visits[0].name.as_str(), None));
                links.link(&session.room, Role::Learner, named, 2).unwrap()
            } else {
                open.clone()
            };
            Play { link, visits }
        })
        .collect();
    store.close().await;
    (session.id, organiser, plays)
}
