//! Booking as its own commands need it: built, on a database and a cache of its own
//! with the demonstration in it, and ended in good order.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use testkit::postgres::Database;
use testkit::services::Services;

/// Builds the program with a profile of the workspace and says where it lies.
pub(crate) fn build(root: &Path, profile: &str) -> anyhow::Result<PathBuf> {
    build_program(root, "booking-web", "booking", profile)
}

/// The same for any program of the workspace.
pub(crate) fn build_program(
    root: &Path,
    package: &str,
    program: &str,
    profile: &str,
) -> anyhow::Result<PathBuf> {
    let output = crate::cargo::command()
        .args(["build", "--locked", "--package", package, "--bin", program])
        .args(["--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo build")?;
    ensure!(output.status.success(), "{program} does not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut built = messages.lines().filter_map(|m| executable(m, program));
    built.next_back().context("cargo named no program")
}

fn executable(message: &str, program: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    (message.get("target")?.get("name")? == program).then_some(())?;
    Some(PathBuf::from(message.get("executable")?.as_str()?))
}

/// The program, serving. It ends with this value.
pub(crate) struct Serving {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) address: String,
}

/// The program on a database and a cache of its own, with the demonstration in it.
pub(crate) struct Site {
    serving: Serving,
    /// `http://127.0.0.1:…`
    pub(crate) address: String,
    pub(crate) database: Database,
}

impl Site {
    pub(crate) fn start(program: &Path, services: &Services) -> anyhow::Result<Self> {
        Self::start_with(program, services, &[])
    }

    /// The same with variables of its own.
    pub(crate) fn start_with(
        program: &Path,
        services: &Services,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a runtime")?;
        let database = runtime.block_on(Database::empty(&services.postgres()))?;
        let redis = runtime.block_on(services.redis().database())?;
        command(program, "migrate", &database)?;
        command(program, "seed", &database)?;
        let variables = [&[("REDIS_URL", redis.as_str())], variables].concat();
        let serving = Serving::start(program, &database, &variables)?;
        Ok(Self {
            address: serving.address.clone(),
            serving,
            database,
        })
    }

    /// Asks the program to end and sees that it does so in good order.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        self.serving.end()
    }
}

/// Runs a command of the program that needs its database only.
pub(crate) fn command(program: &Path, verb: &str, database: &Database) -> anyhow::Result<()> {
    let output = Command::new(program)
        .arg(verb)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .output()
        .with_context(|| format!("starting booking {verb}"))?;
    if !output.status.success() {
        bail!(
            "booking {verb}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

impl Serving {
    /// Serves what is in `database`, and says where.
    pub(crate) fn start(
        program: &Path,
        database: &Database,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        // Nothing of a developer's own settings: they could keep it from saying where it is.
        let mut child = Command::new(program)
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", database.url())
            .env("PORT", "0")
            .env("RELEASE", "workspace")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting booking serve")?;
        let log = child.stderr.take().context("the log is piped")?;
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let address = lines.find_map(|line| serving_at(&line));
        // Nobody reads the rest, but somebody must take it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            child,
            address: address.context("booking serve ended before it served")?,
        })
    }

    /// Asks the program to end and sees that it does so in good order.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context("ending booking serve")?;
        let status = self.child.wait().context("waiting for booking serve")?;
        ensure!(status.success(), "booking serve ended with {status}");
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("booking serve could not be ended: {error}");
        }
    }
}

fn serving_at(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line.get("message")? == "serving").then_some(())?;
    Some(format!("http://{}", line.get("address")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_that_says_so() {
        let line = r#"{"message":"serving","address":"127.0.0.1:4000"}"#;
        assert_eq!(serving_at(line).as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(serving_at(r#"{"message":"other"}"#), None);
        assert_eq!(serving_at("panicked"), None);
    }
}
