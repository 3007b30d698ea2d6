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
        // What the leader started before it was moved is found by descent.
        let cgroup = Cgroup::make(&mark).and_then(|cgroup| {
            let taken = cgroup.take(leader.as_raw_pid());
            if let Err(error) = &taken {
                tracing::debug!(%error, "no control group for this job");
            }
            taken.ok().map(|()| cgroup)
        });
        Self::within(cgroup, leader, mark, roster)
    }

    fn within(cgroup: Option<Cgroup>, leader: Pid, mark: String, roster: &Roster) -> Self {
        roster.change(|started| started.insert(leader.as_raw_pid()));
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
            let members = self.members()?;
            for pid in &members {
                // Stopped first, so that a storm of forks cannot run ahead of the count.
                send(*pid, Signal::STOP)?;
                killed.insert(pid.as_raw_pid());
            }
            if let Some(cgroup) = &self.cgroup {
                cgroup.kill()?;
            }
            if !self.is_leader_gone {
                match kill_process_group(self.leader, Signal::KILL) {
                    Ok(()) | Err(rustix::io::Errno::SRCH | rustix::io::Errno::PERM) => {}
                    Err(error) => return Err(error.into()),
                }
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
        // An empty group is removed, so another look is needed after one that was not.
        let grouped = cgroup::kill_all(run)?;
        killed.extend(&grouped);
        let census = Census::take()?;
        let seeds = census.marked(run);
        let left = census.with_descendants(seeds);
        for pid in &left {
            killed.insert(*pid);
            if let Some(pid) = Pid::from_raw(*pid) {
                send(pid, Signal::KILL)?;
            }
        }
        if (left.is_empty() && grouped.is_empty()) || Instant::now() > deadline {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    /// Starts `script` as a job would.
    fn start(mark: &str, script: &str, folder: &Path) -> std::process::Child {
        use std::os::unix::process::CommandExt as _;
        Command::new("/bin/sh")
            .args(["-c", script])
            .current_dir(folder)
            .env(MARK, mark)
            .process_group(0)
            .spawn()
            .unwrap()
    }

    /// Waits until `count` process numbers are written.
    async fn written(folder: &Path, count: usize) -> Vec<i32> {
        let deadline = Instant::now() + KILLED_WITHIN;
        loop {
            let text = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
            let pids: Vec<i32> = text.lines().filter_map(|l| l.parse().ok()).collect();
            if pids.len() >= count {
                return pids;
            }
            assert!(
                Instant::now() < deadline,
                "it started {} of {count}",
                pids.len()
            );
            sleep(LOOK_AGAIN).await;
        }
    }

    #[tokio::test]
    async fn without_a_control_group_whoever_got_away_is_found_too() {
        adopt_orphans().unwrap();
        let folder = tempfile::tempdir().unwrap();
        // One stays, one has its own session, one lost its parent and has its own session.
        let script = "echo $$ >> pids; sh -c 'echo $$ >> pids; exec sleep 600' & \
                      setsid sh -c 'echo $$ >> pids; exec sleep 600' & \
                      (setsid sh -c 'echo $$ >> pids; exec sleep 600' &) ; sleep 600";
        let mut child = start("a/one", script, folder.path());
        let pids = written(folder.path(), 4).await;
        let leader = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let roster = Roster::new(false);
        let mut group = Group::within(None, leader, "a/one".into(), &roster);
        assert!(group.has_others().unwrap());
        let killed = group.kill().await.unwrap();
        assert!(killed >= 4, "{killed}");
        child.wait().unwrap();
        group.leader_ended();
        assert!(group.is_gone_within(KILLED_WITHIN).await.unwrap());
        let census = Census::take().unwrap();
        let left = census.with_descendants(pids.into_iter().collect());
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn without_a_control_group_what_outlives_its_leader_is_found() {
        adopt_orphans().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let script = "setsid sh -c 'echo $$ >> pids; exec sleep 600' & \
                      while [ ! -s pids ]; do sleep 0.01; done";
        let mut child = start("a/two", script, folder.path());
        let pids = written(folder.path(), 1).await;
        let leader = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let roster = Roster::new(false);
        let mut group = Group::within(None, leader, "a/two".into(), &roster);
        child.wait().unwrap();
        group.leader_ended();
        assert!(group.has_others().unwrap(), "{pids:?} runs on");
        assert_eq!(group.kill().await.unwrap(), 1);
        assert!(!group.has_others().unwrap());
    }
}
