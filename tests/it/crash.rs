//! Killed at any moment and resumed, a run loses nothing, blames nobody, and ends as if it had never been broken.
//!
//! ```text
//! cargo test --test it crash                                      ten rounds
//! IMIMPORT_CRASH_ROUNDS=200 cargo test --release --test it crash  the long form
//! ```

mod input;
mod round;

use imimport::sandbox::{self, Faults, Sandbox};
use input::{Input, LISTED, POISON};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use round::{Ended, Moment, Round};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Rounds that run side by side; they mostly wait.
const SIDE_BY_SIDE: usize = 4;
/// Requests under way at most, and requests a second, of rounds that count what is sent again.
const IN_FLIGHT: u64 = 4;
const RATE: u64 = 100;

/// Faults that a run outlives, each by a small chance.
const PASSING: [&str; 21] = [
    "70169=0.4%",
    "70202=0.3%",
    "70500=0.3%",
    "60007=0.2%",
    "http502=0.4%",
    "http429=0.1%",
    "retry-after=1",
    "reset=0.6%",
    "reset-applied=0.6%",
    "truncate=0.4%",
    "garbage=0.4%",
    "huge=0.2%",
    "bodies=0.6%",
    "hang=0.2%",
    "drip=0.2%",
    "close=1%",
    "latency=1ms..20ms",
    "limit=200",
    "sig-ttl=3",
    "outage=0.2s..0.4s",
    "outage=0.8s..0.9s:http502",
];
const HARSH: [&str; 8] = ["--rate", "200", "--max-in-flight", "16", "--retries", "4", "--timeout", "1s"];
const GENTLE: [&str; 6] = ["--rate", "100", "--max-in-flight", "4", "--retries", "2"];

/// What a round is about.
struct Kind {
    name: &'static str,
    input: Input,
    faults: Vec<&'static str>,
    options: &'static [&'static str],
    /// The input comes through standard input.
    piped: bool,
    /// An account is applied once for each time it is sent and acknowledged.
    exact: bool,
}

/// Rows by their columns but `Attempts`, which tells of each request that was made.
type Rows = Vec<Vec<String>>;

fn kinds() -> [Kind; 4] {
    let refuses = ["fail=^listed_", "fail-reason=80001", "poison=^poison_"];
    assert!(refuses[0].ends_with(LISTED) && refuses[2].ends_with(POISON));
    assert_eq!([GENTLE[1], GENTLE[3]], [RATE.to_string(), IN_FLIGHT.to_string()]);
    let gently = [&refuses[..], &["latency=5ms..20ms", "limit=none"]].concat();
    let harshly = [&PASSING[..], &refuses].concat();
    [
        Kind {
            name: "everything goes wrong",
            input: Input::mixed(3000),
            faults: harshly.clone(),
            options: &HARSH,
            piped: false,
            exact: false,
        },
        Kind {
            name: "only accounts are refused",
            input: Input::mixed(6000),
            faults: gently,
            options: &GENTLE,
            piped: false,
            exact: true,
        },
        Kind {
            name: "all goes in at last",
            input: Input::plain(5000),
            faults: PASSING.to_vec(),
            options: &HARSH,
            piped: false,
            exact: false,
        },
        Kind {
            name: "through a pipe",
            input: Input::mixed(2000),
            faults: harshly,
            options: &HARSH,
            piped: true,
            exact: false,
        },
    ]
}

/// A stand-in that remembers; `seed` decides who meets which fault.
fn service(kind: &Kind, seed: u64, runtime: &Runtime) -> Sandbox {
    let faults = Faults::parse(&kind.faults).unwrap();
    let options = sandbox::Options { faults, seed, remember: true, ..sandbox::Options::default() };
    let _entered = runtime.enter();
    Sandbox::start(options).unwrap()
}

/// What a run that nobody kills leaves.
fn unbroken(kind: &Kind, runtime: &Runtime) -> (Vec<u64>, Rows) {
    let mut round = Round::new(0, kind, service(kind, 0, runtime));
    while !round.is_over() {
        round.start(None);
    }
    round.end()
}

/// Kills a run at random moments, and lets it end.
fn broken(number: u64, kind: &Kind, reference: &(Vec<u64>, Rows), runtime: &Runtime) -> Figures {
    let mut rng = StdRng::seed_from_u64(number);
    let mut round = Round::new(number, kind, service(kind, number, runtime));
    let kills = rng.random_range(1..=4);
    for _ in 0..kills {
        let moment = moment(&mut rng, &round);
        round.start(Some(&moment));
        // A resume that is killed while it still reads, as by a supervisor that restarts in a loop.
        while !round.is_over() && rng.random_bool(0.3) {
            round.start(Some(&Moment::After(Duration::from_micros(rng.random_range(0..25_000)))));
        }
        if round.is_over() {
            break;
        }
    }
    while !round.is_over() {
        round.start(None);
    }
    let figures = round.figures();
    let ours = round.end();
    assert_eq!(ours.0, reference.0, "counts differ from an unbroken run's");
    assert_eq!(ours.1, reference.1, "the report differs from an unbroken run's");
    figures
}

fn moment(rng: &mut StdRng, round: &Round) -> Moment {
    match rng.random_range(0..10) {
        // Most of a run's time is waiting; most of its danger is where accounts go in.
        0..=4 => Moment::Applied(rng.random_range(0..=round.left())),
        5..=6 => Moment::After(Duration::from_millis(rng.random_range(0..6000))),
        7 => Moment::After(Duration::from_micros(rng.random_range(0..40_000))),
        _ => Moment::Finished(Duration::from_micros(rng.random_range(0..4000))),
    }
}

/// Sums over rounds.
#[derive(Clone, Copy, Default)]
struct Figures {
    kills: u64,
    accounts: u64,
    lost: u64,
    again: u64,
}

#[test]
fn a_run_killed_at_any_moment_and_resumed_loses_nothing_and_ends_as_an_unbroken_one() {
    let rounds =
        std::env::var("IMIMPORT_CRASH_ROUNDS").map_or(10, |n| n.parse().expect("a number of rounds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let kinds = kinds();
    let references = std::thread::scope(|scope| {
        let running = kinds.each_ref().map(|kind| scope.spawn(|| unbroken(kind, &runtime)));
        running.map(|run| run.join().unwrap())
    });
    let (next, sums) = (AtomicU64::new(0), Mutex::new([Figures::default(); 2]));
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= rounds {
                return;
            }
            let of = usize::try_from(number).unwrap() % kinds.len();
            let figures = broken(number, &kinds[of], &references[of], &runtime);
            let sum = &mut sums.lock().unwrap()[usize::from(kinds[of].exact)];
            sum.kills += figures.kills;
            sum.accounts += figures.accounts;
            sum.lost += figures.lost;
            sum.again += figures.again;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(worker);
        }
    });
    let [other, exact] = sums.into_inner().unwrap();
    // Straight to stderr: what a test prints is not shown when it passes.
    writeln!(
        std::io::stderr(),
        "crash loop: {rounds} rounds, {} kills, {} accounts, lost: {}; sent again where only kills make it so: {} \
         of {} accounts in {} kills",
        other.kills + exact.kills,
        other.accounts + exact.accounts,
        other.lost + exact.lost,
        exact.again,
        exact.accounts,
        exact.kills,
    )
    .unwrap();
}

#[test]
fn a_resume_that_finds_only_refused_accounts_left_ends_as_an_unbroken_run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let kind = Kind {
        name: "only what is refused is left",
        input: Input::poisoned_at_its_end(150),
        faults: vec!["poison=^poison_", "latency=100ms..100ms"],
        options: &GENTLE,
        piped: false,
        exact: true,
    };
    // On a busy machine the kill may come after the last answer: then once more.
    for attempt in 0.. {
        let mut round = Round::new(attempt, &kind, service(&kind, attempt, &runtime));
        let ended = round.start(Some(&Moment::Journaled(150)));
        if ended == Ended::Killed && !round.is_over() {
            round.start(None);
            round.end();
            return;
        }
        assert!(attempt < 20, "never killed in time");
    }
}
