//! Named windows, written out where functions use them, and keys of parts that are written twice: `OVER w`, and `OVER (w …)` with what `w` says and what stands there. DataFusion
//! reads the first only, and drops the name in the second.

use super::exclusion;
use crate::error;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, Ident, NamedWindowDefinition, NamedWindowExpr, OrderBy, OrderByKind, Query, Select, SetExpr,
    VisitMut, VisitorMut, WindowSpec, WindowType,
};
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Windows that are named after one another.
const NAMES_MAX: usize = 100;

pub(super) fn write_out(query: &mut Query) -> Result<(), QueryError> {
    match query.visit(&mut Queries) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Inner queries come first; a name that is left in one means none of its own windows.
struct Queries;

impl VisitorMut for Queries {
    type Break = QueryError;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        let windows = select.named_window.clone();
        if let Some(twice) = named_twice(&windows) {
            return ControlFlow::Break(wrong(twice, "is defined twice"));
        }
        let calls = &mut Calls { windows: &windows };
        select.projection.visit(calls)?;
        select.distinct.visit(calls)?;
        select.qualify.visit(calls)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        let windows = match query.body.as_ref() {
            SetExpr::Select(select) => select.named_window.clone(),
            _ => Vec::new(),
        };
        match &mut query.order_by {
            Some(OrderBy {
                kind: OrderByKind::Expressions(keys),
                ..
            }) => keys.visit(&mut Calls { windows: &windows }),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn named_twice(windows: &[NamedWindowDefinition]) -> Option<&Ident> {
    let mut seen = BTreeSet::new();
    let mut names = windows.iter().map(|NamedWindowDefinition(name, _)| name);
    names.find(|name| !seen.insert(name.value.to_lowercase()))
}

struct Calls<'a> {
    windows: &'a [NamedWindowDefinition],
}

impl VisitorMut for Calls<'_> {
    type Break = QueryError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let written = match &function.over {
            Some(WindowType::NamedWindow(name)) => self.window(name, 0),
            Some(WindowType::WindowSpec(spec)) if spec.window_name.is_some() => self.whole(spec.clone(), 0),
            _ => {
                each_key_once(function);
                return ControlFlow::Continue(());
            }
        };
        match written {
            Ok(spec) => function.over = Some(WindowType::WindowSpec(spec)),
            Err(error) => return ControlFlow::Break(error),
        }
        each_key_once(function);
        ControlFlow::Continue(())
    }
}

/// DataFusion would make windows of `PARTITION BY k, k` and `PARTITION BY k` one, and not find the other.
fn each_key_once(function: &mut Function) {
    if let Some(WindowType::WindowSpec(spec)) = &mut function.over {
        let mut seen = BTreeSet::new();
        spec.partition_by.retain(|key| seen.insert(key.to_string()));
    }
}

impl Calls<'_> {
    fn window(&self, name: &Ident, depth: usize) -> Result<WindowSpec, QueryError> {
        let called = |found: &Ident| found.value.to_lowercase() == name.value.to_lowercase();
        let found = self
            .windows
            .iter()
            .find(|NamedWindowDefinition(window, _)| called(window));
        match found {
            Some(NamedWindowDefinition(_, NamedWindowExpr::NamedWindow(other))) if depth < NAMES_MAX => {
                self.window(other, depth + 1)
            }
            Some(NamedWindowDefinition(_, NamedWindowExpr::WindowSpec(spec))) if depth < NAMES_MAX => {
                self.whole(spec.clone(), depth + 1)
            }
            _ => Err(wrong(name, "is not defined")),
        }
    }

    /// What the spec says, and what the window that it names says.
    fn whole(&self, mut spec: WindowSpec, depth: usize) -> Result<WindowSpec, QueryError> {
        let Some(name) = spec.window_name.take() else {
            return Ok(spec);
        };
        let named = self.window(&name, depth)?;
        if named.window_frame.is_some() {
            return Err(wrong(&name, "has a frame: a window that goes by it cannot say more"));
        }
        let (marks, keys): (Vec<Expr>, Vec<Expr>) = spec.partition_by.into_iter().partition(exclusion::is_mark);
        if !keys.is_empty() {
            return Err(wrong(&name, "says PARTITION BY: a window that goes by it cannot"));
        }
        if !spec.order_by.is_empty() && !named.order_by.is_empty() {
            return Err(wrong(&name, "says ORDER BY: a window that goes by it cannot"));
        }
        Ok(WindowSpec {
            window_name: None,
            partition_by: marks.into_iter().chain(named.partition_by).collect(),
            order_by: if spec.order_by.is_empty() {
                named.order_by
            } else {
                spec.order_by
            },
            window_frame: spec.window_frame,
        })
    }
}

fn wrong(name: &Ident, what: &str) -> QueryError {
    let message = format!("window '{}' {what}", name.value);
    QueryError::new(ErrorCode::GenericUserError, message).at(error::location(name.span.start))
}
