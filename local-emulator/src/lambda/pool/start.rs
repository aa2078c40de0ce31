//! Starts one environment: its folder, its Runtime API, its process, and the task that follows the process to its end.

use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Pool;
use crate::lambda::environment::Environment;
use crate::lambda::function::Function;
use crate::lambda::launcher::{self, Launch, Service};
use crate::lambda::outcome::Outcome;
use crate::lambda::output::Output;
use crate::lambda::quota::CpuGroup;
use crate::lambda::{runtime_api, signal};
use crate::serve::{Lifetime, listen};
use crate::settings::RunAs;

type Started = (Arc<Environment>, oneshot::Receiver<Result<(), Outcome>>);

impl Pool {
    pub(super) async fn start(self: &Arc<Pool>, function: Arc<Function>) -> std::io::Result<Started> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let folder = self.make_folder(&function, id)?;
        let (listener, address) = listen(0).await?;
        let (output, writer) = Output::new(function.name())?;
        let folder_text = folder.to_string_lossy();
        let service = Service {
            runtime_api: &address.to_string(),
            log_stream: &format!(
                "{}/[{}]{id:032x}",
                chrono::Utc::now().format("%Y/%m/%d"),
                function.version
            ),
            region: &self.settings.region,
            access_key_id: &self.settings.credentials.access_key_id,
            secret_access_key: &self.settings.credentials.secret_access_key,
        };
        let launch = Launch {
            program: function.settings.program.clone(),
            args: function.settings.args.clone(),
            environment: launcher::environment(&function, &service, &folder_text),
            folder: folder.clone(),
            run_as: self.settings.run_as,
            output: writer,
        };
        let (environment, first) = Environment::new(id, function, output, self.watchdog.clone());
        self.run(environment.clone(), launch, listener)
            .await
            .inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        Ok((environment, first))
    }

    /// Starts the process, and the tasks that live as long as it does.
    async fn run(
        self: &Arc<Pool>,
        environment: Arc<Environment>,
        launch: Launch,
        listener: TcpListener,
    ) -> std::io::Result<()> {
        let folder = launch.folder.clone();
        let mut child = self.launcher.launch(launch).await?;
        let pid = child.id().expect("a child that was not awaited has a pid");
        environment.started(pid);
        let group = self.limit(&environment, pid);
        let is_stopped = {
            let mut inner = self.lock();
            inner.all.insert(environment.id, environment.clone());
            inner.is_stopped
        };
        // A stop that ran while the process was being started did not see it.
        if is_stopped {
            signal::kill(pid);
        }
        let lifetime = Lifetime::default();
        runtime_api::serve(listener, environment.clone(), &lifetime);
        let pool = self.clone();
        self.processes.spawn(async move {
            let follow = environment.clone();
            let following = tokio::spawn(async move { follow.output.follow().await });
            match child.wait().await {
                Ok(status) => environment.exited(status),
                Err(error) => tracing::error!(%error, "cannot wait for a child process"),
            }
            lifetime.stop.cancel();
            following.abort();
            pool.forget(&environment);
            let _ = std::fs::remove_dir_all(&folder);
            if let Some(group) = group {
                group.remove().await;
            }
        });
        Ok(())
    }

    /// A process whose group cannot be made runs without a quota.
    fn limit(&self, environment: &Environment, pid: u32) -> Option<CpuGroup> {
        let memory_mb = environment.function.settings.memory_mb;
        let group = self.quota.as_ref()?.group(environment.id, memory_mb, pid);
        group
            .inspect_err(|error| tracing::warn!(%error, "no CPU quota for an environment"))
            .ok()
    }

    fn make_folder(&self, function: &Function, id: u64) -> std::io::Result<PathBuf> {
        let folder = self
            .settings
            .scratch
            .join(format!("{}-{}-{id}", function.name(), std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        if let Some(RunAs { uid, gid }) = self.settings.run_as {
            chown(&folder, Some(uid), Some(gid))?;
        }
        Ok(folder)
    }
}
