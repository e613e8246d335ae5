//! Workers that are killed or that stop in the middle of a query.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vonk::{Condition, Session};
use vonk_tests::{BoxError, data};

use super::workers::{self, Worker};
use super::{rows, within};

/// Groups of three quarters of the rows, and all of these groups again.
fn plain() -> Result<String, BoxError> {
    Ok(format!(
        "SELECT count(*) AS n, sum(c) AS c FROM (SELECT l_orderkey, l_linenumber, \
         count(DISTINCT l_comment) AS c FROM parquet.`{}/tpch/lineitem.parquet` GROUP BY 1, 2)",
        data::test_data()?.display()
    ))
}

/// Runs the query, has something done to a worker after a while, and gives the rows.
async fn while_it_runs(
    session: &Session,
    query: &str,
    after: Duration,
    act: impl FnOnce() -> Result<(), BoxError>,
) -> Result<Vec<Vec<String>>, BoxError> {
    let running = {
        let (session, query) = (session.clone(), query.to_owned());
        tokio::spawn(async move { session.sql(query).collect().await })
    };
    tokio::time::sleep(after).await;
    act()?;
    Ok(vonk_tests::render::rows(&running.await??)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_costs_a_run_and_no_row() {
    let query = plain().unwrap();
    let expected = rows(&Session::new(), &query).await.unwrap();
    for after in [20, 150, 400, 900] {
        let mut all = workers::start(3).unwrap();
        let session = workers::session(&all).unwrap();
        let mut last = all.pop().unwrap();
        let killed = while_it_runs(&session, &query, Duration::from_millis(after), || last.kill());
        assert_eq!(within(60, killed).await.unwrap(), expected, "killed after {after} ms");
        assert_eq!(within(60, rows(&session, &query)).await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_costs_a_run_and_no_row() {
    let query = plain().unwrap();
    let expected = rows(&Session::new(), &query).await.unwrap();
    let all = workers::start(3).unwrap();
    let session = workers::session(&all).unwrap();
    let stop = || all[1].signal("STOP");
    let stopped = while_it_runs(&session, &query, Duration::from_millis(100), stop);
    assert_eq!(within(60, stopped).await.unwrap(), expected);
    all[1].signal("CONT").unwrap();
    assert_eq!(within(60, rows(&session, &query)).await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_workers_there_is_an_error_until_they_return() {
    let query = plain().unwrap();
    let expected = rows(&Session::new(), &query).await.unwrap();
    let mut all = workers::start(2).unwrap();
    let session = workers::session(&all).unwrap();
    assert_eq!(rows(&session, &query).await.unwrap(), expected);
    let places: Vec<String> = all.iter().map(|worker| worker.place.clone()).collect();
    for worker in &mut all {
        worker.kill().unwrap();
    }
    // What the workers said a moment ago may still be believed: then the run fails first.
    let error = within(30, session.sql(&query).collect()).await.unwrap_err();
    assert_eq!(error.condition(), Condition::CLUSTER_UNREACHABLE, "{error}");
    assert!(places.iter().all(|place| error.to_string().contains(place)), "{error}");
    let _back = Worker::start_at(&places[0], &[]).unwrap();
    assert_eq!(within(60, rows(&session, &query)).await.unwrap(), expected);
}

/// What is done to a worker in the middle of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Kill,
    Freeze,
}

/// Kills and freezes at random moments, over queries of TPC-H and the plain one; prints the outcome.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo xtask soak cluster`"]
async fn soak() {
    let count = |name: &str, usual: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (kills, freezes) = (count("VONK_SOAK_KILLS", 50), count("VONK_SOAK_FREEZES", 10));
    let blows =
        std::iter::repeat_n(Blow::Kill, kills).chain(std::iter::repeat_n(Blow::Freeze, freezes));
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let (mut right, mut errors) = (0, Vec::new());
    let here = Session::new();
    super::tpch::register(&here).await.unwrap();
    let names = ["q05", "q09", "q18", "q21"];
    let read = |name: &str| {
        std::fs::read_to_string(vonk_tests::repository().join(format!("sql/tpch/{name}.sql")))
    };
    let mut queries: Vec<String> = names.iter().map(|name| read(name).unwrap()).collect();
    queries.push(plain().unwrap());
    for (number, blow) in blows.enumerate() {
        let query = &queries[number % queries.len()];
        let expected = rows(&here, query).await.unwrap();
        let mut all = workers::start(3).unwrap();
        let session = workers::session(&all).unwrap();
        super::tpch::register(&session).await.unwrap();
        let mut victim = all.swap_remove(random.random_range(0..3));
        let after = Duration::from_millis(random.random_range(0..1200));
        let strike = || match blow {
            Blow::Kill => victim.kill(),
            Blow::Freeze => victim.signal("STOP"),
        };
        let got = within(60, while_it_runs(&session, query, after, strike)).await;
        match got {
            Ok(got) if got == expected => right += 1,
            Ok(got) => panic!("{number}: wrong rows after {blow:?} at {after:?}: {got:?}\n{query}"),
            Err(error) => errors.push(format!("{number}: {blow:?} at {after:?}: {error}")),
        }
    }
    println!("{right} of {} right, {} errors", kills + freezes, errors.len());
    errors.iter().for_each(|error| println!("{error}"));
    assert!(errors.len() <= (kills + freezes) / 12, "too many errors");
}
