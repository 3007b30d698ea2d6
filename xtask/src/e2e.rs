//! Booking and the console of Slipway in a real browser: runs the suites in `tests/e2e`
//! against the programs, Booking with the demonstration in its database, and counts what
//! passed.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use testkit::services::Services;

use crate::site::{self, Site};

const FOLDER: &str = "tests/e2e";

/// What the browser looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    /// From the first page to a booking and back.
    Journey,
    /// Every page with axe, at 320 pixels, without scripts.
    Access,
    /// The desk of a business, with axe, without scripts.
    Desk,
    /// The pages about accounts, the team and privacy.
    Account,
    /// Every page by keyboard, at 400 %, and with forced colours.
    People,
    /// The public pages as Lighthouse sees them.
    Lighthouse,
    /// The console of Slipway.
    Console,
}

/// One after the other: two at once would take each other's times.
const SUITES: [Suite; 7] = [
    Suite::Journey,
    Suite::Access,
    Suite::Desk,
    Suite::Account,
    Suite::People,
    Suite::Lighthouse,
    Suite::Console,
];

impl Suite {
    fn script(self) -> &'static str {
        match self {
            Self::Journey => "journey.test.js",
            Self::Access => "access.test.js",
            Self::Desk => "desk.test.js",
            Self::Account => "account.test.js",
            Self::People => "people.test.js",
            Self::Lighthouse => "lighthouse.test.js",
            Self::Console => "console.test.js",
        }
    }
}

/// Browser tests that ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Ran {
    fn add(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
    }
}

/// Runs every suite. Failed tests are counted, not an error; an error means that the
/// suites could not be run to their end.
pub(crate) fn run(root: &Path, services: &Services) -> anyhow::Result<Ran> {
    run_suites(root, services, &SUITES)
}

fn run_suites(root: &Path, services: &Services, suites: &[Suite]) -> anyhow::Result<Ran> {
    let folder = compile(root)?;
    let mut ran = Ran::default();
    let (of_slipway, of_booking): (Vec<Suite>, Vec<Suite>) = suites
        .iter()
        .copied()
        .partition(|suite: &Suite| *suite == Suite::Console);
    if !of_booking.is_empty() {
        let site = Site::start(&site::build(root, "dev")?, services)?;
        for suite in of_booking {
            let address = ("BOOKING_URL", site.address.as_ref());
            ran.add(run_suite(&folder, suite.script(), address)?);
        }
        site.end()?;
    }
    // Starts a Slipway by itself, with a small application of its own.
    for suite in of_slipway {
        let slipway = site::build_program(root, "slipway", "slipway", "dev")?;
        let program = ("SLIPWAY", slipway.as_ref());
        ran.add(run_suite(&folder, suite.script(), program)?);
    }
    ensure!(ran.passed + ran.failed > 0, "no browser test ran");
    Ok(ran)
}

/// `cargo xtask e2e`: these suites, or all, with services of their own.
pub(crate) fn alone(root: &Path, suites: &[Suite]) -> anyhow::Result<()> {
    let suites = if suites.is_empty() { &SUITES } else { suites };
    let ran = run_suites(root, &Services::start()?, suites)?;
    println!("{} passed, {} failed", ran.passed, ran.failed);
    ensure!(ran.failed == 0, "{} browser tests failed", ran.failed);
    Ok(())
}

/// `cargo xtask e2e --screens`: takes a picture of every page, for people to look at.
pub(crate) fn screens(root: &Path) -> anyhow::Result<()> {
    let services = Services::start()?;
    let folder = compile(root)?;
    let site = Site::start(&site::build(root, "dev")?, &services)?;
    let address = [("BOOKING_URL", site.address.as_str())];
    node(&folder, "test-results/js/screens.js", &address)?;
    site.end()?;
    let pictures = folder.join("test-results/screens");
    eprintln!("pictures are in {}", pictures.display());
    Ok(())
}

/// Installs what the suites need and compiles them; gives their folder.
fn compile(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(FOLDER);
    install(&folder)?;
    node(&folder, "node_modules/typescript/bin/tsc", &[])?;
    Ok(folder)
}

/// `npm ci`, unless what the lock file names is installed already.
fn install(folder: &Path) -> anyhow::Result<()> {
    let changed = |file: &str| {
        fs::metadata(folder.join(file))
            .and_then(|m| m.modified())
            .ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .context("starting npm")?;
    ensure!(status.success(), "npm ci ended with {status}");
    Ok(())
}

fn node(folder: &Path, script: &str, variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = Command::new("node")
        .arg(script)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .context("starting node")?;
    ensure!(status.success(), "node {script} ended with {status}");
    Ok(())
}

/// Runs one suite, showing its report as it comes.
fn run_suite(folder: &Path, suite: &str, over: (&str, &OsStr)) -> anyhow::Result<Ran> {
    let mut child = Command::new("node")
        .arg("--test-reporter=tap")
        .arg(format!("test-results/js/{suite}"))
        .env(over.0, over.1)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting node")?;
    let report = child.stdout.take().context("the report is piped")?;
    let mut lines = Vec::new();
    for line in BufReader::new(report).lines() {
        let line = line.context("reading the report")?;
        println!("{line}");
        lines.push(line);
    }
    let status = child.wait().context("waiting for node")?;
    let ran = count(&lines).with_context(|| format!("{suite} ended with {status}, uncounted"))?;
    // A suite that breaks outside its tests has still failed.
    ensure!(
        status.success() || ran.failed > 0,
        "{suite} ended with {status}, though no test failed"
    );
    Ok(ran)
}

/// Reads `# pass 9` and `# fail 1` at the end of a report.
fn count(report: &[String]) -> Option<Ran> {
    let number = |name: &str| {
        let mut lines = report.iter().rev();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    // A test that was given up or called off did not pass.
    let failed: u64 = number("# fail ")?;
    let cancelled: u64 = number("# cancelled ").unwrap_or(0);
    Some(Ran {
        passed: number("# pass ")?,
        failed: failed + cancelled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_counted_and_one_without_an_end_is_not() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let report = lines("ok 1 - a\n# pass 9\n# fail 1\n# cancelled 2\n# skipped 0");
        let ran = Ran {
            passed: 9,
            failed: 3,
        };
        assert_eq!(count(&report), Some(ran));
        assert_eq!(count(&lines("ok 1 - a\n# pass")), None);
    }
}
