//! The oracle: DataFusion with its default options and Mayfly's values, in process, on the same files.

use crate::table::Table;
use crate::tpch::TABLES;
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields, Schema};
use datafusion::common::Result;
use datafusion::physical_plan::collect;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use mayfly_plan::in_process;
use std::path::Path;
use std::sync::Arc;

/// A context in which every table of `folder` is registered under its plain name.
pub async fn context(folder: &Path, partitions: usize) -> SessionContext {
    let context = in_process::context(SessionConfig::new().with_target_partitions(partitions));
    for table in TABLES {
        let path = folder.join(table);
        let path = format!("{}/", path.to_str().expect("the path is UTF-8"));
        context
            .register_parquet(table, path, ParquetReadOptions::default())
            .await
            .expect("the table reads");
    }
    context
}

pub async fn answer(context: &SessionContext, sql: &str) -> Table {
    let answer = try_answer(context, sql).await;
    answer.unwrap_or_else(|error| panic!("the oracle answers {sql}: {error}"))
}

/// What DataFusion says, which may be that it cannot. Types are those of the optimized plan, but for the precision of decimals, which the
/// optimizer may widen.
pub async fn try_answer(context: &SessionContext, sql: &str) -> Result<Table> {
    let frame = in_process::frame(context, sql).await?;
    let (state, logical) = (context.state(), frame.logical_plan().clone());
    let options = state.config_options();
    let coerced = state.analyzer().execute_and_check(logical, options, |_, _| {})?;
    let tasks = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    let schema = plan.schema();
    let fields = schema.fields().iter().zip(coerced.schema().fields());
    let fields: Fields = fields.map(|(found, coerced)| narrowed(found, coerced)).collect();
    Ok(Table::from_batches(
        &Arc::new(Schema::new(fields)),
        &collect(plan, tasks).await?,
    ))
}

fn narrowed(found: &FieldRef, coerced: &FieldRef) -> FieldRef {
    match (found.data_type(), coerced.data_type()) {
        (
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale),
            DataType::Decimal128(_, same) | DataType::Decimal256(_, same),
        ) if scale == same => Arc::clone(coerced),
        _ => Arc::clone(found),
    }
}
