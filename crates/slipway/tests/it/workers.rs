//! Workers follow the visitors: they change with the release, and no job is lost or done twice.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::Step;
use slipway_journal::{Event, Seq};
use testkit::wait;
use tokio::runtime::Builder;

use crate::ground::Ground;
use crate::release::draft;

/// A change has fewer entries than this.
const MOST: usize = 40;

/// Jobs that nobody has in hand, at any moment.
const BUSY: usize = 8;

/// A folder of jobs that somebody fills.
struct Jobs {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    writer: Option<JoinHandle<usize>>,
}

impl Jobs {
    /// As many as keep every worker busy, so that each has one in its hands at any moment.
    fn fill(folder: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (until, into) = (Arc::clone(&stop), folder.clone());
        let write = |into: &Path, count: usize| {
            let aside = into.join(format!("{count}.new"));
            fs::write(&aside, "").unwrap();
            fs::rename(&aside, into.join(format!("{count:05}.todo"))).unwrap();
        };
        let writer = std::thread::spawn(move || {
            let mut count = 0;
            while !wait::until(Duration::from_millis(10), || until.load(Ordering::SeqCst)) {
                for _ in left(&into).len()..BUSY {
                    write(&into, count);
                    count += 1;
                }
            }
            count
        });
        Self {
            folder,
            stop,
            writer: Some(writer),
        }
    }

    /// Ends it; how many there were.
    fn count(&mut self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.writer.take().unwrap().join().unwrap()
    }

    /// How often each job ran, and how many each release did.
    fn ran(&self) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
        let text = fs::read_to_string(self.folder.join("ran")).unwrap_or_default();
        let (mut jobs, mut releases) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            let (job, release) = line.split_once(' ').unwrap();
            *jobs.entry(job.to_owned()).or_default() += 1;
            *releases.entry(release.to_owned()).or_default() += 1;
        }
        (jobs, releases)
    }

    fn of(&self, release: &str) -> usize {
        self.ran().1.get(release).copied().unwrap_or(0)
    }

    /// Ends it, and every job was done once.
    #[track_caller]
    fn are_done_once(&mut self, ground: &Ground) {
        let made = self.count();
        ground.wait_for("all is done", || left(&self.folder).is_empty());
        let (ran, _) = self.ran();
        assert_eq!(ran.len(), made, "a job was lost");
        assert!(ran.values().all(|count| *count == 1), "{ran:?}");
    }

    /// Which releases' workers saw those of another one at work.
    fn met(&self) -> String {
        fs::read_to_string(self.folder.join("met")).unwrap_or_default()
    }
}

/// The jobs that are not done.
fn left(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().flatten();
    let names = names.filter_map(|e| e.file_name().into_string().ok());
    let is_job = |name: &String| Path::new(name).extension().is_some_and(|e| e == "todo");
    names.filter(is_job).collect()
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// A folder for jobs; workers run as another user.
pub(crate) fn folder(ground: &Ground) -> PathBuf {
    let folder = ground.project().parent().unwrap().join("jobs");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn up(workers: &str) -> (Ground, PathBuf) {
    let mut ground = Ground::new();
    let folder = folder(&ground);
    let environment =
        Ground::environment().replace("instances = 2", &format!("instances = 1\n{workers}"));
    let environment = environment.replace("observe = \"1s\"", "observe = \"300ms\"");
    let variables = format!("[service.shop.env]\nJOBS = \"{}\"\n", folder.display());
    ground.write_environment(&format!("{environment}\n{variables}"));
    ground.start();
    (ground, folder)
}

/// The places in the journal of what happened to the workers of a rollout: their starts, and
/// their ends.
fn workers(events: &[Value], rollout: &Value) -> (Vec<usize>, Vec<usize>) {
    let of_rollout = || {
        let events = events.iter().map(|e| &e["event"]).enumerate();
        events.filter(|(_, e)| e["rollout"] == *rollout)
    };
    let done: Vec<_> = of_rollout()
        .filter(|(_, e)| e["kind"] == "done" && e["step"]["do"] == "work")
        .collect();
    let ids: Vec<_> = done.iter().map(|(_, e)| &e["step"]["instance"]).collect();
    let ended = of_rollout()
        .filter(|(_, e)| e["kind"] == "instance-exited" && ids.contains(&&e["instance"]))
        .map(|(place, _)| place)
        .collect();
    (done.iter().map(|(place, _)| *place).collect(), ended)
}

fn place(events: &[Value], rollout: &Value, step: &str) -> usize {
    let is = |e: &Value| {
        e["event"]["rollout"] == *rollout
            && e["event"]["kind"] == "done"
            && e["event"]["step"]["do"] == step
    };
    events.iter().position(is).unwrap()
}

fn id(folder: &Path, mode: &'static str, name: &'static str) -> String {
    let release = draft("normal", name).worker("jobs", mode).make(folder);
    release.to_string()
}

#[test]
fn workers_change_with_the_release_and_back_and_every_job_is_done_once() {
    let (ground, folder) = up("workers = { jobs = 2 }");
    let one = id(&ground.state(), "finishes", "one");
    let two = id(&ground.state(), "hands-back", "two");
    let first = ground.deploy(&one).with(0).json();
    let mut jobs = Jobs::fill(folder);
    ground.wait_for("the first release works", || jobs.of(&one) > 10);
    assert_eq!(jobs.of(&two), 0);

    let second = ground.deploy(&two).with(0).json();
    ground.wait_for("the second release works", || jobs.of(&two) > 10);
    ground.wait_for("the first one's workers have ended", || {
        workers(&ground.events(), &first["rollout"]).1.len() == 2
    });
    let before = jobs.of(&one);
    ground.wait_for("the second release goes on", || jobs.of(&two) > 30);
    assert_eq!(jobs.of(&one), before);

    ground.run(&["rollback", "--reason", "too slow"]).with(0);
    ground.wait_for("the first release works again", || {
        jobs.of(&one) > before + 10
    });
    jobs.are_done_once(&ground);
    assert!(!jobs.met().is_empty(), "they overlap where nothing is said");

    let events = ground.events();
    let (of_first, ends_of_first) = workers(&events, &first["rollout"]);
    let (of_second, ends_of_second) = workers(&events, &second["rollout"]);
    assert_eq!(of_first.len(), 4, "two at first, and two after going back");
    assert_eq!((of_second.len(), ends_of_second.len()), (2, 2));
    let shift = place(&events, &second["rollout"], "shift");
    let restore = place(&events, &second["rollout"], "restore");
    // The new ones after the switch, the old ones' end after that, and the same back.
    assert!(of_second.iter().all(|start| *start > shift));
    assert!(
        ends_of_first
            .iter()
            .all(|end| of_second.iter().all(|start| end > start))
    );
    assert!(of_first[2..].iter().all(|start| *start > restore));
    assert!(ends_of_second.iter().all(|end| *end > restore));
}

#[test]
fn a_worker_that_is_killed_is_started_again_and_the_release_stays() {
    let (ground, folder) = up("workers = { jobs = 1 }");
    let one = id(&ground.state(), "finishes", "one");
    let first = ground.deploy(&one).with(0).json();
    let mut jobs = Jobs::fill(folder);
    let running = || {
        let events = ground.events();
        let (starts, ends) = workers(&events, &first["rollout"]);
        (starts.len(), ends.len())
    };
    ground.wait_for("a worker has a job in its hands", || {
        running() == (1, 0) && !jobs.ran().0.is_empty()
    });
    let status = ground.status();
    let pid = status["services"][0]["workers"][0]["pid"].as_i64().unwrap();
    crate::ground::send(i32::try_from(pid).unwrap(), rustix::process::Signal::KILL);
    ground.wait_for("another one runs", || running() == (2, 1));
    assert_eq!(ground.live(), Some(one));
    jobs.are_done_once(&ground);
}

/// The processes of workers that run, by release.
fn at_work(ground: &Ground) -> BTreeMap<String, usize> {
    let status = ground.status();
    let workers = status["services"][0]["workers"].as_array().cloned();
    let mut at_work = BTreeMap::new();
    for worker in workers.unwrap_or_default() {
        let release = worker["release"].as_str().unwrap().to_owned();
        *at_work.entry(release).or_default() += 1;
    }
    at_work
}

/// Reads the journal's file itself, so that nothing comes between an entry and what follows.
struct Watcher {
    runtime: tokio::runtime::Runtime,
    path: PathBuf,
}

impl Watcher {
    fn of(ground: &Ground) -> Self {
        Self {
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            path: ground.state().join("journal.db"),
        }
    }

    /// What rollouts wrote after an entry, from the first one on that `is` true of.
    fn since(&self, after: Seq, is: &dyn Fn(&RolloutEvent) -> bool) -> Vec<Seq> {
        let read = slipway_journal::read_file(&self.path, after, 1000);
        let entries = self.runtime.block_on(read).unwrap();
        let entries = entries.iter().filter_map(|entry| match &entry.event {
            Event::Rollout(event) => Some((entry.seq, event)),
            _ => None,
        });
        let entries = entries.skip_while(|(_, event)| !is(event));
        entries.map(|(seq, _)| seq).collect()
    }

    fn last(&self) -> Seq {
        let entries = self
            .runtime
            .block_on(slipway_journal::replay_file(&self.path));
        entries.unwrap().last().unwrap().seq
    }
}

/// Changes to the release `winner` by `order`, and kills control after the nth entry from that on
/// which `begins` is true of; whether there was such an entry.
fn killed_after(
    ground: &Ground,
    nth: usize,
    order: &[&str],
    begins: &dyn Fn(&RolloutEvent) -> bool,
    winner: &str,
) -> bool {
    let watcher = Watcher::of(ground);
    let before = watcher.last();
    let asked = ground.spawn(order);
    let is_over = || at_work(ground) == [(winner.to_owned(), 2)].into() && is_live(ground, winner);
    let mut killed = false;
    let (mut looks, mut written) = (0_u32, 0);
    ground.wait_for("the entry, or the end", || {
        looks += 1;
        let entries = watcher.since(before, begins).len();
        if entries > nth {
            ground.kill("control");
            killed = true;
        }
        // To ask what runs takes longer than to read what was written.
        let is_quiet =
            looks.is_multiple_of(50) && std::mem::replace(&mut written, entries) == entries;
        killed || (is_quiet && is_over())
    });
    ground.wait_for("the end of the change", is_over);
    // Whoever ordered it may have lost control before it said that it takes the order.
    drop(asked.wait());
    killed
}

fn is_live(ground: &Ground, release: &str) -> bool {
    ground.live().as_deref() == Some(release)
}

/// Control is killed after every second entry of changes forth and back, from the `first` on,
/// beside a queue that never ends. The keeper is killed in between: one that has seen control end
/// many times waits before it starts it again.
fn control_dies_everywhere(first: usize, workers: &str) -> (Ground, Jobs) {
    let (mut ground, folder) = up(workers);
    let one = id(&ground.state(), "finishes", "one");
    ground.deploy(&one).with(0);
    let mut jobs = Jobs::fill(folder);
    let is_shift = |e: &RolloutEvent| {
        matches!(
            e,
            RolloutEvent::Intent {
                step: Step::Shift { .. },
                ..
            }
        )
    };
    let is_fired = |e: &RolloutEvent| matches!(e, RolloutEvent::TriggerFired { .. });
    let mut kills = Vec::new();
    for nth in (first..MOST).step_by(2) {
        let name = Box::leak(format!("new {nth}").into_boxed_str());
        let new = id(&ground.state(), "hands-back", name);
        let deploy = ["deploy", new.as_str()];
        let forth = killed_after(&ground, nth, &deploy, &is_shift, &new);
        let rollback = ["rollback", "--reason", "the next one"];
        let back = killed_after(&ground, nth, &rollback, &is_fired, &one);
        kills.push((forth, back));
        if !forth && !back {
            break;
        }
        ground.kill("keeper");
        ground.start();
    }
    assert_eq!(kills.pop(), Some((false, false)), "it has more entries");
    assert!(kills.len() >= 5 && kills[0] == (true, true), "{kills:?}");
    jobs.are_done_once(&ground);
    ground.run(&["journal", "verify"]).with(0);
    (ground, jobs)
}

#[test]
fn control_dies_anywhere_in_a_change_and_every_job_is_done_once() {
    let (_ground, jobs) = control_dies_everywhere(0, "workers = { jobs = 2 }");
    assert!(!jobs.met().is_empty(), "they overlap where nothing is said");
}

#[test]
fn control_dies_anywhere_and_two_releases_workers_never_meet_where_they_may_not() {
    let workers = "workers = { jobs = 2 }\nworkers_overlap = false";
    let (_ground, jobs) = control_dies_everywhere(1, workers);
    assert_eq!(jobs.met(), "");
}
