//! One str0m client: its offer with the m-lines of a profile, its socket.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use lophoc_protocol::{MediaKind, Profile, SlotCounts};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind as Line, Mid, Pt};
use str0m::{Candidate, Rtc, RtcConfig};

use crate::error::{LoadError, Result};
use crate::http::Origin;
use crate::keys::{KeySlot, provider, take_last_slot};
use crate::socket;

/// URI of the transport-wide sequence number.
const TRANSPORT_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

fn media_error(why: impl std::fmt::Display) -> LoadError {
    LoadError::Media(why.to_string())
}

/// The local address from which `origin` is reached.
pub async fn local_ip(origin: &Origin) -> Result<IpAddr> {
    let what = || LoadError::io(format!("address of {}", origin.authority()));
    let server = tokio::net::lookup_host((origin.host.as_str(), origin.port))
        .await
        .map_err(what())?
        .next()
        .ok_or_else(|| LoadError::BadUrl(origin.authority()))?;
    let any: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0u16; 8], 0).into()
    };
    // Connecting a UDP socket sends nothing; it only asks the routing table.
    let probe = std::net::UdpSocket::bind(any).map_err(what())?;
    probe.connect(server).map_err(what())?;
    Ok(probe.local_addr().map_err(what())?.ip())
}

/// A connection whose offer waits for its answer.
pub struct Offered {
    /// Offer, SDP.
    pub sdp: String,
    rtc: Rtc,
    pending: SdpPendingOffer,
    socket: std::net::UdpSocket,
    local: SocketAddr,
    keys: KeySlot,
    sends: Vec<(MediaKind, Mid)>,
}

/// A connection ready for the reactor.
pub struct Peer {
    /// Engine.
    pub rtc: Rtc,
    /// Its socket.
    pub socket: std::net::UdpSocket,
    /// Address of the socket.
    pub local: SocketAddr,
    /// SRTCP key, once the handshake is done.
    pub keys: KeySlot,
    /// Sending m-lines.
    pub sends: Vec<(MediaKind, Mid)>,
    /// Id of the transport-wide sequence number in this connection.
    pub transport_id: Option<u8>,
}

/// An engine with a socket of its own.
fn engine(ip: IpAddr) -> Result<(Rtc, KeySlot, std::net::UdpSocket, SocketAddr)> {
    let socket = socket::bind((ip, 0).into()).map_err(LoadError::io("client socket"))?;
    let local = socket
        .local_addr()
        .map_err(LoadError::io("client socket"))?;
    let mut rtc = RtcConfig::new()
        .set_crypto_provider(provider())
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .build(Instant::now());
    let keys = take_last_slot();
    rtc.add_local_candidate(Candidate::host(local, "udp").map_err(media_error)?);
    Ok((rtc, keys, socket, local))
}

impl Peer {
    /// A connection that answers a server's offer, and its answer.
    pub fn of_offer(ip: IpAddr, sdp: &str) -> Result<(Self, String)> {
        let (mut rtc, keys, socket, local) = engine(ip)?;
        let offer = SdpOffer::from_sdp_string(sdp).map_err(media_error)?;
        let answer = rtc.sdp_api().accept_offer(offer).map_err(media_error)?;
        let peer = Self {
            rtc,
            socket,
            local,
            keys,
            sends: Vec::new(),
            transport_id: extension_id(sdp, TRANSPORT_URI),
        };
        Ok((peer, answer.to_sdp_string()))
    }
}

impl Offered {
    /// Makes a connection with the m-lines of `profile` in their order.
    pub fn new(ip: IpAddr, profile: Profile, slots: SlotCounts) -> Result<Self> {
        let (mut rtc, keys, socket, local) = engine(ip)?;
        let mut api = rtc.sdp_api();
        let mut sends = Vec::new();
        for &kind in profile.sends() {
            let line = if kind.is_audio() {
                Line::Audio
            } else {
                Line::Video
            };
            sends.push((
                kind,
                api.add_media(line, Direction::SendOnly, None, None, None),
            ));
        }
        for (count, line) in [
            (slots.a, Line::Audio),
            (slots.v, Line::Video),
            (slots.s, Line::Video),
        ] {
            for _ in 0..count {
                api.add_media(line, Direction::RecvOnly, None, None, None);
            }
        }
        let (offer, pending) = api.apply().ok_or_else(|| media_error("nothing to offer"))?;
        Ok(Self {
            sdp: offer.to_sdp_string(),
            rtc,
            pending,
            socket,
            local,
            keys,
            sends,
        })
    }

    /// Takes the server's answer.
    pub fn answer(mut self, sdp: &str) -> Result<Peer> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(media_error)?;
        self.rtc
            .sdp_api()
            .accept_answer(self.pending, answer)
            .map_err(media_error)?;
        Ok(Peer {
            rtc: self.rtc,
            socket: self.socket,
            local: self.local,
            keys: self.keys,
            sends: self.sends,
            transport_id: extension_id(sdp, TRANSPORT_URI),
        })
    }
}

/// Id an SDP gives to a header extension.
fn extension_id(sdp: &str, uri: &str) -> Option<u8> {
    sdp.lines().find_map(|line| {
        let (id, rest) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
        let id = id.split('/').next()?;
        if rest.split_whitespace().next()? == uri {
            id.parse().ok()
        } else {
            None
        }
    })
}

/// Payload type of a codec in this connection.
pub fn payload_type(rtc: &mut Rtc, codec: Codec) -> Result<Pt> {
    rtc.codec_config()
        .find(|params| params.spec().codec == codec)
        .map(str0m::format::PayloadParams::pt)
        .ok_or_else(|| media_error(format!("no payload type for {codec:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_has_the_lines_of_the_profile_in_order() {
        let slots = SlotCounts { a: 3, v: 2, s: 1 };
        let ip = IpAddr::from([127, 0, 0, 1]);
        let offered = Offered::new(ip, Profile::Viewer, slots).unwrap();
        let lines: Vec<(&str, &str)> = offered
            .sdp
            .split("m=")
            .skip(1)
            .map(|part| {
                let kind = part.split(' ').next().unwrap();
                let direction = part
                    .lines()
                    .find_map(|l| l.strip_prefix("a=").filter(|d| d.ends_with("only")))
                    .unwrap();
                (kind, direction)
            })
            .collect();
        let mut wanted = vec![("audio", "sendonly"), ("video", "sendonly")];
        wanted.extend([("audio", "recvonly"); 3]);
        wanted.extend([("video", "recvonly"); 3]);
        assert_eq!(lines, wanted);
    }

    #[test]
    fn the_extension_id_is_read_from_the_answer() {
        let sdp = format!("v=0\r\na=extmap:1 urn:x\r\na=extmap:7/sendrecv {TRANSPORT_URI}\r\n");
        assert_eq!(extension_id(&sdp, TRANSPORT_URI), Some(7));
        assert_eq!(extension_id("a=extmap:", TRANSPORT_URI), None);
    }
}
