//! Small pictures of a recording, made after the class by Debian's ffmpeg in the
//! sandbox of the slides: a poster for the library, strips for the time line. Strip
//! by strip, so that a stop of the server repeats one; what is to be done is decided
//! by `lophoc_recording::stills`. They stay in the data folder, and go from there with
//! the films when something is cut or somebody left out ([`super::films`]).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lophoc_recording::layout::{Main, Slide, Stretch, stretches};
use lophoc_recording::served::{ByteRange, Piece, VirtualFile, file_cuts};
use lophoc_recording::stills::{
    self, MOST, PER_STRIP, Still, poster_arguments, strip_arguments, test_arguments,
};
use lophoc_recording::{RecordingId, SegmentId, TrackKind};
use lophoc_records::JobEnd;
use lophoc_slides::tools::Sandbox;
use serde::{Deserialize, Serialize};

use super::compose::{FFMPEG, Page, deck_keys, ffmpeg, keep, pictures_of, slides_of};
use super::files::{OUT, plain_file, replace};
use super::films::remove_here;
use super::keep::KeepError;
use super::pace::Pace;
use super::show::{Whole, scene, whole};
use crate::app::App;

/// Processor time of one call, seconds.
const TIME: u64 = 30;
/// Largest strip or poster, bytes. Overflow: it fails.
const MAX_PICTURE: u64 = 2 * 1024 * 1024;
/// Largest picture or page one is taken from, bytes. Overflow: there is none.
const MAX_INPUT: u64 = 8 * 1024 * 1024;
/// Pictures that are tried for a poster. Overflow: there is none.
const POSTERS: usize = 8;

/// Which small pictures there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stills {
    /// Recording time, ms, and the number of the place on the strips; in order.
    pub tiles: Vec<(u64, u32)>,
}

/// Name of the poster of what is shown so.
pub fn poster_name(mark: &str) -> String {
    format!("poster-{mark}.webp")
}

/// Name of a strip.
pub fn strip_name(mark: &str, number: usize) -> String {
    format!("strip-{mark}-{number}.webp")
}

fn list_name(mark: &str) -> String {
    format!("pictures-{mark}.json")
}

/// The folder of what they are made of.
fn work_name(mark: &str) -> String {
    format!("stills-{mark}")
}

/// Whether this is the name of one of them, of their list or of what they are made of,
/// for something else than what is shown so.
pub fn is_of_another(mark: &str, name: &str) -> bool {
    ["poster-", "strip-", "pictures-", "stills-"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind))
        .is_some_and(|rest| !rest.starts_with(mark))
}

/// Whether this is a name of a picture of what is shown so.
pub fn is_still(mark: &str, name: &str) -> bool {
    name == poster_name(mark)
        || (0..stills::strips(MOST)).any(|number| name == strip_name(mark, number))
}

impl Stills {
    /// How many strips they stand on.
    pub fn strips(&self) -> usize {
        let last = self.tiles.iter().map(|(_, place)| *place as usize).max();
        last.map_or(0, |last| stills::strips(last + 1))
    }
}

/// The small pictures there are of what is shown so. Blocks.
///
/// # Errors
/// The disk's.
pub fn read(out: &Path, mark: &str) -> io::Result<Option<Stills>> {
    let bytes = match fs::read(out.join(list_name(mark))) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let all = serde_json::from_slice::<Stills>(&bytes).ok();
    Ok(all.filter(|all| {
        (1..=MOST).contains(&all.tiles.len())
            && all.tiles.iter().all(|(_, place)| (*place as usize) < MOST)
    }))
}

/// Whether all of them are there. Blocks.
fn is_there(out: &Path, mark: &str) -> io::Result<bool> {
    let Some(all) = read(out, mark)? else {
        return Ok(false);
    };
    let mut names = (0..all.strips()).map(|number| strip_name(mark, number));
    Ok(out.join(poster_name(mark)).is_file() && names.all(|name| out.join(name).is_file()))
}

/// What a small picture is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// A picture of a file that stands alone: the file, and what is made of it.
    Frame(String, VirtualFile),
    /// A page of slides.
    Page(PathBuf),
}

/// One of them.
#[derive(Debug, Clone)]
struct Pick {
    at_ms: u64,
    main: Main<Page>,
    origin: Origin,
}

/// Makes them for what is shown now; those of before go. Those that are there are left.
///
/// # Errors
/// The disk's, the store's, the storage's; `Bad` with what ffmpeg says;
/// [`KeepError::CutOff`] when something else is shown meanwhile.
pub async fn make(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let Some(recording) = app.store.recording(id.as_str()).await? else {
        return Ok(JobEnd::Skipped("gone".to_owned()));
    };
    let whole = whole(app, recording).await?;
    remove_here(app, id, &whole).await?;
    if !app.config.recording.pictures {
        return Ok(JobEnd::Skipped(
            "small pictures are switched off".to_owned(),
        ));
    }
    let mark = whole.mark();
    let out = app.keep.files.of(id).join(OUT);
    let known = {
        let (out, mark) = (out.clone(), mark.clone());
        tokio::task::spawn_blocking(move || is_there(&out, &mark)).await??
    };
    if known {
        return put_down(app, id, &mark).await;
    }
    if whole.timeline.is_none() {
        return Ok(JobEnd::Skipped("empty".to_owned()));
    }
    if !Path::new(FFMPEG).is_file() {
        return Ok(JobEnd::Skipped("ffmpeg".to_owned()));
    }
    let scene = scene(app, &whole).await?;
    let keys = deck_keys(app, &whole).await?;
    let plan = {
        let (app, id) = (Arc::clone(app), id.clone());
        let slides = slides_of(&scene.script);
        let task = move || -> Result<Option<(Sandbox, Vec<Pick>)>, KeepError> {
            let Some(sandbox) = app.materials.tools().sandbox else {
                return Ok(None);
            };
            Ok(Some((sandbox, plan(&app, &id, &whole, &slides, &keys)?)))
        };
        tokio::task::spawn_blocking(task).await??
    };
    let Some((sandbox, picks)) = plan else {
        return Ok(JobEnd::Skipped("sandbox".to_owned()));
    };
    let studio = Studio {
        app,
        id,
        pace,
        sandbox,
        work: out.join(work_name(&mark)),
    };
    match studio.all(picks, &out, &mark).await? {
        true => put_down(app, id, &mark).await,
        false => Ok(JobEnd::Skipped("empty".to_owned())),
    }
}

/// They are there, and it is written down, unless something else is shown by now: then
/// they go again.
async fn put_down(app: &Arc<App>, id: &RecordingId, mark: &str) -> Result<JobEnd, KeepError> {
    app.store.set_recording_pictures(id.as_str(), mark).await?;
    // From here on whoever cuts finds them; whoever cut before is found here.
    if let Some(recording) = app.store.recording(id.as_str()).await? {
        let now = whole(app, recording).await?;
        if now.mark() == mark {
            return Ok(JobEnd::Done);
        }
        app.store.recording_pictures_gone(id.as_str(), mark).await?;
        remove_here(app, id, &now).await?;
    }
    Err(KeepError::CutOff)
}

/// Of which moments there are pictures, and what they are taken from. Blocks.
fn plan(
    app: &App,
    id: &RecordingId,
    whole: &Whole,
    slides: &[Slide<Page>],
    keys: &BTreeMap<String, String>,
) -> Result<Vec<Pick>, KeepError> {
    let Some(timeline) = &whole.timeline else {
        return Ok(Vec::new());
    };
    let shown: Vec<Stretch<Page>> = stretches(
        &pictures_of(timeline, whole.unrecorded()),
        slides,
        &whole.cuts,
    );
    let mut picks = Vec::new();
    for at_ms in stills::times(&whole.cuts) {
        let stretch = shown
            .iter()
            .find(|one| one.span.from_ms <= at_ms && at_ms < one.span.to_ms);
        let Some(main) = stretch.map(|one| one.main.clone()) else {
            continue;
        };
        let origin = match &main {
            Main::Picture(segment) => frame(app, id, whole, *segment, at_ms)?,
            Main::Slide((deck, page)) => keys
                .get(deck)
                .map(|key| Origin::Page(app.materials.page_of(key, *page, false))),
            Main::Title => None,
        };
        if let Some(origin) = origin {
            picks.push(Pick {
                at_ms,
                main,
                origin,
            });
        }
    }
    Ok(picks)
}

fn frame(
    app: &App,
    id: &RecordingId,
    whole: &Whole,
    segment: SegmentId,
    at_ms: u64,
) -> Result<Option<Origin>, KeepError> {
    let opened = whole
        .timeline
        .as_ref()
        .and_then(|timeline| timeline.segments.get(&segment))
        .map(|one| &one.opened);
    let Some(opened) = opened else {
        return Ok(None);
    };
    let Some(index) = app.keep.files.readable_index(id, &opened.file)? else {
        return Ok(None);
    };
    let cuts = file_cuts(&whole.cuts, opened.start_ms);
    let found = stills::keyframe(&index, at_ms.saturating_sub(opened.start_ms), &cuts)
        .and_then(|cluster| VirtualFile::still(&index, &cluster))
        .filter(|one| one.total <= MAX_INPUT);
    Ok(found.map(|one| Origin::Frame(opened.file.clone(), one)))
}

/// What they are made with.
struct Studio<'a> {
    app: &'a Arc<App>,
    id: &'a RecordingId,
    pace: &'a Arc<Pace>,
    sandbox: Sandbox,
    /// Everything on the way; a strip in it whose list is there is whole.
    work: PathBuf,
}

impl Studio<'_> {
    /// Whether there is anything to be seen.
    async fn all(&self, picks: Vec<Pick>, out: &Path, mark: &str) -> Result<bool, KeepError> {
        for folder in ["in", "made"] {
            tokio::fs::create_dir_all(self.work.join(folder)).await?;
        }
        let steps = stills::strips(picks.len()) as u64 + 1;
        let mut list = Stills::default();
        let mut mains: Vec<Option<Main<Page>>> = Vec::new();
        for (number, part) in picks.chunks(PER_STRIP).enumerate() {
            let seen = self.strip(part, number, mark).await?;
            for (cell, (pick, seen)) in part.iter().zip(seen).enumerate() {
                mains.push(seen.then(|| pick.main.clone()));
                if let (true, Ok(place)) = (seen, u32::try_from(number * PER_STRIP + cell)) {
                    list.tiles.push((pick.at_ms, place));
                }
            }
            self.pace.done(number as u64 + 1, steps);
            if self.pace.ends() {
                return Err(KeepError::CutOff);
            }
        }
        let there = self.poster(&picks, mains, &poster_name(mark)).await?;
        let (work, out, mark) = (self.work.clone(), out.to_owned(), mark.to_owned());
        let strips = stills::strips(picks.len());
        let task = move || -> Result<(), KeepError> {
            if there {
                keep(&work.join("poster"), &out.join(poster_name(&mark)))?;
                for number in 0..strips {
                    let name = strip_name(&mark, number);
                    keep(&work.join(&name), &out.join(&name))?;
                }
                let bytes = serde_json::to_vec(&list).map_err(io::Error::other)?;
                // Last: where it is, all are.
                replace(&out.join(list_name(&mark)), &bytes)?;
            }
            fs::remove_dir_all(&work)?;
            Ok(())
        };
        tokio::task::spawn_blocking(task).await??;
        Ok(there)
    }

    /// Makes a strip; which of its pictures can be seen.
    async fn strip(
        &self,
        picks: &[Pick],
        number: usize,
        mark: &str,
    ) -> Result<Vec<bool>, KeepError> {
        let name = strip_name(mark, number);
        let told = self.work.join(format!("{name}.json"));
        if let Ok(bytes) = tokio::fs::read(&told).await
            && self.work.join(&name).is_file()
            && let Ok(seen) = serde_json::from_slice::<Vec<bool>>(&bytes)
            && seen.len() == picks.len()
        {
            return Ok(seen);
        }
        let mut all = Vec::new();
        for (cell, pick) in picks.iter().enumerate() {
            all.push(self.put(&pick.origin, &format!("still-{cell:02}")).await?);
        }
        let first = self.run(strip_arguments(&all, &name)).await;
        if let Err(error) = first {
            if self.pace.ends() {
                return Err(error);
            }
            // For one picture that cannot be read the others do not go.
            for still in &mut all {
                if let Some(one) = still
                    && self.run(test_arguments(one)).await.is_err()
                {
                    *still = None;
                }
                if self.pace.ends() {
                    return Err(KeepError::CutOff);
                }
            }
            self.run(strip_arguments(&all, &name)).await?;
        }
        let seen: Vec<bool> = all.iter().map(Option::is_some).collect();
        let (made, kept) = (self.work.join("made").join(&name), self.work.join(&name));
        let bytes = serde_json::to_vec(&seen).map_err(io::Error::other)?;
        let inputs = self.work.join("in");
        let task = move || -> Result<(), KeepError> {
            keep(&made, &kept)?;
            replace(&told, &bytes)?;
            // The next has its own.
            fs::remove_dir_all(&inputs)?;
            fs::create_dir(&inputs)?;
            Ok(())
        };
        tokio::task::spawn_blocking(task).await??;
        Ok(seen)
    }

    /// Makes the poster of the best of them that can be read.
    async fn poster(
        &self,
        picks: &[Pick],
        mut mains: Vec<Option<Main<Page>>>,
        name: &str,
    ) -> Result<bool, KeepError> {
        let timeline = super::jobs::timeline(self.app, self.id).await?;
        let is_screen = |main: &Main<Page>| {
            let Main::Picture(segment) = main else {
                return false;
            };
            timeline
                .iter()
                .filter_map(|timeline| timeline.segments.get(segment))
                .any(|one| one.opened.track == TrackKind::Screen)
        };
        for _ in 0..POSTERS {
            let Some(best) = stills::poster(&mains, is_screen) else {
                return Ok(false);
            };
            let still = match picks.get(best) {
                Some(pick) => self.put(&pick.origin, "poster").await?,
                None => None,
            };
            if let Some(still) = still {
                match self.run(poster_arguments(&still, name)).await {
                    Ok(()) => {
                        let (made, kept) =
                            (self.work.join("made").join(name), self.work.join("poster"));
                        tokio::task::spawn_blocking(move || keep(&made, &kept)).await??;
                        return Ok(true);
                    }
                    Err(error) if self.pace.ends() => return Err(error),
                    Err(_) => {}
                }
            }
            if let Some(main) = mains.get_mut(best) {
                *main = None;
            }
        }
        Ok(false)
    }

    /// Puts what a picture is taken from where ffmpeg reads it.
    async fn put(&self, origin: &Origin, name: &str) -> Result<Option<Still>, KeepError> {
        let (bytes, page) = match origin {
            Origin::Page(path) => (page_bytes(path.clone()).await?, true),
            Origin::Frame(file, part) => (self.bytes(file, part).await?, false),
        };
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        tokio::fs::write(self.work.join("in").join(name), bytes).await?;
        Ok(Some(Still {
            file: name.to_owned(),
            page,
        }))
    }

    /// Bytes of a file as it is served, from the disk or the storage.
    async fn bytes(&self, file: &str, part: &VirtualFile) -> Result<Option<Vec<u8>>, KeepError> {
        let mut bytes = Vec::new();
        for piece in part.read(0, u64::MAX) {
            match piece {
                Piece::Head(head) => bytes.extend_from_slice(head),
                Piece::File(range) => match self.original(file, range).await? {
                    Some(original) => bytes.extend(original),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(bytes))
    }

    async fn original(&self, file: &str, range: ByteRange) -> Result<Option<Vec<u8>>, KeepError> {
        let path = self.app.keep.files.of(self.id).join(file);
        let task = move || -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; usize::try_from(range.len).unwrap_or(0)];
            plain_file(&path)?.read_exact_at(&mut bytes, range.offset)?;
            Ok(bytes)
        };
        match tokio::task::spawn_blocking(task).await? {
            Ok(bytes) => Ok(Some(bytes)),
            // It became shorter since it was read: the others are made all the same.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => match &self.app.keep.remote {
                Some(remote) => {
                    match remote.read(self.id, file, range.offset, range.len).await {
                        Ok(bytes) => Ok(Some(bytes.to_vec())),
                        // Nowhere: of the others they are made all the same.
                        Err(object_store::Error::NotFound { .. }) => Ok(None),
                        Err(error) => Err(error.into()),
                    }
                }
                None => Ok(None),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn run(&self, arguments: Vec<String>) -> Result<(), KeepError> {
        let (sandbox, work, pace) = (self.sandbox, self.work.clone(), Arc::clone(self.pace));
        let task = move || {
            let input = work.join("in");
            ffmpeg(
                sandbox,
                &work,
                &pace,
                &arguments,
                &input,
                (TIME, MAX_PICTURE),
            )
        };
        tokio::task::spawn_blocking(task).await?
    }
}

/// A page of slides; `None`: the deck was taken away since.
async fn page_bytes(path: PathBuf) -> Result<Option<Vec<u8>>, KeepError> {
    let task = move || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        plain_file(&path)?.take(MAX_INPUT).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match tokio::task::spawn_blocking(task).await? {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_what_is_shown_so_and_no_others() {
        assert!(is_still("abc", "poster-abc.webp") && is_still("abc", "strip-abc-5.webp"));
        for other in [
            "poster-abd.webp",
            "strip-abc-.webp",
            "strip-abc-05.webp",
            "strip-abc-99.webp",
            "strip-abd-0.webp",
            "pictures-abc.json",
            "poster-abc.webp/..",
        ] {
            assert!(!is_still("abc", other), "{other}");
        }
    }

    #[test]
    fn a_list_that_is_damaged_or_whose_pictures_are_missing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let list = |text: &str| fs::write(out.join(list_name("a")), text).unwrap();
        assert!(!is_there(out, "a").unwrap());
        list(r#"{"tiles":[[5000,0],[15000,26]]}"#);
        assert_eq!(read(out, "a").unwrap().unwrap().strips(), 2);
        assert!(!is_there(out, "a").unwrap());
        for name in [poster_name("a"), strip_name("a", 0)] {
            fs::write(out.join(name), "x").unwrap();
        }
        assert!(!is_there(out, "a").unwrap());
        fs::write(out.join(strip_name("a", 1)), "x").unwrap();
        assert!(is_there(out, "a").unwrap());
        assert!(!is_there(out, "b").unwrap());
        for damaged in [
            "",
            "{",
            r#"{"tiles":[]}"#,
            r#"{"tiles":[[1,4294967295]]}"#,
            r#"{"tiles":[[1,150]]}"#,
        ] {
            list(damaged);
            assert_eq!(read(out, "a").unwrap(), None, "{damaged}");
        }
    }
}
