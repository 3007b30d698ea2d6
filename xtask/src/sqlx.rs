//! `cargo xtask sqlx`: records anew what the checked queries of Booking mean, against
//! a throw-away PostgreSQL with today's migrations. The journal's queries, which are
//! SQLite's, stay as they are. `--check` only says whether the records are current.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail, ensure};
use chassis::Clock;
use testkit::postgres::{Database, Postgres};

const CRATE: &str = "booking-web";
/// The migrations of the crate, applied one after the other.
const MIGRATIONS: &str = "crates/booking-web/migrations";
/// The compiler looks at the queries again only when a file of the crate has changed.
const TOUCHED: &str = "crates/booking-web/src/lib.rs";

/// By file name, what each record holds.
type Records = BTreeMap<String, String>;

pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let database = runtime.block_on(Database::empty(&postgres.address()))?;
    apply_migrations(root, &database)?;
    let fresh = tempfile::tempdir().context("making a folder for the records")?;
    expand(root, &database.url(), fresh.path())?;
    let new = read(fresh.path())?;
    ensure!(!new.is_empty(), "no query was recorded");
    let folder = root.join(".sqlx");
    let old: Records = read(&folder)?
        .into_iter()
        .filter(|(_, text)| is_postgres(text))
        .collect();
    if new == old {
        eprintln!("{} queries, all recorded as they are", new.len());
        return Ok(());
    }
    if check {
        bail!("the recorded queries are not those in the source: cargo xtask sqlx");
    }
    write(&folder, &old, &new)?;
    eprintln!("{} queries recorded in .sqlx", new.len());
    Ok(())
}

fn apply_migrations(root: &Path, database: &Database) -> anyhow::Result<()> {
    let mut files: Vec<_> = fs::read_dir(root.join(MIGRATIONS))
        .context("reading the migrations")?
        .collect::<Result<_, _>>()
        .context("reading the migrations")?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        database.run_file(&file.path())?;
    }
    database.run_file(&root.join("crates/testkit/src/store/migrations_table.sql"))
}

/// Compiles the crate while its queries are described by the database.
fn expand(root: &Path, url: &str, into: &Path) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let now = SystemTime::UNIX_EPOCH + Duration::try_from(now.as_duration())?;
    fs::File::options()
        .append(true)
        .open(root.join(TOUCHED))
        .and_then(|file| file.set_modified(now))
        .with_context(|| format!("touching {TOUCHED}"))?;
    let status = crate::cargo::command()
        .args(["check", "--quiet", "--locked", "--package", CRATE, "--lib"])
        .current_dir(root)
        .env("DATABASE_URL", url)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", into)
        .stdin(Stdio::null())
        .status()
        .context("starting cargo check")?;
    ensure!(
        status.success(),
        "{CRATE} does not compile; nothing was recorded"
    );
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Records> {
    let mut records = Records::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with("query-") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            records.insert(name.to_owned(), text);
        }
    }
    Ok(records)
}

fn is_postgres(record: &str) -> bool {
    record.contains("\"db_name\": \"PostgreSQL\"")
}

fn write(folder: &Path, old: &Records, new: &Records) -> anyhow::Result<()> {
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        fs::remove_file(folder.join(name)).with_context(|| format!("removing {name}"))?;
    }
    for (name, text) in new {
        fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_leaves_the_records_of_the_other_database_alone() {
        let folder = tempfile::tempdir().unwrap();
        let record = |db: &str, query: &str| {
            format!("{{\n  \"db_name\": \"{db}\",\n  \"query\": \"{query}\"\n}}\n")
        };
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("query-journal.json", &record("SQLite", "select 1"));
        put("query-gone.json", &record("PostgreSQL", "select 2"));
        let new = Records::from([("query-new.json".into(), record("PostgreSQL", "select 3"))]);
        let old: Records = read(folder.path())
            .unwrap()
            .into_iter()
            .filter(|(_, text)| is_postgres(text))
            .collect();
        write(folder.path(), &old, &new).unwrap();
        let names: Vec<_> = read(folder.path()).unwrap().into_keys().collect();
        assert_eq!(names, ["query-journal.json", "query-new.json"]);
    }
}
