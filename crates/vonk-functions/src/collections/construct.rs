//! Arrays made of values: `array`, `arrays_zip`, `array_join`; and the `greatest` and `least` of values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder, StructArray, UInt64Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::keys::Keys;
use super::lists::{Lists, fit, item_of, list, list_of};
use super::types;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// `array(value, …)`
pub(super) fn array() -> ScalarUDF {
    let returns =
        |types: &[DataType]| Ok(list_of(types.first().cloned().unwrap_or(DataType::Null)));
    Kernel::new("array", Parameters::with_any_number(&[], Kind::Any), returns, |call| {
        let DataType::List(item) = call.returns else {
            return exec_err!("an array is made, not a value of {}", call.returns);
        };
        let lengths = std::iter::repeat_n(call.count(), call.rows);
        list(item, lengths, in_turns(call, item.data_type())?, None)
    })
    .unifying(types::values_alike)
    .by_field(|fields, _| {
        let values: Vec<&Field> = fields.iter().map(AsRef::as_ref).collect();
        Ok(DataType::List(Arc::new(of_values("item", &values))))
    })
    .udf()
}

/// The field of values that have one type, with Spark's name of it if that is one, too.
pub(super) fn of_values(name: &str, values: &[&Field]) -> Field {
    let data_type = values.first().map_or(DataType::Null, |first| first.data_type().clone());
    let field = Field::new(name, data_type, true);
    let mut names = values.iter().map(|value| value.metadata().get(crate::types::TYPE_KEY));
    match names.next().flatten() {
        Some(type_name) if names.all(|other| other == Some(type_name)) => {
            crate::types::with_name(field, type_name)
        }
        _ => field,
    }
}

/// The arguments' values row by row: those of the first row, those of the second.
pub(super) fn in_turns(call: &Call<'_>, item: &DataType) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let arrays = arrays.iter().map(|array| fit(array, item)).collect::<Result<Vec<_>>>()?;
    interleaved(&arrays, item, call.rows)
}

/// The values of columns row by row.
pub(super) fn interleaved(arrays: &[ArrayRef], item: &DataType, rows: usize) -> Result<ArrayRef> {
    if arrays.is_empty() {
        return Ok(arrow::array::new_empty_array(item));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let places = (0..rows).flat_map(|row| (0..arrays.len()).map(move |column| (column, row)));
    let places: Vec<(usize, usize)> = places.collect();
    Ok(arrow::compute::interleave(&arrays, &places)?)
}

/// `arrays_zip(array, …)`, whose arrays come as a struct, so that they have names
pub(super) fn zip() -> ScalarUDF {
    let returns = |types: &[DataType]| {
        let DataType::Struct(fields) = &types[0] else { return Ok(types[0].clone()) };
        Ok(list_of(DataType::Struct(fields.iter().map(|field| item_field(field)).collect())))
    };
    Kernel::new("arrays_zip", Parameters::exact(&[Kind::Struct]), returns, zip_rows)
        .unifying(|name, types| {
            let DataType::Struct(fields) = &types[0] else { return Ok(types) };
            match fields.iter().find(|field| !is_list(field.data_type())) {
                None => Ok(types),
                Some(field) => {
                    let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
                    let message =
                        format!("`{name}` takes arrays, not a value of {}", field.data_type());
                    Err(Failure::new(condition, message).into())
                }
            }
        })
        .udf()
}

fn is_list(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Null
    )
}

fn item_field(field: &Field) -> Field {
    Field::new(field.name(), item_of(field.data_type()), true)
}

/// The shorter arrays have NULLs at their ends.
fn zip_rows(call: &Call<'_>) -> Result<ArrayRef> {
    let (DataType::List(item), arrays) = (call.returns, call.array(0)?) else {
        return exec_err!("an array is made, not a value of {}", call.returns);
    };
    let columns = arrays.as_struct().columns().iter().map(Lists::new);
    let columns = columns.collect::<Result<Vec<Lists>>>()?;
    let is_null = |row: usize| columns.iter().any(|lists| lists.is_null(row));
    let valid: Vec<bool> = (0..call.rows).map(|row| !is_null(row)).collect();
    let length = |row: usize| match valid[row] {
        true => columns.iter().map(|lists| lists.range(row).len()).max().unwrap_or_default(),
        false => 0,
    };
    let lengths: Vec<usize> = (0..call.rows).map(length).collect();
    let zipped = columns.iter().map(|lists| {
        let items = lengths.iter().enumerate().flat_map(|(row, length)| {
            let range = lists.range(row);
            (0..*length).map(move |at| (at < range.len()).then_some((range.start + at) as u64))
        });
        Ok(take(lists.items(), &items.collect::<UInt64Array>(), None)?)
    });
    let zipped = zipped.collect::<Result<Vec<ArrayRef>>>()?;
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("structs are zipped, not values of {}", item.data_type());
    };
    let total = lengths.iter().sum();
    let structs = StructArray::try_new_with_length(fields.clone(), zipped, None, total)?;
    list(item, lengths, Arc::new(structs), Some(valid.into()))
}

/// `array_join(array, separator[, in place of NULL])`
pub(super) fn join() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::List, Kind::Text], &[Kind::Text]);
    Kernel::new("array_join", parameters, |_| Ok(DataType::Utf8), join_texts)
        .unifying(|_, mut types| {
            types[0] = list_of(DataType::Utf8View);
            Ok(types)
        })
        .udf()
}

fn join_texts(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let (separators, texts) = (call.text(1)?, lists.items().as_string_view());
    let fillers = (call.count() > 2).then(|| call.text(2)).transpose()?;
    let mut joined = StringBuilder::new();
    for row in 0..call.rows {
        let filler = match &fillers {
            Some(fillers) if fillers.is_null(row) => {
                joined.append_null();
                continue;
            }
            Some(fillers) => Some(fillers.value(row)),
            None => None,
        };
        if lists.is_null(row) || separators.is_null(row) {
            joined.append_null();
            continue;
        }
        let text = |index: usize| match texts.is_valid(index) {
            true => Some(texts.value(index)),
            false => filler,
        };
        let parts: Vec<&str> = lists.range(row).filter_map(text).collect();
        joined.append_value(parts.join(separators.value(row)));
    }
    Ok(Arc::new(joined.finish()))
}

const TWO_OR_MORE: Parameters = Parameters::with_any_number(&[Kind::Any, Kind::Any], Kind::Any);

/// `greatest(value, value, …)`
pub(super) fn greatest() -> ScalarUDF {
    Kernel::new("greatest", TWO_OR_MORE, super::first_type, |call| {
        pick_one(call, |keys, best, next| keys.get(next) > keys.get(best))
    })
    .unifying(types::values_alike)
    .udf()
}

/// `least(value, value, …)`
pub(super) fn least() -> ScalarUDF {
    Kernel::new("least", TWO_OR_MORE, super::first_type, |call| {
        pick_one(call, |keys, best, next| keys.get(next) < keys.get(best))
    })
    .unifying(types::values_alike)
    .udf()
}

/// The first argument that none behind it replaces; NULL is passed over.
fn pick_one(call: &Call<'_>, replaces: impl Fn(&Keys, usize, usize) -> bool) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let pool = concat(&arrays)?;
    let keys = Keys::new(&pool)?;
    let pick = |row: usize| {
        let places = (0..arrays.len()).map(|at| at * call.rows + row);
        let values = places.filter(|place| !keys.is_null(*place));
        let best = values.reduce(|best, next| match replaces(&keys, best, next) {
            true => next,
            false => best,
        });
        best.map(|place| place as u64)
    };
    let indices: UInt64Array = (0..call.rows).map(pick).collect();
    Ok(take(&pool, &indices, None)?)
}

/// `named_struct(name, value, …)`
pub(super) fn named_struct() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[], Kind::Any);
    Kernel::new("named_struct", parameters, super::first_type, |call| {
        let DataType::Struct(fields) = call.returns else {
            return exec_err!("a struct is made, not a value of {}", call.returns);
        };
        let values = (1..call.count()).step_by(2).map(|at| call.array(at));
        let values = values.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), values, None, call.rows)?))
    })
    .by_field(struct_type)
    .udf()
}

fn struct_type(
    fields: &[FieldRef],
    values: &[Option<&datafusion::common::ScalarValue>],
) -> Result<DataType> {
    if fields.len() % 2 == 1 {
        let message = format!("`named_struct` takes names and values, not {}", fields.len());
        return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into());
    }
    let members = fields.chunks(2).zip(values.chunks(2)).map(|(fields, values)| {
        let name = values[0].and_then(|name| name.try_as_str().flatten());
        match name {
            Some(name) => Ok(of_values(name, &[&fields[1]])),
            None => {
                let condition = "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING";
                let message = "the name of a field of `named_struct` is no literal text";
                Err(Failure::new(condition, message).into())
            }
        }
    });
    Ok(DataType::Struct(members.collect::<Result<Fields>>()?))
}
