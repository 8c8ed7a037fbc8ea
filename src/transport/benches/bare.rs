//! What a packet costs at least: header, copy, AES-256-GCM with each receiver's own
//! key, `sendmmsg` of segmented messages to real sockets, on the mix of a lecture.
//!
//! `cargo bench --workspace --bench bare -- [--n 50,200,500] [--rounds 20] [--repeats 5] [--json]`

mod common;

use common::bare::{Bare, Part};
use common::sys::{Drain, pin};
use common::{Mix, Row, Settings, Sizes, Table, compare};

fn row(name: &'static str, part: Part, sizes: Sizes, receivers: usize) -> Row {
    let drain = Drain::new(receivers);
    let subject = Bare::new(part, drain.addresses());
    Row {
        name,
        drain: (part == Part::Whole).then_some(drain),
        mix: Mix::new(sizes),
        subject: Box::new(subject),
    }
}

fn main() {
    pin(0);
    let settings = Settings::read();
    let mut table = Table::default();
    for &receivers in &settings.receivers {
        let mut rows = [
            row("bare", Part::Whole, Sizes::Equal, receivers),
            row(
                "bare, two runs per frame",
                Part::Whole,
                Sizes::Browser,
                receivers,
            ),
            row("bare, nothing sent", Part::Seal, Sizes::Equal, receivers),
        ];
        let figures = compare(&mut rows, receivers, &settings);
        table.enter(receivers, &rows, figures);
    }
    table.print("bare", &settings);
}
