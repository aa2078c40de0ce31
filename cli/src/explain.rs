//! `mayfly explain`: the plan of a query as text on stdout.

use crate::arguments::{ExplainArguments, ExplainKind, ProgressMode};
use crate::client::{Client, Column};
use crate::exit::Failure;
use crate::format::{Sink, text};
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::{interrupt, statements, target};
use serde_json::value::RawValue;
use std::io::{self, Write};
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-explain";

pub async fn explain(arguments: ExplainArguments) -> Result<(), Failure> {
    let sql = target::sql(&arguments.sql)?;
    let statement = match statements::split(&sql)[..] {
        [statement] => statement,
        [] => return Err(Failure::Usage("no SQL: the text holds no statement".to_owned())),
        _ => return Err(Failure::Usage("one statement at a time can be explained".to_owned())),
    };
    let stop = interrupt::leave_on_second();
    let mut client = target::client(&arguments.target, SOURCE);
    plan(&mut client, statement, arguments.kind, &mut io::stdout().lock(), &stop).await
}

/// Writes the plan of `statement` to `out`.
pub async fn plan(
    client: &mut Client,
    statement: &str,
    kind: ExplainKind,
    out: &mut dyn Write,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let kind = match kind {
        ExplainKind::Distributed => "DISTRIBUTED",
        ExplainKind::Logical => "LOGICAL",
    };
    let mut run = Run {
        client,
        sink: &mut Lines,
        out,
        progress: &mut Progress::new(ProgressMode::Never),
        stop,
        lines_before: 1,
    };
    // On a line of its own, so that the places of errors keep their columns.
    let sql = format!("EXPLAIN (TYPE {kind})\n{statement}");
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
