//! What a step may take, as limits of its processes.

use crate::canary::sandbox::cell::Limits;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;

/// Processes that are the sandbox's own in a cell: bubblewrap's first one, ours and its threads.
const OWN_PROCESSES: u64 = 8;

/// Sets the limits, which whatever this process becomes or starts inherits and cannot raise.
pub(super) fn set(limits: &Limits) -> io::Result<()> {
    for (resource, most) in [
        (Resource::RLIMIT_DATA, limits.memory),
        (Resource::RLIMIT_NPROC, limits.processes.saturating_add(OWN_PROCESSES)),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (Resource::RLIMIT_FSIZE, limits.file_size),
        (Resource::RLIMIT_CPU, limits.cpu_seconds),
        // Not 0: with 0 a host's handler of core dumps is still started, as that one writes no
        // file. With 1 it is not, see core(5) and `do_coredump` in the kernel.
        (Resource::RLIMIT_CORE, 1),
        // Memory that no other limit counts.
        (Resource::RLIMIT_MSGQUEUE, 64 * 1024),
        (Resource::RLIMIT_MEMLOCK, 64 * 1024),
    ] {
        // What is lower already stays.
        let (_, hard) = getrlimit(resource)?;
        let most = most.min(hard);
        setrlimit(resource, most, most)?;
    }
    Ok(())
}
