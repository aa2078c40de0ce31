//! Keys as text, since other processes rely on their spelling.

use super::*;

#[test]
fn an_output_lies_under_one_of_its_querys_prefixes() {
    let attempt: AttemptId = "20261120_151209_00042_k3x9a/s2g1/t14/a3e2"
        .parse()
        .expect("spelled right");
    let tenant = TenantId::default();
    let prefix = output_prefix(&tenant, &attempt);
    assert_eq!(prefix, "x/default/13/20261120_151209_00042_k3x9a/s2g1/t14/2-3-");
    let prefixes = query_prefixes(&tenant, &attempt.query);
    assert_eq!(prefixes.len(), 16);
    assert_eq!(prefixes.iter().filter(|other| prefix.starts_with(*other)).count(), 1);
}

#[test]
fn sixteen_neighbours_lie_in_sixteen_shards() {
    let shards: std::collections::BTreeSet<u32> = (0..16)
        .map(|index| {
            let stage = mayfly_protocol::StageId::new(3);
            shard(TaskId { stage, index })
        })
        .collect();
    assert_eq!(shards.len(), 16);
}

#[test]
fn a_plan_is_named_by_its_content() {
    let query: QueryId = "q1".parse().expect("spelled right");
    let key = plan(&TenantId::default(), &query, &Digest::of(b"plan"));
    assert!(key.starts_with("p/default/q1/") && key.len() == 13 + 64, "{key}");
}
