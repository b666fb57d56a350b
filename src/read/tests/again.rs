//! The second reading, and what has become of the inputs by then.

use super::*;

#[test]
fn no_account_of_a_block_that_changed_after_the_plan_is_sent() {
    let rows =
        (0..60_000).map(|row| format!("user_{row:06},Nick {row:06},https://cdn.example.com/{row:06}\n"));
    let text = format!("UserID,Nick,FaceUrl\n{}", rows.collect::<String>());
    let row_bytes = (text.len() - 20) / 60_000;
    let (_folder, options) = Folder::with(&[("a.csv", text.as_bytes())]);
    let path = &options.inputs[0].path;
    let plan = planned(&options);
    assert_eq!(plan.batches().filter_map(Result::ok).count(), 600);

    let mut changed = text.clone().into_bytes();
    changed[(3 << 20) - 1] ^= 1;
    for (bytes, unchanged) in [(&changed[..], 2 << 20), (&text.as_bytes()[..text.len() - 1], 3 << 20)] {
        std::fs::write(path, bytes).unwrap();
        let (sent, stopped): (Vec<_>, Vec<_>) = plan.batches().partition(Result::is_ok);
        assert!(matches!(&stopped[..], [Err(Error::Changed { file })] if file == "a.csv"), "{stopped:?}");
        assert!(!sent.is_empty() && 20 + sent.len() * 100 * row_bytes <= unchanged, "{} sent", sent.len());
        assert_ne!(planned(&options).digest(), plan.digest());
    }
}

#[test]
fn a_compressed_input_that_changes_after_the_plan_is_told_from_a_damaged_one() {
    let name = "gzip-of-two-members.csv.gz";
    let mut bytes = std::fs::read(&fixture(name).inputs[0].path).unwrap();
    let (_folder, options) = Folder::with(&[(name, &bytes)]);
    let plan = planned(&options);
    bytes[300] ^= 1;
    std::fs::write(&options.inputs[0].path, &bytes).unwrap();
    let batches: Vec<_> = plan.batches().collect();
    assert!(matches!(&batches[..], [Err(Error::Changed { .. })]), "{batches:?}");
    assert!(matches!(plan_error(&options), Error::Unusable(_)));
}

#[test]
fn an_input_may_be_given_another_name_between_plan_and_batches() {
    let (folder, options) = Folder::with(&[("spool", b"UserID\na\n")]);
    let mut plan = planned(&options);
    let lasting = folder.0.path().join("lasting");
    std::fs::rename(&options.inputs[0].path, &lasting).unwrap();
    plan.moved(&options.inputs[0].path, &lasting);
    assert_eq!(ids(&plan), ["a"]);
}

#[test]
fn conflicts_far_into_an_input_are_found_by_their_lines_in_every_format() {
    let row = |row: usize| match row {
        70_000 | 140_000 => "twice".to_owned(),
        row => format!("user_{row:06}"),
    };
    let long = "x".repeat(80);
    let record =
        |form: &dyn Fn(&str, usize) -> String| (0..150_000).map(|n| form(&row(n), n)).collect::<String>();
    let csv = format!("\u{feff}UserID,Nick\n{}", record(&|id, n| format!("{id},\"{n}\n{long}\"\r\n")));
    let lines = record(&|id, n| format!("{{\"UserID\":\"{id}\",\"Nick\":\"{n}{long}\"}}\n\n"));
    let document = format!("[{}]", lines.trim_end().replace("}\n\n", "},"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, csv.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let at = |file: &str| match file {
        "a.jsonl" => [140_001, 280_001],
        "a.json" => [1, 1],
        _ => [140_002, 280_002],
    };
    for (name, bytes) in [
        ("a.csv", csv.as_bytes()),
        ("a.jsonl", lines.as_bytes()),
        ("a.json", document.as_bytes()),
        ("a.csv.gz", &gzip),
    ] {
        let (_folder, options) = Folder::with(&[("before.csv", b"UserID\nbefore\n"), (name, bytes)]);
        let place = |row, line| Place { row, input: 1, line };
        let [dropped, kept] = at(name);
        let expected =
            Conflict { user_id: "twice".into(), dropped: place(70_001, dropped), kept: place(140_001, kept) };
        assert_eq!(planned(&options).conflict_notes(), [expected], "{name}");
    }
}
