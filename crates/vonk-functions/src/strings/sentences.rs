//! `sentences(text[, language, country])`: the words of each sentence.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use unicode_segmentation::UnicodeSegmentation;

use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// Spark's `sentences`; words and sentences end where Unicode says, whatever the language.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Text, Kind::Text]);
    Kernel::new("sentences", parameters, |_| Ok(list(list(DataType::Utf8))), words).udf()
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn words(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let mut sentences = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for text in &texts {
        for sentence in text.unwrap_or_default().unicode_sentences() {
            for word in sentence.unicode_words() {
                sentences.values().values().append_value(word);
            }
            sentences.values().append(true);
        }
        sentences.append(text.is_some());
    }
    Ok(Arc::new(sentences.finish()))
}
