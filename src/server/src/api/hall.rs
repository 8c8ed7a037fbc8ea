//! Sites (điểm cầu): who sits there, ticking people in and out, the code on the
//! hall's screen.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use lophoc_classes::{Grant, HallPerson, HallTick, Page, Right, Site};
use lophoc_ledger::{
    HallHow, HallMark, NameOrder, PersonKey, Row, SessionKey, fold_name, name_key_in,
};
use lophoc_records::{NewHallMark, last_marks};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::attendance::folded;
use super::attendance_access::Asked;
use super::attendance_facts::{Gathered, PersonFacts, ticked};
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::{How, Routes, Signed, SignedInRoom};
use crate::app::App;
use crate::auth::Code;
use crate::clock::wall_ms;

/// Name of the hall where the trainer is, in paths.
const HERE: &str = "here";
/// Its name on pages and sheets.
pub(super) const HERE_NAME: &str = "Hội trường chính";
/// Most people ticked at a time.
const MOST: usize = 500;
/// People of one answer.
const PAGE: usize = 500;
/// Largest body: 500 ids.
const BODY: usize = 128 * 1024;
/// Longest search text, characters.
const SEARCH: usize = 100;

/// The routes.
pub fn routes() -> Routes {
    let ticks = Routes::new()
        .routes(routes!(tick))
        .layer(DefaultBodyLimit::max(BODY));
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(people))
        .routes(routes!(code))
        .merge(ticks)
}

/// The sites of a session: the trainer's hall first, then those of the roster by
/// name.
pub(super) fn sites(gathered: &Gathered) -> Vec<Site> {
    let facts = &gathered.facts;
    let ticked = ticked(&facts.hall);
    let rows: HashMap<&PersonKey, &Row> = facts
        .report
        .rows
        .iter()
        .map(|row| (&row.person, row))
        .collect();
    let learners = facts.people.values().filter(|one| !one.site).count();
    let mut sites = vec![Site {
        site: None,
        name: HERE_NAME.to_owned(),
        connected: false,
        people: ticked.get(&None).copied().unwrap_or_default(),
        expected: u32::try_from(learners).unwrap_or(u32::MAX),
    }];
    let mut rest: Vec<Site> = facts
        .people
        .iter()
        .filter(|(_, one)| one.site)
        .map(|(person, one)| Site {
            site: Some(person.clone()),
            name: one.name.clone(),
            connected: !facts.report.ended && rows.get(person).is_some_and(|row| row.here),
            people: ticked.get(&Some(person)).copied().unwrap_or_default(),
            expected: one.expected,
        })
        .collect();
    rest.sort_by_cached_key(|site| name_key_in(NameOrder::default(), &site.name, None));
    sites.extend(rest);
    sites
}

/// A site of a session and how far the asker may tick people there.
struct At1 {
    asked: Asked,
    gathered: Arc<Gathered>,
    /// The person of its connection; `None`: the trainer's hall.
    site: Option<PersonKey>,
    /// Whose rows he may tick.
    grant: Grant,
    /// Asks from the connection of the site itself.
    own: bool,
}

impl At1 {
    async fn find(
        app: &App,
        signed: Signed,
        id: &SessionKey,
        site: &str,
    ) -> Result<Self, ApiFault> {
        let (asked, _) = Asked::session(app, signed, id).await?;
        let gathered = app.gathered(id).await?;
        asked.not_sent_away(&gathered)?;
        let grant = asked.grant(Right::TickHall);
        let site = (site != HERE).then(|| PersonKey(site.to_owned()));
        let own = own_site(&asked, site.as_ref());
        if !own && !grant.any() {
            return Err(ApiFault::forbidden());
        }
        if let Some(site) = &site {
            let known = gathered
                .facts
                .people
                .get(site)
                .filter(|one| one.site)
                .ok_or_else(ApiFault::not_found)?;
            // A contact of a unit ticks at sites of his units; an adviser his
            // learners wherever they sit.
            let reaches = grant.all
                || !grant.people.is_empty()
                || known
                    .unit
                    .as_ref()
                    .is_some_and(|unit| gathered.in_any(unit, &grant.units));
            if !own && !reaches {
                return Err(ApiFault::forbidden());
            }
        } else if !grant.all && grant.people.is_empty() {
            // Who sits with the trainer is for those who are there to say.
            return Err(ApiFault::forbidden());
        }
        Ok(Self {
            asked,
            gathered,
            site,
            grant,
            own,
        })
    }

    /// Whether this person may be ticked here by the asker.
    fn may_tick(&self, person: &PersonKey, facts: &PersonFacts) -> bool {
        if facts.site {
            return false;
        }
        if self.gathered.reaches(&self.grant, person) {
            return true;
        }
        let site = self
            .site
            .as_ref()
            .and_then(|site| self.gathered.facts.people.get(site));
        self.own && site.is_some_and(|site| self.gathered.belongs(facts, site))
    }

    /// Whether this person is on the list of the site: everybody of its unit,
    /// and whoever is ticked in there.
    fn lists(&self, facts: &PersonFacts, last: Option<&HallMark>) -> bool {
        let here = last.is_some_and(|mark| mark.on && mark.site == self.site);
        let site = match &self.site {
            None => return true,
            Some(site) => self.gathered.facts.people.get(site),
        };
        here || site.is_some_and(|site| self.gathered.belongs(facts, site))
    }

    fn shown(&self) -> Option<Site> {
        sites(&self.gathered)
            .into_iter()
            .find(|site| site.site == self.site)
    }
}

/// The asker holds the token of the site's own connection.
fn own_site(asked: &Asked, site: Option<&PersonKey>) -> bool {
    matches!(asked.signed.how, How::Room { .. }) && site == Some(asked.signed.person())
}

/// The sites of a session the asker may tick people at.
#[utoipa::path(get, path = "/sessions/{id}/sites", tag = "sites",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = Vec<Site>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
) -> Result<Json<Vec<Site>>, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let gathered = app.gathered(&id).await?;
    asked.not_sent_away(&gathered)?;
    let grant = asked.grant(Right::TickHall);
    let seen = asked.grant(Right::SeeAttendance);
    let facts = &gathered.facts;
    let sites: Vec<Site> = sites(&gathered)
        .into_iter()
        .filter(|site| {
            if grant.all || seen.all || own_site(&asked, site.site.as_ref()) {
                return true;
            }
            let Some(key) = &site.site else {
                return !grant.people.is_empty();
            };
            let unit = facts.people.get(key).and_then(|one| one.unit.as_ref());
            !grant.people.is_empty() || unit.is_some_and(|unit| gathered.in_any(unit, &grant.units))
        })
        .collect();
    if sites.is_empty() && !grant.any() && !seen.any() {
        return Err(ApiFault::forbidden());
    }
    Ok(Json(sites))
}

/// Which people of a site.
#[derive(Debug, Deserialize, IntoParams)]
struct Which {
    /// Part of a name, with or without diacritics.
    #[serde(default)]
    q: String,
    /// First entry.
    #[serde(default)]
    from: u32,
}

/// People of a site in the order of given names, 500 at most.
#[utoipa::path(get, path = "/sessions/{id}/sites/{site}/people", tag = "sites",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session"),
        ("site" = String, Path, description = "Person key of the site, or here"), Which),
    responses((status = 200, body = Page<HallPerson>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn people(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At((id, site)): At<(SessionKey, String)>,
    Ask(which): Ask<Which>,
) -> Result<Json<Page<HallPerson>>, ApiFault> {
    if which.q.chars().count() > SEARCH {
        return Err(ApiFault::field("q", "tooLong"));
    }
    let at = At1::find(&app, signed, &id, &site).await?;
    let facts = &at.gathered.facts;
    let marks = last_marks(&facts.hall);
    let rows: HashMap<&PersonKey, &Row> = facts
        .report
        .rows
        .iter()
        .map(|row| (&row.person, row))
        .collect();
    let wanted = folded(&which.q);
    let mut found: Vec<_> = facts
        .people
        .iter()
        .filter(|(person, one)| {
            at.may_tick(person, one) && at.lists(one, marks.get(person).copied())
        })
        .filter(|(_, one)| {
            wanted.is_empty()
                || fold_name(&one.name).contains(&wanted)
                || one.identifier.to_lowercase().contains(&wanted)
        })
        .collect();
    found.sort_by_cached_key(|(_, one)| {
        name_key_in(NameOrder::default(), &one.name, one.sort.as_deref())
    });
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let items = found
        .into_iter()
        .skip(usize::try_from(which.from).unwrap_or(usize::MAX))
        .take(PAGE)
        .map(|(person, one)| {
            let mark = marks.get(person).filter(|mark| mark.on);
            let here = mark.is_some_and(|mark| mark.site == at.site);
            let online = rows.get(person).is_some_and(|row| {
                row.intervals.iter().any(|interval| {
                    interval.open && interval.site.is_none() && interval.device.is_some()
                })
            });
            HallPerson {
                person: person.clone(),
                name: one.name.clone(),
                unit: one.unit_name.clone(),
                position: one.position.clone(),
                here,
                elsewhere: online || (mark.is_some() && !here),
                how: mark.filter(|_| here).map(|mark| mark.how),
            }
        })
        .collect();
    Ok(Json(Page { items, total }))
}

/// Tick people in or out at a site.
#[utoipa::path(post, path = "/sessions/{id}/sites/{site}/ticks", tag = "sites",
    security(("cookie" = []), ("token" = []), ("room" = [])), request_body = HallTick,
    params(("id" = String, Path, description = "Session"),
        ("site" = String, Path, description = "Person key of the site, or here")),
    responses((status = 200, body = Site), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn tick(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At((id, site)): At<(SessionKey, String)>,
    Body(tick): Body<HallTick>,
) -> Result<Json<Site>, ApiFault> {
    let at = At1::find(&app, signed, &id, &site).await?;
    let people: BTreeSet<PersonKey> = tick.people.iter().cloned().collect();
    if people.is_empty() {
        return Err(ApiFault::field("people", "required"));
    }
    if tick.people.len() > MOST {
        return Err(ApiFault::field("people", "tooLong"));
    }
    if tick.how == HallHow::Qr {
        return Err(ApiFault::field("how", "badValue"));
    }
    let now = wall_ms();
    let window = &at.gathered.facts.report.window;
    if tick
        .at_ms
        .is_some_and(|moment| moment > now || window.from_ms.is_none_or(|from| moment < from))
    {
        return Err(ApiFault::field("atMs", "badValue"));
    }
    let mut marks = Vec::with_capacity(people.len());
    for person in people {
        let facts = at
            .gathered
            .facts
            .people
            .get(&person)
            .ok_or_else(|| ApiFault::field("people", "unknown"))?;
        if !at.may_tick(&person, facts) {
            return Err(ApiFault::forbidden());
        }
        marks.push(NewHallMark {
            person,
            site: at.site.clone(),
            on: tick.on,
            how: tick.how,
            by: at.asked.signed.person().clone(),
            at_ms: tick.at_ms,
            made_ms: now,
        });
    }
    at.asked.log(&app, "tick", &at.grant).await?;
    app.store.add_hall_marks(&id, &marks).await?;
    changed(&app, &at.gathered).await?;
    let gathered = app.gathered(&id).await?;
    let now = At1 { gathered, ..at };
    now.shown().map(Json).ok_or_else(ApiFault::not_found)
}

/// Ticks of a session changed: the desk is computed anew, and the room told the
/// counts that are others than before.
pub(super) async fn changed(app: &App, before: &Gathered) -> Result<(), ApiFault> {
    let session = &before.session;
    app.attendance.forget(&session.id).await;
    let was = ticked(&before.facts.hall);
    for (site, people) in app.store.hall_counts(&session.id).await? {
        if let Some(site) = site
            && was.get(&Some(&site)).copied() != Some(people)
        {
            app.rooms.set_hall(&session.room, &site, people).await;
        }
    }
    Ok(())
}

/// The code on the screen of a hall.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HallCode {
    /// Address behind it.
    url: String,
    /// The code as a picture (SVG).
    svg: String,
    /// Another one must be shown from then on, ms.
    expires_ms: u64,
}

/// The code to scan at a site: a new one every 20 seconds, each good for 60.
#[utoipa::path(get, path = "/sessions/{id}/sites/{site}/code", tag = "sites",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session"),
        ("site" = String, Path, description = "Person key of the site, or here")),
    responses((status = 200, body = HallCode), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    SignedInRoom(signed): SignedInRoom,
    At((id, site)): At<(SessionKey, String)>,
) -> Result<Json<HallCode>, ApiFault> {
    let at = At1::find(&app, signed, &id, &site).await?;
    let code = Code::new(&id, at.site.as_ref(), wall_ms());
    let url = format!(
        "{}/check/{}",
        super::check_in::base_url(&app, &headers),
        code.seal(&app.keys)
    );
    let svg = qrcode::QrCode::with_error_correction_level(url.as_bytes(), qrcode::EcLevel::M)
        .map_err(|error| {
            tracing::error!(%error, "a code was not drawn");
            ApiFault::internal()
        })?
        .render::<qrcode::render::svg::Color<'_>>()
        .min_dimensions(320, 320)
        .quiet_zone(true)
        .build();
    Ok(Json(HallCode {
        url,
        svg,
        expires_ms: code.next_ms(),
    }))
}
