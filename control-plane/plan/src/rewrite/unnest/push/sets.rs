//! DISTINCT, UNION and VALUES: the keys are columns like the others. (INTERSECT and EXCEPT are joins by now.)

use super::{Attached, Bound, Push};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Distinct, EmptyRelation, Expr, ExprFunctionExt, Filter, LogicalPlan, LogicalPlanBuilder, SortExpr, Union, Values,
    WindowFrame, cast, lit,
};
use std::sync::Arc;

impl Push<'_> {
    pub(super) fn distinct(&self, distinct: Distinct) -> Result<Attached> {
        match distinct {
            Distinct::All(input) => {
                let columns = input.schema().columns();
                let input = self.attach(Arc::unwrap_or_clone(input))?;
                let input = self.complete(input)?;
                let input = self.trimmed(input, &columns)?;
                let plan = LogicalPlanBuilder::from(input.plan).distinct()?.build()?;
                Ok(Attached::of(plan, input.bound))
            }
            Distinct::On(on) => {
                let input = self.attach(Arc::unwrap_or_clone(on.input))?;
                let input = self.complete(input)?;
                let sorts = on.sort_expr.unwrap_or_default();
                let input = self.numbered(input, on.on_expr, sorts)?;
                let (input, number) = input;
                let first = Filter::try_new(number.eq(lit(1_i64)), Arc::new(input.plan))?;
                let input = Attached::of(LogicalPlan::Filter(first), input.bound);
                let exprs = self.substituted(on.select_expr, &input)?;
                let columns = on.schema.columns().into_iter();
                let named = exprs
                    .into_iter()
                    .zip(columns)
                    .map(|(expr, column)| named(expr, &column));
                self.projected(input, named.collect(), None)
            }
        }
    }

    /// Rows with their number within each key and group: 1 is the first in this order.
    pub(super) fn numbered(
        &self,
        input: Attached,
        groups: Vec<Expr>,
        sorts: Vec<SortExpr>,
    ) -> Result<(Attached, Expr)> {
        let mut partition: Vec<Expr> = input.columns().map(Expr::Column).collect();
        for group in groups {
            let group = self.substitute(group, &input)?;
            if !partition.contains(&group) {
                partition.push(group);
            }
        }
        let sorts = sorts
            .into_iter()
            .map(|sort| Ok(sort.clone().with_expr(self.substitute(sort.expr, &input)?)));
        let sorts: Vec<SortExpr> = sorts.collect::<Result<_>>()?;
        // Without an order there is no range to frame.
        let frame = WindowFrame::new((!sorts.is_empty()).then_some(false));
        let name = self.unnester.name("number");
        let number = row_number()
            .partition_by(partition)
            .order_by(sorts)
            .window_frame(frame)
            .build()?
            .alias(&name);
        let plan = LogicalPlanBuilder::from(input.plan).window(vec![number])?.build()?;
        let number = Expr::Column(Column::new_unqualified(name));
        let number = cast(number, DataType::Int64);
        Ok((Attached::of(plan, input.bound), number))
    }

    pub(super) fn union(&self, union: Union) -> Result<Attached> {
        let names: Vec<String> = (0..union.schema.fields().len() + self.keys.len())
            .map(|_| self.unnester.name("column"))
            .collect();
        let columns: Vec<Vec<Column>> = union.inputs.iter().map(|input| input.schema().columns()).collect();
        let inputs = union.inputs.into_iter().map(|input| {
            let input = self.attach(Arc::unwrap_or_clone(input))?;
            self.complete(input)
        });
        let (inputs, null_safe) = alike(inputs.collect::<Result<_>>()?)?;
        let parts = inputs.into_iter().zip(columns).map(|(input, columns)| {
            let all = columns.into_iter().chain(input.columns()).zip(&names);
            let exprs: Vec<Expr> = all.map(|(column, name)| Expr::Column(column).alias(name)).collect();
            let plan = LogicalPlanBuilder::from(input.plan).project(exprs)?.build()?;
            Ok(Arc::new(plan))
        });
        let all = Union::try_new(parts.collect::<Result<_>>()?)?;
        self.of_all(all, &union.schema, names, null_safe)
    }

    /// The branches' columns under the names that the union has.
    fn of_all(&self, all: Union, schema: &DFSchemaRef, names: Vec<String>, null_safe: bool) -> Result<Attached> {
        let (own, keys) = names.split_at(schema.fields().len());
        let column = |name: &String| Column::new_unqualified(name);
        let bound = keys.iter().map(|name| {
            Some(Bound {
                column: column(name),
                null_safe,
            })
        });
        let columns = own.iter().zip(schema.columns());
        let exprs = columns.map(|(name, shown)| named(Expr::Column(column(name)), &shown));
        let all = Attached::of(LogicalPlan::Union(all), bound.collect());
        self.projected(all, exprs.collect(), None)
    }

    pub(super) fn values(&self, values: Values) -> Result<Attached> {
        self.attach(rows(values)?)
    }
}

/// Complete plans whose keys, NULL in one of them, mean the same in all: an outer row whose key is NULL, or none.
pub(super) fn alike(plans: Vec<Attached>) -> Result<(Vec<Attached>, bool)> {
    let null_safe = plans
        .iter()
        .flat_map(|plan| plan.bound.iter().flatten())
        .any(|key| key.null_safe);
    match null_safe {
        true => Ok((plans.into_iter().map(without_unknown).collect::<Result<_>>()?, true)),
        false => Ok((plans, false)),
    }
}

/// Without the rows of no outer row: a key that an equality stands for is NULL in them.
fn without_unknown(mut attached: Attached) -> Result<Attached> {
    let keys = attached.bound.iter_mut().flatten().filter(|key| !key.null_safe);
    let known = keys.map(|key| {
        key.null_safe = true;
        Expr::Column(key.column.clone()).is_not_null()
    });
    if let Some(known) = conjunction(known.collect::<Vec<_>>()) {
        attached.plan = LogicalPlan::Filter(Filter::try_new(known, Arc::new(attached.plan))?);
    }
    Ok(attached)
}

/// VALUES, each row as a projection of no table.
pub(in super::super) fn rows(values: Values) -> Result<LogicalPlan> {
    let columns = values.schema.columns();
    let rows = values.values.into_iter().map(|row| {
        let exprs = row.into_iter().zip(&columns).map(|(expr, column)| named(expr, column));
        let empty = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: true,
            schema: Arc::new(DFSchema::empty()),
        });
        let row = LogicalPlanBuilder::from(empty).project(exprs.collect::<Vec<_>>())?;
        Ok(Arc::new(row.build()?))
    });
    let mut rows: Vec<Arc<LogicalPlan>> = rows.collect::<Result<_>>()?;
    match rows.len() {
        1 => Ok(Arc::unwrap_or_clone(rows.remove(0))),
        _ => Ok(LogicalPlan::Union(Union::try_new(rows)?)),
    }
}

fn named(expr: Expr, column: &Column) -> Expr {
    match &expr {
        Expr::Column(own) if own == column => expr,
        _ => expr.alias_qualified(column.relation.clone(), column.name.clone()),
    }
}
