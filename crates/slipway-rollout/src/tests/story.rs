//! What happened in a simulation, for whoever has to find out why. Told only when it is asked
//! for: the same seed tells the same story, so a failing one is simply played again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A story, or the silence of a simulation of which nobody wants to hear.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story(Option<Arc<Mutex<Told>>>);

#[derive(Debug, Default)]
struct Told {
    lines: Vec<(Duration, &'static str, String)>,
    names: Vec<(String, String)>,
}

impl Story {
    /// A story that is written down.
    pub(crate) fn aloud() -> Self {
        Self(Some(Arc::default()))
    }

    /// What `who` did at an instant of the simulation.
    pub(crate) fn tell(&self, at: Duration, who: &'static str, what: impl FnOnce() -> String) {
        if let Some(mut told) = self.told() {
            told.lines.push((at, who, what()));
        }
    }

    /// Calls something by a short name from now on.
    pub(crate) fn name(&self, long: &str, short: impl FnOnce() -> String) {
        if let Some(mut told) = self.told()
            && !told.names.iter().any(|(known, _)| known == long)
        {
            told.names.push((long.to_owned(), short()));
        }
    }

    /// How many things have a short name that begins so.
    pub(crate) fn named(&self, beginning: &str) -> usize {
        let count = |told: MutexGuard<'_, Told>| {
            let named = told.names.iter().filter(|(_, n)| n.starts_with(beginning));
            named.count()
        };
        self.told().map_or(0, count)
    }

    /// All of it, a line for each thing.
    pub(crate) fn text(&self) -> String {
        let Some(told) = self.told() else {
            return "nobody wrote the story down".to_owned();
        };
        let start = told.lines.first().map_or(Duration::ZERO, |(at, ..)| *at);
        let lines = told.lines.iter().map(|(at, who, what)| {
            let seconds = at.saturating_sub(start).as_secs_f64();
            format!("{seconds:>9.3}  {who:<9}  {what}")
        });
        let mut text = lines.collect::<Vec<_>>().join("\n");
        for (long, short) in &told.names {
            text = text.replace(long, short);
        }
        text
    }

    fn told(&self) -> Option<MutexGuard<'_, Told>> {
        let told = self.0.as_ref()?;
        Some(told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
