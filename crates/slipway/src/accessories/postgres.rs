//! PostgreSQL: a cluster of its own on loopback, with passwords, and a role and a
//! database for each service. Durable: `fsync` stays on.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chassis::SecretString;
use rustix::process::Signal;
use slipway_journal::ServiceName;

use crate::accessories::Ground;
use crate::accessories::record::{self, Record};
use crate::cli::failure::Failure;
use slipway_rollout::account::{self, Account};

pub(crate) const NAME: &str = "postgres";
/// PostgreSQL's fast shutdown: it ends sessions and writes a checkpoint.
pub(crate) const ASK: Signal = Signal::INT;
/// Superuser of the cluster; services never use it.
const ADMIN: &str = "slipway";
const READY_WITHIN: Duration = Duration::from_mins(1);
const CONNECTIONS_MAX: u16 = 200;
/// Statements that make a role and a database, read from standard input by `psql`.
const SERVICE_DATABASE: &str = include_str!("store/service_database.sql");

/// A running PostgreSQL.
#[derive(Clone)]
pub(crate) struct Postgres {
    ground: Ground,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Adopts the running one, or starts it; the record is there when a process was
    /// started. Blocking.
    pub(crate) fn start(ground: &Ground) -> anyhow::Result<Option<Record>> {
        let before = Record::read(&ground.state, NAME)?;
        if let Some(running) = before.as_ref().filter(|b| b.runs()) {
            Self::at(ground, running.port)?.await_ready(running)?;
            return Ok(None);
        }
        record::end_strays(&ground.state, NAME, ASK)?;
        let account = account::unprivileged(&["postgres", "nobody"])?;
        let postgres = Self::at(ground, record::choose_port(before.as_ref())?)?;
        postgres.prepare(account.as_ref())?;
        let record = postgres.spawn(account.as_ref())?;
        postgres.await_ready(&record)?;
        Ok(Some(record))
    }

    /// Gives each of `services` its role and database, where they are not there. Blocking.
    pub(crate) fn make_databases(ground: &Ground, services: &[ServiceName]) -> anyhow::Result<()> {
        let running = Record::read(&ground.state, NAME)?.context("PostgreSQL does not run")?;
        let postgres = Self::at(ground, running.port)?;
        for service in services {
            postgres.make_database(service)?;
        }
        Ok(())
    }

    fn at(ground: &Ground, port: u16) -> anyhow::Result<Self> {
        Ok(Self {
            ground: ground.clone(),
            programs: programs()?,
            port,
        })
    }

    /// Where `service` finds its database, running or not.
    pub(crate) fn url_of(ground: &Ground, service: &ServiceName) -> anyhow::Result<SecretString> {
        let known = Record::read(&ground.state, NAME)?
            .context("this environment's PostgreSQL was never started")?;
        let role = role_of(service);
        let password = record::secret(ground, NAME, &role)?;
        let address = format!("127.0.0.1:{}", known.port);
        Ok(format!("postgres://{role}:{password}@{address}/{role}").into())
    }

    /// The database of `service`, made with its role where they are not there. Blocking.
    fn make_database(&self, service: &ServiceName) -> anyhow::Result<()> {
        let role = role_of(service);
        let password = record::secret(&self.ground, NAME, &role)?;
        let mut psql = self
            .client("psql")?
            .env("SERVICE_PASSWORD", &password)
            .args([
                "--dbname=postgres",
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
            ])
            .arg(format!("--set=role={role}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting psql")?;
        if let Some(mut input) = psql.stdin.take() {
            input
                .write_all(SERVICE_DATABASE.as_bytes())
                .context("writing to psql")?;
        }
        let output = psql.wait_with_output().context("waiting for psql")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("making the database of {service}: {}", said.trim());
        }
        Ok(())
    }

    /// Makes the cluster at the first start.
    fn prepare(&self, account: Option<&Account>) -> anyhow::Result<()> {
        let folder = self.ground.state.accessory(NAME);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let data = self.data();
        if data.join("PG_VERSION").exists() {
            return Ok(());
        }
        // What an interrupted first start left behind holds no data yet.
        if data.exists() {
            fs::remove_dir_all(&data).with_context(|| format!("clearing {}", data.display()))?;
        }
        let fresh = folder.join("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(|| format!("clearing {}", fresh.display()))?;
        }
        record::folder(&fresh, account)?;
        let password = record::secret(&self.ground, NAME, ADMIN)?;
        let password_file = fresh.join(".password");
        chassis::durable::replace(&password_file, password.as_bytes(), 0o600)?;
        account::give(&password_file, account)?;
        let cluster = fresh.join("data");
        let output = record::launch(&self.ground, account, &fresh)
            .arg(self.programs.join("initdb"))
            .args([
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ])
            .arg(format!("--username={ADMIN}"))
            .arg(format!("--pwfile={}", password_file.display()))
            .arg("--pgdata")
            .arg(&cluster)
            .output()
            .context("starting initdb")?;
        if !output.status.success() {
            bail!(
                "initdb failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        // Renamed when whole, so a folder called `data` always holds a cluster.
        fs::rename(&cluster, &data).context("putting the cluster in its place")?;
        fs::remove_dir_all(&fresh).context("clearing what initdb needed")
    }

    fn spawn(&self, account: Option<&Account>) -> anyhow::Result<Record> {
        let mut argv = vec![
            self.programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            self.data().display().to_string(),
        ];
        let settings = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={CONNECTIONS_MAX}"),
            "password_encryption=scram-sha-256".to_owned(),
            "log_min_messages=warning".to_owned(),
        ];
        for setting in settings {
            argv.extend(["-c".to_owned(), setting]);
        }
        // A lock file of a crashed server names a process that may be another one today;
        // PostgreSQL checks that itself.
        let process = record::spawn(&self.ground, NAME, account, &argv)?;
        let record = Record {
            process,
            port: self.port,
        };
        record.write(&self.ground.state, NAME)?;
        Ok(record)
    }

    fn await_ready(&self, record: &Record) -> anyhow::Result<()> {
        record::await_ready(&self.ground, NAME, &record.process, READY_WITHIN, || {
            TcpStream::connect(("127.0.0.1", record.port)).is_ok() && self.accepts()
        })
    }

    fn accepts(&self) -> bool {
        let Ok(mut command) = self.client("pg_isready") else {
            return false;
        };
        let status = command
            .arg("--quiet")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|s| s.success())
    }

    /// A client program with the address and, in its environment only, the password.
    fn client(&self, program: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(self.programs.join(program));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("PGPASSWORD", record::secret(&self.ground, NAME, ADMIN)?)
            .env("PGCONNECT_TIMEOUT", "5")
            .arg("--host=127.0.0.1")
            .arg(format!("--port={}", self.port))
            .arg(format!("--username={ADMIN}"));
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.ground.state.accessory(NAME).join("data")
    }
}

/// A hyphen would have to be quoted in every statement that a person types.
fn role_of(service: &ServiceName) -> String {
    service.as_str().replace('-', "_")
}

/// The folder with PostgreSQL's programs; the newest version where there are several.
pub(crate) fn programs() -> Result<PathBuf, Failure> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("postgres").exists())
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, bin)| bin);
    let elsewhere = || record::program("postgres", &[]).and_then(|p| p.parent().map(PathBuf::from));
    newest.or_else(elsewhere).ok_or_else(|| {
        Failure::usage("PostgreSQL is not installed, and the environment asks for it")
            .hint("apt-get install postgresql")
    })
}
