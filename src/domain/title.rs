//! The title of a pin bump, and what it makes of a merge.

use super::{ImageName, Version};
use std::cmp::Ordering;
use std::{fmt, str::FromStr};

/// What GitHub takes as the title of a pull request, in characters.
const MAX_TITLE: usize = 256;
/// So much of it is left to a template, in characters: the versions need the rest.
const MAX_TEMPLATE: usize = 150;
/// The placeholders of a template.
const PLACEHOLDERS: [&str; 3] = ["image", "from", "to"];

/// A template for titles, with `{image}`, `{from}` and `{to}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleTemplate(String);

/// Why a text is no template for titles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTitle {
    /// It would not say what is proposed.
    #[error("does not contain `{{to}}`")]
    WithoutVersion,
    /// Something in braces that means nothing.
    #[error("`{{{0}}}` is no placeholder; there are `{{image}}`, `{{from}}` and `{{to}}`")]
    Unknown(String),
    /// A brace without its counterpart.
    #[error("has a brace that belongs to no placeholder")]
    LooseBrace,
    /// A title is one line.
    #[error("has more than one line, or characters that cannot be seen")]
    Control,
    /// GitHub would refuse the title.
    #[error("has {0} characters, and {MAX_TEMPLATE} are the most")]
    TooLong(usize),
}

impl FromStr for TitleTemplate {
    type Err = BadTitle;
    fn from_str(text: &str) -> Result<Self, BadTitle> {
        let length = text.chars().count();
        if length > MAX_TEMPLATE {
            return Err(BadTitle::TooLong(length));
        }
        if text.contains(char::is_control) {
            return Err(BadTitle::Control);
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(BadTitle::LooseBrace)?;
            if before.contains('}') {
                return Err(BadTitle::LooseBrace);
            }
            if !PLACEHOLDERS.contains(&name) {
                return Err(BadTitle::Unknown(name.to_owned()));
            }
            rest = after;
        }
        if rest.contains('}') {
            return Err(BadTitle::LooseBrace);
        }
        if text.contains("{to}") {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadTitle::WithoutVersion)
        }
    }
}

impl TitleTemplate {
    /// The title of a bump of `image`, never longer than GitHub takes.
    #[must_use]
    pub fn fill(&self, image: &ImageName, from: &Version, to: &Version) -> String {
        let title = self
            .0
            .replace("{image}", image.short())
            .replace("{from}", &from.to_string())
            .replace("{to}", &to.to_string());
        // What is no step onwards says so, under the type and the scope of the others.
        let lead = title.split_once(": ").map(|(lead, _)| format!("{lead}: ")).unwrap_or_default();
        let title = match to.cmp_precedence(from) {
            Ordering::Greater => title,
            Ordering::Equal => format!("{lead}bring the pin sites in line at {to}"),
            Ordering::Less => format!("{lead}take the pin back {from} → {to}"),
        };
        match title.char_indices().nth(MAX_TITLE) {
            Some(_) => title.chars().take(MAX_TITLE - 1).chain(['…']).collect(),
            None => title,
        }
    }
}

/// What a squash merge under a title releases, as Conventional Commits have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Releases {
    /// Nothing.
    Nothing,
    /// A patch.
    Patch,
    /// A MINOR.
    Minor,
    /// A MAJOR.
    Major,
}

impl fmt::Display for Releases {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Nothing => "nothing",
            Self::Patch => "a patch",
            Self::Minor => "a MINOR",
            Self::Major => "a MAJOR",
        })
    }
}

/// The type of a title, `chore` of `chore(connector): bump`, and what it releases; `None` if the
/// title is of another form.
#[must_use]
pub fn releases(title: &str) -> Option<(&str, Releases)> {
    let (head, _) = title.split_once(": ")?;
    let (head, breaking) = head.strip_suffix('!').map_or((head, false), |head| (head, true));
    let kind = match head.split_once('(') {
        Some((kind, scope)) => scope.ends_with(')').then_some(kind)?,
        None => head,
    };
    if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let released = match kind.to_ascii_lowercase().as_str() {
        _ if breaking => Releases::Major,
        "feat" => Releases::Minor,
        "fix" | "perf" | "revert" => Releases::Patch,
        _ => Releases::Nothing,
    };
    Some((kind, released))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_what_it_may_and_is_one_short_line() {
        for (text, fault) in [
            ("chore({image}): bump {from} → {to}", ""),
            ("bump to {to}", ""),
            ("bump {from}", "does not contain `{to}`"),
            (
                "{version} {to}",
                "`{version}` is no placeholder; there are `{image}`, `{from}` and `{to}`",
            ),
            ("{} {to}", "`{}` is no placeholder; there are `{image}`, `{from}` and `{to}`"),
            ("{to", "has a brace that belongs to no placeholder"),
            ("} {to}", "has a brace that belongs to no placeholder"),
            ("{to} }", "has a brace that belongs to no placeholder"),
            ("{to}\nmore", "has more than one line, or characters that cannot be seen"),
        ] {
            let said = text.parse::<TitleTemplate>().err().map(|it| it.to_string());
            assert_eq!(said.unwrap_or_default(), fault, "{text}");
        }
        let long = format!("{{to}}{}", "é".repeat(MAX_TEMPLATE - 4));
        assert!(long.parse::<TitleTemplate>().is_ok());
        let said = format!("{long}é").parse::<TitleTemplate>().unwrap_err().to_string();
        assert_eq!(said, "has 151 characters, and 150 are the most");
    }

    #[test]
    fn a_title_is_never_longer_than_github_takes() {
        let image = format!("ghcr.io/o/{}", "n".repeat(100)).parse().unwrap();
        let (from, to) = ("3.9.3".parse().unwrap(), "3.10.0".parse().unwrap());
        let template: TitleTemplate = "{image} {image} {image} {to}".parse().unwrap();
        let title = template.fill(&image, &from, &to);
        assert_eq!((title.chars().count(), title.ends_with('…')), (256, true));
        let template: TitleTemplate = "{image}: {from} → {to}".parse().unwrap();
        let short = template.fill(&"ghcr.io/o/r".parse().unwrap(), &from, &to);
        assert_eq!(short, "r: 3.9.3 → 3.10.0");
    }

    #[test]
    fn what_a_title_releases_is_told_by_its_type() {
        use Releases::{Major, Minor, Nothing, Patch};
        for (title, expected) in [
            ("chore(connector): bump 3.9.3 → 3.10.0", Some(("chore", Nothing))),
            ("fix(townhouse): connector 3.10.0", Some(("fix", Patch))),
            ("feat: connector 3.10.0", Some(("feat", Minor))),
            ("Fix!: connector 4.0.0", Some(("Fix", Major))),
            ("chore(deps)!: connector 4.0.0", Some(("chore", Major))),
            ("bump the connector to 3.10.0", None),
            ("Note: connector", Some(("Note", Nothing))),
            ("a note: connector", None),
            ("fix(town: connector", None),
            (": connector", None),
        ] {
            assert_eq!(releases(title), expected, "{title}");
        }
    }
}
