//! Running compiled steps over the partitions of a source, on several threads and without Python.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::expr::Expr;
use crate::redo::{Redo, Result, Stop};
use crate::table::{Entry, Table};
use crate::text::Split;
use crate::value::Value;

/// How often Python is asked whether Ctrl-C was pressed.
const SIGNAL_POLL: Duration = Duration::from_millis(100);

/// Rows between two looks at whether the run was cancelled.
const ROWS_BETWEEN_LOOKS: usize = 1 << 14;

/// The values of each partition.
pub(crate) type Partitions = Vec<Vec<Value<'static>>>;

/// Where rows come from.
pub(crate) enum Source {
    Text(Vec<Split>),
    Values(Arc<Partitions>),
}

/// A step of each row.
pub(crate) enum Step {
    Map(Expr),
    Filter(Expr),
    FlatMap(Expr),
}

/// What becomes of the rows that come out of the last step.
pub(crate) enum Goal {
    /// They are kept, at most so many of each partition.
    Keep(Option<usize>),
    /// They are counted.
    Count,
    /// They are folded into one.
    Reduce(Expr),
    /// Whole numbers are added.
    Sum,
    /// Pairs are folded by key and moved to so many partitions.
    ByKey(Expr, usize),
}

impl Step {
    /// Reads `(kind, tree)`.
    pub(crate) fn of_python(step: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (kind, tree): (String, Bound<'_, PyAny>) = step.extract()?;
        let expr = Expr::of_python(&tree)?;
        match kind.as_str() {
            "map" => Ok(Self::Map(expr)),
            "filter" => Ok(Self::Filter(expr)),
            "flatMap" => Ok(Self::FlatMap(expr)),
            _ => Err(Redo("a step that compiled code does not know").into()),
        }
    }
}

impl Goal {
    /// Reads `("keep", limit)`, `("count",)`, `("reduce", tree)`, `("sum",)` or `("byKey", tree, partitions)`.
    pub(crate) fn of_python(goal: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let tree = || Expr::of_python(&goal.get_item(1)?);
        match goal.get_item(0)?.extract::<String>()?.as_str() {
            "keep" => Ok(Self::Keep(goal.get_item(1)?.extract()?)),
            "count" => Ok(Self::Count),
            "reduce" => tree().map(Self::Reduce),
            "sum" => Ok(Self::Sum),
            "byKey" => Ok(Self::ByKey(tree()?, goal.get_item(2)?.extract()?)),
            _ => Err(Redo("a goal that compiled code does not know").into()),
        }
    }
}

/// A run: what to do with which partitions.
pub(crate) struct Run {
    pub(crate) source: Source,
    pub(crate) steps: Vec<Step>,
    pub(crate) goal: Goal,
    pub(crate) indices: Vec<usize>,
    pub(crate) threads: usize,
    pub(crate) cancelled: AtomicBool,
}

/// Why the rows of a partition end before the last.
enum End {
    Stop(Stop),
    /// As many rows were kept as were asked for.
    Enough,
}

impl From<Redo> for End {
    fn from(redo: Redo) -> Self {
        Self::Stop(redo.into())
    }
}

impl From<io::Error> for End {
    /// Python opens the file again, and raises its own exception.
    fn from(_: io::Error) -> Self {
        Redo("a file that cannot be read").into()
    }
}

impl Run {
    /// The values of each partition of the result.
    pub(crate) fn run(&self) -> Result<Partitions, Stop> {
        let Goal::ByKey(fold, count) = &self.goal else {
            return self.parallel(self.indices.len(), |position| {
                let mut sink = Sink::new(&self.goal);
                self.feed(self.indices[position], &mut sink)?;
                sink.into_values()
            });
        };
        let written = self.parallel(self.indices.len(), |position| {
            let mut sink = Sink::new(&self.goal);
            self.feed(self.indices[position], &mut sink)?;
            Ok(sink.into_buckets(*count)?)
        })?;
        let moved = transposed(written, *count);
        self.parallel(*count, |partition| {
            let mut table = Table::new(fold);
            let mut brought = moved[partition].lock().map_err(|_| Stop::Cancelled)?;
            for entry in brought.drain(..).flatten() {
                table.add_entry(entry)?;
            }
            Ok(table.into_pairs()?)
        })
    }

    /// Calls a function for each task on the run's threads; answers in the order of the tasks.
    fn parallel<T: Send>(
        &self,
        tasks: usize,
        call: impl Fn(usize) -> Result<T, Stop> + Sync,
    ) -> Result<Vec<T>, Stop> {
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        let mut answers: Vec<Option<T>> = (0..tasks).map(|_| None).collect();
        std::thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, tasks.max(1)) {
                let (send, next, call) = (send.clone(), &next, &call);
                scope.spawn(move || {
                    loop {
                        let task = next.fetch_add(1, Ordering::Relaxed);
                        let is_over = task >= tasks || self.cancelled.load(Ordering::Relaxed);
                        if is_over || send.send((task, call(task))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            loop {
                match receive.recv_timeout(SIGNAL_POLL) {
                    Ok((task, Ok(answer))) => answers[task] = Some(answer),
                    Ok((_, Err(stop))) => {
                        self.cancelled.store(true, Ordering::Relaxed);
                        return Err(stop);
                    }
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if Python::attach(|py| py.check_signals()).is_err() {
                            self.cancelled.store(true, Ordering::Relaxed);
                            return Err(Stop::Cancelled);
                        }
                    }
                }
            }
        })?;
        answers.into_iter().collect::<Option<Vec<T>>>().ok_or(Stop::Cancelled)
    }

    /// Sends every row of a partition through the steps.
    fn feed(&self, index: usize, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let fed = match &self.source {
            Source::Text(splits) => splits[index].blocks(|block| {
                self.look()?;
                block.split('\n').try_for_each(|line| self.push(0, &Value::borrowed(line), sink))
            }),
            Source::Values(partitions) => {
                partitions[index].iter().enumerate().try_for_each(|(number, value)| {
                    if number % ROWS_BETWEEN_LOOKS == 0 {
                        self.look()?;
                    }
                    self.push(0, value, sink)
                })
            }
        };
        match fed {
            Ok(()) | Err(End::Enough) => Ok(()),
            Err(End::Stop(stop)) => Err(stop),
        }
    }

    fn look(&self) -> Result<(), End> {
        let is_cancelled = self.cancelled.load(Ordering::Relaxed);
        if is_cancelled { Err(End::Stop(Stop::Cancelled)) } else { Ok(()) }
    }

    /// Sends a row through the steps from number `at` on.
    fn push(&self, at: usize, row: &Value<'_>, sink: &mut Sink<'_>) -> Result<(), End> {
        match self.steps.get(at) {
            None => sink.take(row),
            Some(Step::Filter(is)) => {
                let holds = is.eval(&[row])?.is_true();
                if holds { self.push(at + 1, row, sink) } else { Ok(()) }
            }
            Some(Step::Map(Expr::Tuple(parts)))
                if at + 1 == self.steps.len() && parts.len() == 2 && sink.wants_pairs() =>
            {
                // The pair itself is never made.
                let value = parts[1].eval(&[row])?;
                match parts[0].place(&[row]) {
                    Some(key) => sink.take_pair(key, value),
                    None => sink.take_pair(&parts[0].eval(&[row])?, value),
                }
            }
            Some(Step::Map(make)) => self.push(at + 1, &make.eval(&[row])?, sink),
            Some(Step::FlatMap(make)) => match self.constant_of_pairs(at + 1, sink) {
                Some(term) => make.each(&[row], |key| sink.take_pair(&key, term.reborrow())),
                None => make.each(&[row], |item| self.push(at + 1, &item, sink)),
            },
        }
    }

    /// What step `at` pairs every row with, if that is all that is left to do.
    fn constant_of_pairs(&self, at: usize, sink: &Sink<'_>) -> Option<&Value<'static>> {
        let [Step::Map(Expr::Tuple(parts))] = self.steps.get(at..)? else { return None };
        match parts.as_ref() {
            [Expr::Arg(0), Expr::Const(term)] if sink.wants_pairs() => Some(term),
            _ => None,
        }
    }
}

/// The entries of every map task for each partition.
fn transposed(
    written: Vec<Vec<Vec<Entry>>>,
    count: usize,
) -> Vec<std::sync::Mutex<Vec<Vec<Entry>>>> {
    let mut moved: Vec<Vec<Vec<Entry>>> = (0..count).map(|_| Vec::new()).collect();
    for buckets in written {
        for (partition, entries) in buckets.into_iter().enumerate() {
            moved[partition].push(entries);
        }
    }
    moved.into_iter().map(std::sync::Mutex::new).collect()
}

/// Takes the rows that come out of the last step.
enum Sink<'g> {
    Keep(Vec<Value<'static>>, Option<usize>),
    Count(i64),
    Reduce(&'g Expr, Option<Value<'static>>),
    Sum(i64),
    ByKey(Table<'g>),
}

impl<'g> Sink<'g> {
    fn new(goal: &'g Goal) -> Self {
        match goal {
            Goal::Keep(most) => Self::Keep(Vec::new(), *most),
            Goal::Count => Self::Count(0),
            Goal::Reduce(fold) => Self::Reduce(fold, None),
            Goal::Sum => Self::Sum(0),
            Goal::ByKey(fold, _) => Self::ByKey(Table::new(fold)),
        }
    }

    fn wants_pairs(&self) -> bool {
        matches!(self, Self::ByKey(_))
    }

    fn take(&mut self, row: &Value<'_>) -> Result<(), End> {
        match self {
            Self::Keep(kept, most) => {
                if most.is_some_and(|most| kept.len() >= most) {
                    return Err(End::Enough);
                }
                kept.push(row.clone().into_owned());
                if most.is_some_and(|most| kept.len() >= most) { Err(End::Enough) } else { Ok(()) }
            }
            Self::Count(count) => {
                *count += 1;
                Ok(())
            }
            Self::Reduce(fold, so_far) => {
                let made = match &so_far {
                    Some(value) => fold.eval(&[value, row])?.into_owned(),
                    None => row.clone().into_owned(),
                };
                *so_far = Some(made);
                Ok(())
            }
            Self::Sum(sum) => {
                let term = row.as_int().ok_or(Redo("a sum of something else"))?;
                let added = sum.checked_add(term);
                *sum = added.ok_or(Redo("a whole number beyond 64 bits"))?;
                Ok(())
            }
            Self::ByKey(table) => match row {
                Value::Tuple(parts) | Value::List(parts) if parts.len() == 2 => {
                    Ok(table.add(&parts[0], parts[1].reborrow())?)
                }
                _ => Err(Redo("a row that is no pair").into()),
            },
        }
    }

    fn take_pair(&mut self, key: &Value<'_>, value: Value<'_>) -> Result<(), End> {
        match self {
            Self::ByKey(table) => Ok(table.add(key, value)?),
            other => other.take(&Value::pair(key.reborrow(), value)),
        }
    }

    fn into_values(self) -> Result<Vec<Value<'static>>, Stop> {
        Ok(match self {
            Self::Keep(kept, _) => kept,
            Self::Count(number) | Self::Sum(number) => vec![Value::Int(number)],
            Self::Reduce(_, value) => value.into_iter().collect(),
            Self::ByKey(table) => table.into_pairs()?,
        })
    }

    fn into_buckets(self, count: usize) -> Result<Vec<Vec<Entry>>> {
        match self {
            Self::ByKey(table) => table.into_buckets(count),
            _ => Err(Redo("rows that are moved without a key")),
        }
    }
}
