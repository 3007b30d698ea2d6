//! Releases: files by digest, how they are run, and where they come from. Laid aside, synced
//! and renamed into place, so that a release is there whole or not at all. The same content
//! is the same release.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_journal::{Manifest, ReleaseFile, ReleaseId, RunId, ServiceName, WorkerRole};

use crate::definition::Service;
use crate::digest;
use crate::judge::Verdict;
use crate::tree::written;

/// Where a release comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The release.
    pub release: ReleaseId,
    /// The service.
    pub service: ServiceName,
    /// The commit, or `unversioned`.
    pub commit: String,
    /// Whether files differed from the commit.
    pub dirty: bool,
    /// The addresses of those who wrote the commit, in lower case, by what Git says; none where
    /// nobody knows.
    #[serde(default)]
    pub authors: Option<BTreeSet<String>>,
    /// What the toolchain said of itself, by command.
    pub toolchain: BTreeMap<String, String>,
    /// A digest over the files that each job read, by job.
    pub inputs: BTreeMap<String, String>,
    /// The jobs that it rests on.
    pub jobs: Vec<ProvenJob>,
    /// The run that made it.
    pub run: RunId,
    /// When it was made.
    pub made_at: Timestamp,
    /// What the gates said.
    pub verdicts: Vec<Verdict>,
}

/// One job that a release rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenJob {
    /// The job.
    pub job: String,
    /// Its key.
    pub key: String,
    /// Whether it ran in this very run, or its result was kept from an earlier one.
    pub fresh: bool,
}

/// A release that is in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The service.
    pub service: ServiceName,
    /// The release.
    pub release: ReleaseId,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it was there before.
    pub existed: bool,
}

/// One file on its way into a release.
struct Packed {
    from: PathBuf,
    file: ReleaseFile,
}

/// Lays a release of `service` into `releases`. Blocking.
pub(crate) fn make(
    releases: &Path,
    root: &Path,
    name: &ServiceName,
    service: &Service,
    provenance: impl FnOnce(ReleaseId) -> Provenance,
) -> io::Result<Made> {
    let packed = pack(root, service)?;
    let manifest = Manifest {
        service: name.clone(),
        start: service.start.clone(),
        migrate: service.migrate.clone(),
        health: service.health.clone(),
        preview: service.preview.clone(),
        workers: service
            .workers
            .iter()
            .map(|(role, start)| {
                (
                    role.clone(),
                    WorkerRole {
                        start: start.clone(),
                    },
                )
            })
            .collect(),
        files: packed.iter().map(|p| p.file.clone()).collect(),
    };
    let release = manifest.id();
    let folder = releases.join(release.as_str());
    let made = |existed| Made {
        service: name.clone(),
        release: release.clone(),
        folder: folder.clone(),
        existed,
    };
    if is_whole(&folder, &release, &manifest) {
        return Ok(made(true));
    }
    let aside = tempfile::Builder::new()
        .prefix(".making-")
        .tempdir_in(releases)?;
    lay(aside.path(), &packed)?;
    write_json(&aside.path().join("manifest.json"), &manifest)?;
    let provenance = provenance(release.clone());
    write_json(&aside.path().join("provenance.json"), &provenance)?;
    fs::set_permissions(aside.path(), Permissions::from_mode(0o755))?;
    chassis::durable::sync_folder(aside.path())?;
    if folder.exists() {
        // What is there does not match its own name; nobody may run it.
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(aside.keep(), &folder)?;
    chassis::durable::sync_folder(releases)?;
    Ok(made(false))
}

/// Whether the release in `folder` is there and all that is asked of it when it is deployed:
/// its manifest, where it comes from, and every file, byte for byte.
fn is_whole(folder: &Path, release: &ReleaseId, manifest: &Manifest) -> bool {
    let stored: Option<Manifest> = read_json(&folder.join("manifest.json"));
    let proven: Option<Provenance> = read_json(&folder.join("provenance.json"));
    stored.is_some_and(|stored| stored.id() == *release)
        && proven.is_some_and(|proven| proven.release == *release)
        && manifest.files.iter().all(|file| {
            let path = folder.join("content").join(&file.path);
            let mode = path.metadata().map(|found| found.permissions().mode());
            mode.is_ok_and(|mode| (mode & 0o111 != 0) == file.executable)
                && digest::of_file(&path).is_ok_and(|found| found == file.digest)
        })
}

/// The files of the service with their places in the release.
fn pack(root: &Path, service: &Service) -> io::Result<Vec<Packed>> {
    let mut packed: BTreeMap<String, Packed> = BTreeMap::new();
    for file in &service.files {
        let mut found = Vec::new();
        collect(&root.join(&file.from), &file.to, &mut found).map_err(|error| {
            io::Error::new(error.kind(), format!("packing {}: {error}", file.from))
        })?;
        for (from, to) in found {
            let executable = from.metadata()?.permissions().mode() & 0o111 != 0;
            let file = ReleaseFile {
                path: to.clone(),
                executable,
                bytes: from.metadata()?.len(),
                digest: digest::of_file(&from)?,
            };
            if packed.insert(to.clone(), Packed { from, file }).is_some() {
                return Err(io::Error::other(format!("two files have the place {to:?}")));
            }
        }
    }
    if packed.is_empty() {
        return Err(io::Error::other("there is no file to pack"));
    }
    Ok(packed.into_values().collect())
}

fn collect(from: &Path, to: &str, found: &mut Vec<(PathBuf, String)>) -> io::Result<()> {
    let metadata = from.metadata()?;
    if metadata.is_file() {
        found.push((from.to_path_buf(), to.to_owned()));
        return Ok(());
    }
    // A pipe would be waited for without end, and links between folders followed so.
    if !metadata.is_dir() || from.is_symlink() {
        let what = if metadata.is_dir() {
            "a link to a folder"
        } else {
            "neither a file nor a folder"
        };
        return Err(io::Error::other(format!("{to} is {what}")));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = written(Path::new(&entry.file_name()));
        let place = if to == "." {
            name
        } else {
            format!("{to}/{name}")
        };
        collect(&entry.path(), &place, found)?;
    }
    Ok(())
}

fn lay(aside: &Path, packed: &[Packed]) -> io::Result<()> {
    let content = aside.join("content");
    open_folder(&content)?;
    let mut folders = vec![content.clone()];
    for Packed { from, file } in packed {
        let to = content.join(&file.path);
        let mut parts = Path::new(&file.path).parent().map(Path::to_path_buf);
        while let Some(part) = parts.filter(|p| !p.as_os_str().is_empty()) {
            let folder = content.join(&part);
            open_folder(&folder)?;
            if !folders.contains(&folder) {
                folders.push(folder);
            }
            parts = part.parent().map(Path::to_path_buf);
        }
        fs::copy(from, &to)?;
        let mode = if file.executable { 0o755 } else { 0o644 };
        fs::set_permissions(&to, Permissions::from_mode(mode))?;
        File::open(&to)?.sync_all()?;
        if digest::of_file(&to)? != file.digest {
            return Err(io::Error::other(format!(
                "{} changed while it was packed",
                file.path
            )));
        }
    }
    folders
        .iter()
        .try_for_each(|folder| chassis::durable::sync_folder(folder))
}

fn open_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

/// None where it is not there or cannot be read.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    chassis::durable::replace(path, &text, 0o644)
}
