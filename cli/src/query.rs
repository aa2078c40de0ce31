//! `mayfly query`: rows on stdout, everything else on stderr.

use crate::arguments::QueryArguments;
use crate::exit::Failure;
use crate::format::FormatName;
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::{interrupt, shown, statements, target};
use std::io::{self, BufWriter};
use std::time::{Duration, Instant};

const SOURCE: &str = "mayfly-query";

pub async fn query(arguments: QueryArguments) -> Result<(), Failure> {
    let sql = target::sql(&arguments.sql)?;
    let statements = statements::split(&sql);
    if statements.is_empty() {
        return Err(Failure::Usage("no SQL: the text holds no statement".to_owned()));
    }
    let stop = interrupt::leave_on_second();
    let format = arguments.format.unwrap_or_else(FormatName::for_stdout);
    let mut client = target::client(&arguments.target, SOURCE);
    let mut out = BufWriter::new(io::stdout().lock());
    for statement in statements {
        let mut sink = format.sink();
        let mut run = Run {
            client: &mut client,
            sink: sink.as_mut(),
            out: &mut out,
            progress: &mut Progress::new(arguments.progress),
            stop: &stop,
            lines_before: 0,
        };
        let mut ran = Ran::default();
        let started = Instant::now();
        let ended = run.run(statement, &mut ran).await;
        if !arguments.quiet && !ran.query.is_empty() && !matches!(ended, Err(Failure::PipeClosed)) {
            eprintln!("{}", summary(&ran, &ended, started.elapsed()));
            if arguments.bill {
                eprintln!("{}", bill(&ran));
            }
        }
        ended?;
    }
    Ok(())
}

fn bill(ran: &Ran) -> String {
    let bill = ran.stats.bill().map(|bill| bill.to_string());
    bill.unwrap_or_else(|| "the server sent no bill".to_owned())
        .trim_end()
        .to_owned()
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
    parts.extend(ran.stats.cost().map(shown::dollars));
    let line = parts.join(" · ");
    let warnings = ran.warnings.iter().map(|warning| format!("warning: {warning}"));
    warnings.chain([line]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
