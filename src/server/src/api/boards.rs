//! Boards of a session by right: what is on them, and each as a picture.

mod svg;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{BoardShape, Right, Session, SessionBoard, SessionBoards};
use lophoc_ledger::{Event, PersonKey, SessionKey};
use lophoc_protocol::board::{Figure, Surface};
use lophoc_protocol::slides::Deck;
use lophoc_room::{BoardKept, boards_of};
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::error::{ApiFault, Refusal};
use super::exports::disposition;
use super::extract::At;
use super::{Routes, Signed};
use crate::app::App;

/// Most of a page's sides against each other; beyond, a board is drawn as if it
/// were this narrow.
const NARROW: u32 = 8;

/// The routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(picture))
}

/// What is on the boards, with who drew it.
#[utoipa::path(get, path = "/sessions/{id}/boards", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = SessionBoards), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 429, body = Refusal),
        (status = 503, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Json<SessionBoards>, ApiFault> {
    let (boards, _) = read(&app, signed, &id, |events| Some(of(events))).await?;
    Ok(Json(boards))
}

/// One board as a picture; of a page what was drawn over it alone.
#[utoipa::path(get, path = "/sessions/{id}/boards/{file}", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session"),
        ("file" = String, Path, description = "Board, `.svg`")),
    responses((status = 200, content_type = "image/svg+xml", description = "The picture"),
        (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn picture(
    State(app): State<Arc<App>>,
    signed: Signed,
    At((id, file)): At<(SessionKey, String)>,
) -> Result<Response, ApiFault> {
    let wanted = file.strip_suffix(".svg").map(str::to_owned);
    let (board, session) = read(&app, signed, &id, move |events| {
        let wanted = wanted?;
        let all = boards_of(events).boards;
        let one = all.into_iter().find(|kept| kept.board.0 == wanted);
        one.and_then(board)
    })
    .await?;
    let name = format!("Bảng - Buổi {} - {}", session.no, title(&board));
    Ok((
        [
            (CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
            (CONTENT_DISPOSITION, disposition("attachment", &name, "svg")),
        ],
        drawn(&board),
    )
        .into_response())
}

/// Makes something out of the log for somebody who may have the record bundle, and
/// writes down that he had it.
async fn read<T: Send + 'static>(
    app: &App,
    signed: Signed,
    id: &SessionKey,
    make: impl FnOnce(&[Event]) -> Option<T> + Send + 'static,
) -> Result<(T, Session), ApiFault> {
    let mono = app.clock.now().mono_ms;
    let rate = &app.attendance.export_rate;
    if !rate.count(signed.person().clone(), mono) {
        return Err(ApiFault::rate_limited(None));
    }
    let (asked, session) = Asked::session(app, signed, id).await?;
    let grant = asked.need_all(Right::Export)?;
    asked.need_all(Right::SeeAttendance)?;
    let _place = app.attendance.heavy().await?;
    let events = app.store.events(id).await?;
    let made = tokio::task::spawn_blocking(move || make(&events))
        .await
        .map_err(|_| ApiFault::internal())?
        .ok_or_else(ApiFault::not_found)?;
    asked.log(app, "boards", &grant).await?;
    Ok((made, session))
}

/// What a log leaves on the boards.
pub fn of(events: &[Event]) -> SessionBoards {
    let kept = boards_of(events);
    SessionBoards {
        boards: kept.boards.into_iter().filter_map(board).collect(),
        left_out: u32::try_from(kept.left_out).unwrap_or(u32::MAX),
    }
}

/// Ids become names of files: one with other letters than ours is nobody's.
fn is_plain(id: &str) -> bool {
    id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn board(kept: BoardKept) -> Option<SessionBoard> {
    let id = kept.board.0.as_str();
    let surface = kept.board.surface().filter(|_| is_plain(id))?;
    let high = match (&surface, &kept.below) {
        (Surface::Page { .. }, Some((deck, _))) => page_high(deck),
        _ => svg::BLANK_HIGH,
    };
    let (deck, page) = match surface {
        Surface::White(_) => (None, None),
        Surface::Page { deck, page } => (Some(deck.0), Some(page)),
    };
    let shapes = kept.shapes.into_iter().map(|(shape, name)| BoardShape {
        n: shape.n,
        person: PersonKey(shape.by.0),
        name,
        fig: serde_json::to_value(shape.fig).unwrap_or_default(),
    });
    Some(SessionBoard {
        board: kept.board.0.clone(),
        deck,
        deck_name: kept.below.map(|(deck, _)| deck.name),
        page,
        dropped: kept.dropped,
        high,
        shapes: shapes.collect(),
    })
}

/// Height of a board over a deck, by its first page.
fn page_high(deck: &Deck) -> u32 {
    let (wide, high) = (u32::from(deck.w), u32::from(deck.h));
    if wide == 0 || high == 0 {
        return svg::BLANK_HIGH;
    }
    let scaled = (high * svg::WIDE + wide / 2) / wide;
    scaled.clamp(svg::WIDE / NARROW, svg::WIDE * NARROW)
}

/// The board as a picture.
pub fn drawn(board: &SessionBoard) -> String {
    let figures: Vec<Figure> = board
        .shapes
        .iter()
        .filter_map(|shape| serde_json::from_value(shape.fig.clone()).ok())
        .collect();
    svg::svg(figures.iter(), board.high, board.deck.is_none())
}

/// What it is, for people.
pub fn title(board: &SessionBoard) -> String {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|letter| !letter.is_control());
        kept.collect()
    };
    match (&board.deck, board.page) {
        (Some(deck), Some(page)) => {
            let name = plain(board.deck_name.as_deref().unwrap_or(deck));
            let dropped = if board.dropped {
                " (tài liệu đã gỡ khỏi phòng)"
            } else {
                ""
            };
            format!("{name}, trang {page}{dropped}")
        }
        _ => format!("Bảng trắng {}", board.board.trim_start_matches('w')),
    }
}

#[cfg(test)]
mod tests {
    use lophoc_protocol::slides::{DeckState, Review};
    use lophoc_protocol::{DeckId, PersonId};

    use super::*;

    #[test]
    fn a_page_is_as_high_as_its_deck_says_within_bounds() {
        let high = |w, h| {
            page_high(&Deck {
                deck: DeckId::from("d1"),
                name: String::new(),
                st: DeckState::Ready,
                pages: 1,
                w,
                h,
                url: String::new(),
                review: Review::Draft,
                licence: None,
                owner: None,
                by: PersonId::from("p1"),
                by_name: String::new(),
                at: 0,
            })
        };
        assert_eq!(high(960, 540), 900);
        assert_eq!(high(595, 842), 2_264);
        assert_eq!(high(0, 540), 900);
        assert_eq!(high(540, 0), 900);
        assert_eq!(high(1, u16::MAX), 12_800);
        assert_eq!(high(u16::MAX, 1), 200);
    }

    #[test]
    fn ids_that_name_no_file_are_nobodys() {
        for (id, plain) in [("w1", true), ("d7f-a-12", true), ("d/../../x-1", false)] {
            assert_eq!(is_plain(id), plain, "{id}");
        }
    }
}
