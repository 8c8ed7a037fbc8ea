//! The meeting itself: thirty-four sites in the waiting room, rehearsal, the
//! floor, a break, a broken link, phones in two halls, the end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::live::{Live, Moment};
use crate::prepare::{EARLY_MS, LATE_MS, Meeting, STAFF};
use crate::roster::Line;
use crate::server::{Answer, Caller, Running, now_ms};

/// Who sits at the site of Lào Cai in the place of its director.
pub const SUBSTITUTE: &str = "Giàng A Phó Giám Đốc";
pub const EXCUSE: &str = "Đi công tác nước ngoài";
/// A code on a hall's screen is good for so long at most.
const CODE_LIFE_MS: u64 = 60_000;

/// What happened, by the clock of the test.
pub struct Truth {
    /// The last site came into the rehearsal before this.
    pub rehearsed: u64,
    pub started: Moment,
    pub pause: [Moment; 2],
    /// The link of Lào Cai broke, and was there again.
    pub broken: [Moment; 2],
    /// The late one scanned the code.
    pub late: Moment,
    /// Đà Nẵng left.
    pub left: Moment,
    pub ended: Moment,
}

/// Everybody in the room.
struct Room<'a> {
    server: &'a Running,
    meeting: &'a Meeting,
    chair: Live,
    secretary: Live,
    technician: Live,
    observer: Live,
    /// In the order of the departments.
    sites: Vec<Live>,
    /// The delegate who comes by his own link.
    single: Live,
}

fn join(meeting: &Meeting, name: &str) -> Value {
    json!({"link": meeting.link(name)["url"], "device": format!("device of {name}")})
}

async fn enter(server: &Running, meeting: &Meeting, name: &str) -> Live {
    let live = Live::knock(&server.host, &join(meeting, name)).await;
    assert_eq!(
        (live.greeting().as_str(), live.name.as_str()),
        ("welcome", name)
    );
    live
}

async fn knock(server: &Running, meeting: &Meeting, name: &str) -> Live {
    let live = Live::knock(&server.host, &join(meeting, name)).await;
    assert_eq!(live.greeting(), "waiting", "{name}");
    assert_eq!(live.person, meeting.key(name));
    live
}

pub async fn hold(server: &Running, meeting: &Meeting) -> Truth {
    let room = Room::open(server, meeting).await;
    room.tell_who_comes_instead().await;
    let rehearsed = now_ms();
    let (old, old_at) = (room.code(0).await, now_ms());
    room.scan_in_two_halls(&old).await;
    room.counts(39, 5 + 11 + 10).await;
    // Time passes and does not count.
    sleep(Duration::from_millis(3_000)).await;
    let started = room.chair.done(json!({"t": "modStart"})).await;
    room.phase("running").await;
    room.give_the_floor().await;
    let pause = room.pause().await;
    room.tick_from_lists().await;
    room.counts(39, 5 + 11 + 11 + 6).await;
    let (room, broken) = room.lose_lao_cai().await;
    let late = room.come_late(started).await;
    room.counts(39, 5 + 11 + 12 + 6).await;
    room.desks().await;

    // The first code is too old by now, for whomever it was passed on to.
    sleep(Duration::from_millis(
        (old_at + CODE_LIFE_MS + 500).saturating_sub(now_ms()),
    ))
    .await;
    let absent = &meeting.invited.ha_noi[11];
    let replayed = room.scan(&old, &absent.code, "phone-of-a-friend").await;
    assert_eq!(
        (replayed.status, replayed.code()),
        (410, "refused".to_owned())
    );

    let left = room.sites[2].leave().await;
    // Lower by the connection and by all who sat behind it.
    room.counts(38, 5 + 11 + 12).await;
    sleep(Duration::from_millis(EARLY_MS + 2_500)).await;
    let freeze = meeting
        .organiser
        .post(&meeting.at("freeze"), &json!({}))
        .await;
    assert_eq!(freeze.status, 409, "not while it goes on");
    let ended = room.end().await;
    Truth {
        rehearsed,
        started,
        pause,
        broken,
        late,
        left,
        ended,
    }
}

impl<'a> Room<'a> {
    /// Staff come in; sites wait and are let in by the technician; a stranger
    /// is sent away.
    async fn open(server: &'a Running, meeting: &'a Meeting) -> Self {
        let [chair, secretary, technician, observer] = STAFF.map(|(_, name)| name);
        let technician = enter(server, meeting, technician).await;
        assert_eq!(technician.role, "technician");
        let mut sites = Vec::new();
        for department in &meeting.departments {
            sites.push(knock(server, meeting, &department.site).await);
        }
        let single = knock(server, meeting, &meeting.invited.single[0].name).await;
        technician
            .after(0, "all of them at the door", |told| {
                told["t"] == "lobby" && told["total"] == 35
            })
            .await;
        // Who waits may say nothing.
        let chat = json!({"t": "chat", "cid": "c1", "text": "a lô"});
        assert_eq!(sites[5].outcome(chat).await, "forbidden");
        // One by name, the others together.
        let one = json!({"t": "modAdmit", "who": sites[3].person});
        technician.done(one).await;
        sites[3].let_in().await;
        technician.done(json!({"t": "modAdmit"})).await;
        for site in sites.iter().chain([&single]) {
            site.let_in().await;
        }
        let secretary = enter(server, meeting, secretary).await;
        let chair = enter(server, meeting, chair).await;
        let observer = enter(server, meeting, observer).await;
        assert_eq!(
            (
                chair.role.as_str(),
                secretary.role.as_str(),
                observer.role.as_str()
            ),
            ("chair", "secretary", "inspector")
        );
        let welcome = chair
            .after(0, "welcome", |message| message["t"] == "welcome")
            .await;
        assert_eq!(welcome["room"]["phase"], "rehearsal");
        assert_eq!(welcome["room"]["mode"], "conference");
        let state = chair
            .after(0, "state", |message| message["t"] == "state")
            .await;
        let shown = state["people"].as_array().unwrap();
        let halls = shown.iter().filter(|one| one["site"].is_string());
        assert_eq!(halls.count(), 34, "every site is marked as one");

        let guest = json!({
            "link": meeting.links.last().unwrap()["url"], "device": "device of a stranger",
            "name": "Người Lạ", "unit": "Không rõ",
        });
        let guest = Live::knock(&server.host, &guest).await;
        assert_eq!(guest.greeting(), "waiting");
        let deny = json!({"t": "modDeny", "who": guest.person});
        secretary.done(deny).await;
        let bye = guest.after(0, "bye", |told| told["t"] == "bye").await;
        assert_eq!(
            (&bye["action"], &bye["code"]),
            (&json!("stop"), &json!("denied"))
        );
        Self {
            server,
            meeting,
            chair,
            secretary,
            technician,
            observer,
            sites,
            single,
        }
    }

    /// The room's counters, as the chair is shown them.
    async fn counts(&self, connections: u32, people: u32) {
        let shown = self.chair.after(0, "these counts", |told| {
            let counts = &told["counts"];
            counts["total"] == connections && counts["people"] == people
        });
        shown.await;
    }

    async fn phase(&self, wanted: &str) {
        let path = format!("/sessions/{}", self.meeting.session);
        for _ in 0..100 {
            let session = self.meeting.organiser.get_ok(&path).await;
            if session["phase"] == wanted {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("the session is not {wanted}");
    }

    /// Announced before the meeting.
    async fn tell_who_comes_instead(&self) {
        let (meeting, organiser) = (self.meeting, &self.meeting.organiser);
        self.phase("rehearsal").await;
        let director = &meeting.invited.lao_cai[0];
        let delegate = json!([{
            "invited": meeting.key(&director.name), "name": SUBSTITUTE,
            "position": "Phó Giám đốc Sở", "reference": "Giấy cử số 25/GC-SGDĐT",
        }]);
        organiser
            .post_ok(&meeting.at("delegates"), &delegate, 204)
            .await;
        let excused = &meeting.invited.single[1];
        let excuse = json!([{"person": meeting.key(&excused.name), "reason": EXCUSE}]);
        organiser
            .post_ok(&meeting.at("excuses"), &excuse, 204)
            .await;
    }

    fn site(&self, no: usize, rest: &str) -> String {
        let site = &self.sites[no].person;
        self.meeting.at(&format!("sites/{site}/{rest}"))
    }

    /// The code on the screen of a hall, got by its own connection.
    async fn code(&self, no: usize) -> String {
        let screen = self.server.in_room(&self.sites[no].token);
        let shown = screen.get_ok(&self.site(no, "code")).await;
        assert!(shown["svg"].as_str().unwrap().contains("<svg"));
        let url = shown["url"].as_str().unwrap();
        url.rsplit_once("/check/").unwrap().1.to_owned()
    }

    /// A phone scans a code, and its owner types his identifier.
    async fn scan(&self, code: &str, identifier: &str, device: &str) -> Answer {
        let body = json!({"identifier": identifier, "device": device});
        let path = format!("/check-in/{code}");
        self.server.nobody().post(&path, &body).await
    }

    async fn scanned(&self, code: &str, line: &Line) {
        let device = format!("phone of {}", line.code);
        let answer = self.scan(code, &line.code, &device).await;
        assert_eq!(answer.status, 200, "{} {}", line.name, answer.text());
        let told = answer.json();
        assert_eq!(
            (&told["name"], &told["unit"]),
            (&json!(line.name), &json!(line.unit))
        );
    }

    /// Eleven of twelve in Hà Nội, ten in Lào Cai.
    async fn scan_in_two_halls(&self, ha_noi: &str) {
        let invited = &self.meeting.invited;
        let offer = self
            .server
            .nobody()
            .get_ok(&format!("/check-in/{ha_noi}"))
            .await;
        assert_eq!(offer["site"], self.meeting.departments[0].site.as_str());
        assert_eq!(
            (&offer["title"], &offer["known"]),
            (&json!("Sơ kết tháng 11"), &Value::Null)
        );
        for line in &invited.ha_noi[..11] {
            self.scanned(ha_noi, line).await;
        }
        let lao_cai = self.code(1).await;
        for line in &invited.lao_cai[1..11] {
            self.scanned(&lao_cai, line).await;
        }
        // One phone for two; nobody of the list; a code nobody made; a site.
        let phone = format!("phone of {}", invited.ha_noi[0].code);
        let friend = &invited.ha_noi[11].code;
        let second = self.scan(ha_noi, friend, &phone).await;
        assert_eq!((second.status, second.code()), (409, "conflict".to_owned()));
        for unknown in ["009999999999", "1000000", "DC-0000"] {
            let answer = self.scan(ha_noi, unknown, "phone of a stranger").await;
            assert_eq!(answer.status, 404, "{unknown}");
        }
        let mut forged = ha_noi.to_owned();
        let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
        forged.push(last);
        let answer = self.scan(&forged, friend, "phone of a forger").await;
        assert_eq!(answer.status, 404);
    }

    /// In a conference who has the floor speaks, and nobody else.
    async fn give_the_floor(&self) {
        let (site, chair) = (&self.sites[0], &self.chair);
        let speak = json!({"t": "pub", "kind": "mic", "st": "live"});
        assert_eq!(site.outcome(speak.clone()).await, "forbidden");
        assert_eq!(self.single.outcome(speak.clone()).await, "forbidden");
        let mark = chair.mark();
        site.done(json!({"t": "hand", "up": true})).await;
        let hands = chair
            .after(mark, "the hand", |told| {
                told["t"] == "hands" && told["list"] != json!([])
            })
            .await;
        assert_eq!(hands["list"][0]["who"], site.person.as_str());
        let give = json!({"t": "modFloor", "who": site.person, "give": true});
        assert_eq!(self.secretary.outcome(give.clone()).await, "forbidden");
        assert_eq!(self.observer.outcome(give.clone()).await, "forbidden");
        let mark = site.mark();
        chair.done(give).await;
        let you = site
            .after(mark, "the floor", |told| {
                told["t"] == "you" && told["floor"] == true
            })
            .await;
        assert!(
            you["perms"].as_array().unwrap().contains(&json!("speak")),
            "{you}"
        );
        site.done(speak.clone()).await;
        let heard = |told: &Value| {
            let changed = told["chg"].as_array().into_iter().flatten();
            let mut own = changed.filter(|one| one["id"] == site.person.as_str());
            own.any(|one| {
                let mut tracks = one["tracks"].as_array().into_iter().flatten();
                one["floor"] == true && tracks.any(|track| track["st"] == "live")
            })
        };
        self.observer.after(0, "the speaker", heard).await;
        sleep(Duration::from_millis(1_500)).await;
        let mark = site.mark();
        chair
            .done(json!({"t": "modFloor", "who": site.person, "give": false}))
            .await;
        let you = site
            .after(mark, "its end", |told| {
                told["t"] == "you" && told["floor"] == false
            })
            .await;
        assert!(
            !you["perms"].as_array().unwrap().contains(&json!("speak")),
            "{you}"
        );
        assert_eq!(site.outcome(speak).await, "forbidden");
    }

    async fn pause(&self) -> [Moment; 2] {
        let mark = self.sites[7].mark();
        let on = json!({"t": "modBreak", "on": true, "minutes": 10});
        assert_eq!(self.sites[7].outcome(on.clone()).await, "forbidden");
        let from = self.chair.done(on).await;
        let told = self.sites[7]
            .after(mark, "the break", |told| {
                told["t"] == "room" && told["phase"] == "break"
            })
            .await;
        assert!(told["breakUntil"].as_u64().unwrap() >= from.0 + 600_000);
        self.phase("break").await;
        sleep(Duration::from_millis(4_000)).await;
        let to = self.chair.done(json!({"t": "modBreak", "on": false})).await;
        self.phase("running").await;
        [from, to]
    }

    /// Đà Nẵng by its contact, the substitute by the connection of his site,
    /// one in the hall of the chair.
    async fn tick_from_lists(&self) {
        let meeting = self.meeting;
        let [ha_noi, da_nang] = &meeting.contacts;
        let list = da_nang.get_ok(&self.site(2, "people")).await;
        assert_eq!(list["total"], 6);
        let people: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["person"])
            .collect();
        let tick = json!({"people": people, "on": true, "how": "contact"});
        let refused = ha_noi.post(&self.site(2, "ticks"), &tick).await;
        assert_eq!(refused.status, 403, "another's hall");
        let site = da_nang.post_ok(&self.site(2, "ticks"), &tick, 200).await;
        assert_eq!((&site["people"], &site["expected"]), (&json!(6), &json!(6)));

        let screen = self.server.in_room(&self.sites[1].token);
        let director = meeting.key(&meeting.invited.lao_cai[0].name);
        let tick = json!({"people": [director], "on": true, "how": "contact"});
        let site = screen.post_ok(&self.site(1, "ticks"), &tick, 200).await;
        assert_eq!(
            (&site["people"], &site["connected"]),
            (&json!(11), &json!(true))
        );
        let refused = screen.post(&self.site(2, "ticks"), &tick).await;
        assert_eq!(refused.status, 403);

        let here = meeting.key(&meeting.invited.single[2].name);
        let tick = json!({"people": [here], "on": true, "how": "paper"});
        let secretary = self.server.in_room(&self.secretary.token);
        secretary
            .post_ok(&meeting.at("sites/here/ticks"), &tick, 200)
            .await;
    }

    /// The router of Lào Cai forgets the connection.
    async fn lose_lao_cai(mut self) -> (Self, [Moment; 2]) {
        let mark = self.chair.mark();
        let broke = self.sites[1].reset().await;
        let person = self.sites[1].person.clone();
        let lost = |told: &Value| {
            let mut changed = told["chg"].as_array().into_iter().flatten();
            changed.any(|one| one["id"] == person.as_str() && one["link"] == "lost")
        };
        self.chair.after(mark, "the lost link", lost).await;
        sleep(Duration::from_millis(3_500)).await;
        let before = now_ms();
        // Whoever was in does not wait again.
        let name = &self.meeting.departments[1].site;
        let back = enter(self.server, self.meeting, name).await;
        assert_eq!(back.person, person, "nobody is split");
        self.sites[1] = back;
        let back = Moment(before, now_ms());
        (self, [broke, back])
    }

    /// The last of Lào Cai scans when the meeting has long begun.
    async fn come_late(&self, started: Moment) -> Moment {
        let then = started.1 + LATE_MS + 1_500;
        sleep(Duration::from_millis(then.saturating_sub(now_ms()))).await;
        let code = self.code(1).await;
        let before = now_ms();
        self.scanned(&code, &self.meeting.invited.lao_cai[11]).await;
        Moment(before, now_ms())
    }

    /// The live desk: names for who may see them, numbers for the technician,
    /// nothing for a site but itself.
    async fn desks(&self) {
        let path = self.meeting.at("desk");
        sleep(Duration::from_millis(1_100)).await;
        let chair = self.server.in_room(&self.chair.token).get_ok(&path).await;
        let totals = &chair["report"]["totals"];
        assert_eq!(
            (&totals["expected"], &totals["present"]),
            (&json!(33), &json!(31)),
            "{totals}"
        );
        assert_eq!(chair["connections"], 39);
        // With the one in the hall of the chair.
        assert_eq!(chair["peopleNow"], 5 + 29 + 1);
        let sites = chair["sites"].as_array().unwrap();
        assert_eq!(sites.len(), 35, "the hall of the chair is one");
        assert!(sites[1..].iter().all(|site| site["connected"] == true));
        let technician = self
            .server
            .in_room(&self.technician.token)
            .get_ok(&path)
            .await;
        assert_eq!(technician["report"]["rows"], json!([]));
        assert_eq!(technician["report"]["totals"], *totals);
        let site = self.server.in_room(&self.sites[9].token);
        let own = site.get_ok(&path).await;
        assert_eq!(own["report"]["rows"].as_array().unwrap().len(), 1);
        let denied = site.get(&self.site(0, "code")).await;
        assert_eq!(denied.status, 403, "the screen of another hall");
    }

    async fn end(self) -> Moment {
        let end = json!({"t": "modEnd"});
        assert_eq!(self.technician.outcome(end.clone()).await, "forbidden");
        let ended = self.chair.done(end).await;
        let others = self.sites.iter().enumerate().filter(|(at, _)| *at != 2);
        for live in others
            .map(|(_, site)| site)
            .chain([&self.single, &self.secretary])
        {
            let bye = live.after(0, "bye", |told| told["t"] == "bye").await;
            assert_eq!(
                (&bye["action"], &bye["code"]),
                (&json!("stop"), &json!("ended"))
            );
        }
        self.phase("ended").await;
        let code = self.code_of(&self.meeting.organiser).await;
        let absent = &self.meeting.invited.ha_noi[11];
        let late = self.scan(&code, &absent.code, "phone of a latecomer").await;
        assert_eq!((late.status, late.code()), (409, "refused".to_owned()));
        ended
    }

    async fn code_of(&self, caller: &Caller) -> String {
        let shown = caller.get_ok(&self.site(0, "code")).await;
        let url = shown["url"].as_str().unwrap();
        url.rsplit_once("/check/").unwrap().1.to_owned()
    }
}
