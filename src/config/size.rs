//! Sizes as people write them.

/// Reads `512MiB`, `2GiB`, or bytes.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is not a size such as `512MiB` or `2GiB`");
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let (number, shift) = units
        .into_iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
        .ok_or_else(bad)?;
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(1 << shift).filter(|size| *size > 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        for (text, bytes) in [("1", 1), ("4KiB", 4096), ("512MiB", 512 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(parse(text), Ok(bytes));
        }
        for bad in ["", "GiB", "0", "0MiB", "-1", "1.5GiB", "2GB", "2 GiB", "99999999999GiB"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
