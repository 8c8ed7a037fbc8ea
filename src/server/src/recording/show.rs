//! What a page is told of a recording: the list's line, the detail, and all a
//! player needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use lophoc_classes::{
    Audience, AudienceKind, Class, CutWhy, Day, Playback, PlaybackCaptions, PlaybackDownloads,
    PlaybackMine, PlaybackPictures, PlaybackTrack, RecordingCut, RecordingDetail, RecordingGap,
    RecordingItem, RecordingSegment, RecordingState, TimeSpan,
};
use lophoc_ledger::{CaptionLine, Event, INDOCHINA_OFFSET_MIN, PersonKey};
use lophoc_recording::journal::GapWhy;
use lophoc_recording::served::{VirtualFile, file_cuts};
use lophoc_recording::stills::{ACROSS, TILE, every};
use lophoc_recording::{Cuts, RecordingId, Span, Timeline, TrackKind};
use lophoc_records::{MaterialKind, Recording, Watched};

use super::access::{Access, open_until};
use super::consent::{Left, settled};
use super::files::{OUT, SOUND};
use super::films;
use super::keep::KeepError;
use super::playback::{DeckFacts, Script, Told, captions, names, script};
use super::stills::{poster_name, read as read_stills, strip_name};
use crate::app::App;
use crate::auth::{MediaAddress, RecordingClaims, Viewer};
use crate::clock::wall_ms;

/// Addresses in a playback are good for so long, ms.
pub const ADDRESS_MS: u64 = 4 * HOUR_MS;
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// Pages whose words are read for one playback. Overflow: the others have none.
const PAGES: usize = 2_000;

/// A recording with what is put together from its files.
pub struct Whole {
    /// The row.
    pub recording: Recording,
    /// Its journal; absent: nothing was recorded.
    pub timeline: Option<Arc<Timeline>>,
    /// What nobody is shown.
    pub cuts: Cuts,
    /// Who is left out.
    pub left: Arc<Left>,
}

impl Whole {
    /// People of whom nothing is shown.
    pub fn unrecorded(&self) -> &BTreeSet<PersonKey> {
        &self.left.people
    }

    /// The mixed sound that is there holds nobody who is left out. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn has_its_sound(&self, app: &App, id: &RecordingId) -> std::io::Result<bool> {
        Ok(app.keep.files.sound_without(id)? == self.recording.left_out)
    }

    /// Name of the film of what is shown now.
    pub fn film(&self) -> String {
        format!("film-{}.mp4", self.mark())
    }

    /// A mark for what is shown now: without these cuts and without those who are left
    /// out. What was made otherwise has another.
    pub fn mark(&self) -> String {
        let mut spans = serde_json::to_vec(&self.cuts.spans()).unwrap_or_default();
        spans.extend_from_slice(self.recording.left_out.as_bytes());
        let hash = lophoc_recording::manifest::sha256(&spans);
        hash.get(..12).unwrap_or_default().to_owned()
    }
}

/// Puts it together. When others are left out than the last time, that is written
/// down: addresses of before are good for nothing then.
///
/// # Errors
/// The disk's and the store's.
pub async fn whole(app: &Arc<App>, recording: Recording) -> Result<Whole, KeepError> {
    let journal = match RecordingId::new(&recording.id) {
        Some(id) => {
            let app = Arc::clone(app);
            tokio::task::spawn_blocking(move || app.keep.files.journal(&id)).await??
        }
        None => None,
    };
    let (timeline, never) = match journal {
        Some(journal) => (Some(journal.timeline), journal.never),
        None => (None, Arc::default()),
    };
    let before = recording.withdrawn;
    let (recording, left) = settled(app, recording, &never, timeline.as_deref()).await?;
    // Read last: whoever cuts afterwards withdraws the addresses made with these.
    let edits: Vec<Span> = app
        .store
        .recording_cuts(&recording.id)
        .await?
        .iter()
        .map(|cut| Span::new(cut.from_ms, cut.to_ms))
        .collect();
    let length = timeline
        .as_ref()
        .map_or(recording.length_ms, |timeline| timeline.length_ms);
    let pauses: Vec<Span> = timeline
        .iter()
        .flat_map(|timeline| timeline.pauses())
        .collect();
    let whole = Whole {
        cuts: Cuts::new(length, pauses, edits),
        recording,
        timeline,
        left,
    };
    if whole.recording.withdrawn != before {
        films::forget_now(app, &whole).await;
    }
    Ok(whole)
}

/// What the session gives a recording.
#[derive(Debug, Default)]
pub struct Scene {
    /// Names of people as at their last coming in.
    names: HashMap<PersonKey, String>,
    /// Pages, boards, chat, polls, chapters; addresses are empty.
    pub script: Script,
    /// Captions typed in the room, by language.
    captions: BTreeMap<String, Vec<CaptionLine>>,
}

/// What the session gives a recording. Its whole log is read once, until something
/// changes.
///
/// # Errors
/// The disk's and the store's.
pub async fn scene(app: &Arc<App>, whole: &Whole) -> Result<Arc<Scene>, KeepError> {
    let Some(timeline) = &whole.timeline else {
        return Ok(Arc::default());
    };
    let recording = &whole.recording;
    let key = (recording.withdrawn, whole.left.seq, whole.cuts.length_ms());
    if let Some(known) = app.keep.scenes.get(&recording.id, &key) {
        return Ok(known);
    }
    let _turn = app
        .keep
        .replays
        .acquire()
        .await
        .map_err(|_| KeepError::CutOff)?;
    // Whoever waited finds what another made.
    if let Some(known) = app.keep.scenes.get(&recording.id, &key) {
        return Ok(known);
    }
    let events = app.store.events(&recording.session).await?;
    let decks = decks_of(app, recording, &events).await?;
    let (id, began, cuts) = (
        recording.id.clone(),
        timeline.began.clone(),
        whole.cuts.clone(),
    );
    let left = Arc::clone(&whole.left);
    let task = move || {
        let told = Told {
            began: &began,
            cuts: &cuts,
            events: &events,
            decks: &decks,
            recording: &id,
            unrecorded: &left.people,
        };
        Scene {
            names: names(&events),
            script: script(&told),
            captions: captions(&told),
        }
    };
    let scene = Arc::new(tokio::task::spawn_blocking(task).await?);
    app.keep.scenes.put(&recording.id, key, Arc::clone(&scene));
    Ok(scene)
}

/// The title people see.
pub fn title_of(recording: &Recording) -> &str {
    recording
        .title
        .as_deref()
        .filter(|title| !title.is_empty())
        .unwrap_or(&recording.session_title)
}

/// The end of a day, ms since the epoch.
fn end_of(day: Day) -> Option<u64> {
    let midnight = day.plus_days(1).epoch_days().checked_mul(86_400_000)?;
    let zone = i64::from(INDOCHINA_OFFSET_MIN).checked_mul(60_000)?;
    u64::try_from(midnight.checked_sub(zone)?).ok()
}

/// A line of the list.
///
/// # Errors
/// The store's.
pub async fn item(
    app: &App,
    recording: &Recording,
    class: &Class,
    access: Access,
    net_ms: Option<u64>,
    viewer: Option<&Viewer>,
) -> Result<RecordingItem, KeepError> {
    let poster = match (viewer, &recording.pictures) {
        (Some(viewer), Some(mark)) if access.watch => {
            let addresses = Addresses {
                app,
                recording,
                viewer: viewer.text(),
                // The same for an hour: a list that is read anew every few seconds
                // loads no picture again.
                expires_ms: wall_ms()
                    .saturating_add(ADDRESS_MS)
                    .next_multiple_of(HOUR_MS),
            };
            Some(addresses.of(&poster_name(mark)))
        }
        _ => None,
    };
    let net_ms = match net_ms {
        Some(net) => net,
        None => {
            let edits = app.store.recording_cuts(&recording.id).await?;
            let spans = edits.iter().map(|cut| Span::new(cut.from_ms, cut.to_ms));
            Cuts::new(recording.length_ms, [], spans).net_ms()
        }
    };
    Ok(RecordingItem {
        id: recording.id.clone(),
        session: recording.session.clone(),
        class: recording.class.clone(),
        class_title: recording.class_title.clone(),
        session_title: title_of(recording).to_owned(),
        started_ms: recording.started_ms,
        duration_ms: net_ms,
        state: recording.state,
        can_review: access.review,
        can_edit: access.edit,
        can_watch: access.watch,
        can_dispose: access.dispose,
        can_withdraw: false,
        downloads: recording.downloads,
        licence: recording.licence.clone(),
        open_until_ms: open_until(recording, class).and_then(end_of),
        progress: match access.inside || access.dispose {
            true => app.store.recording_progress(&recording.id).await?,
            false => None,
        },
        bytes: recording.bytes,
        partial: recording.partial.clone(),
        poster,
    })
}

fn gap_word(why: GapWhy) -> &'static str {
    match why {
        GapWhy::Loss => "loss",
        GapWhy::Recorder => "recorder",
        GapWhy::Queue => "overload",
        GapWhy::Disk => "disk",
        GapWhy::Damaged => "damaged",
    }
}

fn kind_word(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Camera => "camera",
        TrackKind::Screen => "screen",
        TrackKind::Voice => "voice",
        TrackKind::ScreenSound => "screenSound",
    }
}

/// Segments as the journal tells them.
pub fn segments_of(timeline: &Timeline) -> Vec<(RecordingSegment, String)> {
    timeline
        .segments
        .values()
        // Of one that is over with nothing there is no file.
        .filter(|segment| {
            let grows = segment.end.is_none() && timeline.ended.is_none();
            grows || segment.on_disk().is_some()
        })
        .map(|segment| {
            let span = segment.span();
            let synced = segment.synced.as_ref();
            let told = RecordingSegment {
                id: format!("{:04}", segment.opened.segment.0),
                kind: kind_word(segment.opened.track).to_owned(),
                person: segment.opened.person.clone(),
                from_ms: span.from_ms,
                to_ms: span.to_ms,
                bytes: synced.map_or(0, |synced| synced.bytes),
                sha256: match synced {
                    Some(synced) if segment.end.is_some() || timeline.ended.is_some() => {
                        synced.sha256.clone()
                    }
                    _ => String::new(),
                },
                damaged_ms: None,
            };
            (told, segment.opened.file.clone())
        })
        .collect()
}

/// The audience; with its link for those who set it.
pub fn audience_of(app: &App, recording: &Recording, base: &str, access: Access) -> Audience {
    let link = match recording.audience {
        AudienceKind::Link => Some(recording.audience_until_ms),
        AudienceKind::Public => Some(None),
        AudienceKind::Enrolled | AudienceKind::Unit => None,
    };
    let link = link.filter(|_| access.review).and_then(|until_ms| {
        let claims = RecordingClaims {
            recording: recording.id.clone(),
            until_ms,
            turn: recording.audience_turn,
        };
        let sealed = claims.seal(&app.keys).ok()?;
        Some(format!("{base}/r/{sealed}"))
    });
    Audience {
        kind: recording.audience,
        unit: recording.audience_unit.clone(),
        until_ms: recording.audience_until_ms,
        link,
    }
}

/// All that is known of a recording.
///
/// # Errors
/// The disk's and the store's.
pub async fn detail(
    app: &Arc<App>,
    recording: Recording,
    class: &Class,
    access: Access,
    person: &PersonKey,
    base: &str,
) -> Result<RecordingDetail, KeepError> {
    let whole = whole(app, recording).await?;
    let recording = &whole.recording;
    let inside = access.inside || access.dispose;
    // Whose files these are, who withdrew and who wished for what is about people.
    let people = access.watchers || access.dispose;
    let mut segments = app.store.recording_segments(&recording.id).await?;
    if segments.is_empty()
        && let Some(timeline) = &whole.timeline
    {
        segments = segments_of(timeline);
    }
    let cuts = whole
        .cuts
        .list()
        .iter()
        .map(|cut| RecordingCut {
            from_ms: cut.span.from_ms,
            to_ms: cut.span.to_ms,
            why: match cut.why {
                lophoc_recording::CutWhy::Pause => CutWhy::Pause,
                lophoc_recording::CutWhy::Trim => CutWhy::Trim,
                lophoc_recording::CutWhy::Cut => CutWhy::Cut,
            },
        })
        .collect();
    let gaps = whole
        .timeline
        .iter()
        .flat_map(|timeline| &timeline.gaps)
        .filter(|gap| gap.span.len_ms() > 0)
        .map(|gap| RecordingGap {
            from_ms: gap.span.from_ms,
            to_ms: gap.span.to_ms,
            why: gap_word(gap.why).to_owned(),
        })
        .collect();
    let mut disposal = app.store.disposal(&recording.id).await?.filter(|_| people);
    if let Some(disposal) = &mut disposal {
        disposal.can_approve = access.dispose
            && disposal.done_ms.is_none()
            && disposal.by != *person
            && disposal.approvals.iter().all(|one| one.person != *person);
    }
    Ok(RecordingDetail {
        length_ms: whole.cuts.length_ms(),
        item: item(
            app,
            recording,
            class,
            access,
            Some(whole.cuts.net_ms()),
            None,
        )
        .await?,
        gaps,
        audience: audience_of(app, recording, base, access),
        watchers: app.store.watcher_count(&recording.id).await?,
        segments: match people {
            true => segments.into_iter().map(|(segment, _)| segment).collect(),
            false => Vec::new(),
        },
        cuts,
        verified_ms: recording.verified_ms,
        disposal,
        film: match inside {
            true => films::there(app, &whole).await?,
            false => None,
        },
        captions: app.store.recording_captions(&recording.id).await?,
        log: match people {
            true => app.store.recording_log(&recording.id).await?,
            false => Vec::new(),
        },
    })
}

/// Makes addresses for one viewer.
struct Addresses<'a> {
    app: &'a App,
    recording: &'a Recording,
    viewer: String,
    expires_ms: u64,
}

impl Addresses<'_> {
    fn of(&self, file: &str) -> String {
        let address = MediaAddress {
            recording: &self.recording.id,
            file,
            viewer: &self.viewer,
            expires_ms: self.expires_ms,
            withdrawn: self.recording.withdrawn,
        };
        format!(
            "/media/recordings/{}/{file}?e={}&v={}&s={}",
            self.recording.id,
            self.expires_ms,
            self.viewer,
            address.sign(&self.app.keys)
        )
    }
}

/// A file as far as it is, without what is cut. The number of clusters stands in
/// its address: what is served there never changes while the file grows.
fn shown_file(
    app: &App,
    id: &RecordingId,
    file: &str,
    start_ms: u64,
    cuts: &Cuts,
) -> std::io::Result<Option<(String, VirtualFile)>> {
    let Some(index) = app.keep.files.readable_index(id, file)? else {
        return Ok(None);
    };
    let spans = file_cuts(cuts, start_ms);
    let Some(shown) = VirtualFile::new(&index, &spans) else {
        return Ok(None);
    };
    Ok(Some((format!("{}.{file}", index.clusters.len()), shown)))
}

/// All a player needs.
///
/// # Errors
/// The disk's and the store's.
pub async fn playback(
    app: &Arc<App>,
    recording: Recording,
    viewer: &Viewer,
    now_ms: u64,
) -> Result<Playback, KeepError> {
    let whole = whole(app, recording).await?;
    let mut expires_ms = now_ms.saturating_add(ADDRESS_MS);
    if let Viewer::Link(until) = viewer {
        expires_ms = expires_ms.min(*until);
    }
    let watched = match viewer.person() {
        Some(person) => app.store.watched(&whole.recording.id, person).await?,
        None => Watched::default(),
    };
    let scene = scene(app, &whole).await?;
    let uploaded = app.store.recording_captions(&whole.recording.id).await?;
    let film = films::is_there(app, &whole).await?;
    let (app, viewer) = (Arc::clone(app), viewer.clone());
    let task = move || -> Result<Playback, KeepError> {
        let addresses = Addresses {
            app: &app,
            recording: &whole.recording,
            viewer: viewer.text(),
            expires_ms,
        };
        let mut playback = build(&app, &whole, &addresses, &scene, &uploaded, &watched, film)?;
        playback.mine.can_withdraw = match &viewer {
            Viewer::Person(person) => can_withdraw(&whole, person),
            Viewer::Program { .. } | Viewer::Room(_) | Viewer::Link(_) | Viewer::Public => false,
        };
        if viewer.person().is_none() {
            for_outsiders(&mut playback);
        }
        Ok(playback)
    };
    tokio::task::spawn_blocking(task).await?
}

/// Whether there are files of somebody that he may take back: people were asked, and
/// he did not do so before.
pub fn can_withdraw(whole: &Whole, person: &PersonKey) -> bool {
    whole.left.asks
        && !whole.left.people.contains(person)
        && whole
            .timeline
            .iter()
            .flat_map(|timeline| timeline.segments.values())
            .any(|segment| segment.opened.person == *person)
}

/// For people nobody knows: without what learners wrote, without keys, and with
/// names of those alone who led. They were told that the class may see it.
fn for_outsiders(playback: &mut Playback) {
    playback.chat.clear();
    let mut keys: Vec<PersonKey> = Vec::new();
    for track in &mut playback.tracks {
        let number = match keys.iter().position(|key| *key == track.person) {
            Some(number) => number,
            None => {
                keys.push(track.person.clone());
                keys.len().saturating_sub(1)
            }
        };
        track.person = PersonKey((number.saturating_add(1)).to_string());
        if !track.presenter {
            track.name.clear();
        }
    }
    for board in &mut playback.boards {
        if let Some(shape) = board.shape.as_mut().and_then(|shape| shape.as_object_mut()) {
            for key in ["by", "cid"] {
                if let Some(value) = shape.get_mut(key) {
                    *value = serde_json::Value::String(String::new());
                }
            }
        }
    }
}

fn build(
    app: &App,
    whole: &Whole,
    addresses: &Addresses<'_>,
    scene: &Scene,
    uploaded: &[PlaybackCaptions],
    watched: &Watched,
    film: bool,
) -> Result<Playback, KeepError> {
    let recording = &whole.recording;
    let script = scene.script.clone();
    // What goes on is nobody's to keep.
    let downloads = recording.downloads && recording.state != RecordingState::Recording;
    let mut playback = Playback {
        id: recording.id.clone(),
        title: title_of(recording).to_owned(),
        class_title: recording.class_title.clone(),
        licence: recording.licence.clone(),
        started_ms: recording.started_ms,
        duration_ms: whole.cuts.length_ms(),
        cuts: whole
            .cuts
            .spans()
            .iter()
            .map(|span| TimeSpan {
                from_ms: span.from_ms,
                to_ms: span.to_ms,
            })
            .collect(),
        sound: None,
        film: None,
        pictures: None,
        live: recording.state == RecordingState::Recording,
        tracks: Vec::new(),
        slides: script.slides,
        boards: script.boards,
        chat: script.chat,
        polls: script.polls,
        chapters: script.chapters,
        captions: Vec::new(),
        downloads: PlaybackDownloads::default(),
        resume_ms: watched.resume_ms,
        urls_expire_ms: addresses.expires_ms,
        mine: PlaybackMine {
            watched_percent: percent(&whole.cuts, &watched.spans),
            can_withdraw: false,
        },
    };
    let (Some(timeline), Some(id)) = (&whole.timeline, RecordingId::new(&recording.id)) else {
        return Ok(playback);
    };
    if whole.has_its_sound(app, &id)?
        && let Some((name, _)) = shown_file(app, &id, SOUND, 0, &whole.cuts)?
    {
        playback.sound = Some(addresses.of(&name));
        if downloads {
            playback.downloads.sound = playback.sound.clone();
        }
    }
    if film {
        playback.film = Some(addresses.of(&whole.film()));
        if downloads {
            playback.downloads.video = playback.film.clone();
        }
    }
    let mark = whole.mark();
    if let Some(stills) = read_stills(&app.keep.files.of(&id).join(OUT), &mark)? {
        playback.pictures = Some(PlaybackPictures {
            poster: addresses.of(&poster_name(&mark)),
            strips: (0..stills.strips())
                .map(|number| addresses.of(&strip_name(&mark, number)))
                .collect(),
            across: ACROSS as u32,
            width: TILE.0,
            height: TILE.1,
            every_ms: every(&whole.cuts),
            tiles: stills.tiles,
        });
    }
    for segment in timeline.segments.values() {
        let opened = &segment.opened;
        if !opened.track.is_picture() || whole.unrecorded().contains(&opened.person) {
            continue;
        }
        let Some((name, shown)) = shown_file(app, &id, &opened.file, opened.start_ms, &whole.cuts)?
        else {
            continue;
        };
        playback.tracks.push(PlaybackTrack {
            id: format!("{:04}", opened.segment.0),
            kind: kind_word(opened.track).to_owned(),
            person: opened.person.clone(),
            name: scene.names.get(&opened.person).cloned().unwrap_or_default(),
            from_ms: opened.start_ms,
            to_ms: opened.start_ms.saturating_add(shown.end_ms),
            url: addresses.of(&name),
            mime: shown.mime().to_owned(),
            width: opened.width,
            height: opened.height,
            presenter: opened.presenter,
        });
    }
    for slide in &mut playback.slides {
        if slide.page > 0 {
            slide.url = addresses.of(&page_name(&slide.deck, slide.page, 'l'));
            slide.small_url = addresses.of(&page_name(&slide.deck, slide.page, 's'));
        }
    }
    for captions in uploaded {
        playback.captions.push(PlaybackCaptions {
            url: addresses.of(&format!("captions.{}.vtt", captions.lang)),
            ..captions.clone()
        });
    }
    for lang in scene.captions.keys() {
        if uploaded.iter().all(|one| one.lang != *lang) {
            playback.captions.push(PlaybackCaptions {
                lang: lang.clone(),
                label: lang.clone(),
                url: addresses.of(&format!("typed.{lang}.vtt")),
            });
        }
    }
    Ok(playback)
}

/// Name of a page of a deck among the files of a recording.
fn page_name(deck: &str, page: u16, size: char) -> String {
    format!("page.{deck}.{page}.{size}.webp")
}

/// How much of what is shown lies in these spans, ms.
pub fn shown_ms(cuts: &Cuts, spans: &[(u64, u64)]) -> u64 {
    spans
        .iter()
        .map(|(from, to)| cuts.to_net(*to).saturating_sub(cuts.to_net(*from)))
        .sum()
}

fn percent(cuts: &Cuts, spans: &[(u64, u64)]) -> u8 {
    match cuts.net_ms() {
        0 => 0,
        net => {
            u8::try_from((shown_ms(cuts, spans).saturating_mul(100) / net).min(100)).unwrap_or(100)
        }
    }
}

/// Decks of the session that were shown, with the words of their pages.
async fn decks_of(
    app: &Arc<App>,
    recording: &Recording,
    events: &[Event],
) -> Result<BTreeMap<String, DeckFacts>, KeepError> {
    let mut pages: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for event in events {
        if let lophoc_ledger::EventKind::Slide {
            deck: Some(deck),
            page,
            ..
        } = &event.kind
        {
            pages.entry(deck.clone()).or_default().insert(*page);
        }
    }
    if pages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let materials = app.store.materials(&recording.session).await?;
    let app = Arc::clone(app);
    let task = move || {
        let mut decks = BTreeMap::new();
        let mut left = PAGES;
        for material in materials {
            let Some(shown) = pages
                .get(&material.id)
                .filter(|_| material.kind == MaterialKind::Deck)
            else {
                continue;
            };
            let mut words = BTreeMap::new();
            for page in shown {
                left = left.saturating_sub(1);
                if left == 0 {
                    break;
                }
                if let Some(text) = app.materials.words_of(&material.key, *page) {
                    words.insert(*page, text);
                }
            }
            decks.insert(
                material.id,
                DeckFacts {
                    name: material.name,
                    words,
                },
            );
        }
        decks
    };
    Ok(tokio::task::spawn_blocking(task).await?)
}

/// The captions typed in the room in one language, as a file; `None` when there are
/// none.
///
/// # Errors
/// The disk's and the store's.
pub async fn typed_captions(
    app: &Arc<App>,
    whole: &Whole,
    lang: &str,
) -> Result<Option<String>, KeepError> {
    let scene = scene(app, whole).await?;
    let lines = scene.captions.get(lang);
    Ok(lines.map(|lines| lophoc_ledger::webvtt(lines, title_of(&whole.recording))))
}

/// Whether this page of this deck is among what is shown.
///
/// # Errors
/// The disk's and the store's.
pub async fn shows_page(
    app: &Arc<App>,
    whole: &Whole,
    deck: &str,
    page: u16,
) -> Result<bool, KeepError> {
    let scene = scene(app, whole).await?;
    let mut slides = scene.script.slides.iter();
    Ok(slides.any(|slide| slide.deck == deck && slide.page == page))
}
