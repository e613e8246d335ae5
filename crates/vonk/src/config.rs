//! The options of a session: one table of names, types, defaults, docs and Spark's aliases.

use std::collections::BTreeMap;
use std::time::Duration;

use vonk_functions::arithmetic::{Digits, Mode};
use vonk_functions::datetime::Zone;

use crate::error::{Condition, Error, Result, closest};
use crate::placement;

/// How the text of an option is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// `true` or `false`.
    Boolean,
    /// A whole number, zero or more.
    Count,
    /// A number of bytes: `512MB`, `2g`, `1073741824`.
    Bytes,
    /// A length of time: `500ms`, `30s`, `5min`, `2h`; without a unit in seconds.
    Duration,
    /// Any text.
    Text,
}

/// One row of the table of options.
#[derive(Debug, Clone, Copy)]
pub struct OptionRow {
    /// The name by which `SET` and `Session::builder().config` know it.
    pub name: &'static str,
    /// Spark's name of the same thing, if it has one.
    pub alias: Option<&'static str>,
    /// How its text is read.
    pub kind: OptionType,
    /// The text of its default; empty means decided at run time, as the doc says.
    pub default: &'static str,
    /// One sentence for users.
    pub doc: &'static str,
    /// Whether it concerns the process, so that a policy keeps statements from changing it.
    pub is_of_process: bool,
}

macro_rules! options {
    ($($constant:ident: $kind:ident = $name:literal, $alias:expr, $default:literal, $doc:literal $(, $of:ident)?;)*) => {
        $(#[doc = $doc] pub const $constant: &str = $name;)*

        /// Every option, by name.
        pub const OPTIONS: &[OptionRow] = &[$(OptionRow {
            name: $name, alias: $alias, kind: OptionType::$kind, default: $default, doc: $doc,
            is_of_process: options!(@is_of_process $($of)?),
        }),*];
    };
    (@is_of_process) => { false };
    (@is_of_process process) => { true };
}

options! {
    ANSI: Boolean = "vonk.sql.ansi.enabled", Some("spark.sql.ansi.enabled"), "true",
        "Whether overflow, division by zero and malformed values are errors; else wrapped values or NULL.";
    APP_NAME: Text = "vonk.app.name", Some("spark.app.name"), "vonk",
        "Name of the application, shown in messages.";
    BATCH_SIZE: Count = "vonk.execution.batch.size", None, "8192",
        "Rows per batch that flows between operators.", process;
    CASE_SENSITIVE: Boolean = "vonk.sql.case.sensitive", Some("spark.sql.caseSensitive"), "false",
        "Whether names of columns and tables must match in case.";
    DECIMAL_LOSS: Boolean = "vonk.sql.decimal.loss", Some("spark.sql.decimalOperations.allowPrecisionLoss"), "true",
        "Whether a decimal with more than 38 digits gives up those behind its point, rather than be out of range.";
    BANG_AS_NOT: Boolean = "vonk.sql.bang.as.not", Some("spark.sql.legacy.bangEqualsNot"), "false",
        "Whether `!` may stand for NOT before IN, LIKE and their kin, and behind IS.";
    CTE_PRECEDENCE: Text = "vonk.sql.cte.precedence", Some("spark.sql.legacy.ctePrecedencePolicy"), "CORRECTED",
        "Which query a name means that WITH gives within and around: `CORRECTED` is the inner one, `LEGACY` the outer one, `EXCEPTION` neither.";
    GROUP_BY_ALIASES: Boolean = "vonk.sql.group.by.aliases", Some("spark.sql.groupByAliases"), "true",
        "Whether GROUP BY may name what the SELECT list names.";
    GROUP_BY_ORDINAL: Boolean = "vonk.sql.group.by.ordinal", Some("spark.sql.groupByOrdinal"), "true",
        "Whether a number in GROUP BY is a position in the SELECT list, rather than a constant.";
    HAVING_AS_WHERE: Boolean = "vonk.sql.having.as.where", Some("spark.sql.legacy.parser.havingWithoutGroupByAsWhere"), "false",
        "Whether HAVING without GROUP BY is asked of single rows, as WHERE is.";
    ORDER_BY_ORDINAL: Boolean = "vonk.sql.order.by.ordinal", Some("spark.sql.orderByOrdinal"), "true",
        "Whether a number in ORDER BY is a position in the SELECT list, rather than a constant.";
    NAME_PATTERNS: Boolean = "vonk.sql.name.patterns", Some("spark.sql.parser.quotedRegexColumnNames"), "false",
        "Whether a name in backquotes in a SELECT list is a regular expression for columns, where no column has it.";
    RAW_TEXTS: Boolean = "vonk.sql.texts.raw", Some("spark.sql.parser.escapedStringLiterals"), "false",
        "Whether a backslash in a text is a backslash, rather than the beginning of an escape.";
    TIME_TYPE: Boolean = "vonk.sql.time.type.enabled", Some("spark.sql.timeType.enabled"), "false",
        "Whether the type TIME may be cast to, calculated with and taken apart; its literals and `current_time` are always there.";
    MAP_KEYS: Text = "vonk.sql.map.keys", Some("spark.sql.mapKeyDedupPolicy"), "EXCEPTION",
        "What happens where a map is given a key twice: `EXCEPTION` is an error, with `LAST_WIN` the last value counts.";
    COUNT_STAR_OF_TABLE: Boolean = "vonk.sql.count.star.of.table", Some("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount"), "false",
        "Whether `count(t.*)` counts the rows in which no column of `t` is NULL, rather than be refused.";
    DEPTH_MAX: Count = "vonk.sql.depth.max", None, "500",
        "How deep expressions and queries may nest in each other.", process;
    EXPRESSION_BYTES_MAX: Bytes = "vonk.execution.expression.bytes.max", None, "",
        "Bytes that one function may make of one batch; a quarter of the memory limit, at most 2 GB, if not set.", process;
    COMMON_SUBPLANS: Boolean = "vonk.optimizer.common.subplans", None, "true",
        "Whether a query that a statement holds several times, as one of WITH, is run once.";
    CONJUNCTIONS: Boolean = "vonk.optimizer.conjunctions", None, "true",
        "Whether the conditions of a filter are each asked of the rows that are left.";
    FILE_ORDER: Boolean = "vonk.optimizer.file.order", None, "true",
        "Whether rows without ORDER BY come in the order of the files.";
    GROUPING_SETS: Boolean = "vonk.optimizer.grouping.sets", None, "true",
        "Whether the groups of ROLLUP and CUBE are made of the finest ones rather than of all rows.";
    JOIN_ORDER: Boolean = "vonk.optimizer.join.order", None, "true",
        "Whether tables are joined in the order that makes least work, where statistics tell how many rows they have.";
    LATE_COLUMNS: Boolean = "vonk.optimizer.late.columns", None, "true",
        "Whether Parquet scans of many columns decode them only for the rows that pass their filters.";
    RUNTIME_FILTERS: Boolean = "vonk.optimizer.runtime.filters", None, "true",
        "Whether rows that a join will not take are dropped as they are read.";
    SHIFTED_SUMS: Boolean = "vonk.optimizer.shifted.sums", None, "true",
        "Whether `sum(a + 1)` and `sum(a + 2)` are computed from `sum(a)` and `count(a)`.";
    TEXT_COMPARISONS: Boolean = "vonk.optimizer.text.comparisons", None, "true",
        "Whether filters compare texts with a constant by their first bytes.";
    TOKEN_COUNTS: Boolean = "vonk.optimizer.token.counts", None, "true",
        "Whether the parts of split texts are counted before they become rows.";
    CLUSTER_ATTEMPTS: Count = "vonk.cluster.attempts", None, "3",
        "How often a query is run whose workers are lost before it ends.", process;
    CLUSTER_CA: Text = "vonk.cluster.tls.ca", None, "",
        "File with the certificates, in PEM, by one of which those of the workers are signed; with it, workers are spoken to by TLS.", process;
    CLUSTER_QUERIES_MAX: Count = "vonk.cluster.queries.max", None, "4",
        "Queries that may run on the workers at the same time; others wait.", process;
    CLUSTER_SECRET_FILE: Text = "vonk.cluster.secret.file", None, "",
        "File with the secret that coordinators and workers share.", process;
    CLUSTER_STREAMED: Boolean = "vonk.cluster.results.streamed", None, "false",
        "Whether rows are given as they come, so that a lost worker fails the query instead of running it again.";
    CLUSTER_TASK_BYTES: Bytes = "vonk.cluster.task.bytes", None, "32MB",
        "Bytes of files that are worth a task on a worker; a query that reads less runs where it is asked.";
    MASTER: Text = "vonk.master", Some("spark.master"), "local[*]",
        "Where queries run: `local[*]` is all cores, `local[N]` is N threads, `vonk://HOST:PORT,…` are workers.", process;
    MEMORY_GUARD: Boolean = "vonk.memory.guard", None, "false",
        "Whether operators get no more while the process takes over 1.1 times the memory limit, of which up to 48 MB are set apart for what they do not account for; the command sets it.", process;
    MEMORY_LIMIT: Bytes = "vonk.memory.limit", Some("spark.driver.memory"), "",
        "Memory for operators and caches; 70 % of the machine's or container's memory if not set.", process;
    PACING: Boolean = "vonk.execution.pacing", None, "true",
        "Whether functions get few rows at a time while they take long, so that a cancelled query ends.";
    RECURSION_LEVELS_MAX: Count = "vonk.sql.recursion.levels.max", Some("spark.sql.cteRecursionLevelLimit"), "100",
        "How often a recursive query may recur.";
    RECURSION_ROWS_MAX: Count = "vonk.sql.recursion.rows.max", Some("spark.sql.cteRecursionRowLimit"), "1000000",
        "Rows that a recursive query may make.";
    REPAIR_AGGREGATE_FILTERS: Boolean = "vonk.repair.aggregate.filters", None, "true",
        "Whether filters stay above aggregates that give a row for no rows.";
    REPAIR_AGGREGATE_STATISTICS: Boolean = "vonk.repair.aggregate.statistics", None, "true",
        "Whether values that are known from statistics stand for the aggregates that they are of, rather than for others above.";
    REPAIR_COMPARED_CONSTANTS: Boolean = "vonk.repair.compared.constants", None, "true",
        "Whether of several comparisons of a column with constants those with NULL stay, and those with 0.0 and -0.0, or the other way round, mean the same.";
    REPAIR_CONDITIONS: Boolean = "vonk.repair.conditions", None, "true",
        "Whether a condition that can fail is only asked where those before it leave it open.";
    REPAIR_EQUIVALENCES: Boolean = "vonk.repair.equivalences", None, "true",
        "Whether what is known of columns, as that they are constant, is forgotten beyond outer joins and where they equal what is computed of them.";
    REPAIR_EXTREMES: Boolean = "vonk.repair.extremes", None, "true",
        "Whether rows are read though they hold no new least or greatest value, since DataFusion forgets other values that are asked for beside.";
    REPAIR_FILTER_PUSHDOWN: Boolean = "vonk.repair.filter.pushdown", None, "true",
        "Whether filters stay above columns that share a name, where DataFusion would lose rows.";
    REPAIR_FLOAT_BOUNDS: Boolean = "vonk.repair.float.bounds", None, "true",
        "Whether bounds of floating-point columns, which leave out NaN, are not trusted.";
    REPAIR_IN_LIST: Boolean = "vonk.repair.in.list", None, "true",
        "Whether IN lists of expressions become comparisons, which DataFusion simplifies rightly.";
    REPAIR_JOIN_NULLS: Boolean = "vonk.repair.join.nulls", None, "true",
        "Whether inner joins that take NULL for equal keep their order among others, where DataFusion would make them alike.";
    REPAIR_PLANS: Boolean = "vonk.repair.plans", None, "true",
        "Whether a query whose plan DataFusion refuses by an error of its own is planned once more, with fewer of its rules, and no rule may change the types of a query.";
    REPAIR_PROJECTIONS: Boolean = "vonk.repair.projections", None, "true",
        "Whether steps that compute the same, one over the other, are told apart, where DataFusion would do one of them only, and fields are read near the tables only where their struct stays in reach.";
    REPAIR_SUBQUERIES: Boolean = "vonk.repair.subqueries", None, "true",
        "Whether IN and EXISTS over subqueries are spelled so that NULL counts.";
    REPAIR_UNIQUE_KEYS: Boolean = "vonk.repair.unique.keys", None, "true",
        "Whether a key that was unique before a join counts as one of several where groups are made by it and others.";
    SPILLING_JOINS: Text = "vonk.join.spilling", None, "auto",
        "Which hash joins go on from disk when memory is short: `auto` are those whose build side may not fit, `always`, `never`.";
    PARTITIONS_MAX: Count = "vonk.write.partitions.max", Some("hive.exec.max.dynamic.partitions"), "10000",
        "Directories that one write may make for the values of its partition columns.", process;
    RESULT_BYTES_MAX: Bytes = "vonk.result.bytes.max", Some("spark.driver.maxResultSize"), "1GB",
        "Bytes of a result that is held in memory, as by `collect`; 0 is no limit.", process;
    RESULT_ROWS_MAX: Count = "vonk.result.rows.max", None, "",
        "Rows that a query may give to who asked for it; no limit if not set.", process;
    JSON_SORTED: Boolean = "vonk.sources.json.sorted", None, "false",
        "Whether the columns that JSON files are found to have come by their names, as in Spark, rather than as they first appear; sessions of Spark Connect have it on.";
    RECORD_BYTES_MAX: Bytes = "vonk.sources.record.bytes.max", None, "64MB",
        "Bytes that one line or record of a text format may take; at most 2GB.", process;
    SPILL_DIRECTORY: Text = "vonk.spill.directory", Some("spark.local.dir"), "",
        "Directory for what does not fit into memory; the system's temporary directory if not set.", process;
    SPILL_LIMIT: Bytes = "vonk.spill.limit", None, "100GB",
        "Disk space that spilled data may take.", process;
    STORE_ATTEMPTS: Count = "vonk.stores.attempts", Some("spark.hadoop.fs.s3a.attempts.maximum"), "4",
        "How often a store is asked whose answer fails in a way that may pass.";
    STORE_CONNECT_TIMEOUT: Duration = "vonk.stores.connect.timeout", None, "5s",
        "Time in which a connection to a store has to stand.";
    STORE_TIMEOUT: Duration = "vonk.stores.timeout", None, "30s",
        "Time in which a store has to answer, or to send more of a file.";
    TEXT_BYTES_MAX: Bytes = "vonk.sql.text.bytes.max", None, "16MB",
        "Bytes that the text of a statement may have.", process;
    TIMEOUT: Duration = "vonk.sql.timeout", Some("spark.sql.thriftServer.queryTimeout"), "0",
        "Time that a statement may take, such as `30s` or `5min`; 0 is no limit.", process;
    TIME_ZONE: Text = "vonk.session.timezone", Some("spark.sql.session.timeZone"), "UTC",
        "Time zone of timestamps in text.";
    TIMESTAMP_TYPE: Text = "vonk.sql.timestamp.type", Some("spark.sql.timestampType"), "TIMESTAMP_LTZ",
        "What TIMESTAMP means in SQL: `TIMESTAMP_LTZ` is a moment, `TIMESTAMP_NTZ` what a clock shows.";
    WAREHOUSE: Text = "vonk.sql.warehouse.dir", Some("spark.sql.warehouse.dir"), "spark-warehouse",
        "Directory of the persistent catalog and its tables.", process;
}

/// The options of one session: what was set, over the defaults of [`OPTIONS`].
///
/// Names are case-insensitive, Spark's aliases are accepted, and `spark.*` settings that mean
/// nothing here are kept without effect, so that Spark programs run unchanged.
///
/// ```
/// use vonk::config::{self, Config};
/// let mut config = Config::default();
/// config.set("spark.driver.memory", "2g")?;
/// assert_eq!(config.bytes(config::MEMORY_LIMIT)?, Some(2 << 30));
/// assert!(config.set("vonk.memory.limt", "2g").is_err());
/// # Ok::<(), vonk::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    values: BTreeMap<String, String>,
}

impl Config {
    /// Sets an option after checking its name and value.
    ///
    /// # Errors
    /// `SQL_CONF_NOT_FOUND` for an unknown `vonk.*` name, `INVALID_CONF_VALUE` for a value that
    /// does not fit the option's type.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let name = match known(name)? {
            Some(row) => {
                check(row, value)?;
                row.name.to_owned()
            }
            None => name.to_owned(),
        };
        self.values.insert(name, value.to_owned());
        Ok(())
    }

    /// Puts an option back to its default.
    pub fn unset(&mut self, name: &str) {
        self.values.remove(find(name).map_or(name, |row| row.name));
    }

    /// The text of an option: what was set, else its default; `None` if neither is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        let row = find(name);
        let key = row.map_or(name, |row| row.name);
        match (self.values.get(key), row) {
            (Some(value), _) => Some(value),
            (None, Some(row)) if !row.default.is_empty() => Some(row.default),
            _ => None,
        }
    }

    /// What an option was set to, if it was.
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        let key = find(name).map_or(name, |row| row.name);
        self.values.get(key).map(String::as_str)
    }

    /// Everything that was set, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A boolean option.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// What becomes of results that do not fit their type.
    pub(crate) fn arithmetic(&self) -> Mode {
        if self.is_on(ANSI) { Mode::Ansi } else { Mode::Legacy }
    }

    /// The zone whose clock timestamps are read and written by.
    ///
    /// ```
    /// use vonk::config::Config;
    /// let mut config = Config::default();
    /// config.set("spark.sql.session.timeZone", "+02:00")?;
    /// assert_eq!(config.time_zone()?.offset_at(0), 7200);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    ///
    /// # Errors
    /// `INVALID_TIMEZONE` if there is no such zone.
    pub fn time_zone(&self) -> Result<Zone> {
        Ok(Zone::named(self.get(TIME_ZONE).unwrap_or("UTC"))?)
    }

    /// Which digits of decimals with too many are kept.
    pub(crate) fn decimal_digits(&self) -> Digits {
        if self.is_on(DECIMAL_LOSS) { Digits::Whole } else { Digits::Fraction }
    }

    /// Whether TIMESTAMP alone is a moment, rather than what a clock shows.
    pub(crate) fn timestamps_have_zone(&self) -> bool {
        !self.get(TIMESTAMP_TYPE).is_some_and(|name| name.eq_ignore_ascii_case("TIMESTAMP_NTZ"))
    }

    /// A count option.
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` if the text is no whole number.
    pub fn count(&self, name: &str) -> Result<Option<usize>> {
        self.get(name).map(|value| parse_count(name, value)).transpose()
    }

    /// An option in bytes.
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` if the text is no size.
    pub fn bytes(&self, name: &str) -> Result<Option<u64>> {
        self.get(name).map(|value| parse_bytes(name, value)).transpose()
    }

    /// An option in time; `None` also for zero, which is no limit.
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` if the text is no length of time.
    pub fn time(&self, name: &str) -> Result<Option<Duration>> {
        let time = self.get(name).map(|value| parse_time(name, value)).transpose()?;
        Ok(time.filter(|time| !time.is_zero()))
    }

    /// The number of threads that the master gives: `local` is one, `local[*]` all cores, and so are
    /// those of the process that asks a cluster.
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` if the master is neither of the form `local[N]` nor a cluster.
    pub fn threads(&self) -> Result<usize> {
        let master = self.get(MASTER).unwrap_or("local[*]");
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let inner = master.strip_prefix("local[").and_then(|rest| rest.strip_suffix(']'));
        match (master, inner) {
            ("local", _) => Ok(1),
            (cluster, _) if placement::is_cluster(cluster) => Ok(cores()),
            (_, Some("*")) => Ok(cores()),
            (_, Some(number)) => match number.parse::<usize>() {
                Ok(threads) if threads > 0 => Ok(threads),
                _ => Err(bad_master(master)),
            },
            _ => Err(bad_master(master)),
        }
    }
}

fn bad_master(master: &str) -> Error {
    Error::new(Condition::INVALID_CONFIG_VALUE, format!("master `{master}` is not known"))
        .hint("use `local[*]` for all cores, `local[4]` for four threads or `vonk://host:port`")
}

pub(crate) fn find(name: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| {
        row.name.eq_ignore_ascii_case(name)
            || row.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// The option of a name, or `None` for a name of Spark's or of the user's own.
///
/// # Errors
/// `SQL_CONF_NOT_FOUND` for an unknown `vonk.*` name.
pub(crate) fn known(name: &str) -> Result<Option<&'static OptionRow>> {
    match find(name) {
        None if name.to_lowercase().starts_with("vonk.") => Err(unknown(name)),
        found => Ok(found),
    }
}

fn unknown(name: &str) -> Error {
    let error = Error::new(Condition::CONFIG_NOT_FOUND, format!("option `{name}` does not exist"));
    match closest(name, OPTIONS.iter().map(|row| row.name)) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None => error.hint("`SET -v` lists the options"),
    }
}

fn check(row: &OptionRow, value: &str) -> Result<()> {
    match row.kind {
        OptionType::Text => Ok(()),
        OptionType::Count => parse_count(row.name, value).map(drop),
        OptionType::Bytes => parse_bytes(row.name, value).map(drop),
        OptionType::Duration => parse_time(row.name, value).map(drop),
        OptionType::Boolean if ["true", "false"].contains(&value.to_lowercase().as_str()) => Ok(()),
        OptionType::Boolean => Err(bad_value(row.name, value, "`true` or `false`")),
    }
}

fn bad_value(name: &str, value: &str, expected: &str) -> Error {
    Error::new(Condition::INVALID_CONFIG_VALUE, format!("option `{name}` cannot be `{value}`"))
        .hint(format!("give {expected}"))
}

fn parse_count(name: &str, value: &str) -> Result<usize> {
    match value.trim().parse::<usize>() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(bad_value(name, value, "a whole number from 1")),
    }
}

fn parse_bytes(name: &str, value: &str) -> Result<u64> {
    let text = value.trim().to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim().trim_end_matches("ib").trim_end_matches('b');
    let shift = match unit {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(bad_value(name, value, "a size such as `512MB` or `4GB`")),
    };
    digits
        .parse::<f64>()
        .ok()
        .filter(|number| *number >= 0.0)
        .map(|number| (number * (1u64 << shift) as f64) as u64)
        .ok_or_else(|| bad_value(name, value, "a size such as `512MB` or `4GB`"))
}

fn parse_time(name: &str, value: &str) -> Result<Duration> {
    let text = value.trim().to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ');
    let seconds = match text[digits.len()..].trim() {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    let time = digits.parse::<f64>().ok().map(|number| number * seconds);
    time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| bad_value(name, value, "a time such as `500ms`, `30s` or `5min`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two() {
        assert_eq!(parse_bytes("x", "1.5 GB").ok(), Some(3 << 29));
        assert_eq!(parse_bytes("x", "10m").ok(), Some(10 << 20));
        assert!(parse_bytes("x", "10 parsecs").is_err());
    }

    #[test]
    fn times_have_units() {
        let millis = |text: &str| parse_time("x", text).map(|time| time.as_millis()).ok();
        assert_eq!(
            [millis("1.5s"), millis("20"), millis("250 ms")],
            [Some(1500), Some(20_000), Some(250)]
        );
        assert_eq!([millis("2min"), millis("1h")], [Some(120_000), Some(3_600_000)]);
        assert_eq!([millis("-1s"), millis("soon"), millis("3 weeks"), millis("")], [None; 4]);
    }

    #[test]
    fn spark_settings_without_meaning_are_kept() {
        let mut config = Config::default();
        config.set("spark.ui.port", "4040").unwrap();
        assert_eq!(config.get("spark.ui.port"), Some("4040"));
        assert!(config.set("vonk.ui.port", "1").is_err());
    }

    #[test]
    fn master_gives_threads() {
        let mut config = Config::default();
        config.set("spark.master", "local[3]").unwrap();
        assert_eq!(config.threads().unwrap(), 3);
        config.set("spark.master", "yarn").unwrap();
        assert!(config.threads().is_err());
    }
}
