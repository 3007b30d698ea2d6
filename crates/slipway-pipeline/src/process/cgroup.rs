//! A control group per job, where the kernel gives us one: nothing that a job does gets a
//! process out of it, and all of it is killed by one write. Optional; without it, descent
//! and the mark in the environment must do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PREFIX: &str = "slipway-job-";

/// The control group of one job.
#[derive(Debug)]
pub(super) struct Cgroup(PathBuf);

impl Cgroup {
    /// A new group below our own; none where that is not possible.
    pub(super) fn make(mark: &str) -> Option<Self> {
        let path = own_group()?.join(format!("{PREFIX}{}", mark.replace(['/', ':'], "-")));
        match fs::create_dir(&path) {
            Ok(()) if path.join("cgroup.kill").exists() => Some(Self(path)),
            Ok(()) => {
                if let Err(error) = fs::remove_dir(&path) {
                    tracing::debug!(%error, "a control group stays behind");
                }
                None
            }
            Err(_) => None,
        }
    }

    /// Moves a process into the group.
    pub(super) fn take(&self, pid: i32) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), pid.to_string())
    }

    pub(super) fn members(&self) -> Vec<i32> {
        members(&self.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    pub(super) fn kill(&self) -> io::Result<()> {
        kill(&self.0)
    }

    /// Fails while a process is left in it.
    pub(super) fn remove(&self) -> io::Result<()> {
        remove(&self.0)
    }
}

/// Kills and removes the groups whose mark begins with that of the run `run`; returns the
/// processes that were in them.
pub(super) fn kill_all(run: &str) -> io::Result<Vec<i32>> {
    let Some(own) = own_group() else {
        return Ok(Vec::new());
    };
    let Ok(folder) = fs::read_dir(&own) else {
        return Ok(Vec::new());
    };
    let wanted = format!("{PREFIX}{run}");
    let mut killed = Vec::new();
    for entry in folder {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(&wanted) {
            continue;
        }
        let path = entry.path();
        let members = members(&path);
        if members.is_empty() {
            remove(&path)?;
        } else {
            kill(&path)?;
            killed.extend(members);
        }
    }
    Ok(killed)
}

fn members(path: &Path) -> Vec<i32> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|pid| pid.parse().ok()).collect()
}

fn kill(path: &Path) -> io::Result<()> {
    match fs::write(path.join("cgroup.kill"), "1") {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folder of the group that this process is in.
fn own_group() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        after.starts_with("cgroup2 ").then_some(())?;
        before.split_whitespace().nth(4)
    })?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new(mount).join(path.trim_start_matches('/')))
}
