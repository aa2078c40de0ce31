//! The DataFusion session of one planning: the tables that the statement names, frozen time, and the planner's settings.
//!
//! Nothing is shared between plannings and nothing is reachable but these tables: no file, no URL, no other catalog.

use crate::lists::Lists;
use crate::provider::{LakeTable, Scans};
use crate::rewrite::aggregate_order::AggregateOrder;
use crate::rewrite::broadcast::Broadcast;
use crate::rewrite::cross_joins::CrossJoins;
use crate::rewrite::dependencies::Dependencies;
use crate::rewrite::distinct_names::{DistinctNames, Requirements};
use crate::rewrite::empty_branches::EmptyBranches;
use crate::rewrite::grouping_sets::GroupingSets;
use crate::rewrite::join_keys::EqualKeys;
use crate::rewrite::join_order;
use crate::rewrite::mark;
use crate::rewrite::nested_top::NestedTop;
use crate::rewrite::nested_unions::NestedUnions;
use crate::rewrite::offsets::Offsets;
use crate::rewrite::orders::Orders;
use crate::rewrite::own_equal::OwnEqual;
use crate::rewrite::padded::Padded;
use crate::rewrite::push_down_filter::KeepFilter;
use crate::rewrite::top_groups::TopGroups;
use crate::rewrite::window::WindowFlags;
use crate::rewrite::window_keys::WindowKeys;
use crate::sql::{NamedFiles, QueryStatement};
use crate::views::{self, View};
use crate::{Session, error, growing, information, series, statistics, values};
use chrono::{DateTime, Utc};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::{Statistics, TableReference};
use datafusion::execution::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as DfStatement;
use futures::{StreamExt as _, stream};
use mayfly_catalog::{Catalog, DEFAULT_SCHEMA, Relation, Table, TableRef, ViewDefinition};
use mayfly_fragment::PushDown;
use mayfly_protocol::{EpochMs, ErrorCode, QueryError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tables of one statement that are looked up at once.
const LOOKUPS_MAX: usize = 16;

/// Views that stand on one another.
const VIEW_DEPTH_MAX: usize = 16;

/// Memory of a plan that runs in the control plane. It is less than a planner has for one statement, so that what needs more comes to an
/// executor instead of an end.
const MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How DataFusion shall plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// To be cut: every join and aggregation repartitions, so that there is an exchange to cut at.
    Distributed { partitions: usize, target_task_bytes: u64 },
    /// To run whole in one task.
    Whole { partitions: usize },
}

/// What planning a statement needs.
pub(crate) struct Context {
    pub state: SessionState,
    pub scans: Arc<Scans>,
    /// Why names in the statement are not tables. They may yet be something else: a CTE, a function.
    pub missing: BTreeMap<TableRef, QueryError>,
}

impl Context {
    /// What the columns of the relations in the statement are called, as far as they are tables or views.
    pub(crate) async fn columns(
        &self,
        statement: &DfStatement,
        session: &Session,
    ) -> Result<BTreeMap<TableRef, Vec<String>>, QueryError> {
        let mut columns = BTreeMap::new();
        for name in references(statement, session)? {
            let catalog = self.state.catalog_list().catalog(&name.catalog);
            let Some(schema) = catalog.and_then(|catalog| catalog.schema(&name.schema)) else {
                continue;
            };
            let table = schema.table(&name.table).await.map_err(error::from_datafusion)?;
            if let Some(table) = table {
                let fields = table.schema();
                columns.insert(name, fields.fields().iter().map(|field| field.name().clone()).collect());
            }
        }
        Ok(columns)
    }

    /// The same tables, with names looked up elsewhere first.
    pub(crate) fn inside(&self, catalog: &str, schema: &str) -> Context {
        let mut state = self.state.clone();
        let start = state.execution_props().query_execution_start_time;
        let defaults = &mut state.config_mut().options_mut().catalog;
        defaults.default_catalog = catalog.to_owned();
        defaults.default_schema = schema.to_owned();
        state.execution_props_mut().query_execution_start_time = start;
        Context {
            state,
            scans: self.scans.clone(),
            missing: self.missing.clone(),
        }
    }
}

/// The tables that a statement names, looked up once for all shapes it is planned in.
pub(crate) struct Lookup {
    found: BTreeMap<TableRef, Found>,
    /// Views, each after those that its query names.
    views: Vec<View>,
    missing: BTreeMap<TableRef, QueryError>,
    information: Option<Arc<dyn SchemaProvider>>,
    /// One book for all shapes: a logical plan keeps the tables of the context that resolved it.
    scans: Arc<Scans>,
}

struct Found {
    table: Arc<Table>,
    statistics: Arc<Statistics>,
}

impl Found {
    fn new(table: Arc<Table>) -> Found {
        let statistics = Arc::new(statistics::of(&table));
        Found { table, statistics }
    }
}

/// Finds the statement's tables, the files that it names itself, and what the views stand on that it names. Only errors that cannot mean
/// "no such table" end it.
pub(crate) async fn look_up(
    catalog: &Catalog,
    statement: &QueryStatement,
    session: &Session,
) -> Result<Lookup, QueryError> {
    let mut lookup = Lookup {
        found: BTreeMap::new(),
        views: Vec::new(),
        missing: BTreeMap::new(),
        information: None,
        scans: Arc::new(Scans::default()),
    };
    lookup.add_files(catalog, &statement.files).await?;
    lookup
        .add(catalog, references(&statement.ast, session)?, VIEW_DEPTH_MAX)
        .await?;
    Ok(lookup)
}

impl Lookup {
    /// Adds what the names stand for. `depth`: how many views may still stand on one another.
    async fn add(&mut self, catalog: &Catalog, names: Vec<TableRef>, depth: usize) -> Result<(), QueryError> {
        let (information, names): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.schema == information::SCHEMA);
        if !information.is_empty() && self.information.is_none() {
            self.information = Some(information::schema(catalog).await?);
        }
        let new = names.into_iter().filter(|name| !self.knows(name));
        let looked: Vec<_> = stream::iter(new.collect::<Vec<_>>())
            .map(async |name| {
                let relation = relation(catalog, &name).await;
                (name, relation)
            })
            .buffered(LOOKUPS_MAX)
            .collect()
            .await;
        for (name, relation) in looked {
            match relation {
                Ok(Looked::Table(table)) => drop(self.found.insert(name, Found::new(table))),
                Ok(Looked::View(view)) => self.add_view(catalog, view, depth).await?,
                Err(error) if is_missing(&error) => drop(self.missing.insert(name, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Files of the statement's tables, and row groups in them: what planning divides.
    pub(crate) fn pieces(&self) -> u64 {
        let tables = self.found.values();
        let files = tables.flat_map(|found| &found.table.files);
        files
            .map(|file| 1 + file.footer.as_ref().map_or(0, |footer| footer.row_groups.len() as u64))
            .sum()
    }

    /// Adds files that a query names itself.
    async fn add_files(&mut self, catalog: &Catalog, named: &[NamedFiles]) -> Result<(), QueryError> {
        let new = named.iter().filter(|named| !self.knows(&named.files.name()));
        let looked: Vec<_> = stream::iter(new.cloned().collect::<Vec<_>>())
            .map(async |named| {
                let table = catalog.direct(&named.files).await;
                (named, table)
            })
            .buffered(LOOKUPS_MAX)
            .collect()
            .await;
        for (named, table) in looked {
            let table = table.map_err(|cause| {
                let place = cause.location.or(named.at);
                cause.at(place)
            })?;
            self.found.insert(named.files.name(), Found::new(table));
        }
        Ok(())
    }

    pub(crate) fn stands_on_view(&self, name: &TableRef) -> bool {
        self.views.iter().any(|view| view.definition.name == *name)
    }

    fn knows(&self, name: &TableRef) -> bool {
        self.found.contains_key(name) || self.stands_on_view(name)
    }

    async fn add_view(
        &mut self,
        catalog: &Catalog,
        definition: ViewDefinition,
        depth: usize,
    ) -> Result<(), QueryError> {
        if depth == 0 {
            return Err(views::too_deep(&definition.name, VIEW_DEPTH_MAX));
        }
        let view = View::parse(definition)?;
        let files = self.add_files(catalog, &view.query.files).await;
        files.map_err(|cause| views::stale(&view.definition.name, cause))?;
        let names = references(&view.query.ast, &view.session(&Session::default()))?;
        Box::pin(self.add(catalog, names, depth - 1)).await?;
        // Another view may have brought it meanwhile.
        if !self.knows(&view.definition.name) {
            self.views.push(view);
        }
        Ok(())
    }
}

enum Looked {
    Table(Arc<Table>),
    View(ViewDefinition),
}

async fn relation(catalog: &Catalog, name: &TableRef) -> Result<Looked, QueryError> {
    match catalog.relation(name).await? {
        Relation::Table(table) => catalog.open(table).await.map(Looked::Table),
        Relation::View(view) => Ok(Looked::View(view)),
    }
}

fn is_missing(error: &QueryError) -> bool {
    use ErrorCode::{CatalogNotFound, SchemaNotFound, TableNotFound};
    matches!(error.code, CatalogNotFound | SchemaNotFound | TableNotFound)
}

/// Full names of all relations in the statement that are not CTEs.
fn references(statement: &DfStatement, session: &Session) -> Result<Vec<TableRef>, QueryError> {
    let (references, _) =
        datafusion::sql::resolve::resolve_table_references(statement, true).map_err(error::from_datafusion)?;
    Ok(references
        .into_iter()
        .map(|reference| full_name(reference, session))
        .collect())
}

fn full_name(reference: TableReference, session: &Session) -> TableRef {
    let resolved = reference.resolve(&session.catalog.to_lowercase(), &session.schema());
    TableRef {
        catalog: resolved.catalog.to_string(),
        schema: resolved.schema.to_string(),
        table: resolved.table.to_string(),
    }
}

impl Lookup {
    /// A context that knows the statement's views too: for planning its text. Views are part of a logical plan already.
    pub(crate) async fn context_with_views(&self, session: &Session, shape: Shape) -> Result<Context, QueryError> {
        let context = self.context(session, shape)?;
        for view in &self.views {
            let provider = view.provider(&context, session).await?;
            let name = &view.definition.name;
            let registered = schema(&context.state, name)?.register_table(name.table.clone(), provider);
            registered.map_err(error::from_datafusion)?;
        }
        Ok(context)
    }

    pub(crate) fn context(&self, session: &Session, shape: Shape) -> Result<Context, QueryError> {
        let scans = self.scans.clone();
        let mut state = state(config(session, shape)?, session.now, shape);
        for (name, found) in &self.found {
            let provider = LakeTable::new(found.table.clone(), found.statistics.clone(), scans.clone());
            let schema = schema(&state, name)?;
            schema
                .register_table(name.table.clone(), Arc::new(provider))
                .map_err(error::from_datafusion)?;
        }
        if let Some(information) = &self.information {
            catalog(&state, &session.catalog.to_lowercase())
                .register_schema(information::SCHEMA, information.clone())
                .map_err(error::from_datafusion)?;
        }
        freeze(&mut state, session.now);
        Ok(Context {
            state,
            scans,
            missing: self.missing.clone(),
        })
    }
}

/// A state without tables, for what needs only types and functions.
pub(crate) fn bare(session: &Session) -> Result<SessionState, QueryError> {
    let shape = Shape::Whole { partitions: 1 };
    Ok(state(config(session, shape)?, session.now, shape))
}

fn state(config: SessionConfig, now: EpochMs, shape: Shape) -> SessionState {
    let runtime = mayfly_fragment::runtime_env_builder()
        .with_memory_limit(MEMORY_BYTES_MAX, 1.0)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()
        .expect("a runtime without a disk has nothing to fail on");
    let mut builder = mayfly_fragment::session_state_builder(config).with_runtime_env(runtime);
    builder.scalar_functions().get_or_insert_default().extend(mark::all());
    let builder = values::planned_by(builder)
        .with_analyzer_rule(Arc::new(WindowFlags))
        .with_analyzer_rule(Arc::new(AggregateOrder))
        .with_optimizer_rules(logical_rules())
        .with_relation_planners(vec![Arc::new(Lists)])
        .with_physical_optimizer_rules(rules(shape));
    let mut state = builder.build();
    series::as_tasks_know_them(&mut state);
    growing::hold(&mut state);
    freeze(&mut state, now);
    state
}

type LogicalRule = Arc<dyn OptimizerRule + Send + Sync>;

/// DataFusion's own rules, ours in place of those that mistake keys or names, true dependencies for those that use them, the order of
/// joins, and rows that an OFFSET skips.
fn logical_rules() -> Vec<LogicalRule> {
    let ours: [LogicalRule; 5] = [
        Arc::new(EqualKeys),
        Arc::new(NestedUnions::default()),
        Arc::new(EmptyBranches::default()),
        Arc::new(CrossJoins::default()),
        Arc::new(KeepFilter::default()),
    ];
    let mut rules = Optimizer::new().rules;
    for ours in ours {
        let at = place(rules.iter().map(|rule| rule.name()), ours.name());
        rules[at] = ours;
    }
    for before in Dependencies::BEFORE {
        let at = place(rules.iter().map(|rule| rule.name()), before);
        rules.insert(at, Arc::new(Dependencies));
    }
    rules.push(Arc::new(Offsets));
    join_order::among(rules)
}

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's own rules, ours in place of those that take columns of one name for one column, and the choice of broadcast joins.
fn rules(shape: Shape) -> Vec<Rule> {
    let mut rules = PhysicalOptimizer::new().rules;
    let ours: [Rule; 3] = [
        Arc::new(PushDown::written()),
        Arc::new(PushDown::dynamic()),
        Arc::new(Requirements),
    ];
    for ours in ours {
        let at = place(rules.iter().map(|rule| rule.name()), ours.name());
        rules[at] = ours;
    }
    insert_before(&mut rules, Requirements.name(), Arc::new(Padded));
    insert_after(&mut rules, TopGroups::AFTER, Arc::new(TopGroups));
    rules.insert(0, Arc::new(DistinctNames));
    rules.insert(0, Arc::new(GroupingSets));
    rules.insert(0, Arc::new(WindowKeys));
    rules.insert(0, Arc::new(OwnEqual));
    if let Shape::Distributed { target_task_bytes, .. } = shape {
        insert_after(&mut rules, Broadcast::AFTER, Arc::new(Broadcast { target_task_bytes }));
    }
    insert_before(&mut rules, Orders::BEFORE, Arc::new(Orders));
    rules.push(Arc::new(NestedTop));
    rules
}

fn insert_before(rules: &mut Vec<Rule>, name: &str, rule: Rule) {
    rules.insert(place(rules.iter().map(|rule| rule.name()), name), rule);
}

fn insert_after(rules: &mut Vec<Rule>, name: &str, rule: Rule) {
    rules.insert(place(rules.iter().map(|rule| rule.name()), name) + 1, rule);
}

/// Where DataFusion's rule of that name stands. A release that renames it must not lose ours: no statement is planned then.
pub(crate) fn place<'n>(mut names: impl Iterator<Item = &'n str>, name: &str) -> usize {
    let at = names.position(|known| known == name);
    at.unwrap_or_else(|| panic!("DataFusion has no rule {name} any more, beside which one of ours belongs"))
}

/// `now()` is when the query was accepted, whenever and wherever it is planned.
fn freeze(state: &mut SessionState, now: EpochMs) {
    let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
    let start: Option<DateTime<Utc>> = DateTime::from_timestamp_millis(millis);
    state.execution_props_mut().query_execution_start_time = start;
}

fn catalog(state: &SessionState, name: &str) -> Arc<dyn CatalogProvider> {
    let catalogs = state.catalog_list();
    catalogs.catalog(name).unwrap_or_else(|| {
        let new = Arc::new(MemoryCatalogProvider::new());
        catalogs.register_catalog(name.to_owned(), new.clone());
        new
    })
}

fn schema(state: &SessionState, table: &TableRef) -> Result<Arc<dyn SchemaProvider>, QueryError> {
    let catalog = catalog(state, &table.catalog);
    if let Some(schema) = catalog.schema(&table.schema) {
        return Ok(schema);
    }
    let new = Arc::new(MemorySchemaProvider::new());
    catalog
        .register_schema(&table.schema, new.clone())
        .map_err(error::from_datafusion)?;
    Ok(new)
}

fn config(session: &Session, shape: Shape) -> Result<SessionConfig, QueryError> {
    let schema = session.schema();
    let schema = if schema.is_empty() { DEFAULT_SCHEMA } else { &schema };
    let mut config = mayfly_fragment::session_config(&session.settings()?)
        .map_err(error::from_datafusion)?
        .with_default_catalog_and_schema(session.catalog.to_lowercase(), schema)
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // A CASE whose condition is never true has no NULL to the optimizer, and may have one to the operators.
    options.execution.skip_physical_aggregate_schema_check = true;
    match shape {
        Shape::Distributed { partitions, .. } => {
            options.execution.target_partitions = partitions;
            // Every join repartitions both sides; which build sides are broadcast is decided in `rewrite/broadcast.rs`.
            options.optimizer.hash_join_single_partition_threshold = 0;
            options.optimizer.hash_join_single_partition_threshold_rows = 0;
            options.optimizer.enable_round_robin_repartition = false;
            // An interleave keeps a hash partitioning that no exchange carries.
            options.optimizer.prefer_existing_union = true;
        }
        Shape::Whole { partitions } => options.execution.target_partitions = partitions,
    }
    Ok(config)
}

/// Runs a plan in this process; for plans without table rows.
pub(crate) fn task_context(state: &SessionState) -> Arc<datafusion::execution::TaskContext> {
    SessionContext::new_with_state(state.clone()).task_ctx()
}
