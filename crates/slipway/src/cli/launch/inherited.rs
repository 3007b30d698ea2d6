//! The files that whoever called left open, closed for the program that this process becomes.
//! The one module of this crate with an unsafe block: a number has to be taken for a file.
#![expect(
    unsafe_code,
    reason = "a file that was inherited has no owner but its number"
)]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{Errno, FdFlags, fcntl_setfd};

/// Makes sure that every file from the number `first` on is closed when this process becomes
/// another program. Only for a process with one thread.
pub(super) fn close_at_exec(first: RawFd) -> io::Result<()> {
    let numbers: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number >= first)
        .collect();
    for number in numbers {
        // SAFETY: it was open a moment ago, there is no other thread that could have closed
        // it, and it is used for this one call only, which is told where it is not open.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        match fcntl_setfd(file, FdFlags::CLOEXEC) {
            // The list of the folder itself is closed by now.
            Ok(()) | Err(Errno::BADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
