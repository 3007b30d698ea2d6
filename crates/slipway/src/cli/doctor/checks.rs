//! The single looks of `slipway doctor`, in the order in which they are shown.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use slipway_journal::{EnvironmentName, Verification};
use slipway_rollout::account;

use crate::accessories::{postgres, record, redis};
use crate::cli::context::Context;
use crate::cli::doctor::Finding;
use crate::environment::Environment;
use crate::keeper::record::Record;
use crate::keeper::sockets;
use crate::terminal;

/// Less room than this is in the way.
const ROOM_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// Less room than this will be in the way soon.
const ROOM_BYTES_WISHED: u64 = 4 * 1024 * 1024 * 1024;

/// Looks at everything.
pub(crate) async fn all(context: &Context, name: &EnvironmentName) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    match Environment::read(&context.project, name) {
        Ok(environment) => {
            let path = Environment::path(&context.project, name);
            findings.push(Finding::good("environment", path.display().to_string()));
            findings.extend(programs(&environment));
            findings.extend(ports(context, &environment)?);
        }
        Err(failure) => findings.push(Finding::bad(
            "environment",
            failure.to_string(),
            failure.next().unwrap_or("correct the file"),
        )),
    }
    findings.push(accounts());
    findings.push(folder(context));
    findings.push(room(context.state.root()));
    findings.push(kernel());
    findings.push(journal(context).await);
    findings.push(time(context).await);
    Ok(findings)
}

/// The programs that the environment and the pipeline start.
fn programs(environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    if environment.accessories.postgres {
        findings.push(match postgres::programs() {
            Ok(folder) => Finding::good("postgresql", folder.display().to_string()),
            Err(failure) => installed_not("postgresql", &failure),
        });
    }
    if environment.accessories.redis {
        findings.push(match redis::server() {
            Ok(server) => Finding::good("redis", server.display().to_string()),
            Err(failure) => installed_not("redis", &failure),
        });
    }
    findings.push(match record::program("git", &[]) {
        Some(git) => Finding::good("git", git.display().to_string()),
        None => Finding::warning(
            "git",
            "git is not installed, so a release cannot say which commit it is",
            "apt-get install git",
        ),
    });
    findings
}

fn installed_not(check: &'static str, failure: &crate::cli::failure::Failure) -> Finding {
    let next = failure.next().unwrap_or("install it");
    Finding::bad(check, failure.to_string(), next)
}

/// Whether the addresses are free, or held by the Slipway of this state folder.
fn ports(context: &Context, environment: &Environment) -> anyhow::Result<Vec<Finding>> {
    let running = Record::read(&context.state)?.filter(|r| r.keeper.is_alive());
    if let Some(record) = running {
        let words = format!("Slipway runs here, on {}", record.visited().join(", "));
        return Ok(vec![Finding::good("addresses", words)]);
    }
    let console = environment.console.listen;
    let wanted = environment.proxy.addresses().into_iter();
    Ok(wanted.chain([console]).map(port).collect())
}

fn port(address: SocketAddr) -> Finding {
    match sockets::bind(address) {
        Ok(socket) => {
            drop::<TcpListener>(socket);
            Finding::good("addresses", format!("{address} is free"))
        }
        Err(failure) => Finding::bad(
            "addresses",
            failure.to_string(),
            failure.next().unwrap_or("choose another one"),
        ),
    }
}

/// As root, instances must have somebody to become.
fn accounts() -> Finding {
    match account::unprivileged(&["slipway", "nobody"]) {
        Ok(Some(account)) => Finding::good(
            "account",
            format!("instances run as {} and not as root", account.name),
        ),
        Ok(None) => Finding::good("account", "instances run as this account"),
        Err(error) => Finding::bad(
            "account",
            format!("instances would have to run as root: {error}"),
            "useradd --system --no-create-home slipway",
        ),
    }
}

/// Whether the state folder, or the folder that it will be made in, can be written.
fn folder(context: &Context) -> Finding {
    let root = context.state.root();
    let existing = root.ancestors().find(|folder| folder.is_dir());
    let Some(existing) = existing else {
        return Finding::bad(
            "state",
            format!("{} has no parent", root.display()),
            "--state DIR",
        );
    };
    match tempfile::tempfile_in(existing) {
        Ok(_) => Finding::good("state", root.display().to_string()),
        Err(error) => Finding::bad(
            "state",
            format!("{} cannot be written: {error}", existing.display()),
            "choose another folder with --state DIR, or change its owner",
        ),
    }
}

fn room(root: &Path) -> Finding {
    let Some(existing) = root.ancestors().find(|folder| folder.is_dir()) else {
        return Finding::bad("room", "no folder to look at", "--state DIR");
    };
    let room = match rustix::fs::statvfs(existing) {
        Ok(seen) => seen.f_bavail.saturating_mul(seen.f_frsize),
        Err(error) => {
            return Finding::warning(
                "room",
                format!("cannot be looked at: {error}"),
                format!("df -h {}", existing.display()),
            );
        }
    };
    let words = format!("{} free", size(room));
    let next = format!("make room on the file system of {}", existing.display());
    match room {
        0..ROOM_BYTES_MIN => Finding::bad("room", words, next),
        ROOM_BYTES_MIN..ROOM_BYTES_WISHED => Finding::warning("room", words, next),
        _ => Finding::good("room", words),
    }
}

fn size(bytes: u64) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes < 10 * 1024 {
        format!("{} MiB", terminal::number(mebibytes))
    } else {
        format!("{} GiB", terminal::number(mebibytes / 1024))
    }
}

/// Process handles (Linux 5.3) and sockets out of another process (5.6).
fn kernel() -> Finding {
    let version = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = version.trim();
    let own = match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(own) => own,
        Err(error) => {
            return Finding::bad(
                "kernel",
                format!("Linux {version} has no process handles: {error}"),
                "Linux 5.3 or later is needed",
            );
        }
    };
    match pidfd_getfd(&own, 0, PidfdGetfdFlags::empty()) {
        Ok(_) => Finding::good("kernel", format!("Linux {version}")),
        Err(error) => Finding::warning(
            "kernel",
            format!("Linux {version} does not hand out sockets of other processes: {error}"),
            "a keeper that was killed cannot take its sockets over; Linux 5.6 or later can",
        ),
    }
}

async fn journal(context: &Context) -> Finding {
    let path = context.state.journal();
    if !path.exists() {
        return Finding::good("journal", "none yet; the first start makes one");
    }
    match slipway_journal::verify_file(&path).await {
        Ok(Verification::Whole { entries, .. }) => {
            let entries = terminal::number(u64::try_from(entries).unwrap_or(0));
            Finding::good("journal", format!("{entries} entries, unbroken"))
        }
        Ok(Verification::Broken { seq, reason }) => Finding::bad(
            "journal",
            format!("entry {seq} is broken: {reason}"),
            format!(
                "keep {} as evidence and start a new state folder",
                path.display()
            ),
        ),
        Err(error) => Finding::bad(
            "journal",
            format!("{:#}", anyhow::Error::new(error)),
            format!(
                "look at the rights of {}, and at the room on its disk",
                path.display()
            ),
        ),
    }
}

/// The clock must not stand before what was written already.
async fn time(context: &Context) -> Finding {
    let now = context.clock.now();
    let last = context
        .entries()
        .await
        .ok()
        .and_then(|e| e.last().map(|e| e.at));
    match last {
        Some(last) if last > now => Finding::bad(
            "time",
            format!("the clock says {now}, and the journal was written at {last}"),
            "set the clock: timedatectl set-ntp true",
        ),
        _ => Finding::good("time", now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
    }
}
