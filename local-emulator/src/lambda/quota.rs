//! CPU in proportion to memory, by cgroup quota, where the host lets us make groups: version 1's `cpu` controller, or a delegated tree of
//! version 2. Elsewhere CPU is accounted only. Limits nothing else: memory is the watchdog's.
//!
//! A group per environment, named after the emulator's process, so that the next emulator can remove what a killed one left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// AWS: one vCPU per so much memory, <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>.
const MEMORY_MB_PER_CPU: u64 = 1769;
/// Over which a share is given out. Ours: AWS documents none. Short, so that a small function is slowed evenly instead of in long stops.
const PERIOD_US: u64 = 20_000;
/// The kernel's smallest quota.
const QUOTA_US_MIN: u64 = 1000;
const PREFIX: &str = "local-emulator-";
/// Killed processes leave their group within milliseconds.
const REMOVE_PAUSE: Duration = Duration::from_millis(10);
const REMOVE_TRIES: u32 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where groups can be made.
#[derive(Debug)]
pub(crate) struct CpuQuota {
    parent: PathBuf,
    version: Version,
}

/// The group of one environment.
#[derive(Debug)]
pub(crate) struct CpuGroup(PathBuf);

impl CpuQuota {
    /// None where this host does not let us.
    pub fn find() -> Option<CpuQuota> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let one = place_one(&own, &mounts).map(|parent| CpuQuota {
            parent,
            version: Version::One,
        });
        let two = place_two(&own, &mounts).map(|parent| CpuQuota {
            parent,
            version: Version::Two,
        });
        let found = one.into_iter().chain(two).find(|quota| quota.works().is_ok())?;
        found.sweep();
        Some(found)
    }

    /// A group with the share of CPU that goes with `memory_mb`, and `pid` in it.
    pub fn group(&self, environment: u64, memory_mb: u32, pid: u32) -> io::Result<CpuGroup> {
        let group = self.make(&environment.to_string(), quota_us(memory_mb))?;
        fs::write(group.0.join("cgroup.procs"), pid.to_string())?;
        Ok(group)
    }

    fn make(&self, name: &str, quota_us: u64) -> io::Result<CpuGroup> {
        let path = self.parent.join(format!("{PREFIX}{}-{name}", std::process::id()));
        fs::create_dir(&path)?;
        let group = CpuGroup(path);
        let write = |file: &str, text: String| fs::write(group.0.join(file), text);
        let written = match self.version {
            Version::One => write("cpu.cfs_period_us", PERIOD_US.to_string())
                .and_then(|()| write("cpu.cfs_quota_us", quota_us.to_string())),
            Version::Two => write("cpu.max", format!("{quota_us} {PERIOD_US}")),
        };
        written.inspect_err(|_| drop(fs::remove_dir(&group.0)))?;
        Ok(group)
    }

    /// Makes a group and removes it, having children's `cpu` controller switched on where that is left to us.
    fn works(&self) -> io::Result<()> {
        if self.version == Version::Two {
            self.delegate()?;
        }
        let probe = self.make("probe", PERIOD_US)?;
        fs::remove_dir(probe.0)
    }

    /// Version 2 gives controllers only to children of groups without processes of their own: ours moves into a child first.
    fn delegate(&self) -> io::Result<()> {
        let control = self.parent.join("cgroup.subtree_control");
        if fs::write(&control, "+cpu").is_ok() {
            return Ok(());
        }
        let own = self.parent.join(format!("{PREFIX}{}-itself", std::process::id()));
        fs::create_dir(&own)?;
        fs::write(own.join("cgroup.procs"), std::process::id().to_string())?;
        fs::write(control, "+cpu")
    }

    /// Removes the empty groups of emulators that are gone.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.parent) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

impl CpuGroup {
    /// Removes it once its killed processes have left it.
    pub async fn remove(self) {
        for _ in 0..REMOVE_TRIES {
            match fs::remove_dir(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => tokio::time::sleep(REMOVE_PAUSE).await,
                _ => return,
            }
        }
        tracing::warn!(group = %self.0.display(), "a cgroup is left behind");
    }
}

/// Microseconds of CPU per period.
fn quota_us(memory_mb: u32) -> u64 {
    (PERIOD_US * u64::from(memory_mb) / MEMORY_MB_PER_CPU).max(QUOTA_US_MIN)
}

/// Our group in version 1's hierarchy of the `cpu` controller: in `/proc/self/cgroup` a line such as `3:cpu,cpuacct:/user.slice`.
fn place_one(own: &str, mounts: &str) -> Option<PathBuf> {
    let mut lines = own.lines().map(|line| line.splitn(3, ':'));
    let path = lines.find_map(|mut fields| {
        let controllers = fields.nth(1)?;
        let has_cpu = controllers.split(',').any(|name| name == "cpu");
        has_cpu.then(|| fields.next()).flatten()
    })?;
    Some(mounted(mounts, "cgroup", Some("cpu"))?.join(path.trim_start_matches('/')))
}

/// Our group in version 2's one hierarchy: the line `0::/user.slice`.
fn place_two(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(mounted(mounts, "cgroup2", None)?.join(path))
}

/// Where the first file system of that kind with that option is mounted.
fn mounted(mounts: &str, kind: &str, option: Option<&str>) -> Option<PathBuf> {
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.find_map(|fields| {
        let [_, place, its_kind, options, ..] = fields[..] else {
            return None;
        };
        let has_option = option.is_none_or(|option| options.split(',').any(|one| one == option));
        (its_kind == kind && has_option).then(|| PathBuf::from(place))
    })
}

#[cfg(test)]
mod tests;
