//! Conditions without parentheses, beside what they mean with them.

use super::regroup;
use datafusion::sql::sqlparser::ast::{Expr, SetExpr, Statement, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// The condition with all of its parentheses.
fn shown(condition: &str) -> String {
    let sql = format!("SELECT 1 FROM t WHERE {condition}");
    let mut statements = Parser::parse_sql(&GenericDialect {}, &sql).expect(condition);
    let Some(Statement::Query(mut query)) = statements.pop() else {
        panic!("{condition} is a query's");
    };
    regroup(&mut query);
    let _ = query.visit(&mut Parentheses);
    let SetExpr::Select(select) = *query.body else {
        panic!("{condition} is a SELECT's");
    };
    select
        .selection
        .map(|selection| selection.to_string())
        .unwrap_or_default()
}

struct Parentheses;

impl VisitorMut for Parentheses {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Nested(inner) => *expr = inner.as_ref().clone(),
            Expr::Identifier(_) => {}
            expr => *expr = Expr::Nested(Box::new(expr.clone())),
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn comparisons_bind_closer_than_and_or_and_not() {
    let check = |written: &str, meant: &str| assert_eq!(shown(written), shown(meant), "{written}");
    check("a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c");
    check("a IS NOT DISTINCT FROM b OR c", "(a IS NOT DISTINCT FROM b) OR c");
    check("a IS DISTINCT FROM b AND c OR d", "((a IS DISTINCT FROM b) AND c) OR d");
    check("a IS DISTINCT FROM b OR c AND d", "(a IS DISTINCT FROM b) OR (c AND d)");
    check("p AND a IS DISTINCT FROM b OR c", "(p AND (a IS DISTINCT FROM b)) OR c");
    check("NOT a IS DISTINCT FROM b AND c", "(NOT (a IS DISTINCT FROM b)) AND c");
    check(
        "a IS DISTINCT FROM b AND c IS DISTINCT FROM d OR e",
        "((a IS DISTINCT FROM b) AND (c IS DISTINCT FROM d)) OR e",
    );
    check("a IS DISTINCT FROM (b AND c)", "a IS DISTINCT FROM (b AND c)");
    check("p AND (a OR b)", "p AND (a OR b)");
    check("NOT (a AND b)", "NOT (a AND b)");
}
