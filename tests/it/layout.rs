//! The floors of the crate, one place for each outside crate, and a top level without clutter.

use crate::workdir::Workdir;
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NOUNS: [&str; 8] = ["account", "batch", "rows", "outcome", "event", "error_code", "region", "usersig"];
const ROOMS: [&str; 4] = ["read", "send", "report", "sandbox"];
/// Each of these names those before it, besides rooms and nouns; but the command line names nouns only.
const ABOVE: [&str; 3] = ["cli", "config", "run"];

/// Outside crates, and the only file or folder under `src/` that names each. What is below the file of a module belongs
/// to the module.
const PLACES: [(&str, &str); 14] = [
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("csv_core", "read"),
    ("encoding_rs", "read/decode"),
    ("zstd", "read/source"),
    ("reqwest", "send/client"),
    ("rustls", "send/client"),
    ("governor", "send/pace"),
    ("csv", "report/failed"),
    ("indicatif", "report/progress"),
    ("hyper", "sandbox/http"),
    ("hyper_util", "sandbox/http"),
    ("regex", "sandbox"),
];

/// A file under `src/`, by its path without the ending: `send/client`.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The part of the crate that it belongs to.
    fn module(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }

    /// Its lines of code, without comments; `tests.rs` and the tests at a file's end may use any crate.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//"))
    }

    fn code_but_tests(&self) -> impl Iterator<Item = &str> {
        let is_tests = self.name.ends_with("/tests");
        self.code().take_while(move |line| !is_tests && *line != "mod tests {")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let (src, mut paths) = (root().join("src"), Vec::new());
    rust_files(&src, &mut paths);
    assert!(paths.len() > 50, "the sources are somewhere else");
    let source = |path: &PathBuf| {
        let name = path.strip_prefix(&src).unwrap().with_extension("");
        let name =
            name.components().map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/");
        Source { name, text: fs::read_to_string(path).unwrap() }
    };
    paths.iter().map(source).collect()
}

/// What a module of the crate may name besides itself.
fn below(module: &str) -> Vec<&'static str> {
    match module {
        noun if NOUNS.contains(&noun) => NOUNS.to_vec(),
        room if ROOMS.contains(&room) => NOUNS.to_vec(),
        "cli" => NOUNS.to_vec(),
        "config" => [&NOUNS[..], &ROOMS, &["cli"]].concat(),
        "run" => [&NOUNS[..], &ROOMS, &["cli", "config"]].concat(),
        "main" => vec!["run"],
        other => panic!("{other} is on no floor: add it to the floors in lib.rs and here"),
    }
}

/// The modules of the crate that a file names, by `crate::`, `imimport::` or as many `super::` as lead to the root.
fn named(source: &Source) -> Vec<String> {
    let up = "super::".repeat(source.name.split('/').count());
    let path = Regex::new(&format!(r"\b(?:crate::|imimport::|{up})(?:(\w+)|\{{([^}}]*))")).unwrap();
    let code = source.code().collect::<Vec<_>>().join("\n");
    let modules = path.captures_iter(&code).flat_map(|found| {
        let one = found.get(1).map(|module| module.as_str().to_owned());
        let braced = found.get(2).map_or("", |list| list.as_str());
        let first = |item: &str| item.trim().split("::").next().unwrap_or_default().to_owned();
        one.into_iter().chain(braced.split(',').map(first)).collect::<Vec<_>>()
    });
    // In the tests of a head file `super` is the module itself.
    let is_module = |name: &String| NOUNS.iter().chain(&ROOMS).chain(&ABOVE).any(|module| module == name);
    modules.filter(is_module).collect()
}

#[test]
fn a_module_names_only_what_stands_below_it_and_rooms_never_name_each_other() {
    let mut uses = 0;
    for source in sources().iter().filter(|source| source.name != "lib") {
        let (module, named) = (source.module(), named(source));
        uses += named.len();
        for other in named.iter().filter(|other| *other != module) {
            assert!(below(module).contains(&other.as_str()), "src/{}.rs names {other}", source.name);
        }
    }
    assert!(uses > 100, "the scan found only {uses} uses");
}

#[test]
fn the_map_in_lib_rs_shows_every_module() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: Vec<_> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")).collect();
    assert_eq!(modules.len(), NOUNS.len() + ROOMS.len() + ABOVE.len());
    for module in modules {
        let shown = format!("[`{}`]", module.trim_end_matches(';'));
        assert!(lib.contains(&shown), "the table in lib.rs has no {shown}");
    }
}

#[test]
fn each_outside_crate_is_named_in_its_one_place() {
    let (sources, manifest) = (sources(), fs::read_to_string(root().join("Cargo.toml")).unwrap());
    for (name, place) in PLACES {
        let path = Regex::new(&format!(r"(?:^|[^\w:]){name}::")).unwrap();
        let mut users =
            sources.iter().filter(|source| source.code_but_tests().any(|line| path.is_match(line)));
        let key = [format!("{name} = "), format!("{} = ", name.replace('_', "-"))];
        let is_dependency = manifest.lines().any(|line| key.iter().any(|key| line.starts_with(key)));
        assert_eq!(users.clone().next().is_some(), is_dependency, "{name}");
        let is_there =
            |source: &Source| source.name == place || source.name.starts_with(&format!("{place}/"));
        if let Some(user) = users.find(|source| !is_there(source)) {
            panic!("src/{}.rs names {name}, which only src/{place} may", user.name);
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_responsible_for() {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    for file in files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "target")) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.starts_with("//! "), "{}: the first line is no //! sentence", file.display());
    }
}

#[test]
fn the_top_level_holds_nothing_but_what_belongs_there() {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let listed = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8(listed.stdout).unwrap(),
        _ => {
            println!("skipped: without git there is no telling what belongs to the project");
            return;
        }
    };
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "src", "tests", "fixtures"];
    for path in listed.lines() {
        let top = path.trim_matches('"').split('/').next().unwrap();
        assert!(allowed.contains(&top) || top.starts_with('.'), "{path} does not belong to the top level");
    }
}

#[test]
fn help_fits_eighty_columns() {
    let workdir = Workdir::new();
    for command in ["", "verify", "sandbox", "sign", "explain"] {
        for help in ["-h", "--help"] {
            let args: Vec<&str> = [command, help].into_iter().filter(|arg| !arg.is_empty()).collect();
            let text = workdir.imimport(&args).exits(0).stdout;
            assert!(text.contains("Usage: imimport"), "{text}");
            let long = text.lines().find(|line| line.chars().count() >= 80);
            assert_eq!(long, None, "imimport {}", args.join(" "));
        }
    }
}
