//! Starts worker processes such that none outlives its parent, and holds them such that none is killed by a stale number.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::oneshot,
};

use crate::procfs::{self, Memory};

/// A running worker. Its descriptor means this very process, whatever becomes of the number.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) pid: u32,
    pidfd: OwnedFd,
    /// Largest peak of resident memory seen, KiB.
    peak: AtomicU64,
}

impl Worker {
    fn new(pid: u32, pidfd: OwnedFd) -> Self {
        Self { pid, pidfd, peak: AtomicU64::new(0) }
    }

    /// Memory now; `None` when the process has ended.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let memory = procfs::memory(self.pid)?;
        self.peak.fetch_max(memory.peak, Ordering::Relaxed);
        Some(memory)
    }

    /// The largest peak of resident memory seen so far, KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Sends SIGKILL, after a last look at the memory. An error can only mean that the process has ended already.
    pub(crate) fn kill(&self) {
        self.memory();
        if let Err(error) = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL) {
            tracing::debug!(pid = self.pid, %error, "worker had ended before it was killed");
        }
    }

    /// Ends what the worker may have left behind. Only while its process is not reaped: until then the kernel gives
    /// the number of its process group to nobody else.
    pub(crate) fn kill_group(&self) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid
            && let Err(error) = rustix::process::kill_process_group(pid, Signal::KILL)
        {
            tracing::debug!(pid = self.pid, %error, "no process left in the worker's group");
        }
    }
}

/// Registers the worker with tokio: what it gives becomes readable when the process ends.
#[expect(unsafe_code, reason = "tokio has no safe way to register a descriptor of another kind than its own")]
pub(crate) fn watch(worker: Arc<Worker>) -> io::Result<AsyncFd<Arc<Worker>>> {
    // SAFETY: `as_raw_fd` below always gives the one descriptor that the worker owns, opened by `pidfd_open` and
    // private to this module, where nothing closes, takes or replaces it. The `Arc` that `AsyncFd` keeps holds the
    // worker, and so the open descriptor, for as long as the registration lasts.
    let registered = unsafe { AsyncFd::register_with_interest(worker, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

impl AsRawFd for Worker {
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

/// A process just started. `child` has to be waited for once the worker's descriptor is readable.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) worker: Arc<Worker>,
    pub(crate) child: Child,
    pub(crate) born: Instant,
}

type Order = (Command, oneshot::Sender<io::Result<Started>>);

/// A thread that starts all workers of a pool.
///
/// The kernel's "parent death signal" goes by the *thread* that forked. A thread of a tokio runtime may end while
/// the pool lives on and would take its workers along; this one ends with the pool.
#[derive(Debug)]
pub(crate) struct Starter {
    orders: mpsc::Sender<Order>,
}

impl Starter {
    pub(crate) fn new() -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::Builder::new().name("lambda-starter".to_owned()).spawn(move || {
            for (command, reply) in inbox {
                if let Err(Ok(mut orphan)) = reply.send(start(command)) {
                    orphan.worker.kill();
                    let _reaped = orphan.child.wait();
                }
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a process and waits until its program has been executed.
    pub(crate) async fn start(&self, command: Command) -> io::Result<Started> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts workers has ended");
        self.orders.send((command, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn start(mut command: Command) -> io::Result<Started> {
    command.process_group(0);
    die_with_parent(&mut command);
    let born = Instant::now();
    let mut child = command.spawn()?;
    match open(&child) {
        Ok(pidfd) => Ok(Started { worker: Arc::new(Worker::new(child.id(), pidfd)), child, born }),
        Err(error) => {
            child.kill()?;
            child.wait()?;
            Err(error)
        }
    }
}

fn open(child: &Child) -> io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("process id out of range"))?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

/// Has the kernel kill the process when the calling thread ends, for whatever reason, SIGKILL included.
#[expect(unsafe_code, reason = "pre_exec is the only way to act between fork and exec")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let arm = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // Had the parent died before the line above, nobody would be left to trigger the signal.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::Error::from(rustix::io::Errno::SRCH))
        }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed, because another thread may have held a
    // lock, the allocator's for one, when the process was copied. `arm` makes the system calls prctl and getppid,
    // builds errors from bare numbers (`io::Error` of an errno does not allocate), and captures one integer by copy.
    unsafe {
        command.pre_exec(arm);
    }
}
