//! A catalog table as DataFusion's planner sees it: columns and statistics, and a scan leaf that is bound to files only when tasks
//! are made.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use mayfly_catalog::Table;
use mayfly_fragment::{Sample, SplitScanExec};
use mayfly_protocol::FileFormat;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The tables behind the scan leaves of one planning, by the leaves' ordinals.
#[derive(Debug, Default)]
pub(crate) struct Scans(Mutex<BTreeMap<u32, Arc<Table>>>);

impl Scans {
    fn add(&self, table: &Arc<Table>) -> u32 {
        let mut scans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scan = u32::try_from(scans.len()).unwrap_or(u32::MAX);
        scans.insert(scan, table.clone());
        scan
    }

    pub(crate) fn table(&self, scan: u32) -> Option<Arc<Table>> {
        let scans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        scans.get(&scan).cloned()
    }
}

/// One table, for one planning.
#[derive(Debug)]
pub(crate) struct LakeTable {
    table: Arc<Table>,
    /// The table's columns under lower-case names: identifiers resolve without regard to case.
    schema: SchemaRef,
    statistics: Arc<Statistics>,
    /// What of its rows there is, if not all.
    sample: Option<Sample>,
    scans: Arc<Scans>,
}

impl LakeTable {
    pub(crate) fn new(table: Arc<Table>, statistics: Arc<Statistics>, scans: Arc<Scans>) -> LakeTable {
        LakeTable {
            schema: lower_case(&scan_schema(&table)),
            statistics,
            table,
            sample: None,
            scans,
        }
    }

    /// The table as if a sample were all that it holds.
    pub(crate) fn sampled(&self, sample: Sample) -> LakeTable {
        LakeTable {
            table: self.table.clone(),
            schema: self.schema.clone(),
            statistics: Arc::new(of_share(self.statistics.as_ref().clone(), sample.share)),
            sample: Some(sample),
            scans: self.scans.clone(),
        }
    }

    /// The scan under the names that queries use, where these differ from the files'.
    fn renamed(&self, scan: SplitScanExec) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<usize> = scan.projection.clone();
        let same = columns
            .iter()
            .all(|&at| self.schema.field(at).name() == self.table.schema.field(at).name());
        if same {
            return Ok(Arc::new(scan));
        }
        let renamed = |(out, &at): (usize, &usize)| ProjectionExpr {
            expr: Arc::new(Column::new(self.table.schema.field(at).name(), out)),
            alias: self.schema.field(at).name().clone(),
        };
        let expressions: Vec<ProjectionExpr> = columns.iter().enumerate().map(renamed).collect();
        Ok(Arc::new(ProjectionExec::try_new(expressions, Arc::new(scan))?))
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics.as_ref().clone())
    }

    /// Filters are not taken here: the physical optimizer hands them to the leaf, which remembers them for pruning.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = self.scans.add(&self.table);
        let name = self.table.name.to_string();
        let leaf = SplitScanExec::new(scan, name, scan_schema(&self.table), projection.cloned())?
            .with_files(self.table.format.clone(), self.table.partition_columns)
            .with_sample(self.sample)
            .with_limit(limit)
            .with_statistics(self.statistics.as_ref().clone())
            .with_partitions(state.config().target_partitions())?;
        self.renamed(leaf)
    }
}

/// Statistics of a share of the rows.
fn of_share(whole: Statistics, share: f64) -> Statistics {
    let mut part = whole.to_inexact();
    let shared = |count: usize| (count as f64 * share).ceil() as usize;
    part.num_rows = part.num_rows.map(shared);
    part.total_byte_size = part.total_byte_size.map(shared);
    part
}

/// The table's columns as a scan yields them. Texts of Parquet are views into its pages: filtering and comparing them copies nothing.
pub(crate) fn scan_schema(table: &Table) -> SchemaRef {
    if table.format != FileFormat::Parquet {
        return table.schema.clone();
    }
    let (held, folders) = table
        .schema
        .fields()
        .split_at(table.schema.fields().len() - table.partition_columns);
    let viewed = viewed(&Schema::new(held.to_vec()));
    let columns = viewed.fields().iter().chain(folders).cloned();
    Arc::new(Schema::new(columns.collect::<Vec<_>>()))
}

/// Columns of a Parquet file as a scan yields them.
pub(crate) fn viewed(columns: &Schema) -> Schema {
    let viewed = |field: &Arc<Field>| {
        let data_type = match field.data_type() {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            other => other.clone(),
        };
        field.as_ref().clone().with_data_type(data_type)
    };
    Schema::new(columns.fields().iter().map(viewed).collect::<Vec<_>>())
}

/// Lower-case names, unless two columns differ only in case: then each needs its own spelling.
pub(crate) fn lower_case(schema: &SchemaRef) -> SchemaRef {
    let lower = |field: &Arc<Field>| field.as_ref().clone().with_name(field.name().to_lowercase());
    let fields: Vec<Field> = schema.fields().iter().map(lower).collect();
    let names: std::collections::BTreeSet<&String> = fields.iter().map(Field::name).collect();
    if names.len() == fields.len() {
        Arc::new(Schema::new(fields))
    } else {
        schema.clone()
    }
}
