//! The oracle: DataFusion with its default options, in process, on the same files.

use crate::table::Table;
use crate::tpch::TABLES;
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
    let frame = context
        .sql(sql)
        .await
        .unwrap_or_else(|error| panic!("the oracle plans {sql}: {error}"));
    let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
    let batches = frame
        .collect()
        .await
        .unwrap_or_else(|error| panic!("the oracle runs {sql}: {error}"));
    Table::from_batches(&schema, &batches)
}
