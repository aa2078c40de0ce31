//! The counts as Prometheus text. Counters only rise until a reset; no prices.

use std::fmt::Write;

use serde::Serialize;

use super::{Counts, Kinds};

/// Lines of one metric at a time, as the format wants it.
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels = labels
            .iter()
            .map(|(label, text)| format!("{label}=\"{}\"", escaped(text)));
        let labels = labels.collect::<Vec<_>>().join(",");
        match labels.as_str() {
            "" => self.line(format_args!("{name} {value}")),
            labels => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("text grows");
    }
}

pub(crate) fn text(counts: &Counts) -> String {
    let mut page = Page(String::new());
    s3(&mut page, counts);
    sqs(&mut page, counts);
    lambda(&mut page, counts);
    page.0
}

fn s3(page: &mut Page, counts: &Counts) {
    let name = "emulator_s3_requests_total";
    page.metric(name, "counter", "Requests by bucket, operation and status class.");
    for (bucket, kinds) in &counts.s3 {
        requests(page, name, &[("bucket", bucket)], kinds);
    }
    let name = "emulator_s3_prefix_requests_total";
    page.metric(
        name,
        "counter",
        "Requests by bucket, first component of the key, operation and status class.",
    );
    for (bucket, prefixes) in &counts.s3_prefixes {
        for (prefix, kinds) in prefixes {
            requests(page, name, &[("bucket", bucket), ("prefix", prefix)], kinds);
        }
    }
}

fn requests(page: &mut Page, name: &str, place: &[(&str, &str)], kinds: &Kinds) {
    for (operation, statuses) in kinds {
        for (status, requests) in statuses {
            let (operation, status) = (label(operation), label(status));
            let kind = [("operation", operation.as_str()), ("status", &status)];
            page.sample(name, &[place, &kind].concat(), *requests);
        }
    }
}

fn sqs(page: &mut Page, counts: &Counts) {
    let name = "emulator_sqs_requests_total";
    page.metric(name, "counter", "Requests by action.");
    for (action, requests) in &counts.sqs {
        page.sample(name, &[("action", action)], *requests);
    }
    let name = "emulator_sqs_billed_requests_total";
    page.metric(
        name,
        "counter",
        "Requests as billed, one per 64 KiB of payload, by queue and action.",
    );
    for (queue, actions) in &counts.sqs_queues {
        for (action, bill) in actions {
            page.sample(name, &[("queue", queue), ("action", action)], bill.billed_requests);
        }
    }
}

fn lambda(page: &mut Page, counts: &Counts) {
    let functions = &counts.lambda.functions;
    let metrics: [(&str, &str, fn(&super::FunctionCounts) -> u64); 6] = [
        ("invocations", "Invocations that were started.", |counts| {
            counts.invocations
        }),
        ("errors", "Invocations that failed.", |counts| counts.errors),
        ("throttles", "Invocations refused for concurrency.", |counts| {
            counts.throttles
        }),
        ("cold_starts", "Invocations that began with an init.", |counts| {
            counts.cold_starts
        }),
        ("billed_ms", "Billed milliseconds.", |counts| counts.billed_ms),
        ("billed_mb_ms", "Billed milliseconds times megabytes.", |counts| {
            counts.billed_mb_ms
        }),
    ];
    for (short, help, value) in metrics {
        let name = format!("emulator_lambda_{short}_total");
        page.metric(&name, "counter", help);
        for (function, counts) in functions {
            page.sample(&name, &[("function", function)], value(counts));
        }
    }
    for (name, help, value) in [
        (
            "emulator_lambda_in_flight",
            "Invocations in flight.",
            counts.lambda.in_flight,
        ),
        (
            "emulator_lambda_concurrency_peak",
            "Most in flight at any moment.",
            counts.lambda.concurrency_peak,
        ),
    ] {
        page.metric(name, "gauge", help);
        page.sample(name, &[], value);
    }
}

fn label(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("plain variants serialize");
    value.as_str().unwrap_or_default().to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
