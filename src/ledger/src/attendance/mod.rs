//! Events → attendance: presence as a union of intervals inside the counted
//! window, late and early, shares, corrections.

mod types;

pub use types::{
    Adjustment, Change, ClassBy, Expected, HallHow, HallMark, Input, Interval, IntervalKind,
    Outcome, Report, Row, Rules, Span, Status, Totals, Window,
};
