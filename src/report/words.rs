//! Numbers, sizes and times as a person reads them.

use crate::error_code::Lang;
use std::time::Duration;

/// `1234567` → `1,234,567`
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate, rounded: `9,900`
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and what is beyond u64 saturates"
)]
pub(super) fn rate(per_second: f64) -> String {
    number(per_second.round() as u64)
}

/// `1 row`, `2,010 rows`
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// In decimal units, as file managers and disks count.
pub(super) fn bytes(n: u64) -> String {
    match n {
        1_000_000_000.. => format!("{:.1} GB", n as f64 / 1e9),
        1_000_000.. => format!("{:.1} MB", n as f64 / 1e6),
        1_000.. => format!("{:.0} kB", n as f64 / 1e3),
        _ => format!("{n} B"),
    }
}

/// Its two largest units: `0.4s`, `12s`, `3m 20s`, `2h 5m`.
pub fn duration(time: Duration, lang: Lang) -> String {
    let seconds = time.as_secs();
    let [hour, minute, second] = match lang {
        Lang::En => ["h", "m", "s"],
        Lang::Zh => [" 小时", " 分", " 秒"],
    };
    match seconds {
        3600.. => format!("{}{hour} {}{minute}", seconds / 3600, seconds % 3600 / 60),
        60.. => format!("{}{minute} {}{second}", seconds / 60, seconds % 60),
        10.. => format!("{seconds}{second}"),
        _ if time.subsec_millis() < 50 => format!("{seconds}{second}"),
        _ => format!("{:.1}{second}", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_times_are_as_a_person_writes_them() {
        let numbers = [0, 7, 999, 1_000, 12_345, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!([999, 64_000, 2_500_000_000].map(bytes), ["999 B", "64 kB", "2.5 GB"]);
        assert_eq!([1, 2_010].map(|n| counted(n, "row", "rows")), ["1 row", "2,010 rows"]);
        let times = [400, 12_600, 200_000, 7_512_000].map(|ms| duration(Duration::from_millis(ms), Lang::En));
        assert_eq!(times, ["0.4s", "12s", "3m 20s", "2h 5m"]);
        assert_eq!(duration(Duration::from_secs(65), Lang::Zh), "1 分 5 秒");
    }
}
