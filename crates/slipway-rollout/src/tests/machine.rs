//! The processes of the simulated machine: entries in a map, which start, get ready, answer and
//! die as their release is made.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use slipway_journal::InstanceId;

use crate::http::Answer;
use crate::process::ProcessIdentity;
use crate::runtime::{Running, Spec};

/// Instances listen on the ports after this one, in the order in which they were started.
const PORTS: u16 = 20_000;

/// How the instances of a release come into the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Birth {
    /// They are ready after a while.
    Ready(Duration),
    /// They cannot be started.
    Fails,
    /// They start, and never say that they are ready.
    Never,
    /// They are ready, and die after a while.
    Dies(Duration),
}

/// How the instances of a release answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// So many per cent of the answers are errors.
    Fails(u64),
    /// Good answers, but late.
    Slow,
    /// No answer at all.
    Hangs,
    /// Good answers to visitors, bad ones to looks.
    Deaf,
}

impl Mood {
    /// The share of requests that fail, per cent.
    pub(crate) fn failing(self) -> u64 {
        match self {
            Self::Good | Self::Slow | Self::Deaf => 0,
            Self::Fails(percent) => percent,
            Self::Hangs => 100,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) processes: BTreeMap<InstanceId, Process>,
    /// By number, from 1: the order in which they were started.
    numbers: Vec<InstanceId>,
    births: BTreeMap<String, Birth>,
    moods: BTreeMap<String, Mood>,
    /// Releases whose migration fails.
    pub(crate) unfit: BTreeSet<String>,
    /// Releases that were ever seen to answer badly.
    pub(crate) ever_bad: BTreeSet<String>,
    /// Whether what all releases need is gone.
    pub(crate) outage: bool,
    /// Whether it ever was.
    pub(crate) ever_out: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) release: String,
    pub(crate) running: Running,
    pub(crate) died: Option<Duration>,
    ready: Duration,
    dies: Option<Duration>,
}

impl Process {
    pub(crate) fn is_alive(&self) -> bool {
        self.died.is_none()
    }

    /// Whether it takes connections.
    pub(crate) fn is_ready(&self, now: Duration) -> bool {
        self.is_alive() && self.ready <= now
    }
}

impl Machine {
    pub(crate) fn make(&mut self, release: &str, birth: Birth) {
        self.births.insert(release.to_owned(), birth);
    }

    pub(crate) fn birth(&self, release: &str) -> Birth {
        let birth = self.births.get(release).copied();
        birth.unwrap_or(Birth::Ready(Duration::ZERO))
    }

    /// No release dies by itself any more.
    pub(crate) fn calm(&mut self) {
        for birth in self.births.values_mut() {
            if matches!(birth, Birth::Dies(_)) {
                *birth = Birth::Ready(Duration::ZERO);
            }
        }
        for process in self.processes.values_mut() {
            process.dies = None;
        }
    }

    pub(crate) fn turn(&mut self, release: &str, mood: Mood) {
        if mood != Mood::Good {
            self.ever_bad.insert(release.to_owned());
        }
        self.moods.insert(release.to_owned(), mood);
    }

    pub(crate) fn mood(&self, release: &str) -> Mood {
        if self.outage {
            return Mood::Fails(100);
        }
        self.moods.get(release).copied().unwrap_or(Mood::Good)
    }

    /// The process of a target of a table.
    pub(crate) fn of(&self, target: &slipway_proxy::Target) -> Option<&Process> {
        let number = target.address.port().checked_sub(PORTS + 1)?;
        let instance = self.numbers.get(usize::from(number))?;
        self.processes.get(instance)
    }

    pub(crate) fn start(&mut self, spec: &Spec, now: Duration) -> Option<Running> {
        let release = spec.release.to_string();
        let birth = self.birth(&release);
        let number = u16::try_from(self.numbers.len()).unwrap_or(0) + 1;
        let after = |long: Duration| now + long;
        let (ready, dies) = match birth {
            Birth::Ready(long) => (after(long), None),
            Birth::Dies(long) => (now, Some(after(long))),
            Birth::Never | Birth::Fails => (Duration::MAX, None),
        };
        let known = self.processes.contains_key(&spec.instance);
        if birth == Birth::Fails && !known {
            return None;
        }
        if !known {
            self.numbers.push(spec.instance);
        }
        let process = self
            .processes
            .entry(spec.instance)
            .or_insert_with(|| Process {
                release,
                running: Running {
                    identity: ProcessIdentity {
                        pid: number.into(),
                        start_ticks: 1,
                        boot: "this one".to_owned(),
                    },
                    address: address(number),
                },
                died: None,
                ready,
                dies,
            });
        process.is_alive().then(|| process.running.clone())
    }

    /// Those whose time has come die; whether somebody did.
    pub(crate) fn age(&mut self, now: Duration) -> bool {
        let due = |p: &&mut Process| p.is_alive() && p.dies.is_some_and(|at| at <= now);
        let mut died = false;
        for process in self.processes.values_mut().filter(due) {
            process.died = Some(now);
            died = true;
        }
        died
    }

    pub(crate) fn kill(&mut self, now: Duration, is: impl Fn(&Process) -> bool, most: usize) {
        let victims = self.processes.values_mut();
        for victim in victims.filter(|p| p.is_alive() && is(p)).take(most) {
            victim.died = Some(now);
        }
    }

    pub(crate) fn answer(&self, address: SocketAddr, now: Duration) -> Result<Answer, String> {
        let mut alive = self.processes.values().filter(|p| p.is_alive());
        let process = alive.find(|p| p.running.address == address && p.is_ready(now));
        let process = process.ok_or("connection refused")?;
        match self.mood(&process.release) {
            Mood::Hangs => Err("no answer".to_owned()),
            Mood::Deaf => Ok(answer(503, &process.release)),
            Mood::Good | Mood::Slow | Mood::Fails(_) => Ok(answer(200, &process.release)),
        }
    }
}

pub(crate) fn answer(status: u16, release: &str) -> Answer {
    Answer {
        status,
        release: Some(release.to_owned()),
        body: String::new(),
    }
}

fn address(number: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], PORTS + number))
}
