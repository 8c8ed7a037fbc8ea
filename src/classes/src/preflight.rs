//! The check of a site (điểm cầu) before a session: what its browser found, and
//! what the people of the live desk make of it.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Longest round-trip time that is kept, ms; longer ones are as long as this.
pub const MAX_RTT_MS: u32 = 60_000;

/// What came of trying a camera, a microphone or a loudspeaker.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum DeviceCheck {
    /// Works.
    Good,
    /// A microphone that hears nothing, a loudspeaker that nobody heard.
    Silent,
    /// There is none.
    Missing,
    /// The browser was not allowed to use it.
    Blocked,
    /// It failed otherwise: another program holds it, for example.
    Failed,
    /// Was not tried.
    Untried,
}

/// Whether a way through the network leads to the server.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum WayState {
    /// Yes.
    Good,
    /// No.
    Failed,
    /// The server offers no such way.
    Absent,
    /// Was not tried.
    Untried,
}

/// One way through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WayCheck {
    /// Whether it leads to the server.
    pub state: WayState,
    /// Round-trip time, ms, where it was measured.
    #[serde(default)]
    pub rtt_ms: Option<u32>,
}

/// What the check of a browser found. No names of devices, no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckReport {
    /// The browser can take part: new enough, on a secure page.
    pub browser: bool,
    /// Camera.
    pub camera: DeviceCheck,
    /// Microphone.
    pub microphone: DeviceCheck,
    /// Loudspeaker.
    pub speaker: DeviceCheck,
    /// The websocket.
    pub websocket: WayCheck,
    /// Sound and picture by UDP.
    pub udp: WayCheck,
    /// Sound and picture by TCP.
    pub tcp: WayCheck,
    /// Sound and picture by a relay (TURN).
    pub turn: WayCheck,
}

/// What a fault lies in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum CheckPart {
    /// The browser.
    Browser,
    /// The websocket.
    Websocket,
    /// No way for sound and picture.
    Network,
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// The loudspeaker.
    Speaker,
}

/// The outcome of a check in one word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum CheckVerdict {
    /// All is well.
    Passed,
    /// All is well, but sound and picture come by TCP only.
    PassedTcp,
    /// All is well, but sound and picture come by a relay only.
    PassedTurn,
    /// Something is wrong.
    Fault,
}

impl CheckReport {
    /// What is wrong, the most important first. What was not tried is wrong: the
    /// people of the desk rely on it.
    pub fn faults(&self) -> Vec<CheckPart> {
        let good = |way: WayCheck| way.state == WayState::Good;
        [
            (CheckPart::Browser, self.browser),
            (CheckPart::Websocket, good(self.websocket)),
            (
                CheckPart::Network,
                good(self.udp) || good(self.tcp) || good(self.turn),
            ),
            (CheckPart::Camera, self.camera == DeviceCheck::Good),
            (CheckPart::Microphone, self.microphone == DeviceCheck::Good),
            (CheckPart::Speaker, self.speaker == DeviceCheck::Good),
        ]
        .into_iter()
        .filter_map(|(part, well)| (!well).then_some(part))
        .collect()
    }

    /// The outcome.
    pub fn verdict(&self) -> CheckVerdict {
        if !self.faults().is_empty() {
            CheckVerdict::Fault
        } else if self.udp.state == WayState::Good {
            CheckVerdict::Passed
        } else if self.tcp.state == WayState::Good {
            CheckVerdict::PassedTcp
        } else {
            CheckVerdict::PassedTurn
        }
    }

    /// The report with round-trip times within [`MAX_RTT_MS`], and only where
    /// there was a way to measure.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for way in [
            &mut self.websocket,
            &mut self.udp,
            &mut self.tcp,
            &mut self.turn,
        ] {
            way.rtt_ms = way
                .rtt_ms
                .filter(|_| way.state == WayState::Good)
                .map(|ms| ms.min(MAX_RTT_MS));
        }
        self
    }
}

/// `POST /api/v1/preflight`: a site sends what its check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreflightForm {
    /// The part of the preflight link after `/preflight/`.
    pub key: String,
    /// What was found.
    pub report: CheckReport,
    /// Who can be asked, at most 100 characters.
    #[serde(default)]
    pub contact: String,
    /// A note, at most 500 characters.
    #[serde(default)]
    pub note: String,
}

/// The newest check of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preflight {
    /// When it came, ms.
    pub at_ms: u64,
    /// Outcome.
    pub verdict: CheckVerdict,
    /// What is wrong.
    pub faults: Vec<CheckPart>,
    /// What was found.
    pub report: CheckReport,
    /// Who can be asked; empty for those without the right to see the roster.
    pub contact: String,
    /// Note; empty for those without the right to see the roster.
    pub note: String,
}

/// A site of the live desk with its check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SitePreflight {
    /// The site.
    pub site: PersonKey,
    /// Its name.
    pub name: String,
    /// Its newest check; absent: not yet.
    #[serde(default)]
    pub last: Option<Preflight>,
}

/// A preflight link of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreflightLink {
    /// The site.
    pub site: PersonKey,
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Absolute address.
    pub url: String,
    /// Good until then, ms.
    pub until_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(state: WayState) -> WayCheck {
        WayCheck {
            state,
            rtt_ms: Some(90_000),
        }
    }

    fn well() -> CheckReport {
        CheckReport {
            browser: true,
            camera: DeviceCheck::Good,
            microphone: DeviceCheck::Good,
            speaker: DeviceCheck::Good,
            websocket: way(WayState::Good),
            udp: way(WayState::Good),
            tcp: way(WayState::Good),
            turn: way(WayState::Absent),
        }
    }

    #[test]
    fn the_best_way_that_leads_there_names_the_outcome() {
        let mut report = well();
        assert_eq!(report.verdict(), CheckVerdict::Passed);
        report.udp = way(WayState::Failed);
        assert_eq!(report.verdict(), CheckVerdict::PassedTcp);
        report.tcp = way(WayState::Absent);
        assert_eq!(report.verdict(), CheckVerdict::Fault);
        assert_eq!(report.faults(), [CheckPart::Network]);
        report.turn = way(WayState::Good);
        assert_eq!(report.verdict(), CheckVerdict::PassedTurn);
    }

    #[test]
    fn what_was_not_tried_is_a_fault() {
        let report = CheckReport {
            camera: DeviceCheck::Untried,
            speaker: DeviceCheck::Silent,
            websocket: way(WayState::Untried),
            ..well()
        };
        assert_eq!(report.verdict(), CheckVerdict::Fault);
        assert_eq!(
            report.faults(),
            [CheckPart::Websocket, CheckPart::Camera, CheckPart::Speaker]
        );
    }

    #[test]
    fn times_are_bounded_and_belong_to_ways_that_lead_there() {
        let report = well().bounded();
        assert_eq!(report.udp.rtt_ms, Some(MAX_RTT_MS));
        assert_eq!(report.turn.rtt_ms, None);
    }
}
