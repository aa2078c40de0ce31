//! Chooses the joins whose build side every task shall read whole.
//!
//! Runs among DataFusion's own rules, after join sides are chosen and before repartitions are planned, so that what stands above
//! the join is planned for the partitioning that it then has.
//!
//! ```text
//! HashJoin(Partitioned)          HashJoin(CollectLeft)
//!   small                  →       small                  (gathered, later a BROADCAST)
//!   large                          large                  (not repartitioned)
//! ```
//!
//! The rule: the build side fits one task (`build ≤ min(target_task_bytes, 100 MB)`) and sending it to every task of the other side
//! costs less than shuffling both (`build × tasks < build + other`). Tiny task bytes therefore keep joins of anything but tiny
//! tables a HASH: forcing small tasks forces shuffles.

use super::join::build_may_be_everywhere;
use crate::estimate;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use std::sync::Arc;

/// Largest build side, in memory, that is ever sent to every task.
pub(crate) const BROADCAST_BYTES_MAX: u64 = 100_000_000;

/// The rule, for one size of tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broadcast {
    pub target_task_bytes: u64,
}

impl Broadcast {
    /// DataFusion's rule after which this one runs.
    pub(crate) const AFTER: &str = "join_selection";

    fn choose(&self, join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if *join.partition_mode() != PartitionMode::Partitioned || join.null_aware {
            return Ok(None);
        }
        let (left, right) = (estimate::bytes(join.left()), estimate::bytes(join.right()));
        let as_it_is = build_may_be_everywhere(*join.join_type()) && self.pays(left, right);
        let swapped = join.join_type().supports_swap()
            && build_may_be_everywhere(join.join_type().swap())
            && self.pays(right, left);
        if as_it_is && (!swapped || left <= right) {
            let join = join.builder().with_partition_mode(PartitionMode::CollectLeft);
            Ok(Some(Arc::new(join.recompute_properties().build()?)))
        } else if swapped {
            join.swap_inputs(PartitionMode::CollectLeft).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether `build` is better sent whole to every task that holds a part of `other`.
    fn pays(&self, build: u64, other: u64) -> bool {
        let target = self.target_task_bytes.max(1);
        let tasks = other.div_ceil(target).max(1);
        build <= target.min(BROADCAST_BYTES_MAX) && build.saturating_mul(tasks) < build.saturating_add(other)
    }
}

impl PhysicalOptimizerRule for Broadcast {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let choose = |plan: Arc<dyn ExecutionPlan>| {
            let chosen = match plan.downcast_ref::<HashJoinExec>() {
                Some(join) => self.choose(join)?,
                None => None,
            };
            Ok(chosen.map_or_else(|| Transformed::no(plan), Transformed::yes))
        };
        plan.transform_up(choose).data()
    }

    fn name(&self) -> &str {
        "mayfly_broadcast"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
