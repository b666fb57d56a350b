//! What the README says: its help, its sessions, its commands and its manifest hold.

use crate::workdir::{Run, Workdir};
use regex::Regex;
use serde_json::{Value, json};
use std::ffi::OsString;
#[cfg(unix)]
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

/// The fenced blocks of a language, without their fences.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = Regex::new(&format!("(?ms)^```{language}\n(.*?)^```$")).unwrap();
    fence.captures_iter(readme).map(|block| block[1].to_owned()).collect()
}

#[test]
fn the_help_in_the_readme_is_the_programs() {
    let help = Workdir::new().imimport(&["--help"]).exits(0).stdout;
    // clap puts spaces on the empty lines.
    let help: String = help.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    assert_eq!(blocks(&readme(), "text"), [help], "paste the output of `imimport --help` into the README");
}

#[test]
fn the_tests_that_hold_the_guarantees_are_there() {
    let readme = readme();
    let command = Regex::new(r"`[^`]*cargo test[^`]* --test it (\w+)`").unwrap();
    let names: Vec<_> = command.captures_iter(&readme).map(|found| found[1].to_owned()).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/{name}.rs"));
        assert!(file.is_file(), "cargo test --test it {name} runs nothing");
    }
}

/// Commands of the shell blocks and of the sessions, a whole line each.
fn command_lines(readme: &str) -> Vec<String> {
    let typed = blocks(readme, "console").join("");
    let typed = typed.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned);
    let shell = blocks(readme, "sh").join("").replace("\\\n", " ");
    typed.chain(shell.lines().map(str::to_owned)).collect()
}

/// The arguments of every `imimport` of a line, with a number in place of what a scheduler puts in.
fn invocations(line: &str) -> Vec<Vec<String>> {
    // Sessions show the exit code.
    let line = line.split("; echo ").next().unwrap_or(line);
    let line = line.replace("$SLURM_ARRAY_TASK_ID", "0").replace("{}", "0");
    let words = shlex::split(&line).unwrap_or_else(|| panic!("no shell reads {line}"));
    let commands = words.split(|word| matches!(word.as_str(), "|" | "<" | ">"));
    let begins = |words: &[String]| match words {
        [cargo, run, release, dashes, ..]
            if [cargo, run, release, dashes] == ["cargo", "run", "--release", "--"] =>
        {
            Some(4)
        }
        [program, ..] if program == "imimport" => Some(1),
        [parallel, program, ..] if parallel == "parallel" && program == "imimport" => Some(2),
        _ => None,
    };
    commands.filter_map(|words| begins(words).map(|at| words[at..].to_vec())).collect()
}

/// With the variables that the README sets.
fn checked_by_a_dry_run(args: &[String]) -> Run {
    let workdir = Workdir::new();
    workdir.write("key.txt", "a key\n");
    let mut command = workdir.command(&[]);
    command.args(args).env("IMIMPORT_DRY_RUN", "1");
    let is_set = |flags: &[&str]| args.iter().any(|arg| flags.contains(&arg.as_str()));
    if !is_set(&["--region", "--endpoint"]) {
        command.env("IMIMPORT_REGION", "sgp");
    }
    Run::of(&mut command)
}

#[test]
fn every_command_of_the_readme_is_one_that_the_program_understands() {
    let readme = readme();
    let commands: Vec<_> = command_lines(&readme).iter().flat_map(|line| invocations(line)).collect();
    assert!(commands.len() > 30, "only {} commands were found", commands.len());
    for args in commands {
        let words = std::iter::once("imimport").chain(args.iter().map(String::as_str)).map(OsString::from);
        let parsed =
            imimport::cli::parse(words).unwrap_or_else(|e| panic!("imimport {}\n{e}", args.join(" ")));
        let (cli, _) = parsed;
        if matches!(cli.command, None | Some(imimport::cli::Command::Verify(_))) {
            let run = checked_by_a_dry_run(&args);
            assert_ne!(run.code, Some(2), "imimport {}\n{}", args.join(" "), run.stderr);
        }
    }
}

/// Without what differs from run to run: ports, times and rates.
#[cfg(unix)]
fn steady(text: &str) -> String {
    let port = Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(text, "127.0.0.1:#").into_owned();
    let took = Regex::new(r"completed in [^\n]*").unwrap().replace_all(&port, "completed in #").into_owned();
    Regex::new(r"[\d.,]+( accounts/s| requests/s;| ms)").unwrap().replace_all(&took, "#$1").into_owned()
}

#[cfg(unix)]
#[test]
fn the_sessions_of_the_readme_are_what_a_person_sees() {
    let workdir = Workdir::new();
    fs::create_dir(workdir.path("fixtures")).unwrap();
    for name in ["accounts.csv", "sign-ups.csv"] {
        workdir.fixture(name);
        fs::rename(workdir.path(name), workdir.path("fixtures").join(name)).unwrap();
    }
    let mut seen = String::new();
    let programs = Path::new(env!("CARGO_BIN_EXE_imimport")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let path = path.unwrap();
    let sessions = blocks(&readme(), "console").join("");
    for typed in sessions.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let run = Run::of(workdir.shell(&format!("exec 2>&1; {typed}")).env("PATH", &path));
        write!(seen, "$ {typed}\n{}", run.stdout).unwrap();
    }
    assert!(seen.contains("exit code 3"), "{seen}");
    assert_eq!(steady(&seen), steady(&sessions), "seen was:\n{seen}");
}

#[test]
fn the_manifest_in_the_readme_is_an_indexed_job_with_a_part_for_each_index() {
    let blocks = blocks(&readme(), "yaml");
    let [manifest] = &blocks[..] else { panic!("{} manifests", blocks.len()) };
    let job: Value = serde_saphyr::from_str(manifest).unwrap();
    let at = |pointer: &str| job.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let has = |pointer: &str, value: Value| assert_eq!(*at(pointer), value, "{pointer}");
    has("/apiVersion", json!("batch/v1"));
    has("/kind", json!("Job"));
    assert!(at("/metadata/name").as_str().is_some_and(|name| !name.is_empty()));
    has("/spec/completionMode", json!("Indexed"));
    let parts = at("/spec/completions").as_u64().unwrap();
    assert!(at("/spec/parallelism").as_u64().unwrap() <= parts);
    // The only policy that goes with podFailurePolicy; and FailIndex needs a limit for each index.
    has("/spec/template/spec/restartPolicy", json!("Never"));
    assert!(at("/spec/backoffLimitPerIndex").as_u64().is_some());
    has("/spec/podFailurePolicy/rules/0/action", json!("FailIndex"));
    has("/spec/podFailurePolicy/rules/0/onExitCodes", json!({"operator": "In", "values": [2, 3]}));

    let container = at("/spec/template/spec/containers/0");
    assert!(["name", "image"].iter().all(|key| container[key].is_string()), "{container}");
    let words = |key: &str| serde_json::from_value::<Vec<String>>(container[key].clone()).unwrap();
    let args = words("args");
    let shard = args.iter().position(|arg| arg == "--shard").expect("no --shard");
    assert_eq!(args[shard + 1], format!("$(JOB_COMPLETION_INDEX)/{parts}"));
    assert!(args.contains(&"--resume".to_owned()), "a pod that is started again would refuse its journal");
    let line = [words("command"), args].concat();
    let line = line.iter().map(|word| OsString::from(word.replace("$(JOB_COMPLETION_INDEX)", "0")));
    assert!(imimport::cli::parse(line).is_ok());

    for variable in container["env"].as_array().unwrap() {
        assert!(variable["name"].as_str().unwrap().starts_with("IMIMPORT_"), "{variable}");
        let secret = variable.pointer("/valueFrom/secretKeyRef");
        assert!(
            variable["value"].is_string()
                || secret.is_some_and(|s| s["name"].is_string() && s["key"].is_string())
        );
    }
    let mounted = &container["volumeMounts"][0];
    assert_eq!(mounted["name"], *at("/spec/template/spec/volumes/0/name"));
    assert!(words("args")[0].starts_with(mounted["mountPath"].as_str().unwrap()));
}
