//! The least hashes of many values tell how many different values there are: exactly while they are
//! few, and by how close together they lie when they are more than a sketch keeps.

use std::collections::BTreeMap;

/// How two summaries of one key become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Sum,
    Min,
    Max,
    AlwaysOne,
}

impl Mode {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "sum" => Mode::Sum,
            "min" => Mode::Min,
            "max" => Mode::Max,
            "alwaysone" => Mode::AlwaysOne,
            _ => return None,
        })
    }
}

/// What is kept beside a hash.
pub(super) trait Summary: Copy + 'static {
    /// What the bytes of a sketch begin with.
    const MAGIC: [u8; 4];
    /// How many bytes a summary takes.
    const SIZE: usize;
    fn write(self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Option<Self>;
    /// One of two.
    fn combined(self, other: Self, mode: Mode) -> Self;
    /// The summary of a key that has none.
    fn of_nothing(mode: Mode) -> Self;
}

/// Nothing is kept beside the hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bare;

impl Summary for Bare {
    const MAGIC: [u8; 4] = *b"VKTH";
    const SIZE: usize = 0;

    fn write(self, _bytes: &mut Vec<u8>) {}

    fn read(_bytes: &[u8]) -> Option<Self> {
        Some(Bare)
    }

    fn combined(self, _other: Self, _mode: Mode) -> Self {
        self
    }

    fn of_nothing(_mode: Mode) -> Self {
        Bare
    }
}

macro_rules! number_summary {
    ($type:ty, $magic:literal, $one:expr, $zero:expr) => {
        impl Summary for $type {
            const MAGIC: [u8; 4] = *$magic;
            const SIZE: usize = 8;

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                Some(<$type>::from_le_bytes(bytes.try_into().ok()?))
            }

            fn combined(self, other: Self, mode: Mode) -> Self {
                match mode {
                    Mode::Sum => self + other,
                    Mode::Min => self.min(other),
                    Mode::Max => self.max(other),
                    Mode::AlwaysOne => $one,
                }
            }

            fn of_nothing(mode: Mode) -> Self {
                match mode {
                    Mode::Sum => $zero,
                    Mode::Min => <$type>::MAX,
                    Mode::Max => <$type>::MIN,
                    Mode::AlwaysOne => $one,
                }
            }
        }
    };
}

number_summary!(f64, b"VKTD", 1.0, 0.0);
number_summary!(Whole, b"VKTI", Whole(1), Whole(0));

/// A whole number that stays at its greatest instead of wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whole(pub(super) i64);

impl Whole {
    const MAX: Whole = Whole(i64::MAX);
    const MIN: Whole = Whole(i64::MIN);

    fn to_le_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    fn from_le_bytes(bytes: [u8; 8]) -> Self {
        Whole(i64::from_le_bytes(bytes))
    }
}

impl std::ops::Add for Whole {
    type Output = Whole;

    fn add(self, other: Whole) -> Whole {
        Whole(self.0.saturating_add(other.0))
    }
}

/// The least hashes of a set, at most `2 ^ lg` of them.
#[derive(Debug, Clone)]
pub(super) struct Samples<S> {
    pub(super) lg: u8,
    /// All hashes below this are kept.
    below: u64,
    pub(super) entries: BTreeMap<u64, S>,
}

impl<S: Summary> Samples<S> {
    pub(super) fn new(lg: u8) -> Self {
        Self { lg, below: u64::MAX, entries: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, hash: u64, summary: S, mode: Mode) {
        if hash >= self.below {
            return;
        }
        self.entries
            .entry(hash)
            .and_modify(|known| *known = known.combined(summary, mode))
            .or_insert(summary);
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.entries.len() > 1 << self.lg {
            if let Some((hash, _)) = self.entries.pop_last() {
                self.below = hash;
            }
        }
    }

    fn cut(&mut self, below: u64) {
        self.below = self.below.min(below);
        let _ = self.entries.split_off(&self.below);
    }

    /// What is in either; the finer of two sketches becomes as coarse as the other.
    pub(super) fn unite<T: Summary>(
        &mut self,
        other: &Samples<T>,
        mode: Mode,
        of: fn(T, Mode) -> S,
    ) {
        self.cut(other.below);
        for (hash, summary) in &other.entries {
            self.add(*hash, of(*summary, mode), mode);
        }
    }

    /// What is in both.
    pub(super) fn intersect<T: Summary>(
        &mut self,
        other: &Samples<T>,
        mode: Mode,
        of: fn(T, S, Mode) -> S,
    ) {
        self.cut(other.below);
        self.entries.retain(|hash, summary| match other.entries.get(hash) {
            Some(beside) => {
                *summary = of(*beside, *summary, mode);
                true
            }
            None => false,
        });
    }

    /// What is in this one alone.
    pub(super) fn subtract<T: Summary>(&mut self, other: &Samples<T>) {
        self.cut(other.below);
        self.entries.retain(|hash, _| !other.entries.contains_key(hash));
    }

    /// The part of all hashes that is kept.
    pub(super) fn theta(&self) -> f64 {
        if self.below == u64::MAX { 1.0 } else { self.below as f64 / u64::MAX as f64 }
    }

    /// How many different values there are.
    pub(super) fn estimate(&self) -> f64 {
        self.entries.len() as f64 / self.theta()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = S::MAGIC.to_vec();
        bytes.push(self.lg);
        bytes.extend(self.below.to_le_bytes());
        for (hash, summary) in &self.entries {
            bytes.extend(hash.to_le_bytes());
            summary.write(&mut bytes);
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(S::MAGIC.as_slice())?;
        let (lg, rest) = rest.split_first()?;
        let (below, rest) = rest.split_at_checked(8)?;
        let below = u64::from_le_bytes(below.try_into().ok()?);
        let size = 8 + S::SIZE;
        if *lg > 26 || rest.len() % size != 0 {
            return None;
        }
        let entries = rest.chunks_exact(size).map(|entry| {
            let (hash, summary) = entry.split_at(8);
            Some((u64::from_le_bytes(hash.try_into().ok()?), S::read(summary)?))
        });
        Some(Self { lg: *lg, below, entries: entries.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bare, Mode, Samples};

    /// Numbers spread as hashes are.
    fn spread(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn few_are_counted_and_many_are_estimated() {
        let mut few = Samples::<Bare>::new(12);
        (0..100).for_each(|number| few.add(spread(number % 10), Bare, Mode::Sum));
        assert_eq!(few.estimate(), 10.0);
        let mut many = Samples::<Bare>::new(10);
        (0..100_000).for_each(|number| many.add(spread(number), Bare, Mode::Sum));
        assert!((90_000.0..110_000.0).contains(&many.estimate()), "{}", many.estimate());
        let read = Samples::<Bare>::from_bytes(&many.to_bytes()).unwrap();
        assert_eq!(read.estimate(), many.estimate());
    }
}
