//! Where filters end up: at the scan whose column they mean, whatever columns are called.

use super::PushDown;
use crate::SplitScanExec;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{JoinType, NullEquality};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, lit};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExecBuilder, PartitionMode};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

type Plan = Arc<dyn ExecutionPlan>;

/// A table of two numbers, `id` and `k`.
fn scan(table: &str) -> Plan {
    let number = |name| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![number("id"), number("k")]);
    Arc::new(SplitScanExec::new(0, table, Arc::new(schema), None).expect("a scan"))
}

fn column(name: &str, at: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(name, at))
}

fn above(limit: i64, name: &str, at: usize, input: Plan) -> Plan {
    let predicate = BinaryExpr::new(column(name, at), Operator::Gt, lit(limit));
    Arc::new(FilterExec::try_new(Arc::new(predicate), input).expect("a filter"))
}

/// `left.k = right.id`.
fn join(join_type: JoinType, left: Plan, right: Plan) -> Plan {
    let on = vec![(column("k", 1), column("id", 0))];
    let join = HashJoinExecBuilder::new(left, right, on, join_type)
        .with_partition_mode(PartitionMode::CollectLeft)
        .with_null_equality(NullEquality::NullEqualsNothing);
    Arc::new(join.build().expect("a join"))
}

fn chosen(columns: &[(&str, usize, &str)], input: Plan) -> Plan {
    let columns = columns
        .iter()
        .map(|(name, at, alias)| ProjectionExpr::new(column(name, *at), (*alias).to_owned()));
    Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), input).expect("a projection"))
}

/// `scans`: each scan's predicate, from left to right.
fn check(plan: Plan, scans: &[&str]) {
    let pushed = PushDown::written().optimize(plan, &ConfigOptions::default());
    let mut found = Vec::new();
    predicates(&pushed.expect("filters go down"), &mut found);
    assert_eq!(found, scans);
}

fn predicates(plan: &Plan, found: &mut Vec<String>) {
    if let Some(scan) = plan.downcast_ref::<SplitScanExec>() {
        let predicate = scan.predicate.as_ref().map(|predicate| predicate.to_string());
        let predicate = predicate.unwrap_or_else(|| "all".to_owned());
        found.push(format!("{}: {predicate}", scan.table));
    }
    plan.children().into_iter().for_each(|child| predicates(child, found));
}

#[test]
fn a_filter_goes_to_the_side_whose_column_it_means() {
    let join = |at| above(3, "id", at, join(JoinType::Inner, scan("o"), scan("c")));
    check(join(0), &["o: id@0 > 3", "c: all"]);
    check(join(2), &["o: all", "c: id@0 > 3"]);
}

#[test]
fn the_side_that_nulls_fill_up_keeps_all_its_rows() {
    let join = |at| above(3, "id", at, join(JoinType::Left, scan("o"), scan("c")));
    check(join(0), &["o: id@0 > 3", "c: all"]);
    check(join(2), &["o: all", "c: all"]);
}

#[test]
fn a_projection_may_give_one_columns_name_to_another() {
    let swapped = |at| above(3, "id", at, chosen(&[("k", 1, "id"), ("id", 0, "id")], scan("o")));
    check(swapped(0), &["o: k@1 > 3"]);
    check(swapped(1), &["o: id@0 > 3"]);
}

#[test]
fn a_semi_joins_key_stands_on_both_sides() {
    let join = |name, at| above(3, name, at, join(JoinType::LeftSemi, scan("o"), scan("c")));
    check(join("k", 1), &["o: k@1 > 3", "c: id@0 > 3"]);
    check(join("id", 0), &["o: id@0 > 3", "c: all"]);
}

#[test]
fn a_group_key_is_what_it_groups_by() {
    let input = join(JoinType::Inner, scan("o"), scan("c"));
    let keys = vec![(column("id", 2), "id".to_owned()), (column("id", 0), "id".to_owned())];
    let group = PhysicalGroupBy::new_single(keys);
    let schema = input.schema();
    let aggregate = AggregateExec::try_new(AggregateMode::Single, group, Vec::new(), Vec::new(), input, schema);
    let aggregate: Plan = Arc::new(aggregate.expect("an aggregate"));
    check(above(3, "id", 0, Arc::clone(&aggregate)), &["o: all", "c: id@0 > 3"]);
    check(above(3, "id", 1, aggregate), &["o: id@0 > 3", "c: all"]);
}

#[test]
fn branches_of_a_union_go_by_place() {
    let other = chosen(&[("k", 1, "x"), ("id", 0, "id")], scan("c"));
    let union = UnionExec::try_new(vec![scan("o"), other]).expect("a union");
    // DataFusion gives branches the union's names by a cast to the type that they have.
    check(above(3, "id", 0, union), &["o: id@0 > 3", "c: CAST(k@1 AS Int64) > 3"]);
}
