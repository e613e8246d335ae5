//! Steps over Avro records by their schema, to tell whether a block holds as many as it says.

use std::collections::HashMap;

use serde_json::Value;

use super::long;

/// How deep types may stand in each other.
const DEPTH_MAX: usize = 64;

/// The shape of a value as far as its length goes.
#[derive(Debug, Clone)]
enum Kind {
    Nothing,
    Long,
    Fixed(usize),
    Bytes,
    Array(Box<Kind>),
    Map(Box<Kind>),
    Record(Vec<Kind>),
    Union(Vec<Kind>),
    Named(String),
}

/// A schema of which all types are known.
#[derive(Debug)]
pub(super) struct Shape {
    root: Kind,
    named: HashMap<String, Kind>,
}

impl Shape {
    /// Reads a schema; `None` if it has something unknown.
    pub(super) fn parse(schema: &[u8]) -> Option<Self> {
        let mut named = HashMap::new();
        let root = parse(&serde_json::from_slice(schema).ok()?, &mut named)?;
        Some(Self { root, named })
    }

    /// Whether so many records fill the bytes to their end.
    pub(super) fn fills(&self, count: u64, bytes: &[u8]) -> bool {
        // Values without bytes could be told of in any number.
        let steps = bytes.len() * 4 + (1 << 20);
        let mut walk = Walk { bytes, at: 0, steps, named: &self.named };
        (0..count).all(|_| walk.skip(&self.root, 0).is_some()) && walk.at == bytes.len()
    }
}

fn parse(schema: &Value, named: &mut HashMap<String, Kind>) -> Option<Kind> {
    let fields = match schema {
        Value::String(name) => return Some(primitive(name)),
        Value::Array(branches) => {
            let branches = branches.iter().map(|branch| parse(branch, named));
            return Some(Kind::Union(branches.collect::<Option<_>>()?));
        }
        Value::Object(fields) => fields,
        _ => return None,
    };
    let Some(Value::String(name)) = fields.get("type") else {
        return parse(fields.get("type")?, named);
    };
    let kind = match name.as_str() {
        "array" => return Some(Kind::Array(Box::new(parse(fields.get("items")?, named)?))),
        "map" => return Some(Kind::Map(Box::new(parse(fields.get("values")?, named)?))),
        "enum" => Kind::Long,
        "fixed" => Kind::Fixed(usize::try_from(fields.get("size")?.as_u64()?).ok()?),
        "record" | "error" => {
            let columns = fields.get("fields")?.as_array()?;
            let columns = columns.iter().map(|column| parse(column.get("type")?, named));
            Kind::Record(columns.collect::<Option<_>>()?)
        }
        other => return Some(primitive(other)),
    };
    if let Some(name) = fields.get("name").and_then(Value::as_str) {
        named.insert(last_part(name).to_owned(), kind.clone());
    }
    Some(kind)
}

/// Names of types are told apart without their name space.
fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn primitive(name: &str) -> Kind {
    match name {
        "null" => Kind::Nothing,
        "boolean" => Kind::Fixed(1),
        "int" | "long" => Kind::Long,
        "float" => Kind::Fixed(4),
        "double" => Kind::Fixed(8),
        "bytes" | "string" => Kind::Bytes,
        other => Kind::Named(last_part(other).to_owned()),
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    steps: usize,
    named: &'a HashMap<String, Kind>,
}

impl Walk<'_> {
    fn skip(&mut self, kind: &Kind, depth: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            Kind::Nothing => Some(()),
            Kind::Long => long(self.bytes, &mut self.at).map(drop),
            Kind::Fixed(length) => self.forward(*length),
            Kind::Bytes => self.skip_bytes(),
            Kind::Array(item) => self.skip_items(item, false, depth),
            Kind::Map(item) => self.skip_items(item, true, depth),
            Kind::Record(columns) => {
                columns.iter().try_for_each(|column| self.skip(column, depth + 1))
            }
            Kind::Union(branches) => {
                let branch = usize::try_from(long(self.bytes, &mut self.at)?).ok()?;
                self.skip(branches.get(branch)?, depth + 1)
            }
            Kind::Named(name) => self.skip(self.named.get(name)?, depth + 1),
        }
    }

    fn forward(&mut self, length: usize) -> Option<()> {
        self.at = self.at.checked_add(length).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn skip_bytes(&mut self) -> Option<()> {
        let length = usize::try_from(long(self.bytes, &mut self.at)?).ok()?;
        self.forward(length)
    }

    fn skip_items(&mut self, item: &Kind, has_keys: bool, depth: usize) -> Option<()> {
        loop {
            let count = long(self.bytes, &mut self.at)?;
            if count == 0 {
                return Some(());
            }
            if count < 0 {
                // The bytes of the group, for those that skip it whole.
                long(self.bytes, &mut self.at)?;
            }
            for _ in 0..count.unsigned_abs() {
                if has_keys {
                    self.skip_bytes()?;
                }
                self.skip(item, depth + 1)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_fill_their_block_or_not() {
        let schema = br#"{"type": "record", "name": "a.r", "fields": [
            {"name": "n", "type": ["null", "long"]},
            {"name": "s", "type": {"type": "array", "items": "string"}},
            {"name": "f", "type": {"type": "fixed", "name": "four", "size": 4}},
            {"name": "g", "type": "four"}]}"#;
        let shape = Shape::parse(schema).unwrap();
        // NULL, an array of "x", and twice four bytes; then 1, an empty array, and the same.
        let one = [0, 2, 2, b'x', 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let other = [2, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let both = [&one[..], &other].concat();
        assert!(shape.fills(1, &one) && shape.fills(1, &other) && shape.fills(2, &both));
        assert!(!shape.fills(1, &both) && !shape.fills(3, &both) && !shape.fills(0, &both));
        assert!(!shape.fills(1, &one[..12]));
    }
}
