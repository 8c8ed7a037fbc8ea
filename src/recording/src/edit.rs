//! Cuts: stretches nobody is shown; and net time, which leaves them out.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::Span;

/// Why a stretch is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CutWhy {
    /// The recording was paused: there is nothing.
    Pause,
    /// Before the beginning or after the end that somebody set.
    Trim,
    /// Somebody took it out.
    Cut,
}

/// A stretch nobody is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// Where.
    #[serde(flatten)]
    pub span: Span,
    /// Why.
    pub why: CutWhy,
}

/// Why cuts cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// More than [`limits::MAX_CUTS`].
    #[error("too many cuts")]
    TooMany,
    /// One ends before it begins or lies after the end.
    #[error("a cut ends before it begins or lies outside of the recording")]
    Outside,
    /// Nothing would be left.
    #[error("the cuts leave nothing")]
    Nothing,
}

/// The cuts of a recording, in order, disjoint, within its length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cuts {
    length_ms: u64,
    cuts: Vec<Cut>,
}

impl Cuts {
    /// Pauses and what somebody cut, merged; lengths beyond the end are shortened.
    /// Where both meet, the pause counts.
    pub fn new(
        length_ms: u64,
        pauses: impl IntoIterator<Item = Span>,
        edits: impl IntoIterator<Item = Span>,
    ) -> Self {
        let mut all: Vec<Cut> = Vec::new();
        for span in merged(pauses, length_ms) {
            all.push(Cut {
                span,
                why: CutWhy::Pause,
            });
        }
        let pauses: Vec<Span> = all.iter().map(|cut| cut.span).collect();
        for span in merged(edits, length_ms) {
            for span in without(span, &pauses) {
                let trim = span.from_ms == 0 || span.to_ms == length_ms;
                let why = if trim { CutWhy::Trim } else { CutWhy::Cut };
                all.push(Cut { span, why });
            }
        }
        all.sort_by_key(|cut| cut.span);
        Self {
            length_ms,
            cuts: all,
        }
    }

    /// Whether somebody may set these.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn check(
        length_ms: u64,
        pauses: impl IntoIterator<Item = Span>,
        edits: &[Span],
    ) -> Result<Self, EditError> {
        if edits.len() > limits::MAX_CUTS {
            return Err(EditError::TooMany);
        }
        if edits
            .iter()
            .any(|span| span.is_empty() || span.from_ms >= length_ms || span.to_ms > length_ms)
        {
            return Err(EditError::Outside);
        }
        let cuts = Self::new(length_ms, pauses, edits.iter().copied());
        if cuts.net_ms() == 0 {
            return Err(EditError::Nothing);
        }
        Ok(cuts)
    }

    /// In order.
    pub fn list(&self) -> &[Cut] {
        &self.cuts
    }

    /// The stretches alone; neighbours of different reasons are one.
    pub fn spans(&self) -> Vec<Span> {
        merged(self.cuts.iter().map(|cut| cut.span), self.length_ms)
    }

    /// What is shown, in order.
    pub fn kept(&self) -> Vec<Span> {
        without(Span::new(0, self.length_ms), &self.spans())
    }

    /// Length with everything, milliseconds.
    pub fn length_ms(&self) -> u64 {
        self.length_ms
    }

    /// Length of what is shown, milliseconds.
    pub fn net_ms(&self) -> u64 {
        self.kept().into_iter().map(Span::len_ms).sum()
    }

    /// Recording time → net time. Inside a cut: where it was taken out.
    pub fn to_net(&self, t_ms: u64) -> u64 {
        let t_ms = t_ms.min(self.length_ms);
        let gone: u64 = self
            .cuts
            .iter()
            .map(|cut| t_ms.min(cut.span.to_ms).saturating_sub(cut.span.from_ms))
            .sum();
        t_ms - gone.min(t_ms)
    }

    /// Net time → recording time. Where something was taken out: after it.
    pub fn to_recording(&self, net_ms: u64) -> u64 {
        let mut left = net_ms;
        for span in self.kept() {
            if left < span.len_ms() {
                return span.from_ms + left;
            }
            left -= span.len_ms();
        }
        // The end of what is shown.
        self.kept().last().map_or(self.length_ms, |span| span.to_ms)
    }

    /// Whether this moment is cut.
    pub fn hides(&self, t_ms: u64) -> bool {
        self.cuts
            .iter()
            .any(|cut| cut.span.from_ms <= t_ms && t_ms < cut.span.to_ms)
    }
}

/// In order, disjoint, not touching, within `0..length`.
pub fn merged(spans: impl IntoIterator<Item = Span>, length_ms: u64) -> Vec<Span> {
    let mut all: Vec<Span> = spans
        .into_iter()
        .map(|span| Span::new(span.from_ms, span.to_ms.min(length_ms)))
        .filter(|span| !span.is_empty())
        .collect();
    all.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(all.len());
    for span in all {
        match merged.last_mut() {
            Some(last) if span.from_ms <= last.to_ms => last.to_ms = last.to_ms.max(span.to_ms),
            _ => merged.push(span),
        }
    }
    merged
}

/// What is left of `span` without `cuts`, which are in order and disjoint.
pub fn without(span: Span, cuts: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut from = span.from_ms;
    for cut in cuts {
        if cut.to_ms <= from {
            continue;
        }
        if cut.from_ms >= span.to_ms {
            break;
        }
        if cut.from_ms > from {
            left.push(Span::new(from, cut.from_ms));
        }
        from = from.max(cut.to_ms);
    }
    if from < span.to_ms {
        left.push(Span::new(from, span.to_ms));
    }
    left
}
