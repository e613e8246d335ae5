//! Values as JSON, where Arrow's own writer loses something or refuses to write.

use std::fmt::Debug;
use std::ops::Range;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, PrimitiveArray, StringViewArray, make_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};

use super::{Renderer, Style};
use crate::documents::push_json_text;
use crate::strings::push_base64;
use crate::types::is_variant;

/// Encoders for Arrow's writer of JSON that write values as Spark does: numbers that JSON has no
/// form for as texts, bytes in Base64, spans of time as CAST to STRING has them, maps with keys of
/// any type and with the values that are NULL.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, Float64Array, RecordBatch};
/// use arrow::json::writer::{LineDelimited, WriterBuilder};
/// use vonk_functions::{datetime::Zone, render::{JsonValues, Style}};
///
/// let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.5, f64::NAN]));
/// let values = JsonValues::new(Style::cast(Zone::Fixed(0)));
/// let builder = WriterBuilder::new().with_encoder_factory(Arc::new(values));
/// let mut writer = builder.build::<_, LineDelimited>(Vec::new());
/// writer.write(&RecordBatch::try_from_iter([("x", numbers)]).unwrap()).unwrap();
/// assert_eq!(writer.into_inner(), b"{\"x\":0.5}\n{\"x\":\"NaN\"}\n");
/// ```
#[derive(Debug, Clone)]
pub struct JsonValues {
    style: Style,
    renders_times: bool,
}

impl JsonValues {
    /// Encoders that leave dates and times to the writer and its formats.
    pub fn new(style: Style) -> Self {
        Self { style, renders_times: false }
    }

    /// Encoders that write dates and times too as the style has them.
    #[must_use]
    pub fn with_times(self) -> Self {
        Self { renders_times: true, ..self }
    }

    fn renders(&self, data_type: &DataType) -> bool {
        match data_type {
            DataType::Duration(_) | DataType::Interval(_) => true,
            DataType::Timestamp(..)
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_) => self.renders_times,
            _ => false,
        }
    }

    fn renderer(&self, field: &FieldRef, array: &dyn Array) -> Result<Renderer, ArrowError> {
        Renderer::new(&make_array(array.to_data()), field, self.style)
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))
    }
}

impl EncoderFactory for JsonValues {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float64 => Box::new(Floats(array.as_primitive::<Float64Type>())),
            DataType::Float32 => Box::new(Floats(array.as_primitive::<Float32Type>())),
            bytes if bytes.is_binary() => {
                let bytes = cast(&make_array(array.to_data()), &DataType::BinaryView)?;
                Box::new(Bytes::new(bytes))
            }
            _ if is_variant(field) => {
                let texts = cast(&make_array(array.to_data()), &DataType::Utf8View)?;
                Box::new(Variants(texts.as_string_view().clone()))
            }
            // Arrow's own encoder takes the list's field for that of its items.
            DataType::List(item) => {
                let lists = array.as_list::<i32>();
                let items = make_encoder(item, lists.values(), options)?;
                Box::new(List { offsets: lists.offsets().clone(), items })
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else { return Ok(None) };
                let [key, value] = fields.as_ref() else { return Ok(None) };
                let map = array.as_map();
                Box::new(Map {
                    offsets: map.offsets().clone(),
                    keys: self.renderer(key, map.keys())?,
                    values: make_encoder(value, map.values(), options)?,
                })
            }
            other if self.renders(other) => {
                Box::new(Rendered { renderer: self.renderer(field, array)?, text: String::new() })
            }
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Floats<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: Into<f64> + Debug>> Encoder for Floats<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.0.value(row);
        let wide: f64 = value.into();
        let text = match wide {
            // The shortest digits that read back as the same number, with a point or an exponent.
            _ if wide.is_finite() => &format!("{value:?}"),
            _ if wide.is_nan() => "\"NaN\"",
            _ if wide > 0.0 => "\"Infinity\"",
            _ => "\"-Infinity\"",
        };
        out.extend_from_slice(text.as_bytes());
    }
}

struct Bytes {
    values: BinaryViewArray,
    text: String,
}

impl Bytes {
    fn new(values: ArrayRef) -> Self {
        Self { values: values.as_binary_view().clone(), text: String::new() }
    }
}

impl Encoder for Bytes {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.text.clear();
        push_base64(self.values.value(row), &mut self.text);
        push_quoted(&self.text, out);
    }
}

struct Rendered {
    renderer: Renderer,
    text: String,
}

impl Encoder for Rendered {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.text.clear();
        self.renderer.write(row, &mut self.text);
        push_quoted(&self.text, out);
    }
}

/// Texts that are JSON already.
struct Variants(StringViewArray);

impl Encoder for Variants {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.value(row).as_bytes());
    }
}

struct List<'a> {
    offsets: OffsetBuffer<i32>,
    items: NullableEncoder<'a>,
}

impl Encoder for List<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, item) in entries(&self.offsets, row).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_value(&mut self.items, item, out);
        }
        out.push(b']');
    }
}

/// An object with a member for each key, those without a value too.
struct Map<'a> {
    offsets: OffsetBuffer<i32>,
    keys: Renderer,
    values: NullableEncoder<'a>,
}

impl Encoder for Map<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, entry) in entries(&self.offsets, row).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_quoted(&self.keys.text(entry), out);
            out.push(b':');
            push_value(&mut self.values, entry, out);
        }
        out.push(b'}');
    }
}

/// The places of what a row of a list or map holds.
fn entries(offsets: &OffsetBuffer<i32>, row: usize) -> Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}

fn push_value(values: &mut NullableEncoder<'_>, at: usize, out: &mut Vec<u8>) {
    match values.is_null(at) {
        true => out.extend_from_slice(b"null"),
        false => values.encode(at, out),
    }
}

fn push_quoted(text: &str, out: &mut Vec<u8>) {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_json_text(text, &mut quoted);
    out.extend_from_slice(quoted.as_bytes());
}
