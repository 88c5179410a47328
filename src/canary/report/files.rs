//! Which file a report speaks of. Runners write paths absolute, relative to their package, or with
//! backslashes; the config names them relative to the tree.

/// Whether the path in a report is the file that the config names.
///
/// Whole components are compared, from the end. A path that is longer than the config's may have
/// anything before it, as an absolute one has. One that is shorter has to be relative, and be all of
/// the config's end: the runner was started further down in the tree.
pub(super) fn is_same(reported: &str, demanded: &str) -> bool {
    let (reported, demanded) = (Path::of(reported), Path::of(demanded));
    let (r, d) = (&reported.components, &demanded.components);
    if r.len() < d.len() {
        return !reported.absolute && !r.is_empty() && d.ends_with(r);
    }
    // What lies in an installed package is not the tree's own.
    !d.is_empty() && r.ends_with(d) && !r[..r.len() - d.len()].contains(&"node_modules")
}

/// The last component: how people call the file.
pub(super) fn short(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

/// Whether the name of a suite is that of a file.
pub(super) fn looks_like_file(name: &str) -> bool {
    let Some((stem, extension)) = short(name).rsplit_once('.') else { return false };
    let script = ["ts", "js", "mts", "mjs", "cts", "cjs", "tsx", "jsx"].contains(&extension);
    let any = (1..=5).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && name.contains(['/', '\\']);
    !stem.is_empty() && !name.contains(char::is_whitespace) && (script || any)
}

struct Path<'a> {
    absolute: bool,
    components: Vec<&'a str>,
}

impl<'a> Path<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.strip_prefix("file://").unwrap_or(text);
        let drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
        let mut components = Vec::new();
        for part in text[if drive { 2 } else { 0 }..].split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => _ = components.pop(),
                part => components.push(part),
            }
        }
        Self { absolute: drive || text.starts_with(['/', '\\']), components }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDED: &str = "packages/sdk/tests/integration/contract.test.ts";

    #[test]
    fn paths_are_compared_from_the_end() {
        for (reported, same) in [
            (DEMANDED, true),
            ("./packages/sdk/tests/integration/contract.test.ts", true),
            ("/var/lib/canary/7/tree/packages/sdk/tests/integration/contract.test.ts", true),
            ("file:///tree/packages/sdk/tests/integration/contract.test.ts", true),
            (r"C:\tree\packages\sdk\tests\integration\contract.test.ts", true),
            ("tests/integration/contract.test.ts", true),
            (r"tests\integration\contract.test.ts", true),
            ("../sdk/tests/integration/contract.test.ts", true),
            ("contract.test.ts", true),
            // Elsewhere in the tree, or not in it.
            ("/tree/packages/hub/tests/integration/contract.test.ts", false),
            ("packages/hub/tests/integration/contract.test.ts", false),
            ("/tests/integration/contract.test.ts", false),
            (r"D:\contract.test.ts", false),
            ("/tree/node_modules/x/packages/sdk/tests/integration/contract.test.ts", false),
            // Not whole components.
            ("/tree/packages/sdk/tests/integration/other-contract.test.ts", false),
            ("/tree/my-packages/sdk/tests/integration/contract.test.ts", false),
            ("integration/contract.test.tsx", false),
            ("n/contract.test.ts", false),
            ("", false),
            ("/", false),
            ("..", false),
        ] {
            assert_eq!(is_same(reported, DEMANDED), same, "{reported}");
        }
        assert!(!is_same("anything", "") && !is_same("", ""));
        assert!(is_same("tests/a.test.ts", "./tests//a.test.ts"));
    }

    #[test]
    fn a_file_is_told_from_a_sentence() {
        for (name, file) in [
            ("a.test.ts", true),
            ("tests/integration/a.test.ts", true),
            (r"tests\test_a.py", true),
            ("answers with 200.", false),
            ("reads a.json", false),
            ("v1.2", false),
            ("a/b", false),
            (".ts", false),
            ("", false),
        ] {
            assert_eq!(looks_like_file(name), file, "{name}");
        }
    }
}
