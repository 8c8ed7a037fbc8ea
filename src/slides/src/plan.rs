//! The plan of a conversion: which tool runs next, and what follows from how it
//! ended. Opens nothing, runs nothing, asks no clock.

use std::collections::VecDeque;

use crate::image::{Format, Picture};
use crate::limits::{
    CHUNK, LARGE_BYTES, LARGE_WIDTH, MAX_PAGES, MAX_TALL, SMALL_BYTES, SMALL_WIDTH,
};
use crate::parse::{PageSize, page_count, page_sizes};
use crate::sniff::Kind;

/// Why a file did not become slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No format that can be shown.
    #[error("no format that can be shown")]
    Unsupported,
    /// Larger than allowed.
    #[error("larger than allowed")]
    TooLarge,
    /// More pages than allowed.
    #[error("more pages than allowed")]
    TooManyPages,
    /// Damaged.
    #[error("damaged")]
    Broken,
    /// Asks for a password.
    #[error("asks for a password")]
    Encrypted,
    /// Too much time, memory or output.
    #[error("too much time, memory or output")]
    TooHard,
    /// No program for it, or no sandbox.
    #[error("no program for it")]
    NoConverter,
    /// No room left on the disk.
    #[error("no room left on the disk")]
    Full,
    /// A fault of the machine.
    #[error("a fault of the machine")]
    Internal,
    /// The server stops; the conversion begins anew after its start.
    #[error("stopped")]
    Stopped,
}

/// Which variant of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// For weak links and previews.
    Small,
    /// For the stage.
    Large,
}

/// What is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The file as it was brought.
    Given,
    /// The still picture made of it.
    Still,
    /// A rendered page.
    Page(u16),
}

/// One run of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An office file becomes a PDF.
    Office {
        /// Ending its program knows the file by.
        ending: &'static str,
    },
    /// A JPEG is put on the page of a PDF. Needs no tool.
    Wrap(Picture),
    /// The first frame of a moving picture is taken out.
    Still {
        /// It is a GIF.
        gif: bool,
    },
    /// How many pages?
    Count,
    /// How large are they?
    Sizes {
        /// The last page asked for.
        last: u16,
    },
    /// Pages of one size become pixels.
    Render {
        /// From.
        first: u16,
        /// To, with it.
        last: u16,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The words of pages.
    Text {
        /// From.
        first: u16,
        /// To, with it.
        last: u16,
    },
    /// One variant of a page is written.
    Encode {
        /// Page, from 1.
        page: u16,
        /// Of what.
        from: Source,
        /// Variant.
        size: Size,
        /// Pixels across.
        width: u32,
        /// Quality, 0 to 100.
        quality: u8,
    },
    /// What a page was rendered to is not needed any more.
    Forget {
        /// Page.
        page: u16,
    },
}

/// How a tool ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    /// Well, and what was to be written is there. What it said, and the bytes of
    /// what it wrote where that matters.
    Well {
        /// Standard output.
        said: &'a str,
        /// Bytes written by [`Step::Encode`].
        bytes: u64,
    },
    /// With an error, or without its output.
    Badly {
        /// Standard error.
        complaint: &'a str,
    },
    /// It took too long or wrote too much.
    TooMuch,
    /// It could not be started.
    Missing,
    /// The disk is full.
    Full,
    /// The machine failed.
    Internal,
    /// The server stops.
    Stopped,
}

/// How far a conversion is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pages done.
    pub done: u16,
    /// Pages in all; 0 while not known.
    pub total: u16,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Run this and say how it ended.
    Run(Step),
    /// All pages are there.
    Ready {
        /// Pages.
        pages: u16,
        /// Size of the first.
        first: PageSize,
    },
    /// It will not become slides.
    Failed(Fault),
}

/// Quality after quality, until a page is small enough: share of the width in
/// percent, quality.
const LADDER: [(u32, u8); 8] = [
    (100, 78),
    (100, 60),
    (100, 40),
    (100, 20),
    (100, 5),
    (75, 10),
    (50, 5),
    (25, 0),
];

/// A conversion.
#[derive(Debug)]
pub struct Plan {
    steps: VecDeque<Step>,
    sizes: Vec<PageSize>,
    progress: Progress,
    fault: Option<Fault>,
}

impl Plan {
    /// For a file of this kind.
    pub fn new(kind: Kind) -> Self {
        let mut plan = Self {
            steps: VecDeque::new(),
            sizes: Vec::new(),
            progress: Progress::default(),
            fault: None,
        };
        match kind {
            Kind::Pdf => plan.steps.push_back(Step::Count),
            Kind::Office(ending) => plan.steps.extend([Step::Office { ending }, Step::Count]),
            Kind::Picture(picture) => plan.picture(picture),
        }
        plan
    }

    fn picture(&mut self, picture: Picture) {
        let moving = match picture.format {
            Format::Jpeg(_) => {
                self.steps.extend([Step::Wrap(picture), Step::Count]);
                return;
            }
            Format::Plain => None,
            Format::Gif => Some(true),
            Format::Moving => Some(false),
        };
        self.steps.extend(moving.map(|gif| Step::Still { gif }));
        let from = moving.map_or(Source::Given, |_| Source::Still);
        self.sizes = vec![PageSize {
            width: pixels(picture.width),
            height: pixels(picture.height),
        }];
        self.progress.total = 1;
        // A small picture is not made larger.
        let most = picture.width.min(width_for(self.sizes.first().copied()));
        self.encode(1, from, most);
        self.steps.push_back(Step::Forget { page: 1 });
    }

    fn encode(&mut self, page: u16, from: Source, most: u32) {
        for (size, width) in [
            (Size::Small, most.min(SMALL_WIDTH)),
            (Size::Large, most.min(LARGE_WIDTH)),
        ] {
            self.steps.push_back(Step::Encode {
                page,
                from,
                size,
                width,
                quality: LADDER[0].1,
            });
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// What comes next.
    pub fn next(&self) -> Next {
        match (self.fault, self.steps.front(), self.sizes.first()) {
            (Some(fault), ..) => Next::Failed(fault),
            (None, Some(step), _) => Next::Run(*step),
            (None, None, Some(first)) => Next::Ready {
                pages: self.progress.total,
                first: *first,
            },
            (None, None, None) => Next::Failed(Fault::Internal),
        }
    }

    /// The step of [`Self::next`] ended.
    pub fn ended(&mut self, how: Ended<'_>) {
        let Some(step) = self.steps.pop_front() else {
            return;
        };
        let failed = match how {
            Ended::Well { said, bytes } => self.went_well(step, said, bytes).err(),
            Ended::Badly { complaint } => Some(blame(complaint)),
            Ended::TooMuch => Some(Fault::TooHard),
            Ended::Missing => Some(Fault::NoConverter),
            Ended::Full => Some(Fault::Full),
            Ended::Internal => Some(Fault::Internal),
            Ended::Stopped => Some(Fault::Stopped),
        };
        self.fault = self.fault.or(failed);
    }

    fn went_well(&mut self, step: Step, said: &str, bytes: u64) -> Result<(), Fault> {
        match step {
            Step::Count => {
                let pages = page_count(said).filter(|pages| *pages > 0);
                let pages = u16::try_from(pages.ok_or(Fault::Broken)?).unwrap_or(u16::MAX);
                if pages > MAX_PAGES {
                    return Err(Fault::TooManyPages);
                }
                self.progress.total = pages;
                self.steps.push_back(Step::Sizes { last: pages });
            }
            Step::Sizes { last } => {
                self.sizes = page_sizes(said, last).ok_or(Fault::Broken)?;
                self.chunks();
            }
            Step::Encode {
                page,
                from,
                size,
                width,
                quality,
            } => {
                let (most, full) = match size {
                    Size::Small => (SMALL_BYTES, SMALL_WIDTH),
                    Size::Large => (LARGE_BYTES, LARGE_WIDTH),
                };
                if bytes > most
                    && let Some(lower) = lower(width, quality, full)
                {
                    self.steps.push_front(Step::Encode {
                        page,
                        from,
                        size,
                        width: lower.0,
                        quality: lower.1,
                    });
                }
            }
            Step::Forget { page } => self.progress.done = page,
            Step::Office { .. }
            | Step::Wrap(_)
            | Step::Still { .. }
            | Step::Render { .. }
            | Step::Text { .. } => {}
        }
        Ok(())
    }

    /// Runs of pages of one size, each made from beginning to end, so that never
    /// more than a few pages are on disk as pixels.
    fn chunks(&mut self) {
        let sizes = std::mem::take(&mut self.sizes);
        let mut at = 0;
        while let Some(size) = sizes.get(at) {
            let same = sizes
                .iter()
                .skip(at)
                .take(usize::from(CHUNK))
                .take_while(|other| *other == size)
                .count()
                .max(1);
            let number = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
            let (first, last) = (number(at + 1), number(at + same));
            let width = width_for(Some(*size));
            self.steps.push_back(Step::Render {
                first,
                last,
                width,
                height: height_for(*size, width),
            });
            self.steps.push_back(Step::Text { first, last });
            for page in first..=last {
                self.encode(page, Source::Page(page), width);
                self.steps.push_back(Step::Forget { page });
            }
            at += same;
        }
        self.sizes = sizes;
    }
}

/// The next lower rung after this width and quality; `full` is the width of the
/// whole variant. A page that is narrow by itself keeps its width for longer.
fn lower(width: u32, quality: u8, full: u32) -> Option<(u32, u8)> {
    let at = LADDER.iter().position(|(_, of)| *of == quality)?;
    // Qualities repeat further down; the narrower of them is the later.
    let at = LADDER
        .iter()
        .enumerate()
        .skip(at)
        .filter(|(_, rung)| rung.1 == quality && width <= (full * rung.0 / 100).max(1))
        .map(|(at, _)| at)
        .next_back()
        .unwrap_or(at);
    let (share, quality) = *LADDER.get(at + 1)?;
    Some((width.min((full * share / 100).max(1)), quality))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "sides are below 16,000"
)]
fn pixels(side: u32) -> f32 {
    side as f32
}

/// Pixels across of a rendered page.
fn width_for(size: Option<PageSize>) -> u32 {
    let Some(size) = size else { return LARGE_WIDTH };
    let most = pixels(LARGE_WIDTH.saturating_mul(MAX_TALL));
    let wanted = pixels(LARGE_WIDTH);
    whole(wanted.min(most * size.width / size.height))
}

fn height_for(size: PageSize, width: u32) -> u32 {
    whole(pixels(width) * size.height / size.width).min(LARGE_WIDTH.saturating_mul(MAX_TALL))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "bounded on both sides before"
)]
fn whole(length: f32) -> u32 {
    length.round().clamp(1.0, 16_000.0) as u32
}

/// Why a tool failed, by its complaint.
fn blame(complaint: &str) -> Fault {
    if complaint.contains("Incorrect password") || complaint.contains("ncrypted") {
        Fault::Encrypted
    } else if complaint.contains("No space left") {
        Fault::Full
    } else {
        Fault::Broken
    }
}
