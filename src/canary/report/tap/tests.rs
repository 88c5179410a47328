use crate::canary::report::{Format, Report, ReportError, TestOutcome, parse};

fn read(tap: &str) -> Report {
    parse(Format::Tap, tap.as_bytes()).unwrap()
}

/// Each test as `file: name = outcome`, then each broken file as `file! message`.
fn told(tap: &str) -> Vec<String> {
    let report = read(tap);
    assert_eq!(report.incomplete, None, "{tap}");
    let tests = report.tests.into_iter().map(|test| {
        let outcome = match test.outcome {
            TestOutcome::Passed => "passed".to_owned(),
            TestOutcome::Skipped => "skipped".to_owned(),
            TestOutcome::Failed { message } => format!("failed ({message})"),
        };
        format!("{}: {} = {outcome}", test.file.unwrap_or_default(), test.name)
    });
    let broken = report.broken_files.into_iter().map(|it| format!("{}! {}", it.file, it.message));
    tests.chain(broken).collect()
}

#[test]
fn vitest_nests_in_braces() {
    let tap = r#"TAP version 13
1..4
not ok 1 - t/a.test.ts # time=9.00ms {
    1..2
    not ok 1 - outer & <x> # time=9.00ms {
        1..5
        ok 1 - passes # time=1.00ms
        ok 2 - skipped one # SKIP
        ok 3 - later # TODO
        ok 4 - issue #12 # time=0.00ms
        not ok 5 - fails # time=6.00ms
            ---
            error:
                name: "AssertionError"
                message: "msg: expected { a: 1 }"
            at: "/t/a.test.ts:7:79"
            actual: "Object {
  \"a\": 1,
ok 7 - no test
}"
            ...
    }
    ok 2 - empty suite # time=0.00ms {
    }
}
ok 2 - t/skipped.test.ts # SKIP {
    1..1
    ok 1 - s {
        1..1
        ok 1 - a
    }
}
not ok 3 - t/import.test.ts
    ---
    error:
        name: "Error"
        message: "Failed to load url x"
    ...
not ok 4 - t/clean-up.test.ts {
    1..1
    ok 1 - a
}
"#;
    assert_eq!(
        told(tap),
        [
            "t/a.test.ts: outer & <x> > passes = passed",
            "t/a.test.ts: outer & <x> > skipped one = skipped",
            "t/a.test.ts: outer & <x> > later = skipped",
            "t/a.test.ts: outer & <x> > issue #12 = passed",
            "t/a.test.ts: outer & <x> > fails = failed (msg: expected { a: 1 })",
            "t/skipped.test.ts: s > a = skipped",
            "t/clean-up.test.ts: a = passed",
            "t/import.test.ts! Failed to load url x",
            "t/clean-up.test.ts! ",
        ]
    );
}

#[test]
fn flat_names_begin_with_the_file() {
    let tap = "TAP version 13\n1..4\nok 1 - t/a.test.ts > s > a # time=1.00ms\n\
                   ok 2 - t/a.test.ts > s > b # SKIP\nnot ok 3 - t/b.test.ts\nok 4 - x > y\n";
    assert_eq!(
        told(tap),
        [
            "t/a.test.ts: s > a = passed",
            "t/a.test.ts: s > b = skipped",
            ": x > y = passed",
            "t/b.test.ts! "
        ]
    );
}

#[test]
fn subtests_may_stand_before_their_point() {
    // Node's runner, and version 14.
    let tap = r"> connector@1.0.0 test
TAP version 14
# Subtest: s \# x
    # Subtest: a
    ok 1 - a
      ---
      duration_ms: 0.5
      ...
    # Subtest: bad
    not ok 2 - bad
      ---
      failureType: 'testCodeFailure'
      error: |-
        Expected values to be equal:
        1 !== 2
      stack: |-
        Test.run (node:internal/test_runner/test:796:25)
      ...
    not ok 3 - todo failing # TODO later
    1..3
not ok 1 - s \# x
  ---
  error: '1 subtest failed'
  ...
ok
    1..0
ok 3 - an empty one
1..3
# pass 2
";
    assert_eq!(
        told(tap),
        [
            ": s # x > a = passed",
            ": s # x > bad = failed (Expected values to be equal:)",
            ": s # x > todo failing = skipped",
            ":  = passed",
        ]
    );
}

#[test]
fn a_report_that_is_not_whole_says_so() {
    for (tap, why) in [
        ("TAP version 13\n1..2\nok 1\n", "2 test points were planned, and 1 are told"),
        ("1..1\nok 1\nok 2\n", "1 test points were planned, and 2 are told"),
        ("ok 1\nok 2\n", "a plan is missing"),
        ("TAP version 13\n", "a plan is missing"),
        ("1..1\nok 1 - a {\n  1..2\n  ok 1\n}\n", "2 test points were planned"),
        ("1..1\nok 1 - a {\n  ok 1\n", "a plan is missing"),
        ("    1..1\n    ok 1\n1..0\n", "without their test point"),
        ("1..2\nok 1\nBail out! no engine\nok 2\n", "bailed out: no engine"),
        ("1..2\nok 1\n  ---\n  message: cut off\n", "2 test points were planned"),
        ("1..99999999999999999999\nok 1\n", "a plan is missing"),
    ] {
        let incomplete = read(tap).incomplete.unwrap_or_default();
        assert!(incomplete.contains(why), "{tap}: {incomplete}");
    }
    let most = usize::MAX;
    assert!(read(&format!("0..{most}\nok\n")).incomplete.is_some());
    assert_eq!(read("1..0 # SKIP nothing to do\n"), Report::default());
}

#[test]
fn what_is_no_report_is_refused() {
    let deep: String = (0..100).map(|n| " ".repeat(n) + "ok\n").collect();
    for tap in ["", "okay\nnotok\n", "<testsuites/>", "{}", &deep] {
        let read = parse(Format::Tap, tap.as_bytes());
        assert!(matches!(read, Err(ReportError::Malformed { format: "tap", .. })), "{tap:.40}");
    }
    assert!(parse(Format::Tap, b"1..1\nok 1 - \xff\n").is_err());
    let many = "ok\n".repeat(super::MAX_TESTS + 1);
    assert_eq!(parse(Format::Tap, many.as_bytes()), Err(ReportError::TooMany));
    let hashes = format!("1..1\nok 1 - {}\n", "#".repeat(1_000_000));
    assert_eq!(read(&hashes).tests.len(), 1);
}
