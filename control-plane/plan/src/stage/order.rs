//! Sorts anew where an order that an operator above relies on is not there once tasks run.
//!
//! - In one process a hash repartition of one sorted partition keeps its order, and DataFusion plans no second sort. Across tasks the order
//!   is gone: a reader gets several exchange partitions one after another.
//! - A column of which statistics tell that it has one value needs no order in DataFusion's eyes. A task knows no statistics, and its
//!   windows check their input's order by what is known there.

use super::draft::with_children;
use datafusion::common::{Result, Statistics};
use datafusion::physical_expr::{LexOrdering, OrderingRequirements};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use mayfly_fragment::SplitScanExec;
use std::sync::Arc;

/// The plan with every stated input order met.
pub(super) fn restore(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(Restored::of(plan)?.plan)
}

/// A plan, and the same as its tasks know it.
struct Restored {
    plan: Arc<dyn ExecutionPlan>,
    in_task: Arc<dyn ExecutionPlan>,
}

impl Restored {
    fn of(plan: &Arc<dyn ExecutionPlan>) -> Result<Restored> {
        if let Some(scan) = plan.downcast_ref::<SplitScanExec>() {
            let nothing = Statistics::new_unknown(&scan.table_schema);
            return Ok(Restored {
                plan: Arc::clone(plan),
                in_task: Arc::new(scan.clone().with_statistics(nothing)),
            });
        }
        let required = plan.required_input_ordering();
        let children = plan.children().into_iter().zip(required);
        let children = children.map(|(child, required)| Restored::of(child)?.meeting(required));
        let children: Vec<Restored> = children.collect::<Result<_>>()?;
        let in_task = children.iter().map(|child| Arc::clone(&child.in_task)).collect();
        Ok(Restored {
            in_task: with_children(plan, in_task)?,
            plan: with_children(plan, children.into_iter().map(|child| child.plan).collect())?,
        })
    }

    fn meeting(self, required: Option<OrderingRequirements>) -> Result<Restored> {
        // A soft requirement is a wish: the operator does without.
        let Some(OrderingRequirements::Hard(alternatives)) = required else {
            return Ok(self);
        };
        // The others are a window's: it may be planned for an order without its partition keys, but this one is planned already.
        let Some(first) = alternatives.into_iter().next() else {
            return Ok(self);
        };
        let known = self.in_task.equivalence_properties();
        if known.ordering_satisfy_requirement(first.clone())? {
            return Ok(self);
        }
        let order = LexOrdering::from(first);
        Ok(Restored {
            plan: sorted(self.plan, order.clone()),
            in_task: sorted(self.in_task, order),
        })
    }
}

fn sorted(plan: Arc<dyn ExecutionPlan>, order: LexOrdering) -> Arc<dyn ExecutionPlan> {
    Arc::new(SortExec::new(order, plan).with_preserve_partitioning(true))
}
