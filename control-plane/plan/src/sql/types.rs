//! Types of casts that DataFusion accepts and takes for others: the length of a varchar, and what no type here holds.

use super::literal::{call, has_zone};
use super::parse::not_supported;
use datafusion::sql::sqlparser::ast::{CastKind, CharacterLength, DataType, Expr, Value};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;

/// What stands for a cast, if DataFusion's means something else.
pub(super) fn cast(expr: &Expr) -> Result<Option<Expr>, QueryError> {
    let Expr::Cast {
        kind, expr, data_type, ..
    } = expr
    else {
        return Ok(None);
    };
    match data_type {
        DataType::Varchar(Some(CharacterLength::IntegerLength { length, .. })) => {
            let name = match kind {
                CastKind::TryCast | CastKind::SafeCast => "try_varchar",
                CastKind::Cast | CastKind::DoubleColon => "to_varchar",
            };
            let length = Expr::Value(Value::Number(length.to_string(), false).with_span(Span::empty()));
            Ok(Some(call(name, vec![expr.as_ref().clone(), length])))
        }
        DataType::Char(_) | DataType::Character(_) => Err(not_supported(
            "CHAR(n)",
            "text is varchar here: use VARCHAR(n), and rpad where blanks count",
        )),
        DataType::Time(_, zone) if has_zone(zone) => Err(not_supported(
            "TIME WITH TIME ZONE",
            "a time of day has no zone here: use TIMESTAMP WITH TIME ZONE",
        )),
        _ => Ok(None),
    }
}
