//! Where groups are looked for, as hosts print it.

use std::path::Path;

use super::{place_one, place_two, quota_us};

const ONE: &str = "4:memory:/a\n3:cpu,cpuacct:/user.slice/x\n0::/\n";
const ONE_MOUNTS: &str = "tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0\ncgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
                          cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n";

#[test]
fn groups_are_found_in_both_versions() {
    let found = place_one(ONE, ONE_MOUNTS).unwrap();
    assert_eq!(found, Path::new("/sys/fs/cgroup/cpu,cpuacct/user.slice/x"));
    assert_eq!(place_two(ONE, ONE_MOUNTS), None, "version 2 is not mounted");

    let (two, mounts) = (
        "0::/user.slice/app.scope\n",
        "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n",
    );
    assert_eq!(place_one(two, mounts), None);
    assert_eq!(
        place_two(two, mounts).unwrap(),
        Path::new("/sys/fs/cgroup/user.slice/app.scope")
    );
}

#[test]
fn cpu_goes_with_memory() {
    assert_eq!(quota_us(1769), 20_000, "one CPU");
    assert_eq!(quota_us(3538), 40_000, "two");
    assert_eq!(quota_us(128), 1447);
    assert_eq!(quota_us(1), 1000, "the least that the kernel takes");
}
