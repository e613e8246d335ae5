//! Partitions that compiled steps have made, held for Python and for further steps.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::redo::Redo;
use crate::run::{Goal, Partitions, Run, Source, Step};
use crate::text::Split;
use crate::value::{self, Value};

/// Partitions of values, outside of Python's heap until somebody looks at them.
#[pyclass(frozen, module = "vonk._vonk")]
pub(crate) struct Held {
    partitions: Arc<Partitions>,
}

#[pymethods]
impl Held {
    /// Holds values of the program: a list of partitions, each of which can be iterated over.
    #[new]
    fn new(partitions: &Bound<'_, PyAny>) -> PyResult<Self> {
        let values = |partition: PyResult<Bound<'_, PyAny>>| {
            partition?.try_iter()?.map(|item| Value::of_python(&item?)).collect()
        };
        let partitions = partitions.try_iter()?.map(values).collect::<PyResult<Partitions>>()?;
        Ok(Self { partitions: Arc::new(partitions) })
    }

    /// How many partitions there are.
    fn __len__(&self) -> usize {
        self.partitions.len()
    }

    /// The values of a partition.
    fn partition<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyList>> {
        let partition = self.partitions.get(index).map_or(&[][..], Vec::as_slice);
        value::list(py, partition)
    }
}

/// Runs compiled steps over partitions of text files or of held values.
///
/// A plan is `(source, steps, goal)`: a list of splits `(path, start, end)` or a `Held`, a list of
/// `(kind, tree)`, and what to do with the rows. Raises `RedoInPython` where only Python keeps the meaning.
#[pyfunction]
pub(crate) fn run(
    py: Python<'_>,
    plan: (Bound<'_, PyAny>, Bound<'_, PyList>, Bound<'_, PyTuple>),
    indices: Vec<usize>,
    threads: usize,
) -> PyResult<Held> {
    let (source, steps, goal) = plan;
    let source = match source.cast::<Held>() {
        Ok(held) => Source::Values(Arc::clone(&held.get().partitions)),
        Err(_) => {
            let splits: Vec<(String, u64, u64)> = source.extract()?;
            let split = |(path, start, end)| Split::new(path, start, end);
            Source::Text(splits.into_iter().map(split).collect())
        }
    };
    let count = match &source {
        Source::Text(splits) => splits.len(),
        Source::Values(partitions) => partitions.len(),
    };
    if indices.iter().any(|index| *index >= count) {
        return Err(Redo("a partition that is not there").into());
    }
    let steps = steps.iter().map(|step| Step::of_python(&step)).collect::<PyResult<_>>()?;
    let goal = Goal::of_python(&goal)?;
    let run = Run { source, steps, goal, indices, threads, cancelled: AtomicBool::new(false) };
    let partitions = py.detach(|| run.run())?;
    Ok(Held { partitions: Arc::new(partitions) })
}
