//! What a query used, by stage, over all attempts: also failed, lost, duplicate and losing ones.

use mayfly_protocol::{Meter, StageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Meters by stage. The coordinator's own requests are the driver's to add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub stages: BTreeMap<StageId, Meter>,
}

impl Usage {
    pub fn add(&mut self, stage: StageId, meter: Meter) {
        *self.stages.entry(stage).or_default() += meter;
    }

    pub fn total(&self) -> Meter {
        self.stages.values().copied().sum()
    }
}
