//! `a SEMI JOIN b` and `a ANTI JOIN b`, as DuckDB and Spark write them → `LEFT SEMI JOIN` and `LEFT ANTI JOIN`, which DataFusion reads.

use datafusion::sql::sqlparser::ast::{JoinOperator, Query, Select, TableFactor, TableWithJoins, VisitMut, VisitorMut};
use std::ops::ControlFlow;

pub(super) fn write_out(query: &mut Query) {
    // Nothing breaks off.
    let _ = query.visit(&mut Joins);
}

struct Joins;

impl VisitorMut for Joins {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.from.iter_mut().for_each(name_side);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = relation {
            name_side(table_with_joins);
        }
        ControlFlow::Continue(())
    }
}

fn name_side(item: &mut TableWithJoins) {
    for join in &mut item.joins {
        let operator = &mut join.join_operator;
        if let JoinOperator::Semi(constraint) = operator {
            *operator = JoinOperator::LeftSemi(constraint.clone());
        } else if let JoinOperator::Anti(constraint) = operator {
            *operator = JoinOperator::LeftAnti(constraint.clone());
        }
    }
}
