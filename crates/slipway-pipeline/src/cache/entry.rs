//! One kept result: what the job left behind, by digest, and who wrote it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use slipway_journal::RunId;

use crate::digest;

const VERSION: u32 = 1;

/// Who wrote an entry, the least trusted first. A reader says from where on it trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// A person's machine, from files that no commit has.
    LocalDirty,
    /// A person's machine, from a commit.
    LocalClean,
    /// A build server, from somebody's proposal.
    PullRequest,
    /// A build server, from a protected branch.
    ProtectedBranch,
}

/// One kept result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    version: u32,
    pub(crate) key: String,
    pub(crate) job: String,
    pub(crate) tier: Tier,
    pub(crate) run: RunId,
    pub(crate) made_at: jiff::Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) log: Object,
    pub(crate) reports: BTreeMap<String, Object>,
    pub(crate) outputs: Vec<Output>,
    /// The declared outputs that are folders, also empty ones.
    pub(crate) folders: Vec<String>,
}

/// Some bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) digest: String,
    pub(crate) bytes: u64,
}

/// One file that a job made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Output {
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// What an output is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    File { object: Object, executable: bool },
    Link { target: String },
}

/// What is known of a result when it is kept.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) key: String,
    pub(crate) job: String,
    pub(crate) tier: Tier,
    pub(crate) run: RunId,
    pub(crate) made_at: jiff::Timestamp,
    pub(crate) took_ms: u64,
}

impl Entry {
    pub(crate) fn new(
        facts: Facts,
        log: Object,
        reports: BTreeMap<String, Object>,
        outputs: Vec<Output>,
        folders: Vec<String>,
    ) -> Self {
        Self {
            version: VERSION,
            key: facts.key,
            job: facts.job,
            tier: facts.tier,
            run: facts.run,
            made_at: facts.made_at,
            took_ms: facts.took_ms,
            log,
            reports,
            outputs,
            folders,
        }
    }

    /// As it is stored: a digest over the rest, a line end, the rest.
    pub(super) fn seal(&self) -> serde_json::Result<Vec<u8>> {
        let body = serde_json::to_vec(self)?;
        let mut sealed = digest::of_bytes(&body).into_bytes();
        sealed.push(b'\n');
        sealed.extend(body);
        Ok(sealed)
    }

    /// None where the bytes are not exactly what was stored under `key`.
    pub(super) fn unseal(bytes: &[u8], key: &str) -> Option<Self> {
        let (seal, body) = bytes.split_at_checked(64)?;
        let body = body.strip_prefix(b"\n")?;
        if digest::of_bytes(body).as_bytes() != seal {
            return None;
        }
        let entry: Self = serde_json::from_slice(body).ok()?;
        (entry.version == VERSION && entry.key == key).then_some(entry)
    }
}
