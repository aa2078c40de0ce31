//! `mayfly load tpch`: generates the eight tables, streams them to S3 as Parquet, and tells the server about them.
//!
//! ```text
//! tpchgen ─batches▶ parquet ─parts▶ multipart upload      one thread and at most a few parts in memory per file
//! ```
//! File names follow from scale and table alone, and a file appears whole or not at all: what is there already is not made again.

mod cloud;
mod file;
mod report;
mod scale;
mod table;

pub use cloud::Cloud;
pub use scale::Scale;

use crate::arguments::{LoadArguments, LoadSource, ProgressMode, TpchArguments};
use crate::client::Client;
use crate::diagnosis::Origin;
use crate::exit::Failure;
use crate::format::FormatName;
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::{interrupt, target};
use file::File;
use futures::{StreamExt, TryStreamExt, stream};
use mayfly_store::Store;
use report::Report;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use table::Table;
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-load";
/// Files that are generated at the same time: each keeps one core busy and holds a row group in memory.
const FILES_AT_ONCE_MAX: usize = 8;

pub async fn load(arguments: LoadArguments) -> Result<(), Failure> {
    let LoadSource::Tpch(arguments) = arguments.source;
    let stop = interrupt::leave_on_second();
    let mut client = target::plain_client(&arguments.server, SOURCE);
    tpch(&mut client, &arguments, &stop).await
}

/// Loads TPC-H into the cloud of the client's server.
pub async fn tpch(client: &mut Client, arguments: &TpchArguments, stop: &CancellationToken) -> Result<(), Failure> {
    let cloud = Cloud::of(client).await?;
    let store = cloud.connect().await?;
    let schema = arguments.schema.clone().unwrap_or_else(|| arguments.scale.schema());
    let missing = missing(&store, &cloud, &schema, arguments.scale).await?;
    if missing.is_empty() {
        eprintln!("every file of {schema} is there already");
    } else {
        tokio::select! {
            written = write(&store, &cloud, missing, arguments) => written?,
            () = stop.cancelled() => return Err(Failure::Canceled),
        }
    }
    register(client, &cloud, &schema, stop).await
}

/// The files of the schema that are not in S3 yet.
async fn missing(store: &Store, cloud: &Cloud, schema: &str, scale: Scale) -> Result<Vec<File>, Failure> {
    let mut missing = Vec::new();
    for table in Table::ALL {
        let prefix = cloud.prefix(schema, table);
        let listed = store.list(&cloud.bucket, &prefix).await;
        let listed =
            listed.map_err(|error| Failure::broken(format!("cannot list s3://{}/{prefix}", cloud.bucket), error))?;
        let mut there: BTreeSet<_> = listed.into_iter().map(|object| object.key).collect();
        missing.extend(
            File::all(table, scale, &prefix)
                .into_iter()
                .filter(|file| !there.remove(&file.key)),
        );
        if let Some(stranger) = there.first() {
            return Err(Failure::Broken(format!(
                "s3://{}/{stranger} is not of this load: give another --schema, or remove what lies under {prefix}",
                cloud.bucket
            )));
        }
    }
    Ok(missing)
}

async fn write(store: &Store, cloud: &Cloud, files: Vec<File>, arguments: &TpchArguments) -> Result<(), Failure> {
    let report = Report::new(arguments.progress, &files);
    let at_once = std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(FILES_AT_ONCE_MAX);
    let written = stream::iter(files.into_iter().map(|file| {
        let report = &report;
        async move {
            let wrote = file.write(store, &cloud.bucket, report).await?;
            report.wrote(&file, wrote);
            Ok::<(), Failure>(())
        }
    }));
    let ended = written.buffer_unordered(at_once).try_collect::<Vec<()>>().await;
    report.end();
    ended.map(|_| ())
}

/// Makes the tables known. Where they are known already, nothing changes.
async fn register(client: &mut Client, cloud: &Cloud, schema: &str, stop: &CancellationToken) -> Result<(), Failure> {
    let name = quoted(schema);
    update(client, &format!("CREATE SCHEMA IF NOT EXISTS lake.{name}"), stop).await?;
    for table in Table::ALL {
        let location = format!("s3://{}/{}", cloud.bucket, cloud.prefix(schema, table)).replace('\'', "''");
        let table = table.name();
        let sql =
            format!("CREATE EXTERNAL TABLE IF NOT EXISTS lake.{name}.{table} STORED AS PARQUET LOCATION '{location}'");
        update(client, &sql, stop).await?;
    }
    eprintln!(
        "loaded schema lake.{schema}: {}",
        Table::ALL.map(Table::name).join(", ")
    );
    Ok(())
}

async fn update(client: &mut Client, sql: &str, stop: &CancellationToken) -> Result<(), Failure> {
    let mut sink = FormatName::Null.sink();
    let mut run = Run {
        client,
        sink: sink.as_mut(),
        out: &mut std::io::sink(),
        progress: &mut Progress::new(ProgressMode::Never),
        stop,
        origin: Origin::default(),
    };
    run.run(sql, &mut Ran::default()).await
}

/// As SQL writes names that may not be plain words.
fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests;
