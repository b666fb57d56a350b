//! What every run stands on: threads, signals, a console, and the sandbox where it is asked for.

use super::signals::Signals;
use super::unstarted::Unstarted;
use crate::cli;
use crate::config::{Config, Destination, Profiles, Task};
use crate::report::Console;
use crate::sandbox::{self, Sandbox};
use anyhow::{Context, Result};
use std::io;
use tokio::runtime::{Builder, Runtime};

/// Requests a second that one thread sends with ease; more threads would only wake each other.
const ONE_THREAD: u32 = 1000;

/// Alive as long as the run.
pub(super) struct Stage {
    pub(super) runtime: Runtime,
    pub(super) signals: Signals,
    _sandbox: Option<Sandbox>,
}

impl Stage {
    /// Sets everything up; the console has said what a person should know before anything begins.
    pub(super) fn set(config: &mut Config, unstarted: &Unstarted) -> Result<(Self, Console)> {
        let mut console = Console::new(config.manner);
        for warning in &config.warnings {
            console.warn(warning);
        }
        for name in cli::unknown_variables(std::env::vars_os().map(|(name, _)| name)) {
            console.warn(&format!("the variable {name} is none of imimport's: it does nothing"));
        }
        let runtime = threads(config.rate)
            .context("no threads for the network: raise the limit of processes (ulimit -u)")?;
        let entered = runtime.enter();
        let signals = Signals::listen()
            .context("signals cannot be heard: raise the limit of open files (ulimit -n)")?;
        let (unstarted, manner) = (unstarted.clone(), config.manner);
        signals.at_exit(move |signal| {
            Console::new(manner).note("interrupted while the input was read: this process sent nothing");
            unstarted.interrupted(signal);
        });
        let sandbox = start_sandbox(config)?;
        drop(entered);
        Ok((Self { runtime, signals, _sandbox: sandbox }, console))
    }
}

/// The threads of the network: as many as there are cores, unless one is enough.
fn threads(rate: u32) -> io::Result<Runtime> {
    let mut runtime = Builder::new_multi_thread();
    if rate <= ONE_THREAD {
        runtime.worker_threads(1);
    }
    runtime.enable_all().build()
}

/// The embedded service, where it is asked for; its address becomes the target's. It remembers profiles only
/// where they are compared.
fn start_sandbox(config: &mut Config) -> Result<Option<Sandbox>> {
    use Profiles::Compare;
    let remember = matches!(config.task, Task::Verify(Compare) | Task::Import { verify: Some(Compare), .. });
    let Some(service) = config.service.as_mut().filter(|service| service.destination == Destination::Sandbox)
    else {
        return Ok(None);
    };
    let options = sandbox::Options { remember, ..sandbox::Options::default() };
    let sandbox = Sandbox::start(options).context("the sandbox cannot listen on loopback")?;
    service.target.endpoint = format!("http://{}", sandbox.address());
    Ok(Some(sandbox))
}
