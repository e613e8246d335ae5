//! Values of equal keys folded into one, in the order in which the keys came first.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::expr::Expr;
use crate::hash;
use crate::numbers::Operator;
use crate::redo::{Redo, Result};
use crate::sums::{Sums, short};
use crate::value::Value;

/// A key with its value so far.
#[derive(Debug)]
pub(crate) struct Entry {
    hash: u64,
    /// When the key came first.
    arrival: usize,
    key: Value<'static>,
    value: Value<'static>,
}

/// The entries of a map task or of a partition.
pub(crate) struct Table<'e> {
    fold: &'e Expr,
    /// Whether the fold is a plain sum, which needs no tree.
    is_sum: bool,
    /// The sums of short texts, as long as every value of such a key is a whole number.
    sums: Sums,
    has_sums: bool,
    /// All other keys.
    places: HashTable<usize>,
    entries: Vec<Entry>,
}

impl<'e> Table<'e> {
    pub(crate) fn new(fold: &'e Expr) -> Self {
        let is_sum = matches!(fold, Expr::Binary(Operator::Add, a, b)
            if matches!((a.as_ref(), b.as_ref()), (Expr::Arg(0), Expr::Arg(1))));
        let (places, entries) = (HashTable::new(), Vec::new());
        Self { fold, is_sum, sums: Sums::default(), has_sums: is_sum, places, entries }
    }

    /// Folds a value into the one of its key.
    pub(crate) fn add(&mut self, key: &Value<'_>, value: Value<'_>) -> Result<()> {
        if self.has_sums && self.add_to_sums(key, &value)? {
            return Ok(());
        }
        let hash = FxBuildHasher.hash_one(key);
        match self.find(hash, key)? {
            Some(at) => self.fold_into(at, &value),
            None => {
                is_key(key)?;
                let (key, value) = (key.clone().into_owned(), value.into_owned());
                let arrival = self.arrivals()?;
                self.insert(Entry { hash, arrival, key, value });
                Ok(())
            }
        }
    }

    /// As `add`, for what another table has.
    pub(crate) fn add_entry(&mut self, entry: Entry) -> Result<()> {
        if self.has_sums && self.add_to_sums(&entry.key, &entry.value)? {
            return Ok(());
        }
        match self.find(entry.hash, &entry.key)? {
            Some(at) => self.fold_into(at, &entry.value),
            None => {
                let arrival = self.arrivals()?;
                self.insert(Entry { arrival, ..entry });
                Ok(())
            }
        }
    }

    /// How many keys have come so far.
    fn arrivals(&mut self) -> Result<usize> {
        self.sums.flush(self.entries.len())?;
        Ok(self.entries.len() + self.sums.len())
    }

    /// Adds to the sum of a short text; `false` if the key or the value is none for it.
    fn add_to_sums(&mut self, key: &Value<'_>, value: &Value<'_>) -> Result<bool> {
        if self.sums.add(key, value, self.entries.len())? {
            return Ok(true);
        }
        if short(key).is_some() {
            // What is added up from here on is no whole number, so that all keys go where any value may.
            self.has_sums = false;
            self.gather()?;
            let entries = &self.entries;
            self.places.clear();
            for (at, entry) in entries.iter().enumerate() {
                self.places.insert_unique(entry.hash, at, |other| entries[*other].hash);
            }
        }
        Ok(false)
    }

    /// Makes entries of the sums of short texts, and puts all entries in the order of their arrival; their
    /// places are not what they were.
    fn gather(&mut self) -> Result<()> {
        self.sums.flush(self.entries.len())?;
        if self.sums.len() == 0 {
            return Ok(());
        }
        self.entries.extend(self.sums.take().map(|(arrival, key, value)| {
            let hash = FxBuildHasher.hash_one(&key);
            Entry { hash, arrival, key, value }
        }));
        self.entries.sort_unstable_by_key(|entry| entry.arrival);
        Ok(())
    }

    fn find(&self, hash: u64, key: &Value<'_>) -> Result<Option<usize>> {
        let mut failure = None;
        let found = self.places.find(hash, |at| {
            let entry = &self.entries[*at];
            entry.hash == hash
                && match (&entry.key, key) {
                    (Value::Str(a), Value::Str(b)) => a == b,
                    (a, b) => a.equals(b).unwrap_or_else(|redo| {
                        failure = Some(redo);
                        false
                    }),
                }
        });
        match failure {
            Some(redo) => Err(redo),
            None => Ok(found.copied()),
        }
    }

    fn insert(&mut self, entry: Entry) {
        let at = self.entries.len();
        let entries = &self.entries;
        self.places.insert_unique(entry.hash, at, |other| entries[*other].hash);
        self.entries.push(entry);
    }

    fn fold_into(&mut self, at: usize, value: &Value<'_>) -> Result<()> {
        let so_far = &mut self.entries[at].value;
        if self.is_sum
            && let (Value::Int(sum), Value::Int(term)) = (&mut *so_far, value)
        {
            *sum = sum.checked_add(*term).ok_or(Redo("a whole number beyond 64 bits"))?;
            return Ok(());
        }
        *so_far = self.fold.eval(&[so_far, value])?.into_owned();
        Ok(())
    }

    /// The entries by the partition that Spark moves them to.
    pub(crate) fn into_buckets(mut self, count: usize) -> Result<Vec<Vec<Entry>>> {
        self.gather()?;
        let mut buckets: Vec<Vec<Entry>> = (0..count).map(|_| Vec::new()).collect();
        let divisor = i64::try_from(count.max(1)).map_err(|_| Redo("very many partitions"))?;
        for entry in self.entries {
            let bucket = hash::portable(&entry.key)?.rem_euclid(divisor);
            buckets[usize::try_from(bucket).unwrap_or_default()].push(entry);
        }
        Ok(buckets)
    }

    /// The entries as pairs.
    pub(crate) fn into_pairs(mut self) -> Result<Vec<Value<'static>>> {
        self.gather()?;
        let pairs = self.entries.into_iter().map(|entry| Value::pair(entry.key, entry.value));
        Ok(pairs.collect())
    }
}

/// Lists cannot be keys, and NaN is equal to nothing but the same object.
fn is_key(key: &Value<'_>) -> Result<()> {
    match key {
        Value::List(_) => Err(Redo("a list as a key")),
        Value::Float(value) if value.is_nan() => Err(Redo("NaN as a key")),
        Value::Tuple(items) => items.iter().try_for_each(is_key),
        _ => Ok(()),
    }
}
