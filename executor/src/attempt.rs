//! One attempt from its order to its answer, on a tokio runtime of its own.
//!
//! The runtime is shut down before the answer leaves, so that no task of the attempt, no timer and no connection is left to run on
//! when the environment thaws for another query.

use crate::budget::{Budget, MeteredPool};
use crate::door;
use crate::environment::Environment;
use crate::failure::{self, AttemptError};
use crate::usage::{self, Stopwatch};
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use futures::FutureExt as _;
use mayfly_exchange::{Writer, WriterSettings};
use mayfly_fragment::{Interrupt, ScanMeter, ShuffleWriteExec, Sources};
use mayfly_protocol::envelope::TaskAnswer;
use mayfly_protocol::limits::{CANCEL_LOOK_MS, DEADLINE_MARGIN_MS};
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{Digest, ErrorCode, Failure, Meter, Nonce, PlanBytes, TaskReport, TaskSpec, TaskStatistics};
use mayfly_store::Store;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument;

/// How long what ignores its cancellation (a long computation between two yields) is waited for.
const STOP_MAX: Duration = Duration::from_millis(500);

/// Rows of a batch in a task that ran short of memory: a merge holds two batches of each spilled run.
const SPILLED_BATCH_ROWS: usize = 2_048;

/// Stack of a worker: plans nest, and so do their streams. Memory is what is used of it.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs the spec's attempt; see [`crate::execute`].
pub async fn execute(spec: TaskSpec, environment: &Environment) -> TaskAnswer {
    let attempt = &spec.attempt;
    let span = tracing::info_span!(
        "attempt",
        query = %attempt.query,
        stage = %attempt.task.stage,
        task = %attempt.task,
        attempt = %attempt,
    );
    let store = environment.store().await;
    let (spec, environment, on_thread) = (Arc::new(spec), environment.clone(), span.clone());
    let run = move || on_thread.in_scope(|| run(spec, environment, store, &on_thread));
    match tokio::task::spawn_blocking(run).await {
        Ok(answer) => answer,
        Err(error) => failed(
            Failure::Broken {
                message: error.to_string(),
            },
            Meter::default(),
        ),
    }
}

fn out_of_time() -> Failure {
    Failure::TimedOut {
        message: format!("not done {DEADLINE_MARGIN_MS} ms before the deadline"),
    }
}

fn failed(failure: Failure, meter: Meter) -> TaskAnswer {
    TaskAnswer::Failed { failure, meter }
}

fn run(spec: Arc<TaskSpec>, environment: Environment, store: Store, span: &tracing::Span) -> TaskAnswer {
    if let Err(failure) = door::check(&spec, environment.settings().control.as_deref()) {
        tracing::warn!(%failure, "refused");
        return failed(failure, Meter::default());
    }
    let running = Arc::new(AtomicUsize::new(0));
    let runtime = match runtime(&spec, &running) {
        Ok(runtime) => runtime,
        Err(error) => {
            return failed(
                Failure::Transient {
                    message: error.to_string(),
                },
                Meter::default(),
            );
        }
    };
    let work = Arc::new(Work {
        spec,
        environment: environment.clone(),
        store: store.clone(),
        stopwatch: Stopwatch::start(),
        scanned: Arc::default(),
        interrupt: Interrupt::default(),
    });
    let ended = within_deadline(&work, &runtime, span);
    runtime.shutdown_timeout(STOP_MAX);
    if running.load(Ordering::Acquire) > 0 {
        tracing::error!("the attempt did not stop; this process ends after its answer");
        environment.mark_unclean();
    }
    let meter = Meter {
        s3: store.meter(),
        ..Meter::default()
    };
    match ended {
        Ok(report) => {
            tracing::info!(
                rows = report.statistics.rows_written,
                elapsed_ms = report.statistics.elapsed_ms,
                "done"
            );
            TaskAnswer::Done(TaskReport { meter, ..report })
        }
        Err(failure) => {
            tracing::warn!(class = failure.class(), %failure, "failed");
            failed(failure, meter)
        }
    }
}

/// Workers as the function has vCPUs; `running` counts the runtime's threads.
fn runtime(spec: &TaskSpec, running: &Arc<AtomicUsize>) -> std::io::Result<Runtime> {
    let (started, stopped) = (Arc::clone(running), Arc::clone(running));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.max(spec.size.vcpus() as usize))
        // Fifteen bytes of a thread's name are shown.
        .thread_name(format!("task {}", spec.attempt.task.index))
        .thread_stack_size(STACK_BYTES)
        .on_thread_start(move || {
            started.fetch_add(1, Ordering::AcqRel);
        })
        .on_thread_stop(move || {
            stopped.fetch_sub(1, Ordering::AcqRel);
        })
        .enable_all()
        .build()
}

/// An attempt under way.
struct Work {
    spec: Arc<TaskSpec>,
    environment: Environment,
    store: Store,
    stopwatch: Stopwatch,
    scanned: Arc<ScanMeter>,
    interrupt: Interrupt,
}

/// The attempt, ended ahead of its deadline; a panic is a failure like any other. This thread waits by its own clock: the runtime's
/// timers stand still while all of its workers are busy with work that does not yield.
fn within_deadline(work: &Arc<Work>, runtime: &Runtime, span: &tracing::Span) -> Result<TaskReport, Failure> {
    let left = usage::time_left(&work.spec, usage::now());
    let left = left.saturating_sub(Duration::from_millis(DEADLINE_MARGIN_MS));
    if left.is_zero() {
        return Err(out_of_time());
    }
    let (ended, end) = std::sync::mpsc::channel();
    let (running, watching, canceled) = (Arc::clone(work), Arc::clone(work), ended.clone());
    // Nobody waits for either any more once the other has come, or the time is up.
    let attempt = async move {
        let result = AssertUnwindSafe(running.run()).catch_unwind().await;
        let _ = ended.send(End::Ran(result));
    };
    runtime.spawn(attempt.instrument(span.clone()));
    runtime.spawn(async move {
        watching.canceled().await;
        let _ = canceled.send(End::Canceled);
    });
    match end.recv_timeout(left) {
        Ok(End::Ran(Ok(Ok(report)))) => Ok(report),
        Ok(End::Ran(Ok(Err(error)))) => Err(failure::classify(&error, &work.scanned.open_files())),
        Ok(End::Ran(Err(panic))) => Err(Failure::Broken {
            message: format!("panic: {}", mayfly_fragment::panic_message(panic.as_ref())),
        }),
        Ok(End::Canceled) => {
            work.interrupt.set();
            Err(Failure::user(ErrorCode::UserCanceled, "the query was canceled"))
        }
        Err(_) => {
            work.interrupt.set();
            Err(out_of_time())
        }
    }
}

/// How an attempt ends before its time is up.
enum End {
    Ran(Result<Result<TaskReport, AttemptError>, Box<dyn std::any::Any + Send>>),
    Canceled,
}

impl Work {
    /// Returns once the query needs the attempt no more.
    async fn canceled(&self) {
        let Some(key) = &self.spec.cancel_key else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(Duration::from_millis(CANCEL_LOOK_MS)).await;
            // Any error but "not there" says nothing about it.
            if self.store.head(&self.spec.output.bucket, key).await.is_ok() {
                return;
            }
        }
    }

    async fn run(&self) -> Result<TaskReport, AttemptError> {
        let spec = &*self.spec;
        let budget = Budget::new(spec, self.environment.settings());
        // Everything spilled lies in here, and is gone with it whatever happens.
        let folder = TempDir::with_prefix_in("mayfly-", &self.environment.settings().spill_folder)
            .map_err(AttemptError::Folder)?;
        let pool = Arc::new(MeteredPool::new(budget.pool_bytes));
        let context = self.context(&budget, &pool, &folder)?;
        let plan = self.plan(&budget, &context).await?;
        let mut writer = self.writer(&plan, &budget, &folder)?;
        let rows_written = mayfly_fragment::write(&plan, &context, &mut writer).await?;
        let observed = mayfly_fragment::observe(&plan);
        let spilled_bytes = observed.spilled_bytes + writer.spilled_bytes();
        let nonce = Nonce(uuid::Uuid::new_v4().as_u64_pair().0);
        let publishing = Instant::now();
        let output = writer.publish(&self.store, &spec.output, nonce, &spec.attempt).await?;
        let write_ms = publishing.elapsed().as_millis() as u64;
        Ok(TaskReport {
            attempt: spec.attempt.clone(),
            nonce,
            output,
            pin_digest: spec.pin_digest,
            meter: Meter::default(),
            statistics: TaskStatistics {
                rows_scanned: observed.rows_scanned,
                bytes_scanned: self.scanned.bytes(),
                rows_read: observed.rows_read,
                rows_written,
                spilled_bytes,
                memory_peak_bytes: pool.peak_bytes(),
                cpu_ms: self.stopwatch.cpu_ms(),
                elapsed_ms: self.stopwatch.elapsed_ms(),
                read_ms: self.store.reading().as_millis() as u64,
                write_ms,
            },
        })
    }

    /// Of the task, not of the attempt: what runs again draws the same.
    fn seed(&self) -> u64 {
        let attempt = &self.spec.attempt;
        let digest = Digest::of(format!("{} {}", attempt.query, attempt.task).as_bytes());
        u64::from_le_bytes(digest.0[..8].try_into().expect("eight bytes"))
    }

    fn context(
        &self,
        budget: &Budget,
        pool: &Arc<MeteredPool>,
        folder: &TempDir,
    ) -> Result<Arc<TaskContext>, AttemptError> {
        let mut config = mayfly_fragment::execution_config(&self.spec.settings)?;
        config.options_mut().execution.sort_spill_reservation_bytes = budget.sort_reservation_bytes as usize;
        if self.spec.sort_merge_joins {
            let rows = config.batch_size().min(SPILLED_BATCH_ROWS);
            config = config.with_batch_size(rows);
        }
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![folder.path().to_path_buf()]))
            .with_max_temp_directory_size(budget.spill_bytes);
        let runtime = mayfly_fragment::runtime_env_builder()
            .with_memory_pool(Arc::clone(pool) as _)
            .with_disk_manager_builder(disk)
            .build_arc()?;
        let state = mayfly_fragment::task_state_builder(config, self.seed())
            .with_runtime_env(runtime)
            .build();
        Ok(state.task_ctx())
    }

    async fn plan(&self, budget: &Budget, context: &TaskContext) -> Result<ShuffleWriteExec, AttemptError> {
        let spec = &*self.spec;
        let fetched;
        let plan = match &spec.plan {
            PlanRef::Inline(plan) => plan,
            PlanRef::Object { digest, key } => {
                let object = self.store.get(&spec.output.bucket, key).await?;
                let bytes = object.bytes.to_vec();
                fetched = PlanBytes { digest: *digest, bytes };
                &fetched
            }
        };
        let plan = mayfly_fragment::decode(plan, context)?;
        let sources = Sources {
            store: self.store.clone(),
            bucket: spec.output.bucket.clone(),
            footers: self.environment.footers(),
            allowed: self.environment.settings().allowed.clone(),
            scanned: Arc::clone(&self.scanned),
            read: budget.read_settings(),
            interrupt: self.interrupt.clone(),
        };
        Ok(mayfly_fragment::bind(plan, spec, &sources, context)?)
    }

    fn writer(&self, plan: &ShuffleWriteExec, budget: &Budget, folder: &TempDir) -> Result<Writer, AttemptError> {
        let settings = WriterSettings {
            partitions: self.spec.output.partitions,
            memory_bytes_max: budget.writer_bytes as usize,
            spill_folder: folder.path().to_path_buf(),
            spill_bytes_max: budget.spill_bytes,
        };
        let mut writer = Writer::new(plan.input.schema(), settings)?;
        writer.pin(self.spec.pin_digest);
        Ok(writer)
    }
}
