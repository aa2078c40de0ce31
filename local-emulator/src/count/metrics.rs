//! The counts in the text format of Prometheus.

use std::fmt::{Display, Write};

use super::{Counts, FunctionCounts};

impl Counts {
    /// Every count as a sample, under names that begin with `emulator_`.
    pub fn metrics(&self) -> String {
        let mut page = Page::default();
        page.family("emulator_s3_requests_total", "counter", "Requests to S3.");
        for (bucket, operations) in &self.s3 {
            for (operation, statuses) in operations {
                for (status, count) in statuses {
                    let (operation, status) = (name(operation), name(status));
                    page.sample(
                        &[("bucket", bucket), ("operation", &operation), ("status", &status)],
                        count,
                    );
                }
            }
        }
        page.family(
            "emulator_s3_billed_requests_total",
            "counter",
            "Requests to S3 by price class.",
        );
        for (prefix, billed) in &self.billed.s3 {
            for (class, count) in [("tier1", billed.tier1), ("tier2", billed.tier2), ("free", billed.free)] {
                page.sample(&[("prefix", prefix), ("class", class)], count);
            }
        }
        page.family("emulator_sqs_requests_total", "counter", "Requests to SQS.");
        for (action, count) in &self.sqs {
            page.sample(&[("action", action)], count);
        }
        page.family(
            "emulator_sqs_billed_requests_total",
            "counter",
            "Requests to SQS in units of 64 KiB.",
        );
        for (queue, count) in &self.billed.sqs {
            page.sample(&[("queue", queue)], count);
        }
        self.lambda_metrics(&mut page);
        page.0
    }

    fn lambda_metrics(&self, page: &mut Page) {
        type Field = fn(&FunctionCounts) -> u64;
        let fields: [(&str, &str, Field); 6] = [
            ("invocations", "Invocations started.", |counts| counts.invocations),
            ("errors", "Invocations that failed.", |counts| counts.errors),
            ("throttles", "Invocations refused with 429.", |counts| counts.throttles),
            ("cold_starts", "Environments started.", |counts| counts.cold_starts),
            ("billed_milliseconds", "Billed duration.", |counts| counts.billed_ms),
            (
                "billed_megabyte_milliseconds",
                "Billed duration times memory.",
                |counts| counts.billed_mb_ms,
            ),
        ];
        for (field, help, value) in fields {
            page.family(&format!("emulator_lambda_{field}_total"), "counter", help);
            for (function, counts) in &self.lambda.functions {
                page.sample(&[("function", function)], value(counts));
            }
        }
        page.family("emulator_lambda_in_flight", "gauge", "Invocations in flight.");
        page.sample(&[], self.lambda.in_flight);
    }
}

/// A label value as JSON spells the enum.
fn name(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_value(value).ok();
    text.as_ref()
        .and_then(|text| text.as_str())
        .unwrap_or_default()
        .to_owned()
}

#[derive(Default)]
struct Page(String, String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        name.clone_into(&mut self.1);
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a string takes everything");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escaped(value));
        let labels: Vec<String> = labels.iter().map(label).collect();
        let braces = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        writeln!(self.0, "{}{braces} {value}", self.1).expect("a string takes everything");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
