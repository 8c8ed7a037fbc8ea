//! The two ways out held against each other, and what must never repeat.

use std::collections::{HashMap, HashSet};

use lophoc_media::classify::Datagram;
use lophoc_media::rtp::RtpView;
use proptest::prelude::*;

use super::*;
use crate::test_client::Received;

/// One packet of a plan: slot, size of the payload, how many ticks the timestamp
/// steps before it, whether it changes places with the one before.
#[derive(Debug, Clone)]
struct Step {
    slot: usize,
    size: usize,
    ends_frame: bool,
    swapped: bool,
    level: u8,
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (
        0usize..5,
        1usize..1_150,
        any::<bool>(),
        proptest::bool::weighted(0.1),
        0u8..128,
    );
    let step = step.prop_map(|(slot, size, ends_frame, swapped, level)| Step {
        slot,
        size,
        ends_frame,
        swapped,
        level,
    });
    proptest::collection::vec(proptest::collection::vec(step, 1..9), 1..25)
}

/// The visits of a plan, the same for every connection.
fn visits(plan: &[Vec<Step>], first: u64) -> Vec<Vec<Forward>> {
    let mut seqs = [first; 5];
    let mut stamps = [7_000u32; 5];
    let mut all = Vec::new();
    for steps in plan {
        let mut visit: Vec<Forward> = Vec::new();
        for step in steps {
            let (slot, codec) = match step.slot {
                0 | 1 => (SlotRef::Audio(step.slot as u8), Codec::Opus),
                2 | 3 => (SlotRef::Video(step.slot as u8 - 2), Codec::Vp8),
                _ => (SlotRef::Screen(0), Codec::Vp8),
            };
            let audio = codec == Codec::Opus;
            let seq = seqs[step.slot];
            seqs[step.slot] += 1;
            let body = vp8(seq as u16, true, false, step.size);
            visit.push(Forward {
                slot,
                codec,
                seq,
                ts: stamps[step.slot],
                marker: step.ends_frame,
                level: audio.then_some(step.level),
                capture_ntp: step.ends_frame.then_some(NTP + (seq << 20)),
                vp8: (!audio).then_some(Vp8Numbers {
                    picture_id: (seq & 0x7fff) as u16,
                    tl0: (seq & 0xff) as u8,
                }),
                resend: false,
                red: false,
                payload: Arc::from(body),
            });
            if step.ends_frame || audio {
                stamps[step.slot] = stamps[step.slot].wrapping_add(3_000);
            }
            let last = visit.len() - 1;
            // Before the first number it saw a client takes nothing.
            let begun = |forward: &Forward| forward.seq > first + 1;
            if step.swapped && last > 0 && visit[last - 1..].iter().all(begun) {
                visit.swap(last, last - 1);
            }
        }
        // As the core gives them: sound first.
        visit.sort_by_key(|forward| forward.codec != Codec::Opus);
        all.push(visit);
    }
    all
}

/// What a client got on each slot, in the order of the numbers.
fn received(pair: &Pair) -> Vec<Vec<Received>> {
    (0..5)
        .map(|slot| {
            let mut got = pair.client.on_slot(slot).to_vec();
            got.sort_by_key(|packet| packet.seq);
            got
        })
        .collect()
}

fn play(egress: EgressKind, visits: Vec<Vec<Forward>>) -> Vec<Vec<Received>> {
    let mut pair = Pair::of(egress, &[]);
    for visit in visits {
        pair.visit(visit);
        pair.run(Duration::from_millis(40));
    }
    pair.run(Duration::from_millis(300));
    received(&pair)
}

/// Numbers of everything that left, told by what is readable.
#[derive(Default)]
struct Wire {
    highest: HashMap<u32, u64>,
    rtp: HashSet<(u32, u64)>,
    rtcp: HashSet<u32>,
}

impl Wire {
    fn note(&mut self, datagram: &[u8]) {
        match lophoc_media::classify::classify(datagram) {
            Datagram::Rtp => {
                let view = RtpView::parse(datagram).unwrap();
                let highest = self.highest.entry(view.ssrc).or_insert(u64::from(view.seq));
                let ahead = view.seq.wrapping_sub(*highest as u16) as i16;
                let index = highest.checked_add_signed(i64::from(ahead)).unwrap();
                *highest = index.max(*highest);
                assert!(
                    self.rtp.insert((view.ssrc, index)),
                    "{} {index} twice",
                    view.ssrc
                );
            }
            Datagram::Rtcp => {
                // Tag, then the index.
                let index = datagram.last_chunk::<4>().unwrap();
                assert!(
                    self.rtcp.insert(u32::from_be_bytes(*index)),
                    "a report twice"
                );
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_out_bring_the_client_the_same(plan in steps(), first in 1u64..60_000) {
        let visits = visits(&plan, first);
        let direct = play(EgressKind::Direct, visits.clone());
        let engine = play(EgressKind::Engine, visits.clone());
        for (slot, (direct, engine)) in direct.iter().zip(&engine).enumerate() {
            let tell = |p: &Received| {
                (p.codec, p.seq, p.ts, p.marker, p.level, p.has_mid, p.has_capture_time, p.payload.clone())
            };
            let (a, b): (Vec<_>, Vec<_>) = (direct.iter().map(tell).collect(), engine.iter().map(tell).collect());
            prop_assert_eq!(a, b, "slot {}", slot);
        }
        let sent: usize = visits.iter().map(Vec::len).sum();
        prop_assert_eq!(direct.iter().map(Vec::len).sum::<usize>(), sent);
    }

    /// Repeated and disordered numbers, storms of repetitions, a restart of ICE in
    /// the middle: no stream sends a number twice under the one key it has.
    #[test]
    fn no_number_leaves_twice(
        plan in steps(),
        first in 65_000u64..65_536,
        repeats in proptest::collection::vec((0usize..25, any::<bool>()), 0..60),
        restart in 0usize..25,
    ) {
        let visits = visits(&plan, first);
        let mut pair = Pair::connected();
        for (nth, visit) in visits.iter().enumerate() {
            if nth == restart {
                let offer = pair.client.restart();
                let answer = pair.session.restart(&offer).unwrap();
                pair.client.accept(&answer);
            }
            pair.visit(visit.clone());
            for (of, resend) in repeats.iter().filter(|(of, _)| *of <= nth) {
                let Some(again) = visits.get(*of) else { continue };
                let mut again = again.clone();
                for forward in &mut again {
                    forward.resend = *resend && forward.codec != Codec::Opus;
                }
                pair.visit(again);
            }
            pair.run(Duration::from_millis(100));
        }
        let mut wire = Wire::default();
        for datagram in &pair.sent {
            wire.note(datagram);
        }
        prop_assert!(wire.rtp.len() >= visits.iter().map(Vec::len).sum::<usize>());
        prop_assert!(!wire.rtcp.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a client says it misses, it is sent little more than the share of its
    /// bandwidth that is meant for that.
    #[test]
    fn a_storm_of_repetitions_is_bounded(
        reports in proptest::collection::vec((0u64..60, proptest::collection::vec((any::<u16>(), any::<u16>()), 1..300)), 1..150),
    ) {
        let mut pair = Pair::connected();
        pair.visit(frame(10, 5, true));
        pair.run(Duration::from_millis(100));
        let media = pair.client.on_slot(2)[0].ssrc;
        pair.outlet.events.clear();
        let (mut now, begin) = (pair.now, pair.now);
        for (wait, entries) in reports {
            now += Duration::from_millis(wait);
            let mut report = vec![0x81, 205];
            report.extend((2 + entries.len() as u16).to_be_bytes());
            report.extend(1u32.to_be_bytes());
            report.extend(media.to_be_bytes());
            for (first, mask) in entries {
                report.extend(first.to_be_bytes());
                report.extend(mask.to_be_bytes());
            }
            pair.session.direct().act(now, &report, &mut pair.outlet);
        }
        let missed = |e: &&SessionEvent| matches!(e, SessionEvent::Missed { .. });
        let asked = pair.outlet.events.iter().filter(missed).count() as f64 * 1_200.0;
        let rate = pair.session.direct().rate.estimate() as f64 / 8.0;
        let allowed = 48_000.0 + 0.2 * rate * (now - begin).as_secs_f64() + 1_200.0;
        prop_assert!(asked <= allowed, "{} of {}", asked, allowed);
    }

    #[test]
    fn whatever_a_client_reports_the_session_goes_on(
        reports in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..40),
        kinds in proptest::collection::vec(200u8..208, 40),
    ) {
        let mut pair = Pair::connected();
        pair.visit(frame(10, 5, true));
        for (mut report, kind) in reports.into_iter().zip(kinds) {
            // Halfway right: version, a kind there is, a length that fits.
            let words = report.len() / 4;
            if words > 0 {
                report.truncate(4 * words);
                report[0] = 0x80 | report[0] & 0x3f;
                report[1] = kind;
                report[2..4].copy_from_slice(&(words as u16 - 1).to_be_bytes());
            }
            let now = pair.now;
            pair.session.direct().act(now, &report, &mut pair.outlet);
            pair.run(Duration::from_millis(20));
        }
        pair.visit(frame(20, 5, true));
        pair.run(Duration::from_secs(3));
        prop_assert!(pair.client.on_slot(2).iter().any(|packet| packet.seq >= 20));
    }
}

#[test]
fn reports_map_timestamps_to_the_wall_and_the_answer_tells_the_round_trip() {
    let mut pair = Pair::connected();
    for n in 0..150u64 {
        pair.visit(frame(10 + n, 1, n == 0));
        pair.run(Duration::from_millis(33));
    }
    // The client saw a sender report and echoed it; there is no way between them.
    let rtt = pair.session.report.rtt.unwrap();
    assert!(rtt < Duration::from_millis(5), "{rtt:?}");
    assert_eq!(pair.session.report.loss, Some(0.0));
}

#[test]
fn a_frame_of_two_sizes_leaves_in_one_size() {
    let mut pair = Pair::connected();
    pair.run(Duration::from_secs(1));
    pair.outlet.datagrams.clear();
    let mut packets = frame(10, 6, true);
    for (n, packet) in packets.iter_mut().enumerate() {
        let mut payload = packet.payload.to_vec();
        payload.truncate(if n < 3 { 1_000 } else { 1_001 });
        packet.payload = Arc::from(payload);
    }
    packets[5].payload = Arc::from(&packets[5].payload[..400]);
    let before: Vec<_> = packets.iter().map(|p| p.payload.len()).collect();
    pair.visit(packets);
    let sizes: Vec<_> = pair.outlet.datagrams.iter().map(Vec::len).collect();
    assert_eq!(sizes[..5], [sizes[4]; 5]);
    assert_eq!(sizes[4] - sizes[5], 601);
    // What arrives is what was sent.
    pair.run(Duration::from_millis(100));
    let got: Vec<_> = pair
        .client
        .on_slot(2)
        .iter()
        .map(|p| p.payload.len())
        .collect();
    assert_eq!(got, before);
}

#[test]
fn forged_and_broken_reports_do_nothing() {
    let mut pair = Pair::connected();
    pair.visit(frame(10, 3, true));
    pair.run(Duration::from_millis(50));
    let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
    pair.outlet.events.clear();
    for length in 0..120 {
        let bytes: Vec<u8> = [0x81, 205, 0, 9].into_iter().cycle().take(length).collect();
        let out = &mut pair.outlet;
        pair.session
            .receive(pair.now, Way::Udp, client, server, &bytes, out)
            .unwrap();
    }
    assert!(pair.outlet.events.is_empty());
    assert!(pair.session.counters.refused >= 100);
}

#[test]
fn redundant_sound_names_the_clients_own_number_of_opus() {
    use lophoc_media::red::{RedPacker, primary};

    let mut pair = Pair::connected();
    assert!(pair.session.takes_red());
    let (opus, red) = pair.client.payload_types(str0m::format::Codec::Opus);
    assert!(red.is_some());
    let mut packer = RedPacker::default();
    for n in 0..5u64 {
        let packet = SourcePacket {
            codec: Codec::Opus,
            layer: Layer(0),
            seq: 100 + n,
            ts: n as u32 * 960,
            marker: false,
            level: None,
            capture_ntp: None,
            payload: Arc::from([0x78, n as u8]),
        };
        packer.push(&packet);
        let made = packer.payload(100);
        let forward = Forward {
            slot: SlotRef::Audio(0),
            codec: Codec::Opus,
            seq: packet.seq,
            ts: packet.ts,
            marker: false,
            level: None,
            capture_ntp: None,
            vp8: None,
            resend: false,
            red: made.is_some(),
            payload: made.unwrap_or(packet.payload),
        };
        pair.visit(vec![forward]);
        pair.run(Duration::from_millis(20));
    }
    let got = pair.client.on_slot(0);
    assert_eq!(got.len(), 5);
    assert_eq!(got[0].payload, [0x78, 0]);
    for (n, packet) in (1u8..).zip(&got[1..]) {
        let found = primary(&packet.payload).unwrap();
        assert_eq!(found.payload, [0x78, n]);
        assert_eq!(found.payload_type, *opus);
        assert_eq!(found.redundant, usize::from(n.min(2)));
        assert_eq!(packet.payload[0], 0x80 | *opus);
    }
}

#[test]
fn a_flood_of_reports_is_cut_off_and_ends_with_its_second() {
    let mut pair = Pair::connected();
    let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
    let refused = |pair: &Pair| pair.session.counters.refused;
    let before = refused(&pair);
    let bytes = [&[0x81u8, 201, 0, 7][..], &[1; 40]].concat();
    for _ in 0..2_000 {
        let out = &mut pair.outlet;
        pair.session
            .receive(pair.now, Way::Udp, client, server, &bytes, out)
            .unwrap();
    }
    assert_eq!(refused(&pair) - before, 2_000, "none of them was authentic");
    // The true ones of the next second count.
    pair.run(Duration::from_millis(1_100));
    let since = refused(&pair);
    for n in 0..60u64 {
        pair.visit(frame(10 + n, 1, n == 0));
        pair.run(Duration::from_millis(50));
    }
    assert_eq!(refused(&pair), since);
    assert!(pair.session.report.loss.is_some());
}

#[test]
fn numbers_nobody_sent_silence_no_slot_for_ever() {
    let mut pair = Pair::connected();
    let mut seq = 50;
    let mut sent = 0;
    for leap in [1u64, 40_000, 5, 200_000, 33_000, 7] {
        seq += leap;
        for _ in 0..3 {
            let mut packets = frame(seq, 1, sent == 0);
            packets[0].ts = sent as u32 * 3_000;
            pair.visit(packets);
            pair.run(Duration::from_millis(33));
            (seq, sent) = (seq + 1, sent + 1);
        }
    }
    assert_eq!(pair.client.on_slot(2).len(), sent);
    assert_eq!(pair.session.counters.no_codec, 0);
}
