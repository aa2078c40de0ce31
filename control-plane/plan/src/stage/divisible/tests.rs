//! Tests of `divisible`.

use super::*;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::aggregates::PhysicalGroupBy;
use datafusion::physical_plan::joins::PartitionMode;
use datafusion::physical_plan::projection::ProjectionExec;

fn read(input: u32, read: InputRead) -> Arc<dyn ExecutionPlan> {
    let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]));
    Arc::new(ShuffleReadExec::new(input, schema, read, 1))
}

fn join(join_type: JoinType) -> Arc<dyn ExecutionPlan> {
    let (left, right) = (read(0, InputRead::Partitions), read(1, InputRead::Partitions));
    let on = vec![(col("k", &left.schema()).unwrap(), col("k", &right.schema()).unwrap())];
    let join = HashJoinExec::try_new(
        left,
        right,
        on,
        None,
        &join_type,
        None,
        PartitionMode::Partitioned,
        NullEquality::NullEqualsNothing,
        false,
    );
    Arc::new(join.unwrap())
}

fn aggregate(mode: AggregateMode, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let schema = input.schema();
    let name = schema.field(0).name().clone();
    let groups = PhysicalGroupBy::new_single(vec![(col(&name, &schema).unwrap(), name)]);
    Arc::new(AggregateExec::try_new(mode, groups, vec![], vec![], input, schema).unwrap())
}

#[test]
fn a_join_may_have_its_preserved_side_divided() {
    let cases: [(JoinType, &[u32]); 10] = [
        (JoinType::Inner, &[1, 0]),
        (JoinType::Left, &[0]),
        (JoinType::Right, &[1]),
        (JoinType::Full, &[]),
        (JoinType::LeftSemi, &[0]),
        (JoinType::LeftAnti, &[0]),
        (JoinType::LeftMark, &[0]),
        (JoinType::RightSemi, &[1]),
        (JoinType::RightAnti, &[1]),
        (JoinType::RightMark, &[1]),
    ];
    for (join_type, expected) in cases {
        assert_eq!(inputs(&join(join_type)), expected, "{join_type}");
    }
}

#[test]
fn what_needs_all_rows_of_a_key_stops_it() {
    assert_eq!(inputs(&aggregate(AggregateMode::Partial, join(JoinType::Right))), [1]);
    for mode in [AggregateMode::FinalPartitioned, AggregateMode::SinglePartitioned] {
        let none: [u32; 0] = [];
        assert_eq!(inputs(&aggregate(mode, join(JoinType::Right))), none, "{mode:?}");
    }
}

#[test]
fn only_partitions_are_divided() {
    let one = |read: Arc<dyn ExecutionPlan>| {
        let schema = read.schema();
        let expressions = vec![(col("k", &schema).unwrap(), "k".to_owned())];
        inputs(&(Arc::new(ProjectionExec::try_new(expressions, read).unwrap()) as Arc<dyn ExecutionPlan>))
    };
    assert_eq!(one(read(4, InputRead::Partitions)), [4]);
    assert_eq!(one(read(4, InputRead::All)), [0_u32; 0]);
}
