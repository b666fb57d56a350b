//! Answers that are wrong, each in another way; none of them says that anything was applied.

use serde_json::json;

/// The next of them, in turn.
pub(super) fn wrong_body(turn: usize) -> Vec<u8> {
    let text = match turn % KINDS {
        0 => String::new(),
        1 => "{}".to_owned(),
        2 => "null".to_owned(),
        3 => "[]".to_owned(),
        4 => json!({"ActionStatus": "OK", "ErrorCode": 70169, "ErrorInfo": ""}).to_string(),
        5 => json!({"ActionStatus": "FAIL", "ErrorCode": 0, "ErrorInfo": ""}).to_string(),
        6 => json!({"ActionStatus": "OK", "ErrorCode": "0", "ErrorInfo": ""}).to_string(),
        7 => json!({"ActionStatus": "OK", "ErrorInfo": "", "FailAccounts": []}).to_string(),
        8 => ok_with(&json!({"user": "a"})),
        9 => ok_with(&json!([1, 2, 3])),
        10 => ok_with(&json!(["a stranger to every request"])),
        11 => "[".repeat(100 * 1024),
        12 => json!({"ActionStatus": "FAIL", "ErrorCode": 70500, "ErrorInfo": "\u{1b}[31m\u{1b}]0;red\u{7}\r\n"})
            .to_string(),
        13 => return b"{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"ErrorInfo\":\"\xff\xfe\"}".to_vec(),
        _ => json!({"ActionStatus": "ok", "ErrorCode": 0.5, "ErrorInfo": null}).to_string(),
    };
    text.into_bytes()
}

/// How many there are.
pub(super) const KINDS: usize = 15;

fn ok_with(fail_accounts: &serde_json::Value) -> String {
    json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "FailAccounts": fail_accounts}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_turn_has_another_body_until_they_come_round() {
        let bodies: HashSet<Vec<u8>> = (0..KINDS).map(wrong_body).collect();
        assert_eq!(bodies.len(), KINDS);
        assert_eq!(wrong_body(KINDS), wrong_body(0));
    }
}
