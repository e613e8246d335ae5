//! The DataFrame API on small data, with answers by hand.

use crate::functions as f;
use crate::prelude::*;
use crate::{GroupedData, Window};

fn sales() -> DataFrame {
    Session::new().sql(
        "SELECT * FROM VALUES ('nl', 'tea', 3), ('nl', 'rye', 1), ('be', 'tea', 5), ('be', 'rye', NULL) \
         AS sales(land, what, n)",
    )
}

async fn text(data: DataFrame) -> Vec<String> {
    let shown = data.show_string(100, None).await.unwrap();
    let rows = shown.lines().filter(|line| line.starts_with('|')).skip(1);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells.join(" ")
    })
    .collect()
}

#[tokio::test]
async fn select_filter_and_order() {
    let big = sales().filter(col("n").gt(1)).select([col("land"), (col("n") * 2).alias("twice")]);
    assert_eq!(text(big.order_by(["twice"])).await, ["nl 6", "be 10"]);
    let nulls = sales().order_by([col("n").desc(), col("land").asc()]).select(["n"]);
    assert_eq!(text(nulls).await, ["5", "3", "1", "NULL"]);
    let order = sales().order_by(["n"]).select(["n"]).limit(2);
    assert_eq!(text(order).await, ["NULL", "1"]);
}

#[tokio::test]
async fn an_order_survives_the_steps_behind_it() {
    let ordered = sales().order_by([col("n").desc()]).filter("n > 0").with_column("one", lit(1));
    assert_eq!(text(ordered.select(["n"])).await, ["5", "3", "1"]);
}

#[tokio::test]
async fn columns_are_added_replaced_renamed_and_dropped() {
    let data = sales().with_column("N", col("n") + 1).with_column_renamed("land", "country");
    assert_eq!(data.columns().await.unwrap(), ["country", "what", "N"]);
    let fewer = data.drop(["what", "nothing"]);
    assert_eq!(text(fewer.filter("country = 'nl'").order_by(["N"])).await, ["nl 2", "nl 4"]);
    let named = sales().to_df(["a", "b", "c"]);
    assert_eq!(named.columns().await.unwrap(), ["a", "b", "c"]);
    assert!(sales().to_df(["a"]).check().await.is_err());
}

#[tokio::test]
async fn groups() {
    let sums = sales().group_by(["land"]).sum(["n"]).order_by(["land"]);
    assert_eq!(sums.columns().await.unwrap(), ["land", "sum(n)"]);
    assert_eq!(text(sums).await, ["be 5", "nl 4"]);
    let counted: GroupedData = sales().group_by(["what"]);
    assert_eq!(text(counted.count().order_by(["what"])).await, ["rye 2", "tea 2"]);
    let all = sales().agg([f::count("n").alias("c"), f::count_distinct(["land"]).alias("d")]);
    assert_eq!(text(all).await, ["3 2"]);
}

#[tokio::test]
async fn pivot_rollup_and_cube() {
    let table = sales().group_by(["land"]).pivot("what", ["tea", "rye"]).sum(["n"]);
    assert_eq!(table.columns().await.unwrap(), ["land", "tea", "rye"]);
    assert_eq!(text(table.order_by(["land"])).await, ["be 5 NULL", "nl 3 1"]);
    let rollup = sales().rollup(["land", "what"]).agg([f::sum("n").alias("n")]);
    assert_eq!(rollup.count().await.unwrap(), 4 + 2 + 1);
    let cube = sales().cube(["land", "what"]).agg([f::sum("n").alias("n")]);
    assert_eq!(cube.count().await.unwrap(), 4 + 2 + 2 + 1);
}

#[tokio::test]
async fn joins_on_names_have_the_name_once() {
    let session = Session::new();
    let a = session.sql("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS a(id, x)");
    let b = session.sql("SELECT * FROM VALUES (2, 'c'), (3, 'd') AS b(id, x)");
    let full = a.join(&b, "id", "full").order_by(["id"]);
    assert_eq!(full.columns().await.unwrap(), ["id", "x", "x"]);
    assert_eq!(text(full).await, ["1 a NULL", "2 b c", "3 NULL d"]);
    assert_eq!(text(a.join(&b, "id", "right").order_by(["id"])).await, ["2 b c", "3 NULL d"]);
    assert_eq!(text(a.join(&b, ["id"], "left_semi")).await, ["2 b"]);
    assert_eq!(text(a.join(&b, ["id"], "anti")).await, ["1 a"]);
    assert_eq!(a.cross_join(&b).count().await.unwrap(), 4);
    assert!(a.join(&b, "idd", "inner").check().await.unwrap_err().to_string().contains("`id`"));
}

#[tokio::test]
async fn a_query_joins_with_itself() {
    let session = Session::new();
    let a = session.sql("SELECT 1 AS id, 2 AS parent").union(&session.sql("SELECT 2, 3"));
    let on = col("left.parent").eq(col("right.id"));
    let pairs = a.join(&a, on, "inner").select(["left.id", "right.parent"]);
    assert_eq!(text(pairs).await, ["1 3"]);
    let (x, y) = (a.alias("x"), a.alias("y"));
    let named = x.join(&y, col("x.parent").eq(col("y.id")), "inner").select(["x.id", "y.parent"]);
    assert_eq!(text(named).await, ["1 3"]);
}

#[tokio::test]
async fn sets() {
    let session = Session::new();
    let a = session.sql("SELECT * FROM VALUES (1), (1), (2) AS t(x)");
    let b = session.sql("SELECT * FROM VALUES (1), (3) AS t(x)");
    let sorted = |data: DataFrame| text(data.order_by(["x"]));
    assert_eq!(sorted(a.union(&b)).await, ["1", "1", "1", "2", "3"]);
    assert_eq!(sorted(a.intersect(&b)).await, ["1"]);
    assert_eq!(sorted(a.subtract(&b)).await, ["2"]);
    assert_eq!(sorted(a.except_all(&b)).await, ["1", "2"]);
    assert_eq!(sorted(a.intersect_all(&b)).await, ["1"]);
    assert_eq!(sorted(a.intersect_all(&a)).await, ["1", "1", "2"]);
    assert_eq!(sorted(a.distinct()).await, ["1", "2"]);
    let more = session.sql("SELECT 9 AS y, 8 AS x");
    assert!(a.union_by_name(&more, false).check().await.is_err());
    let both = a.union_by_name(&more, true).filter("x >= 2").order_by(["x"]);
    assert_eq!(text(both).await, ["2 NULL", "8 9"]);
    assert!(a.union(&more).check().await.is_err());
}

#[tokio::test]
async fn duplicates_drop_by_columns() {
    let one = sales().order_by(["n"]).drop_duplicates(["land"]).select(["land"]);
    assert_eq!(text(one.order_by(["land"])).await, ["be", "nl"]);
}

#[tokio::test]
async fn windows() {
    let window = Window::partition_by(["land"]).order_by([col("n").desc()]);
    let ranked = sales().with_column("rank", f::row_number().over(&window)).filter("rank = 1");
    assert_eq!(text(ranked.order_by(["land"])).await, ["be tea 5 1", "nl tea 3 1"]);
}

#[tokio::test]
async fn unpivot_makes_rows_of_columns() {
    let wide = Session::new().sql("SELECT 'a' AS k, 1 AS x, 2 AS y");
    let long = wide.unpivot(["k"], Vec::<Column>::new(), "name", "value").order_by(["name"]);
    assert_eq!(text(long).await, ["a x 1", "a y 2"]);
}

#[tokio::test]
async fn rows_of_tuples_and_missing_values() {
    let session = Session::new();
    let rows = [(1i64, "a", Some(0.5)), (2, "b", None)];
    let data = session.create_data_frame(rows).unwrap();
    assert_eq!(data.columns().await.unwrap(), ["_1", "_2", "_3"]);
    let back: Vec<(i64, String, Option<f64>)> = data.rows().await.unwrap();
    assert_eq!(back, [(1, "a".to_owned(), Some(0.5)), (2, "b".to_owned(), None)]);
    assert!(data.rows::<(i64, String, f64)>().await.is_err());
    assert_eq!(data.tail(1).await.unwrap().num_rows(), 1);
    assert!(data.filter("_1 > 5").is_empty().await.unwrap());
}

#[tokio::test]
async fn what_is_wrong_with_a_column_is_told_by_the_action() {
    let unknown = sales().select(["lnd"]).collect().await.unwrap_err();
    assert_eq!(unknown.condition(), crate::Condition::UNRESOLVED_COLUMN);
    assert_eq!(unknown.hint_text(), Some("did you mean `land`?"));
    let syntax = sales().filter("n >").collect().await.unwrap_err();
    assert_eq!(syntax.condition(), crate::Condition::PARSE_SYNTAX_ERROR);
    let routine = sales().select([f::call("uper", ["land"])]).collect().await.unwrap_err();
    assert_eq!(routine.condition(), crate::Condition::UNRESOLVED_ROUTINE);
}

#[tokio::test]
async fn cases_casts_and_predicates() {
    let size = f::when(col("n").lt(2), "small").when(col("n").lt(4), "middle").otherwise("large");
    let sizes = sales().filter(col("n").is_not_null()).order_by(["n"]).select([size.alias("s")]);
    assert_eq!(text(sizes).await, ["small", "middle", "large"]);
    let some = sales().filter(col("land").isin(["be"]) & col("what").like("t%"));
    assert_eq!(some.count().await.unwrap(), 1);
    let between =
        sales().filter(!col("n").between(2, 4)).select([col("n").cast("string").alias("n")]);
    assert_eq!(text(between.order_by(["n"])).await, ["1", "5"]);
}

#[tokio::test]
async fn missing_values_are_filled_dropped_and_replaced() {
    let data = sales().select(["what", "n"]);
    assert_eq!(text(data.na().fill(0).filter("n = 0")).await, ["rye 0"]);
    assert_eq!(data.na().fill("x").filter("n IS NULL").count().await.unwrap(), 1);
    assert_eq!(data.na().drop("any").count().await.unwrap(), 3);
    assert_eq!(data.na().drop("all").count().await.unwrap(), 4);
    assert_eq!(data.na().subset(["what"]).drop("any").count().await.unwrap(), 4);
    assert!(data.na().drop("some").check().await.is_err());
    let tea = data.na().replace([("tea", "chai")]).filter("what = 'chai'");
    assert_eq!(tea.count().await.unwrap(), 2);
}

#[tokio::test]
async fn samples_with_a_seed_do_not_depend_on_threads() {
    let session = Session::new();
    let rows = |data: DataFrame| async move { text(data.order_by(["id"])).await };
    let one = rows(session.range(0, 200).sample(0.3, Some(5))).await;
    let many = rows(session.range(0, 200).repartition(4).sample(0.3, Some(5))).await;
    assert_eq!(one, many);
    assert!((30..90).contains(&one.len()), "{}", one.len());
    let parts = session.range(0, 100).random_split(&[1.0, 1.0, 2.0], Some(1));
    let whole = parts[0].union(&parts[1]).union(&parts[2]);
    assert_eq!(whole.distinct().count().await.unwrap(), 100);
    assert!(session.range(0, 1).sample(1.5, None).check().await.is_err());
}

#[tokio::test]
async fn explode_drops_what_explode_outer_keeps() {
    let data = Session::new()
        .sql("SELECT 1 AS k, make_array(7, 8) AS list")
        .union(&Session::new().sql("SELECT 2, NULL"));
    let exploded = data.select([col("k"), f::explode("list").alias("item")]);
    assert_eq!(text(exploded.order_by(["item"])).await, ["1 7", "1 8"]);
    let outer = data.select([col("k"), f::explode_outer("list").alias("item")]);
    assert_eq!(text(outer.order_by(["item"])).await, ["2 NULL", "1 7", "1 8"]);
}

#[tokio::test]
async fn views_and_explanations() {
    let session = Session::new();
    session.range(0, 5).create_temp_view("five").await.unwrap();
    assert!(session.range(0, 5).create_temp_view("FIVE").await.is_err());
    assert_eq!(session.table("five").filter("id > 2").count().await.unwrap(), 2);
    for mode in ["simple", "extended", "formatted", "analyze"] {
        let plan = session.table("five").filter("id > 2").explain(mode).await.unwrap();
        assert!(plan.contains("Filter"), "{mode}: {plan}");
    }
    assert!(session.table("five").explain("loud").await.is_err());
}
