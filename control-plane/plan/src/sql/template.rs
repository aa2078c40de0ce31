//! A query from a text of ours, to put other parts into.

use datafusion::sql::sqlparser::ast::{Query, Select, SetExpr, Statement, TableFactor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// The query with `relation` for what its FROM names.
pub(super) fn over(sql: &str, relation: TableFactor) -> Option<Query> {
    let statement = Parser::parse_sql(&GenericDialect {}, sql).ok()?.into_iter().next()?;
    let Statement::Query(mut query) = statement else {
        return None;
    };
    if let SetExpr::Select(select) = query.body.as_mut() {
        let Select { from, .. } = select.as_mut();
        from.first_mut()?.relation = relation;
    }
    Some(*query)
}
