//! One answer of the server. Cells stay the JSON tokens that came over the wire, so that no digit is lost on the way to stdout.

use mayfly_cost::Bill;
use mayfly_protocol::PicoDollars;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a statement's life: maybe columns, maybe rows, always statistics, at the end maybe an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub id: String,
    pub next_uri: Option<String>,
    pub columns: Option<Vec<Column>>,
    data: Option<Box<RawValue>>,
    #[serde(default)]
    pub stats: Stats,
    pub error: Option<ErrorInfo>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
    pub update_type: Option<String>,
}

impl Page {
    /// Rows of cells, each an untouched JSON token.
    pub fn rows(&self) -> Result<Vec<Vec<&RawValue>>, serde_json::Error> {
        self.data
            .as_ref()
            .map_or(Ok(Vec::new()), |data| serde_json::from_str(data.get()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Warning {
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorInfo {
    pub message: String,
    #[serde(default)]
    pub error_name: String,
    pub error_location: Option<ErrorLocation>,
    pub hint: Option<String>,
}

/// Both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorLocation {
    pub line_number: u32,
    pub column_number: u32,
}

/// How far the statement is and what it took so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stats {
    pub state: String,
    pub total_splits: u64,
    pub running_splits: u64,
    pub completed_splits: u64,
    pub elapsed_time_millis: u64,
    pub processed_rows: u64,
    pub processed_bytes: u64,
    pub physical_input_bytes: u64,
    pub root_stage: Option<StageStats>,
    /// What Mayfly adds to the protocol; other servers leave it out.
    pub mayfly: serde_json::Value,
}

impl Stats {
    /// Bytes read from tables where the server tells them apart, else bytes processed.
    pub fn bytes(&self) -> u64 {
        self.physical_input_bytes.max(self.processed_bytes)
    }

    /// What the statement cost, or what it cost so far where the server says so before the end.
    pub fn cost(&self) -> Option<PicoDollars> {
        let so_far = || {
            let dollars = self.mayfly.get("costUsd")?.as_f64()?;
            Some(PicoDollars((dollars * PicoDollars::PER_DOLLAR as f64).round() as u128))
        };
        self.bill().map(|bill| bill.total).or_else(so_far)
    }

    /// Whether more will be added to the cost.
    pub fn is_so_far(&self) -> bool {
        self.mayfly
            .get("soFar")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false)
    }

    /// The bill, which comes with the end of the statement.
    pub fn bill(&self) -> Option<Bill> {
        Bill::deserialize(self.mayfly.get("bill")?).ok()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StageStats {
    pub done: bool,
    pub sub_stages: Vec<StageStats>,
}

impl StageStats {
    /// Stages that are done and stages in all, this one and those below it.
    pub fn counted(&self) -> (u64, u64) {
        self.sub_stages
            .iter()
            .map(StageStats::counted)
            .fold((u64::from(self.done), 1), |(done, all), (sub_done, sub_all)| {
                (done + sub_done, all + sub_all)
            })
    }
}
