//! What is found around an instance that does not do as it should, and what it means in
//! words. Finding reads `/proc` and the log; meaning is pure.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::runtime::mask::Mask;

/// Lines of a log that are shown.
const LINES: usize = 12;
/// Of a log no more than its last bytes are read.
const TAIL_BYTES: u64 = 16 * 1024;
/// A line is cut here.
const LINE_CHARS: usize = 300;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clues {
    /// The last lines of the log; none where it is not known what must be hidden in them.
    pub(crate) log: Option<Vec<String>>,
    /// The ports that its processes listen on.
    pub(crate) ports: Vec<u16>,
    /// Where the whole log is.
    pub(crate) log_path: String,
}

impl Clues {
    /// The clues in words, after what was seen; `port` is the one that was given to it.
    pub(crate) fn explain(&self, seen: &str, port: u16) -> String {
        let mut words = seen.to_owned();
        if let Some(hint) = self.hint(port) {
            words.push_str("; ");
            words.push_str(&hint);
        }
        match self.log.as_deref() {
            None => {}
            Some([]) => words.push_str("; it wrote nothing to its log"),
            Some(lines) => {
                words.push_str("\nits log ends with:");
                for line in lines {
                    words.push_str("\n  ");
                    words.push_str(line);
                }
            }
        }
        if !self.log_path.is_empty() {
            words.push_str("\nwhole log: ");
            words.push_str(&self.log_path);
        }
        words
    }

    fn hint(&self, port: u16) -> Option<String> {
        if self.ports.contains(&port) {
            return None;
        }
        let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
        if ports.is_empty() {
            return Some(format!(
                "it listens on no port, and PORT was {port}: it must listen on 127.0.0.1:$PORT"
            ));
        }
        Some(format!(
            "it listens on {}, but PORT was {port}: it must listen on 127.0.0.1:$PORT",
            ports.join(", ")
        ))
    }
}

/// The last lines of the file at `path`, without what `mask` hides; none where it cannot
/// be read.
pub(crate) fn tail(path: &Path, mask: &Mask) -> Vec<String> {
    let Ok(bytes) = last_bytes(path) else {
        return Vec::new();
    };
    // Before anything is cut: half a value would not be known again.
    let text = mask.cover(&String::from_utf8_lossy(&bytes));
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(LINES))
        .map(|line| line.chars().take(LINE_CHARS).collect())
        .collect()
}

fn last_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    if from > 0 {
        // A line whose start is not here may start in the middle of a value.
        let whole = bytes.iter().position(|b| *b == b'\n');
        bytes.drain(..whole.unwrap_or(bytes.len()));
    }
    Ok(bytes)
}

/// The ports that the processes of the session `leader` listen on.
pub(crate) fn listening(leader: i32) -> Vec<u16> {
    let sockets = sockets_of_session(leader);
    let ours = listeners(leader).into_iter();
    let ports: BTreeSet<u16> = ours
        .filter(|(_, inode)| sockets.contains(inode))
        .map(|(port, _)| port)
        .collect();
    ports.into_iter().collect()
}

/// Whether every socket that listens on `port`, on whatever address, belongs to the session
/// `leader`, and there is one.
pub(crate) fn holds_alone(leader: i32, port: u16) -> bool {
    let sockets = sockets_of_session(leader);
    let mut there = listeners(leader);
    there.retain(|(its, _)| *its == port);
    !there.is_empty() && there.iter().all(|(_, inode)| sockets.contains(inode))
}

fn sockets_of_session(leader: i32) -> BTreeSet<String> {
    session(leader).into_iter().flat_map(sockets_of).collect()
}

/// Port and inode of every listening socket in the network of a process.
fn listeners(pid: i32) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        found.extend(text.lines().skip(1).filter_map(listener));
    }
    found
}

/// Port and inode of a line of `/proc/net/tcp` whose socket listens.
fn listener(line: &str) -> Option<(u16, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    if *state != "0A" {
        return None;
    }
    let (_, port) = local.rsplit_once(':')?;
    Some((u16::from_str_radix(port, 16).ok()?, (*inode).to_owned()))
}

/// The processes of a session.
fn session(leader: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid == leader || session_of(*pid) == Some(leader))
        .collect()
}

fn session_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    // Behind the name: state, parent, group, session.
    rest.split_whitespace().nth(3)?.parse().ok()
}

fn sockets_of(pid: i32) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|e| fs::read_link(e.path()).ok())
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_port_is_named_beside_the_right_one() {
        let clues = Clues {
            log: Some(vec!["listening on 4000".into()]),
            ports: vec![4000],
            log_path: "/tmp/log".into(),
        };
        insta::assert_snapshot!(clues.explain("connection refused", 21_000), @r"
        connection refused; it listens on 4000, but PORT was 21000: it must listen on 127.0.0.1:$PORT
        its log ends with:
          listening on 4000
        whole log: /tmp/log
        ");
    }

    #[test]
    fn the_right_port_needs_no_hint() {
        let clues = Clues {
            ports: vec![21_000],
            log: Some(Vec::new()),
            ..Clues::default()
        };
        assert_eq!(
            clues.explain("answered 500", 21_000),
            "answered 500; it wrote nothing to its log"
        );
    }

    #[test]
    fn the_port_that_a_process_listens_on_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(listening(own).contains(&port));
    }

    #[test]
    fn a_port_is_held_by_the_session_that_listens_on_it_and_by_no_other() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(holds_alone(own, port));
        let mut other = std::process::Command::new("setsid");
        let mut other = other.args(["-w", "sleep", "600"]).spawn().unwrap();
        let stranger = i32::try_from(other.id()).unwrap();
        assert!(!holds_alone(stranger, port), "its network is the same");
        other.kill().unwrap();
        other.wait().unwrap();
        drop(listener);
        assert!(!holds_alone(own, port), "nobody listens");
    }

    #[test]
    fn a_value_that_is_cut_stays_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let value = "v".repeat(LINE_CHARS);
        let variables = [("KEY".to_owned(), chassis::SecretString::from(value.clone()))];
        let mask = Mask::of(&variables.into());
        fs::write(&path, format!("it is: {value}\n")).unwrap();
        assert_eq!(tail(&path, &mask), ["it is: [hidden]"]);
        let long = format!("{}{value}\nlast\n", "v".repeat(20_000));
        fs::write(&path, long).unwrap();
        assert_eq!(tail(&path, &mask), ["last"]);
    }

    #[test]
    fn where_it_is_not_known_what_to_hide_only_the_place_is_told() {
        let clues = Clues {
            ports: vec![21_000],
            log_path: "/tmp/log".into(),
            ..Clues::default()
        };
        assert_eq!(
            clues.explain("answered 500", 21_000),
            "answered 500\nwhole log: /tmp/log"
        );
    }

    #[test]
    fn the_end_of_a_log_is_shown_and_long_lines_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
        fs::write(
            &path,
            format!("{}\n{}\n", lines.join("\n"), "x".repeat(5000)),
        )
        .unwrap();
        let tail = tail(&path, &Mask::default());
        assert_eq!(tail.len(), LINES);
        assert_eq!(tail[LINES - 2], "line 99");
        assert_eq!(tail[LINES - 1].len(), LINE_CHARS);
    }
}
