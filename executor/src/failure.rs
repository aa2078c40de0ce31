//! The one place where errors become failures, named by what to do next.
//!
//! DataFusion wraps errors in errors in errors; the first layer that has a type of its own decides. Nothing reads messages.

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use mayfly_exchange::ExchangeError;
use mayfly_fragment::{FragmentError, SplitError, WriteError};
use mayfly_protocol::{ErrorCode, Failure, QueryError};
use mayfly_store::StoreError;
use parquet::errors::ParquetError;
use std::error::Error;

/// Whatever ends an attempt.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    #[error(transparent)]
    DataFusion(#[from] DataFusionError),
    #[error(transparent)]
    Fragment(#[from] FragmentError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot make a folder for spilled bytes")]
    Folder(#[source] std::io::Error),
}

/// An error and its causes, outermost first.
pub fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let cause = cause.to_string();
        // Many errors already repeat their cause.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        // An I/O error's source is the source of what it wraps, not what it wraps.
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// `open_files`: what scans were reading, for errors of the decoder, which does not know.
pub fn classify(error: &AttemptError, open_files: &[String]) -> Failure {
    let layers = match error {
        AttemptError::DataFusion(error) | AttemptError::Write(WriteError::Plan(error)) => causes(error),
        AttemptError::Fragment(error) => causes(error),
        AttemptError::Write(WriteError::Exchange(error)) | AttemptError::Exchange(error) => causes(error),
        AttemptError::Write(error) => causes(error),
        AttemptError::Store(error) => causes(error),
        AttemptError::Folder(error) => causes(error),
    };
    let mut layers = layers;
    let named = layers.find_map(|layer| name(layer, open_files));
    named.unwrap_or_else(|| Failure::Broken {
        message: describe(error),
    })
}

/// The failure that this layer stands for, or nothing if it only wraps.
fn name(layer: &(dyn Error + 'static), open_files: &[String]) -> Option<Failure> {
    if let Some(error) = layer.downcast_ref::<QueryError>() {
        return Some(Failure::User { error: error.clone() });
    }
    if let Some(error) = layer.downcast_ref::<ExchangeError>() {
        return Some(exchange(error));
    }
    if let Some(error) = layer.downcast_ref::<SplitError>() {
        return Some(split(error));
    }
    if let Some(error) = layer.downcast_ref::<StoreError>() {
        return Some(store(error));
    }
    if let Some(error) = layer.downcast_ref::<FragmentError>() {
        return fragment(error);
    }
    if let Some(error) = layer.downcast_ref::<ArrowError>() {
        return arrow(error, open_files);
    }
    if let Some(error) = layer.downcast_ref::<ParquetError>() {
        return parquet(error, open_files);
    }
    if let Some(error) = layer.downcast_ref::<std::io::Error>() {
        // The executor's own disk: everything else is reached through the store.
        return error
            .get_ref()
            .is_none_or(is_plain)
            .then(|| spill_full(error.to_string()));
    }
    layer.downcast_ref::<DataFusionError>().and_then(datafusion)
}

/// An error of nobody's: a text that an I/O error carries.
fn is_plain(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.source().is_none() && !error.is::<DataFusionError>() && !error.is::<ArrowError>() && !error.is::<StoreError>()
}

fn exchange(error: &ExchangeError) -> Failure {
    match error {
        ExchangeError::Corrupt { producer, key, .. } | ExchangeError::Lost { producer, key, .. } => {
            Failure::InputLost {
                producer: *producer,
                key: key.clone(),
                message: describe(error),
            }
        }
        ExchangeError::RowTooLarge { .. } => Failure::user(ErrorCode::RowTooLarge, describe(error)),
        ExchangeError::SpillFull { .. } | ExchangeError::Spill(_) => spill_full(describe(error)),
        ExchangeError::Store(error) => store(error),
        _ => Failure::Broken {
            message: describe(error),
        },
    }
}

fn spill_full(message: String) -> Failure {
    // What DataFusion advises is nobody's to set here.
    let message = message.split(". Please try").next().unwrap_or_default();
    let message = format!("local disk for intermediate data ran out: {message}");
    let error = QueryError::new(ErrorCode::ExceededSpillLimit, message);
    let hint =
        "lower the session property target_task_bytes, so that each task keeps less, or give executors a larger disk";
    Failure::User {
        error: error.hint(hint),
    }
}

fn split(error: &SplitError) -> Failure {
    match error {
        SplitError::Store { file, cause } => match cause {
            StoreError::Changed { .. } | StoreError::NotFound { .. } | StoreError::NoBucket { .. } => {
                let message = format!("{file} changed or vanished while the query read it");
                let error = QueryError::new(ErrorCode::SourceChanged, message);
                Failure::User {
                    error: error.hint("run the query again"),
                }
            }
            cause => store(cause),
        },
        SplitError::BadFooter { .. } | SplitError::BadText { .. } | SplitError::Record { .. } => {
            Failure::user(ErrorCode::BadFile, describe(error))
        }
        SplitError::Schema { .. } => Failure::user(ErrorCode::SchemaMismatch, describe(error)),
        SplitError::RowGroups { .. } => Failure::Broken {
            message: describe(error),
        },
    }
}

fn store(error: &StoreError) -> Failure {
    let message = describe(error);
    match error {
        StoreError::Throttled { .. } => Failure::Throttled { retry_after_ms: None },
        error if error.is_transient() => Failure::Transient { message },
        StoreError::Denied { .. } => Failure::user(ErrorCode::PermissionDenied, message),
        _ => Failure::user(ErrorCode::S3Error, message),
    }
}

/// Deterministic refusals of the plan end the query; what only a fault of ours explains is tried elsewhere.
fn fragment(error: &FragmentError) -> Option<Failure> {
    let code = match error {
        FragmentError::Version { .. } => ErrorCode::ExecutorMismatch,
        FragmentError::Location { .. } => ErrorCode::LocationNotAllowed,
        FragmentError::NotEmpty => {
            let error = QueryError::new(ErrorCode::RemoteTaskError, describe(error));
            let error = error.hint("run the query again");
            return Some(Failure::User { error });
        }
        FragmentError::TooLarge { .. } | FragmentError::TooDeep => ErrorCode::TooComplex,
        _ => {
            let message = describe(error);
            return Some(Failure::Broken { message });
        }
    };
    Some(Failure::user(code, describe(error)))
}

fn arrow(error: &ArrowError, open_files: &[String]) -> Option<Failure> {
    let (code, message) = match error {
        ArrowError::DivideByZero => (ErrorCode::DivisionByZero, "division by zero".to_owned()),
        ArrowError::ArithmeticOverflow(message) => (ErrorCode::NumericValueOutOfRange, message.clone()),
        ArrowError::CastError(message) | ArrowError::ParseError(message) => {
            (ErrorCode::InvalidCastArgument, message.clone())
        }
        ArrowError::ParquetError(message) => return Some(bad_file(message, open_files)),
        ArrowError::ComputeError(message) | ArrowError::InvalidArgumentError(message) => {
            (ErrorCode::InvalidFunctionArgument, message.clone())
        }
        ArrowError::NotYetImplemented(message) => (ErrorCode::NotSupported, message.clone()),
        ArrowError::MemoryError(message) => {
            let message = message.clone();
            return Some(Failure::NeedsMemory { message });
        }
        // Wrappers, and faults of ours.
        _ => return None,
    };
    Some(Failure::user(code, message))
}

fn parquet(error: &ParquetError, open_files: &[String]) -> Option<Failure> {
    match error {
        ParquetError::External(_) => None,
        error => Some(bad_file(&error.to_string(), open_files)),
    }
}

fn bad_file(message: &str, open_files: &[String]) -> Failure {
    let files = match open_files {
        [] => "a table's file".to_owned(),
        files => files.join(" or "),
    };
    Failure::user(ErrorCode::BadFile, format!("{files} cannot be read: {message}"))
}

fn bad_argument(message: String) -> Failure {
    Failure::user(ErrorCode::InvalidFunctionArgument, message)
}

fn datafusion(error: &DataFusionError) -> Option<Failure> {
    match error {
        DataFusionError::ResourcesExhausted(message) => Some(Failure::NeedsMemory {
            message: message.clone(),
        }),
        DataFusionError::Execution(message) => Some(Failure::user(ErrorCode::GenericUserError, message.clone())),
        // Arguments that only their function knows to be wrong, as it meets them.
        DataFusionError::Plan(message) => Some(bad_argument(message.clone())),
        DataFusionError::External(cause) => {
            let pattern = cause.downcast_ref::<regex::Error>();
            pattern.map(|pattern| bad_argument(format!("invalid regular expression: {pattern}")))
        }
        DataFusionError::NotImplemented(message) => Some(Failure::user(ErrorCode::NotSupported, message.clone())),
        // A panic in a task of DataFusion's own.
        DataFusionError::ExecutionJoin(join) => Some(Failure::Broken {
            message: join.to_string(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
