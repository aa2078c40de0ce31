//! A little fuzzing in every run of the tests.

use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{DOORS, knock};

const MUTATIONS_PER_SEED: usize = 300;

fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let seed = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    entries.map(|entry| seed(entry.unwrap().path())).collect()
}

fn mutated(seed: &[u8], all: &[(PathBuf, Vec<u8>)], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.random()),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            3 => drop(bytes.splice(at.., all.choose(random).unwrap().1.iter().copied().skip(at))),
            _ => {
                let again = bytes[at..].to_vec();
                bytes.extend(again);
            }
        }
    }
    bytes
}

#[test]
fn every_door_bears_its_seeds_and_what_becomes_of_them() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    for (name, _) in DOORS {
        let mut random = SmallRng::seed_from_u64(seed);
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (path, bytes) in &seeds {
            eprintln!("SEED={seed} {}", path.display());
            knock(name, bytes);
            for _ in 0..MUTATIONS_PER_SEED {
                knock(name, &mutated(bytes, &seeds, &mut random));
            }
        }
    }
}

/// Were the seeds all refused at the first character, the fuzzing would show nothing.
#[test]
fn seeds_of_s3_and_lambda_are_requests() {
    for name in ["s3_request", "lambda_call"] {
        for (path, bytes) in seeds(name) {
            assert!(super::request(&bytes).is_some(), "{}", path.display());
        }
    }
}
