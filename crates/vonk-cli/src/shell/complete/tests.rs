//! Golden cases: the text with `|` for the cursor, and the candidates in order.

use arrow::datatypes::{DataType, Field, Fields};

use super::*;

struct Fake;

impl Catalog for Fake {
    fn tables(&self) -> Vec<String> {
        vec!["orders".to_owned(), "people".to_owned(), "odd name".to_owned()]
    }

    fn functions(&self) -> Vec<String> {
        ["abs", "avg", "count", "sum", "upper"].map(str::to_owned).to_vec()
    }

    fn columns(&self, relation: &str) -> Vec<Column> {
        let column =
            |name: &str, data_type| Column { name: name.to_owned(), data_type: Some(data_type) };
        let address = Fields::from(vec![
            Field::new("city", DataType::Utf8, true),
            Field::new("zip", DataType::Int32, true),
        ]);
        match relation {
            "orders" => vec![
                column("id", DataType::Int64),
                column("amount", DataType::Decimal128(15, 2)),
                column("person_id", DataType::Int64),
            ],
            "people" => vec![
                column("id", DataType::Int64),
                column("name", DataType::Utf8),
                column("address", DataType::Struct(address)),
            ],
            "data/x.parquet" => {
                vec![column("day", DataType::Date32), column("a b", DataType::Utf8)]
            }
            _ => Vec::new(),
        }
    }

    fn files(&self, start: &str) -> Vec<Candidate> {
        ["data/", "data/x.parquet", "data/y.csv"]
            .into_iter()
            .filter(|path| {
                path.len() > start.len()
                    && path.starts_with(start)
                    && !path[start.len()..].trim_end_matches('/').contains('/')
            })
            .map(|path| candidate(path, "file"))
            .collect()
    }
}

fn values(marked: &str) -> Vec<String> {
    let cursor = marked.find('|').unwrap();
    let text = marked.replacen('|', "", 1);
    let completion = complete(&text, cursor, &Fake);
    completion.candidates.into_iter().map(|candidate| candidate.value).collect()
}

/// The candidates are these and no others.
fn check(marked: &str, expect: &[&str]) {
    assert_eq!(values(marked), expect, "{marked}");
}

/// The candidates begin with these.
fn check_first(marked: &str, expect: &[&str]) {
    let found = values(marked);
    assert!(found.len() >= expect.len() && found[..expect.len()] == *expect, "{marked}: {found:?}");
}

#[test]
fn statements_begin_with_their_words() {
    check("sel|", &["select"]);
    check("SEL|", &["SELECT"]);
    check("select 1; desc|", &["describe"]);
    check_first("|", &["SELECT", "FROM"]);
    check("EXPLAIN sel|", &["select"]);
}

#[test]
fn tables_follow_from_and_join() {
    check("select * from |", &["orders", "people", "`odd name`"]);
    check("select * from o|", &["orders", "`odd name`"]);
    check("select * from orders o join p|", &["people"]);
    check("select * from orders, p|", &["people"]);
    check("describe pe|", &["people"]);
    check("insert into o|", &["orders", "`odd name`"]);
    check("select * from `od|", &["odd name`"]);
}

#[test]
fn columns_in_scope_come_first_also_from_a_later_from() {
    check("select am| from orders", &["amount"]);
    check("select | from orders", &["id", "amount", "person_id", "orders"]);
    check_first("select * from orders where a|", &["amount", "abs(", "avg("]);
    check_first("select * from orders o join people p on o.id = p.id where na|", &["name"]);
    check("select * from orders order by per|", &["person_id"]);
    check("select sum(am|) from orders", &["amount"]);
}

#[test]
fn an_alias_and_a_dot_give_its_columns() {
    check("select o.| from orders o", &["id", "amount", "person_id"]);
    check("select p.na| from orders o join people as p", &["name"]);
    check("select people.| from people", &["id", "name", "address"]);
    check("select x.| from orders o", &[]);
    check("select * from orders o join people p on o.person_id = p.i|", &["id"]);
}

#[test]
fn fields_of_a_struct_follow_their_column() {
    check("select address.| from people", &["city", "zip"]);
    check("select p.address.c| from people p", &["city"]);
}

#[test]
fn a_file_in_from_gives_its_columns() {
    check("select d| from 'data/x.parquet'", &["day", "date", "distinct"]);
    check("select f.| from 'data/x.parquet' f", &["day", "`a b`"]);
    check("select d| from parquet.`data/x.parquet`", &["day", "date", "distinct"]);
    check("from 'data/x.parquet' select da|", &["day", "date"]);
}

#[test]
fn common_tables_and_subqueries_have_columns() {
    check(
        "with big as (select id, amount * 2 as twice from orders) select t| from big",
        &["twice", "try_cast(", "true", "timestamp"],
    );
    check(
        "with big as (select * from orders) select b.| from big b",
        &["id", "amount", "person_id"],
    );
    check("with big as (select 1 as a) select * from b|", &["big"]);
    check("select s.| from (select id, upper(name) as up from people) s", &["id", "up"]);
    check(
        "select * from orders o where exists (select 1 from people p where p.id = o.per|)",
        &["person_id"],
    );
    check("with r as (select * from r) select r.| from r", &[]);
}

#[test]
fn paths_are_completed_inside_quotes() {
    check("select * from 'da|", &["data/"]);
    check("select * from 'data/|", &["data/x.parquet'", "data/y.csv'"]);
    check("select * from 'data/x|'", &["data/x.parquet"]);
    check("select * from csv.`data/y|", &["data/y.csv`"]);
    check("create temp view v using csv options (path 'data/y|", &["data/y.csv'"]);
    check("select * from orders where name = 'da|", &[]);
}

#[test]
fn keywords_follow_a_complete_part() {
    check("select * fr|", &["from"]);
    check("select id f|", &["from", "filter (where"]);
    check("select * from orders wh|", &["where"]);
    check("select * from orders where id = 1 gr|", &["group by"]);
    check("SELECT * FROM orders ORDER|", &["ORDER BY"]);
    check("select * from orders group by id hav|", &["having"]);
    check("select * from orders order by id de|", &["desc"]);
    check("select count(*) fr|", &["from"]);
}

#[test]
fn nothing_is_offered_where_nothing_can_be_known() {
    check("select 12|", &[]);
    check("select id as | from orders", &[]);
    check("select 1 -- fr|", &[]);
    check("/* sel|", &[]);
    check("select id from orders where zzqq|", &[]);
}

#[test]
fn functions_are_offered_with_their_bracket() {
    check("select up|", &["upper("]);
    check("select cou| from orders", &["count("]);
}

#[test]
fn types_are_told() {
    let completion = complete("select am from orders", 9, &Fake);
    assert_eq!(completion.candidates[0].note, "decimal(15,2)");
    assert_eq!((completion.start, completion.end), (7, 9));
}

#[test]
fn the_part_of_a_name_is_found_when_its_start_is_not() {
    check("select erson_| from orders", &["person_id"]);
}

#[test]
fn no_text_and_no_cursor_makes_it_fail() {
    let statement =
        "with a as (select 'é', `x`.y from (b join c using (d)) e, 'f' g) select (((a.* /* ; */;";
    for (end, _) in statement.char_indices() {
        for (cursor, _) in statement[..end].char_indices() {
            complete(&statement[..end], cursor, &Fake);
        }
    }
}
