//! Random joins over tables that share their column names, as a user would run them and forced to many tasks: equal to in-process DataFusion
//! on the same query with names that stand once. `MAYFLY_TEST_STAR_QUERIES` and `MAYFLY_TEST_STAR_SEED` make a campaign of it.

use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::stars::{self, TABLES};
use std::path::Path;

const QUERIES: u64 = 120;

/// Rows of a file's row group: statistics rule some of them out.
const ROW_GROUP_ROWS: u64 = 8;

async fn write(folder: &Path) {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .set_u64("datafusion.execution.parquet.max_row_group_size", ROW_GROUP_ROWS);
    let context = SessionContext::new_with_config(config);
    for table in &TABLES {
        let folder = folder.join(table.name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let sql = format!("SELECT * FROM (VALUES {}) AS t(id, k, name)", table.values());
        let rows = context.sql(&sql).await.expect("rows");
        let file = folder.join("part.parquet");
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let written = rows.write_parquet(&file.to_string_lossy(), options, None).await;
        written.expect("written");
    }
}

async fn oracle(folder: &Path) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    for table in &TABLES {
        let path = format!("{}/{}/", folder.display(), table.name);
        let read = context.register_parquet(table.name, path, ParquetReadOptions::default());
        read.await.expect("the table reads");
    }
    context
}

async fn server(folder: &Path) -> (Server, Client) {
    let server = Server::start(&["--mount", &format!("stars={}", folder.display())]);
    let client = Client::new(&server.url, "stars");
    client.query("CREATE SCHEMA stars").await.expect("created");
    for table in &TABLES {
        let name = table.name;
        let sql = format!("CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION 's3://stars/{name}/'");
        client.query(&sql).await.expect("created");
    }
    (server, client)
}

fn variable(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("a whole number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_one_name_are_not_one_column() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path()).await;
    let oracle = oracle(folder.path()).await;
    let (_server, client) = server(folder.path()).await;
    let forced = |partitions: u64| {
        let client = client.clone().with("target_task_bytes", 1);
        client.with("target_partitions", partitions)
    };
    let clients = [
        ("default", client.clone()),
        ("forced", forced(1)),
        ("forced, 3", forced(3)),
    ];
    let first = variable("MAYFLY_TEST_STAR_SEED", 1);
    let mut wrong = Vec::new();
    for seed in first..first + variable("MAYFLY_TEST_STAR_QUERIES", QUERIES) {
        let expected = oracle::answer(&oracle, &stars::query(seed, false)).await;
        let sql = stars::query(seed, true);
        for (mode, client) in &clients {
            let difference = match client.query(&sql).await {
                Ok(answer) => answer.table.difference(&expected),
                Err(failure) => Some(format!("{failure:?}")),
            };
            if let Some(difference) = difference {
                println!("seed {seed} {mode}: {difference}\n    {sql}");
                wrong.push(format!("seed {seed} {mode}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
