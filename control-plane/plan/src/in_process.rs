//! DataFusion in one process with Mayfly's values: what a query answers when nothing is cut and nothing is shipped. Tests compare rows with it.
//!
//! It tells whether a query was cut rightly, and nothing about what values mean: for that the cases under `tests/sql/cases` have other judges.

use crate::{series, values};
use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SessionConfig, SessionContext};

/// A session without tables. Nulls, literals and operators mean what they mean in Mayfly.
pub fn context(mut config: SessionConfig) -> SessionContext {
    mayfly_fragment::set_values(config.options_mut());
    let builder = mayfly_fragment::session_state_builder(config);
    let mut state = values::planned_by(builder).build();
    series::as_tasks_know_them(&mut state);
    SessionContext::new_with_state(state)
}

/// The query as Mayfly reads its text. Other statements are DataFusion's.
pub async fn frame(context: &SessionContext, sql: &str) -> Result<DataFrame> {
    let Ok(query) = crate::sql::parse_body(sql) else {
        return context.sql(sql).await;
    };
    let state = context.state();
    let plan = state.statement_to_plan(query.ast).await?;
    Ok(DataFrame::new(state, plan))
}
