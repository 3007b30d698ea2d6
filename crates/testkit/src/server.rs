//! A server that cannot outlive its tests. It is the child of a small guard that
//! reads from a pipe which only this process holds: when the process is gone, by
//! whatever way, the guard stops the server and removes its folder.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::account::Account;
use crate::wait;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// `$1` is the signal that the server ends by, `$2` its folder, `$3` what makes the folder
/// ready, the rest the command. The guard waits for the end of its input, which never
/// carries anything. The signal is sent until the server is gone: one that has only just
/// been started does not hear it yet.
const GUARD: &str = r#"
signal=$1; folder=$2; prepare=$3; server=; shift 3
if eval "$prepare" >"$folder/log" 2>&1 </dev/null
then "$@" >>"$folder/log" 2>&1 </dev/null & server=$!
else : >"$folder/failed"
fi
read -r _
if [ -n "$server" ]
then
    while kill -s "$signal" "$server" 2>/dev/null; do sleep 0.05; done
fi
rm -rf "$folder"
"#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    folder: PathBuf,
    guard: Child,
    lifeline: Option<ChildStdin>,
}

/// A fresh folder that only the server's account can enter. Removed with the value, until
/// a server takes it over.
pub(crate) fn folder(name: &str, account: Option<Account>) -> anyhow::Result<TempDir> {
    folder_in(&std::env::temp_dir(), name, account)
}

/// The same within another one.
pub(crate) fn folder_in(
    within: &Path,
    name: &str,
    account: Option<Account>,
) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("testkit-{name}-"))
        .tempdir_in(within)
        .context("making a folder for a server")?;
    if let Some(account) = account {
        account.give(folder.path())?;
    }
    Ok(folder)
}

/// A command as the guard's shell reads it.
fn quoted(command: &[String]) -> String {
    let words: Vec<String> = command
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    words.join(" ")
}

impl Server {
    /// Runs `prepare` where it is a command, starts `command`, both with their output in
    /// the folder's `log`, and waits until `is_ready`. `signal` is the one that the server
    /// ends by at once.
    pub(crate) fn start(
        name: &'static str,
        signal: &str,
        folder: TempDir,
        account: Option<Account>,
        prepare: &[String],
        command: &[String],
        is_ready: impl Fn() -> bool,
    ) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut guard = Command::new("/bin/sh");
        guard
            .args(["-c", GUARD, "guard", signal])
            .arg(folder.path())
            .arg(quoted(prepare))
            .args(command)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal must not reach the server before its clients.
            .process_group(0);
        if let Some(account) = account {
            account.apply(&mut guard);
        }
        let mut guard = guard.spawn().with_context(|| format!("starting {name}"))?;
        let lifeline = guard.stdin.take();
        let server = Self {
            name,
            // From here on the guard removes it.
            folder: folder.keep(),
            guard,
            lifeline,
        };
        let failed = server.folder.join("failed");
        let is_waiting_over = wait::until(READY_WITHIN, || is_ready() || failed.exists());
        if !is_waiting_over || failed.exists() {
            bail!("{name} is not ready:\n{}", server.log());
        }
        Ok(server)
    }

    /// What the server wrote.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops the server and waits until it is gone.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if self.lifeline.take().is_none() {
            return Ok(());
        }
        let guard = &mut self.guard;
        if !wait::until(STOPPED_WITHIN, || !matches!(guard.try_wait(), Ok(None))) {
            bail!("{} does not stop within {STOPPED_WITHIN:?}", self.name);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "a server stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_and_its_folder_are_gone_when_the_lifeline_is() {
        let folder = folder("guard", None).unwrap();
        let command = ["/bin/sh", "-c", "echo started; exec tail -f /dev/null"].map(str::to_owned);
        let path = folder.path().to_owned();
        let log = path.join("log");
        let is_ready = || std::fs::read_to_string(&log).is_ok_and(|text| text == "started\n");
        let server =
            Server::start("guarded", "TERM", folder, None, &[], &command, is_ready).unwrap();
        drop(server);
        assert!(!path.exists());
    }

    #[test]
    fn a_server_that_does_not_listen_yet_is_told_again() {
        let folder = folder("deaf", None).unwrap();
        let path = folder.path().to_owned();
        let script = r#"trap ": >told" TERM; : >deaf; until [ -e told ]; do sleep 0.01; done
                        trap "exit 0" TERM; while :; do sleep 0.01; done"#;
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        let is_deaf = || path.join("deaf").exists();
        let mut server =
            Server::start("deaf", "TERM", folder, None, &[], &command, is_deaf).unwrap();
        server.stop().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_words() {
        let folder = folder("guard", None).unwrap();
        let log = folder.path().join("log");
        let command = ["/bin/sh", "-c", "echo no such thing"].map(str::to_owned);
        let seen = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("no such"));
        let mut server =
            Server::start("broken", "TERM", folder, None, &[], &command, seen).unwrap();
        assert_eq!(server.log(), "no such thing\n");
        server.stop().unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_ready_is_reported_at_once_and_removed() {
        let folder = folder("guard", None).unwrap();
        let path = folder.path().to_owned();
        let prepare = ["/bin/sh", "-c", "echo \"it's\" full; exit 1"].map(str::to_owned);
        let command = ["/bin/true".to_owned()];
        let never = || false;
        let failed = Server::start("broken", "TERM", folder, None, &prepare, &command, never);
        let words = failed.unwrap_err().to_string();
        assert!(words.contains("it's full"), "{words}");
        assert!(!path.exists());
    }
}
