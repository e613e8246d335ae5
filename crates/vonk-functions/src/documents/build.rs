//! Columns of a type from trees, one tree per row.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, NullArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, FieldRef, Fields, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_err, not_impl_err};

use super::json_text;
use super::moments::Moments;
use super::tree::Tree;

/// How the leaves of trees become values.
pub(super) struct Builder<'a> {
    pub(super) moments: &'a Moments,
    /// Whether texts are read as numbers, as of CSV and XML; in JSON a text is no number.
    pub(super) reads_texts: bool,
    /// The text that stands for NULL where texts are read.
    pub(super) null_text: &'a str,
    /// Whether one value stands for an array of one, as elements of XML do.
    pub(super) lists_singles: bool,
}

impl Builder<'_> {
    /// The column of a type. A row whose tree does not fit is NULL, and is marked; members of
    /// structs that do not fit are NULL alone.
    pub(super) fn column(
        &self,
        data_type: &DataType,
        trees: &[Option<&Tree>],
        misfits: &mut [bool],
    ) -> Result<ArrayRef> {
        match data_type {
            DataType::Struct(fields) => self.structs(fields, trees, misfits),
            DataType::List(item) => self.lists(item, trees, misfits),
            DataType::Map(entries, _) => self.maps(entries, trees, misfits),
            leaf => self.leaves(leaf, trees, misfits),
        }
    }

    fn structs(
        &self,
        fields: &Fields,
        trees: &[Option<&Tree>],
        misfits: &mut [bool],
    ) -> Result<ArrayRef> {
        let valid: Vec<bool> =
            trees.iter().map(|tree| matches!(tree, Some(Tree::Object(_)))).collect();
        for (row, tree) in trees.iter().enumerate() {
            misfits[row] |= tree.is_some_and(|tree| *tree != Tree::Null) && !valid[row];
        }
        let columns = fields.iter().map(|field| {
            let members: Vec<Option<&Tree>> =
                trees.iter().map(|tree| tree.and_then(|tree| tree.member(field.name()))).collect();
            self.column(field.data_type(), &members, &mut vec![false; trees.len()])
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let nulls = Some(NullBuffer::from(valid));
        let structs = match fields.is_empty() {
            true => StructArray::new_empty_fields(trees.len(), nulls),
            false => StructArray::try_new(fields.clone(), columns, nulls)?,
        };
        Ok(Arc::new(structs))
    }

    fn lists(
        &self,
        item: &FieldRef,
        trees: &[Option<&Tree>],
        misfits: &mut [bool],
    ) -> Result<ArrayRef> {
        let (mut items, mut lengths) = (Vec::new(), Vec::with_capacity(trees.len()));
        let mut valid = Vec::with_capacity(trees.len());
        for (row, tree) in trees.iter().enumerate() {
            let before = items.len();
            let is_list = match tree {
                None | Some(Tree::Null) => false,
                Some(Tree::Array(list)) => {
                    items.extend(list.iter().map(Some));
                    true
                }
                Some(single) if self.lists_singles => {
                    items.push(Some(*single));
                    true
                }
                Some(_) => {
                    misfits[row] = true;
                    false
                }
            };
            valid.push(is_list);
            lengths.push(items.len() - before);
        }
        let mut item_misfits = vec![false; items.len()];
        let values = self.column(item.data_type(), &items, &mut item_misfits)?;
        spread(&lengths, &item_misfits, misfits, &mut valid);
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = Some(NullBuffer::from(valid));
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
    }

    fn maps(
        &self,
        entries: &FieldRef,
        trees: &[Option<&Tree>],
        misfits: &mut [bool],
    ) -> Result<ArrayRef> {
        let DataType::Struct(fields) = entries.data_type() else {
            return internal_err!("the entries of a map are structs");
        };
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (mut lengths, mut valid) = (Vec::new(), Vec::new());
        for (row, tree) in trees.iter().enumerate() {
            let before = keys.len();
            let is_map = match tree {
                None | Some(Tree::Null) => false,
                Some(Tree::Object(members)) => {
                    keys.extend(members.iter().map(|(name, _)| Some(name.as_str())));
                    values.extend(members.iter().map(|(_, value)| Some(value)));
                    true
                }
                Some(_) => {
                    misfits[row] = true;
                    false
                }
            };
            valid.push(is_map);
            lengths.push(keys.len() - before);
        }
        let mut value_misfits = vec![false; values.len()];
        let values = self.column(fields[1].data_type(), &values, &mut value_misfits)?;
        spread(&lengths, &value_misfits, misfits, &mut valid);
        let keys: ArrayRef = Arc::new(StringArray::from(keys));
        let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = Some(NullBuffer::from(valid));
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, false)?))
    }

    fn leaves(
        &self,
        data_type: &DataType,
        trees: &[Option<&Tree>],
        misfits: &mut [bool],
    ) -> Result<ArrayRef> {
        let mut leaves = Leaves { builder: self, trees, misfits };
        Ok(match data_type {
            DataType::Null => Arc::new(NullArray::new(trees.len())),
            DataType::Boolean => Arc::new(BooleanArray::from(leaves.read(|leaf| leaf.boolean()))),
            DataType::Int8 => leaves.numbers::<Int8Type>(|leaf| leaf.number()),
            DataType::Int16 => leaves.numbers::<Int16Type>(|leaf| leaf.number()),
            DataType::Int32 => leaves.numbers::<Int32Type>(|leaf| leaf.number()),
            DataType::Int64 => leaves.numbers::<Int64Type>(|leaf| leaf.number()),
            DataType::Float32 => {
                leaves.numbers::<Float32Type>(|leaf| leaf.float().map(|x| x as f32))
            }
            DataType::Float64 => leaves.numbers::<Float64Type>(|leaf| leaf.float()),
            DataType::Decimal128(precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                let decimals = leaves.read(|leaf| leaf.decimal(precision, scale));
                let decimals = Decimal128Array::from(decimals);
                Arc::new(decimals.with_precision_and_scale(precision, scale)?)
            }
            DataType::Utf8 => Arc::new(StringArray::from(leaves.read(|leaf| Some(leaf.text())))),
            DataType::Binary => {
                let texts = leaves.read(|leaf| Some(leaf.text()));
                let bytes = texts.iter().map(|text| text.as_ref().map(|text| text.as_bytes()));
                Arc::new(bytes.collect::<BinaryArray>())
            }
            DataType::Date32 => {
                leaves.numbers::<Date32Type>(|leaf| leaf.builder.moments.read_date(leaf.bare()?))
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let has_zone = zone.is_some();
                let read =
                    |leaf: &Leaf<'_>| leaf.builder.moments.read_timestamp(leaf.bare()?, has_zone);
                let values = leaves.read(read);
                let values = PrimitiveArray::<TimestampMicrosecondType>::from(values);
                Arc::new(values.with_timezone_opt(zone.clone()))
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                leaves.numbers::<Time64MicrosecondType>(|leaf| {
                    leaf.builder.moments.read_time(leaf.bare()?)
                })
            }
            other => return not_impl_err!("a document does not hold values of {other}"),
        })
    }
}

/// A misfit within a list or map makes it one as a whole.
fn spread(lengths: &[usize], within: &[bool], misfits: &mut [bool], valid: &mut [bool]) {
    let mut start = 0;
    for (row, length) in lengths.iter().enumerate() {
        if within[start..start + length].contains(&true) {
            misfits[row] = true;
            valid[row] = false;
        }
        start += length;
    }
}

struct Leaves<'a> {
    builder: &'a Builder<'a>,
    trees: &'a [Option<&'a Tree>],
    misfits: &'a mut [bool],
}

impl Leaves<'_> {
    fn read<T>(&mut self, read: impl Fn(&Leaf<'_>) -> Option<T>) -> Vec<Option<T>> {
        let rows = self.trees.iter().zip(self.misfits.iter_mut());
        let values = rows.map(|(tree, misfit)| {
            let tree = tree.filter(|tree| **tree != Tree::Null)?;
            let leaf = Leaf { builder: self.builder, tree };
            if leaf.is_null_text() {
                return None;
            }
            let value = read(&leaf);
            *misfit |= value.is_none();
            value
        });
        values.collect()
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        read: impl Fn(&Leaf<'_>) -> Option<T::Native>,
    ) -> ArrayRef {
        Arc::new(self.read(read).into_iter().collect::<PrimitiveArray<T>>())
    }
}

/// A tree that should be a single value.
struct Leaf<'a> {
    builder: &'a Builder<'a>,
    tree: &'a Tree,
}

impl Leaf<'_> {
    fn is_null_text(&self) -> bool {
        let null = self.builder.null_text;
        self.builder.reads_texts && matches!(self.tree, Tree::Text(text) if text == null)
    }

    /// The text of a text.
    fn bare(&self) -> Option<&str> {
        match self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The digits of a number, or of a text where these are read.
    fn digits(&self) -> Option<&str> {
        match self.tree {
            Tree::Number(number) => Some(number),
            Tree::Text(text) if self.builder.reads_texts => Some(text.trim()),
            _ => None,
        }
    }

    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.digits()?.parse().ok()
    }

    fn boolean(&self) -> Option<bool> {
        match self.tree {
            Tree::Boolean(value) => Some(*value),
            Tree::Text(text) if self.builder.reads_texts => {
                match text.trim().to_lowercase().as_str() {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        let digits = self.digits().or(self.bare())?;
        match digits {
            "NaN" => Some(f64::NAN),
            "Infinity" | "+Infinity" | "INF" | "+INF" | "Inf" => Some(f64::INFINITY),
            "-Infinity" | "-INF" | "-Inf" => Some(f64::NEG_INFINITY),
            _ => self.digits()?.parse().ok(),
        }
    }

    fn decimal(&self, precision: u8, scale: i8) -> Option<i128> {
        let digits = self.digits().or(self.bare())?;
        let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
        let shift = i32::from(scale) - fraction.len() as i32 + exponent;
        let value = match shift {
            0.. => unscaled.checked_mul(10_i128.checked_pow(shift as u32)?)?,
            _ => {
                let unit = 10_i128.checked_pow(shift.unsigned_abs())?;
                let half = unit / 2 * unscaled.signum();
                unscaled.checked_add(half)? / unit
            }
        };
        let limit = 10_i128.pow(u32::from(precision));
        (value.abs() < limit).then_some(value)
    }

    /// A text as it is, all else as it is written.
    fn text(&self) -> String {
        match self.tree {
            Tree::Text(text) => text.clone(),
            other => {
                let mut text = String::new();
                json_text::push(other, &mut text);
                text
            }
        }
    }
}
