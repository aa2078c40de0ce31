//! `mayfly sql`: a local cloud for the statements at hand, their answers and their bill. Leaves nothing behind.

use crate::arguments::{LocalSqlArguments, LogFormat, ServerArguments, TargetArguments};
use crate::exit::Failure;
use crate::local::{LocalCloud, LocalSettings};
use crate::paths::Paths;
use crate::statements::Statement;
use crate::{interrupt, logging, query, serve, target};
use std::path::Path;
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-sql";

pub async fn sql(arguments: LocalSqlArguments, log: LogFormat) -> Result<(), Failure> {
    let source = target::sql(&arguments.sql)?;
    let statements = query::some(&source)?;
    let paths = Paths::of(&statements)?;
    let stop = interrupt::only_first();
    let settings = LocalSettings {
        mounts: [arguments.mounts.clone(), paths.mounts.clone()].concat(),
        meanings: paths.places.clone(),
        log_filter: logging::filter(logging::OTHERS),
        log_format: log.name(),
        ..LocalSettings::new(serve::program()?)
    };
    let cloud = tokio::select! {
        cloud = LocalCloud::start(settings) => cloud?,
        () = stop.cancelled() => return Err(Failure::Canceled),
    };
    let ended = run(&cloud, &arguments, &statements, source.file.as_deref(), &stop).await;
    let stopped = cloud.stop().await;
    ended.map_err(|failure| spelled(failure, &paths)).and(stopped)
}

async fn run(
    cloud: &LocalCloud,
    arguments: &LocalSqlArguments,
    statements: &[Statement<'_>],
    file: Option<&Path>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let target = TargetArguments {
        server: ServerArguments {
            server: cloud.server(),
            user: None,
        },
        catalog: "lake".to_owned(),
        schema: None,
        properties: arguments.properties.clone(),
    };
    let mut client = target::client(&target, SOURCE);
    query::all(&mut client, statements, file, &arguments.output, stop).await
}

/// Buckets under the names that the user knows them by.
fn spelled(failure: Failure, paths: &Paths) -> Failure {
    match failure {
        Failure::Query(mut diagnosis) => {
            diagnosis.error.message = paths.spelled(&diagnosis.error.message);
            diagnosis.error.hint = diagnosis.error.hint.map(|hint| paths.spelled(&hint));
            Failure::Query(diagnosis)
        }
        other => other,
    }
}
