//! Turns the foundations' errors into ours: condition, message without internal prefixes, place.

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Diagnostic, SchemaError};
use sqlparser::parser::ParserError;
use vonk_functions::Failure;

use super::{Condition, Error, Place};

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let diagnostic = find_diagnostic(&error);
        let mut converted = from_root(error);
        if converted.place().is_none()
            && let Some(place) = diagnostic.as_ref().and_then(place_of)
        {
            converted = converted.at(place);
        }
        converted
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let known = Condition::ALL.iter().find(|condition| condition.name == failure.condition);
        let error = Error::new(*known.unwrap_or(&Condition::INTERNAL_ERROR), failure.message);
        match failure.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::ExternalError(inner) => from_external(inner),
            ArrowError::DivideByZero => Error::new(Condition::DIVIDE_BY_ZERO, "division by zero")
                .hint("use `try_divide` to get NULL instead"),
            ArrowError::ArithmeticOverflow(text) => overflow(&text),
            ArrowError::CastError(text) => cast_error(&text),
            ArrowError::IoError(text, source) => match source.downcast::<Error>() {
                Ok(ours) => ours,
                Err(source) => Error::new(Condition::CANNOT_READ_FILE, text).caused_by(source),
            },
            ArrowError::ParquetError(text) => Error::new(Condition::CANNOT_READ_FILE, text),
            other => Error::new(Condition::INVALID_PARAMETER, strip(&other.to_string())),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let error = match error.downcast::<Error>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        let condition = match error.kind() {
            std::io::ErrorKind::NotFound => Condition::PATH_NOT_FOUND,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Condition::DISK_FULL
            }
            _ => Condition::CANNOT_READ_FILE,
        };
        Error::new(condition, error.to_string()).caused_by(error)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => {
                Error::new(Condition::PATH_NOT_FOUND, format!("`/{path}` does not exist"))
            }
            object_store::Error::Generic { source, .. } if source.is::<Error>() => {
                from_external(source)
            }
            object_store::Error::PermissionDenied { path, source } => {
                match source.downcast::<Error>() {
                    Ok(ours) => *ours,
                    Err(source) => {
                        Error::new(Condition::CANNOT_READ_FILE, format!("`/{path}`: {source}"))
                    }
                }
            }
            other => Error::new(Condition::CANNOT_READ_FILE, other.to_string()),
        }
    }
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Self {
        match error {
            ParserError::RecursionLimitExceeded => {
                Error::new(Condition::PARSE_SYNTAX_ERROR, "the statement is nested too deeply")
                    .hint("split it with views or common table expressions")
            }
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
                syntax_error(&text)
            }
        }
    }
}

fn from_root(error: DataFusionError) -> Error {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            from_root(*inner)
        }
        DataFusionError::Shared(shared) => from_shared(&shared),
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => from_root(first),
            None => Error::internal("an empty collection of errors"),
        },
        DataFusionError::External(inner) => from_external(inner),
        DataFusionError::ArrowError(inner, _) => (*inner).into(),
        DataFusionError::ParquetError(inner) => {
            Error::new(Condition::CANNOT_READ_FILE, strip(&inner.to_string())).caused_by(inner)
        }
        DataFusionError::ObjectStore(inner) => (*inner).into(),
        DataFusionError::IoError(inner) => inner.into(),
        DataFusionError::SQL(inner, _) => (*inner).into(),
        DataFusionError::SchemaError(inner, _) => schema_error(*inner),
        DataFusionError::NotImplemented(text) => Error::unsupported(strip(&text)),
        DataFusionError::ResourcesExhausted(text) => {
            Error::new(Condition::OUT_OF_MEMORY, strip(&text))
                .hint("raise the option `vonk.memory.limit`, or read less at a time")
        }
        DataFusionError::Plan(text) => plan_error(&text),
        DataFusionError::Configuration(text) => {
            Error::new(Condition::INVALID_CONFIG_VALUE, strip(&text))
        }
        DataFusionError::Execution(text) => execution_error(&text),
        DataFusionError::ExecutionJoin(inner) => Error::internal(inner.to_string()),
        other => Error::internal(strip(&other.to_string())),
    }
}

/// Errors shared between partitions cannot be taken apart by value, so their parts are copied.
fn from_shared(shared: &DataFusionError) -> Error {
    if let DataFusionError::External(inner) = shared.find_root() {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            return ours.copy();
        }
        if let Some(failure) = inner.downcast_ref::<Failure>() {
            return failure.clone().into();
        }
    }
    match shared.find_root() {
        DataFusionError::ArrowError(inner, _) => match &**inner {
            ArrowError::DivideByZero => ArrowError::DivideByZero.into(),
            ArrowError::ArithmeticOverflow(text) => overflow(text),
            ArrowError::CastError(text) => cast_error(text),
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<Error>() {
                Some(ours) => ours.copy(),
                None => Error::new(Condition::INVALID_PARAMETER, strip(&inner.to_string())),
            },
            other => Error::new(Condition::INVALID_PARAMETER, strip(&other.to_string())),
        },
        DataFusionError::ResourcesExhausted(text) => {
            from_root(DataFusionError::ResourcesExhausted(text.clone()))
        }
        DataFusionError::Execution(text) => execution_error(text),
        other => Error::new(Condition::CANNOT_READ_FILE, strip(&other.to_string())),
    }
}

fn from_external(inner: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let inner = match inner.downcast::<Error>() {
        Ok(ours) => return *ours,
        Err(inner) => inner,
    };
    let inner = match inner.downcast::<Failure>() {
        Ok(failure) => return (*failure).into(),
        Err(inner) => inner,
    };
    let inner = match inner.downcast::<DataFusionError>() {
        Ok(error) => return (*error).into(),
        Err(inner) => inner,
    };
    match inner.downcast::<ArrowError>() {
        Ok(error) => (*error).into(),
        Err(inner) => {
            Error::new(Condition::CANNOT_READ_FILE, strip(&inner.to_string())).caused_by(inner)
        }
    }
}

impl Error {
    /// A copy without the cause, which cannot be cloned.
    pub(crate) fn copy(&self) -> Error {
        let mut copy = Error::new(self.condition(), self.message());
        copy.0.hint.clone_from(&self.0.hint);
        copy.0.place = self.0.place;
        copy.0.file.clone_from(&self.0.file);
        copy.0.parameters.clone_from(&self.0.parameters);
        copy
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

fn schema_error(error: SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut names: Vec<&str> = Vec::new();
            for column in &valid_fields {
                if !names.contains(&column.name()) {
                    names.push(column.name());
                }
            }
            let missing = Error::new(
                Condition::UNRESOLVED_COLUMN,
                format!("column `{}` not found", field.flat_name()),
            )
            .parameter("objectName", field.name())
            .parameter("proposal", names.join(", "));
            match super::closest(field.name(), names.iter().copied()) {
                Some(found) => missing.hint(format!("did you mean `{found}`?")),
                None if names.is_empty() => missing.hint("there is no table in scope"),
                None => missing.hint(format!("the columns are {}", names.join(", "))),
            }
        }
        SchemaError::AmbiguousReference { field } => Error::new(
            Condition::AMBIGUOUS_REFERENCE,
            format!("column `{}` is ambiguous", field.name()),
        )
        .hint("put the table's name or alias before it"),
        other => Error::new(Condition::AMBIGUOUS_REFERENCE, other.to_string()),
    }
}

fn plan_error(text: &str) -> Error {
    let conditions: Vec<&str> = Condition::ALL.iter().map(|condition| condition.name).collect();
    if let Some(failure) = Failure::in_text(text, &conditions) {
        return failure.into();
    }
    let text = strip(text);
    if let Some(name) = text.strip_prefix("Invalid function '").and_then(|t| t.split('\'').next()) {
        return Error::new(
            Condition::UNRESOLVED_ROUTINE,
            format!("function `{name}` does not exist"),
        )
        .parameter("routineName", name);
    }
    if text.contains("GROUP BY") && text.contains("must") {
        let column = text.split('"').nth(1).and_then(|column| column.rsplit('.').next());
        let column = column.map_or(text.clone(), |column| {
            format!("column `{column}` is neither in GROUP BY nor in an aggregate function")
        });
        return Error::new(Condition::MISSING_AGGREGATION, column)
            .hint("add the column to GROUP BY or wrap it in `any_value`");
    }
    if text.starts_with("lambda defined ") {
        let message = "the lambda has more parameters than the function gives it";
        return Error::new(Condition::INVALID_LAMBDA_CALL, message);
    }
    if let Some(condition) = known_condition(&text) {
        return Error::new(condition, lower_first(&text));
    }
    if text.starts_with("Inconsistent data length across values list") {
        let message = "the rows of VALUES have different numbers of columns";
        return Error::new(Condition::INLINE_TABLE_COLUMNS, message);
    }
    if text.starts_with("Inconsistent data type across values list") {
        let message = "a column of VALUES has values of types that do not fit together";
        return Error::new(Condition::INLINE_TABLE_TYPES, message).hint("cast them to one type");
    }
    if let Some(error) = signature_error(&text) {
        return error;
    }
    if text.starts_with("Substring without for/from") {
        let message = "`substring` takes a text, a position and, if it ends early, a length";
        return Error::new(Condition::DATATYPE_MISMATCH, message);
    }
    if let Some(rest) = text.strip_prefix("Cannot create filter with non-boolean predicate '")
        && let Some((predicate, data_type)) = rest.rsplit_once("' returning ")
    {
        let message = format!("the condition `{predicate}` is of type {data_type}, not boolean");
        let condition = Condition::CONDITION_NOT_BOOLEAN;
        return Error::new(condition, message).hint("compare it with a value");
    }
    Error::new(Condition::DATATYPE_MISMATCH, text)
}

/// The conditions of what the foundation refuses, by words that only this message has.
const KNOWN: &[(&str, Condition)] = &[
    ("Scalar subquery returned more than one row", Condition::SCALAR_SUBQUERY_TOO_MANY_ROWS),
    ("The subquery should only return one column", Condition::SCALAR_SUBQUERY_COLUMNS),
    ("LIMIT must be >= 0", Condition::LIMIT_IS_NEGATIVE),
    ("OFFSET must be >=0", Condition::LIMIT_IS_NEGATIVE),
    ("Expected LIMIT to be an integer", Condition::LIMIT_DATA_TYPE),
    ("Expected OFFSET to be an integer", Condition::LIMIT_DATA_TYPE),
    ("QUALIFY clause requires window functions", Condition::QUALIFY_REQUIRES_WINDOW_FUNCTION),
    ("bound cannot be UNBOUNDED", Condition::WINDOW_FRAME_INVALID_BOUND),
    ("cannot be larger than end bound", Condition::WINDOW_FRAME_WRONG_COMPARISON),
    ("In/Exist/SetComparison subquery can only", Condition::UNSUPPORTED_IN_EXISTS_SUBQUERY),
    ("Correlated scalar subquery can only be used", Condition::UNSUPPORTED_CORRELATED_SCALAR),
    ("does not support named arguments", Condition::NAMED_PARAMETERS_NOT_SUPPORTED),
    ("Unary operator '-' only supports", Condition::UNEXPECTED_INPUT_TYPE),
    // Operands are cast before; what is left are the columns of EXCEPT and INTERSECT.
    ("Cannot infer common argument type for comparison", Condition::INCOMPATIBLE_COLUMN_TYPE),
    ("json_tuple requires at least", Condition::WRONG_NUM_ARGS),
    ("is not defined!", Condition::MISSING_WINDOW_SPECIFICATION),
    ("not found in struct", Condition::FIELD_NOT_FOUND),
    ("Join condition must be boolean", Condition::JOIN_CONDITION_NOT_BOOLEAN),
    ("Unary operator 'NOT' requires", Condition::UNEXPECTED_INPUT_TYPE),
    ("for logical boolean operation", Condition::DATATYPE_MISMATCH_BINARY),
    ("Aggregate function calls cannot be nested", Condition::NESTED_AGGREGATE_FUNCTION),
    ("cannot contain window function calls", Condition::WINDOW_IN_AGGREGATE),
    ("For SELECT DISTINCT, ORDER BY expressions", Condition::UNRESOLVED_COLUMN),
    ("was not provided a value for execution", Condition::UNBOUND_SQL_PARAMETER),
    ("table function '", Condition::UNRESOLVABLE_TABLE_FUNCTION),
];

fn known_condition(text: &str) -> Option<Condition> {
    let row = KNOWN.iter().find(|(words, _)| text.contains(words));
    let condition = row.map(|(_, condition)| *condition)?;
    let operands = text.split_once("logical boolean operation ").map(|(_, operands)| operands);
    let sides = operands.and_then(|text| text.split_once(" AND ").or(text.split_once(" OR ")));
    Some(match sides {
        Some((left, right)) if left.trim() == right.trim() => {
            Condition::DATATYPE_MISMATCH_BINARY_WRONG
        }
        _ => condition,
    })
}

/// No form of a function takes the types of the arguments.
fn signature_error(text: &str) -> Option<Error> {
    let (_, rest) = text.split_once("argument types '")?;
    let (call, rest) = rest.split_once('\'')?;
    let name = call.split('(').next().unwrap_or(call);
    // The foundation's functions say that they got too many or too few in these words.
    let is_count = text.contains("argument") && text.contains(" but received ")
        || text.contains(" arguments, not ")
        || text.contains("does not support zero arguments");
    let condition =
        if is_count { Condition::WRONG_NUM_ARGS } else { Condition::UNEXPECTED_INPUT_TYPE };
    let error = Error::new(condition, format!("`{name}` does not take these arguments: `{call}`"));
    let forms = rest.split("Candidate functions:").nth(1).unwrap_or_default();
    let is_told = |form: &&str| !form.is_empty() && !form.contains("UserDefined");
    let forms: Vec<&str> = forms.lines().map(str::trim).filter(is_told).collect();
    Some(match forms.as_slice() {
        [] => error.hint("cast them to other types"),
        forms => error.hint(format!("its forms are {}", forms.join(", "))),
    })
}

fn execution_error(text: &str) -> Error {
    let text = strip(text);
    let lower = text.to_lowercase();
    if lower.contains("divide by zero") || lower.contains("division by zero") {
        return ArrowError::DivideByZero.into();
    }
    if lower.contains("overflow") {
        return overflow(&text);
    }
    Error::new(known_condition(&text).unwrap_or(Condition::INVALID_PARAMETER), text)
}

fn overflow(text: &str) -> Error {
    Error::new(Condition::ARITHMETIC_OVERFLOW, strip(text))
        .hint("use a wider type or a `try_` function, which gives NULL instead")
}

fn cast_error(text: &str) -> Error {
    Error::new(Condition::CAST_INVALID_INPUT, strip(text))
        .hint("use `try_cast` to get NULL for what does not fit")
}

fn syntax_error(text: &str) -> Error {
    let text = strip(text);
    let (message, place) = match text.rsplit_once(" at Line: ") {
        Some((message, rest)) => {
            let mut numbers = rest.split(", Column: ").map(|n| n.trim().parse::<u64>().ok());
            let line = numbers.next().flatten();
            let column = numbers.next().flatten();
            let place = line.zip(column).map(|(line, column)| Place { line, column, length: 1 });
            (message.to_owned(), place)
        }
        None => (text, None),
    };
    let condition = match message.contains("multi-line comment") {
        true => Condition::UNCLOSED_BRACKETED_COMMENT,
        false => Condition::PARSE_SYNTAX_ERROR,
    };
    let error = Error::new(condition, lower_first(&message));
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}

/// Drops the prefixes by which the foundations name their own parts.
fn strip(text: &str) -> String {
    const PREFIXES: &[&str] = &[
        "Error during planning: ",
        "Execution error: ",
        "External error: ",
        "Arrow error: ",
        "Parquet error: ",
        "Schema error: ",
        "SQL error: ",
        "sql parser error: ",
        "Invalid or Unsupported Configuration: ",
        "This feature is not implemented: ",
        "Resources exhausted: ",
        "Cast error: ",
        "Compute error: ",
        "Parser error: ",
        "Invalid argument error: ",
        "Arithmetic overflow: ",
        "Optimizer rule 'simplify_expressions' failed",
        "ParserError(\"",
        "caused by",
        "type_coercion",
    ];
    let mut rest = text.trim();
    while let Some(stripped) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = stripped.trim_start();
    }
    rest.trim_end().to_owned()
}

/// The text with a small first letter, unless its first word is a keyword or a name.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let is_word = text.chars().nth(1).is_none_or(|second| !second.is_uppercase());
    match letters.next() {
        Some(_) if !is_word => text.to_owned(),
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn find_diagnostic(error: &DataFusionError) -> Option<Diagnostic> {
    error.diagnostic().cloned()
}

fn place_of(diagnostic: &Diagnostic) -> Option<Place> {
    let span = diagnostic.span?;
    let at = |place: datafusion::common::Location| sqlparser::tokenizer::Location {
        line: place.line,
        column: place.column,
    };
    Place::of(sqlparser::tokenizer::Span { start: at(span.start), end: at(span.end) })
}
