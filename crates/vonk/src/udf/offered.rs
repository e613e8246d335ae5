//! Closures that the workers of a cluster make again: of a name that all processes of a program know, and
//! of what was captured.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outside::{Code, OutsideFunction, offer_code};
use super::scalar::ScalarClosure;
use super::{TravellingCode, guarded};
use crate::error::{Error, Result};
use crate::session::Session;

/// A closure over columns.
type Run = dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync;

/// How a closure is made of what it captures, under a name that other processes of the program know.
pub struct OfferedUdf<Captured> {
    name: String,
    argument_types: Vec<DataType>,
    return_type: DataType,
    make: Arc<dyn Fn(Captured) -> Arc<Run> + Send + Sync>,
}

/// Tells this process how a closure is made of what it captures, so that queries that call it may run on the
/// workers of a cluster which are processes of the same program. All of them have to offer it by the same
/// name before they serve or ask; `vonk_cluster::worker_main` makes a process of the program a worker.
///
/// ```
/// # use vonk::prelude::*;
/// use vonk::udf::offer_udf;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let reduced = offer_udf("reduced", |share: f64| move |price: f64| price * (1.0 - share));
/// let session = Session::new();
/// session.udf_offered("sale", &reduced, 0.5)?;
/// assert_eq!(session.sql("SELECT sale(8)").rows::<(f64,)>().await?, [(4.0,)]);
/// # Ok(()) }
/// ```
pub fn offer_udf<Captured, Args, F>(
    name: &str,
    make: impl Fn(Captured) -> F + Send + Sync + 'static,
) -> OfferedUdf<Captured>
where
    Captured: Serialize + DeserializeOwned + 'static,
    F: ScalarClosure<Args>,
{
    let make = move |captured| {
        let function = make(captured);
        let run = move |args: &[ArrayRef]| function.run(args);
        Arc::new(run) as Arc<Run>
    };
    let offered = OfferedUdf {
        name: name.to_owned(),
        argument_types: F::argument_types(),
        return_type: F::return_type(),
        make: Arc::new(make),
    };
    let known = offered.clone();
    offer_code(&kind(name), move |bytes| {
        let captured = postcard::from_bytes(bytes).map_err(|error| {
            Error::internal(format!("what `{}` has captured cannot be read: {error}", known.name))
        })?;
        Ok(Arc::new(known.code(&known.name, captured, bytes.to_vec())))
    });
    offered
}

/// What tells functions of Rust from other code that travels.
fn kind(name: &str) -> String {
    format!("Rust {name}")
}

impl<Captured> OfferedUdf<Captured> {
    fn code(&self, called: &str, captured: Captured, bytes: Vec<u8>) -> Made {
        let (name, called) = (self.name.clone(), called.to_owned());
        Made { name, called, captured: bytes, run: (self.make)(captured) }
    }
}

impl<Captured> Clone for OfferedUdf<Captured> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            argument_types: self.argument_types.clone(),
            return_type: self.return_type.clone(),
            make: Arc::clone(&self.make),
        }
    }
}

impl<Captured> fmt::Debug for OfferedUdf<Captured> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedUdf").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Session {
    /// Makes a closure that was offered a function of SQL, with these values captured.
    ///
    /// # Errors
    /// If the values cannot be written, or the session refuses the function.
    pub fn udf_offered<Captured: Serialize>(
        &self,
        name: &str,
        offered: &OfferedUdf<Captured>,
        captured: Captured,
    ) -> Result<()> {
        let bytes = postcard::to_extend(&captured, Vec::new()).map_err(|error| {
            Error::unsupported(format!("what `{name}` captures cannot be written: {error}"))
        })?;
        self.udf_outside(OutsideFunction {
            name: name.to_owned(),
            argument_types: Some(offered.argument_types.clone()),
            return_type: Field::new(name, offered.return_type.clone(), true),
            is_deterministic: true,
            code: Arc::new(offered.code(name, captured, bytes)),
        })
    }
}

/// A closure, and what another process needs to make it.
struct Made {
    name: String,
    /// What users call it, where that is known.
    called: String,
    captured: Vec<u8>,
    run: Arc<Run>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Code for Made {
    fn run(&self, args: &[ArrayRef], rows: usize, _: &dyn Fn() -> bool) -> Result<ArrayRef> {
        let result = guarded(&self.called, || (self.run)(args)).map_err(Error::from)?;
        match args.is_empty() {
            // Without arguments there is one value for all rows.
            true => Ok(take(&result, &UInt64Array::from(vec![0; rows]), None)?),
            false => Ok(result),
        }
    }

    fn travelling(&self) -> Option<TravellingCode> {
        Some(TravellingCode { kind: kind(&self.name), bytes: self.captured.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closure_that_was_offered_is_one_of_sql() {
        let session = Session::new();
        let between = offer_udf("between", |(low, high): (i64, i64)| {
            move |number: i64| number >= low && number <= high
        });
        session.udf_offered("is_small", &between, (0, 9)).unwrap();
        session.udf_offered("is_large", &between, (10, i64::MAX)).unwrap();
        let five = offer_udf("five", |(): ()| || 5_i64);
        session.udf_offered("five", &five, ()).unwrap();
        let query = "SELECT sum(five()), count(*) FILTER (WHERE is_small(id)), \
                     count(*) FILTER (WHERE is_large(CAST(id AS INT))) FROM range(12)";
        let counts = session.sql(query).rows::<(i64, i64, i64)>().await.unwrap();
        assert_eq!(counts, [(60, 10, 2)]);
        let strict = offer_udf("strict", |least: i64| {
            move |number: i64| {
                assert!(number >= least, "too small");
                number
            }
        });
        session.udf_offered("strict", &strict, 3).unwrap();
        let error = session.sql("SELECT strict(id) FROM range(5)").collect().await.unwrap_err();
        assert!(error.to_string().contains("too small"), "{error}");
    }
}
