//! One Slipway for one test: its folders, its commands, and the certainty that nothing
//! of it is left when the test ends, however it ends.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use slipway_rollout::account::Account;
use tempfile::TempDir;
use testkit::wait;

use crate::release::link;

/// How long anything may take here before a test gives up.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// The environment's file: quick, so that a rollout takes a second.
const ENVIRONMENT: &str = r#"
[proxy]
listen = "127.0.0.1:0"
workers = 2

[console]
listen = "127.0.0.1:0"

[service.shop.policy]
instances = 2
ready_every = "20ms"
ready_within = "5s"
quiet = "50ms"
observe = "1s"
bake = "1h"
drain_window = "3s"
stop_grace = "2s"
restart_after = "100ms"
"#;

/// One Slipway.
pub(crate) struct Ground {
    folder: TempDir,
    state: PathBuf,
    address: Option<SocketAddr>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in {self:#?}"))
    }

    /// Fails the test unless the command ended with `code`.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

impl Ground {
    /// Folders only; nothing runs yet.
    pub(crate) fn new() -> Self {
        Self::with_environment(ENVIRONMENT)
    }

    /// Folders with this environment's file.
    pub(crate) fn with_environment(environment: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("slip").tempdir().unwrap();
        // Instances run as another user and must pass through here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let ground = Self {
            state: folder.path().join("state"),
            folder,
            address: None,
        };
        fs::create_dir_all(ground.project().join("delivery/environments")).unwrap();
        ground.write_environment(environment);
        fs::create_dir_all(ground.state().join("releases")).unwrap();
        ground
    }

    /// Folders, and nothing in the project's.
    pub(crate) fn empty() -> Self {
        let ground = Self::new();
        fs::remove_dir_all(ground.project().join("delivery")).unwrap();
        ground
    }

    /// With its state in another folder.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.state = folder.join("state");
        fs::create_dir_all(self.state.join("releases")).unwrap();
        self
    }

    /// Folders, and everything started.
    pub(crate) fn up() -> Self {
        let mut ground = Self::new();
        ground.start();
        ground
    }

    /// Folders, and everything started, with lines added to the environment's file.
    pub(crate) fn up_with(more: &str) -> Self {
        let mut ground = Self::with_environment(&format!("{ENVIRONMENT}\n{more}"));
        ground.start();
        ground
    }

    /// The same with lines added to what is said of the proxy.
    pub(crate) fn up_with_proxy(more: &str) -> Self {
        let workers = "workers = 2\n";
        let environment = ENVIRONMENT.replacen(workers, &format!("{workers}{more}\n"), 1);
        let mut ground = Self::with_environment(&environment);
        ground.start();
        ground
    }

    /// `slipway up`; the address of the proxy is known afterwards.
    pub(crate) fn start(&mut self) -> Value {
        self.start_with(&[])
    }

    /// The same with more words, such as addresses of its own.
    pub(crate) fn start_with(&mut self, words: &[&str]) -> Value {
        let up = self
            .run(&[&["up", "--json"], words].concat())
            .with(0)
            .json();
        let listen = up["listen"][0].as_str().unwrap().to_owned();
        let address = listen.trim_start_matches("http://").parse().unwrap();
        self.address = Some(address);
        up
    }

    pub(crate) fn write_environment(&self, text: &str) {
        let path = self.project().join("delivery/environments/production.toml");
        fs::write(path, text).unwrap();
    }

    /// The standard environment's file, to be changed.
    pub(crate) fn environment() -> &'static str {
        ENVIRONMENT
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.state.clone()
    }

    /// Where visitors come in.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("Slipway was started")
    }

    /// A command that was not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        command
            .arg("--state")
            .arg(self.state())
            .arg("--project")
            .arg(self.project())
            .args(arguments)
            .env_remove("SLIPWAY_STATE")
            .env("NO_COLOR", "1")
            .env("LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command as another account; only root can.
    pub(crate) fn run_as(&self, account: &str, arguments: &[&str]) -> Ended {
        let account = Account::named(account)
            .unwrap()
            .expect("every Debian has it");
        // Where the program was built others may not look.
        let program = self.folder.path().join("slipway");
        if !program.exists() {
            link(Path::new(env!("CARGO_BIN_EXE_slipway")), &program);
        }
        let mut command = Command::new(program);
        command
            .args(self.command(arguments).get_args())
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .uid(account.uid)
            .gid(account.gid);
        Ended::of(&command.output().unwrap())
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }

    /// Starts a command and leaves it running.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        Running(Some(self.command(arguments).spawn().unwrap()))
    }

    /// Deploys and gives what `--json` prints.
    pub(crate) fn deploy(&self, release: &str) -> Ended {
        self.run(&["deploy", release, "--json"])
    }

    /// What `slipway status --json` prints.
    pub(crate) fn status(&self) -> Value {
        self.run(&["status", "--json"]).json()
    }

    /// The release that is live.
    pub(crate) fn live(&self) -> Option<String> {
        let status = self.status();
        Some(
            status["services"][0]["live"]["release"]
                .as_str()?
                .to_owned(),
        )
    }

    /// Every event in the journal.
    pub(crate) fn events(&self) -> Vec<Value> {
        let shown = self
            .run(&["journal", "show", "--last", "100000", "--json"])
            .with(0);
        shown
            .out
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    /// The process of a role.
    pub(crate) fn pid(&self, role: &str) -> Option<i32> {
        let bytes = fs::read(self.state().join("keeper.json")).ok()?;
        let record: Value = serde_json::from_slice(&bytes).ok()?;
        i32::try_from(record[role]["pid"].as_i64()?).ok()
    }

    /// Kills the process of a role with SIGKILL, sees it end, and gives its number.
    pub(crate) fn kill(&self, role: &str) -> i32 {
        let pid = self.pid(role).unwrap();
        send(pid, Signal::KILL);
        // Dead, or dead and not yet seen by its parent.
        let is_over = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        assert!(wait::until(WITHIN, is_over), "{role} survives SIGKILL");
        pid
    }

    /// Waits until `is_so`; fails with what Slipway knows when it does not come.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, is_so: impl FnMut() -> bool) {
        let came = wait::until(WITHIN, is_so);
        assert!(
            came,
            "waited in vain for: {what}\n{}\n{}",
            self.run(&["status"]).out,
            self.tail("control")
        );
    }

    /// The end of a log, for messages.
    pub(crate) fn tail(&self, role: &str) -> String {
        let path = self.state().join(format!("logs/{role}.log"));
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines: Vec<&str> = text.lines().rev().take(30).collect();
        lines.reverse();
        lines.join("\n")
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let down = self.command(&["down"]).output();
        let clean =
            down.as_ref().is_ok_and(|d| d.status.success()) && left(&self.state()).is_empty();
        let left = left(&self.state());
        assert!(
            clean || std::thread::panicking(),
            "something was left: {left:?} {down:?}"
        );
    }
}

/// Processes that work in this state folder or name it, by command line.
pub(crate) fn left(state: &Path) -> Vec<String> {
    let own = std::process::id().to_string();
    let mark = state.display().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|pid| pid.parse::<u32>().is_ok() && *pid != own)
        .filter_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let ours = line.contains(&mark) || folder.starts_with(state);
            ours.then(|| format!("{pid} {line}"))
        })
        .collect()
}

/// A command that runs.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let child = self.0.as_ref().expect("it was not waited for");
        send(i32::try_from(child.id()).unwrap(), Signal::INT);
    }

    /// Whether it does something of its own at Ctrl-C by now.
    pub(crate) fn catches_interrupt(&self) -> bool {
        let pid = self.0.as_ref().map_or(0, Child::id);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        caught.is_some_and(|signals| signals & (1 << (Signal::INT.as_raw() - 1)) != 0)
    }

    pub(crate) fn wait(mut self) -> Ended {
        let child = self.0.take().expect("it was not waited for");
        Ended::of(&child.wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

pub(crate) fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

pub(crate) fn is_alive(pid: i32) -> bool {
    slipway_rollout::process::ProcessIdentity::of(pid)
        .unwrap()
        .is_some()
}
