//! The planner: a statement in, what to do about it out. Plans on a thread of its own, because the depth of a plan is its user's.

use crate::context::{self, Context, Lookup, Shape};
use crate::learn::{self, Lesson};
use crate::settings::PLANNED_PARTITIONS_MIN;
use crate::sql::{Command, ExplainForm, NewViewStatement, QueryStatement, Statement};
use crate::stage::cut::{self, CutSettings, CutStage};
use crate::stage::size::Sizing;
use crate::stage::{draft, prune};
use crate::{PlanText, Planned, PlannedQuery, PlannerSettings, Purpose, Session};
use crate::{command, error, explain, limits, resolve, rewrite, rows, show, sql, table_of_text, views};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use mayfly_catalog::{Catalog, Relation};
use mayfly_protocol::QueryError;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// Stack of a planning thread. DataFusion recurses over expressions and plans.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Statements that are planned at once; the others wait.
const PLANNINGS_MAX: usize = 16;

/// Plans statements against one catalog.
pub struct Planner {
    worker: Arc<Worker>,
    slots: Arc<Semaphore>,
}

impl Planner {
    pub fn new(catalog: Arc<Catalog>, settings: PlannerSettings) -> Planner {
        Planner {
            worker: Arc::new(Worker { catalog, settings }),
            slots: Arc::new(Semaphore::new(PLANNINGS_MAX)),
        }
    }

    /// The same planner over another handle of its catalog, e.g. one that counts requests for one query. Both share the bound on
    /// plannings at once.
    pub fn over(&self, catalog: Arc<Catalog>) -> Planner {
        let settings = self.worker.settings.clone();
        Planner {
            worker: Arc::new(Worker { catalog, settings }),
            slots: self.slots.clone(),
        }
    }

    /// The catalog that names are looked up in.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.worker.catalog
    }

    /// Plans one statement. Commands have taken effect when this returns.
    pub async fn plan(&self, sql: &str, session: &Session) -> Result<Planned, QueryError> {
        let slot = self.slots.clone().acquire_owned().await;
        let (worker, sql, session) = (self.worker.clone(), sql.to_owned(), session.clone());
        let (answer, planned) = oneshot::channel();
        let runtime = Handle::current();
        let run = move || {
            let planned = runtime.block_on(worker.plan(&sql, &session));
            drop(slot);
            // A caller that is gone needs no answer.
            let _ = answer.send(planned);
        };
        std::thread::Builder::new()
            .name("plan".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(run)
            .map_err(|cause| error::internal(format!("no thread to plan on: {cause}")))?;
        // The channel closes without an answer only when the thread panicked.
        planned
            .await
            .unwrap_or_else(|_| Err(error::internal("planning the query failed unexpectedly")))
    }
}

struct Worker {
    catalog: Arc<Catalog>,
    settings: PlannerSettings,
}

/// A query on its way.
struct Query<'a> {
    session: &'a Session,
    lookup: Lookup,
    /// For planning it whole.
    context: Context,
    logical: LogicalPlan,
    columns: Vec<String>,
    sizing: Sizing,
}

/// How a query is run.
enum Way {
    Rows {
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    },
    Stages(Vec<CutStage>),
}

impl Worker {
    async fn plan(&self, sql: &str, session: &Session) -> Result<Planned, QueryError> {
        match sql::parse(sql)? {
            Statement::Show(show) => show::answer(show, &self.catalog, session, &self.settings).await,
            Statement::Command(Command::CreateView(create)) => self.create_view(create, session).await,
            Statement::Command(Command::AnalyzeTable { name }) => self.analyze_table(&name, session).await,
            Statement::Command(command) => command::run(command, &self.catalog, session).await,
            Statement::Explain {
                form: ExplainForm::Analyze,
                query,
            } => self.analyze(query, session).await,
            Statement::Explain { form, query } => self.explain(form, query, session).await,
            Statement::Query(query) => self.query(query, session).await,
        }
    }

    async fn create_view(&self, create: NewViewStatement, session: &Session) -> Result<Planned, QueryError> {
        let name = show::table_name(&create.name, session)?;
        let body = sql::parse_body(&create.sql)?;
        let query = self.resolve(body, session).await?;
        if query.lookup.stands_on_view(&name) {
            return Err(views::circle(&name));
        }
        let new = views::new(create, name, &query.logical, &query.columns, session)?;
        self.catalog.create_view(new).await?;
        Ok(Planned::Update {
            update_type: "CREATE VIEW",
            session: Vec::new(),
        })
    }

    async fn query(&self, statement: QueryStatement, session: &Session) -> Result<Planned, QueryError> {
        let properties = session.properties()?;
        let query = self.resolve(statement, session).await?;
        let mut text = PlanText::default();
        let way = self.way(&query, &mut text).await?;
        let columns = query.columns;
        match way {
            Way::Rows { schema, batches } => Ok(Planned::Rows {
                schema,
                columns,
                batches,
            }),
            Way::Stages(stages) => {
                limits::check(&properties, &stages)?;
                Ok(Planned::Query(PlannedQuery {
                    graph: cut::graph(&stages, session.settings()?).map_err(error::from_datafusion)?,
                    schema: cut::result_schema(&stages).map_err(error::from_datafusion)?,
                    columns,
                    text,
                    fragments: explain::fragments(&stages),
                    purpose: Purpose::Rows,
                    memory_bytes_max: properties.max_task_memory_bytes,
                    result_rows_max: properties.max_result_rows,
                }))
            }
        }
    }

    /// The query itself, marked; what is answered here has nothing to measure.
    async fn analyze(&self, statement: QueryStatement, session: &Session) -> Result<Planned, QueryError> {
        Ok(match self.query(statement, session).await? {
            Planned::Query(query) => Planned::Query(PlannedQuery {
                purpose: Purpose::Explain,
                ..query
            }),
            _ => explain::answer(ExplainForm::Analyze, &explain::in_control_plane()),
        })
    }

    /// A query over the whole table, for its figures. One without rows is answered, and kept, at once.
    async fn analyze_table(&self, name: &[String], session: &Session) -> Result<Planned, QueryError> {
        let name = show::table_name(name, session)?;
        let Relation::Table(definition) = self.catalog.relation(&name).await? else {
            return Err(error::not_supported(format!(
                "'{name}' is a view: ANALYZE TABLE looks at tables"
            )));
        };
        let lesson = Lesson::new(&*self.catalog.open(definition).await?);
        let Statement::Query(query) = sql::parse(&lesson.sql())? else {
            return Err(error::internal("ANALYZE TABLE runs a query"));
        };
        match self.query(query, session).await? {
            Planned::Query(query) => Ok(Planned::Query(PlannedQuery {
                purpose: Purpose::Learn(lesson),
                ..query
            })),
            Planned::Rows { batches, .. } => {
                let learned = lesson.learned(&batches)?;
                self.catalog.learn(&lesson.table, learned.clone()).await?;
                Ok(table_of_text::of(learn::shown(&learned)))
            }
            other => Ok(other),
        }
    }

    async fn explain(
        &self,
        form: ExplainForm,
        statement: QueryStatement,
        session: &Session,
    ) -> Result<Planned, QueryError> {
        let query = self.resolve(statement, session).await?;
        let mut text = PlanText::default();
        if let Way::Rows { .. } = self.way(&query, &mut text).await? {
            text.distributed = explain::in_control_plane().distributed;
        }
        Ok(explain::answer(form, &text))
    }

    /// Looks tables up, checks names and types.
    async fn resolve<'a>(&self, statement: QueryStatement, session: &'a Session) -> Result<Query<'a>, QueryError> {
        let sizing = self.sizing(session)?;
        let lookup = context::look_up(&self.catalog, &statement.ast, session).await?;
        let context = lookup.context_with_views(session, self.whole(sizing)).await?;
        let logical = resolve::logical(&context, statement.ast.clone(), session).await?;
        let planned: Vec<String> = logical
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        Ok(Query {
            session,
            lookup,
            context,
            logical,
            columns: statement.names.resolve(&planned),
            sizing,
        })
    }

    fn sizing(&self, session: &Session) -> Result<Sizing, QueryError> {
        let properties = session.properties()?;
        Ok(Sizing {
            target_task_bytes: properties.target_task_bytes.unwrap_or(self.settings.target_task_bytes),
            local_partitions: properties.target_partitions.unwrap_or(self.settings.executor_vcpus),
            concurrency: self.settings.concurrency,
            one_task_bytes: properties.target_task_bytes.unwrap_or(self.settings.one_task_bytes()),
        })
    }

    fn whole(&self, sizing: Sizing) -> Shape {
        Shape::Whole {
            partitions: sizing.local_partitions as usize,
        }
    }

    /// In the control plane if no row is read, in one task if the input fits it, else in stages.
    async fn way(&self, query: &Query<'_>, text: &mut PlanText) -> Result<Way, QueryError> {
        let context = &query.context;
        let (logical, physical) = resolve::physical(context, &query.logical).await?;
        text.logical = logical.display_indent().to_string();
        text.physical = explain::physical(&physical);
        let pruned = prune::scans(&physical, &context.scans).map_err(error::from_datafusion)?;
        if pruned.values().all(|scan| scan.rows() == 0) && !rows::makes_rows(&physical) {
            let plan = rows::without_scans(&physical).map_err(error::from_datafusion)?;
            let schema = plan.schema();
            let batches = rows::answer(plan, &context.state).await?;
            return Ok(Way::Rows { schema, batches });
        }
        let bytes: u64 = pruned.values().map(prune::Pruned::bytes).sum();
        let stages = if query.sizing.fits_one_task(pruned.values()) {
            self.one_task(query, physical, bytes, text).await?
        } else {
            self.many_tasks(query, text).await?
        };
        let stages = stages.map_err(error::from_datafusion)?;
        text.distributed = explain::distributed(&explain::fragments(&stages));
        Ok(Way::Stages(stages))
    }

    /// DataFusion's own plan for one process, in one task: on more vCPUs where there is work for them.
    async fn one_task(
        &self,
        query: &Query<'_>,
        physical: Arc<dyn ExecutionPlan>,
        bytes: u64,
        text: &mut PlanText,
    ) -> Result<DfResult<Vec<CutStage>>, QueryError> {
        let size = self.settings.size_for(bytes);
        let is_narrow = query.session.properties()?.target_partitions.is_some() || size == self.settings.size;
        if is_narrow {
            return Ok(self.whole_task(&physical, &query.context, self.cut_settings(query.sizing)));
        }
        let sizing = Sizing {
            local_partitions: size.vcpus(),
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
