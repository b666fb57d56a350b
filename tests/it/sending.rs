//! The sender against the stand-in: whatever the service does, each account ends in one way, and rightly.

use imimport::account::{Account, Place};
use imimport::batch::Batch;
use imimport::error_code::{Code, Lang};
use imimport::event::Event;
use imimport::outcome::Refusal;
use imimport::sandbox::{self, Fault, Faults, Kept, Sandbox, Stats};
use imimport::send::{Credential, Earlier, MaxFailed, Options, Stop, Target, Task, send};
use imimport::usersig::Secret;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// What a run of the sender left.
struct Sent {
    imported: BTreeSet<u32>,
    failed: BTreeMap<u32, Refusal>,
    attempts: u64,
    stop: Option<Stop>,
    stats: Stats,
    held: BTreeMap<String, Kept>,
}

impl Sent {
    fn reason(&self) -> &str {
        match &self.stop {
            Some(Stop::Because(reason)) => reason,
            other => panic!("no reason to stop: {other:?}"),
        }
    }

    #[track_caller]
    fn all_imported(&self, n: u32) {
        assert_eq!(self.stop, None);
        assert!(self.failed.is_empty(), "{:?}", self.failed);
        assert_eq!(self.imported.len(), n as usize);
    }
}

fn user(row: u32) -> String {
    format!("user_{row:05}")
}

fn options(endpoint: String) -> Options {
    Options {
        task: Task::Import,
        target: Target {
            endpoint,
            ca_cert: None,
            sdk_app_id: sandbox::SDK_APP_ID,
            identifier: sandbox::IDENTIFIER.into(),
            timeout: Duration::from_millis(500),
        },
        credential: Credential::Key(Secret::new(sandbox::SECRET_KEY.into())),
        rate: 1000,
        max_in_flight: 64,
        retries: 5,
        max_outage: Duration::from_secs(600),
        max_failed: None,
        earlier: None,
        lang: Lang::En,
    }
}

/// Sends `n` accounts to a stand-in with `faults`; `tune` changes how. Checks what must hold in any case.
fn deliver(n: u32, faults: Faults, tune: impl FnOnce(&mut Options)) -> Sent {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let sent = runtime.block_on(async {
        let sandbox =
            Sandbox::start(sandbox::Options { faults, remember: true, ..sandbox::Options::default() })
                .unwrap();
        let mut options = options(format!("http://{}", sandbox.address()));
        tune(&mut options);
        let (batches, from_reader) = mpsc::channel(4);
        let (events, mut heard) = mpsc::channel(64);
        let (_running, stop) = watch::channel(None);
        tokio::spawn(async move {
            for first in (0..n).step_by(100) {
                let accounts = (first..n.min(first + 100)).map(account).collect();
                if batches.send(Ok(Batch { accounts })).await.is_err() {
                    return;
                }
            }
        });
        let listener = tokio::spawn(async move {
            let (mut imported, mut failed, mut attempts) = (BTreeSet::new(), BTreeMap::new(), 0);
            while let Some(event) = heard.recv().await {
                match event {
                    Event::Settled(settled) => {
                        for row in settled.imported {
                            assert!(
                                imported.insert(row) && !failed.contains_key(&row),
                                "row {row} settled twice"
                            );
                        }
                        for refusal in settled.failed {
                            let row = refusal.place.row;
                            assert!(!imported.contains(&row), "row {row} settled twice");
                            assert!(failed.insert(row, refusal).is_none(), "row {row} settled twice");
                        }
                    }
                    Event::Answered(_) => attempts += 1,
                    _ => {}
                }
            }
            (imported, failed, attempts)
        });
        let stop = send(options, from_reader, events, stop).await;
        let (imported, failed, attempts) = listener.await.unwrap();
        Sent { imported, failed, attempts, stop, stats: sandbox.stats(), held: sandbox.accounts() }
    });
    for &row in &sent.imported {
        let kept = sent.held.get(&user(row)).unwrap_or_else(|| panic!("{row} was never applied"));
        assert_eq!(kept.nick.as_deref(), Some(format!("Nick {row}").as_str()));
    }
    let ids: BTreeSet<String> = (0..n).map(user).collect();
    assert!(sent.held.keys().all(|id| ids.contains(id)), "an account that nobody sent");
    assert!(sent.stats.requests <= sent.attempts, "an answer was not told");
    if sent.stop.is_none() {
        assert_eq!(sent.imported.len() + sent.failed.len(), n as usize);
    }
    sent.stats.breaches.iter().for_each(|(name, breach)| assert_eq!(*name, "rate", "{breach:?}"));
    sent
}

fn account(row: u32) -> Account {
    Account {
        place: Place { row, input: 0, line: u64::from(row) + 2 },
        user_id: user(row).into(),
        nick: Some(format!("Nick {row}").into()),
        face_url: None,
    }
}

fn faults(texts: &[&str]) -> Faults {
    Faults::parse([&["limit=none"], texts].concat()).unwrap()
}

fn scripted(script: Vec<Fault>) -> Faults {
    let mut faults = faults(&[]);
    faults.script = script;
    faults
}

/// Tests that mostly wait need not wait for each other.
fn side_by_side(cases: [&str; 5], test: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            let test = &test;
            scope.spawn(move || test(case));
        }
    });
}

#[test]
fn every_account_arrives_once() {
    let sent = deliver(1234, faults(&[]), |_| {});
    sent.all_imported(1234);
    assert_eq!(sent.stats.requests, 13);
    assert_eq!(sent.stats.distinct_randoms, 13);
    assert!(sent.held.values().all(|kept| kept.times == 1));
}

#[test]
fn passing_faults_of_every_kind_lose_nothing() {
    let texts = [
        "70169=4%",
        "70202=4%",
        "70500=4%",
        "http502=3%",
        "reset=3%",
        "reset-applied=3%",
        "truncate=3%",
        "garbage=3%",
        "bodies=3%",
        "hang=1%",
        "close=3%",
        "huge=1%",
        "drip=1%",
    ];
    deliver(10_000, faults(&texts), |_| {}).all_imported(10_000);
}

#[test]
fn a_fatal_answer_to_the_first_request_is_the_last() {
    for code in [60026, 70009, 70403, 60006, 70398] {
        let sent = deliver(1000, faults(&[&format!("always={code}")]), |_| {});
        assert!(sent.reason().contains(&code.to_string()), "{}", sent.reason());
        assert_eq!(sent.stats.requests, 1);
        assert!(sent.imported.is_empty() && sent.failed.is_empty());
    }
}

#[test]
fn a_fatal_answer_in_the_middle_keeps_what_was_acknowledged() {
    let script = vec![Fault::Pass, Fault::Pass, Fault::Code(60020)];
    let sent = deliver(100_000, scripted(script), |_| {});
    assert!(sent.reason().contains("60020"));
    assert!(sent.imported.len() >= 200 && sent.failed.is_empty());
}

#[test]
fn accounts_that_poison_their_batch_are_found_and_all_others_imported() {
    let sent = deliver(2000, faults(&["poison=[05]77$"]), |_| {});
    assert_eq!(sent.stop, None);
    let failed: Vec<_> = sent.failed.keys().copied().collect();
    assert_eq!(failed, [77, 577, 1077, 1577]);
    assert!(sent.failed.values().all(|refusal| refusal.code == Some(Code::Service(70402))));
    assert_eq!(sent.imported.len(), 1996);
}

#[test]
fn a_first_batch_that_is_refused_whole_stops_the_run_and_blames_no_account() {
    let sent = deliver(1000, faults(&["always=70402"]), |_| {});
    assert!(sent.reason().contains("SecretKey"), "{}", sent.reason());
    assert!(sent.imported.is_empty() && sent.failed.is_empty());
    assert!(sent.stats.requests <= 200);
}

#[test]
fn ten_batches_refused_whole_stop_the_run_and_their_accounts_stay_unsent() {
    let sent = deliver(5000, faults(&["poison=user_0[1-9]", "poison-code=70399"]), |_| {});
    assert!(sent.reason().contains("70399"), "{}", sent.reason());
    assert_eq!(sent.imported.len(), 1000);
    assert!(sent.failed.is_empty(), "{:?}", sent.failed.keys());
}

#[test]
fn nine_batches_refused_whole_at_the_end_are_the_accounts_own() {
    let sent = deliver(1900, faults(&["poison=user_01", "poison-code=70399"]), |_| {});
    assert_eq!(sent.stop, None);
    assert_eq!((sent.imported.len(), sent.failed.len()), (1000, 900));
}

#[test]
fn what_is_left_of_an_earlier_process_may_all_be_refused_and_waits_for_its_last_second_to_pass() {
    let began = Instant::now();
    let sent = deliver(50, faults(&["always=70399"]), |o| {
        o.earlier = Some(Earlier { began, acknowledged: true });
    });
    assert_eq!((sent.stop, sent.failed.len()), (None, 50));
    assert!(began.elapsed() >= Duration::from_millis(1004));
}

#[test]
fn a_first_batch_of_accounts_refused_for_what_they_are_fails_and_the_rest_is_imported() {
    for n in [1, 3, 1000] {
        let sent = deliver(n, faults(&["poison=user_000", "poison-code=70399"]), |_| {});
        assert_eq!(sent.stop, None);
        assert_eq!(
            (sent.failed.len(), sent.imported.len()),
            (n.min(100) as usize, n.saturating_sub(100) as usize)
        );
    }
}

#[test]
fn what_is_left_of_an_earlier_process_is_searched_even_for_a_code_that_stops_a_run_at_first() {
    let earlier = |o: &mut Options| {
        o.earlier = Some(Earlier { began: Instant::now(), acknowledged: true });
    };
    let sent = deliver(50, faults(&["poison=user_00000", "poison-code=60999"]), earlier);
    assert_eq!((sent.stop, sent.imported.len(), sent.failed.len()), (None, 49, 1));
    let sent = deliver(50, faults(&["always=60999"]), earlier);
    assert!(sent.reason().contains("60999") && sent.failed.is_empty(), "{}", sent.reason());
}

#[test]
fn a_lone_batch_that_gets_nowhere_is_cut_until_the_account_stands_alone() {
    let cut = |code: &str| {
        let sent = deliver(2, faults(&["poison=user_00000", code]), |o| o.retries = 1);
        assert_eq!((sent.stop, sent.imported.len()), (None, 1), "{code}");
        assert_eq!(sent.failed.keys().collect::<Vec<_>>(), [&0], "{code}");
    };
    // Each waits for an outage that is none.
    std::thread::scope(|scope| {
        for code in ["poison-code=60008", "poison-code=70169"] {
            scope.spawn(move || cut(code));
        }
    });
}

#[test]
fn listed_accounts_are_tried_again_and_then_asked_for_the_reason() {
    let sent = deliver(1000, faults(&["fail=7$", "fail-reason=80001"]), |o| o.retries = 2);
    assert_eq!(sent.stop, None);
    assert_eq!(sent.failed.len(), 100);
    for refusal in sent.failed.values() {
        assert_eq!(refusal.code, Some(Code::Service(80001)));
        assert_eq!(refusal.attempts, 4, "three times in a batch, once alone");
    }
    assert_eq!(sent.stats.commands["account_import"], 100);
}

#[test]
fn only_a_thousand_accounts_are_asked_for_their_reason() {
    let sent = deliver(1400, faults(&["fail=[1-9]$"]), |o| o.retries = 0);
    let unknown = sent.failed.values().filter(|refusal| refusal.code == Some(Code::FailAccounts)).count();
    assert_eq!((sent.failed.len(), unknown), (1260, 260));
}

#[test]
fn ten_batches_listed_whole_stop_the_run_before_an_account_is_failed() {
    let sent = deliver(20_000, faults(&["fail=."]), |_| {});
    assert!(sent.reason().contains("fail_accounts"), "{}", sent.reason());
    assert!(sent.failed.is_empty() && sent.imported.is_empty());
}

#[test]
fn listed_accounts_wait_before_they_are_tried_again() {
    let began = Instant::now();
    let sent = deliver(3000, faults(&["fail=[1-9]$", "fail-times=5"]), |_| {});
    sent.all_imported(3000);
    assert!(began.elapsed() > Duration::from_secs(1), "six tries of each within a second");
}

#[test]
fn a_code_that_bounds_its_tries_is_held_against_no_account_while_nothing_is_acknowledged() {
    let outage = faults(&["outage=0.05s..6s:60008", "latency=10ms..30ms"]);
    deliver(1500, outage, |o| o.rate = 50).all_imported(1500);
}

#[test]
fn a_host_that_asks_for_pauses_without_end_is_an_outage_too() {
    let throttled = vec![Fault::HttpWith(429, vec![("Retry-After".into(), "1".into())]); 40];
    let began = Instant::now();
    let sent = deliver(300, scripted(throttled), |o| o.max_outage = Duration::from_secs(4));
    assert!(sent.reason().contains("--max-outage"), "{}", sent.reason());
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn listed_accounts_that_go_through_later_are_imported() {
    let sent = deliver(500, faults(&["fail=3$", "fail-times=3"]), |_| {});
    sent.all_imported(500);
}

#[test]
fn names_in_fail_accounts_that_were_not_asked_for_are_not_believed() {
    let script = vec![Fault::FailAccounts(vec!["nobody".into(), user(5), user(5)])];
    deliver(100, scripted(script), |_| {}).all_imported(100);
}

#[test]
fn an_account_that_silences_the_service_fails_alone_while_others_are_acknowledged() {
    let sent = deliver(104, faults(&["mute=user_00102"]), |o| {
        o.retries = 1;
        o.target.timeout = Duration::from_millis(100);
    });
    assert_eq!(sent.stop, None);
    assert_eq!(sent.failed.keys().collect::<Vec<_>>(), [&102]);
    assert_eq!(sent.failed[&102].code, Some(Code::Timeout));
}

#[test]
fn an_outage_costs_no_account_its_tries() {
    side_by_side(["refuse", "http502", "70500", "60007", "hang"], |kind| {
        let sent = deliver(3000, faults(&[&format!("outage=0.05s..7s:{kind}"), "latency=10ms..30ms"]), |o| {
            o.retries = 0;
            o.rate = 50;
        });
        sent.all_imported(3000);
    });
}

#[test]
fn an_outage_that_lasts_stops_the_run() {
    let sent = deliver(3000, faults(&["outage=0.1s..900s", "latency=10ms..30ms"]), |o| {
        o.max_outage = Duration::from_secs(6);
        o.rate = 100;
    });
    assert!(sent.reason().contains("--max-outage"), "{}", sent.reason());
    assert!(sent.failed.is_empty() && !sent.imported.is_empty());
}

#[test]
fn a_signature_that_ran_out_is_renewed_and_no_try_is_used_up() {
    let sent = deliver(3000, faults(&["sig-ttl=1", "latency=100ms..200ms"]), |o| {
        o.retries = 0;
        o.rate = 10;
    });
    sent.all_imported(3000);
    assert!(sent.stats.answers["70001"] > 0);
}

#[test]
fn a_host_that_throttles_is_sent_to_more_slowly_and_no_try_is_used_up() {
    side_by_side(["60007", "60011", "60018", "60019", "429"], |code| {
        let faults = Faults::parse(["limit=20", &format!("limit-code={code}")]).unwrap();
        let sent = deliver(4000, faults, |o| {
            o.retries = 0;
            o.rate = 60;
        });
        sent.all_imported(4000);
    });
}

#[test]
fn max_failed_stops_a_run_that_goes_wrong() {
    let sent = deliver(5000, faults(&["fail=[13579]$"]), |o| {
        o.retries = 0;
        o.max_failed = Some(MaxFailed::Accounts(50));
        o.rate = 200;
    });
    assert!(sent.reason().contains("--max-failed 50"), "{}", sent.reason());
    let share = deliver(5000, faults(&["fail=[13579]$"]), |o| {
        o.retries = 0;
        o.max_failed = Some(MaxFailed::Percent(10.0));
        o.rate = 200;
    });
    assert!(share.reason().contains("--max-failed 10%"), "{}", share.reason());
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::Pass),
        1 => Just(Fault::Code(70169)),
        1 => Just(Fault::Code(70402)),
        1 => Just(Fault::Code(70399)),
        1 => Just(Fault::Code(60008)),
        1 => Just(Fault::Code(60004)),
        1 => Just(Fault::Code(60007)),
        1 => Just(Fault::Code(60999)),
        1 => Just(Fault::Code(60020)),
        1 => Just(Fault::Http(502)),
        1 => Just(Fault::Http(403)),
        1 => Just(Fault::Http(413)),
        1 => Just(Fault::Reset),
        1 => Just(Fault::ResetApplied),
        1 => Just(Fault::Truncate),
        1 => Just(Fault::Garbage),
        1 => Just(Fault::WrongBody),
        1 => (0u32..400).prop_map(|row| Fault::FailAccounts(vec![user(row), "nobody".into()])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_service_answers_every_account_ends_once_and_rightly(
        n in 1u32..400,
        script in prop::collection::vec(any_fault(), 0..40),
        retries in 0u32..3,
    ) {
        // All that must hold in any case is checked in `deliver`.
        deliver(n, scripted(script), |o| o.retries = retries);
    }
}
