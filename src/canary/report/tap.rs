//! The Test Anything Protocol, versions 13 and 14, with its two forms of subtests: by indentation
//! before the test point that sums them up, and, as Vitest writes them, in braces after it.
//!
//! Only the innermost test points are tests. A file is known if an outer test point, or the first
//! part of a flat name, is one. A test that is still to do counts for nothing, whatever became of
//! it. A level whose plan is missing or promises another number of points makes the report
//! incomplete, and so does `Bail out!`. Vitest writes no more than `not ok` for a test that a failed
//! set-up kept from running: it cannot be told from a failure.

use super::{BrokenFile, Format, MAX_TESTS, Report, ReportError, Test, TestOutcome, files, text};

/// How deeply levels may stand in each other.
const MAX_DEPTH: usize = 64;
/// What Vitest puts between the suites of a flat name.
const WITHIN: &str = " > ";

pub(super) fn parse(tap: &str) -> Result<Report, ReportError> {
    let mut reader = Reader { levels: vec![Level::default()], ..Reader::default() };
    let mut lines = tap.lines();
    while let Some(line) = lines.next() {
        let said = line.trim_start();
        let indent = line.len() - said.len();
        if said == "---" {
            // To the end of the block, which stands as far to the right as its beginning.
            let block = lines.by_ref().take_while(|line| {
                line.trim() != "..." || line.len() - line.trim_start().len() != indent
            });
            reader.diagnose(block);
        } else {
            reader.line(indent, said.trim_end())?;
        }
    }
    reader.finish()
}

/// A test point with what stands in it.
#[derive(Default)]
struct Point {
    ok: bool,
    name: String,
    /// Skipped, or still to do.
    set_aside: bool,
    message: String,
    inner: Vec<Point>,
    /// It sums up a level, be that empty, and is no test itself.
    suite: bool,
}

/// The points of one indentation.
#[derive(Default)]
struct Level {
    indent: usize,
    /// Whether it stands in braces after its point, and not before it.
    braces: bool,
    points: Vec<Point>,
    plan: Option<usize>,
    /// The points of the level that ended last, whose own point comes next.
    waiting: Vec<Point>,
    /// Whether such a level ended, be it empty.
    waited_for: bool,
}

#[derive(Default)]
struct Reader {
    /// The outermost first; never empty.
    levels: Vec<Level>,
    /// Whether the last point opened a brace.
    opened: bool,
    count: usize,
    incomplete: Option<String>,
    bailed_out: bool,
    versioned: bool,
}

impl Reader {
    fn line(&mut self, indent: usize, said: &str) -> Result<(), ReportError> {
        if self.bailed_out {
            return Ok(());
        }
        if said.starts_with("TAP version 1") {
            self.versioned = true;
        } else if let Some(why) = said.strip_prefix("Bail out!") {
            self.bailed_out = true;
            self.doubt(format!("the runner bailed out: {}", text::message(why)));
        } else if let Some(plan) = plan(said) {
            let level = self.level_at(indent)?;
            level.plan = Some(level.plan.map_or(plan, |before| before.max(plan)));
        } else if let Some((point, opens)) = point(said) {
            self.count += 1;
            if self.count > MAX_TESTS {
                return Err(ReportError::TooMany);
            }
            let level = self.level_at(indent)?;
            let inner = std::mem::take(&mut level.waiting);
            let suite = std::mem::take(&mut level.waited_for) || opens;
            level.points.push(Point { inner, suite, ..point });
            self.opened = opens;
        } else if said == "}" {
            self.close_brace(indent);
        }
        Ok(())
    }

    /// What a block says of the point before it.
    fn diagnose<'a>(&mut self, block: impl Iterator<Item = &'a str>) {
        let message = diagnosis(block);
        if let Some(point) = self.levels.last_mut().and_then(|level| level.points.last_mut()) {
            point.message = message;
        }
    }

    /// The level of that indentation, after those that stand deeper were ended.
    fn level_at(&mut self, indent: usize) -> Result<&mut Level, ReportError> {
        while self.levels.len() > 1 && self.deepest() > indent {
            self.end_level();
        }
        if indent > self.deepest() {
            if self.levels.len() >= MAX_DEPTH {
                let why = format!("subtests are more than {MAX_DEPTH} deep");
                return Err(ReportError::malformed(Format::Tap, why));
            }
            self.levels.push(Level { indent, braces: self.opened, ..Level::default() });
        }
        self.opened = false;
        let none = || ReportError::malformed(Format::Tap, "no level");
        self.levels.last_mut().ok_or_else(none)
    }

    fn deepest(&self) -> usize {
        self.levels.last().map_or(0, |level| level.indent)
    }

    fn close_brace(&mut self, indent: usize) {
        self.opened = false;
        // Braces that are no report's are passed over, like all that is not understood.
        while let [.., outer, inner] = &self.levels[..]
            && inner.braces
            && outer.indent >= indent
        {
            self.end_level();
        }
    }

    fn end_level(&mut self) {
        if self.levels.len() < 2 {
            return;
        }
        let Some(level) = self.levels.pop() else { return };
        self.check(&level);
        let Some(outer) = self.levels.last_mut() else { return };
        let told = if let Some(point) = outer.points.last_mut().filter(|_| level.braces) {
            &mut point.inner
        } else {
            outer.waited_for = true;
            &mut outer.waiting
        };
        told.extend(level.points);
        told.extend(level.waiting);
    }

    fn check(&mut self, level: &Level) {
        let there = level.points.len();
        match level.plan {
            None => self.doubt("a plan is missing".to_owned()),
            Some(planned) if planned != there => {
                self.doubt(format!("{planned} test points were planned, and {there} are told"));
            }
            Some(_) => {}
        }
        if level.waited_for {
            self.doubt("subtests end without their test point".to_owned());
        }
    }

    fn doubt(&mut self, why: String) {
        self.incomplete.get_or_insert(why);
    }

    fn finish(mut self) -> Result<Report, ReportError> {
        while self.levels.len() > 1 {
            self.end_level();
        }
        let level = self.levels.pop().unwrap_or_default();
        if level.points.is_empty() && level.plan.is_none() && !self.versioned && !self.bailed_out {
            return Err(ReportError::malformed(
                Format::Tap,
                "it has neither version, plan nor points",
            ));
        }
        self.check(&level);
        let mut report = Report { incomplete: self.incomplete.take(), ..Report::default() };
        for point in level.points.into_iter().chain(level.waiting) {
            tell(point, &Outer::default(), &mut report);
        }
        Ok(report)
    }
}

/// The points around one.
#[derive(Default, Clone)]
struct Outer {
    file: Option<String>,
    names: Vec<String>,
    set_aside: bool,
}

/// Adds what a point says to the report. It is as deep as levels are.
fn tell(point: Point, outer: &Outer, report: &mut Report) {
    let set_aside = outer.set_aside || point.set_aside;
    let outermost = outer.file.is_none() && outer.names.is_empty();
    if point.suite {
        let mut within = Outer { set_aside, ..outer.clone() };
        if outermost && files::looks_like_file(&point.name) {
            within.file = Some(text::name(&point.name));
        } else {
            within.names.push(point.name.clone());
        }
        let before = (report.tests.len(), report.broken_files.len());
        for inner in point.inner {
            tell(inner, &within, report);
        }
        let explained = report.broken_files.len() > before.1
            || report.tests[before.0..]
                .iter()
                .any(|it| matches!(it.outcome, TestOutcome::Failed { .. }));
        if !point.ok && !set_aside && !explained {
            let file = within.file.unwrap_or_else(|| text::name(&point.name));
            report.broken_files.push(BrokenFile { file, message: point.message });
        }
        return;
    }
    let (flat, rest) = point.name.split_once(WITHIN).unwrap_or((&point.name, ""));
    let is_file = outermost && files::looks_like_file(flat);
    if is_file && rest.is_empty() {
        // A file without tests: nothing, unless it broke.
        if !point.ok && !set_aside {
            let file = text::name(flat);
            report.broken_files.push(BrokenFile { file, message: point.message });
        }
        return;
    }
    let file = if is_file { Some(text::name(flat)) } else { outer.file.clone() };
    let own = if is_file { rest } else { &point.name };
    let names: Vec<&str> = outer.names.iter().map(String::as_str).chain([own]).collect();
    let outcome = match point.ok {
        _ if set_aside => TestOutcome::Skipped,
        true => TestOutcome::Passed,
        false => TestOutcome::Failed { message: point.message },
    };
    report.tests.push(Test { file, name: text::name(&names.join(WITHIN)), outcome });
}

/// How many points `1..4` promises.
fn plan(said: &str) -> Option<usize> {
    let (first, rest) = said.split_once("..")?;
    let last = rest.split([' ', '#']).next()?;
    let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
    Some(last.saturating_add(1).saturating_sub(first))
}

/// Reads `not ok 4 - its name # SKIP why`, and whether a brace opens at its end.
fn point(said: &str) -> Option<(Point, bool)> {
    let (ok, rest) = match said.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, said.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    let (rest, opens) = rest.strip_suffix(" {").map_or((rest, false), |rest| (rest, true));
    let (name, set_aside) = directive(rest);
    let name = name.replace("\\#", "#").replace("\\\\", "\\");
    Some((Point { ok, name: name.trim().to_owned(), set_aside, ..Point::default() }, opens))
}

/// The description without its directive, and whether that sets the test aside.
fn directive(text: &str) -> (&str, bool) {
    for (at, _) in text.match_indices('#') {
        let escaped = text[..at].ends_with('\\');
        let apart = at == 0 || text[..at].ends_with(char::is_whitespace);
        let rest = text[at + 1..].trim_start_matches(' ').as_bytes();
        let is = |word: &str| {
            rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()))
        };
        let set_aside = is("skip") || is("todo");
        if !escaped && apart && (set_aside || is("time=")) {
            return (&text[..at], set_aside);
        }
    }
    (text, false)
}

/// What a block of YAML says that went wrong: its `message`, or else its `error`. It is not read as
/// YAML: Vitest's is none, since its texts run over several lines as they are.
fn diagnosis<'a>(block: impl Iterator<Item = &'a str>) -> String {
    let mut found = [None, None];
    let mut below = None;
    for line in block {
        let line = line.trim();
        let key = ["message:", "error:"].iter().position(|key| line.starts_with(key));
        let said = match key {
            Some(_) => line.split_once(':').map_or("", |(_, said)| said.trim()),
            None => line,
        };
        let Some(place) = key.or(below.take()).filter(|place| found[*place].is_none()) else {
            continue;
        };
        if ["|", "|-", ">", ">-"].contains(&said) {
            below = Some(place);
        } else if !said.is_empty() {
            found[place] = Some(text::message(said.trim_matches(['"', '\''])));
        }
    }
    let [message, error] = found;
    message.or(error).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Report, ReportError, TestOutcome, parse};

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
        let broken =
            report.broken_files.into_iter().map(|it| format!("{}! {}", it.file, it.message));
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
}
