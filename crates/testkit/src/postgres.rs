//! A throw-away PostgreSQL on a private socket, and a database of its own for each
//! test. Nothing in it is durable: it lives as long as the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::account::Account;
use crate::server::{self, Server};
use crate::store;

/// The superuser, which no application ever uses.
const ADMIN: &str = "testkit";
/// The role that owns the databases of tests: no superuser, bound by row security.
pub const ROLE: &str = "application";

/// Where a PostgreSQL for tests answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    folder: PathBuf,
}

impl Address {
    pub(crate) fn read(text: &str) -> Self {
        Self {
            folder: PathBuf::from(text),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.folder.display().to_string()
    }

    /// The address of a database for `user`.
    fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@localhost/{database}?host={}",
            self.text()
        )
    }

    fn admin(&self) -> String {
        self.url(ADMIN, "postgres")
    }
}

/// A running server. It ends with this value, or with the process.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// Makes a cluster and starts it. Blocking, one to three seconds.
    pub fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let account = Account::unprivileged()?;
        let folder = server::folder("postgres", account)?;
        let data = folder.path().join("data");
        let address = Address {
            folder: folder.path().to_owned(),
        };
        let server = Server::start(
            "PostgreSQL",
            "INT",
            folder,
            account,
            &initialise(&programs, &data),
            &command(&programs, &data),
            || is_ready(&programs, &address),
        )?;
        Ok(Self { server })
    }

    /// Where it answers.
    pub fn address(&self) -> Address {
        Address {
            folder: self.server.folder().to_owned(),
        }
    }

    /// Stops it, so that a test can see what happens without it.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop()
    }
}

fn initialise(programs: &Path, data: &Path) -> Vec<String> {
    [
        programs.join("initdb").display().to_string().as_str(),
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
        &format!("--username={ADMIN}"),
        &format!("--pgdata={}", data.display()),
    ]
    .map(str::to_owned)
    .into()
}

fn is_ready(programs: &Path, address: &Address) -> bool {
    // The socket appears before the server is ready, so the server itself is asked then.
    if !address.folder.join(".s.PGSQL.5432").exists() {
        return false;
    }
    Command::new(programs.join("pg_isready"))
        .args(["--quiet", "--timeout=2", "--dbname=postgres"])
        .arg(format!("--host={}", address.text()))
        .arg(format!("--username={ADMIN}"))
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn command(programs: &Path, data: &Path) -> Vec<String> {
    let mut command = vec![
        programs.join("postgres").display().to_string(),
        "-D".to_owned(),
        data.display().to_string(),
    ];
    let socket_folder = data.parent().unwrap_or(data).display();
    let settings = [
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={socket_folder}"),
        "max_connections=400".to_owned(),
        // For tests only: a crash of the machine may lose all of it.
        "fsync=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "shared_buffers=64MB".to_owned(),
        "autovacuum_naptime=10s".to_owned(),
    ];
    for setting in settings {
        command.extend(["-c".to_owned(), setting]);
    }
    command
}

/// The folder with PostgreSQL's programs, of the newest version that is installed.
fn programs() -> anyhow::Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, bin)| bin);
    newest.context("PostgreSQL is not installed: apt-get install postgresql")
}

/// A database of one test. It is dropped with this value.
#[derive(Debug)]
pub struct Database {
    address: Address,
    name: String,
}

impl Database {
    /// An empty database that [`ROLE`] owns.
    pub async fn empty(address: &Address) -> anyhow::Result<Self> {
        let name = store::unused_name(&address.admin(), ROLE).await?;
        Ok(Self {
            address: address.clone(),
            name,
        })
    }

    /// A copy of the database `template`, which `prepare` fills once for all tests that
    /// share the server. `prepare` gets its address and must leave no connection open.
    pub async fn cloned(
        address: &Address,
        template: &str,
        prepare: impl AsyncFnOnce(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let admin = address.admin();
        let url = address.url(ROLE, template);
        store::template(&admin, ROLE, template, async || prepare(&url).await).await?;
        let name = store::clone(&admin, ROLE, template).await?;
        Ok(Self {
            address: address.clone(),
            name,
        })
    }

    /// Its address for the role that owns it and that cannot pass by row security.
    pub fn url(&self) -> String {
        self.address.url(ROLE, &self.name)
    }

    /// Its address for the superuser, to look at what no role may see.
    pub fn admin_url(&self) -> String {
        self.address.url(ADMIN, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the statements of a file as the role that owns the database. Blocking.
    pub fn run_file(&self, file: &Path) -> anyhow::Result<()> {
        let output = Command::new(programs()?.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--single-transaction"])
            .arg("--set=ON_ERROR_STOP=1")
            .arg(format!("--dbname={}", self.url()))
            .arg("--file")
            .arg(file)
            .stdin(Stdio::null())
            .output()
            .context("starting psql")?;
        if !output.status.success() {
            bail!(
                "{}: {}",
                file.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    fn drop_now(&self) -> anyhow::Result<()> {
        let output = Command::new(programs()?.join("dropdb"))
            .args(["--force", "--if-exists"])
            .arg(format!("--host={}", self.address.text()))
            .arg(format!("--username={ADMIN}"))
            .arg(&self.name)
            .stdin(Stdio::null())
            .output()
            .context("starting dropdb")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that a test stopped took its databases along.
        if !self.address.folder.exists() {
            return;
        }
        if let Err(error) = self.drop_now() {
            tracing::warn!(%error, name = self.name, "a database stays behind");
        }
    }
}
