//! What an order may name. Its tables are checked where they are bound; here it is what belongs to the query: plans, shuffles and the
//! object that cancels lie in one bucket, each under its own prefix, and no table lies there. Whoever may invoke the function could
//! send any order.

use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{ErrorCode, Failure, SliceSource, TaskSpec, key};

/// `control`: the bucket of queries' own objects; where the deployment does not say it, it is the one that the order writes to.
pub fn check(spec: &TaskSpec, control: Option<&str>) -> Result<(), Failure> {
    let bucket = spec.output.bucket.as_str();
    let control = control.unwrap_or(bucket);
    if bucket != control {
        return Err(refused(bucket, &spec.output.key_prefix));
    }
    let plan = match &spec.plan {
        PlanRef::Object { key, .. } => Some(key.as_str()),
        PlanRef::Inline(_) => None,
    };
    let outputs = [Some(spec.output.key_prefix.as_str()), spec.cancel_key.as_deref()];
    let outputs = outputs.into_iter().flatten().chain(inputs(spec));
    let own = outputs
        .map(|key| (key, key::OUTPUTS))
        .chain(plan.map(|key| (key, key::PLANS)));
    for (key, prefix) in own {
        if !key.starts_with(prefix) || !is_plain(key) {
            return Err(refused(bucket, key));
        }
    }
    let splits = spec.scans.iter().flat_map(|scan| &scan.splits);
    let mut private = splits.filter(|split| split.bucket == control && key::is_private(&split.key));
    private
        .next()
        .map_or(Ok(()), |split| Err(refused(&split.bucket, &split.key)))
}

/// Keys of what other tasks have written.
fn inputs(spec: &TaskSpec) -> impl Iterator<Item = &str> {
    let slices = spec.inputs.iter().flat_map(|input| &input.slices);
    slices.filter_map(|slice| match &slice.source {
        SliceSource::Object { key, .. } => Some(&**key),
        SliceSource::Inline { .. } | SliceSource::Empty => None,
    })
}

/// No step to elsewhere, whichever program resolves it.
fn is_plain(key: &str) -> bool {
    key.split('/').all(|part| part != "." && part != "..")
}

fn refused(bucket: &str, key: &str) -> Failure {
    let message = format!("s3://{bucket}/{key} is not in a place that this order may name");
    Failure::user(ErrorCode::LocationNotAllowed, message)
}
