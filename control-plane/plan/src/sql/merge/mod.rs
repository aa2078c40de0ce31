//! `JOIN … USING` and `NATURAL JOIN` → joins on a condition, with the merged columns written out where the query names them: the left
//! side's value, the right side's under RIGHT, the first that is not NULL under FULL. DataFusion takes the left side's always, and the
//! names of chained ones for ambiguous. Qualified names still mean one side's own column. Needs to know what columns relations have.
//!
//! Bare names in lateral relations get the relation before them that has the column: `z, UNNEST(ARRAY[id])` → `z, UNNEST(ARRAY[z.id])`.
//! DataFusion looks for them in outer queries at the same time.

mod column;
mod scope;
mod select;
mod star;
mod substitute;

use super::syntax;
use crate::{Session, error};
use column::Column;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, OrderBy, Query, Select, SetExpr, Spanned, Statement, TableFactor,
    TableWithJoins, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use mayfly_catalog::TableRef;
use mayfly_protocol::QueryError;
use scope::Scope;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use substitute::Named;

/// Whether there is such a join or a lateral relation in the statement.
pub(crate) fn is_needed(statement: &DfStatement) -> bool {
    struct Search;
    impl Visitor for Search {
        type Break = ();
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            match select.from.iter().any(|item| merges(item) || reads_others(item)) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    match statement {
        DfStatement::Statement(statement) => statement.visit(&mut Search).is_break(),
        _ => false,
    }
}

/// Rewrites every query of the statement. `tables`: the columns of the tables and views that it names.
pub(crate) fn merge(
    statement: &mut DfStatement,
    tables: &BTreeMap<TableRef, Vec<String>>,
    session: &Session,
) -> Result<(), QueryError> {
    let mut pass = Pass {
        scope: Scope::new(tables, session),
        unnamed: 0,
    };
    match statement {
        DfStatement::Statement(statement) => match statement.as_mut() {
            Statement::Query(query) => pass.query(query),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn merges(item: &TableWithJoins) -> bool {
    let merging = |join: &Join| {
        let constraint = column::kept(&join.join_operator).map(|(_, constraint)| constraint);
        matches!(constraint, Some(JoinConstraint::Using(_) | JoinConstraint::Natural)) || merges_within(&join.relation)
    };
    merges_within(&item.relation) || item.joins.iter().any(merging)
}

fn merges_within(relation: &TableFactor) -> bool {
    matches!(relation, TableFactor::NestedJoin { table_with_joins, .. } if merges(table_with_joins))
}

fn reads_others(item: &TableWithJoins) -> bool {
    let joined = item.joins.iter().map(|join| &join.relation);
    std::iter::once(&item.relation)
        .chain(joined)
        .any(|relation| match relation {
            TableFactor::NestedJoin { table_with_joins, .. } => reads_others(table_with_joins),
            relation => is_lateral(relation),
        })
}

struct Pass<'a> {
    scope: Scope<'a>,
    /// Derived tables that got a name here.
    unnamed: usize,
}

impl Pass<'_> {
    fn query(&mut self, query: &mut Query) -> Result<(), QueryError> {
        let depth = self.scope.depth();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                if with.recursive {
                    self.scope.enter(&cte.alias, &cte.query);
                }
                self.query(&mut cte.query)?;
                self.scope.enter(&cte.alias, &cte.query);
            }
        }
        self.body(&mut query.body, query.order_by.as_mut())?;
        self.scope.leave(depth);
        Ok(())
    }

    fn body(&mut self, body: &mut SetExpr, mut order_by: Option<&mut OrderBy>) -> Result<(), QueryError> {
        if let Some(order_by) = &mut order_by {
            self.subqueries(*order_by)?;
        }
        match body {
            SetExpr::Select(select) => self.select(select, order_by),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, None)?;
                self.body(right, None)
            }
            other => self.subqueries(other),
        }
    }

    fn select(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>) -> Result<(), QueryError> {
        let merging = select.from.iter().any(merges);
        for item in &mut select.from {
            as_queries(item);
        }
        self.subqueries(select)?;
        if merging {
            let columns = self.from(&mut select.from)?;
            select::rewrite(select, order_by, &columns, &self.scope);
        } else if select.from.iter().any(reads_others) {
            // Without merged columns it fails only where the text does not tell a relation's columns: from there on, names stay as they are.
            let _ = self.from(&mut select.from);
        }
        Ok(())
    }

    /// Rewrites the queries within a part of a query, each with its own within.
    fn subqueries(&mut self, part: &mut impl VisitMut) -> Result<(), QueryError> {
        struct Within<'a, 'b> {
            pass: &'a mut Pass<'b>,
            depth: usize,
        }
        impl VisitorMut for Within<'_, '_> {
            type Break = QueryError;
            fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
                self.depth += 1;
                match self.depth {
                    1 => self
                        .pass
                        .query(query)
                        .map_or_else(ControlFlow::Break, ControlFlow::Continue),
                    _ => ControlFlow::Continue(()),
                }
            }
            fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<QueryError> {
                self.depth -= 1;
                ControlFlow::Continue(())
            }
        }
        match part.visit(&mut Within { pass: self, depth: 0 }) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn from(&mut self, from: &mut [TableWithJoins]) -> Result<Vec<Column>, QueryError> {
        let mut columns = Vec::new();
        for item in from {
            let joined = self.joined(item, &columns)?;
            columns.extend(joined);
        }
        Ok(columns)
    }

    /// `before`: the columns of what stands further left, which lateral relations see.
    fn joined(&mut self, item: &mut TableWithJoins, before: &[Column]) -> Result<Vec<Column>, QueryError> {
        let mut left = self.relation(&mut item.relation, before)?;
        for join in &mut item.joins {
            let seen: Vec<Column> = before.iter().chain(&left).cloned().collect();
            let right = self.relation(&mut join.relation, &seen)?;
            left = self.join(join, left, right)?;
        }
        Ok(left)
    }

    fn relation(&mut self, relation: &mut TableFactor, seen: &[Column]) -> Result<Vec<Column>, QueryError> {
        if let TableFactor::NestedJoin {
            table_with_joins,
            alias: None,
        } = relation
        {
            return self.joined(table_with_joins, seen);
        }
        self.name(relation);
        if is_lateral(relation) {
            Named::all(seen).substitute(&self.scope, relation);
        }
        self.scope.relation(relation).ok_or_else(|| unknown(relation))
    }

    fn join(&mut self, join: &mut Join, left: Vec<Column>, right: Vec<Column>) -> Result<Vec<Column>, QueryError> {
        let lateral = is_lateral(&join.relation);
        let Some((kept, constraint)) = column::kept(&join.join_operator) else {
            return Err(unknown(&join.relation));
        };
        let keys = column::keys(constraint, &left, &right);
        let Some(constraint) = constraint_mut(&mut join.join_operator) else {
            return Err(unknown(&join.relation));
        };
        match keys {
            None => {
                let both: Vec<Column> = left.iter().chain(&right).cloned().collect();
                Named::merged(&both).substitute(&self.scope, constraint);
                Ok(column::join(kept, &[], left, right)?.1)
            }
            Some(_) if lateral => Err(error::not_supported("JOIN LATERAL … USING is not supported")
                .at(error::location(join.relation.span().start))
                .hint("write ON with both columns")),
            Some(keys) => {
                let (condition, columns) = column::join(kept, &keys, left, right)?;
                let always = || Expr::value(Value::Boolean(true));
                *constraint = JoinConstraint::On(condition.unwrap_or_else(always));
                Ok(columns)
            }
        }
    }

    /// A derived table without a name gets one, so that its columns can be told from others.
    fn name(&mut self, relation: &mut TableFactor) {
        let (TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::Table {
            alias, args: Some(_), ..
        }) = relation
        else {
            return;
        };
        if alias.is_none() {
            *alias = Some(syntax::named(&format!("__derived_{}", self.unnamed)));
            self.unnamed += 1;
        }
    }
}

/// `(a JOIN b USING (k)) AS t` is `(SELECT * FROM a JOIN b USING (k)) AS t`.
fn as_queries(item: &mut TableWithJoins) {
    let joined = item.joins.iter_mut().map(|join| &mut join.relation);
    for relation in std::iter::once(&mut item.relation).chain(joined) {
        let TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } = relation
        else {
            continue;
        };
        if alias.is_none() {
            as_queries(table_with_joins);
        } else if merges(table_with_joins) {
            *relation = TableFactor::Derived {
                lateral: false,
                subquery: Box::new(select::all_of(table_with_joins.as_ref().clone())),
                alias: alias.take(),
                sample: None,
            };
        }
    }
}

/// Whether the relation may name columns of those before it.
fn is_lateral(relation: &TableFactor) -> bool {
    match relation {
        TableFactor::Derived { lateral, .. } => *lateral,
        TableFactor::Function { .. } | TableFactor::UNNEST { .. } | TableFactor::Table { args: Some(_), .. } => true,
        _ => false,
    }
}

fn constraint_mut(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    use JoinOperator as Op;
    match operator {
        Op::Join(constraint)
        | Op::Inner(constraint)
        | Op::CrossJoin(constraint)
        | Op::StraightJoin(constraint)
        | Op::Left(constraint)
        | Op::LeftOuter(constraint)
        | Op::Right(constraint)
        | Op::RightOuter(constraint)
        | Op::FullOuter(constraint)
        | Op::Semi(constraint)
        | Op::LeftSemi(constraint)
        | Op::Anti(constraint)
        | Op::LeftAnti(constraint)
        | Op::RightSemi(constraint)
        | Op::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

fn unknown(relation: &TableFactor) -> QueryError {
    let text = "beside JOIN … USING or NATURAL JOIN, a relation whose columns the query does not name is not supported";
    error::not_supported(text)
        .at(error::location(relation.span().start))
        .hint("give it a name and columns: AS t(a, b)")
}
