//! The way from the recorder to the media plane on the same machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::MediaSection;
use crate::net::interface_addresses;

/// An address to receive on, and where the media plane is reached from there.
pub(super) type Way = (IpAddr, SocketAddr);

/// Where there is no way, for a hub without a recorder.
pub(super) const LOOPBACK: Way = (
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
);

/// The way by an address the media plane both listens on and knows as its own:
/// loopback where it can be.
pub(super) fn ways(config: &MediaSection, port: u16) -> Option<Way> {
    way(
        &config.listen,
        &config.announce,
        &interface_addresses(),
        port,
    )
}

fn way(listen: &[IpAddr], announce: &[IpAddr], own: &[IpAddr], port: u16) -> Option<Way> {
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    let here = || loopback.iter().chain(own);
    let heard = |ip: &&IpAddr| {
        let same = |at: &&IpAddr| at.is_ipv6() == ip.is_ipv6();
        listen
            .iter()
            .filter(same)
            .any(|at| at.is_unspecified() || at == *ip)
    };
    // An address announced that no interface has is the outer one of a NAT: the
    // media plane takes whatever comes in its family for it.
    let nat = |ip: &IpAddr| {
        let foreign = |at: &&IpAddr| !own.contains(at) && !at.is_loopback();
        announce
            .iter()
            .filter(foreign)
            .any(|at| at.is_ipv6() == ip.is_ipv6())
    };
    let known = |ip: &&IpAddr| announce.is_empty() || announce.contains(ip) || nat(ip);
    here()
        .filter(heard)
        .find(known)
        .map(|ip| (*ip, SocketAddr::new(*ip, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_way_is_by_an_address_both_sides_know() {
        let own = [ip("10.0.0.5")];
        let at = |listen: &[&str], announce: &[&str]| {
            let parse = |list: &[&str]| list.iter().map(|text| ip(text)).collect::<Vec<_>>();
            way(&parse(listen), &parse(announce), &own, 7).map(|way| way.0.to_string())
        };
        assert_eq!(at(&["0.0.0.0", "::"], &[]).unwrap(), "127.0.0.1");
        assert_eq!(at(&["::"], &[]).unwrap(), "::1");
        assert_eq!(at(&["10.0.0.5"], &[]).unwrap(), "10.0.0.5");
        assert_eq!(at(&["0.0.0.0"], &["10.0.0.5"]).unwrap(), "10.0.0.5");
        assert_eq!(at(&["0.0.0.0"], &["203.0.113.9"]).unwrap(), "127.0.0.1");
        assert_eq!(at(&["192.0.2.1"], &[]), None);
    }
}
