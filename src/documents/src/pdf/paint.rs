//! Pages → PDF.

use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::Stroke;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup,
    TagKind, TagTree,
};
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use super::face::{Face, Faces};
use super::page::{NodeId, Pages, Piece, Role};
use super::{ID_KEYWORD, WriteError};
use crate::model::Sealed;
use crate::vi;

/// Above this many nodes a file gets no structure: it would be mostly that.
const MAX_NODES: usize = 60_000;
/// Width of the rules, points.
const RULE: f32 = 0.6;

/// Draws the pages.
pub fn paint(sheet: &Sealed, faces: &Faces, pages: &Pages) -> Result<Vec<u8>, WriteError> {
    let settings = SerializeSettings {
        enable_tagging: pages.nodes.len() <= MAX_NODES,
        ..SerializeSettings::default()
    };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(sheet));
    let mut leaves: Vec<Vec<Identifier>> = pages.nodes.iter().map(|_| Vec::new()).collect();
    let (width, height) = pages.size;
    for (index, content) in pages.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(width, height).ok_or(WriteError::Page)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        rules(&mut surface, content);
        let mut at = 0;
        while let Some(first) = content.pieces.get(at) {
            let run = content
                .pieces
                .iter()
                .skip(at)
                .take_while(|piece| piece.node == first.node)
                .count();
            let id = surface.start_tagged(match first.node {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
            });
            for piece in content.pieces.iter().skip(at).take(run) {
                text(&mut surface, faces, piece);
            }
            surface.end_tagged();
            if let Some(leaves) = first.node.and_then(|node| leaves.get_mut(node)) {
                leaves.push(id);
            }
            at += run;
        }
        if index > 0 {
            number(&mut surface, faces, index + 1, width);
        }
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(tree(pages, leaves));
    document
        .finish()
        .map_err(|error| WriteError::Pdf(format!("{error:?}")))
}

fn rules(surface: &mut Surface<'_>, content: &super::page::Page) {
    let mut path = PathBuilder::new();
    for rule in &content.rules {
        path.move_to(rule.from.0, rule.from.1);
        path.line_to(rule.to.0, rule.to.1);
    }
    let Some(path) = path.finish() else { return };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(
        ArtifactType::Layout,
    )));
    surface.set_stroke(Some(Stroke {
        width: RULE,
        ..Stroke::default()
    }));
    surface.draw_path(&path);
    surface.set_stroke(None);
    surface.end_tagged();
}

/// The number of a page: centred in the top margin, none on the first
/// (Nghị định 30/2020/NĐ-CP).
fn number(surface: &mut Surface<'_>, faces: &Faces, number: usize, width: f32) {
    let text_of = number.to_string();
    let size = 13.0;
    let piece = Piece {
        x: (width - faces.width(Face::Regular, &text_of) * size) / 2.0,
        y: 38.0,
        face: Face::Regular,
        size,
        text: text_of,
        node: None,
    };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(
        ArtifactType::PageNumber,
    )));
    text(surface, faces, &piece);
    surface.end_tagged();
}

fn text(surface: &mut Surface<'_>, faces: &Faces, piece: &Piece) {
    let glyphs: Vec<KrillaGlyph> = piece
        .text
        .char_indices()
        .map(|(at, c)| {
            let letter = faces.letter(piece.face, c);
            KrillaGlyph::new(
                GlyphId::new(letter.glyph),
                letter.advance,
                0.0,
                0.0,
                0.0,
                at..at + c.len_utf8(),
                None,
            )
        })
        .collect();
    surface.draw_glyphs(
        Point::from_xy(piece.x, piece.y),
        &glyphs,
        faces.drawn(piece.face),
        &piece.text,
        piece.size,
        false,
    );
}

fn metadata(sheet: &Sealed) -> Metadata {
    let export = &sheet.document().export;
    let clip = |text: &str| text.chars().take(300).collect::<String>();
    let mut metadata = Metadata::new()
        .title(clip(&sheet.data().title))
        .language("vi-VN".to_owned())
        .creator("Lophoc".to_owned())
        .document_id(export.id.clone())
        .keywords(vec![
            format!("{ID_KEYWORD}{}", export.id),
            format!("lophoc-data-sha256:{}", sheet.data_sha256()),
        ]);
    if !sheet.data().unit.is_empty() {
        metadata = metadata.authors(vec![clip(&sheet.data().unit)]);
    }
    if let Some(day) = vi::day_of(export.made_ms, 0) {
        let (hour, minute, second) = vi::clock(export.made_ms, 0);
        let short = |number: u32| u8::try_from(number).unwrap_or(0);
        metadata = metadata.creation_date(
            DateTime::new(day.year())
                .month(day.month())
                .day(day.day())
                .hour(short(hour))
                .minute(short(minute))
                .second(short(second))
                .utc_offset_hour(0)
                .utc_offset_minute(0),
        );
    }
    metadata
}

fn tree(pages: &Pages, leaves: Vec<Vec<Identifier>>) -> TagTree {
    let mut children: Vec<Vec<NodeId>> = pages.nodes.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    for (node, (_, parent)) in pages.nodes.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(node),
            None => roots.push(node),
        }
    }
    let mut leaves: Vec<Option<Vec<Identifier>>> = leaves.into_iter().map(Some).collect();
    let mut tree = TagTree::new().with_lang(Some("vi-VN".to_owned()));
    for root in roots {
        if let Some(group) = group(root, pages, &children, &mut leaves) {
            tree.push(group);
        }
    }
    tree
}

/// A node with all below it; at most four deep: table, row, cell, text.
fn group(
    node: NodeId,
    pages: &Pages,
    children: &[Vec<NodeId>],
    leaves: &mut [Option<Vec<Identifier>>],
) -> Option<TagGroup> {
    let (role, _) = pages.nodes.get(node)?;
    let mut group = TagGroup::new(kind(*role));
    for leaf in leaves.get_mut(node)?.take().unwrap_or_default() {
        group.push(Node::Leaf(leaf));
    }
    for child in children.get(node)? {
        if let Some(below) = self::group(*child, pages, children, leaves) {
            group.push(below);
        }
    }
    Some(group)
}

fn kind(role: Role) -> TagKind {
    let level = |number| std::num::NonZeroU16::new(number).unwrap_or(std::num::NonZeroU16::MIN);
    match role {
        Role::Title => Tag::Hn(level(1), None).into(),
        Role::Heading => Tag::Hn(level(2), None).into(),
        Role::Paragraph => Tag::P.into(),
        Role::Table => Tag::Table.into(),
        Role::Row => Tag::TR.into(),
        Role::HeadCell => Tag::TH(TableHeaderScope::Column).into(),
        Role::Cell => Tag::TD.into(),
    }
}
