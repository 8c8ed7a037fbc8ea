//! The room's ledger is the truth about what was taken away and what people said
//! of a deck; the records follow it, so that they can be read without a room. The
//! other way round the room learns at its loading what became of the files while
//! it was not in memory.

use std::collections::BTreeSet;

use lophoc_ledger::SessionKey;
use lophoc_protocol::slides::Deck;
use lophoc_records::{Material, MaterialLabels, StoreError};
use lophoc_room::Command;

use super::{deck_of, file_of, name_of};
use crate::app::App;
use crate::clock::wall_ms;

/// What a room is told when it is loaded. What it knows already it ignores.
pub(crate) fn news_of(materials: &[Material]) -> Vec<Command> {
    materials
        .iter()
        .filter(|material| material.dropped_ms.is_none())
        .map(|material| match file_of(material) {
            Some(file) => Command::File(Box::new(file)),
            None => Command::Deck(Box::new(deck_of(material))),
        })
        .collect()
}

/// Brings the records of a session to what its room knows.
pub(crate) async fn sync(
    app: &App,
    session: &SessionKey,
    decks: &[Deck],
    dropped: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let store = &app.store;
    for material in store.materials(session).await? {
        if material.dropped_ms.is_none() && dropped.contains(&material.id) {
            store.drop_material(&material.id, wall_ms()).await?;
            app.materials.withdrawn(&material);
        }
        let Some(deck) = decks.iter().find(|deck| deck.deck.0 == material.id) else {
            continue;
        };
        let labels = MaterialLabels {
            review: name_of(deck.review),
            licence: deck.licence.clone(),
            owner: deck.owner.clone(),
        };
        if labels != material.labels {
            store.label_material(&material.id, &labels).await?;
        }
    }
    Ok(())
}
