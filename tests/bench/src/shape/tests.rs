//! What counts as distributed.

use super::{LARGE_TABLE_BYTES, fault, fragments};

const PLAN: &str = "\
Fragment 1 [HASH] tasks=3
    Output: RESULT
    Input 0: HASH from fragment 0
    ShuffleWriteExec: SINGLE
      AggregateExec: mode=FinalPartitioned, gby=[k@0 as k], aggr=[]
        ShuffleReadExec: input=0

Fragment 0 [SOURCE] tasks=8
    Output: HASH 8 partitions
    Scan: lake.tpch.lineitem 20 of 20 row groups in 2 of 2 files, 17.5 MB
    ShuffleWriteExec: HASH
      AggregateExec: mode=Partial, gby=[k@0 as k], aggr=[]
        SplitScanExec: lake.tpch.lineitem
";

fn large(_: &str) -> u64 {
    LARGE_TABLE_BYTES + 1
}

#[test]
fn many_leaves_and_an_exchange_are_distributed() {
    assert_eq!(fault(&fragments(PLAN), large), None);
}

#[test]
fn few_leaves_of_a_large_table_are_not() {
    let plan = PLAN.replace("tasks=8", "tasks=7");
    assert!(fault(&fragments(&plan), large).is_some());
    assert_eq!(fault(&fragments(&plan), |_| LARGE_TABLE_BYTES), None);
}

#[test]
fn a_group_by_beside_its_scan_is_not() {
    let plan = PLAN.replace("mode=Partial", "mode=SinglePartitioned");
    assert!(fault(&fragments(&plan), large).is_some());
    assert_eq!(fault(&fragments(&plan), |_| LARGE_TABLE_BYTES), None);
    let plan = PLAN.replace("AggregateExec: mode=Partial", "HashJoinExec: mode=Partitioned");
    assert!(fault(&fragments(&plan), large).is_some());
}
