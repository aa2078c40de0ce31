//! Two small tables, as batches for the oracle and as [`SplitScanExec`] leaves for plans, and SQL planned over either.

use datafusion::arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, Statistics};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use mayfly_fragment::{SplitScanExec, session_config, session_state_builder};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const TABLES: [&str; 2] = ["sales", "shops"];

/// Rows of `sales`; `shops` has [`SHOPS`].
pub const SALES: i64 = 30_000;
pub const SHOPS: i32 = 40;

/// `sales` is sorted by `id`, and `shop` grows with it, so that row groups hold few shops each.
pub fn batch(table: &str) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef, bool)> = match table {
        "sales" => {
            let shop = |id: i64| (id * i64::from(SHOPS) / SALES) as i32;
            let note = |id: i64| (id % 7 != 0).then(|| format!("note {}", id % 100));
            let price = Decimal128Array::from_iter_values((0..SALES).map(|id| i128::from(id * 37 % 10_000)));
            let price = price.with_precision_and_scale(12, 2).expect("small numbers fit");
            vec![
                ("id", Arc::new(Int64Array::from_iter_values(0..SALES)), false),
                (
                    "shop",
                    Arc::new(Int32Array::from_iter_values((0..SALES).map(shop))),
                    false,
                ),
                ("price", Arc::new(price), false),
                (
                    "day",
                    Arc::new(Date32Array::from_iter_values(
                        (0..SALES).map(|id| 19_000 + (id % 365) as i32),
                    )),
                    false,
                ),
                ("note", Arc::new(StringArray::from_iter((0..SALES).map(note))), true),
            ]
        }
        "shops" => {
            let name = |shop: i32| format!("shop {shop}");
            let region = |shop: i32| ["north", "south", "east"][(shop % 3) as usize];
            vec![
                ("shop", Arc::new(Int32Array::from_iter_values(0..SHOPS)), false),
                (
                    "name",
                    Arc::new(StringArray::from_iter_values((0..SHOPS).map(name))),
                    false,
                ),
                (
                    "region",
                    Arc::new(StringArray::from_iter_values((0..SHOPS).map(region))),
                    false,
                ),
            ]
        }
        other => panic!("no table {other}"),
    };
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns are equally long")
}

/// A table whose scans are leaves of ours.
#[derive(Debug)]
struct SplitTable {
    name: &'static str,
    schema: SchemaRef,
}

#[async_trait::async_trait]
impl TableProvider for SplitTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = DFSchema::try_from(self.schema.as_ref().clone())?;
        let filters = filters
            .iter()
            .map(|filter| session.create_physical_expr(filter.clone(), &schema));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        let scan = SplitScanExec::new(0, self.name, self.schema(), projection.cloned())?;
        Ok(Arc::new(
            scan.with_filters(filters)
                .with_limit(limit)
                .with_statistics(statistics(self.name)),
        ))
    }
}

/// As a catalog knows them from footers.
fn statistics(table: &str) -> Statistics {
    let rows = batch(table);
    Statistics {
        num_rows: Precision::Exact(rows.num_rows()),
        total_byte_size: Precision::Exact(rows.get_array_memory_size()),
        ..Statistics::new_unknown(&rows.schema())
    }
}

/// A session whose tables scan splits.
pub fn planner(settings: &[(&str, &str)]) -> SessionContext {
    let settings: BTreeMap<String, String> = settings
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let config = session_config(&settings).expect("settings are known");
    let context = SessionContext::new_with_state(session_state_builder(config).build());
    for name in TABLES {
        let table = SplitTable {
            name,
            schema: batch(name).schema(),
        };
        context.register_table(name, Arc::new(table)).expect("names are new");
    }
    context
}

/// Plans a query; scans are numbered in the order of the plan.
pub async fn plan(context: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
    let planned = context
        .sql(sql)
        .await
        .expect("valid SQL")
        .create_physical_plan()
        .await
        .expect("a plan");
    let mut next = 0;
    let number = |node: Arc<dyn ExecutionPlan>| {
        let Some(scan) = node.downcast_ref::<SplitScanExec>() else {
            return Ok(Transformed::no(node));
        };
        let numbered = scan.clone().with_scan(next);
        next += 1;
        Ok(Transformed::yes(Arc::new(numbered) as Arc<dyn ExecutionPlan>))
    };
    planned.transform_up(number).data().expect("numbering cannot fail")
}
