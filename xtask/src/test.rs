//! `cargo xtask test`: everything that a change must pass, in the order in which an
//! answer is cheapest. Ends with one line that counts the tests of every runner.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use chassis::Env;
use testkit::services::Services;

use crate::stage::Stages;
use crate::{e2e, setup, tidy};

/// Tests that ran, of all runners together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

pub(crate) fn run(root: &Path, _env: &Env) -> anyhow::Result<()> {
    let mut stages = Stages::default();
    let mut count = Count::default();
    let outcome = all(root, &mut stages, &mut count);
    eprint!("{}", stages.table());
    // The closing line that runners are known by.
    println!("{} passed, {} failed", count.passed, count.failed);
    outcome
}

fn all(root: &Path, stages: &mut Stages, count: &mut Count) -> anyhow::Result<()> {
    stages.run("setup", || setup::run(setup::Purpose::Test))?;
    stages.run("format", || cargo(root, &["fmt", "--all", "--check"]))?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    stages.run("lints", || cargo(root, &clippy))?;
    stages.run("tidy", || tidy::run(root))?;
    let build = ["test", "--workspace", "--locked", "--no-run"];
    stages.run("build", || cargo(root, &build))?;
    // One PostgreSQL and one Redis for all test processes; they end with this value.
    let services = stages.run("services", Services::start)?;
    stages.run("tests", || tests(root, &services, count))?;
    stages.run("browser", || browser(root, &services, count))
}

/// Runs the suites in a real browser.
fn browser(root: &Path, services: &Services, count: &mut Count) -> anyhow::Result<()> {
    let ran = e2e::run(root, services)?;
    count.passed += ran.passed;
    count.failed += ran.failed;
    anyhow::ensure!(ran.failed == 0, "{} browser tests failed", ran.failed);
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status = crate::cargo::command()
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .status()
        .context("starting cargo")?;
    anyhow::ensure!(
        status.success(),
        "cargo {} ended with {status}",
        arguments.join(" ")
    );
    Ok(())
}

/// Runs every test, showing the output as it comes and counting as it goes.
fn tests(root: &Path, services: &Services, count: &mut Count) -> anyhow::Result<()> {
    let mut child = crate::cargo::command()
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .envs(services.variables())
        .env("INSTA_WORKSPACE_ROOT", root)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting cargo test")?;
    let output = child
        .stdout
        .take()
        .context("the output of cargo test is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("reading the output of cargo test")?;
        println!("{line}");
        if let Some((passed, failed)) = closing_line(&line) {
            count.passed += passed;
            count.failed += failed;
        }
    }
    let status = child.wait().context("waiting for cargo test")?;
    if !status.success() {
        bail!(
            "{} tests failed; cargo test ended with {status}",
            count.failed
        );
    }
    anyhow::ensure!(count.passed > 0, "no test ran");
    Ok(())
}

/// Reads `test result: ok. 13 passed; 0 failed; …`.
fn closing_line(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |name: &str| {
        rest.split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
    };
    Some((number("passed")?, number("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_runner_is_counted() {
        let line =
            "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out";
        assert_eq!(closing_line(line), Some((12, 1)));
        assert_eq!(closing_line("running 13 tests"), None);
    }
}
