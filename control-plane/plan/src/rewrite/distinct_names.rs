//! Two of DataFusion's operators look a column up by its bare name where it may stand twice. They get names that stand once.
//!
//! ```text
//! Unnest                   Projection  (names as before)
//!   a.id, b.id, b.l   →      Unnest
//!                              Projection  (id#0, id#1, l)
//! ```
//! And group keys of one name keep their order, where DataFusion would put them into the order that a join above asks for.

use datafusion::arrow::datatypes::{Field, FieldRef, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::unnest::UnnestExec;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Runs before DataFusion's rules: an unnest states the order and partitioning of its input for columns that it finds by name.
#[derive(Debug)]
pub(crate) struct DistinctNames;

impl PhysicalOptimizerRule for DistinctNames {
    fn name(&self) -> &str {
        "mayfly_distinct_names"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let renamed = |plan: Arc<dyn ExecutionPlan>| {
            let renamed = plan.downcast_ref::<UnnestExec>().map(unnest).transpose()?.flatten();
            Ok(renamed.map_or_else(|| Transformed::no(plan), Transformed::yes))
        };
        plan.transform_up(renamed).data()
    }
}

fn unnest(unnest: &UnnestExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let input = unnest.input().schema();
    let mut places: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
    for (at, field) in input.fields().iter().enumerate() {
        places.entry(field.name()).or_default().push_back(at);
    }
    places.retain(|_, places| places.len() > 1);
    if places.is_empty() {
        return Ok(None);
    }
    let name = |at: usize, field: &FieldRef| match places.contains_key(field.name().as_str()) {
        true => format!("{}#{at}", field.name()),
        false => field.name().clone(),
    };
    let below: Vec<String> = input
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| name(at, field))
        .collect();
    // Columns that are not unnested come out in the order in which they go in.
    let mut places = places.clone();
    let mut name_above = |field: &FieldRef| match places.get_mut(field.name().as_str()).map(VecDeque::pop_front) {
        Some(Some(at)) => format!("{}#{at}", field.name()),
        _ => field.name().clone(),
    };
    let written = unnest.schema();
    let fields = written.fields().iter();
    let fields: Vec<Field> = fields
        .map(|field| field.as_ref().clone().with_name(name_above(field)))
        .collect();
    let inner = UnnestExec::new(
        named(unnest.input(), &below)?,
        unnest.list_column_indices().to_vec(),
        unnest.struct_column_indices().to_vec(),
        Arc::new(Schema::new_with_metadata(fields, written.metadata().clone())),
        unnest.options().clone(),
    )?;
    let names: Vec<String> = written.fields().iter().map(|field| field.name().clone()).collect();
    named(&(Arc::new(inner) as _), &names).map(Some)
}

/// The same columns under other names.
fn named(plan: &Arc<dyn ExecutionPlan>, names: &[String]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let column = |(at, name): (usize, &String)| {
        let column = Column::new(schema.field(at).name(), at);
        ProjectionExpr::new(Arc::new(column), name.clone())
    };
    let columns: Vec<ProjectionExpr> = names.iter().enumerate().map(column).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, Arc::clone(plan))?))
}

/// DataFusion's rule of that name, which finds reordered group keys by name: where two have one name, they stay as they are.
#[derive(Debug)]
pub(crate) struct Requirements;

impl PhysicalOptimizerRule for Requirements {
    fn name(&self) -> &str {
        "EnsureRequirements"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let mut config = config.clone();
        let repeats = plan.exists(|node| Ok(node.downcast_ref::<AggregateExec>().is_some_and(repeats_a_key)))?;
        config.optimizer.top_down_join_key_reordering &= !repeats;
        EnsureRequirements::new().optimize(plan, &config)
    }
}

fn repeats_a_key(aggregate: &AggregateExec) -> bool {
    let keys = aggregate.group_expr().expr();
    let mut names: Vec<&String> = keys.iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
