//! Only one keeper per state folder: a lock that the kernel frees when its holder ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::cli::failure::Failure;
use crate::state::State;
use slipway_rollout::process::ProcessIdentity;

/// Longer than anybody holds the lock who does not keep it.
const GLANCE: Duration = Duration::from_millis(300);

/// The right to be the keeper of a state folder.
pub(crate) struct Hold(File);

impl Hold {
    /// Takes the right, or says who has it.
    pub(crate) async fn take(state: &State) -> anyhow::Result<Self> {
        let deadline = Instant::now() + GLANCE;
        loop {
            match Self::attempt(state) {
                // Somebody may only be looking who has it, which takes a moment. Who keeps it
                // has written down its number, and is not waited for: when that one is
                // stopped, nobody may take its place unasked.
                Err(error)
                    if error.is::<Failure>() && Instant::now() < deadline && !is_kept(state) =>
                {
                    sleep(Duration::from_millis(10)).await;
                }
                taken => return taken,
            }
        }
    }

    fn attempt(state: &State) -> anyhow::Result<Self> {
        let path = state.keeper_pid();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file, state).into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self(file))
    }

    /// Gives the right back; the file stays, empty.
    pub(crate) fn release(self) {
        if let Err(error) = self.0.set_len(0) {
            tracing::warn!(%error, "keeper.pid keeps its old content");
        }
    }
}

/// Whether the number that is written down is that of a living process.
fn is_kept(state: &State) -> bool {
    let text = fs::read_to_string(state.keeper_pid()).unwrap_or_default();
    let pid = text.trim().parse().ok();
    pid.is_some_and(|pid| matches!(ProcessIdentity::of(pid), Ok(Some(_))))
}

/// The process id of the running keeper, where one runs.
pub(crate) fn holder(state: &State) -> anyhow::Result<Option<i32>> {
    let mut file = match File::open(state.keeper_pid()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("opening keeper.pid"),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text)
                .context("reading keeper.pid")?;
            // Between the lock and the number there is a moment without one.
            Ok(Some(text.trim().parse().unwrap_or(0)))
        }
        Err(TryLockError::Error(error)) => Err(error).context("looking at the lock of keeper.pid"),
    }
}

fn held(file: &mut File, state: &State) -> Failure {
    let mut text = String::new();
    let who = match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    };
    Failure::refused(format!(
        "{who} is already the keeper of {}",
        state.root().display()
    ))
    .hint("`slipway status` shows what runs; `slipway down` stops it; --state DIR uses another folder")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::Env;
    use std::path::Path;

    #[tokio::test]
    async fn a_second_keeper_is_refused_and_told_who_holds() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::locate(Some(folder.path()), &Env::default(), Path::new("/")).unwrap();
        let first = Hold::take(&state).await.unwrap();
        let own = std::process::id();
        assert_eq!(holder(&state).unwrap(), i32::try_from(own).ok());
        let error = Hold::take(&state).await.err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with(&format!("process {own} is already")),
            "{error}"
        );
        first.release();
        assert_eq!(holder(&state).unwrap(), None);
        Hold::take(&state).await.unwrap();
    }

    #[tokio::test]
    async fn who_only_looks_keeps_nobody_from_being_the_keeper() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::locate(Some(folder.path()), &Env::default(), Path::new("/")).unwrap();
        Hold::take(&state).await.unwrap().release();
        let looked = File::open(state.keeper_pid()).unwrap();
        looked.lock_shared().unwrap();
        let looking = tokio::spawn(async move {
            sleep(Duration::from_millis(50)).await;
            drop(looked);
        });
        Hold::take(&state).await.unwrap();
        looking.await.unwrap();
    }
}
