//! `mayfly demo`: a cloud of its own, TPC-H in it, and a few queries with plan, answer and bill. Leaves nothing behind.

use crate::arguments::{DemoArguments, ExplainKind, LogFormat, ProgressMode, ServerArguments, TpchArguments};
use crate::client::{Client, Column};
use crate::diagnosis::Origin;
use crate::exit::Failure;
use crate::format::{FormatName, Sink};
use crate::local::{LocalCloud, LocalSettings};
use crate::progress::Progress;
use crate::run::{Ran, Run};
use crate::statements::Statement;
use crate::tpch::Query;
use crate::{explain, interrupt, load, logging, serve, shown, target};
use mayfly_protocol::PicoDollars;
use serde_json::value::RawValue;
use std::io::{self, Write};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "mayfly-demo";
/// Rows of each answer that are shown.
const ROWS_SHOWN_MAX: u64 = 10;
/// Input of a task: far below the default, at which scale 1 fits one executor and there would be no shuffle to see.
const TASK_BYTES: &str = "16MB";

pub async fn demo(arguments: DemoArguments, log: LogFormat) -> Result<(), Failure> {
    let stop = interrupt::only_first();
    let settings = LocalSettings {
        log_filter: logging::filter(logging::OTHERS),
        log_format: log.name(),
        ..LocalSettings::new(serve::program()?)
    };
    eprintln!("starting a local cloud: S3, SQS and Lambda on loopback");
    let cloud = tokio::select! {
        cloud = LocalCloud::start(settings) => cloud?,
        () = stop.cancelled() => return Err(Failure::Canceled),
    };
    let shown = show(&cloud, arguments, &stop).await;
    let stopped = cloud.stop().await;
    shown.and(stopped)
}

async fn show(cloud: &LocalCloud, arguments: DemoArguments, stop: &CancellationToken) -> Result<(), Failure> {
    let server = ServerArguments {
        server: cloud.server(),
        user: None,
    };
    let mut client = target::plain_client(&server, SOURCE);
    let tables = TpchArguments {
        server,
        scale: arguments.scale,
        schema: None,
        progress: ProgressMode::Auto,
    };
    load::tpch(&mut client, &tables, stop).await?;
    client.session.catalog = Some("lake".to_owned());
    client.session.schema = Some(arguments.scale.schema());
    client
        .session
        .properties
        .insert("target_task_bytes".to_owned(), TASK_BYTES.to_owned());
    writeln!(
        io::stdout(),
        "Tasks of {TASK_BYTES} each, so that stages fan out and rows are shuffled through S3.\n"
    )?;
    let mut total = Total::default();
    for query in &arguments.queries {
        total.add(one(&mut client, *query, stop).await?);
    }
    Ok(writeln!(io::stdout(), "{total}")?)
}

/// Shows one query; answers how long it took and what it cost.
async fn one(client: &mut Client, query: Query, stop: &CancellationToken) -> Result<(Duration, PicoDollars), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "── {} ──\n", query.title())?;
    explain::plan(
        client,
        &Statement::whole(query.sql()),
        None,
        ExplainKind::Distributed,
        &mut out,
        stop,
    )
    .await?;
    writeln!(out)?;
    let mut sink = First::rows(ROWS_SHOWN_MAX);
    let mut ran = Ran::default();
    let started = Instant::now();
    let mut run = Run {
        client,
        sink: &mut sink,
        out: &mut out,
        progress: &mut Progress::new(ProgressMode::Auto),
        stop,
        origin: Origin::of(&Statement::whole(query.sql()), None),
    };
    run.run(query.sql(), &mut ran).await?;
    let elapsed = started.elapsed();
    let bill = ran
        .stats
        .bill()
        .ok_or_else(|| Failure::Broken(format!("query {} has no bill", ran.query)))?;
    writeln!(
        out,
        "\n{} in {}\n\n{bill}",
        shown::count(ran.rows, "row"),
        shown::duration(elapsed)
    )?;
    Ok((elapsed, bill.total))
}

/// `3 queries · 4.2 s · $0.000123`
#[derive(Default)]
struct Total {
    queries: u64,
    elapsed: Duration,
    cost: PicoDollars,
}

impl Total {
    fn add(&mut self, (elapsed, cost): (Duration, PicoDollars)) {
        self.queries += 1;
        self.elapsed += elapsed;
        self.cost += cost;
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let queries = if self.queries == 1 { "query" } else { "queries" };
        let elapsed = shown::duration(self.elapsed);
        write!(
            f,
            "total: {} {queries} in {elapsed} for {}",
            self.queries,
            shown::dollars(self.cost)
        )
    }
}

/// A table that ends after its first rows and says how many it left out.
struct First {
    table: Box<dyn Sink>,
    rows: u64,
    rows_max: u64,
}

impl First {
    fn rows(rows_max: u64) -> First {
        First {
            table: FormatName::Table.sink(),
            rows: 0,
            rows_max,
        }
    }
}

impl Sink for First {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.table.begin(columns, out)
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        match self.rows <= self.rows_max {
            true => self.table.row(row, out),
            false => Ok(()),
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.table.end(out)?;
        match self.rows.saturating_sub(self.rows_max) {
            0 => Ok(()),
            more => writeln!(out, " … and {} more", shown::count(more, "row")),
        }
    }
}
