//! How much memory this process may have: its data segment, which on Linux counts all private memory that can be written. Elsewhere
//! nothing is held.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Memory of a planner, whatever it plans: the footers of a large table are many.
const PROCESS_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Holds this process to the most that any planner may have, and leaves no dump behind when it is lost.
pub fn at_start() {
    // An older or stricter limit stays; a planner that cannot be held is no worse than none.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let most = getrlimit(Resource::RLIMIT_DATA).map_or(PROCESS_BYTES_MAX, |(_, hard)| hard.min(PROCESS_BYTES_MAX));
    let _ = setrlimit(Resource::RLIMIT_DATA, most, most);
}

/// Holds this process to what it has and so much more.
pub fn at_most_more(bytes: u64) {
    if let Some(has) = data_bytes() {
        set(has.saturating_add(bytes));
    }
}

/// Back to the most that any planner may have.
pub fn release() {
    set(u64::MAX);
}

fn set(bytes: u64) {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_DATA) {
        let _ = setrlimit(Resource::RLIMIT_DATA, bytes.min(hard), hard);
    }
}

/// The data segment now, as the kernel counts it for the limit, stacks among it.
pub fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}
