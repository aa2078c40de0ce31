//! An order that is missing, and one that is there.

use super::*;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

#[test]
fn an_order_that_is_missing_is_made_once() {
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
    let key = PhysicalSortExpr::new_default(col("a", &schema).expect("a column"));
    let order = LexOrdering::new([key]).expect("not empty");
    let input = Arc::new(EmptyExec::new(schema).with_partitions(2));
    let merge: Arc<dyn ExecutionPlan> = Arc::new(SortPreservingMergeExec::new(order, input));
    let sorted = in_needed_orders(merge).expect("it can be sorted");
    assert!(sorted.transformed);
    let text = shown(&sorted.data);
    assert!(
        text.contains("SortExec: expr=[a@0 ASC], preserve_partitioning=[true]\n    EmptyExec"),
        "{text}"
    );
    let again = in_needed_orders(sorted.data).expect("it is sorted");
    assert!(!again.transformed, "{}", shown(&again.data));
}
