//! Plans as text: stages as Trino's EXPLAIN shows fragments, and what the other forms of EXPLAIN print.
//!
//! ```text
//! Fragment 2 [HASH] tasks=3
//!     Output: SINGLE
//!     Scan: lake.default.orders 12 of 15 row groups in 3 of 4 files, 1.2 MB
//!     Input 0: HASH from fragment 1
//!     AggregateExec: …
//! ```

use crate::quantity::size;
use crate::sql::ExplainForm;
use crate::stage::cut::{CutStage, ScanText};
use crate::{Fragment, OtherText, PlanText, Planned, table_of_text};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use mayfly_protocol::{Exchange, ExchangeKind, InputRead, Stage, StageId};
use std::fmt::Write as _;
use std::sync::Arc;

/// A physical plan, one operator per line.
pub(crate) fn physical(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

/// The stages, the result first, as a reader asks for them.
pub(crate) fn fragments(stages: &[CutStage]) -> Vec<Fragment> {
    let shown = |stage: &Stage, plan: &Arc<dyn ExecutionPlan>, scans: &[ScanText]| {
        let mut text = String::new();
        fragment(&mut text, stage, plan, scans, stages);
        text
    };
    let of = |cut: &CutStage| {
        let others = cut.others.iter().map(|other| OtherText {
            plan: other.alternative.stage.plan.digest,
            text: shown(&other.alternative.stage, &other.plan, &other.scans),
        });
        Fragment {
            stage: cut.stage.id,
            text: shown(&cut.stage, &cut.plan, &cut.scans),
            alternatives: others.collect(),
            tasks: cut.stage.tasks.len() as u32,
            bytes_out: cut.stage.output_bytes_estimate,
        }
    };
    stages.iter().rev().map(of).collect()
}

/// All stages in one text.
pub(crate) fn distributed(fragments: &[Fragment]) -> String {
    fragments.iter().map(|fragment| fragment.text.as_str()).collect()
}

fn fragment(text: &mut String, stage: &Stage, plan: &Arc<dyn ExecutionPlan>, scans: &[ScanText], stages: &[CutStage]) {
    let id = stage.id.index;
    let mut line = |indent: usize, content: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:indent$}{content}", "");
    };
    line(
        0,
        format!(
            "Fragment {id} [{}] tasks={}",
            distribution(stage, stages),
            stage.tasks.len()
        ),
    );
    line(4, format!("Output: {}", output(stage.output)));
    for scan in scans {
        line(4, scan_line(scan));
    }
    for input in &stage.inputs {
        let kind = match (kind(input.stage, stages), input.read) {
            (ExchangeKind::Hash, InputRead::All) => ExchangeKind::Broadcast,
            (kind, _) => kind,
        };
        let merge = if input.read == InputRead::Merge { " merge" } else { "" };
        line(
            4,
            format!(
                "Input {}: {kind}{merge} from fragment {}",
                input.input, input.stage.index
            ),
        );
    }
    physical(plan).lines().for_each(|operator| line(4, operator.to_owned()));
    line(0, String::new());
}

/// How the fragment's tasks share its input: by what they read.
fn distribution(stage: &Stage, stages: &[CutStage]) -> String {
    let kinds: Vec<ExchangeKind> = stage.inputs.iter().map(|input| kind(input.stage, stages)).collect();
    let scans = stage.tasks.first().is_some_and(|task| !task.scans.is_empty());
    let shared = kinds
        .iter()
        .find(|kind| matches!(kind, ExchangeKind::Hash | ExchangeKind::RoundRobin));
    match (shared, scans) {
        (Some(kind), _) => kind.to_string(),
        (None, true) => "SOURCE".to_owned(),
        (None, false) => "SINGLE".to_owned(),
    }
}

fn kind(producer: StageId, stages: &[CutStage]) -> ExchangeKind {
    let found = stages.iter().find(|cut| cut.stage.id == producer);
    found.map_or(ExchangeKind::Single, |cut| cut.stage.output.kind)
}

fn output(output: Exchange) -> String {
    match output.kind {
        ExchangeKind::Hash | ExchangeKind::RoundRobin => format!("{} {} partitions", output.kind, output.partitions),
        other => other.to_string(),
    }
}

fn scan_line(scan: &ScanText) -> String {
    format!(
        "Scan: {} {} of {} row groups in {} of {} files, {}",
        scan.table,
        scan.row_groups,
        scan.row_groups_total,
        scan.files,
        scan.files_total,
        size(scan.bytes)
    )
}

/// Instead of stages, when there are none.
pub(crate) fn in_control_plane() -> PlanText {
    PlanText {
        distributed: "Answered in the control plane: no table row is read\n".to_owned(),
        ..PlanText::default()
    }
}

/// What EXPLAIN answers.
pub(crate) fn answer(form: ExplainForm, text: &PlanText) -> Planned {
    if form == ExplainForm::Validate {
        return table_of_text::answer(&["Valid"], &[vec!["true".to_owned()]]);
    }
    table_of_text::answer(&["Query Plan"], &[vec![shown(form, text)]])
}

fn shown(form: ExplainForm, text: &PlanText) -> String {
    let section = |title: &str, body: &str| format!("{title}:\n{}\n", body.trim_end());
    let logical = section("Logical plan", &text.logical);
    let physical = section("Physical plan", &text.physical);
    let distributed = section("Distributed plan", &text.distributed);
    match form {
        ExplainForm::Logical => text.logical.trim_end().to_owned(),
        ExplainForm::Distributed | ExplainForm::Analyze | ExplainForm::Validate => {
            text.distributed.trim_end().to_owned()
        }
        ExplainForm::Plain => format!("{logical}\n{physical}"),
        ExplainForm::Verbose => {
            let steps = text
                .rewrites
                .iter()
                .map(|(name, plan)| section(&format!("After {name}"), plan));
            [vec![logical, physical], steps.collect(), vec![distributed]]
                .concat()
                .join("\n")
        }
    }
}
