//! What is wrong with bytes, characters, references and attributes is told in every format alike.

use crate::testing::told_bytes;

#[test]
fn entities_are_never_expanded() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/xunit-net/entity-bomb.xml")),
        "! document-type @22
! unknown-entity @267
! unknown-entity @361
! bare-ampersand @365
Till.dll > Drawer | [Till] | opens &b; | failed | 0.5s | E: &c; & so on
"
    );
}

#[test]
fn utf_16_needs_no_mark() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/trx/utf-16.trx")),
        "Öffnet € | passed | 1.5s
Schließt | failed | zu 𝄞
"
    );
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/tap/utf-16.tap")),
        "öffnet | passed
schließt 𝄞 | failed
"
    );
}

#[test]
fn decimals_may_have_a_comma() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/nunit2/decimal-comma.xml")),
        "Till.dll > Till > Drawer | [Till.Drawer] | Opens | passed | 0.015s
Till.dll > Till > Drawer | [Till.Drawer] | Shuts | passed | 1234.5s
Till.dll > Till > Drawer | [Till.Drawer] | Slides | passed | 0.00005s
"
    );
}

#[test]
fn bytes_of_another_encoding_are_told() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/testng/windows-1252.xml")),
        "! invalid-encoding @71
! invalid-encoding @235
! invalid-encoding @240
Caf\u{FFFD} > T | [till.DrawerTest] | opens | failed | 0.005s | E: \u{FFFD}shut\u{FFFD}
Caf\u{FFFD} > T | [till.DrawerTest] | shuts | passed | 0.005s
"
    );
}

#[test]
fn control_characters_are_kept_and_told() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/boost/control-characters.xml")),
        "! forbidden-character @122\n! forbidden-character @132\n! forbidden-character @156\n! forbidden-character @161\n\
         Till | opens | till.cpp:3 | failed | 0.000012s | \u{1b}[31mcheck\u{1b}[0m a == b has failed [\0 != \u{7}] | \"till.cpp:5\"\n"
    );
}

#[test]
fn of_attributes_that_stand_twice_the_first_counts() {
    assert_eq!(
        told_bytes(include_bytes!("../../tests/fixtures/robot/duplicate-attributes.xml")),
        "! duplicate-attribute @101
! duplicate-attribute @121
! duplicate-attribute @165
! duplicate-attribute @201
! duplicate-attribute @257
Till | Opens | failed | 0.5s | @2026-03-02T09:00:00 | stuck
"
    );
}
