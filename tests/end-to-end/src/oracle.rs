//! The oracle: DataFusion with its default options, in process, on the same files.

use crate::table::Table;
use crate::tpch::TABLES;
use datafusion::common::Result;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use std::path::Path;

/// A context in which every table of `folder` is registered under its plain name.
pub async fn context(folder: &Path, partitions: usize) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
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

/// What DataFusion says, which may be that it cannot.
pub async fn try_answer(context: &SessionContext, sql: &str) -> Result<Table> {
    let frame = context.sql(sql).await?;
    let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
    Ok(Table::from_batches(&schema, &frame.collect().await?))
}
