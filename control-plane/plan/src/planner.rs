//! The planner: a statement in, what to do about it out. Plans on a thread of its own, because the depth of a plan is its user's.

mod way;

use crate::context::{self, Context, Lookup};
use crate::learn::{self, Lesson};
use crate::sql::{Command, ExplainForm, NewViewStatement, QueryStatement, Statement};
use crate::stage::cut;
use crate::stage::size::Sizing;
use crate::summary::{self, Summarized};
use crate::watch::Unwatched;
use crate::{PlanText, Planned, PlannedQuery, PlannerSettings, Purpose, Session, Watch};
use crate::{command, error, explain, interval, limits, resolve, show, sql, table_of_text, views};
use arrow::datatypes::FieldRef;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;
use futures::FutureExt as _;
use mayfly_catalog::{Catalog, Relation};
use mayfly_protocol::QueryError;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use way::Way;

/// Stack of a planning thread. DataFusion recurses over expressions and plans.
pub(crate) const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Statements that are planned at once; the others wait.
const PLANNINGS_MAX: usize = 16;

/// Plans statements against one catalog.
pub struct Planner {
    worker: Arc<Worker>,
    slots: Arc<Semaphore>,
}

impl Planner {
    pub fn new(catalog: Arc<Catalog>, settings: PlannerSettings) -> Planner {
        let watch = Arc::new(Unwatched);
        Planner {
            worker: Arc::new(Worker {
                catalog,
                settings,
                watch,
            }),
            slots: Arc::new(Semaphore::new(PLANNINGS_MAX)),
        }
    }

    /// The same planner over another handle of its catalog, e.g. one that counts requests for one query. Both share the bound on
    /// plannings at once.
    pub fn over(&self, catalog: Arc<Catalog>) -> Planner {
        let worker = Worker {
            catalog,
            settings: self.worker.settings.clone(),
            watch: self.worker.watch.clone(),
        };
        Planner {
            worker: Arc::new(worker),
            slots: self.slots.clone(),
        }
    }

    /// The same planner, watched.
    pub fn watched(&self, watch: Arc<dyn Watch>) -> Planner {
        let worker = Worker {
            catalog: self.worker.catalog.clone(),
            settings: self.worker.settings.clone(),
            watch,
        };
        Planner {
            worker: Arc::new(worker),
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
            let planning = AssertUnwindSafe(worker.plan(&sql, &session)).catch_unwind();
            let planned = runtime.block_on(planning).unwrap_or_else(|panic| Err(broke_off(panic)));
            drop(slot);
            // A caller that is gone needs no answer.
            let _ = answer.send(planned);
        };
        std::thread::Builder::new()
            .name("plan".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(run)
            .map_err(|cause| error::internal(format!("no thread to plan on: {cause}")))?;
        let gone = |_| Err(error::internal("the thread that planned the query is gone"));
        planned.await.unwrap_or_else(gone)
    }
}

/// What a panic of DataFusion's says, to the one whose statement it was.
fn broke_off(panic: Box<dyn Any + Send>) -> QueryError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without words");
    tracing::error!(panic = text, "planning broke off");
    error::internal(format!("planning the query broke off: {text}"))
}

struct Worker {
    catalog: Arc<Catalog>,
    settings: PlannerSettings,
    watch: Arc<dyn Watch>,
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

impl Worker {
    async fn plan(&self, sql: &str, session: &Session) -> Result<Planned, QueryError> {
        match sql::parse(sql)? {
            Statement::Show(show) => show::answer(show, &self.catalog, session, &self.settings).await,
            Statement::Describe(query) => self.describe(query, session).await,
            Statement::Summarize { source, tokens } => self.summarize(source, &tokens, session).await,
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
            update_type: "CREATE VIEW".into(),
            session: Vec::new(),
        })
    }

    async fn describe(&self, statement: QueryStatement, session: &Session) -> Result<Planned, QueryError> {
        let query = self.resolve(statement, session).await?;
        let types = query.logical.schema().fields().iter().map(|field| field.data_type());
        Ok(show::described(
            query
                .columns
                .iter()
                .zip(types)
                .map(|(name, data_type)| (name.as_str(), data_type, "")),
        ))
    }

    async fn summarize(
        &self,
        source: QueryStatement,
        tokens: &[TokenWithSpan],
        session: &Session,
    ) -> Result<Planned, QueryError> {
        let query = self.resolve(source, session).await?;
        let fields = query.logical.schema().fields().iter().zip(&query.columns);
        let column = |(at, (field, name)): (usize, (&FieldRef, &String))| Summarized {
            name: name.clone(),
            data_type: field.data_type().clone(),
            at,
        };
        let columns: Vec<Summarized> = fields.enumerate().map(column).collect();
        let (before, after) = summary::around(&columns);
        self.query(sql::wrapped(&before, tokens, &after)?, session).await
    }

    async fn query(&self, statement: QueryStatement, session: &Session) -> Result<Planned, QueryError> {
        let properties = session.properties()?;
        let query = self.resolve(statement, session).await?;
        let mut text = PlanText::default();
        let way = self.way(&query, &mut text).await?;
        let columns = query.columns;
        let shown = |schema| interval::marked(&schema, &query.logical);
        match way {
            Way::Rows { schema, batches } => {
                limits::check_rows(&properties, &batches)?;
                Ok(Planned::Rows {
                    schema: shown(schema),
                    columns,
                    batches,
                })
            }
            Way::Stages { stages, fragments } => {
                limits::check(&properties, &stages)?;
                Ok(Planned::Query(PlannedQuery {
                    graph: cut::graph(&stages, session.settings()?).map_err(error::from_datafusion)?,
                    schema: shown(cut::result_schema(&stages).map_err(error::from_datafusion)?),
                    columns,
                    text,
                    fragments,
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
        let lookup = context::look_up(&self.catalog, &statement, session).await?;
        self.watch.looked_up(lookup.pieces());
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
}
