//! Notices by e-mail: an outbox in the records, one worker that empties it at a
//! bounded rate, the words of the mails. Off without a mail server.

mod message;
mod work;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use tokio::sync::Notify;

use crate::config::{Config, MailConfig, MailTls};

pub use message::{Letter, Words, address, host_of};
pub use work::start;

/// Time for one step of a conversation with the mail server.
const STEP_WITHIN: Duration = Duration::from_secs(30);
/// Longest file with a password or a certificate, bytes.
const MAX_FILE: u64 = 256 * 1024;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A file cannot be read.
    #[error("mail.{key}: {source}")]
    File {
        /// The setting.
        key: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A value makes no sense.
    #[error("mail.{key}: {why}")]
    Value {
        /// The setting.
        key: &'static str,
        /// Why.
        why: String,
    },
}

/// The outbox's worker, as the rest of the server sees it.
#[derive(Debug, Default)]
pub struct Mail {
    /// Something was queued.
    pub wake: Notify,
    stops: AtomicBool,
}

impl Mail {
    /// Ends the worker; a mail that is on its way is sent once more after the
    /// next start.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn stops(&self) -> bool {
        self.stops.load(Ordering::Acquire)
    }
}

/// The sender's mailbox.
fn sender(config: &MailConfig) -> Result<Mailbox, MailError> {
    config.from.parse().map_err(|_| MailError::Value {
        key: "from",
        why: "expected an address, or a name with the address in <…>".to_owned(),
    })
}

fn transport(config: &Config) -> Result<Transport, MailError> {
    let mail = &config.mail;
    let mut builder = Transport::builder_dangerous(mail.host.as_str())
        .port(mail.port)
        .timeout(Some(STEP_WITHIN))
        .hello_name(ClientId::Domain(hello_name(config)));
    builder = match mail.tls {
        MailTls::None => builder.tls(Tls::None),
        MailTls::Starttls => builder.tls(Tls::Required(parameters(mail)?)),
        MailTls::Tls => builder.tls(Tls::Wrapper(parameters(mail)?)),
    };
    if !mail.user.is_empty() {
        let password = match mail.password_file.as_os_str().is_empty() {
            true => mail.password.clone(),
            false => {
                let text = read("password_file", &mail.password_file)?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        builder = builder.credentials(Credentials::new(mail.user.clone(), password));
    }
    Ok(builder.build())
}

fn parameters(mail: &MailConfig) -> Result<TlsParameters, MailError> {
    let wrong = |key: &'static str| {
        move |error: lettre::transport::smtp::Error| MailError::Value {
            key,
            why: error.to_string(),
        }
    };
    let mut builder = TlsParameters::builder(mail.host.clone());
    if !mail.ca.as_os_str().is_empty() {
        let text = read("ca", &mail.ca)?;
        let found = Certificate::from_pem(text.as_bytes()).map_err(wrong("ca"))?;
        builder = builder.add_root_certificate(found);
    }
    builder.build().map_err(wrong("tls"))
}

fn read(key: &'static str, path: &std::path::Path) -> Result<String, MailError> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|source| MailError::File { key, source })?;
    Ok(text)
}

/// How this server names itself to the mail server.
fn hello_name(config: &Config) -> String {
    host_of(&config.server.public_url).to_owned()
}
