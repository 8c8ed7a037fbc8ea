//! Against the vectors of RFC 3711 and RFC 7714, and against ourselves.

use std::collections::HashSet;

use proptest::prelude::*;

use super::keys::{Way, What};
use super::seal::Indices;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn both(profile: Profile) -> (Caught, Caught) {
    let len = match profile {
        Profile::Cm => 60,
        Profile::Gcm128 => 56,
        Profile::Gcm256 => 88,
    };
    let material: Vec<u8> = (0..len).map(|n| (n * 7 + 3) as u8).collect();
    (
        Caught::of(profile, material.clone(), true),
        Caught::of(profile, material, false),
    )
}

#[test]
fn session_keys_are_those_of_rfc_3711_appendix_b3() {
    let mut material = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
    material.extend([0; 16]);
    material.extend(hex("0EC675AD498AFEEBB6960B3AABE6"));
    material.extend([0; 14]);
    let keys = Caught::of(Profile::Cm, material, true);
    let derived = keys.derive(Way::Out, What::Rtp).unwrap();
    assert_eq!(derived.key(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived.salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        derived.auth[..],
        hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
    );
}

#[test]
fn what_one_end_seals_the_other_opens_and_only_once() {
    for profile in [Profile::Cm, Profile::Gcm128, Profile::Gcm256] {
        let (client, server) = both(profile);
        let mut sealer = Sealer::new(&client).unwrap();
        let mut opener = Opener::new(&server).unwrap();
        let report = [&[0x81, 201, 0, 7, 1, 2, 3, 4][..], &[9; 24]].concat();
        let mut sealed = Vec::new();
        for _ in 0..3 {
            let mut packet = report.clone();
            sealer.seal_rtcp(&mut packet).unwrap();
            assert_ne!(&packet[8..32], &report[8..]);
            assert!(packet.len() - report.len() <= MAX_OVERHEAD);
            sealed.push(packet);
        }
        let mut out = Vec::new();
        for packet in [&sealed[0], &sealed[2], &sealed[1]] {
            opener.open(packet, &mut out).unwrap();
            assert_eq!(out, report);
        }
        assert_eq!(opener.open(&sealed[1], &mut out), Err(SrtpError::Replayed));
        let mut forged = sealed[0].clone();
        forged[12] ^= 1;
        assert_eq!(opener.open(&forged, &mut out), Err(SrtpError::Forged));
    }
}

#[test]
fn the_ends_of_a_connection_seal_with_different_keys() {
    for profile in [Profile::Cm, Profile::Gcm128, Profile::Gcm256] {
        let (client, server) = both(profile);
        let mut out = Vec::new();
        let mut packet = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        Sealer::new(&client)
            .unwrap()
            .seal_rtcp(&mut packet)
            .unwrap();
        let own = Opener::new(&client).unwrap().open(&packet, &mut out);
        assert_eq!(own, Err(SrtpError::Forged));
        let other = Opener::new(&server).unwrap().open(&packet, &mut out);
        assert_eq!(other, Ok(()));
    }
}

#[test]
fn material_that_is_too_short_is_refused() {
    let keys = Caught::of(Profile::Gcm256, vec![1; 50], false);
    assert!(matches!(Sealer::new(&keys), Err(SrtpError::Keys)));
}

proptest! {
    #[test]
    fn no_index_is_given_out_twice(
        start in 0u64..0x1_0000,
        steps in proptest::collection::vec((-100i64..40_000, any::<bool>()), 1..400),
    ) {
        let (mut indices, mut given) = (Indices::default(), HashSet::new());
        let mut at = i64::try_from(start).unwrap();
        for (step, next) in steps {
            at = (at + step % 300).max(0);
            let index = if next { indices.give_next() } else { indices.give(at as u64) };
            if let Some(index) = index {
                // Debug tells the number; the type has no other way to it.
                let number = format!("{index:?}");
                prop_assert!(given.insert(number));
            }
        }
    }

    #[test]
    fn whatever_comes_opens_to_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for profile in [Profile::Cm, Profile::Gcm128, Profile::Gcm256] {
            let (_, server) = both(profile);
            prop_assert!(Opener::new(&server).unwrap().open(&bytes, &mut Vec::new()).is_err());
        }
    }
}
