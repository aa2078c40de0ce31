//! Tests of `key`.

use super::*;
use crate::StageId;

fn attempt(stage: u32, task: u32) -> AttemptId {
    let stage = StageId::new(stage);
    AttemptId {
        query: "20261120_151209_00042_k3x9a".parse().expect("an id"),
        task: TaskId { stage, index: task },
        epoch: 1,
        number: 3,
    }
}

#[test]
fn an_output_is_spelled_with_its_whole_identity() {
    let key = output(&TenantId::default(), &attempt(2, 14), Nonce(255));
    assert_eq!(
        key,
        "x/default/08/20261120_151209_00042_k3x9a/s2/t14/1-3-00000000000000ff"
    );
}

/// Keys are put together by hand; what ids look like is said where they are shown.
#[test]
fn the_parts_of_a_key_are_spelled_as_ids_are() {
    for (stage, generation, task, nonce) in [(0, 0, 0, 0), (12, 0, 9_999, u64::MAX), (3, 2, 10, 0xabc)] {
        let mut attempt = attempt(stage, task);
        attempt.task.stage.generation = generation;
        let (id, nonce, shard) = (attempt.task, Nonce(nonce), shard(attempt.task));
        let expected = format!("x/default/{shard:02}/{}/{id}/1-3-{nonce}", attempt.query);
        assert_eq!(output(&TenantId::default(), &attempt, nonce), expected);
    }
}

#[test]
fn the_word_to_stop_goes_with_the_querys_objects() {
    let (tenant, query) = (TenantId::default(), attempt(0, 0).query);
    let key = cancel(&tenant, &query);
    assert_eq!(key, "x/default/00/20261120_151209_00042_k3x9a/cancel");
    assert!(
        query_prefixes(&tenant, &query)
            .iter()
            .any(|prefix| key.starts_with(prefix))
    );
}

#[test]
fn every_output_lies_under_one_of_the_prefixes_and_all_are_used() {
    let tenant = TenantId::default();
    let prefixes = query_prefixes(&tenant, &attempt(0, 0).query);
    let mut used = std::collections::BTreeSet::new();
    for task in 0..64 {
        let key = output_prefix(&tenant, &attempt(1, task));
        let under = prefixes.iter().filter(|prefix| key.starts_with(*prefix));
        used.extend(under);
    }
    assert_eq!(used.len(), SHARDS as usize);
}

#[test]
fn plans_and_journals_are_spelled_with_their_query() {
    let (tenant, query) = (TenantId::default(), attempt(0, 0).query);
    let digest = Digest::of(b"plan");
    assert_eq!(
        plan(&tenant, &query, &digest),
        format!("p/default/20261120_151209_00042_k3x9a/{digest}")
    );
    let prefix = journal_prefix(&tenant, &query);
    assert_eq!(prefix, "j/default/20261120_151209_00042_k3x9a/");
    let keys = [0, 9, 10, 99_999_999].map(|sequence| journal(&tenant, &query, sequence));
    assert_eq!(keys[0], format!("{prefix}00000000"));
    assert!(keys.is_sorted() && keys.iter().all(|key| key.starts_with(&prefix)));
}

#[test]
fn a_stages_outputs_lie_below_its_prefix() {
    let (tenant, attempt) = (TenantId::default(), attempt(2, 14));
    let key = output(&tenant, &attempt, Nonce(1));
    let prefixes = query_prefixes(&tenant, &attempt.query);
    let of_stage = |stage| {
        let mut prefixes = prefixes.iter().map(move |prefix| stage_prefix(prefix, stage));
        prefixes.any(|prefix| key.starts_with(&prefix))
    };
    assert!(of_stage(StageId::new(2)));
    assert!(!of_stage(StageId::new(1)) && !of_stage(StageId::new(21)));
}

#[test]
fn the_catalogs_keys_are_read_as_they_are_spelled() {
    let catalog = CatalogKeys("lake");
    let schema = catalog.schema("sales");
    assert_eq!(schema.folder(), "catalog/lake/sales/");
    assert_eq!(schema.marker(), "catalog/lake/sales/.schema.json");
    assert_eq!(schema.relation("orders"), "catalog/lake/sales/orders.json");
    assert_eq!(schema.footers("orders"), "catalog/lake/sales/orders.files.json");
    for key in [schema.marker(), schema.relation("orders"), schema.footers("orders")] {
        assert!(key.starts_with(&catalog.root()));
        assert_eq!(catalog.schema_of(&key), Some("sales"), "{key}");
        let relation = (key == schema.relation("orders")).then_some("orders");
        assert_eq!(schema.relation_of(&key), relation, "{key}");
    }
    for key in [
        "catalog/lake/sal.json",
        "catalog/lakes/sales/t.json",
        "j/lake/sales/t.json",
    ] {
        assert_eq!(catalog.schema_of(key), None, "{key}");
    }
    for key in [
        "catalog/lake/sales2/t.json",
        "catalog/lake/sales/a/t.json",
        "catalog/lake/sales/t",
    ] {
        assert_eq!(schema.relation_of(key), None, "{key}");
    }
}

#[test]
fn what_is_ours_is_private_and_tables_are_not() {
    for key in [
        "",
        "/",
        "catalog",
        "catalog/lake/default/t.json",
        "j/default/q/0",
        "p/default",
        "x",
    ] {
        assert!(is_private(key), "{key}");
    }
    for key in ["tables/tpch/orders/", "xx/y", "catalogs/lake", "probe/p", "lake/x/"] {
        assert!(!is_private(key), "{key}");
    }
}

#[test]
fn what_expires_is_no_table_and_no_catalog() {
    let expiring = EXPIRING.map(|(prefix, _)| prefix);
    assert_eq!(expiring, [OUTPUTS, PLANS, JOURNALS, PROBES]);
    assert!(STATE_PROBE.starts_with(PROBES) && probe(PROBES, "a").starts_with(PROBES));
    assert_eq!(loaded("tpch", "orders"), "tables/tpch/orders/");
}
