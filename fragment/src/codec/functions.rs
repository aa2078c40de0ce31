//! Our functions to and from their messages. All others travel by name alone.

use super::wire;
use crate::function;
use crate::function::excluding::{Excluding, Exclusion, Frame, Inner, Pick};
use crate::{Directed, Filtered, Shifted};
use datafusion::arrow::compute::SortOptions;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err, internal_err};
use datafusion::logical_expr::{AggregateUDF, WindowFrame, WindowUDF};
use datafusion_proto::protobuf::WindowFrame as WireFrame;
use prost::Message;
use std::sync::Arc;

pub fn encode_aggregate(function: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
    let Some(filtered) = function.inner().downcast_ref::<Filtered>() else {
        return Ok(());
    };
    let inner = filtered.inner().name().to_owned();
    encode(&wire::FilteredFunction { inner }, buf)
}

/// What has no message is known by its name.
pub fn decode_aggregate(name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
    if buf.is_empty() {
        return function::aggregate(name).ok_or_else(|| unknown(name));
    }
    let message = wire::FilteredFunction::decode(buf).map_err(external)?;
    let filtered = Filtered::named(&message.inner).ok_or_else(|| unknown(name))?;
    Ok(Arc::new(AggregateUDF::new_from_impl(filtered)))
}

pub fn encode_window(function: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
    if let Some(excluding) = function.inner().downcast_ref::<Excluding>() {
        return encode(&excluding_to_wire(excluding)?, buf);
    }
    if let Some(shifted) = function.inner().downcast_ref::<Shifted>() {
        let (ignore_nulls, reversed) = (shifted.ignore_nulls, false);
        return encode(&wire::DirectedFunction { ignore_nulls, reversed }, buf);
    }
    let Some(directed) = function.inner().downcast_ref::<Directed>() else {
        return Ok(());
    };
    let (ignore_nulls, reversed) = (directed.ignore_nulls, directed.reversed);
    encode(&wire::DirectedFunction { ignore_nulls, reversed }, buf)
}

pub fn decode_window(name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
    if name.ends_with(Excluding::SUFFIX) {
        let message = wire::ExcludingFunction::decode(buf).map_err(external)?;
        return excluding_from_wire(message).map(Excluding::function);
    }
    let flags = wire::DirectedFunction::decode(buf).map_err(external)?;
    if name.ends_with(Shifted::SUFFIX) {
        let shifted = Shifted::named(name, flags.ignore_nulls).ok_or_else(|| unknown(name))?;
        return Ok(shifted.function());
    }
    let directed = Directed::named(name).ok_or_else(|| unknown(name))?;
    Ok(directed.with_flags(flags.ignore_nulls, flags.reversed).function())
}

fn excluding_to_wire(excluding: &Excluding) -> Result<wire::ExcludingFunction> {
    let (mut definition, mut is_distinct) = (Vec::new(), false);
    if let Inner::Aggregate { function, distinct } = &excluding.inner {
        encode_aggregate(function, &mut definition)?;
        is_distinct = *distinct;
    }
    let frame = &excluding.frame;
    let key = |options: &SortOptions| wire::SortKey {
        descending: options.descending,
        nulls_first: options.nulls_first,
    };
    Ok(wire::ExcludingFunction {
        inner: excluding.inner.name().to_owned(),
        definition,
        picks: matches!(excluding.inner, Inner::Pick(_)),
        distinct: is_distinct,
        ignore_nulls: excluding.ignore_nulls,
        frame: Some(WireFrame::try_from(&frame.frame).map_err(external)?),
        exclusion: match frame.exclusion {
            Exclusion::CurrentRow => wire::Exclusion::CurrentRow,
            Exclusion::Group => wire::Exclusion::Group,
            Exclusion::Ties => wire::Exclusion::Ties,
        }
        .into(),
        order: frame.order.iter().map(key).collect(),
    })
}

fn excluding_from_wire(message: wire::ExcludingFunction) -> Result<Excluding> {
    let name = message.inner.as_str();
    let inner = match (message.picks, message.definition.as_slice()) {
        (true, _) => Pick::named(name).map(Inner::Pick),
        (false, []) => function::aggregate(name).map(|function| Inner::Aggregate {
            function,
            distinct: message.distinct,
        }),
        (false, definition) => Some(Inner::Aggregate {
            function: decode_aggregate(name, definition)?,
            distinct: message.distinct,
        }),
    };
    let exclusion = match wire::Exclusion::try_from(message.exclusion) {
        Ok(wire::Exclusion::CurrentRow) => Exclusion::CurrentRow,
        Ok(wire::Exclusion::Group) => Exclusion::Group,
        Ok(wire::Exclusion::Ties) => Exclusion::Ties,
        _ => return internal_err!("a frame of {name} excludes in an unknown way"),
    };
    let frame = message.frame.ok_or_else(|| unknown(name))?;
    let key = |key: wire::SortKey| SortOptions {
        descending: key.descending,
        nulls_first: key.nulls_first,
    };
    let frame = Frame {
        frame: WindowFrame::try_from(frame)?,
        exclusion,
        order: message.order.into_iter().map(key).collect(),
    };
    Ok(Excluding::new(
        inner.ok_or_else(|| unknown(name))?,
        message.ignore_nulls,
        frame,
    ))
}

fn encode(message: &impl Message, buf: &mut Vec<u8>) -> Result<()> {
    message.encode(buf).map_err(external)
}

fn external(cause: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(cause))
}

fn unknown(name: &str) -> DataFusionError {
    internal_datafusion_err!("no executor knows a function {name}")
}

#[cfg(test)]
mod tests;
