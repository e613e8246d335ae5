//! Texts compared with one text: `a = 'x'` and `a <> 'x'`.
//!
//! A view of a text of at most 12 bytes holds all of it, so that two numbers of 128 bits are compared; of
//! longer ones the length and the first four bytes tell most apart. Arrow's kernel looks at lengths, places and
//! bytes one after the other, in four times the time.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, BooleanArray, RecordBatch, StringViewArray, make_view,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result as DfResult, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Literal};

/// `text = other`, or `text <> other` if `negated`; NULL for NULL.
#[derive(Debug, Clone, Eq)]
pub(crate) struct TextIs {
    text: Arc<dyn PhysicalExpr>,
    other: String,
    /// That of `other`; behind 12 bytes, its place means nothing.
    view: u128,
    negated: bool,
}

impl TextIs {
    /// A comparison of a column of views with a constant in this form; `None` for any other expression.
    pub(crate) fn of(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> DfResult<Option<Self>> {
        let Some(binary) = expr.downcast_ref::<BinaryExpr>() else { return Ok(None) };
        let negated = match binary.op() {
            Operator::Eq => false,
            Operator::NotEq => true,
            _ => return Ok(None),
        };
        let sides = match (constant(binary.left()), constant(binary.right())) {
            (None, Some(other)) => (binary.left(), other),
            (Some(other), None) => (binary.right(), other),
            _ => return Ok(None),
        };
        let (text, other) = sides;
        if text.data_type(schema)? != DataType::Utf8View {
            return Ok(None);
        }
        let view = make_view(other.as_bytes(), 0, 0);
        Ok(Some(Self { text: Arc::clone(text), other: other.to_owned(), view, negated }))
    }

    fn compare(&self, texts: &StringViewArray) -> BooleanBuffer {
        let views = texts.views();
        let (view, negated) = (self.view, self.negated);
        if self.other.len() <= 12 {
            return BooleanBuffer::collect_bool(views.len(), |at| (views[at] == view) != negated);
        }
        // Length and the first bytes.
        let head = view as u64;
        BooleanBuffer::collect_bool(views.len(), |at| {
            let same = views[at] as u64 == head && texts.value(at) == self.other;
            same != negated
        })
    }
}

fn constant(expr: &Arc<dyn PhysicalExpr>) -> Option<&str> {
    match expr.downcast_ref::<Literal>()?.value() {
        ScalarValue::Utf8View(Some(text)) => Some(text),
        _ => None,
    }
}

// Derived, these would move the text out of its pointer.
impl PartialEq for TextIs {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq(&other.text) && self.other == other.other && self.negated == other.negated
    }
}

impl Hash for TextIs {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.other.hash(state);
        self.negated.hash(state);
    }
}

impl fmt::Display for TextIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.negated { "!=" } else { "=" };
        write!(f, "{} {operator} {}", self.text, self.other)
    }
}

impl PhysicalExpr for TextIs {
    fn data_type(&self, _schema: &Schema) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> DfResult<bool> {
        self.text.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let texts = self.text.evaluate(batch)?.into_array(batch.num_rows())?;
        let texts = texts.as_string_view();
        let answers = BooleanArray::new(self.compare(texts), texts.nulls().cloned());
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.text]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        match <[_; 1]>::try_from(children) {
            Ok([text]) => Ok(Arc::new(Self { text, ..Self::clone(&self) })),
            Err(children) => internal_err!("a comparison of {} texts", children.len()),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_expr::expressions::{col, lit};

    use super::*;

    /// What the expression gives for texts of either side of 12 bytes.
    fn answers(op: Operator, other: &str) -> Vec<Option<bool>> {
        let texts = [
            Some("MAIL"),
            None,
            Some(""),
            Some("MAIL\0"),
            Some("MAIL of 13 bytes"),
            Some("MAIL of 13 bytez"),
        ];
        let texts: StringViewArray = texts.into_iter().collect();
        // Views have to be read from the first row of the slice on.
        let texts: Arc<dyn Array> = Arc::new(texts.slice(1, 5));
        let first: Arc<dyn Array> = Arc::new(StringViewArray::from(vec!["MAIL"]));
        let texts = datafusion::arrow::compute::concat(&[&first, &texts]).unwrap();
        let batch = RecordBatch::try_from_iter([("a", texts)]).unwrap();
        let schema = batch.schema();
        let literal = lit(ScalarValue::Utf8View(Some(other.to_owned())));
        let compared: Arc<dyn PhysicalExpr> =
            Arc::new(BinaryExpr::new(col("a", &schema).unwrap(), op, literal));
        let wanted = compared.evaluate(&batch).unwrap().into_array(6).unwrap();
        let expr = TextIs::of(&compared, &schema).unwrap().unwrap();
        let given = expr.evaluate(&batch).unwrap().into_array(6).unwrap();
        assert_eq!(wanted.as_boolean(), given.as_boolean());
        given.as_boolean().iter().collect()
    }

    #[test]
    fn texts_are_equal_byte_for_byte() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(answers(Operator::Eq, "MAIL"), [yes, None, no, no, no, no]);
        assert_eq!(answers(Operator::NotEq, ""), [yes, None, no, yes, yes, yes]);
        assert_eq!(answers(Operator::Eq, "MAIL of 13 bytes"), [no, None, no, no, yes, no]);
        assert_eq!(answers(Operator::NotEq, "MAIL of 13 bytes"), [yes, None, yes, yes, no, yes]);
    }
}
