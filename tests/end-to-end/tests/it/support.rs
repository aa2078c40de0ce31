//! A server with TPC-H mounted as a bucket, and its tables created.

use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::tpch;
use mayfly_store::{AccessKey, S3Settings, Store};
use serde_json::Value;
use std::path::PathBuf;

pub const SCHEMA: &str = "tpch";

/// A local cloud on which `tpch.*` are the files of [`files`], and a client of it.
pub struct Cloud {
    pub server: Server,
    pub client: Client,
    pub files: PathBuf,
}

/// Scale 0.1, orders and lineitem in several files.
pub fn files() -> PathBuf {
    tpch::files(0.1, 2)
}

pub async fn cloud(arguments: &[&str]) -> Cloud {
    cloud_in(arguments, &[]).await
}

/// In an environment of its own.
pub async fn cloud_in(arguments: &[&str], environment: &[(&str, PathBuf)]) -> Cloud {
    let files = files();
    let mount = format!("tpch={}", files.display());
    let mut all = vec!["--mount", &mount];
    all.extend(arguments);
    let server = Server::start_in(Executors::of_suite(), &all, environment);
    let client = Client::new(&server.url, SCHEMA);
    create_tables(&client, "s3://tpch").await;
    Cloud { server, client, files }
}

pub async fn create_tables(client: &Client, location: &str) {
    client
        .query(&format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        .await
        .expect("created");
    for table in tpch::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.{table} STORED AS PARQUET LOCATION '{location}/{table}/'");
        client.query(&sql).await.expect("created");
    }
}

impl Cloud {
    /// What the emulator itself counted.
    pub async fn counts(&self) -> Value {
        self.client
            .get_json(&format!("{}/_emulator/counts", self.server.lambda))
            .await
    }

    /// Invocations of all functions so far, by the emulator's own count.
    pub async fn invocations(&self) -> u64 {
        let counts = self.counts().await;
        let functions = counts["lambda"]["functions"].as_object().expect("functions by name");
        functions
            .values()
            .map(|function| function["invocations"].as_u64().expect("a count"))
            .sum()
    }

    /// A look into the cloud's buckets.
    pub async fn store(&self) -> Store {
        let settings = S3Settings {
            endpoint: Some(self.server.s3.clone()),
            access_key: Some(AccessKey::new("emulator", "emulator-secret")),
            ..S3Settings::default()
        };
        Store::connect(&settings).await.fork()
    }

    pub async fn environments(&self) -> Vec<Value> {
        let answer = self
            .client
            .get_json(&format!("{}/_emulator/environments", self.server.lambda))
            .await;
        answer
            .as_array()
            .cloned()
            .or_else(|| answer["environments"].as_array().cloned())
            .expect("a list of environments")
    }

    /// What the server tells about a query: state, plan, stages, bill.
    pub async fn info(&self, query_id: &str) -> Value {
        self.client
            .get_json(&format!("{}/v1/query/{query_id}", self.server.url))
            .await
    }
}

/// The same client, forced to many tasks at every stage.
pub fn forced(client: Client, target_partitions: u32) -> Client {
    client
        .with("target_task_bytes", "256kB")
        .with("target_partitions", target_partitions)
}
