//! Addresses of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// The addresses this machine takes for its default routes and private networks.
/// Nothing is sent: connecting a UDP socket only asks the kernel for the route.
pub fn interface_addresses() -> Vec<IpAddr> {
    // One address in each range a network of ours may be in (RFC 1918, RFC 4193)
    // and one outside of all of them (RFC 5737, RFC 3849).
    let probes: [(IpAddr, IpAddr); 6] = [
        (v4(0, 0, 0, 0), v4(192, 0, 2, 1)),
        (v4(0, 0, 0, 0), v4(10, 255, 255, 254)),
        (v4(0, 0, 0, 0), v4(172, 31, 255, 254)),
        (v4(0, 0, 0, 0), v4(192, 168, 255, 254)),
        (
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        ),
        (
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
        ),
    ];
    let mut found = Vec::new();
    for (from, to) in probes {
        if let Some(address) = source_address(from, to)
            && !address.is_loopback()
            && !address.is_unspecified()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

fn source_address(from: IpAddr, to: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}
