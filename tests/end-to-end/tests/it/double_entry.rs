//! Two books of one query: what Mayfly bills, and what the emulator counted on the wire. They share no code and must agree to the request
//! and to the millisecond.

use crate::support::{self, Cloud};
use mayfly_end_to_end::{elsewhere, tpch};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Resource, as bills call it → quantity.
type Book = BTreeMap<String, u128>;

/// Which of S3's operations, as the emulator counts them, are priced alike. DELETE is free.
const S3_CLASSES: [(&str, &[&str]); 3] = [
    ("s3_gets", &["GET", "HEAD"]),
    (
        "s3_puts",
        &[
            "PUT",
            "COPY",
            "MULTIPART_CREATE",
            "MULTIPART_PART",
            "MULTIPART_COMPLETE",
        ],
    ),
    ("s3_lists", &["LIST"]),
];

fn number(value: &Value) -> u128 {
    u128::from(value.as_u64().unwrap_or(0))
}

/// The emulator's book since its start.
async fn counted(cloud: &Cloud) -> Book {
    let counts = cloud.counts().await;
    let mut book = Book::new();
    for (class, operations) in S3_CLASSES {
        let of_bucket = |bucket: &Value| -> u128 {
            let of_operation =
                |operation: &&str| ["2xx", "3xx", "4xx"].map(|status| number(&bucket[*operation][status]));
            operations.iter().flat_map(of_operation).sum()
        };
        let buckets = counts["s3"].as_object().expect("buckets by name");
        book.insert(class.to_owned(), buckets.values().map(of_bucket).sum());
    }
    let functions = counts["lambda"]["functions"].as_object().expect("functions by name");
    let sum = |field: &str| functions.values().map(|function| number(&function[field])).sum();
    book.insert("invocations".to_owned(), sum("invocations"));
    book.insert("compute".to_owned(), sum("billed_mb_ms"));
    book.insert("sqs_sends".to_owned(), number(&counts["sqs"]["SendMessage"]));
    book
}

/// Mayfly's own book on one query.
async fn billed(cloud: &Cloud, query: &str) -> Book {
    let info = cloud.info(query).await;
    let mut book = Book::new();
    for line in info["bill"]["lines"].as_array().expect("a bill has lines") {
        let resource = match line["resource"].as_str().expect("a resource has a name") {
            // The receiver of lease messages serves all queries and is none's own.
            "sqs_requests" => "sqs_sends",
            other => other,
        };
        *book.entry(resource.to_owned()).or_default() += number(&line["quantity"]);
    }
    book
}

fn spent(before: &Book, after: &Book) -> Book {
    let since = |(resource, count): (&String, &u128)| (resource.clone(), count - before[resource]);
    after.iter().map(since).filter(|(_, count)| *count > 0).collect()
}

/// What of a bill the emulator can have counted: where S3 and SQS are elsewhere, it sees the invocations alone.
fn seen(mut bill: Book) -> Book {
    bill.retain(|resource, _| !elsewhere::is_chosen() || ["compute", "invocations"].contains(&resource.as_str()));
    bill
}

/// The case in which tasks fail while they read ahead.
const AMID_READS: &str = "a failure amid reads";

/// One task fails at once, the others go on until they hear of it.
pub(crate) const ONE_FAILS: &str = "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b WHERE a.l_tax + b.l_tax > 10 / (a.l_orderkey + b.l_orderkey - 2)";

/// The last page of a query that ended early is its bill, or says that more is to come; then the query's bill is what the cloud counted.
#[tokio::test(flavor = "multi_thread")]
async fn the_bill_of_a_failed_query_says_what_is_still_out() {
    let endless = "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b WHERE a.l_tax * b.l_tax > 10";
    let cases: [(&str, &str, &[(&str, &str)], &str); 4] = [
        ("one of many fails", ONE_FAILS, &[], "DIVISION_BY_ZERO"),
        (
            "a cast of one of many",
            "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b WHERE a.l_tax + b.l_tax > CAST(CASE WHEN a.l_orderkey + b.l_orderkey = 2 THEN a.l_comment ELSE '1' END AS int)",
            &[],
            "INVALID_CAST_ARGUMENT",
        ),
        ("out of time", endless, &[("max_run_time", "3s")], "EXCEEDED_TIME_LIMIT"),
        (
            "too many rows",
            "SELECT l_orderkey FROM lineitem",
            &[("max_result_rows", "10")],
            "MAYFLY_EXCEEDED_ROW_LIMIT",
        ),
    ];
    let mut marked = 0;
    for (name, sql, session, code) in cases {
        // Its own, so that nothing of another query is counted.
        let cloud = support::cloud(&["--concurrency", "4"]).await;
        let forced = support::forced(cloud.client.clone(), 1);
        let client = session
            .iter()
            .fold(forced, |client, (property, value)| client.with(property, value));
        let before = counted(&cloud).await;
        let page = client.submit(sql).await;
        let query = page["id"].as_str().expect("a query has an id").to_owned();
        let last = client.follow(page, |_| {}).await;
        assert_eq!(last["error"]["errorName"], code, "{name}: {last}");
        let told = last["stats"]["mayfly"].clone();
        let (mut bill, mut cloud_counted) = (Book::new(), Book::new());
        for _ in 0..200 {
            (bill, cloud_counted) = (
                seen(billed(&cloud, &query).await),
                spent(&before, &counted(&cloud).await),
            );
            let is_final = cloud.info(&query).await["soFar"] != true;
            if is_final && is_true(&bill, &cloud_counted, true) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(
            is_true(&bill, &cloud_counted, true),
            "{name}: billed {bill:?}, the cloud counted {cloud_counted:?}"
        );
        let info = cloud.info(&query).await;
        assert_ne!(info["soFar"], true, "{name}: it is never final");
        let dollars = info["bill"]["total"].clone();
        if told["soFar"] == true {
            marked += 1;
        } else {
            assert_eq!(told["bill"]["total"], dollars, "{name}: the last page is not the bill");
        }
    }
    assert!(marked >= 2, "others' attempts were out {marked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bill_is_what_the_cloud_counted() {
    let cloud = support::cloud(&[]).await;
    let forced = support::forced(cloud.client.clone(), 1);
    let cases = [
        ("one invocation", &cloud.client, tpch::query(6), false),
        ("a join of many tasks", &forced, tpch::query(3), false),
        ("scalar subqueries, broadcast", &forced, tpch::query(11), false),
        ("a large result", &forced, "SELECT * FROM orders".to_owned(), false),
        ("no invocation", &cloud.client, "SELECT 1".to_owned(), false),
        (
            "a failure",
            &forced,
            "SELECT n_nationkey / (n_regionkey - n_regionkey) FROM nation".to_owned(),
            true,
        ),
        (
            AMID_READS,
            &forced,
            "SELECT l_orderkey / (l_linenumber - l_linenumber) FROM lineitem".to_owned(),
            true,
        ),
    ];
    for (name, client, sql, fails) in cases {
        let is_amid_reads = name == AMID_READS;
        let before = counted(&cloud).await;
        let page = client.submit(&sql).await;
        let query = page["id"].as_str().expect("a query has an id").to_owned();
        let last = client.follow(page, |_| {}).await;
        assert_eq!(last.get("error").is_some(), fails, "{name}: {last}");
        let (mut bill, mut cloud_counted) = (Book::new(), Book::new());
        // Attempts of a failed query may still be on their way to their end, and are billed when they reach it.
        for _ in 0..100 {
            (bill, cloud_counted) = (
                seen(billed(&cloud, &query).await),
                spent(&before, &counted(&cloud).await),
            );
            if is_true(&bill, &cloud_counted, is_amid_reads) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(
            is_true(&bill, &cloud_counted, is_amid_reads),
            "{name}: billed {bill:?}, the cloud counted {cloud_counted:?}"
        );
    }
}

/// Equal, but for reads that a failing task had just asked for, if it had any: they are billed, though they may never have reached S3.
fn is_true(bill: &Book, cloud_counted: &Book, is_amid_reads: bool) -> bool {
    const READS_UNDER_WAY_MAX: u128 = 8;
    let mut certain = bill.clone();
    if is_amid_reads
        && let (Some(billed), Some(counted)) = (certain.get_mut("s3_gets"), cloud_counted.get("s3_gets"))
        && (*counted..=counted + READS_UNDER_WAY_MAX).contains(billed)
    {
        *billed = *counted;
    }
    certain == *cloud_counted
}

/// What a query of one invocation asks for besides its data: S3 requests on the control bucket, and SQS requests that are its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_one_invocation_asks_little_of_s3_and_sqs() {
    if elsewhere::is_chosen() {
        // Only the emulator counts.
        return;
    }
    // Its message is deleted a lease later.
    let cloud = support::cloud(&["--lease", "2"]).await;
    let ask = async || cloud.client.query(&tpch::query(6)).await.expect("answered");
    ask().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let own = |counts: &Value| {
        let operations = counts["s3"]["mayfly"].as_object().expect("operations by name").values();
        let s3: u128 = operations
            .flat_map(|by_status| by_status.as_object().expect("counts").values().map(number))
            .sum();
        let sqs = |operation: &str| number(&counts["sqs"][operation]);
        (
            s3,
            sqs("SendMessage") + sqs("DeleteMessage") + sqs("ChangeMessageVisibility"),
        )
    };
    let before = own(&cloud.counts().await);
    ask().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let counts = cloud.counts().await;
    let (s3, sqs) = own(&counts);
    assert!(
        s3 - before.0 <= 4,
        "{} S3 requests: {}",
        s3 - before.0,
        counts["s3"]["mayfly"]
    );
    assert!(
        sqs - before.1 <= 2,
        "{} SQS requests: {}",
        sqs - before.1,
        counts["sqs"]
    );
}
