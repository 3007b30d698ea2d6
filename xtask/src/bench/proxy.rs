//! Our data plane beside nginx as a reverse proxy. Both run with one worker pinned to
//! the first core; the upstream (nginx again) and the load (wrk) share the second.
//! Rounds alternate, so that a machine that slows down slows both.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chassis::Env;
use clap::Args;

use super::median;

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Rounds of each, in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Connections that are kept open
    #[arg(long, default_value_t = 64)]
    connections: u32,
}

/// What one round of one proxy gave.
#[derive(Debug, Clone, Copy)]
struct Round {
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Processor time of the proxy for one request.
    cpu_us: f64,
}

pub(crate) fn run(root: &Path, env: &Env, options: Options) -> anyhow::Result<()> {
    let ours = build(root, env)?;
    let folder = tempfile::tempdir().context("making a folder")?;
    let upstream = free_address()?;
    let _upstream = nginx(folder.path(), "upstream", 1, &upstream_site(upstream))?;
    let (peer_at, ours_at) = (free_address()?, free_address()?);
    let peer = nginx(folder.path(), "peer", 0, &peer_site(peer_at, upstream))?;
    let own = Running::start(pinned(0, &ours).args([
        ours_at.to_string(),
        upstream.to_string(),
        "1".to_owned(),
    ]))?;
    for address in [upstream, peer_at, ours_at] {
        await_listening(address)?;
    }
    let mut rounds: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
    for round in 0..=options.rounds {
        for (index, (address, process)) in
            [(ours_at, &own), (peer_at, &peer)].into_iter().enumerate()
        {
            let measured = measure(address, process, options)?;
            // The first round warms both up and does not count.
            if round > 0 {
                rounds[index].push(measured);
            }
        }
        eprint!(".");
    }
    eprintln!();
    print!("{}", table(&rounds[0], &rounds[1]));
    Ok(())
}

fn build(root: &Path, env: &Env) -> anyhow::Result<PathBuf> {
    let status = crate::cargo::command()
        .args([
            "build",
            "--profile",
            "dist",
            "--locked",
            "--package",
            "slipway-proxy",
        ])
        .args(["--example", "proxy"])
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    anyhow::ensure!(
        status.success(),
        "building the proxy: cargo ended with {status}"
    );
    let target = env
        .get("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("dist/examples/proxy"))
}

/// One process that ends with this value.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Self(child))
    }

    /// Processor time since its start.
    fn cpu(&self) -> anyhow::Result<Duration> {
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

fn pinned(core: u32, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

fn nginx(folder: &Path, name: &str, core: u32, site: &str) -> anyhow::Result<Running> {
    let path = folder.join(format!("{name}.conf"));
    let home = folder.display();
    let text = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {home}/{name}.pid;\n\
         error_log {home}/{name}.log warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 75s;\n\
         \x20 client_body_temp_path {home}/{name}-body;\n  proxy_temp_path {home}/{name}-proxy;\n\
         \x20 fastcgi_temp_path {home}/{name}-f;\n  uwsgi_temp_path {home}/{name}-u;\n\
         \x20 scgi_temp_path {home}/{name}-s;\n{site}}}\n"
    );
    std::fs::File::create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))?;
    Running::start(
        pinned(core, Path::new("/usr/sbin/nginx"))
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&path),
    )
}

fn upstream_site(at: SocketAddr) -> String {
    format!(
        "  server {{ listen {at} backlog=4096; location / {{ default_type text/plain; \
         add_header x-release bench; return 200 \"an answer of thirty-two octets..\"; }} }}\n"
    )
}

/// The same work as ours: keep-alive to the upstream, forwarding headers, a request id.
fn peer_site(at: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "  upstream origin {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
         \x20 server {{ listen {at} backlog=4096; location / {{ proxy_pass http://origin; \
         proxy_http_version 1.1; proxy_set_header Connection \"\"; \
         proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; \
         proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; \
         proxy_set_header X-Request-Id $request_id; }} }}\n"
    )
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("finding a free port")?;
    Ok(listener.local_addr()?)
}

fn await_listening(address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(Instant::now() < deadline, "nothing listens on {address}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

fn measure(address: SocketAddr, process: &Running, options: Options) -> anyhow::Result<Round> {
    let before = process.cpu()?;
    let output = pinned(1, Path::new("wrk"))
        .args(["--latency", "--threads", "1"])
        .args(["--connections", &options.connections.to_string()])
        .args(["--duration", &format!("{}s", options.seconds)])
        .arg(format!("http://{address}/"))
        .output()
        .context("starting wrk")?;
    let cpu = process.cpu()?.saturating_sub(before);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("the round had failed requests:\n{text}");
    }
    read(&text, cpu).with_context(|| format!("reading what wrk said:\n{text}"))
}

/// Reads the report of wrk.
fn read(text: &str, cpu: Duration) -> Option<Round> {
    let after = |label: &str| {
        text.lines()
            .find_map(|l| l.trim().strip_prefix(label))
            .map(str::trim)
    };
    let requests: f64 = text
        .lines()
        .find_map(|l| l.trim().split_once(" requests in "))
        .and_then(|(n, _)| n.parse().ok())?;
    Some(Round {
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
        cpu_us: cpu.as_secs_f64() * 1e6 / requests,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

fn table(ours: &[Round], peer: &[Round]) -> String {
    type Figure = fn(&Round) -> f64;
    let figures: [(&str, Figure); 4] = [
        ("requests per second", |r| r.requests_per_second),
        ("p50, ms", |r| r.p50_ms),
        ("p99, ms", |r| r.p99_ms),
        ("processor per request, µs", |r| r.cpu_us),
    ];
    let mut text = format!(
        "{} rounds each, in turn; medians; the ratio is the median of the pairs\n\n\
         | | slipway | nginx | ratio | lowest | highest |\n|---|---:|---:|---:|---:|---:|\n",
        ours.len()
    );
    for (name, of) in figures {
        let own: Vec<f64> = ours.iter().map(of).collect();
        let other: Vec<f64> = peer.iter().map(of).collect();
        let ratios: Vec<f64> = own.iter().zip(&other).map(|(a, b)| a / b).collect();
        let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = ratios.iter().copied().fold(0.0, f64::max);
        let row = writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:.2} | {lowest:.2} | {highest:.2} |",
            median(&own),
            median(&other),
            median(&ratios),
        );
        row.expect("a String takes every line");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_wrk_is_read() {
        let text = "  Latency Distribution\n     50%  820.00us\n     99%    1.50ms\n\
                    \x20 40000 requests in 4.00s, 5.00MB read\nRequests/sec:  10000.00\n";
        let round = read(text, Duration::from_secs(2)).unwrap();
        assert!((round.p50_ms - 0.82).abs() < 1e-9 && (round.p99_ms - 1.5).abs() < 1e-9);
        assert!((round.cpu_us - 50.0).abs() < 1e-9);
    }
}
