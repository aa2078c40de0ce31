use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Crate → the crates of ours that it may use in its product. `*` stands for all.
const LAYERS: &[(&str, &[&str])] = &[
    ("mayfly-protocol", &[]),
    ("mayfly-store", &["mayfly-protocol"]),
    ("mayfly-cost", &["mayfly-protocol"]),
    ("mayfly-schedule", &["mayfly-protocol"]),
    ("mayfly-exchange", &["mayfly-store", "mayfly-protocol"]),
    ("mayfly-catalog", &["mayfly-store", "mayfly-protocol"]),
    (
        "mayfly-fragment",
        &["mayfly-store", "mayfly-protocol", "mayfly-exchange"],
    ),
    (
        "mayfly-plan",
        &[
            "mayfly-catalog",
            "mayfly-fragment",
            "mayfly-exchange",
            "mayfly-cost",
            "mayfly-protocol",
        ],
    ),
    (
        "mayfly-executor",
        &["mayfly-fragment", "mayfly-exchange", "mayfly-store", "mayfly-protocol"],
    ),
    (
        "mayfly-driver",
        &[
            "mayfly-plan",
            "mayfly-catalog",
            "mayfly-schedule",
            "mayfly-cost",
            "mayfly-exchange",
            "mayfly-store",
            "mayfly-protocol",
        ],
    ),
    (
        "mayfly-server",
        &[
            "mayfly-driver",
            "mayfly-plan",
            "mayfly-catalog",
            "mayfly-schedule",
            "mayfly-cost",
            "mayfly-exchange",
            "mayfly-store",
            "mayfly-protocol",
        ],
    ),
    ("local-emulator", &[]),
    ("mayfly-auditor", &["mayfly-protocol"]),
    (
        "mayfly-simulation",
        &["mayfly-auditor", "mayfly-schedule", "mayfly-cost", "mayfly-protocol"],
    ),
    ("mayfly", &["*"]),
    ("mayfly-end-to-end", &["*"]),
    ("mayfly-bench", &["*"]),
    ("layering", &[]),
];

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

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .exec()
        .expect("cargo metadata runs")
}

#[test]
fn each_crate_uses_only_the_layers_below_it() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(allowed) = layers.get(package.name.as_str()) else {
            wrong.push(format!("{} has no layer", package.name));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
        {
            let name = dependency.name.as_str();
            if ours.contains(name) && !allowed.contains(&"*") && !allowed.contains(&name) {
                wrong.push(format!("{} may not use {name}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_emulator_shares_no_type_with_us_even_in_its_tests() {
    let metadata = metadata();
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
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("metadata carries the graph");
    let name = |id| metadata[id].name.as_str();
    for pure in PURE {
        let start = resolve
            .nodes
            .iter()
            .find(|node| name(&node.id) == *pure)
            .expect("it is a member");
        let (mut seen, mut open) = (BTreeSet::new(), vec![&start.id]);
        while let Some(id) = open.pop() {
            let node = resolve
                .nodes
                .iter()
                .find(|node| node.id == *id)
                .expect("the graph is closed");
            for edge in &node.deps {
                let normal = edge.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
                if normal && seen.insert(&edge.pkg) {
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
    let metadata = metadata();
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
            .map(|package| package.version.to_string())
            .collect();
        assert_eq!(versions.len(), 1, "{name} stands in versions {versions:?}");
    }
}

/// Source text that only one folder may contain: building an S3 client is `store`'s alone.
#[test]
fn only_store_builds_an_s3_client() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "aws-sdk-s3" && dependency.kind == DependencyKind::Normal);
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        assert!(
            !uses || folder == root.canonicalize().expect("exists").join("store"),
            "{} links aws-sdk-s3",
            package.name
        );
    }
}
