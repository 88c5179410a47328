//! The standing orders that are in force, as they are kept where they outlive the database: in the
//! bot's own answers and on its dashboard.

use super::{Invalid, Order, Ordered, Request, RequestId, Timestamp, Version, Wish};
use serde::{Deserialize, Serialize};

/// So many entries are kept, the newest ones: a comment has room for so much.
const MAX_ENTRIES: usize = 50;
/// So many characters of a reason are kept.
const MAX_REASON: usize = 200;
/// How a release is written that somebody asked for.
const ASKED: &str = "bump";

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBook {
    /// When the last thing was said that it depends on.
    pub as_of: Timestamp,
    /// Each of it, in the order in which it was recorded.
    pub entries: Vec<Entry>,
}

/// One thing that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Entry {
    /// What it is.
    pub what: Entered,
    /// Who said so. Foreign text.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// What can be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// A hold, or an order to ignore something.
    Order(Ordered),
    /// That somebody asked for a release by name, whatever was to be ignored before.
    Asked(Version),
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
struct Wire {
    said: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    by: String,
    at: Timestamp,
}

impl From<Entry> for Wire {
    fn from(entry: Entry) -> Self {
        let (said, of, reason) = match entry.what {
            Entered::Order(ordered) => {
                let (name, subject) = (ordered.name().to_owned(), ordered.subject());
                let reason = match ordered {
                    Ordered::Hold { reason } => reason,
                    _ => None,
                };
                (name, subject, reason.map(|it| it.chars().take(MAX_REASON).collect()))
            }
            Entered::Asked(version) => (ASKED.to_owned(), Some(version.to_string()), None),
        };
        Self { said, of, reason, by: entry.actor, at: entry.at }
    }
}

impl TryFrom<Wire> for Entry {
    type Error = Invalid;

    fn try_from(wire: Wire) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("an entry of the order book", &wire.said);
        let what = if wire.said == ASKED {
            let version = wire.of.as_deref().and_then(|version| version.parse().ok());
            Entered::Asked(version.ok_or_else(invalid)?)
        } else {
            let ordered = Ordered::parse(&wire.said, wire.of.as_deref(), wire.reason.as_deref());
            Entered::Order(ordered.ok_or_else(invalid)?)
        };
        Ok(Self { what, actor: wire.by, at: wire.at })
    }
}

impl OrderBook {
    /// What is in force of these orders and requests, both in the order of their ids; `None` if
    /// nobody ever ordered anything.
    #[must_use]
    pub fn of(orders: &[Order], requests: &[Request]) -> Option<Self> {
        let hold = Order::hold(orders);
        let ignoring: Vec<&Order> = Order::ignoring(orders).collect();
        let asked = requests.iter().filter(|asked| {
            let refused = asked.outcome.as_ref().is_some_and(|outcome| !outcome.granted);
            let later = ignoring.first().is_some_and(|first| asked.id > first.id);
            asked.wish == Wish::Bump && later && !refused
        });
        let asked = asked.map(|it| (it.id, &it.actor, it.at, Entered::Asked(it.version.clone())));
        let standing = hold.into_iter().chain(ignoring.iter().copied());
        let standing =
            standing.map(|it| (it.id, &it.actor, it.at, Entered::Order(it.ordered.clone())));
        let mut all: Vec<(RequestId, &String, Timestamp, Entered)> =
            standing.chain(asked).collect();
        all.sort_by_key(|(id, ..)| *id);
        let said = orders.iter().map(|order| order.at);
        let as_of = said.chain(all.iter().map(|(_, _, at, _)| *at)).max()?;
        let surplus = all.len().saturating_sub(MAX_ENTRIES);
        let entries = all.into_iter().skip(surplus);
        let entries =
            entries.map(|(_, actor, at, what)| Entry { what, actor: actor.clone(), at }).collect();
        Some(Self { as_of, entries })
    }

    /// What of it nobody has decided otherwise since, where `orders` came later.
    #[must_use]
    pub fn still_in_force(self, orders: &[Order]) -> Vec<Entry> {
        let held =
            orders.iter().any(|it| matches!(it.ordered, Ordered::Hold { .. } | Ordered::Unhold));
        let unignored = orders.iter().any(|it| it.ordered == Ordered::Unignore);
        let mut entries = self.entries;
        entries.retain(|entry| match entry.what {
            Entered::Order(Ordered::Hold { .. }) => !held,
            Entered::Order(Ordered::IgnoreRelease(_) | Ordered::IgnoreBump(_))
            | Entered::Asked(_) => !unignored,
            Entered::Order(Ordered::Unhold | Ordered::Unignore) => false,
        });
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bump, RequestOutcome};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn order(id: i64, ordered: Ordered) -> Order {
        Order { id: RequestId(id), ordered, actor: "ada".to_owned(), at: at(id) }
    }

    fn asked(id: i64, version: &str, granted: Option<bool>) -> Request {
        let outcome = |granted| RequestOutcome { granted, answer: String::new(), at: at(id) };
        Request {
            id: RequestId(id),
            wish: Wish::Bump,
            version: version.parse().unwrap(),
            actor: "bob".to_owned(),
            head: None,
            at: at(id),
            said_at: at(id),
            outcome: granted.map(outcome),
        }
    }

    fn hold() -> Ordered {
        Ordered::Hold { reason: Some("a freeze --> <b>".to_owned()) }
    }

    fn spelled(entries: &[Entry]) -> Vec<String> {
        let spell = |entry: &Entry| match &entry.what {
            Entered::Order(ordered) => format!("{ordered} at {}", entry.at.millis() / 60_000),
            Entered::Asked(version) => format!("asked {version}"),
        };
        entries.iter().map(spell).collect()
    }

    #[test]
    fn what_is_in_force_is_kept_in_its_order() {
        assert_eq!(OrderBook::of(&[], &[asked(1, "3.9.4", None)]), None);
        let minor = || Ordered::IgnoreBump(Bump::Minor);
        let orders = [
            order(1, minor()),
            order(2, Ordered::Unignore),
            order(4, minor()),
            order(6, hold()),
            order(7, Ordered::IgnoreRelease("3.11.0".parse().unwrap())),
        ];
        let requests = [
            asked(3, "3.10.0", None),
            asked(5, "3.11.0", Some(true)),
            asked(8, "3.12.0", Some(false)),
        ];
        let book = OrderBook::of(&orders, &requests).unwrap();
        let kept = ["ignore minor at 4", "asked 3.11.0", "hold at 6", "ignore 3.11.0 at 7"];
        assert_eq!(spelled(&book.entries), kept);
        assert_eq!(book.as_of, at(7));
        let json = serde_json::to_string(&book).unwrap();
        assert_eq!(serde_json::from_str::<OrderBook>(&json).unwrap(), book);
        let over = OrderBook::of(&[order(1, hold()), order(2, Ordered::Unhold)], &[]).unwrap();
        assert_eq!(over, OrderBook { as_of: at(2), entries: Vec::new() });
    }

    #[test]
    fn a_later_order_decides() {
        let first = [order(1, hold()), order(2, Ordered::IgnoreBump(Bump::Minor))];
        let book = OrderBook::of(&first, &[asked(3, "3.10.0", None)]).unwrap();
        let left = |orders: &[Order]| spelled(&book.clone().still_in_force(orders));
        assert_eq!(left(&[]), ["hold at 1", "ignore minor at 2", "asked 3.10.0"]);
        assert_eq!(left(&[order(1, Ordered::Unhold)]), ["ignore minor at 2", "asked 3.10.0"]);
        assert_eq!(left(&[order(1, Ordered::Unignore)]), ["hold at 1"]);
    }

    #[test]
    fn it_stays_small() {
        let many = (1..=80).map(|id| order(id, Ordered::IgnoreBump(Bump::Patch)));
        let mut orders: Vec<Order> = many.collect();
        orders.push(order(81, Ordered::Hold { reason: Some("x".repeat(5_000)) }));
        let book = OrderBook::of(&orders, &[]).unwrap();
        assert_eq!(book.entries.len(), MAX_ENTRIES);
        let read: OrderBook = serde_json::from_str(&serde_json::to_string(&book).unwrap()).unwrap();
        let Entered::Order(Ordered::Hold { reason: Some(reason) }) = &read.entries[49].what else {
            panic!("{read:?}");
        };
        assert_eq!(reason.len(), MAX_REASON);
    }

    #[test]
    fn what_is_none_is_refused() {
        for wire in [
            "{\"said\":\"merge\",\"by\":\"x\",\"at\":1}",
            "{\"said\":\"bump\",\"by\":\"x\",\"at\":1}",
        ] {
            assert!(serde_json::from_str::<Entry>(wire).is_err(), "{wire}");
        }
    }
}
