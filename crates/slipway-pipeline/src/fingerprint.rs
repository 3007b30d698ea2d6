//! Which toolchain is used, by what its own commands say. A command that does not answer
//! leaves the question open, and then nothing is taken from the cache.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::digest;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What the commands said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    /// What each command said, by the command.
    pub(crate) said: BTreeMap<String, String>,
    /// Commands that did not answer, with the reason.
    pub(crate) silent: BTreeMap<String, String>,
}

impl Fingerprints {
    /// Asks every command, all at once.
    pub(crate) async fn take(
        commands: &[Vec<String>],
        root: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let asked = commands.iter().map(|words| ask(words, root, variables));
        let mut taken = Self::default();
        for (words, answer) in commands.iter().zip(join_all(asked).await) {
            match answer {
                Ok(said) => taken.said.insert(words.join(" "), said),
                Err(reason) => taken.silent.insert(words.join(" "), reason),
            };
        }
        taken
    }

    /// The digests of what was said.
    pub(crate) fn digests(&self) -> BTreeMap<String, String> {
        self.said
            .iter()
            .map(|(command, said)| (command.clone(), digest::of_bytes(said.as_bytes())))
            .collect()
    }
}

async fn ask(
    words: &[String],
    root: &Path,
    variables: &BTreeMap<String, String>,
) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match timeout(ANSWER_WITHIN, output).await {
        Err(_) => return Err("it does not answer".to_owned()),
        Ok(Err(error)) => return Err(error.to_string()),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Waits for all of them, one after the other in order; they run at the same time because
/// each is a process of its own once it was polled.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut is_open = false;
        for (future, answer) in pinned.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *answer = Some(value),
                    std::task::Poll::Pending => is_open = true,
                }
            }
        }
        if is_open {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
