//! What an operator's columns are in its inputs, for filters on their way down. An operator that is not named here lets none pass.

use super::{Expr, Plan};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinSide, JoinType, Result};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::buffer::BufferExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::FilterPushdownPhase;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::build_join_schema;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// For each output column of an operator what it is over one of its inputs; `None` where a filter on it must stay above.
pub(super) struct Route(Vec<Option<Expr>>);

/// One for each input; `None` where no filter may pass.
pub(super) fn routes(plan: &Plan, phase: FilterPushdownPhase) -> Result<Vec<Option<Route>>> {
    let children = plan.children();
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return Ok(through_join(join));
    }
    if plan.is::<UnionExec>() {
        return Ok(children.into_iter().map(|child| Some(same(child))).collect());
    }
    let [child] = children[..] else {
        return Ok(children.iter().map(|_| None).collect());
    };
    let route = if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        through_filter(filter, phase)
    } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let columns = projection.expr().iter().map(|column| Some(Arc::clone(&column.expr)));
        Some(Route(columns.collect()))
    } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        through_groups(aggregate)
    } else {
        keeps_columns(plan).then(|| same(child))
    };
    Ok(vec![route])
}

impl Route {
    /// The filter over the input; `None` if it needs a column that stays above.
    pub(super) fn restate(&self, filter: &Expr) -> Result<Option<Expr>> {
        let mut is_complete = true;
        let restated = Arc::clone(filter).transform_down(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else {
                return Ok(Transformed::no(expr));
            };
            match self.0.get(column.index()).and_then(Option::as_ref) {
                Some(below) => Ok(Transformed::new(Arc::clone(below), true, TreeNodeRecursion::Jump)),
                None => {
                    is_complete = false;
                    Ok(Transformed::new(expr, false, TreeNodeRecursion::Stop))
                }
            }
        })?;
        Ok(is_complete.then_some(restated.data))
    }
}

/// A top-k is no such operator: which rows it keeps depends on those that it sees.
fn keeps_columns(plan: &Plan) -> bool {
    plan.is::<CoalescePartitionsExec>()
        || plan.is::<RepartitionExec>()
        || plan.is::<CooperativeExec>()
        || plan.is::<BufferExec>()
        || plan
            .downcast_ref::<SortExec>()
            .is_some_and(|sort| sort.fetch().is_none())
}

fn column(plan: &Plan, at: usize) -> Expr {
    Arc::new(Column::new(plan.schema().field(at).name(), at))
}

fn same(child: &Plan) -> Route {
    let columns = 0..child.schema().fields().len();
    Route(columns.map(|at| Some(column(child, at))).collect())
}

/// Before columns are chosen in filters, none is; if one were, it would absorb what comes from above by name.
fn through_filter(filter: &FilterExec, phase: FilterPushdownPhase) -> Option<Route> {
    match filter.projection() {
        None => Some(same(filter.input())),
        Some(_) if matches!(phase, FilterPushdownPhase::Pre) => None,
        Some(chosen) => {
            let columns = chosen.iter().map(|&at| Some(column(filter.input(), at)));
            Some(Route(columns.collect()))
        }
    }
}

/// A filter on group keys chooses whole groups, unless there is a group without them: over all rows, or of another grouping set.
fn through_groups(aggregate: &AggregateExec) -> Option<Route> {
    let groups = aggregate.group_expr();
    let over_all = |absent: &Vec<bool>| absent.iter().all(|absent| *absent);
    if groups.is_true_no_grouping() || groups.groups().iter().any(over_all) {
        return None;
    }
    let in_all_sets = |at: usize| groups.groups().iter().all(|absent| absent.get(at) != Some(&true));
    let keys = groups.expr().iter().enumerate();
    let key =
        |(at, (key, _)): (usize, &(Expr, String))| (key.is::<Column>() && in_all_sets(at)).then(|| Arc::clone(key));
    Some(Route(keys.map(key).collect()))
}

/// A side whose rows the join may fill up with NULLs, or keep for having no match, must see them all.
fn through_join(join: &HashJoinExec) -> Vec<Option<Route>> {
    let (left, right) = match join.join_type() {
        JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => (true, true),
        JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => (true, false),
        JoinType::Right | JoinType::RightAnti | JoinType::RightMark => (false, true),
        JoinType::Full => (false, false),
    };
    let side = |passes: bool, side: JoinSide| passes.then(|| to_side(join, side));
    vec![side(left, JoinSide::Left), side(right, JoinSide::Right)]
}

fn to_side(join: &HashJoinExec, wanted: JoinSide) -> Route {
    let (_, all) = build_join_schema(&join.left().schema(), &join.right().schema(), join.join_type());
    let input = match wanted {
        JoinSide::Left => join.left(),
        _ => join.right(),
    };
    let below = |at: usize| {
        let found = &all[at];
        match found.side == wanted {
            true => Some(column(input, found.index)),
            false => partner(join, found.side, found.index),
        }
    };
    let chosen: Vec<usize> = match &join.projection {
        Some(chosen) => chosen.to_vec(),
        None => (0..all.len()).collect(),
    };
    Route(chosen.into_iter().map(below).collect())
}

/// Every row that a semi join yields has an equal key on the side that it does not yield.
fn partner(join: &HashJoinExec, side: JoinSide, at: usize) -> Option<Expr> {
    let is_it = |key: &Expr| key.downcast_ref::<Column>().is_some_and(|column| column.index() == at);
    let mut pairs = join.on().iter();
    let partner = match (join.join_type(), side) {
        (JoinType::LeftSemi, JoinSide::Left) => pairs.find(|(left, _)| is_it(left)).map(|(_, right)| right),
        (JoinType::RightSemi, JoinSide::Right) => pairs.find(|(_, right)| is_it(right)).map(|(left, _)| left),
        _ => None,
    };
    partner.filter(|key| key.is::<Column>()).cloned()
}
