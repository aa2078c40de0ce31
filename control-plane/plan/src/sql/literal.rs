//! Literals as Trino reads them, where DataFusion would read something else: `1E0` is a double, `DECIMAL '0.001'` has the digits that are
//! written, a timestamp those of its fraction and the zone that it names. What stands for them are casts that DataFusion knows.

use super::parse::not_supported;
use super::{moment, types};
use crate::{error, zone};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, TimezoneInfo, TypedString, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::{ErrorCode, QueryError};
use std::ops::ControlFlow;

/// Digits of the longest decimal.
const DIGITS_MAX: usize = 38;

/// Replaces what DataFusion reads otherwise, in a whole statement.
pub(super) fn as_trino_reads(statement: &mut impl VisitMut) -> Result<(), QueryError> {
    match statement.visit(&mut Literals) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Literals;

impl VisitorMut for Literals {
    type Break = QueryError;

    /// Innermost first, so that what is put in is not looked at again.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        let replaced = match expr {
            Expr::Value(value) => number(value),
            Expr::TypedString(literal) => typed(literal),
            Expr::Cast { .. } => types::cast(expr),
            Expr::AtTimeZone { timestamp, time_zone } => at_time_zone(timestamp, time_zone).map(Some),
            _ => Ok(None),
        };
        match replaced {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(replacement)) => {
                *expr = replacement;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A number with an exponent, and an integer beyond 64 bits.
fn number(value: &ValueWithSpan) -> Result<Option<Expr>, QueryError> {
    let Value::Number(text, _) = &value.value else {
        return Ok(None);
    };
    if text.contains(['e', 'E']) {
        return Ok(Some(cast(text, DataType::Double(ExactNumberInfo::None), value.span)));
    }
    let is_long = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_err();
    // The smallest bigint is written as the negation of a number that is none.
    match is_long && text != "9223372036854775808" {
        true => decimal(text, value.span).map(Some),
        false => Ok(None),
    }
}

fn typed(literal: &TypedString) -> Result<Option<Expr>, QueryError> {
    let span = literal.value.span;
    let Some(text) = literal.value.value.clone().into_string() else {
        return Ok(None);
    };
    match &literal.data_type {
        DataType::Decimal(ExactNumberInfo::None) | DataType::Numeric(ExactNumberInfo::None) => {
            decimal(&text, span).map(Some)
        }
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            let moment = moment::read(&text).map_err(|error| error.at(error::location(span.start)))?;
            let ticks = Expr::Value(Value::Number(moment.ticks.to_string(), false).with_span(span));
            let data_type = Expr::Value(Value::SingleQuotedString(moment.arrow_type()).with_span(span));
            Ok(Some(call("arrow_cast", vec![ticks, data_type])))
        }
        DataType::Time(_, zone) if has_zone(zone) || text.trim().find(['+', '-', ' ']).is_some() => Err(not_supported(
            "TIME WITH TIME ZONE",
            "a time of day has no zone here: use TIMESTAMP WITH TIME ZONE",
        )
        .at(error::location(span.start))),
        _ => Ok(None),
    }
}

fn at_time_zone(timestamp: &Expr, zone: &Expr) -> Result<Expr, QueryError> {
    let Expr::Value(value) = zone else {
        return Err(not_supported(
            "AT TIME ZONE with a zone that is computed",
            "write the zone as a literal, such as 'Europe/Berlin'",
        ));
    };
    let name = value.value.clone().into_string().unwrap_or_default();
    let known = zone::canonical(&name).ok_or_else(|| {
        let message = format!("time zone '{name}' is not known");
        QueryError::new(ErrorCode::InvalidArguments, message).at(error::location(value.span.start))
    })?;
    let zone = Expr::Value(Value::SingleQuotedString(known).with_span(value.span));
    Ok(call("at_timezone", vec![timestamp.clone(), zone]))
}

pub(super) fn has_zone(zone: &TimezoneInfo) -> bool {
    matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz)
}

/// As many digits as are written, and as many of them behind the point.
fn decimal(text: &str, span: Span) -> Result<Expr, QueryError> {
    let invalid = |why: &str| {
        let message = format!("DECIMAL '{text}' {why}");
        QueryError::new(ErrorCode::InvalidLiteral, message).at(error::location(span.start))
    };
    let plain = plain(text.trim()).ok_or_else(|| invalid("is no decimal number"))?;
    let unsigned = plain.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let count = (whole.trim_start_matches('0').len() + fraction.len()).max(1);
    if count > DIGITS_MAX {
        return Err(invalid(&format!(
            "has {count} digits, and a decimal at most {DIGITS_MAX}"
        )));
    }
    let info = ExactNumberInfo::PrecisionAndScale(count as u64, fraction.len() as i64);
    Ok(cast(&plain, DataType::Decimal(info), span))
}

/// `-1.5E-3` → `-0.0015`. Clients write small parameters so.
fn plain(text: &str) -> Option<String> {
    let sign = if text.starts_with('-') { "-" } else { "" };
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Beyond what any decimal has, either way.
    if !is_number || exponent.unsigned_abs() as usize > 2 * DIGITS_MAX {
        return None;
    }
    let scale = i32::try_from(fraction.len()).ok()? - exponent;
    Some(match usize::try_from(scale) {
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) => {
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        Err(_) => format!("{sign}{digits}{}", "0".repeat(scale.unsigned_abs() as usize)),
    })
}

fn cast(text: &str, data_type: DataType, span: Span) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::SingleQuotedString(text.to_owned()).with_span(span))),
        data_type,
        array: false,
        format: None,
    }
}

/// A call of a function of DataFusion's or ours.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let argument = |argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_quote('"', name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
