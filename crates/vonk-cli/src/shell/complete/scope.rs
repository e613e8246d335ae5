//! Which relations a cursor can see: FROM, JOIN, WITH and subqueries, read from tokens alone.

use super::super::lex::{Kind, Piece};
use super::words::RESERVED;
use super::{Catalog, Column, PATH_FORMATS};

/// A relation with the name that qualifies its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relation {
    /// The alias, or the name; empty for a file without alias.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// The brackets of a statement as a tree.
pub(super) struct Blocks<'a> {
    blocks: Vec<Block<'a>>,
}

/// What stands between two brackets, or the whole statement.
struct Block<'a> {
    parent: Option<usize>,
    /// Offsets between which a cursor is inside.
    start: usize,
    end: usize,
    items: Vec<Item<'a>>,
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Token(Piece<'a>),
    Group(usize),
}

impl<'a> Item<'a> {
    fn token(self) -> Option<Piece<'a>> {
        match self {
            Self::Token(token) => Some(token),
            Self::Group(_) => None,
        }
    }

    fn is(self, word: &str) -> bool {
        self.token().is_some_and(|token| token.kind != Kind::Text && token.is(word))
    }

    /// The text of a name, without backticks.
    fn name(self) -> Option<String> {
        let token = self.token()?;
        match token.kind {
            Kind::Name => Some(token.text.trim_matches('`').to_owned()),
            Kind::Word if !RESERVED.iter().any(|word| token.is(word)) => {
                Some(token.text.to_owned())
            }
            _ => None,
        }
    }
}

/// A query named by WITH.
struct CommonTable {
    name: String,
    query: usize,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(tokens: &[Piece<'a>]) -> Self {
        let block = |parent, start| Block { parent, start, end: usize::MAX, items: Vec::new() };
        let mut blocks = vec![block(None, 0)];
        let mut current = 0;
        for token in tokens {
            match (token.kind, token.text) {
                (Kind::Symbol, "(") => {
                    let next = blocks.len();
                    blocks[current].items.push(Item::Group(next));
                    blocks.push(block(Some(current), token.end()));
                    current = next;
                }
                (Kind::Symbol, ")") => {
                    if let Some(parent) = blocks[current].parent {
                        blocks[current].end = token.start;
                        current = parent;
                    }
                }
                _ => blocks[current].items.push(Item::Token(*token)),
            }
        }
        Self { blocks }
    }

    /// The relations that a cursor sees, innermost first.
    pub(super) fn in_scope(&self, cursor: usize, catalog: &dyn Catalog) -> Vec<Relation> {
        let around = self.around(cursor);
        around.iter().flat_map(|block| self.relations(*block, catalog)).collect()
    }

    /// The names that WITH gives to queries around a cursor.
    pub(super) fn common_tables(&self, cursor: usize) -> Vec<String> {
        let mut names = Vec::new();
        for block in self.around(cursor) {
            let tables = self.with(block).into_iter();
            // A query does not see its own name.
            let others = tables.filter(|table| {
                let query = &self.blocks[table.query];
                !(query.start <= cursor && cursor <= query.end)
            });
            names.extend(others.map(|table| table.name));
        }
        names
    }

    /// The blocks around a cursor, innermost first.
    fn around(&self, cursor: usize) -> Vec<usize> {
        let holds = |block: &Block<'_>| block.start <= cursor && cursor <= block.end;
        // Blocks are in the order of their opening, so the last that holds is the innermost.
        let mut next = self.blocks.iter().rposition(holds);
        let mut found = Vec::new();
        while let Some(block) = next {
            found.push(block);
            next = self.blocks[block].parent;
        }
        found
    }

    /// The relations of FROM and JOIN in a block.
    fn relations(&self, block: usize, catalog: &dyn Catalog) -> Vec<Relation> {
        let items = &self.blocks[block].items;
        let mut relations = Vec::new();
        let mut index = 0;
        let mut is_list = false;
        while index < items.len() {
            let item = items[index];
            index += 1;
            if item.is("from") || item.is("join") || item.is("into") || item.is("update") {
                is_list = true;
            } else if is_list && item.is(",") {
                // The next relation of a list.
            } else {
                is_list &= !item.token().is_some_and(|token| ends_from(&token));
                continue;
            }
            if let Some((relation, next)) = self.relation(block, index, catalog) {
                relations.push(relation);
                index = next;
            }
        }
        relations
    }

    /// The relation at an item, and the item after it and its alias.
    fn relation(
        &self,
        block: usize,
        at: usize,
        catalog: &dyn Catalog,
    ) -> Option<(Relation, usize)> {
        let items = &self.blocks[block].items;
        let mut index = at;
        if items.get(index)?.is("lateral") || items.get(index)?.is("table") {
            index += 1;
        }
        let first = *items.get(index)?;
        index += 1;
        let (mut name, columns) = match first {
            Item::Group(query) => (String::new(), self.output(query, catalog)),
            Item::Token(token) if token.kind == Kind::Text => {
                let path = token.text.trim_matches(['\'', '"']);
                (String::new(), catalog.columns(path))
            }
            item => {
                let mut parts = vec![item.name()?];
                while let [dot, part, ..] = items.get(index..)?
                    && dot.is(".")
                    && let Some(part) = part.name()
                {
                    parts.push(part);
                    index += 2;
                }
                self.named(block, &parts, catalog)
            }
        };
        if items.get(index).is_some_and(|item| item.is("as")) {
            index += 1;
        }
        if let Some(alias) = items.get(index).and_then(|item| item.name()) {
            name = alias;
            index += 1;
        }
        Some((Relation { name, columns }, index))
    }

    /// A relation by its name: of WITH, else of the catalog.
    fn named(
        &self,
        block: usize,
        parts: &[String],
        catalog: &dyn Catalog,
    ) -> (String, Vec<Column>) {
        let short = parts.last().cloned().unwrap_or_default();
        if let [format, path] = parts
            && PATH_FORMATS.iter().any(|name| format.eq_ignore_ascii_case(name))
        {
            return (String::new(), catalog.columns(path));
        }
        if parts.len() == 1 {
            let mut around = Some(block);
            while let Some(outer) = around {
                let found = self.with(outer).into_iter().find(|table| {
                    // A query that names itself would never end.
                    table.name.eq_ignore_ascii_case(&short) && !self.is_within(block, table.query)
                });
                if let Some(table) = found {
                    return (short, self.output(table.query, catalog));
                }
                around = self.blocks[outer].parent;
            }
        }
        (short, catalog.columns(&parts.join(".")))
    }

    fn is_within(&self, block: usize, outer: usize) -> bool {
        let mut next = Some(block);
        while let Some(block) = next {
            if block == outer {
                return true;
            }
            next = self.blocks[block].parent;
        }
        false
    }

    /// The queries that WITH names in a block.
    fn with(&self, block: usize) -> Vec<CommonTable> {
        let items = &self.blocks[block].items;
        let mut tables = Vec::new();
        if !items.iter().any(|item| item.is("with")) {
            return tables;
        }
        for (index, item) in items.iter().enumerate() {
            let (Some(name), Some(next)) = (item.name(), items.get(index + 1)) else { continue };
            // Column names may stand between the name and AS.
            let after = if matches!(next, Item::Group(_)) { index + 2 } else { index + 1 };
            if let (Some(word), Some(Item::Group(query))) = (items.get(after), items.get(after + 1))
                && word.is("as")
            {
                tables.push(CommonTable { name, query: *query });
            }
        }
        tables
    }

    /// The columns of a query: the items of its first SELECT, or all columns of its FROM.
    fn output(&self, query: usize, catalog: &dyn Catalog) -> Vec<Column> {
        let items = &self.blocks[query].items;
        let relations = self.relations(query, catalog);
        let all = || relations.iter().flat_map(|relation| relation.columns.clone());
        let Some(select) = items.iter().position(|item| item.is("select")) else {
            return all().collect();
        };
        let list = &items[select + 1..];
        let ends = |item: &Item<'_>| {
            ["from", "where", "group", "union", "order", "limit"].iter().any(|word| item.is(word))
        };
        let list = &list[..list.iter().position(ends).unwrap_or(list.len())];
        let mut columns = Vec::new();
        for item in list.split(|item| item.is(",")) {
            match item {
                [star] if star.is("*") => columns.extend(all()),
                [name, dot, star] if dot.is(".") && star.is("*") => {
                    let name = name.name().unwrap_or_default();
                    let of = |relation: &&Relation| relation.name.eq_ignore_ascii_case(&name);
                    let relation = relations.iter().find(of);
                    columns.extend(relation.map(|found| found.columns.clone()).unwrap_or_default());
                }
                _ => columns.extend(selected(item, all())),
            }
        }
        columns
    }
}

/// The column that an item of a SELECT list makes, if it has a name.
fn selected(item: &[Item<'_>], mut known: impl Iterator<Item = Column>) -> Option<Column> {
    let name = item.last()?.name()?;
    let is_column = item.len() == 1 || item.get(item.len().wrapping_sub(2))?.is(".");
    let found = known.find(|column| is_column && column.name.eq_ignore_ascii_case(&name));
    Some(found.unwrap_or(Column { name, data_type: None }))
}

/// Whether a word ends the list of FROM.
fn ends_from(token: &Piece<'_>) -> bool {
    let words = ["where", "group", "order", "having", "limit", "union", "except", "intersect"];
    words.iter().chain(&["select", "on", "set", "values"]).any(|word| token.is(word))
}
