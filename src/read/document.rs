//! A JSON document read element by element: an array of objects, or a request body with `AccountList` or `Accounts`.

use super::record::Record;
use super::row::{Fault, Records, quoted};
use super::text::Text;

/// The elements of the document's list.
pub(super) struct JsonDocument {
    record: Record,
    /// The list is in an object, and not the document itself.
    in_body: bool,
    bare: bool,
    /// An element comes next, and no comma before it.
    at_element: bool,
}

impl JsonDocument {
    /// Reads up to the first element.
    pub(super) fn open(text: Text) -> Result<Self, Fault> {
        let record = Record::before(text);
        let mut document = Self { record, in_body: false, bare: false, at_element: true };
        document.begin()?;
        Ok(document)
    }

    /// Whether the elements are UserIDs and not objects.
    pub(super) fn is_bare(&self) -> bool {
        self.bare
    }

    /// Moves past blanks to the next byte, and tells it; none at the end of the input.
    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        self.record.skip(u8::is_ascii_whitespace)?;
        Ok(self.record.text.window().first().copied())
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Fault> {
        match self.peek()? {
            Some(byte) if byte == wanted => self.record.pass(1),
            found => return Err(self.damaged(&format!("{:?}", char::from(wanted)), found)),
        }
        Ok(())
    }

    fn damaged(&self, wanted: &str, found: Option<u8>) -> Fault {
        let found = match found {
            Some(byte) => quoted(&char::from(byte).to_string()),
            None => "the end of the input".to_owned(),
        };
        Fault::Damaged {
            line: self.record.line.number(),
            what: format!("{wanted} is expected and not {found}: the file may be cut short or damaged"),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        if self.peek()? == Some(b'{') {
            self.in_body = true;
            self.record.pass(1);
            self.peek()?;
            self.bare = self.record.text.window().starts_with(b"\"Accounts\"");
            let key: &[u8] = if self.bare { b"\"Accounts\"" } else { b"\"AccountList\"" };
            if !self.record.text.window().starts_with(key) {
                return Err(self.damaged("\"AccountList\"", self.record.text.window().first().copied()));
            }
            self.record.pass(key.len());
            self.expect(b':')?;
        }
        self.expect(b'[')
    }

    /// Reads what stands after the last element.
    fn end(&mut self) -> Result<(), Fault> {
        self.expect(b']')?;
        if self.in_body {
            self.expect(b'}')?;
        }
        match self.peek()? {
            None => Ok(()),
            found => Err(self.damaged("the end of the document", found)),
        }
    }

    /// Finds the end of the element at the window's beginning.
    fn find_end(&mut self) -> Result<(), Fault> {
        self.record.start();
        let (record, mut edge) = (&mut self.record, Edge::default());
        loop {
            let seen = record.length;
            let window = record.text.window();
            let end = window[seen..].iter().position(|&byte| edge.is_past(byte));
            record.length = end.map_or(window.len(), |end| seen + end);
            if record.is_dropped() {
                record.pass(record.length);
                record.length = 0;
            }
            if end.is_some() {
                return Ok(());
            }
            if !record.text.more()? {
                let what = "an element starts here and never ends: the file may be cut short or damaged";
                return Err(Fault::Damaged { line: record.starts, what: what.to_owned() });
            }
        }
    }
}

impl Records for JsonDocument {
    fn advance(&mut self) -> Result<bool, Fault> {
        let at_element = std::mem::take(&mut self.at_element);
        let length = std::mem::take(&mut self.record.length);
        self.record.pass(length);
        self.record.leave();
        match self.peek()? {
            None => return self.end().map(|()| false),
            Some(b']') => return self.end().map(|()| false),
            Some(_) if at_element => {}
            Some(b',') => self.record.pass(1),
            found => return Err(self.damaged("',' or ']'", found)),
        }
        match self.peek()? {
            None | Some(b',' | b']' | b'}' | b':') => {
                let found = self.record.text.window().first().copied();
                Err(self.damaged("an element", found))
            }
            Some(_) => self.find_end().map(|()| true),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn resume(&mut self, text: Text, line: u64) {
        self.record.resume(text, line);
        self.at_element = true;
    }
}

/// Looks for the byte after an element, without judging what is inside.
#[derive(Default)]
struct Edge {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The bracket or the quote has been read that ends the element.
    closed: bool,
}

impl Edge {
    fn is_past(&mut self, byte: u8) -> bool {
        if self.closed {
            return true;
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    self.closed = self.depth == 0;
                }
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                self.closed = self.depth == 0;
            }
            b'}' | b']' | b',' => return self.depth == 0,
            _ if byte.is_ascii_whitespace() => return self.depth == 0,
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Names;
    use super::super::decode::Encoding;
    use super::super::parser::{Parser, Values};
    use super::super::text::RECORD_MOST;
    use super::*;
    use proptest::prelude::*;

    type Seen = Vec<(u64, Result<String, String>)>;

    /// Each row's line and UserID or reason; and the line and message if the document is damaged.
    fn rows(text: &[u8]) -> (Seen, Option<(u64, String)>) {
        let text = Text::new(Box::new(std::io::Cursor::new(text.to_vec())));
        let mut rows = Vec::new();
        let mut elements = match JsonDocument::open(text) {
            Ok(elements) => elements,
            Err(Fault::Damaged { line, what }) => return (rows, Some((line, what))),
            Err(other) => panic!("{other:?}"),
        };
        let mut parser = Parser::Values(Values::new(Names::default(), Encoding::UTF_8, elements.is_bare()));
        loop {
            match elements.advance() {
                Ok(true) => {}
                Ok(false) => return (rows, None),
                Err(Fault::Damaged { line, what }) => return (rows, Some((line, what))),
                Err(other) => panic!("{other:?}"),
            }
            let row = parser.row(elements.record().raw()).map(|fields| fields.user_id.into_owned());
            rows.push((elements.record().starts, row.map_err(|unparsed| unparsed.reason)));
        }
    }

    fn good(ids: &[(u64, &str)]) -> Seen {
        ids.iter().map(|&(line, id)| (line, Ok(id.to_owned()))).collect()
    }

    #[test]
    fn an_array_and_both_forms_of_a_request_body_are_read_element_by_element() {
        let array = b"\n[\n {\"UserID\":\"a]},\\\"\"} ,{\"x\":[{}],\n\"UserID\":2},\r\n{\"UserID\":\"c\"}]\n";
        assert_eq!(rows(array), (good(&[(3, "a]},\""), (3, "2"), (5, "c")]), None));
        let body = b"{ \"AccountList\" : [{\"UserID\":\"a\"},\n{\"UserID\":\"b\"}]\n}";
        assert_eq!(rows(body), (good(&[(1, "a"), (2, "b")]), None));
        assert_eq!(
            rows(b"{\"Accounts\":[\"a\",\n\"b\" , 3]}"),
            (good(&[(1, "a"), (2, "b"), (2, "3")]), None)
        );
        assert_eq!(rows(b"[]"), (vec![], None));
        assert_eq!(rows(b"{\"AccountList\":[ ]}"), (vec![], None));
    }

    #[test]
    fn an_element_that_is_no_row_is_invalid_and_the_next_one_is_read() {
        let (rows, damage) =
            rows(b"[1, \"a\", null, [], {\"UserID\":true}, {\"UserID\" \"x\"}, {\"UserID\":\"b\"}]");
        assert_eq!(damage, None);
        assert_eq!(rows.iter().filter(|(_, row)| row.is_err()).count(), 6);
        assert_eq!(rows[6], (1, Ok("b".to_owned())));
    }

    #[test]
    fn damage_in_the_structure_is_an_error_that_names_the_line() {
        for (text, line) in [
            ("[{\"UserID\":\"a\"},\n{\"UserID\":\"b\"}\n{\"UserID\":\"c\"}]", 3),
            ("[{\"UserID\":\"a\"},\n]", 2),
            ("[,{\"UserID\":\"a\"}]", 1),
            ("[{\"UserID\":\"a\"}]\n[]", 2),
            ("{\"AccountList\":{}}", 1),
            ("{\"AccountList\":[],\n\"x\":1}", 1),
            ("[{\"UserID\":\"a\"},\n{\"UserID\":\"b\n]", 2),
            ("[{\"UserID\":\"a\"}}", 1),
        ] {
            let (_, damage) = rows(text.as_bytes());
            assert_eq!(damage.map(|(line, _)| line), Some(line), "{text}");
        }
    }

    #[test]
    fn a_cut_document_is_never_a_shorter_import() {
        for whole in ["[{\"UserID\":\"a\"},{\"UserID\":\"b\"}]", "{\"Accounts\":[\"a\",\"b\"]}"] {
            for cut in 0..whole.len() {
                assert!(rows(&whole.as_bytes()[..cut]).1.is_some(), "cut at {cut}: {whole}");
            }
            assert!(rows(whole.as_bytes()).1.is_none());
        }
    }

    #[test]
    fn an_element_over_one_mebibyte_is_invalid_and_the_next_one_is_read() {
        for (length, fits) in [(RECORD_MOST, true), (RECORD_MOST + 1, false), (4 * RECORD_MOST + 7, false)] {
            let element = format!("{{\"UserID\":\"a\",\"x\":\"{}\"}}", "\n".repeat(length - 21));
            let element = if fits { element.replace('\n', "x") } else { element };
            assert_eq!(element.len(), length);
            let (rows, damage) = rows(format!("[{element},\n{{\"UserID\":\"b\"}}]").as_bytes());
            assert_eq!((rows.len(), damage), (2, None));
            assert_eq!(rows[0].1.is_ok(), fits);
            let line = if fits { 2 } else { length as u64 - 21 + 2 };
            assert_eq!(rows[1], (line, Ok("b".to_owned())));
        }
    }

    proptest! {
        #[test]
        fn what_serde_json_wrote_is_read_back(ids in prop::collection::vec(any::<String>(), 0..30), pretty: bool) {
            let list: Vec<_> = ids.iter().map(|id| serde_json::json!({ "x": [id], "UserID": id })).collect();
            let body = serde_json::json!({ "AccountList": list });
            let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
            let (rows, damage) = rows(text.unwrap().as_bytes());
            prop_assert_eq!(damage, None);
            prop_assert_eq!(rows.into_iter().map(|(_, row)| row.unwrap()).collect::<Vec<_>>(), ids);
        }
    }
}
