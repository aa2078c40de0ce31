//! What goes through the codec comes out the same; what may not go through is refused.

use crate::split_table::{plan, planner};
use datafusion::arrow::datatypes::Schema;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, col, lit};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;
use mayfly_fragment::{
    ExchangeExec, FenceExec, FragmentError, NoRowsExec, OutputPartitioning, ShuffleReadExec, ShuffleWriteExec, decode,
    encode,
};
use mayfly_protocol::limits::PLAN_DEPTH_MAX;
use mayfly_protocol::{InputRead, PlanBytes};
use std::sync::Arc;

fn text(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(true).to_string()
}

fn single(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(ShuffleWriteExec::new(input, OutputPartitioning::Single))
}

fn check(plan: &Arc<dyn ExecutionPlan>, context: &SessionContext) {
    let bytes = PlanBytes::new(encode(plan).expect("the plan can be sent"));
    let decoded = decode(&bytes, &context.task_ctx()).expect("the plan can be read");
    assert_eq!(text(&decoded), text(plan));
    assert_eq!(decoded.schema(), plan.schema());
}

async fn check_sql(sql: &str) {
    let context = planner(&[]);
    check(&single(plan(&context, sql).await), &context);
}

#[tokio::test]
async fn queries_come_out_as_they_went_in() {
    for sql in [
        "select id, note from sales where price > 12.5 and note is not null limit 7",
        "select shop, count(*), sum(price), avg(price), count(distinct note) from sales group by shop order by 2 desc, 1",
        "select region, sum(price) from sales join shops using (shop) where day >= date '2022-06-01' group by region",
        "select name from shops where shop not in (select shop from sales where id > 100) order by name",
        "select name from shops where exists (select 1 from sales where sales.shop = shops.shop)",
        "select id from sales union all select shop from shops",
        "select id, row_number() over (partition by shop order by price desc, id) r from sales",
        "select * from sales where price > (select avg(price) from sales) order by price limit 3",
        "select upper(substr(note, 1, 4)) n, case when id % 2 = 0 then 'even' else 'odd' end from sales",
        "select a.name, b.name from shops a, shops b where a.shop < b.shop",
        "values (1, 'a'), (2, null)",
        "select extract(year from day) y, min(id) from sales group by 1 having min(id) < 10",
    ] {
        check_sql(sql).await;
    }
}

#[tokio::test]
async fn a_scalar_subquery_may_stand_in_a_hash_key() {
    let context = planner(&[]);
    let sql = "select id + (select max(shop) from shops) k from sales";
    let plan = plan(&context, sql).await;
    // The key is what the projection computes; it names the subquery whose scope encloses the writer.
    let (scalar, mut children) = (
        Arc::clone(&plan),
        plan.children().into_iter().cloned().collect::<Vec<_>>(),
    );
    assert_eq!(scalar.name(), "ScalarSubqueryExec");
    let projection = children[0].downcast_ref::<datafusion::physical_plan::projection::ProjectionExec>();
    let projection = projection.expect("the projection reads the subquery");
    let key = Arc::clone(&projection.expr()[0].expr);
    let input = Arc::clone(projection.input());
    children[0] = Arc::new(ShuffleWriteExec::new(input, OutputPartitioning::Hash(vec![key], 8)));
    let options = datafusion::physical_plan::ReplaceChildrenOptions::new(
        datafusion::physical_plan::ChildrenPropertiesMode::Recompute,
    );
    check(
        &scalar
            .replace_children(children, options)
            .expect("the same number of children"),
        &context,
    );
}

#[tokio::test]
async fn leaves_and_roots_keep_their_properties() {
    let context = planner(&[]);
    let schema = crate::split_table::batch("sales").schema();
    let shop = col("shop", &schema).expect("a column");
    let hash = ShuffleReadExec::new(3, schema.clone(), InputRead::Partitions, 4).with_hash_keys(vec![shop.clone()]);
    let hash: Arc<dyn ExecutionPlan> = Arc::new(hash);
    let write = ShuffleWriteExec::new(hash, OutputPartitioning::Hash(vec![shop.clone()], 16));
    check(&(Arc::new(write) as _), &context);
    let ordering = LexOrdering::new([PhysicalSortExpr::new_default(shop).desc()]).expect("not empty");
    let merge = ShuffleReadExec::new(1, schema.clone(), InputRead::Merge, 5)
        .with_ordering(ordering)
        .expect("a merge");
    assert!(merge.properties().output_ordering().is_some());
    check(&single(Arc::new(merge)), &context);
    let all = ShuffleReadExec::new(0, schema, InputRead::All, 1);
    let other = crate::split_table::batch("shops").schema();
    check(
        &single(Arc::new(NoRowsExec::new(Arc::new(all.clone()), other))),
        &context,
    );
    check(&single(Arc::new(FenceExec::new(Arc::new(all.clone())))), &context);
    check(
        &(Arc::new(ShuffleWriteExec::new(Arc::new(all), OutputPartitioning::RoundRobin(3))) as _),
        &context,
    );
}

#[tokio::test]
async fn an_exchange_must_be_cut_before_it_ships() {
    let context = planner(&[]);
    let scan = plan(&context, "select * from shops").await;
    let exchange: Arc<dyn ExecutionPlan> = Arc::new(ExchangeExec::broadcast(scan).expect("an exchange"));
    let error = encode(&single(exchange)).expect_err("planners' nodes stay with the planner");
    assert!(matches!(error, FragmentError::Encode(_)), "{error:?}");
}

#[tokio::test]
async fn tampered_foreign_and_old_plans_are_refused() {
    let context = planner(&[]);
    let task = context.task_ctx();
    let bytes = encode(&single(plan(&context, "select * from shops").await)).expect("the plan can be sent");
    let refused = |plan: PlanBytes| decode(&plan, &task).expect_err("refused");

    let mut tampered = PlanBytes::new(bytes.clone());
    *tampered.bytes.last_mut().expect("not empty") ^= 1;
    assert!(matches!(refused(tampered), FragmentError::Digest { .. }));

    let mut old = bytes.clone();
    old[6] += 1;
    assert!(matches!(
        refused(PlanBytes::new(old)),
        FragmentError::Version { found: 4 }
    ));

    assert!(matches!(
        refused(PlanBytes::new(b"SELECT 1".to_vec())),
        FragmentError::NotAPlan
    ));
    assert!(matches!(refused(PlanBytes::new(Vec::new())), FragmentError::NotAPlan));
    let cut = bytes[..bytes.len() - 3].to_vec();
    assert!(matches!(refused(PlanBytes::new(cut)), FragmentError::Message(_)));
    let large = vec![0; mayfly_protocol::limits::PLAN_BYTES_MAX + 1];
    assert!(matches!(refused(PlanBytes::new(large)), FragmentError::TooLarge { .. }));
}

/// A plan that lost its end is refused wherever it was cut.
#[tokio::test]
async fn no_prefix_is_a_plan() {
    let context = planner(&[]);
    let task = context.task_ctx();
    let sql = "select shop, sum(price) from sales where note like 'note 1%' group by shop order by shop limit 3";
    let bytes = encode(&single(plan(&context, sql).await)).expect("the plan can be sent");
    for at in 0..bytes.len() {
        let prefix = PlanBytes::new(bytes[..at].to_vec());
        assert!(decode(&prefix, &task).is_err(), "{at} of {}", bytes.len());
    }
}

#[tokio::test]
async fn file_scans_and_deep_plans_are_refused() {
    let context = planner(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "x\n1\n").expect("a file");
    let path = folder.path().to_str().expect("UTF-8");
    let plain = SessionContext::new();
    plain
        .register_csv("t", path, Default::default())
        .await
        .expect("a table");
    let csv = plan(&plain, "select * from t").await;
    let error = encode(&single(csv)).expect_err("files are read through splits only");
    assert!(
        matches!(error, FragmentError::NotAllowed { name: "file scan" }),
        "{error:?}"
    );

    let shallow = plan(&context, "select * from shops").await;
    let error = on_a_tasks_stack(move || encode(&single(gathered(shallow, PLAN_DEPTH_MAX))));
    let error = error.expect_err("deeper than executors build");
    assert!(matches!(error, FragmentError::TooDeep), "{error:?}");
}

fn gathered(plan: Arc<dyn ExecutionPlan>, times: usize) -> Arc<dyn ExecutionPlan> {
    (0..times).fold(plan, |plan, _| Arc::new(CoalescePartitionsExec::new(plan)))
}

/// `CASE WHEN shop = n THEN n ELSE …`, so many times.
fn cases(schema: &Schema, times: i32) -> Arc<dyn PhysicalExpr> {
    let shop = col("shop", schema).expect("a column");
    (0..times).fold(lit(-1), |otherwise, number| {
        let is_it = BinaryExpr::new(Arc::clone(&shop), Operator::Eq, lit(number));
        let branch = (Arc::new(is_it) as Arc<dyn PhysicalExpr>, lit(number));
        Arc::new(CaseExpr::try_new(None, vec![branch], Some(otherwise)).expect("a case"))
    })
}

/// As much stack as a task's threads have.
fn on_a_tasks_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn_scoped(scope, run);
        thread.expect("a thread").join().expect("the stack is deep enough")
    })
}

#[tokio::test]
async fn plans_and_expressions_nest_as_deep_as_the_bound() {
    let context = planner(&[]);
    let scan = plan(&context, "select * from shops").await;
    let task = context.task_ctx();
    on_a_tasks_stack(move || {
        let cases = cases(&scan.schema(), PLAN_DEPTH_MAX as i32 - 10);
        let projection = ProjectionExec::try_new(vec![ProjectionExpr::new(cases, "n".to_owned())], Arc::clone(&scan));
        let projection: Arc<dyn ExecutionPlan> = Arc::new(projection.expect("a projection"));
        let gathered = gathered(scan, PLAN_DEPTH_MAX - 10);
        for deep in [gathered, projection] {
            let bytes = PlanBytes::new(encode(&single(deep)).expect("the plan can be sent"));
            let decoded = decode(&bytes, &task).expect("the plan can be read");
            assert_eq!(encode(&decoded).expect("it can be sent again"), bytes.bytes);
        }
    });
}
