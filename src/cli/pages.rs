//! Pages from the definitions of the options: the end of the help, shell completions, the man page.

use super::command;
use clap_complete::Shell;
use clap_mangen::Man;
use std::fmt::Write as _;
use std::io;

/// Exit codes and what they mean.
const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "every row is imported, a duplicate, or skipped as existing"),
    ("1", "the run could not start, or was stopped: the message says what to do"),
    ("2", "the command line is wrong"),
    ("3", "finished, but rows are failed or invalid (verify: missing, different)"),
    ("130", "stopped by Ctrl-C; --resume goes on"),
    ("143", "stopped by SIGTERM; --resume goes on"),
];

/// What a running import does on a signal.
const SIGNALS: [(&str, &str); 2] = [
    (
        "SIGINT, SIGTERM",
        "the run ends what is under way, writes its report and can be resumed; a second one ends it at once",
    ),
    ("SIGUSR1, SIGINFO", "the state of the run is printed at once"),
];

/// Variables besides those of the options.
pub(super) const VARIABLES: [(&str, &str); 7] = [
    ("IMIMPORT_SECRET_KEY", "the app's SecretKey, instead of --secret-key-file"),
    ("IMIMPORT_USERSIG", "a UserSig made elsewhere, instead of a SecretKey"),
    ("HTTPS_PROXY, NO_PROXY", "the proxy to go through, and the hosts it is not for"),
    ("LC_ALL, LC_MESSAGES, LANG", "the language that error codes are explained in, without --lang"),
    ("NO_COLOR, CLICOLOR_FORCE", "no colours, or colours also where there is no terminal"),
    ("TERM", "`dumb` means a terminal without colours and bars"),
    ("TMPDIR", "where scratch files go"),
];

const EXAMPLES: [(&str, &str); 3] = [
    (
        "Rehearse without credentials, against the embedded stand-in of the service:",
        "imimport accounts.csv --region sandbox",
    ),
    (
        "Import, leaving a fifth of the app's limit to others:",
        "imimport accounts.csv --region sgp --sdk-app-id 1400000000 \\\n  --secret-key-file key.txt --rate 80",
    ),
    (
        "Take up a run that was stopped:",
        "imimport accounts.csv --region sgp --sdk-app-id 1400000000 \\\n  --secret-key-file key.txt --rate 80 --resume",
    ),
];

const OF_OPTIONS: &str = "Every option but --resume, --restart and --limit can be set by a variable: --rate by \
                          IMIMPORT_RATE, --sdk-app-id by IMIMPORT_SDK_APP_ID; switches take 1, true, 0 or false.";

/// What follows the options in the help.
pub(super) fn after_help() -> String {
    let mut text = format!("Variables:\n  {OF_OPTIONS}\n");
    for (name, meaning) in &VARIABLES[..2] {
        let _infallible = writeln!(text, "  {name:<21}{meaning}");
    }
    text.push_str("\nExit codes:\n");
    for (code, meaning) in EXIT_CODES {
        let _infallible = writeln!(text, "  {code:<5}{meaning}");
    }
    text.push_str("\nExamples:");
    for (purpose, example) in EXAMPLES {
        let _infallible = write!(text, "\n  {purpose}\n    {}", example.replace('\n', "\n    "));
    }
    text
}

/// A script that completes the program's words in `shell`.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "imimport", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The man page, in roff.
pub fn man() -> io::Result<String> {
    let shown = |arg: clap::Arg| arg.hide_env(false);
    let mut command = command().mut_args(shown).mut_subcommands(|sub| sub.mut_args(shown));
    command.build();
    let subcommands: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    let page = Man::new(command);
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    let mut text = String::from_utf8_lossy(&out).into_owned();
    text.push_str(".SH OTHER COMMANDS\n");
    for subcommand in subcommands {
        text.push_str(&of_subcommand(subcommand)?);
    }
    text.push_str(".SH ENVIRONMENT\n");
    let _infallible = writeln!(text, "{}", escaped(OF_OPTIONS));
    put_list(&mut text, &VARIABLES);
    text.push_str(".SH EXIT STATUS\n");
    put_list(&mut text, &EXIT_CODES);
    text.push_str(".SH SIGNALS\n");
    put_list(&mut text, &SIGNALS);
    text.push_str(".SH EXAMPLES\n");
    for (purpose, example) in EXAMPLES {
        let example = escaped(example).replace('\n', "\n  ");
        let _infallible = writeln!(text, ".PP\n{}\n.PP\n.nf\n  {example}\n.fi", escaped(purpose));
    }
    Ok(text)
}

/// A command's usage, purpose and options. Those of `verify` are those of an import.
fn of_subcommand(subcommand: clap::Command) -> io::Result<String> {
    let is_verify = subcommand.get_name() == "verify";
    let usage = subcommand.clone().render_usage().to_string();
    let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!(".SS {}\n{}.\n", escaped(usage.trim_start_matches("Usage: ")), escaped(&about));
    if is_verify {
        text.push_str(&escaped(
            "Takes the options of an import, but for --existing, --journal, --resume, --restart and --verify.\n",
        ));
        return Ok(text);
    }
    let mut options = Vec::new();
    Man::new(subcommand.mut_arg("help", |help| help.hide(true))).render_options_section(&mut options)?;
    let options = String::from_utf8_lossy(&options);
    text.extend(options.lines().filter(|line| *line != ".SH OPTIONS").map(|line| format!("{line}\n")));
    Ok(text)
}

fn put_list(text: &mut String, list: &[(&str, &str)]) {
    for (term, meaning) in list {
        let _infallible = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(term), escaped(meaning));
    }
}

/// As roff takes it: backslashes and hyphens stand for themselves.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
