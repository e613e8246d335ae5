//! Finds the columns and types of JSON records.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use hashbrown::HashMap;

use super::super::literal;
use super::options::JsonOptions;
use super::syntax::{Cursor, Start, SyntaxError, special_double};

/// What all values at a place have been so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Nothing but `null`.
    Null,
    Boolean,
    /// Whole numbers of up to 64 bits.
    Integer,
    /// Whole numbers, the longest of this many digits, more than 64 bits hold.
    LongInteger(u8),
    Double,
    Timestamp,
    Text,
    List(Box<Shape>),
    Object(Members),
}

/// The members of objects, in the order in which they first appear until they are sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Members {
    shapes: Vec<(String, Shape)>,
    places: HashMap<String, usize>,
}

/// The most digits that a decimal holds.
const DIGITS_MAX: usize = 38;

impl Shape {
    /// Reads the next value and takes it into account.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        options: &JsonOptions,
    ) -> Result<(), SyntaxError> {
        let scalar = |shape: Shape| if options.primitives_as_string { Shape::Text } else { shape };
        let found = match cursor.start()? {
            Start::Null => {
                cursor.word("null")?;
                Shape::Null
            }
            Start::True => {
                cursor.word("true")?;
                scalar(Shape::Boolean)
            }
            Start::False => {
                cursor.word("false")?;
                scalar(Shape::Boolean)
            }
            Start::Number => scalar(Shape::of_number(cursor.number()?)),
            Start::Text => {
                let text = cursor.text()?;
                let is_time = options.infer_timestamp && options.times.timestamp(&text).is_some();
                scalar(if is_time { Shape::Timestamp } else { Shape::Text })
            }
            Start::Array => return self.read_array(cursor, options),
            Start::Object => return self.read_object(cursor, options),
        };
        self.merge(found);
        Ok(())
    }

    fn of_number(number: &str) -> Shape {
        let digits = number.strip_prefix('-').unwrap_or(number);
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        if literal::parse_integer(number.as_bytes()).is_some() {
            Shape::Integer
        } else if is_whole && digits.len() <= DIGITS_MAX {
            u8::try_from(digits.len()).map_or(Shape::Double, Shape::LongInteger)
        } else {
            Shape::Double
        }
    }

    fn read_array(
        &mut self,
        cursor: &mut Cursor<'_>,
        options: &JsonOptions,
    ) -> Result<(), SyntaxError> {
        self.merge(Shape::List(Box::new(Shape::Null)));
        let mut ignored = Shape::Null;
        let item = match self {
            Shape::List(item) => item.as_mut(),
            _ => &mut ignored,
        };
        cursor.enter()?;
        let mut is_first = true;
        while cursor.next_item(is_first)? {
            item.read(cursor, options)?;
            is_first = false;
        }
        Ok(())
    }

    fn read_object(
        &mut self,
        cursor: &mut Cursor<'_>,
        options: &JsonOptions,
    ) -> Result<(), SyntaxError> {
        self.merge(Shape::Object(Members::default()));
        let mut ignored = Members::default();
        let members = match self {
            Shape::Object(members) => members,
            _ => &mut ignored,
        };
        cursor.enter()?;
        let mut is_first = true;
        while let Some(key) = cursor.next_key(is_first)? {
            members.at(&key).read(cursor, options)?;
            is_first = false;
        }
        Ok(())
    }

    /// Becomes the narrowest shape that takes both; what has nothing in common becomes text.
    pub(super) fn merge(&mut self, other: Shape) {
        use Shape::{Double, Integer, List, LongInteger, Null, Object, Text};
        let this = std::mem::replace(self, Null);
        *self = match (this, other) {
            (a, b) if a == b => a,
            (Null, shape) | (shape, Null) => shape,
            (LongInteger(a), LongInteger(b)) => LongInteger(a.max(b)),
            (Integer, LongInteger(digits)) | (LongInteger(digits), Integer) => LongInteger(digits),
            (Integer | LongInteger(_), Double) | (Double, Integer | LongInteger(_)) => Double,
            (List(mut a), List(b)) => {
                a.merge(*b);
                List(a)
            }
            (Object(mut a), Object(b)) => {
                for (name, shape) in b.shapes {
                    a.at(&name).merge(shape);
                }
                Object(a)
            }
            _ => Text,
        };
    }

    fn data_type(&self, options: &JsonOptions, zone: &str) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::LongInteger(digits) => DataType::Decimal128(*digits, 0),
            Self::Double => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(zone))),
            Self::Null | Self::Text => DataType::Utf8,
            Self::List(item) => {
                DataType::List(Arc::new(Field::new_list_field(item.data_type(options, zone), true)))
            }
            // An object without members has no columns to be shown as; its text is.
            Self::Object(members) => match members.fields(options, zone) {
                fields if fields.is_empty() => DataType::Utf8,
                fields => DataType::Struct(fields),
            },
        }
    }
}

impl Members {
    fn at(&mut self, name: &str) -> &mut Shape {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                self.places.insert(name.to_owned(), self.shapes.len());
                self.shapes.push((name.to_owned(), Shape::Null));
                self.shapes.len() - 1
            }
        };
        &mut self.shapes[place].1
    }

    /// Puts the members in the order of their names, also those of objects within.
    pub(super) fn sort(&mut self) {
        self.shapes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let places = self.shapes.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
        self.places = places.collect();
        self.shapes.iter_mut().for_each(|(_, shape)| shape.sort());
    }

    /// The members as columns.
    pub(super) fn fields(&self, options: &JsonOptions, zone: &str) -> Fields {
        self.shapes
            .iter()
            .filter(|(_, shape)| !options.drop_all_null || !shape.is_all_null())
            .map(|(name, shape)| Field::new(name, shape.data_type(options, zone), true))
            .collect()
    }
}

impl Shape {
    fn sort(&mut self) {
        match self {
            Self::List(item) => item.sort(),
            Self::Object(members) => members.sort(),
            _ => {}
        }
    }

    fn is_all_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(item) => item.is_all_null(),
            Self::Object(members) => members.shapes.iter().all(|(_, shape)| shape.is_all_null()),
            _ => false,
        }
    }
}

/// A number as a double, in digits or as one of the words.
pub(super) fn double_of(text: &str) -> Option<f64> {
    literal::parse_double(text).or_else(|| special_double(text))
}

#[cfg(test)]
mod tests {
    use super::super::super::ReadOptions;
    use super::*;

    fn columns(records: &[&str], set: &[(&str, &str)]) -> String {
        let mut options = ReadOptions::default();
        set.iter().for_each(|(name, value)| options.set(name, *value));
        let options = JsonOptions::from_options(&options).unwrap();
        let mut shape = Shape::Null;
        for record in records {
            shape.read(&mut Cursor::new(record, options.leniency), &options).unwrap();
        }
        let Shape::Object(members) = shape else { return format!("{shape:?}") };
        let fields = members.fields(&options, "UTC");
        let named = fields.iter().map(|field| format!("{} {}", field.name(), field.data_type()));
        named.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn types_are_the_narrowest_that_take_all() {
        assert_eq!(
            columns(&[r#"{"b":1,"a":true}"#, r#"{"a":null,"b":2.5,"c":null}"#], &[]),
            "b Float64, a Boolean, c Utf8"
        );
        assert_eq!(columns(&[r#"{"a":1}"#, r#"{"a":"x"}"#], &[]), "a Utf8");
        assert_eq!(columns(&[r#"{"a":99999999999999999999}"#], &[]), "a Decimal128(20, 0)");
        assert_eq!(columns(&[r#"{"a":{}}"#, r#"{"a":[]}"#], &[]), "a Utf8");
        assert_eq!(columns(&[r#"{"d":"2020-01-01T00:00:00Z"}"#], &[]), "d Utf8");
    }

    #[test]
    fn objects_and_arrays_nest() {
        let nested = columns(&[r#"{"a":{"x":1}}"#, r#"{"a":{"y":[{"z":1}]}}"#], &[]);
        assert!(nested.contains("x") && nested.contains("y") && nested.contains("z"), "{nested}");
        assert!(columns(&[r#"{"a":[1,2.5]}"#], &[]).contains("Float64"));
    }

    #[test]
    fn options_change_types() {
        let records = [r#"{"a":1,"b":null,"t":"2020-01-01T00:00:00Z"}"#];
        assert_eq!(columns(&records, &[("primitivesAsString", "true")]), "a Utf8, b Utf8, t Utf8");
        assert!(!columns(&records, &[("dropFieldIfAllNull", "true")]).contains("b "));
        assert!(columns(&records, &[("inferTimestamp", "true")]).contains("t Timestamp"));
    }
}
