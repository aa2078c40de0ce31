//! `mayfly explain`: the plan of a query as text on stdout, also with what the query did.

use crate::arguments::{ExplainArguments, ExplainKind, ProgressMode};
use crate::client::{Client, Column};
use crate::diagnosis::Origin;
use crate::exit::Failure;
use crate::format::{Sink, text};
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::statements::{self, Statement};
use crate::{interrupt, target};
use serde_json::value::RawValue;
use std::io::{self, Write};
use std::path::Path;
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-explain";

pub async fn explain(arguments: ExplainArguments) -> Result<(), Failure> {
    let source = target::sql(&arguments.sql)?;
    let statement = match statements::split(&source.text)[..] {
        [statement] => statement,
        [] => return Err(Failure::Usage("no SQL: the text holds no statement".to_owned())),
        _ => return Err(Failure::Usage("one statement at a time can be explained".to_owned())),
    };
    let stop = interrupt::leave_on_second();
    let mut client = target::client(&arguments.target, SOURCE);
    let kind = match arguments.analyze {
        true => ExplainKind::Analyze,
        false => arguments.kind,
    };
    let file = source.file.as_deref();
    plan(&mut client, &statement, file, kind, &mut io::stdout().lock(), &stop).await
}

/// Writes the plan of `statement` to `out`.
pub async fn plan(
    client: &mut Client,
    statement: &Statement<'_>,
    file: Option<&Path>,
    kind: ExplainKind,
    out: &mut dyn Write,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let kind = match kind {
        ExplainKind::Distributed => "(TYPE DISTRIBUTED)",
        ExplainKind::Logical => "(TYPE LOGICAL)",
        ExplainKind::Analyze => "ANALYZE",
    };
    let mut run = Run {
        client,
        sink: &mut Lines,
        out,
        progress: &mut Progress::new(ProgressMode::Never),
        stop,
        // On a line of its own, so that the places of errors keep their columns.
        origin: Origin {
            lines_put: 1,
            ..Origin::of(statement, file)
        },
    };
    let sql = format!("EXPLAIN {kind}\n{}", statement.sql);
    run.run(&sql, &mut Ran::default()).await
}

/// Cells as they are, one a line: a plan is text, not a table.
struct Lines;

impl Sink for Lines {
    fn begin(&mut self, _: &[Column], _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        let cells: Vec<_> = row.iter().filter_map(|token| text(token)).collect();
        writeln!(out, "{}", cells.join("\t").trim_end())
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
