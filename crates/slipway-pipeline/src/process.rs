//! One job's processes, all of them: the one that was started, what it started, and what
//! tried to get away. When a job has ended, none of them is left.

mod census;
mod cgroup;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};
use tokio::time::{Instant, sleep};

use census::Census;
use cgroup::Cgroup;

/// The variable by which a process of a job is known wherever it went.
pub(crate) const MARK: &str = "SLIPWAY_JOB";
/// Looking again for processes that end. Short, because a job waits for it.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Killed processes are gone in milliseconds; one in an uninterruptible call may take longer.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

/// The processes that were started directly, by every job that runs now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster {
    started: Arc<Mutex<BTreeSet<i32>>>,
    /// Whether every other child of this process came from a job.
    is_sole: bool,
}

impl Roster {
    pub(crate) fn new(is_sole: bool) -> Self {
        Self {
            started: Arc::default(),
            is_sole,
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
        change(&mut self.started.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes this process the parent of every process whose own parent ended, so that none
/// gets out of sight.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(
        rustix::process::getpid(),
    ))?)
}

/// The processes of one job.
#[derive(Debug)]
pub(crate) struct Group {
    /// The process that was started; it leads a process group of its own.
    leader: Pid,
    /// The value of `MARK` in its environment.
    mark: String,
    cgroup: Option<Cgroup>,
    roster: Roster,
    is_leader_gone: bool,
}

impl Group {
    /// Takes charge of the process `leader`, which was just started with `mark`.
    pub(crate) fn new(leader: Pid, mark: String, roster: &Roster) -> Self {
        let raw = leader.as_raw_pid();
        roster.change(|started| started.insert(raw));
        // What the leader started before it was moved is found by descent.
        let cgroup = Cgroup::make(&mark).and_then(|cgroup| match cgroup.take(raw) {
            Ok(()) => Some(cgroup),
            Err(error) => {
                tracing::debug!(%error, "no control group for this job");
                None
            }
        });
        Self {
            leader,
            mark,
            cgroup,
            roster: roster.clone(),
            is_leader_gone: false,
        }
    }

    /// The leader has ended and was waited for; its number may belong to another soon.
    pub(crate) fn leader_ended(&mut self) {
        self.is_leader_gone = true;
        let raw = self.leader.as_raw_pid();
        self.roster.change(|started| started.remove(&raw));
    }

    /// Asks every process of the job to end.
    pub(crate) fn ask(&self) -> io::Result<()> {
        for pid in self.members()? {
            send(pid, Signal::TERM)?;
        }
        Ok(())
    }

    /// Whether the job has a living process besides its leader.
    pub(crate) fn has_others(&self) -> io::Result<bool> {
        if self.cgroup.as_ref().is_some_and(|c| !c.is_empty()) {
            return Ok(true);
        }
        let known = self.roster.change(|started| started.clone());
        if let Some(children) = census::own_children()
            && children.iter().all(|child| known.contains(child))
        {
            return Ok(false);
        }
        Ok(!self.members()?.is_empty())
    }

    /// Kills until nothing is left; returns how many processes that took.
    pub(crate) async fn kill(&self) -> io::Result<usize> {
        let deadline = Instant::now() + KILLED_WITHIN;
        let mut killed = BTreeSet::new();
        loop {
            if let Some(cgroup) = &self.cgroup {
                killed.extend(cgroup.members());
                cgroup.kill()?;
            }
            if !self.is_leader_gone {
                match kill_process_group(self.leader, Signal::KILL) {
                    Ok(()) | Err(rustix::io::Errno::SRCH | rustix::io::Errno::PERM) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let members = self.members()?;
            for pid in &members {
                // Stopped first, so that a storm of forks cannot run ahead of the count.
                send(*pid, Signal::STOP)?;
                killed.insert(pid.as_raw_pid());
            }
            for pid in &members {
                send(*pid, Signal::KILL)?;
            }
            if members.is_empty() {
                break;
            }
            if Instant::now() > deadline {
                let left: Vec<i32> = members.iter().map(|p| p.as_raw_pid()).collect();
                return Err(io::Error::other(format!(
                    "processes {left:?} do not end although they were killed"
                )));
            }
            sleep(LOOK_AGAIN).await;
        }
        self.remove_cgroup().await;
        Ok(killed.len())
    }

    /// Waits until the job has no process any more; `false` when `within` is over.
    pub(crate) async fn is_gone_within(&self, within: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + within;
        while !self.members()?.is_empty() {
            if Instant::now() > deadline {
                return Ok(false);
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(true)
    }

    /// Gives back what the kernel keeps for the job, once it has no process any more.
    pub(crate) async fn remove_cgroup(&self) {
        let Some(cgroup) = &self.cgroup else {
            return;
        };
        let deadline = Instant::now() + KILLED_WITHIN;
        while let Err(error) = cgroup.remove() {
            if Instant::now() > deadline {
                tracing::warn!(%error, "a control group stays behind");
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Every living process of the job, the leader too. Those that ended and that nobody
    /// else waits for are waited for.
    fn members(&self) -> io::Result<Vec<Pid>> {
        let census = Census::take()?;
        let leader = self.leader.as_raw_pid();
        let mut seeds: BTreeSet<i32> = BTreeSet::new();
        if !self.is_leader_gone {
            seeds.insert(leader);
        }
        if let Some(cgroup) = &self.cgroup {
            seeds.extend(cgroup.members());
        }
        let known = self.roster.change(|started| started.clone());
        for orphan in census.own_children().filter(|o| !known.contains(&o.pid)) {
            let is_ours = orphan.group == leader
                || orphan.session == leader
                || census::has_mark(orphan.pid, &self.mark)
                || (self.roster.is_sole && known.len() <= usize::from(!self.is_leader_gone));
            if !is_ours {
                continue;
            }
            if orphan.is_zombie {
                reap(orphan.pid)?;
            } else {
                seeds.insert(orphan.pid);
            }
        }
        let members = census.with_descendants(seeds);
        Ok(members.into_iter().filter_map(Pid::from_raw).collect())
    }
}

/// Kills what a run that was itself killed left running: every process with the mark of
/// the run `run` in its environment. Returns how many there were.
pub(crate) async fn end_leftovers(run: &str) -> io::Result<usize> {
    let deadline = Instant::now() + KILLED_WITHIN;
    let mut killed = BTreeSet::new();
    loop {
        for pid in cgroup::kill_all(run)? {
            killed.insert(pid);
        }
        let census = Census::take()?;
        let seeds = census.marked(run);
        let left = census.with_descendants(seeds);
        for pid in &left {
            killed.insert(*pid);
            if let Some(pid) = Pid::from_raw(*pid) {
                send(pid, Signal::KILL)?;
            }
        }
        if left.is_empty() || Instant::now() > deadline {
            return Ok(killed.len());
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// A process that is gone, or that is another user's by now, is not an error.
fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH | rustix::io::Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn reap(pid: i32) -> io::Result<()> {
    match waitpid(Pid::from_raw(pid), WaitOptions::NOHANG) {
        Ok(_) | Err(rustix::io::Errno::CHILD) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
