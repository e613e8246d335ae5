//! What could follow at the cursor: a pure function of the text, the cursor and a catalog.

use arrow::datatypes::DataType;
use vonk::display::type_name;

use super::lex::{Kind, Piece, lex};
use scope::Blocks;

mod scope;
mod words;

pub(crate) use words::KEYWORDS;

/// What completion knows of the session.
pub(crate) trait Catalog {
    /// Names of tables and views.
    fn tables(&self) -> Vec<String>;
    /// Names of functions.
    fn functions(&self) -> Vec<String>;
    /// The columns of a table or view by name, or of a file by path; empty if unknown.
    fn columns(&self, relation: &str) -> Vec<Column>;
    /// Files and directories whose path starts with a text.
    fn files(&self, start: &str) -> Vec<Candidate>;
}

/// A column of a relation in scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type, if it is known without planning.
    pub(crate) data_type: Option<DataType>,
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The text that replaces what was typed.
    pub(crate) value: String,
    /// What it is: a type, or the kind of thing.
    pub(crate) note: String,
}

/// The candidates, and the bytes of the text that they replace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) candidates: Vec<Candidate>,
}

/// Formats that stand before a path in backticks.
const PATH_FORMATS: [&str; 8] =
    ["parquet", "csv", "json", "text", "avro", "arrow", "binaryfile", "orc"];

/// Finds what could stand at the cursor, which is a byte offset.
pub(crate) fn complete(text: &str, cursor: usize, catalog: &dyn Catalog) -> Completion {
    let pieces = statement_at(lex(text), cursor);
    let under = pieces.iter().find(|piece| piece.start < cursor && cursor <= piece.end()).copied();
    let site = Site::new(text, cursor, &pieces, catalog);
    match under {
        Some(piece) if piece.kind == Kind::Comment && is_inside(&piece, cursor) => {
            Completion::default()
        }
        Some(piece) if piece.kind == Kind::Number => Completion::default(),
        Some(piece) if piece.kind == Kind::Text && is_inside(&piece, cursor) => {
            site.in_text(&piece)
        }
        Some(piece) if piece.kind == Kind::Name && is_inside(&piece, cursor) => {
            site.in_name(&piece)
        }
        Some(piece) if piece.kind == Kind::Word => site.at_word(piece.start),
        _ => site.at_word(cursor),
    }
}

/// Whether the cursor stands before the closing quote.
fn is_inside(piece: &Piece<'_>, cursor: usize) -> bool {
    piece.is_open
        || cursor < piece.end()
        || (piece.kind == Kind::Comment && piece.text.starts_with("--"))
}

/// The pieces of the statement that the cursor is in.
fn statement_at(pieces: Vec<Piece<'_>>, cursor: usize) -> Vec<Piece<'_>> {
    let is_end = |piece: &Piece<'_>| piece.kind == Kind::Symbol && piece.text == ";";
    let first = pieces.iter().rposition(|piece| is_end(piece) && piece.end() <= cursor);
    let first = first.map_or(0, |index| index + 1);
    let last = pieces[first..].iter().position(is_end).map_or(pieces.len(), |index| first + index);
    pieces[first..last].to_vec()
}

/// Where the grammar stands before the word at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A statement or a query begins.
    Start,
    /// The name of a table, view or file.
    Relation,
    /// A value, a column or a function.
    Value,
    /// A value or a relation is complete, and a keyword follows.
    After,
    /// A new name, which nobody can guess.
    NewName,
}

/// The cursor in its statement.
struct Site<'a> {
    text: &'a str,
    cursor: usize,
    catalog: &'a dyn Catalog,
    /// The statement without blanks and comments.
    tokens: Vec<Piece<'a>>,
}

impl<'a> Site<'a> {
    fn new(text: &'a str, cursor: usize, pieces: &[Piece<'a>], catalog: &'a dyn Catalog) -> Self {
        let is_token = |piece: &&Piece<'_>| !matches!(piece.kind, Kind::Space | Kind::Comment);
        let tokens = pieces.iter().filter(is_token).copied().collect();
        Self { text, cursor, catalog, tokens }
    }

    /// The tokens that end before an offset.
    fn before(&self, offset: usize) -> &[Piece<'a>] {
        let count = self.tokens.iter().take_while(|token| token.end() <= offset).count();
        &self.tokens[..count]
    }

    /// Completes a path in quotes.
    fn in_text(&self, piece: &Piece<'_>) -> Completion {
        let start = piece.start + 1;
        let typed = &self.text[start..self.cursor];
        let before = self.before(piece.start);
        let asks_for_path =
            before.last().is_some_and(|token| token.is("path") || token.is("location"));
        if place_after(before) != Place::Relation && !asks_for_path && !typed.contains(['/', '.']) {
            return Completion::default();
        }
        self.paths(start, typed, piece.is_open.then(|| piece.text[..1].to_owned()))
    }

    fn paths(&self, start: usize, typed: &str, closing: Option<String>) -> Completion {
        let mut candidates = self.catalog.files(typed);
        for candidate in &mut candidates {
            // A directory goes on, a file is the end of the path.
            if let Some(quote) = closing.as_ref().filter(|_| !candidate.value.ends_with('/')) {
                candidate.value += quote;
            }
        }
        Completion { start, end: self.cursor, candidates }
    }

    /// Completes a name in backticks: a path after a format, else a table or a column.
    fn in_name(&self, piece: &Piece<'_>) -> Completion {
        let start = piece.start + 1;
        let typed = &self.text[start..self.cursor];
        let before = self.before(piece.start);
        let closing = piece.is_open.then(|| "`".to_owned());
        if let [.., format, dot] = before
            && dot.text == "."
            && PATH_FORMATS.iter().any(|name| format.is(name))
        {
            return self.paths(start, typed, closing);
        }
        let mut found = match qualifier(before) {
            chain if !chain.is_empty() => self.members(&chain),
            _ if place_after(before) == Place::Relation => self.relations(),
            _ => self.columns(),
        };
        keep_matching(&mut found, typed);
        for candidate in &mut found {
            let end = if piece.is_open { "`" } else { "" };
            candidate.value = candidate.value.trim_matches('`').to_owned() + end;
        }
        Completion { start, end: self.cursor, candidates: found }
    }

    /// Completes a word, or what follows where no word was begun.
    fn at_word(&self, start: usize) -> Completion {
        let typed = &self.text[start..self.cursor];
        let before = self.before(start);
        let mut found = match qualifier(before) {
            chain if !chain.is_empty() => self.members(&chain),
            _ => self.unqualified(place_after(before), before, typed),
        };
        keep_matching(&mut found, typed);
        Completion { start, end: self.cursor, candidates: found }
    }

    fn unqualified(&self, place: Place, before: &[Piece<'_>], typed: &str) -> Vec<Candidate> {
        let keywords = |list: &[&str]| self.keywords(list, typed);
        match place {
            Place::Start if before.is_empty() => keywords(words::STATEMENTS),
            Place::Start => [keywords(words::QUERIES), self.values(typed)].concat(),
            Place::Relation => self.relations(),
            Place::Value => self.values(typed),
            Place::After => keywords(words::following(words::clause(before))),
            Place::NewName => Vec::new(),
        }
    }

    /// Columns in scope, then functions and keywords that begin a value.
    fn values(&self, typed: &str) -> Vec<Candidate> {
        let mut found = self.columns();
        let blocks = Blocks::new(&self.tokens);
        let relations = blocks.in_scope(self.cursor, self.catalog);
        for relation in relations.iter().filter(|relation| !relation.name.is_empty()) {
            found.push(candidate(quoted(&relation.name), "relation"));
        }
        if found.is_empty() || !typed.is_empty() {
            let functions = self.catalog.functions();
            found.extend(functions.iter().map(|name| candidate(format!("{name}("), "function")));
            found.extend(self.keywords(words::VALUES, typed));
        }
        found
    }

    /// All columns in scope, each once.
    fn columns(&self) -> Vec<Candidate> {
        let blocks = Blocks::new(&self.tokens);
        let mut found: Vec<Candidate> = Vec::new();
        for relation in blocks.in_scope(self.cursor, self.catalog) {
            for column in &relation.columns {
                let next = of_column(column);
                if !found.iter().any(|known| known.value.eq_ignore_ascii_case(&next.value)) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// Tables, views, and the names that WITH gives.
    fn relations(&self) -> Vec<Candidate> {
        let blocks = Blocks::new(&self.tokens);
        let mut found: Vec<Candidate> = blocks
            .common_tables(self.cursor)
            .into_iter()
            .map(|name| candidate(quoted(&name), "WITH"))
            .collect();
        found.extend(self.catalog.tables().iter().map(|name| candidate(quoted(name), "table")));
        found
    }

    /// The columns of a relation, or the fields of a struct: what follows a dot.
    fn members(&self, chain: &[String]) -> Vec<Candidate> {
        let blocks = Blocks::new(&self.tokens);
        let relations = blocks.in_scope(self.cursor, self.catalog);
        let named = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
        let relation = relations.iter().find(|relation| named(&relation.name, &chain[0]));
        let (mut columns, rest) = match relation {
            Some(relation) => (relation.columns.clone(), &chain[1..]),
            None => (relations.iter().flat_map(|found| found.columns.clone()).collect(), chain),
        };
        for step in rest {
            let column = columns.into_iter().find(|column| named(&column.name, step));
            let Some(DataType::Struct(fields)) = column.and_then(|column| column.data_type) else {
                return Vec::new();
            };
            columns = fields.iter().map(|field| Column::of(field)).collect();
        }
        columns.iter().map(of_column).collect()
    }

    /// Keywords in the case that the person types.
    fn keywords(&self, list: &[&str], typed: &str) -> Vec<Candidate> {
        let sample = if typed.is_empty() {
            let is_keyword = |token: &&Piece<'_>| KEYWORDS.iter().any(|word| token.is(word));
            self.tokens.iter().find(is_keyword).map_or("", |token| token.text)
        } else {
            typed
        };
        let is_lower = sample.chars().any(char::is_lowercase);
        let cased = |word: &&str| if is_lower { word.to_lowercase() } else { (*word).to_owned() };
        list.iter().map(|word| candidate(cased(word), "")).collect()
    }
}

impl Column {
    pub(crate) fn of(field: &arrow::datatypes::Field) -> Self {
        Self { name: field.name().clone(), data_type: Some(field.data_type().clone()) }
    }
}

fn candidate(value: impl Into<String>, note: &str) -> Candidate {
    Candidate { value: value.into(), note: note.to_owned() }
}

fn of_column(column: &Column) -> Candidate {
    let note = column.data_type.as_ref().map(type_name).unwrap_or_default();
    candidate(quoted(&column.name), &note)
}

/// A name as it must be written: in backticks if it is no plain word.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !words::RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// Keeps what starts with the typed text, or, if nothing does, what contains it.
fn keep_matching(found: &mut Vec<Candidate>, typed: &str) {
    let typed = typed.to_lowercase();
    let plain = |candidate: &Candidate| candidate.value.trim_start_matches('`').to_lowercase();
    if found.iter().any(|candidate| plain(candidate).starts_with(&typed)) {
        found.retain(|candidate| plain(candidate).starts_with(&typed));
    } else {
        found.retain(|candidate| typed.len() > 1 && plain(candidate).contains(&typed));
    }
}

/// The names before a final dot: `a.b.` gives a and b.
fn qualifier(before: &[Piece<'_>]) -> Vec<String> {
    let mut chain = Vec::new();
    let mut rest = before;
    while let [head @ .., name, dot] = rest
        && dot.text == "."
        && matches!(name.kind, Kind::Word | Kind::Name)
    {
        chain.insert(0, name.text.trim_matches('`').to_owned());
        rest = head;
    }
    chain
}

/// What the grammar wants after these tokens.
fn place_after(before: &[Piece<'_>]) -> Place {
    let Some(last) = before.last() else { return Place::Start };
    let is_any = |list: &[&str]| list.iter().any(|word| last.is(word));
    match last.kind {
        Kind::Name | Kind::Text | Kind::Number => Place::After,
        Kind::Word if is_any(words::BEFORE_RELATION) => Place::Relation,
        Kind::Word if is_any(words::BEFORE_NAME) => Place::NewName,
        Kind::Word if is_any(words::BEFORE_QUERY) => Place::Start,
        Kind::Word if is_any(words::BEFORE_VALUE) => Place::Value,
        Kind::Word => Place::After,
        Kind::Symbol if last.text == ")" => Place::After,
        Kind::Symbol if last.text == "*" && ends_select_item(before) => Place::After,
        Kind::Symbol if last.text == "," && words::clause(before) == "FROM" => Place::Relation,
        Kind::Symbol if last.text == "(" => match before.iter().rev().nth(1) {
            Some(token) if token.is("from") || token.is("join") || token.is("as") => Place::Start,
            Some(token) if token.is("in") || token.is("exists") => Place::Start,
            _ => Place::Value,
        },
        _ => Place::Value,
    }
}

/// Whether a final star means all columns, and is no product.
fn ends_select_item(before: &[Piece<'_>]) -> bool {
    before.iter().rev().nth(1).is_none_or(|token| {
        matches!(token.text, "," | "." | "(") || token.is("select") || token.is("distinct")
    })
}

#[cfg(test)]
mod tests;
