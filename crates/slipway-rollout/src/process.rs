//! A process as something that can be recognised later: number, start and boot together.
//! Never signals a process that only happens to have the same number.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// Tells one process from every other, also from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: i32,
    /// Its start, in clock ticks since boot.
    pub start_ticks: u64,
    /// The boot that it belongs to.
    pub boot: String,
}

/// How a process ended after it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was not running any more.
    Gone,
    /// It ended when asked.
    Asked,
    /// It had to be killed.
    Killed,
}

impl ProcessIdentity {
    /// The identity of this very process.
    pub fn own() -> io::Result<Self> {
        let pid = rustix::process::getpid().as_raw_pid();
        Self::of(pid)?.ok_or_else(|| io::Error::other("this process is not in /proc"))
    }

    /// The identity of the process `pid`; none when it does not run (a zombie does not).
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some((state, start_ticks)) = parse_stat(&stat) else {
            return Err(io::Error::other(format!("/proc/{pid}/stat cannot be read")));
        };
        if matches!(state, 'Z' | 'X' | 'x') {
            return Ok(None);
        }
        Ok(Some(Self {
            pid,
            start_ticks,
            boot: boot_id()?,
        }))
    }

    /// Whether this very process still runs. What cannot be known is an error and no end.
    pub fn runs(&self) -> io::Result<bool> {
        Ok(Self::of(self.pid)?.as_ref() == Some(self))
    }

    /// Whether this very process is known to run.
    pub fn is_alive(&self) -> bool {
        matches!(self.runs(), Ok(true))
    }

    /// A handle that can neither be recycled nor confused; none when the process is gone.
    pub fn handle(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(None);
        };
        let handle = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // The number may have been given away between the record and the handle.
        Ok(self.runs()?.then_some(handle))
    }

    /// Asks the process to end, waits up to `grace`, then kills it. Blocking.
    pub fn stop(&self, ask: Signal, grace: Duration) -> io::Result<Ending> {
        let Some(handle) = self.handle()? else {
            return Ok(Ending::Gone);
        };
        if !send(&handle, ask)? {
            return Ok(Ending::Gone);
        }
        if wait_end(&handle, grace)? {
            return Ok(Ending::Asked);
        }
        send(&handle, Signal::KILL)?;
        wait_end(&handle, Duration::from_secs(10))?;
        Ok(Ending::Killed)
    }

    /// Sends a signal; `false` when the process is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        match self.handle()? {
            Some(handle) => send(&handle, signal),
            None => Ok(false),
        }
    }

    /// Waits until the process ends, up to `within`; `true` when it ended. Blocking.
    pub fn wait(&self, within: Duration) -> io::Result<bool> {
        match self.handle()? {
            Some(handle) => wait_end(&handle, within),
            None => Ok(true),
        }
    }
}

/// The number of the current boot.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// The command that a process runs, for messages; empty when it cannot be known.
pub fn command_of(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<String> = line
        .split(|b| *b == 0)
        .filter(|w| !w.is_empty())
        .take(3)
        .map(|w| String::from_utf8_lossy(w).into_owned())
        .collect();
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program)
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    std::iter::once(name.unwrap_or(program))
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn send(handle: &OwnedFd, signal: Signal) -> io::Result<bool> {
    match pidfd_send_signal(handle, signal) {
        Ok(()) => Ok(true),
        Err(Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn wait_end(handle: &OwnedFd, within: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + within;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(handle, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// State and start out of `/proc/<pid>/stat`. The name may hold spaces and brackets,
/// so the fields are counted from the last bracket.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    // `starttime` is field 22; the state is field 3.
    let start = fields.nth(18)?.parse().ok()?;
    Some((state, start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(parse_stat(stat), Some(('S', 4711)));
    }

    #[test]
    fn a_process_that_ended_is_gone_and_its_zombie_too() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let identity = ProcessIdentity::of(i32::try_from(child.id()).unwrap())
            .unwrap()
            .unwrap();
        assert!(identity.is_alive());
        let ending = identity.stop(Signal::TERM, Duration::from_secs(5)).unwrap();
        assert_eq!(ending, Ending::Asked);
        assert!(!identity.is_alive());
        child.wait().unwrap();
        assert_eq!(
            identity.stop(Signal::TERM, Duration::ZERO).unwrap(),
            Ending::Gone
        );
    }

    #[test]
    fn a_later_process_with_the_same_number_is_left_alone() {
        let mut own = ProcessIdentity::own().unwrap();
        own.start_ticks -= 1;
        assert_eq!(
            own.stop(Signal::KILL, Duration::ZERO).unwrap(),
            Ending::Gone
        );
    }
}
