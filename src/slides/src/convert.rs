//! A conversion from beginning to end: runs what the plan says, keeps the pages,
//! leaves nothing else behind.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::image::{Format, Picture, page_of_jpeg, webp};
use crate::limits::{
    MAX_WORK, MAX_WRITTEN, OFFICE_MEMORY, OFFICE_TIME, TOOL_MEMORY, TOOL_TIME, WHOLE_TIME,
};
use crate::parse::{PageText, page_texts, rendered_page};
use crate::plan::{Ended, Fault, Next, Plan, Progress, Size, Source, Step};
use crate::run::{Call, Exit, Said, read_said, run};
use crate::sniff::Kind;
use crate::tools::{OFFICE, Sandbox, Tools};

/// What is to be converted, and where.
#[derive(Debug)]
pub struct Job<'a> {
    /// The file.
    pub file: &'a Path,
    /// What it is.
    pub kind: Kind,
    /// A folder for the work, of this job alone: made here and removed at the end.
    pub work: &'a Path,
    /// The folder of the pages, made at the end: `<page>/s.webp`, `<page>/l.webp`,
    /// `<page>/text.json`. On the same disk as `work`.
    pub pages: &'a Path,
    /// Set when it is to end: the server stops, or nobody wants the pages any more.
    pub stop: &'a AtomicBool,
}

/// A deck that was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made {
    /// Pages.
    pub pages: u16,
    /// Size of the first, points or pixels.
    pub width: f32,
    /// Its height.
    pub height: f32,
}

/// Converts a file; blocks for as long as it takes. `tell` hears of progress.
///
/// # Errors
/// Why not. Nothing is left behind then.
pub fn convert(
    tools: &Tools,
    job: &Job<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Fault> {
    tools.can(job.kind)?;
    let sandbox = tools.sandbox.ok_or(Fault::NoConverter)?;
    // What a server that was killed left there.
    clear(job.work)
        .and_then(|()| clear(job.pages))
        .map_err(fault)?;
    let shop = Workshop {
        job,
        sandbox,
        out: job.work.join("out"),
        pages: job.work.join("pages"),
        began: Instant::now(),
    };
    let made = shop.open().map_err(fault).and_then(|()| shop.work(tell));
    let made = made.and_then(|made| shop.keep().map(|()| made).map_err(fault));
    // Leftovers are cleared at the next conversion of this file as well.
    let _ = clear(job.work);
    if made.is_err() {
        let _ = clear(job.pages);
    }
    made
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fault(error: io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::Full,
        _ => Fault::Internal,
    }
}

struct Workshop<'a> {
    job: &'a Job<'a>,
    sandbox: Sandbox,
    /// Where tools write.
    out: PathBuf,
    /// Where finished pages wait, out of reach of the tools.
    pages: PathBuf,
    began: Instant,
}

impl Workshop<'_> {
    fn open(&self) -> io::Result<()> {
        fs::create_dir_all(&self.out)?;
        fs::create_dir_all(&self.pages)
    }

    fn work(&self, tell: &mut dyn FnMut(Progress)) -> Result<Made, Fault> {
        let mut plan = Plan::new(self.job.kind);
        loop {
            let step = match plan.next() {
                Next::Run(step) => step,
                Next::Ready { pages, first } => {
                    return Ok(Made {
                        pages,
                        width: first.width,
                        height: first.height,
                    });
                }
                Next::Failed(fault) => return Err(fault),
            };
            if self.began.elapsed() > WHOLE_TIME {
                return Err(Fault::TooHard);
            }
            let before = plan.progress();
            match self.step(step) {
                Ok(done) => plan.ended(Ended::Well {
                    said: &done.said,
                    bytes: done.bytes,
                }),
                Err(Bad::Exit(exit, complaint)) => plan.ended(match &exit {
                    Exit::Well | Exit::Badly => Ended::Badly {
                        complaint: &complaint,
                    },
                    Exit::TooMuch => Ended::TooMuch,
                    Exit::Missing => Ended::Missing,
                    Exit::Stopped => Ended::Stopped,
                    Exit::Failed(error) if error.kind() == ErrorKind::StorageFull => Ended::Full,
                    Exit::Failed(_) => Ended::Internal,
                }),
                Err(Bad::Io(error)) => plan.ended(match fault(error) {
                    Fault::Full => Ended::Full,
                    _ => Ended::Internal,
                }),
            }
            if plan.progress() != before {
                tell(plan.progress());
            }
        }
    }

    /// Makes the pages durable and puts them where they are served from.
    fn keep(&self) -> io::Result<()> {
        for page in fs::read_dir(&self.pages)? {
            let page = page?.path();
            for file in fs::read_dir(&page)? {
                File::open(file?.path())?.sync_all()?;
            }
            File::open(&page)?.sync_all()?;
        }
        File::open(&self.pages)?.sync_all()?;
        fs::rename(&self.pages, self.job.pages)?;
        if let Some(parent) = self.job.pages.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    fn step(&self, step: Step) -> Result<Done, Bad> {
        match step {
            Step::Office { ending } => self.office(ending),
            Step::Wrap(picture) => self.wrap(&picture),
            Step::Still { gif } => self.still(gif),
            Step::Count => self.info(&["{in}".into()]),
            Step::Sizes { last } => self.info(&[
                "-f".into(),
                "1".into(),
                "-l".into(),
                last.to_string(),
                "{in}".into(),
            ]),
            Step::Render {
                first,
                last,
                width,
                height,
            } => self.render(first, last, width, height),
            Step::Text { first, last } => self.text(first, last),
            Step::Encode {
                page,
                from,
                size,
                width,
                quality,
            } => self.encode(page, from, size, width, quality),
            Step::Forget { page } => self.forget(page),
        }
    }

    fn call(&self, call: &Call<'_>) -> Result<Done, Bad> {
        let said = Said {
            out: self.job.work.join("said"),
            err: self.job.work.join("complaint"),
        };
        match run(self.sandbox, call, &said, self.job.stop) {
            Exit::Well => Ok(Done {
                said: read_said(&said.out)?,
                bytes: 0,
            }),
            exit => Err(Bad::Exit(exit, read_said(&said.err).unwrap_or_default())),
        }
    }

    fn tool(&self, program: &str, input: &Path, arguments: &[String]) -> Result<Done, Bad> {
        self.call(&Call {
            program,
            arguments,
            input,
            ending: "",
            output: &self.out,
            memory: TOOL_MEMORY,
            time: TOOL_TIME,
            written: MAX_WRITTEN,
            work: MAX_WORK,
        })
    }

    /// The PDF the pages are made from.
    fn document(&self) -> PathBuf {
        match self.job.kind {
            Kind::Pdf => self.job.file.to_owned(),
            Kind::Office(_) | Kind::Picture(_) => self.out.join("file.pdf"),
        }
    }

    fn office(&self, ending: &str) -> Result<Done, Bad> {
        let arguments = [
            "--headless",
            "--norestore",
            "--nolockcheck",
            "--nodefault",
            "--nofirststartwizard",
            "-env:UserInstallation=file://{out}/office",
            "--convert-to",
            "pdf",
            "--outdir",
            "{out}/office",
            "{in}",
        ]
        .map(str::to_owned);
        let program = format!("{OFFICE}/soffice");
        // Without a sandbox the program must be given a name it knows.
        let given = self.out.join(format!("file.{ending}"));
        if self.sandbox == Sandbox::Off {
            fs::copy(self.job.file, &given)?;
        }
        let done = self.call(&Call {
            program: &program,
            arguments: &arguments,
            input: if self.sandbox == Sandbox::Off {
                &given
            } else {
                self.job.file
            },
            ending: &format!(".{ending}"),
            output: &self.out,
            memory: OFFICE_MEMORY,
            time: OFFICE_TIME,
            written: MAX_WRITTEN,
            work: MAX_WORK,
        })?;
        // It says well also of a file it could not read.
        let made = self.out.join("office/file.pdf");
        plain(&made)?;
        fs::rename(made, self.document())?;
        clear(&self.out.join("office"))?;
        Ok(done)
    }

    fn wrap(&self, picture: &Picture) -> Result<Done, Bad> {
        let Format::Jpeg(jpeg) = picture.format else {
            return Err(Bad::Exit(Exit::Badly, String::new()));
        };
        let mut from = File::open(self.job.file)?;
        let (before, after) = page_of_jpeg(picture, &jpeg, from.metadata()?.len());
        let mut to = File::create(self.document())?;
        to.write_all(&before)?;
        io::copy(&mut from, &mut to)?;
        to.write_all(&after)?;
        Ok(Done::default())
    }

    fn still(&self, gif: bool) -> Result<Done, Bad> {
        let still = self.out.join("still.webp");
        let moving = self.out.join("moving.webp");
        let whole = if gif {
            self.tool(
                "/usr/bin/gif2webp",
                self.job.file,
                &["-quiet", "{in}", "-o", "{out}/moving.webp"].map(str::to_owned),
            )?;
            plain(&moving)?;
            moving.as_path()
        } else {
            self.job.file
        };
        let head = head(whole)?;
        if webp(&head).is_some_and(|picture| picture.format == Format::Moving) {
            self.tool(
                "/usr/bin/webpmux",
                whole,
                &["-get", "frame", "1", "{in}", "-o", "{out}/still.webp"].map(str::to_owned),
            )?;
        } else {
            fs::rename(whole, &still)?;
        }
        plain(&still)?;
        Ok(Done::default())
    }

    fn info(&self, arguments: &[String]) -> Result<Done, Bad> {
        self.tool("/usr/bin/pdfinfo", &self.document(), arguments)
    }

    fn render(&self, first: u16, last: u16, width: u32, height: u32) -> Result<Done, Bad> {
        let arguments = [
            "-cropbox".into(),
            "-f".into(),
            first.to_string(),
            "-l".into(),
            last.to_string(),
            "-scale-to-x".into(),
            width.to_string(),
            "-scale-to-y".into(),
            height.to_string(),
            "{in}".into(),
            "{out}/p".into(),
        ];
        let done = self.tool("/usr/bin/pdftoppm", &self.document(), &arguments)?;
        // Names have as many digits as the last page of the document.
        for entry in fs::read_dir(&self.out)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(page) = name.and_then(rendered_page) {
                fs::rename(&path, self.rendered(page))?;
            }
        }
        for page in first..=last {
            plain(&self.rendered(page))?;
        }
        Ok(done)
    }

    fn rendered(&self, page: u16) -> PathBuf {
        self.out.join(format!("page{page}.ppm"))
    }

    fn page_file(&self, page: u16, name: &str) -> io::Result<PathBuf> {
        let folder = self.pages.join(page.to_string());
        fs::create_dir_all(&folder)?;
        Ok(folder.join(name))
    }

    fn text(&self, first: u16, last: u16) -> Result<Done, Bad> {
        let arguments = [
            "-bbox".into(),
            "-cropbox".into(),
            "-f".into(),
            first.to_string(),
            "-l".into(),
            last.to_string(),
            "{in}".into(),
            "-".into(),
        ];
        let done = self.tool("/usr/bin/pdftotext", &self.document(), &arguments)?;
        let mut texts = page_texts(&done.said).into_iter();
        for page in first..=last {
            self.write_text(page, &texts.next().unwrap_or_default())?;
        }
        Ok(Done::default())
    }

    fn write_text(&self, page: u16, text: &PageText) -> io::Result<()> {
        let json = serde_json::to_vec(text).map_err(io::Error::other)?;
        fs::write(self.page_file(page, "text.json")?, json)
    }

    fn encode(
        &self,
        page: u16,
        from: Source,
        size: Size,
        width: u32,
        quality: u8,
    ) -> Result<Done, Bad> {
        let input = match from {
            Source::Given => self.job.file.to_owned(),
            Source::Still => self.out.join("still.webp"),
            Source::Page(page) => self.rendered(page),
        };
        let arguments = [
            "-quiet".into(),
            "-q".into(),
            quality.to_string(),
            "-blend_alpha".into(),
            "0xffffff".into(),
            "-metadata".into(),
            "none".into(),
            "-resize".into(),
            width.to_string(),
            "0".into(),
            "{in}".into(),
            "-o".into(),
            "{out}/page.webp".into(),
        ];
        self.tool("/usr/bin/cwebp", &input, &arguments)?;
        let made = self.out.join("page.webp");
        plain(&made)?;
        // What will be served is a WebP picture of the size asked for.
        if webp(&head(&made)?).is_none_or(|picture| picture.width != width) {
            return Err(Bad::Exit(Exit::Badly, String::new()));
        }
        let bytes = fs::metadata(&made)?.len();
        let name = match size {
            Size::Small => "s.webp",
            Size::Large => "l.webp",
        };
        fs::rename(made, self.page_file(page, name)?)?;
        Ok(Done {
            said: String::new(),
            bytes,
        })
    }

    fn forget(&self, page: u16) -> Result<Done, Bad> {
        match fs::remove_file(self.rendered(page)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let text = self.page_file(page, "text.json")?;
        if !text.is_file() {
            self.write_text(page, &PageText::default())?;
        }
        Ok(Done::default())
    }
}

/// A tool wrote this file, and it is no link: one that was taken over by its
/// input must not lead the server or the next tool to other files.
fn plain(path: &Path) -> Result<(), Bad> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_file() => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Err(Bad::Exit(Exit::Badly, String::new())),
    }
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug, Default)]
struct Done {
    said: String,
    bytes: u64,
}

#[derive(Debug)]
enum Bad {
    /// A tool ended so; with its complaint.
    Exit(Exit, String),
    /// The disk.
    Io(io::Error),
}

impl From<io::Error> for Bad {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
