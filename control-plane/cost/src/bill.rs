//! The bill: what each stage used of each resource, at what price, and the sum.

use crate::compare::Comparison;
use crate::price::Price;
use crate::{Architecture, PriceBook};
use mayfly_protocol::{Meter, PicoDollars, StageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Memory × time of the executor function, in MB·ms.
    Compute,
    Invocations,
    S3Gets,
    S3Puts,
    S3Lists,
    SqsRequests,
}

impl Resource {
    pub const ALL: [Resource; 6] = [
        Resource::Compute,
        Resource::Invocations,
        Resource::S3Gets,
        Resource::S3Puts,
        Resource::S3Lists,
        Resource::SqsRequests,
    ];

    /// How much of it a meter holds.
    pub fn quantity(self, meter: &Meter) -> u128 {
        u128::from(match self {
            Resource::Compute => meter.billed_mb_ms,
            Resource::Invocations => meter.invocations,
            Resource::S3Gets => meter.s3.gets,
            Resource::S3Puts => meter.s3.puts,
            Resource::S3Lists => meter.s3.lists,
            Resource::SqsRequests => meter.sqs_requests,
        })
    }

    pub fn price(self, book: &PriceBook) -> Price {
        match self {
            Resource::Compute => book.compute,
            Resource::Invocations => book.invocation,
            Resource::S3Gets => book.s3_get,
            Resource::S3Puts => book.s3_put,
            Resource::S3Lists => book.s3_list,
            Resource::SqsRequests => book.sqs,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Resource::Compute => "Lambda compute",
            Resource::Invocations => "Lambda requests",
            Resource::S3Gets => "S3 GET",
            Resource::S3Puts => "S3 PUT",
            Resource::S3Lists => "S3 LIST",
            Resource::SqsRequests => "SQS requests",
        })
    }
}

/// One resource of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// None: the coordinator, on behalf of the query.
    pub stage: Option<StageId>,
    pub resource: Resource,
    /// Requests, or MB·ms of compute.
    pub quantity: u128,
    pub unit_price: Price,
    /// `quantity` at `unit_price`, rounded up to the next pico-dollar.
    pub amount: PicoDollars,
    /// Holds attempts whose outcome was not seen: the amount is the most that they can have cost.
    pub bounded: bool,
}

/// What a query cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub region: String,
    pub architecture: Architecture,
    /// When the prices were read, `yyyy-mm`.
    pub prices_read: String,
    /// By stage, the coordinator last; within a stage by resource. Nothing used, no line.
    pub lines: Vec<BillLine>,
    pub total: PicoDollars,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Prices what was used. `None` stands for the coordinator.
pub fn bill(book: &PriceBook, usage: &BTreeMap<Option<StageId>, Meter>) -> Bill {
    let stages = usage.iter().filter(|(stage, _)| stage.is_some());
    let coordinator = usage.iter().filter(|(stage, _)| stage.is_none());
    let lines: Vec<BillLine> = stages
        .chain(coordinator)
        .flat_map(|(stage, meter)| lines(book, *stage, meter))
        .collect();
    let bill = Bill {
        region: book.region.clone(),
        architecture: book.architecture,
        prices_read: book.read.clone(),
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
        comparison: None,
    };
    assert!(bill.adds_up(), "the lines of a bill sum to its total");
    bill
}

fn lines(book: &PriceBook, stage: Option<StageId>, meter: &Meter) -> impl Iterator<Item = BillLine> {
    let used = Resource::ALL
        .into_iter()
        .filter(|resource| resource.quantity(meter) > 0);
    used.map(move |resource| {
        let quantity = resource.quantity(meter);
        let unit_price = resource.price(book);
        BillLine {
            stage,
            resource,
            quantity,
            unit_price,
            amount: unit_price.of(quantity),
            // Whether an unseen attempt ran is unknown, so both its time and its requests are bounds.
            bounded: meter.bounded > 0,
        }
    })
}

impl Bill {
    /// Adds the line that says what others would have charged for scanning `bytes`.
    pub fn compared(mut self, book: &PriceBook, bytes: u64) -> Bill {
        self.comparison = Some(Comparison::athena(book, bytes));
        self
    }

    /// Whether the lines sum to the total: checked again by whoever reads a bill from bytes.
    pub fn adds_up(&self) -> bool {
        let sum: PicoDollars = self.lines.iter().map(|line| line.amount).sum();
        sum == self.total
            && self
                .lines
                .iter()
                .all(|line| line.amount == line.unit_price.of(line.quantity))
    }

    /// What one stage cost; `None` asks for the coordinator.
    pub fn stage_total(&self, stage: Option<StageId>) -> PicoDollars {
        let own = self.lines.iter().filter(|line| line.stage == stage);
        own.map(|line| line.amount).sum()
    }

    /// Whether any line is a bound rather than a count.
    pub fn is_bounded(&self) -> bool {
        self.lines.iter().any(|line| line.bounded)
    }
}
