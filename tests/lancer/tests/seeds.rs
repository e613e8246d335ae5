//! The tester over fixed seeds: nothing wrong in a number of questions, and proof that it finds
//! what is wrong when a repair of ours is switched off.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use vonk::config;
use vonk_lancer::bench::Bench;
use vonk_lancer::{Limits, Report, oracle, setting};

/// Asks questions of sessions that all have an option off, without DuckDB.
async fn ask(seed: u64, questions: u64, off: Option<&str>) -> Report {
    let settings = setting::settings().into_iter().map(|setting| match off {
        Some(option) => setting.with(option, "false"),
        None => setting,
    });
    let mut bench = Bench::new(settings.collect(), None).unwrap();
    let limits = Limits { seed, questions, time: None, findings: 1, attempts: 100 };
    vonk_lancer::run(&mut bench, &oracle::oracles(false), &limits, &mut |_| {}).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_wrong() {
    let report = ask(1, 24, None).await;
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(report.checks() > 60, "{report:?}");
    assert!(report.refused_share() < 0.1, "{report:?}");
}

/// Without the repair the foundation's wrong answer is there, and the tester finds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_that_is_off_is_missed() {
    for (option, seed) in
        [(config::REPAIR_SUBQUERIES, 17), (config::REPAIR_AGGREGATE_FILTERS, 1008)]
    {
        let report = ask(seed, 12, Some(option)).await;
        assert_eq!(report.findings.len(), 1, "`{option}` is not missed");
        assert!(report.findings[0].contains("the parts do not make the whole"), "{report:?}");
    }
}
