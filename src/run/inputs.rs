//! Which files are read, under which names, and where their journal is.

use super::signals::Signals;
use crate::config::{Config, Flaw};
use crate::read::{self, Input, Progress, Spool};
use crate::report::{Purpose, default_path};
use anyhow::{Context, anyhow};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How much of two inputs is compared at once.
const PIECE: u64 = 1 << 20;
/// What messages and reports call standard input.
const STDIN: &str = "stdin";

/// What an import reads.
pub(super) struct Inputs {
    /// As they are opened and called.
    pub(super) list: Vec<Input>,
    /// A pipe's copy that has no lasting name yet.
    pub(super) spool: Option<Spool>,
    /// The files as they were before they were read.
    files: Vec<(Input, Option<Stamp>)>,
}

/// Size and time of the last change.
type Stamp = (u64, SystemTime);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The first input's path, none for a pipe: report and journal are named after it.
pub(super) fn first(files: &[PathBuf]) -> Option<&Path> {
    files.first().map(PathBuf::as_path).filter(|path| *path != Path::new("-") && !read::is_pipe(path))
}

/// The FILE that is a pipe, if one is; there may be no more than one.
pub(super) fn pipe(config: &Config) -> Option<&OsStr> {
    config.files.iter().find(|file| read::is_pipe(file)).map(|file| file.as_os_str())
}

/// What messages and summaries call the inputs.
pub(super) fn names(files: &[PathBuf]) -> Vec<String> {
    if files.is_empty() { vec![STDIN.to_owned()] } else { files.iter().map(|file| name(file)).collect() }
}

fn name(file: &Path) -> String {
    if file == Path::new("-") { STDIN.to_owned() } else { file.display().to_string() }
}

/// Where the journal is.
pub(super) fn journal_path(config: &Config) -> PathBuf {
    let default = || default_path(first(&config.files), config.shard, Purpose::Journal);
    config.journal.clone().unwrap_or_else(default)
}

/// Where the copy of a pipe is kept that a journal may need again.
pub(super) fn spool_path(journal: &Path) -> PathBuf {
    let name = journal.to_string_lossy();
    let stem = name.strip_suffix(".imimport-journal").unwrap_or(&name);
    PathBuf::from(format!("{stem}.imimport-spool"))
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A terminal is no input: whoever types nothing more wants to be told how.
pub(super) fn refuse_terminal(files: &[PathBuf]) -> Result<(), Flaw> {
    let from_stdin = files.is_empty() || files.iter().any(|file| file == Path::new("-"));
    if from_stdin && io::stdin().is_terminal() {
        let message = "no FILE, and standard input is a terminal: give a file, or pipe one in; \
                       `imimport accounts.csv --region sandbox` rehearses without credentials";
        return Err(Flaw::Usage(message.into()));
    }
    Ok(())
}

/// A resume may be piped the same again, or nothing; anything else would be lost without a word.
fn refuse_another(mut piped: impl Read, name: &str, kept: &Path) -> Result<(), Flaw> {
    let cannot = |path: &Path| format!("{}: the copy of the pipe cannot be read", path.display());
    let mut kept_file = File::open(kept).with_context(|| cannot(kept))?;
    let (mut new, mut old, mut is_first) = (Vec::new(), Vec::new(), true);
    loop {
        new.clear();
        old.clear();
        (&mut piped).take(PIECE).read_to_end(&mut new).with_context(|| format!("{name} cannot be read"))?;
        if new.is_empty() && is_first {
            return Ok(());
        }
        (&mut kept_file).take(PIECE).read_to_end(&mut old).with_context(|| cannot(kept))?;
        if new != old {
            return Err(Flaw::Start(anyhow!(
                "what comes through {name} is not what the run began with, which is kept in {}: go on with it by --resume \
                 without a pipe (</dev/null), or begin anew with --restart",
                kept.display()
            )));
        }
        if new.is_empty() {
            return Ok(());
        }
        is_first = false;
    }
}

/// A pipe, unless it is a terminal, where nobody may be about to type anything.
fn open(file: &Path) -> Result<Option<Box<dyn Read>>, Flaw> {
    if file == Path::new("-") {
        let stdin = io::stdin().lock();
        return Ok((!stdin.is_terminal()).then_some(Box::new(stdin)));
    }
    let opened =
        File::open(file).with_context(|| format!("{} cannot be opened: check the path", file.display()))?;
    Ok((!opened.is_terminal()).then_some(Box::new(opened)))
}

impl Inputs {
    /// The files that are not what they were before they were read.
    pub(super) fn changed(&self) -> Vec<&str> {
        let changed = self.files.iter().filter(|(file, was)| stamp(&file.path) != *was);
        changed.map(|(file, _)| file.name.as_str()).collect()
    }

    /// The files as they are, pipes as copies in `folder`. `kept` is the copy that an earlier run left.
    pub(super) fn gather(
        config: &Config,
        kept: Option<&Path>,
        folder: &Path,
        signals: &Signals,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Flaw> {
        let (mut inputs, mut has_pipe) = (Self { list: Vec::new(), spool: None, files: Vec::new() }, false);
        let stdin = [PathBuf::from("-")];
        let files = if config.files.is_empty() { &stdin[..] } else { &config.files };
        for file in files {
            let name = name(file);
            if file != Path::new("-") && !read::is_pipe(file) {
                let input = Input { path: file.clone(), name };
                inputs.files.push((input.clone(), stamp(file)));
                inputs.list.push(input);
                continue;
            }
            if std::mem::replace(&mut has_pipe, true) {
                return Err(Flaw::Usage("more than one pipe: write all but one to files first".into()));
            }
            if let Some(kept) = kept {
                if let Some(pipe) = open(file)? {
                    refuse_another(pipe, &name, kept)?;
                }
                inputs.list.push(Input { path: kept.to_owned(), name });
                continue;
            }
            let pipe = open(file)?.unwrap_or_else(|| Box::new(io::empty()));
            let spool = read::spool(pipe, folder, &mut |spool, read| {
                signals.remove_at_exit(Some(spool.to_owned()));
                progress(read);
            });
            let spool = spool.map_err(anyhow::Error::from)?;
            inputs.list.push(Input { path: spool.path().to_owned(), name });
            inputs.spool = Some(spool);
        }
        Ok(inputs)
    }
}
