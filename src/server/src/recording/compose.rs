//! One film of a recording, made after the class by Debian's ffmpeg in the sandbox of
//! the slides: chunk by chunk, so that a stop of the server repeats one chunk; what
//! is to be done is decided by `lophoc_recording::compose`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lophoc_ledger::PersonKey;
use lophoc_recording::compose::{
    Chunk, FPS, Input, Title, chunk_arguments, chunks, join_arguments, list, part, pictures,
};
use lophoc_recording::layout::{Main, Picture, Slide, stretches};
use lophoc_recording::served::{Piece, VirtualFile};
use lophoc_recording::{RecordingId, SegmentId, Timeline};
use lophoc_records::{JobEnd, MaterialKind};
use lophoc_slides::run::{Call, Exit, Said, read_said, run};
use lophoc_slides::tools::Sandbox;

use super::files::{OUT, SOUND, plain_file};
use super::films::{forget_others, is_there, made, work};
use super::jobs::bring_back;
use super::keep::KeepError;
use super::pace::Pace;
use super::playback::Script;
use super::show::{Whole, scene, title_of, whole};
use crate::app::App;

/// Debian's.
pub(super) const FFMPEG: &str = "/usr/bin/ffmpeg";
/// The font of titles; it has all letters of Vietnamese.
const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
/// Address space of ffmpeg, bytes. Overflow: it fails, the chunk is made without its
/// pictures.
const MEMORY: u64 = 3 * 1024 * 1024 * 1024;
/// Largest chunk, bytes. Overflow: as [`MEMORY`].
const MAX_CHUNK: u64 = 400 * 1024 * 1024;
/// Largest film, bytes. Overflow: there is none.
const MAX_FILM: u64 = 16 * 1024 * 1024 * 1024;
/// Processor time of a chunk: this many seconds, and as many for each second of it.
const CHUNK_TIME: (u64, u64) = (60, 8);
/// Longest complaint of ffmpeg that is kept, characters. Overflow: cut off.
const MAX_COMPLAINT: usize = 400;

/// A page that is shown: deck and number.
pub(super) type Page = (String, u16);

/// Makes the film of what is shown now; those of before go. One that is there is left.
///
/// # Errors
/// The disk's, the store's; `Bad` with what ffmpeg says.
pub async fn film(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let Some(recording) = app.store.recording(id.as_str()).await? else {
        return Ok(JobEnd::Skipped("gone".to_owned()));
    };
    let whole = whole(app, recording).await?;
    forget_others(app, &whole).await?;
    if !app.config.recording.film {
        return Ok(JobEnd::Skipped("films are switched off".to_owned()));
    }
    let name = whole.film();
    if !is_there(app, &whole).await? {
        match make(app, id, pace, whole).await? {
            JobEnd::Done => {}
            end => return Ok(end),
        }
    }
    made(app, id, &name, pace).await?;
    Ok(JobEnd::Done)
}

async fn make(
    app: &Arc<App>,
    id: &RecordingId,
    pace: &Arc<Pace>,
    whole: Whole,
) -> Result<JobEnd, KeepError> {
    let Some(timeline) = whole.timeline.clone() else {
        return Ok(JobEnd::Skipped("empty".to_owned()));
    };
    if !Path::new(FFMPEG).is_file() {
        return Ok(JobEnd::Skipped("ffmpeg".to_owned()));
    }
    // Files that are in the storage alone are here as long as it takes.
    bring_back(app, id).await?;
    let scene = scene(app, &whole).await?;
    let keys = deck_keys(app, &whole).await?;
    let (app, id, pace) = (Arc::clone(app), id.clone(), Arc::clone(pace));
    let task = move || {
        let Some(sandbox) = app.materials.tools().sandbox else {
            return Ok(JobEnd::Skipped("sandbox".to_owned()));
        };
        let slides = slides_of(&scene.script);
        let out = app.keep.files.of(&id).join(OUT);
        let name = whole.film();
        let studio = Studio {
            app: &app,
            id: &id,
            timeline: &timeline,
            sandbox,
            keys: &keys,
            pace: &pace,
            work: out.join(work(&name)),
        };
        studio.make(&whole, &slides, &out, &name)
    };
    tokio::task::spawn_blocking(task).await?
}

/// What a film is made with.
struct Studio<'a> {
    app: &'a App,
    id: &'a RecordingId,
    timeline: &'a Timeline,
    sandbox: Sandbox,
    keys: &'a BTreeMap<String, String>,
    pace: &'a Pace,
    /// Everything on the way; a chunk in it is whole.
    work: PathBuf,
}

impl Studio<'_> {
    fn make(
        &self,
        whole: &Whole,
        slides: &[Slide<Page>],
        out: &Path,
        name: &str,
    ) -> Result<JobEnd, KeepError> {
        fs::create_dir_all(out)?;
        let plan = chunks(&stretches(
            &pictures_of(self.timeline, whole.unrecorded()),
            slides,
            &whole.cuts,
        ));
        if plan.is_empty() {
            return Ok(JobEnd::Skipped("empty".to_owned()));
        }
        for folder in ["in", "made"] {
            fs::create_dir_all(self.work.join(folder))?;
        }
        fs::write(self.work.join("in/title.txt"), title(whole))?;
        let steps = plan.len() as u64 + 1;
        for chunk in &plan {
            self.chunk(chunk)?;
            self.pace.done(chunk.number as u64 + 1, steps);
            if self.pace.ends() {
                return Err(KeepError::CutOff);
            }
        }
        self.join(whole, &plan, &out.join(name))?;
        fs::remove_dir_all(&self.work)?;
        Ok(JobEnd::Done)
    }

    fn chunk(&self, chunk: &Chunk<Page>) -> Result<(), KeepError> {
        let file = chunk.file();
        let whole = self.work.join(&file);
        if whole.is_file() {
            return Ok(());
        }
        let (main, small) = pictures(chunk);
        let main = match (&chunk.stretch.main, main) {
            (_, Some(segment)) => self.put(segment, chunk, "main")?,
            (Main::Slide(page), _) => self.page(page)?,
            _ => None,
        };
        let small = match small {
            Some(segment) => self.put(segment, chunk, "small")?,
            None => None,
        };
        let title = Path::new(FONT).is_file().then(|| Title {
            file: "title.txt".to_owned(),
            font: FONT.to_owned(),
        });
        let seconds = CHUNK_TIME.0 + chunk.frames / FPS * CHUNK_TIME.1;
        let arguments = |main: Option<&Input>, small: Option<&Input>| {
            chunk_arguments(chunk.frames, main, small, title.as_ref(), &file)
        };
        let folder = self.work.join("in");
        let first = self.run(
            &arguments(main.as_ref(), small.as_ref()),
            &folder,
            seconds,
            MAX_CHUNK,
        );
        if let Err(error) = first {
            if self.pace.ends() || (main.is_none() && small.is_none()) {
                return Err(error);
            }
            // For one picture that cannot be read no class goes without its film.
            tracing::warn!(%error, recording = %self.id, chunk = chunk.number, "pictures are left out of a film");
            self.run(&arguments(None, None), &folder, seconds, MAX_CHUNK)?;
        }
        keep(&self.work.join("made").join(&file), &whole)
    }

    /// The part of a segment a chunk needs, as a file of its own.
    fn put(
        &self,
        segment: SegmentId,
        chunk: &Chunk<Page>,
        name: &str,
    ) -> Result<Option<Input>, KeepError> {
        let Some(opened) = self.timeline.segments.get(&segment).map(|one| &one.opened) else {
            return Ok(None);
        };
        let path = self.app.keep.files.of(self.id).join(&opened.file);
        let (index, original) = match (
            self.app.keep.files.index(self.id, &opened.file),
            File::open(&path),
        ) {
            (Ok(Some(index)), Ok(original)) => (index, original),
            (Err(error), _) if error.kind() == ErrorKind::InvalidData => return Ok(None),
            (_, Err(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            (Ok(None), _) => return Ok(None),
            (Err(error), _) | (_, Err(error)) => return Err(error.into()),
        };
        let Some(part) = part(&index, opened.start_ms, chunk.stretch.span) else {
            return Ok(None);
        };
        copy(&part, &original, &self.work.join("in").join(name))?;
        Ok(Some(Input {
            file: name.to_owned(),
            at_ms: Some(chunk.stretch.span.from_ms.saturating_sub(opened.start_ms)),
        }))
    }

    fn page(&self, (deck, page): &Page) -> io::Result<Option<Input>> {
        let Some(key) = self.keys.get(deck) else {
            return Ok(None);
        };
        let name = "page.webp";
        match fs::copy(
            self.app.materials.page_of(key, *page, false),
            self.work.join("in").join(name),
        ) {
            Ok(_) => Ok(Some(Input {
                file: name.to_owned(),
                at_ms: None,
            })),
            // The deck was taken away since.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn join(&self, whole: &Whole, plan: &[Chunk<Page>], film: &Path) -> Result<(), KeepError> {
        fs::write(self.work.join("list"), list(plan))?;
        let sound = self.app.keep.files.of(self.id).join(SOUND);
        let there = sound.is_file();
        if there && !whole.has_its_sound(self.app, self.id)? {
            // It is mixed anew without somebody; so is the film, afterwards.
            return Err(KeepError::CutOff);
        }
        if there {
            let here = self.work.join(SOUND);
            if !here.is_file() {
                fs::hard_link(&sound, &here).or_else(|_| fs::copy(&sound, &here).map(|_| ()))?;
            }
        }
        let seconds = 300 + whole.cuts.length_ms() / 4_000;
        let arguments = join_arguments(&whole.cuts, there, "film.mp4");
        self.run(&arguments, &self.work, seconds, MAX_FILM)?;
        keep(&self.work.join("made/film.mp4"), film)
    }

    /// Runs ffmpeg: it reads `input` and writes into `made`.
    fn run(
        &self,
        arguments: &[String],
        input: &Path,
        seconds: u64,
        written: u64,
    ) -> Result<(), KeepError> {
        ffmpeg(
            self.sandbox,
            &self.work,
            self.pace,
            arguments,
            input,
            (seconds, written),
        )
    }
}

/// Where the pages of each deck of the session lie.
///
/// # Errors
/// The store's.
pub(super) async fn deck_keys(
    app: &App,
    whole: &Whole,
) -> Result<BTreeMap<String, String>, KeepError> {
    let materials = app.store.materials(&whole.recording.session).await?;
    Ok(materials
        .into_iter()
        .filter(|one| one.kind == MaterialKind::Deck)
        .map(|one| (one.id, one.key))
        .collect())
}

/// When which page is shown.
pub(super) fn slides_of(script: &Script) -> Vec<Slide<Page>> {
    let slides = script.slides.iter();
    slides
        .map(|slide| Slide {
            at_ms: slide.at_ms,
            page: (slide.page > 0).then(|| (slide.deck.clone(), slide.page)),
        })
        .collect()
}

/// The pictures of a recording, without those of whom nothing is shown.
pub(super) fn pictures_of(timeline: &Timeline, left: &BTreeSet<PersonKey>) -> Vec<Picture> {
    let segments = timeline.segments.values();
    segments
        .filter(|one| one.opened.track.is_picture() && !left.contains(&one.opened.person))
        .map(|one| Picture {
            segment: one.opened.segment,
            kind: one.opened.track,
            presenter: one.opened.presenter,
            span: one.span(),
        })
        .collect()
}

/// Runs ffmpeg in the sandbox: it reads `input` and writes into `made` of `work`, for
/// so many seconds of processor time and so many bytes. Blocks.
///
/// # Errors
/// `CutOff` when it was stopped, `Bad` with what it says.
pub(super) fn ffmpeg(
    sandbox: Sandbox,
    work: &Path,
    pace: &Pace,
    arguments: &[String],
    input: &Path,
    (seconds, written): (u64, u64),
) -> Result<(), KeepError> {
    let said = Said {
        out: work.join("said"),
        err: work.join("complaint"),
    };
    let call = Call {
        program: FFMPEG,
        arguments,
        input,
        ending: "",
        output: &work.join("made"),
        memory: MEMORY,
        time: Duration::from_secs(seconds),
        written,
        work: written,
    };
    match run(sandbox, &call, &said, pace.ends_flag()) {
        Exit::Well => Ok(()),
        Exit::Stopped => Err(KeepError::CutOff),
        exit => {
            let told = read_said(&said.err).unwrap_or_default();
            let told: String = told.chars().take(MAX_COMPLAINT).collect();
            Err(KeepError::Bad(format!("ffmpeg: {exit:?}: {told}")))
        }
    }
}

/// Takes what a program in the sandbox made: a file, and never one that leads to
/// another.
pub(super) fn keep(made: &Path, to: &Path) -> Result<(), KeepError> {
    if !fs::symlink_metadata(made)?.is_file() {
        return Err(KeepError::Bad("what was made is no file".to_owned()));
    }
    plain_file(made)?.sync_all()?;
    fs::rename(made, to)?;
    Ok(())
}

/// What the film is called where there is nothing to see.
fn title(whole: &Whole) -> String {
    let recording = &whole.recording;
    let title = title_of(recording);
    if title == recording.class_title {
        title.to_owned()
    } else {
        format!("{}\n{title}", recording.class_title)
    }
}

/// Writes what is served as a file.
fn copy(part: &VirtualFile, original: &File, path: &Path) -> io::Result<()> {
    let mut file = io::BufWriter::new(File::create(path)?);
    for piece in part.read(0, u64::MAX) {
        match piece {
            Piece::Head(bytes) => file.write_all(bytes)?,
            Piece::File(range) => {
                let mut from = original;
                from.seek(io::SeekFrom::Start(range.offset))?;
                io::copy(&mut from.take(range.len), &mut file)?;
            }
        }
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_a_program_left_is_not_taken_for_what_it_made() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("secret"), b"key").unwrap();
        std::os::unix::fs::symlink(at("secret"), at("made")).unwrap();
        assert!(keep(&at("made"), &at("film")).is_err());
        assert!(plain_file(&at("made")).is_err());
        assert!(!at("film").exists());
        fs::remove_file(at("made")).unwrap();
        fs::write(at("made"), b"film").unwrap();
        keep(&at("made"), &at("film")).unwrap();
        assert_eq!(fs::read(at("film")).unwrap(), b"film");
    }
}
