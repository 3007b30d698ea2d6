//! A process that is measured: pinned to one core, ended with its value, and asked for its
//! processor time and its memory.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// One process that ends with this value.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Self(child))
    }

    /// Processor time since its start.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))
            .context("reading the processor time")?;
        let (_, rest) = stat.rsplit_once(')').context("the line has a name")?;
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|f| f.parse::<u64>().ok())
            .sum();
        Ok(Duration::from_micros(
            ticks * 1_000_000 / ticks_per_second()?,
        ))
    }

    /// Memory that is resident now, KiB.
    pub(super) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))
            .context("reading the memory")?;
        let mut lines = status.lines();
        let said = lines.find_map(|line| line.strip_prefix("VmRSS:"));
        let number = said.and_then(|said| said.trim().strip_suffix(" kB"));
        number
            .context("the memory is not told")?
            .trim()
            .parse()
            .context("reading the memory")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait().map(drop)) {
            eprintln!("a process of the measurement stays behind: {error}");
        }
    }
}

fn ticks_per_second() -> anyhow::Result<u64> {
    let output = Command::new("getconf")
        .arg("CLK_TCK")
        .output()
        .context("starting getconf")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .context("reading the length of a clock tick")
}

/// `program` on one core.
pub(super) fn pinned(core: u32, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("finding a free port")?;
    Ok(listener.local_addr()?)
}

pub(super) fn await_listening(address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(Instant::now() < deadline, "nothing listens on {address}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}
