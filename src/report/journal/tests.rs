//! A journal is believed only where it is whole, and nothing that it holds is lost.

use super::*;
use crate::account::Place;
use crate::error_code::Code;
use crate::outcome::Outcome;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

const ROWS: u32 = 1000;

fn header() -> Header {
    Header {
        digest: "7a1f".into(),
        inputs: vec!["accounts.csv".into()],
        rows: ROWS.into(),
        all_rows: ROWS.into(),
        plan: BTreeMap::from([("on-duplicate".into(), "last".into())]),
        sdk_app_id: 1_400_000_000,
        service: "cn".into(),
        spool: None,
    }
}

fn refusal(row: u32, info: &str) -> Refusal {
    Refusal {
        place: Place { row, input: 0, line: u64::from(row) + 2 },
        user_id: format!("user_{row}").into(),
        nick: Some("张\"三\"\n".into()),
        face_url: None,
        outcome: Outcome::Failed,
        code: Some(Code::Service(70402)),
        info: info.into(),
        attempts: 2,
        raw: None,
    }
}

fn settled(imported: &[u32], skipped: &[u32], failed: &[u32]) -> Settled {
    let failed = failed.iter().map(|&row| refusal(row, "an illegal parameter")).collect();
    Settled { imported: imported.to_vec(), skipped: skipped.to_vec(), failed }
}

fn path_in(dir: &TempDir) -> PathBuf {
    dir.path().join("accounts.imimport-journal")
}

/// A journal of every kind of record, as bytes.
fn sample() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
    let now = Instant::now();
    journal.append(&settled(&[0, 1, 2, 5], &[], &[7]), now).unwrap();
    journal.absent(&[8, 9], now).unwrap();
    journal.append(&settled(&[8], &[3, 4], &[6, 9]), now).unwrap();
    journal.append(&settled(&(10..110).collect::<Vec<_>>(), &[], &[]), now).unwrap();
    drop(journal);
    fs::read(path_in(&dir)).unwrap()
}

/// What the first `lines` lines of [`sample`] say: imported, failed.
fn said(bytes: &[u8], lines: usize) -> (Vec<u32>, Vec<u32>) {
    let text = std::str::from_utf8(bytes).unwrap();
    let (mut imported, mut failed) = (Vec::new(), Vec::new());
    for line in text.lines().take(lines).skip(1) {
        match serde_json::from_str(&line[record::DIGITS + 1..]).unwrap() {
            Record::Imported(ranges) => {
                imported.extend(ranges.iter().flat_map(|&(first, count)| first..first + count));
            }
            Record::Failed(refusal) => failed.push(refusal.place.row),
            _ => {}
        }
    }
    failed.sort_unstable();
    (imported, failed)
}

fn reopen(dir: &TempDir, bytes: &[u8]) -> Result<Opened, JournalError> {
    fs::write(path_in(dir), bytes).unwrap();
    Journal::open(&path_in(dir))
}

fn lines_in(bytes: &[u8]) -> usize {
    bytes.split(|&b| b == b'\n').count() - 1
}

fn rows_of(opened: &mut Opened) -> (Vec<u32>, Vec<u32>) {
    let failed = opened.journal.failed_rows().map(|refusal| refusal.unwrap().place.row).collect();
    (opened.imported.iter().collect(), failed)
}

#[test]
fn a_journal_cut_at_any_byte_resumes_with_the_records_that_are_whole() {
    let (bytes, dir) = (sample(), tempfile::tempdir().unwrap());
    let head = bytes.iter().position(|&b| b == b'\n').unwrap();
    for cut in 0..=bytes.len() {
        let opened = reopen(&dir, &bytes[..cut]);
        if cut <= head {
            assert!(matches!(opened, Err(JournalError::Empty(_))), "cut at {cut}");
            assert!(Journal::peek(&path_in(&dir)).unwrap().is_none(), "cut at {cut}");
            continue;
        }
        let mut opened = opened.unwrap_or_else(|e| panic!("cut at {cut}: {e}"));
        let whole = lines_in(&bytes[..cut]);
        assert_eq!(rows_of(&mut opened), said(&bytes, whole), "cut at {cut}");
        opened.journal.append(&settled(&[500], &[], &[501]), Instant::now()).unwrap();
        drop(opened);
        let mut again = Journal::open(&path_in(&dir)).unwrap_or_else(|e| panic!("after a cut at {cut}: {e}"));
        let (imported, failed) = rows_of(&mut again);
        assert!(imported.ends_with(&[500]) && failed.ends_with(&[501]), "cut at {cut}");
    }
}

#[test]
fn a_journal_with_any_byte_flipped_is_refused_or_resumes_with_what_was_recorded() {
    let (bytes, dir) = (sample(), tempfile::tempdir().unwrap());
    let lines = lines_in(&bytes);
    let line_of = |at: usize| lines_in(&bytes[..at]);
    for at in 0..bytes.len() {
        for bit in [0, 1, 5, 7] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            match reopen(&dir, &flipped) {
                Ok(mut opened) => {
                    // Only what has no sound record after it may be taken for a torn tail. A lost line end makes
                    // one bad line of two, and leaves the third with nothing to follow on.
                    let kept = line_of(at);
                    let bad = if bytes[at] == b'\n' { 3 } else { 1 };
                    assert!(
                        kept + bad >= lines,
                        "byte {at} bit {bit} in line {kept} of {lines} was passed over"
                    );
                    assert_eq!(rows_of(&mut opened), said(&bytes, kept), "byte {at} bit {bit}");
                }
                Err(JournalError::Damaged { record, .. }) => {
                    assert_eq!(record, line_of(at) as u64 + 1, "byte {at} bit {bit}");
                }
                Err(JournalError::Foreign(_)) => assert!(at < 30, "byte {at} bit {bit}"),
                Err(e) => panic!("byte {at} bit {bit}: {e}"),
            }
        }
    }
}

#[test]
fn a_line_missing_doubled_or_out_of_its_place_is_refused_by_its_number() {
    let (bytes, dir) = (sample(), tempfile::tempdir().unwrap());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    let without: Vec<u8> = [&lines[..2], &lines[3..]].concat().concat();
    let doubled: Vec<u8> = [&lines[..3], &lines[2..]].concat().concat();
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    for (bytes, number) in [(without, 3), (doubled, 4), (swapped.concat(), 3)] {
        match reopen(&dir, &bytes) {
            Err(JournalError::Damaged { record, .. }) => assert_eq!(record, number),
            other => panic!("record {number}: {:?}", other.map(|opened| opened.imported)),
        }
        assert_eq!(fs::read(path_in(&dir)).unwrap(), bytes, "a refused journal is left as it is");
    }
}

#[test]
fn what_is_no_journal_is_never_written_to() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["UserID,Nick\nada,Ada\n", "0a1b2c3d", "0a1b2c3d {\"other\":1}\n", "\0\0\0\0"] {
        let foreign = |e| matches!(e, JournalError::Foreign(_));
        // Eight digits and no more may be the beginning of a header.
        let torn = text.len() == 8;
        assert_eq!(reopen(&dir, text.as_bytes()).is_err_and(foreign), !torn, "{text:?}");
        assert_eq!(Journal::create(&path_in(&dir), &header()).is_err_and(foreign), !torn, "{text:?}");
        fs::write(path_in(&dir), text).unwrap();
        assert_eq!(Journal::restart(&path_in(&dir), &header()).is_err_and(foreign), !torn, "{text:?}");
        assert_eq!(fs::read(path_in(&dir)).unwrap() == text.as_bytes(), !torn, "{text:?}");
    }
}

#[test]
fn another_version_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut line = String::new();
    put(&mut line, 0, &serde_json::json!({"imimport-journal": 2, "news": true})).unwrap();
    assert!(matches!(reopen(&dir, line.as_bytes()), Err(JournalError::Version { version: 2, .. })));
}

#[test]
fn a_row_that_the_input_does_not_have_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
    journal.append(&settled(&[ROWS], &[], &[]), Instant::now()).unwrap();
    drop(journal);
    assert!(matches!(Journal::open(&path_in(&dir)), Err(JournalError::Damaged { record: 2, .. })));
}

#[test]
fn a_row_settled_twice_keeps_its_first_outcome_and_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
    let now = Instant::now();
    let first = journal.append(&settled(&[1, 1], &[2], &[3]), now).unwrap();
    assert_eq!(first, Counted { imported: 1, skipped: 1, failed: 1 });
    assert_eq!(journal.append(&settled(&[2, 3], &[1], &[1, 2]), now).unwrap(), Counted::default());
    drop(journal);
    let mut opened = Journal::open(&path_in(&dir)).unwrap();
    assert_eq!(rows_of(&mut opened), (vec![1], vec![3]));
    assert_eq!(opened.journal.append(&settled(&[1, 2, 3], &[], &[]), now).unwrap(), Counted::default());
}

#[test]
fn a_journal_in_use_is_refused_and_names_the_process_that_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(&path_in(&dir), &header()).unwrap();
    let in_use = [
        Journal::open(&path_in(&dir)).err(),
        Journal::peek(&path_in(&dir)).err(),
        Journal::create(&path_in(&dir), &header()).err(),
        Journal::restart(&path_in(&dir), &header()).err(),
    ];
    for e in in_use {
        let text = e.expect("refused").to_string();
        if cfg!(unix) {
            assert!(text.contains(&format!("in use by process {}", std::process::id())), "{text}");
        }
    }
    drop(journal);
    assert!(matches!(Journal::create(&path_in(&dir), &header()), Err(JournalError::Exists(_))));
    assert!(Journal::open(&path_in(&dir)).is_ok());
}

#[test]
fn a_restart_forgets_what_was_there_damaged_or_not() {
    let (bytes, dir) = (sample(), tempfile::tempdir().unwrap());
    let mut damaged = bytes.clone();
    damaged[400] ^= 1;
    for old in [bytes, damaged] {
        fs::write(path_in(&dir), old).unwrap();
        drop(Journal::restart(&path_in(&dir), &header()).unwrap());
        assert!(Journal::open(&path_in(&dir)).unwrap().imported.is_empty());
    }
}

#[test]
fn a_look_counts_and_changes_nothing() {
    let (bytes, dir) = (sample(), tempfile::tempdir().unwrap());
    fs::write(path_in(&dir), &bytes[..bytes.len() - 3]).unwrap();
    let peek = Journal::peek(&path_in(&dir)).unwrap().unwrap();
    assert_eq!((peek.imported, peek.skipped, peek.failed, peek.finished), (5, 2, 3, None));
    assert_eq!(peek.header, header());
    assert_eq!(fs::read(path_in(&dir)).unwrap().len(), bytes.len() - 3);
    assert!(Journal::peek(&dir.path().join("none")).unwrap().is_none());
}

#[test]
fn a_group_is_due_when_it_is_full_or_its_first_record_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
    let start = Instant::now();
    assert_eq!(journal.due(), None);
    journal.append(&settled(&[0], &[], &[]), start).unwrap();
    journal.append(&settled(&[1], &[], &[]), start + LAG / 2).unwrap();
    assert_eq!(journal.due(), Some(start + LAG));
    journal.sync_if_due(start + LAG / 2).unwrap();
    assert_eq!(journal.due(), Some(start + LAG), "not yet");
    journal.sync_if_due(start + LAG).unwrap();
    assert_eq!(journal.due(), None);
    journal.append(&settled(&[], &[], &(2..2 + GROUP).collect::<Vec<_>>()), start).unwrap();
    assert_eq!(journal.due(), Some(start), "a full group is due at once");
}

#[test]
fn what_could_not_be_written_does_not_count_and_is_written_when_it_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
    let now = Instant::now();
    journal.append(&settled(&[0], &[], &[1]), now).unwrap();
    let writable = std::mem::replace(&mut journal.file, File::open(path_in(&dir)).unwrap());
    let refused = journal.append(&settled(&[2], &[3], &[4]), now).unwrap_err().to_string();
    assert!(refused.contains("accounts.imimport-journal") && refused.contains("--resume"), "{refused}");
    assert_eq!(journal.failed_rows().count(), 1);
    journal.file = writable;
    let counted = journal.append(&settled(&[2], &[3], &[4]), now).unwrap();
    assert_eq!(counted, Counted { imported: 1, skipped: 1, failed: 1 });
    drop(journal);
    let mut opened = Journal::open(&path_in(&dir)).unwrap();
    assert_eq!(rows_of(&mut opened), (vec![0, 2], vec![1, 4]));
}

#[cfg(unix)]
#[test]
fn a_journal_is_private_also_where_an_empty_file_was_there() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    for old in [None, Some("")] {
        if let Some(old) = old {
            fs::write(path_in(&dir), old).unwrap();
        }
        drop(Journal::create(&path_in(&dir), &header()).unwrap());
        let mode = fs::metadata(path_in(&dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_file(path_in(&dir)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_over_several_resumes_is_read_back(
        steps in prop::collection::vec((0u32..ROWS, 0u32..4, "\\PC{0,20}|[\\x00-\\x1f]{0,3}", any::<bool>()), 0..40)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(&path_in(&dir), &header()).unwrap();
        let (mut expected, mut absent) = (BTreeMap::new(), RowSet::new());
        for (row, kind, info, reopens) in steps {
            let failed = vec![refusal(row, &info)];
            let one = match kind {
                0 => Settled { imported: vec![row], ..Settled::default() },
                1 => Settled { skipped: vec![row], ..Settled::default() },
                2 => Settled { failed, ..Settled::default() },
                _ => Settled::default(),
            };
            if kind < 3 {
                journal.append(&one, Instant::now()).unwrap();
                expected.entry(row).or_insert((kind, info));
            } else {
                journal.absent(&[row], Instant::now()).unwrap();
                absent.insert(row);
            }
            if reopens {
                drop(journal);
                journal = Journal::open(&path_in(&dir)).unwrap().journal;
            }
        }
        drop(journal);
        let mut opened = Journal::open(&path_in(&dir)).unwrap();
        let of_kind = |kind| expected.iter().filter(move |(_, e)| e.0 == kind).map(|(&row, _)| row);
        prop_assert_eq!(&opened.imported, &of_kind(0).collect::<RowSet>());
        prop_assert_eq!(&opened.skipped, &of_kind(1).collect::<RowSet>());
        prop_assert_eq!(&opened.failed, &of_kind(2).collect::<RowSet>());
        prop_assert_eq!(&opened.absent, &absent);
        let refusals: Vec<Refusal> = opened.journal.failed_rows().map(Result::unwrap).collect();
        let wanted: Vec<Refusal> = of_kind(2).map(|row| refusal(row, &expected[&row].1)).collect();
        prop_assert_eq!(refusals, wanted);
    }
}
