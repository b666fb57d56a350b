//! Inputs that are refused before a row is taken, and what is said of them.

use super::*;

#[test]
fn what_is_no_csv_with_a_header_is_told_for_what_it_is() {
    let told = |content: &[u8], what: &str| {
        let (_folder, options) = Folder::with(&[("a.csv", content)]);
        let error = refused(&options);
        assert!(error.starts_with("a.csv: ") && error.contains(what), "{error}");
    };
    told(
        b"\xD3\xC3\xBB\xA7ID,\xEA\xC7\xB3\xC6\nu1,x\n",
        "the header is not valid UTF-8: try --encoding gb18030",
    );
    told(b"U\0s\0e\0r\0I\0D\0\n\0", "--encoding utf-16le");
    told(b"PK\x03\x04\x14\0\x06\0", "save it as CSV");
    told(b"sep=;\nUserID;Nick\na;b\n", "remove it");
    told(b"<html><table>", "HTML");
    told(b"{\"UserID\":\"a\"}\n", "--format jsonl");
    told(b"u1,Ann\nu2,Bob\n", "--no-header");
}

#[test]
fn an_input_that_cannot_be_read_says_what_to_do() {
    let (folder, options) =
        Folder::with(&[("a.csv", b"UserID,Nick\na,\"b\nc,d\n"), ("b.bin", b"\x7fELF\0\x01\n\0\0")]);
    let only = |name: &str, path: &Path| Options {
        inputs: vec![Input { path: path.to_owned(), name: name.to_owned() }],
        ..options.clone()
    };
    assert_eq!(
        refused(&only("a.csv", &options.inputs[0].path)),
        "a.csv, line 2: a quote opens here and is never closed: close it, or double it if it is part of the text"
    );
    assert_eq!(
        refused(&only("b.bin", &options.inputs[1].path)),
        "b.bin: the header has NUL characters, as UTF-16 and files that are no text have: \
         if it is UTF-16, give --encoding utf-16le"
    );
    assert_eq!(refused(&only("x", folder.0.path())), "x is a folder: name the files in it");
    assert_eq!(refused(&only("x", &folder.0.path().join("x"))), "there is no file x: check the path");
    let cut = &std::fs::read(&fixture("gzip-of-two-members.csv.gz").inputs[0].path).unwrap()[..400];
    let (_folder, options) = Folder::with(&[("a.csv.gz", cut)]);
    assert!(refused(&options).starts_with("a.csv.gz cannot be read to its end: "), "{}", refused(&options));
}

#[test]
fn a_scratch_folder_that_cannot_be_written_is_named_if_it_is_needed() {
    let mut options = fixture("each-kind-of-invalid-row.csv");
    options.scratch = std::env::temp_dir().join("no such folder");
    assert!(refused(&options).contains("no such folder failed: "), "{}", refused(&options));
    options.inputs = fixture("accounts.csv").inputs;
    assert_eq!(planned(&options).rows(), 250);
}
