//! Redis: on loopback, with a password, appending what it is told to disk.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chassis::SecretString;
use rustix::process::Signal;

use crate::accessories::Ground;
use crate::accessories::record::{self, Record};
use crate::cli::failure::Failure;
use slipway_rollout::account;

pub(crate) const NAME: &str = "redis";
/// Redis writes down what it has and ends.
pub(crate) const ASK: Signal = Signal::TERM;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running Redis.
#[derive(Clone)]
pub(crate) struct Redis {
    port: u16,
    password: String,
}

impl Redis {
    /// Adopts the running one, or starts it; the record is there when a process was
    /// started. Blocking.
    pub(crate) fn start(ground: &Ground) -> anyhow::Result<Option<Record>> {
        let server = server()?;
        let before = Record::read(&ground.state, NAME)?;
        fs::create_dir_all(ground.state.accessory(NAME))?;
        let password = record::secret(ground, NAME, "password")?;
        if let Some(running) = before.as_ref().filter(|b| b.runs()) {
            let redis = Self {
                port: running.port,
                password,
            };
            redis.await_ready(ground, running)?;
            return Ok(None);
        }
        record::end_strays(&ground.state, NAME, ASK)?;
        let account = account::unprivileged(&["redis", "nobody"])?;
        let redis = Self {
            port: record::choose_port(before.as_ref())?,
            password,
        };
        let folder = ground.state.accessory(NAME);
        let data = folder.join("data");
        record::folder(&data, account.as_ref())?;
        let settings = data.join("redis.conf");
        chassis::durable::replace(&settings, redis.settings(&data).as_bytes(), 0o600)
            .with_context(|| format!("writing {}", settings.display()))?;
        account::give(&settings, account.as_ref())?;
        let argv = [server.display().to_string(), settings.display().to_string()];
        let process = record::spawn(ground, NAME, account.as_ref(), &argv)?;
        let record = Record {
            process,
            port: redis.port,
        };
        record.write(&ground.state, NAME)?;
        redis.await_ready(ground, &record)?;
        Ok(Some(record))
    }

    /// Where it answers, with the password; running or not.
    pub(crate) fn url(ground: &Ground) -> anyhow::Result<SecretString> {
        let known = Record::read(&ground.state, NAME)?
            .context("this environment's Redis was never started")?;
        let password = record::secret(ground, NAME, "password")?;
        Ok(format!("redis://:{password}@127.0.0.1:{}/0", known.port).into())
    }

    fn settings(&self, data: &std::path::Path) -> String {
        format!(
            "bind 127.0.0.1\nport {}\ndir \"{}\"\nrequirepass {}\nappendonly yes\n\
             daemonize no\nprotected-mode yes\nmaxmemory-policy noeviction\n",
            self.port,
            data.display(),
            self.password
        )
    }

    fn await_ready(&self, ground: &Ground, record: &Record) -> anyhow::Result<()> {
        record::await_ready(ground, NAME, &record.process, READY_WITHIN, || {
            self.answers().unwrap_or(false)
        })
    }

    /// Whether it takes the password and answers; while it loads its file it does not.
    fn answers(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(format!("AUTH {}\r\nPING\r\n", self.password).as_bytes())?;
        let mut said = Vec::new();
        let mut buffer = [0; 128];
        while !said.ends_with(b"\r\n") || said.len() <= b"+OK\r\n".len() {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            said.extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
        Ok(said.starts_with(b"+OK\r\n+PONG\r\n"))
    }
}

/// The installed server.
pub(crate) fn server() -> Result<PathBuf, Failure> {
    record::program("redis-server", &[]).ok_or_else(|| {
        Failure::usage("Redis is not installed, and the environment asks for it")
            .hint("apt-get install redis-server")
    })
}
