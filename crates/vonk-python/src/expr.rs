//! Traced functions: trees of operators over their arguments, evaluated row by row.

use std::cmp::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::methods::{self, Method};
use crate::numbers::{self, Operator};
use crate::redo::{Redo, Result};
use crate::value::Value;

/// A node of a traced function.
#[derive(Debug)]
pub(crate) enum Expr {
    Arg(usize),
    Const(Value<'static>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `then` if the first is true, else the last.
    If(Box<[Expr; 3]>),
    Tuple(Box<[Expr]>),
    List(Box<[Expr]>),
    Index(Box<Expr>, Box<Expr>),
    /// Part `.2` of a value that has exactly `.1` parts.
    Unpack(Box<Expr>, usize, usize),
    /// From and to, where they are given.
    Slice(Box<Expr>, Option<i64>, Option<i64>),
    Contains(Box<Expr>, Box<Expr>),
    Unary(Unary, Box<Expr>),
    Method(Method, Box<Expr>, Box<[Expr]>),
    /// The last one; those before it only might fail.
    Then(Box<[Expr]>),
}

/// Functions and operators of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Len,
    Int,
    Float,
    Str,
    Bool,
    Neg,
    Abs,
}

/// Comparisons of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Expr {
    /// Evaluates the tree over its arguments, of which parts may be borrowed.
    pub(crate) fn eval<'a>(&'a self, args: &[&'a Value<'a>]) -> Result<Value<'a>> {
        if let Some(place) = self.place(args) {
            return Ok(place.reborrow());
        }
        match self {
            Self::Arg(at) => Ok(args[*at].reborrow()),
            Self::Const(value) => Ok(value.reborrow()),
            Self::Binary(operator, a, b) => {
                a.with(args, |a| b.with(args, |b| detached(operator.apply(a, b), a, b)))
            }
            Self::Compare(comparison, a, b) => {
                let is = a.with(args, |a| b.with(args, |b| comparison.holds(a, b)))?;
                Ok(Value::Bool(is))
            }
            Self::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let is = condition.with(args, |value| Ok(value.is_true()))?;
                if is { then.eval(args) } else { otherwise.eval(args) }
            }
            Self::Tuple(items) => all(items, args).map(Value::Tuple),
            Self::List(items) => all(items, args).map(Value::List),
            Self::Index(value, at) => {
                let at =
                    at.with(args, |at| at.as_int().ok_or(Redo("an index that is no number")))?;
                value.with(args, |value| index(value, at).map(Value::into_owned))
            }
            Self::Unpack(value, of, at) => value.with(args, |value| {
                unpacked(value, *of, *at).map(|part| part.clone().into_owned())
            }),
            Self::Slice(value, from, to) => match value.place(args) {
                Some(place) => slice(place, *from, *to),
                None => slice(&value.eval(args)?, *from, *to).map(Value::into_owned),
            },
            Self::Contains(container, item) => {
                let is = container.with(args, |c| item.with(args, |item| contains(c, item)))?;
                Ok(Value::Bool(is))
            }
            Self::Unary(unary, value) => match value.place(args) {
                Some(place) => unary.apply(place),
                None => unary.apply(&value.eval(args)?).map(Value::into_owned),
            },
            Self::Then(parts) => {
                let last = parts.len().saturating_sub(1);
                for part in &parts[..last] {
                    part.eval(args)?;
                }
                parts[last].eval(args)
            }
            Self::Method(method, value, arguments) => {
                let arguments = all(arguments, args)?;
                match value.place(args) {
                    Some(place) => method.call(text_of(place)?, &arguments),
                    None => {
                        let value = value.eval(args)?;
                        let text = text_of(&value)?;
                        Ok(method.call(text, &arguments)?.into_owned())
                    }
                }
            }
        }
    }

    /// The value itself where it lies, if the tree only looks into its arguments.
    pub(crate) fn place<'a>(&'a self, args: &[&'a Value<'a>]) -> Option<&'a Value<'a>> {
        match self {
            Self::Arg(at) => Some(args[*at]),
            Self::Const(value) => Some(value),
            Self::Index(value, at) => {
                let Self::Const(Value::Int(at)) = at.as_ref() else { return None };
                match value.place(args)? {
                    Value::Tuple(items) | Value::List(items) => {
                        items.get(position(*at, items.len())?)
                    }
                    _ => None,
                }
            }
            Self::Unpack(value, of, at) => unpacked(value.place(args)?, *of, *at).ok(),
            _ => None,
        }
    }

    /// Looks at the value of the tree, without a copy where it lies in the arguments.
    fn with<'a, T>(
        &'a self,
        args: &[&'a Value<'a>],
        look: impl FnOnce(&Value<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.place(args) {
            Some(place) => look(place),
            None => look(&self.eval(args)?),
        }
    }

    /// Gives each item of a value that is iterated over, as `flatMap` does.
    pub(crate) fn each<'a, E: From<Redo>>(
        &'a self,
        args: &[&'a Value<'a>],
        mut give: impl FnMut(Value<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Self::Method(Method::Split, value, arguments) = self
            && let Some(place) = value.place(args)
        {
            let arguments = all(arguments, args)?;
            let text = text_of(place)?;
            return methods::split(text, &arguments, |part| give(Value::borrowed(part)));
        }
        match self.eval(args)? {
            Value::List(items) | Value::Tuple(items) => items.into_iter().try_for_each(give),
            Value::Str(text) => {
                text.chars().try_for_each(|letter| give(Value::owned(letter.to_string())))
            }
            _ => Err(Redo("a value that cannot be iterated over").into()),
        }
    }

    /// Reads a tree from the nested tuples that tracing makes.
    pub(crate) fn of_python(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let unknown = || Redo("a step that compiled code does not know");
        let tuple = object.cast::<PyTuple>().map_err(|_| unknown())?;
        let name = tuple.get_item(0)?;
        let name = name.cast::<PyString>().map_err(|_| unknown())?.to_str()?.to_owned();
        let at = |index: usize| tuple.get_item(index);
        let child = |index: usize| at(index).and_then(|item| Self::of_python(&item)).map(Box::new);
        let rest = |from: usize| {
            (from..tuple.len()).map(|i| Self::of_python(&at(i)?)).collect::<PyResult<Box<[_]>>>()
        };
        if let Some(operator) = Operator::by_name(&name) {
            return Ok(Self::Binary(operator, child(1)?, child(2)?));
        }
        if let Some(comparison) = Comparison::by_name(&name) {
            return Ok(Self::Compare(comparison, child(1)?, child(2)?));
        }
        if let Some(unary) = Unary::by_name(&name) {
            return Ok(Self::Unary(unary, child(1)?));
        }
        Ok(match name.as_str() {
            "arg" => Self::Arg(at(1)?.extract()?),
            "const" => Self::Const(Value::of_python(&at(1)?)?),
            "if" => Self::If(Box::new([*child(1)?, *child(2)?, *child(3)?])),
            "tuple" => Self::Tuple(rest(1)?),
            "list" => Self::List(rest(1)?),
            "then" if tuple.len() > 1 => Self::Then(rest(1)?),
            "index" => Self::Index(child(1)?, child(2)?),
            "unpack" => Self::Unpack(child(1)?, at(2)?.extract()?, at(3)?.extract()?),
            "slice" => Self::Slice(child(1)?, at(2)?.extract()?, at(3)?.extract()?),
            "contains" => Self::Contains(child(1)?, child(2)?),
            "method" => {
                let method = at(1)?.extract::<String>()?;
                let method = Method::by_name(&method).ok_or_else(unknown)?;
                Self::Method(method, child(2)?, rest(3)?)
            }
            _ => return Err(unknown().into()),
        })
    }
}

fn all<'a>(items: &'a [Expr], args: &[&'a Value<'a>]) -> Result<Box<[Value<'a>]>> {
    items.iter().map(|item| item.eval(args)).collect()
}

/// A result that borrows from neither operand, which may be values of the moment.
fn detached<'a>(result: Result<Value<'_>>, _: &Value<'_>, _: &Value<'_>) -> Result<Value<'a>> {
    result.map(Value::into_owned)
}

fn text_of<'a>(value: &'a Value<'_>) -> Result<&'a str> {
    match value {
        Value::Str(text) => Ok(text),
        _ => Err(Redo("a method of something that is no text")),
    }
}

/// Where Python's index `at` of `length` items lies.
fn position(at: i64, length: usize) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length_signed } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

fn index<'a>(value: &'a Value<'_>, at: i64) -> Result<Value<'a>> {
    let outside = Redo("an index outside of the value");
    match value {
        Value::Tuple(items) | Value::List(items) => {
            let at = position(at, items.len()).ok_or(outside)?;
            Ok(items[at].reborrow())
        }
        Value::Str(text) => {
            let count = if text.is_ascii() { text.len() } else { text.chars().count() };
            let at = position(at, count).ok_or(outside)?;
            let letter = text.chars().nth(at).ok_or(outside)?;
            Ok(Value::owned(letter.to_string()))
        }
        _ => Err(Redo("an index into something else")),
    }
}

fn unpacked<'a, 'b>(value: &'b Value<'a>, of: usize, at: usize) -> Result<&'b Value<'a>> {
    match value {
        Value::Tuple(items) | Value::List(items) if items.len() == of => {
            items.get(at).ok_or(Redo("a part that is not there"))
        }
        _ => Err(Redo("unpacking of another number of parts")),
    }
}

/// Python's bounds of a slice: negative ones count from the end, and all are moved into the value.
fn bounds(from: Option<i64>, to: Option<i64>, length: usize) -> (usize, usize) {
    let signed = i64::try_from(length).unwrap_or(i64::MAX);
    let clamp = |bound: i64| {
        let bound = if bound < 0 { bound.saturating_add(signed) } else { bound };
        usize::try_from(bound.clamp(0, signed)).unwrap_or_default()
    };
    let (from, to) = (from.map_or(0, clamp), to.map_or(length, clamp));
    (from, to.max(from))
}

fn slice<'a>(value: &'a Value<'_>, from: Option<i64>, to: Option<i64>) -> Result<Value<'a>> {
    let part = |items: &'a [Value<'_>]| {
        let (from, to) = bounds(from, to, items.len());
        items[from..to].iter().map(Value::reborrow).collect::<Box<[_]>>()
    };
    match value {
        Value::Tuple(items) => Ok(Value::Tuple(part(items))),
        Value::List(items) => Ok(Value::List(part(items))),
        Value::Str(text) if text.is_ascii() => {
            let (from, to) = bounds(from, to, text.len());
            Ok(Value::borrowed(&text[from..to]))
        }
        Value::Str(text) => {
            let (from, to) = bounds(from, to, text.chars().count());
            Ok(Value::owned(text.chars().skip(from).take(to - from).collect()))
        }
        _ => Err(Redo("a slice of something else")),
    }
}

fn contains(container: &Value<'_>, item: &Value<'_>) -> Result<bool> {
    match (container, item) {
        (Value::Str(text), Value::Str(part)) => Ok(text.contains(part.as_ref())),
        (Value::Tuple(items) | Value::List(items), item) => {
            for each in items {
                if each.is_same(item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(Redo("`in` of other types")),
    }
}

impl Unary {
    fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "len" => Self::Len,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "bool" => Self::Bool,
            "neg" => Self::Neg,
            "abs" => Self::Abs,
            _ => return None,
        })
    }

    fn apply<'a>(self, value: &'a Value<'a>) -> Result<Value<'a>> {
        let overflow = Redo("a whole number beyond 64 bits");
        match (self, value) {
            (Self::Len, Value::Str(text)) if text.is_ascii() => methods::length(text.len()),
            (Self::Len, Value::Str(text)) => methods::length(text.chars().count()),
            (Self::Len, Value::Tuple(items) | Value::List(items)) => methods::length(items.len()),
            (Self::Int, value) => numbers::to_int(value),
            (Self::Float, value) => numbers::to_float(value),
            (Self::Str, value) => numbers::to_text(value),
            (Self::Bool, value) => Ok(Value::Bool(value.is_true())),
            (Self::Neg, Value::Float(value)) => Ok(Value::Float(-value)),
            (Self::Abs, Value::Float(value)) => Ok(Value::Float(value.abs())),
            (Self::Neg | Self::Abs, value) => {
                let value = value.as_int().ok_or(Redo("an operator of something else"))?;
                let made =
                    if self == Self::Neg { value.checked_neg() } else { value.checked_abs() };
                made.map(Value::Int).ok_or(overflow)
            }
            _ => Err(Redo("`len` of something else")),
        }
    }
}

impl Comparison {
    fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "lt" => Self::Lt,
            "le" => Self::Le,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            _ => return None,
        })
    }

    fn holds(self, a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
        match self {
            Self::Eq => a.equals(b),
            Self::Ne => a.equals(b).map(|is| !is),
            Self::Lt => Ok(a.compare(b)? == Some(Ordering::Less)),
            Self::Le => Ok(a.compare(b)?.is_some_and(Ordering::is_le)),
            Self::Gt => Ok(a.compare(b)? == Some(Ordering::Greater)),
            Self::Ge => Ok(a.compare(b)?.is_some_and(Ordering::is_ge)),
        }
    }
}
