//! What earlier runs left for later ones: how long jobs last, and what their keys were made
//! of. Losing it costs a worse order and an answer to `why`, nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::key::Parts;

/// How many durations of a job are remembered.
const REMEMBERED: usize = 5;

/// The memory of earlier runs.
#[derive(Debug)]
pub(crate) struct History {
    folder: PathBuf,
    jobs: BTreeMap<String, Remembered>,
    is_changed: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// Milliseconds, the last one at the end.
    durations: Vec<u64>,
    key: String,
}

/// What is known of a job's last two keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) last: Parts,
    pub(crate) before: Option<Parts>,
}

impl History {
    /// Reads what is there; what cannot be read was never there.
    pub(crate) fn load(folder: &Path) -> Self {
        let jobs = fs::read(folder.join("history.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            folder: folder.to_path_buf(),
            jobs: jobs.unwrap_or_default(),
            is_changed: false,
        }
    }

    /// What each job usually lasts: the middle one of its last durations.
    pub(crate) fn durations(&self) -> BTreeMap<String, Duration> {
        let middle = |(name, job): (&String, &Remembered)| {
            let mut sorted = job.durations.clone();
            sorted.sort_unstable();
            let ms = sorted.get(sorted.len() / 2)?;
            Some((name.clone(), Duration::from_millis(*ms)))
        };
        self.jobs.iter().filter_map(middle).collect()
    }

    /// A job ran for `took`.
    pub(crate) fn lasted(&mut self, job: &str, took: Duration) {
        let known = &mut self.jobs.entry(job.to_owned()).or_default().durations;
        known.push(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let surplus = known.len().saturating_sub(REMEMBERED);
        known.drain(..surplus);
        self.is_changed = true;
    }

    /// A job ended under this key.
    pub(crate) fn ended(&mut self, job: &str, key: &str, parts: &Parts) -> io::Result<()> {
        let known = self.jobs.entry(job.to_owned()).or_default();
        if known.key == key {
            return Ok(());
        }
        key.clone_into(&mut known.key);
        self.is_changed = true;
        let before = self.keys(job).map(|keys| keys.last);
        let keys = Keys {
            last: parts.clone(),
            before,
        };
        let path = self.keys_path(job);
        fs::create_dir_all(self.folder.join("keys"))?;
        write_aside(&path, &serde_json::to_vec(&keys)?)
    }

    /// What the last keys of a job were made of.
    pub(crate) fn keys(&self, job: &str) -> Option<Keys> {
        let bytes = fs::read(self.keys_path(job)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn keys_path(&self, job: &str) -> PathBuf {
        self.folder.join("keys").join(format!("{job}.json"))
    }

    pub(crate) fn save(&mut self) -> io::Result<()> {
        if self.is_changed {
            let path = self.folder.join("history.json");
            write_aside(&path, &serde_json::to_vec(&self.jobs)?)?;
            self.is_changed = false;
        }
        Ok(())
    }
}

fn write_aside(path: &Path, content: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    fs::write(&aside, content)?;
    fs::rename(aside, path)
}
