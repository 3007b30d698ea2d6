//! `cargo xtask contract`: the API held against its own description by a stranger. Starts
//! Booking with the demonstration in its database, gives schemathesis a key of a business,
//! and fails on any breach: a status, a header or a body that is not described, a request
//! that is taken though it must not be, and anything that is broken on our side.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use testkit::postgres::Database;
use testkit::services::Services;

use crate::setup;
use crate::site::{self, Site};

const FOLDER: &str = "tests/contract";
/// For each operation in each phase, so that the whole run is bounded.
const EXAMPLES_MAX: &str = "40";

/// Opens everything of one business that a key can open; of a database that ends with the run.
const KEY: &str = "bk_contract_made-for-one-run-of-the-contract";

/// A stranger who asks thousands of times in a minute.
const UNLIMITED: [(&str, &str); 1] = [("KEY_REQUESTS_PER_MINUTE", "1000000")];

/// Runs it with services of its own.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    setup::run(setup::Purpose::Contract)?;
    let program = site::build(root, "dev")?;
    let reports = target(&program)?.join("contract");
    let tool = install(root, &reports)?;
    let services = Services::start()?;
    let site = Site::start_with(&program, &services, &UNLIMITED)?;
    make_key(&site.database)?;
    let passed = hold(root, &tool, &reports, &site.address)?;
    site.end()?;
    println!("the report is {}", reports.join("junit.xml").display());
    ensure!(passed, "the API is not as it is described");
    Ok(())
}

/// The folder that everything is built in; the program lies in a folder of it.
fn target(program: &Path) -> anyhow::Result<&Path> {
    let folder = program.parent().and_then(Path::parent);
    folder.context("the program lies in no folder")
}

/// Installs exactly what the requirements name, in an environment of its own; gives the tool.
fn install(root: &Path, reports: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root.join(FOLDER).join("requirements.txt");
    let wanted = std::fs::read(&requirements).context("reading the requirements")?;
    let environment = reports.join("python");
    let tool = environment.join("bin/schemathesis");
    let installed = environment.join("requirements.txt");
    if tool.exists() && std::fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(tool);
    }
    let python = ["-m", "venv", "--clear"].map(Path::new);
    command(
        Command::new("python3").args(python).arg(&environment),
        "python3 -m venv",
    )?;
    command(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "--requirement"])
            .arg(&requirements),
        "pip install",
    )?;
    std::fs::write(&installed, wanted).context("noting what is installed")?;
    Ok(tool)
}

fn command(command: &mut Command, name: &str) -> anyhow::Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("starting {name}"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Puts the key where its owner would have made it.
fn make_key(database: &Database) -> anyhow::Result<()> {
    let hash = blake3::hash(KEY.as_bytes()).to_hex();
    let statement = format!(
        "select set_config('booking.business', id::text, true) from business
         where slug = 'karoo-cuts';
         insert into api_key (id, business_id, name, prefix, secret_hash, scopes, created_at)
         values (gen_random_uuid(), current_business(), 'Contract', 'bk_contract',
             decode('{hash}', 'hex'),
             '{{read:bookings,write:bookings,read:customers,manage:keys,manage:feeds}}', now());"
    );
    let file = tempfile::NamedTempFile::new().context("making a file for the key")?;
    std::fs::write(file.path(), statement).context("writing the key")?;
    database.run_file(file.path())
}

/// Whether everything is as it is described.
fn hold(root: &Path, tool: &Path, reports: &Path, address: &str) -> anyhow::Result<bool> {
    let status = Command::new(tool)
        .arg("--config-file")
        .arg(root.join(FOLDER).join("schemathesis.toml"))
        .args(["run", &format!("{address}/api/v1/openapi.json")])
        .args(["--checks", "all"])
        .args(["--max-examples", EXAMPLES_MAX, "--report", "junit"])
        .arg("--report-junit-path")
        .arg(reports.join("junit.xml"))
        .args(["--no-color", "--generation-database", "none"])
        .env("BOOKING_KEY", KEY)
        .current_dir(reports)
        .stdin(Stdio::null())
        .status()
        .context("starting schemathesis")?;
    Ok(status.success())
}
