//! Carrying out a command line.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use lophoc_classes::{Printed, UnitId};
use lophoc_protocol::Role;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::accounts::{self, AccountError};
use crate::backup::{self, BackupError};
use crate::classes::{ClassError, LinkMaker, create, known_room};
use crate::cli::{
    AccountCommand, ClassCommand, Cli, Command, ConfigCommand, ConfigPath, Link, NewClass, Serve,
};
use crate::clock::wall_ms;
use crate::config::{Config, ConfigError, load};
use crate::recording::this_program;
use crate::serve::{ServeError, Server, configured_url, open_store};
use crate::{demo, http, logs, verify_export};

/// Exit code for a wrong configuration.
const EXIT_CONFIG: u8 = 2;
/// Exit code for anything that failed when it ran.
const EXIT_FAILED: u8 = 1;
/// Roles the demo prints links for.
const DEMO_ROLES: [Role; 3] = [Role::Organiser, Role::Trainer, Role::Learner];
/// Hours the demo's links last.
const DEMO_HOURS: u32 = 12;

/// A command failed; the words are for people.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A class or link.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// An account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A copy.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file that is no genuine export.
    #[error("{0}")]
    NotGenuine(String),
    /// Standard output, a signal handler or the runtime.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Runs the command and gives the exit code of the process.
pub fn run(cli: Cli) -> ExitCode {
    if let Command::Recorder(args) = &cli.command {
        // A process of its own with a runtime of its own.
        logs::start_recorder(&args.level, args.json);
        return match lophoc_recorder::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.into()),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(carry_out(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &CommandError) -> ExitCode {
    tell_error(&format!("lophoc: {error}"));
    ExitCode::from(if matches!(error, CommandError::Config(_)) {
        EXIT_CONFIG
    } else {
        EXIT_FAILED
    })
}

async fn carry_out(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        Command::Serve(args) => serve(args).await,
        Command::Class(ClassCommand::New(args)) => new_class(args).await,
        Command::Link(args) => link(args).await,
        Command::Account(command) => account(command).await,
        // Carried out before a runtime is made.
        Command::Recorder(_) => Ok(()),
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::VerifyExport(args) => verify_export::run(args).await,
        Command::Config(ConfigCommand::Check(path)) => {
            configuration(&path)?;
            tell("configuration ok")
        }
        Command::Version => tell(&format!(
            "lophoc {} ({})",
            env!("CARGO_PKG_VERSION"),
            env!("BUILD_COMMIT")
        )),
    }
}

pub(crate) fn configuration(path: &ConfigPath) -> Result<Config, CommandError> {
    let variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let loaded = load(path.config.as_deref(), &variables)?;
    for name in loaded
        .unknown_variables
        .iter()
        .filter(|name| *name != "LOPHOC_CONFIG")
    {
        tell_error(&format!(
            "lophoc: warning: environment variable {name} names no key"
        ));
    }
    Ok(loaded.config)
}

async fn serve(args: Serve) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    logs::start(&config.log);
    let shows_demo = args.demo || config.rooms.demo;
    // Before anything is acknowledged: a signal during the start counts as well.
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let server = Server::start_with(config, this_program()).await?;
    if !http::assets::built() {
        tell_error("lophoc: warning: built without the browser client; run `make build`");
    }
    if let Some(first) = accounts::first(&server.app.store).await? {
        print_account("first account", &first)?;
    }
    if shows_demo {
        print_demo(&server).await?;
    }
    tell(&format!(
        "ready {} media-udp {}",
        server.public_url(),
        server.app.media.port()
    ))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.stop().await;
    Ok(())
}

async fn print_demo(server: &Server) -> Result<(), CommandError> {
    let class = server
        .app
        .store
        .ensure_demo()
        .await
        .map_err(ClassError::from)?;
    let links = LinkMaker {
        keys: server.app.keys.clone(),
        url: server.public_url(),
    };
    for role in DEMO_ROLES {
        let link = links.link(&class.session.room, role, None, DEMO_HOURS)?;
        tell(&format!("demo {} {link}", role_name(role)))?;
    }
    let organiser = accounts::demo(&server.app.store, &class.class.id).await?;
    let host = UnitId::from(accounts::DEMO_UNIT);
    let store = &server.app.store;
    demo::fill(store, &class.class.id, &host, &organiser.person, wall_ms())
        .await
        .map_err(ClassError::from)?;
    print_account("demo account", &organiser)
}

/// `first account LOGIN PASSWORD`: the only place a password is ever shown.
fn print_account(what: &str, account: &Printed) -> Result<(), CommandError> {
    tell(&format!("{what} {} {}", account.login, account.password))
}

async fn account(command: AccountCommand) -> Result<(), CommandError> {
    let config = match &command {
        AccountCommand::New(args) => configuration(&args.config)?,
        AccountCommand::Reset(args) => configuration(&args.config)?,
    };
    let store = open_store(&config).await?;
    let made = match &command {
        AccountCommand::New(args) => {
            accounts::create(&store, &args.login, &args.name, args.admin).await
        }
        AccountCommand::Reset(args) => accounts::reset(&store, &args.login).await,
    };
    store.close().await;
    print_account("account", &made?)
}

#[derive(Serialize)]
struct CreatedClass<'a> {
    class: &'a str,
    session: &'a str,
    room: &'a str,
    links: BTreeMap<&'static str, String>,
}

async fn new_class(args: NewClass) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    let store = open_store(&config).await?;
    let links = LinkMaker::new(&store, configured_url(&config)).await?;
    let session = create(
        &store,
        &args.title,
        &args.host,
        args.mode.into(),
        args.hours,
    )
    .await?;
    let made = Role::ALL
        .into_iter()
        .map(|role| {
            Ok((
                role_name(role),
                links.link(&session.room, role, None, args.hours)?,
            ))
        })
        .collect::<Result<BTreeMap<_, _>, ClassError>>()?;
    let created = CreatedClass {
        class: session.class.as_str(),
        session: session.id.as_str(),
        room: &session.room,
        links: made,
    };
    let text = if args.json {
        serde_json::to_string(&created).map_err(std::io::Error::from)?
    } else {
        let mut lines = vec![
            format!("room {}", created.room),
            format!("class {}", created.class),
            format!("session {}", created.session),
        ];
        lines.extend(
            created
                .links
                .iter()
                .map(|(role, link)| format!("{role} {link}")),
        );
        lines.join("\n")
    };
    store.close().await;
    tell(&text)
}

async fn link(args: Link) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    let store = open_store(&config).await?;
    known_room(&store, &args.room).await?;
    let links = LinkMaker::new(&store, configured_url(&config)).await?;
    let named = args
        .name
        .as_deref()
        .map(|name| (name, args.unit.as_deref()));
    let link = links.link(&args.room, args.role.into(), named, args.hours)?;
    store.close().await;
    tell(&link)
}

/// The role as the protocol and the command line spell it.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Organiser => "organiser",
        Role::Chair => "chair",
        Role::Trainer => "trainer",
        Role::Adviser => "adviser",
        Role::Technician => "technician",
        Role::Secretary => "secretary",
        Role::Inspector => "inspector",
        Role::Learner => "learner",
        Role::Guest => "guest",
    }
}

pub(crate) fn tell(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

fn tell_error(text: &str) {
    // Nobody can be told when even this fails.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
