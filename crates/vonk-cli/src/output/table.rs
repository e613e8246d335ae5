//! The table in a box: types under names, rows cut in the middle, columns cut to the terminal.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use vonk::display::{Zone, field_type_name};

use super::cell::{Cells, is_right_aligned};
use super::{Options, Out, Sink, names};
use crate::exit::Failure;
use crate::look::{BOLD, DIM, Look};

/// Below this width a column is dropped rather than cut further.
const CELL_WIDTH_MIN: usize = 20;

/// Stands for the rows or columns that are not shown.
const ROWS_LEFT_OUT: &str = "⋮";
const COLUMNS_LEFT_OUT: &str = "…";

/// A writer of a table, which keeps the first and the last rows only.
pub(super) struct Table {
    schema: SchemaRef,
    options: Options,
    out: Out,
    head: Vec<RecordBatch>,
    head_rows: usize,
    tail: VecDeque<RecordBatch>,
    tail_rows: usize,
    rows: usize,
}

impl Table {
    pub(super) fn new(schema: SchemaRef, options: Options, out: Out) -> Self {
        let (head, tail) = (Vec::new(), VecDeque::new());
        Self { schema, options, out, head, head_rows: 0, tail, tail_rows: 0, rows: 0 }
    }

    fn rows_max(&self) -> usize {
        if self.options.rows_max == 0 { usize::MAX } else { self.options.rows_max }
    }

    /// Drops batches that lie before the last `rows_max` rows.
    fn trim_tail(&mut self) {
        while let Some(first) = self.tail.front() {
            if self.tail_rows - first.num_rows() < self.rows_max() {
                break;
            }
            self.tail_rows -= first.num_rows();
            self.tail.pop_front();
        }
    }

    /// The texts of the rows that are shown, and after how many of them some are left out.
    fn shown(&self) -> Result<(Vec<Vec<Cell>>, Option<usize>), Failure> {
        let mut rows = Vec::new();
        if self.rows <= self.rows_max() {
            texts(&self.head, self.options.zone, (0, self.head_rows), &mut rows)?;
            return Ok((rows, None));
        }
        let first = self.rows_max().div_ceil(2);
        let last = self.rows_max() - first;
        texts(&self.head, self.options.zone, (0, first), &mut rows)?;
        let tail: Vec<RecordBatch> = self.head.iter().chain(&self.tail).cloned().collect();
        let kept = self.head_rows + self.tail_rows;
        texts(&tail, self.options.zone, (kept - last, last), &mut rows)?;
        Ok((rows, Some(first)))
    }
}

impl Sink for Table {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.rows += batch.num_rows();
        let taken = batch.num_rows().min(self.rows_max() - self.head_rows);
        if taken > 0 {
            self.head.push(batch.slice(0, taken));
            self.head_rows += taken;
        }
        if taken < batch.num_rows() {
            self.tail.push_back(batch.slice(taken, batch.num_rows() - taken));
            self.tail_rows += batch.num_rows() - taken;
            self.trim_tail();
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        let (rows, gap) = self.shown()?;
        let types = self.schema.fields().iter().map(|field| field.data_type());
        let grid = Grid {
            names: names(&self.schema).map(escape).collect(),
            types: self.schema.fields().iter().map(|field| field_type_name(field)).collect(),
            rights: types.map(is_right_aligned).collect(),
            rows,
            gap,
        };
        let text = grid.draw(&self.options.look);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()?;
        Ok(gap.map(|_| grid.rows.len()))
    }
}

/// The text of a value; `None` is NULL.
type Cell = Option<String>;

/// Appends the texts of `count` rows from row `start` of the batches.
fn texts(
    batches: &[RecordBatch],
    zone: Zone,
    (start, count): (usize, usize),
    rows: &mut Vec<Vec<Cell>>,
) -> Result<(), Failure> {
    let mut before = 0;
    for batch in batches {
        let from = start.max(before) - before;
        let to = (start + count).min(before + batch.num_rows()).saturating_sub(before);
        before += batch.num_rows();
        if from >= to {
            continue;
        }
        let batch = batch.slice(from, to - from);
        let cells = Cells::new(&batch, zone)?;
        for row in 0..cells.rows() {
            let texts = (0..cells.columns())
                .map(|column| Ok(cells.text(row, column)?.map(|text| escape(&text))));
            rows.push(texts.collect::<Result<_, Failure>>()?);
        }
    }
    Ok(())
}

/// A column that is drawn, or the mark of those that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Column { index: usize, width: usize },
    LeftOut,
}

impl Slot {
    fn width(self) -> usize {
        match self {
            Self::Column { width, .. } => width,
            Self::LeftOut => 1,
        }
    }
}

/// Everything that a table shows, as text.
struct Grid {
    names: Vec<String>,
    types: Vec<String>,
    rights: Vec<bool>,
    rows: Vec<Vec<Cell>>,
    gap: Option<usize>,
}

impl Grid {
    fn draw(&self, look: &Look) -> String {
        let slots = fit(&self.widths(), look.width);
        let mut text = rule(&slots, ["┌", "┬", "┐"], look);
        let plain = |index: usize, from: &[String]| from[index].clone();
        self.line(&mut text, &slots, look, |index| (plain(index, &self.names), Some(BOLD)));
        self.line(&mut text, &slots, look, |index| (plain(index, &self.types), Some(DIM)));
        text += &rule(&slots, ["├", "┼", "┤"], look);
        for (number, row) in self.rows.iter().enumerate() {
            if self.gap == Some(number) {
                self.line(&mut text, &slots, look, |_| (ROWS_LEFT_OUT.to_owned(), Some(DIM)));
            }
            self.line(&mut text, &slots, look, |index| match &row[index] {
                Some(value) => (value.clone(), None),
                None => ("NULL".to_owned(), Some(DIM)),
            });
        }
        text + &rule(&slots, ["└", "┴", "┘"], look)
    }

    /// The width that each column would like to have.
    fn widths(&self) -> Vec<usize> {
        let wide = |index: usize| {
            let cells = self.rows.iter().map(|row| row[index].as_deref().unwrap_or("NULL").width());
            let head = self.names[index].width().max(self.types[index].width());
            cells.max().unwrap_or(0).max(head)
        };
        (0..self.names.len()).map(wide).collect()
    }

    fn line(
        &self,
        text: &mut String,
        slots: &[Slot],
        look: &Look,
        cell: impl Fn(usize) -> (String, Option<anstyle::Style>),
    ) {
        let bar = look.paint(DIM, "│");
        for slot in slots {
            let (value, style, right) = match *slot {
                Slot::Column { index, width } => {
                    let (value, style) = cell(index);
                    (cut(&value, width), style, self.rights[index])
                }
                Slot::LeftOut => (COLUMNS_LEFT_OUT.to_owned(), Some(DIM), false),
            };
            let pad = " ".repeat(slot.width() - value.width());
            let painted = style.map_or_else(|| value.clone(), |style| look.paint(style, &value));
            let (before, after) = if right { (pad.as_str(), "") } else { ("", pad.as_str()) };
            let _infallible = write!(text, "{bar} {before}{painted}{after} ");
        }
        *text += &bar;
        text.push('\n');
    }
}

fn rule(slots: &[Slot], [left, middle, right]: [&str; 3], look: &Look) -> String {
    let parts: Vec<String> = slots.iter().map(|slot| "─".repeat(slot.width() + 2)).collect();
    look.paint(DIM, &format!("{left}{}{right}", parts.join(middle))) + "\n"
}

/// Which columns are drawn and how wide: all if they fit, else cut, else those at both ends.
fn fit(widths: &[usize], room: Option<usize>) -> Vec<Slot> {
    let all = |cap: usize| -> Vec<Slot> {
        let capped =
            |(index, width): (usize, &usize)| Slot::Column { index, width: cap.min(*width) };
        widths.iter().enumerate().map(capped).collect()
    };
    let Some(room) = room else { return all(usize::MAX) };
    let total = |slots: &[Slot]| slots.iter().map(|slot| slot.width() + 3).sum::<usize>() + 1;
    if total(&all(usize::MAX)) <= room {
        return all(usize::MAX);
    }
    if let Some(cap) = (CELL_WIDTH_MIN..room).rev().find(|cap| total(&all(*cap)) <= room) {
        return all(cap);
    }
    let columns = all(CELL_WIDTH_MIN);
    let (mut head, mut tail) = (vec![], VecDeque::new());
    let (mut first, mut last) = (0, columns.len());
    while first < last {
        let next = if head.len() <= tail.len() { columns[first] } else { columns[last - 1] };
        let used = total(&head) + total(tail.make_contiguous()) - 1;
        let with_mark = used + next.width() + 3 + Slot::LeftOut.width() + 3;
        // The first column is always there, cut to what the terminal has.
        if with_mark > room && !head.is_empty() {
            break;
        }
        if head.len() <= tail.len() {
            head.push(next);
            first += 1;
        } else {
            tail.push_front(next);
            last -= 1;
        }
    }
    if first < last {
        head.push(Slot::LeftOut);
    }
    head.extend(tail);
    head
}

/// Text cut to a width, with a mark where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// Control characters as they are written in SQL, so that no value can move the cursor.
pub(super) fn escape(text: &str) -> String {
    if !text.chars().any(is_unprintable) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => escaped += "\\n",
            '\r' => escaped += "\\r",
            '\t' => escaped += "\\t",
            c if is_unprintable(c) => {
                let _infallible = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Control characters, and marks that turn the direction of what follows.
fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::super::Format;
    use super::super::tests::{options, render};
    use super::*;

    fn numbers(range: std::ops::Range<i64>) -> RecordBatch {
        let array = Int64Array::from_iter_values(range);
        RecordBatch::try_from_iter([("n", Arc::new(array) as ArrayRef)]).unwrap()
    }

    fn column(index: usize, width: usize) -> Slot {
        Slot::Column { index, width }
    }

    #[test]
    fn a_table_has_types_under_names_and_numbers_to_the_right() {
        let batch = RecordBatch::try_from_iter([
            ("land", Arc::new(StringArray::from(vec![Some("日本"), None])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![Some(7), Some(1234567)])) as ArrayRef),
        ])
        .unwrap();
        let expect = "\
┌────────┬─────────┐
│ land   │       n │
│ string │  bigint │
├────────┼─────────┤
│ 日本   │       7 │
│ NULL   │ 1234567 │
└────────┴─────────┘
";
        assert_eq!(render(options(Format::Table), &[batch]), expect);
    }

    #[test]
    fn long_results_show_both_ends() {
        let options = Options { rows_max: 4, ..options(Format::Table) };
        let batches = [numbers(0..3), numbers(3..10), numbers(10..11)];
        let expect = "\
┌────────┐
│      n │
│ bigint │
├────────┤
│      0 │
│      1 │
│      ⋮ │
│      9 │
│     10 │
└────────┘
";
        assert_eq!(render(options, &batches), expect);
    }

    #[test]
    fn a_result_just_over_the_limit_takes_its_end_from_both_parts() {
        let options = Options { rows_max: 4, ..options(Format::Table) };
        let text = render(options, &[numbers(0..5)]);
        let shown: Vec<&str> =
            text.lines().skip(4).map(|line| line.trim_matches(['│', ' '])).collect();
        assert_eq!(shown[..5], ["0", "1", "⋮", "3", "4"]);
    }

    #[test]
    fn only_the_ends_are_kept_in_memory() {
        let options = Options { rows_max: 40, ..options(Format::Table) };
        let schema = numbers(0..1).schema();
        let mut table = Table::new(schema, options, Box::new(std::io::sink()));
        for chunk in 0..250 {
            table.write(&numbers(chunk * 8192..(chunk + 1) * 8192)).unwrap();
            assert!(table.head_rows + table.tail_rows <= 40 + 2 * 8192);
        }
        assert_eq!(table.rows, 250 * 8192);
        assert_eq!(Box::new(table).finish().unwrap(), Some(40));
    }

    #[test]
    fn columns_fit_are_cut_or_left_out() {
        // Two columns of 30 take 67 places.
        assert_eq!(fit(&[30, 30], Some(67)), [column(0, 30), column(1, 30)]);
        assert_eq!(fit(&[30, 5], Some(32)), [column(0, 20), column(1, 5)]);
        assert_eq!(fit(&[30, 30], None), [column(0, 30), column(1, 30)]);
        let many = fit(&[10; 20], Some(60));
        let kept = [column(0, 10), column(1, 10), Slot::LeftOut, column(18, 10), column(19, 10)];
        assert_eq!(many, kept);
    }

    #[test]
    fn values_cannot_move_the_cursor() {
        assert_eq!(escape("a\nb\tc\u{1b}[2J"), "a\\nb\\tc\\u001b[2J");
        assert_eq!(escape("plain é"), "plain é");
    }

    #[test]
    fn texts_are_cut_by_their_width() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
