//! Durations as people write them.

use std::time::Duration;

/// Reads `45s`, `20m`, `24h`, `7d`, or `0`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a duration such as `45s`, `20m`, `24h` or `7d`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit = text.chars().last().ok_or_else(bad)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        for (text, seconds) in
            [("0", 0), ("45s", 45), ("20m", 1200), ("24h", 86_400), ("7d", 604_800)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in
            ["", "5", "m", "1.5h", "3 h", "99999999999999999999s", "9999999999999999999d", "5é"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
