//! XML: a small reader of elements, `from_xml`, `to_xml` and `schema_of_xml`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use super::build::Builder;
use super::csv::struct_type;
use super::json::permissive;
use super::moments::Moments;
use super::options::Options;
use super::schema::{self, Shape};
use super::tree::Tree;
use super::write::{Writer, is_null};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// How deep elements may nest.
const DEPTH_MAX: usize = 500;

/// An element: its name, its attributes, and what stands within.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) nodes: Vec<Node>,
}

/// What stands within an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Element(Element),
}

impl Element {
    /// All text within, at any depth.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.push_text(&mut text);
        text
    }

    fn push_text(&self, output: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) => output.push_str(text),
                Node::Element(element) => element.push_text(output),
            }
        }
    }

    /// The elements within.
    pub(super) fn children(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }
}

/// The element that a text is; `None` if it is malformed.
pub(super) fn read(text: &str) -> Option<Element> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}') };
    reader.skip_others()?;
    let root = reader.element(0)?;
    reader.skip_others()?;
    reader.rest.is_empty().then_some(root)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }

    /// Passes over spaces, comments, instructions and the type of the document.
    fn skip_others(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start();
            if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<?") {
                self.until("?>")?;
            } else if self.take("<!DOCTYPE") {
                self.until(">")?;
            } else {
                return Some(());
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        let is_of_name = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
        let end = self.rest.find(|c| !is_of_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth > DEPTH_MAX || !self.take("<") {
            return None;
        }
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.take("/>") {
                return Some(Element { name, attributes, nodes: Vec::new() });
            }
            if self.take(">") {
                break;
            }
            let attribute = self.name()?;
            self.rest = self.rest.trim_start();
            if !self.take("=") {
                return None;
            }
            self.rest = self.rest.trim_start();
            let quote = if self.take("\"") { "\"" } else { "'" };
            if quote == "'" && !self.take("'") {
                return None;
            }
            attributes.push((attribute, unescaped(self.until(quote)?)?));
        }
        let nodes = self.nodes(depth)?;
        if self.name()? != name {
            return None;
        }
        self.rest = self.rest.trim_start();
        self.take(">").then_some(Element { name, attributes, nodes })
    }

    /// What stands within an element, and its end up to the name.
    fn nodes(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        loop {
            let (before, _) = self.rest.split_once('<')?;
            text.push_str(&unescaped(before)?);
            self.rest = &self.rest[before.len()..];
            if self.take("<![CDATA[") {
                text.push_str(self.until("]]>")?);
            } else if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<?") {
                self.until("?>")?;
            } else {
                if !text.is_empty() {
                    nodes.push(Node::Text(std::mem::take(&mut text)));
                }
                if self.take("</") {
                    return Some(nodes);
                }
                nodes.push(Node::Element(self.element(depth + 1)?));
            }
        }
    }
}

/// A text without its entities.
fn unescaped(text: &str) -> Option<String> {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        output.push_str(before);
        let (entity, after) = after.split_once(';')?;
        output.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            code => {
                let code = code.strip_prefix('#')?;
                let number = match code.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => code.parse().ok()?,
                };
                char::from_u32(number)?
            }
        });
        rest = after;
    }
    output.push_str(rest);
    Some(output)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An element as a tree: attributes and elements are members, those of one name an array.
fn tree_of(element: &Element, names: &Names<'_>) -> Tree {
    let text = element.nodes.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text.as_str()),
        Node::Element(_) => None,
    });
    let text: String = text.collect();
    let text = if names.trims { text.trim() } else { &text };
    if element.attributes.is_empty() && element.children().next().is_none() {
        return Tree::Text(text.to_owned());
    }
    let mut members: Vec<(String, Tree)> = Vec::new();
    for (name, value) in &element.attributes {
        members.push((format!("{}{name}", names.attribute), Tree::Text(value.clone())));
    }
    for child in element.children() {
        let value = tree_of(child, names);
        match members.iter_mut().find(|(known, _)| *known == child.name) {
            Some((_, Tree::Array(items))) => items.push(value),
            Some((_, single)) => {
                let first = std::mem::replace(single, Tree::Null);
                *single = Tree::Array(vec![first, value]);
            }
            None => members.push((child.name.clone(), value)),
        }
    }
    if !text.trim().is_empty() {
        members.push((names.value.to_owned(), Tree::Text(text.to_owned())));
    }
    Tree::Object(members)
}

/// What members are called that are not elements.
struct Names<'a> {
    attribute: &'a str,
    value: &'a str,
    trims: bool,
}

impl<'a> Names<'a> {
    fn of(options: &'a Options) -> Self {
        Self {
            attribute: options.get("attributeprefix").unwrap_or("_"),
            value: options.get("valuetag").unwrap_or("_VALUE"),
            trims: options.is_on("ignoresurroundingspaces", true),
        }
    }
}

/// Spark's `from_xml(xml, schema[, options])`.
pub(super) fn from_xml() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Any], &[Kind::Options]);
    Kernel::by_value("from_xml", parameters, |_, literals| struct_type(literals), parsed).udf()
}

fn parsed(call: &Call<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 2)?;
    let moments = Moments::to_read(&options, call.time_zone())?;
    let names = Names::of(&options);
    let texts = call.text(0)?;
    let trees = texts.iter().map(|text| text.and_then(read).map(|root| tree_of(&root, &names)));
    let trees: Vec<Option<Tree>> = trees.collect();
    let rows: Vec<Option<&Tree>> = trees.iter().map(Option::as_ref).collect();
    let null_text = options.get("nullvalue").unwrap_or("");
    let builder = Builder { moments: &moments, reads_texts: true, null_text, lists_singles: true };
    let mut misfits: Vec<bool> = rows.iter().map(Option::is_none).collect();
    let values = builder.column(call.returns, &rows, &mut misfits)?;
    if options.fails_fast()
        && let Some(row) = (0..texts.len()).find(|row| texts.is_valid(*row) && misfits[*row])
    {
        let message = format!("`{}` is malformed, or does not fit the schema", texts.value(row));
        return Err(Failure::new("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", message).into());
    }
    let valid = texts.nulls().cloned();
    let valid = valid.unwrap_or_else(|| arrow::buffer::NullBuffer::new_valid(texts.len()));
    Ok(permissive(values, &valid))
}

/// Spark's `to_xml(struct[, options])`.
pub(super) fn to_xml() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Struct], &[Kind::Options]);
    Kernel::new("to_xml", parameters, rows::text, |call| {
        let options = Options::of(call, 1)?;
        let moments = Moments::to_write(&options, call.time_zone())?;
        let output = Output {
            writer: Writer { moments, ignores_null: true, pretty: false },
            names: Names::of(&options),
            indent: options.get("indent").unwrap_or("    "),
        };
        let tag = options.get("rowtag").unwrap_or("ROW");
        let values = call.array(0)?;
        let mut texts = StringBuilder::new();
        for row in 0..call.rows {
            if values.is_null(row) {
                texts.append_null();
                continue;
            }
            let mut text = String::new();
            output.push(tag, Cell { array: &values, row }, 0, &mut text)?;
            texts.append_value(text.trim_start_matches('\n'));
        }
        Ok(Arc::new(texts.finish()))
    })
    .udf()
}

/// A value of a column.
#[derive(Clone, Copy)]
struct Cell<'a> {
    array: &'a ArrayRef,
    row: usize,
}

struct Output<'a> {
    writer: Writer,
    names: Names<'a>,
    indent: &'a str,
}

impl Output<'_> {
    /// Writes a value as an element on a line of its own; NULL is left out.
    fn push(&self, tag: &str, cell: Cell<'_>, depth: usize, output: &mut String) -> Result<()> {
        let Cell { array, row } = cell;
        if is_null(array, row) {
            return Ok(());
        }
        if let DataType::List(_) = array.data_type() {
            let items = array.as_list::<i32>().value(row);
            return (0..items.len())
                .try_for_each(|at| self.push(tag, Cell { array: &items, row: at }, depth, output));
        }
        self.line(depth, output);
        match array.data_type() {
            DataType::Struct(_) => self.fields(tag, cell, depth, output),
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                output.push_str(&format!("<{tag}>"));
                for at in 0..entries.len() {
                    let mut name = String::new();
                    self.writer.leaf(entries.column(0), at, &mut name)?;
                    self.push(
                        &name,
                        Cell { array: entries.column(1), row: at },
                        depth + 1,
                        output,
                    )?;
                }
                self.line(depth, output);
                output.push_str(&format!("</{tag}>"));
                Ok(())
            }
            _ => {
                let mut text = String::new();
                self.writer.leaf(array, row, &mut text)?;
                output.push_str(&format!("<{tag}>{}</{tag}>", escaped(&text)));
                Ok(())
            }
        }
    }

    fn fields(&self, tag: &str, cell: Cell<'_>, depth: usize, output: &mut String) -> Result<()> {
        let Cell { array, row } = cell;
        let structs = array.as_struct();
        let columns = || structs.fields().iter().zip(structs.columns());
        let attribute =
            |name: &str| name.starts_with(self.names.attribute) && name != self.names.value;
        output.push_str(&format!("<{tag}"));
        for (field, column) in columns().filter(|(field, _)| attribute(field.name())) {
            if !is_null(column, row) {
                let mut text = String::new();
                self.writer.leaf(column, row, &mut text)?;
                let name = &field.name()[self.names.attribute.len()..];
                output.push_str(&format!(" {name}=\"{}\"", escaped(&text)));
            }
        }
        output.push('>');
        let before = output.len();
        for (field, column) in columns().filter(|(field, _)| !attribute(field.name())) {
            match field.name() == self.names.value {
                true if !is_null(column, row) => {
                    let mut text = String::new();
                    self.writer.leaf(column, row, &mut text)?;
                    output.push_str(&escaped(&text));
                }
                true => {}
                false => self.push(field.name(), Cell { array: column, row }, depth + 1, output)?,
            }
        }
        if output[before..].starts_with('\n') {
            self.line(depth, output);
        }
        output.push_str(&format!("</{tag}>"));
        Ok(())
    }

    fn line(&self, depth: usize, output: &mut String) {
        output.push('\n');
        (0..depth).for_each(|_| output.push_str(self.indent));
    }
}

/// Spark's `schema_of_xml(xml[, options])`.
pub(super) fn schema_of_xml() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::OnlyText], &[Kind::Options]);
    Kernel::new("schema_of_xml", parameters, rows::text, |call| {
        let options = Options::of(call, 1)?;
        let texts = call.text(0)?;
        if call.constant(0).is_some_and(ScalarValue::is_null) {
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", "the XML is NULL").into());
        }
        rows::texts(call, |row, output| {
            let Some(ddl) = schema(texts.value(row), &options) else {
                let message = format!("`{}` is no XML", texts.value(row));
                return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
            };
            output.push_str(&ddl);
            Ok(true)
        })
    })
    .udf()
}

/// The type of an element, in DDL.
pub(super) fn schema(text: &str, options: &Options) -> Option<String> {
    Some(shape_of(&tree_of(&read(text)?, &Names::of(options))).ddl())
}

fn shape_of(tree: &Tree) -> Shape {
    match tree {
        Tree::Object(members) => {
            let fields = members.iter().map(|(name, value)| (name.clone(), shape_of(value)));
            let mut fields: Vec<(String, Shape)> = fields.collect();
            fields.sort_by(|left, right| left.0.cmp(&right.0));
            Shape::Struct(fields)
        }
        Tree::Array(items) => {
            let items = items.iter().map(shape_of);
            Shape::Array(Box::new(items.fold(Shape::Null, Shape::merged)))
        }
        Tree::Text(text) => schema::of_text(text),
        _ => Shape::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn elements_hold_texts_and_elements() {
        let root = read("<?xml version='1.0'?><a x=\"1\"><b>c&lt;</b><!-- d --><b/></a>").unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.text(), "c<");
        assert_eq!(root.children().count(), 2);
        for text in ["<a>", "<a></b>", "a", "<a/><b/>", "<a x=1/>"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
