//! What somebody may do in a repository, in GitHub's words.

use std::fmt;

/// A repository role. Custom roles count as the one that they are based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Nothing.
    None,
    /// To look.
    Read,
    /// To sort issues and pull requests.
    Triage,
    /// To push.
    Write,
    /// To manage the repository.
    Maintain,
    /// Everything.
    Admin,
}

impl Role {
    const ALL: [Self; 6] =
        [Self::None, Self::Read, Self::Triage, Self::Write, Self::Maintain, Self::Admin];

    /// The name at GitHub.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// The role from the two fields of GitHub's answer: `permission` knows neither triage nor
    /// maintain, and calls them read and write; `role_name` may be a name of the organisation's own.
    #[must_use]
    pub fn read(permission: &str, role_name: &str) -> Self {
        let named = |name: &str| Self::ALL.into_iter().find(|role| role.name() == name);
        named(role_name).or_else(|| named(permission)).unwrap_or(Self::None)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finer_word_counts_where_it_is_known() {
        for (permission, role_name, role) in [
            ("write", "maintain", Role::Maintain),
            ("read", "triage", Role::Triage),
            ("write", "release-team", Role::Write),
            ("admin", "", Role::Admin),
            ("none", "none", Role::None),
            ("something new", "something new", Role::None),
        ] {
            assert_eq!(Role::read(permission, role_name), role, "{permission} {role_name}");
        }
        assert!(Role::Maintain > Role::Write && Role::Triage < Role::Write);
    }
}
