//! The room as a whole: files in, plan and batches out.

mod again;
mod refused;

use super::*;
use crate::account::{Account, Place};
use crate::outcome::{Outcome, Refusal};
use proptest::prelude::*;

fn options(inputs: Vec<Input>) -> Options {
    Options {
        inputs,
        format: None,
        delimiter: None,
        header: true,
        map: Vec::new(),
        encoding: None,
        trim: false,
        on_duplicate: OnDuplicate::Last,
        limit: None,
        shard: None,
        scratch: std::env::temp_dir(),
        budget: BUDGET,
        all_conflicts: false,
    }
}

fn fixture(name: &str) -> Options {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    options(vec![Input { path, name: name.to_owned() }])
}

/// A folder with files in it; a message calls each by its bare name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> (Self, Options) {
        let folder = Self(tempfile::tempdir().unwrap());
        let inputs = files.iter().map(|(name, bytes)| {
            let path = folder.0.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Input { path, name: (*name).to_owned() }
        });
        let options = options(inputs.collect());
        (folder, options)
    }
}

fn planned(options: &Options) -> Plan {
    plan(options, &mut |_| {}).unwrap()
}

fn plan_error(options: &Options) -> Error {
    plan(options, &mut |_| {}).unwrap_err()
}

fn refused(options: &Options) -> String {
    plan_error(options).to_string()
}

fn accounts(plan: &Plan) -> Vec<Account> {
    plan.batches().flat_map(|batch| batch.unwrap().accounts).collect()
}

fn ids(plan: &Plan) -> Vec<String> {
    accounts(plan).into_iter().map(|account| account.user_id.into()).collect()
}

fn invalid(plan: &Plan) -> Vec<Refusal> {
    plan.invalid_rows().map(Result::unwrap).collect()
}

#[test]
fn accounts_come_in_batches_of_a_hundred_in_input_order() {
    let plan = planned(&fixture("accounts.csv"));
    assert_eq!((plan.rows(), plan.accounts(), plan.invalid(), plan.duplicates()), (250, 250, 0, 0));
    assert_eq!(
        (plan.odd_ids(), plan.bom(), plan.format(), plan.pending().len()),
        (0, false, Format::Csv, 250)
    );
    let batches = std::thread::scope(|scope| {
        let batches = plan.batches();
        scope.spawn(|| batches.map(Result::unwrap).collect::<Vec<_>>()).join().unwrap()
    });
    let sizes: Vec<_> = batches.iter().map(|batch| batch.accounts.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let rows: Vec<_> =
        accounts(&plan).iter().map(|account| (account.place.row, account.place.line)).collect();
    assert_eq!(rows, (0..250).map(|row| (row, u64::from(row) + 2)).collect::<Vec<_>>());
    let first = &batches[0].accounts[0];
    assert_eq!((&*first.user_id, first.nick.as_deref()), ("user_0000", Some("Mia Lee")));
    assert_eq!(batches[0].accounts[4].face_url, None, "an empty cell is not given");
}

#[test]
fn every_format_encoding_and_compression_gives_the_same_accounts() {
    let expected = accounts(&planned(&fixture("first-twenty-accounts.csv")));
    let said = |account: &Account| (account.user_id.clone(), account.nick.clone(), account.face_url.clone());
    for (name, bom, format) in [
        ("utf-8-with-a-mark-and-crlf.csv", true, Format::Csv),
        ("utf-16le-with-a-mark.csv", true, Format::Csv),
        ("utf-16be-with-a-mark-tabs.tsv", true, Format::Tsv),
        ("gb18030.csv", false, Format::Csv),
        ("gzip-of-two-members.csv.gz", false, Format::Csv),
        ("zstd-of-two-frames.csv.zst", false, Format::Csv),
        ("jsonl-with-numeric-ids.jsonl", false, Format::Jsonl),
        ("json-request-body.json", false, Format::Json),
        ("json-array.json", false, Format::Json),
        ("semicolons-and-other-column-names.csv", false, Format::Csv),
    ] {
        let mut options = fixture(name);
        if name.starts_with("gb") {
            options.encoding = Some("gbk".parse().unwrap());
        }
        let plan = planned(&options);
        let found = accounts(&plan);
        assert_eq!(
            found.iter().map(said).collect::<Vec<_>>(),
            expected.iter().map(said).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!((plan.bom(), plan.format()), (bom, format), "{name}");
    }
}

#[test]
fn each_kind_of_invalid_row_is_set_aside_with_its_line_and_reason() {
    let plan = planned(&fixture("each-kind-of-invalid-row.csv"));
    assert_eq!(ids(&plan), ["good-1", "good-2"]);
    let reasons = [
        (3, "UserID is missing or empty"),
        (4, "UserID is 33 bytes, 32 are allowed"),
        (5, "UserID has whitespace around it"),
        (6, "UserID has whitespace around it"),
        (7, "UserID \"con\\x01trol\" has a control character"),
        (8, "UserID begins with @TLS#"),
        (9, "UserID 1.23457E+19 is a number that a spreadsheet shortened"),
        (10, "2 fields, the header has 3"),
        (11, "4 fields, the header has 3"),
        (12, "the header is repeated here"),
        (13, "Nick is 501 bytes, 500 are allowed"),
        (14, "FaceUrl is 501 bytes, 500 are allowed"),
        (15, "Nick is not valid UTF-8: try --encoding gb18030"),
        (16, "Nick is not valid UTF-8: mend the bytes"),
        (18, "the header is repeated here"),
    ];
    let rows = invalid(&plan);
    assert_eq!((plan.rows(), plan.invalid(), rows.len()), (17, 15, 15));
    for (row, (line, reason)) in rows.iter().zip(reasons) {
        assert_eq!((row.place.line, row.outcome, row.attempts), (line, Outcome::Invalid, 0));
        assert!(row.info.starts_with(reason), "{}", row.info);
        let unparsed = matches!(line, 10..=12 | 15..);
        assert_eq!(row.raw.is_some(), unparsed, "line {line}");
    }
    assert_eq!(rows[7].raw.as_deref(), Some("two-fields,Bob"));
    assert_eq!(rows[12].raw.as_deref(), Some("gbk,\\xD5\\xC5\\xC8\\xFD,"));
    assert_eq!((&*rows[2].user_id, rows[2].nick.as_deref()), (" padded", Some("space before")));
    assert_eq!(plan.first_invalid(), &rows[..10]);
    assert_eq!(invalid(&plan), rows, "they can be read as often as needed");
}

#[test]
fn each_kind_of_invalid_line_is_set_aside() {
    let plan = planned(&fixture("each-kind-of-invalid-line.jsonl"));
    assert_eq!(ids(&plan), ["good-1", "12345678901234567890123456789012"]);
    assert_eq!((plan.rows(), plan.invalid()), (17, 15));
    assert_eq!(
        invalid(&plan).iter().map(|row| row.place.line).collect::<Vec<_>>(),
        (2..=16).collect::<Vec<_>>()
    );
}

#[test]
fn of_duplicates_the_last_is_used_or_the_first_and_those_that_differ_are_noted() {
    let mut options = fixture("duplicates-that-agree-and-that-disagree.csv");
    let plan = planned(&options);
    assert_eq!((plan.rows(), plan.accounts(), plan.duplicates(), plan.conflicts()), (7, 4, 3, 2));
    let lines = |plan: &Plan| accounts(plan).iter().map(|account| account.place.line).collect::<Vec<_>>();
    assert_eq!(lines(&plan), [4, 5, 7, 8]);
    let notes = |plan: &Plan| -> Vec<(String, u64, u64)> {
        let note = |note: &Conflict| (note.user_id.to_string(), note.dropped.line, note.kept.line);
        plan.conflict_notes().iter().map(note).collect()
    };
    assert_eq!(notes(&plan), [("ben".to_owned(), 3, 8), ("ben".to_owned(), 6, 8)]);
    assert_eq!(accounts(&plan)[3].nick, None, "fields of dropped rows are not merged in");

    options.on_duplicate = OnDuplicate::First;
    let plan = planned(&options);
    assert_eq!(lines(&plan), [2, 3, 5, 7]);
    assert_eq!(notes(&plan), [("ben".to_owned(), 6, 3), ("ben".to_owned(), 8, 3)]);

    options.on_duplicate = OnDuplicate::Error;
    let plan = planned(&options);
    assert_eq!((plan.duplicates(), plan.pending().len()), (3, 0));
    assert_eq!(
        plan.repeated().unwrap(),
        "3 rows repeat the UserID of another: \"ann\" on line 4 and before on line 2; \
         \"ben\" on line 6 and before on line 3; \"ben\" on line 8 and before on line 3: \
         keep one row of each, or choose --on-duplicate last"
    );
}

#[test]
fn ten_conflicts_are_noted_or_all_that_there_are() {
    let text = (0..60).map(|row| format!("u{},{row}\n", row % 20)).collect::<Vec<_>>().concat();
    let (_folder, mut options) = Folder::with(&[("a.csv", format!("UserID,Nick\n{text}").as_bytes())]);
    let plan = planned(&options);
    assert_eq!((plan.conflicts(), plan.conflict_notes().len()), (40, 10));
    assert_eq!(
        plan.conflict_notes().iter().map(|note| note.dropped.row).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    options.all_conflicts = true;
    assert_eq!(planned(&options).conflict_notes().len(), 40);
}

#[test]
fn several_inputs_are_one_and_places_name_the_file() {
    let files: [(&str, &[u8]); 3] = [
        ("a.csv", b"UserID,Nick\nu1,A\nu2,B\n"),
        ("b.jsonl", b"\n{\"nickname\":\"C\",\"UserID\":\"u1\"}\n"),
        ("c.txt", b"nick;account\nD;u3"),
    ];
    let (_folder, mut options) = Folder::with(&files);
    let plan = planned(&options);
    let places: Vec<_> = accounts(&plan).iter().map(|account| plan.describe(account.place)).collect();
    assert_eq!(places, ["a.csv line 3", "b.jsonl line 2", "c.txt line 2"]);
    assert_eq!(accounts(&plan).iter().map(|account| account.place.row).collect::<Vec<_>>(), [1, 2, 3]);
    options.on_duplicate = OnDuplicate::Error;
    let plan = planned(&options);
    assert!(plan.repeated().unwrap().contains("\"u1\" on b.jsonl line 2 and before on a.csv line 2"));
}

#[test]
fn a_limit_leaves_the_rest_and_what_is_settled_is_not_sent_again() {
    let mut options = fixture("accounts.csv");
    options.limit = Some(5);
    let mut plan = planned(&options);
    assert_eq!((plan.rows(), plan.accounts(), plan.pending().len()), (250, 250, 5));
    assert!(plan.settle(0) && plan.settle(3) && !plan.settle(3) && !plan.settle(200));
    assert_eq!(accounts(&plan).iter().map(|account| account.place.row).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn shards_share_the_rows_and_invalid_user_ids_belong_to_the_first() {
    let mut options = fixture("each-kind-of-invalid-row.csv");
    let (mut rows, mut sent) = (0, Vec::new());
    for index in 0..3 {
        options.shard = Some(Shard { index, count: 3 });
        let plan = planned(&options);
        assert_eq!(plan.rows(), plan.accounts() + plan.invalid());
        rows += plan.rows();
        sent.extend(accounts(&plan).into_iter().map(|account| (account.place.row, account.user_id)));
        let others = ["long-nick", "long-url"];
        assert!(index == 0 || invalid(&plan).iter().all(|row| others.contains(&&*row.user_id)));
    }
    sent.sort();
    assert_eq!((rows, sent), (17, vec![(0, "good-1".into()), (15, "good-2".into())]));
}

#[test]
fn odd_user_ids_are_counted_where_they_are_sent() {
    let (_folder, mut options) =
        Folder::with(&[("a.csv", "UserID\na.b\n张三\na b\nplain\na.b\n".as_bytes())]);
    let plan = planned(&options);
    assert_eq!(plan.odd_ids(), 3);
    assert_eq!(plan.first_odd(), ["\"张三\" on line 3", "\"a b\" on line 4", "\"a.b\" on line 6"]);
    options.limit = Some(2);
    assert_eq!(planned(&options).odd_ids(), 2);
}

#[test]
fn a_report_of_this_program_is_an_input_whatever_the_options_say() {
    let csv = "\u{feff}UserID,Nick,FaceUrl,Outcome,ErrorCode,ErrorInfo,Attempts,Line,Raw\n张三,三,,failed,70169,\"a, b\",6,12,\n";
    let json = "{\"UserID\":\"张三\",\"Nick\":\"三\",\"FaceUrl\":null,\"Outcome\":\"failed\",\"ErrorCode\":70169,\
                \"ErrorInfo\":\"a\",\"Attempts\":6,\"Line\":12,\"Raw\":null}\n";
    for (name, text) in [("a.failed.csv", csv), ("a.failed.jsonl", json)] {
        let (_folder, mut options) = Folder::with(&[(name, text.as_bytes())]);
        options.delimiter = Some(b';');
        options.encoding = Some("gbk".parse().unwrap());
        options.header = false;
        options.map = vec![(Field::UserId, "3".to_owned()), (Field::Nick, "Outcome".to_owned())];
        let accounts = accounts(&planned(&options));
        assert_eq!(accounts.len(), 1);
        assert_eq!((&*accounts[0].user_id, accounts[0].nick.as_deref()), ("张三", Some("三")));
    }
}

#[test]
fn no_rows_are_no_error_here_and_are_counted() {
    for (name, text) in
        [("a.csv", ""), ("b.csv", "UserID\n"), ("c", " \n"), ("d.json", "[]"), ("e.jsonl", "\n\n")]
    {
        let (_folder, options) = Folder::with(&[(name, text.as_bytes())]);
        let counts = plan(&options, &mut |_| {}).map(|plan| (plan.rows(), plan.batches().count()));
        match name {
            "c" => assert!(counts.is_err(), "a line of blanks is a header without a UserID"),
            _ => assert_eq!(counts.unwrap(), (0, 0), "{name}"),
        }
    }
    #[cfg(unix)]
    {
        let device = Path::new("/dev/null");
        assert!(is_pipe(device) && !is_pipe(&std::env::temp_dir()) && !is_pipe(Path::new("/no/such/file")));
        let options = options(vec![Input { path: device.to_owned(), name: "/dev/null".to_owned() }]);
        assert_eq!(planned(&options).rows(), 0);
    }
}

#[test]
fn progress_grows_up_to_the_whole() {
    let rows = (0..600_000).map(|row| format!("user_{row:012}\n")).collect::<Vec<_>>().concat();
    let (_folder, options) = Folder::with(&[("a.csv", format!("UserID\n{rows}").as_bytes())]);
    let mut seen = Vec::new();
    plan(&options, &mut |progress| seen.push(progress)).unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.bytes) && (2..=4).contains(&seen.len()), "{seen:?}");
    let last = seen[seen.len() - 1];
    let whole = "UserID\n".len() as u64 + rows.len() as u64;
    assert_eq!((last.bytes, last.total_bytes), (whole, Some(whole)));
}

proptest! {
    #[test]
    fn any_bytes_at_all_give_the_same_rows_twice_and_every_row_one_end(
        bytes in prop::collection::vec(prop_oneof![
            any::<u8>(), prop::sample::select(b"\",\r\n{}[]:\\ aU1\xFF\x1F\x8B".to_vec()),
        ], 0..400),
        start in prop::sample::select(vec!["", "UserID,Nick\n", "[", "{\"AccountList\":[", "{\"UserID\":\"a\"}\n", "\u{feff}", "x,user id\r"]),
        name in prop::sample::select(vec!["a", "a.csv", "a.tsv", "a.json", "a.jsonl"]),
        encoding in prop::sample::select(vec![None, Some("gb18030"), Some("utf-16le"), Some("shift_jis")]),
        header: bool,
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let (_folder, mut options) = Folder::with(&[(name, &bytes)]);
        options.encoding = encoding.map(|name| name.parse().unwrap());
        options.header = header;
        if let Ok(plan) = plan(&options, &mut |_| {}) {
            prop_assert_eq!(plan.rows(), plan.accounts() + plan.duplicates() + plan.invalid());
            let rows: Vec<u32> = accounts(&plan).iter().map(|account| account.place.row).collect();
            prop_assert_eq!(rows, plan.pending().iter().collect::<Vec<_>>());
            let invalid = invalid(&plan);
            prop_assert_eq!(invalid.len() as u64, plan.invalid());
            prop_assert!(invalid.iter().all(|row| !plan.pending().contains(row.place.row)));
        }
    }

    #[test]
    fn with_no_memory_for_duplicates_the_plan_is_the_same(ids in prop::collection::vec(0u16..400, 0..3000), first: bool) {
        let rows = ids.iter().zip(0..).map(|(id, row)| format!("u{id},{}\n", row % 3)).collect::<Vec<_>>().concat();
        let (_folder, mut options) = Folder::with(&[("a.csv", format!("UserID,Nick\n{rows}").as_bytes())]);
        options.on_duplicate = if first { OnDuplicate::First } else { OnDuplicate::Last };
        let in_memory = planned(&options);
        options.budget = 0;
        let on_disk = planned(&options);
        prop_assert_eq!(in_memory.pending(), on_disk.pending());
        prop_assert_eq!(in_memory.conflict_notes(), on_disk.conflict_notes());
        prop_assert_eq!(in_memory.conflicts(), on_disk.conflicts());
    }
}
