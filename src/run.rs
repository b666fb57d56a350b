//! What the program does, in its order. The only file that knows the order of an import is `run/import.rs`.

mod earlier;
mod explain;
mod import;
mod inputs;
mod next_command;
mod prepare;
mod sandbox;
mod sending;
mod sign;
mod signals;
mod stage;
mod unstarted;
mod verify;
mod words;

use crate::cli::{self, Command, Given};
use crate::config::{Config, Flaw, Variables};
use crate::error_code;
use crate::report::{Console, Look, Manner};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use unstarted::Unstarted;

/// Usage errors.
const USAGE: u8 = 2;
/// What could not start, or was stopped.
const STOPPED: u8 = 1;

/// Does what the command line says; gives the exit code.
pub fn run(args: &[OsString]) -> ExitCode {
    let (cli, given) = match cli::parse(args.iter().cloned()) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error),
    };
    let variables = |name: &str| std::env::var(name).ok();
    let done = match cli.command {
        None => import(cli.import, &given, &variables),
        Some(Command::Verify(verify)) => self::verify(*verify, &given, &variables),
        Some(Command::Sandbox(options)) => sandbox::sandbox(&options, &mut Console::new(Manner::default())),
        Some(Command::Sign(options)) => sign::sign(&options, &variables).and_then(|text| say(&text)),
        Some(Command::Completions(options)) => say(&cli::completions(options.shell)),
        Some(Command::Man) => cli::man().map_err(|e| Flaw::Start(e.into())).and_then(|page| say(&page)),
        Some(Command::Explain(options)) => {
            let lang = crate::config::lang(options.lang, &variables);
            explain::explain(options.code.as_deref(), lang, Look::of_stdout().columns)
                .map_err(|e: error_code::UnknownCode| {
                    Flaw::Usage(format!("{e}; `imimport explain` lists them all"))
                })
                .and_then(|text| say(&text))
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(Flaw::Usage(message)) => refuse(&cli::usage_error(&given, &message)),
        Err(Flaw::Start(error)) => {
            Console::new(Manner::default()).error(&chain(&error));
            ExitCode::from(STOPPED)
        }
    }
}

fn import(import: cli::Import, given: &Given, variables: Variables) -> Result<u8, Flaw> {
    // What is resumed may come from the copy of a pipe.
    if !import.resume.resume {
        inputs::refuse_terminal(&import.files)?;
    }
    let unstarted = Unstarted::import(&import);
    let done =
        Config::new(import, given, variables).and_then(|config| import::import(config, given, &unstarted));
    unstarted.tell(done)
}

fn verify(verify: cli::Verify, given: &Given, variables: Variables) -> Result<u8, Flaw> {
    inputs::refuse_terminal(&verify.files)?;
    let unstarted = Unstarted::verify(&verify);
    let done = Config::of_verify(verify, given, variables)
        .and_then(|config| verify::verify(config, given, &unstarted));
    unstarted.tell(done)
}

/// An error with its causes, but for those that it names itself.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        told if told.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

/// Prints what clap says: help and version too.
fn refuse(error: &cli::UsageError) -> ExitCode {
    // Whoever closed the pipe does not want to read it.
    let _printed = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

/// Prints to standard output. A reader that has gone away has read enough.
fn say(text: &str) -> Result<u8, Flaw> {
    match Console::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Flaw::Start(e.into())),
        _ => Ok(0),
    }
}
