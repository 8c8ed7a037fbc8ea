//! Notices by e-mail against a mail server written here: who gets what, what is
//! refused, what a lost connection and a restart do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use lophoc::Server;
use lophoc::config::{Config, MailTls};
use lophoc_ledger::PersonKey;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::attendance_world::{Class, MINUTE, now_ms};

/// Address people reach the server of these tests by.
const BASE: &str = "https://lop.so-x.edu.vn";

/// What the mail server is to do with the next mails.
#[derive(Default)]
struct Manners {
    /// Speaks TLS after STARTTLS with this.
    tls: Option<TlsAcceptor>,
    /// Recipients that are refused for good.
    refused: Vec<String>,
    /// Recipients that are put off once.
    later: Vec<String>,
    /// Connections that end after the text of the mail, without an answer.
    drops: usize,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    to: String,
    text: String,
    /// It was answered for.
    taken: bool,
}

struct Post {
    port: u16,
    manners: Arc<Mutex<Manners>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    /// Every line it was told before TLS, without the texts of mails.
    said: Arc<Mutex<Vec<String>>>,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Post {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let manners: Arc<Mutex<Manners>> = Arc::default();
        let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (of, into, heard) = (
            Arc::clone(&manners),
            Arc::clone(&arrived),
            Arc::clone(&said),
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (of, into) = (Arc::clone(&of), Arc::clone(&into));
                tokio::spawn(meet(stream, of, into, Arc::clone(&heard)));
            }
        });
        Self {
            port,
            manners,
            arrived,
            said,
        }
    }

    fn taken(&self) -> Vec<Arrived> {
        let all = self.arrived.lock().unwrap().clone();
        all.into_iter().filter(|one| one.taken).collect()
    }
}

/// One connection: in the clear until STARTTLS where there is TLS.
async fn meet(
    mut stream: TcpStream,
    manners: Arc<Mutex<Manners>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    said: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    stream.write_all(b"220 test\r\n").await.ok()?;
    let tls = manners.lock().unwrap().tls.clone();
    let Some(tls) = tls else {
        return talk(Box::new(stream), manners, arrived, said).await;
    };
    let mut lines = BufReader::new(&mut stream);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        said.lock().unwrap().push(line.trim_end().to_owned());
        let ends = line.to_uppercase().starts_with("STARTTLS");
        let answer = if ends {
            "220 go on\r\n"
        } else {
            "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"
        };
        lines.write_all(answer.as_bytes()).await.ok()?;
        if ends {
            break;
        }
    }
    let inner = tls.accept(stream).await.ok()?;
    talk(Box::new(inner), manners, arrived, Arc::default()).await
}

async fn talk(
    stream: Box<dyn Wire>,
    manners: Arc<Mutex<Manners>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    said: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let mut to = String::new();
    while let Some(line) = lines.next_line().await.ok()? {
        said.lock().unwrap().push(line.clone());
        let word = line.to_uppercase();
        let answer = if word.starts_with("EHLO") {
            "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME".to_owned()
        } else if word.starts_with("AUTH PLAIN") {
            "235 welcome".to_owned()
        } else if word.starts_with("RCPT TO:") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            let mut manners = manners.lock().unwrap();
            if manners.refused.contains(&to) {
                "550 no such user".to_owned()
            } else if let Some(at) = manners.later.iter().position(|one| *one == to) {
                manners.later.remove(at);
                "451 come back".to_owned()
            } else {
                "250 ok".to_owned()
            }
        } else if word.starts_with("DATA") {
            write.write_all(b"354 go on\r\n").await.ok()?;
            let mut text = String::new();
            while let Some(line) = lines.next_line().await.ok()? {
                if line == "." {
                    break;
                }
                text.push_str(&line);
                text.push('\n');
            }
            let drops = {
                let mut manners = manners.lock().unwrap();
                let drops = manners.drops > 0;
                manners.drops = manners.drops.saturating_sub(1);
                drops
            };
            arrived.lock().unwrap().push(Arrived {
                to: to.clone(),
                text,
                taken: !drops,
            });
            if drops {
                return None;
            }
            "250 taken".to_owned()
        } else if word.starts_with("QUIT") {
            write.write_all(b"221 bye\r\n").await.ok()?;
            return None;
        } else {
            "250 ok".to_owned()
        };
        write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
    }
    Some(())
}

/// A class whose learners 0–3 have addresses, 4 has a broken one, 5 and the site
/// none; its session has not begun.
async fn class(port: Option<u16>) -> Class {
    class_with(port, |_| {}).await
}

async fn class_with(port: Option<u16>, set: impl FnOnce(&mut Config)) -> Class {
    let class = Class::with_config(
        |plan| plan.guide = "Mở liên kết trên máy tính.".to_owned(),
        |config| {
            if let Some(port) = port {
                config.server.public_url = BASE.to_owned();
                config.mail.host = "127.0.0.1".to_owned();
                config.mail.port = port;
                config.mail.tls = MailTls::None;
                config.mail.from = "Lớp học <lop@so-x.edu.vn>".to_owned();
                config.mail.per_minute = 600;
                config.mail.retry_s = 1;
            }
            set(config);
        },
    )
    .await;
    for (at, who) in class.learners.iter().enumerate().take(5) {
        let mut form = class.store().person(who).await.unwrap().unwrap().form;
        form.email = match at {
            4 => "không phải địa chỉ".to_owned(),
            at => format!("hv{at}@truong.edu.vn"),
        };
        class.store().update_person(who, &form).await.unwrap();
    }
    class
}

async fn page(class: &Class) -> Value {
    let answer = class.get(&class.organiser, &class.at("notices")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn send(class: &Class) -> Value {
    let answer = class
        .post(&class.organiser, &class.at("notices"), &json!({}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Waits until nothing of the last notice waits any more.
async fn emptied(class: &Class) -> Value {
    for _ in 0..600 {
        let page = page(class).await;
        if page["notices"][0]["queued"] == 0 {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("mails still wait");
}

/// The parts of a mail: kind and content, decoded.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for piece in text.split("\n--") {
        let Some((head, body)) = piece.split_once("\n\n") else {
            continue;
        };
        let head = head.replace("\n ", " ");
        let kind = header(&head, "Content-Type");
        let body = match header(&head, "Content-Transfer-Encoding").as_str() {
            "Content-Transfer-Encoding: base64" => {
                let packed: String = body.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(packed);
                String::from_utf8(bytes.unwrap()).unwrap()
            }
            "Content-Transfer-Encoding: quoted-printable" => unquoted(body),
            _ => body.to_owned(),
        };
        found.push((kind, body));
    }
    found
}

fn unquoted(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' && after.len() >= 2 {
            let hex = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The part of a mail of a kind.
fn part(text: &str, kind: &str) -> String {
    let start = format!("Content-Type: {kind}");
    let all = parts(text);
    let found = all.iter().find(|(one, _)| one.starts_with(&start));
    found
        .unwrap_or_else(|| panic!("no {kind} in {text}"))
        .1
        .clone()
}

/// The value of a line of the calendar entry, lines unfolded.
fn entry(text: &str, name: &str) -> String {
    let calendar = part(text, "text/calendar").replace("\r\n", "\n");
    for line in calendar.lines() {
        assert!(line.len() <= 75, "{line}");
    }
    let whole = calendar.replace("\n ", "");
    let found = whole
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")))
        .map(str::to_owned);
    found.unwrap_or_else(|| panic!("no {name} in {whole}"))
}

/// The only link into a room in a mail's text.
fn link(text: &str) -> String {
    let plain = part(text, "text/plain");
    let mut links: Vec<&str> = plain
        .split_whitespace()
        .filter(|word| word.contains("/j/"))
        .collect();
    links.dedup();
    assert_eq!(links.len(), 1, "{plain}");
    links[0].to_owned()
}

fn header(text: &str, name: &str) -> String {
    let start = format!("{name}: ");
    let found = text.lines().find(|line| line.starts_with(&start));
    found.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_roster_is_invited_told_of_a_change_and_of_the_end() {
    let post = Post::open().await;
    let class = class(Some(post.port)).await;
    let before = page(&class).await;
    assert_eq!(before["enabled"], true);
    assert_eq!(before["what"], "invite");
    let words = before["text"].as_str().unwrap();
    assert!(words.contains("Sở GDĐT X trân trọng mời"), "{words}");
    assert!(!words.contains("dành riêng"), "{words}");
    assert_eq!(
        (&before["with"], &before["without"], &before["fresh"]),
        (&json!(4), &json!(3), &json!(4))
    );
    send(&class).await;
    let done = emptied(&class).await;
    assert_eq!(done["notices"][0]["sent"], 4);
    assert_eq!(done["fresh"], 0);
    let mails = post.taken();
    assert_eq!(mails.len(), 4);
    for mail in &mails {
        assert!(header(&mail.text, "Message-ID").contains(class.session.as_str()));
        assert_eq!(entry(&mail.text, "METHOD"), "REQUEST");
        let plain = part(&mail.text, "text/plain");
        for needed in [
            "Sở GDĐT X trân trọng mời Thầy/Cô",
            "Buổi 1: Chuyển đổi số",
            "(giờ Việt Nam)",
            "Mở liên kết trên máy tính.",
            "Session 1: Chuyển đổi số",
        ] {
            assert!(plain.contains(needed), "{needed}: {plain}");
        }
        assert_eq!(entry(&mail.text, "URL"), link(&mail.text));
    }
    // Each his own link, with his own name.
    let links: BTreeSet<String> = mails.iter().map(|mail| link(&mail.text)).collect();
    assert_eq!(links.len(), 4);
    assert!(
        links
            .iter()
            .all(|one| one.starts_with(&format!("{BASE}/j/")))
    );
    let log = class
        .get(
            &class.organiser,
            &format!("/api/v1/classes/{}/access", class.class),
        )
        .await
        .json();
    let told = log.as_array().unwrap();
    assert!(told.iter().any(|line| line["what"] == "notice"), "{log}");
    // What was told is cancelled, not deleted.
    let answer = class
        .call(
            Some(&class.organiser),
            "DELETE",
            &format!("/api/v1/sessions/{}", class.session),
            "",
            b"",
        )
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    // Once more: nobody gets the same twice.
    send(&class).await;
    emptied(&class).await;
    assert_eq!(post.taken().len(), 4);
    // Another time: a change with a higher number.
    let session = class.store().lesson(&class.session).await.unwrap().unwrap();
    let mut form = session.form;
    form.starts_ms = Some(now_ms() + 60 * MINUTE);
    form.ends_ms = Some(now_ms() + 120 * MINUTE);
    let body = serde_json::to_vec(&form).unwrap();
    let answer = class
        .call(
            Some(&class.organiser),
            "PUT",
            &format!("/api/v1/sessions/{}", class.session),
            "content-type: application/json\r\n",
            &body,
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(page(&class).await["what"], "update");
    send(&class).await;
    let done = emptied(&class).await;
    assert!(done["notices"][0]["sequence"].as_u64() > done["notices"][1]["sequence"].as_u64());
    let mails = post.taken();
    assert_eq!(mails.len(), 8);
    let number = |mail: &Arrived| entry(&mail.text, "SEQUENCE").parse::<u32>().unwrap();
    assert!(number(&mails[7]) > number(&mails[0]));
    assert_eq!(entry(&mails[7].text, "UID"), entry(&mails[0].text, "UID"));
    assert_ne!(
        entry(&mails[7].text, "DTSTART"),
        entry(&mails[0].text, "DTSTART")
    );
    assert!(part(&mails[7].text, "text/plain").contains("có thay đổi"));
    // Cancelled: whoever was told hears of it.
    let answer = class
        .post(
            &class.organiser,
            &class.at("cancel"),
            &json!({"reason": "Mất điện"}),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(page(&class).await["what"], "cancel");
    send(&class).await;
    emptied(&class).await;
    let mails = post.taken();
    assert_eq!(mails.len(), 12);
    let last = &mails[11].text;
    assert_eq!(entry(last, "METHOD"), "CANCEL");
    assert_eq!(entry(last, "STATUS"), "CANCELLED");
    assert_eq!(entry(last, "UID"), entry(&mails[0].text, "UID"));
    assert!(number(&mails[11]) > number(&mails[7]));
    let plain = part(last, "text/plain");
    assert!(
        plain.contains("đã được hủy") && !plain.contains("/j/"),
        "{plain}"
    );
}

#[tokio::test]
async fn refusals_are_told_and_lost_connections_tried_again_under_the_same_id() {
    let post = Post::open().await;
    {
        let mut manners = post.manners.lock().unwrap();
        manners.refused = vec!["hv0@truong.edu.vn".to_owned()];
        manners.later = vec!["hv1@truong.edu.vn".to_owned()];
        manners.drops = 1;
    }
    let class = class(Some(post.port)).await;
    send(&class).await;
    let done = emptied(&class).await;
    let last = &done["notices"][0];
    assert_eq!((&last["sent"], &last["failed"]), (&json!(3), &json!(1)));
    let missed = done["undelivered"].as_array().unwrap();
    assert_eq!(missed.len(), 1, "{done}");
    assert_eq!(missed[0]["reason"], "refused 550");
    assert_eq!(missed[0]["address"], "hv0@truong.edu.vn");
    // The one whose connection was lost came twice, as the same mail.
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in post.arrived.lock().unwrap().iter() {
        ids.entry(mail.to.clone())
            .or_default()
            .push(header(&mail.text, "Message-ID"));
    }
    let twice: Vec<_> = ids.values().filter(|ids| ids.len() > 1).collect();
    assert_eq!(twice.len(), 1);
    assert_eq!(twice[0][0], twice[0][1]);
    // Sending again tries what failed, and that alone.
    post.manners.lock().unwrap().refused.clear();
    assert_eq!(page(&class).await["fresh"], 1);
    send(&class).await;
    let done = emptied(&class).await;
    assert_eq!(done["notices"][0]["sent"], 4);
}

#[tokio::test]
async fn what_waited_is_sent_after_a_restart() {
    let post = Post::open().await;
    // Nothing is taken before the restart.
    post.manners.lock().unwrap().drops = 1_000;
    let mut class = class(Some(post.port)).await;
    send(&class).await;
    let config = class.server.app.config.clone();
    for _ in 0..600 {
        if !post.arrived.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let old = class.server;
    old.stop().await;
    post.manners.lock().unwrap().drops = 0;
    class.server = Server::start(config).await.unwrap();
    let done = emptied(&class).await;
    assert_eq!(done["notices"][0]["sent"], 4, "{done}");
    let mut to: Vec<String> = post.taken().into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(
        to,
        (0..4)
            .map(|at| format!("hv{at}@truong.edu.vn"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn notices_are_for_who_plans_the_class_and_need_a_mail_server() {
    let class = class(None).await;
    let path = class.at("notices");
    let nobody: [&PersonKey; 4] = [
        &class.trainer,
        &class.learners[0],
        &class.contact_a,
        &class.stranger,
    ];
    for who in nobody {
        assert_eq!(class.get(who, &path).await.status, 403, "{who}");
        assert_eq!(class.post(who, &path, &json!({})).await.status, 403);
    }
    let page = page(&class).await;
    assert_eq!(page["enabled"], false);
    let answer = class.post(&class.organiser, &path, &json!({})).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "refused"));
    assert_eq!(
        class
            .get(&class.organiser, "/api/v1/sessions/none/notices")
            .await
            .status,
        404
    );
    // In the clear over the network, without a password, with links to whatever
    // name was asked for: not even started.
    let mut config = class.server.app.config.clone();
    config.mail.host = "mail.so-x.edu.vn".to_owned();
    config.mail.from = "lop@so-x.edu.vn".to_owned();
    config.mail.user = "lop".to_owned();
    config.mail.tls = MailTls::None;
    let problems = lophoc::config::problems(&config);
    for key in ["mail.tls", "mail.user", "server.public_url"] {
        assert!(
            problems.iter().any(|one| one.contains(key)),
            "{key}: {problems:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_to_a_mail_server_that_must_speak_tls() {
    let post = Post::open().await;
    let class = class_with(Some(post.port), |config| {
        config.mail.tls = MailTls::Starttls;
        config.mail.user = "lop".to_owned();
        config.mail.password = "bi-mat-cua-lop".to_owned();
    })
    .await;
    send(&class).await;
    for _ in 0..600 {
        if !page(&class).await["undelivered"]
            .as_array()
            .unwrap()
            .is_empty()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = page(&class).await;
    assert_eq!(told["undelivered"][0]["reason"], "tls", "{told}");
    assert!(!told.to_string().contains("bi-mat"));
    assert!(post.arrived.lock().unwrap().is_empty());
    let said = post.said.lock().unwrap().clone();
    assert!(!said.is_empty());
    for line in said {
        let word = line.to_uppercase();
        assert!(
            ["EHLO", "QUIT", "STARTTLS"]
                .iter()
                .any(|one| word.starts_with(one)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn mails_go_over_tls_signed_by_the_configured_authority_with_the_account() {
    let post = Post::open().await;
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "bi-mat-cua-lop\n").unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    let tls = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    post.manners.lock().unwrap().tls = Some(TlsAcceptor::from(Arc::new(tls)));
    let class = class_with(Some(post.port), |config| {
        config.mail.host = "localhost".to_owned();
        config.mail.tls = MailTls::Starttls;
        config.mail.ca = ca;
        config.mail.user = "lop".to_owned();
        config.mail.password_file = password;
    })
    .await;
    send(&class).await;
    let done = emptied(&class).await;
    assert_eq!(done["notices"][0]["sent"], 4, "{done}");
    for line in post.said.lock().unwrap().iter() {
        let word = line.to_uppercase();
        assert!(
            ["EHLO", "STARTTLS"].iter().any(|one| word.starts_with(one)),
            "{line}"
        );
    }
}
