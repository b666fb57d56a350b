//! Ctrl-C and SIGTERM: the first ends the run in order, a second at once. SIGUSR1, and SIGINFO where there is one,
//! ask how far it is.

use crate::report::Signal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// That the run ends.
    Stop(Signal),
    /// How far it is.
    #[cfg_attr(not(unix), expect(dead_code, reason = "no such signal there"))]
    State,
}

/// Signals from the moment this was made, in their order.
pub(super) struct Signals {
    heard: mpsc::UnboundedReceiver<Heard>,
    idle: Arc<Mutex<Idle>>,
}

/// What a signal does while nothing is under way that would have to be ended in order.
#[derive(Default)]
struct Idle {
    over: bool,
    /// Removed before the process ends.
    leftover: Option<PathBuf>,
    /// Called before it ends.
    farewell: Option<Box<dyn Fn(Signal) + Send>>,
    /// Called when the state is asked for; false if nobody tells it there any more.
    tell_state: Option<Box<dyn Fn() -> bool + Send>>,
}

impl Signals {
    /// Listens from now on; must be called in a runtime. Until [`Signals::wait_in_order`] a signal ends the
    /// process at once, for nothing was sent.
    pub(super) fn listen() -> std::io::Result<Self> {
        let (tell, heard) = mpsc::unbounded_channel();
        let idle = Arc::new(Mutex::new(Idle::default()));
        let shared = Arc::clone(&idle);
        let mut sources = Sources::new()?;
        tokio::spawn(async move {
            while let Some(heard) = sources.next().await {
                if shared.lock().unwrap_or_else(PoisonError::into_inner).takes(heard) {
                    continue;
                }
                if let (Err(_), Heard::Stop(signal)) = (tell.send(heard), heard) {
                    exit(signal);
                }
            }
        });
        Ok(Self { heard, idle })
    }

    /// A signal that ends the process removes this file first.
    pub(super) fn remove_at_exit(&self, path: Option<PathBuf>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).leftover = path;
    }

    /// A signal that ends the process before [`Signals::wait_in_order`] has this called.
    pub(super) fn at_exit(&self, farewell: impl Fn(Signal) + Send + 'static) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.farewell = Some(Box::new(farewell));
    }

    /// Until [`Signals::wait_in_order`], whoever asks for the state has this called. Where it gives false, the
    /// answer waits for [`Signals::next`].
    pub(super) fn when_asked(&self, tell_state: impl Fn() -> bool + Send + 'static) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.tell_state = Some(Box::new(tell_state));
    }

    /// From here on signals are told by [`Signals::next`].
    pub(super) fn wait_in_order(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).over = true;
    }

    /// From here on a signal ends the process at once again: what is left to do can be done by a resume.
    pub(super) fn end_at_once(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        *idle = Idle::default();
    }

    /// Ends the process now, as a signal does that ends it at once.
    pub(super) fn leave(&self, signal: Signal) -> ! {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clean_up();
        exit(signal)
    }

    /// The next signal; never, if there can be none.
    pub(super) async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

impl Idle {
    fn clean_up(&self) {
        if let Some(leftover) = &self.leftover {
            let _gone = std::fs::remove_file(leftover);
        }
    }

    /// Does what is asked for, unless something is under way: then whoever runs it does.
    fn takes(&self, heard: Heard) -> bool {
        if self.over {
            return false;
        }
        match (heard, &self.tell_state) {
            (Heard::Stop(signal), _) => {
                self.clean_up();
                if let Some(farewell) = &self.farewell {
                    farewell(signal);
                }
                exit(signal)
            }
            (Heard::State, tell_state) => tell_state.as_ref().is_some_and(|tell_state| tell_state()),
        }
    }
}

/// Ends the process as the shell expects of the signal.
fn exit(signal: Signal) -> ! {
    std::process::exit(match signal {
        Signal::Interrupt => 130,
        Signal::Terminate => 143,
    })
}

/// SIGXFSZ, on all systems but MIPS: a file grew over `ulimit -f`.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

#[cfg(unix)]
struct Sources {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    ask: tokio::signal::unix::Signal,
    info: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Sources {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Once it is listened to, it no longer ends the process, and the write that was too much fails instead: as on
        // a full disk, which can be reported.
        let _ignored = signal(SignalKind::from_raw(FILE_TOO_LARGE))?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            ask: signal(SignalKind::user_defined1())?,
            info: info()?,
        })
    }

    async fn next(&mut self) -> Option<Heard> {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Some(Heard::Stop(Signal::Interrupt)),
            Some(()) = self.terminate.recv() => Some(Heard::Stop(Signal::Terminate)),
            Some(()) = self.ask.recv() => Some(Heard::State),
            Some(()) = hear(&mut self.info) => Some(Heard::State),
            else => None,
        }
    }
}

/// What Ctrl-T sends on macOS and the BSDs; elsewhere there is none.
#[cfg(unix)]
fn info() -> std::io::Result<Option<tokio::signal::unix::Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    const SIGINFO: i32 = 29;
    let there_is_one = cfg!(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    ));
    there_is_one.then(|| signal(SignalKind::from_raw(SIGINFO))).transpose()
}

#[cfg(unix)]
async fn hear(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => None,
    }
}

#[cfg(windows)]
struct Sources {
    interrupt: tokio::signal::windows::CtrlC,
    terminate: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Sources {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_break()? })
    }

    async fn next(&mut self) -> Option<Heard> {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Some(Heard::Stop(Signal::Interrupt)),
            Some(()) = self.terminate.recv() => Some(Heard::Stop(Signal::Terminate)),
            else => None,
        }
    }
}
