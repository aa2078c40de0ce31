//! Encoded plans outlive the coordinator that wrote them, in journals and under `p/`. An old golden is never edited: where DataFusion's
//! messages or ours come out different, `PLAN_VERSION` grows and a new file is written.

use crate::split_table::planner;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, col, lit};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::work_table::WorkTableExec;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use mayfly_fragment::{
    FenceExec, NoRowsExec, OutputPartitioning, PLAN_VERSION, Sample, SampleUnit, ShuffleReadExec, ShuffleWriteExec,
    SplitScanExec, decode, encode,
};
use mayfly_protocol::{CsvFormat, FileFormat, InputRead, PlanBytes};
use std::path::Path;
use std::sync::Arc;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/plan/v3.bin");

fn schema() -> SchemaRef {
    let columns = [("id", DataType::Int64, false), ("day", DataType::Utf8, true)];
    let columns = columns.map(|(name, of, nullable)| Field::new(name, of, nullable));
    Arc::new(Schema::new(columns.to_vec()))
}

fn id() -> Arc<dyn PhysicalExpr> {
    col("id", &schema()).expect("a column")
}

/// Lines in folders by day, under a filter that the scan knows too.
fn scan() -> Arc<dyn ExecutionPlan> {
    let late_ones = BinaryExpr::new(id(), Operator::Gt, lit(5_i64));
    let late_ones: Arc<dyn PhysicalExpr> = Arc::new(late_ones);
    let sample = Sample {
        unit: SampleUnit::Block,
        share: 0.25,
        seed: 7,
    };
    let scan = SplitScanExec::new(0, "lake.shop.visits", schema(), None)
        .and_then(|scan| scan.with_partitions(4))
        .expect("all columns")
        .with_files(FileFormat::Csv(CsvFormat::default()), 1)
        .with_filters([Arc::clone(&late_ones)])
        .with_late(true)
        .with_sample(Some(sample))
        .with_limit(Some(100));
    Arc::new(FilterExec::try_new(late_ones, Arc::new(scan)).expect("a condition"))
}

/// An input in order, in place of which there is nothing.
fn nothing() -> Arc<dyn ExecutionPlan> {
    let order = LexOrdering::new([PhysicalSortExpr::new_default(id()).desc()]).expect("not empty");
    let merge = ShuffleReadExec::new(1, schema(), InputRead::Merge, 3).with_ordering(order);
    Arc::new(NoRowsExec::new(Arc::new(merge.expect("a merge")), schema()))
}

fn recursion() -> Arc<dyn ExecutionPlan> {
    let all = ShuffleReadExec::new(2, schema(), InputRead::All, 1);
    let first = Arc::new(FenceExec::new(Arc::new(all)));
    let next = Arc::new(WorkTableExec::new("reached".to_owned(), schema(), None).expect("all columns"));
    let query = RecursiveQueryExec::try_new("reached".to_owned(), schema(), first, next, true);
    Arc::new(query.expect("equal columns"))
}

/// Each node of ours once, with every field set.
fn every_node() -> Arc<dyn ExecutionPlan> {
    let hashed = ShuffleReadExec::new(0, schema(), InputRead::Partitions, 4).with_hash_keys(vec![id()]);
    let branches = vec![scan(), Arc::new(hashed), nothing(), recursion()];
    let union = UnionExec::try_new(branches).expect("equal columns");
    Arc::new(ShuffleWriteExec::new(union, OutputPartitioning::Hash(vec![id()], 16)))
}

/// With `UPDATE_EXPECT=1` a missing golden is written; an existing one never is.
#[test]
fn this_build_writes_the_golden_bytes() {
    let bytes = encode(&every_node()).expect("the plan can be sent");
    if std::env::var_os("UPDATE_EXPECT").is_some() && !Path::new(GOLDEN).exists() {
        std::fs::write(GOLDEN, &bytes).expect("the folder is there");
    }
    let golden = std::fs::read(GOLDEN).expect("the golden is there");
    assert!(
        golden == bytes,
        "bytes differ: other messages need another PLAN_VERSION, and a golden of their own"
    );
}

#[test]
fn this_build_reads_the_golden_bytes() {
    let golden = std::fs::read(GOLDEN).expect("the golden is there");
    assert_eq!(golden[..6], *b"MFPLAN");
    assert_eq!(golden[6..8], PLAN_VERSION.to_le_bytes());
    let context = planner(&[]).task_ctx();
    let plan = decode(&PlanBytes::new(golden.clone()), &context).expect("the plan can be read");
    let text = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
    assert_eq!(text(&plan), text(&every_node()));
    assert_eq!(plan.schema(), every_node().schema());
    assert!(
        encode(&plan).expect("it can be sent again") == golden,
        "it is sent otherwise"
    );
}
