//! What is wrong with a task's inputs or its plan comes back by name, and the environment serves the next task.

use crate::cloud::{CONTROL_BUCKET, Cloud, TABLE_BUCKET, parquet};
use crate::cutter::{Run, Stage, cut, report, specs, whole};
use crate::split_table::{batch, plan, planner};
use expect_test::{Expect, expect};
use mayfly_executor::{Environment, execute};
use mayfly_protocol::envelope::TaskAnswer;
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{Failure, FileRange, OutputLocation, PlanBytes, SliceSource, Split, TaskSpec};

const SCAN: &str = "select id, note, price from sales where price > 1";

async fn stages(sql: &str) -> Vec<Stage> {
    whole(plan(&planner(&[]), sql).await)
}

async fn spec(sql: &str, tables: &[Vec<Split>]) -> TaskSpec {
    let run = Run {
        tasks: 1,
        ..Run::default()
    };
    specs(0, &stages(sql).await[0], &[], tables, &run).remove(0)
}

async fn failure(spec: TaskSpec, environment: &Environment) -> Failure {
    let answer = execute(spec, environment).await;
    assert!(environment.is_clean());
    match answer {
        TaskAnswer::Failed { failure, .. } => failure,
        TaskAnswer::Done(report) => panic!("the task succeeded: {report:?}"),
    }
}

fn word(failure: &Failure) -> String {
    match failure {
        Failure::User { error } => format!("{} {error}", error.code),
        other => other.to_string(),
    }
}

async fn check(cloud: &Cloud, spec: TaskSpec, expected: Expect) {
    expected.assert_eq(&word(&failure(spec, &cloud.environment).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_what_they_were() {
    let cloud = Cloud::start().await;
    let good = cloud.load_all().await;
    let whole = parquet(&batch("sales"));
    for (name, bytes) in [
        ("cut short", whole.slice(..whole.len() / 2)),
        ("no file", bytes::Bytes::from_static(b"hello")),
        ("empty", bytes::Bytes::new()),
    ] {
        let splits = cloud.put("sales/bad.parquet", bytes).await;
        let splits = splits
            .into_iter()
            .map(|split| Split {
                range: FileRange::All,
                ..split
            })
            .collect();
        let failure = failure(spec(SCAN, &[splits, good[1].clone()]).await, &cloud.environment).await;
        let text = word(&failure);
        assert!(
            text.starts_with("MAYFLY_BAD_FILE s3://tables/sales/bad.parquet"),
            "{name}: {text}"
        );
    }

    // A page whose bytes were overwritten: the footer is fine, decoding is not.
    let mut damaged = whole.to_vec();
    damaged[4..2_000].fill(0xff);
    let splits = cloud.put("sales/page.parquet", damaged.into()).await;
    let text = word(&failure(spec(SCAN, &[splits, good[1].clone()]).await, &cloud.environment).await);
    assert!(
        text.starts_with("MAYFLY_BAD_FILE s3://tables/sales/page.parquet"),
        "{text}"
    );

    let order = spec(SCAN, &good).await;
    cloud
        .store
        .put(TABLE_BUCKET, "sales/1.parquet", whole)
        .await
        .expect("an overwrite");
    check(&cloud, order.clone(), expect!["MAYFLY_SOURCE_CHANGED s3://tables/sales/1.parquet changed or vanished while the query read it; run the query again"]).await;
    cloud
        .store
        .delete(TABLE_BUCKET, &["sales/1.parquet".to_owned()])
        .await
        .expect("a delete");
    check(&cloud, order, expect!["MAYFLY_SOURCE_CHANGED s3://tables/sales/1.parquet changed or vanished while the query read it; run the query again"]).await;

    // The environment goes on serving.
    let good = cloud.load_all().await;
    report(execute(spec(SCAN, &good).await, &cloud.environment).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_computed() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    // Which row fails first depends on which partition runs first.
    for (sql, code) in [
        ("select 1 / (id - 17000) from sales", "DIVISION_BY_ZERO"),
        ("select cast(note as int) from sales", "INVALID_CAST_ARGUMENT"),
        ("select sum(cast(id as tinyint)) from sales", "INVALID_CAST_ARGUMENT"),
    ] {
        let text = word(&failure(spec(sql, &tables).await, &cloud.environment).await);
        assert!(text.starts_with(code), "{sql}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_are_not_allowed_are_not_asked() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    for allowed in ["", "other", "tables/shops", "table"] {
        let environment = cloud.environment(allowed);
        let TaskAnswer::Failed { failure, meter } = execute(spec(SCAN, &tables).await, &environment).await else {
            panic!("{allowed:?} does not allow the table");
        };
        expect!["MAYFLY_LOCATION_NOT_ALLOWED s3://tables/sales/0.parquet is not in a place that may be read"]
            .assert_eq(&word(&failure));
        assert_eq!(meter.s3, Default::default());
    }
    for allowed in ["*", "tables", "other, tables/sales/"] {
        report(execute(spec(SCAN, &tables).await, &cloud.environment(allowed)).await);
    }
}

/// Orders as anybody may forge them who can invoke the function; the bucket's own objects stay where they are.
#[tokio::test(flavor = "multi_thread")]
async fn forged_orders_reach_no_object_of_ours() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let good = spec(SCAN, &tables).await;
    let mut forged: Vec<(&str, TaskSpec)> = Vec::new();
    for key in [
        "catalog/lake/default/t.json",
        "j/default/q/0",
        "p/default/q/d",
        "x/default/00/q/s0/t0/1-0-1",
    ] {
        let mut order = good.clone();
        order.scans[0].splits[0].bucket = CONTROL_BUCKET.to_owned();
        order.scans[0].splits[0].key = key.to_owned();
        forged.push((key, order));
    }
    for prefix in [
        "catalog/lake/default/evil",
        "j/default/q/",
        "tables/a/",
        "x/../catalog/lake/",
        "",
        "xx/",
    ] {
        let mut order = good.clone();
        prefix.clone_into(&mut order.output.key_prefix);
        forged.push((prefix, order));
    }
    // The control bucket is the deployment's to name, not the order's.
    let mut elsewhere = good.clone();
    TABLE_BUCKET.clone_into(&mut elsewhere.output.bucket);
    elsewhere.scans[0].splits[0].bucket = CONTROL_BUCKET.to_owned();
    forged.push(("x/", elsewhere));
    for named in ["catalog/lake/default/t.json", "x/default/00/q/cancel", "p/../j/q"] {
        let (digest, key) = (good.plan.digest(), named.to_owned());
        let plan = PlanRef::Object { digest, key };
        forged.push((named, TaskSpec { plan, ..good.clone() }));
    }
    for named in ["j/default/q/0", "catalog/lake/default/t.json", "x/../j/q", ""] {
        let cancel_key = Some(named.to_owned());
        let order = good.clone();
        forged.push((named, TaskSpec { cancel_key, ..order }));
    }
    for (named, order) in forged {
        let TaskAnswer::Failed { failure, meter } = execute(order, &cloud.environment("*")).await else {
            panic!("{named} was used");
        };
        let text = word(&failure);
        assert!(
            text.starts_with("MAYFLY_LOCATION_NOT_ALLOWED") && text.contains(named),
            "{named}: {text}"
        );
        assert_eq!(meter.s3, Default::default(), "{named}");
    }
    report(execute(good, &cloud.environment("*")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_that_are_lost_or_corrupt_name_their_producer() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let stages = cut(plan(&planner(&[]), "select shop, count(*) from sales group by shop").await);
    let run = Run {
        tasks: 2,
        ..Run::default()
    };
    let mut reports = Vec::new();
    for spec in specs(0, &stages[0], &[], &tables, &run) {
        reports.push(report(execute(spec, &cloud.environment).await));
    }
    let order = specs(1, &stages[1], &[reports.clone()], &tables, &run).remove(0);
    let OutputLocation::Object { key, .. } = &reports[1].output.location else {
        panic!("an object")
    };
    let key = key.to_string();
    let lost = |failure: Failure| match failure {
        Failure::InputLost { producer, key, .. } => (producer.to_string(), key),
        other => panic!("{other}"),
    };

    let object = cloud.store.get(CONTROL_BUCKET, &key).await.expect("it was published");
    let mut flipped = object.bytes.to_vec();
    let SliceSource::Object { offset, .. } = order.inputs[0].slices[1].source else {
        panic!("an object")
    };
    flipped[offset as usize + 40] ^= 4;
    let etag = cloud
        .store
        .put(CONTROL_BUCKET, &key, flipped.into())
        .await
        .expect("an overwrite");
    let mut unaware = order.clone();
    if let SliceSource::Object { etag: pinned, .. } = &mut unaware.inputs[0].slices[1].source {
        *pinned = etag.into();
    }
    assert_eq!(
        lost(failure(unaware, &cloud.environment).await),
        ("s0/t1".to_owned(), key.clone())
    );
    // Pinned to the ETag, the exchanged object is another one.
    assert_eq!(
        lost(failure(order.clone(), &cloud.environment).await),
        ("s0/t1".to_owned(), key.to_string())
    );
    cloud
        .store
        .delete(CONTROL_BUCKET, std::slice::from_ref(&key))
        .await
        .expect("a delete");
    assert_eq!(
        lost(failure(order, &cloud.environment).await),
        ("s0/t1".to_owned(), key)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_do_not_fit_their_plan_are_refused() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let good = spec(SCAN, &tables).await;
    let broken = |failure: Failure| assert_eq!(failure.class(), "broken", "{failure}");

    let mut tampered = good.clone();
    if let PlanRef::Inline(PlanBytes { bytes, .. }) = &mut tampered.plan {
        bytes[9] ^= 1;
    }
    broken(failure(tampered, &cloud.environment).await);
    let unbound = TaskSpec {
        scans: Vec::new(),
        ..good.clone()
    };
    broken(failure(unbound, &cloud.environment).await);
    let mut spare = good.clone();
    spare.scans.push(mayfly_protocol::ScanBinding {
        scan: 9,
        splits: Vec::new(),
    });
    broken(failure(spare, &cloud.environment).await);
    let mut wide = good.clone();
    wide.output.partitions = 4;
    broken(failure(wide, &cloud.environment).await);
    let setting = ("datafusion.no.such.key".to_owned(), "1".to_owned());
    let unknown = TaskSpec {
        settings: [setting].into(),
        ..good.clone()
    };
    assert!(matches!(
        execute(unknown, &cloud.environment).await,
        TaskAnswer::Failed { .. }
    ));
}

/// A plan too large for the spec is an object that the spec names by digest.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_may_lie_in_the_store() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let mut order = spec(SCAN, &tables).await;
    let PlanRef::Inline(plan) = order.plan.clone() else {
        panic!("specs are built inline")
    };
    let key = "p/plan".to_owned();
    cloud
        .store
        .put(CONTROL_BUCKET, &key, plan.bytes.into())
        .await
        .expect("the bucket is there");
    order.plan = PlanRef::Object {
        digest: plan.digest,
        key,
    };
    report(execute(order, &cloud.environment).await);
}
