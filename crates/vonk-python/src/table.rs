//! Values of equal keys folded into one, in the order in which the keys came first.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::expr::Expr;
use crate::hash;
use crate::numbers::Operator;
use crate::redo::{Redo, Result};
use crate::value::Value;

/// A key with its value so far.
#[derive(Debug)]
pub(crate) struct Entry {
    hash: u64,
    key: Value<'static>,
    value: Value<'static>,
}

/// The entries of a map task or of a partition.
pub(crate) struct Table<'e> {
    fold: &'e Expr,
    /// Whether the fold is a plain sum, which needs no tree.
    is_sum: bool,
    places: HashTable<usize>,
    entries: Vec<Entry>,
}

impl<'e> Table<'e> {
    pub(crate) fn new(fold: &'e Expr) -> Self {
        let is_sum = matches!(fold, Expr::Binary(Operator::Add, a, b)
            if matches!((a.as_ref(), b.as_ref()), (Expr::Arg(0), Expr::Arg(1))));
        Self { fold, is_sum, places: HashTable::new(), entries: Vec::new() }
    }

    /// Folds a value into the one of its key.
    pub(crate) fn add(&mut self, key: &Value<'_>, value: Value<'_>) -> Result<()> {
        let hash = FxBuildHasher.hash_one(key);
        match self.find(hash, key)? {
            Some(at) => self.fold_into(at, &value),
            None => {
                is_key(key)?;
                let entry =
                    Entry { hash, key: key.clone().into_owned(), value: value.into_owned() };
                self.insert(entry);
                Ok(())
            }
        }
    }

    /// As `add`, for what another table has.
    pub(crate) fn add_entry(&mut self, entry: Entry) -> Result<()> {
        match self.find(entry.hash, &entry.key)? {
            Some(at) => self.fold_into(at, &entry.value),
            None => {
                self.insert(entry);
                Ok(())
            }
        }
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
    pub(crate) fn into_buckets(self, count: usize) -> Result<Vec<Vec<Entry>>> {
        let mut buckets: Vec<Vec<Entry>> = (0..count).map(|_| Vec::new()).collect();
        let divisor = i64::try_from(count.max(1)).map_err(|_| Redo("very many partitions"))?;
        for entry in self.entries {
            let bucket = hash::portable(&entry.key)?.rem_euclid(divisor);
            buckets[usize::try_from(bucket).unwrap_or_default()].push(entry);
        }
        Ok(buckets)
    }

    /// The entries as pairs.
    pub(crate) fn into_pairs(self) -> Vec<Value<'static>> {
        self.entries.into_iter().map(|entry| Value::pair(entry.key, entry.value)).collect()
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
