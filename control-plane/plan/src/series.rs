//! `generate_series` and `range` as a task knows them: DataFusion's protobuf of them drops a projection, and a task that counts their
//! rows would be handed a column that it has no field for; and it drops their order, so that what was planned upon it would fail there.

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, projection::ProjectionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::projection::ProjectionExec;
use std::sync::Arc;

/// Wraps all table functions.
pub(crate) fn as_tasks_know_them(state: &mut SessionState) {
    let functions: Vec<_> = state.table_functions().values().cloned().collect();
    for function in functions {
        let whole = Whole(Arc::clone(function.function()));
        state.register_udtf(function.name(), Arc::new(whole));
    }
}

#[derive(Debug)]
struct Whole(Arc<dyn TableFunctionImpl>);

impl TableFunctionImpl for Whole {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let bounds: Vec<Expr> = args.exprs().iter().map(in_nanoseconds).collect::<Result<_>>()?;
        let args = TableFunctionArgs::new(&bounds, args.session());
        Ok(Arc::new(WholeTable(self.0.call_with_args(args)?)))
    }
}

/// The one unit of timestamps that DataFusion makes series of.
fn in_nanoseconds(bound: &Expr) -> Result<Expr> {
    match bound {
        Expr::Literal(value, metadata) => match value.data_type() {
            DataType::Timestamp(_, zone) => {
                let value = value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, zone))?;
                Ok(Expr::Literal(value, metadata.clone()))
            }
            _ => Ok(bound.clone()),
        },
        _ => Ok(bound.clone()),
    }
}

#[derive(Debug)]
struct WholeTable(Arc<dyn TableProvider>);

#[async_trait]
impl TableProvider for WholeTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let whole = unordered(self.0.scan(state, None, filters, limit).await?)?;
        let schema = whole.schema();
        let Some(wanted) = projection.filter(|wanted| wanted.len() < schema.fields().len()) else {
            return Ok(whole);
        };
        let column = |at: &usize| {
            let name = schema.field(*at).name().clone();
            ProjectionExpr {
                expr: Arc::new(Column::new(&name, *at)) as Arc<dyn PhysicalExpr>,
                alias: name,
            }
        };
        let columns: Vec<ProjectionExpr> = wanted.iter().map(column).collect();
        Ok(Arc::new(ProjectionExec::try_new(columns, whole)?))
    }
}

fn unordered(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    match plan.downcast_ref::<LazyMemoryExec>() {
        Some(rows) => Ok(Arc::new(LazyMemoryExec::try_new(
            rows.schema(),
            rows.generators().clone(),
        )?)),
        None => Ok(plan),
    }
}
