//! Edits of a text as lists of steps, and how an edit is carried over another
//! that came first. Lengths count Unicode scalar values.

use std::iter::Peekable;

use lophoc_protocol::notes::NoteStep;

/// A step, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Keeps so many.
    Keep(usize),
    /// Takes so many away.
    Drop(usize),
    /// Puts this in.
    Put(String),
}

/// An edit in its one shortest form: no empty steps, no two of a sort after each
/// other, what is put in before what is taken away, no `Keep` at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Op(Vec<Step>);

impl Op {
    /// The edit of these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut op = Self::default();
        for step in steps {
            op.push(step);
        }
        op.trimmed()
    }

    /// The edit of a message.
    pub fn read(steps: &[NoteStep]) -> Self {
        Self::new(steps.iter().map(|step| match step {
            NoteStep::Count(n) if *n < 0 => {
                Step::Drop(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX))
            }
            NoteStep::Count(n) => Step::Keep(usize::try_from(*n).unwrap_or(0)),
            NoteStep::Put(text) => Step::Put(text.clone()),
        }))
    }

    /// The edit for a message.
    pub fn write(&self) -> Vec<NoteStep> {
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        self.0
            .iter()
            .map(|step| match step {
                Step::Keep(n) => NoteStep::Count(count(*n)),
                Step::Drop(n) => NoteStep::Count(-count(*n)),
                Step::Put(text) => NoteStep::Put(text.clone()),
            })
            .collect()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it puts in.
    pub fn put(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Put(text) => Some(text.as_str()),
            Step::Keep(_) | Step::Drop(_) => None,
        })
    }

    /// How many steps.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, step: Step) {
        match (self.0.last_mut(), step) {
            (_, Step::Keep(0) | Step::Drop(0)) => {}
            (_, Step::Put(text)) if text.is_empty() => {}
            (Some(Step::Keep(n)), Step::Keep(more)) | (Some(Step::Drop(n)), Step::Drop(more)) => {
                *n = n.saturating_add(more);
            }
            (Some(Step::Put(text)), Step::Put(more)) => text.push_str(&more),
            // The same in either order; this is the one that is used.
            (Some(Step::Drop(_)), Step::Put(text)) => {
                let dropped = self.0.pop();
                self.push(Step::Put(text));
                self.0.extend(dropped);
            }
            (_, step) => self.0.push(step),
        }
    }

    fn trimmed(mut self) -> Self {
        if matches!(self.0.last(), Some(Step::Keep(_))) {
            self.0.pop();
        }
        self
    }

    /// The text after the edit; `None` when it reaches past the end.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        for step in &self.0 {
            match step {
                Step::Keep(n) => {
                    let (head, tail) = cut(rest, *n)?;
                    out.push_str(head);
                    rest = tail;
                }
                Step::Drop(n) => rest = cut(rest, *n)?.1,
                Step::Put(put) => out.push_str(put),
            }
        }
        out.push_str(rest);
        Some(out)
    }

    /// This edit as it is after `first`, which was made to the same text and
    /// came first. Where both put something in at the same place, that of
    /// `first` stands before.
    #[must_use]
    pub fn after(&self, first: &Self) -> Self {
        self.over(first, false)
    }

    /// This edit as it is for somebody who made `then` already, which came later.
    #[must_use]
    pub fn before(&self, then: &Self) -> Self {
        self.over(then, true)
    }

    fn over(&self, other: &Self, mine_first: bool) -> Self {
        let mut mine = Steps::of(self);
        let mut theirs = Steps::of(other);
        let mut out = Self::default();
        loop {
            if mine_first && let Some(text) = mine.put() {
                out.push(Step::Put(text));
                continue;
            }
            if let Some(text) = theirs.put() {
                out.push(Step::Keep(text.chars().count()));
                continue;
            }
            if let Some(text) = mine.put() {
                out.push(Step::Put(text));
                continue;
            }
            if mine.is_done() {
                break;
            }
            let n = mine.left().min(theirs.left());
            let (gone, drop) = (theirs.take(n), mine.take(n));
            match (gone, drop) {
                // What they took away is gone.
                (true, _) => {}
                (false, true) => out.push(Step::Drop(n)),
                (false, false) => out.push(Step::Keep(n)),
            }
        }
        out.trimmed()
    }
}

/// The first `n` characters and the rest.
fn cut(text: &str, n: usize) -> Option<(&str, &str)> {
    let at = text
        .char_indices()
        .map(|(at, _)| at)
        .chain(std::iter::once(text.len()))
        .nth(n)?;
    text.split_at_checked(at)
}

/// Steps of an edit, taken piece by piece; after the last everything is kept.
struct Steps<'a> {
    steps: Peekable<std::slice::Iter<'a, Step>>,
    /// Of the step that is being taken.
    taken: usize,
}

impl<'a> Steps<'a> {
    fn of(op: &'a Op) -> Self {
        Self {
            steps: op.0.iter().peekable(),
            taken: 0,
        }
    }

    fn put(&mut self) -> Option<String> {
        let step = self.steps.next_if(|step| matches!(step, Step::Put(_)))?;
        match step {
            Step::Put(text) => Some(text.clone()),
            Step::Keep(_) | Step::Drop(_) => None,
        }
    }

    fn is_done(&mut self) -> bool {
        self.steps.peek().is_none()
    }

    /// How many characters the present step still covers.
    fn left(&mut self) -> usize {
        match self.steps.peek() {
            Some(Step::Keep(n) | Step::Drop(n)) => n.saturating_sub(self.taken),
            Some(Step::Put(_)) => 0,
            None => usize::MAX,
        }
    }

    /// Takes so many of the present step; whether it takes them away.
    fn take(&mut self, n: usize) -> bool {
        let Some(Step::Keep(whole) | Step::Drop(whole)) = self.steps.peek() else {
            return false;
        };
        let drops = matches!(self.steps.peek(), Some(Step::Drop(_)));
        self.taken = self.taken.saturating_add(n);
        if self.taken >= *whole {
            self.taken = 0;
            self.steps.next();
        }
        drops
    }
}
