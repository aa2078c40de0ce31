//! Pages of a mounted folder equal pages of a map of the same keys.

use super::MountedBucket;
use crate::s3::listing::{Page, PageRequest, Start};
use crate::s3::object::{About, Object};
use crate::settings::Mount;
use std::collections::BTreeMap;
use std::path::Path;

const KEYS: [&str; 12] = [
    "a", "a-b/c", "a.txt", "b/a", "b/a.b", "b/c/d", "b/c/e", "b/c.d", "b0", "c/ü/z", "c/ü.z", "d",
];

fn mounted(folder: &Path) -> MountedBucket {
    for key in KEYS {
        let path = folder.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, key).unwrap();
    }
    std::fs::create_dir(folder.join("empty")).unwrap();
    std::os::unix::fs::symlink("/etc", folder.join("away")).unwrap();
    std::os::unix::fs::symlink(folder.join("a"), folder.join("c/link")).unwrap();
    let mount = Mount {
        bucket: "lake".to_owned(),
        folder: folder.to_owned(),
    };
    MountedBucket::open(&mount).unwrap()
}

fn map() -> BTreeMap<String, Object> {
    let object = || Object {
        segments: Vec::new(),
        about: About::default(),
    };
    KEYS.into_iter()
        .chain(["c/link"])
        .map(|key| (key.to_owned(), object()))
        .collect()
}

fn all_pages(page: impl Fn(&PageRequest) -> Page, mut request: PageRequest) -> Vec<(Vec<String>, Vec<String>)> {
    let mut pages = Vec::new();
    loop {
        let page = page(&request);
        pages.push((
            page.keys.into_iter().map(|(key, _)| key).collect(),
            page.common_prefixes,
        ));
        match page.next {
            Some(next) => request.start = next,
            None => return pages,
        }
    }
}

#[test]
fn pages_of_a_folder_equal_pages_of_a_map() {
    let folder = tempfile::tempdir().unwrap();
    let (mount, map) = (mounted(folder.path()), map());
    let starts = KEYS.map(|key| Start::AfterKey(key.to_owned())).into_iter();
    let starts: Vec<Start> = starts
        .chain([
            Start::First,
            Start::AfterKey("b".to_owned()),
            Start::AfterPrefix("b/".to_owned()),
        ])
        .collect();
    for prefix in ["", "a", "b", "b/", "b/c", "b/c/", "c/ü", "empty/", "x"] {
        for delimiter in [None, Some("/"), Some("c")] {
            for (start, items_max) in starts.iter().flat_map(|start| [(start, 1), (start, 2), (start, 100)]) {
                let request = PageRequest {
                    prefix: prefix.to_owned(),
                    delimiter: delimiter.map(str::to_owned),
                    start: start.clone(),
                    items_max,
                };
                let of_folder = all_pages(|request| request.page(&mount).unwrap(), request.clone());
                let of_map = all_pages(|request| request.page(&map).unwrap(), request.clone());
                assert_eq!(of_folder, of_map, "{request:?}");
            }
        }
    }
}

#[test]
fn links_are_followed_inside_the_folder() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
    std::fs::create_dir_all(folder.path().join("t/part")).unwrap();
    std::fs::create_dir_all(folder.path().join("u")).unwrap();
    std::fs::write(folder.path().join("t/part/a"), "a").unwrap();
    std::fs::write(outside.path().join("b"), "b").unwrap();
    link(&folder.path().join("t/part"), "t/linked");
    link(Path::new("part/a"), "t/file");
    link(&outside.path().join("b"), "t/out");
    link(outside.path(), "t/away");
    link(Path::new("/nowhere"), "t/nothing");
    link(Path::new(".."), "t/part/up");
    link(Path::new("../u"), "t/u");
    link(Path::new("../t"), "u/t");
    let mount = Mount {
        bucket: "lake".to_owned(),
        folder: folder.path().to_owned(),
    };
    let mount = MountedBucket::open(&mount).unwrap();
    let request = PageRequest {
        prefix: "t/".to_owned(),
        items_max: 100,
        ..PageRequest::default()
    };
    let keys: Vec<String> = request
        .page(&mount)
        .unwrap()
        .keys
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["t/file", "t/linked/a", "t/part/a"]);
    assert!(keys.iter().all(|key| mount.object(key).is_some()));
    assert!(mount.object("t/out").is_none() && mount.object("t/away/b").is_none());
    assert_eq!(mount.warned.lock().unwrap().len(), 6);
}

#[test]
fn a_settled_folder_that_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mount = mounted(folder.path());
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::open(folder.path())
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let keys = || {
        let request = PageRequest {
            items_max: 100,
            ..PageRequest::default()
        };
        request.page(&mount).unwrap().keys.len()
    };
    assert_eq!((keys(), keys()), (13, 13));
    std::fs::write(folder.path().join("e"), "").unwrap();
    assert_eq!(keys(), 14);
    std::fs::remove_file(folder.path().join("a")).unwrap();
    assert_eq!(keys(), 12, "a link to nothing is no key");
}
