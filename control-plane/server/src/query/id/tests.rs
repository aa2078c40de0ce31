//! Tests of `query::id`.

use super::{QueryIds, is_ours};
use mayfly_protocol::EpochMs;

#[test]
fn what_was_issued_is_ours_and_nothing_else() {
    for moment in [0, 1_764_000_000_000, 4_000_000_000_000] {
        assert!(is_ours(&QueryIds::new().issue(EpochMs(moment))), "{moment}");
    }
    for foreign in [
        "x",
        "20261120_151209_00042",
        "20261120_151209_00042_k3x9",
        "20261120_151209_00042_K3X9A",
        "20261120_151209_0004x_k3x9a",
        "20261120_151209_00042_k3x9a_1",
        "20261120-151209-00042-k3x9a",
    ] {
        assert!(!foreign.parse().is_ok_and(|id| is_ours(&id)), "{foreign}");
    }
}
