//! Tests of `emptied`.

use super::*;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::NullEquality;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::aggregates::{AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::joins::PartitionMode;
use datafusion::physical_plan::union::UnionExec;

fn read(input: u32) -> Arc<dyn ExecutionPlan> {
    let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]));
    Arc::new(ShuffleReadExec::new(input, schema, InputRead::Partitions, 4))
}

fn join(left: Arc<dyn ExecutionPlan>, right: Arc<dyn ExecutionPlan>, join_type: JoinType) -> Arc<dyn ExecutionPlan> {
    let on = vec![(col("k", &left.schema()).unwrap(), col("k", &right.schema()).unwrap())];
    let mode = PartitionMode::Partitioned;
    let equality = NullEquality::NullEqualsNothing;
    Arc::new(HashJoinExec::try_new(left, right, on, None, &join_type, None, mode, equality, false).unwrap())
}

fn aggregate(input: Arc<dyn ExecutionPlan>, keys: &[&str]) -> Arc<dyn ExecutionPlan> {
    let schema = input.schema();
    let keys = keys.iter().map(|key| (col(key, &schema).unwrap(), (*key).to_owned()));
    let groups = PhysicalGroupBy::new_single(keys.collect());
    Arc::new(AggregateExec::try_new(AggregateMode::Partial, groups, vec![], vec![], input, schema).unwrap())
}

/// What is left without rows of the input.
fn left(plan: &Arc<dyn ExecutionPlan>, input: u32) -> Option<String> {
    let left = emptied(plan, input).unwrap()?;
    assert_eq!(left.schema(), plan.schema());
    let text = datafusion::physical_plan::displayable(left.as_ref())
        .indent(false)
        .to_string();
    let names = text
        .lines()
        .map(|line| line.trim().split(':').next().unwrap_or("").to_owned());
    Some(names.collect::<Vec<_>>().join(" "))
}

const NOTHING: &str = "NoRowsExec ShuffleReadExec";

#[test]
fn a_join_is_empty_with_the_side_that_it_takes_its_rows_from() {
    for (join_type, without_left, without_right) in [
        (JoinType::Inner, true, true),
        (JoinType::Left, true, false),
        (JoinType::Right, false, true),
        (JoinType::Full, false, false),
        (JoinType::LeftSemi, true, true),
        (JoinType::RightSemi, true, true),
        (JoinType::LeftAnti, true, false),
        (JoinType::RightAnti, false, true),
        (JoinType::LeftMark, true, false),
        (JoinType::RightMark, false, true),
    ] {
        let join = join(read(0), read(1), join_type);
        let expected = |empty: bool| empty.then(|| NOTHING.to_owned());
        assert_eq!(left(&join, 0), expected(without_left), "{join_type}");
        assert_eq!(left(&join, 1), expected(without_right), "{join_type}");
        assert_eq!(left(&join, 2), None, "{join_type}");
    }
}

#[test]
fn emptiness_goes_up_as_far_as_rows_are_needed() {
    let inner = join(read(0), read(1), JoinType::Inner);
    let preserved = join(inner.clone(), read(2), JoinType::Left);
    assert_eq!(left(&preserved, 1).as_deref(), Some(NOTHING));
    // The other side's rows come through, so the stage still reads it.
    assert_eq!(left(&join(inner.clone(), read(2), JoinType::Right), 1), None);
    assert_eq!(left(&aggregate(inner.clone(), &["k"]), 0).as_deref(), Some(NOTHING));
    // A count of nothing is a row.
    let counted = left(&aggregate(inner.clone(), &[]), 0);
    assert_eq!(counted.as_deref(), Some("AggregateExec NoRowsExec ShuffleReadExec"));
    let both = UnionExec::try_new(vec![read(0), read(3)]).unwrap();
    assert_eq!(left(&both, 0), None);
}
