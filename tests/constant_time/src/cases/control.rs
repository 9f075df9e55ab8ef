//! What must be reported, so that silence elsewhere means something; and the comparison that the library uses instead.

use std::hint::black_box;

use symbolon::crypto::HashSecret;

use super::Case;
use crate::known::{Known, Why};
use crate::valgrind::{is_secret, make_secret, publish};

const HERE: &str = "symbolon/tests/constant_time/src/cases/control.rs";

pub const CASES: &[Case] = &[
    Case {
        name: "control: a comparison that ends early",
        run: early_exit,
        known: &[Known { place: HERE, functions: &["ends_early"], most: 32, why: Why::Control }],
    },
    Case {
        name: "control: a table that is looked up in",
        run: table,
        known: &[Known { place: HERE, functions: &["look_up"], most: 1, why: Why::Control }],
    },
    Case {
        name: "control: a branch on one bit",
        run: branch,
        known: &[Known { place: HERE, functions: &["is_odd"], most: 1, why: Why::Control }],
    },
    Case { name: "control: arithmetic alone", run: arithmetic, known: &[] },
    Case { name: "comparison of secrets, equal and unequal", run: comparison, known: &[] },
];

fn secret() -> HashSecret {
    let mut secret = HashSecret::copy_of(&[7; 32]).unwrap();
    make_secret(secret.expose_mut());
    secret
}

fn early_exit() {
    black_box(ends_early(secret().expose(), black_box(&[7; 32])));
}

#[inline(never)]
fn ends_early(one: &[u8], other: &[u8]) -> bool {
    for (a, b) in one.iter().zip(other) {
        if black_box(a) != b {
            return false;
        }
    }
    true
}

fn table() {
    black_box(look_up(black_box(&[1; 256]), secret().expose()[0]));
}

#[inline(never)]
fn look_up(table: &[u8; 256], index: u8) -> u8 {
    table[usize::from(index)]
}

fn branch() {
    black_box(is_odd(secret().expose()[0]));
}

#[inline(never)]
fn is_odd(byte: u8) -> u8 {
    if black_box(byte) & 1 == 1 { black_box(3) } else { black_box(5) }
}

fn arithmetic() {
    let secret = secret();
    let sum = secret.expose().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(3) ^ byte.rotate_left(1));
    assert!(is_secret(&[sum]));
}

fn comparison() {
    let mut nearly = [7; 32];
    nearly[31] = 8;
    for (other, equal) in [([7; 32], true), ([8; 32], false), (nearly, false)] {
        // Of lengths that the compiler does not know: where it knows them it may compare all at once anyway.
        assert_eq!(publish(black_box(secret()).matches(black_box(&other[..]))), equal);
    }
}
