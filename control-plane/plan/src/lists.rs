//! UNNEST in FROM of what DataFusion's own does not know: maps, which give two columns, rows, which give one for each field where the
//! alias names that many, and WITH ORDINALITY, which is one list more: of the numbers from 1.

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Column, DFSchema, NullHandling, Result, UnnestOptions};
use datafusion::functions::core::expr_fn::{coalesce, get_field, greatest};
use datafusion::functions_nested::expr_fn::{cardinality, gen_series, map_keys, map_values};
use datafusion::logical_expr::expr::Unnest;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::sqlparser::ast::TableFactor;

#[derive(Debug)]
pub(crate) struct Lists;

impl RelationPlanner for Lists {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::UNNEST {
            alias,
            array_exprs,
            with_offset: false,
            with_offset_alias: None,
            with_ordinality,
        } = &relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let nothing = DFSchema::empty();
        let arguments = array_exprs
            .iter()
            .map(|argument| context.sql_to_expr(argument.clone(), &nothing));
        let arguments: Vec<Expr> = arguments.collect::<Result<_>>()?;
        let named = alias.as_ref().map_or(0, |alias| alias.columns.len());
        match unnested(arguments, *with_ordinality, named)? {
            Some(plan) => Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
                plan,
                alias.clone(),
            )))),
            None => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

/// A list, and what its elements become: columns of these names.
struct List {
    list: Expr,
    shown: Shown,
}

enum Shown {
    As(String),
    Fields(Fields),
}

/// `None`: DataFusion knows it.
fn unnested(arguments: Vec<Expr>, with_ordinality: bool, named: usize) -> Result<Option<LogicalPlan>> {
    let more = named > arguments.len() + usize::from(with_ordinality);
    let mut lists = Vec::new();
    let mut is_plain = !with_ordinality;
    for argument in arguments {
        match argument.get_type(&DFSchema::empty())? {
            DataType::Map(..) => {
                lists.push(List::named(map_keys(argument.clone()), "key"));
                lists.push(List::named(map_values(argument), "value"));
                is_plain = false;
            }
            DataType::List(element) | DataType::LargeList(element) => match element.data_type() {
                DataType::Struct(fields) if more => {
                    let shown = Shown::Fields(fields.clone());
                    lists.push(List { list: argument, shown });
                    is_plain = false;
                }
                _ => lists.push(List::of(argument)),
            },
            _ => return Ok(None),
        }
    }
    if is_plain {
        return Ok(None);
    }
    if with_ordinality {
        lists.push(List::named(numbers(&lists), "ordinality"));
    }
    plan(lists).map(Some)
}

impl List {
    fn named(list: Expr, name: &str) -> List {
        List {
            list,
            shown: Shown::As(name.to_owned()),
        }
    }

    fn of(list: Expr) -> List {
        let name = Expr::Unnest(Unnest::new(list.clone())).schema_name().to_string();
        List::named(list, &name)
    }

    fn columns(&self, name: &str) -> Vec<Expr> {
        let column = Expr::Column(Column::new_unqualified(name));
        match &self.shown {
            Shown::As(shown) => vec![column.alias(shown)],
            Shown::Fields(fields) => {
                let field = |name: &String| get_field(column.clone(), name.as_str()).alias(name);
                fields.iter().map(|own| field(own.name())).collect()
            }
        }
    }
}

/// As many as the longest list has elements.
fn numbers(lists: &[List]) -> Expr {
    let length = |list: &List| coalesce(vec![cast(cardinality(list.list.clone()), DataType::Int64), lit(0_i64)]);
    let lengths: Vec<Expr> = lists.iter().map(length).collect();
    gen_series(lit(1_i64), greatest(lengths), lit(1_i64))
}

fn plan(lists: Vec<List>) -> Result<LogicalPlan> {
    let names: Vec<String> = (0..lists.len()).map(|at| format!("__list_{at}")).collect();
    let inner: Vec<Expr> = lists
        .iter()
        .zip(&names)
        .map(|(list, name)| list.list.clone().alias(name))
        .collect();
    let options = UnnestOptions::new().with_null_handling(NullHandling::Drop);
    let outer: Vec<Expr> = lists
        .iter()
        .zip(&names)
        .flat_map(|(list, name)| list.columns(name))
        .collect();
    LogicalPlanBuilder::empty(true)
        .project(inner)?
        .unnest_columns_with_options(names.iter().map(Column::new_unqualified).collect(), options)?
        .project(outer)?
        .build()
}
