//! The KLL sketch: ranks and quantiles of many numbers in little memory.
//!
//! Karnin, Lang and Liberty, "Optimal quantile approximation in streams" (FOCS 2016). Every level
//! holds items that stand for twice as many numbers as those of the level below. Which half of a
//! full level goes up alternates with the count instead of a coin, so results do not vary.

use std::cmp::Ordering;

/// How many items the top level holds where nothing else is said.
pub(super) const K: u16 = 200;

/// The least and the greatest `k`.
pub(super) const K_RANGE: std::ops::RangeInclusive<i32> = 8..=65_535;

/// The fewest items of any level.
const LEVEL_ITEMS_MIN: usize = 8;

/// What begins the bytes of a sketch.
const MARK: &[u8; 4] = b"KLL1";

/// A number that a sketch can hold, in eight bytes.
pub(super) trait Item: Copy {
    fn compare(self, other: Self) -> Ordering;
    fn to_bytes(self) -> [u8; 8];
    fn from_bytes(bytes: [u8; 8]) -> Self;
}

impl Item for i64 {
    fn compare(self, other: Self) -> Ordering {
        self.cmp(&other)
    }

    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Item for f64 {
    fn compare(self, other: Self) -> Ordering {
        self.total_cmp(&other)
    }

    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

/// A summary of numbers.
#[derive(Debug, Clone)]
pub(super) struct Sketch<T> {
    pub(super) k: u16,
    /// How many numbers were added.
    pub(super) count: u64,
    /// The items by level, each of which stands for 2^level numbers.
    levels: Vec<Vec<T>>,
}

impl<T: Item> Sketch<T> {
    pub(super) fn new(k: u16) -> Self {
        Self { k, count: 0, levels: vec![Vec::new()] }
    }

    pub(super) fn add(&mut self, item: T) {
        self.count += 1;
        self.levels[0].push(item);
        self.compress();
    }

    /// Adds all numbers of another sketch; the smaller `k` is that of the result.
    pub(super) fn merge(&mut self, other: &Self) {
        self.k = self.k.min(other.k);
        self.count += other.count;
        for (level, items) in other.levels.iter().enumerate() {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            self.levels[level].extend_from_slice(items);
        }
        self.compress();
    }

    /// How many items a level may hold: two thirds of the level above it.
    fn capacity(&self, level: usize) -> usize {
        let below_top = (self.levels.len() - 1 - level).min(64) as i32;
        let items = f64::from(self.k) * (2.0_f64 / 3.0).powi(below_top);
        (items.ceil() as usize).max(LEVEL_ITEMS_MIN)
    }

    fn compress(&mut self) {
        let mut level = 0;
        while level < self.levels.len() {
            if self.levels[level].len() > self.capacity(level) {
                self.halve(level);
            }
            level += 1;
        }
    }

    /// Moves every other item of a level to the one above; an odd one stays.
    fn halve(&mut self, level: usize) {
        let mut items = std::mem::take(&mut self.levels[level]);
        items.sort_unstable_by(|a, b| a.compare(*b));
        if items.len() % 2 == 1 {
            self.levels[level].extend(items.pop());
        }
        let first = (self.count >> level) as usize % 2;
        if self.levels.len() == level + 1 {
            self.levels.push(Vec::new());
        }
        self.levels[level + 1].extend(items.into_iter().skip(first).step_by(2));
    }

    /// The items in order, each with how many numbers it stands for.
    fn weighted(&self) -> Vec<(T, u64)> {
        let levels = self.levels.iter().enumerate();
        let mut all: Vec<(T, u64)> =
            levels.flat_map(|(level, items)| items.iter().map(move |i| (*i, 1 << level))).collect();
        all.sort_unstable_by(|a, b| a.0.compare(b.0));
        all
    }

    /// The least item that a part of the numbers, from 0 to 1, is not above.
    pub(super) fn quantile(&self, rank: f64) -> Option<T> {
        let wanted = (rank * self.count as f64).ceil() as u64;
        let all = self.weighted();
        let mut seen = 0;
        let found = all.iter().find(|(_, weight)| {
            seen += weight;
            seen >= wanted
        });
        found.or(all.last()).map(|(item, _)| *item)
    }

    /// The part of the numbers, from 0 to 1, that are not above an item.
    pub(super) fn rank(&self, item: T) -> Option<f64> {
        let all = self.weighted();
        let not_above =
            all.iter().take_while(|(other, _)| other.compare(item) != Ordering::Greater);
        let weight: u64 = not_above.map(|(_, weight)| weight).sum();
        (self.count > 0).then(|| weight as f64 / self.count as f64)
    }

    /// How many items are kept.
    pub(super) fn kept(&self) -> usize {
        self.levels.iter().map(Vec::len).sum()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.kept() * 8);
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&self.k.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        for level in &self.levels {
            bytes.extend_from_slice(&(level.len() as u32).to_le_bytes());
            bytes.extend(level.iter().flat_map(|item| item.to_bytes()));
        }
        bytes
    }

    /// The sketch of these bytes, if they are one.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MARK)?;
        let (k, rest) = rest.split_first_chunk()?;
        let (count, mut rest) = rest.split_first_chunk()?;
        let mut sketch = Self {
            k: u16::from_le_bytes(*k),
            count: u64::from_le_bytes(*count),
            levels: Vec::new(),
        };
        while !rest.is_empty() {
            let (length, items) = rest.split_first_chunk()?;
            let length = u32::from_le_bytes(*length) as usize;
            let (items, behind) = items.split_at_checked(length.checked_mul(8)?)?;
            let (items, _) = items.as_chunks::<8>();
            sketch.levels.push(items.iter().map(|bytes| T::from_bytes(*bytes)).collect());
            rest = behind;
        }
        let weight =
            |(level, items): (usize, &Vec<T>)| (items.len() as u64).checked_shl(level as u32);
        let total = sketch.levels.iter().enumerate().map(weight).sum::<Option<u64>>();
        (total == Some(sketch.count) && !sketch.levels.is_empty()).then_some(sketch)
    }
}
