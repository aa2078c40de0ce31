//! Which pairs of sides may be joined partition by partition.

use super::*;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::expressions::{Column, lit};
use datafusion::physical_plan::filter::FilterExec;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, false)]))
}

fn key() -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new("k", 0))
}

fn exchanged(input: u32, partitions: usize) -> Arc<dyn ExecutionPlan> {
    let read = ShuffleReadExec::new(input, schema(), InputRead::Partitions, partitions);
    Arc::new(read.with_hash_keys(vec![key()]))
}

fn repartitioned(partitions: usize) -> Arc<dyn ExecutionPlan> {
    let rows = Arc::new(EmptyExec::new(schema()));
    let repartition = RepartitionExec::try_new(rows, Partitioning::Hash(vec![key()], partitions));
    Arc::new(repartition.expect("a column of the schema"))
}

fn filtered(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let filter = FilterExec::try_new(lit(true), input);
    Arc::new(filter.expect("a predicate"))
}

fn join(left: Arc<dyn ExecutionPlan>, right: Arc<dyn ExecutionPlan>, mode: PartitionMode) -> Arc<dyn ExecutionPlan> {
    let on = vec![(key(), key())];
    let equality = NullEquality::NullEqualsNothing;
    let join = HashJoinExec::try_new(left, right, on, None, &JoinType::Inner, None, mode, equality, false);
    Arc::new(join.expect("sides with the key"))
}

fn joined(left: Arc<dyn ExecutionPlan>, right: Arc<dyn ExecutionPlan>, mode: PartitionMode) -> Result<()> {
    check(&join(left, right, mode))
}

#[test]
fn sides_of_one_dealer_pair() {
    use PartitionMode::{CollectLeft, Partitioned};
    assert!(joined(exchanged(0, 3), filtered(exchanged(1, 3)), Partitioned).is_ok());
    assert!(joined(repartitioned(3), filtered(repartitioned(3)), Partitioned).is_ok());
    assert!(joined(repartitioned(1), exchanged(0, 1), Partitioned).is_ok());
    assert!(joined(repartitioned(1), exchanged(0, 3), CollectLeft).is_ok());
}

#[test]
fn sides_of_two_dealers_do_not() {
    let mixed = joined(filtered(repartitioned(3)), exchanged(0, 3), PartitionMode::Partitioned);
    let refused = mixed.expect_err("rows would not meet").to_string();
    assert!(refused.contains("exchange with those of a repartition"), "{refused}");
}

#[test]
fn a_join_filters_its_probe_side_only_where_partitions_are_found_by_hash() {
    use PartitionMode::{CollectLeft, Partitioned};
    let filters = |plan: &Arc<dyn ExecutionPlan>| {
        let options = filter_options(plan, &ConfigOptions::default());
        assert!(options.optimizer.enable_topk_dynamic_filter_pushdown);
        options.optimizer.enable_join_dynamic_filter_pushdown
    };
    assert!(filters(&join(repartitioned(3), repartitioned(3), Partitioned)));
    assert!(filters(&join(exchanged(0, 1), exchanged(1, 1), Partitioned)));
    assert!(filters(&join(repartitioned(1), exchanged(0, 3), CollectLeft)));
    let dealt = join(exchanged(0, 3), filtered(exchanged(1, 3)), Partitioned);
    assert!(!filters(&dealt));
    assert!(!filters(&filtered(dealt)));
}
