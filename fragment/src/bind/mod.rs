//! A decoded plan meets its task: scans get their splits, inputs get their streams.
//!
//! Everything is checked against the spec: that each leaf has its binding and each binding its leaf, that splits lie where the
//! executor may read, and that partition counts are what the planner meant.

mod ahead;
mod by_name;
mod copartition;
pub mod fetch;
pub mod footer;
pub mod interrupt;
pub mod location;
mod pinned;
pub mod reader;
mod replay;
mod sampled;
pub mod scan;
mod sort_merge;
mod text;
mod top;

pub use by_name::ByName;
pub use text::TextScanExec;

use crate::error::FragmentError;
use crate::in_needed_orders;
use crate::node::shuffle_read::ShuffleReadExec;
use crate::node::shuffle_write::ShuffleWriteExec;
use crate::node::split_scan::SplitScanExec;
use crate::push_down::PushDown;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use footer::FooterCache;
use futures::TryStreamExt;
use interrupt::Interrupt;
use location::AllowedLocations;
use mayfly_exchange::ReadSettings;
use mayfly_protocol::{InputRead, TaskSpec};
use mayfly_store::Store;
use pinned::PinnedStore;
use reader::{ScanMeter, SplitReaderFactory};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a task's rows come from.
pub struct Sources {
    /// The attempt's own handle, so that its requests are counted for it.
    pub store: Store,
    /// Bucket of exchange objects.
    pub bucket: String,
    pub footers: Arc<FooterCache>,
    pub allowed: AllowedLocations,
    pub scanned: Arc<ScanMeter>,
    pub read: ReadSettings,
    pub interrupt: Interrupt,
}

/// Binds the leaves of a decoded plan, makes its joins interruptible, and merging where the spec asks for it; then hands dynamic filters down to the bound scans.
pub fn bind(
    plan: Arc<dyn ExecutionPlan>,
    spec: &TaskSpec,
    sources: &Sources,
    context: &TaskContext,
) -> Result<ShuffleWriteExec, FragmentError> {
    let config = context.session_config().options();
    let splits = || spec.scans.iter().flat_map(|scan| &scan.splits);
    splits().try_for_each(|split| sources.allowed.check(&split.bucket, &split.key))?;
    let pinned = PinnedStore::new(splits(), sources.store.clone(), Arc::clone(&sources.scanned));
    let url = scan::store_url().map_err(FragmentError::Bind)?;
    context
        .runtime_env()
        .register_object_store(url.as_ref(), Arc::new(pinned));
    let binder = Binder {
        spec,
        sources,
        config,
        bound: RefCell::default(),
    };
    let bound = plan.transform_up(|node| binder.node(node)).data();
    let bound = bound.map_err(FragmentError::Bind)?;
    binder.complete()?;
    let bound = top::ordered(bound).map_err(FragmentError::Bind)?;
    let options = copartition::filter_options(&bound, config);
    let bound = PushDown::dynamic().optimize(bound, &options);
    let bound = bound.map_err(FragmentError::Bind)?;
    let root = bound
        .downcast_ref::<ShuffleWriteExec>()
        .ok_or(FragmentError::NoOutput)?;
    if root.partitioning.partitions() != spec.output.partitions {
        let (planned, ordered) = (root.partitioning.partitions(), spec.output.partitions);
        return Err(FragmentError::OutputPartitions { planned, ordered });
    }
    Ok(root.clone())
}

/// A leaf of the plan, as specs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Scan(u32),
    Input(u32),
}

struct Binder<'a> {
    spec: &'a TaskSpec,
    sources: &'a Sources,
    config: &'a ConfigOptions,
    bound: RefCell<BTreeSet<Leaf>>,
}

impl Binder<'_> {
    fn node(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        copartition::check(&node)?;
        let bound = self.leaf(node)?;
        match bound.transformed {
            true => Ok(bound),
            false => self.join(bound.data),
        }
    }

    fn join(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        if !self.spec.sort_merge_joins {
            return self.sources.interrupt.guard(node);
        }
        // An order that a hash join kept, and that its merge sorts by, may not imply all orders that followed from it.
        in_needed_orders(node)?.transform_data(|node| {
            let instead = sort_merge::instead(Arc::clone(&node))?;
            match Arc::ptr_eq(&instead, &node) {
                true => self.sources.interrupt.guard(node),
                false => Ok(Transformed::yes(instead)),
            }
        })
    }

    fn leaf(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        if let Some(scan) = node.downcast_ref::<SplitScanExec>() {
            self.once(Leaf::Scan(scan.scan))?;
            return self.scan(scan).map(Transformed::yes);
        }
        if let Some(read) = node.downcast_ref::<ShuffleReadExec>() {
            self.once(Leaf::Input(read.input))?;
            return self.input(read).map(Transformed::yes);
        }
        Ok(Transformed::no(node))
    }

    /// Two leaves of one name would read the same rows twice.
    fn once(&self, leaf: Leaf) -> Result<()> {
        if self.bound.borrow_mut().insert(leaf) {
            return Ok(());
        }
        refuse(format!("the plan holds {leaf:?} twice"))
    }

    fn scan(&self, scan: &SplitScanExec) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(binding) = self.spec.scans.iter().find(|binding| binding.scan == scan.scan) else {
            return refuse(format!("the spec does not bind scan {}", scan.scan));
        };
        let partitions = self.local_partitions(scan.partitions())?;
        let store = self.sources.store.clone();
        let (footers, meter) = (Arc::clone(&self.sources.footers), Arc::clone(&self.sources.scanned));
        let readers = SplitReaderFactory::new(scan.scan, store, footers, meter).with_reads_ahead(scan.limit.is_none());
        scan::bind_scan(
            scan,
            &binding.splits,
            partitions,
            readers,
            &self.sources.scanned,
            self.config,
        )
    }

    fn input(&self, read: &ShuffleReadExec) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(binding) = self.spec.inputs.iter().find(|binding| binding.input == read.input) else {
            return refuse(format!("the spec does not bind input {}", read.input));
        };
        if binding.read != read.read {
            return refuse(format!("input {} is read in another way than planned", read.input));
        }
        let partitions = match read.read {
            InputRead::Partitions => self.local_partitions(read.partitions())?,
            InputRead::All | InputRead::Merge => 1,
        };
        let (store, bucket, schema) = (&self.sources.store, &self.sources.bucket, read.schema());
        let settings = self.sources.read;
        let streams = mayfly_exchange::read(store, bucket, binding, schema.clone(), partitions as u32, settings);
        let adapt = |stream: mayfly_exchange::BatchStream| {
            let stream = stream.map_err(|cause| DataFusionError::External(Box::new(cause)));
            Box::pin(RecordBatchStreamAdapter::new(schema.clone(), stream)) as _
        };
        let bound = read.clone().bound(streams.into_iter().map(adapt).collect())?;
        Ok(Arc::new(bound))
    }

    /// The task's own number of partitions; but where the planner relied on there being one, there must be one.
    fn local_partitions(&self, planned: usize) -> Result<usize> {
        let local = self.spec.local_partitions as usize;
        if local == 0 || (planned == 1 && local != 1) {
            return refuse(format!(
                "a leaf was planned for {planned} partitions and is to run {local}"
            ));
        }
        Ok(local)
    }

    fn complete(&self) -> Result<(), FragmentError> {
        let scans = self.spec.scans.iter().map(|binding| Leaf::Scan(binding.scan));
        let inputs = self.spec.inputs.iter().map(|binding| Leaf::Input(binding.input));
        let bound = self.bound.borrow();
        match scans.chain(inputs).find(|leaf| !bound.contains(leaf)) {
            Some(leaf) => Err(FragmentError::Unused {
                leaf: format!("{leaf:?}"),
            }),
            None => Ok(()),
        }
    }
}

fn refuse<T>(message: String) -> Result<T> {
    Err(DataFusionError::Plan(message))
}
