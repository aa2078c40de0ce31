//! The shape of TPC-H's plans in forced mode: stages, tasks, exchanges. A golden: a change of it is a decision.

use crate::world::{World, forced, tpch_queries};
use expect_test::expect_file;
use mayfly_plan::PlannedQuery;
use mayfly_protocol::{ExchangeKind, Stage};
use std::fmt::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn forced_shapes_of_tpch() {
    let world = World::tpch().await;
    let mut shapes = String::new();
    for (number, sql) in tpch_queries() {
        let planned = world.query(&sql, &forced("3")).await;
        let _ = writeln!(shapes, "q{number:02}");
        planned.graph.stages.iter().for_each(|stage| shape(&mut shapes, stage));
        crosses(number, &planned);
    }
    expect_file!["../../../../tests/golden/plan/tpch_forced.txt"].assert_eq(&shapes);
}

/// `  s2  3 tasks  reads s0 s1  HASH 12`
fn shape(text: &mut String, stage: &Stage) {
    let inputs: Vec<String> = stage.inputs.iter().map(|input| input.stage.to_string()).collect();
    let scans = stage.tasks[0].scans.len();
    let _ = write!(text, "  {}  {} tasks", stage.id, stage.tasks.len());
    if scans > 0 {
        let _ = write!(text, "  {scans} scans");
    }
    if !inputs.is_empty() {
        let _ = write!(text, "  reads {}", inputs.join(" "));
    }
    let _ = writeln!(text, "  {} {}", stage.output.kind, stage.output.partitions);
}

/// Every query of more than one table or group moves rows through S3, and every task count stays small.
fn crosses(number: u32, planned: &PlannedQuery) {
    let stages = &planned.graph.stages;
    let exchanged = stages.iter().filter(|stage| stage.output.kind != ExchangeKind::Result);
    assert!(exchanged.count() > 0, "q{number} crosses no exchange");
    let tasks_max = |stage: &Stage| if stage.tasks[0].scans.is_empty() { 8 } else { 24 };
    assert!(
        stages.iter().all(|stage| stage.tasks.len() <= tasks_max(stage)),
        "q{number} has a wide stage"
    );
    let shuffles = stages
        .iter()
        .any(|stage| matches!(stage.output.kind, ExchangeKind::Hash | ExchangeKind::Broadcast));
    // Q6 alone neither joins nor groups.
    assert!(shuffles || number == 6, "q{number} neither hashes nor broadcasts");
}
