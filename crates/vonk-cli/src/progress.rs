//! How far a query is: bytes and rows of its scans, as a bar on standard error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;
use vonk::datafusion::datasource::physical_plan::FileScanConfig;
use vonk::datafusion::datasource::source::DataSourceExec;
use vonk::datafusion::physical_plan::ExecutionPlan;

/// Queries that are faster show no bar.
const DELAY: Duration = Duration::from_millis(500);

/// The widths of a bar, in letters.
const BAR_MAX: usize = 30;
const BAR_MIN: usize = 5;

/// Steps of the bar: the share of the work in thousandths.
const STEPS: u64 = 1000;

/// The bar of one query, drawn once the query has taken half a second.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    is_wanted: bool,
    start: Instant,
}

impl Progress {
    pub(crate) fn new(is_wanted: bool, start: Instant) -> Self {
        Self { bar: None, is_wanted, start }
    }

    /// Draws how far the plan is.
    pub(crate) fn update(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        let elapsed = self.start.elapsed();
        if !self.is_wanted || elapsed < DELAY {
            return;
        }
        let work = Work::of(plan);
        let share = work.share();
        let bar = self.bar.get_or_insert_with(|| {
            ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr())
        });
        let message = describe(&work, elapsed);
        set_style(bar, share.is_some(), message.width());
        bar.set_position((share.unwrap_or_default() * STEPS as f64) as u64);
        bar.set_message(message);
        bar.tick();
    }

    /// Takes the bar away before results are shown.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A bar in what room the message leaves, or a wheel where nobody knows how much there is to do.
fn set_style(bar: &ProgressBar, is_share_known: bool, message: usize) {
    const PERCENT: &str = "{percent:>3} % · {msg}";
    let terminal = terminal_size::terminal_size_of(std::io::stderr());
    let width = terminal.map_or(80, |(width, _)| usize::from(width.0));
    // A space, ` 42 % · ` and a last column that stays free.
    let template = match width.saturating_sub(message + 10).min(BAR_MAX) {
        _ if !is_share_known => "{spinner} {msg}".to_owned(),
        0..BAR_MIN => PERCENT.to_owned(),
        room => format!("{{bar:{room}}} {PERCENT}"),
    };
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
}

fn describe(work: &Work, elapsed: Duration) -> String {
    let mut parts = Vec::new();
    let share = work.share();
    if let Some(share) = share {
        let done = (share * work.bytes_total as f64) as u64;
        parts.push(format!("{} of {}", size(done), size(work.bytes_total)));
    }
    if let Some(stage) = &work.stage {
        parts.push(format!("{} {} rows", stage.verb, count(stage.rows)));
    }
    parts.push(seconds(elapsed));
    if let Some(share) = share.filter(|share| (0.01..1.0).contains(share)) {
        let left = elapsed.mul_f64((1.0 - share) / share);
        parts.push(format!("{} left", seconds(left)));
    }
    parts.join(" · ")
}

/// The bytes that a finished plan has read from files.
pub(crate) fn bytes_read(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let mut scans = Vec::new();
    collect_scans(plan, &mut scans);
    // What is looked at beyond the border of a range is read, but no part of the files twice.
    let read = |scan: &Scan| scan.bytes_scanned.unwrap_or(scan.bytes_total).min(scan.bytes_total);
    scans.iter().map(read).sum()
}

/// What a plan has to do, and has done.
struct Work {
    bytes_total: u64,
    scans: Vec<Scan>,
    stage: Option<Stage>,
}

/// The operator that rows have come to: a join, a sort or an aggregation.
struct Stage {
    verb: &'static str,
    rows: u64,
}

/// What operators do that see many rows before they give any, by a part of their names.
const VERBS: [(&str, &str); 4] =
    [("Join", "joining"), ("Sort", "sorting"), ("Aggregate", "grouping"), ("Window", "ranking")];

/// One scan of files.
struct Scan {
    bytes_total: u64,
    /// Counted by formats that read parts of a file only.
    bytes_scanned: Option<u64>,
    rows_total: Option<u64>,
    rows_done: u64,
}

impl Scan {
    /// Rows tell best how far a scan is, since not all bytes of a columnar file are read.
    fn share(&self) -> Option<f64> {
        let ratio =
            |done: u64, total: u64| if total == 0 { 1.0 } else { done as f64 / total as f64 };
        match (self.rows_total, self.bytes_scanned) {
            (Some(rows), _) => Some(ratio(self.rows_done, rows).min(1.0)),
            (None, Some(bytes)) => Some(ratio(bytes, self.bytes_total).min(1.0)),
            // A scan that has not begun, such as that of a join's other side.
            (None, None) if self.rows_done == 0 => Some(0.0),
            (None, None) => None,
        }
    }
}

impl Work {
    fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut scans = Vec::new();
        collect_scans(plan, &mut scans);
        let bytes_total = scans.iter().map(|scan| scan.bytes_total).sum();
        Self { bytes_total, scans, stage: stage_of(plan) }
    }

    /// The share of the files that is read, each of which weighs as much as it has bytes; `None` if
    /// there are none, or if one does not tell.
    fn share(&self) -> Option<f64> {
        if self.bytes_total == 0 {
            return None;
        }
        let weighed = |scan: &Scan| Some(scan.share()? * scan.bytes_total as f64);
        Some(self.scans.iter().map(weighed).sum::<Option<f64>>()? / self.bytes_total as f64)
    }
}

/// The operator nearest to the result that rows have come to.
fn stage_of(plan: &Arc<dyn ExecutionPlan>) -> Option<Stage> {
    let output = |plan: &Arc<dyn ExecutionPlan>| {
        let metrics = plan.metrics().unwrap_or_default();
        metrics.output_rows().unwrap_or(0) as u64
    };
    let children = plan.children();
    if let Some((_, verb)) = VERBS.iter().find(|(part, _)| plan.name().contains(part)) {
        let input: u64 = children.iter().map(|child| output(child)).sum();
        let rows = input.max(output(plan));
        if rows > 0 {
            return Some(Stage { verb, rows });
        }
    }
    children.into_iter().find_map(stage_of)
}

fn collect_scans(plan: &Arc<dyn ExecutionPlan>, scans: &mut Vec<Scan>) {
    for child in plan.children() {
        collect_scans(child, scans);
    }
    if let Some(source) = plan.downcast_ref::<DataSourceExec>()
        && let Some(files) = source.data_source().downcast_ref::<FileScanConfig>()
    {
        scans.push(scan_of(plan, files));
    }
}

fn scan_of(plan: &Arc<dyn ExecutionPlan>, files: &FileScanConfig) -> Scan {
    let all = files.file_groups.iter().flat_map(|group| group.iter());
    let bytes = all.map(|file| match &file.range {
        Some(range) => u64::try_from(range.end - range.start).unwrap_or(0),
        None => file.object_meta.size,
    });
    let metrics = plan.metrics().unwrap_or_default();
    let scanned = metrics.sum_by_name("bytes_scanned").map(|value| value.as_usize() as u64);
    let statistics = files.statistics();
    Scan {
        bytes_total: bytes.sum(),
        bytes_scanned: scanned,
        rows_total: statistics.num_rows.get_value().map(|rows| *rows as u64),
        rows_done: metrics.output_rows().unwrap_or(0) as u64,
    }
}

/// Rows in the unit that reads best: 12.3 M.
fn count(rows: u64) -> String {
    match rows {
        0..10_000 => rows.to_string(),
        10_000..1_000_000 => format!("{} k", rows / 1000),
        1_000_000..1_000_000_000 => format!("{:.1} M", rows as f64 / 1e6),
        _ => format!("{:.1} G", rows as f64 / 1e9),
    }
}

/// Bytes in the unit that reads best: 9.0 MB.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A time in the unit that reads best: 0.12 s, 2 min 5 s.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(9_000_000), "9.0 MB");
        assert_eq!(size(999_999_999), "1.0 GB");
        assert_eq!(seconds(Duration::from_millis(120)), "0.12 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn scans_weigh_by_their_bytes() {
        let scan = |bytes_total, rows_done| Scan {
            bytes_total,
            bytes_scanned: None,
            rows_total: Some(100),
            rows_done,
        };
        let work = |scans| Work { bytes_total: 400, scans, stage: None };
        let share = work(vec![scan(300, 50), scan(100, 100)]).share().unwrap();
        assert!((share - 0.625).abs() < 1e-9);
        let silent = |rows_done| Scan { rows_total: None, ..scan(100, rows_done) };
        assert_eq!(work(vec![scan(300, 50), silent(1)]).share(), None);
        assert_eq!(work(vec![scan(300, 0), silent(0)]).share(), Some(0.0));
        let none = Work { bytes_total: 0, scans: vec![], stage: None };
        assert_eq!(none.share(), None);
    }

    #[test]
    fn the_stage_is_told_beside_the_bytes() {
        let stage = Some(Stage { verb: "sorting", rows: 12_300_000 });
        let scan =
            Scan { bytes_total: 400, bytes_scanned: Some(100), rows_total: None, rows_done: 0 };
        let work = Work { bytes_total: 400, scans: vec![scan], stage };
        let text = describe(&work, Duration::from_secs(2));
        assert_eq!(text, "100 B of 400 B · sorting 12.3 M rows · 2.00 s · 6.00 s left");
    }
}
