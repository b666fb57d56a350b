//! The help as it is read, the variables, and what was typed.

use super::*;
use std::collections::BTreeSet;

/// The help of `command` as it looks on a terminal of 80 columns or more.
fn help(args: &[&str]) -> String {
    parse(args.iter().map(OsString::from)).unwrap_err().to_string()
}

fn given(args: &[&str]) -> Given {
    parse(args.iter().map(OsString::from)).unwrap().1
}

#[test]
fn the_definitions_hold_together() {
    command().debug_assert();
}

#[test]
fn no_line_of_any_help_is_over_79_columns_or_ends_in_a_space() {
    let of_import = [help(&["imimport", "-h"]), help(&["imimport", "--help"])];
    let of_others = command()
        .get_subcommands()
        .flat_map(|sub| ["-h", "--help"].map(|flag| help(&["imimport", sub.get_name(), flag])))
        .collect::<Vec<_>>();
    for line in of_import.iter().chain(&of_others).flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 79 && !line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn the_short_help_has_one_line_for_an_option() {
    for args in [&["imimport", "-h"][..], &["imimport", "verify", "-h"]] {
        let text = help(args);
        let options = text.lines().filter(|line| line.trim_start().starts_with('-')).count();
        let all = text.lines().skip_while(|line| *line != "Options:").filter(|line| line.starts_with(' '));
        assert_eq!(all.count(), options, "{text}");
    }
}

#[test]
fn the_groups_come_in_their_order_and_examples_and_exit_codes_at_the_end() {
    let text = help(&["imimport", "--help"]);
    let headings: Vec<_> = text.lines().filter_map(|line| line.strip_suffix(':')).collect();
    let groups = headings.iter().skip_while(|heading| **heading != "Options").filter(|h| !h.starts_with(' '));
    let expected = [
        "Options",
        "Service",
        "Credentials",
        "Input",
        "Duplicates",
        "Pace",
        "Retry",
        "Resume",
        "Checking",
        "Output",
        "Scale",
        "Variables",
        "Exit codes",
        "Examples",
    ];
    assert_eq!(groups.copied().collect::<Vec<_>>(), expected);
    assert!(
        ["0 ", "1 ", "2 ", "3 ", "130 ", "143 "].iter().all(|code| text.contains(&format!("\n  {code}")))
    );
}

#[test]
fn every_option_has_its_variable_but_those_that_a_forgotten_one_must_not_set() {
    for command in std::iter::once(command()).chain(command().get_subcommands().take(1).cloned()) {
        for arg in command.get_arguments() {
            let Some(name) = arg.get_long() else { continue };
            let variable = format!("IMIMPORT_{}", name.to_uppercase().replace('-', "_"));
            let expected =
                (!["resume", "restart", "limit", "help", "version"].contains(&name)).then_some(variable);
            assert_eq!(arg.get_env().map(|name| name.to_string_lossy().into_owned()), expected, "--{name}");
        }
    }
}

#[test]
fn a_wrong_region_and_a_wrong_option_are_answered_with_the_like() {
    assert!(help(&["imimport", "--region", "sgb"]).contains("a similar value exists: 'sgp'"));
    assert!(help(&["imimport", "--regoin", "sgp"]).contains("a similar argument exists: '--region'"));
}

#[test]
fn what_was_typed_keeps_its_order_and_its_switches() {
    let given = given(&["imimport", "a.csv", "-qv", "--map=Nick=n", "b.csv", "--map", "UserID=u"]);
    let option = |name: &str, value: Option<&str>| Word::Option(name.into(), value.map(OsString::from));
    assert_eq!(
        given.words,
        [
            Word::File("a.csv".into()),
            option("quiet", None),
            option("verbose", None),
            option("map", Some("Nick=n")),
            Word::File("b.csv".into()),
            option("map", Some("UserID=u")),
        ]
    );
    assert!(given.flag("map") && !given.flag("region"));
}

#[test]
fn a_usage_error_shows_the_usage_of_its_command() {
    let of = |args| usage_error(&given(args), "where to?").to_string();
    assert!(of(&["imimport", "verify", "a.csv"]).contains("Usage: imimport verify"));
    assert!(of(&["imimport", "a.csv"]).contains("Usage: imimport [OPTIONS] [FILE]"));
}

#[test]
fn the_options_of_a_verify_are_those_of_an_import_but_for_what_the_man_page_says() {
    let names = |command: &clap::Command| -> BTreeSet<String> {
        command.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect()
    };
    let command = command();
    let of_verify = names(command.find_subcommand("verify").unwrap());
    let missing: Vec<_> = names(&command).difference(&of_verify).cloned().collect();
    assert_eq!(missing, ["existing", "journal", "restart", "resume", "verify"]);
    assert!(of_verify.is_subset(&names(&command)));
}

#[test]
fn every_shell_gets_completions_for_every_option() {
    use clap::ValueEnum;
    for shell in clap_complete::Shell::value_variants() {
        let script = completions(*shell);
        for name in command().get_arguments().filter_map(Arg::get_long) {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn the_man_page_has_every_option_every_variable_and_every_exit_code() {
    let page = man().unwrap().replace('\\', "");
    let command = command();
    let args =
        command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
    for arg in args {
        let name = arg.get_long().map(|name| format!("--{name}"));
        let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
        for word in name.into_iter().chain(variable) {
            assert!(page.contains(&word), "{word} in\n{page}");
        }
    }
    for word in ["IMIMPORT_SECRET_KEY", "IMIMPORT_USERSIG", "SIGUSR1", "fB0fR", "fB3fR", "fB130fR", "fB143fR"]
    {
        assert!(page.contains(word), "{word} in\n{page}");
    }
}
