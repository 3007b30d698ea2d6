//! The logs of keeper, proxy and control, kept from growing without end. Whoever writes has the
//! file open for appending and is not asked: what is too large is copied aside and then emptied
//! in place. What is written between the two is lost, a moment in every 16 MiB.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::state::State;

/// The largest log; one older one of the same size is kept.
pub(crate) const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How often they are looked at.
pub(crate) const EVERY: Duration = Duration::from_secs(30);
const NAMES: [&str; 3] = ["keeper", "proxy", "control"];

/// Empties every log that is too large. Blocking.
pub(crate) fn bound(state: &State) {
    for name in NAMES {
        let log = state.logs().join(format!("{name}.log"));
        match empty(&log, BYTES_MAX) {
            Ok(false) => {}
            Ok(true) => tracing::info!(log = name, "a log was too large and begins anew"),
            Err(error) => tracing::warn!(log = name, %error, "a log grows on"),
        }
    }
}

/// Empties a log that is larger than it may be; whether it was.
fn empty(log: &Path, bytes_max: u64) -> io::Result<bool> {
    match fs::metadata(log) {
        Ok(found) if found.len() > bytes_max => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(false),
    }
    let copied = fs::copy(log, log.with_extension("log.1"));
    // On a full disk the copy is what cannot be had, and room what is needed.
    OpenOptions::new().write(true).open(log)?.set_len(0)?;
    copied.map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_log_that_is_too_large_begins_anew_under_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("proxy.log");
        assert!(!empty(&log, 10).unwrap());
        let mut writer = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        for (line, is_emptied, now, aside) in [
            ("0123456789", false, "0123456789", None),
            ("a", true, "", Some("0123456789a")),
            ("b", false, "b", Some("0123456789a")),
            ("0123456789", true, "", Some("b0123456789")),
        ] {
            writer.write_all(line.as_bytes()).unwrap();
            assert_eq!(empty(&log, 10).unwrap(), is_emptied, "{line}");
            assert_eq!(fs::read_to_string(&log).unwrap(), now);
            let found = fs::read_to_string(folder.path().join("proxy.log.1")).ok();
            assert_eq!(found.as_deref(), aside);
        }
    }
}
