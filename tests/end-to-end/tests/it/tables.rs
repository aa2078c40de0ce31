//! Tables of every format: text with and without compression, folders that name columns, schemas that are inferred. The oracle reads the
//! same files by the same statement.

use crate::support::{self, Cloud, SCHEMA};
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::{odd, oracle};
use std::path::Path;

/// Each table: name, how the oracle writes it, how it is declared, with `{at}` for its place.
const TABLES: [(&str, &str, &str); 10] = [
    (
        "orders_csv",
        "COPY (SELECT * FROM orders) TO '{at}/' STORED AS CSV OPTIONS ('format.has_header' 'true')",
        "STORED AS CSV LOCATION '{at}/'",
    ),
    (
        "orders_gz",
        "COPY (SELECT * FROM orders WHERE o_orderkey < 20000) TO '{at}/part.csv.gz' STORED AS CSV OPTIONS ('format.compression' 'gzip', 'format.has_header' 'true')",
        "STORED AS CSV LOCATION '{at}/' OPTIONS ('format.compression' 'gzip')",
    ),
    (
        "nation_tsv",
        "COPY (SELECT * FROM nation) TO '{at}/n.tsv' STORED AS CSV OPTIONS ('format.delimiter' '|', 'format.has_header' 'false')",
        "(n_nationkey BIGINT, n_name VARCHAR, n_regionkey INT, n_comment VARCHAR) STORED AS CSV LOCATION '{at}/' OPTIONS ('format.delimiter' '|', 'format.has_header' 'false')",
    ),
    (
        "customer_zst",
        "COPY (SELECT * FROM customer) TO '{at}/c.csv.zst' STORED AS CSV OPTIONS ('format.compression' 'zstd', 'format.has_header' 'true')",
        "STORED AS CSV LOCATION '{at}/' OPTIONS ('format.compression' 'zstd')",
    ),
    (
        "orders_json",
        "COPY (SELECT o_orderkey, o_custkey, o_orderstatus, o_orderdate, CAST(o_totalprice AS DOUBLE) AS o_totalprice FROM orders) TO '{at}/' STORED AS JSON",
        "STORED AS JSON LOCATION '{at}/'",
    ),
    (
        "odd_json",
        "COPY (SELECT id, g, k, b, s, tags FROM odd) TO '{at}/o.json.bz2' STORED AS JSON OPTIONS ('format.compression' 'bzip2')",
        "STORED AS JSON LOCATION '{at}/' OPTIONS ('format.compression' 'bzip2')",
    ),
    (
        "nation_xz",
        "COPY (SELECT * FROM nation) TO '{at}/n.json.xz' STORED AS JSON OPTIONS ('format.compression' 'xz')",
        "STORED AS JSON LOCATION '{at}/' OPTIONS ('format.compression' 'xz')",
    ),
    (
        "by_year",
        "COPY (SELECT o_orderkey, o_totalprice, o_orderstatus, CAST(date_part('year', o_orderdate) AS BIGINT) AS year, o_orderpriority AS priority FROM orders) TO '{at}/' STORED AS PARQUET PARTITIONED BY (year, priority)",
        "(o_orderkey BIGINT, o_totalprice DECIMAL(15, 2), o_orderstatus VARCHAR, year BIGINT, priority VARCHAR) STORED AS PARQUET PARTITIONED BY (year, priority) LOCATION '{at}/'",
    ),
    (
        "csv_by_day",
        "COPY (SELECT l_orderkey, l_quantity, l_shipdate AS day FROM lineitem WHERE l_shipdate < DATE '1992-02-01') TO '{at}/' STORED AS CSV PARTITIONED BY (day)",
        "(l_orderkey BIGINT, l_quantity DOUBLE, day DATE) STORED AS CSV PARTITIONED BY (day) LOCATION '{at}/'",
    ),
    (
        "quoted",
        "COPY (SELECT id, concat('line', chr(10), 'of \"', k, '\", ', pad) AS text FROM odd) TO '{at}/q.csv' STORED AS CSV",
        "(id BIGINT, text VARCHAR) STORED AS CSV LOCATION '{at}/' OPTIONS ('format.newlines_in_values' 'true')",
    ),
];

/// The tables in both worlds. The folder lives as long as the test.
async fn world() -> (Cloud, SessionContext, tempfile::TempDir) {
    let made = tempfile::tempdir().expect("a folder");
    let mounts = [
        format!("odd={}", odd::files().await.display()),
        format!("text={}", made.path().display()),
    ];
    let oracle = oracle::context(&support::files(), 2).await;
    let path = format!("{}/odd/", odd::files().await.display());
    let read = oracle.register_parquet("odd", path, Default::default());
    read.await.expect("the table reads");
    for (name, write, _) in TABLES {
        run(&oracle, &write.replace("{at}", &at(made.path(), name))).await;
    }
    let cloud = support::cloud(&["--mount", &mounts[0], "--mount", &mounts[1]]).await;
    for (name, _, declared) in TABLES {
        let local = declared.replace("{at}", &at(made.path(), name));
        run(&oracle, &format!("CREATE EXTERNAL TABLE {name} {local}")).await;
        let declared = declared.replace("{at}", &format!("s3://text/{name}"));
        let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.{name} {declared}");
        cloud
            .client
            .query(&sql)
            .await
            .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    }
    (cloud, oracle, made)
}

fn at(folder: &Path, table: &str) -> String {
    let folder = folder.join(table);
    std::fs::create_dir_all(&folder).expect("writable");
    folder.display().to_string()
}

async fn run(oracle: &SessionContext, sql: &str) {
    let frame = oracle.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    frame.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

const QUERIES: [&str; 16] = [
    "SELECT count(*), min(o_orderkey), max(o_comment), sum(o_totalprice) FROM orders_csv",
    "SELECT o_orderstatus, count(*) FROM orders_csv GROUP BY o_orderstatus",
    "SELECT c.o_orderkey, p.o_clerk FROM orders_csv c JOIN orders p ON c.o_orderkey = p.o_orderkey WHERE c.o_orderkey < 300",
    "SELECT count(*), count(DISTINCT o_custkey) FROM orders_gz",
    "SELECT * FROM nation_tsv",
    "SELECT c_mktsegment, avg(c_acctbal), count(*) FROM customer_zst GROUP BY c_mktsegment",
    "SELECT o_orderstatus, count(*), max(o_orderdate), sum(o_custkey) FROM orders_json GROUP BY o_orderstatus",
    "SELECT id, g, k, b, s['a'], tags[1] FROM odd_json WHERE id < 50",
    "SELECT n_nationkey, n_name, n_regionkey, n_comment FROM nation_xz",
    "SELECT year, priority, count(*), sum(o_totalprice) FROM by_year GROUP BY year, priority",
    "SELECT count(*), min(o_orderkey) FROM by_year WHERE year = 1994 AND priority LIKE '1%'",
    "SELECT min(year), max(year), count(priority) FROM by_year WHERE year > 1995",
    "SELECT DISTINCT priority FROM by_year",
    "SELECT day, count(*), sum(l_quantity) FROM csv_by_day WHERE day >= DATE '1992-01-15' GROUP BY day",
    "SELECT id, text FROM quoted WHERE id % 100 = 0",
    "SELECT o_orderkey FROM orders_csv ORDER BY o_orderkey DESC LIMIT 5",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_read_as_the_oracle_reads_it() {
    let (cloud, oracle, _made) = world().await;
    let mut failures = Vec::new();
    for sql in QUERIES {
        let expected = oracle::answer(&oracle, sql).await;
        let forced = [1, 3].map(|partitions| support::forced(cloud.client.clone(), partitions));
        for client in [cloud.client.clone()].into_iter().chain(forced) {
            match client.query(sql).await {
                Err(failure) => failures.push(format!("{sql}\n    {failure:?}")),
                Ok(answer) => failures.extend(
                    answer
                        .table
                        .difference(&expected)
                        .map(|difference| format!("{sql}\n    {difference}")),
                ),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Without declared columns: names and types come from the files and their folders.
#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_inferred() {
    let (cloud, _oracle, _made) = world().await;
    for (table, at, expected) in [
        (
            "inferred_year",
            "by_year/' STORED AS PARQUET",
            "year bigint, priority varchar",
        ),
        (
            "inferred_day",
            "csv_by_day/' STORED AS CSV",
            "l_orderkey bigint, l_quantity double, day date",
        ),
    ] {
        let (at, stored) = at.split_once("' ").expect("a place and a format");
        let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.{table} {stored} LOCATION 's3://text/{at}'");
        cloud.client.query(&sql).await.expect("created");
        let columns = cloud
            .client
            .query(&format!("DESCRIBE {SCHEMA}.{table}"))
            .await
            .expect("described");
        let column = |row: &Vec<_>| format!("{:?} {:?}", row[0], row[1]);
        let columns: Vec<String> = columns.table.rows.iter().map(column).collect();
        for wanted in expected.split(", ") {
            let (name, data_type) = wanted.split_once(' ').expect("a name and a type");
            let found = columns
                .iter()
                .any(|column| column.contains(name) && column.contains(data_type));
            assert!(found, "{wanted} in {columns:?}");
        }
    }
}

/// A table whose files differ in compression is the sum of its files; the oracle, which reads no such table, has the rows they came from.
#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_unpacked_as_its_name_says() {
    let made = tempfile::tempdir().expect("a folder");
    let oracle = oracle::context(&support::files(), 2).await;
    let folder = at(made.path(), "mixed");
    for (rest, ending, compression) in [
        (0, "csv", "uncompressed"),
        (1, "csv.gz", "gzip"),
        (2, "csv.zst", "zstd"),
        (3, "csv", "uncompressed"),
    ] {
        let rows = format!("SELECT c_custkey, c_mktsegment FROM customer WHERE c_custkey % 4 = {rest}");
        let options = format!("'format.compression' '{compression}', 'format.has_header' 'true'");
        let sql = format!("COPY ({rows}) TO '{folder}/{rest}.{ending}' STORED AS CSV OPTIONS ({options})");
        run(&oracle, &sql).await;
    }
    let cloud = support::cloud(&["--mount", &format!("text={}", made.path().display())]).await;
    let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.mixed STORED AS CSV LOCATION 's3://text/mixed/'");
    cloud.client.query(&sql).await.expect("created");
    for (sql, of_oracle) in [
        (
            "SELECT c_mktsegment, count(*), sum(c_custkey) FROM mixed GROUP BY 1",
            "SELECT c_mktsegment, count(*), sum(c_custkey) FROM customer GROUP BY 1",
        ),
        (
            "SELECT count(*) FROM (SELECT c_custkey FROM mixed LIMIT 7)",
            "SELECT CAST(7 AS BIGINT)",
        ),
    ] {
        let expected = oracle::answer(&oracle, of_oracle).await;
        for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
            let answer = client.query(sql).await.expect("it is answered");
            assert_eq!(answer.table.difference(&expected), None, "{sql}");
        }
    }
}

/// Samples with a seed: the same rows whoever reads them, about as many as asked for.
#[tokio::test(flavor = "multi_thread")]
async fn samples_with_a_seed_repeat() {
    let (cloud, _oracle, _made) = world().await;
    let tables = [
        ("lineitem", "l_orderkey * 8 + l_linenumber"),
        ("orders_csv", "o_orderkey"),
        ("orders_gz", "o_orderkey"),
        ("orders_json", "o_orderkey"),
        ("quoted", "id"),
    ];
    for (table, key) in tables {
        let whole = numbers(&cloud.client, &format!("SELECT count(*), sum({key}) FROM {table}")).await;
        for (method, percent) in [("BERNOULLI", 10), ("SYSTEM", 40)] {
            let sample = format!("TABLESAMPLE {method} ({percent}) REPEATABLE");
            let sql = |seed: u32| format!("SELECT count(*), sum({key}) FROM {table} {sample} ({seed})");
            let drawn = numbers(&cloud.client, &sql(1)).await;
            for partitions in [1, 3] {
                let forced = support::forced(cloud.client.clone(), partitions);
                assert_eq!(numbers(&forced, &sql(1)).await, drawn, "{}", sql(1));
            }
            assert!(drawn[0] <= whole[0], "{}: {drawn:?} of {whole:?}", sql(1));
            let other = numbers(&cloud.client, &sql(2)).await;
            if method == "BERNOULLI" {
                let tenth = whole[0] / 10;
                let near = tenth - tenth / 5..tenth + tenth / 5;
                assert!(near.contains(&drawn[0]), "{}: {drawn:?} of {whole:?}", sql(1));
                assert_ne!(drawn, other, "{} and seed 2", sql(1));
            }
        }
    }
}

/// Filters, limits and joins see the sample alone; without a seed each query draws anew.
#[tokio::test(flavor = "multi_thread")]
async fn samples_stand_for_their_tables() {
    let (cloud, _oracle, _made) = world().await;
    let ask = async |sql: &str| numbers(&cloud.client, sql).await;
    let drawn = "lineitem TABLESAMPLE BERNOULLI (20) REPEATABLE (5)";
    let parts = ask(&format!(
        "SELECT count(*), count(*) FILTER (WHERE l_quantity < 10) FROM {drawn}"
    ))
    .await;
    let filtered = ask(&format!("SELECT count(*) FROM {drawn} WHERE l_quantity < 10")).await;
    assert_eq!(filtered[0], parts[1]);
    let joined = ask(&format!(
        "SELECT count(*) FROM {drawn} JOIN orders ON l_orderkey = o_orderkey"
    ))
    .await;
    assert_eq!(joined[0], parts[0]);
    let limited = ask(&format!("SELECT count(*) FROM (SELECT * FROM {drawn} LIMIT 100) AS t")).await;
    assert_eq!(limited[0], 100);
    let twice = "SELECT sum(l_orderkey) FROM lineitem TABLESAMPLE BERNOULLI (20)";
    assert_ne!(ask(twice).await, ask(twice).await);
    let both = "SELECT count(*) FROM lineitem AS a TABLESAMPLE BERNOULLI (30) JOIN lineitem AS b TABLESAMPLE BERNOULLI (30) \
                ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber";
    let (all, both) = (ask("SELECT count(*) FROM lineitem").await[0], ask(both).await[0]);
    assert!((all * 7 / 100..all * 11 / 100).contains(&both), "{both} of {all}");
}

async fn numbers(client: &Client, sql: &str) -> Vec<i64> {
    let answer = client.query(sql).await;
    let answer = answer.unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    let number = |cell: &Option<String>| cell.as_deref().map_or(0, |text| text.parse().expect("a whole number"));
    answer.table.rows[0].iter().map(number).collect()
}
