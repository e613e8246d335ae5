//! The DataFrame API name by name, on data small enough to know the answers by hand.

use std::fs;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use vonk::functions as f;
use vonk::prelude::*;
use vonk::{Condition, StorageLevel, Window};

/// Four sales; one has no amount.
fn sales() -> DataFrame {
    let values = "('nl', 'tea', 3), ('nl', 'rye', 1), ('be', 'tea', 5), ('be', 'rye', NULL)";
    Session::new().sql(format!("SELECT * FROM VALUES {values} AS t(land, what, n)"))
}

fn numbers(values: &[i64]) -> DataFrame {
    let rows: Vec<(i64,)> = values.iter().map(|value| (*value,)).collect();
    Session::new().create_data_frame(rows).unwrap().to_df(["x"])
}

/// The rows as PySpark writes them, without `Row`.
async fn texts(data: DataFrame) -> Vec<String> {
    let rows = data.collect_rows().await.unwrap();
    rows.iter().map(|row| row.to_string().trim_start_matches("Row").to_owned()).collect()
}

async fn whole(data: DataFrame) -> Vec<i64> {
    data.rows().await.unwrap()
}

#[tokio::test]
async fn select_and_select_expr() {
    let picked = sales().select([col("what"), (col("n") + 1).alias("m")]).filter("m = 4");
    assert_eq!(texts(picked).await, ["(what='tea', m=4)"]);
    let computed = sales().select_expr(["n * 2 AS m"]).filter("m = 10");
    assert_eq!(whole(computed).await, [10]);
    assert_eq!(sales().select(["*"]).columns().await.unwrap(), ["land", "what", "n"]);
}

#[tokio::test]
async fn with_column_and_its_kin() {
    let data = numbers(&[2]).with_column("y", col("x") + 1).with_columns([("z", lit(7))]);
    let data = data.with_column("x", col("x") * 10);
    assert_eq!(texts(data.clone()).await, ["(x=20, y=3, z=7)"]);
    let renamed = data.with_column_renamed("y", "why").with_columns_renamed([("z", "zed")]);
    assert_eq!(renamed.columns().await.unwrap(), ["x", "why", "zed"]);
    assert_eq!(renamed.drop(["why", "zed"]).columns().await.unwrap(), ["x"]);
}

#[tokio::test]
async fn filter_is_where() {
    assert_eq!(whole(numbers(&[1, 2, 3]).filter(col("x").gt(1)).order_by(["x"])).await, [2, 3]);
    assert_eq!(whole(numbers(&[1, 2, 3]).where_("x < 2")).await, [1]);
}

#[tokio::test]
async fn group_by_with_agg() {
    let figures = sales().group_by(["land"]).agg([
        f::sum("n").alias("sum"),
        f::count("*").alias("rows"),
        f::count("n").alias("amounts"),
        f::max("what").alias("last"),
    ]);
    let expected = [
        "(land='be', sum=5, rows=2, amounts=1, last='tea')",
        "(land='nl', sum=4, rows=2, amounts=2, last='tea')",
    ];
    assert_eq!(texts(figures.order_by(["land"])).await, expected);
}

#[tokio::test]
async fn shortcuts_of_groups() {
    let by_land = || sales().group_by(["land"]);
    let first = |data: DataFrame| async move { texts(data.order_by(["land"])).await.remove(1) };
    assert_eq!(first(by_land().min(["n"])).await, "(land='nl', min(n)=1)");
    assert_eq!(first(by_land().max(["n"])).await, "(land='nl', max(n)=3)");
    assert_eq!(first(by_land().avg(["n"])).await, "(land='nl', avg(n)=2.0)");
    assert_eq!(first(by_land().mean(["n"])).await, "(land='nl', avg(n)=2.0)");
    assert_eq!(first(by_land().count()).await, "(land='nl', count=2)");
}

#[tokio::test]
async fn pivot_with_values_and_without() {
    let given = sales().group_by(["land"]).pivot("what", ["tea", "rye"]).sum(["n"]);
    let expected = ["(land='be', tea=5, rye=None)", "(land='nl', tea=3, rye=1)"];
    assert_eq!(texts(given.order_by(["land"])).await, expected);
    let found = sales().group_by(["land"]).pivot::<&str>("what", []).sum(["n"]);
    let expected = ["(land='be', rye=None, tea=5)", "(land='nl', rye=1, tea=3)"];
    assert_eq!(texts(found.order_by(["land"])).await, expected);
}

#[tokio::test]
async fn a_pivot_without_rows_is_null_also_for_counts() {
    let values = "('a', 1), ('a', 1), ('b', 2), ('b', NULL)";
    let data = Session::new().sql(format!("SELECT * FROM VALUES {values} AS t(k, v)"));
    let table = data.group_by(["k"]).pivot::<i64>("v", []).count().order_by(["k"]);
    assert_eq!(table.columns().await.unwrap(), ["k", "null", "1", "2"]);
    let rows: Vec<(String, Option<i64>, Option<i64>, Option<i64>)> = table.rows().await.unwrap();
    assert_eq!(rows[0], ("a".to_owned(), None, Some(2), None));
    assert_eq!(rows[1], ("b".to_owned(), Some(1), None, Some(1)));
}

#[tokio::test]
async fn rollup_and_cube() {
    // Four sales, two lands, two goods, one total.
    assert_eq!(sales().rollup(["land", "what"]).count().count().await.unwrap(), 4 + 2 + 1);
    assert_eq!(sales().cube(["land", "what"]).count().count().await.unwrap(), 4 + 2 + 2 + 1);
    let total = sales().rollup(["land"]).sum(["n"]).filter("land IS NULL").select(["sum(n)"]);
    assert_eq!(whole(total).await, [9]);
}

#[tokio::test]
async fn joins_of_all_kinds() {
    let session = Session::new();
    let left = session.sql("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS l(id, x)");
    let right = session.sql("SELECT * FROM VALUES (2, 'c'), (3, 'd') AS r(id, y)");
    for (how, expected) in [
        ("inner", vec!["(id=2, x='b', y='c')"]),
        ("left", vec!["(id=1, x='a', y=None)", "(id=2, x='b', y='c')"]),
        ("right", vec!["(id=2, x='b', y='c')", "(id=3, x=None, y='d')"]),
        ("outer", vec!["(id=1, x='a', y=None)", "(id=2, x='b', y='c')", "(id=3, x=None, y='d')"]),
        ("left_semi", vec!["(id=2, x='b')"]),
        ("left_anti", vec!["(id=1, x='a')"]),
    ] {
        let joined = left.join(&right, "id", how).order_by(["id"]);
        assert_eq!(texts(joined).await, expected, "{how}");
    }
    assert_eq!(left.cross_join(&right).count().await.unwrap(), 4);
    let (l, r) = (left.alias("l"), right.alias("r"));
    let below = l.join(&r, col("l.id").lt(col("r.id")), "inner");
    assert_eq!(below.count().await.unwrap(), 3);
}

#[tokio::test]
async fn set_operations() {
    let session = Session::new();
    let data = |values: &str| session.sql(format!("SELECT * FROM VALUES {values} AS t(x)"));
    let (a, b) = (data("(1), (1), (2)"), data("(1), (3)"));
    let sorted = |data: DataFrame| whole(data.order_by(["x"]));
    assert_eq!(sorted(a.union(&b)).await, [1, 1, 1, 2, 3]);
    assert_eq!(sorted(a.union_all(&b)).await, [1, 1, 1, 2, 3]);
    assert_eq!(sorted(a.intersect(&b)).await, [1]);
    assert_eq!(sorted(a.except(&b)).await, [2]);
    assert_eq!(sorted(a.subtract(&b)).await, [2]);
    assert_eq!(sorted(a.except_all(&b)).await, [1, 2]);
    assert_eq!(sorted(a.intersect_all(&a)).await, [1, 1, 2]);
    let swapped = session.sql("SELECT 2 AS y, 1 AS x");
    let named = session.sql("SELECT 3 AS x, 4 AS y").union_by_name(&swapped, false);
    assert_eq!(texts(named.order_by(["x"])).await, ["(x=1, y=2)", "(x=3, y=4)"]);
}

#[tokio::test]
async fn distinct_and_drop_duplicates() {
    assert_eq!(whole(numbers(&[2, 1, 2]).distinct().order_by(["x"])).await, [1, 2]);
    assert_eq!(sales().drop_duplicates(["what"]).count().await.unwrap(), 2);
    assert_eq!(sales().drop_duplicates::<&str>([]).count().await.unwrap(), 4);
}

#[tokio::test]
async fn order_limit_and_offset() {
    let sorted = numbers(&[3, 1, 2]).order_by([col("x").desc()]);
    assert_eq!(whole(sorted.clone()).await, [3, 2, 1]);
    assert_eq!(whole(sorted.limit(2)).await, [3, 2]);
    assert_eq!(whole(sorted.offset(1).limit(1)).await, [2]);
    assert_eq!(whole(numbers(&[3, 1, 2]).sort(["x"])).await, [1, 2, 3]);
}

#[tokio::test]
async fn samples_and_splits() {
    let data = Session::new().range(0, 1000);
    assert_eq!(data.sample(1.0, Some(1)).count().await.unwrap(), 1000);
    assert_eq!(data.sample(0.0, Some(1)).count().await.unwrap(), 0);
    let parts = data.random_split(&[1.0, 1.0], Some(1));
    let (a, b) = (parts[0].count().await.unwrap(), parts[1].count().await.unwrap());
    assert_eq!(a + b, 1000);
    assert!((400..600).contains(&a), "{a}");
    assert_eq!(parts[0].intersect(&parts[1]).count().await.unwrap(), 0);
}

#[tokio::test]
async fn windows() {
    let by_land = Window::partition_by(["land"]).order_by(["n"]);
    let ranked = sales()
        .filter("n IS NOT NULL")
        .with_column("rank", f::row_number().over(&by_land))
        .with_column("before", f::lag("n", 1).over(&by_land))
        .with_column("running", f::sum("n").over(&by_land))
        .filter("land = 'nl'")
        .select(["n", "rank", "before", "running"])
        .order_by(["n"]);
    let expected = ["(n=1, rank=1, before=None, running=1)", "(n=3, rank=2, before=1, running=4)"];
    assert_eq!(texts(ranked).await, expected);
}

#[tokio::test]
async fn missing_values() {
    let n = |data: DataFrame| whole(data.filter("what = 'rye' AND land = 'be'").select(["n"]));
    assert_eq!(n(sales().na().fill(0)).await, [0]);
    assert_eq!(sales().na().drop("any").count().await.unwrap(), 3);
    assert_eq!(sales().na().drop("all").count().await.unwrap(), 4);
    let replaced = sales().na().subset(["what"]).replace([("rye", "oat")]);
    assert_eq!(replaced.filter("what = 'oat'").count().await.unwrap(), 2);
}

#[tokio::test]
async fn describe_and_summary() {
    let rows: Vec<(String, String)> = numbers(&[1, 2, 3]).describe(["x"]).rows().await.unwrap();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let expected = [("count", "3"), ("mean", "2.0"), ("stddev", "1.0"), ("min", "1"), ("max", "3")];
    assert_eq!(rows, expected);
    assert_eq!(numbers(&[1, 2, 3]).summary().count().await.unwrap(), 8);
}

#[tokio::test]
async fn crosstab_and_frequent_items() {
    let table = sales().crosstab("land", "n").await.unwrap().order_by(["land_n"]);
    assert_eq!(table.columns().await.unwrap(), ["land_n", "1", "3", "5", "null"]);
    assert_eq!(texts(table).await[0], "(land_n='be', 1=0, 3=0, 5=1, null=1)");
    let frequent = numbers(&[1, 1, 1, 2]).freq_items(["x"], 0.5);
    assert_eq!(texts(frequent).await, ["(x_freqItems=[1])"]);
    let both = sales().freq_items(["land", "n"], 0.5);
    assert_eq!(both.columns().await.unwrap(), ["land_freqItems", "n_freqItems"]);
    assert_eq!(both.count().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_as_many_as_asked() {
    let data = Session::new().range(0, 100);
    let parts = |data: DataFrame| async move { data.rdd().num_partitions().await.unwrap() };
    assert_eq!(parts(data.repartition(7)).await, 7);
    assert_eq!(parts(data.repartition(7).coalesce(3)).await, 3);
    assert_eq!(parts(data.coalesce(1)).await, 1);
    assert_eq!(parts(data.hint("repartition", Some(4))).await, 4);
    assert_eq!(whole(data.repartition(7).coalesce(1).order_by(["id"])).await.len(), 100);
    let by_key = data.repartition_by(4, [(col("id") % 4).alias("k")]);
    for part in by_key.rdd_of::<i64>().glom().collect().await.unwrap() {
        for key in 0..4 {
            let here = part.iter().filter(|id| **id % 4 == key).count();
            assert!(here == 0 || here == 25, "{here} rows of key {key} in one partition");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_are_spread_evenly() {
    let parts = Session::new().range(0, 10).repartition(4).rdd_of::<i64>().glom();
    let parts = parts.collect().await.unwrap();
    let mut lengths: Vec<usize> = parts.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [2, 2, 3, 3]);
    let mut rows = parts.concat();
    rows.sort_unstable();
    assert_eq!(rows, (0..10).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn sort_within_partitions_keeps_the_partitions() {
    let data = Session::new().range(0, 100).repartition(3);
    let sorted = data.sort_within_partitions([col("id").desc()]);
    let parts = sorted.rdd_of::<i64>().glom().collect().await.unwrap();
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| part.is_sorted_by(|a, b| a > b)));
    assert_eq!(parts.concat().iter().sum::<i64>(), 4950);
    // What comes after sees the columns by their names.
    assert_eq!(sorted.filter("id = 42").count().await.unwrap(), 1);
    assert!(data.sort_within_partitions::<&str>([]).check().await.is_err());
}

#[tokio::test]
async fn cached_rows_stay_the_same() {
    for level in [StorageLevel::MemoryAndDisk, StorageLevel::MemoryOnly, StorageLevel::DiskOnly] {
        let data = Session::new().range(0, 10).select_expr(["random() AS x"]).persist(level);
        let first: Vec<f64> = data.rows().await.unwrap();
        assert_eq!(data.rows::<f64>().await.unwrap(), first, "{level:?}");
        data.unpersist();
        assert_ne!(data.rows::<f64>().await.unwrap(), first, "{level:?}");
    }
}

#[tokio::test]
async fn views_have_names() {
    let session = Session::new();
    session.range(0, 3).create_or_replace_temp_view("three").await.unwrap();
    assert_eq!(session.table("three").count().await.unwrap(), 3);
    assert_eq!(session.sql("SELECT max(id) FROM three").rows::<i64>().await.unwrap(), [2]);
    assert!(session.range(0, 1).create_temp_view("three").await.is_err());
}

#[tokio::test]
async fn explain_schema_and_show() {
    let data = numbers(&[7]);
    assert!(data.explain("extended").await.unwrap().contains("Physical Plan"));
    assert_eq!(data.schema().await.unwrap().field(0).name(), "x");
    assert!(data.schema_string().await.unwrap().contains(" |-- x: long"));
    assert_eq!(data.dtypes().await.unwrap(), [("x".to_owned(), "bigint".to_owned())]);
    let shown = data.show_string(20, Some(20)).await.unwrap();
    assert_eq!(shown, "+---+\n|  x|\n+---+\n|  7|\n+---+\n");
}

#[tokio::test]
async fn actions() {
    let data = numbers(&[1, 2, 3]).order_by(["x"]);
    assert_eq!(data.count().await.unwrap(), 3);
    assert_eq!(data.first::<i64>().await.unwrap(), Some(1));
    assert_eq!(data.take::<i64>(2).await.unwrap(), [1, 2]);
    assert_eq!(data.head(1).await.unwrap().num_rows(), 1);
    assert_eq!(data.tail(2).await.unwrap().num_rows(), 2);
    assert_eq!(data.to_arrow().await.unwrap().num_rows(), 3);
    let batches: Vec<_> = data.stream().await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3);
    assert!(!data.is_empty().await.unwrap());
    assert!(data.filter("x > 3").is_empty().await.unwrap());
    assert_eq!(data.transform(|data| data.limit(1)).count().await.unwrap(), 1);
}

#[tokio::test]
async fn rows_of_every_type() {
    let row = Session::new().sql(
        "SELECT 1 AS i, 'x' AS s, true AS b, CAST(1.5 AS DOUBLE) AS d, DATE '2024-02-29' AS day, \
         CAST('12.50' AS DECIMAL(5,2)) AS m, array(1, 2) AS l, named_struct('a', 1, 'b', 'y') AS t, \
         NULL AS nothing",
    );
    let row = row.collect_rows().await.unwrap().remove(0);
    assert_eq!((row.get::<i8>("i").unwrap(), row.get::<i64>(0).unwrap()), (1, 1));
    assert_eq!(row.get::<String>("s").unwrap(), "x");
    assert!(row.get::<bool>("b").unwrap());
    assert!((row.get::<f64>("d").unwrap() - 1.5).abs() < f64::EPSILON);
    assert_eq!(row.get::<String>("day").unwrap(), "2024-02-29");
    // 2024 begins 19,723 days after 1970; January and 28 days are 59 more.
    assert_eq!(row.get::<i32>("day").unwrap(), 19_723 + 59);
    assert!((row.get::<f64>("m").unwrap() - 12.5).abs() < f64::EPSILON);
    assert_eq!(row.get::<Vec<i64>>("l").unwrap(), [1, 2]);
    assert_eq!(row.get::<(i64, String)>("t").unwrap(), (1, "y".to_owned()));
    assert_eq!(row.get::<Option<i64>>("nothing").unwrap(), None);
    assert!(row.is_null("nothing").unwrap());
    let error = row.get::<i64>("s").unwrap_err();
    assert_eq!(error.condition(), Condition::CAST_INVALID_INPUT);
    assert!(error.to_string().contains("column `s`"), "{error}");
}

#[tokio::test]
async fn read_and_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let session = Session::new();
    let data = sales().na().drop("any");
    data.write().mode("error").format("parquet").save(&path("p")).await.unwrap();
    assert_eq!(session.read().parquet(path("p")).count().await.unwrap(), 3);
    assert!(data.write().parquet(&path("p")).await.is_err());
    data.write().mode("ignore").parquet(&path("p")).await.unwrap();
    data.write().mode("append").parquet(&path("p")).await.unwrap();
    assert_eq!(session.read().format("parquet").load(path("p")).count().await.unwrap(), 6);
    data.write().mode("overwrite").parquet(&path("p")).await.unwrap();
    assert_eq!(session.read().parquet(path("p")).count().await.unwrap(), 3);
    data.write().partition_by(["land"]).option("header", true).csv(&path("c")).await.unwrap();
    let back = session.read().option("header", true).csv(path("c"));
    assert_eq!(back.filter("land = 'nl'").count().await.unwrap(), 2);
    fs::write(folder.path().join("a.txt"), "one\ntwo\n").unwrap();
    assert_eq!(session.read().text(path("a.txt")).columns().await.unwrap(), ["value"]);
}

#[tokio::test]
async fn json_rows() {
    let json = sales().filter("what = 'rye'").order_by(["land"]).to_json().collect().await;
    let expected = [r#"{"land":"be","what":"rye"}"#, r#"{"land":"nl","what":"rye","n":1}"#];
    assert_eq!(json.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_is_dropped_ends() {
    let session = Session::builder().master("local[2]").get_or_create().unwrap();
    let endless = session.range(0, i64::MAX).filter("id % 7 = 3 AND id < 0");
    let started = Instant::now();
    let timeout = Duration::from_millis(300);
    assert!(tokio::time::timeout(timeout, endless.count()).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

/// The blocking API may be called where an async program runs, and where none does.
async fn blocking_everything() {
    use vonk::blocking;
    let session = blocking::Session::new();
    assert_eq!(session.range(0, 3).count().unwrap(), 3);
    let sums = session.sql("SELECT 1 AS k, 2 AS v").group_by(["k"]).sum(["v"]);
    assert_eq!(sums.rows::<(i64, i64)>().unwrap(), [(1, 2)]);
    let words = session.context().parallelize(["a", "b", "a"].map(str::to_owned));
    let counts = words.map(|word| (word, 1)).reduce_by_key(|a, b| a + b).to_df(["word", "n"]);
    let counts = counts.order_by(["word"]).rows::<(String, i64)>().unwrap();
    assert_eq!(counts, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.csv").display().to_string();
    session.range(0, 5).write().csv(&path).unwrap();
    assert_eq!(session.read().csv(path.as_str()).count().unwrap(), 5);
    assert_eq!(session.range(0, 4).rdd_of::<i64>().sum().unwrap(), 6);
}

#[tokio::test]
async fn blocking_inside_a_runtime_of_one_thread() {
    blocking_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_inside_a_runtime_of_many_threads() {
    blocking_everything().await;
}

#[test]
fn blocking_without_a_runtime() {
    assert_eq!(vonk::blocking::Session::new().context().range(0, 4).sum().unwrap(), 6);
}
