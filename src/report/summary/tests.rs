//! The summary's schema and its words.

use super::*;
use crate::error_code::Lang;
use crate::event::Attempt;
use crate::report::console::Look;
use crate::report::paragraph::width;

fn summary(counts: Counts) -> Summary {
    let mut traffic = Traffic::default();
    for (code, ms, retry) in
        [(Code::Service(0), 35, false), (Code::Http(502), 40, false), (Code::Service(0), 31, true)]
    {
        let latency = Duration::from_millis(ms);
        let (command, verdict) = ("multiaccount_import", "ok");
        traffic.count(&Attempt {
            batch: 1,
            command,
            attempt: 1,
            accounts: 100,
            code,
            latency,
            verdict,
            retry,
        });
    }
    let times =
        Times { plan: Duration::from_micros(1_234_567), send: Duration::from_secs(2), accounts: 1_999 };
    Summary {
        inputs: vec!["accounts.csv".into()],
        region: Some("cn".into()),
        endpoint: Some("https://console.tim.qq.com".into()),
        sdk_app_id: Some(1_400_000_000),
        ..Summary::new(counts, traffic, times)
    }
}

const TALLY: Tally =
    Tally { rows: 2_010, imported: 1_990, failed: 1, invalid: 2, duplicates: 5, conflicts: 4, skipped: 3 };

#[test]
fn the_summary_of_an_import_has_fixed_keys_in_a_fixed_order() {
    let json = serde_json::to_string(&summary(Counts::of_import(&TALLY))).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"version":1,"status":"completed","exit_code":0,"reason":null,"inputs":["accounts.csv"],"#,
            r#""region":"cn","endpoint":"https://console.tim.qq.com","sdk_app_id":1400000000,"#,
            r#""rows":2010,"imported":1990,"failed":1,"invalid":2,"duplicates":5,"conflicts":4,"skipped":3,"#,
            r#""unsent":9,"requests":3,"retries":1,"codes":{"http_502":1},"plan_s":1.235,"send_s":2.0,"#,
            r#""requests_per_s":1.0,"accounts_per_s":999.5,"#,
            r#""latency_ms":{"p50":35.0,"p95":40.0,"p99":40.0,"max":40.0},"#,
            r#""report":null,"journal":null,"resume_command":null}"#
        )
    );
}

#[test]
fn the_summary_of_a_verify_has_its_own_counts_in_the_same_place() {
    let checked = Checked { total: 2_003, present: 1_990, missing: 8, different: 1, failed: 0 };
    let json = serde_json::to_string(&summary(Counts::of_verify(&TALLY, &checked))).unwrap();
    let counts = concat!(
        r#""sdk_app_id":1400000000,"rows":2010,"present":1990,"missing":8,"different":1,"invalid":2,"#,
        r#""duplicates":5,"unsent":4,"requests":3"#
    );
    assert!(json.contains(counts), "{json}");
}

/// A run that the service stopped, with a report and something to go on with.
fn stopped() -> Summary {
    let mut summary = summary(Counts::of_import(&Tally { conflicts: 0, duplicates: 1, ..TALLY }));
    summary.status = "stopped";
    summary.exit_code = 1;
    summary.reason = Some("60020: the app has expired\u{1b}[2J; renew it".into());
    summary.report = Some("accounts.failed.csv".into());
    summary.resume_command = Some("imimport --resume accounts.csv".into());
    summary.import_report_command = Some("imimport accounts.failed.csv".into());
    summary
}

const PLAIN: Look = Look { columns: None, colour: false };

#[test]
fn a_person_reads_the_counts_that_are_not_zero_and_what_to_do() {
    assert_eq!(
        stopped().text(Lang::En, PLAIN),
        "stopped: 60020: the app has expired\\u{1b}[2J; renew it\n\
         \x20 2,010  rows\n\
         \x20 1,990  imported\n\
         \x20     1  failed\n\
         \x20     2  invalid, never sent\n\
         \x20     1  duplicate\n\
         \x20     3  skipped: there already\n\
         \x20    13  unsent\n\
         3 requests, 1 of them a retry; 1,000 accounts/s, 1.0 requests/s; p50 35 ms, p99 40 ms\n\
         answers other than OK: http_502 ×1\n\
         3 rows are in accounts.failed.csv, each with its reason\n\
         go on with: imimport --resume accounts.csv"
    );
}

#[test]
fn a_run_that_has_ended_says_how_its_report_is_imported() {
    let mut summary = stopped();
    (summary.status, summary.exit_code, summary.reason, summary.resume_command) =
        ("completed", 3, None, None);
    let text = summary.text(Lang::En, PLAIN);
    assert!(text.ends_with("each with its reason"), "its rows are not all that is left: {text}");
    summary.counts = Counts::of_import(&Tally { rows: 2_010 - 9, ..TALLY });
    let text = summary.text(Lang::En, PLAIN);
    let end = "3 rows are in accounts.failed.csv, each with its reason: mend them, then import them with: \
               imimport accounts.failed.csv";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn a_clean_run_needs_few_words_in_either_language() {
    let mut summary = summary(Counts::of_import(&Tally { rows: 7, imported: 7, ..Tally::default() }));
    summary.codes.clear();
    summary.requests = 0;
    assert_eq!(summary.text(Lang::En, PLAIN), "completed in 2s\n  7  rows\n  7  imported");
    assert_eq!(summary.text(Lang::Zh, PLAIN), "已完成,用时 2 秒\n  7  总行数\n  7  已导入");
}

#[test]
fn on_a_terminal_each_outcome_has_a_bar_and_each_code_its_meaning() {
    let text = stopped().text(Lang::En, Look { columns: Some(80), colour: false });
    assert!(text.contains("\n  1,990  imported                ████"), "{text}");
    assert!(text.contains("\n      1  failed                  ▏"), "{text}");
    assert!(text.contains("\n  1  http_502  the host or a proxy had an error"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_terminal_of_any_width_breaks_nothing_but_commands() {
    for (columns, lang) in (24..=200).flat_map(|columns| [(columns, Lang::En), (columns, Lang::Zh)]) {
        let text = stopped().text(lang, Look { columns: Some(columns), colour: true });
        for line in text.lines().filter(|line| !line.contains("imimport ")) {
            assert!(width(line) <= columns, "{columns} columns: {line:?}");
        }
    }
}

#[test]
fn colours_are_for_whoever_wants_them() {
    let text = stopped().text(Lang::En, Look { columns: None, colour: true });
    assert!(text.starts_with("\u{1b}[1;31mstopped\u{1b}[0m: 60020"), "{text:?}");
}

#[test]
fn quiet_is_one_error_with_the_way_on_or_nothing() {
    let mut summary = stopped();
    assert_eq!(
        summary.error(Lang::En).unwrap(),
        "60020: the app has expired\u{1b}[2J; renew it\n3 rows are in accounts.failed.csv, each with its reason\ngo on with: imimport --resume accounts.csv"
    );
    (summary.reason, summary.resume_command, summary.status, summary.exit_code) =
        (None, None, "completed", 3);
    let refused = summary.error(Lang::En).unwrap();
    assert!(refused.starts_with("3 rows are in accounts.failed.csv"), "{refused}");
    summary.exit_code = 0;
    assert_eq!(summary.error(Lang::En), None);
}
