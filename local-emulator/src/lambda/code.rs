//! A function's code: a zip with `bootstrap`, handed over in the request or lying in our own S3, or a program that is on this machine already.

use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

/// As on AWS: zipped in a request, and unzipped.
const ZIP_BYTES_MAX: usize = 50 << 20;
const UNZIPPED_BYTES_MAX: u64 = 250 << 20;
const ENTRIES_MAX: usize = 10_000;

/// Where code comes from.
pub(crate) enum Source {
    Zip(Vec<u8>),
    /// An extension of ours: an `ImageUri` that begins with `file://`.
    Program(PathBuf),
}

/// Code that can be run.
pub(crate) struct Unpacked {
    pub program: PathBuf,
    pub sha256: String,
    pub bytes: u64,
}

/// Puts the code where it can be run; the same code lies there once.
pub(crate) fn unpack(source: Source, folder: &Path) -> Result<Unpacked, String> {
    match source {
        Source::Program(program) => Ok(Unpacked {
            bytes: program.metadata().map_or(0, |metadata| metadata.len()),
            program,
            sha256: String::new(),
        }),
        Source::Zip(bytes) if bytes.len() > ZIP_BYTES_MAX => {
            Err(format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes"))
        }
        Source::Zip(bytes) => unzip(&bytes, folder),
    }
}

fn unzip(bytes: &[u8], folder: &Path) -> Result<Unpacked, String> {
    let digest = Sha256::digest(bytes);
    let ready = folder.join(hex::encode(digest));
    if !ready.exists() {
        let making = folder.join(format!("making-{}", uuid::Uuid::new_v4().simple()));
        let extracted = extract(bytes, &making);
        // Another request may have been faster with the same code.
        let moved = extracted.map(|()| fs::rename(&making, &ready).or_else(|error| already(&ready, error)));
        let _ = fs::remove_dir_all(&making);
        moved?.map_err(|error| error.to_string())?;
    }
    let program = ready.join("bootstrap");
    if !program.is_file() {
        return Err("the zip has no file bootstrap at its top".to_owned());
    }
    Ok(Unpacked {
        program,
        sha256: BASE64_STANDARD.encode(digest),
        bytes: bytes.len() as u64,
    })
}

fn already(ready: &Path, error: io::Error) -> io::Result<()> {
    if ready.exists() { Ok(()) } else { Err(error) }
}

fn extract(bytes: &[u8], folder: &Path) -> Result<(), String> {
    let unreadable = |error: zip::result::ZipError| format!("Could not unzip uploaded file: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.len() > ENTRIES_MAX {
        return Err(format!("the zip has more than {ENTRIES_MAX} entries"));
    }
    let mut left = UNZIPPED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        // A name that leads out of the folder is none.
        let name = entry
            .enclosed_name()
            .ok_or_else(|| format!("{:?} is no path", entry.name()))?;
        let path = folder.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(|error| error.to_string())?;
            continue;
        }
        // What the entry says of its size may be a lie.
        let copied = copy(&mut entry, &path, left).map_err(|error| error.to_string())?;
        left = left
            .checked_sub(copied)
            .ok_or_else(|| format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes"))?;
    }
    Ok(())
}

/// At most one byte more than `most`. Everything is executable: zips made elsewhere do not always say.
fn copy(entry: &mut impl Read, path: &Path, most: u64) -> io::Result<u64> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::File::create(path)?;
    let copied = io::copy(&mut entry.take(most.saturating_add(1)), &mut file)?;
    file.set_permissions(fs::Permissions::from_mode(0o755))?;
    Ok(copied)
}
