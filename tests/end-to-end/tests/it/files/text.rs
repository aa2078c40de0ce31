//! Text as people have it: headers in another order, marks for nothing, arrays, and mistakes that must be found.

use super::world::{World, path};
use std::path::Path;

/// Larger than a piece of a text file that one task reads.
const LARGE_BYTES: usize = 9 << 20;

fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
    std::fs::write(path(folder, file), text).expect("writable");
}

fn packed(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Lines `n,text n` until the file is large, with one line put in place of another.
fn large(header: &str, line: impl Fn(usize) -> String) -> (String, usize) {
    let mut text = header.to_owned();
    let mut lines = 0;
    while text.len() < LARGE_BYTES {
        text.push_str(&line(lines));
        lines += 1;
    }
    (text, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_follow_their_header() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    write(at, "order/a.csv", "id,name\n1,x\n2,y\n");
    write(at, "order/b.csv", "name,id\nz,3\n");
    write(at, "order/c.csv", "\u{feff}Name,ID\nw,4\n");
    write(at, "renamed/a.csv", "first,second\n1,x\n");
    write(at, "twice/a.csv", "a,a,b,,\n1,2,3,4,5\n");
    write(at, "lacks/a.csv", "id,name\n1,x\n");
    write(at, "lacks/b.csv", "name,other\nx,y\n");
    let (text, lines) = large("name,id\n", |n| format!("text {n},{n}\n"));
    write(at, "large/a.csv", "id,name\n1,x\n");
    write(at, "large/b.csv", text);
    let world = World::over(folder);
    for table in ["order", "twice", "large"] {
        world.table(&format!("\"{table}\""), "", "CSV").await;
    }
    world.table("renamed", "(k BIGINT, v VARCHAR)", "CSV").await;
    world.table("lacks", "(id BIGINT, name VARCHAR)", "CSV").await;
    world.check("SELECT id, name FROM \"order\"", "1,x;2,y;3,z;4,w").await;
    world.check("SELECT name FROM \"order\" WHERE id = 3", "z").await;
    world.check("SELECT k, v FROM renamed", "1,x").await;
    world
        .check("SELECT a, a_1, b, column_4, column_5 FROM twice", "1,2,3,4,5")
        .await;
    world
        .check(
            "SELECT count(*), max(id) FROM large WHERE name LIKE 'text%'",
            &format!("{lines},{}", lines - 1),
        )
        .await;
    world
        .fails(
            "SELECT * FROM lacks",
            "MAYFLY_BAD_FILE",
            &["s3://files/lacks/b.csv", "'id'"],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_has_marks() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    write(at, "na/a.csv", "i,s\n1,NA\nNA,x\n,\n");
    write(at, "hive/a.csv", "i,s\n\\N,x\n2,\\N\n");
    write(at, "gz/a.csv.gz", packed("a,b\n1,x\n"));
    write(at, "gz/b.csv.gz", packed(""));
    write(
        at,
        "gz/c.csv.gz",
        [packed(""), packed("a,b\n"), packed("2,y\n")].concat(),
    );
    let world = World::over(folder);
    world.table("na", "", "CSV OPTIONS ('null_value' 'NA')").await;
    world
        .table("hive", "(i INT, s VARCHAR)", "CSV OPTIONS ('null_value' '\\N')")
        .await;
    world.table("gz", "", "CSV").await;
    world.check("SELECT i, s FROM na", "1,NULL;NULL,x;NULL,NULL").await;
    world.check("SELECT sum(i) FROM na", "1").await;
    world.check("SELECT i, s FROM hive", "NULL,x;2,NULL").await;
    world.check("SELECT a, b FROM gz", "1,x;2,y").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quoted_line_ends_are_right_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    write(at, "small/a.csv", "a,b\n1,\"x\ny\"\n2,\"z \"\"q\"\"\n\"\n");
    let (text, lines) = large("a,b\n", |n| match n % 100 {
        7 => format!("{n},\"two\nlines\"\n"),
        _ => format!("{n},\"one, line\"\n"),
    });
    write(at, "large/a.csv", &text);
    write(at, "said/a.csv", &text);
    let world = World::over(folder);
    world.table("small", "", "CSV").await;
    world.table("large", "", "CSV").await;
    world
        .table("said", "", "CSV OPTIONS ('newlines_in_values' 'true')")
        .await;
    world
        .check("SELECT count(*), sum(a), max(length(b)) FROM small", "2,3,6")
        .await;
    let sum = lines * (lines - 1) / 2;
    world
        .check("SELECT count(*), sum(a) FROM said", &format!("{lines},{sum}"))
        .await;
    let named = ["s3://files/large/a.csv", "line ", "newlines_in_values"];
    world
        .fails("SELECT count(*), sum(a), max(b) FROM large", "MAYFLY_BAD_FILE", &named)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_named_by_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let wrong = 300_000;
    let (text, _) = large("a,b\n", |n| {
        if n == wrong {
            "oops,x\n".to_owned()
        } else {
            format!("{n},a text of some length\n")
        }
    });
    write(at, "far/a.csv", text);
    write(at, "near/a.csv", "a,b\n1,x\ntwo,y\n");
    write(at, "fields/a.csv", "a,b\n1,x\n2,y,z\n");
    let (text, _) = large("", |n| match n {
        200_000 => "{\"a\":\"oops\",\"b\":\"x\"}\n".to_owned(),
        n => format!("{{\"a\":{n},\"b\":\"a text of some length\"}}\n"),
    });
    write(at, "far_json/a.json", text);
    write(at, "broken/a.json", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":}\n");
    write(
        at,
        "unlisted/a.json",
        "[{\"a\":1,\"b\":\"x\"},{\"a\":\"two\",\"b\":\"y\"}]",
    );
    let world = World::over(folder);
    for (table, format, parts) in [
        ("far", "CSV", ["line 300002", "column 'a'", "'oops' is no BIGINT"]),
        ("near", "CSV", ["line 3", "column 'a'", "'two' is no BIGINT"]),
        ("fields", "CSV", ["line 3", "fields", "expected 2"]),
        (
            "far_json",
            "JSON",
            ["line 200001", "column 'a'", "\"oops\" is no BIGINT"],
        ),
        ("broken", "JSON", ["line 2", "expected value", "character"]),
        ("unlisted", "JSON", ["record 2", "column 'a'", "\"two\" is no BIGINT"]),
    ] {
        world.table(table, "(a BIGINT, b VARCHAR)", format).await;
        let sql = format!("SELECT sum(a), max(b) FROM {table}");
        world.fails(&sql, "MAYFLY_BAD_FILE", &parts).await;
        world
            .fails(&sql, "MAYFLY_BAD_FILE", &[&format!("s3://files/{table}/a.")])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_comes_in_shapes() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    write(
        at,
        "array/a.json",
        "[\n  {\"a\": 1, \"b\": \"x\"},\n  {\"a\": 2,\n   \"b\": \"[}\"}\n]\n",
    );
    write(at, "array/b.json", "{\"a\":3,\"b\":\"z\"}\n");
    write(
        at,
        "mixed/a.json",
        "{\"v\":1,\"w\":{\"p\":1},\"l\":[1]}\n{\"v\":\"x\",\"w\":2,\"l\":[\"y\"]}\n{\"v\":true}\n{\"v\":[1, 2]}\n{\"v\":{\"k\": null}}\n{\"v\":1.50}\n{\"v\":null}\n",
    );
    write(at, "marked/a.json", "\u{feff}{\"a\":1}\n{\"a\":2}\n");
    write(at, "pretty/a.json", "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n");
    write(at, "cased/a.json", "{\"userId\":1}\n{\"userId\":2}\n");
    let long = format!(
        "{{\"a\":1,\"b\":\"{}\"}}\n{{\"a\":2,\"b\":\"short\"}}\n",
        "x".repeat(3 << 20)
    );
    write(at, "long/a.json", long);
    let (mut text, lines) = large("[", |n| {
        format!(
            "{}{{\"a\":{n},\n\"b\":\"a text of some length\"}}",
            if n == 0 { "" } else { "," }
        )
    });
    text.push(']');
    write(at, "large/a.json", text);
    let world = World::over(folder);
    for table in ["array", "mixed", "marked", "pretty", "long", "large"] {
        world.table(&format!("\"{table}\""), "", "JSON").await;
    }
    world.table("cased", "(userId BIGINT)", "JSON").await;
    world.check("SELECT a, b FROM \"array\"", "1,x;2,[};3,z").await;
    world.check("SELECT count(*) FROM \"array\"", "3").await;
    world
        .check("SELECT v FROM mixed", "1;x;true;[1, 2];{\"k\": null};1.50;NULL")
        .await;
    world
        .check("SELECT w FROM mixed WHERE w IS NOT NULL", "{\"p\":1};2")
        .await;
    world.check("SELECT l[1] FROM mixed WHERE l IS NOT NULL", "1;y").await;
    world.check("SELECT sum(a) FROM marked", "3").await;
    world.check("SELECT a FROM pretty", "1;2").await;
    world.check("SELECT sum(userid) FROM cased", "3").await;
    world.check("SELECT a, length(b) FROM long", "1,3145728;2,5").await;
    world
        .check("SELECT count(*), max(a) FROM large", &format!("{lines},{}", lines - 1))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_times_reach_far_and_keep_their_zone() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    write(
        at,
        "c/a.csv",
        "t,z\n9999-12-31 23:59:59.123456,2020-06-01T00:30:00+02:00\n0001-01-01 00:00:00,2020-06-01T00:30:00Z\n",
    );
    write(
        at,
        "j/a.json",
        "{\"t\":\"9999-12-31 23:59:59.123456\",\"z\":\"2020-06-01T00:30:00+02:00\"}\n",
    );
    let world = World::over(folder);
    let columns = "(t TIMESTAMP, z TIMESTAMP WITH TIME ZONE)";
    world.table("c", columns, "CSV").await;
    world.table("j", columns, "JSON").await;
    world
        .check(
            "SELECT t FROM c",
            "9999-12-31 23:59:59.123456;0001-01-01 00:00:00.000000",
        )
        .await;
    world
        .check(
            "SELECT z FROM c WHERE t > TIMESTAMP '2020-01-01 00:00:00'",
            "2020-05-31 22:30:00.000000 UTC",
        )
        .await;
    world
        .check(
            "SELECT t, z FROM j",
            "9999-12-31 23:59:59.123456,2020-05-31 22:30:00.000000 UTC",
        )
        .await;
}
