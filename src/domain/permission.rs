//! What a GitHub App has to be permitted in a downstream repository, and what is lost without it.

use std::{collections::BTreeMap, fmt};

/// A permission of an App, as far as the bot needs any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Files, commits and branches.
    Contents,
    /// Pull requests, their labels included.
    PullRequests,
    /// Files below `.github/workflows`, in addition to contents.
    Workflows,
    /// Issues.
    Issues,
    /// Check runs.
    Checks,
    /// Commit statuses.
    Statuses,
    /// Workflows that are dispatched, and their runs.
    Actions,
    /// Who is in the organisation's teams.
    Members,
}

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// To look.
    Read,
    /// To look and to change.
    Write,
}

/// What the bot needs in one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Which permission.
    pub permission: Permission,
    /// How much of it.
    pub level: Level,
}

/// What was granted, by GitHub's names.
pub type Granted = BTreeMap<String, String>;

impl Permission {
    /// The API's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contents => "contents",
            Self::PullRequests => "pull_requests",
            Self::Workflows => "workflows",
            Self::Issues => "issues",
            Self::Checks => "checks",
            Self::Statuses => "statuses",
            Self::Actions => "actions",
            Self::Members => "members",
        }
    }

    /// What it is called where an App's permissions are set.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Contents => "Contents",
            Self::PullRequests => "Pull requests",
            Self::Workflows => "Workflows",
            Self::Issues => "Issues",
            Self::Checks => "Checks",
            Self::Statuses => "Commit statuses",
            Self::Actions => "Actions",
            Self::Members => "Members",
        }
    }

    /// Whether nothing can be proposed without it.
    #[must_use]
    pub const fn is_essential(self) -> bool {
        match self {
            Self::Contents | Self::PullRequests | Self::Actions => true,
            Self::Workflows | Self::Issues | Self::Checks | Self::Statuses | Self::Members => false,
        }
    }

    /// What is lost without it.
    #[must_use]
    pub const fn lost(self) -> &'static str {
        match self {
            Self::Contents => "no branch can be pushed",
            Self::PullRequests => "no pull request can be opened",
            Self::Workflows => {
                "a pin site lies below .github/workflows: its edit is left to a person, and the pull \
                 request is a draft with the patch until then"
            }
            Self::Issues => "no issue can be written",
            Self::Checks => {
                "the bot has no check of its own, and sees none of a private repository"
            }
            Self::Statuses => "commit statuses of a private repository are not seen",
            Self::Actions => "the workflow that is the canary, or prepares it, is not dispatched",
            Self::Members => "nobody is known to be in a team that may command",
        }
    }
}

impl Level {
    /// The API's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Read => "read-only",
            Level::Write => "read and write",
        };
        write!(out, "{} ({level})", self.permission.title())
    }
}

impl Need {
    /// To know who is in a team.
    pub const TEAMS: Self = Self::new(Permission::Members, Level::Read);

    const fn new(permission: Permission, level: Level) -> Self {
        Self { permission, level }
    }

    /// What a watch needs: `edits_workflows` if a pin site lies below `.github/workflows`,
    /// `reads_checks` if the downstream's own checks are looked at, `dispatches` if a workflow is.
    #[must_use]
    pub fn of_watch(edits_workflows: bool, reads_checks: bool, dispatches: bool) -> Vec<Self> {
        let mut needs = vec![
            Self::new(Permission::Contents, Level::Write),
            Self::new(Permission::PullRequests, Level::Write),
        ];
        needs.extend(edits_workflows.then_some(Self::new(Permission::Workflows, Level::Write)));
        needs.push(Self::new(Permission::Issues, Level::Write));
        needs.push(Self::new(Permission::Checks, Level::Write));
        needs.extend(reads_checks.then_some(Self::new(Permission::Statuses, Level::Read)));
        needs.extend(dispatches.then_some(Self::new(Permission::Actions, Level::Write)));
        needs
    }

    /// As much of this need as `granted` has; `None` if that is nothing.
    #[must_use]
    pub fn within(self, granted: &Granted) -> Option<Self> {
        let level = match granted.get(self.permission.name()).map(String::as_str) {
            Some("write" | "admin") => self.level,
            Some("read") => Level::Read,
            _ => return None,
        };
        Some(Self { level, ..self })
    }

    /// Whether `granted` has all of it.
    #[must_use]
    pub fn is_met_by(self, granted: &Granted) -> bool {
        self.within(granted) == Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(all: &[(&str, &str)]) -> Granted {
        all.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
    }

    #[test]
    fn a_need_is_met_by_its_level_or_a_higher_one() {
        let write = Need::new(Permission::Contents, Level::Write);
        let read = Need::new(Permission::Contents, Level::Read);
        for (level, as_write, as_read) in [
            ("write", Some(write), Some(read)),
            ("admin", Some(write), Some(read)),
            ("read", Some(read), Some(read)),
            ("none", None, None),
        ] {
            let granted = granted(&[("contents", level)]);
            assert_eq!((write.within(&granted), read.within(&granted)), (as_write, as_read));
            assert_eq!(write.is_met_by(&granted), as_write == Some(write), "{level}");
        }
        assert_eq!(write.within(&granted(&[("issues", "write")])), None);
    }

    #[test]
    fn a_watch_needs_no_more_than_what_its_config_makes_it_do() {
        let names = |needs: Vec<Need>| {
            let names =
                needs.iter().map(|it| format!("{}={}", it.permission.name(), it.level.name()));
            names.collect::<Vec<_>>().join(" ")
        };
        let least = "contents=write pull_requests=write issues=write checks=write";
        assert_eq!(names(Need::of_watch(false, false, false)), least);
        let most = "contents=write pull_requests=write workflows=write issues=write checks=write \
                    statuses=read actions=write";
        assert_eq!(names(Need::of_watch(true, true, true)), most);
    }
}
