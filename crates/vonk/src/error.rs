//! The one error type of the engine: Spark's condition and SQLSTATE, the place, and what to do.

use std::fmt;
use std::path::PathBuf;

mod convert;

/// The result of everything that can fail in vonk.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong, which decides the exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The statement or program is wrong, or its data does not fit it.
    Query,
    /// A file, store or stream could not be read or written.
    Io,
    /// The user or a limit ended the statement.
    Interrupted,
    /// A defect of vonk.
    Internal,
}

/// Spark's name for a class of errors, with its SQLSTATE.
///
/// ```
/// use vonk::Condition;
/// assert_eq!(Condition::TABLE_OR_VIEW_NOT_FOUND.sql_state, "42P01");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Spark's error condition, such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`.
    pub name: &'static str,
    /// The five characters of the SQL standard's state.
    pub sql_state: &'static str,
    /// What kind of thing went wrong.
    pub kind: Kind,
}

macro_rules! conditions {
    ($($constant:ident = $name:literal, $state:literal, $kind:ident;)*) => {
        impl Condition {
            $(#[doc = concat!("`", $name, "`, SQLSTATE ", $state, ".")]
            pub const $constant: Condition =
                Condition { name: $name, sql_state: $state, kind: Kind::$kind };)*

            /// Every condition that vonk raises.
            pub const ALL: &'static [Condition] = &[$(Condition::$constant),*];
        }
    };
}

conditions! {
    AES_CRYPTO_ERROR = "INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "22023", Query;
    AES_KEY_LENGTH = "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "22023", Query;
    ALL_PARAMETERS_MUST_BE_NAMED = "ALL_PARAMETERS_MUST_BE_NAMED", "07001", Query;
    ALL_PARTITION_COLUMNS = "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", Query;
    AMBIGUOUS_REFERENCE = "AMBIGUOUS_REFERENCE", "42704", Query;
    ARITHMETIC_OVERFLOW = "ARITHMETIC_OVERFLOW", "22003", Query;
    ARRAY_DIFF_TYPES = "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "42K09", Query;
    ASSIGNMENT_ARITY_MISMATCH = "ASSIGNMENT_ARITY_MISMATCH", "42802", Query;
    BINARY_ARRAY_DIFF_TYPES = "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES", "42K09", Query;
    BIT_POSITION_RANGE = "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "22023", Query;
    CANNOT_DECODE_URL = "CANNOT_DECODE_URL", "22546", Query;
    CANNOT_MODIFY_CONFIG = "CANNOT_MODIFY_STATIC_CONFIG", "46110", Query;
    CANNOT_PARSE_FILE = "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "KD001", Io;
    CANNOT_PARSE_TIME = "CANNOT_PARSE_TIME", "22010", Query;
    CANNOT_PARSE_TIMESTAMP = "CANNOT_PARSE_TIMESTAMP", "22007", Query;
    CANNOT_READ_FILE = "FAILED_READ_FILE.NO_HINT", "KD001", Io;
    CAST_INVALID_INPUT = "CAST_INVALID_INPUT", "22018", Query;
    CAST_OVERFLOW = "CAST_OVERFLOW", "22003", Query;
    COLLECTION_PARAMETER_TOO_LARGE = "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "54000", Query;
    COLLECTION_TOO_LARGE = "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "54000", Query;
    COLUMN_ALREADY_EXISTS = "COLUMN_ALREADY_EXISTS", "42711", Query;
    COMPARATOR_RETURNS_NULL = "COMPARATOR_RETURNS_NULL", "22004", Query;
    CONFIG_NOT_FOUND = "SQL_CONF_NOT_FOUND", "42K0I", Query;
    CONVERSION_INVALID_INPUT = "CONVERSION_INVALID_INPUT", "22018", Query;
    CORRUPTED_CATALOG = "CORRUPTED_CATALOG", "XX001", Io;
    CREATE_MAP_KEY_DIFF_TYPES = "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES", "42K09", Query;
    CREATE_MAP_VALUE_DIFF_TYPES = "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES", "42K09", Query;
    CREATE_NAMED_STRUCT_NAME =
        "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "42K09", Query;
    DATATYPE_MISMATCH = "DATATYPE_MISMATCH", "42K09", Query;
    DATATYPE_MISMATCH_BINARY = "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", Query;
    DATATYPE_MISMATCH_BINARY_WRONG = "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09", Query;
    DATATYPE_MISMATCH_CAST = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", Query;
    DATATYPE_MISMATCH_CAST_CONF = "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "42K09", Query;
    DATATYPE_MISMATCH_CAST_FUNC = "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "42K09", Query;
    DATATYPE_MISMATCH_DATA = "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09", Query;
    DATATYPE_MISMATCH_INPUT_SIZE_NOT_ONE = "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE", "42K09", Query;
    DATATYPE_MISMATCH_INVALID_ARG_VALUE = "DATATYPE_MISMATCH.INVALID_ARG_VALUE", "42K09", Query;
    DATATYPE_MISMATCH_ORDERING = "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", Query;
    DATA_SOURCE_NOT_FOUND = "DATA_SOURCE_NOT_FOUND", "42K02", Query;
    DATETIME_FIELD_OUT_OF_BOUNDS = "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "22023", Query;
    DATETIME_FIELD_OUT_OF_BOUNDS_FOR_GOOD =
        "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", Query;
    DATETIME_OVERFLOW = "DATETIME_OVERFLOW", "22008", Query;
    DATETIME_PATTERN_RECOGNITION =
        "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "42K0B", Query;
    DATETIME_WEEK_BASED_PATTERN =
        "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "42K0B", Query;
    DECIMAL_PRECISION_EXCEEDS = "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", Query;
    DEFAULT_PLACEMENT = "DEFAULT_PLACEMENT_INVALID", "42608", Query;
    DEFAULT_WITH_QUERY = "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "42623", Query;
    DISK_FULL = "FAILED_WRITE.DISK_FULL", "53100", Io;
    DIVIDE_BY_ZERO = "DIVIDE_BY_ZERO", "22012", Query;
    DUPLICATED_CTE_NAMES = "DUPLICATED_CTE_NAMES", "42602", Query;
    DUPLICATED_MAP_KEY = "DUPLICATED_MAP_KEY", "23505", Query;
    DUPLICATE_ARGUMENT_ALIASES = "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "42701", Query;
    DUPLICATE_ASSIGNMENTS = "DUPLICATE_ASSIGNMENTS", "42701", Query;
    DUPLICATE_VARIABLE_NAME = "DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE", "42734", Query;
    EXPRESSION_TOO_DEEP = "MAX_EXPRESSION_DEPTH_EXCEEDED", "54001", Query;
    EXPRESSION_TOO_LARGE = "MAX_EXPRESSION_SIZE_EXCEEDED", "54000", Query;
    FIELD_NOT_FOUND = "FIELD_NOT_FOUND", "42704", Query;
    IDENTIFIER_NULL = "NOT_A_CONSTANT_STRING.NULL", "42601", Query;
    IDENTIFIER_WRONG_TYPE = "NOT_A_CONSTANT_STRING.WRONG_TYPE", "42601", Query;
    ILLEGAL_DAY_OF_WEEK = "ILLEGAL_DAY_OF_WEEK", "22009", Query;
    INCOMPATIBLE_COLUMN_TYPE = "INCOMPATIBLE_COLUMN_TYPE", "42825", Query;
    INCOMPATIBLE_DATA_FOR_TABLE = "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", Query;
    INCOMPATIBLE_VIEW_SCHEMA_CHANGE = "INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "51024", Query;
    INLINE_TABLE_COLUMNS = "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000", Query;
    INLINE_TABLE_TYPES = "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000", Query;
    INSERT_COLUMN_ARITY_MISMATCH = "INSERT_COLUMN_ARITY_MISMATCH", "21S01", Query;
    INSUFFICIENT_PERMISSIONS = "INSUFFICIENT_PERMISSIONS", "42501", Query;
    INTERNAL_ERROR = "INTERNAL_ERROR", "XX000", Internal;
    INTERVAL_ARITHMETIC_OVERFLOW =
        "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015", Query;
    INTERVAL_DIVIDED_BY_ZERO = "INTERVAL_DIVIDED_BY_ZERO", "22012", Query;
    INTERVAL_OVERFLOW = "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", Query;
    INVALID_ARRAY_INDEX = "INVALID_ARRAY_INDEX", "22003", Query;
    INVALID_ARRAY_INDEX_IN_ELEMENT_AT = "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", Query;
    INVALID_BITMAP_POSITION = "INVALID_BITMAP_POSITION", "22003", Query;
    INVALID_CONFIG_VALUE = "INVALID_CONF_VALUE", "22022", Query;
    INVALID_DATETIME_PATTERN_CHARACTER =
        "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007", Query;
    INVALID_DATETIME_PATTERN_LENGTH = "INVALID_DATETIME_PATTERN.LENGTH", "22007", Query;
    INVALID_DATETIME_UNIT = "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", Query;
    INVALID_DECIMAL_SCALE = "INVALID_DECIMAL_SCALE", "42000", Query;
    INVALID_ESCAPE_CHAR = "INVALID_ESCAPE_CHAR", "42604", Query;
    INVALID_EXTRACT_FIELD = "INVALID_EXTRACT_FIELD", "42601", Query;
    INVALID_FORMAT_CONT_THOUSANDS_SEPS = "INVALID_FORMAT.CONT_THOUSANDS_SEPS", "42601", Query;
    INVALID_FORMAT_CUR_MUST_BEFORE_DEC = "INVALID_FORMAT.CUR_MUST_BEFORE_DEC", "42601", Query;
    INVALID_FORMAT_EMPTY = "INVALID_FORMAT.EMPTY", "42601", Query;
    INVALID_FORMAT_ESC_AT_THE_END = "INVALID_FORMAT.ESC_AT_THE_END", "42601", Query;
    INVALID_FORMAT_ESC_IN_THE_MIDDLE = "INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601", Query;
    INVALID_FORMAT_MISMATCH_INPUT = "INVALID_FORMAT.MISMATCH_INPUT", "42601", Query;
    INVALID_FORMAT_UNEXPECTED_TOKEN = "INVALID_FORMAT.UNEXPECTED_TOKEN", "42601", Query;
    INVALID_FORMAT_WRONG_NUM_DIGIT = "INVALID_FORMAT.WRONG_NUM_DIGIT", "42601", Query;
    INVALID_FORMAT_WRONG_NUM_TOKEN = "INVALID_FORMAT.WRONG_NUM_TOKEN", "42601", Query;
    INVALID_FRACTION_OF_SECOND = "INVALID_FRACTION_OF_SECOND", "22023", Query;
    INVALID_INDEX_OF_ZERO = "INVALID_INDEX_OF_ZERO", "22003", Query;
    INVALID_INTERVAL_FORMAT = "INVALID_INTERVAL_FORMAT.INVALID_UNIT", "22006", Query;
    INVALID_INTERVAL_MICROS = "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "22006", Query;
    INVALID_JSON_SCHEMA_MAP_TYPE = "INVALID_JSON_SCHEMA_MAP_TYPE", "22032", Query;
    INVALID_LAMBDA_CALL = "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D", Query;
    INVALID_NAME = "INVALID_SCHEMA_OR_RELATION_NAME", "42602", Query;
    INVALID_NUMERIC_LITERAL_RANGE = "INVALID_NUMERIC_LITERAL_RANGE", "22003", Query;
    INVALID_OPTIONS_NON_MAP_FUNCTION = "INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", Query;
    INVALID_OPTIONS_NON_STRING_TYPE = "INVALID_OPTIONS.NON_STRING_TYPE", "42K06", Query;
    INVALID_PARAMETER = "INVALID_PARAMETER_VALUE", "22023", Query;
    INVALID_PARAMETER_VALUE_AES_IV_LENGTH = "INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "22023", Query;
    INVALID_PARAMETER_VALUE_CHARSET = "INVALID_PARAMETER_VALUE.CHARSET", "22023", Query;
    INVALID_PARAMETER_VALUE_PATTERN = "INVALID_PARAMETER_VALUE.PATTERN", "22023", Query;
    INVALID_PARAMETER_VALUE_ZERO_INDEX = "INVALID_PARAMETER_VALUE.ZERO_INDEX", "22023", Query;
    INVALID_PARTITION_TYPE = "INVALID_PARTITION_COLUMN_DATA_TYPE", "0A000", Query;
    INVALID_QUERY_STRING_TYPE = "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", "42K09", Query;
    INVALID_RECURSIVE_CTE = "INVALID_RECURSIVE_CTE", "42836", Query;
    INVALID_SCHEMA_NON_STRING_LITERAL = "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", Query;
    INVALID_SCHEMA_NON_STRUCT_TYPE = "INVALID_SCHEMA.NON_STRUCT_TYPE", "42K07", Query;
    INVALID_SCHEMA_PARSE_ERROR = "INVALID_SCHEMA.PARSE_ERROR", "42K07", Query;
    INVALID_SLICE_LENGTH = "INVALID_PARAMETER_VALUE.LENGTH", "22023", Query;
    INVALID_SLICE_START = "INVALID_PARAMETER_VALUE.START", "22023", Query;
    INVALID_STATEMENT_FOR_INTO = "INVALID_STATEMENT_FOR_EXECUTE_INTO", "07501", Query;
    INVALID_TIMEZONE = "INVALID_TIMEZONE", "22009", Query;
    INVALID_TIME_UNIT = "INVALID_PARAMETER_VALUE.TIME_UNIT", "22023", Query;
    INVALID_TYPED_LITERAL = "INVALID_TYPED_LITERAL", "42604", Query;
    INVALID_URL = "INVALID_URL", "22P02", Query;
    INVALID_UTF8_STRING = "INVALID_UTF8_STRING", "22029", Query;
    INVALID_VARIANT_CAST = "INVALID_VARIANT_CAST", "22023", Query;
    INVALID_VARIANT_GET_PATH = "INVALID_VARIANT_GET_PATH", "22023", Query;
    INVALID_VECTOR_NORM_DEGREE = "INVALID_VECTOR_NORM_DEGREE", "22023", Query;
    INVALID_WINDOW_REFERENCE = "INVALID_SQL_SYNTAX.INVALID_WINDOW_REFERENCE", "42000", Query;
    APPROX_TOP_K_NON_POSITIVE_ARG = "APPROX_TOP_K_NON_POSITIVE_ARG", "22023", Query;
    APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT =
        "APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "22023", Query;
    APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K =
        "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "22023", Query;
    HLL_INVALID_INPUT_SKETCH_BUFFER = "HLL_INVALID_INPUT_SKETCH_BUFFER", "22546", Query;
    HLL_INVALID_LG_K = "HLL_INVALID_LG_K", "22546", Query;
    HLL_UNION_DIFFERENT_LG_K = "HLL_UNION_DIFFERENT_LG_K", "22000", Query;
    THETA_INVALID_INPUT_SKETCH_BUFFER = "THETA_INVALID_INPUT_SKETCH_BUFFER", "22546", Query;
    SKETCH_INVALID_LG_NOM_ENTRIES = "SKETCH_INVALID_LG_NOM_ENTRIES", "22546", Query;
    TUPLE_INVALID_INPUT_SKETCH_BUFFER = "TUPLE_INVALID_INPUT_SKETCH_BUFFER", "22546", Query;
    TUPLE_INVALID_SUMMARY_MODE = "TUPLE_INVALID_SUMMARY_MODE", "22546", Query;
    KLL_INVALID_INPUT_SKETCH_BUFFER = "KLL_INVALID_INPUT_SKETCH_BUFFER", "22000", Query;
    KLL_SKETCH_INVALID_QUANTILE_RANGE = "KLL_SKETCH_INVALID_QUANTILE_RANGE", "22003", Query;
    KLL_SKETCH_K_OUT_OF_RANGE = "KLL_SKETCH_K_OUT_OF_RANGE", "22003", Query;
    LEVEL_WITHOUT_RECURSION = "_LEGACY_ERROR_TEMP_0035", "42601", Query;
    MALFORMED_CHARACTER_CODING = "MALFORMED_CHARACTER_CODING", "22000", Query;
    MALFORMED_RECORD = "MALFORMED_RECORD_IN_PARSING", "22023", Query;
    MAP_DIFF_TYPES = "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "42K09", Query;
    MAP_FROM_ENTRIES_TYPE = "DATATYPE_MISMATCH.MAP_FROM_ENTRIES_WRONG_TYPE", "42K09", Query;
    MAP_ZIP_WITH_DIFF_TYPES = "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES", "42K09", Query;
    MISSING_AGGREGATION = "MISSING_AGGREGATION", "42803", Query;
    MISSING_WINDOW_SPECIFICATION = "MISSING_WINDOW_SPECIFICATION", "42P20", Query;
    MIXED_QUERY_PARAMETERS = "INVALID_QUERY_MIXED_QUERY_PARAMETERS", "42613", Query;
    MULTIPLE_GENERATORS = "UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "42K0E", Query;
    NESTED_GENERATOR = "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", Query;
    NON_FOLDABLE_ARGUMENT = "NON_FOLDABLE_ARGUMENT", "42K08", Query;
    NON_FOLDABLE_INPUT = "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", Query;
    NOT_NULL_VIOLATION = "NOT_NULL_ASSERT_VIOLATION", "42000", Query;
    NULL_MAP_KEY = "NULL_MAP_KEY", "2200E", Query;
    NULL_QUERY_STRING = "NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "22004", Query;
    NUMERIC_VALUE_OUT_OF_RANGE = "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", Query;
    NUM_COLUMNS_MISMATCH = "NUM_COLUMNS_MISMATCH", "42826", Query;
    NUM_TABLE_ALIASES = "NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826", Query;
    OPERATION_CANCELED = "OPERATION_CANCELED", "HY008", Interrupted;
    OUT_OF_MEMORY = "QUERY_EXECUTION_MEMORY_LIMIT_EXCEEDED", "53200", Query;
    PARSE_SYNTAX_ERROR = "PARSE_SYNTAX_ERROR", "42601", Query;
    PATH_ALREADY_EXISTS = "PATH_ALREADY_EXISTS", "42K04", Io;
    PATH_NOT_FOUND = "PATH_NOT_FOUND", "42K03", Io;
    PIVOT_VALUE_TYPE = "PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", Query;
    RECURSION_LEVEL_LIMIT = "RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", Query;
    RECURSION_ROW_LIMIT = "RECURSION_ROW_LIMIT_EXCEEDED", "42836", Query;
    REGEX_GROUP_INDEX = "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "22023", Query;
    REMAINDER_BY_ZERO = "REMAINDER_BY_ZERO", "22012", Query;
    REPETITIVE_WINDOW = "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "42000", Query;
    RESULT_TOO_LARGE = "MAX_RESULT_SIZE_EXCEEDED", "54000", Query;
    SCALAR_SUBQUERY_COLUMNS =
        "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        "42823", Query;
    LIMIT_IS_NEGATIVE = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", Query;
    LIMIT_IS_NULL = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "42K0E", Query;
    LIMIT_IS_UNFOLDABLE = "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "42K0E", Query;
    LIMIT_DATA_TYPE = "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E", Query;
    QUALIFY_REQUIRES_WINDOW_FUNCTION = "QUALIFY_REQUIRES_WINDOW_FUNCTION", "42903", Query;
    WINDOW_FRAME_INVALID_BOUND =
        "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "42K09", Query;
    WINDOW_FRAME_WRONG_COMPARISON =
        "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "42K09", Query;
    UNSUPPORTED_IN_EXISTS_SUBQUERY =
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY",
        "0A000", Query;
    UNSUPPORTED_CORRELATED_SCALAR =
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
        "0A000", Query;
    NOT_A_SCALAR_FUNCTION = "NOT_A_SCALAR_FUNCTION", "42887", Query;
    NOT_A_TABLE_FUNCTION = "NOT_A_TABLE_FUNCTION", "42887", Query;
    ROUTINE_ALREADY_EXISTS = "ROUTINE_ALREADY_EXISTS", "42723", Query;
    ROUTINE_NOT_FOUND = "ROUTINE_NOT_FOUND", "42883", Query;
    DUPLICATE_ROUTINE_PARAMETER_NAMES = "DUPLICATE_ROUTINE_PARAMETER_NAMES", "42734", Query;
    DUPLICATE_ROUTINE_RETURNS_COLUMNS = "DUPLICATE_ROUTINE_RETURNS_COLUMNS", "42711", Query;
    DOUBLE_NAMED_ARGUMENT =
        "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "4274K", Query;
    UNRECOGNIZED_PARAMETER_NAME = "UNRECOGNIZED_PARAMETER_NAME", "4274K", Query;
    CREATE_ROUTINE_IF_NOT_EXISTS_AND_REPLACE =
        "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE", "42000", Query;
    CREATE_TEMP_FUNC_IF_NOT_EXISTS =
        "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS", "42000", Query;
    NOT_NULL_ON_PARAMETERS =
        "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "42601", Query;
    TABLE_FUNCTION_BODY =
        "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", "42601", Query;
    DEFAULT_PARAMETER_POSITION =
        "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION", "42601", Query;
    RETURN_COLUMN_COUNT_MISMATCH =
        "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH", "42601", Query;
    LATERAL_JOIN_USING = "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", "0A000", Query;
    INCOMPATIBLE_JOIN_TYPES = "INCOMPATIBLE_JOIN_TYPES", "42613", Query;
    SCALAR_SUBQUERY_TOO_MANY_ROWS = "SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", Query;
    ROW_SUBQUERY_TOO_MANY_ROWS = "ROW_SUBQUERY_TOO_MANY_ROWS", "21000", Query;
    SCHEMA_ALREADY_EXISTS = "SCHEMA_ALREADY_EXISTS", "42P06", Query;
    SCHEMA_NOT_EMPTY = "SCHEMA_NOT_EMPTY", "2BP01", Query;
    SCHEMA_NOT_FOUND = "SCHEMA_NOT_FOUND", "42704", Query;
    SEQUENCE_TYPES = "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "42K09", Query;
    SET_VARIABLE_USING_SET = "UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET", "0A000", Query;
    SHOW_COLUMNS_WITH_CONFLICT = "SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "42K05", Query;
    STACK_COLUMN_DIFF_TYPES = "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "42K09", Query;
    STATEMENT_TIMEOUT = "STATEMENT_TIMEOUT", "57014", Interrupted;
    STATEMENT_TOO_LONG = "MAX_STATEMENT_SIZE_EXCEEDED", "54001", Query;
    TABLE_ALREADY_EXISTS = "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", Query;
    TABLE_OR_VIEW_NOT_FOUND = "TABLE_OR_VIEW_NOT_FOUND", "42P01", Query;
    THOUSANDS_SEPS_MUST_BEFORE_DEC =
        "INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC", "42601", Query;
    TOO_MANY_PARTITIONS = "MAX_PARTITIONS_EXCEEDED", "54000", Query;
    UNABLE_TO_INFER_SCHEMA = "UNABLE_TO_INFER_SCHEMA", "42KD9", Query;
    UNBOUND_SQL_PARAMETER = "UNBOUND_SQL_PARAMETER", "42P02", Query;
    UNEXPECTED_INPUT_TYPE = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", Query;
    UNEXPECTED_NULL = "DATATYPE_MISMATCH.UNEXPECTED_NULL", "42K09", Query;
    UNEXPECTED_RETURN_TYPE = "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "42K09", Query;
    UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE = "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "42836", Query;
    UNPIVOT_SIZE_MISMATCH = "UNPIVOT_VALUE_SIZE_MISMATCH", "428C4", Query;
    UNRESOLVABLE_TABLE_FUNCTION = "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", Query;
    UNRESOLVED_COLUMN = "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", Query;
    UNRESOLVED_ROUTINE = "UNRESOLVED_ROUTINE", "42883", Query;
    UNRESOLVED_VARIABLE = "UNRESOLVED_VARIABLE", "42883", Query;
    UNSUPPORTED_DATATYPE = "UNSUPPORTED_DATATYPE", "0A000", Query;
    UNSUPPORTED_EXPR_FOR_PARAMETER = "UNSUPPORTED_EXPR_FOR_PARAMETER", "42K0E", Query;
    UNSUPPORTED_FEATURE = "UNSUPPORTED_FEATURE", "0A000", Query;
    UNSUPPORTED_FEATURE_AES_MODE = "UNSUPPORTED_FEATURE.AES_MODE", "0A000", Query;
    UNSUPPORTED_FEATURE_AES_MODE_AAD = "UNSUPPORTED_FEATURE.AES_MODE_AAD", "0A000", Query;
    UNSUPPORTED_FEATURE_AES_MODE_IV = "UNSUPPORTED_FEATURE.AES_MODE_IV", "0A000", Query;
    UNSUPPORTED_TIME_PRECISION = "UNSUPPORTED_TIME_PRECISION", "0A001", Query;
    UNSUPPORTED_TYPED_LITERAL = "UNSUPPORTED_TYPED_LITERAL", "0A000", Query;
    UNSUPPORTED_TYPE_FOR_FORMAT = "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", Query;
    USER_CODE_FAILED = "FAILED_EXECUTE_UDF", "39000", Query;
    USER_RAISED_EXCEPTION = "USER_RAISED_EXCEPTION", "P0001", Query;
    VALUE_OUT_OF_RANGE = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", Query;
    VARIABLE_ALREADY_EXISTS = "VARIABLE_ALREADY_EXISTS", "42723", Query;
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND", "42883", Query;
    VARIABLE_TYPE_OR_DEFAULT_REQUIRED =
        "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED", "42000", Query;
    VECTOR_DIMENSION_MISMATCH = "VECTOR_DIMENSION_MISMATCH", "22000", Query;
    VIEW_NOT_ENOUGH_COLUMNS =
        "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", Query;
    VIEW_TOO_MANY_COLUMNS =
        "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "21S01", Query;
    WITHIN_GROUP_DISTINCT = "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "42K0K", Query;
    WITHIN_GROUP_MISSING = "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K", Query;
    WITHIN_GROUP_ORDERINGS = "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K", Query;
    WITHOUT_SUGGESTION = "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", Query;
    WKB_PARSE_ERROR = "WKB_PARSE_ERROR", "22023", Query;
    WRITE_FAILED = "TASK_WRITE_FAILED", "58030", Io;
    WRONG_COMMAND_FOR_OBJECT_TYPE = "WRONG_COMMAND_FOR_OBJECT_TYPE", "42809", Query;
    WRONG_NUM_ARGS = "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", Query;
    AMBIGUOUS_FIELD = "AMBIGUOUS_REFERENCE_TO_FIELDS", "42000", Query;
    CANNOT_RESOLVE_STAR = "CANNOT_RESOLVE_STAR_EXPAND", "42704", Query;
    EXCEPT_NESTED_COLUMN_INVALID_TYPE = "EXCEPT_NESTED_COLUMN_INVALID_TYPE", "428H2", Query;
    EXCEPT_OVERLAPPING_COLUMNS = "EXCEPT_OVERLAPPING_COLUMNS", "42702", Query;
    GROUPING_COLUMN_MISMATCH = "GROUPING_COLUMN_MISMATCH", "42803", Query;
    GROUPING_ID_COLUMN_MISMATCH = "GROUPING_ID_COLUMN_MISMATCH", "42803", Query;
    GROUP_BY_AGGREGATE = "GROUP_BY_AGGREGATE", "42903", Query;
    GROUP_BY_POS_AGGREGATE = "GROUP_BY_POS_AGGREGATE", "42903", Query;
    GROUP_BY_POS_OUT_OF_RANGE = "GROUP_BY_POS_OUT_OF_RANGE", "42805", Query;
    INVALID_EXTRACT_BASE = "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", Query;
    INVALID_USAGE_OF_STAR = "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", Query;
    INVALID_WHERE_CONDITION = "INVALID_WHERE_CONDITION", "42903", Query;
    MISSING_GROUP_BY = "MISSING_GROUP_BY", "42803", Query;
    ORDER_BY_POS_OUT_OF_RANGE = "ORDER_BY_POS_OUT_OF_RANGE", "42805", Query;
    STAR_GROUP_BY_POS = "STAR_GROUP_BY_POS", "0A000", Query;
    UNRESOLVED_ALL_IN_GROUP_BY = "UNRESOLVED_ALL_IN_GROUP_BY", "42803", Query;
    UNRESOLVED_COLUMN_WITHOUT_SUGGESTION = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", Query;
    UNRESOLVED_USING_COLUMN = "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", Query;
    UNSUPPORTED_GROUPING_EXPRESSION = "UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", Query;
}

/// A place in a statement: 1-based line and column in characters, and how many characters it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1-based line.
    pub line: u64,
    /// 1-based column, in characters.
    pub column: u64,
    /// Length of the marked text in characters, at least one.
    pub length: u64,
}

impl Place {
    /// The place of a span of the parser, if it has one.
    pub(crate) fn of(span: sqlparser::tokenizer::Span) -> Option<Self> {
        if span.start.line == 0 {
            return None;
        }
        let one_line = span.start.line == span.end.line;
        let length = if one_line { span.end.column.saturating_sub(span.start.column) } else { 1 };
        Some(Self { line: span.start.line, column: span.start.column, length: length.max(1) })
    }
}

/// What went wrong, where, and what to do about it.
///
/// `Display` gives one line: condition, message, hint and SQLSTATE. The command renders the parts
/// with a caret below the statement.
///
/// ```
/// use vonk::{Condition, Error};
/// let error = Error::new(Condition::PATH_NOT_FOUND, "`x.csv` does not exist").hint("check the path");
/// assert_eq!(
///     error.to_string(),
///     "[PATH_NOT_FOUND] `x.csv` does not exist (hint: check the path) SQLSTATE: 42K03"
/// );
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    condition: Condition,
    message: String,
    hint: Option<String>,
    place: Option<Place>,
    file: Option<PathBuf>,
    parameters: Vec<(String, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this condition; `message` is lower case, without a full stop, names in backticks.
    pub fn new(condition: Condition, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            condition,
            message: message.into(),
            hint: None,
            place: None,
            file: None,
            parameters: Vec::new(),
            source: None,
        }))
    }

    /// A state that should be impossible, with a way to report it.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Condition::INTERNAL_ERROR, message)
            .hint("this is a defect of vonk; please report it with the statement that shows it")
    }

    /// Something that vonk does not do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Condition::UNSUPPORTED_FEATURE, message)
    }

    /// Adds what the user can do, as an action.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a did-you-mean when one of `candidates` looks like `name`, else leaves the error as it is.
    #[must_use]
    pub fn did_you_mean<'a>(
        self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match closest(name, candidates) {
            Some(found) => self.hint(format!("did you mean `{found}`?")),
            None => self,
        }
    }

    /// Adds the place in the statement.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// Adds the file that the error is about.
    #[must_use]
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.0.file = Some(file.into());
        self
    }

    /// Adds a named value of the message, as Spark's message parameters.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.parameters.push((name.to_owned(), value.into()));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Spark's condition of this error.
    pub fn condition(&self) -> Condition {
        self.0.condition
    }

    /// The SQLSTATE, five characters.
    pub fn sql_state(&self) -> &'static str {
        self.0.condition.sql_state
    }

    /// What went wrong, without place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, if known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in the statement, if known.
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// The file that it is about, if any.
    pub fn file_path(&self) -> Option<&std::path::Path> {
        self.0.file.as_deref()
    }

    /// Spark's message parameters.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.0.parameters
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "[{}] ", inner.condition.name)?;
        if let Some(file) = &inner.file {
            write!(f, "{}: ", file.display())?;
        }
        f.write_str(&inner.message)?;
        if let Some(place) = &inner.place {
            write!(f, " at line {}, column {}", place.line, place.column)?;
        }
        if let Some(hint) = &inner.hint {
            write!(f, " (hint: {hint})")?;
        }
        write!(f, " SQLSTATE: {}", inner.condition.sql_state)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The candidate that looks most like `name`, without regard to case, if any is close.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let likeness = strsim::jaro_winkler(&name, &candidate.to_lowercase());
            (candidate, likeness)
        })
        .filter(|(_, likeness)| *likeness >= 0.8)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_finds_swapped_letters_but_not_strangers() {
        assert_eq!(closest("cuntry", ["country", "amount"]), Some("country"));
        assert_eq!(closest("zzz", ["country", "amount"]), None);
    }
}
