//! The same query on the same files by DataFusion in one process, with Mayfly's values and without a cut. And how two answers are compared.

use crate::world::{DATA, World};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use std::sync::Arc;

/// DataFusion over the world's tables.
pub async fn context(world: &World, tables: &[&str]) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().execution.parquet.schema_force_view_types = false;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let context = mayfly_plan::in_process::context(config);
    let url = format!("s3://{DATA}").parse().unwrap();
    context.register_object_store(&url, world.store.object_store(DATA));
    for table in tables {
        let url = format!("s3://{DATA}/{table}/");
        context
            .register_parquet(*table, &url, ParquetReadOptions::default())
            .await
            .unwrap();
    }
    context
}

pub async fn answer(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    let sql = sql.trim().trim_end_matches(';');
    try_answer(context, sql).await.unwrap()
}

/// As [`answer`], for queries that DataFusion may refuse itself.
pub async fn try_answer(context: &SessionContext, sql: &str) -> datafusion::common::Result<Vec<RecordBatch>> {
    mayfly_plan::in_process::frame(context, sql).await?.collect().await
}

/// Rows as text. Sorted unless the query orders them; floating point numbers to nine digits, since sums differ in their last bits
/// with the order of addition.
pub fn rows(batches: &[RecordBatch], ordered: bool) -> Vec<String> {
    let mut rows: Vec<String> = batches.iter().flat_map(batch_rows).collect();
    if !ordered {
        rows.sort();
    }
    rows
}

fn batch_rows(batch: &RecordBatch) -> Vec<String> {
    let columns: Vec<Vec<String>> = batch.columns().iter().map(cells).collect();
    let row = |at: usize| {
        columns
            .iter()
            .map(|column| column[at].clone())
            .collect::<Vec<_>>()
            .join(" | ")
    };
    (0..batch.num_rows()).map(row).collect()
}

fn cells(column: &Arc<dyn Array>) -> Vec<String> {
    if column.data_type() == &DataType::Float64 {
        let floats = column.as_primitive::<Float64Type>();
        return floats
            .iter()
            .map(|cell| cell.map_or("null".to_owned(), |cell| format!("{cell:.9e}")))
            .collect();
    }
    let format = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default().with_null("null")).unwrap();
    (0..column.len()).map(|at| format.value(at).to_string()).collect()
}
