//! TPC-H in memory, with the statistics that its files would have.

use super::among;
use arrow::array::Array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::optimizer::optimizer::Optimizer;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::collections::HashSet;
use std::sync::Arc;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow, SupplierArrow,
};

const SCALE: f64 = 0.01;

/// Texts of more different values have no count, as in files.
const TEXTS_MAX: usize = 200;

pub struct Database(Vec<(&'static str, Arc<Known>)>);

/// A table with the statistics that it is told to have.
#[derive(Debug)]
struct Known {
    rows: MemTable,
    statistics: Statistics,
}

#[async_trait]
impl TableProvider for Known {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics.clone())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.rows.scan(state, projection, filters, limit).await
    }
}

macro_rules! table {
    ($arrow:ident, $generator:ident) => {
        $arrow::new($generator::new(SCALE, 1, 1))
            .collect::<std::result::Result<Vec<_>, _>>()
            .unwrap()
    };
}

impl Database {
    /// The eight tables, and one called `unknown`, which does not know how long it is.
    pub fn tpch() -> Database {
        let tables = [
            ("region", table!(RegionArrow, RegionGenerator)),
            ("nation", table!(NationArrow, NationGenerator)),
            ("supplier", table!(SupplierArrow, SupplierGenerator)),
            ("part", table!(PartArrow, PartGenerator)),
            ("partsupp", table!(PartSuppArrow, PartSuppGenerator)),
            ("customer", table!(CustomerArrow, CustomerGenerator)),
            ("orders", table!(OrderArrow, OrderGenerator)),
            ("lineitem", table!(LineItemArrow, LineItemGenerator)),
        ];
        let mut tables: Vec<_> = tables
            .into_iter()
            .map(|(name, batches)| (name, known(batches)))
            .collect();
        let keys = Arc::new(Schema::new(vec![Field::new("u_key", DataType::Int64, true)]));
        let unknown = Known {
            statistics: Statistics::new_unknown(&keys),
            rows: MemTable::try_new(keys, vec![vec![]]).unwrap(),
        };
        tables.push(("unknown", Arc::new(unknown)));
        Database(tables)
    }

    /// A session in which the rule runs, or does not.
    pub fn state(&self, with_rule: bool) -> SessionState {
        let rules = Optimizer::new().rules;
        let rules = if with_rule { among(rules) } else { rules };
        let config = SessionConfig::new().with_target_partitions(2);
        let builder = SessionStateBuilder::new().with_config(config).with_default_features();
        let context = SessionContext::new_with_state(builder.with_optimizer_rules(rules).build());
        for (name, table) in &self.0 {
            context.register_table(*name, table.clone()).unwrap();
        }
        context.state()
    }

    pub async fn optimized(&self, sql: &str, with_rule: bool) -> LogicalPlan {
        let state = self.state(with_rule);
        let plan = state
            .create_logical_plan(sql.trim().trim_end_matches(';'))
            .await
            .unwrap();
        state.optimize(&plan).unwrap()
    }

    /// The rows as text, sorted, and how many rows its joins yielded in all.
    pub async fn answer(&self, sql: &str, with_rule: bool) -> (Vec<String>, usize) {
        let state = self.state(with_rule);
        let plan = self.optimized(sql, with_rule).await;
        let plan = state.query_planner().create_physical_plan(&plan, &state).await.unwrap();
        let batches = collect(plan.clone(), state.task_ctx()).await.unwrap();
        let text = arrow::util::pretty::pretty_format_batches(&batches)
            .unwrap()
            .to_string();
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort();
        (rows, joined_rows(&plan))
    }
}

fn known(batches: Vec<RecordBatch>) -> Arc<Known> {
    let whole = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    let columns = whole.columns().iter().map(|column| column_statistics(column.as_ref()));
    Arc::new(Known {
        statistics: Statistics {
            num_rows: Precision::Exact(whole.num_rows()),
            total_byte_size: Precision::Absent,
            column_statistics: columns.collect(),
        },
        rows: MemTable::try_new(whole.schema(), vec![vec![whole]]).unwrap(),
    })
}

fn column_statistics(column: &dyn Array) -> ColumnStatistics {
    let values = (0..column.len()).map(|at| ScalarValue::try_from_array(column, at).unwrap());
    let unknown = ColumnStatistics::new_unknown();
    if matches!(column.data_type(), DataType::Utf8 | DataType::Utf8View) {
        let distinct = values.collect::<HashSet<_>>().len();
        let counted = (distinct <= TEXTS_MAX).then_some(Precision::Inexact(distinct));
        return ColumnStatistics {
            distinct_count: counted.unwrap_or(Precision::Absent),
            ..unknown
        };
    }
    let (least, greatest) = values.fold((None, None), |(least, greatest): (Option<_>, Option<_>), value| {
        let least = least.filter(|least| *least <= value).unwrap_or_else(|| value.clone());
        let greatest = greatest.filter(|greatest| *greatest >= value).unwrap_or(value);
        (Some(least), Some(greatest))
    });
    ColumnStatistics {
        min_value: least.map_or(Precision::Absent, Precision::Exact),
        max_value: greatest.map_or(Precision::Absent, Precision::Exact),
        ..unknown
    }
}

fn joined_rows(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = match plan.downcast_ref::<HashJoinExec>() {
        Some(join) => join.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or(0),
        None => 0,
    };
    own + plan.children().into_iter().map(joined_rows).sum::<usize>()
}

/// `(lineitem ⋈ (orders ⋈ customer))`; joins of other kinds with the kind's name.
pub fn joins(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::TableScan(scan) => scan.table_name.to_string(),
        LogicalPlan::Join(join) => {
            let kind = match join.join_type {
                datafusion::common::JoinType::Inner => "⋈".to_owned(),
                other => other.to_string(),
            };
            format!("({} {kind} {})", joins(&join.left), joins(&join.right))
        }
        other => other.inputs().into_iter().map(joins).collect::<Vec<_>>().join(", "),
    }
}

/// The 22 queries of TPC-H, by number.
pub fn tpch_queries() -> Vec<(u32, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sql/tpch");
    let read = |number| std::fs::read_to_string(format!("{folder}/q{number:02}.sql")).unwrap();
    (1..=22).map(|number| (number, read(number))).collect()
}

/// The query with the tables of each FROM in reverse.
pub fn reversed(sql: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut tables: Option<Vec<String>> = None;
    for line in sql.lines() {
        let is_table = |line: &str| line.trim().trim_end_matches(',').split(' ').count() <= 2 && !line.contains('(');
        match &mut tables {
            Some(found) if is_table(line) && !ends_from(line) => found.push(line.trim_end_matches(',').to_owned()),
            _ => {
                lines.extend(tables.take().into_iter().flat_map(listed));
                lines.push(line.to_owned());
            }
        }
        if line.trim() == "from" {
            tables = Some(Vec::new());
        }
    }
    lines.join("\n")
}

fn ends_from(line: &str) -> bool {
    ["where", "group by", "order by", ")"]
        .iter()
        .any(|word| line.trim().starts_with(word))
}

fn listed(mut tables: Vec<String>) -> Vec<String> {
    tables.reverse();
    let last = tables.len().saturating_sub(1);
    let line = |(at, table): (usize, String)| if at < last { format!("{table},") } else { table };
    tables.into_iter().enumerate().map(line).collect()
}
