//! The planner.
use crate::{Planned, PlannerSettings, Session, command, error, show, sql};
use mayfly_catalog::Catalog;
use mayfly_protocol::QueryError;
use std::sync::Arc;

/// Plans statements.
pub struct Planner {
    catalog: Arc<Catalog>,
    settings: PlannerSettings,
}

impl Planner {
    pub fn new(catalog: Arc<Catalog>, settings: PlannerSettings) -> Planner {
        Planner { catalog, settings }
    }

    pub async fn plan(&self, sql: &str, session: &Session) -> Result<Planned, QueryError> {
        match sql::parse(sql)? {
            sql::Statement::Show(show) => show::answer(show, &self.catalog, session, &self.settings).await,
            sql::Statement::Command(command) => command::run(command, &self.catalog, session).await,
            _ => Err(error::internal("queries are not planned yet")),
        }
    }
}
