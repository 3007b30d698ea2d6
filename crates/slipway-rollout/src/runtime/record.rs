//! What lies in an instance's folder: its process on disk before it counts as started, its
//! log, a folder of its own.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use slipway_journal::{InstanceId, ReleaseId, RoleName, ServiceName};

use crate::account::{self, Account};
use crate::process::ProcessIdentity;

/// The log is cut when it is longer than this; what was in it stays beside it, once.
const LOG_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// So many folders of instances that ended are kept, for their logs.
const KEPT: usize = 100;

/// `pid.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PidFile {
    #[serde(flatten)]
    pub(crate) identity: ProcessIdentity,
    pub(crate) instance: InstanceId,
    pub(crate) release: ReleaseId,
    pub(crate) service: ServiceName,
    pub(crate) address: SocketAddr,
    /// Its worker role; none where it answers visitors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<RoleName>,
}

/// The folder of one instance.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn of(instances: &Path, instance: InstanceId) -> Self {
        Self(instances.join(instance.to_string()))
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// A folder that the instance may write to.
    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    fn pid(&self) -> PathBuf {
        self.0.join("pid.json")
    }

    /// Makes the folder and opens the log.
    pub(crate) fn prepare(&self, account: Option<&Account>) -> io::Result<File> {
        let make = |path: &Path, mode| DirBuilder::new().recursive(true).mode(mode).create(path);
        make(&self.0, 0o711)?;
        make(&self.home(), 0o700)?;
        account::give(&self.home(), account)?;
        // Appending, so that the log can be cut while it is written to.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(self.log())
    }

    /// Writes down which process it is, durably.
    pub(crate) fn write(&self, file: &PidFile) -> io::Result<()> {
        let text = serde_json::to_vec(file).map_err(io::Error::other)?;
        chassis::durable::replace(&self.pid(), &text, 0o644)
    }

    /// Which process it is; none where it was never written down.
    pub(crate) fn read(&self) -> io::Result<Option<PidFile>> {
        match fs::read(self.pid()) {
            Ok(text) => Ok(Some(
                serde_json::from_slice(&text).map_err(io::Error::other)?,
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Cuts a log that grew too long; its last part stays beside it. Lines written in that very
    /// moment may be lost. It is cut on a full disk as well, where nothing can stay.
    pub(crate) fn bound_log(&self) -> io::Result<()> {
        let mut log = OpenOptions::new().read(true).write(true).open(self.log())?;
        let length = log.metadata()?.len();
        if length <= LOG_BYTES_MAX {
            return Ok(());
        }
        let kept = self.0.join("log.1");
        let mut beside = OpenOptions::new();
        beside.write(true).create(true).truncate(true).mode(0o640);
        let copied = beside.open(&kept).and_then(|mut kept| {
            log.seek(SeekFrom::Start(length - LOG_BYTES_MAX))?;
            io::copy(&mut (&log).take(LOG_BYTES_MAX), &mut kept)
        });
        log.set_len(0)?;
        if copied.is_err() {
            fs::remove_file(&kept)?;
        }
        copied.map(|_| ())
    }
}

/// Removes the folders of instances that ended, but for the latest ones.
pub(crate) fn prune(instances: &Path) -> io::Result<()> {
    let mut ended = Vec::new();
    for entry in fs::read_dir(instances)? {
        let entry = entry?;
        let folder = Folder(entry.path());
        // One that cannot be looked at may run.
        let runs = folder
            .read()
            .and_then(|file| file.map_or(Ok(false), |file| file.identity.runs()));
        if matches!(runs, Ok(false)) {
            ended.push((entry.metadata()?.modified()?, folder));
        }
    }
    ended.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
    for (_, folder) in ended.into_iter().skip(KEPT) {
        fs::remove_dir_all(folder.0)?;
    }
    Ok(())
}

/// Every process that was started for an instance, by itself or by another one: it carries
/// the instance's id in its environment.
pub(crate) fn carriers(instance: InstanceId) -> io::Result<Vec<ProcessIdentity>> {
    let mut found = Vec::new();
    let mark = format!("INSTANCE={instance}").into_bytes();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|n| n.parse::<i32>().ok())
        else {
            continue;
        };
        // A process that is gone, or somebody else's, is not ours.
        let Ok(environment) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        if environment.split(|b| *b == 0).any(|v| v == mark)
            && let Some(identity) = ProcessIdentity::of(pid)?
        {
            found.push(identity);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grew_too_long_is_cut_and_kept_beside() {
        let instances = tempfile::tempdir().unwrap();
        let folder = Folder::of(instances.path(), InstanceId(uuid::Uuid::nil()));
        let log = folder.prepare(None).unwrap();
        log.set_len(LOG_BYTES_MAX).unwrap();
        folder.bound_log().unwrap();
        assert_eq!(fs::metadata(folder.log()).unwrap().len(), LOG_BYTES_MAX);
        log.set_len(LOG_BYTES_MAX + 1).unwrap();
        folder.bound_log().unwrap();
        assert_eq!(fs::metadata(folder.log()).unwrap().len(), 0);
        let kept = fs::metadata(folder.0.join("log.1")).unwrap();
        assert_eq!(kept.len(), LOG_BYTES_MAX, "its last part");
    }

    #[test]
    fn folders_of_the_latest_that_ended_and_of_all_that_run_are_kept() {
        let instances = tempfile::tempdir().unwrap();
        let id = |n: usize| InstanceId(uuid::Uuid::from_u128(n as u128));
        let own = ProcessIdentity::own().unwrap();
        for n in 0..KEPT + 10 {
            let folder = Folder::of(instances.path(), id(n));
            folder.prepare(None).unwrap();
            let identity = ProcessIdentity {
                start_ticks: own.start_ticks + u64::from(n > 0),
                ..own.clone()
            };
            let file = PidFile {
                identity,
                instance: id(n),
                release: "ab".repeat(32).parse().unwrap(),
                service: "shop".parse().unwrap(),
                address: ([127, 0, 0, 1], 1).into(),
                role: None,
            };
            folder.write(&file).unwrap();
            let changed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(n as u64);
            File::open(&folder.0)
                .unwrap()
                .set_modified(changed)
                .unwrap();
        }
        prune(instances.path()).unwrap();
        let kept = |n: usize| instances.path().join(id(n).to_string()).exists();
        assert!(kept(0), "it runs");
        let left: Vec<usize> = (1..KEPT + 10).filter(|n| kept(*n)).collect();
        assert_eq!(left, (10..KEPT + 10).collect::<Vec<_>>());
    }

    #[test]
    fn a_log_is_cut_although_nothing_of_it_can_be_kept() {
        let instances = tempfile::tempdir().unwrap();
        let folder = Folder::of(instances.path(), InstanceId(uuid::Uuid::nil()));
        let log = folder.prepare(None).unwrap();
        log.set_len(LOG_BYTES_MAX + 1).unwrap();
        fs::create_dir(folder.0.join("log.1")).unwrap();
        assert!(folder.bound_log().is_err());
        assert_eq!(fs::metadata(folder.log()).unwrap().len(), 0);
    }
}
