//! TABLESAMPLE of the bound plan. A table is scanned in part; of anything else each row is kept by chance.
//!
//! ```text
//! Filter("table sample"(…))   →   TableScan(t, sample)        Filter("table sample"(…))   →   Filter(random() < share)
//!   TableScan(t)                                                SubqueryAlias(view)             SubqueryAlias(view)
//! ```

use crate::error;
use crate::provider::LakeTable;
use crate::sql::{Marked, SAMPLE_MARK};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, ScalarUDF, TableScan, lit};
use mayfly_fragment::{Sample, SampleUnit};
use mayfly_protocol::{EpochMs, QueryError};
use std::sync::Arc;

/// `random`: the function, as tasks know it. Without REPEATABLE the time of the query is the seed.
pub(crate) fn rewrite(
    plan: LogicalPlan,
    random: &Arc<ScalarUDF>,
    now: EpochMs,
) -> std::result::Result<LogicalPlan, QueryError> {
    let rewritten = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) => match marked(&filter.predicate) {
            Some(marked) => sampled(filter, marked, random, now).map(Transformed::yes),
            None => Ok(Transformed::no(LogicalPlan::Filter(filter))),
        },
        node => Ok(Transformed::no(node)),
    });
    rewritten.map(|plan| plan.data).map_err(error::from_datafusion)
}

fn marked(predicate: &Expr) -> Option<Marked> {
    match predicate {
        Expr::ScalarFunction(call) if call.name() == SAMPLE_MARK => match call.args.first() {
            Some(Expr::Literal(text, _)) => text.try_as_str().flatten().and_then(Marked::read),
            _ => None,
        },
        _ => None,
    }
}

fn sampled(filter: Filter, marked: Marked, random: &Arc<ScalarUDF>, now: EpochMs) -> Result<LogicalPlan> {
    if let Some(scan) = of_table(&filter.input, marked, now)? {
        return Ok(LogicalPlan::TableScan(scan));
    }
    let what = match (marked.unit, marked.seed) {
        (SampleUnit::Row, None) => None,
        (SampleUnit::Block, _) => Some("TABLESAMPLE SYSTEM"),
        (SampleUnit::Row, Some(_)) => Some("TABLESAMPLE … REPEATABLE"),
    };
    if let Some(what) = what {
        let text = format!("{what} of anything but a table is not supported");
        let error = error::not_supported(text).hint("sample the tables within");
        return Err(DataFusionError::External(Box::new(error)));
    }
    let kept = random.call(Vec::new()).lt(lit(marked.share));
    Ok(LogicalPlan::Filter(Filter::try_new(kept, filter.input)?))
}

fn of_table(plan: &LogicalPlan, marked: Marked, now: EpochMs) -> Result<Option<TableScan>> {
    let LogicalPlan::TableScan(scan) = plan else {
        return Ok(None);
    };
    let provider = source_as_provider(&scan.source)?;
    let Some(table) = provider.downcast_ref::<LakeTable>() else {
        return Ok(None);
    };
    let sample = Sample {
        unit: marked.unit,
        share: marked.share,
        seed: marked.seed.unwrap_or(now.0.wrapping_add(marked.number << 48)),
    };
    let mut scan = scan.clone();
    scan.source = provider_as_source(Arc::new(table.sampled(sample)));
    Ok(Some(scan))
}
