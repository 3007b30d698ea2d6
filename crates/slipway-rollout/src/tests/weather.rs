//! What happens in a simulation besides what the engine does: who asks for what, what breaks
//! and for how long. Drawn from the seed before anything runs.

use std::time::Duration;

use chassis::Random;
use jiff::SignedDuration;

use crate::policy::{Canary, Policy, Recreate, Strategy, Unsure};
use crate::tests::machine::{Birth, Mood};

/// How long orders come and things break.
pub(crate) const LASTS: Duration = Duration::from_secs(30);
/// Requests in flight may go on for so long.
const WINDOW: Duration = Duration::from_secs(8);
/// Instances of each release at the beginning and in the end.
pub(crate) const INSTANCES: u32 = 2;
/// Releases of each service.
pub(crate) const RELEASES: u64 = 5;

/// Something that happens. Services and releases are numbers.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Deploy {
        service: u64,
        release: u64,
        force: bool,
    },
    Rollback {
        service: u64,
    },
    Cancel {
        service: u64,
    },
    Strategy {
        service: u64,
        strategy: Strategy,
    },
    /// So many are wanted from now on.
    Instances {
        service: u64,
        instances: u32,
    },
    Kill {
        nth: usize,
    },
    Turn {
        service: u64,
        release: u64,
        mood: Mood,
    },
    Outage(bool),
    ControlDies {
        points: i64,
    },
    ProxyDies,
    ProxyReturns,
    Silence(bool),
    Loss(u64),
    DiskFull(bool),
    DiskSlow(Duration),
    Room(bool),
    Jump(SignedDuration),
    /// A visitor counts a request that never was.
    Ghost {
        service: u64,
        release: u64,
    },
    /// A request that is never answered.
    Stuck,
}

/// What may happen with one seed.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is drawn by itself, and none excludes another"
)]
pub(crate) struct Sky {
    /// Control is killed.
    pub(crate) crashes: bool,
    /// Instances are killed, or die by themselves.
    pub(crate) deaths: bool,
    /// Releases go bad, or are from the beginning.
    pub(crate) moods: bool,
    /// The proxy is killed.
    pub(crate) proxy: bool,
    /// What the proxy answers gets lost, or it says nothing.
    pub(crate) losses: bool,
    /// The disk is full, or slow.
    pub(crate) disk: bool,
    /// The clock is set.
    pub(crate) clock: bool,
}

impl Sky {
    /// Whether nothing may cost a request.
    pub(crate) fn is_clear(self) -> bool {
        !self.deaths && !self.moods && !self.proxy
    }
}

/// All that a seed brings.
#[derive(Debug)]
pub(crate) struct Weather {
    pub(crate) sky: Sky,
    pub(crate) services: u64,
    pub(crate) policies: Vec<Policy>,
    /// By service and release.
    pub(crate) births: Vec<Vec<Birth>>,
    pub(crate) unfit: Vec<Vec<bool>>,
    pub(crate) moods: Vec<Vec<Mood>>,
    /// In order.
    pub(crate) happenings: Vec<(Duration, Happening)>,
    /// How long the keeper takes to start control again, each time.
    pub(crate) absences: Vec<Duration>,
}

impl Weather {
    pub(crate) fn of(random: &Random) -> Self {
        let likely = |percent| random.below(100) < percent;
        let sky = Sky {
            crashes: likely(60),
            deaths: likely(45),
            moods: likely(50),
            proxy: likely(35),
            losses: likely(35),
            disk: likely(25),
            clock: likely(25),
        };
        let services = 1 + u64::from(likely(35));
        let all = || 0..services;
        let each = |of: &dyn Fn(u64) -> Birth| (0..RELEASES).map(of).collect::<Vec<_>>();
        let mut weather = Self {
            sky,
            services,
            policies: all().map(|_| policy(random)).collect(),
            births: all().map(|_| each(&|n| birth(random, sky, n))).collect(),
            unfit: all()
                .map(|_| (0..RELEASES).map(|n| n > 0 && likely(5)).collect())
                .collect(),
            moods: all()
                .map(|_| (0..RELEASES).map(|n| first_mood(random, sky, n)).collect())
                .collect(),
            happenings: Vec::new(),
            absences: (0..64)
                .map(|_| Duration::from_millis(100 + random.below(3000)))
                .collect(),
        };
        weather.orders(random);
        weather.faults(random);
        weather.happenings.sort_by_key(|(at, _)| *at);
        weather
    }

    fn at(&mut self, at: Duration, what: Happening) {
        self.happenings.push((at, what));
    }

    fn orders(&mut self, random: &Random) {
        for service in 0..self.services {
            let release = 0;
            let first = Happening::Deploy {
                service,
                release,
                force: false,
            };
            self.at(Duration::from_millis(random.below(500)), first);
        }
        for _ in 0..4 + random.below(6) * self.services {
            let service = random.below(self.services);
            let what = match random.below(11) {
                0..=5 => Happening::Deploy {
                    service,
                    release: random.below(RELEASES),
                    force: random.below(3) == 0,
                },
                6 | 7 => Happening::Rollback { service },
                8 => Happening::Cancel { service },
                9 => Happening::Instances {
                    service,
                    instances: 1 + u32::try_from(random.below(4)).unwrap_or(0),
                },
                _ => Happening::Strategy {
                    service,
                    strategy: strategy(random),
                },
            };
            self.at(moment(random), what);
        }
    }

    fn faults(&mut self, random: &Random) {
        let sky = self.sky;
        let times = |is: bool, most: u64| if is { 1 + random.below(most) } else { 0 };
        let span = |most_ms: u64| Duration::from_millis(100 + random.below(most_ms));
        for _ in 0..times(sky.crashes, 5) {
            let points = i64::try_from(random.below(25)).unwrap_or(0);
            self.at(moment(random), Happening::ControlDies { points });
        }
        for _ in 0..times(sky.deaths, 4) {
            let nth = usize::try_from(random.below(4)).unwrap_or(0);
            self.at(moment(random), Happening::Kill { nth });
        }
        for _ in 0..times(sky.moods, 5) {
            let (service, release) = (random.below(self.services), random.below(RELEASES));
            let mood = mood(random);
            let what = Happening::Turn {
                service,
                release,
                mood,
            };
            self.at(moment(random), what);
        }
        if sky.moods && random.below(4) == 0 {
            let at = moment(random);
            self.at(at, Happening::Outage(true));
            self.at(at + span(8000), Happening::Outage(false));
        }
        for _ in 0..times(sky.proxy, 3) {
            let at = moment(random);
            self.at(at, Happening::ProxyDies);
            self.at(at + span(3000), Happening::ProxyReturns);
        }
        for _ in 0..times(sky.losses, 3) {
            let (at, long) = (moment(random), span(8000));
            if random.below(2) == 0 {
                self.at(at, Happening::Silence(true));
                self.at(at + long, Happening::Silence(false));
            } else {
                self.at(at, Happening::Loss(20 + random.below(60)));
                self.at(at + long, Happening::Loss(0));
            }
        }
        for _ in 0..times(sky.disk, 3) {
            let (at, long) = (moment(random), span(6000));
            match random.below(3) {
                0 => {
                    self.at(at, Happening::DiskFull(true));
                    self.at(at + long, Happening::DiskFull(false));
                }
                1 => {
                    let slowness = span(700);
                    self.at(at, Happening::DiskSlow(slowness));
                    self.at(at + long, Happening::DiskSlow(Duration::ZERO));
                }
                _ => {
                    self.at(at, Happening::Room(false));
                    self.at(at + long, Happening::Room(true));
                }
            }
        }
        for _ in 0..times(sky.clock, 3) {
            let seconds = i64::try_from(random.below(120)).unwrap_or(0) - 60;
            let by = SignedDuration::from_secs(seconds);
            self.at(moment(random), Happening::Jump(by));
        }
    }
}

fn moment(random: &Random) -> Duration {
    let span = u64::try_from(LASTS.as_millis()).unwrap_or(0);
    Duration::from_millis(1000 + random.below(span - 1000))
}

fn birth(random: &Random, sky: Sky, number: u64) -> Birth {
    match random.below(20) {
        _ if number == 0 => Birth::Ready(Duration::ZERO),
        0 => Birth::Fails,
        1 => Birth::Never,
        2 | 3 if sky.deaths => Birth::Dies(Duration::from_millis(random.below(15_000))),
        _ => Birth::Ready(Duration::from_millis(random.below(2500))),
    }
}

fn first_mood(random: &Random, sky: Sky, number: u64) -> Mood {
    if number == 0 || !sky.moods || random.below(3) > 0 {
        return Mood::Good;
    }
    mood(random)
}

fn mood(random: &Random) -> Mood {
    match random.below(8) {
        0 | 1 => Mood::Good,
        2 | 3 => Mood::Fails(50),
        4 => Mood::Fails(100),
        5 => Mood::Slow,
        6 => Mood::Hangs,
        _ => Mood::Deaf,
    }
}

fn strategy(random: &Random) -> Strategy {
    match random.below(8) {
        0..=2 => Strategy::BlueGreen,
        3 => Strategy::Recreate(Recreate { drain: WINDOW }),
        _ => canary(random),
    }
}

fn canary(random: &Random) -> Strategy {
    Strategy::Canary(Canary {
        steps: vec![2_000, 5_000],
        dwell: Duration::from_secs(3),
        dwell_most: Duration::from_secs(12),
        requests: 40,
        unsure: [Unsure::Hold, Unsure::Continue, Unsure::Abort]
            [usize::try_from(random.below(3)).unwrap_or(0)],
    })
}

fn policy(random: &Random) -> Policy {
    Policy {
        instances: INSTANCES,
        ready_within: Duration::from_secs(6),
        ready_every: Duration::from_millis(200),
        quiet: Duration::from_millis(500),
        observe: Duration::from_secs(1),
        bake: Duration::from_secs(2 + random.below(10)),
        drain_window: WINDOW,
        stop_grace: Duration::from_secs(2),
        look_every: Duration::from_millis(300),
        preview_within: Duration::from_secs(3),
        progress_within: Duration::from_secs(60),
        strategy: strategy(random),
        ..Policy::default()
    }
}
