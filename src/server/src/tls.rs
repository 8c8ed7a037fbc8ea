//! HTTPS by own certificate files or by a generated certificate for a local
//! network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;

use crate::clock::wall_ms;
use crate::config::{Config, TlsMode};
use crate::net;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Life of a generated certificate: Apple's devices refuse more than 825 days.
const LIFE_MS: u64 = 800 * DAY_MS;
/// Tickets a browser is given with a connection: it opens six at most.
const TICKETS: usize = 6;
/// A new one is made when less than this is left.
const RENEW_MS: u64 = 30 * DAY_MS;

/// HTTPS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, written or understood.
    #[error("certificate {path}: {source}", path = path.display())]
    File {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
}

/// Certificate and key in PEM.
struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// The TLS set-up, or `None` for plain HTTP.
pub async fn setup(config: &Config) -> Result<Option<RustlsConfig>, TlsError> {
    // Several crypto back ends may be linked in; name ours. A second call, as in
    // tests with several servers, finds it installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (pem, path) = match config.tls.mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Files => {
            let pem = Pem {
                cert: read(&config.tls.cert)?,
                key: read(&config.tls.key)?,
            };
            (pem, config.tls.cert.clone())
        }
        TlsMode::Generated => {
            let folder = config.data.folder.join("tls");
            (
                generated(&folder, &names(config), wall_ms())?,
                folder.join("cert.pem"),
            )
        }
    };
    let loaded = RustlsConfig::from_pem(pem.cert, pem.key).await;
    let loaded = loaded.map_err(|source| TlsError::File { path, source })?;
    Ok(Some(RustlsConfig::from_config(Arc::new(on_our_terms(
        &loaded.get_inner(),
    )))))
}

/// HTTP/1.1 alone (see `guarded` in `serve.rs`). A page opens some connections at once
/// for it: those after the first bring a ticket instead of asking for the certificates
/// again, which on a link of 64 kbit/s is half a second each.
fn on_our_terms(loaded: &ServerConfig) -> ServerConfig {
    let mut config = loaded.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = TICKETS;
    match rustls::crypto::aws_lc_rs::Ticketer::new() {
        Ok(ticketer) => config.ticketer = ticketer,
        Err(error) => tracing::warn!(%error, "connections cannot be taken up again by ticket"),
    }
    config
}

/// Names and addresses the generated certificate is good for.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let listen = config
        .server
        .listen
        .iter()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_unspecified());
    names.extend(
        net::interface_addresses()
            .into_iter()
            .chain(listen)
            .map(|ip: IpAddr| ip.to_string()),
    );
    names.extend(config.tls.names.iter().cloned());
    names.sort();
    names.dedup();
    names
}

/// The kept certificate, or a new one when there is none, the names changed or
/// its time is nearly over.
fn generated(folder: &Path, names: &[String], now_ms: u64) -> Result<Pem, TlsError> {
    let (cert, key, made_for) = (
        folder.join("cert.pem"),
        folder.join("key.pem"),
        folder.join("made-for.txt"),
    );
    if let Ok(kept) = std::fs::read_to_string(&made_for)
        && is_current(&kept, names, now_ms)
        && cert.exists()
        && key.exists()
    {
        return Ok(Pem {
            cert: read(&cert)?,
            key: read(&key)?,
        });
    }
    let pem = make(names, now_ms)?;
    std::fs::create_dir_all(folder).map_err(|source| TlsError::File {
        path: folder.to_owned(),
        source,
    })?;
    write_secret(&key, &pem.key)?;
    write(&cert, &pem.cert)?;
    write(
        &made_for,
        note(names, now_ms.saturating_add(LIFE_MS)).as_bytes(),
    )?;
    Ok(pem)
}

/// What is kept beside the certificate: its end, ms since the epoch, and its names.
fn note(names: &[String], end_ms: u64) -> String {
    format!("{end_ms}\n{}\n", names.join("\n"))
}

fn is_current(kept: &str, names: &[String], now_ms: u64) -> bool {
    let Some((end, _)) = kept.split_once('\n') else {
        return false;
    };
    end.parse()
        .is_ok_and(|end: u64| kept == note(names, end) && now_ms.saturating_add(RENEW_MS) < end)
}

fn make(names: &[String], now_ms: u64) -> Result<Pem, TlsError> {
    let mut params = CertificateParams::new(names.to_vec())?;
    let at = |ms: u64| date_time_ymd(1970, 1, 1) + Duration::from_millis(ms);
    // A day of difference between the clocks of server and client.
    params.not_before = at(now_ms.saturating_sub(DAY_MS));
    params.not_after = at(now_ms.saturating_add(LIFE_MS));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Lophoc");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let cert = params.self_signed(&key)?;
    Ok(Pem {
        cert: cert.pem().into_bytes(),
        key: key.serialize_pem().into_bytes(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    std::fs::write(path, bytes).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

/// A file only its owner can read.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| TlsError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_certificate_is_kept_until_its_names_or_its_time_change() {
        let folder = tempfile::tempdir().unwrap();
        let names = |text: &str| vec!["localhost".to_owned(), text.to_owned()];
        let now = 1_800_000_000_000;
        let made = |text, now_ms| generated(folder.path(), &names(text), now_ms).unwrap().cert;
        let first = made("192.0.2.1", now);
        assert_eq!(made("192.0.2.1", now + DAY_MS), first);
        let other = made("192.0.2.2", now);
        assert_ne!(other, first);
        assert_ne!(made("192.0.2.2", now + LIFE_MS - DAY_MS), other);
    }

    #[tokio::test]
    async fn browsers_speak_http_1_1_and_take_connections_up_again_by_ticket() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.data.folder = folder.path().to_owned();
        config.tls.mode = TlsMode::Generated;
        let set = setup(&config).await.unwrap().unwrap().get_inner();
        assert_eq!(set.alpn_protocols, [b"http/1.1"]);
        assert!(set.ticketer.enabled());
        assert_eq!(set.send_tls13_tickets, TICKETS);
    }

    #[test]
    fn the_key_can_be_read_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        generated(folder.path(), &["localhost".to_owned()], 1_800_000_000_000).unwrap();
        let mode = std::fs::metadata(folder.path().join("key.pem"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0);
    }
}
