//! One stage of a longer run: announced, timed, and shown in the table at the end.

use std::time::{Duration, Instant};

/// The stages so far.
#[derive(Debug, Default)]
pub(crate) struct Stages(Vec<(&'static str, Duration, bool)>);

impl Stages {
    /// Runs one stage; what it returns is what it found, and its error ends the run.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        eprintln!("\n── {name}");
        let start = Instant::now();
        let result = work();
        self.0.push((name, start.elapsed(), result.is_ok()));
        result
    }

    /// The table of wall times.
    pub(crate) fn table(&self) -> String {
        let row = |(name, took, passed): &(&str, Duration, bool)| {
            let mark = if *passed { "ok" } else { "FAILED" };
            format!("{name:<17} {:>8.1} s  {mark}\n", took.as_secs_f64())
        };
        let table: String = self.0.iter().map(row).collect();
        format!("\n{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_stage_that_failed() {
        let mut stages = Stages::default();
        stages.run("good", || Ok(())).unwrap();
        assert!(stages.run::<()>("bad", || anyhow::bail!("no")).is_err());
        let table = stages.table();
        assert!(
            table
                .lines()
                .any(|l| l.starts_with("good") && l.ends_with("ok")),
            "{table}"
        );
        assert!(
            table
                .lines()
                .any(|l| l.starts_with("bad") && l.ends_with("FAILED")),
            "{table}"
        );
    }
}
