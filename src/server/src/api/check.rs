//! Checking devices and network before a session: a connection to the media
//! plane that is in no room, and the results of sites (preflight). A class link
//! or a preflight link is the key; nobody signs in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use lophoc_classes::{PreflightForm, Right, SitePreflight};
use lophoc_ledger::{NameOrder, PersonKey, SessionKey, name_key_in};
use lophoc_media::types::{PeerId, RoomKey};
use lophoc_protocol::media::IceServer;
use lophoc_records::NewPreflight;
use lophoc_transport::ConnectError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use super::attendance_access::Asked;
use super::attendance_facts::Gathered;
use super::error::{ApiFault, Refusal};
use super::extract::{Body, Caller};
use super::text::Fields;
use crate::app::App;
use crate::auth::{LinkClaims, PreflightClaims, TokenError, ice_servers_before};
use crate::clock::wall_ms;
use crate::http::limit::{AddressCount, AddressRate, Rate};
use crate::media::{PROBE_LIFE, ProbeSpec};

/// Largest body of these calls, bytes: an offer with one media line is some
/// 3 KiB.
const BODY: usize = 24 * 1024;
/// Longest offer, bytes.
const OFFER: usize = 16 * 1024;
/// Longest key, bytes.
const KEY: usize = 4_096;
/// Connections of checks open at a time, from one address: a whole school shares
/// one, and a check takes three. Overflow: `busy`.
const PER_ADDRESS: u32 = 48;
/// Connections of checks open at a time, and the share of all places for
/// connections they may take at most. Overflow: `busy`.
const IN_ALL: u32 = 256;
const SHARE: usize = 8;
/// Addresses of the server an answer names.
const ADDRESSES: usize = 8;
/// Longest name of the contact, characters.
const CONTACT: usize = 100;
/// Longest note, characters.
const NOTE: usize = 500;

/// Bounds of checks and preflights.
#[derive(Debug)]
pub struct CheckState {
    /// Connections to be made, per address.
    rate: AddressRate,
    /// Connections open.
    places: Arc<AddressCount>,
    /// Results sent, per site and session.
    results: Rate<(SessionKey, PersonKey)>,
}

impl CheckState {
    /// With nothing under way. `peers`: most connections of the media plane.
    pub fn new(peers: usize) -> Self {
        let share = u32::try_from(peers / SHARE).unwrap_or(IN_ALL);
        Self {
            rate: AddressRate::new(120, 90),
            places: AddressCount::new(PER_ADDRESS, share.clamp(1, IN_ALL)),
            results: Rate::new(6, 6),
        }
    }
}

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(begin))
        .routes(routes!(media))
        .routes(routes!(preflight))
        .layer(DefaultBodyLimit::max(BODY))
}

/// What a key opens.
struct Opened {
    session: lophoc_classes::Session,
    /// The site of a preflight link.
    site: Option<PersonKey>,
}

/// # Errors
/// `forbidden` for what this server did not make, 410 for what is too old, 409
/// when the session is over.
async fn opened(app: &App, key: &str) -> Result<Opened, ApiFault> {
    if key.len() > KEY {
        return Err(ApiFault::field("key", "tooLong"));
    }
    // People paste the whole address as well.
    let text = key.rsplit('/').next().unwrap_or_default().trim();
    let now = wall_ms();
    let (session, site) = match LinkClaims::open(&app.keys, text, now) {
        Ok(claims) => {
            let session = app.store.session_of_room(claims.room.as_str()).await?;
            (session.ok_or_else(ApiFault::not_found)?.id, None)
        }
        Err(TokenError::Expired) => return Err(too_old()),
        Err(TokenError::Invalid) => match PreflightClaims::open(&app.keys, text, now) {
            Ok(claims) => (claims.session, Some(claims.site)),
            Err(TokenError::Expired) => return Err(too_old()),
            Err(TokenError::Invalid) => return Err(ApiFault::forbidden()),
        },
    };
    let session = app.store.lesson(&session).await?;
    let session = session.ok_or_else(ApiFault::not_found)?;
    super::classes::need_coming(&session)?;
    Ok(Opened { session, site })
}

fn too_old() -> ApiFault {
    ApiFault::new(StatusCode::GONE, "refused")
}

/// The key of a check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckRequest {
    /// The part of a class link after `/j/`, or of a preflight link after
    /// `/preflight/`.
    key: String,
}

/// What a check is for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckOffer {
    /// Session title.
    title: String,
    /// Host unit.
    host: String,
    /// Planned beginning, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<u64>,
    /// Name of the site, with a preflight link.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    /// Relays with credentials; none where none is configured.
    #[schema(value_type = Vec<Object>)]
    ice: Vec<IceServer>,
}

/// Begin a check of devices and network.
#[utoipa::path(post, path = "/check", tag = "check", request_body = CheckRequest,
    responses((status = 200, body = CheckOffer), (status = 403, body = Refusal, description = "not a link of this server"),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: the session is over"),
        (status = 410, body = Refusal, description = "refused: the link is too old"), (status = 429, body = Refusal)))]
async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<CheckRequest>,
) -> Result<Json<CheckOffer>, ApiFault> {
    in_rate(&app, caller)?;
    let Opened { session, site } = opened(&app, &request.key).await?;
    let class = app.store.class(&session.class).await?;
    let class = class.ok_or_else(ApiFault::not_found)?;
    let site = match site {
        Some(site) => Some(site_name(&app, &session.id, &site).await?),
        None => None,
    };
    Ok(Json(CheckOffer {
        title: session.form.title,
        host: class.host_name,
        starts_at: session.form.starts_ms,
        site,
        ice: ice_servers_before(&app.config.turn, wall_ms()),
    }))
}

fn in_rate(app: &App, caller: Caller) -> Result<(), ApiFault> {
    let mono = app.clock.now().mono_ms;
    if app.checks.rate.take(caller.address, mono) {
        Ok(())
    } else {
        app.metrics.limited.inc();
        Err(ApiFault::rate_limited(None))
    }
}

/// The site, as long as it is one of the session.
async fn site_name(app: &App, id: &SessionKey, site: &PersonKey) -> Result<String, ApiFault> {
    let place = app.store.place_in(id, site).await?;
    place
        .filter(|place| place.site.is_some())
        .map(|place| place.name)
        .ok_or_else(ApiFault::not_found)
}

/// The way a connection is tried by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Via {
    Udp,
    Tcp,
    Turn,
}

impl Via {
    /// The transport of the server's candidates. A relay reaches it by UDP.
    fn transport(self) -> &'static str {
        match self {
            Self::Udp | Self::Turn => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// A wish for the connection of a check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MediaRequest {
    /// As in `POST /check`.
    key: String,
    /// The way to be tried.
    via: Via,
    /// SDP offer with one media line: audio, to receive only.
    sdp: String,
}

/// The connection of a check.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MediaAnswer {
    /// SDP answer with the candidates of the way alone; absent: the server offers
    /// no such way.
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp: Option<String>,
    /// Addresses of the server on this way, `address:port`; for a relay its
    /// addresses as they are configured. For the words to the administrator.
    addresses: Vec<String>,
    /// The connection ends after so long, ms.
    ends_ms: u64,
}

/// A connection to the media plane by one way. It is in no room, nothing is
/// forwarded by it, and it ends by itself.
#[utoipa::path(post, path = "/check/media", tag = "check", request_body = MediaRequest,
    responses((status = 200, body = MediaAnswer), (status = 400, body = Refusal, description = "not such an offer"),
        (status = 403, body = Refusal, description = "not a link of this server"), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: the session is over"),
        (status = 410, body = Refusal, description = "refused: the link is too old"), (status = 429, body = Refusal),
        (status = 503, body = Refusal, description = "busy: too many checks at a time")))]
async fn media(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<MediaRequest>,
) -> Result<Json<MediaAnswer>, ApiFault> {
    in_rate(&app, caller)?;
    opened(&app, &request.key).await?;
    if request.sdp.len() > OFFER {
        return Err(ApiFault::field("sdp", "tooLong"));
    }
    let ends_ms = u64::try_from(PROBE_LIFE.as_millis()).unwrap_or(u64::MAX);
    let none = Json(MediaAnswer {
        sdp: None,
        addresses: Vec::new(),
        ends_ms,
    });
    let relays = &app.config.turn.urls;
    if app.is_draining() {
        return Err(ApiFault::busy());
    }
    if request.via == Via::Turn && relays.is_empty() {
        return Ok(none);
    }
    let place = app.checks.places.take(caller.address);
    let place = place.ok_or_else(ApiFault::busy)?;
    // Never closed: an error cannot happen, and would cost the turn only.
    let turn = Arc::clone(&app.offers).acquire_owned().await;
    let peer = PeerId(app.next_peer());
    let spec = ProbeSpec {
        peer,
        room: RoomKey(app.next_room_key()),
        offer: request.sdp,
        place,
        gauge: app.metrics.probes.clone(),
    };
    let runtime = tokio::runtime::Handle::current();
    let (plane, probes) = (app.media.clone(), Arc::clone(&app.routes.probes));
    let made = tokio::task::spawn_blocking(move || probes.connect(&plane, &runtime, spec)).await;
    drop(turn);
    let made = made.map_err(|_| ApiFault::internal())?;
    let (sdp, addresses) = kept(&made.map_err(refused)?.answer_sdp, request.via.transport());
    if addresses.is_empty() {
        app.media.disconnect(peer);
        return Ok(none);
    }
    let addresses = match request.via {
        Via::Udp | Via::Tcp => addresses,
        Via::Turn => relays.iter().take(ADDRESSES).cloned().collect(),
    };
    Ok(Json(MediaAnswer {
        sdp: Some(sdp),
        addresses,
        ends_ms,
    }))
}

fn refused(error: ConnectError) -> ApiFault {
    match error {
        ConnectError::TooLarge => ApiFault::field("sdp", "tooLong"),
        ConnectError::Malformed(_)
        | ConnectError::MediaLines { .. }
        | ConnectError::MediaLine { .. }
        | ConnectError::NoCodec { .. } => ApiFault::field("sdp", "badValue"),
        ConnectError::Full | ConnectError::Stopped | ConnectError::Superseded => ApiFault::busy(),
        ConnectError::UnknownPeer | ConnectError::Internal => ApiFault::internal(),
    }
}

/// The answer with the candidates of one transport alone, and their addresses.
fn kept(sdp: &str, transport: &str) -> (String, Vec<String>) {
    let mut out = String::with_capacity(sdp.len());
    let mut addresses: Vec<String> = Vec::new();
    for line in sdp.lines() {
        if let Some(candidate) = line.strip_prefix("a=candidate:") {
            // RFC 8839 §5.1: foundation, component, transport, priority, address, port.
            let mut words = candidate.split(' ').skip(2);
            let by = words.next().unwrap_or_default();
            if !by.eq_ignore_ascii_case(transport) {
                continue;
            }
            if let (Some(address), Some(port)) = (words.nth(1), words.next()) {
                let text = match address.contains(':') {
                    true => format!("[{address}]:{port}"),
                    false => format!("{address}:{port}"),
                };
                if addresses.len() < ADDRESSES && !addresses.contains(&text) {
                    addresses.push(text);
                }
            }
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    (out, addresses)
}

/// What was sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Received {
    /// When it came, ms.
    at: u64,
}

/// A site sends what its check found; the newest one stands at the live desk. It
/// is kept before this is answered.
#[utoipa::path(post, path = "/preflight", tag = "check", request_body = PreflightForm,
    responses((status = 200, body = Received), (status = 400, body = Refusal),
        (status = 403, body = Refusal, description = "not a preflight link of this server"),
        (status = 404, body = Refusal, description = "no longer a site of the session"),
        (status = 409, body = Refusal, description = "refused: the session is over"),
        (status = 410, body = Refusal, description = "refused: the link is too old"), (status = 429, body = Refusal)))]
async fn preflight(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(mut form): Body<PreflightForm>,
) -> Result<Json<Received>, ApiFault> {
    in_rate(&app, caller)?;
    let Opened { session, site } = opened(&app, &form.key).await?;
    let site = site.ok_or_else(ApiFault::forbidden)?;
    let mut fields = Fields::default();
    fields.text("contact", &mut form.contact, CONTACT);
    fields.text("note", &mut form.note, NOTE);
    fields.done()?;
    site_name(&app, &session.id, &site).await?;
    let mono = app.clock.now().mono_ms;
    let whose = (session.id.clone(), site.clone());
    if !app.checks.results.count(whose, mono) {
        app.metrics.limited.inc();
        return Err(ApiFault::rate_limited(None));
    }
    let now = wall_ms();
    let new = NewPreflight {
        session: session.id,
        site,
        report: form.report.bounded(),
        contact: form.contact,
        note: form.note,
    };
    app.store.add_preflight(&new, now).await?;
    Ok(Json(Received { at: now }))
}

/// Sites with their newest check, by name: of those whose attendance the asker
/// sees, or, with the right to numbers, of all. A site is no person; who can be
/// asked there is for those who see the roster.
///
/// # Errors
/// The store's.
pub(super) async fn of_sites(
    app: &App,
    asked: &Asked,
    gathered: &Gathered,
) -> Result<Vec<SitePreflight>, ApiFault> {
    let facts = &gathered.facts;
    if !facts.people.values().any(|one| one.site) {
        return Ok(Vec::new());
    }
    let seen = asked.grant(Right::SeeAttendance);
    let all = seen.all || asked.grant(Right::SeeCounts).all;
    let roster = asked.grant(Right::SeeRoster);
    let mut found = app.store.preflights(&gathered.session.id).await?;
    let mut sites: Vec<SitePreflight> = facts
        .people
        .iter()
        .filter(|(site, one)| one.site && (all || gathered.reaches(&seen, site)))
        .map(|(site, one)| {
            let mut last = found.remove(site);
            if let Some(last) = &mut last
                && !gathered.reaches(&roster, site)
            {
                last.contact.clear();
                last.note.clear();
            }
            SitePreflight {
                site: site.clone(),
                name: one.name.clone(),
                last,
            }
        })
        .collect();
    sites.sort_by_cached_key(|one| name_key_in(NameOrder::default(), &one.name, None));
    Ok(sites)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        a=candidate:1 1 udp 2130706175 192.0.2.7 7882 typ host\r\n\
        a=candidate:1 1 udp 2130706175 192.0.2.7 7882 typ host\r\n\
        a=candidate:2 1 UDP 2130706175 2001:db8::7 7882 typ host\r\n\
        a=candidate:3 1 tcp 1671430143 192.0.2.7 7883 typ host tcptype passive\r\n\
        a=candidate:x\r\na=end-of-candidates\r\n";

    #[test]
    fn an_answer_keeps_the_candidates_of_its_way_alone() {
        let (sdp, addresses) = kept(SDP, "udp");
        assert_eq!(addresses, ["192.0.2.7:7882", "[2001:db8::7]:7882"]);
        assert!(!sdp.contains(" tcp ") && sdp.contains(" udp ") && sdp.ends_with("\r\n"));
        let (sdp, addresses) = kept(SDP, "tcp");
        assert_eq!(addresses, ["192.0.2.7:7883"]);
        assert_eq!(sdp.matches("a=candidate:").count(), 1);
        let without = SDP.replace(" tcp ", " udp ");
        assert_eq!(kept(&without, "tcp").1, Vec::<String>::new());
    }

    #[test]
    fn checks_take_a_share_of_the_places_at_most() {
        let address = "192.0.2.1".parse().unwrap();
        let few = CheckState::new(16);
        let kept: Vec<_> = (0..9).filter_map(|_| few.places.take(address)).collect();
        assert_eq!(kept.len(), 2);
        let many = CheckState::new(100_000);
        let kept: Vec<_> = (0..99).filter_map(|_| many.places.take(address)).collect();
        assert_eq!(kept.len(), PER_ADDRESS as usize);
    }
}
