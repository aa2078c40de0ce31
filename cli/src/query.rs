//! `mayfly query`: rows on stdout, everything else on stderr.

use crate::arguments::{OutputArguments, QueryArguments};
use crate::client::Client;
use crate::diagnosis::Origin;
use crate::exit::Failure;
use crate::format::FormatName;
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::statements::{self, Statement};
use crate::target::Source;
use crate::{interrupt, shown, target};
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-query";

pub async fn query(arguments: QueryArguments) -> Result<(), Failure> {
    let source = target::sql(&arguments.sql)?;
    let statements = some(&source)?;
    let stop = interrupt::leave_on_second();
    let mut client = target::client(&arguments.target, SOURCE);
    let file = source.file.as_deref();
    all(&mut client, &statements, file, &arguments.output, &stop).await
}

/// The statements of the text, which are some.
pub fn some(source: &Source) -> Result<Vec<Statement<'_>>, Failure> {
    let statements = statements::split(&source.text);
    match statements.is_empty() {
        true => Err(Failure::Usage("no SQL: the text holds no statement".to_owned())),
        false => Ok(statements),
    }
}

/// Runs the statements one after another, up to the first that fails.
pub async fn all(
    client: &mut Client,
    statements: &[Statement<'_>],
    file: Option<&Path>,
    output: &OutputArguments,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let format = output.format.unwrap_or_else(FormatName::for_stdout);
    let mut out = BufWriter::new(io::stdout().lock());
    for statement in statements {
        let mut sink = format.sink();
        let mut run = Run {
            client,
            sink: sink.as_mut(),
            out: &mut out,
            progress: &mut Progress::new(output.progress),
            stop,
            origin: Origin::of(statement, file),
        };
        let mut ran = Ran::default();
        let started = Instant::now();
        let ended = run.run(statement.sql, &mut ran).await;
        if !output.quiet && !ran.query.is_empty() && !matches!(ended, Err(Failure::PipeClosed)) {
            eprintln!("{}", summary(&ran, &ended, started.elapsed()));
            if output.bill {
                eprintln!("{}", bill(&ran));
            }
        }
        ended?;
    }
    Ok(())
}

fn bill(ran: &Ran) -> String {
    let Some(bill) = ran.stats.bill() else {
        return "the server sent no bill".to_owned();
    };
    let text = bill.to_string().trim_end().to_owned();
    match ran.stats.is_so_far() {
        true => format!("{text}\nso far: attempts that still run, and looking for what they leave, add to it"),
        false => text,
    }
}

/// `4 rows · 1.20 GB read · 8.1 s · $0.000912`
fn summary(ran: &Ran, ended: &Result<(), Failure>, elapsed: Duration) -> String {
    let mut parts = vec![match (ended, &ran.update_type) {
        (Err(Failure::Canceled), _) => "canceled".to_owned(),
        (Err(_), _) => "failed".to_owned(),
        (Ok(()), Some(update)) => update.clone(),
        (Ok(()), None) => shown::count(ran.rows, "row"),
    }];
    parts.extend((ran.stats.bytes() > 0).then(|| format!("{} read", shown::bytes(ran.stats.bytes()))));
    parts.push(shown::duration(elapsed));
    let so_far = if ran.stats.is_so_far() { " so far" } else { "" };
    parts.extend(ran.stats.cost().map(|cost| format!("{}{so_far}", shown::dollars(cost))));
    let line = parts.join(" · ");
    let warnings = ran.warnings.iter().map(|warning| format!("warning: {warning}"));
    warnings.chain([line]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
