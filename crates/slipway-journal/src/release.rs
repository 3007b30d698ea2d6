//! What a release is: a manifest of files and of how they are run. Its id is the
//! digest of the manifest, so the same content is the same release, wherever made.
//!
//! On disk: `releases/ID/` with `manifest.json`, `provenance.json` and `content/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{ReleaseId, RoleName, ServiceName};

const VERSION: &[u8] = b"slipway-release/1";

/// What is in a release and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The service that it is a release of.
    pub service: ServiceName,
    /// The command that serves; a program with a slash is looked up in the release's `content/`.
    pub start: Vec<String>,
    /// The command that expands the schema; run to its end before instances start.
    #[serde(default)]
    pub migrate: Option<Vec<String>>,
    /// The path that answers 200 when an instance can take traffic.
    pub health: String,
    /// Paths that must answer below 400 through the proxy before visitors see the release.
    #[serde(default)]
    pub preview: Vec<String>,
    /// What works beside it and answers nobody, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workers: BTreeMap<RoleName, WorkerRole>,
    /// The files below `content/`, by path.
    pub files: Vec<ReleaseFile>,
}

/// A worker role: processes of a release that answer nobody and do what is due. They run while
/// visitors reach the release. At SIGTERM one finishes what it has in its hands, or hands it
/// back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRole {
    /// The command; a program with a slash is looked up in the release's `content/`.
    pub start: Vec<String>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReleaseFile {
    /// Its path below `content/`, with slashes, no `..`.
    pub path: String,
    /// Whether it may be executed.
    pub executable: bool,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content, 64 hex digits.
    pub digest: String,
}

impl Manifest {
    /// The id that follows from the content: BLAKE3 over a versioned encoding in which every
    /// field has its length before it and keeps its order.
    pub fn id(&self) -> ReleaseId {
        let mut hasher = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        field(VERSION);
        field(self.service.as_str().as_bytes());
        list(&mut field, &self.start);
        match &self.migrate {
            None => field(b"no migration"),
            Some(command) => {
                field(b"migration");
                list(&mut field, command);
            }
        }
        field(self.health.as_bytes());
        list(&mut field, &self.preview);
        let mut files: Vec<&ReleaseFile> = self.files.iter().collect();
        files.sort();
        field(&(files.len() as u64).to_be_bytes());
        for file in files {
            field(file.path.as_bytes());
            field(&[u8::from(file.executable)]);
            field(&file.bytes.to_be_bytes());
            field(file.digest.as_bytes());
        }
        // A release without workers has the id that it had before there were any.
        for (role, worker) in &self.workers {
            field(b"worker");
            field(role.as_str().as_bytes());
            list(&mut field, &worker.start);
        }
        let digest = hasher.finalize().to_hex().to_string();
        ReleaseId::try_from(digest).expect("a BLAKE3 digest is 64 lower-case hexadecimal digits")
    }
}

fn list(field: &mut impl FnMut(&[u8]), words: &[String]) {
    field(&(words.len() as u64).to_be_bytes());
    for word in words {
        field(word.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            service: "booking".parse().unwrap(),
            start: vec!["./booking".into(), "serve".into()],
            migrate: None,
            health: "/api/health".into(),
            preview: vec!["/".into()],
            workers: BTreeMap::new(),
            files: vec![
                ReleaseFile {
                    path: "booking".into(),
                    executable: true,
                    bytes: 3,
                    digest: "ab".repeat(32),
                },
                ReleaseFile {
                    path: "a".into(),
                    executable: false,
                    bytes: 0,
                    digest: "cd".repeat(32),
                },
            ],
        }
    }

    #[test]
    fn the_order_in_which_files_were_found_does_not_matter() {
        let mut other = manifest();
        other.files.reverse();
        assert_eq!(manifest().id(), other.id());
    }

    #[test]
    fn anything_that_changes_what_runs_changes_the_id() {
        let mut words = manifest();
        words.start = vec!["./booking serve".into()];
        let mut mode = manifest();
        mode.files[0].executable = false;
        let mut migrated = manifest();
        migrated.migrate = Some(vec![]);
        let mut staffed = manifest();
        let start = vec!["./booking".into(), "worker".into()];
        let role = "messages".parse().unwrap();
        staffed.workers.insert(role, WorkerRole { start });
        let ids = [
            manifest().id(),
            words.id(),
            mode.id(),
            migrated.id(),
            staffed.id(),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn the_encoding_that_is_hashed_never_changes() {
        insta::assert_snapshot!(manifest().id(), @"0a7b950e73585fe7e28692ba79b51f9698f60c9b32a629ee2466ec9dccb1bb69");
    }
}
