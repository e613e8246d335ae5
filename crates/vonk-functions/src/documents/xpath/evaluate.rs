//! What expressions of XPath give.

use std::collections::HashMap;

use super::parse::{Axis, Expression, Path, Step, Test};
use crate::documents::xml::{Element, Node as XmlNode};

/// A node of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'a> {
    Element(&'a Element),
    Text(&'a str),
    Attribute(&'a str, &'a str),
}

/// A node with the elements above it.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    node: Node<'a>,
    above: Vec<&'a Element>,
}

/// What an expression gives.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Nodes(Vec<Place<'a>>),
    Number(f64),
    Text(String),
    Boolean(bool),
}

impl Place<'_> {
    fn text(&self) -> String {
        match self.node {
            Node::Element(element) => element.text(),
            Node::Text(text) | Node::Attribute(_, text) => text.to_owned(),
        }
    }

    fn name(&self) -> &str {
        match self.node {
            Node::Element(element) => &element.name,
            Node::Attribute(name, _) => name,
            Node::Text(_) => "",
        }
    }

    /// Tells nodes apart.
    fn address(&self) -> usize {
        match self.node {
            Node::Element(element) => std::ptr::from_ref(element) as usize,
            Node::Text(text) | Node::Attribute(_, text) => text.as_ptr() as usize,
        }
    }
}

impl Value<'_> {
    /// The text of the first node, or of the value.
    pub(super) fn text(&self) -> String {
        match self {
            Value::Nodes(nodes) => nodes.first().map(Place::text).unwrap_or_default(),
            Value::Number(number) => match number {
                whole if whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole:.0}"),
                other => other.to_string(),
            },
            Value::Text(text) => text.clone(),
            Value::Boolean(value) => value.to_string(),
        }
    }

    /// The value as a number, NaN for what is none.
    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Boolean(value) => f64::from(u8::from(*value)),
            other => other.text().trim().parse().unwrap_or(f64::NAN),
        }
    }

    /// The value as a truth value: nodes are true where there are any.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Nodes(nodes) => !nodes.is_empty(),
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::Boolean(value) => *value,
        }
    }

    /// What Java calls the values of the nodes: an element has none.
    pub(super) fn node_values(&self) -> Vec<Option<String>> {
        match self {
            Value::Nodes(nodes) => {
                let values = nodes.iter().map(|place| match place.node {
                    Node::Element(_) => None,
                    _ => Some(place.text()),
                });
                values.collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Where an expression is asked: a node, and its position among others.
#[derive(Clone)]
pub(super) struct Context<'a> {
    document: &'a Element,
    place: Place<'a>,
    position: usize,
    last: usize,
}

impl<'a> Context<'a> {
    /// At the document itself.
    pub(super) fn of(document: &'a Element) -> Self {
        let place = Place { node: Node::Element(document), above: Vec::new() };
        Self { document, place, position: 1, last: 1 }
    }

    /// What the expression gives.
    pub(super) fn evaluate(&self, expression: &Expression) -> Value<'a> {
        match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Path(path) => Value::Nodes(self.walk(path)),
            Expression::Negative(inner) => Value::Number(-self.evaluate(inner).number()),
            Expression::Binary(operator, left, right) => self.binary(operator, left, right),
            Expression::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn walk(&self, path: &Path) -> Vec<Place<'a>> {
        let start = match path.is_absolute {
            true => Place { node: Node::Element(self.document), above: Vec::new() },
            false => self.place.clone(),
        };
        let found = path.steps.iter().fold(vec![start], |places, step| {
            let mut next: Vec<Place<'a>> = Vec::new();
            for found in places.iter().flat_map(|place| self.step(place, step)) {
                if !next.iter().any(|known| known.address() == found.address()) {
                    next.push(found);
                }
            }
            next
        });
        self.ordered(found)
    }

    /// Nodes in the order of the document, each once.
    fn ordered(&self, mut nodes: Vec<Place<'a>>) -> Vec<Place<'a>> {
        if nodes.len() < 2 {
            return nodes;
        }
        let mut order = HashMap::new();
        number(self.document, &mut order);
        let at = |place: &Place<'a>| order.get(&place.address()).copied().unwrap_or(usize::MAX);
        nodes.sort_by_key(at);
        nodes.dedup_by_key(|place| place.address());
        nodes
    }

    fn step(&self, place: &Place<'a>, step: &Step) -> Vec<Place<'a>> {
        let mut found = along(place, step.axis);
        found.retain(|place| match &step.test {
            Test::Node => true,
            Test::Text => matches!(place.node, Node::Text(_)),
            Test::Any => !matches!(place.node, Node::Text(_)),
            Test::Name(name) => place.name() == name,
        });
        for predicate in &step.predicates {
            let last = found.len();
            let places = found.into_iter().enumerate().filter(|(at, place)| {
                let context =
                    Context { place: place.clone(), position: at + 1, last, ..self.clone() };
                match context.evaluate(predicate) {
                    Value::Number(position) => position == (at + 1) as f64,
                    other => other.is_true(),
                }
            });
            found = places.map(|(_, place)| place).collect();
        }
        found
    }

    fn binary(&self, operator: &str, left: &Expression, right: &Expression) -> Value<'a> {
        let (left, right) = (self.evaluate(left), self.evaluate(right));
        match operator {
            "or" => Value::Boolean(left.is_true() || right.is_true()),
            "and" => Value::Boolean(left.is_true() && right.is_true()),
            "|" => match (left, right) {
                (Value::Nodes(mut left), Value::Nodes(right)) => {
                    left.extend(right);
                    Value::Nodes(self.ordered(left))
                }
                (left, _) => left,
            },
            "+" => Value::Number(left.number() + right.number()),
            "-" => Value::Number(left.number() - right.number()),
            "*" => Value::Number(left.number() * right.number()),
            "div" => Value::Number(left.number() / right.number()),
            "mod" => Value::Number(left.number() % right.number()),
            comparison => Value::Boolean(compared(comparison, &left, &right)),
        }
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Value<'a> {
        let values: Vec<Value<'a>> = arguments.iter().map(|arg| self.evaluate(arg)).collect();
        let own = || Value::Nodes(vec![self.place.clone()]);
        let first = || values.first().cloned().unwrap_or_else(own);
        let text_at = |at: usize| values.get(at).map(Value::text).unwrap_or_default();
        match name {
            "count" => match first() {
                Value::Nodes(nodes) => Value::Number(nodes.len() as f64),
                _ => Value::Number(f64::NAN),
            },
            "sum" => match first() {
                Value::Nodes(nodes) => {
                    let numbers = nodes
                        .iter()
                        .map(|place| place.text().trim().parse::<f64>().unwrap_or(f64::NAN));
                    Value::Number(numbers.sum())
                }
                _ => Value::Number(f64::NAN),
            },
            "string" => Value::Text(first().text()),
            "number" => Value::Number(first().number()),
            "boolean" => Value::Boolean(first().is_true()),
            "not" => Value::Boolean(!first().is_true()),
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "position" => Value::Number(self.position as f64),
            "last" => Value::Number(self.last as f64),
            "floor" => Value::Number(first().number().floor()),
            "ceiling" => Value::Number(first().number().ceil()),
            "round" => Value::Number((first().number() + 0.5).floor()),
            "concat" => Value::Text(values.iter().map(Value::text).collect()),
            "contains" => Value::Boolean(text_at(0).contains(&text_at(1))),
            "starts-with" => Value::Boolean(text_at(0).starts_with(&text_at(1))),
            "string-length" => Value::Number(first().text().chars().count() as f64),
            "normalize-space" => {
                Value::Text(first().text().split_whitespace().collect::<Vec<_>>().join(" "))
            }
            "name" | "local-name" => match first() {
                Value::Nodes(nodes) => Value::Text(
                    nodes.first().map(|place| place.name().to_owned()).unwrap_or_default(),
                ),
                _ => Value::Text(String::new()),
            },
            _ => Value::Nodes(Vec::new()),
        }
    }
}

/// Numbers an element and all that is in it, by the address.
fn number(element: &Element, order: &mut HashMap<usize, usize>) {
    let add = |address: usize, order: &mut HashMap<usize, usize>| {
        let next = order.len();
        order.entry(address).or_insert(next);
    };
    add(std::ptr::from_ref(element) as usize, order);
    for (_, value) in &element.attributes {
        add(value.as_ptr() as usize, order);
    }
    for node in &element.nodes {
        match node {
            XmlNode::Text(text) => add(text.as_ptr() as usize, order),
            XmlNode::Element(inner) => number(inner, order),
        }
    }
}

/// The nodes along an axis.
fn along<'a>(place: &Place<'a>, axis: Axis) -> Vec<Place<'a>> {
    let Node::Element(element) = place.node else {
        return match axis {
            Axis::Itself | Axis::Descendants => vec![place.clone()],
            Axis::Parent => parent(place),
            Axis::Child | Axis::Attribute => Vec::new(),
        };
    };
    let mut above = place.above.clone();
    above.push(element);
    match axis {
        Axis::Itself => vec![place.clone()],
        Axis::Parent => parent(place),
        Axis::Attribute => {
            let attributes = element.attributes.iter();
            let nodes = attributes.map(|(name, value)| Node::Attribute(name, value));
            nodes.map(|node| Place { node, above: above.clone() }).collect()
        }
        Axis::Child => {
            let nodes = element.nodes.iter().map(|node| match node {
                XmlNode::Text(text) => Node::Text(text),
                XmlNode::Element(element) => Node::Element(element),
            });
            nodes.map(|node| Place { node, above: above.clone() }).collect()
        }
        Axis::Descendants => {
            let mut all = vec![place.clone()];
            for child in along(place, Axis::Child) {
                all.extend(along(&child, Axis::Descendants));
            }
            all
        }
    }
}

fn parent<'a>(place: &Place<'a>) -> Vec<Place<'a>> {
    let mut above = place.above.clone();
    above.pop().map(|element| Place { node: Node::Element(element), above }).into_iter().collect()
}

/// Nodes compare by any of them.
fn compared(operator: &str, left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Nodes(nodes), other) | (other, Value::Nodes(nodes))
            if !matches!(other, Value::Boolean(_)) =>
        {
            let is_left = matches!(left, Value::Nodes(_));
            nodes.iter().any(|place| {
                let node = Value::Text(place.text());
                match is_left {
                    true => compared(operator, &node, right),
                    false => compared(operator, left, &node),
                }
            })
        }
        _ => match operator {
            "=" | "!=" => {
                let is_equal = match (left, right) {
                    (Value::Boolean(_), _) | (_, Value::Boolean(_)) => {
                        left.is_true() == right.is_true()
                    }
                    (Value::Number(_), _) | (_, Value::Number(_)) => {
                        left.number() == right.number()
                    }
                    _ => left.text() == right.text(),
                };
                is_equal == (operator == "=")
            }
            "<" => left.number() < right.number(),
            ">" => left.number() > right.number(),
            "<=" => left.number() <= right.number(),
            _ => left.number() >= right.number(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Context;
    use crate::documents::xml::{Element, Node, read};
    use crate::documents::xpath::parse::parse;

    fn text(xml: &str, path: &str) -> String {
        let nodes = vec![Node::Element(read(xml).unwrap())];
        let document = Element { name: String::new(), attributes: Vec::new(), nodes };
        Context::of(&document).evaluate(&parse(path).unwrap()).text()
    }

    #[test]
    fn paths_find_texts_and_numbers() {
        let xml = "<a><b id='1'>x</b><b>y</b><c>3</c><c>4</c></a>";
        assert_eq!(text(xml, "a/b[2]"), "y");
        assert_eq!(text(xml, "/a/b[@id='1']/text()"), "x");
        assert_eq!(text(xml, "sum(a/c)"), "7");
        assert_eq!(text(xml, "count(//b) + 1"), "3");
        assert_eq!(text(xml, "a/b[last()]/../c"), "3");
        assert_eq!(text(xml, "a/c > 3"), "true");
    }
}
