//! Proxies and controls of this state folder that outlived their keeper, also those that it
//! was killed too early to write down: they are known by their command line. Only for who
//! holds the state folder, so that they belong to nobody who lives.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use rustix::process::geteuid;
use slipway_rollout::process::ProcessIdentity;

use crate::inhabitants;
use crate::keeper::child::Role;
use crate::state::State;

/// Every process in `role` that a keeper of `state` started and that runs.
pub(crate) fn of(state: &State, role: Role) -> anyhow::Result<Vec<ProcessIdentity>> {
    let root = state.root().display().to_string();
    let mut found = Vec::new();
    for pid in inhabitants::all()? {
        // Anybody can call a process of their own anything.
        let is_ours = fs::metadata(format!("/proc/{pid}"))
            .is_ok_and(|found| found.uid() == geteuid().as_raw());
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if is_ours && is_child(&line, &root, role) {
            found.extend(ProcessIdentity::of(pid)?);
        }
    }
    Ok(found)
}

/// Whether a command line is that of a child as `Child` starts it.
fn is_child(line: &[u8], root: &str, role: Role) -> bool {
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    words.windows(5).any(|words| match words {
        [state, folder, project, _, verb] => {
            *state == b"--state"
                && *folder == root.as_bytes()
                && *project == b"--project"
                && *verb == role.verb().as_bytes()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_children_of_this_state_folder_are_meant() {
        let is_proxy = |line: &str| is_child(line.replace(' ', "\0").as_bytes(), "/s", Role::Proxy);
        assert!(is_proxy(
            "slipway --state /s --project /p proxy --environment production"
        ));
        assert!(is_proxy(
            "slipway launch --listen-fds 1 -- slipway --state /s --project /p proxy"
        ));
        assert!(!is_proxy("slipway --state /s --project /p serve"));
        assert!(!is_proxy("slipway --state /other --project /p proxy"));
        assert!(!is_proxy("slipway --state /s --project /p logs proxy"));
    }
}
