//! How a query is run: in the control plane, in one task, or in stages; and in which shape DataFusion plans it for that.

use super::{Query, Worker};
use crate::context::{Context, Shape};
use crate::rows::Answer;
use crate::settings::PLANNED_PARTITIONS_MIN;
use crate::stage::cut::{self, CutSettings, CutStage};
use crate::stage::draft;
use crate::stage::prune::{self, PrunedScans};
use crate::stage::size::Sizing;
use crate::{Fragment, PlanText, Session, error, estimate, explain, resolve, rewrite, rows};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::physical_plan::ExecutionPlan;
use mayfly_protocol::QueryError;
use std::sync::Arc;

/// How a query is run.
pub(super) enum Way {
    Rows {
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    },
    Stages {
        stages: Vec<CutStage>,
        /// The same for people, the result first.
        fragments: Vec<Fragment>,
    },
}

impl Way {
    fn stages(stages: Vec<CutStage>, text: &mut PlanText) -> Way {
        let fragments = explain::fragments(&stages);
        text.distributed = explain::distributed(&fragments);
        Way::Stages { stages, fragments }
    }
}

impl Worker {
    pub(super) fn sizing(&self, session: &Session) -> Result<Sizing, QueryError> {
        let properties = session.properties()?;
        Ok(Sizing {
            target_task_bytes: properties.target_task_bytes.unwrap_or(self.settings.target_task_bytes),
            local_partitions: properties.target_partitions.unwrap_or(self.settings.executor_vcpus),
            concurrency: self.settings.concurrency,
            one_task_bytes: properties.target_task_bytes.unwrap_or(self.settings.one_task_bytes()),
        })
    }

    pub(super) fn whole(&self, sizing: Sizing) -> Shape {
        Shape::Whole {
            partitions: sizing.local_partitions as usize,
        }
    }

    /// In the control plane if no row is read, in one task if the input fits it, else in stages.
    pub(super) async fn way(&self, query: &Query<'_>, text: &mut PlanText) -> Result<Way, QueryError> {
        let context = &query.context;
        let (logical, physical) = resolve::physical(context, &query.logical).await?;
        text.logical = logical.display_indent().to_string();
        text.physical = explain::physical(&physical);
        let pruned = prune::scans(&physical, &context.scans).map_err(error::from_datafusion)?;
        if pruned.values().all(|scan| scan.rows() == 0) && !rows::makes_rows(&physical) {
            let plan = rows::without_scans(&physical).map_err(error::from_datafusion)?;
            let schema = plan.schema();
            return match rows::answer(plan.clone(), &context.state).await? {
                Answer::Rows(batches) => Ok(Way::Rows { schema, batches }),
                Answer::TooMuch(why) => self.elsewhere(query, &plan, text).map_err(|_| why),
            };
        }
        let bytes: u64 = pruned.values().map(prune::Pruned::bytes).sum();
        let stages = if self.fits_one_task(&physical, &pruned, query.sizing) {
            self.one_task(query, physical, bytes, text).await?
        } else {
            self.many_tasks(query, text).await?
        };
        Ok(Way::stages(stages.map_err(error::from_datafusion)?, text))
    }

    /// In one task, although no table is read: there is more room.
    fn elsewhere(&self, query: &Query<'_>, plan: &Arc<dyn ExecutionPlan>, text: &mut PlanText) -> DfResult<Way> {
        let stages = self.whole_task(plan, &query.context, self.cut_settings(query.sizing))?;
        Ok(Way::stages(stages, text))
    }

    /// A task that reads more than usual must have room for what its operators hold.
    fn fits_one_task(&self, physical: &Arc<dyn ExecutionPlan>, pruned: &PrunedScans, sizing: Sizing) -> bool {
        let bytes: u64 = pruned.values().map(prune::Pruned::bytes).sum();
        let is_usual = bytes <= sizing.target_task_bytes;
        let holds = || estimate::held_bytes(physical) <= self.settings.held_bytes_max();
        sizing.fits_one_task(pruned.values()) && (is_usual || holds())
    }

    /// DataFusion's own plan for one process, in one task: on more vCPUs where there is work for them.
    async fn one_task(
        &self,
        query: &Query<'_>,
        physical: Arc<dyn ExecutionPlan>,
        bytes: u64,
        text: &mut PlanText,
    ) -> Result<DfResult<Vec<CutStage>>, QueryError> {
        let held = match bytes <= query.sizing.target_task_bytes {
            true => 0,
            false => estimate::held_bytes(&physical),
        };
        let size = self.settings.size_for(bytes, held);
        let is_narrow = query.session.properties()?.target_partitions.is_some() || size == self.settings.size;
        if is_narrow {
            return Ok(self.whole_task(&physical, &query.context, self.cut_settings(query.sizing)));
        }
        let sizing = Sizing {
            local_partitions: size.vcpus().min(self.settings.size_max.vcpus()),
            ..query.sizing
        };
        let context = query.lookup.context(query.session, self.whole(sizing))?;
        let (_, physical) = resolve::physical(&context, &query.logical).await?;
        text.physical = explain::physical(&physical);
        Ok(self.whole_task(&physical, &context, CutSettings { sizing, size }))
    }

    fn whole_task(
        &self,
        physical: &Arc<dyn ExecutionPlan>,
        context: &Context,
        settings: CutSettings,
    ) -> DfResult<Vec<CutStage>> {
        let pruned = prune::scans(physical, &context.scans)?;
        cut::cut(&draft::one(physical), &pruned, settings)
    }

    async fn many_tasks(&self, query: &Query<'_>, text: &mut PlanText) -> Result<DfResult<Vec<CutStage>>, QueryError> {
        let sizing = query.sizing;
        let partitions = (sizing.local_partitions as usize).max(PLANNED_PARTITIONS_MIN);
        let shape = Shape::Distributed {
            partitions,
            target_task_bytes: sizing.target_task_bytes,
        };
        let context = query.lookup.context(query.session, shape)?;
        let (_, physical) = resolve::physical(&context, &query.logical).await?;
        text.physical = explain::physical(&physical);
        Ok(self.stages(&physical, &context, sizing, partitions, text))
    }

    fn stages(
        &self,
        physical: &Arc<dyn ExecutionPlan>,
        context: &Context,
        sizing: Sizing,
        partitions: usize,
        text: &mut PlanText,
    ) -> DfResult<Vec<CutStage>> {
        let exchanged = rewrite::exchange::insert(physical, partitions)?;
        text.rewrites.push(("exchange", explain::physical(&exchanged)));
        let pruned = prune::scans(&exchanged, &context.scans)?;
        let drafts = draft::draft(&exchanged, &pruned, sizing)?;
        cut::cut(&drafts, &pruned, self.cut_settings(sizing))
    }

    fn cut_settings(&self, sizing: Sizing) -> CutSettings {
        CutSettings {
            sizing,
            size: self.settings.size,
        }
    }
}
