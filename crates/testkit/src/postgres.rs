//! A throw-away PostgreSQL on a private socket, and a database of its own for each
//! test. It lives as long as the tests; only one that is measured is durable.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::account::Account;
use crate::server::{self, Server};
use crate::{store, wait};

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

/// Settings of a server for tests: a crash of the machine may lose all of it.
const FLEETING: [&str; 4] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=64MB",
];

/// Settings of a server that crashes in tests and must keep what it has.
const SAFE: [&str; 3] = [
    "shared_buffers=64MB",
    "min_wal_size=32MB",
    "max_wal_size=64MB",
];

/// How a server goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As when it is restarted: sessions are told.
    InOrder,
    /// As when it crashes: nothing is written any more.
    Crash,
}

/// While it is there, the server is down.
const DOWN: &str = "down";
const GONE_WITHIN: Duration = Duration::from_secs(30);
const UP_WITHIN: Duration = Duration::from_secs(60);

/// Runs the server again and again, with a pause for as long as `down` is there. It makes
/// that file itself when the server ends by itself.
const SUPERVISOR: &str = r#"
server=
end() {
    trap '' TERM
    if [ -n "$server" ]
    then while kill -s INT "$server" 2>/dev/null; do sleep 0.05; done
    fi
    exit 0
}
trap end TERM
while :
do
    while [ -e down ]; do sleep 0.02; done
    "$@" & server=$!
    wait "$server"
    server=
    [ -e down ] || : >down
done
"#;

/// Settings of a server that is measured, as one in production could have them. What it
/// writes is on the disk before it says so.
const DURABLE: [&str; 4] = [
    "shared_buffers=1GB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
];

impl Postgres {
    /// Makes a cluster and starts it. Blocking, one to three seconds.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(&FLEETING)
    }

    /// The same with all that makes it durable, for measurements.
    pub fn durable() -> anyhow::Result<Self> {
        Self::with(&DURABLE)
    }

    /// A server that can go down and come back with what it has, [`Postgres::down`] and
    /// [`Postgres::up`]; in `folder`, where one is named.
    pub fn restartable(folder: Option<&Path>) -> anyhow::Result<Self> {
        let account = Account::unprivileged()?;
        let folder = match folder {
            Some(within) => server::folder_in(within, "postgres", account)?,
            None => server::folder("postgres", account)?,
        };
        let supervised = ["/bin/sh", "-c", SUPERVISOR, "supervisor"].map(str::to_owned);
        Self::run(folder, account, &SAFE, supervised.into(), "TERM")
    }

    fn with(settings: &[&str]) -> anyhow::Result<Self> {
        let account = Account::unprivileged()?;
        let folder = server::folder("postgres", account)?;
        Self::run(folder, account, settings, Vec::new(), "INT")
    }

    /// Starts it by `before`, the beginning of its command; `signal` ends that.
    fn run(
        folder: TempDir,
        account: Option<Account>,
        settings: &[&str],
        before: Vec<String>,
        signal: &str,
    ) -> anyhow::Result<Self> {
        let programs = programs()?;
        let data = folder.path().join("data");
        let address = Address {
            folder: folder.path().to_owned(),
        };
        let server = Server::start(
            "PostgreSQL",
            signal,
            folder,
            account,
            &initialise(&programs, &data),
            &[before, command(&programs, &data, settings)].concat(),
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

    /// Takes it down, in order or as a crash does, and waits until it is gone.
    pub fn down(&self, how: End) -> anyhow::Result<()> {
        let folder = self.server.folder();
        let pid = std::fs::read_to_string(folder.join("data/postmaster.pid"))
            .context("reading who PostgreSQL is")?;
        let pid = pid.lines().next().and_then(|pid| pid.trim().parse().ok());
        let pid = pid.and_then(Pid::from_raw).context("no process")?;
        std::fs::write(folder.join(DOWN), "").context("keeping PostgreSQL down")?;
        let signal = match how {
            End::InOrder => Signal::INT,
            End::Crash => Signal::QUIT,
        };
        kill_process(pid, signal).context("ending PostgreSQL")?;
        ensure!(
            wait::until(GONE_WITHIN, || test_kill_process(pid).is_err()),
            "PostgreSQL does not end"
        );
        Ok(())
    }

    /// Brings it back and waits until it answers.
    pub fn up(&self) -> anyhow::Result<()> {
        let (programs, address) = (programs()?, self.address());
        let down = address.folder.join(DOWN);
        let is_up = || {
            // Its end may be noticed only now, and then it is kept down once more.
            let _none = std::fs::remove_file(&down);
            is_ready(&programs, &address)
        };
        ensure!(
            wait::until(UP_WITHIN, is_up),
            "PostgreSQL does not come back:\n{}",
            self.log()?
        );
        Ok(())
    }

    /// Whether it is down, by itself or because it was taken down.
    pub fn is_down(&self) -> bool {
        self.server.folder().join(DOWN).exists()
    }

    /// What it has logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        let file = self.server.folder().join("log");
        std::fs::read_to_string(file).context("reading the log of PostgreSQL")
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

fn command(programs: &Path, data: &Path, settings: &[&str]) -> Vec<String> {
    let mut command = vec![
        programs.join("postgres").display().to_string(),
        "-D".to_owned(),
        data.display().to_string(),
    ];
    let socket_folder = data.parent().unwrap_or(data).display();
    let always = [
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={socket_folder}"),
        "max_connections=400".to_owned(),
        "autovacuum_naptime=10s".to_owned(),
    ];
    let settings = settings.iter().map(|setting| (*setting).to_owned());
    for setting in always.into_iter().chain(settings) {
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
