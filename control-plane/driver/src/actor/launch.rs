//! From a command to an invocation under way: large plans are put into S3 first, and what needs them waits for that.

use super::{Actor, Order};
use crate::clock::now;
use crate::handle::Flight;
use crate::invoke::invoke;
use mayfly_protocol::{ErrorCode, FunctionSize, PlanBytes, QueryError, QueryId, TaskSpec};

impl Actor {
    /// Uploads a plan that is too big for specs; specs that name it wait until it is there.
    pub(super) fn put_plan(&mut self, query: QueryId, key: String, plan: PlanBytes) {
        let Some(live) = self.live.get_mut(&query) else { return };
        live.plans.push(key.clone());
        self.waiting.entry(key.clone()).or_default();
        let (store, bucket, orders) = (live.requests.clone(), self.settings.bucket.clone(), self.orders.clone());
        tokio::spawn(async move {
            let put = store.put(&bucket, &key, plan.bytes.into()).await;
            let result = put
                .map(drop)
                .map_err(|error| QueryError::new(ErrorCode::S3Error, format!("cannot write {key}: {error}")));
            let _ = orders.send(Order::PlanPut { query, key, result });
        });
    }

    pub(super) fn plan_put(&mut self, query: QueryId, key: String, result: Result<(), QueryError>) {
        let specs = self.waiting.remove(&key).unwrap_or_default();
        if let Err(error) = result {
            tracing::warn!(%query, %error, "cannot write a plan");
        }
        // One that came too late for its query's end.
        if self.live.get(&query).is_none_or(|live| live.status.borrow().is_final()) {
            self.delete(&query, vec![key]);
        }
        // Without its plan an executor answers with a transient failure, and the scheduler's budget ends the query.
        for (spec, size) in specs {
            self.launch(spec, size);
        }
    }

    pub(super) fn launch(&mut self, spec: Box<TaskSpec>, size: FunctionSize) {
        if let mayfly_protocol::spec::PlanRef::Object { key, .. } = &spec.plan
            && let Some(specs) = self.waiting.get_mut(key)
        {
            specs.push((spec, size));
            return;
        }
        if let Some(live) = self.live.get_mut(&spec.attempt.query) {
            let flight = Flight {
                stage: spec.attempt.task.stage,
                size,
                since: now(),
            };
            live.flights.insert(spec.attempt.clone(), flight);
        }
        let (world, settings, orders) = (self.world.clone(), self.settings.clone(), self.orders.clone());
        tracing::debug!(attempt = %spec.attempt, memory_mb = size.memory_mb(), "invoke");
        tokio::spawn(async move {
            let event = invoke(&world, &settings.function_prefix, &spec, size, now()).await;
            let _ = orders.send(Order::Happened(Box::new(event)));
        });
    }
}
