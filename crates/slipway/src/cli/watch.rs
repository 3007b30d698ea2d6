//! Progress that a person enjoys: a spinner with words on a terminal, plain lines
//! elsewhere. Follows a rollout by reading the journal's file, so that it goes on while
//! control is away.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// A line that changes on a terminal, and a line per change elsewhere.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    said: std::cell::RefCell<String>,
}

impl Progress {
    /// Starts with `words`.
    pub(crate) fn start(words: &str) -> Self {
        let bar = terminal::is_watched().then(|| {
            let bar = ProgressBar::new_spinner();
            // The template is a constant, so a mistake in it shows in every test.
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}")
            {
                bar.set_style(
                    style.tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]),
                );
            }
            bar.enable_steady_tick(Duration::from_millis(80));
            bar
        });
        let progress = Self {
            bar,
            said: std::cell::RefCell::default(),
        };
        progress.say(words);
        progress
    }

    /// Says what is going on now.
    pub(crate) fn say(&self, words: &str) {
        if *self.said.borrow() == words {
            return;
        }
        words.clone_into(&mut self.said.borrow_mut());
        match &self.bar {
            Some(bar) => bar.set_message(terminal::harmless(words)),
            None => terminal::note(format!("  {words}")),
        }
    }

    /// Leaves a line behind, above what is going on now.
    pub(crate) fn leave(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(terminal::harmless(line)),
            None => terminal::note(line),
        }
    }

    /// Takes the changing line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
