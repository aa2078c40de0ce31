//! The DataFusion settings that the planner and the executor share. A plan is only right where both sides mean the same by it, so
//! whatever a query may override travels in `StageGraph::settings` and `TaskSpec::settings`.

use crate::function::guard::Guard;
use crate::function::percentile::PercentileCont;
use crate::function::seeded::Seeded;
use crate::function::{ordered, trino};
use crate::{Directed, SingleRow};
use datafusion::common::Result;
use datafusion::config::{ConfigOptions, SpillCompression};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows per batch, unless a query says otherwise.
pub const BATCH_ROWS_DEFAULT: usize = 8_192;

/// What only the planner's process may do: dynamic filters are made where they run.
const DYNAMIC_FILTERS: &str = "datafusion.optimizer.enable_dynamic_filter_pushdown";

/// Configuration under which queries are planned. `settings` holds `datafusion.*` overrides by their full names.
pub fn session_config(settings: &BTreeMap<String, String>) -> Result<SessionConfig> {
    let mut config = shared(settings)?;
    // A filter that the planner made would travel to a process that never fills it.
    config.options_mut().set(DYNAMIC_FILTERS, "false")?;
    Ok(config)
}

/// Configuration under which a task runs: the planner's, and dynamic filters inside the task.
pub fn execution_config(settings: &BTreeMap<String, String>) -> Result<SessionConfig> {
    shared(settings)
}

fn shared(settings: &BTreeMap<String, String>) -> Result<SessionConfig> {
    let mut config = SessionConfig::new()
        // With one partition DataFusion plans no exchange, and nothing could be cut.
        .with_target_partitions(crate::SCAN_PARTITIONS_DEFAULT)
        .with_batch_size(BATCH_ROWS_DEFAULT)
        .with_collect_statistics(true)
        .with_information_schema(false);
    let options = config.options_mut();
    // A view array drags its whole buffers into every shuffled block.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    set_values(options);
    options.execution.spill_compression = SpillCompression::Lz4Frame;
    // Idle partitions may read their siblings' files: a task runs all partitions of its plan, so no file is read twice or never.
    options.execution.enable_file_stream_work_stealing = true;
    for (key, value) in settings {
        options.set(key, value)?;
    }
    Ok(config)
}

/// What of DataFusion's options decides on values: a literal has the digits that are written, and NULLs come last.
pub fn set_values(options: &mut ConfigOptions) {
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
}

/// DataFusion with its default functions and ours, on either side: a function travels by name.
pub fn session_state_builder(config: SessionConfig) -> SessionStateBuilder {
    let mut builder = SessionStateBuilder::new().with_config(config).with_default_features();
    // The last of a name counts.
    builder
        .window_functions()
        .get_or_insert_default()
        .extend(Directed::all());
    builder
        .scalar_functions()
        .get_or_insert_default()
        .extend(trino::scalars().into_iter().chain([SingleRow::function()]));
    builder.aggregate_functions().get_or_insert_default().extend(
        PercentileCont::function()
            .into_iter()
            .chain(ordered::all())
            .chain(trino::aggregates()),
    );
    builder
}

/// The same for a task, whose seed decides what it draws by chance, and whose functions are guarded.
pub fn task_state_builder(config: SessionConfig, seed: u64) -> SessionStateBuilder {
    let mut builder = session_state_builder(config);
    let functions = builder.scalar_functions().get_or_insert_default();
    functions.extend(Seeded::all(seed));
    *functions = Guard::all(functions);
    builder
}

/// A runtime with one object store, that of a task's splits: no `file://`, no `http://`.
pub fn runtime_env_builder() -> RuntimeEnvBuilder {
    RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(SplitStoreOnly::default()))
}

/// A registry that hands out the store of a task's splits, and no other.
#[derive(Debug, Default)]
struct SplitStoreOnly {
    registered: DefaultObjectStoreRegistry,
}

impl ObjectStoreRegistry for SplitStoreOnly {
    fn register_store(&self, url: &url::Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.registered.register_store(url, store)
    }

    fn get_store(&self, url: &url::Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == crate::bind::scan::SPLITS_SCHEME {
            return self.registered.get_store(url);
        }
        datafusion::common::plan_err!("no object store may be read at {url}")
    }
}
