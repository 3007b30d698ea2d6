//! Releases on disk: read, and checked byte by byte against their manifest. Never written.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use slipway_journal::{Manifest, Outcome, ReleaseFile, ReleaseId, ServiceName};

use crate::refusal::Refusal;

/// The folder of releases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

/// What is read of `provenance.json`; the rest is for people.
#[derive(Debug, Deserialize)]
struct Provenance {
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Deserialize)]
struct Verdict {
    gate: String,
    outcome: Outcome,
    #[serde(default = "yes")]
    required: bool,
}

impl Shelf {
    /// The releases in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder that instances of a release work in.
    pub(crate) fn content(&self, release: &ReleaseId) -> PathBuf {
        self.0.join(release.as_str()).join("content")
    }

    /// The manifest of a release, its id checked.
    pub(crate) fn manifest(&self, release: &ReleaseId) -> Result<Manifest, Refusal> {
        let path = self.0.join(release.as_str()).join("manifest.json");
        let mismatch = |what: String| Refusal::ContentMismatch {
            release: release.clone(),
            what,
        };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Refusal::UnknownRelease {
                    release: release.clone(),
                });
            }
            Err(error) => return Err(mismatch(format!("manifest.json cannot be read: {error}"))),
        };
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|error| mismatch(format!("manifest.json: {error}")))?;
        let id = manifest.id();
        if id == *release {
            Ok(manifest)
        } else {
            Err(mismatch(format!("its manifest is that of {}", id.short())))
        }
    }

    /// Checks everything that can be checked without the environment: the service, every
    /// file, every verdict. Blocking.
    pub fn check(&self, release: &ReleaseId, service: &ServiceName) -> Result<Manifest, Refusal> {
        let manifest = self.manifest(release)?;
        if manifest.service != *service {
            return Err(Refusal::OtherService {
                release: release.clone(),
                is_of: manifest.service,
                asked: service.clone(),
            });
        }
        let mismatch = |what: String| Refusal::ContentMismatch {
            release: release.clone(),
            what,
        };
        if manifest.start.is_empty() {
            return Err(mismatch("it has no command that starts it".to_owned()));
        }
        let content = self.content(release);
        for file in &manifest.files {
            check_file(&content, file)
                .map_err(|what| mismatch(format!("{}: {what}", file.path)))?;
        }
        self.check_verdicts(release)?;
        Ok(manifest)
    }

    fn check_verdicts(&self, release: &ReleaseId) -> Result<(), Refusal> {
        let path = self.0.join(release.as_str()).join("provenance.json");
        let missing = |what: String| Refusal::NoVerdicts {
            release: release.clone(),
            what,
        };
        let text = fs::read(&path)
            .map_err(|error| missing(format!("provenance.json cannot be read: {error}")))?;
        let provenance: Provenance = serde_json::from_slice(&text)
            .map_err(|error| missing(format!("provenance.json: {error}")))?;
        let stopping = provenance
            .verdicts
            .into_iter()
            .find(|v| v.required && !v.outcome.passes());
        match stopping {
            None => Ok(()),
            Some(verdict) => Err(Refusal::GateNotPassing {
                release: release.clone(),
                gate: verdict.gate,
                outcome: verdict.outcome,
            }),
        }
    }
}

fn check_file(content: &Path, file: &ReleaseFile) -> Result<(), String> {
    let inside = Path::new(&file.path)
        .components()
        .all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err("the path leads out of the release".to_owned());
    }
    let path = content.join(&file.path);
    let mut open = File::open(&path).map_err(|error| error.to_string())?;
    let seen = open.metadata().map_err(|error| error.to_string())?;
    if seen.len() != file.bytes {
        return Err(format!("{} bytes instead of {}", seen.len(), file.bytes));
    }
    if (seen.permissions().mode() & 0o111 != 0) != file.executable {
        return Err("its permission to be executed changed".to_owned());
    }
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut open, &mut hasher).map_err(|error| error.to_string())?;
    if hasher.finalize().to_hex().as_str() == file.digest {
        Ok(())
    } else {
        Err("its content changed".to_owned())
    }
}

fn yes() -> bool {
    true
}
