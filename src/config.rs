//! Flags and variables into a checked configuration, before the first byte is read.

mod credential;
mod destination;
mod input;
mod values;

pub use credential::credential;
pub use destination::Destination;
pub use values::lang;

use crate::cli::{self, Given};
use crate::read;
use crate::report::{Manner, Show};
use crate::sandbox;
use crate::send::{Credential, MaxFailed, Target};
use crate::usersig::Secret;
use anyhow::anyhow;
use input::{read_options, shape};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::{max_failed, rate, shard};

/// What is wrong with a command line, or keeps it from being carried out.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// The options themselves: exit 2.
    #[error("{0}")]
    Usage(String),
    /// What they name: exit 1.
    #[error(transparent)]
    Start(#[from] anyhow::Error),
}

/// Variables of the environment, by name.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// All that an import or a verify was told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is done with the accounts.
    pub task: Task,
    /// As typed; `-` is standard input, as is none at all.
    pub files: Vec<PathBuf>,
    /// Files that are read besides, and never written: a key, certificates.
    pub keys: Vec<PathBuf>,
    /// How to read them; the inputs themselves are known when pipes are spooled.
    pub read: read::Options,
    /// Nothing is sent if any row is invalid.
    pub strict: bool,
    /// Whom to send to; a dry run needs none.
    pub service: Option<Service>,
    /// Requests a second at most.
    pub rate: u32,
    /// Requests under way at once at most.
    pub max_in_flight: usize,
    /// Tries after the first.
    pub retries: u32,
    /// Longest time without an acknowledgement.
    pub max_outage: Duration,
    /// More failed accounts than this stop the run.
    pub max_failed: Option<MaxFailed>,
    /// Where the journal goes, if not beside the first input.
    pub journal: Option<PathBuf>,
    /// Go on with an earlier run.
    pub resume: bool,
    /// Forget an earlier run.
    pub restart: bool,
    /// Where the report goes, if not beside the first input.
    pub report: Option<PathBuf>,
    /// Where the JSON summary goes.
    pub summary: Option<PathBuf>,
    /// Where the log of requests goes.
    pub log: Option<PathBuf>,
    /// Plan only.
    pub dry_run: bool,
    /// Which part of how many this process has.
    pub shard: Option<(u32, u32)>,
    /// How people are told.
    pub manner: Manner,
    /// The options that shape the plan; a resume must have the same.
    pub shape: BTreeMap<String, String>,
    /// What a person should know before anything begins.
    pub warnings: Vec<String>,
}

/// What is done with the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// They are imported.
    Import {
        /// But those that are there are left as they are.
        skip_existing: bool,
        /// Afterwards the service is asked for them.
        verify: Option<Profiles>,
    },
    /// The service is asked for them.
    Verify(Profiles),
}

/// Whether a verify compares Nick and FaceUrl, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Profiles {
    Compare,
    Ignore,
}

/// Whom the requests go to, and what signs them.
#[derive(Clone, Debug)]
pub struct Service {
    /// The region or the host.
    pub destination: Destination,
    /// The endpoint, the app and its administrator. The sandbox's endpoint is known when it runs.
    pub target: Target,
    /// What signs the requests.
    pub credential: Credential,
}

impl Config {
    /// Checks an import's options against each other and against the environment.
    pub fn new(mut import: cli::Import, given: &Given, variables: Variables) -> Result<Self, Flaw> {
        let shard = import.scale.shard.as_deref().map(shard).transpose()?;
        if let Some(name) = import.files.iter().find_map(|file| cli::command_named(file)) {
            return usage(&format!(
                "{name} is a command and comes before all options; a file called {name} is written ./{name}"
            ));
        }
        let task = task(&import, given)?;
        let destination = Destination::of(&import.service, given)?;
        let rate = rate(import.pace.rate, destination.as_ref(), shard.map_or(1, |(_, count)| count))?;
        let mut warnings = Vec::new();
        let service = match destination {
            _ if import.output.dry_run => None,
            None => {
                return usage(
                    "where to? give --region, such as --region sgp, or --region sandbox to rehearse",
                );
            }
            Some(destination) => Some(Service::new(&import.service, destination, variables, &mut warnings)?),
        };
        let keys = [import.service.secret_key_file.take(), import.service.ca_cert.take()];
        let read = read_options(&import, given, shard)?;
        let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        if is_stdout(&import.output.report) && is_stdout(&import.output.summary) {
            match (given.flag("report"), given.flag("summary")) {
                (true, false) => import.output.summary = None,
                (false, true) => import.output.report = None,
                _ => return usage("--report - and --summary - exclude each other: give one of them a file"),
            }
        }
        if is_stdout(&import.output.log) {
            return usage("--log takes a file, not -: give it a path, or /dev/stdout");
        }
        Ok(Self {
            task,
            shape: shape(&import, &read),
            manner: manner(&import.output, given, variables)?,
            files: import.files,
            keys: keys.into_iter().flatten().collect(),
            read,
            strict: import.input.strict,
            service,
            rate,
            max_in_flight: import.pace.max_in_flight as usize,
            retries: import.retry.retries,
            max_outage: import.retry.max_outage,
            max_failed: import.retry.max_failed.as_deref().map(max_failed).transpose()?,
            journal: import.resume.journal,
            resume: import.resume.resume,
            restart: import.resume.restart,
            report: import.output.report,
            summary: import.output.summary,
            log: import.output.log,
            dry_run: import.output.dry_run,
            shard,
            warnings,
        })
    }
}

impl Config {
    /// Checks the options of a verify.
    pub fn of_verify(verify: cli::Verify, given: &Given, variables: Variables) -> Result<Self, Flaw> {
        let cli::Verify { files, service, input, on_duplicate, pace, retry, profiles, output, scale } =
            verify;
        let import = cli::Import {
            files,
            service,
            input,
            duplicates: cli::Duplicates { on_duplicate, existing: cli::Existing::Update },
            pace,
            retry,
            resume: cli::Resume { journal: None, resume: false, restart: false },
            checking: cli::Checking { verify: false, profiles: false },
            output,
            scale,
        };
        Ok(Self { task: Task::Verify(Profiles::of(profiles)), ..Self::new(import, given, variables)? })
    }
}

impl Service {
    fn new(
        service: &cli::Service,
        destination: Destination,
        variables: Variables,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Flaw> {
        let target = |endpoint: &str, sdk_app_id, identifier: &str| Target {
            endpoint: endpoint.to_owned(),
            ca_cert: None,
            sdk_app_id,
            identifier: identifier.to_owned(),
            timeout: service.timeout,
        };
        let Destination::Host { endpoint, .. } = &destination else {
            let credential = Credential::Key(Secret::new(sandbox::SECRET_KEY.to_owned()));
            let target = target("", sandbox::SDK_APP_ID, sandbox::IDENTIFIER);
            return Ok(Self { destination, target, credential });
        };
        let Some(sdk_app_id) = service.sdk_app_id else {
            return usage("which app? give --sdk-app-id N, the SDKAppID that the console shows");
        };
        let (credential, of_it) = credential(service.secret_key_file.as_deref(), variables)?;
        warnings.extend(of_it);
        let ca_cert = match &service.ca_cert {
            None => None,
            Some(path) => {
                let pem = fs::read(path).map_err(|e| {
                    anyhow!("{}: no certificates can be read: {e}; check --ca-cert", path.display())
                });
                Some(pem?)
            }
        };
        let target = Target { ca_cert, ..target(endpoint, sdk_app_id, &service.identifier) };
        Ok(Self { destination, target, credential })
    }
}

fn task(import: &cli::Import, given: &Given) -> Result<Task, Flaw> {
    let cli::Checking { verify, profiles } = import.checking;
    if profiles && !verify && given.flag("profiles") {
        return usage("--profiles is about a verify: give --verify, too");
    }
    Ok(Task::Import {
        skip_existing: import.duplicates.existing == cli::Existing::Skip,
        verify: verify.then(|| Profiles::of(profiles)),
    })
}

impl Profiles {
    fn of(compared: bool) -> Self {
        if compared { Self::Compare } else { Self::Ignore }
    }
}
fn manner(output: &cli::Output, given: &Given, variables: Variables) -> Result<Manner, Flaw> {
    let (mut quiet, mut verbose) = (output.quiet, output.verbose);
    if quiet && verbose {
        match (given.flag("quiet"), given.flag("verbose")) {
            (true, false) => verbose = false,
            (false, true) => quiet = false,
            _ => return usage("--quiet and --verbose exclude each other: give one of them"),
        }
    }
    let progress = match output.progress {
        cli::Progress::Auto => Show::Auto,
        cli::Progress::Always => Show::Always,
        cli::Progress::Never => Show::Never,
    };
    Ok(Manner { quiet, verbose, progress, lang: lang(output.lang, variables) })
}
fn usage<T>(message: &str) -> Result<T, Flaw> {
    Err(Flaw::Usage(message.to_owned()))
}
