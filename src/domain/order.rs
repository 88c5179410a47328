//! Standing orders: what people tell the bot to leave alone, until they say otherwise.

use super::{Bump, IgnoreScope, RequestId, Timestamp, Version};
use std::fmt;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// That no pull request is opened or rewritten.
    Hold {
        /// Why, in the words of who said so. Foreign text.
        reason: Option<String>,
    },
    /// That they are again.
    Unhold,
    /// That one release is not proposed.
    IgnoreRelease(Version),
    /// That no release this far from the pin is.
    IgnoreBump(Bump),
    /// That everything that was ignored counts again.
    Unignore,
}

impl Ordered {
    /// The order to ignore `scope`, said where `version` is proposed; `None` where none is and one
    /// would have to be.
    #[must_use]
    pub fn ignoring(scope: IgnoreScope, version: Option<&Version>) -> Option<Self> {
        match scope {
            IgnoreScope::This => version.cloned().map(Self::IgnoreRelease),
            IgnoreScope::Major => Some(Self::IgnoreBump(Bump::Major)),
            IgnoreScope::Minor => Some(Self::IgnoreBump(Bump::Minor)),
            IgnoreScope::Patch => Some(Self::IgnoreBump(Bump::Patch)),
        }
    }

    /// The verb, as it stands in the database, in commands and in views.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hold { .. } => "hold",
            Self::Unhold => "unhold",
            Self::IgnoreRelease(_) | Self::IgnoreBump(_) => "ignore",
            Self::Unignore => "unignore",
        }
    }

    /// What it is about: a release, a size of bump; `None` if it needs no more words.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::IgnoreRelease(version) => Some(version.to_string()),
            Self::IgnoreBump(bump) => Some(bump.word().to_ascii_lowercase()),
            Self::Hold { .. } | Self::Unhold | Self::Unignore => None,
        }
    }

    /// The order with this name, subject and reason; `None` if there is none.
    #[must_use]
    pub fn parse(name: &str, subject: Option<&str>, reason: Option<&str>) -> Option<Self> {
        match (name, subject) {
            ("hold", None) => Some(Self::Hold { reason: reason.map(str::to_owned) }),
            ("unhold", None) => Some(Self::Unhold),
            ("unignore", None) => Some(Self::Unignore),
            ("ignore", Some(subject)) => {
                let scope = IgnoreScope::ALL.into_iter().find(|scope| scope.name() == subject);
                match scope {
                    Some(scope) => Self::ignoring(scope, None),
                    None => subject.parse().ok().map(Self::IgnoreRelease),
                }
            }
            _ => None,
        }
    }

    /// What comes of it, in one sentence for whoever said it.
    #[must_use]
    pub fn consequence(&self) -> String {
        match self {
            Self::Hold { .. } => "no pull request is opened or rewritten until `unhold`; releases \
                                  are looked at as before"
                .to_owned(),
            Self::Unhold => "pull requests are opened and rewritten again".to_owned(),
            Self::IgnoreRelease(version) => format!(
                "{version} is not proposed, until somebody asks for it by `bump {version}`, or by \
                 `unignore` for everything"
            ),
            Self::IgnoreBump(bump) => {
                format!("no {bump} is proposed or offered until `unignore`, unless it is asked for")
            }
            Self::Unignore => "what was ignored counts again".to_owned(),
        }
    }
}

/// As it is spelled in a command.
impl fmt::Display for Ordered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())?;
        self.subject().map_or(Ok(()), |subject| write!(out, " {subject}"))
    }
}

/// A standing order. It holds from the moment at which it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id, counted with the requests'.
    pub id: RequestId,
    /// What is ordered.
    pub ordered: Ordered,
    /// Who said so, as far as the way in knows.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Order {
    /// The hold that is in force, if one is. The last word counts, in whichever order they were heard.
    #[must_use]
    pub fn hold(orders: &[Self]) -> Option<&Self> {
        let holds = orders
            .iter()
            .filter(|order| matches!(order.ordered, Ordered::Hold { .. } | Ordered::Unhold));
        let last = holds.max_by_key(|order| order.said())?;
        matches!(last.ordered, Ordered::Hold { .. }).then_some(last)
    }

    /// The orders to ignore something that are in force.
    pub fn ignoring(orders: &[Self]) -> impl Iterator<Item = &Self> {
        let undone = orders.iter().filter(|order| order.ordered == Ordered::Unignore);
        let undone = undone.map(Self::said).max();
        orders.iter().filter(move |order| {
            matches!(order.ordered, Ordered::IgnoreRelease(_) | Ordered::IgnoreBump(_))
                && undone.is_none_or(|at| at < order.said())
        })
    }

    /// The later order that this one gave way to, if there is one.
    #[must_use]
    pub fn gave_way_to<'a>(&self, orders: &'a [Self]) -> Option<&'a Self> {
        let answers = |later: &Ordered| match &self.ordered {
            Ordered::Hold { .. } => *later == Ordered::Unhold,
            Ordered::Unhold => matches!(later, Ordered::Hold { .. }),
            Ordered::IgnoreRelease(_) | Ordered::IgnoreBump(_) => *later == Ordered::Unignore,
            Ordered::Unignore => false,
        };
        let later = orders.iter().filter(|it| answers(&it.ordered) && it.said() > self.said());
        later.max_by_key(|order| order.said())
    }

    /// When it was said; of two at one time, the one that was recorded later is the later one.
    #[must_use]
    pub const fn said(&self) -> (Timestamp, RequestId) {
        (self.at, self.id)
    }

    /// Why the bot is on hold, in one line; the reason is foreign text.
    #[must_use]
    pub fn told(&self) -> String {
        let reason = match &self.ordered {
            Ordered::Hold { reason: Some(reason) } => format!(": {reason}"),
            _ => String::new(),
        };
        format!("{} by {} since {}{reason}", self.ordered, self.actor, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: i64, ordered: Ordered) -> Order {
        Order { id: RequestId(id), ordered, actor: "ada".to_owned(), at: Timestamp::from_millis(0) }
    }

    #[test]
    fn each_order_is_read_as_it_is_spelled() {
        let version: Version = "3.10.4".parse().unwrap();
        for ordered in [
            Ordered::Hold { reason: None },
            Ordered::Hold { reason: Some("a freeze".to_owned()) },
            Ordered::Unhold,
            Ordered::IgnoreRelease(version),
            Ordered::IgnoreBump(Bump::Major),
            Ordered::IgnoreBump(Bump::Minor),
            Ordered::IgnoreBump(Bump::Patch),
            Ordered::Unignore,
        ] {
            let reason = match &ordered {
                Ordered::Hold { reason } => reason.as_deref(),
                _ => None,
            };
            let read = Ordered::parse(ordered.name(), ordered.subject().as_deref(), reason);
            assert_eq!(read, Some(ordered));
        }
        for (name, subject) in [("hold", Some("x")), ("ignore", None), ("ignore", Some("this"))] {
            assert_eq!(Ordered::parse(name, subject, None), None, "{name} {subject:?}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let hold = || Ordered::Hold { reason: None };
        assert_eq!(Order::hold(&[]), None);
        let story = [order(1, hold()), order(2, Ordered::Unhold), order(3, hold())];
        assert_eq!(Order::hold(&story).map(|it| it.id), Some(RequestId(3)));
        assert_eq!(Order::hold(&story[..2]), None);
        let minor = || Ordered::IgnoreBump(Bump::Minor);
        let all =
            [order(1, minor()), order(2, Ordered::Unignore), order(3, minor()), order(4, hold())];
        let ids = |orders: &[Order]| Order::ignoring(orders).map(|it| it.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&all), [3]);
        assert_eq!(ids(&all[..2]), [0; 0]);
    }

    #[test]
    fn what_was_said_last_counts_though_it_was_heard_first() {
        let said = |id, at, ordered| Order { at: Timestamp::from_millis(at), ..order(id, ordered) };
        let hold = Ordered::Hold { reason: None };
        assert_eq!(Order::hold(&[said(1, 7, Ordered::Unhold), said(2, 6, hold)]), None);
        let minor = Ordered::IgnoreBump(Bump::Minor);
        let all = [said(1, 7, Ordered::Unignore), said(2, 6, minor.clone()), said(3, 8, minor)];
        assert_eq!(Order::ignoring(&all).map(|it| it.id.0).collect::<Vec<_>>(), [3]);
    }
}
