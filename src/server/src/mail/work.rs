//! The worker: takes the mail that is due for longest, sends it, writes down what
//! became of it. It is the only one, so that the rate holds.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use lettre::AsyncTransport as _;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lophoc_classes::{ClassState, NoticeKind, SessionPhase};
use lophoc_records::{DueMail, Sent, StoreError};
use tokio::task::JoinSet;

use super::{Letter, MailError, Transport, Words, address, sender, transport};
use crate::api::Maker;
use crate::app::App;
use crate::clock::wall_ms;

/// Looked for mails also without being woken: what could not be written down is
/// tried again.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// Tries of one mail. Overflow: it is given up.
const TRIES: u32 = 6;
/// After trouble that is the mail server's and not one mail's: nothing is sent
/// for so long at most, so that an outage costs each mail few of its tries.
const TROUBLE: Duration = Duration::from_secs(60);
/// Reasons of that kind.
const OF_THE_SERVER: [&str; 4] = ["unreachable", "timeout", "tls", "signIn"];
/// Longest wait between two tries, ms.
const LONGEST_MS: u64 = 4 * 60 * 60 * 1000;

/// Starts the worker when there is a mail server. It ends soon after
/// [`Mail::stop`](super::Mail::stop).
///
/// # Errors
/// The settings cannot be used.
pub fn start(app: &Arc<App>) -> Result<JoinSet<()>, MailError> {
    let mut worker = JoinSet::new();
    if !app.config.mail.host.is_empty() {
        let (from, transport) = (sender(&app.config.mail)?, transport(&app.config)?);
        worker.spawn(work(Arc::clone(app), from, transport));
    }
    Ok(worker)
}

async fn work(app: Arc<App>, from: Mailbox, transport: Transport) {
    let pause = Duration::from_millis(60_000 / u64::from(app.config.mail.per_minute.max(1)));
    while !app.mail.stops() {
        match app.store.due_mail(wall_ms()).await {
            Ok(Some(mail)) => {
                let trouble = one(&app, &from, &transport, &mail).await;
                let pause = match trouble {
                    false => pause,
                    true => TROUBLE
                        .min(Duration::from_secs(app.config.mail.retry_s.into()))
                        .max(pause),
                };
                wait(&app, pause, false).await;
            }
            Ok(None) => {
                let now = wall_ms();
                let next = app.store.next_mail_ms().await.ok().flatten();
                let until = next.map_or(LOOK_EVERY, |next| {
                    Duration::from_millis(next.saturating_sub(now).saturating_add(1))
                });
                wait(&app, until.min(LOOK_EVERY), true).await;
            }
            Err(error) => {
                tracing::warn!(%error, "mails that wait cannot be read");
                wait(&app, LOOK_EVERY, false).await;
            }
        }
    }
}

/// Waits; a stop ends it, something new only when `wakes`.
async fn wait(app: &App, time: Duration, wakes: bool) {
    let end = tokio::time::Instant::now() + time;
    while !app.mail.stops() {
        match tokio::time::timeout_at(end, app.mail.wake.notified()).await {
            Ok(()) if !wakes => {}
            _ => return,
        }
    }
}

/// One mail. Tells whether the mail server itself is in trouble.
async fn one(app: &App, from: &Mailbox, transport: &Transport, mail: &DueMail) -> bool {
    let sent = match attempt(app, from, transport, mail).await {
        Ok(sent) => sent,
        Err(error) => {
            tracing::warn!(%error, session = %mail.session, person = %mail.person, "a mail was not written");
            later(app, mail, "failed")
        }
    };
    let mut pause = Duration::from_millis(200);
    while let Err(error) = app.store.mail_done(mail, &sent, wall_ms()).await {
        if app.mail.stops() {
            return false;
        }
        tracing::warn!(%error, "what became of a mail cannot be written down");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_EVERY);
    }
    match &sent {
        Sent::Yes => false,
        Sent::Later(_, reason) | Sent::No(reason) => OF_THE_SERVER.contains(&reason.as_str()),
    }
}

async fn attempt(
    app: &App,
    from: &Mailbox,
    transport: &Transport,
    mail: &DueMail,
) -> Result<Sent, StoreError> {
    let no = |why: &str| Ok(Sent::No(why.to_owned()));
    let Some(to) = address(&mail.address) else {
        return no("address");
    };
    let Some(session) = app.store.lesson(&mail.session).await? else {
        return no("over");
    };
    let Some(class) = app.store.class(&session.class).await? else {
        return no("over");
    };
    let cancelled = session.phase == SessionPhase::Cancelled
        || matches!(class.state, ClassState::Cancelled | ClassState::Postponed);
    if session.phase.is_held() || cancelled != (mail.what == NoticeKind::Cancel) {
        return no("over");
    }
    let (name, url) = if cancelled {
        match app.store.person(&mail.person).await? {
            Some(person) => (person.form.name, String::new()),
            None => return no("noPlace"),
        }
    } else {
        let Some(place) = app.store.place_in(&mail.session, &mail.person).await? else {
            return no("noPlace");
        };
        let maker = Maker::new(app, &session, mail.base.clone());
        match maker.personal(&mail.person, &place) {
            Ok(Some(link)) => (link.name, link.url),
            Ok(None) | Err(_) => return no("noPlace"),
        }
    };
    // Whoever hears of it for the first time is invited.
    let what = match mail.what {
        NoticeKind::Update if !mail.again => NoticeKind::Invite,
        what => what,
    };
    let letter = Letter {
        words: Words {
            class: &class,
            session: &session,
            what,
            name: &name,
            url: &url,
            own: true,
        },
        sequence: mail.sequence,
        person: &mail.person,
        to,
        base: &mail.base,
        now_ms: wall_ms(),
    };
    let Some(message) = letter.written(from) else {
        return no("failed");
    };
    Ok(match transport.send(message).await {
        Ok(_) => Sent::Yes,
        Err(error) => fate(app, mail, &error),
    })
}

/// What a failure means. The answer of the mail server is not kept: it may name
/// people.
fn fate(app: &App, mail: &DueMail, error: &smtp::Error) -> Sent {
    tracing::info!(
        session = %mail.session,
        person = %mail.person,
        status = error.status().map(|code| code.to_string()),
        "a mail was not taken"
    );
    let Some(code) = error.status().map(|code| code.to_string()) else {
        let reason = match error {
            error if error.is_timeout() => "timeout",
            error if error.is_tls() || is_bare(error) => "tls",
            // No answer we understand, or no connection; both may pass.
            error if error.source().is_some() || !error.is_client() => "unreachable",
            _ => "failed",
        };
        return later(app, mail, reason);
    };
    // A wrong password is nothing the person with the address can help.
    if ["530", "534", "535", "538"].contains(&code.as_str()) {
        return later(app, mail, "signIn");
    }
    let reason = format!("refused {code}");
    match error.is_permanent() {
        true => Sent::No(reason),
        false => later(app, mail, &reason),
    }
}

/// The mail server offers no STARTTLS; nothing was said to it in the clear.
fn is_bare(error: &smtp::Error) -> bool {
    error.is_client()
        && error
            .source()
            .is_some_and(|why| why.to_string().contains("STARTTLS"))
}

/// Once more, each time after four times as long; given up after the last try.
fn later(app: &App, mail: &DueMail, reason: &str) -> Sent {
    let tried = mail.tries.saturating_add(1);
    if tried >= TRIES {
        return Sent::No(reason.to_owned());
    }
    let first = u64::from(app.config.mail.retry_s).saturating_mul(1_000);
    let wait = first
        .saturating_mul(4_u64.saturating_pow(mail.tries))
        .min(LONGEST_MS);
    Sent::Later(wall_ms().saturating_add(wait), reason.to_owned())
}
