//! Stretches of time as sets: sorted, apart from each other, never empty.

use super::types::Span;

impl Span {
    /// Length, ms.
    pub fn len_ms(self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }
}

/// Any spans as a set: sorted, empty ones left out, those that overlap or touch
/// made one.
pub(crate) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.to_ms > span.from_ms);
    spans.sort_unstable_by_key(|span| (span.from_ms, span.to_ms));
    let mut set: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match set.last_mut() {
            Some(last) if span.from_ms <= last.to_ms => last.to_ms = last.to_ms.max(span.to_ms),
            _ => set.push(span),
        }
    }
    set
}

/// What both sets have.
pub(crate) fn intersection(a: &[Span], b: &[Span]) -> Vec<Span> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut set = Vec::new();
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let both = Span {
            from_ms: x.from_ms.max(y.from_ms),
            to_ms: x.to_ms.min(y.to_ms),
        };
        if both.to_ms > both.from_ms {
            set.push(both);
        }
        if x.to_ms <= y.to_ms {
            a.next();
        } else {
            b.next();
        }
    }
    set
}

/// What the set has and `without` has not.
pub(crate) fn difference(set: &[Span], without: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut without = without.iter().peekable();
    for span in set {
        let mut from_ms = span.from_ms;
        while let Some(hole) = without.peek() {
            if hole.to_ms <= from_ms {
                without.next();
                continue;
            }
            if hole.from_ms >= span.to_ms {
                break;
            }
            if hole.from_ms > from_ms {
                left.push(Span {
                    from_ms,
                    to_ms: hole.from_ms,
                });
            }
            from_ms = hole.to_ms.min(span.to_ms);
            if hole.to_ms > span.to_ms {
                break;
            }
            without.next();
        }
        if from_ms < span.to_ms {
            left.push(Span {
                from_ms,
                to_ms: span.to_ms,
            });
        }
    }
    left
}

/// A set with the length that lies before each span: tells in the time of a
/// binary search how much of the set has passed at a moment.
#[derive(Debug, Default)]
pub(crate) struct Axis {
    spans: Vec<(Span, u64)>,
    len_ms: u64,
}

impl Axis {
    pub(crate) fn new(set: &[Span]) -> Self {
        let mut axis = Self::default();
        for &span in set {
            axis.spans.push((span, axis.len_ms));
            axis.len_ms = axis.len_ms.saturating_add(span.len_ms());
        }
        axis
    }

    /// Length of the whole set, ms.
    pub(crate) fn len_ms(&self) -> u64 {
        self.len_ms
    }

    /// How much of the set lies before `time_ms`.
    pub(crate) fn at(&self, time_ms: u64) -> u64 {
        let after = self
            .spans
            .partition_point(|(span, _)| span.from_ms <= time_ms);
        let Some((span, before)) = after.checked_sub(1).and_then(|at| self.spans.get(at)) else {
            return 0;
        };
        before.saturating_add(time_ms.min(span.to_ms).saturating_sub(span.from_ms))
    }

    /// How much of the set lies between two moments.
    pub(crate) fn between(&self, from_ms: u64, to_ms: u64) -> u64 {
        self.at(to_ms).saturating_sub(self.at(from_ms))
    }
}
