//! Names: order, search, comparison.

use lophoc_ledger::{NameOrder, fold_name, match_name, name_key, name_key_in};
use proptest::prelude::*;

/// The list of domain-vn.md 3.7 under rule 1: given name, then the rest.
const GIVEN_THEN_REST: [&str; 22] = [
    "Đặng Thị Ái",
    "Nguyễn Văn An",
    "Dương Văn Anh",
    "Phạm Đức Anh",
    "Bùi Thị Ngọc Ánh",
    "Nguyễn Thị Ánh",
    "Trần Thị Ánh",
    "Đỗ Văn Ân",
    "Lê Thị Ân",
    "Nguyễn Thị Dung",
    "Nguyễn Văn Dũng",
    "Nguyễn Đức Đạt",
    "Trần Đình Đức",
    "Hoàng Hà",
    "Vũ Thị Hà",
    "Hồ Thị Hả",
    "Lý Hạ",
    "Đinh Thị Hải",
    "Ngô Thị Hằng",
    "Ngô Thị Hân",
    "Nguyễn Thị Ý",
    "Nguyễn Thị Yến",
];

fn sorted<'a>(names: &[&'a str], order: NameOrder) -> Vec<&'a str> {
    let mut sorted = names.to_vec();
    sorted.reverse();
    sorted.swap(0, names.len() / 2);
    sorted.sort_by_cached_key(|name| name_key_in(order, name, None));
    sorted
}

#[test]
fn rule_1_sorts_by_given_name_then_the_rest() {
    assert_eq!(
        sorted(&GIVEN_THEN_REST, NameOrder::GivenThenRest),
        GIVEN_THEN_REST
    );
    for pair in GIVEN_THEN_REST.windows(2) {
        assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
    }
}

#[test]
fn rule_2_sorts_by_given_name_middle_name_surname() {
    let mut expected = GIVEN_THEN_REST;
    // Phạm Đức Anh before Dương Văn Anh, Lê Thị Ân before Đỗ Văn Ân; and the
    // three of "Thị Ánh" keep their order: Ngọc is part of the middle name.
    expected.swap(2, 3);
    expected.swap(7, 8);
    let by_middle = sorted(&GIVEN_THEN_REST, NameOrder::GivenMiddleSurname);
    let at = |name: &str| by_middle.iter().position(|other| *other == name).unwrap();
    assert!(at("Phạm Đức Anh") < at("Dương Văn Anh"));
    assert!(at("Lê Thị Ân") < at("Đỗ Văn Ân"));
    // "Thị" comes before "Thị Ngọc".
    expected[4..7].copy_from_slice(&["Nguyễn Thị Ánh", "Trần Thị Ánh", "Bùi Thị Ngọc Ánh"]);
    assert_eq!(by_middle, expected);
}

#[test]
fn letters_come_in_the_order_of_the_alphabet_and_tones_in_that_of_the_locale_data() {
    let letters = [
        "a", "ă", "â", "b", "c", "d", "đ", "e", "ê", "g", "h", "i", "k", "l", "m", "n", "o", "ô",
        "ơ", "p", "q", "r", "s", "t", "u", "ư", "v", "x", "y",
    ];
    for pair in letters.windows(2) {
        assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
    }
    let tones = [
        "ma", "mà", "mả", "mã", "má", "mạ", "mă", "mằ", "mẳ", "mẵ", "mắ", "mặ", "mâ", "mầ", "mậ",
    ];
    for pair in tones.windows(2) {
        assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
    }
}

#[test]
fn groups_of_letters_are_no_letters_of_their_own() {
    assert!(name_key("Nghệ") < name_key("Ninh"));
    assert!(name_key("Tha") < name_key("Ti"));
}

#[test]
fn large_letters_do_not_part_people_of_one_given_name() {
    let sorted_names = ["BÙI THỊ AN", "Lê Văn An", "TRẦN VĂN AN"];
    for pair in sorted_names.windows(2) {
        assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
    }
}

#[test]
fn an_explicit_key_stands_in_place_of_the_given_name() {
    let key = |name: &str, sort: Option<&str>| name_key_in(NameOrder::GivenThenRest, name, sort);
    let moan = key("Y Moan Êban", Some("Moan"));
    assert!(key("Nguyễn Văn Lâm", None) < moan);
    assert!(moan < key("Nguyễn Văn Nam", None));
    assert!(key("Y Moan Êban", Some("  ")) < key("Nguyễn Văn Lâm", None));
}

#[test]
fn search_needs_no_marks() {
    assert_eq!(fold_name("Nguyễn Thị Hằng"), "nguyen thi hang");
    assert_eq!(fold_name("  ĐỖ\tĐức  Đạt "), "do duc dat");
    assert_eq!(fold_name("Ngô Thị Ha\u{306}\u{300}ng"), "ngo thi hang");
    assert_eq!(fold_name("H’Hen Niê"), "h'hen nie");
}

#[test]
fn both_styles_of_placing_a_tone_match() {
    for (old, new) in [
        ("Hòa", "Hoà"),
        ("Thúy", "Thuý"),
        ("Thủy", "Thuỷ"),
        ("Khỏe", "Khoẻ"),
        ("Lê  HÒA", "lê hoà"),
        ("Qúy", "Quý"),
        ("Ho\u{300}a", "Hoà"),
        ("Thị Ha\u{306}\u{300}ng", "thị hằng"),
        ("H’Hen", "H'Hen"),
    ] {
        assert_eq!(match_name(old), match_name(new), "{old} {new}");
    }
}

#[test]
fn other_tones_and_letters_do_not_match() {
    for (one, other) in [
        ("Hòa", "Hóa"),
        ("Hoa", "Hòa"),
        ("Hân", "Hăn"),
        ("Dung", "Dũng"),
        ("Đông", "Dông"),
        ("Thị Hà", "Thị Hả"),
    ] {
        assert_ne!(match_name(one), match_name(other), "{one} {other}");
    }
    assert_eq!(match_name("Nguyễn"), "nguyễn");
    assert_eq!(fold_name("\u{bbe} An"), "an");
}

proptest! {
    #[test]
    fn folding_and_matching_take_any_text_and_are_settled_after_once(text in "\\PC{0,40}") {
        let matched = match_name(&text);
        prop_assert_eq!(match_name(&matched), matched.clone());
        let folded = fold_name(&text);
        prop_assert_eq!(fold_name(&folded), folded);
        let _ = name_key(&text);
    }

    #[test]
    fn composed_and_decomposed_are_one(name in "[aàảãáạăằâấđeêếioôơợuưựy ]{0,20}") {
        use unicode_normalization::UnicodeNormalization as _;
        let decomposed: String = name.nfd().collect();
        prop_assert_eq!(match_name(&decomposed), match_name(&name));
        prop_assert_eq!(fold_name(&decomposed), fold_name(&name));
        let (a, b) = (name_key(&decomposed), name_key(&name));
        let other = name_key("Nguyễn Văn Êm");
        prop_assert_eq!(a < other, b < other);
    }
}
