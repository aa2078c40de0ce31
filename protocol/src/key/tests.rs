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
