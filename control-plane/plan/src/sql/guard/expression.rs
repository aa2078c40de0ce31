//! Expressions: the kinds that nothing plans, and the fields that planning does not look at.

use super::{call, refuse, refuse_some};
use datafusion::sql::sqlparser::ast::{CastFormat, Expr, Interval, LambdaFunction, Spanned};
use mayfly_protocol::QueryError;

/// First what is planned as it stands, then what has a field to look at, then what nothing plans.
pub(super) fn check(expr: &Expr) -> Result<(), QueryError> {
    let place = expr.span();
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess {
            root: _,
            access_chain: _,
        }
        | Expr::JsonAccess { value: _, path: _ }
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(_, _)
        | Expr::IsNotDistinctFrom(_, _)
        | Expr::InList {
            expr: _,
            list: _,
            negated: _,
        }
        | Expr::InSubquery {
            expr: _,
            subquery: _,
            negated: _,
        }
        | Expr::Between {
            expr: _,
            negated: _,
            low: _,
            high: _,
        }
        | Expr::BinaryOp {
            left: _,
            op: _,
            right: _,
        }
        | Expr::UnaryOp { op: _, expr: _ }
        | Expr::AnyOp {
            left: _,
            compare_op: _,
            right: _,
            is_some: _,
        }
        | Expr::AllOp {
            left: _,
            compare_op: _,
            right: _,
        }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Exists {
            subquery: _,
            negated: _,
        }
        | Expr::Subquery(_)
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Tuple(_)
        | Expr::Struct { values: _, fields: _ }
        | Expr::Named { expr: _, name: _ }
        | Expr::Dictionary(_)
        | Expr::Map(_)
        | Expr::Array(_)
        | Expr::Wildcard(_)
        | Expr::Lambda(LambdaFunction {
            params: _,
            body: _,
            syntax: _,
        })
        | Expr::AtTimeZone {
            timestamp: _,
            time_zone: _,
        }
        | Expr::Extract {
            field: _,
            syntax: _,
            expr: _,
        }
        | Expr::Ceil { expr: _, field: _ }
        | Expr::Floor { expr: _, field: _ }
        | Expr::Position { expr: _, r#in: _ }
        | Expr::Substring {
            expr: _,
            substring_from: _,
            substring_for: _,
            special: _,
            shorthand: _,
        }
        | Expr::Overlay {
            expr: _,
            overlay_what: _,
            overlay_from: _,
            overlay_for: _,
        }
        | Expr::Case {
            case_token: _,
            end_token: _,
            operand: _,
            conditions: _,
            else_result: _,
        }
        | Expr::SimilarTo {
            negated: _,
            expr: _,
            pattern: _,
            escape_char: _,
        } => Ok(()),
        Expr::Function(function) => call::check(function),
        Expr::Interval(interval) => check_interval(interval),
        Expr::Cast {
            kind: _,
            expr: _,
            data_type: _,
            array,
            format,
        } => {
            refuse_some(
                format.as_ref(),
                "FORMAT of a CAST",
                |_: &CastFormat| place,
                "use to_timestamp or date_format",
            )?;
            refuse_some(array.then_some(&()), "CAST … ARRAY", |()| place, "")
        }
        Expr::Trim {
            expr: _,
            trim_where: _,
            trim_what: _,
            trim_characters,
        } => {
            let second = trim_characters.as_ref().and_then(|characters| characters.get(1));
            refuse_some(
                second,
                "a third argument of trim",
                Spanned::span,
                "the second names all the characters",
            )
        }
        Expr::Like {
            negated: _,
            any,
            expr: _,
            pattern: _,
            escape_char: _,
        }
        | Expr::ILike {
            negated: _,
            any,
            expr: _,
            pattern: _,
            escape_char: _,
        } => refuse_some(any.then_some(&()), "LIKE ANY", |()| place, "write LIKE … OR LIKE …"),
        Expr::IsNormalized {
            expr: _,
            form: _,
            negated: _,
        } => refuse("IS NORMALIZED", place, ""),
        Expr::InUnnest {
            expr: _,
            array_expr: _,
            negated: _,
        } => refuse("IN UNNEST", place, "use array_has"),
        Expr::RLike {
            negated: _,
            expr: _,
            pattern: _,
            regexp: _,
        } => refuse("RLIKE or REGEXP", place, "use regexp_like"),
        Expr::Convert {
            is_try: _,
            expr: _,
            data_type: _,
            charset: _,
            target_before_value: _,
            styles: _,
        } => refuse("CONVERT", place, "use CAST"),
        Expr::Collate { expr: _, collation: _ } => refuse("COLLATE", place, "texts compare by their code points"),
        Expr::Prefixed { prefix: _, value: _ } => refuse("a prefix of a literal", place, ""),
        Expr::MatchAgainst {
            columns: _,
            match_value: _,
            opt_search_modifier: _,
        } => refuse("MATCH … AGAINST", place, "use LIKE or regexp_like"),
        Expr::QualifiedWildcard(_, _) => refuse("* of one relation as a value", place, "name a column"),
        Expr::OuterJoin(_) => refuse("(+)", place, "write LEFT JOIN"),
        Expr::Prior(_) => refuse("PRIOR", place, "use WITH RECURSIVE"),
        Expr::MemberOf(_) => refuse("MEMBER OF", place, "use array_has"),
    }
}

/// `INTERVAL '1-2' YEAR TO MONTH` and precisions are refused where they are planned or here, never taken for plain ones.
fn check_interval(interval: &Interval) -> Result<(), QueryError> {
    let Interval {
        value,
        leading_field: _,
        leading_precision,
        last_field: _,
        fractional_seconds_precision,
    } = interval;
    let precision = leading_precision.as_ref().or(fractional_seconds_precision.as_ref());
    refuse_some(
        precision,
        "a precision of an INTERVAL",
        |_| value.span(),
        "leave it out",
    )
}
