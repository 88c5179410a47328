//! What it means that a test file failed outside its tests.
//!
//! A contract file that no longer loads against the new package is a broken contract; one that does
//! not load because the install is incomplete, or whose set-up found no engine, says nothing about
//! it. Only the message tells the two apart. So the words that JavaScript's engines and bundlers
//! have for a name that a module *which was found* does not give are taken as a broken contract, and
//! whatever else is told is inconclusive: a wrong word here costs a second look, a wrong guess in
//! the other direction would blame the release.

/// Whether the message says that a module was found and lacks what the file wants of it.
pub(super) fn shows_a_broken_contract(message: &str) -> bool {
    let message = message.to_lowercase();
    // Node and V8; then bundlers, for ES modules; then package.json's `exports`.
    [
        "is not a function",
        "is not a constructor",
        "does not provide an export named",
        "no matching export in",
        "is not exported by",
        "is not defined by \"exports\"",
        "is not exported under the condition",
    ]
    .iter()
    .any(|sign| message.contains(sign))
        || (message.contains("missing \"./") && message.contains("specifier in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_told_from_a_missing_module() {
        for (message, broken) in [
            ("gone is not a function", true),
            ("TypeError: connector.Peer is not a constructor", true),
            ("Class extends value undefined is not a constructor or null", true),
            ("The requested module 'x' does not provide an export named 'gone'", true),
            ("No matching export in \"x/index.js\" for import \"gone\"", true),
            ("\"gone\" is not exported by \"x/index.js\", imported by \"a.ts\"", true),
            ("Package subpath './admin' is not defined by \"exports\" in /t/package.json", true),
            ("Missing \"./admin\" specifier in \"x\" package", true),
            ("Failed to load url x (resolved id: x) in /t/a.test.ts. Does the file exist?", false),
            ("Cannot find module 'x' from 't/a.test.js'", false),
            ("Cannot find package 'x' imported from /t/a.test.ts", false),
            ("Failed to resolve entry for package \"x\"", false),
            ("connect ECONNREFUSED 127.0.0.1:2375", false),
            ("Transform failed with 1 error: a.test.ts:2:23: ERROR: Unexpected \"}\"", false),
            ("No test suite found in file /t/a.test.ts", false),
            ("Hook timed out in 10000ms.", false),
            ("", false),
        ] {
            assert_eq!(shows_a_broken_contract(message), broken, "{message}");
        }
    }
}
