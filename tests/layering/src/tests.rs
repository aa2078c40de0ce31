//! Who may use whom, what pure crates may link, and that every selection of crates builds the same dependencies.

use crate::metadata::Metadata;
use crate::page;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Crates that decide without waiting: nothing below may appear anywhere in what they link.
const PURE: &[&str] = &["mayfly-protocol", "mayfly-cost", "mayfly-schedule", "mayfly-auditor"];
const HEAVY: &[&str] = &[
    "tokio",
    "arrow",
    "datafusion",
    "aws-sdk-s3",
    "hyper",
    "reqwest",
    "async-trait",
    "futures",
];

/// A crate's name as the page has it.
fn short(name: &str) -> &str {
    name.strip_prefix("mayfly-").unwrap_or(name)
}

/// The page allows no more than is used: a reader learns from it what a crate does not know.
#[test]
fn each_crate_uses_what_the_page_says() {
    let metadata = Metadata::read();
    let packages = metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let used = packages.iter().map(|package| {
        let uses = package.dependencies.iter().filter(|dependency| dependency.is_normal());
        let uses = uses.map(|dependency| dependency.name.as_str());
        let uses = uses
            .filter(|name| ours.contains(name))
            .map(|name| short(name).to_owned());
        (package.name.clone(), uses.collect::<BTreeSet<_>>())
    });
    let used: BTreeMap<String, BTreeSet<String>> = used.collect();
    let said = page::layers();
    let differ = |name: &&String| used.get(*name) != said.get(*name);
    let names: BTreeSet<&String> = used.keys().chain(said.keys()).collect();
    let wrong = names.into_iter().filter(differ);
    let wrong = wrong.map(|name| format!("{name} uses {:?}, the page says {:?}", used.get(name), said.get(name)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_emulator_shares_no_type_with_us_even_in_its_tests() {
    let metadata = Metadata::read();
    let ours: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let emulator = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "local-emulator")
        .expect("it is a member");
    let shared: Vec<&str> = emulator
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| ours.contains(name))
        .collect();
    assert!(shared.is_empty(), "local-emulator uses {shared:?}");
}

#[test]
fn pure_crates_link_nothing_that_waits() {
    let metadata = Metadata::read();
    let name = |id: &str| metadata.name(id);
    for pure in PURE {
        let start = metadata
            .resolve
            .nodes
            .iter()
            .find(|node| name(&node.id) == *pure)
            .expect("it is a member");
        let (mut seen, mut open) = (BTreeSet::new(), vec![&start.id]);
        while let Some(id) = open.pop() {
            let node = metadata
                .resolve
                .nodes
                .iter()
                .find(|node| node.id == *id)
                .expect("the graph is closed");
            for edge in &node.deps {
                if edge.is_normal() && seen.insert(&edge.pkg) {
                    open.push(&edge.pkg);
                }
            }
        }
        let heavy: Vec<&str> = seen
            .iter()
            .map(|id| name(id))
            .filter(|name| HEAVY.contains(name))
            .collect();
        assert!(heavy.is_empty(), "{pure} links {heavy:?}");
    }
}

#[test]
fn columns_and_stores_have_one_version() {
    let metadata = Metadata::read();
    for name in [
        "arrow",
        "arrow-array",
        "arrow-schema",
        "parquet",
        "object_store",
        "datafusion",
    ] {
        let versions: BTreeSet<String> = metadata
            .packages
            .iter()
            .filter(|package| package.name.as_str() == name)
            .map(|package| package.version.clone())
            .collect();
        assert_eq!(versions.len(), 1, "{name} stands in versions {versions:?}");
    }
}

/// Source text that only one folder may contain: building an S3 client is `store`'s alone.
#[test]
fn only_store_builds_an_s3_client() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let metadata = Metadata::read();
    for package in metadata.workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "aws-sdk-s3" && dependency.is_normal());
        let folder = std::path::Path::new(&package.manifest_path)
            .parent()
            .expect("a manifest lies in a folder");
        assert!(
            !uses || folder == root.canonicalize().expect("exists").join("store"),
            "{} links aws-sdk-s3",
            package.name
        );
    }
}

/// Packages and features that a selection of crates builds, as `cargo tree` prints them.
fn built(selection: &[&str]) -> BTreeMap<String, String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"])
        .args(selection)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("cargo prints UTF-8");
    text.lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
        .map(|(package, features)| (package.to_owned(), features.to_owned()))
        .collect()
}

/// `cargo run` and the test command share one build of DataFusion. Another feature anywhere below it costs a newcomer
/// twenty minutes.
#[test]
fn the_binary_alone_builds_what_the_workspace_builds() {
    let binary = built(&["--package", "mayfly", "--edges", "normal,build"]);
    let workspace = built(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(binary.len() > 300, "cargo tree lists {} packages", binary.len());
    let differ: Vec<String> = binary
        .iter()
        .filter(|(package, features)| workspace.get(*package) != Some(features))
        .map(|(package, features)| format!("{package}: {features} | {:?}", workspace.get(package)))
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The parser would be a fifth of what is unzipped before an executor's first task.
#[test]
fn an_executor_links_no_parser_of_sql() {
    let executor = built(&["--package", "mayfly-executor", "--edges", "normal"]);
    assert!(executor.keys().any(|package| package.starts_with("datafusion-proto ")));
    let parsers: Vec<&String> = executor
        .keys()
        .filter(|package| package.starts_with("sqlparser ") || package.starts_with("datafusion-sql "))
        .collect();
    assert!(parsers.is_empty(), "{parsers:?}");
}
