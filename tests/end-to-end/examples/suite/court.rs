//! One file's tables as a judge's statements make them, and as Mayfly reads them from Parquet.

use crate::world::BUCKET;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::judges::{Judge, Judges, Place, Ruling};
use mayfly_end_to_end::server::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub struct Court<'a> {
    judges: &'a Judges,
    judge: Judge,
    pub client: Client,
    folder: PathBuf,
    schema: String,
    /// Tables that Mayfly has as the judge has them, with columns that no file could take along.
    exported: BTreeMap<String, Vec<String>>,
    is_changed: bool,
    version: usize,
}

impl<'a> Court<'a> {
    pub async fn new(judges: &'a Judges, judge: Judge, server: &Server, made: &Path, schema: &str) -> Court<'a> {
        let client = Client::new(&server.url, schema);
        client
            .query(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
            .await
            .expect("created");
        Court {
            judges,
            judge,
            client,
            folder: made.join(schema),
            schema: schema.to_owned(),
            exported: BTreeMap::new(),
            is_changed: true,
            version: 0,
        }
    }

    pub fn ask(&self, sql: &str) -> Result<Ruling, String> {
        self.judges.ask(self.judge, &self.schema, sql)
    }

    /// Carries a statement out. What it names is no longer as Mayfly has it.
    pub async fn make(&mut self, sql: &str) {
        if self.ask(sql).is_err() {
            return;
        }
        let named = words(sql);
        self.exported.retain(|table, _| !named.contains(table));
        self.is_changed = true;
        let head = sql.trim_start().to_lowercase();
        if head.starts_with("create view") || head.starts_with("create or replace view") {
            self.make_view(sql).await;
        }
    }

    /// A view stands on tables, which have to be there first.
    async fn make_view(&mut self, sql: &str) {
        self.export(sql).await;
        if let Err(failure) = self.client.query(sql).await {
            println!("REFUSED {}: {}\n    {sql}", failure.name, failure.message);
        }
    }

    /// Brings Mayfly's tables up to the judge's. Those that the query names and that lack columns, or cannot be had.
    pub async fn export(&mut self, sql: &str) -> Vec<String> {
        let named = words(sql);
        if self.is_changed {
            let tables = self.judges.tables(self.judge, &self.schema).unwrap_or_default();
            for table in tables.iter().filter(|table| named.contains(&table.to_lowercase())) {
                if !self.exported.contains_key(table) {
                    let lacking = self.export_table(table).await.unwrap_or_else(|error| vec![error]);
                    self.exported.insert(table.clone(), lacking);
                }
            }
        }
        let lacking = self.exported.iter().filter(|(table, lacking)| {
            let is_named = named.contains(&table.to_lowercase());
            is_named && !lacking.is_empty()
        });
        lacking.map(|(table, _)| table.clone()).collect()
    }

    async fn export_table(&mut self, table: &str) -> Result<Vec<String>, String> {
        self.version += 1;
        let plain = table.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let name = format!("{plain}_{}", self.version);
        let folder = self.folder.join(&name);
        let place = Place {
            schema: &self.schema,
            table,
            folder: &folder,
        };
        let lacking = self.judges.export(self.judge, place)?;
        let location = format!("s3://{BUCKET}/{}/{name}/", self.schema);
        let drop = format!("DROP TABLE IF EXISTS \"{table}\"");
        let create = format!("CREATE EXTERNAL TABLE \"{table}\" STORED AS PARQUET LOCATION '{location}'");
        for sql in [drop, create] {
            self.client.query(&sql).await.map_err(|failure| failure.message)?;
        }
        Ok(lacking)
    }
}

fn words(sql: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = sql.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
