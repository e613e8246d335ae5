//! Numbers about numbers: sum, mean, variance, smallest and largest.

use super::Rdd;
use crate::error::{Condition, Error, Result};

/// A number that can be summed without losing overflow.
pub trait Number: Copy + Send + Sync + PartialOrd + 'static {
    /// The number from which sums start.
    const ZERO: Self;

    /// The sum, or `None` if it does not fit.
    fn add(self, other: Self) -> Option<Self>;

    /// The nearest floating-point number.
    fn to_f64(self) -> f64;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Number for $integer {
            const ZERO: Self = 0;

            fn add(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }

            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, usize, isize);

macro_rules! floats {
    ($($float:ty),*) => {$(
        impl Number for $float {
            const ZERO: Self = 0.0;

            fn add(self, other: Self) -> Option<Self> {
                Some(self + other)
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

floats!(f32, f64);

/// Count, mean, spread and extremes of numbers, in one pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    count: usize,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Stats {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Stats {
    /// Adds a number (Welford's method).
    #[must_use]
    pub fn with(mut self, number: f64) -> Self {
        let distance = number - self.mean;
        self.count += 1;
        self.mean += distance / self.count as f64;
        self.squares += distance * (number - self.mean);
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        self
    }

    /// Joins the numbers of two parts (the method of Chan, Golub and LeVeque).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (left, right) = (self.count as f64, other.count as f64);
        let distance = other.mean - self.mean;
        Self {
            count: self.count + other.count,
            mean: self.mean + distance * right / (left + right),
            squares: self.squares
                + other.squares
                + distance * distance * left * right / (left + right),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The mean; 0 without numbers.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The sum.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }

    /// The smallest number; infinite without numbers.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest number; negative infinite without numbers.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The variance of the numbers as a whole; not a number without numbers.
    pub fn variance(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.squares / self.count as f64 }
    }

    /// The standard deviation of the numbers as a whole.
    pub fn stdev(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The variance of what the numbers are a sample of; not a number for fewer than two.
    pub fn sample_variance(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { self.squares / (self.count - 1) as f64 }
    }

    /// The standard deviation of what the numbers are a sample of.
    pub fn sample_stdev(&self) -> f64 {
        self.sample_variance().sqrt()
    }
}

impl<T: Number> Rdd<T> {
    /// The sum of all elements, added in order.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// assert_eq!(Session::new().context().range(1, 11).sum().await?, 55);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`], and `ARITHMETIC_OVERFLOW` if the sum does not fit the type.
    pub async fn sum(&self) -> Result<T> {
        let add = |sum: T, number: T| sum.add(number).ok_or_else(overflow::<T>);
        let parts = self.run(move |_, mut rows| rows.try_fold(T::ZERO, add)).await?;
        parts.into_iter().try_fold(T::ZERO, add)
    }

    /// The mean of all elements; 0 without elements.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn mean(&self) -> Result<f64> {
        Ok(self.stats().await?.mean())
    }

    /// Count, mean, spread and extremes in one pass.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let stats = Session::new().context().parallelize([2.0, 4.0, 6.0]).stats().await?;
    /// assert_eq!((stats.count(), stats.mean(), stats.max()), (3, 4.0, 6.0));
    /// assert_eq!(stats.sample_stdev(), 2.0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn stats(&self) -> Result<Stats> {
        let add = |stats: Stats, number: T| stats.with(number.to_f64());
        self.aggregate(Stats::default(), add, Stats::merge).await
    }

    /// Counts the elements in ranges of equal width between the smallest and the largest: the
    /// borders, one more than ranges, and the counts. The last range includes its upper border.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`], and if there are no elements or they are not finite.
    pub async fn histogram(&self, ranges: usize) -> Result<(Vec<f64>, Vec<usize>)> {
        let stats = self.stats().await?;
        let (low, high) = (stats.min(), stats.max());
        if ranges == 0 || !(low.is_finite() && high.is_finite()) {
            return Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("no histogram of {ranges} ranges from {low} to {high}"),
            )
            .hint("filter out what is not finite, and give at least one range"));
        }
        let width = (high - low) / ranges as f64;
        let mut borders: Vec<f64> = (0..ranges).map(|n| low + width * n as f64).collect();
        borders.push(high);
        let place = move |number: f64| {
            if width == 0.0 { 0 } else { (((number - low) / width) as usize).min(ranges - 1) }
        };
        let add = move |mut counts: Vec<usize>, number: T| {
            counts[place(number.to_f64())] += 1;
            counts
        };
        let merge = |mut left: Vec<usize>, right: Vec<usize>| {
            left.iter_mut().zip(right).for_each(|(sum, count)| *sum += count);
            left
        };
        Ok((borders, self.aggregate(vec![0; ranges], add, merge).await?))
    }
}

fn overflow<T>() -> Error {
    let name = std::any::type_name::<T>();
    Error::new(Condition::ARITHMETIC_OVERFLOW, format!("the sum does not fit `{name}`"))
        .hint("map to a wider type first")
}
