//! Commands that go on from where a run ends, as they can be pasted into a shell.

use crate::cli::{Given, Word};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What was for once.
const ONCE: [&str; 3] = ["resume", "restart", "limit"];
/// What was for the input or for its files, not for the report of it, which is recognised by its header.
const OF_INPUT: [&str; 10] = [
    "format",
    "delimiter",
    "no-header",
    "map",
    "encoding",
    "shard",
    "report",
    "journal",
    "dry-run",
    "profiles",
];

/// Takes the run up again. The pipe that was read is left out, for its copy is kept.
pub(super) fn resume(given: &Given, pipe: Option<&OsStr>) -> String {
    again(given, "--resume", pipe)
}

/// Runs it from the beginning.
pub(super) fn restart(given: &Given) -> String {
    again(given, "--restart", None)
}

/// Imports the report in the place of the input.
pub(super) fn import_report(given: &Given, report: &Path) -> String {
    let of_verify = given.command.is_some();
    let stays =
        |name: &str| !ONCE.contains(&name) && (!OF_INPUT.contains(&name) || name == "profiles" && !of_verify);
    let options = given.words.iter().filter(|word| matches!(word, Word::Option(name, _) if stays(name)));
    joined(&given.program, &[], &mut [Word::File(report.into())].iter().chain(options))
}

fn again(given: &Given, how: &str, pipe: Option<&OsStr>) -> String {
    let mut words = given.words.iter().filter(|word| match word {
        Word::File(file) => Some(file.as_os_str()) != pipe,
        Word::Option(name, _) => !ONCE.contains(&name.as_str()),
    });
    joined(&given.program, &[how], &mut words)
}

/// Files come after `--` if one of them looks like an option.
fn joined(program: &OsStr, first: &[&str], words: &mut dyn Iterator<Item = &Word>) -> String {
    let mut line: Vec<OsString> = vec![program.into()];
    line.extend(first.iter().map(OsString::from));
    let mut last = Vec::new();
    for word in words {
        match word {
            Word::File(file) if looks_like_an_option(file) => last.push(file.clone()),
            Word::File(file) => line.push(file.clone()),
            Word::Option(name, None) => line.push(format!("--{name}").into()),
            Word::Option(name, Some(value)) if looks_like_an_option(value) => {
                let mut word = OsString::from(format!("--{name}="));
                word.push(value);
                line.push(word);
            }
            Word::Option(name, Some(value)) => line.extend([format!("--{name}").into(), value.clone()]),
        }
    }
    if !last.is_empty() {
        line.push("--".into());
        line.append(&mut last);
    }
    line.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn looks_like_an_option(word: &OsStr) -> bool {
    word != "-" && word.to_string_lossy().starts_with('-')
}

/// A word as a POSIX shell takes it. A NUL cannot stand in an argument, so there is always such a form.
pub(super) fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    shlex::try_quote(&word).map_or_else(|_| word.to_string(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse;

    fn given(args: &[&str]) -> Given {
        parse(args.iter().map(OsString::from)).unwrap().1
    }

    #[test]
    fn what_was_for_once_is_left_out_and_the_rest_is_kept() {
        let command = |args: &[&str]| resume(&given(args), Some(OsStr::new("/dev/fd/63")));
        assert_eq!(
            command(&["./imimport", "a.csv", "--restart", "--limit", "10", "--region", "sgp"]),
            "./imimport --resume a.csv --region sgp"
        );
        assert_eq!(command(&["imimport", "--resume", "--limit=10", "a.csv"]), "imimport --resume a.csv");
        assert_eq!(command(&["imimport", "/dev/fd/63", "-v"]), "imimport --resume --verbose");
        assert_eq!(command(&["imimport", "--", "--restart"]), "imimport --resume -- --restart");
        assert_eq!(
            command(&["imimport", "--report", "-", "--log=-x"]),
            "imimport --resume --report - '--log=-x'"
        );
        assert_eq!(restart(&given(&["imimport", "a.csv", "--resume"])), "imimport --restart a.csv");
    }

    #[test]
    fn a_shell_reads_back_the_words_that_it_was_given() {
        let odd =
            ["imimport", "my accounts.csv", "it's \"quoted\".csv", "$HOME;`ls`", "--map", "UserID=用户 ID"];
        let mut read = shlex::split(&resume(&given(&odd), None)).unwrap();
        assert_eq!(read.remove(1), "--resume");
        assert_eq!(read, odd);
    }

    #[test]
    fn a_report_is_imported_without_what_was_for_the_input_alone() {
        let args = [
            "imimport",
            "a.tsv",
            "--format",
            "tsv",
            "--map",
            "UserID=uid",
            "--region",
            "sgp",
            "--shard=0/2",
            "--report",
            "bad one.csv",
            "--journal=j",
            "--restart",
            "--rate=80",
            "--verify",
            "--profiles",
        ];
        assert_eq!(
            import_report(&given(&args), Path::new("bad one.csv")),
            "imimport 'bad one.csv' --region sgp --rate 80 --verify --profiles"
        );
        let args = ["imimport", "verify", "a.csv", "--region", "sgp", "--profiles"];
        assert_eq!(
            import_report(&given(&args), Path::new("a.verify.csv")),
            "imimport a.verify.csv --region sgp"
        );
    }
}
