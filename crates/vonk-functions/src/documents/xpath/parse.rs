//! The syntax of XPath.

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Path(Path),
    /// An operator by its sign: `or`, `=`, `+`, `|` and their kin.
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Negative(Box<Expression>),
    Call(String, Vec<Expression>),
}

/// Steps from the document or from where one is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) is_absolute: bool,
    pub(super) steps: Vec<Step>,
}

/// A step along an axis to nodes of a name, which hold what the predicates say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    /// The node itself and all below.
    Descendants,
    Attribute,
    Itself,
    Parent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Name(String),
    Any,
    Text,
    Node,
}

/// The expression that a text is.
pub(super) fn parse(text: &str) -> Option<Expression> {
    let mut parser = Parser { rest: text };
    let expression = parser.binary(0)?;
    parser.rest.trim().is_empty().then_some(expression)
}

/// Operators from those that bind least to those that bind most.
const LEVELS: &[&[&str]] = &[
    &["or"],
    &["and"],
    &["!=", "="],
    &["<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "div", "mod"],
    &["|"],
];

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(text) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// An operator; one of letters ends where the word does.
    fn operator(&mut self, operator: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(after) = rest.strip_prefix(operator) else { return false };
        let is_word = operator.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_word && after.starts_with(is_of_name) {
            return false;
        }
        self.rest = after;
        true
    }

    fn binary(&mut self, level: usize) -> Option<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for operator in *operators {
                if self.operator(operator) {
                    let right = self.binary(level + 1)?;
                    left = Expression::Binary(operator, Box::new(left), Box::new(right));
                    continue 'more;
                }
            }
            return Some(left);
        }
    }

    fn unary(&mut self) -> Option<Expression> {
        match self.take("-") {
            true => Some(Expression::Negative(Box::new(self.unary()?))),
            false => self.primary(),
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        match first {
            '(' => {
                self.take("(");
                let inner = self.binary(0)?;
                self.take(")").then_some(inner)
            }
            '\'' | '"' => {
                let (text, after) = rest[1..].split_once(first)?;
                self.rest = after;
                Some(Expression::Text(text.to_owned()))
            }
            _ if first.is_ascii_digit() => {
                let end =
                    rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                self.rest = &rest[end..];
                Some(Expression::Number(rest[..end].parse().ok()?))
            }
            _ => self.call().or_else(|| self.path()),
        }
    }

    /// A function with its arguments; node tests with parentheses are none.
    fn call(&mut self) -> Option<Expression> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || matches!(name, "text" | "node") || !rest[end..].starts_with('(') {
            return None;
        }
        self.rest = &rest[end + 1..];
        let mut arguments = Vec::new();
        if self.take(")") {
            return Some(Expression::Call(name.to_owned(), arguments));
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.take(")") {
                return Some(Expression::Call(name.to_owned(), arguments));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn path(&mut self) -> Option<Expression> {
        let mut steps = Vec::new();
        let everywhere =
            || Step { axis: Axis::Descendants, test: Test::Node, predicates: Vec::new() };
        let is_absolute = self.rest.trim_start().starts_with('/');
        if self.take("//") {
            steps.push(everywhere());
        } else if self.take("/") && self.rest.trim_start().is_empty() {
            return Some(Expression::Path(Path { is_absolute, steps }));
        }
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(everywhere());
            } else if !self.take("/") {
                return Some(Expression::Path(Path { is_absolute, steps }));
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        let (axis, test) = if self.take("..") {
            (Axis::Parent, Test::Node)
        } else if self.take(".") {
            (Axis::Itself, Test::Node)
        } else {
            let axis = match () {
                () if self.take("@") || self.take("attribute::") => Axis::Attribute,
                () if self.take("descendant-or-self::") => Axis::Descendants,
                () if self.take("parent::") => Axis::Parent,
                () if self.take("self::") => Axis::Itself,
                () => {
                    self.take("child::");
                    Axis::Child
                }
            };
            (axis, self.test()?)
        };
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.binary(0)?);
            if !self.take("]") {
                return None;
            }
        }
        Some(Step { axis, test, predicates })
    }

    fn test(&mut self) -> Option<Test> {
        if self.take("*") {
            return Some(Test::Any);
        }
        if self.take("text()") {
            return Some(Test::Text);
        }
        if self.take("node()") {
            return Some(Test::Node);
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        self.rest = after;
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        is_name.then(|| Test::Name(name.to_owned()))
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.".contains(letter)
}
