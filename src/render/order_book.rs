//! The hidden line in which the bot's own comments and its dashboard keep the standing orders.

use crate::domain::{OrderBook, WatchName};
use serde::{Deserialize, Serialize};

const OPEN: &str = "<!-- digest-bump:orders:1 ";
const CLOSE: &str = " -->";

#[derive(Serialize, Deserialize)]
struct Line<B> {
    watch: String,
    #[serde(flatten)]
    book: B,
}

/// The line, which has to be the last one of a text: nobody else writes there.
#[must_use]
pub fn order_line(watch: &str, book: &OrderBook) -> String {
    let line = Line { watch: watch.to_owned(), book };
    let json = serde_json::to_string(&line).unwrap_or_default();
    // Foreign words stand in strings, where each character may be escaped: none ends the comment, and
    // none calls anybody.
    let json = ['<', '>', '@'].into_iter().fold(json, |json, special| {
        json.replace(special, &format!("\\u{:04x}", u32::from(special)))
    });
    format!("{OPEN}{json}{CLOSE}")
}

/// The orders of `watch` that a text of the bot's own keeps, if it keeps any.
#[must_use]
pub fn parse_order_line(body: &str, watch: &WatchName) -> Option<OrderBook> {
    let last = body.trim_end().lines().next_back()?;
    let json = last.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    let line: Line<OrderBook> = serde_json::from_str(json).ok()?;
    (line.watch == watch.as_str()).then_some(line.book)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entered, Entry, Ordered, Timestamp};

    #[test]
    fn it_is_found_as_the_last_line_alone_and_for_its_watch() {
        let reason = Some("@all --> <!-- x --!> \"\n\u{2028}".to_owned());
        let hold = Entry {
            what: Entered::Order(Ordered::Hold { reason }),
            actor: "<ada>".to_owned(),
            at: Timestamp::from_millis(1),
        };
        let book = OrderBook { as_of: Timestamp::from_millis(2), entries: vec![hold] };
        let line = order_line("town", &book);
        assert_eq!(line.lines().count(), 1);
        assert!(!line.contains('@') && line.matches("-->").count() == 1, "{line}");
        assert_eq!(line.matches('<').count(), 1, "{line}");
        let (town, other) = ("town".parse().unwrap(), "other".parse().unwrap());
        for end in ["", "\n", "\r\n"] {
            let body = format!("words\r\n\r\n{line}{end}");
            assert_eq!(parse_order_line(&body, &town), Some(book.clone()));
            assert_eq!(parse_order_line(&body, &other), None);
        }
        for forged in [format!("{line}\nwords"), format!("`{line}`"), format!("> {line}")] {
            assert_eq!(parse_order_line(&forged, &town), None, "{forged}");
        }
    }

    #[test]
    fn what_is_none_is_none() {
        let town = "town".parse().unwrap();
        for body in ["", OPEN, "<!-- digest-bump:orders:1 {} -->", "<!-- digest-bump:orders:1 -->"]
        {
            assert_eq!(parse_order_line(body, &town), None, "{body}");
        }
    }
}
