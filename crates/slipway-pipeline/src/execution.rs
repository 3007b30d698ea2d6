//! One command from its start to the end of its last process: limits on time, output as it
//! comes, and no process left behind, whatever happens.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chassis::{Clock, Shutdown};
use rustix::process::Pid;
use slipway_journal::event::pipeline::JobResult;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::log::{Log, Stream};
use crate::mask::Mask;
use crate::process::{Group, MARK, Roster};
use crate::run::Happening;

/// What a job started and did not wait for has this long to end by itself.
const STRAGGLERS_WITHIN: Duration = Duration::from_millis(200);
/// When every process is gone the pipes are empty at once.
const DRAINED_WITHIN: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A command and its limits.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) job: String,
    pub(crate) argv: Vec<String>,
    pub(crate) folder: PathBuf,
    /// The whole environment.
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) mask: Mask,
    pub(crate) timeout: Duration,
    pub(crate) grace: Duration,
    /// Tells this job's processes from all others.
    pub(crate) mark: String,
    pub(crate) log: PathBuf,
}

/// What a command runs in.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) roster: Roster,
    pub(crate) clock: Clock,
    /// Ends the job, with its grace.
    pub(crate) stop: Shutdown,
    /// Ends the grace.
    pub(crate) kill: Shutdown,
    pub(crate) live: mpsc::Sender<Happening>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) result: JobResult,
    pub(crate) took: Duration,
    /// The instant of the start, by the clock of the file system.
    pub(crate) started: SystemTime,
    pub(crate) log: Log,
}

/// Why waiting for the command ended.
enum Cause {
    Exit(ExitStatus),
    TimedOut,
    Cancelled,
}

/// Runs a command. Fails only when its log cannot be written or processes cannot be looked
/// at; how the command itself ended is a value.
pub(crate) async fn execute(order: &Order, around: &Surroundings) -> io::Result<Ended> {
    let log = Mutex::new(Log::create(&order.log)?);
    let started = locked(&log, |log| log.modified())?;
    let begin = around.clock.monotonic();
    let ended = |result, log: Mutex<Log>| Ended {
        result,
        took: around.clock.monotonic().saturating_sub(begin),
        started,
        log: log.into_inner().unwrap_or_else(PoisonError::into_inner),
    };
    let mut child = match spawn(order) {
        Ok(child) => child,
        Err(error) => {
            let reason = unstarted(order, &error);
            say(&log, around, order, &reason).await?;
            return Ok(ended(JobResult::NotStarted { reason }, log));
        }
    };
    let Some(leader) = leader(&child) else {
        return Err(io::Error::other("a process was started and has no number"));
    };
    let mut group = Group::new(leader, order.mark.clone(), &around.roster);
    let result = watch(&mut child, &mut group, order, around, &log).await;
    match result {
        Ok(result) => Ok(ended(result, log)),
        Err(error) => {
            // Whatever went wrong here, the processes must not outlive it.
            group.kill().await?;
            child.wait().await?;
            group.leader_ended();
            Err(error)
        }
    }
}

fn spawn(order: &Order) -> io::Result<Child> {
    let (program, arguments) = order
        .argv
        .split_first()
        .ok_or_else(|| io::Error::other("there is no command"))?;
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&order.variables)
        .env(MARK, &order.mark)
        .current_dir(&order.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Why a program could not be started, and what may help.
fn unstarted(order: &Order, error: &io::Error) -> String {
    let program = order.argv.first().map_or("", String::as_str);
    let help = match error.kind() {
        io::ErrorKind::NotFound if !order.folder.is_dir() => {
            format!("; its folder {} is not there", order.folder.display())
        }
        io::ErrorKind::NotFound => "; is it installed, and is PATH right?".to_owned(),
        io::ErrorKind::PermissionDenied => "; is it executable?".to_owned(),
        _ => String::new(),
    };
    format!("{program} cannot be started: {error}{help}")
}

fn leader(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// Waits for the end, and sees to it that it is the end of all.
async fn watch(
    child: &mut Child,
    group: &mut Group,
    order: &Order,
    around: &Surroundings,
    log: &Mutex<Log>,
) -> io::Result<JobResult> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let drain = async {
        let (one, two) = tokio::join!(copy(out, order, around, log), copy(err, order, around, log));
        one.and(two)
    };
    let mut drain = pin!(drain);
    let mut is_drained = false;
    let cause = {
        let mut alarm = pin!(sleep(order.timeout));
        loop {
            tokio::select! {
                done = &mut drain, if !is_drained => {
                    done?;
                    is_drained = true;
                }
                status = child.wait() => {
                    group.leader_ended();
                    break Cause::Exit(status?);
                }
                () = &mut alarm => break Cause::TimedOut,
                () = around.stop.requested() => break Cause::Cancelled,
            }
        }
    };
    let mut left = 0;
    if matches!(cause, Cause::Exit(_)) {
        if group.has_others()? && !group.is_gone_within(STRAGGLERS_WITHIN).await? {
            left = group.kill().await?;
        }
    } else {
        group.ask()?;
        let gone = tokio::select! {
            done = all_gone(child, group) => Some(done?),
            // A process that cannot write cannot end; its output is still taken.
            done = async {
                if !is_drained {
                    (&mut drain).await?;
                    is_drained = true;
                }
                std::future::pending::<io::Result<()>>().await
            } => { done?; None }
            () = sleep(order.grace) => None,
            () = around.kill.requested() => None,
        };
        if gone.is_none() {
            left = group.kill().await?;
            child.wait().await?;
            group.leader_ended();
        }
    }
    group.remove_cgroup().await;
    if !is_drained {
        if let Ok(done) = timeout(DRAINED_WITHIN, &mut drain).await {
            done?;
        } else {
            let words = "a process that is not this job's holds its output open";
            say(log, around, order, words).await?;
        }
    }
    conclude(&cause, left, order, around, log).await
}

/// Waits until the command and all that it started have ended.
async fn all_gone(child: &mut Child, group: &mut Group) -> io::Result<()> {
    child.wait().await?;
    group.leader_ended();
    while group.has_others()? {
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// The result in words for the log, and as a value.
async fn conclude(
    cause: &Cause,
    left: usize,
    order: &Order,
    around: &Surroundings,
    log: &Mutex<Log>,
) -> io::Result<JobResult> {
    let result = match cause {
        Cause::TimedOut => {
            let words = format!("ended after {:?}, the most that it may take", order.timeout);
            say(log, around, order, &words).await?;
            JobResult::TimedOut
        }
        Cause::Cancelled => JobResult::Cancelled,
        Cause::Exit(status) => match (status.code(), status.signal()) {
            (Some(0), _) => JobResult::Passed,
            (Some(code), _) => JobResult::Failed { code },
            (None, signal) => JobResult::Signalled {
                signal: signal.unwrap_or_default(),
            },
        },
    };
    if left > 0 {
        let words = match cause {
            Cause::Exit(_) => format!("left {left} processes running; they were killed"),
            _ => format!("{left} processes did not end when asked and were killed"),
        };
        say(log, around, order, &words).await?;
    }
    Ok(result)
}

/// Takes one stream to its end.
async fn copy(
    stream: Option<impl AsyncRead + Unpin>,
    order: &Order,
    around: &Surroundings,
    log: &Mutex<Log>,
) -> io::Result<()> {
    let Some(mut stream) = stream else {
        return Ok(());
    };
    let mut lines = Stream::new(order.mask.clone());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        let whole = match buffer.get(..count) {
            Some(bytes) if !bytes.is_empty() => lines.take(bytes),
            _ => lines.end(),
        };
        locked(log, |log| log.store(&whole))?;
        if !whole.is_empty() {
            show(around, order, whole).await;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// Adds a line of Slipway's own to the log.
async fn say(
    log: &Mutex<Log>,
    around: &Surroundings,
    order: &Order,
    words: &str,
) -> io::Result<()> {
    let line = locked(log, |log| log.note(words))?;
    show(around, order, line).await;
    Ok(())
}

async fn show(around: &Surroundings, order: &Order, lines: Vec<u8>) {
    let output = Happening::Output {
        job: order.job.clone(),
        lines,
    };
    // Nobody has to look; the log has it all.
    if around.live.send(output).await.is_err() {
        tracing::trace!("nobody looks at the output");
    }
}

fn locked<T>(log: &Mutex<Log>, work: impl FnOnce(&mut Log) -> T) -> T {
    work(&mut log.lock().unwrap_or_else(PoisonError::into_inner))
}
