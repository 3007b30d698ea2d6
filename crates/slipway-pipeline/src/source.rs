//! Which state of the source is built: the commit, and whether files differ from it. A
//! project without Git is `unversioned`, and never taken for clean.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Git answers in milliseconds; a repository on a dead network disk never does.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The state of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The commit, 40 or 64 hex digits; `unversioned` where there is none.
    pub(crate) commit: String,
    /// Whether files differ from the commit, or there is none.
    pub(crate) dirty: bool,
}

impl Revision {
    /// Asks Git about the folder `root`.
    pub(crate) async fn of(root: &Path) -> Self {
        let unversioned = Self {
            commit: "unversioned".to_owned(),
            dirty: true,
        };
        let head = git(root, &["rev-parse", "--verify", "HEAD"]);
        let changes = git(root, &["status", "--porcelain", "--untracked-files=normal"]);
        let (head, changes) = tokio::join!(head, changes);
        match (head, changes) {
            (Some(commit), Some(changes)) => Self {
                commit: commit.trim().to_owned(),
                dirty: !changes.trim().is_empty(),
            },
            _ => unversioned,
        }
    }

    /// The commit, with `-dirty` behind it where the tree has changes of its own.
    pub(crate) fn label(&self) -> String {
        if self.dirty && self.commit != "unversioned" {
            format!("{}-dirty", self.commit)
        } else {
            self.commit.clone()
        }
    }
}

async fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        // Looking must not write: other programs may hold the index.
        .arg("--no-optional-locks")
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(ANSWER_WITHIN, output).await.ok()?.ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
