//! The parts that open nothing: hostile bytes, the plan, what tools say.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::Cursor;

use lophoc_slides::image::{Format, Jpeg, Picture, page_of_jpeg, picture, webp};
use lophoc_slides::limits::{MAX_PAGES, MAX_WORD, MAX_WORDS, SMALL_BYTES};
use lophoc_slides::parse::{page_count, page_sizes, page_texts, rendered_page};
use lophoc_slides::plan::{Ended, Next, Plan, Size, Step};
use lophoc_slides::{Fault, Kind, Progress, sniff};
use proptest::prelude::*;

fn kind(bytes: &[u8]) -> Result<Kind, Fault> {
    sniff(&mut Cursor::new(bytes), bytes.len() as u64)
}

#[test]
fn a_file_is_what_its_content_says() {
    assert_eq!(kind(&common::pdf(&[(10, 60, vec![])])), Ok(Kind::Pdf));
    assert_eq!(kind(b"\n\n  %PDF-1.2"), Ok(Kind::Pdf));
    let office = |part: &str| common::archive(&[("[Content_Types].xml", b"a"), (part, b"a")]);
    for (file, ending) in [
        (office("ppt/presentation.xml"), "pptx"),
        (office("word/document.xml"), "docx"),
    ] {
        assert_eq!(kind(&file), Ok(Kind::Office(ending)));
    }
    assert_eq!(kind(&office("xl/workbook.xml")), Err(Fault::Unsupported));
    let Ok(Kind::Picture(png)) = kind(&common::png(30, 20, (30, 20))) else {
        panic!("no picture");
    };
    assert_eq!((png.format, png.seen()), (Format::Plain, (30, 20)));
    let Ok(Kind::Picture(gif)) = kind(&common::gif()) else {
        panic!("no picture");
    };
    assert_eq!(gif.format, Format::Gif);
}

#[test]
fn open_documents_tell_their_type_first() {
    for (what, ending) in [("presentation", "odp"), ("text", "odt")] {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        writer.start_file("mimetype", plain).unwrap();
        let told = format!("application/vnd.oasis.opendocument.{what}");
        std::io::Write::write_all(&mut writer, told.as_bytes()).unwrap();
        let file = writer.finish().unwrap().into_inner();
        assert_eq!(kind(&file), Ok(Kind::Office(ending)));
    }
}

fn went(plan: &mut Plan, said: &str, bytes: u64) {
    plan.ended(Ended::Well { said, bytes });
}

fn sizes(pages: u16) -> String {
    (1..=pages)
        .map(|page| format!("Page {page:4} size: 960 x 540 pts\nPage {page:4} rot:  0\n"))
        .collect()
}

#[test]
fn a_page_that_is_too_large_goes_down_in_quality_and_then_in_width() {
    let mut plan = Plan::new(Kind::Pdf);
    went(&mut plan, "Pages:          1\n", 0);
    went(&mut plan, &sizes(1), 0);
    let mut tried = vec![];
    loop {
        match plan.next() {
            Next::Run(Step::Encode {
                size: Size::Small,
                width,
                quality,
                ..
            }) => {
                tried.push((width, quality));
                went(&mut plan, "", SMALL_BYTES + 1);
            }
            Next::Run(_) => went(&mut plan, "", 1),
            Next::Ready { pages, first } => {
                assert_eq!((pages, first.width), (1, 960.0));
                break;
            }
            Next::Failed(fault) => panic!("{fault}"),
        }
    }
    assert_eq!(tried[0], (640, 78));
    assert!(
        tried.len() > 4 && tried.is_sorted_by(|a, b| a.0 > b.0 || (a.0 == b.0 && a.1 > b.1)),
        "{tried:?}"
    );
    assert_eq!(plan.progress(), Progress { done: 1, total: 1 });
}

#[test]
fn too_many_pages_are_refused_before_one_is_made() {
    for (said, fault) in [
        ("Pages:          10000\n", Fault::TooManyPages),
        ("Pages:          4294967296\n", Fault::Broken),
        ("Pages:          0\n", Fault::Broken),
        ("Title: Pages: 3", Fault::Broken),
        ("", Fault::Broken),
    ] {
        let mut plan = Plan::new(Kind::Pdf);
        went(&mut plan, said, 0);
        assert_eq!(plan.next(), Next::Failed(fault), "{said}");
    }
}

#[test]
fn how_a_tool_ends_decides_the_fault() {
    for (how, fault) in [
        (Ended::TooMuch, Fault::TooHard),
        (Ended::Missing, Fault::NoConverter),
        (Ended::Full, Fault::Full),
        (Ended::Internal, Fault::Internal),
        (Ended::Stopped, Fault::Stopped),
        (
            Ended::Badly {
                complaint: "Syntax Error",
            },
            Fault::Broken,
        ),
        (
            Ended::Badly {
                complaint: "Command Line Error: Incorrect password",
            },
            Fault::Encrypted,
        ),
        (
            Ended::Badly {
                complaint: "write failed: No space left on device",
            },
            Fault::Full,
        ),
    ] {
        let mut plan = Plan::new(Kind::Office("pptx"));
        plan.ended(how);
        assert_eq!(plan.next(), Next::Failed(fault));
        // Nothing comes after it.
        went(&mut plan, "Pages: 1", 0);
        assert_eq!(plan.next(), Next::Failed(fault));
    }
}

#[test]
fn turned_pages_change_their_sides() {
    let said = "Page    1 size: 595.28 x 841.89 pts (A4)\nPage    1 rot:  90\nPage    2 size: 10 x 20 pts\nPage    2 rot:  180\n";
    let sizes = page_sizes(said, 2).unwrap();
    assert_eq!((sizes[0].width, sizes[1].width), (841.89, 10.0));
    assert_eq!(page_sizes(said, 3), None);
    assert_eq!(page_sizes("Page 1 size: nan x 3 pts", 1), None);
    assert_eq!(page_sizes("Page 1 size: 0 x 3 pts", 1), None);
}

#[test]
fn words_keep_their_place_and_lent_letters_join_their_word() {
    let said = r#"<page width="960.000000" height="540.000000">
    <word xMin="10.0" yMin="5.0" xMax="20.0" yMax="15.0">m</word>
    <word xMin="20.01" yMin="4.0" xMax="26.0" yMax="15.5">ừ</word>
    <word xMin="26.02" yMin="5.0" xMax="40.126" yMax="15.0">ng</word>
    <word xMin="43.0" yMin="5.0" xMax="60.0" yMax="15.0">a&lt;b&amp;amp;</word>
    <word xMin="10.0" yMin="20.0" xMax="20.0" yMax="30.0">sau</word>
  </page>"#;
    let pages = page_texts(said);
    let words: Vec<&str> = pages[0].words.iter().map(|word| word.0.as_str()).collect();
    assert_eq!(words, ["mừng", "a<b&amp;", "sau"]);
    let (_, left, top, right, bottom) = &pages[0].words[0];
    assert_eq!((*left, *top, *right, *bottom), (10.0, 4.0, 40.13, 15.5));
}

#[test]
fn the_text_of_a_page_is_bounded() {
    let word = format!(
        "<word xMin=\"0\" yMin=\"0\" xMax=\"9\" yMax=\"9\">{}</word>\n",
        "a".repeat(9_999)
    );
    let far = |at: usize| word.replace("xMin=\"0\"", &format!("xMin=\"{}\"", at * 20));
    let said: String = std::iter::once("<page width=\"9\" height=\"9\">\n".to_owned())
        .chain((0..MAX_WORDS + 9).map(far))
        .collect();
    let pages = page_texts(&said);
    assert_eq!(pages[0].words.len(), MAX_WORDS);
    assert!(
        pages[0]
            .words
            .iter()
            .all(|word| word.0.chars().count() <= MAX_WORD)
    );
    let many = "<page width=\"9\" height=\"9\">\n".repeat(usize::from(MAX_PAGES) + 9);
    assert_eq!(page_texts(&many).len(), usize::from(MAX_PAGES));
    assert_eq!(rendered_page("p-007.ppm"), Some(7));
    assert_eq!(rendered_page("p-../../x.ppm"), None);
}

/// Answers to the steps of a plan, some of them foolish.
fn answers() -> impl Strategy<Value = Vec<(u8, u32, u64)>> {
    prop::collection::vec((0u8..20, 0u32..700, 0u64..2_000_000), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_looked_at_without_a_panic(
        start in prop::sample::select(vec![
            &b""[..], b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xd8\xff\xe1",
            b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF....WEBPVP8X", b"RIFF....WEBPVP8L", b"RIFF....WEBPVP8 ",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let file = [start, &bytes].concat();
        if let Ok(Kind::Picture(Picture { width, height, .. })) = kind(&file) {
            prop_assert!(width > 0 && height > 0 && width <= 16_000 && height <= 16_000);
        }
        let _ = webp(&file);
        let _ = picture(&mut Cursor::new(&file), file.len() as u64);
    }

    #[test]
    fn a_changed_archive_is_looked_at_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = common::archive(&[("[Content_Types].xml", b"a"), ("ppt/presentation.xml", b"b")]);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = kind(&file);
        file.truncate(cut.index(file.len()));
        let _ = kind(&file);
    }

    #[test]
    fn any_words_of_tools_are_read_without_a_panic(text in "\\PC{0,300}|(Page +[0-9]{1,6} (size|rot): .{0,20}\n){0,9}|(<(page|word) [a-zM]{0,5}=?\"?[0-9.e-]{0,9}\"?>.{0,9}(</word>)?\n){0,9}") {
        let _ = page_count(&text);
        let _ = page_sizes(&text, 5);
        let _ = page_texts(&text);
        let _ = rendered_page(&text);
    }

    #[test]
    fn every_plan_comes_to_an_end_within_its_bounds(
        which in 0u8..4, answers in answers(),
    ) {
        let picture = Picture { format: Format::Gif, width: 900, height: 16_000 };
        let jpeg = Picture { format: Format::Jpeg(Jpeg { components: 3, adobe: false, turn: 6 }), ..picture };
        let mut plan = Plan::new(match which {
            0 => Kind::Pdf,
            1 => Kind::Office("odp"),
            2 => Kind::Picture(picture),
            _ => Kind::Picture(jpeg),
        });
        let mut steps = 0;
        let mut answers = answers.into_iter();
        let mut done = 0;
        while let Next::Run(step) = plan.next() {
            let (how, pages, bytes) = answers.next().unwrap_or((9, 3, 1));
            if let Step::Encode { width, quality, .. } = step {
                prop_assert!((1..=1_600).contains(&width) && quality <= 100);
            }
            if let Step::Render { first, last, width, height } = step {
                prop_assert!(first <= last && last <= MAX_PAGES);
                prop_assert!(u64::from(width) * u64::from(height) <= 1_600 * 4_800);
            }
            let said = match step {
                Step::Count => format!("Pages: {pages}\n"),
                Step::Sizes { last } => sizes(last.saturating_sub(u16::from(how == 4))),
                _ => String::new(),
            };
            match how {
                0 if steps > 20 => plan.ended(Ended::TooMuch),
                1 if steps > 20 => plan.ended(Ended::Badly { complaint: "x" }),
                _ => went(&mut plan, &said, bytes),
            }
            let progress = plan.progress();
            prop_assert!(progress.done >= done && progress.done <= progress.total.max(MAX_PAGES));
            done = progress.done;
            steps += 1;
            prop_assert!(steps < 20_000, "no end");
        }
        if let Next::Ready { pages, .. } = plan.next() {
            prop_assert!((1..=MAX_PAGES).contains(&pages) && done == pages);
        }
    }

    #[test]
    fn the_page_of_a_photo_is_as_long_as_it_says(turn in 1u8..=8, len in 0u64..1_000_000, components in prop::sample::select(vec![1u8, 3, 4])) {
        let jpeg = Jpeg { components, adobe: true, turn };
        let picture = Picture { format: Format::Jpeg(jpeg), width: 640, height: 480 };
        let (before, after) = page_of_jpeg(&picture, &jpeg, len);
        let text = String::from_utf8(after.clone()).unwrap();
        let table: u64 = text.split("startxref\n").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        let at = table - len - before.len() as u64;
        prop_assert!(after[at as usize..].starts_with(b"xref"));
    }
}
