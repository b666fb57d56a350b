//! CSV is read as Python's csv module reads it, over a corpus of oddities; where it is stricter, that is said here.
//!
//! Stricter on purpose, so that nothing is sent that nobody wrote:
//! - a quote that is open at the end of the input stops the run (Python reads to the end as one field);
//! - a record with another number of fields than the header is invalid (Python hands it out as it is);
//! - a record that repeats the header is invalid (Python knows no headers);
//! - a UserID, Nick or FaceUrl that the service would not take makes its row invalid, its text as Python has it.

use imimport::outcome::Refusal;
use imimport::read::{self, Batches, Error, Input, OnDuplicate, Options, Plan};
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// One text of the corpus; `corpus/generate.py` says what is in it.
#[derive(Deserialize)]
struct Odd {
    text: String,
    delimiter: char,
    open: bool,
    rows: Vec<Vec<Value>>,
}

/// What becomes of a record: its line, what is sent for it, or what is reported.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Sent(u64, [String; 3]),
    Refused(u64, [String; 3]),
    Unparsed(u64),
}

impl Odd {
    /// Python's rows but for the blank ones, each with its line.
    fn records(&self) -> Vec<(u64, Vec<&str>)> {
        let cells = |row: &[Value]| row.len() > 1;
        let record = |row: &'_ [Value]| row[0].as_u64().unwrap();
        let texts = |row| <[Value]>::iter(row).skip(1).map(|cell| cell.as_str().unwrap()).collect();
        self.rows.iter().filter(|row| cells(row)).map(|row| (record(row), texts(row))).collect()
    }

    /// What is to become of every record, if Python reads it right.
    fn expected(&self) -> Vec<End> {
        let records = self.records();
        let header = &records[0].1;
        // Stricter than Python: it would make a row of a header in other letters.
        let spelled = |cells: &[&str]| cells.iter().map(|cell| cell.to_lowercase()).collect::<Vec<_>>();
        let at =
            ["UserID", "Nick", "FaceUrl"].map(|name| header.iter().position(|cell| *cell == name).unwrap());
        let mut ends: Vec<End> = Vec::new();
        for (line, cells) in &records[1..] {
            if cells.len() != header.len() || spelled(cells) == spelled(header) {
                ends.push(End::Unparsed(*line));
                continue;
            }
            let account = at.map(|column| cells[column].to_owned());
            if !may_be_sent(&account) {
                ends.push(End::Refused(*line, account));
                continue;
            }
            ends.retain(|end| !matches!(end, End::Sent(_, earlier) if earlier[0] == account[0]));
            ends.push(End::Sent(*line, account));
        }
        ends.sort_unstable();
        ends
    }

    fn plan(&self, folder: &Path, sniffed: bool) -> Result<Plan, Error> {
        let path = folder.join("odd.csv");
        fs::write(&path, &self.text).unwrap();
        read::plan(
            &Options {
                inputs: vec![Input { path, name: "odd.csv".to_owned() }],
                format: None,
                delimiter: (!sniffed).then(|| u8::try_from(self.delimiter).unwrap()),
                header: true,
                map: Vec::new(),
                encoding: None,
                trim: false,
                on_duplicate: OnDuplicate::Last,
                limit: None,
                shard: None,
                scratch: folder.to_owned(),
                budget: read::BUDGET,
                all_conflicts: false,
            },
            &mut |_| {},
        )
    }
}

/// The rules of the service and of the import, in other words than the program's own.
fn may_be_sent([user_id, nick, face_url]: &[String; 3]) -> bool {
    let shortened = ["1.23457E+19", "1E+15"].contains(&user_id.as_str());
    let reserved = user_id.starts_with('@') && user_id.find('#') == Some(4);
    let (one_to_32, at_most_500) = (1..=32, 0..=500);
    one_to_32.contains(&user_id.len())
        && user_id.trim() == user_id
        && !user_id.contains(|c: char| c.is_control())
        && !shortened
        && !reserved
        && at_most_500.contains(&nick.len())
        && at_most_500.contains(&face_url.len())
}

fn ends(plan: &Plan) -> Vec<End> {
    let text = |text: Option<Box<str>>| text.map_or_else(String::new, String::from);
    let sent = Batches::flat_map(plan.batches(), |batch| batch.unwrap().accounts).map(|account| {
        let fields = [account.user_id.into(), text(account.nick), text(account.face_url)];
        End::Sent(account.place.line, fields)
    });
    let refused = plan.invalid_rows().map(Result::unwrap).map(|refusal| match refusal {
        Refusal { raw: Some(_), place, .. } => End::Unparsed(place.line),
        Refusal { user_id, nick, face_url, place, .. } => {
            End::Refused(place.line, [user_id.into(), text(nick), text(face_url)])
        }
    });
    let mut ends: Vec<End> = sent.chain(refused).collect();
    ends.sort_unstable();
    ends
}

#[test]
fn odd_csv_is_read_as_python_reads_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/csv-as-python-reads-it.jsonl");
    let corpus = fs::read_to_string(corpus).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut closed, mut open) = (0, 0);
    for line in corpus.lines() {
        let odd: Odd = serde_json::from_str(line).unwrap();
        for sniffed in [false, true] {
            match odd.plan(folder.path(), sniffed) {
                Ok(plan) => {
                    assert!(!odd.open, "an open quote was not seen: {:?}", odd.text);
                    assert_eq!(ends(&plan), odd.expected(), "{:?}", odd.text);
                    closed += 1;
                }
                Err(Error::Unusable(reason)) if odd.open => {
                    assert!(
                        reason.contains("a quote opens here and is never closed"),
                        "{reason}: {:?}",
                        odd.text
                    );
                    open += 1;
                }
                Err(error) => panic!("{error}: {:?}", odd.text),
            }
        }
    }
    assert!(closed >= 400 && open >= 50, "{closed} closed and {open} open: is the corpus whole?");
}
