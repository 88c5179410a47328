//! The edit that a person has to make, because the bot may not: the exact patch, and what it is for.

use super::{fence::fenced, notes::brief};
use crate::domain::{BranchName, FilePath};

/// What a pull request leaves out.
#[derive(Debug, Clone)]
pub struct LeftOut<'a> {
    /// The branch that it is to be committed to.
    pub branch: &'a BranchName,
    /// The edit, as `git apply` takes it.
    pub patch: &'a str,
    /// The files, with what changes in each.
    pub files: Vec<(&'a FilePath, &'a [String])>,
}

/// One point for each file.
pub(super) fn points(left: &LeftOut<'_>) -> impl Iterator<Item = String> {
    left.files.iter().map(|(path, notes)| {
        let what: Vec<String> = notes.iter().map(|note| brief(note)).collect();
        format!(
            "the bot's token may not edit `{path}` (the permission \"workflows\"): apply the patch \
             below, or that workflow goes on with what is pinned now ({})",
            what.join("; ")
        )
    })
}

/// The section with the patch.
pub(super) fn section(left: &LeftOut<'_>) -> String {
    let branch = left.branch;
    format!(
        "### Left for a person: the workflow files\n\n\
         Where this repository has drafts, this is one until its branch has this edit, and nothing else, \
         on top. A commit of exactly this patch is none that makes the bot keep its hands off.\n\n{}\n\n\
         ```sh\ngit fetch origin {branch}\ngit switch --detach FETCH_HEAD\n\
         git apply     # paste the patch, then Ctrl-D\n\
         git commit --all --message 'ci: bump the pinned digest'\n\
         git push origin HEAD:{branch}\n```",
        fenced(left.patch, "diff")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_stands_there_as_it_is() {
        let patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a ``` b\n+c\n";
        let (branch, file) = ("bot/x".parse().unwrap(), ".github/workflows/x.yml".parse().unwrap());
        let notes = ["x: 1 → 2".to_owned()];
        let left = LeftOut { branch: &branch, patch, files: vec![(&file, &notes)] };
        let text = section(&left);
        assert!(text.contains(&format!("````diff\n{patch}````")), "{text}");
        assert!(points(&left).next().unwrap().contains("`.github/workflows/x.yml`"));
    }
}
