//! Intervals put together: `make_interval`, `make_dt_interval`, `make_ym_interval`.

use arrow::array::{ArrayRef, Decimal128Array, Int32Array};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Int32Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::datetime::rows as moments;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const CALENDAR: Parameters = Parameters::with_optional(
    &[],
    &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Seconds],
);

/// What Spark calls a sum of fields that is too long.
const OVERFLOW: &str = "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION";

/// `make_interval(years, months, weeks, days, hours, minutes, seconds)`
pub(super) fn make_interval() -> ScalarUDF {
    let returns = |_: &[DataType]| Ok(DataType::Interval(IntervalUnit::MonthDayNano));
    Kernel::new("make_interval", CALENDAR, returns, |call| calendar(call, false)).udf()
}

/// `try_make_interval(years, months, weeks, days, hours, minutes, seconds)`
pub(super) fn try_make_interval() -> ScalarUDF {
    let returns = |_: &[DataType]| Ok(DataType::Interval(IntervalUnit::MonthDayNano));
    Kernel::new("try_make_interval", CALENDAR, returns, |call| calendar(call, true)).udf()
}

/// `make_dt_interval(days, hours, minutes, seconds)`
pub(super) fn make_dt_interval() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[], &[Kind::Int, Kind::Int, Kind::Int, Kind::Seconds]);
    let returns = |_: &[DataType]| Ok(DataType::Duration(TimeUnit::Microsecond));
    Kernel::new("make_dt_interval", parameters, returns, |call| {
        let numbers = Numbers::of(call, 3)?;
        rows::numbers::<DurationMicrosecondType>(call, |row| {
            let days = i128::from(numbers.get(0, row)) * i128::from(MICROS_PER_DAY);
            let micros = days + numbers.time(1, row);
            i64::try_from(micros).map(Some).map_err(|_| too_long(OVERFLOW).into())
        })
    })
    .udf()
}

/// `make_ym_interval(years, months)`
pub(super) fn make_ym_interval() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[], &[Kind::Int, Kind::Int]);
    let returns = |_: &[DataType]| Ok(DataType::Interval(IntervalUnit::YearMonth));
    Kernel::new("make_ym_interval", parameters, returns, |call| {
        let numbers = Numbers::of(call, 2)?;
        rows::numbers::<IntervalYearMonthType>(call, |row| {
            let months = numbers.get(0, row) * 12 + numbers.get(1, row);
            i32::try_from(months).map(Some).map_err(|_| too_long(OVERFLOW).into())
        })
    })
    .udf()
}

fn calendar(call: &Call<'_>, trying: bool) -> Result<ArrayRef> {
    let numbers = Numbers::of(call, 6)?;
    rows::numbers::<IntervalMonthDayNanoType>(call, |row| {
        match numbers.interval(row).ok_or_else(|| too_long("ARITHMETIC_OVERFLOW")) {
            Err(_) if trying => Ok(None),
            interval => moments::settle(call, interval),
        }
    })
}

fn too_long(condition: &'static str) -> Failure {
    Failure::new(condition, "the interval is too long").hint("use smaller numbers")
}

/// The arguments: whole numbers, and behind them seconds with a fraction. What is not given is zero.
struct Numbers {
    whole: Vec<Option<Int32Array>>,
    seconds: Option<Decimal128Array>,
}

impl Numbers {
    fn of(call: &Call<'_>, whole: usize) -> Result<Self> {
        let seconds = call.optional::<Decimal128Type>(whole)?;
        let whole = (0..whole).map(|at| call.optional::<Int32Type>(at)).collect::<Result<_>>()?;
        Ok(Self { whole, seconds })
    }

    fn get(&self, at: usize, row: usize) -> i64 {
        self.whole[at].as_ref().map_or(0, |numbers| i64::from(numbers.value(row)))
    }

    /// The microseconds of hours, of minutes behind them, and of the seconds.
    fn time(&self, hours: usize, row: usize) -> i128 {
        let minutes = self.get(hours, row) * 60 + self.get(hours + 1, row);
        let seconds = self.seconds.as_ref().map_or(0, |seconds| seconds.value(row));
        i128::from(minutes) * 60 * i128::from(MICROS_PER_SECOND) + seconds
    }

    fn interval(&self, row: usize) -> Option<IntervalMonthDayNano> {
        let months = i32::try_from(self.get(0, row) * 12 + self.get(1, row)).ok()?;
        let days = i32::try_from(self.get(2, row) * 7 + self.get(3, row)).ok()?;
        let nanos = i64::try_from(self.time(4, row).checked_mul(1000)?).ok()?;
        Some(IntervalMonthDayNano::new(months, days, nanos))
    }
}
