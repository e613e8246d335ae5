//! The repairs of DataFusion's wrong answers: each is right, and still needed.
//!
//! A repair whose query gives the right rows without it can go, with its option and its row here.

use vonk::{Session, config};
use vonk_tests::render;

/// A repair and a query that shows it.
struct Repair {
    /// The option that switches it off.
    option: &'static str,
    /// Statements that make the tables; `$TMP` is a folder.
    setup: &'static [&'static str],
    query: &'static str,
    /// The rows, which are right by the meaning of SQL.
    right: &'static [&'static str],
}

const L: &str =
    "CREATE TEMP VIEW l AS SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'n')) AS t(k, v)";
const R: &str = "CREATE TEMP VIEW r AS SELECT * FROM (VALUES (1, 'c'), (3, 'c')) AS t(k, v)";

const REPAIRS: &[Repair] = &[
    Repair {
        option: config::REPAIR_AGGREGATE_FILTERS,
        setup: &[L],
        query: "SELECT k FROM (SELECT 3 AS k FROM (SELECT count(*) FROM l)) AS q WHERE k = 4",
        right: &[],
    },
    Repair {
        option: config::REPAIR_AGGREGATE_STATISTICS,
        setup: &[L],
        query: "SELECT count(*) FILTER (WHERE n > 5) AS c FROM (SELECT count(*) AS n FROM l) AS q",
        right: &["0"],
    },
    Repair {
        option: config::REPAIR_COMPARED_CONSTANTS,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (0D), (1D)) AS v(x)"],
        query: "SELECT x FROM t WHERE x = 0.0D AND x = -0.0D",
        right: &["0.0"],
    },
    Repair {
        option: config::REPAIR_CONDITIONS,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (6, 2), (1, 0), (8, 2)) AS v(a, b)"],
        query: "SELECT a FROM t WHERE b <> 0 AND a / b > 2",
        right: &["6", "8"],
    },
    Repair {
        option: config::REPAIR_EQUIVALENCES,
        setup: &[L, R],
        query: "SELECT l.k lk, q.v qv, row_number() OVER (ORDER BY q.v, l.k DESC) n FROM l \
                LEFT JOIN (SELECT * FROM r WHERE v = 'c') q ON l.k = q.k",
        right: &["1 c 3", "2 NULL 1", "NULL NULL 2"],
    },
    Repair {
        option: config::REPAIR_EXTREMES,
        setup: &[
            "COPY (SELECT id AS a, id AS b FROM range(300000)) TO '$TMP/extremes.parquet'",
            "CREATE TEMP VIEW t AS SELECT * FROM '$TMP/extremes.parquet'",
        ],
        query: "SELECT min(a), max(b + 1) FROM t",
        right: &["0 300000"],
    },
    Repair {
        option: config::REPAIR_FILTER_PUSHDOWN,
        setup: &[L, R],
        query: "SELECT l.k lk, r.k rk, r.v rv FROM l RIGHT JOIN r ON l.k = r.k \
                WHERE CASE WHEN l.v IS NULL THEN r.v = 'c' ELSE r.v = 'zzz' END",
        right: &["NULL 3 c"],
    },
    Repair {
        option: config::REPAIR_FLOAT_BOUNDS,
        setup: &[
            "COPY (SELECT CAST('NaN' AS DOUBLE) AS x UNION ALL SELECT CAST(5 AS DOUBLE)) \
             TO '$TMP/nan.parquet'",
            "CREATE TEMP VIEW n AS SELECT * FROM '$TMP/nan.parquet'",
        ],
        query: "SELECT max(x) FROM n",
        right: &["NaN"],
    },
    Repair {
        option: config::REPAIR_IN_LIST,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (0), (1)) AS v(a)"],
        query: "SELECT a FROM t WHERE a NOT IN (a, 0, 2) AND a IN (abs(a), a, -5)",
        right: &[],
    },
    Repair {
        option: config::REPAIR_IN_LIST,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (0.0D), (-0.0D), (1.0D)) AS v(a)"],
        query: "SELECT a = 0 AS z, a = 1D OR a = 2D OR a = 3D OR a = -0.0D OR a = 7D AS o FROM t \
                WHERE a IN (5D, 6D, 7D, 0.0D)",
        right: &["true true", "true true"],
    },
    Repair {
        option: config::REPAIR_JOIN_NULLS,
        setup: &[L, R],
        query: "SELECT a.k ak, b.k bk, c.k ck FROM l a JOIN l b ON a.k <=> b.k JOIN r c ON c.k = 1",
        right: &["1 1 1", "2 2 1", "NULL NULL 1"],
    },
    Repair {
        option: config::REPAIR_PLANS,
        setup: &[
            "COPY (SELECT 1 AS c0, 2 AS c1, 3 AS c2, 4 AS c3 WHERE false) TO '$TMP/nothing.parquet'",
        ],
        query: "SELECT r.c3, CASE WHEN 0 < l.c1 THEN m.c0 ELSE 6 END, l.c2
                FROM '$TMP/nothing.parquet' AS l
                CROSS JOIN (SELECT 5 AS c0 FROM '$TMP/nothing.parquet' AS k) AS m
                LEFT JOIN '$TMP/nothing.parquet' AS r ON true WHERE r.c2 IS NULL",
        right: &[],
    },
    Repair {
        option: config::REPAIR_PROJECTIONS,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (0)) AS v(a)"],
        query: "SELECT a + 1 AS a FROM (SELECT a + 1 AS a FROM (SELECT a + 1 AS a FROM t))",
        right: &["3"],
    },
    Repair {
        option: config::REPAIR_SUBQUERIES,
        setup: &[L, R],
        query: "SELECT k FROM r WHERE k NOT IN (SELECT k FROM l) OR v = 'z'",
        right: &[],
    },
    Repair {
        option: config::REPAIR_UNIQUE_KEYS,
        setup: &["CREATE TEMP VIEW t AS SELECT * FROM (VALUES (1), (1)) AS v(a)"],
        query: "SELECT DISTINCT a FROM (SELECT one.a, z FROM (SELECT DISTINCT a FROM t) AS one \
                CROSS JOIN (VALUES (1), (2)) AS v(z) GROUP BY one.a, z)",
        right: &["1"],
    },
];

/// The rows, or the error, of a repair's query with the repair on or off.
async fn answer(repair: &Repair, on: bool) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let session = Session::builder()
        .master("local[2]")
        .config(config::WAREHOUSE, format!("{path}/warehouse"))
        // A second plan would be right where the first one, without the repair, is refused.
        .config(config::REPAIR_PLANS, on.to_string())
        .config(repair.option, on.to_string())
        .get_or_create()
        .unwrap();
    for statement in repair.setup {
        session.sql(statement.replace("$TMP", &path)).collect().await.unwrap();
    }
    let batches = session
        .sql(repair.query.replace("$TMP", &path))
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    let mut rows: Vec<String> =
        render::rows(&batches).unwrap().iter().map(|row| row.join(" ")).collect();
    rows.sort();
    Ok(rows)
}

#[tokio::test]
async fn every_repair_is_right_and_still_needed() {
    for repair in REPAIRS {
        let right: Vec<String> = repair.right.iter().map(|&row| row.to_owned()).collect();
        assert_eq!(answer(repair, true).await.unwrap(), right, "{}", repair.option);
        let without = answer(repair, false).await;
        assert_ne!(without, Ok(right), "DataFusion is right by itself: `{}` can go", repair.option);
    }
}

#[test]
fn every_repair_has_a_query() {
    let options = config::OPTIONS.iter().map(|row| row.name);
    let repairs: Vec<_> = options.filter(|name| name.starts_with("vonk.repair.")).collect();
    let mut shown: Vec<_> = REPAIRS.iter().map(|repair| repair.option).collect();
    shown.dedup();
    assert_eq!(repairs, shown);
}
