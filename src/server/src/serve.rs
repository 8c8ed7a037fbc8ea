//! Starting, running and stopping the server.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use lophoc_records::{Store, StoreError};
use lophoc_transport::{MediaConfig, MediaPlane, StartError};
use tokio::task::JoinSet;

use crate::app::{App, Parts};
use crate::auth::Keys;
use crate::clock::Clock;
use crate::config::{Config, TlsMode};
use crate::http::{self, ShedAcceptor};
use crate::mail::{self, MailError};
use crate::materials;
use crate::media::Routes;
use crate::metrics::Metrics;
use crate::recording::storage::{Remote, StorageError};
use crate::recording::{self, KeepError};
use crate::tls::{self, TlsError};

/// Name of the database in the data folder.
pub const DATABASE: &str = "lophoc.db";
/// Time for rooms to say goodbye and for the ledger to be written.
const DRAIN_WITHIN: Duration = Duration::from_millis(2_500);
/// Time for the goodbyes to reach the clients.
const FAREWELL_WITHIN: Duration = Duration::from_millis(1_000);
/// Time for open answers after that.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// Time for the recorder to close its files after that.
const RECORDER_WITHIN: Duration = Duration::from_millis(1_500);
/// Time for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error("database in {folder}: {source}")]
    Store {
        /// Data folder.
        folder: String,
        /// Why.
        source: StoreError,
    },
    /// The media plane.
    #[error("media: {0}")]
    Media(#[from] StartError),
    /// HTTPS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address is taken or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of recordings.
    #[error("folder of recordings: {source}")]
    Recordings {
        /// Why.
        source: std::io::Error,
    },
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The object storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Recordings.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The counters.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A server that runs.
pub struct Server {
    /// What its parts share.
    pub app: Arc<App>,
    addresses: Vec<SocketAddr>,
    tls: bool,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<std::io::Result<()>>,
    /// Who make pages of slides.
    workers: JoinSet<()>,
    /// Who work on recordings.
    keepers: JoinSet<()>,
    /// Who sends mails.
    postman: JoinSet<()>,
    /// The recorder and what is around it.
    recording: JoinSet<()>,
}

/// Opens the database of the configured folder.
pub async fn open_store(config: &Config) -> Result<Store, ServeError> {
    let folder = &config.data.folder;
    Store::open(&folder.join(DATABASE))
        .await
        .map_err(|source| ServeError::Store {
            folder: folder.display().to_string(),
            source,
        })
}

impl Server {
    /// Starts everything but a recorder: what runs here may be any program. The server
    /// listens when this returns.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        Self::start_with(config, None).await
    }

    /// As [`start`](Self::start), with the program whose subcommand `recorder` is the
    /// recorder.
    pub async fn start_with(config: Config, recorder: Option<PathBuf>) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Store {
            folder: config.data.folder.display().to_string(),
            source,
        };
        let store = open_store(&config).await?;
        let keys = Keys::new(&store.secret().await.map_err(failed)?);
        let boot = store.next_boot().await.map_err(failed)?;
        store
            .load_units(&lophoc_classes::shipped_units())
            .await
            .map_err(failed)?;
        let tls = tls::setup(&config).await?;
        let listeners = config
            .server
            .listen
            .iter()
            .map(|address| listen(*address))
            .collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        let routes = Arc::new(Routes::default());
        let media = start_media(&config, &routes)?;
        let metrics = Metrics::new()?;
        let remote = Remote::new(&config.storage)?;
        if config.recording.enabled {
            let disk = recording::AtRest::of(&config.data.folder).as_str();
            tracing::info!(disk, "recordings are kept in the data folder");
        }
        let app = App::new(Parts {
            config,
            keys,
            store,
            boot,
            media,
            routes,
            metrics,
            clock: Clock::new(),
            remote,
        });
        let workers = materials::start(&app)
            .await
            .map_err(|source| ServeError::Store {
                folder: app.config.data.folder.display().to_string(),
                source,
            })?;
        let keepers = recording::jobs::start(&app).await?;
        let postman = mail::start(&app)?;
        let recording = recording::start(&app, recorder)
            .await
            .map_err(|source| ServeError::Recordings { source })?;
        let handle = Handle::new();
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(serve(
                Arc::clone(&app),
                listener,
                tls.clone(),
                handle.clone(),
            ));
        }
        tracing::info!(
            boot,
            media_port = app.media.port(),
            client = http::assets::built(),
            "started"
        );
        Ok(Self {
            app,
            addresses,
            tls: tls.is_some(),
            handle,
            tasks,
            workers,
            keepers,
            postman,
            recording,
        })
    }

    /// The addresses listened on, with the real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address people type.
    pub fn public_url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        match self.addresses.first() {
            Some(address) if self.app.config.server.public_url.is_empty() => {
                shown_url(scheme, *address)
            }
            _ => self.app.config.server.public_url.clone(),
        }
    }

    /// Tells everybody to come back, writes what is open, stops. Takes at most
    /// five seconds.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.app.start_draining();
        self.app.materials.stop();
        self.app.mail.stop();
        self.app.keep.stop();
        if tokio::time::timeout(DRAIN_WITHIN, self.app.rooms.drain())
            .await
            .is_err()
        {
            tracing::warn!("some rooms did not finish in time");
        }
        // Its files are closed while people are told to come back.
        self.app.routes.recorders.stop();
        let farewells = async {
            while self.app.metrics.links.get() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(FAREWELL_WITHIN, farewells)
            .await
            .is_err()
        {
            tracing::info!(
                links = self.app.metrics.links.get(),
                "some links did not close in time"
            );
        }
        self.handle.graceful_shutdown(Some(CLOSE_WITHIN));
        let closed = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_WITHIN.saturating_mul(2), closed)
            .await
            .is_err()
        {
            tracing::debug!("some connections were cut");
        }
        let workers = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_WITHIN, workers).await.is_err() {
            tracing::warn!("a conversion did not stop in time");
        }
        // What they were at begins anew at the next start.
        let keepers = async { while self.keepers.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_WITHIN, keepers).await.is_err() {
            self.keepers.abort_all();
        }
        let recorded = async { while self.recording.join_next().await.is_some() {} };
        if tokio::time::timeout(RECORDER_WITHIN, recorded)
            .await
            .is_err()
        {
            // It goes on closing them by itself.
            tracing::warn!("the recorder did not finish in time");
        }
        // A mail on its way is sent once more after the next start.
        self.postman.shutdown().await;
        let media = self.app.media.clone();
        // Joins the media threads.
        let _ = tokio::task::spawn_blocking(move || media.shutdown()).await;
        self.app.store.close().await;
        tracing::info!("stopped");
    }
}

/// The address people type, when none is configured and the server is not asked.
pub fn configured_url(config: &Config) -> String {
    if !config.server.public_url.is_empty() {
        return config.server.public_url.clone();
    }
    let scheme = if config.tls.mode == TlsMode::Off {
        "http"
    } else {
        "https"
    };
    config
        .server
        .listen
        .first()
        .map_or_else(String::new, |address| shown_url(scheme, *address))
}

/// A secure origin for this machine, an address of the interface for others.
fn shown_url(scheme: &str, address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() => match crate::net::interface_addresses().first() {
            Some(IpAddr::V4(v4)) if scheme == "https" => v4.to_string(),
            _ => "localhost".to_owned(),
        },
        ip if ip.is_loopback() => "localhost".to_owned(),
        IpAddr::V6(v6) => format!("[{v6}]"),
        IpAddr::V4(v4) => v4.to_string(),
    };
    format!("{scheme}://{host}:{}", address.port())
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

fn start_media(config: &Config, routes: &Arc<Routes>) -> Result<MediaPlane, ServeError> {
    let section = &config.media;
    let media = MediaConfig {
        listen: section
            .listen
            .iter()
            .map(|ip| SocketAddr::new(*ip, section.port))
            .collect(),
        announce: section.announce.clone(),
        shards: usize::from(section.shards),
        max_peers: section.max_peers,
        initial_estimate_bps: u64::from(section.initial_kbps).saturating_mul(1_000),
        tcp: section.tcp,
        overload_at: section.overload_at,
        ..MediaConfig::default()
    };
    let routes = Arc::clone(routes);
    Ok(MediaPlane::start(media, move |event| {
        routes.on_event(event)
    })?)
}

async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
) -> std::io::Result<()> {
    let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum_server::from_tcp(listener)?.handle(handle);
    // Small messages leave at once instead of waiting to be sent together.
    match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(ShedAcceptor::new());
            guarded(server.acceptor(acceptor)).serve(service).await
        }
        None => {
            guarded(server.acceptor(ShedAcceptor::new()))
                .serve(service)
                .await
        }
    }
}

/// A connection that does not finish its request head is closed, nor does one stay
/// open that never begins one. HTTP/1.1 alone: there a reader who takes nothing is a
/// socket that takes nothing ([`ShedAcceptor`]), while HTTP/2 lets him hold a hundred
/// answers by windows he never opens.
fn guarded<A>(
    mut server: axum_server::Server<SocketAddr, A>,
) -> axum_server::Server<SocketAddr, A> {
    let builder = server.http_builder();
    *builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    server
}
