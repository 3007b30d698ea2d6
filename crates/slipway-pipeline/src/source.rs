//! Which state of the source is built: the commit, and whether files differ from it. A
//! project without Git is `unversioned`, and never taken for clean.

use std::collections::BTreeSet;
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
    /// The addresses of those who wrote the commit, in lower case; none where files differ
    /// from it, because nobody knows who wrote that.
    pub(crate) authors: Option<BTreeSet<String>>,
}

impl Revision {
    /// Asks Git about the folder `root`.
    pub(crate) async fn of(root: &Path) -> Self {
        let unversioned = Self {
            commit: "unversioned".to_owned(),
            dirty: true,
            authors: None,
        };
        let head = git(root, &["rev-parse", "--verify", "HEAD"]);
        let changes = git(root, &["status", "--porcelain", "--untracked-files=normal"]);
        let wrote = authors(root, &["-1", "HEAD"]);
        let (head, changes, wrote) = tokio::join!(head, changes, wrote);
        match (head, changes) {
            (Some(commit), Some(changes)) => Self {
                commit: commit.trim().to_owned(),
                dirty: !changes.trim().is_empty(),
                authors: wrote.filter(|_| changes.trim().is_empty()),
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

/// The addresses of those who wrote what is in the commit `to` and not in `from`, in lower case:
/// authors, committers, and whom the commits name as co-authors. Git proves none of them. None
/// where the repository around `root` does not know both, or Git does not answer within 30 s.
pub async fn authors_between(root: &Path, from: &str, to: &str) -> Option<BTreeSet<String>> {
    let is_commit = |text: &str| text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_commit(from) || !is_commit(to) {
        return None;
    }
    authors(root, &[&format!("{from}..{to}")]).await
}

async fn authors(root: &Path, which: &[&str]) -> Option<BTreeSet<String>> {
    let format = "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)";
    let said = git(root, &[&["log", format], which].concat()).await?;
    let addresses = said.lines().filter_map(|line| {
        // A co-author is written `Name <address>`.
        let address = line.rsplit_once('<').map_or(line, |(_, behind)| behind);
        let address = address.trim().trim_end_matches('>').to_lowercase();
        (!address.is_empty()).then_some(address)
    });
    Some(addresses.collect())
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
