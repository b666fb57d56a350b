//! The command line: commands, options, their variables and their help. Nothing outside names clap.

mod options;
mod pages;
mod values;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{BoolishValueParser, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use options::{Checking, Duplicates, Input, Output, Pace, Resume, Retry, Scale, Service};
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::duration;
pub use values::{Existing, Format, Lang, OnDuplicate, Progress};

pub use pages::{completions, man};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Import accounts into Tencent Cloud IM in bulk: paced, resumable, every row accounted for.
#[derive(Debug, Parser)]
#[command(
    name = "imimport",
    version,
    styles = STYLES,
    max_term_width = 79,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Other commands",
    override_usage = "imimport [OPTIONS] [FILE]...\n       imimport <COMMAND>",
    after_long_help = pages::after_help(),
    after_help = "See --help for more, with examples."
)]
pub struct Cli {
    /// What to do other than to import.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The import.
    #[command(flatten)]
    pub import: Import,
}

/// What the program does other than to import.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask the service whether every account of FILE is there
    Verify(Box<Verify>),
    /// Run the embedded stand-in of the service until stopped
    Sandbox(Sandbox),
    /// Print a UserSig for use with curl
    Sign(Sign),
    /// Say what an ErrorCode means and what to do
    Explain(Explain),
    /// Print completions for a shell
    Completions(Completions),
    /// Print a man page
    Man,
}

/// The options of an import.
#[derive(Debug, Args)]
pub struct Import {
    /// CSV, TSV, JSONL or JSON; `-`, or none and a pipe: stdin
    #[arg(
        value_name = "FILE",
        long_help = "Accounts as CSV, TSV, JSONL or JSON, packed by gzip or zstd or not; `-`, or none and a \
                     pipe, is standard input"
    )]
    pub files: Vec<PathBuf>,
    /// Where to and for whom.
    #[command(flatten)]
    pub service: Service,
    /// What the input looks like.
    #[command(flatten)]
    pub input: Input,
    /// Which of several accounts is used.
    #[command(flatten)]
    pub duplicates: Duplicates,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
    /// How patiently.
    #[command(flatten)]
    pub retry: Retry,
    /// Where to go on.
    #[command(flatten)]
    pub resume: Resume,
    /// What is asked afterwards.
    #[command(flatten)]
    pub checking: Checking,
    /// What is written where.
    #[command(flatten)]
    pub output: Output,
    /// Which part is this process's.
    #[command(flatten)]
    pub scale: Scale,
}

/// The options of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The same files as of the import
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to and for whom.
    #[command(flatten)]
    pub service: Service,
    /// What the input looks like.
    #[command(flatten)]
    pub input: Input,
    /// Row to use: last, first or error
    #[arg(
        long,
        env = "IMIMPORT_ON_DUPLICATE",
        value_name = "ROW",
        default_value = "last",
        help_heading = "Duplicates",
        long_help = "Which row is used where several have one UserID: the last, the first, or `error` to ask for \
                     nothing then"
    )]
    pub on_duplicate: OnDuplicate,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
    /// How patiently.
    #[command(flatten)]
    pub retry: Retry,
    /// Compare Nick and FaceUrl, too
    #[arg(long, env = "IMIMPORT_PROFILES", value_parser = BoolishValueParser::new(),
          help_heading = "Checking")]
    pub profiles: bool,
    /// What is written where.
    #[command(flatten)]
    pub output: Output,
    /// Which part is this process's.
    #[command(flatten)]
    pub scale: Scale,
}

/// The options of `sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// A fault, repeatable: 70169=2%, http502=1%, latency=20ms..300ms, … (`--fault help` lists them all)
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// What the choice of faults depends on
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Keep no Nick and FaceUrl: 16 bytes an account
    #[arg(long)]
    pub forget: bool,
    /// Listen on addresses that others can reach
    #[arg(long)]
    pub allow_remote: bool,
}

/// The options of `sign`.
#[derive(Debug, Args)]
pub struct Sign {
    /// SDKAppID of the app
    #[arg(long, env = "IMIMPORT_SDK_APP_ID", value_name = "N")]
    pub sdk_app_id: u64,
    /// Whom the signature is for
    #[arg(long, env = "IMIMPORT_IDENTIFIER", value_name = "NAME", default_value = "administrator")]
    pub identifier: String,
    /// File that holds the app's SecretKey, instead of IMIMPORT_SECRET_KEY
    #[arg(long, env = "IMIMPORT_SECRET_KEY_FILE", value_name = "PATH")]
    pub secret_key_file: Option<PathBuf>,
    /// How long it lasts
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    pub expire: Duration,
}

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// ErrorCode, or a word such as http_502 or timeout; none: all of them
    pub code: Option<String>,
    /// en or zh [default: locale]
    #[arg(long, env = "IMIMPORT_LANG", value_name = "en|zh")]
    pub lang: Option<Lang>,
}

/// The options of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    pub shell: clap_complete::Shell,
}

/// What was typed, but for values from variables and defaults.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The program as it was called.
    pub program: OsString,
    /// The command other than an import.
    pub command: Option<String>,
    /// In the order of their first values.
    pub words: Vec<Word>,
}

/// A part of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A FILE.
    File(OsString),
    /// An option by its long name, and its value; a switch has none.
    Option(String, Option<OsString>),
}

impl Given {
    /// Whether this option was on the command line.
    pub fn flag(&self, option: &str) -> bool {
        self.words.iter().any(|word| matches!(word, Word::Option(name, _) if name == option))
    }
}

/// What is wrong with a command line, or the help that was asked for: to be printed as it is.
pub type UsageError = clap::Error;

/// Reads the command line.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<(Cli, Given), UsageError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let program = args.first().cloned().unwrap_or_else(|| "imimport".into());
    let mut command = command();
    if args.get(1).is_some_and(|word| command.find_subcommand(word).is_some()) {
        // The variables of an import are no matter of another command.
        command = command.mut_args(|arg| arg.env(None));
    }
    let matches =
        command.clone().try_get_matches_from(&args).map_err(|error| blamed(error, &command, &args))?;
    let words = match matches.subcommand() {
        None => words(&command, &matches),
        Some((name, of_it)) => command.find_subcommand(name).map_or(Vec::new(), |sub| words(sub, of_it)),
    };
    let given = Given { program, command: matches.subcommand_name().map(str::to_owned), words };
    Ok((Cli::from_arg_matches(&matches)?, given))
}

/// Those of the names that look like a variable of this program and are none.
pub fn unknown_variables(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let command = Cli::command();
    let of_options = command.get_arguments().filter_map(Arg::get_env);
    let known: Vec<_> = of_options.chain(pages::VARIABLES.iter().map(|(name, _)| name.as_ref())).collect();
    let is_unknown = |name: &OsString| {
        name.to_string_lossy().starts_with("IMIMPORT_") && !known.contains(&name.as_os_str())
    };
    let mut unknown: Vec<_> =
        names.filter(is_unknown).map(|name| name.to_string_lossy().into_owned()).collect();
    unknown.sort();
    unknown
}

/// With the variable that a wrong value comes from, if it was not on the command line.
fn blamed(mut error: UsageError, command: &clap::Command, args: &[OsString]) -> UsageError {
    let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg).cloned() else {
        return error;
    };
    let given = command.find_subcommand(args.get(1).map_or(OsStr::new(""), OsString::as_os_str));
    let of_this = |arg: &&Arg| {
        arg.get_long().is_some_and(|name| invalid.split(' ').next() == Some(&format!("--{name}")))
    };
    let arg = given.unwrap_or(command).get_arguments().find(of_this);
    if let Some((flag, variable)) = arg.and_then(|arg| Some((arg.get_long()?, arg.get_env()?)))
        && !args.iter().any(|word| word.to_string_lossy().starts_with(&format!("--{flag}")))
    {
        let tip = format!("the value comes from the variable {}", variable.to_string_lossy());
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The definitions of all commands and options, as help and completions show them.
fn command() -> clap::Command {
    let command = Cli::command().mut_args(finished);
    command.mut_subcommands(|sub| sub.mut_args(finished))
}

/// A variable that is empty is as good as none. The help ends in the default, and says itself what values there are.
fn finished(arg: Arg) -> Arg {
    let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let arg = if is_empty { arg.env(None) } else { arg }.hide_env(true);
    if !arg.get_action().takes_values() {
        return arg;
    }
    let default = match arg.get_default_values() {
        [default] => format!(" [default: {}]", default.to_string_lossy()),
        _ => String::new(),
    };
    let ended = |help: &StyledStr| format!("{help}{default}");
    let (short, long) = (arg.get_help().map(ended), arg.get_long_help().map(ended));
    let arg = arg.hide_possible_values(true).hide_default_value(true);
    let arg = if let Some(short) = short { arg.help(short) } else { arg };
    if let Some(long) = long { arg.long_help(long) } else { arg }
}

/// What was typed of the arguments of `command`.
fn words(command: &clap::Command, matches: &ArgMatches) -> Vec<Word> {
    let mut words = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let values = || matches.get_raw(id).into_iter().flatten().map(OsStr::to_owned);
        let positions = matches.indices_of(id).into_iter().flatten();
        match arg.get_long() {
            None => words.extend(positions.zip(values().map(Word::File))),
            Some(name) if arg.get_action().takes_values() => {
                let named = |value| Word::Option(name.to_owned(), Some(value));
                words.extend(positions.zip(values().map(named)));
            }
            Some(name) => words.extend(positions.take(1).map(|at| (at, Word::Option(name.to_owned(), None)))),
        }
    }
    words.sort_by_key(|(at, _)| *at);
    words.into_iter().map(|(_, word)| word).collect()
}

/// A usage error in clap's own form, with the usage of the command that was given.
pub fn usage_error(given: &Given, message: &str) -> UsageError {
    let mut command = command();
    command.build();
    let named = given.command.as_deref().filter(|name| command.find_subcommand(name).is_some());
    let command = match named {
        Some(name) => command.find_subcommand_mut(name),
        None => Some(&mut command),
    };
    command.map_or_else(
        || clap::Error::raw(ErrorKind::ValueValidation, message),
        |command| command.error(ErrorKind::ValueValidation, message),
    )
}

/// The command that a FILE's name is the word for.
pub fn command_named(file: &Path) -> Option<String> {
    let command = Cli::command();
    let mut names = command.get_subcommands().map(clap::Command::get_name);
    names.find(|name| file == Path::new(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests;
