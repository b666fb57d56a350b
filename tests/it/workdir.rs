//! A folder of its own for each test, and the built program run in it.

use imimport::sandbox::{self, Fault, Faults, Kept, Sandbox, Stats};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_imimport");
/// Longest wait for something that must happen; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until it is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A temporary folder with input files in it, and another for what runs print.
pub(crate) struct Workdir {
    dir: TempDir,
    printed: TempDir,
}

/// What a run of the program left.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run that goes on beside the test.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// What `--summary` wrote, of an import.
#[derive(Debug)]
pub(crate) struct Summary(pub(crate) serde_json::Value);

impl Summary {
    /// Fails unless every row has one outcome.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let summary = Self(serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}")));
        let of_import: &[_] = &["imported", "failed", "invalid", "duplicates", "skipped", "unsent"];
        let of_verify: &[_] = &["present", "missing", "different", "invalid", "duplicates", "unsent"];
        let outcomes = if summary.0["present"].is_null() { of_import } else { of_verify };
        let sum: u64 = outcomes.iter().map(|key| summary.count(key)).sum();
        assert_eq!(summary.count("rows"), sum, "{summary:?}");
        summary
    }

    #[track_caller]
    pub(crate) fn count(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap_or_else(|| panic!("no count {key} in {self:?}"))
    }

    /// A string; empty where it is null.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }
}

impl Workdir {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), printed: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; there is {:?}", self.list()))
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The names of all files, sorted.
    pub(crate) fn list(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A file of `fixtures/`, under its own name.
    pub(crate) fn fixture(&self, name: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        fs::copy(from, self.path(name)).unwrap();
    }

    /// `n` accounts `user_00000` and so on, with a Nick and a FaceUrl each.
    pub(crate) fn accounts(&self, name: &str, n: usize) -> PathBuf {
        self.write(name, accounts(n))
    }

    /// The program in this folder, with nothing of the environment's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.run_here(PROGRAM);
        command.args(args);
        command
    }

    /// A command line for the shell, in the same surroundings.
    #[cfg(unix)]
    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut command = self.run_here("sh");
        command.args(["-c", line]);
        command
    }

    fn run_here(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        let of_ours =
            |name: &str| name.starts_with("IMIMPORT_") || name.to_ascii_lowercase().ends_with("_proxy");
        for (name, _) in std::env::vars().filter(|(name, _)| of_ours(name)) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// The program with `args`, run to its end.
    pub(crate) fn imimport(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// The program told to send to `server`, run to its end.
    pub(crate) fn against(&self, server: &Server, args: &[&str]) -> Run {
        Run::of(&mut self.command_against(server, args))
    }

    /// The program told to send to `server`.
    pub(crate) fn command_against(&self, server: &Server, args: &[&str]) -> Command {
        let mut command = self.command(args);
        server.aim(&mut command);
        command
    }

    /// Starts what [`Workdir::summary`] and [`Running`] can be asked about while it goes on.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let at = |name: &str| self.printed.path().join(name);
        let (stdout, stderr) = (at("stdout"), at("stderr"));
        let file = |path: &Path| fs::File::create(path).unwrap();
        let child = command.stdout(file(&stdout)).stderr(file(&stderr)).spawn().unwrap();
        Running { child, stdout, stderr }
    }

    /// The summary of the last run.
    #[track_caller]
    pub(crate) fn summary(&self) -> Summary {
        Summary::read(&self.read("summary.json"))
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until stderr holds `text`.
    #[track_caller]
    pub(crate) fn waits_for(&self, text: &str) {
        eventually(text, || fs::read_to_string(&self.stderr).is_ok_and(|stderr| stderr.contains(text)));
    }

    /// Gives it all of its input through a pipe.
    pub(crate) fn feed(&mut self, input: &[u8]) {
        let mut pipe = self.child.stdin.take().unwrap();
        std::io::Write::write_all(&mut pipe, input).unwrap();
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn ends(mut self) -> Run {
        // Waiting would close it, and with it end the input.
        let _open = self.child.stdin.take();
        let status = self.child.wait().unwrap();
        let text = |path: &Path| fs::read_to_string(path).unwrap();
        Run { code: status.code(), stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::wait(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Feeds `input` through a pipe.
    pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that refuses to start never reads its input, so a broken pipe is no fault of the test.
        let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut pipe, &input).is_ok());
        let run = Self::wait(child);
        feeder.join().unwrap();
        run
    }

    fn wait(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails, with everything there is to see, unless the program ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless stderr holds `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in stderr:\n{}", self.stderr);
        self
    }
}

/// A CSV of `n` accounts.
pub(crate) fn accounts(n: usize) -> String {
    let mut text = String::from("UserID,Nick,FaceUrl\n");
    for i in 0..n {
        writeln!(text, "{},Nick {i},https://example.com/{i}.png", user(i)).unwrap();
    }
    text
}

/// The UserID of the `i`-th account.
pub(crate) fn user(i: usize) -> String {
    format!("user_{i:05}")
}

/// A stand-in of the service that remembers everything. It fails the test if its script is unfinished.
pub(crate) struct Server {
    script_may_be_left: bool,
    pub(crate) sandbox: Sandbox,
    _runtime: Runtime,
}

impl Server {
    /// Without faults, and without the service's limit: a test that is not about the pace sends fast.
    pub(crate) fn new() -> Self {
        Self::faulty(&[])
    }

    /// With faults in the form of the command line.
    pub(crate) fn faulty(faults: &[&str]) -> Self {
        Self::scripted(Vec::new(), faults)
    }

    /// The first requests get what the script says, later ones what `faults` say.
    pub(crate) fn scripted(script: Vec<Fault>, faults: &[&str]) -> Self {
        let mut faults = Faults::parse([&["limit=none"], faults].concat()).unwrap();
        faults.script = script;
        Self::with(faults)
    }

    pub(crate) fn with(faults: Faults) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options = sandbox::Options { faults, remember: true, ..sandbox::Options::default() };
        let sandbox = {
            let _entered = runtime.enter();
            Sandbox::start(options).unwrap()
        };
        Self { script_may_be_left: false, sandbox, _runtime: runtime }
    }

    /// A run that stops early is no failure of the test.
    pub(crate) fn may_leave_script(&mut self) {
        self.script_may_be_left = true;
    }

    pub(crate) fn stats(&self) -> Stats {
        self.sandbox.stats()
    }

    pub(crate) fn accounts(&self) -> BTreeMap<String, Kept> {
        self.sandbox.accounts()
    }

    /// How many accounts it holds.
    pub(crate) fn held(&self) -> u64 {
        self.stats().accounts
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.sandbox.address())
    }

    /// Tells the program by variables to send here, fast, and to write `summary.json`.
    pub(crate) fn aim(&self, command: &mut Command) {
        command
            .env("IMIMPORT_ENDPOINT", self.endpoint())
            .env("IMIMPORT_SDK_APP_ID", sandbox::SDK_APP_ID.to_string())
            .env("IMIMPORT_SECRET_KEY", sandbox::SECRET_KEY)
            .env("IMIMPORT_RATE", "1000")
            .env("IMIMPORT_SUMMARY", "summary.json");
    }

    /// Fails if a request was other than the service wants it.
    #[track_caller]
    pub(crate) fn saw_no_breach(&self) {
        let breaches = self.stats().breaches;
        assert!(breaches.is_empty(), "{breaches:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.script_may_be_left {
            assert_eq!(self.stats().script_left, 0, "requests that the script waited for never came");
        }
    }
}
