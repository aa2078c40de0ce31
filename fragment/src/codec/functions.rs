//! Our functions to and from their messages. All others travel by name alone.

use super::wire;
use crate::{Directed, Filtered};
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::logical_expr::{AggregateUDF, WindowUDF};
use prost::Message;
use std::sync::Arc;

pub fn encode_aggregate(function: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
    let Some(filtered) = function.inner().downcast_ref::<Filtered>() else {
        return Ok(());
    };
    let inner = filtered.inner().name().to_owned();
    encode(&wire::FilteredFunction { inner }, buf)
}

pub fn decode_aggregate(name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
    let message = wire::FilteredFunction::decode(buf).map_err(external)?;
    let filtered = Filtered::named(&message.inner).ok_or_else(|| unknown(name))?;
    Ok(Arc::new(AggregateUDF::new_from_impl(filtered)))
}

pub fn encode_window(function: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
    let Some(directed) = function.inner().downcast_ref::<Directed>() else {
        return Ok(());
    };
    let (ignore_nulls, reversed) = (directed.ignore_nulls, directed.reversed);
    encode(&wire::DirectedFunction { ignore_nulls, reversed }, buf)
}

pub fn decode_window(name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
    let flags = wire::DirectedFunction::decode(buf).map_err(external)?;
    let directed = Directed::named(name).ok_or_else(|| unknown(name))?;
    Ok(directed.with_flags(flags.ignore_nulls, flags.reversed).function())
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
