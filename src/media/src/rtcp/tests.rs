use super::*;
use proptest::prelude::*;

fn all(compound: &[u8]) -> Vec<Result<Item<'_>, RtcpError>> {
    items(compound).collect()
}

fn only(compound: &[u8]) -> Item<'_> {
    let mut found = all(compound);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).unwrap()
}

fn twcc(compound: &[u8]) -> TwccFeedback<'_> {
    match only(compound) {
        Item::Twcc(feedback) => feedback,
        other => panic!("{other:?}"),
    }
}

/// A packet of 205/15 about `count` packets from 0 on, with these chunks and times.
fn feedback(count: u16, chunks: &[u16], deltas: &[u8]) -> Vec<u8> {
    let mut out = vec![0x8F, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0];
    out.extend(count.to_be_bytes());
    out.extend([0, 0, 1, 7]);
    chunks
        .iter()
        .for_each(|chunk| out.extend(chunk.to_be_bytes()));
    out.extend(deltas);
    out.resize(out.len().next_multiple_of(4), 0);
    let words = (out.len() / 4 - 1) as u16;
    out[2..4].copy_from_slice(&words.to_be_bytes());
    out
}

#[test]
fn a_compound_is_read_packet_by_packet() {
    let mut out = Vec::new();
    write_sender_report(&mut out, 1, 0x1122_3344_5566_7788, 9, 10, 11);
    write_sdes_cname(&mut out, 1, "lophoc");
    write_nack(&mut out, 1, 2, [65_534, 65_535, 0, 14, 15, 40]);
    write_pli(&mut out, 1, 3);
    write_fir(&mut out, 1, &[(4, 200), (5, 1)]);
    write_remb(&mut out, 1, 1_000_000, &[3, 4]);
    out.extend([0x81, 203, 0, 1, 0, 0, 0, 1]);
    out.extend([0x80, 207, 0, 0]);
    let found: Vec<Item<'_>> = all(&out).into_iter().map(Result::unwrap).collect();
    let [sr, sdes, nack, pli, fir, second, remb, bye, other] = found[..] else {
        panic!("{found:?}");
    };
    let Item::SenderReport(sr) = sr else {
        panic!("{sr:?}")
    };
    assert_eq!((sr.ssrc, sr.ntp), (1, 0x1122_3344_5566_7788));
    assert_eq!((sr.rtp, sr.packets, sr.octets), (9, 10, 11));
    assert_eq!(sr.blocks().count(), 0);
    assert_eq!(sdes, Item::Other { packet_type: 202 });
    let Item::Nack {
        sender,
        media,
        lost,
    } = nack
    else {
        panic!("{nack:?}")
    };
    assert_eq!((sender, media), (1, 2));
    assert_eq!(
        lost.collect::<Vec<_>>(),
        [65_534, 65_535, 0, 14, 15, 40],
        "14 is the last number one entry reaches"
    );
    assert_eq!(pli, Item::Pli { media: 3 });
    assert_eq!(fir, Item::Fir { media: 4, seq: 200 });
    assert_eq!(second, Item::Fir { media: 5, seq: 1 });
    let Item::Remb { bits_per_second } = remb else {
        panic!("{remb:?}")
    };
    assert!((999_990..=1_000_000).contains(&bits_per_second));
    assert_eq!(bye, Item::Bye);
    assert_eq!(other, Item::Other { packet_type: 207 });
}

#[test]
fn a_bad_packet_is_told_and_the_rest_is_read_while_lengths_hold() {
    // A NACK without a number, then a PLI.
    let mut out = vec![0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    write_pli(&mut out, 1, 3);
    assert_eq!(
        all(&out),
        [Err(RtcpError::Malformed(205)), Ok(Item::Pli { media: 3 })]
    );
    for end in 1..12 {
        assert_eq!(all(&out[..end]), [Err(RtcpError::Cut)]);
    }
    assert_eq!(all(&[0x41, 200, 0, 0]), [Err(RtcpError::Version(1))]);
    assert_eq!(all(&[]), []);
    // Blocks that are announced and not there; padding longer than the packet, and of nothing.
    assert_eq!(
        all(&[0x82, 201, 0, 1, 0, 0, 0, 1]),
        [Err(RtcpError::Malformed(201))]
    );
    for padding in [0, 9] {
        let bytes = [0xA0, 203, 0, 1, 0, 0, 0, padding];
        assert_eq!(all(&bytes), [Err(RtcpError::Malformed(203))]);
    }
}

#[test]
fn padding_is_no_part_of_a_packet() {
    let mut out = Vec::new();
    write_nack(&mut out, 1, 2, [5]);
    out[0] |= 0x20;
    out[3] += 1;
    out.extend([0, 0, 0, 4]);
    let Item::Nack { lost, .. } = only(&out) else {
        panic!()
    };
    assert_eq!(lost.collect::<Vec<_>>(), [5]);
}

#[test]
fn remb_beyond_64_bits_is_the_largest_number() {
    let mut out = Vec::new();
    write_remb(&mut out, 1, 5, &[]);
    for (exponent, mantissa, bits) in [
        (63u8, 1u8, 1 << 63),
        (63, 2, u64::MAX),
        (63, 0, 0),
        (0, 7, 7),
        (2, 5, 20),
    ] {
        out[17..20].copy_from_slice(&[exponent << 2, 0, mantissa]);
        assert_eq!(
            only(&out),
            Item::Remb {
                bits_per_second: bits
            }
        );
    }
}

#[test]
fn every_form_of_chunk_is_read() {
    // Two that came 1 and 2 units later, a run of three that did not, one large
    // step back, and a vector of which three symbols are beyond the end.
    let bytes = feedback(
        16,
        &[
            1 << 13 | 2,
            3,
            0b11 << 14 | 0b10_00_01_00_00_00_01,
            0b10 << 14 | 0b10_1000_0000_0000,
        ],
        &[1, 2, 0xFF, 0xFE, 9, 4, 5, 6],
    );
    let feedback = twcc(&bytes);
    assert_eq!(
        (feedback.base, feedback.count, feedback.reference_time),
        (0, 16, 1)
    );
    assert_eq!(feedback.feedback_count, 7);
    let came: Vec<(u16, i64)> = feedback
        .statuses()
        .filter_map(|(seq, at)| Some((seq, at?)))
        .collect();
    assert_eq!(
        came,
        [
            (0, 257),
            (1, 259),
            (5, 257),
            (7, 266),
            (11, 270),
            (12, 275),
            (14, 281)
        ]
    );
    assert_eq!(feedback.statuses().count(), 16);
}

#[test]
fn feedback_with_something_missing_or_reserved_is_refused() {
    let refused = |bytes: &[u8]| assert_eq!(all(bytes), [Err(RtcpError::Malformed(205))]);
    // Times: two of three, then none of a large one.
    refused(&feedback(5, &[1 << 13 | 5], &[1, 1]));
    refused(&feedback(2, &[2 << 13 | 2], &[1, 1]));
    // Chunks for fewer packets than it speaks of; of none.
    refused(&feedback(9, &[8, 0], &[]));
    refused(&feedback(0, &[8, 0], &[]));
    // Reserved symbols.
    refused(&feedback(1, &[3 << 13 | 1, 0], &[1, 1, 1, 1]));
    refused(&feedback(7, &[0b11 << 14 | 3, 0], &[1; 8]));
    // The reference time is signed.
    let mut bytes = feedback(1, &[1 << 13 | 1], &[3, 0]);
    bytes[16..19].copy_from_slice(&[0xFF, 0xFF, 0xFF]);
    assert_eq!(twcc(&bytes).reference_time, -1);
    assert_eq!(twcc(&bytes).statuses().next(), Some((0, Some(-253))));
}

#[test]
fn a_few_bytes_cannot_speak_of_packets_without_end() {
    // Eight runs of nothing: 65,528 packets in 36 bytes.
    let flood = feedback(65_528, &[8_191; 8], &[]);
    assert_eq!(all(&flood), [Err(RtcpError::TooMuch)]);
    let some = feedback(8_000, &[8_000], &[]);
    let many = [some.clone(), some.clone(), some].concat();
    assert!(matches!(
        all(&many)[..],
        [Ok(_), Ok(_), Err(RtcpError::TooMuch)]
    ));
}

#[test]
fn a_jump_too_large_makes_another_feedback() {
    let mut out = Vec::new();
    let arrivals = [Some(0), None, Some(10), Some(100_000), Some(100_001)];
    assert_eq!(write_twcc(&mut out, (1, 2), 0, 10, &arrivals), 3);
    assert_eq!(write_twcc(&mut out, (1, 2), 1, 13, &arrivals[3..]), 2);
    let found: Vec<Vec<(u16, Option<i64>)>> = all(&out)
        .into_iter()
        .map(|item| match item {
            Ok(Item::Twcc(feedback)) => feedback.statuses().collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            vec![(10, Some(0)), (11, None), (12, Some(10))],
            vec![(13, Some(100_000)), (14, Some(100_001))]
        ]
    );
    let before = out.len();
    assert_eq!(write_twcc(&mut out, (1, 2), 0, 10, &[None, None]), 0);
    assert_eq!(out.len(), before);
}

#[test]
fn nothing_is_allocated_where_there_is_room() {
    let mut out = Vec::with_capacity(1_200);
    let at = out.as_ptr();
    write_sender_report(&mut out, 1, 2, 3, 4, 5);
    write_sdes_cname(&mut out, 1, "a name");
    write_twcc(&mut out, (1, 2), 0, 10, &[Some(5); 300]);
    assert_eq!(out.as_ptr(), at);
}

/// Arrivals with runs, gaps, steps large and back.
fn arrivals() -> impl Strategy<Value = Vec<Option<i64>>> {
    let step = prop_oneof![
        3 => (0i64..40).prop_map(Some),
        1 => (-300i64..2_000).prop_map(Some),
        2 => Just(None),
    ];
    let part = (step, 1usize..40);
    (
        -1_000_000i64..1_000_000,
        proptest::collection::vec(part, 1..30),
    )
        .prop_map(|(mut time, parts)| {
            let mut out = Vec::new();
            for (step, times) in parts {
                for _ in 0..times {
                    out.push(step.map(|step| {
                        time += step;
                        time
                    }));
                }
            }
            out
        })
}

proptest! {
    #[test]
    fn what_is_written_as_feedback_is_read(
        arrivals in arrivals(),
        base in any::<u16>(),
        number in any::<u8>(),
    ) {
        let mut out = Vec::new();
        let count = write_twcc(&mut out, (1, 2), number, base, &arrivals);
        prop_assert_eq!(usize::from(count) == arrivals.len(), arrivals.iter().any(Option::is_some));
        if count > 0 {
            let feedback = twcc(&out);
            prop_assert_eq!((feedback.base, feedback.count, feedback.feedback_count), (base, count, number));
            let read: Vec<_> = feedback.statuses().collect();
            let whole: Vec<_> = arrivals
                .iter()
                .enumerate()
                .map(|(i, at)| (base.wrapping_add(i as u16), *at))
                .collect();
            prop_assert_eq!(read, whole);
        }
    }

    #[test]
    fn what_is_written_as_nack_is_read(
        first in any::<u16>(),
        steps in proptest::collection::vec(1u16..60, 1..100),
    ) {
        let mut lost = vec![first];
        for step in steps {
            lost.push(lost[lost.len() - 1].wrapping_add(step));
        }
        let mut out = Vec::new();
        write_nack(&mut out, 7, 8, lost.iter().copied());
        let Item::Nack { sender: 7, media: 8, lost: read } = only(&out) else {
            return Err(TestCaseError::fail("another item"));
        };
        prop_assert_eq!(read.collect::<Vec<_>>(), lost);
    }

    #[test]
    fn what_is_written_as_reports_is_read(
        ssrc in any::<u32>(),
        raw in proptest::collection::vec(
            (any::<(u32, u8, u32, u32)>(), -0x80_0000i32..0x80_0000, any::<(u32, u32)>()), 0..40),
        bits in any::<u64>(),
    ) {
        let blocks: Vec<ReportBlock> = raw
            .into_iter()
            .map(|((ssrc, fraction_lost, highest, jitter), lost, (lsr, dlsr))| ReportBlock {
                ssrc, fraction_lost, lost, highest, jitter, lsr, dlsr,
            })
            .collect();
        let mut out = Vec::new();
        write_receiver_report(&mut out, ssrc, &blocks);
        write_remb(&mut out, ssrc, bits, &[1]);
        let found = all(&out);
        let Ok(Item::ReceiverReport { ssrc: read, blocks: given }) = found[0] else {
            return Err(TestCaseError::fail("another item"));
        };
        prop_assert_eq!(read, ssrc);
        prop_assert_eq!(given.collect::<Vec<_>>(), &blocks[..blocks.len().min(31)]);
        let Ok(Item::Remb { bits_per_second }) = found[1] else {
            return Err(TestCaseError::fail("another item"));
        };
        prop_assert!(bits_per_second <= bits && bits - bits_per_second <= bits >> 17);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_cost_no_more_than_they_may(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_500),
        packet_type in 200u8..208,
        count in 0u8..32,
        words in any::<u16>(),
    ) {
        let mut known = bytes.clone();
        if let Some(header) = known.first_chunk_mut::<4>() {
            let words = words % 400;
            *header = [0x80 | count, packet_type, (words >> 8) as u8, words as u8];
        }
        for bytes in [bytes, known] {
            let (mut found, mut statuses) = (0, 0);
            for item in items(&bytes) {
                found += 1;
                match item {
                    Ok(Item::Twcc(feedback)) => {
                        let read = feedback.statuses().count();
                        prop_assert_eq!(read, usize::from(feedback.count));
                        statuses += read;
                    }
                    Ok(Item::Nack { lost, .. }) => {
                        prop_assert!(lost.count() <= bytes.len() / 4 * 17);
                    }
                    Ok(Item::ReceiverReport { blocks, .. }) => prop_assert!(blocks.count() < 32),
                    Ok(Item::SenderReport(report)) => prop_assert!(report.blocks().count() < 32),
                    _ => {}
                }
            }
            prop_assert!(found <= bytes.len() / 4 + 1);
            prop_assert!(statuses <= MAX_STATUSES as usize);
        }
    }
}
