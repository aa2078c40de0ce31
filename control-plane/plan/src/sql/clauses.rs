//! Clauses around a function's arguments that this function cannot have: OVER of `abs`, DISTINCT of `row_number`. DataFusion's binder
//! drops them. And `nth_value(x, -1)`, which DataFusion counts from the end, where the standard counts from 1.

use crate::error;
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Spanned, UnaryOperator,
    Value, ValueWithSpan, Visit, Visitor,
};
use mayfly_protocol::{ErrorCode, QueryError};
use std::ops::ControlFlow;

/// Refuses clauses that nobody would look at. `state`: which functions there are.
pub(crate) fn check_clauses(statement: &DfStatement, state: &SessionState) -> Result<(), QueryError> {
    let DfStatement::Statement(statement) = statement else {
        return Ok(());
    };
    match statement.visit(&mut Calls { state }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Calls<'a> {
    state: &'a SessionState,
}

impl Visitor for Calls<'_> {
    type Break = QueryError;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Function(function) => match self.unfit(function) {
                Some(error) => ControlFlow::Break(error),
                None => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Calls<'_> {
    fn unfit(&self, function: &Function) -> Option<QueryError> {
        let name = function.name.to_string().to_lowercase();
        if name == "nth_value" && !counts_from_one(function) {
            let error = QueryError::new(ErrorCode::InvalidFunctionArgument, "nth_value counts rows from 1");
            return Some(error.at(error::location(function.name.span().start)));
        }
        let (kind, clause) = if self.is_scalar(&name) {
            ("a function of one row", clause_of_scalar(function)?)
        } else if self.is_window_only(&name) {
            ("a window function", clause_of_window(function)?)
        } else if name == "any_value" && has_order(function) {
            ("any value of a group", "ORDER BY among the arguments")
        } else {
            return None;
        };
        let message = format!("{clause} is not for {name}, which is {kind}");
        let error = QueryError::new(ErrorCode::InvalidFunctionArgument, message);
        Some(error.at(error::location(function.name.span().start)))
    }

    fn is_scalar(&self, name: &str) -> bool {
        name == "unnest" || self.state.scalar_functions().contains_key(name)
    }

    fn is_window_only(&self, name: &str) -> bool {
        self.state.window_functions().contains_key(name) && !self.state.aggregate_functions().contains_key(name)
    }
}

fn clause_of_scalar(function: &Function) -> Option<&'static str> {
    let clause = if function.over.is_some() {
        "OVER"
    } else if !function.within_group.is_empty() {
        "WITHIN GROUP"
    } else if has_order(function) {
        "ORDER BY among the arguments"
    } else if function.null_treatment.is_some() || has_null_treatment(function) {
        "IGNORE or RESPECT NULLS"
    } else {
        return clause_of_window(function);
    };
    Some(clause)
}

fn clause_of_window(function: &Function) -> Option<&'static str> {
    if function.filter.is_some() {
        Some("FILTER")
    } else if is_distinct(function) {
        Some("DISTINCT or ALL")
    } else {
        None
    }
}

/// Whether the second argument is no literal below 1.
fn counts_from_one(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return true;
    };
    match list.args.get(1) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            ..
        })))) => digits.parse() != Ok(0),
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::UnaryOp { op, .. }))) => *op != UnaryOperator::Minus,
        _ => true,
    }
}

fn is_distinct(function: &Function) -> bool {
    matches!(&function.args, FunctionArguments::List(list) if list.duplicate_treatment.is_some())
}

fn has_order(function: &Function) -> bool {
    has_clause(function, |clause| matches!(clause, FunctionArgumentClause::OrderBy(_)))
}

fn has_null_treatment(function: &Function) -> bool {
    has_clause(function, |clause| {
        matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_))
    })
}

fn has_clause(function: &Function, is_it: impl Fn(&FunctionArgumentClause) -> bool) -> bool {
    matches!(&function.args, FunctionArguments::List(list) if list.clauses.iter().any(is_it))
}
