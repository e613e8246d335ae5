//! Text of results and schemas, in Spark's layout.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::Result as DfResult;
use unicode_width::UnicodeWidthStr;

use super::DataFrame;
use crate::display::{Renderer, Style, Zone, field_type_name, tree};
use crate::error::{Condition, Error, Result};

/// How many rows `show` gives when nothing else is said.
const ROWS_SHOWN: usize = 20;

/// How many characters of a value `show` gives when nothing else is said.
const CHARACTERS_SHOWN: usize = 20;

/// Spark's columns are at least this wide.
const WIDTH_MIN: usize = 3;

impl DataFrame {
    /// Writes the first 20 rows to the standard output, values cut to 20 characters.
    ///
    /// This and [`DataFrame::print_schema`] are the only places where the library writes there.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`], and of writing.
    pub async fn show(&self) -> Result<()> {
        write_out(&self.show_string(ROWS_SHOWN, Some(CHARACTERS_SHOWN)).await?)
    }

    /// The first rows as Spark's `show` lays them out; `truncate` is the longest value in
    /// characters, `None` for values as long as they are.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let people = Session::new().sql("SELECT * FROM VALUES (2, 'Alice'), (5, NULL) AS t(age, name)");
    /// let text = people.show_string(20, Some(20)).await?;
    /// assert_eq!(text, "\
    /// +---+-----+
    /// |age| name|
    /// +---+-----+
    /// |  2|Alice|
    /// |  5| NULL|
    /// +---+-----+
    /// ");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn show_string(&self, rows: usize, truncate: Option<usize>) -> Result<String> {
        let (lines, more) = self.first_lines(rows, truncate).await?;
        Ok(grid(&lines, truncate.is_some()) + &more)
    }

    /// The first rows, each as a record of its own with a line for every column.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let text = Session::new().sql("SELECT 2 AS age").show_vertical(20, None).await?;
    /// assert_eq!(text, "-RECORD 0--\n age | 2   \n");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn show_vertical(&self, rows: usize, truncate: Option<usize>) -> Result<String> {
        let (lines, more) = self.first_lines(rows, truncate).await?;
        Ok(records(&lines) + &more)
    }

    /// The first rows as a table of HTML.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let text = Session::new().sql("SELECT '<' AS a").show_html(20, None).await?;
    /// assert!(text.contains("<tr><td>&lt;</td></tr>"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn show_html(&self, rows: usize, truncate: Option<usize>) -> Result<String> {
        let (lines, more) = self.first_lines(rows, truncate).await?;
        Ok(html(&lines) + &more)
    }

    /// The header and the first rows as text, and what to say if there are more.
    async fn first_lines(
        &self,
        rows: usize,
        truncate: Option<usize>,
    ) -> Result<(Vec<Vec<String>>, String)> {
        let batch = self.limit(rows.saturating_add(1)).to_arrow().await?;
        let has_more = batch.num_rows() > rows;
        let shown = batch.slice(0, batch.num_rows().min(rows));
        let zone = self.session.config().time_zone()?;
        let lines = table(&shown, truncate, zone)?;
        let noun = if rows == 1 { "row" } else { "rows" };
        let more = format!("only showing top {rows} {noun}\n");
        Ok((lines, if has_more { more } else { String::new() }))
    }

    /// Writes the schema as a tree to the standard output.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`], and of writing.
    pub async fn print_schema(&self) -> Result<()> {
        write_out(&self.schema_string().await?)
    }

    /// The schema as Spark's tree.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let tree = Session::new().range(0, 1).schema_string().await?;
    /// assert!(tree.starts_with("root\n |-- id: long"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn schema_string(&self) -> Result<String> {
        let schema = self.schema().await?;
        Ok(tree(&schema) + "\n")
    }

    /// The names of the columns.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn columns(&self) -> Result<Vec<String>> {
        Ok(self.schema().await?.fields().iter().map(|field| field.name().clone()).collect())
    }

    /// The names and types of the columns, types as Spark's SQL writes them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let types = Session::new().range(0, 1).dtypes().await?;
    /// assert_eq!(types, [("id".to_owned(), "bigint".to_owned())]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn dtypes(&self) -> Result<Vec<(String, String)>> {
        let schema: SchemaRef = self.schema().await?;
        let typed = |field: &Field| (field.name().clone(), field_type_name(field));
        Ok(schema.fields().iter().map(|field| typed(field)).collect())
    }
}

/// The one place where the library writes to the standard output, for those who ask it to.
fn write_out(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        Error::new(Condition::WRITE_FAILED, "the standard output cannot be written")
            .caused_by(error)
    })
}

/// The header and the rows as text.
fn table(batch: &RecordBatch, truncate: Option<usize>, zone: Zone) -> Result<Vec<Vec<String>>> {
    let mut lines = Vec::with_capacity(batch.num_rows() + 1);
    let schema = batch.schema();
    // Names are as long as they are.
    lines.push(schema.fields().iter().map(|field| escaped(field.name())).collect());
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| Renderer::new(column, field, Style::show(zone)));
    let columns = columns.collect::<DfResult<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        let texts = columns.iter().map(|column| cut(escaped(&column.text(row)), truncate));
        lines.push(texts.collect());
    }
    Ok(lines)
}

/// Lines and columns with a border; values stand on the right when they are cut.
fn grid(lines: &[Vec<String>], right: bool) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widest = lines.iter().map(|line| line[column].width()).max();
        widest.unwrap_or(0).max(WIDTH_MIN)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let border: String =
        widths.iter().map(|width| format!("+{}", "-".repeat(*width))).collect::<String>() + "+\n";
    let mut text = border.clone();
    for (number, line) in lines.iter().enumerate() {
        for (value, width) in line.iter().zip(&widths) {
            let padding = " ".repeat(width - value.width());
            let (before, after) =
                if right { (padding.as_str(), "") } else { ("", padding.as_str()) };
            text.push_str(&format!("|{before}{value}{after}"));
        }
        text.push_str("|\n");
        if number == 0 {
            text.push_str(&border);
        }
    }
    text.push_str(&border);
    text
}

/// A record for every row, a line for every column.
fn records(lines: &[Vec<String>]) -> String {
    let Some((names, rows)) = lines.split_first() else { return String::new() };
    if rows.is_empty() {
        return "(0 rows)\n".to_owned();
    }
    let widest = |lines: &[Vec<String>]| {
        let widths = lines.iter().flatten().map(|text| text.width());
        widths.max().unwrap_or(0).max(WIDTH_MIN)
    };
    let (name_width, value_width) = (widest(&lines[..1]), widest(rows));
    let padded = |text: &str, width: usize| format!("{text}{}", " ".repeat(width - text.width()));
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        // Five characters stand around the name and the value.
        let width = name_width + value_width + 5;
        text.push_str(&format!("{:-<width$}\n", format!("-RECORD {number}")));
        for (name, value) in names.iter().zip(row) {
            let (name, value) = (padded(name, name_width), padded(value, value_width));
            text.push_str(&format!(" {name} | {value} \n"));
        }
    }
    text
}

fn html(lines: &[Vec<String>]) -> String {
    let escaped = |text: &String| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', "&quot;").replace('\'', "&#39;")
    };
    let mut text = "<table border='1'>\n".to_owned();
    for (number, line) in lines.iter().enumerate() {
        let tag = if number == 0 { "th" } else { "td" };
        let cells = line.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
        text.push_str(&format!("<tr>{}</tr>\n", cells.collect::<String>()));
    }
    text + "</table>\n"
}

/// Control characters that would break the grid, as escapes.
fn escaped(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

fn cut(text: String, truncate: Option<usize>) -> String {
    match truncate {
        Some(longest) if longest > 0 && text.chars().count() > longest => match longest {
            0..4 => text.chars().take(longest).collect(),
            _ => text.chars().take(longest - 3).collect::<String>() + "...",
        },
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_as_spark_cuts_them() {
        assert_eq!(cut("abcdefghijklmnopqrstuvwxyz".to_owned(), Some(20)), "abcdefghijklmnopq...");
        assert_eq!(cut("abcdef".to_owned(), Some(3)), "abc");
        assert_eq!(cut("abcdef".to_owned(), None), "abcdef");
    }
}
