//! Says where data crosses tasks: replaces DataFusion's repartitions by [`ExchangeExec`] and adds those that many tasks need where
//! one process needs none.
//!
//! Below, each operator's output is either *whole* (one task has all of it) or *spread* (each task has a part). DataFusion knows only
//! partitions of one process; a scan that two tasks share has partitions in both.
//!
//! ```text
//! RepartitionExec(Hash)            → HASH                    spread
//! RepartitionExec(RoundRobin)      → nothing                 as its input
//! CoalescePartitions over spread   → SINGLE, fetch kept      whole
//! SortPreservingMerge over spread  → SINGLE merge            whole
//! build side of CollectLeft,
//!   NestedLoop, Cross              → BROADCAST where the join type allows, else both sides SINGLE
//! whole branch of a spread union   → ROUND_ROBIN, so that no task repeats its rows
//! ```

use super::join::build_may_be_everywhere;
use crate::stage::subquery;
use datafusion::common::{JoinType, Result, not_impl_err, plan_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::{Distribution, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use mayfly_fragment::{ExchangeExec, SplitScanExec};
use std::sync::Arc;

/// Operators that work on a part as on the whole, as far as their stated requirements are met.
const ALLOWED: [&str; 17] = [
    "AggregateExec",
    "BoundedWindowAggExec",
    "CoalesceBatchesExec",
    "CooperativeExec",
    "EmptyExec",
    "FenceExec",
    "FilterExec",
    "GlobalLimitExec",
    "HashJoinExec",
    "LocalLimitExec",
    "PlaceholderRowExec",
    "ProjectionExec",
    "SortExec",
    "SortExec(TopK)",
    "SortMergeJoinExec",
    "UnnestExec",
    "WindowAggExec",
];

/// A plan with exchanges, and whether one task has all of its output.
struct Placed {
    plan: Arc<dyn ExecutionPlan>,
    whole: bool,
}

/// Adds the exchanges that running the plan in many tasks takes. `partitions`: DataFusion partitions above a HASH.
pub(crate) fn insert(plan: &Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(Inserter { partitions }.place(plan)?.plan)
}

struct Inserter {
    partitions: usize,
}

impl Inserter {
    fn place(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        if plan.downcast_ref::<SplitScanExec>().is_some() {
            return Ok(spread(plan.clone()));
        }
        if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
            return self.repartition(repartition);
        }
        if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
            return self.coalesce(coalesce, plan);
        }
        if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
            return self.merge(merge, plan);
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>()
            && *join.partition_mode() == PartitionMode::CollectLeft
        {
            let everywhere = build_may_be_everywhere(*join.join_type()) && !join.null_aware;
            return self.collected(plan, everywhere);
        }
        if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            return self.nested_loop(join, plan);
        }
        if plan.downcast_ref::<CrossJoinExec>().is_some() {
            return self.collected(plan, build_may_be_everywhere(JoinType::Inner));
        }
        if plan.downcast_ref::<UnionExec>().is_some() || plan.downcast_ref::<InterleaveExec>().is_some() {
            return self.union(plan);
        }
        if let Some(subqueries) = plan.downcast_ref::<ScalarSubqueryExec>() {
            return self.scalar_subqueries(subqueries, plan);
        }
        if let Some(query) = plan.downcast_ref::<RecursiveQueryExec>() {
            return self.recursive(query, plan);
        }
        if plan.downcast_ref::<LazyMemoryExec>().is_some() || is_values(plan) {
            return Ok(whole(plan.clone()));
        }
        if ALLOWED.contains(&plan.name()) {
            return self.by_requirements(plan);
        }
        not_impl_err!("{} is not planned across executors", plan.name())
    }

    fn repartition(&self, repartition: &RepartitionExec) -> Result<Placed> {
        let input = self.place(repartition.input())?;
        match repartition.partitioning() {
            Partitioning::Hash(keys, _) => self.hash(input, keys.clone()),
            Partitioning::RoundRobinBatch(_) => Ok(input),
            other => not_impl_err!("repartitioning by {other} is not planned across executors"),
        }
    }

    /// Order does not survive: a task reads several exchange partitions one after another. Who needs it sorts anew (see `stage`).
    /// A writer knows no value of a scalar subquery: rows that are partitioned by one go to one task.
    fn hash(&self, input: Placed, keys: Vec<Arc<dyn PhysicalExpr>>) -> Result<Placed> {
        for key in &keys {
            if subquery::is_read_by(key)? {
                return Ok(whole(gather(input, false)?));
            }
        }
        Ok(spread(Arc::new(ExchangeExec::hash(input.plan, keys, self.partitions)?)))
    }

    fn coalesce(&self, coalesce: &CoalescePartitionsExec, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let input = self.place(coalesce.input())?;
        if input.whole {
            return Ok(whole(rebuilt(plan, vec![input.plan])?));
        }
        let fetch = coalesce.fetch();
        // Rows that suffice for all suffice from each: a task need not publish more.
        let below: Arc<dyn ExecutionPlan> = match fetch {
            Some(_) => Arc::new(CoalescePartitionsExec::new(input.plan).with_fetch(fetch)),
            None => input.plan,
        };
        Ok(whole(Arc::new(ExchangeExec::single(below, fetch)?)))
    }

    fn merge(&self, merge: &SortPreservingMergeExec, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let input = self.place(merge.input())?;
        if input.whole {
            return Ok(whole(rebuilt(plan, vec![input.plan])?));
        }
        let exchange = ExchangeExec::merge(input.plan, merge.expr().clone(), merge.fetch())?;
        Ok(whole(Arc::new(exchange)))
    }

    /// A join that holds its left side whole in memory.
    fn collected(&self, plan: &Arc<dyn ExecutionPlan>, build_may_be_everywhere: bool) -> Result<Placed> {
        let [left, right] = both(plan)?;
        let right = self.place(right)?;
        if right.whole {
            let left = self.gathered(left)?;
            return Ok(whole(rebuilt(plan, vec![left, right.plan])?));
        }
        if build_may_be_everywhere {
            let left = self.broadcast(left)?;
            return Ok(spread(rebuilt(plan, vec![left, right.plan])?));
        }
        let (left, right) = (self.gathered(left)?, gather(right, false)?);
        Ok(whole(rebuilt(plan, vec![left, right])?))
    }

    /// Sides are swapped where that lets the join stay spread. `swap_inputs` may put a projection above the join.
    fn nested_loop(&self, join: &NestedLoopJoinExec, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let safe = build_may_be_everywhere(*join.join_type());
        if safe || !join.join_type().supports_swap() || !build_may_be_everywhere(join.join_type().swap()) {
            return self.collected(plan, safe);
        }
        let [left, right] = both(plan)?;
        let apart = rebuilt(plan, vec![ungathered(left).clone(), right.clone()])?;
        let swapped = match apart.downcast_ref::<NestedLoopJoinExec>() {
            Some(apart) => apart.swap_inputs()?,
            None => join.swap_inputs()?,
        };
        match swapped.downcast_ref::<NestedLoopJoinExec>() {
            Some(_) => self.collected(&swapped, true),
            None => self.by_requirements(&swapped),
        }
    }

    fn gathered(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        gather(self.place(plan)?, false)
    }

    /// The side that every task reads whole: what gathered it within one process falls away.
    fn broadcast(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = self.place(ungathered(plan))?;
        Ok(Arc::new(ExchangeExec::broadcast(input.plan)?))
    }

    fn union(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let branches = plan.children().into_iter().map(|branch| self.place(branch));
        let branches: Vec<Placed> = branches.collect::<Result<_>>()?;
        if branches.iter().all(|branch| branch.whole) {
            let plans = branches.into_iter().map(|branch| branch.plan).collect();
            return Ok(whole(UnionExec::try_new(plans)?));
        }
        let plans = branches.into_iter().map(|branch| self.shared_out(branch));
        let union = UnionExec::try_new(plans.collect::<Result<_>>()?)?;
        // An interleave kept its branches' hash partitioning; a union does not, and who needs it asks for it.
        Ok(spread(union))
    }

    /// Every task runs every branch of a spread union: rows of a whole branch must be dealt out first.
    fn shared_out(&self, branch: Placed) -> Result<Arc<dyn ExecutionPlan>> {
        let rowless = branch.plan.downcast_ref::<EmptyExec>().is_some();
        if !branch.whole || rowless {
            return Ok(branch.plan);
        }
        Ok(Arc::new(ExchangeExec::round_robin(branch.plan, self.partitions)?))
    }

    /// Every task that evaluates a scalar subquery's value reads it whole.
    fn scalar_subqueries(&self, node: &ScalarSubqueryExec, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let main = self.place(node.input())?;
        let mut children = vec![main.plan];
        for subquery in node.subqueries() {
            let value = self.gathered(&subquery.plan)?;
            children.push(Arc::new(ExchangeExec::broadcast(value)?));
        }
        Ok(Placed {
            plan: rebuilt(plan, children)?,
            whole: main.whole,
        })
    }

    /// One task iterates. Its recursive term runs many times over, so it reads tables and no exchange, which is gone once read.
    fn recursive(&self, query: &RecursiveQueryExec, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let start = self.gathered(query.static_term())?;
        Ok(whole(rebuilt(plan, vec![start, query.recursive_term().clone()])?))
    }

    /// Any other operator: its stated requirements, read as requirements on tasks.
    fn by_requirements(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Placed> {
        let children = plan.children().into_iter().map(|child| self.place(child));
        let children: Vec<Placed> = children.collect::<Result<_>>()?;
        let any_spread = children.iter().any(|child| !child.whole);
        let requirements = plan.input_distribution_requirements().into_per_child();
        let orderings = plan.required_input_ordering();
        let mut placed = Vec::with_capacity(children.len());
        for ((child, required), ordering) in children.into_iter().zip(requirements).zip(orderings) {
            let mut child = self.meet(child, required, ordering.is_some(), any_spread)?;
            child.plan = in_full(child.plan, ordering);
            placed.push(child);
        }
        let whole = placed.iter().all(|child| child.whole);
        let plans = placed.into_iter().map(|child| child.plan).collect();
        Ok(Placed {
            plan: rebuilt(plan, plans)?,
            whole,
        })
    }

    /// `any_spread`: whether the operator has an input that is spread; then one that needs keys together cannot stay whole.
    #[expect(deprecated, reason = "DataFusion still names both forms of key partitioning")]
    fn meet(&self, child: Placed, required: Distribution, ordered: bool, any_spread: bool) -> Result<Placed> {
        match required {
            Distribution::SinglePartition if !child.whole => Ok(whole(gather(child, ordered)?)),
            Distribution::HashPartitioned(keys) | Distribution::KeyPartitioned(keys) if any_spread => {
                self.meet_keys(child, keys)
            }
            _ => Ok(child),
        }
    }

    fn meet_keys(&self, child: Placed, keys: Vec<Arc<dyn PhysicalExpr>>) -> Result<Placed> {
        let hashed = matches!(child.plan.output_partitioning(), Partitioning::Hash(..));
        let required = Distribution::KeyPartitioned(keys.clone());
        let satisfied = child
            .plan
            .output_partitioning()
            .satisfaction(&required, child.plan.equivalence_properties(), true)
            .is_satisfied();
        if !child.whole && hashed && satisfied {
            Ok(child)
        } else {
            self.hash(child, keys)
        }
    }
}

/// A sort may leave out keys that a filter made constant. Tasks that read its rows from an exchange do not know the filter: they sort by all
/// keys that the operator above asks for.
fn in_full(child: Arc<dyn ExecutionPlan>, required: Option<OrderingRequirements>) -> Arc<dyn ExecutionPlan> {
    let (Some(sort), Some(OrderingRequirements::Hard(alternatives))) = (child.downcast_ref::<SortExec>(), required)
    else {
        return child;
    };
    let keys = alternatives.into_iter().next().map(LexOrdering::from);
    match keys {
        Some(keys) if sort.fetch().is_none() && keys.len() > sort.expr().len() => {
            let full = SortExec::new(keys, Arc::clone(sort.input()));
            Arc::new(full.with_preserve_partitioning(sort.preserve_partitioning()))
        }
        _ => child,
    }
}

/// Rows that stand in the query itself.
fn is_values(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let source = plan.downcast_ref::<DataSourceExec>();
    source.is_some_and(|source| source.data_source().downcast_ref::<MemorySourceConfig>().is_some())
}

/// What stands below an operator that only gathers partitions.
fn ungathered(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    match plan.downcast_ref::<CoalescePartitionsExec>() {
        Some(coalesce) if coalesce.fetch().is_none() => coalesce.input(),
        _ => plan,
    }
}

fn whole(plan: Arc<dyn ExecutionPlan>) -> Placed {
    Placed { plan, whole: true }
}

fn spread(plan: Arc<dyn ExecutionPlan>) -> Placed {
    Placed { plan, whole: false }
}

/// Brings a spread output to one task, in its order where that is needed.
fn gather(child: Placed, ordered: bool) -> Result<Arc<dyn ExecutionPlan>> {
    if child.whole {
        let several = child.plan.output_partitioning().partition_count() > 1;
        return Ok(if several {
            Arc::new(CoalescePartitionsExec::new(child.plan))
        } else {
            child.plan
        });
    }
    let ordering = child.plan.output_ordering().cloned().filter(|_| ordered);
    Ok(Arc::new(match ordering {
        Some(ordering) => ExchangeExec::merge(child.plan, ordering, None)?,
        None => ExchangeExec::single(child.plan, None)?,
    }))
}

fn both(plan: &Arc<dyn ExecutionPlan>) -> Result<[&Arc<dyn ExecutionPlan>; 2]> {
    match plan.children()[..] {
        [left, right] => Ok([left, right]),
        _ => plan_err!("{} is not a join", plan.name()),
    }
}

fn rebuilt(plan: &Arc<dyn ExecutionPlan>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    plan.clone().replace_children(children, options)
}
