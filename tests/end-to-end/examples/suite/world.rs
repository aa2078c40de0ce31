//! One file's tables, three times: as its statements make them, as the oracle reads them, as Mayfly reads them. Nothing here compares.

use datafusion::common::Result;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::logical_expr::TableType;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::Server;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// As which the folder of all tables is mounted.
pub const BUCKET: &str = "suite";

/// Statements that make or change tables.
const VERBS: [&str; 6] = ["create ", "insert ", "drop ", "delete ", "update ", "copy "];

pub struct World {
    maker: SessionContext,
    oracle: SessionContext,
    pub client: Client,
    folder: PathBuf,
    schema: String,
    exported: BTreeSet<String>,
    /// Counts changes, so that no two files have one name.
    version: usize,
}

fn context() -> SessionContext {
    let config = SessionConfig::new().with_information_schema(true);
    SessionContext::new_with_config(config.with_target_partitions(4))
}

fn quoted(table: &str) -> String {
    format!("\"{table}\"")
}

impl World {
    pub async fn new(server: &Server, made: &Path, nth: usize) -> World {
        let schema = format!("f{nth}");
        let client = Client::new(&server.url, &schema);
        client.query(&format!("CREATE SCHEMA {schema}")).await.expect("created");
        World {
            maker: context(),
            oracle: context(),
            client,
            folder: made.join(&schema),
            schema,
            exported: BTreeSet::new(),
            version: 0,
        }
    }

    /// The oracle with so many partitions.
    pub fn oracle(&self, partitions: usize) -> SessionContext {
        let mut state = self.oracle.state();
        state.config_mut().options_mut().execution.target_partitions = partitions;
        SessionContext::new_with_state(state)
    }

    /// Carries out what makes or changes tables, and nothing else.
    pub async fn make(&mut self, sql: &str) {
        let head = sql.trim_start().to_lowercase();
        if !VERBS.iter().any(|verb| head.starts_with(verb)) {
            return;
        }
        let Ok(frame) = self.maker.sql(sql).await else { return };
        if frame.collect().await.is_err() {
            return;
        }
        self.version += 1;
        if head.starts_with("create view") || head.starts_with("create or replace view") {
            self.make_view(sql).await;
        } else {
            self.exported.retain(|table| !head.contains(table.as_str()));
        }
    }

    /// A view that either side refuses shows in the queries over it.
    async fn make_view(&mut self, sql: &str) {
        self.export().await;
        if let Ok(frame) = self.oracle.sql(sql).await {
            let _ = frame.collect().await;
        }
        let _ = self.client.query(sql).await;
    }

    /// Brings both sides up to what the statements have made.
    pub async fn export(&mut self) {
        let catalog = self.maker.catalog("datafusion");
        let schema = catalog.and_then(|catalog| catalog.schema("public"));
        let tables = schema.map(|schema| schema.table_names()).unwrap_or_default();
        let (kept, gone) = std::mem::take(&mut self.exported)
            .into_iter()
            .partition(|table| tables.contains(table));
        self.exported = kept;
        for table in gone {
            self.drop_table(&table).await;
        }
        for table in tables {
            let provider = self.maker.table_provider(quoted(&table)).await;
            let is_table = provider.is_ok_and(|provider| provider.table_type() == TableType::Base);
            if !is_table || self.exported.contains(&table) {
                continue;
            }
            if let Err(error) = self.export_table(&table).await {
                println!("table {table} of {} is not exported: {error}", self.schema);
            }
            self.exported.insert(table);
        }
    }

    async fn drop_table(&self, table: &str) {
        let name = quoted(table);
        let _ = self.oracle.deregister_table(&name);
        let _ = self.client.query(&format!("DROP TABLE IF EXISTS {name}")).await;
    }

    async fn export_table(&self, table: &str) -> Result<()> {
        let plain = table.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let place = format!("{plain}_{}", self.version);
        let path = format!("{}/{place}/", self.folder.display());
        std::fs::create_dir_all(&path)?;
        let name = quoted(table);
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let frame = self.maker.table(&name).await?;
        frame
            .write_parquet(&format!("{path}part.parquet"), options, None)
            .await?;
        self.drop_table(table).await;
        let options = ParquetReadOptions::default();
        self.oracle.register_parquet(&name, &path, options).await?;
        let location = format!("s3://{BUCKET}/{}/{place}/", self.schema);
        let sql = format!("CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{location}'");
        if let Err(failure) = self.client.query(&sql).await {
            println!("table {table} of {}: {}", self.schema, failure.message);
        }
        Ok(())
    }
}
