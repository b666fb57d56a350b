//! What must hold of every input, however broken: shared by the fuzz targets and the test that runs their seeds.

use imimport::account::{PROFILE_BYTES, USER_ID_BYTES};
use imimport::batch::MOST;
use imimport::outcome::{Outcome, Refusal};
use imimport::read::{BUDGET, Encoding, Error, Field, Format, Input, OnDuplicate, Options, Plan, plan};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

/// Reads `data` as the fuzz target does, and panics unless all of it is accounted for.
pub(crate) fn holds(target: &str, data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (options, data) = options(target, data, folder.path());
    fs::write(&options.inputs[0].path, data).expect("written");
    let unlimited = Options { limit: None, ..options.clone() };
    match plan(&unlimited, &mut |_| ()) {
        Ok(plan) => {
            agrees(&plan, options.on_duplicate);
            is_the_same_again(&plan, &options);
        }
        Err(Error::Unusable(text)) => assert!(!text.is_empty()),
        Err(Error::Changed { file }) => panic!("{file} was not changed"),
    }
}

/// How to read, and what: for `any`, the first three bytes choose.
fn options<'d>(target: &str, data: &'d [u8], folder: &Path) -> (Options, &'d [u8]) {
    let plain = Options {
        inputs: vec![Input { path: folder.join("input"), name: "input".into() }],
        format: None,
        delimiter: None,
        header: true,
        map: Vec::new(),
        encoding: None,
        trim: false,
        on_duplicate: OnDuplicate::Last,
        limit: None,
        shard: None,
        scratch: folder.to_owned(),
        budget: BUDGET,
        all_conflicts: false,
    };
    let of = |format| Options { format: Some(format), ..plain.clone() };
    match (target, data) {
        ("csv", _) => (of(Format::Csv), data),
        ("jsonl", _) => (of(Format::Jsonl), data),
        ("json", _) => (of(Format::Json), data),
        (_, [switches, kinds, limit, rest @ ..]) => (chosen(plain, *switches, *kinds, *limit), rest),
        _ => (plain, data),
    }
}

fn chosen(plain: Options, switches: u8, kinds: u8, limit: u8) -> Options {
    let is_set = |bit: u8| switches & (1 << bit) != 0;
    let encodings = ["utf-8", "gb18030", "big5", "shift_jis"];
    let encoding: Encoding = encodings[usize::from(kinds & 3)].parse().expect("an encoding");
    let column = if is_set(1) { "2" } else { "who" };
    Options {
        trim: is_set(0),
        header: !is_set(1),
        all_conflicts: is_set(2),
        // So little that the search for duplicates goes on in a file.
        budget: if is_set(3) { 1 } else { BUDGET },
        map: if is_set(4) { vec![(Field::UserId, column.into())] } else { Vec::new() },
        encoding: is_set(5).then_some(encoding),
        delimiter: [None, Some(b';'), Some(b'\t'), Some(b'|')][usize::from(kinds >> 2 & 3)],
        on_duplicate: [OnDuplicate::Last, OnDuplicate::First, OnDuplicate::Error]
            [usize::from(kinds >> 4) % 3],
        limit: is_set(6).then_some(limit.into()),
        format: is_set(7).then_some(Format::Tsv),
        ..plain
    }
}

/// Every row has one fate, and the batches hold the rows to be sent, each as the service takes it.
fn agrees(plan: &Plan, on_duplicate: OnDuplicate) {
    assert_eq!(plan.rows(), plan.accounts() + plan.duplicates() + plan.invalid());
    let refused = on_duplicate == OnDuplicate::Error && plan.duplicates() > 0;
    assert_eq!(plan.repeated().is_some(), refused);
    assert_eq!(plan.pending().len(), if refused { 0 } else { plan.accounts() });
    assert!(plan.conflicts() <= plan.duplicates() && plan.odd_ids() <= plan.accounts());
    if refused {
        return;
    }
    let noted = plan.conflict_notes().len() as u64;
    assert!(noted == plan.conflicts() || noted == 10, "{noted} notes of {} conflicts", plan.conflicts());
    let (mut sent, mut ids) = (BTreeSet::new(), HashSet::new());
    for batch in plan.batches() {
        let batch = batch.expect("an input that did not change");
        assert!((1..=MOST).contains(&batch.accounts.len()));
        for account in batch.accounts {
            let (id, row) = (&account.user_id, account.place.row);
            assert!(plan.pending().contains(row), "row {row} is not pending");
            assert!(sent.last().is_none_or(|last| *last < row), "row {row} is out of order");
            assert!((1..=USER_ID_BYTES).contains(&id.len()) && id.trim() == &**id, "{id:?}");
            assert!(!id.chars().any(char::is_control), "{id:?}");
            for value in [&account.nick, &account.face_url].into_iter().flatten() {
                assert!((1..=PROFILE_BYTES).contains(&value.len()), "{value:?}");
            }
            sent.insert(row);
            assert!(ids.insert(account.user_id), "a UserID twice");
        }
    }
    assert_eq!(sent.len() as u64, plan.accounts());
    set_aside_agrees(plan, &sent);
}

fn set_aside_agrees(plan: &Plan, sent: &BTreeSet<u32>) {
    let invalid: Vec<Refusal> = plan.invalid_rows().map(|row| row.expect("kept")).collect();
    assert_eq!(invalid.len() as u64, plan.invalid());
    assert!(invalid.is_sorted_by_key(|row| row.place));
    let rows = plan.rows();
    for row in &invalid {
        assert!(u64::from(row.place.row) < rows && !sent.contains(&row.place.row), "{row:?}");
        assert!(row.outcome == Outcome::Invalid && row.attempts == 0 && !row.info.is_empty(), "{row:?}");
        assert!(row.raw.as_ref().is_none_or(|raw| raw.len() <= 4 * 4096), "{row:?}");
    }
    let first = plan.first_invalid();
    assert_eq!(first, &invalid[..first.len()]);
}

/// A second look finds the same, and a limit only makes less of it pending.
fn is_the_same_again(one: &Plan, options: &Options) {
    let other = plan(options, &mut |_| ()).expect("readable, as before");
    assert_eq!((one.digest(), one.rows(), one.accounts()), (other.digest(), other.rows(), other.accounts()));
    assert_eq!(one.repeated().is_some(), other.repeated().is_some());
    let limit = if other.repeated().is_some() { 0 } else { options.limit.unwrap_or(u64::MAX) };
    assert_eq!(other.pending().len(), limit.min(one.accounts()));
    let sent = other.batches().map(|batch| batch.expect("unchanged").accounts.len() as u64).sum::<u64>();
    assert_eq!(sent, other.pending().len());
}
