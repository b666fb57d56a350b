//! `imimport sandbox`: the embedded stand-in of the service as a server of its own.

use super::signals::{Heard, Signals};
use crate::cli;
use crate::config::Flaw;
use crate::report::Console;
use crate::sandbox::{FAULT_FORMS, Faults, IDENTIFIER, Options, SDK_APP_ID, SECRET_KEY, Sandbox};
use anyhow::Context;
use std::fmt::Write as _;
use tokio::runtime::Runtime;

/// Serves until a signal; gives the exit code. `help` as a fault lists them all.
pub(super) fn sandbox(options: &cli::Sandbox, console: &mut Console) -> Result<u8, Flaw> {
    if options.fault.iter().any(|fault| fault == "help") {
        return super::say(&fault_help());
    }
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        let message =
            format!("{} can be reached by others: add --allow-remote if that is meant", options.listen);
        return Err(Flaw::Usage(message));
    }
    let faults = Faults::parse(&options.fault).map_err(|e| Flaw::Usage(e.to_string()))?;
    let runtime =
        Runtime::new().context("no threads for the network: raise the limit of processes (ulimit -u)")?;
    let _entered = runtime.enter();
    let mut signals =
        Signals::listen().context("signals cannot be heard: raise the limit of open files (ulimit -n)")?;
    signals.wait_in_order();
    let (listen, seed, remember) = (options.listen, options.seed, !options.forget);
    let sandbox = Sandbox::start(Options { listen, faults, seed, remember, ..Options::default() })
        .with_context(|| format!("cannot listen on {listen}: choose another with --listen"))?;
    let address = sandbox.address();
    // Two credentials would be one too many.
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let others = ["IMIMPORT_SECRET_KEY_FILE", "IMIMPORT_USERSIG"].iter().filter(|name| is_set(name));
    let unset: String = others.flat_map(|name| [name, "= "]).collect();
    console.line(&format!(
        "the sandbox listens on http://{address}; statistics: http://{address}/stats; Ctrl-C stops it\n\
         send to it with:\n  {unset}IMIMPORT_SECRET_KEY={SECRET_KEY} imimport accounts.csv \\\n    \
         --endpoint http://{address} --sdk-app-id {SDK_APP_ID} --identifier {IDENTIFIER}"
    ));
    while runtime.block_on(signals.next()) == Heard::State {
        console.line(&statistics(&sandbox)?);
    }
    super::say(&format!("{}\n", statistics(&sandbox)?))
}

fn statistics(sandbox: &Sandbox) -> Result<String, Flaw> {
    Ok(serde_json::to_string(&sandbox.stats()).context("statistics")?)
}

fn fault_help() -> String {
    let mut text = String::new();
    for (form, meaning) in FAULT_FORMS {
        let _infallible = writeln!(text, "{form:<26}{meaning}");
    }
    text
}
