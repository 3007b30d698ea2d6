//! How the files and sockets that the process may have open are shared out, so that
//! connections leave enough for tables, looks and the admin socket. What runs short all the
//! same is nobody else's fault.

use std::io;

use rustix::io::Errno;

use crate::options::Limits;

/// For tables on disk, the admin socket and looks; and for what each worker needs itself.
const RESERVE: u64 = 64;
const PER_WORKER: u64 = 8;
/// A connection of a client and the one to its target.
const PER_CONNECTION: u64 = 2;
/// Idle connections to one target may take this part of all connections.
const IDLE_PART: usize = 8;
/// One peer may take this part of all connections.
const PEER_PART: usize = 2;

/// The limits that fit into so many open files.
pub(crate) fn fitted(limits: Limits, files: Option<u64>, workers: usize) -> Limits {
    let Some(files) = files else {
        return limits;
    };
    let workers = u64::try_from(workers).unwrap_or(u64::MAX);
    let reserve = workers.saturating_mul(PER_WORKER).saturating_add(RESERVE);
    let fit = files.saturating_sub(reserve) / PER_CONNECTION;
    let connections = usize::try_from(fit)
        .unwrap_or(usize::MAX)
        .clamp(1, limits.connections.max(1));
    if connections < limits.connections {
        tracing::warn!(
            files,
            connections,
            wanted = limits.connections,
            "the limit of open files allows fewer connections; raise it (ulimit -Hn, LimitNOFILE)"
        );
    }
    let per_peer = if connections < limits.connections {
        // One peer alone never takes all of the few.
        limits.connections_per_peer.min(connections / PEER_PART)
    } else {
        limits.connections_per_peer
    };
    Limits {
        connections,
        connections_per_peer: per_peer.max(1),
        upstream_pool: limits.upstream_pool.min((connections / IDLE_PART).max(1)),
        ..limits
    }
}

/// Whether something failed because this process or machine ran short of something, and not
/// because of whoever was to be reached.
pub(crate) fn is_short(error: &io::Error) -> bool {
    let short = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        // No port is left to connect from.
        Errno::ADDRNOTAVAIL,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| short.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_enough_for_everything_else() {
        for (files, connections, upstream_pool) in [
            (None, 20_000, 128),
            (Some(1_000_000), 20_000, 128),
            (Some(1024), 472, 59),
            (Some(64), 1, 1),
            (Some(0), 1, 1),
        ] {
            let fitted = fitted(Limits::default(), files, 2);
            assert_eq!(
                (fitted.connections, fitted.upstream_pool),
                (connections, upstream_pool),
                "{files:?}"
            );
        }
    }

    #[test]
    fn where_there_are_few_one_peer_has_half_of_them_at_most() {
        for (files, per_peer) in [(1_000_000, 2000), (1024, 236), (64, 1)] {
            let fitted = fitted(Limits::default(), Some(files), 2);
            assert_eq!(fitted.connections_per_peer, per_peer, "{files}");
        }
    }

    #[test]
    fn a_limit_that_fits_stays() {
        let limits = Limits {
            connections: 3,
            upstream_pool: 0,
            ..Limits::default()
        };
        let fitted = fitted(limits, Some(1024), 2);
        assert_eq!((fitted.connections, fitted.upstream_pool), (3, 0));
    }

    #[test]
    fn only_what_is_lacking_here_is_short() {
        for (errno, expected) in [
            (Errno::MFILE, true),
            (Errno::ADDRNOTAVAIL, true),
            (Errno::CONNREFUSED, false),
            (Errno::TIMEDOUT, false),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(is_short(&error), expected, "{errno:?}");
        }
        assert!(!is_short(&io::ErrorKind::TimedOut.into()));
    }
}
