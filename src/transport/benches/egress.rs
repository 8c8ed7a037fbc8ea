//! What a packet costs per receiver by each way out, from the forwarding core to the
//! kernel, beside the bare loop on the same mix to the same sort of receivers.
//!
//! `cargo bench -p lophoc-transport --features measure --bench egress -- [--n 50,200,500] [--rounds 20] [--repeats 5] [--json]`

mod common;

use common::bare::{Bare, Part};
use common::sys::{Drain, pin};
use common::{Event, Mix, Row, Sent, Settings, Sizes, Subject, Table, compare};
use lophoc_transport::EgressKind;
use lophoc_transport::measure::Lecture;

/// A lesson with real connections.
struct Way(Lecture);

impl Subject for Way {
    fn send(&mut self, event: &Event) {
        let packets = event.packets.iter().map(|p| (p.bytes.clone(), p.marker));
        self.0.event(event.at, event.video, packets);
        self.0.flush();
    }

    fn flush(&mut self) {}

    fn sent(&self) -> Sent {
        let (packets, messages) = self.0.sent();
        Sent { packets, messages }
    }
}

fn bare(receivers: usize) -> Row {
    let drain = Drain::new(receivers);
    let subject = Bare::new(Part::Whole, drain.addresses());
    Row {
        name: "bare",
        drain: Some(drain),
        mix: Mix::new(Sizes::Equal),
        subject: Box::new(subject),
    }
}

fn way(name: &'static str, egress: EgressKind, even: bool, sizes: Sizes, receivers: usize) -> Row {
    let drain = Drain::new(receivers);
    let mut lecture = Lecture::new(egress, drain.addresses());
    lecture.even(even);
    Row {
        name,
        drain: Some(drain),
        mix: Mix::new(sizes),
        subject: Box::new(Way(lecture)),
    }
}

fn main() {
    pin(0);
    let settings = Settings::read();
    let mut table = Table::default();
    for &receivers in &settings.receivers {
        let (direct, engine) = (EgressKind::Direct, EgressKind::Engine);
        let (equal, browser) = (Sizes::Equal, Sizes::Browser);
        let mut rows = [
            bare(receivers),
            way("direct", direct, true, equal, receivers),
            way("direct, Chromium's sizes", direct, true, browser, receivers),
            way("direct, not padded", direct, false, browser, receivers),
            way("engine", engine, true, equal, receivers),
        ];
        let figures = compare(&mut rows, receivers, &settings);
        table.enter(receivers, &rows, figures);
    }
    table.print("bare", &settings);
}
