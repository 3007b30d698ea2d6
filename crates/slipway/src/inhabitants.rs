//! Processes that work in a folder of the state, found in `/proc`: what a killed process of
//! Slipway started and could not write down any more. Those of a person at a terminal are
//! left out.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use slipway_rollout::process::ProcessIdentity;

/// The number of every process that this account can see.
pub(crate) fn all() -> anyhow::Result<Vec<i32>> {
    let entries = fs::read_dir("/proc").context("reading /proc")?;
    let names = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// The processes that work in `folder` or below it, and have no terminal.
pub(crate) fn of(folder: &Path) -> anyhow::Result<Vec<ProcessIdentity>> {
    let own = rustix::process::getpid().as_raw_pid();
    let mut found = Vec::new();
    for pid in all()? {
        let inside = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|d| d.starts_with(folder));
        if pid == own || !inside || has_terminal(pid) {
            continue;
        }
        found.extend(ProcessIdentity::of(pid)?);
    }
    Ok(found)
}

/// Whether somebody sits at it; a process that is gone has none.
fn has_terminal(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // `tty_nr` is field 7; the first one after the name's bracket is field 3.
    let fields = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace());
    fields
        .and_then(|mut f| f.nth(4).map(|tty| tty != "0"))
        .unwrap_or(false)
}
