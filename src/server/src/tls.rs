//! HTTPS by own certificate files or by a generated certificate for a local
//! network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use axum_server::tls_rustls::RustlsConfig;

use crate::config::{Config, TlsMode};
use crate::net;

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
            (generated(&folder, &names(config))?, folder.join("cert.pem"))
        }
    };
    let loaded = RustlsConfig::from_pem(pem.cert, pem.key).await;
    loaded
        .map(Some)
        .map_err(|source| TlsError::File { path, source })
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

/// The kept certificate, or a new one when there is none or the names changed.
fn generated(folder: &Path, names: &[String]) -> Result<Pem, TlsError> {
    let (cert, key, list) = (
        folder.join("cert.pem"),
        folder.join("key.pem"),
        folder.join("names.txt"),
    );
    let wanted = names.join("\n");
    if std::fs::read_to_string(&list).is_ok_and(|kept| kept == wanted)
        && cert.exists()
        && key.exists()
    {
        return Ok(Pem {
            cert: read(&cert)?,
            key: read(&key)?,
        });
    }
    let made = rcgen::generate_simple_self_signed(names.to_vec())?;
    let pem = Pem {
        cert: made.cert.pem().into_bytes(),
        key: made.signing_key.serialize_pem().into_bytes(),
    };
    std::fs::create_dir_all(folder).map_err(|source| TlsError::File {
        path: folder.to_owned(),
        source,
    })?;
    write_secret(&key, &pem.key)?;
    write(&cert, &pem.cert)?;
    write(&list, wanted.as_bytes())?;
    Ok(pem)
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
