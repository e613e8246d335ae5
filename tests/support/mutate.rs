//! Damages the bytes of files as disks, networks and enemies do, the same for the same seed.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers that lengths and counts are replaced with: the ends of every width, and powers around
/// which readers miscount.
const EXTREMES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Makes one damaged copy of a file.
///
/// Half of the places are near the beginning or the end, where formats keep what they say about the
/// rest.
#[must_use]
pub fn damaged(bytes: &[u8], seed: u64, number: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let mut damaged = bytes.to_vec();
    for _ in 0..random.random_range(1..=4) {
        if damaged.is_empty() {
            break;
        }
        damage(&mut damaged, &mut random);
    }
    damaged
}

fn damage(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    let at = place(bytes.len(), random);
    match random.random_range(0..8) {
        0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 => bytes[at] = random.random(),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(stretch(at, bytes.len(), random))),
        5 => {
            let inserted: Vec<u8> = match random.random() {
                true => (0..random.random_range(1..40)).map(|_| random.random()).collect(),
                false => bytes[stretch(at, bytes.len(), random)].to_vec(),
            };
            drop(bytes.splice(at..at, inserted));
        }
        6 => write_number(&mut bytes[at..], random),
        _ => swap_blocks(bytes, random),
    }
}

fn place(length: usize, random: &mut ChaCha8Rng) -> usize {
    const NEAR: usize = 400;
    match random.random_range(0..4) {
        0 => random.random_range(0..length.min(NEAR)),
        1 => length - 1 - random.random_range(0..length.min(NEAR)),
        _ => random.random_range(0..length),
    }
}

/// Some bytes from a place on, fewer rather than more.
fn stretch(at: usize, length: usize, random: &mut ChaCha8Rng) -> Range<usize> {
    let most = 1 << random.random_range(0..12);
    at..(at + random.random_range(1..=most)).min(length)
}

/// Puts an extreme number where a length may stand: of 1 to 8 bytes, or of variable length.
fn write_number(bytes: &mut [u8], random: &mut ChaCha8Rng) {
    let number = EXTREMES[random.random_range(0..EXTREMES.len())];
    let written: Vec<u8> = match random.random_range(0..3) {
        0 => number.to_le_bytes()[..1 << random.random_range(0..4)].to_vec(),
        1 => number.to_be_bytes()[8 - (1 << random.random_range(0..4))..].to_vec(),
        _ => variable(number),
    };
    for (byte, new) in bytes.iter_mut().zip(written) {
        *byte = new;
    }
}

/// A number in groups of seven bits, as Thrift, Avro and Protocol Buffers have it.
fn variable(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn swap_blocks(bytes: &mut [u8], random: &mut ChaCha8Rng) {
    let half = bytes.len() / 2;
    if half == 0 {
        return;
    }
    let length = random.random_range(1..=half.min(512));
    let one = random.random_range(0..=half - length);
    let other = half + random.random_range(0..=bytes.len() - half - length);
    let (left, right) = bytes.split_at_mut(half);
    left[one..one + length].swap_with_slice(&mut right[other - half..other - half + length]);
}
