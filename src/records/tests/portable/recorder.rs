//! What sqlx tells of the statements it ran.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static RAN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// From here on they are kept.
pub fn begin() {
    tracing::subscriber::set_global_default(Recorder).unwrap();
}

/// Those that ran, with placeholders as PostgreSQL counts them.
pub fn end() -> BTreeSet<String> {
    std::mem::take(&mut *RAN.lock().unwrap())
}

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        // A short one stands in its summary.
        let text = match statement.text.trim() {
            "" => statement.summary.trim(),
            text => text,
        };
        RAN.lock().unwrap().insert(numbered(text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.text = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// sqlx's builder writes `?` for SQLite and `$1`, `$2` for PostgreSQL.
fn numbered(text: &str) -> String {
    let mut done = String::new();
    let mut quoted = false;
    let mut count = 0;
    for c in text.chars() {
        quoted ^= c == '\'';
        if c == '?' && !quoted {
            count += 1;
            done.push_str(&format!("${count}"));
        } else {
            done.push(c);
        }
    }
    done
}
