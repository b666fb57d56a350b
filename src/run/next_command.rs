//! Commands that go on from where a run ends, as they can be pasted into a shell.

use crate::cli::{Given, Word};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What was for once.
const ONCE: [&str; 3] = ["resume", "restart", "limit"];
/// What says where requests go, and for which app.
const TARGET: [&str; 3] = ["region", "endpoint", "sdk-app-id"];
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

/// Takes the run up again. The pipe that was read is left out, for its copy is kept; among other files `-` keeps its
/// place.
pub(super) fn resume(given: &Given, pipe: Option<&OsStr>) -> String {
    again(given, "--resume", pipe)
}

/// The same command line for the service that this option names and for this app; the sandbox has but one.
pub(super) fn aimed_at(given: &Given, (option, value): (&str, &str), sdk_app_id: u64) -> Given {
    let mut aimed = given.clone();
    aimed.words.retain(|word| !matches!(word, Word::Option(name, _) if TARGET.contains(&name.as_str())));
    aimed.words.push(Word::Option(option.into(), Some(value.into())));
    if value != "sandbox" {
        aimed.words.push(Word::Option("sdk-app-id".into(), Some(sdk_app_id.to_string().into())));
    }
    aimed
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
    let is_pipe = |file: &OsString| Some(file.as_os_str()) == pipe;
    let has_others = given.words.iter().any(|word| matches!(word, Word::File(file) if !is_pipe(file)));
    let dash = Word::File("-".into());
    let mut words = given.words.iter().filter_map(|word| match word {
        Word::File(file) if is_pipe(file) => has_others.then_some(&dash),
        Word::Option(name, _) if ONCE.contains(&name.as_str()) => None,
        word => Some(word),
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

/// A word as a POSIX shell takes it: in plain quotes, or, where a terminal would not show it as it is, with those bytes
/// in numbers (POSIX.1-2024, section 2.2.4). A NUL cannot stand in an argument, so there is always such a form.
pub(super) fn quoted(word: &OsStr) -> String {
    let plain = word.to_str().filter(|text| !text.contains(char::is_control));
    if let Some(Ok(quoted)) = plain.map(shlex::try_quote) {
        return quoted.into();
    }
    let mut quoted = String::from("$'");
    for chunk in word.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => quoted.extend(['\\', c]),
                _ if c.is_control() => quoted.extend(c.to_string().bytes().map(octal)),
                _ => quoted.push(c),
            }
        }
        quoted.extend(chunk.invalid().iter().copied().map(octal));
    }
    quoted + "'"
}

fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
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
        assert_eq!(command(&["imimport", "/dev/fd/63", "a.csv"]), "imimport --resume - a.csv");
        assert_eq!(command(&["imimport", "--", "--restart"]), "imimport --resume -- --restart");
        assert_eq!(
            command(&["imimport", "--report", "-", "--log=-x"]),
            "imimport --resume --report - '--log=-x'"
        );
        assert_eq!(restart(&given(&["imimport", "a.csv", "--resume"])), "imimport --restart a.csv");
        let elsewhere = given(&["imimport", "a.csv", "--region=sgp", "--sdk-app-id", "14", "-q"]);
        assert_eq!(
            resume(&aimed_at(&elsewhere, ("endpoint", "https://x"), 15), None),
            "imimport --resume a.csv --quiet --endpoint https://x --sdk-app-id 15"
        );
        assert_eq!(
            resume(&aimed_at(&elsewhere, ("region", "sandbox"), 15), None),
            "imimport --resume a.csv --quiet --region sandbox"
        );
    }

    #[test]
    fn a_shell_reads_back_the_words_that_it_was_given() {
        let odd =
            ["imimport", "my accounts.csv", "it's \"quoted\".csv", "$HOME;`ls`", "--map", "UserID=用户 ID"];
        let mut read = shlex::split(&resume(&given(&odd), None)).unwrap();
        assert_eq!(read.remove(1), "--resume");
        assert_eq!(read, odd);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_no_terminal_shows_is_given_in_numbers() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(quoted(OsStr::new("a\nb\u{85}'.csv")), r"$'a\012b\302\205\'.csv'");
        assert_eq!(quoted(OsStr::from_bytes(b"\xffb\\.csv")), r"$'\377b\\.csv'");
        assert_eq!(quoted(OsStr::new("")), "''");
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
