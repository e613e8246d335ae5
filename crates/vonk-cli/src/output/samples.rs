//! One result with every kind of value in every text format, against text written by hand.

use std::sync::Arc;

use arrow::array::Int32Builder;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DurationMicrosecondArray, Int32Array,
    IntervalYearMonthArray, ListArray, MapBuilder, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::Format;
use super::tests::{options, render};

/// Two rows: one with a value that is hard to write in each column, one of NULL alone.
fn sample() -> RecordBatch {
    let text = StringArray::from(vec![Some("say \"a,b\"\n|\t<é>"), None]);
    let bytes = BinaryArray::from(vec![Some(&[0x48, 0xFF][..]), None]);
    let price = Decimal128Array::from(vec![Some(-150), None]).with_precision_and_scale(10, 2);
    // 19,723 days are 2024-01-01; 36,000 s are ten hours.
    let micros = (19_723 * 86_400 + 36_000) * 1_000_000;
    let exact = TimestampMicrosecondArray::from(vec![Some(micros), None]).with_timezone("UTC");
    let half = TimestampMicrosecondArray::from(vec![Some(micros + 500_000), None]);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int32Array::from(vec![Some(7), None]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("text", Arc::new(text)),
        ("bytes", Arc::new(bytes)),
        ("price", Arc::new(price.unwrap())),
        ("exact", Arc::new(exact)),
        ("half", Arc::new(half)),
        ("span", Arc::new(DurationMicrosecondArray::from(vec![Some(3_600_000_000), None]))),
        ("months", Arc::new(IntervalYearMonthArray::from(vec![Some(14), None]))),
        ("list", Arc::new(list)),
        ("pair", Arc::new(pair())),
        ("map", Arc::new(map())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

fn pair() -> StructArray {
    let fields =
        vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None])),
        Arc::new(StringArray::from(vec![Some("x"), None])),
    ];
    StructArray::new(fields.into(), columns, Some(vec![true, false].into()))
}

fn map() -> arrow::array::MapArray {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.finish()
}

fn check(format: Format, expect: &str) {
    let text = render(options(format), &[sample()]);
    assert_eq!(text, expect, "{format:?}:\n{text}");
}

const HOUR: &str = "INTERVAL '0 01:00:00' DAY TO SECOND";
const MONTHS: &str = "INTERVAL '1-2' YEAR TO MONTH";

#[test]
fn csv_and_tsv() {
    check(
        Format::Csv,
        &format!(
            "n,flag,text,bytes,price,exact,half,span,months,list,pair,map\n\
             7,true,\"say \"\"a,b\"\"\n|\t<é>\",[48 FF],-1.50,2024-01-01 10:00:00,\
             2024-01-01 10:00:00.5,{HOUR},{MONTHS},\"[1, NULL]\",\"{{1, x}}\",{{k -> 1}}\n\
             ,,,,,,,,,,,\n"
        ),
    );
    check(
        Format::Tsv,
        &format!(
            "n\tflag\ttext\tbytes\tprice\texact\thalf\tspan\tmonths\tlist\tpair\tmap\n\
             7\ttrue\t\"say \"\"a,b\"\"\n|\t<é>\"\t[48 FF]\t-1.50\t2024-01-01 10:00:00\t\
             2024-01-01 10:00:00.5\t{HOUR}\t{MONTHS}\t[1, NULL]\t{{1, x}}\t{{k -> 1}}\n\
             \t\t\t\t\t\t\t\t\t\t\t\n"
        ),
    );
}

#[test]
fn json_and_json_lines() {
    let full = format!(
        "{{\"n\":7,\"flag\":true,\"text\":\"say \\\"a,b\\\"\\n|\\t<é>\",\"bytes\":\"SP8=\",\
         \"price\":-1.50,\"exact\":\"2024-01-01 10:00:00\",\"half\":\"2024-01-01 10:00:00.5\",\
         \"span\":\"{HOUR}\",\"months\":\"{MONTHS}\",\"list\":[1,null],\
         \"pair\":{{\"a\":1,\"b\":\"x\"}},\"map\":{{\"k\":1}}}}"
    );
    let empty = "{\"n\":null,\"flag\":null,\"text\":null,\"bytes\":null,\"price\":null,\
                 \"exact\":null,\"half\":null,\"span\":null,\"months\":null,\"list\":null,\
                 \"pair\":null,\"map\":null}";
    check(Format::Jsonl, &format!("{full}\n{empty}\n"));
    check(Format::Json, &format!("[\n{full},\n{empty}\n]\n"));
}

#[test]
fn markdown() {
    check(
        Format::Markdown,
        &format!(
            "| n | flag | text | bytes | price | exact | half | span | months | list | pair | map |\n\
             |---:|---|---|---|---:|---|---|---|---|---|---|---|\n\
             | 7 | true | say \"a,b\"<br>\\|\t<é> | [48 FF] | -1.50 | 2024-01-01 10:00:00 \
             | 2024-01-01 10:00:00.5 | {HOUR} | {MONTHS} | [1, NULL] | {{1, x}} | {{k -> 1}} |\n\
             | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL |\n"
        ),
    );
}

#[test]
fn line() {
    check(
        Format::Line,
        &format!(
            "-- row 1 --\n     n = 7\n  flag = true\n  text = say \"a,b\"\\n|\\t<é>\n bytes = [48 FF]\n \
             price = -1.50\n exact = 2024-01-01 10:00:00\n  half = 2024-01-01 10:00:00.5\n  \
             span = {HOUR}\nmonths = {MONTHS}\n  list = [1, NULL]\n  pair = {{1, x}}\n   \
             map = {{k -> 1}}\n-- row 2 --\n     n = NULL\n  flag = NULL\n  text = NULL\n \
             bytes = NULL\n price = NULL\n exact = NULL\n  half = NULL\n  span = NULL\nmonths = \
             NULL\n  list = NULL\n  pair = NULL\n   map = NULL\n"
        ),
    );
}

#[test]
fn html() {
    let text = render(options(Format::Html), &[sample()]);
    let row = format!(
        "<tr><td align=\"right\">7</td><td>true</td><td>say &quot;a,b&quot;\n|\t&lt;é&gt;</td>\
         <td>[48 FF]</td><td align=\"right\">-1.50</td><td>2024-01-01 10:00:00</td>\
         <td>2024-01-01 10:00:00.5</td><td>{HOUR}</td><td>{MONTHS}</td><td>[1, NULL]</td>\
         <td>{{1, x}}</td><td>{{k -&gt; 1}}</td></tr>\n"
    );
    assert!(text.contains(&row), "{text}");
    assert_eq!(text.matches("<i>NULL</i>").count(), 12, "{text}");
}

#[test]
fn table() {
    let columns: Vec<usize> = vec![2, 3, 5, 6, 9, 10, 11];
    let text = render(options(Format::Table), &[sample().project(&columns).unwrap()]);
    let expect = "\
┌───────────────────┬─────────┬─────────────────────┬───────────────────────┬────────────┬────────────────────────┬─────────────────┐
│ text              │ bytes   │ exact               │ half                  │ list       │ pair                   │ map             │
│ string            │ binary  │ timestamp           │ timestamp_ntz         │ array<int> │ struct<a:int,b:string> │ map<string,int> │
├───────────────────┼─────────┼─────────────────────┼───────────────────────┼────────────┼────────────────────────┼─────────────────┤
│ say \"a,b\"\\n|\\t<é> │ [48 FF] │ 2024-01-01 10:00:00 │ 2024-01-01 10:00:00.5 │ [1, NULL]  │ {1, x}                 │ {k -> 1}        │
│ NULL              │ NULL    │ NULL                │ NULL                  │ NULL       │ NULL                   │ NULL            │
└───────────────────┴─────────┴─────────────────────┴───────────────────────┴────────────┴────────────────────────┴─────────────────┘
";
    assert_eq!(text, expect, "\n{text}");
}

#[test]
fn a_result_without_rows_has_its_names() {
    let none = sample().project(&[0, 2]).unwrap().slice(0, 0);
    let text = |format| render(options(format), std::slice::from_ref(&none));
    assert_eq!(text(Format::Csv), "n,text\n");
    assert_eq!(text(Format::Tsv), "n\ttext\n");
    assert_eq!(text(Format::Json), "[\n]\n");
    assert_eq!(text(Format::Jsonl), "");
    assert_eq!(text(Format::Line), "");
    assert_eq!(text(Format::Markdown), "| n | text |\n|---:|---|\n");
    assert_eq!(
        text(Format::Html),
        "<table>\n<thead><tr><th>n</th><th>text</th></tr></thead>\n<tbody>\n</tbody>\n</table>\n"
    );
    let table = "┌─────┬────────┐\n│   n │ text   │\n│ int │ string │\n├─────┼────────┤\n└─────┴────────┘\n";
    assert_eq!(text(Format::Table), table);
}

#[test]
fn no_format_fails_without_columns() {
    let rows = RecordBatchOptions::new().with_row_count(Some(2));
    let schema = Arc::new(Schema::empty());
    let batch = RecordBatch::try_new_with_options(schema, vec![], &rows).unwrap();
    let text = |format| render(options(format), std::slice::from_ref(&batch));
    assert_eq!(text(Format::Jsonl), "{}\n{}\n");
    assert_eq!(text(Format::Csv), "\n\n\n");
    assert_eq!(text(Format::Line), "-- row 1 --\n-- row 2 --\n");
    let _drawn = text(Format::Table);
}
