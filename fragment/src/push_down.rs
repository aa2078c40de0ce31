//! Filters go down to the scans, by the positions of their columns.
//!
//! DataFusion's rule of the same purpose finds a filter's columns in the operator below by their bare names. Where two inputs of a join
//! both have a column `id`, it hands the filter on the one to the other, and rows are lost. Here a column is where it stands: `route`
//! says for each operator what its columns are in its inputs. What an operator adds by itself (a join's dynamic filter, a top-k's
//! threshold) and what it does with the answer stays DataFusion's.

mod route;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterPushdownResult, ChildPushdownResult, FilterPushdownPhase, PushedDown, PushedDownPredicate,
};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use route::Route;
use std::sync::Arc;

type Expr = Arc<dyn PhysicalExpr>;
type Plan = Arc<dyn ExecutionPlan>;

/// Stands in for DataFusion's `FilterPushdown`.
#[derive(Clone, Debug)]
pub struct PushDown(FilterPushdownPhase);

impl PushDown {
    /// Filters that stand in the query.
    pub fn written() -> PushDown {
        PushDown(FilterPushdownPhase::Pre)
    }

    /// Filters that operators make while they run.
    pub fn dynamic() -> PushDown {
        PushDown(FilterPushdownPhase::Post)
    }
}

impl PhysicalOptimizerRule for PushDown {
    fn name(&self) -> &str {
        match self.0 {
            FilterPushdownPhase::Pre => "FilterPushdown",
            FilterPushdownPhase::Post => "FilterPushdown(Post)",
        }
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Plan, config: &ConfigOptions) -> Result<Plan> {
        let pusher = Pusher { phase: self.0, config };
        Ok(pusher.push(&plan, &[])?.plan)
    }
}

struct Pusher<'a> {
    phase: FilterPushdownPhase,
    config: &'a ConfigOptions,
}

/// An operator with filters below it, and which of those from above it has taken care of.
struct Pushed {
    plan: Plan,
    taken: Vec<PushedDown>,
}

impl Pusher<'_> {
    fn push(&self, plan: &Plan, filters: &[Expr]) -> Result<Pushed> {
        let routes = route::routes(plan, self.phase)?;
        // Without a filter from above it says only what it adds itself.
        let own = plan.gather_filters_for_pushdown(self.phase, Vec::new(), self.config)?;
        let mut from_above: Vec<Vec<PushedDown>> = vec![Vec::new(); filters.len()];
        let mut own_answers = Vec::new();
        let mut children = Vec::new();
        for ((child, route), own) in plan.children().into_iter().zip(&routes).zip(own.self_filters()) {
            let restated = filters.iter().map(|filter| restated(filter, route.as_ref()));
            let offers = own.iter().map(movable).map(Ok).chain(restated);
            let (child, answers) = self.offer(child, offers.collect::<Result<_>>()?)?;
            let (answers_own, answers_above) = answers.split_at(own.len());
            from_above
                .iter_mut()
                .zip(answers_above)
                .for_each(|(all, answer)| all.push(*answer));
            own_answers.push(answered(own, answers_own));
            children.push(child);
        }
        self.settle(over(plan, children)?, filters, from_above, own_answers)
    }

    /// Hands a child those filters that can be said in its columns; the others are not taken.
    fn offer(&self, child: &Plan, offers: Vec<Option<Expr>>) -> Result<(Plan, Vec<PushedDown>)> {
        let sent: Vec<Expr> = offers.iter().flatten().cloned().collect();
        let pushed = self.push(child, &sent)?;
        let mut taken = pushed.taken.into_iter();
        let answer = |offer: &Option<Expr>| offer.as_ref().and_then(|_| taken.next()).unwrap_or(PushedDown::No);
        Ok((pushed.plan, offers.iter().map(answer).collect()))
    }

    /// The operator learns what became of its filters and of those from above.
    fn settle(
        &self,
        plan: Plan,
        filters: &[Expr],
        from_above: Vec<Vec<PushedDown>>,
        self_filters: Vec<Vec<PushedDownPredicate>>,
    ) -> Result<Pushed> {
        // Such a filter would look for their columns by name.
        let is_aside = self.absorbs_by_name(&plan);
        let of_above = filters.iter().zip(from_above).filter(|_| !is_aside);
        let parent_filters = of_above.map(|(filter, child_results)| ChildFilterPushdownResult {
            filter: Arc::clone(filter),
            child_results,
        });
        let result = ChildPushdownResult {
            parent_filters: parent_filters.collect(),
            self_filters,
        };
        let settled = plan.handle_child_pushdown_result(self.phase, result, self.config)?;
        let taken = match is_aside {
            true => vec![PushedDown::No; filters.len()],
            false => settled.filters,
        };
        Ok(Pushed {
            plan: settled.updated_node.unwrap_or(plan),
            taken,
        })
    }

    fn absorbs_by_name(&self, plan: &Plan) -> bool {
        let filter = plan.downcast_ref::<FilterExec>();
        matches!(self.phase, FilterPushdownPhase::Pre) && filter.is_some_and(|filter| filter.projection().is_some())
    }
}

/// What yields another value each time it is asked stays where it is.
fn movable(filter: &Expr) -> Option<Expr> {
    (!holds_volatile(filter)).then(|| Arc::clone(filter))
}

fn holds_volatile(expr: &Expr) -> bool {
    is_volatile(expr) || expr.children().into_iter().any(holds_volatile)
}

fn restated(filter: &Expr, route: Option<&Route>) -> Result<Option<Expr>> {
    let Some(route) = route.filter(|_| !holds_volatile(filter)) else {
        return Ok(None);
    };
    let restated = route.restate(filter)?;
    Ok(restated.as_ref().and_then(movable))
}

fn answered(filters: Vec<Expr>, answers: &[PushedDown]) -> Vec<PushedDownPredicate> {
    let pairs = filters.into_iter().zip(answers);
    pairs.map(|(filter, answer)| answer.wrap_expression(filter)).collect()
}

fn over(plan: &Plan, children: Vec<Plan>) -> Result<Plan> {
    let mut pairs = plan.children().into_iter().zip(&children);
    if pairs.all(|(old, new)| Arc::ptr_eq(old, new)) {
        return Ok(Arc::clone(plan));
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(plan).replace_children(children, options)
}

#[cfg(test)]
mod tests;
