//! The plan taken apart at its exchanges, with the number of tasks of each part.
//!
//! A boundary between two parts of one task each is closed again: the data stays in the task. HASH inputs of one consumer stay or
//! go together: what an exchange and what a local repartition hashed lies in different local partitions.

use super::prune::PrunedScans;
use super::size::Sizing;
use super::subquery::{Scope, Scopes};
use crate::estimate;
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use mayfly_fragment::{ExchangeExec, SplitScanExec};
use mayfly_protocol::ExchangeKind;
use mayfly_protocol::limits::BROADCAST_OBJECTS_MAX;
use std::sync::Arc;

/// One part: a stage to be.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Has one [`ExchangeExec`] for each producer, in this order from left to right. What stands below them is not this part's.
    pub plan: Arc<dyn ExecutionPlan>,
    pub tasks: u32,
    pub producers: Vec<Draft>,
    /// The scalar subqueries whose values the plan's expressions may read.
    pub scope: Option<usize>,
}

/// All parts of a query.
#[derive(Debug)]
pub(crate) struct Drafts {
    pub root: Draft,
    pub scopes: Scopes,
}

/// Takes the plan apart.
pub(crate) fn draft(plan: &Arc<dyn ExecutionPlan>, pruned: &PrunedScans, sizing: Sizing) -> Result<Drafts> {
    let mut drafter = Drafter {
        pruned,
        sizing,
        scopes: Scopes::default(),
    };
    let root = drafter.part(plan, None)?;
    Ok(Drafts {
        root,
        scopes: drafter.scopes,
    })
}

/// A plan that one task runs as it is.
pub(crate) fn one(plan: &Arc<dyn ExecutionPlan>) -> Drafts {
    Drafts {
        root: Draft {
            plan: plan.clone(),
            tasks: 1,
            producers: Vec::new(),
            scope: None,
        },
        scopes: Scopes::default(),
    }
}

struct Drafter<'a> {
    pruned: &'a PrunedScans,
    sizing: Sizing,
    scopes: Scopes,
}

/// What is found on the way through one part.
#[derive(Default)]
struct Found {
    producers: Vec<Draft>,
    scope: Option<usize>,
    /// Widest scan; `None` when the part scans nothing.
    scan_tasks: Option<u32>,
    /// Bytes that tasks share through HASH and ROUND_ROBIN exchanges; `None` when there is no such input.
    shared_bytes: Option<u64>,
    /// Something that only one task may have: a SINGLE input, a row out of nothing.
    single: bool,
}

impl Found {
    fn tasks(&self, sizing: Sizing) -> u32 {
        let shared = self.shared_bytes.map(|bytes| sizing.exchange_tasks(bytes));
        match (self.single, self.scan_tasks.max(shared)) {
            (false, Some(tasks)) => tasks,
            _ => 1,
        }
    }
}

impl Drafter<'_> {
    fn part(&mut self, plan: &Arc<dyn ExecutionPlan>, scope: Option<usize>) -> Result<Draft> {
        let mut found = Found {
            scope,
            ..Found::default()
        };
        let plan = self.walk(plan, &mut found)?;
        let draft = Draft {
            plan,
            tasks: found.tasks(self.sizing),
            producers: found.producers,
            scope: found.scope,
        };
        close_boundaries(draft)
    }

    fn walk(&mut self, plan: &Arc<dyn ExecutionPlan>, found: &mut Found) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(exchange) = plan.downcast_ref::<ExchangeExec>() {
            self.boundary(exchange, found)?;
            return Ok(plan.clone());
        }
        if let Some(subqueries) = plan.downcast_ref::<ScalarSubqueryExec>() {
            found.scope = Some(self.scope(subqueries)?);
            return self.walk(subqueries.input(), found);
        }
        if plan.downcast_ref::<SplitScanExec>().is_some() {
            let tasks = self.sizing.widest_scan(plan, self.pruned)?;
            found.scan_tasks = found.scan_tasks.max(Some(tasks));
        } else if plan.children().is_empty() && plan.name() != "EmptyExec" {
            found.single = true;
        }
        let children = plan.children().into_iter().map(|child| self.walk(child, found));
        let children: Vec<_> = children.collect::<Result<_>>()?;
        with_children(plan, children)
    }

    fn boundary(&mut self, exchange: &ExchangeExec, found: &mut Found) -> Result<()> {
        let producer = self.part(&exchange.input, found.scope)?;
        match exchange.kind {
            ExchangeKind::Hash | ExchangeKind::RoundRobin => {
                let bytes = estimate::exchange_bytes(&exchange.input);
                found.shared_bytes = Some(found.shared_bytes.unwrap_or(0).saturating_add(bytes));
            }
            ExchangeKind::Single => found.single = true,
            ExchangeKind::Broadcast => {}
            ExchangeKind::Result => return internal_err!("a result is no boundary"),
        }
        let producer = match exchange.kind {
            ExchangeKind::Broadcast => few_objects(producer)?,
            _ => producer,
        };
        found.producers.push(producer);
        Ok(())
    }

    fn scope(&mut self, node: &ScalarSubqueryExec) -> Result<usize> {
        let mut producers = Vec::new();
        for subquery in node.subqueries() {
            let Some(exchange) = subquery.plan.downcast_ref::<ExchangeExec>() else {
                return internal_err!("a scalar subquery is not broadcast");
            };
            let producer = self.part(&exchange.input, None)?;
            producers.push((exchange.clone(), producer));
        }
        Ok(self.scopes.add(Scope::new(node.results().clone(), producers)))
    }
}

/// Every reader of a broadcast reads all its objects: many go through one task first.
fn few_objects(producer: Draft) -> Result<Draft> {
    if producer.tasks <= BROADCAST_OBJECTS_MAX {
        return Ok(producer);
    }
    Ok(Draft {
        plan: Arc::new(ExchangeExec::single(producer.plan.clone(), None)?),
        tasks: 1,
        scope: producer.scope,
        producers: vec![producer],
    })
}

fn close_boundaries(draft: Draft) -> Result<Draft> {
    if draft.tasks > 1 {
        return Ok(draft);
    }
    let kinds = kinds(&draft.plan);
    let shares = |kind: &ExchangeKind| matches!(kind, ExchangeKind::Hash | ExchangeKind::RoundRobin);
    let all_shares_close = kinds
        .iter()
        .zip(&draft.producers)
        .all(|(kind, producer)| !shares(kind) || producer.tasks == 1);
    let closes: Vec<bool> = kinds
        .iter()
        .zip(&draft.producers)
        .map(|(kind, producer)| producer.tasks == 1 && (!shares(kind) || all_shares_close))
        .collect();
    merge(draft, &closes)
}

/// Takes the producers for which `closes` holds into the consumer.
fn merge(draft: Draft, closes: &[bool]) -> Result<Draft> {
    let mut producers = Vec::new();
    let mut below = Vec::new();
    let mut scope = draft.scope;
    for (producer, closes) in draft.producers.into_iter().zip(closes) {
        if *closes {
            scope = scope.or(producer.scope);
            below.push(Some(producer.plan));
            producers.extend(producer.producers);
        } else {
            below.push(None);
            producers.push(producer);
        }
    }
    let mut below = below.into_iter();
    let plan = replace_exchanges(&draft.plan, &mut |exchange| match below.next().flatten() {
        Some(input) => local(exchange, input).map(Some),
        None => Ok(None),
    })?;
    Ok(Draft {
        plan,
        tasks: draft.tasks,
        producers,
        scope,
    })
}

/// The operator that does within one task what the exchange did between two.
fn local(exchange: &ExchangeExec, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let fetch = exchange.fetch;
    let several = input.properties().partitioning.partition_count() > 1;
    Ok(match (exchange.kind, &exchange.ordering) {
        (ExchangeKind::Hash, _) => {
            let partitioning = Partitioning::Hash(exchange.keys.clone(), exchange.partitions);
            Arc::new(RepartitionExec::try_new(input, partitioning)?)
        }
        (ExchangeKind::RoundRobin, _) => input,
        (_, Some(ordering)) if several || fetch.is_some() => {
            Arc::new(SortPreservingMergeExec::new(ordering.clone(), input).with_fetch(fetch))
        }
        (_, None) if several || fetch.is_some() => Arc::new(CoalescePartitionsExec::new(input).with_fetch(fetch)),
        _ => input,
    })
}

fn kinds(plan: &Arc<dyn ExecutionPlan>) -> Vec<ExchangeKind> {
    match plan.downcast_ref::<ExchangeExec>() {
        Some(exchange) => vec![exchange.kind],
        None => plan.children().into_iter().flat_map(kinds).collect(),
    }
}

/// Visits the part's exchanges from left to right and puts what `replace` returns in their place.
pub(super) fn replace_exchanges(
    plan: &Arc<dyn ExecutionPlan>,
    replace: &mut dyn FnMut(&ExchangeExec) -> Result<Option<Arc<dyn ExecutionPlan>>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(exchange) = plan.downcast_ref::<ExchangeExec>() {
        return Ok(replace(exchange)?.unwrap_or_else(|| plan.clone()));
    }
    let mut children = Vec::new();
    for child in plan.children() {
        children.push(replace_exchanges(child, replace)?);
    }
    with_children(plan, children)
}

/// The operator over other children; itself when they are the same.
pub(crate) fn with_children(
    plan: &Arc<dyn ExecutionPlan>,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let same = plan
        .children()
        .into_iter()
        .zip(&children)
        .all(|(old, new)| Arc::ptr_eq(old, new));
    if same {
        return Ok(plan.clone());
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    plan.clone().replace_children(children, options)
}
