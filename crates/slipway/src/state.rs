//! The state folder: where it is, and what lies where in it. The only place that
//! knows these paths. Never removes anything.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chassis::Env;

use crate::cli::failure::Failure;
use slipway_rollout::account::{self, Account};

/// A Unix socket's address holds 107 bytes and a terminating zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// A state folder. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    root: PathBuf,
}

impl State {
    /// The folder that was asked for, or the one that belongs to the project.
    pub(crate) fn locate(asked: Option<&Path>, env: &Env, project: &Path) -> anyhow::Result<Self> {
        let state = Self::of_anybody(asked, env, project)?;
        state.check_owner()?;
        Ok(state)
    }

    /// The same for whoever may be of another account, and opens nothing but a socket.
    pub(crate) fn of_anybody(
        asked: Option<&Path>,
        env: &Env,
        project: &Path,
    ) -> anyhow::Result<Self> {
        let asked = asked
            .map(Path::to_path_buf)
            .or_else(|| env.get("SLIPWAY_STATE").map(PathBuf::from));
        let root = match asked {
            Some(path) => std::path::absolute(&path)
                .with_context(|| format!("resolving the state folder {}", path.display()))?,
            None => default_root(project)?,
        };
        let state = Self { root };
        state.check_socket_paths()?;
        Ok(state)
    }

    /// Makes the folder and its parts, with the permissions that each needs.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        // Instances, PostgreSQL and Redis run as other users and must pass through here.
        let open = [
            self.root.clone(),
            self.releases(),
            self.instances(),
            self.accessories(),
        ];
        let closed = [self.proxy(), self.cache(), self.logs(), self.runs()];
        for folder in &open {
            make(folder, 0o711).with_context(|| format!("making {}", folder.display()))?;
        }
        for folder in &closed {
            make(folder, 0o700).with_context(|| format!("making {}", folder.display()))?;
        }
        self.hide_from_git()
    }

    /// Beside the sources this folder is neither a change of theirs nor an input of a job.
    fn hide_from_git(&self) -> anyhow::Result<()> {
        let path = self.root.join(".gitignore");
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        match made.and_then(|mut file| file.write_all(b"*\n")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("writing {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The journal, one SQLite file.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }

    /// Where control answers.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// Where control takes approvals, also of other accounts.
    pub(crate) fn approvals_socket(&self) -> PathBuf {
        self.root.join("approvals.sock")
    }

    /// The folder of the routing table and of the proxy's own socket.
    pub(crate) fn proxy(&self) -> PathBuf {
        self.root.join("proxy")
    }

    /// Where the proxy answers.
    pub(crate) fn proxy_socket(&self) -> PathBuf {
        self.proxy().join("admin.sock")
    }

    /// What is kept about certificates that are fetched.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.root.join("certificates")
    }

    pub(crate) fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// One folder per run of the pipeline, with its events and logs.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// One folder per instance, with its log and its process.
    pub(crate) fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }

    pub(crate) fn accessories(&self) -> PathBuf {
        self.root.join("accessories")
    }

    /// The folder of one accessory.
    pub(crate) fn accessory(&self, name: &str) -> PathBuf {
        self.accessories().join(name)
    }

    /// Held by the running keeper; holds its process id.
    pub(crate) fn keeper_pid(&self) -> PathBuf {
        self.root.join("keeper.pid")
    }

    /// What the keeper holds: its children and the addresses it listens on.
    pub(crate) fn keeper_record(&self) -> PathBuf {
        self.root.join("keeper.json")
    }

    /// The environment's file as control last read it.
    pub(crate) fn environment(&self) -> PathBuf {
        self.root.join("environment.toml")
    }

    /// The logs of keeper, proxy and control.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// What lies in it is for one account; any other would only be told that something cannot
    /// be opened.
    fn check_owner(&self) -> Result<(), Failure> {
        let own = rustix::process::geteuid();
        let owner = match fs::metadata(&self.root) {
            Ok(found) if !own.is_root() && found.uid() != own.as_raw() => found.uid(),
            // What is not there yet belongs to nobody, and root may do everything.
            _ => return Ok(()),
        };
        Err(Failure::refused(format!(
            "the state folder {} belongs to {}, and this account is {}",
            self.root.display(),
            Account::name_of(owner),
            Account::name_of(own.as_raw())
        ))
        .hint("run it as that account, or use another folder: --state DIR or SLIPWAY_STATE"))
    }

    fn check_socket_paths(&self) -> Result<(), Failure> {
        let longest = self.proxy_socket();
        let bytes = longest.as_os_str().len();
        if bytes <= SOCKET_PATH_BYTES_MAX {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "the path of the state folder is too long: the socket {} has {bytes} bytes, \
             and {SOCKET_PATH_BYTES_MAX} is the most that a Unix socket may have",
            longest.display()
        ))
        .hint("choose a shorter one with --state DIR or SLIPWAY_STATE"))
    }
}

/// `.slipway/` of the project; where root starts it and others could not pass through,
/// a folder under `/var/lib/slipway`.
fn default_root(project: &Path) -> anyhow::Result<PathBuf> {
    let project = project
        .canonicalize()
        .with_context(|| format!("resolving the project folder {}", project.display()))?;
    let beside = project.join(".slipway");
    if !account::is_root() || others_may_pass(&project).context("looking at the project folder")? {
        return Ok(beside);
    }
    let digest = blake3::hash(project.as_os_str().as_encoded_bytes()).to_hex();
    let hash: String = digest.chars().take(8).collect();
    let name = project
        .file_name()
        .map_or_else(|| "root".into(), |n| n.to_string_lossy().into_owned());
    Ok(Path::new("/var/lib/slipway").join(format!("{name}-{hash}")))
}

/// Whether an unprivileged user could reach something inside `folder`.
fn others_may_pass(folder: &Path) -> io::Result<bool> {
    for ancestor in folder.ancestors() {
        if fs::metadata(ancestor)?.permissions().mode() & 0o001 == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn make(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_a_folder_and_the_option_wins() {
        let env = Env::from_pairs([("SLIPWAY_STATE", "/tmp/from-environment")]);
        let state = State::locate(None, &env, Path::new("/")).unwrap();
        assert_eq!(state.root(), Path::new("/tmp/from-environment"));
        let state = State::locate(Some(Path::new("/tmp/asked")), &env, Path::new("/")).unwrap();
        assert_eq!(state.root(), Path::new("/tmp/asked"));
    }

    #[test]
    fn a_folder_that_others_cannot_enter_is_noticed() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let inside = closed.path().join("project");
        fs::create_dir(&inside).unwrap();
        assert!(!others_may_pass(&inside).unwrap());
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(others_may_pass(&inside).unwrap());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_with_both_names() {
        // As root everything may be done, and nothing is refused.
        let located = State::locate(Some(Path::new("/")), &Env::default(), Path::new("/"));
        match located {
            Ok(_) => assert!(account::is_root()),
            Err(error) => assert!(error.to_string().contains("belongs to root"), "{error}"),
        }
    }

    #[test]
    fn a_path_too_long_for_a_socket_says_so() {
        let long = format!("/tmp/{}", "x".repeat(120));
        let error =
            State::locate(Some(Path::new(&long)), &Env::default(), Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("107"), "{error}");
    }
}
