//! Tests of `local::folder`.

use super::{LOCK, PREFIX, lock, remove_leftovers};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

fn folder(parent: &Path, name: &str) -> PathBuf {
    let path = parent.join(format!("{PREFIX}{name}"));
    fs::create_dir_all(path.join("scratch/deep")).expect("a folder");
    fs::write(path.join("scratch/deep/spill"), "rows").expect("a file");
    path
}

#[test]
fn folders_of_the_dead_go_and_those_of_the_living_stay() {
    let parent = tempfile::tempdir().expect("a folder");
    let dead = folder(parent.path(), "dead");
    drop(lock(&dead).expect("a lock"));
    let living = folder(parent.path(), "living");
    let _held = lock(&living).expect("a lock");
    remove_leftovers(parent.path());
    assert!(!dead.exists() && living.join("scratch/deep/spill").exists());
}

#[test]
fn what_is_not_a_local_clouds_stays() {
    let parent = tempfile::tempdir().expect("a folder");
    let without_lock = folder(parent.path(), "other");
    let elsewhere = tempfile::tempdir().expect("a folder");
    File::create(elsewhere.path().join(LOCK)).expect("a file");
    let link = parent.path().join(format!("{PREFIX}link"));
    std::os::unix::fs::symlink(elsewhere.path(), &link).expect("a link");
    let file = parent.path().join(format!("{PREFIX}file"));
    File::create(&file).expect("a file");
    let foreign = parent.path().join("foreign");
    fs::create_dir(&foreign).expect("a folder");
    File::create(foreign.join(LOCK)).expect("a file");
    remove_leftovers(parent.path());
    assert!(without_lock.exists() && link.exists() && file.exists() && foreign.exists());
    assert!(elsewhere.path().join(LOCK).exists());
}
