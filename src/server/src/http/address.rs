//! Where a call comes from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// The client's address: the socket's, or what a trusted proxy says. The list of
/// a proxy grows to the right, so the last entry no trusted proxy wrote counts.
pub fn client_address(socket: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let socket = socket.ip().to_canonical();
    if !trusted.contains(&socket) {
        return socket;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    forwarded
        .iter()
        .rev()
        .map_while(|entry| entry.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .find(|address| !trusted.contains(address))
        .unwrap_or(socket)
}

/// Whether the call was made on this machine, not passed on by a proxy on it.
pub fn is_local(socket: SocketAddr, headers: &HeaderMap) -> bool {
    socket.ip().to_canonical().is_loopback()
        && !headers.contains_key("x-forwarded-for")
        && !headers.contains_key("forwarded")
}

/// Whether a page of this origin may open the websocket: our own pages, named
/// origins, and programs that are no browser (they send no origin).
pub fn origin_allowed(headers: &HeaderMap, public_url: &str, named: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let own = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| {
            origin.split_once("://").is_some_and(|(scheme, of)| {
                matches!(scheme, "http" | "https") && of.eq_ignore_ascii_case(host)
            })
        });
    own || origin.eq_ignore_ascii_case(public_url)
        || named.iter().any(|name| origin.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_forwarded_address_counts_from_a_trusted_proxy_only() {
        let proxy: SocketAddr = "10.0.0.1:9".parse().unwrap();
        let told = headers(&[("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.2")]);
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(client_address(proxy, &told, &[]), proxy.ip());
        assert_eq!(
            client_address(proxy, &told, &trusted).to_string(),
            "203.0.113.7"
        );
        assert_eq!(
            client_address(proxy, &headers(&[("x-forwarded-for", "junk")]), &trusted),
            proxy.ip()
        );
    }

    #[test]
    fn another_sites_page_may_not_open_the_websocket() {
        let allowed = |origin: &'static str| {
            let told = headers(&[("host", "lop.vn:8443"), ("origin", origin)]);
            origin_allowed(&told, "https://hoc.vn", &["https://portal.vn".to_owned()])
        };
        assert!(
            allowed("https://lop.vn:8443")
                && allowed("https://hoc.vn")
                && allowed("https://portal.vn")
        );
        assert!(!allowed("https://lop.vn") && !allowed("https://evil.vn") && !allowed("null"));
        assert!(!allowed("https://lop.vn:8443.evil.vn"));
        assert!(origin_allowed(&headers(&[("host", "lop.vn")]), "", &[]));
    }

    #[test]
    fn a_call_passed_on_by_a_proxy_is_not_local() {
        let here: SocketAddr = "127.0.0.1:9".parse().unwrap();
        assert!(is_local(here, &HeaderMap::new()));
        assert!(!is_local(
            here,
            &headers(&[("x-forwarded-for", "203.0.113.7")])
        ));
        assert!(!is_local(
            "203.0.113.7:9".parse().unwrap(),
            &HeaderMap::new()
        ));
    }
}
