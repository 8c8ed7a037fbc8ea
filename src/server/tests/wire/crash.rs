//! The real binary, killed with SIGKILL at random moments of a class: what was
//! acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::client::{Client, get, open, post};
use crate::world::hello;

pub const BINARY: &str = env!("CARGO_BIN_EXE_lophoc");
const ROUNDS: u32 = 6;
const PEOPLE: u32 = 4;

/// What the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    joins: BTreeSet<String>,
    chats: BTreeSet<String>,
}

pub fn command(folder: &Path) -> Command {
    command_of(Path::new(BINARY), folder)
}

fn command_of(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("LOPHOC_DATA_FOLDER", folder)
        .env("LOPHOC_SERVER_LISTEN", "127.0.0.1:0")
        .env("LOPHOC_MEDIA_PORT", "0")
        .env("LOPHOC_MEDIA_LISTEN", "127.0.0.1")
        .env("LOPHOC_MEDIA_ANNOUNCE", "127.0.0.1")
        .env("LOPHOC_LOG_LEVEL", "error");
    command
}

pub struct Running {
    pub child: tokio::process::Child,
    pub host: String,
}

pub async fn start(folder: &Path) -> Running {
    start_program(Path::new(BINARY), folder).await
}

pub async fn start_program(program: &Path, folder: &Path) -> Running {
    let mut command = tokio::process::Command::from(command_of(program, folder));
    let mut child = command
        .arg("serve")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(rest) = line.strip_prefix("ready http://localhost:") {
            let port = rest.split(' ').next().unwrap();
            return Running {
                child,
                host: format!("127.0.0.1:{port}"),
            };
        }
    }
    panic!("the server did not start");
}

/// The token path of a link, whatever host it names.
pub async fn token(host: &str, link: &str, name: &str) -> Option<String> {
    let body = json!({"link": link, "name": name, "device": format!("device of {name}")});
    let (status, answer) = post(host, "/api/join", &body).await;
    (status == 200).then(|| answer["token"].as_str().unwrap().to_owned())
}

/// Joins and writes until the server is gone, noting what it acknowledged.
async fn attend(host: String, token: String, name: String, noted: Arc<Mutex<Acknowledged>>) {
    let Ok((mut socket, _)) = open(&host, None).await else {
        return;
    };
    if socket
        .send(Message::text(hello(&token).to_string()))
        .await
        .is_err()
    {
        return;
    }
    let mut written = 0;
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let message: Value = serde_json::from_str(&text).unwrap();
        let acknowledged = match message["t"].as_str() {
            Some("welcome") => {
                noted.lock().unwrap().joins.insert(name.clone());
                true
            }
            Some("ok") => {
                noted
                    .lock()
                    .unwrap()
                    .chats
                    .insert(format!("{name}-{}", message["id"]));
                true
            }
            _ => false,
        };
        if acknowledged && written < 9 {
            written += 1;
            let chat = json!({"t": "chat", "id": written, "cid": format!("{name}-{written}"), "text": format!("{name}-{written}")});
            if socket.send(Message::text(chat.to_string())).await.is_err() {
                return;
            }
        }
    }
}

/// All chat texts, by pages from the newest.
async fn all_chats(client: &mut Client) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let mut page = client.seen.remove(0);
    let mut more = page["moreChat"] == true;
    let mut list = page["chat"].take();
    loop {
        let entries = list.as_array().unwrap();
        texts.extend(
            entries
                .iter()
                .map(|entry| entry["text"].as_str().unwrap().to_owned()),
        );
        let Some(oldest) = entries.first().filter(|_| more) else {
            return texts;
        };
        let mut answer = client
            .ask(json!({"t": "chatPage", "before": oldest["id"]}))
            .await;
        more = answer["more"] == true;
        list = answer["list"].take();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_at_random_moments() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = command(&data)
        .args(["class", "new", "--title", "Lớp", "--host", "Sở", "--json"])
        .output()
        .unwrap();
    let class: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (learner, organiser) = (&class["links"]["learner"], &class["links"]["organiser"]);
    let noted = Arc::new(Mutex::new(Acknowledged::default()));
    let mut seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    for round in 0..ROUNDS {
        let mut running = start(&data).await;
        let mut people = tokio::task::JoinSet::new();
        for n in 0..PEOPLE {
            let name = format!("Người {round} {n}");
            let token = token(&running.host, learner.as_str().unwrap(), &name)
                .await
                .unwrap();
            people.spawn(attend(
                running.host.clone(),
                token,
                name,
                Arc::clone(&noted),
            ));
        }
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let after = u64::from(seed >> 8) % 400;
        println!("round {round}: killed after {after} ms");
        tokio::time::sleep(Duration::from_millis(after)).await;
        running.child.kill().await.unwrap();
        while people.join_next().await.is_some() {}
    }

    let mut running = start(&data).await;
    let token = token(&running.host, organiser.as_str().unwrap(), "Ban tổ chức")
        .await
        .unwrap();
    let mut client = Client::enter(&running.host, &token).await;
    let chats = all_chats(&mut client).await;
    let path = format!(
        "/api/sessions/{}/stays.csv",
        class["session"].as_str().unwrap()
    );
    let csv = get(&running.host, &path, Some(&token)).await.1;
    let noted = std::mem::take(&mut *noted.lock().unwrap());
    println!(
        "{} joins and {} chats were acknowledged",
        noted.joins.len(),
        noted.chats.len()
    );
    assert!(
        noted.chats.is_subset(&chats),
        "lost: {:?}",
        noted.chats.difference(&chats)
    );
    for name in &noted.joins {
        let rows: Vec<&str> = csv
            .lines()
            .filter(|row| row.contains(&format!(",{name},")))
            .collect();
        assert_eq!(rows.len(), 1, "{name} in\n{csv}");
        let cells: Vec<&str> = rows[0].split(',').collect();
        let (from, to) = (cells[5], cells[6]);
        // A killed server leaves no stay open, and none that ends before it began.
        assert!(!to.is_empty() && from <= to, "{}", rows[0]);
    }
    client.leave().await;

    // A signal ends it in order, within its five seconds.
    let pid = running.child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ended = tokio::time::timeout(Duration::from_secs(30), running.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lophoc.toml");
    std::fs::write(
        &file,
        "[server]\n\nlisten = [\"127.0.0.1:1\"]\npublic_uri = \"\"\n",
    )
    .unwrap();
    let out = Command::new(BINARY)
        .args(["config", "check", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(
        told.contains("lophoc.toml:4: unknown key `public_uri`; did you mean `public_url`?"),
        "{told}"
    );
}

#[test]
fn the_command_line_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let out = command(folder.path()).args(args).output().unwrap();
        (
            out.status.code(),
            String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap(),
        )
    };
    let (code, told) = run(&["link", "--room", "r-none", "--role", "trainer"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("there is no room r-none"), "{told}");
    let (code, told) = run(&["link", "--room", "r-none", "--role", "king"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("organiser"), "{told}");
    assert_eq!(
        run(&["config", "check"]),
        (Some(0), "configuration ok\n".to_owned())
    );
    assert!(run(&["version"]).1.starts_with("lophoc 0."));
    assert_eq!(
        run(&["config", "check", "--config", "/none/lophoc.toml"]).0,
        Some(2)
    );
}
