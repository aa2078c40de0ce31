//! EXPLAIN ANALYZE: the query runs as it would, and its answer is the plan with what each stage did. Its rows are written and never read.

use crate::engine::{Columns, Pages, RowBatches, RunningQuery, StageProgress, State, Status};
use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use mayfly_cost::Bill;
use mayfly_plan::Fragment;
use mayfly_plan::quantity::size;
use mayfly_protocol::PicoDollars;
use mayfly_schedule::Skew;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A running query of which the plan is asked and not the rows.
pub(crate) struct Analyzed {
    query: Arc<dyn RunningQuery>,
    /// The result first.
    fragments: Vec<Fragment>,
    /// Fixed when it was first asked for: late bills change the total, and pages must not differ.
    text: OnceLock<String>,
}

impl Analyzed {
    pub(crate) fn new(query: Arc<dyn RunningQuery>, fragments: Vec<Fragment>) -> Analyzed {
        Analyzed {
            query,
            fragments,
            text: OnceLock::new(),
        }
    }

    pub(crate) fn columns() -> Columns {
        let column = Field::new("Query Plan", DataType::Utf8, false);
        Columns::of(Arc::new(Schema::new(vec![column])))
    }
}

#[async_trait]
impl RunningQuery for Analyzed {
    fn status(&self) -> Status {
        self.query.status()
    }

    async fn ended(&self, timeout: Duration) -> Status {
        self.query.ended(timeout).await
    }

    fn cancel(&self) {
        self.query.cancel();
    }

    fn release(&self) {
        self.query.release();
    }

    fn rows(&self) -> Option<Arc<dyn Pages>> {
        let status = self.query.status();
        if status.state != State::Finished {
            return None;
        }
        let text = self.text.get_or_init(|| analyzed(&self.fragments, &status));
        // What the query itself yielded nobody will read.
        self.query.release();
        let column = Arc::new(StringArray::from(vec![text.as_str()]));
        let batch = RecordBatch::try_new(Analyzed::columns().schema, vec![column]).expect("one column of text");
        Some(Arc::new(RowBatches(vec![batch])))
    }
}

fn analyzed(fragments: &[Fragment], status: &Status) -> String {
    let mut text = totals(status);
    for fragment in fragments {
        let stage = status.stages.iter().find(|stage| stage.stage == fragment.stage);
        text.push('\n');
        text.push_str(&with_actuals(fragment, stage, status.bill.as_ref()));
    }
    text.trim_end().to_owned()
}

fn totals(status: &Status) -> String {
    let sum = |of: fn(&StageProgress) -> u64| status.stages.iter().map(of).sum::<u64>();
    let dollars = status.bill.as_ref().map_or(PicoDollars::default(), |bill| bill.total);
    format!(
        "Query: {} stages, {} tasks, {} invocations, {} CPU, {dollars}\n",
        status.stages.len(),
        sum(|stage| u64::from(stage.tasks)),
        sum(|stage| stage.meter.invocations),
        seconds(sum(|stage| stage.statistics.cpu_ms)),
    )
}

/// The fragment's plan, and what happened under its first line.
fn with_actuals(fragment: &Fragment, stage: Option<&StageProgress>, bill: Option<&Bill>) -> String {
    let taken = stage.and_then(|stage| stage.alternative);
    let other = fragment.alternatives.iter().find(|other| Some(other.plan) == taken);
    let planned = other.map_or(&fragment.text, |other| &other.text);
    let (head, rest) = planned.split_once('\n').unwrap_or((planned, ""));
    let mut text = format!("{head}\n");
    let actuals = match stage {
        Some(stage) => actuals(fragment, stage, bill),
        None => vec![
            "Actual: did not run: an input turned out small or empty, and its work is done by the stage that reads it, or not needed"
                .to_owned(),
        ],
    };
    for line in actuals {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {line}");
    }
    text + rest
}

fn actuals(fragment: &Fragment, stage: &StageProgress, bill: Option<&Bill>) -> Vec<String> {
    let (done, meter) = (&stage.statistics, &stage.meter);
    // What is neither computing nor writing is waiting, for S3 above all. Reads go on meanwhile and beside the computing.
    let waited = done.elapsed_ms.saturating_sub(done.cpu_ms + done.write_ms);
    let dollars = bill.map(|bill| bill.stage_total(Some(fragment.stage)));
    let skipped = match stage.tasks_skipped {
        0 => String::new(),
        count => format!(", {count} not needed"),
    };
    let mut lines = vec![
        format!(
            "Actual: {} tasks (planned {}){skipped}, {} attempts, {} failed",
            stage.tasks_done, fragment.tasks, stage.attempts, stage.attempts_failed
        ),
        format!(
            "Rows: {} scanned, {} from exchanges, {} out",
            count(done.rows_scanned),
            count(done.rows_read),
            count(stage.rows_out)
        ),
        format!(
            "Bytes: {} scanned, {} read in all, {} out (planned {})",
            size(done.bytes_scanned),
            size(meter.s3.bytes_read),
            size(stage.bytes_out),
            size(fragment.bytes_out)
        ),
        format!(
            "Time: {} over all tasks: read {}, compute {}, write {}, wait {}",
            seconds(done.elapsed_ms),
            seconds(done.read_ms),
            seconds(done.cpu_ms),
            seconds(done.write_ms),
            seconds(waited)
        ),
        format!(
            "Memory: {} at most in a task, {} spilled",
            size(done.memory_peak_bytes),
            size(done.spilled_bytes)
        ),
        format!(
            "Cost: {} GET{}, {} PUT, {} LIST, {}",
            meter.s3.gets,
            hedged(meter.s3.hedged),
            meter.s3.puts,
            meter.s3.lists,
            dollars.map_or("no bill".to_owned(), |dollars| dollars.to_string())
        ),
    ];
    lines.extend((stage.copies > 0).then(|| copies(stage)));
    lines.extend(stage.skew.filter(|_| stage.tasks > 1).map(skew));
    lines
}

/// Second attempts at late tasks, and what they cost.
fn copies(stage: &StageProgress) -> String {
    format!(
        "Copies: {} of stragglers, {} won; they were billed {}",
        stage.copies,
        stage.copies_won,
        seconds(stage.speculated.billed_ms)
    )
}

fn hedged(gets: u64) -> String {
    match gets {
        0 => String::new(),
        gets => format!(" ({gets} hedged)"),
    }
}

fn skew(skew: Skew) -> String {
    format!(
        "Skew: the slowest task took {}, the median {}; the largest output has {} rows, the median {}",
        seconds(skew.elapsed_ms_max),
        seconds(skew.elapsed_ms_median),
        count(skew.rows_max),
        count(skew.rows_median)
    )
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03} s", millis / 1_000, millis % 1_000)
}

/// With a comma at each thousand.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
