//! A throw-away Redis on a private socket, and a database number of its own for each
//! test.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::account::Account;
use crate::server::{self, Server};

const PROGRAM: &str = "/usr/bin/redis-server";
/// Number 0 holds the counter from which tests get theirs.
const NUMBERS: i64 = 4096;

/// Where a Redis for tests answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    socket: PathBuf,
}

impl Address {
    pub(crate) fn read(text: &str) -> Self {
        Self {
            socket: PathBuf::from(text),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.socket.display().to_string()
    }

    fn url(&self, number: i64) -> String {
        format!("unix://{}?db={number}", self.text())
    }

    /// A database number that no other test has, as an address. It is empty.
    pub async fn database(&self) -> anyhow::Result<String> {
        let client = redis::Client::open(self.url(0)).context("reading the address of Redis")?;
        let mut connection = client
            .get_multiplexed_async_connection()
            .await
            .context("connecting to the Redis of the tests")?;
        let number: i64 = redis::cmd("INCR")
            .arg("testkit")
            .query_async(&mut connection)
            .await
            .context("counting the tests")?;
        ensure!(number < NUMBERS, "more than {NUMBERS} tests use one Redis");
        Ok(self.url(number))
    }
}

/// A running server. It ends with this value, or with the process.
#[derive(Debug)]
pub struct Redis {
    server: Server,
}

impl Redis {
    /// Starts a server. Blocking.
    pub fn start() -> anyhow::Result<Self> {
        ensure!(
            std::path::Path::new(PROGRAM).exists(),
            "Redis is not installed: apt-get install redis-server"
        );
        let account = Account::unprivileged()?;
        let folder = server::folder("redis", account)?;
        let socket = folder.path().join("socket");
        let command: Vec<String> = [
            PROGRAM,
            "--port",
            "0",
            "--unixsocket",
            &socket.display().to_string(),
            "--databases",
            &NUMBERS.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        .map(str::to_owned)
        .into();
        let is_ready = || UnixStream::connect(&socket).is_ok();
        let server = Server::start("Redis", "TERM", folder, account, &[], &command, is_ready)?;
        Ok(Self { server })
    }

    /// Where it answers.
    pub fn address(&self) -> Address {
        Address {
            socket: self.server.folder().join("socket"),
        }
    }

    /// Stops it, so that a test can see what happens without it.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop()
    }
}
