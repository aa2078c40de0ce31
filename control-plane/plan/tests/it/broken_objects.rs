//! Relations that cannot be kept are refused when they are made; those that cannot be read can be dropped, and hide no other.

use crate::world::{CONTROL, DATA, World};
use local_emulator::S3Fault;
use mayfly_plan::Planned;
use mayfly_protocol::ErrorCode;

fn create(name: &str, more: &str) -> String {
    format!("CREATE EXTERNAL TABLE {more} {name} STORED AS JSON LOCATION 's3://{DATA}/{name}/'")
}

async fn json(world: &World, name: &str, text: String) {
    let key = format!("{name}/rows.json");
    world.store.put(DATA, &key, text.into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_nest_too_deep_are_refused_at_creation() {
    let world = World::empty().await;
    let structs = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let lists = |levels: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for (name, text) in [("structs", structs(120)), ("lists", lists(60)), ("less", structs(40))] {
        json(&world, name, text).await;
        let error = world.error(&create(name, "")).await;
        assert_eq!(error.code, ErrorCode::NotSupported, "{name}: {error}");
        assert!(error.message.contains("column 'a'"), "{name}: {error}");
        // Nor can a query name such files itself.
        for place in [format!("s3://{DATA}/{name}/"), format!("s3://{DATA}/{name}/*.json")] {
            let error = world.error(&format!("SELECT count(*) FROM '{place}'")).await;
            assert_eq!(error.code, ErrorCode::NotSupported, "{place}: {error}");
            assert!(error.message.contains("column 'a'"), "{place}: {error}");
        }
    }
    json(&world, "fine", structs(20)).await;
    world.run(&create("fine", "")).await.unwrap();
    world.query("SELECT a FROM fine", &crate::world::session(&[])).await;
    assert_eq!(
        world.rows("SELECT table_name FROM information_schema.tables").await,
        "table_name\nfine"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_can_be_dropped_and_hides_no_other() {
    let world = World::empty().await;
    json(&world, "fine", r#"{"x":1}"#.to_owned()).await;
    world.run(&create("fine", "")).await.unwrap();
    for (name, drop) in [("torn", "DROP TABLE torn"), ("other", "DROP VIEW other")] {
        json(&world, name, r#"{"x":1}"#.to_owned()).await;
        let key = format!("catalog/lake/default/{name}.json");
        world.store.put(CONTROL, &key, "{\"v\":".into()).await.unwrap();
        for sql in [format!("SELECT * FROM {name}"), create(name, "IF NOT EXISTS")] {
            let error = world.error(&sql).await;
            assert!(error.message.contains(&key), "{sql}: {error}");
            assert!(error.hint.is_some_and(|hint| hint.contains("DROP")), "{sql}");
        }
        for relation in ["tables", "columns"] {
            let sql = format!("SELECT table_name FROM information_schema.{relation}");
            assert_eq!(world.rows(&sql).await, "table_name\nfine", "{sql}");
        }
        assert!(matches!(world.run(drop).await, Ok(Planned::Update { .. })), "{drop}");
        world.run(&create(name, "IF NOT EXISTS")).await.unwrap();
        world.run(&format!("DROP TABLE {name}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_comes_damaged_is_asked_for_again() {
    let world = World::empty().await;
    json(&world, "fine", r#"{"x":1}"#.to_owned()).await;
    world.run(&create("fine", "")).await.unwrap();
    world
        .run("CREATE VIEW seen AS SELECT x + 1 AS y FROM fine")
        .await
        .unwrap();
    for (sql, text) in [
        ("DESCRIBE fine", "x"),
        ("SHOW CREATE TABLE fine", "s3://data/fine"),
        ("SHOW CREATE VIEW seen", "x + 1"),
        ("SELECT column_name FROM information_schema.columns", "y"),
    ] {
        let expected = world.rows(sql).await;
        assert!(expected.contains(text), "{sql}: {expected}");
        world.fails(S3Fault::FlipBit, "mayfly/catalog/", 2);
        assert_eq!(world.rows(sql).await, expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_stays_damaged_is_no_other_table() {
    let world = World::empty().await;
    json(&world, "fine", r#"{"price":1}"#.to_owned()).await;
    let key = "catalog/lake/default/fine.json";
    for part in ["price", "data", "default", "\"v\"", "arrow_schema"] {
        world.run(&create("fine", "")).await.unwrap();
        let mut bytes = world.store.get(CONTROL, key).await.unwrap().bytes.to_vec();
        let at = bytes.windows(part.len()).position(|window| window == part.as_bytes());
        // Another letter, so that it is JSON as before.
        bytes[at.expect(part) + 1] ^= 1;
        world.store.put(CONTROL, key, bytes.into()).await.unwrap();
        let error = world.error("SELECT * FROM fine").await;
        assert!(
            error.message.contains(key) && error.message.contains("damaged"),
            "{part}: {error}"
        );
        world.run("DROP TABLE fine").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_is_called_one() {
    let world = World::empty().await;
    json(&world, "fine", r#"{"x":1}"#.to_owned()).await;
    world.run("CREATE VIEW seen AS SELECT 1 AS x").await.unwrap();
    for (sql, word) in [
        ("CREATE VIEW other AS SELECT 2 AS x", "written"),
        ("CREATE OR REPLACE VIEW other AS SELECT 2 AS x", "written"),
        ("CREATE SCHEMA raw", "written"),
        (&create("fine", ""), "written"),
        ("DROP VIEW seen", "deleted"),
    ] {
        world.fails(S3Fault::DiskFull, "mayfly", u64::MAX);
        let error = world.error(sql).await;
        assert_eq!(error.code, ErrorCode::S3Error, "{sql}: {error}");
        assert!(error.message.contains(&format!("cannot be {word}")), "{sql}: {error}");
        assert!(error.hint.is_some(), "{sql}: {error}");
        world.fails(S3Fault::DiskFull, "mayfly", 0);
        world.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        world.run("DROP VIEW IF EXISTS other").await.unwrap();
    }
}
