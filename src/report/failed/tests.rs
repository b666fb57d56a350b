//! Reports byte for byte, and what becomes of earlier ones.

use super::*;
use crate::account::Place;
use crate::outcome::Outcome;

fn refusals() -> Vec<Refusal> {
    let refusal = |row, input, user_id: &str| Refusal {
        place: Place { row, input, line: u64::from(row) + 2 },
        user_id: user_id.into(),
        nick: None,
        face_url: None,
        outcome: Outcome::Failed,
        code: Some(Code::Service(70402)),
        info: "an illegal parameter".into(),
        attempts: 3,
        raw: None,
    };
    vec![
        Refusal { nick: Some("张三, \"三\"".into()), ..refusal(0, 0, "ada") },
        Refusal {
            nick: Some("two\nlines".into()),
            face_url: Some("https://x/a.png".into()),
            code: Some(Code::Timeout),
            info: "no answer in 5 s\u{1b}".into(),
            ..refusal(4, 1, "用户")
        },
        Refusal {
            outcome: Outcome::Invalid,
            code: None,
            info: "3 fields, but the header has 2".into(),
            attempts: 0,
            raw: Some("a,b,c\\xFF".into()),
            ..refusal(9, 1, "")
        },
    ]
}

fn report(output: Output, format: Format) -> FailedReport {
    FailedReport { output, format, bom: false, inputs: vec!["a.csv".into()] }
}

fn text(report: &FailedReport, rows: Vec<Refusal>) -> String {
    let mut out = Vec::new();
    report.write(rows.into_iter().map(Ok), None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_csv_report_is_quoted_where_it_must_be_and_has_a_header_always() {
    let mut csv = report(Output::Stdout, Format::Csv);
    let header = "UserID,Nick,FaceUrl,Outcome,ErrorCode,ErrorInfo,Attempts,Line,Raw\n";
    assert_eq!(text(&csv, vec![]), header);
    csv.bom = true;
    assert_eq!(
        text(&csv, refusals()),
        format!("\u{feff}{header}")
            + "ada,\"张三, \"\"三\"\"\",,failed,70402,an illegal parameter,3,2,\n"
            + "用户,\"two\nlines\",https://x/a.png,failed,timeout,no answer in 5 s\u{1b},3,6,\n"
            + ",,,invalid,,\"3 fields, but the header has 2\",0,11,\"a,b,c\\xFF\"\n"
    );
}

#[test]
fn a_jsonl_report_has_its_keys_in_order_and_null_for_what_is_not_there() {
    let jsonl = report(Output::Stdout, Format::Jsonl);
    assert_eq!(text(&jsonl, vec![]), "");
    let expected = [
        r#"{"UserID":"ada","Nick":"张三, \"三\"","FaceUrl":null,"Outcome":"failed","ErrorCode":70402,"ErrorInfo":"an illegal parameter","Attempts":3,"Line":2,"Raw":null}"#,
        r#"{"UserID":"用户","Nick":"two\nlines","FaceUrl":"https://x/a.png","Outcome":"failed","ErrorCode":"timeout","ErrorInfo":"no answer in 5 s\u001b","Attempts":3,"Line":6,"Raw":null}"#,
        r#"{"UserID":"","Nick":null,"FaceUrl":null,"Outcome":"invalid","ErrorCode":null,"ErrorInfo":"3 fields, but the header has 2","Attempts":0,"Line":11,"Raw":"a,b,c\\xFF"}"#,
    ];
    assert_eq!(text(&jsonl, refusals()).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn with_several_inputs_a_line_names_its_file() {
    let mut several = report(Output::Stdout, Format::Jsonl);
    several.inputs.push("b,2.csv".into());
    let json = text(&several, refusals());
    assert!(json.contains(r#""Line":"a.csv:2""#) && json.contains(r#""Line":"b,2.csv:11""#), "{json}");
    several.format = Format::Csv;
    assert!(text(&several, refusals()).contains(r#","b,2.csv:6","#));
}

#[test]
fn both_streams_are_merged_by_row_and_an_error_comes_first() {
    let rows = |mut numbers: Vec<u32>| {
        numbers.reverse();
        let first = refusals().swap_remove(0);
        std::iter::from_fn(move || {
            let row = numbers.pop()?;
            let place = Place { row, ..first.place };
            Some(if row == 99 {
                Err(io::Error::other("gone"))
            } else {
                Ok(Refusal { place, ..first.clone() })
            })
        })
    };
    let order = |a, b| -> Vec<_> {
        merged(rows(a), rows(b)).map(|row| row.map_or(99, |row| row.place.row)).collect()
    };
    assert_eq!(order(vec![1, 4, 5], vec![0, 2, 6, 7]), [0, 1, 2, 4, 5, 6, 7]);
    assert_eq!(order(vec![], vec![3]), [3]);
    assert_eq!(order(vec![1], vec![99])[0], 99);
    assert_eq!(order(vec![99], vec![1])[0], 99);
}

#[test]
fn an_earlier_report_is_moved_aside_if_it_has_rows_and_is_not_this_runs_own() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let csv = report(Output::File(at("a.failed.csv")), Format::Csv);
    let write =
        |rows: Vec<Refusal>, ours| csv.write(rows.into_iter().map(Ok), ours, &mut io::sink()).unwrap();

    assert_eq!(write(vec![], None).moved, None);
    assert_eq!(write(refusals(), None).moved, None, "the earlier one had a header only");
    let earlier = fs::read(at("a.failed.csv")).unwrap();
    assert_eq!(write(vec![], None).moved, Some(at("a.failed.1.csv")));
    assert_eq!(fs::read(at("a.failed.1.csv")).unwrap(), earlier);

    let first = write(refusals(), None);
    assert_eq!(write(refusals(), None).moved, None, "killed after it was written, before that was noted");
    assert_eq!(write(refusals()[1..].to_vec(), Some(first.stamp)).moved, None, "this run wrote it");
    fs::write(at("a.failed.csv"), "mended by hand").unwrap();
    assert_eq!(write(vec![], Some(first.stamp)).moved, Some(at("a.failed.2.csv")));
    assert_eq!(fs::read(at("a.failed.2.csv")).unwrap(), b"mended by hand");
}

#[test]
fn a_row_that_cannot_be_read_leaves_the_earlier_report_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.failed.csv");
    fs::write(&path, "earlier").unwrap();
    let csv = report(Output::File(path.clone()), Format::Csv);
    let rows = std::iter::once(Err(io::Error::other("the disk is gone")));
    let failed = csv.write(rows, None, &mut io::sink()).unwrap_err().to_string();
    assert_eq!(failed, "the disk is gone");
    assert_eq!(fs::read(&path).unwrap(), b"earlier");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
}

#[test]
fn the_ending_of_a_path_says_its_format() {
    assert_eq!(Format::of(Path::new("x.JSONL"), Format::Csv), Format::Jsonl);
    assert_eq!(Format::of(Path::new("x.csv"), Format::Jsonl), Format::Csv);
    assert_eq!(Format::of(Path::new("/dev/null"), Format::Jsonl), Format::Jsonl);
}
