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
mod tests;
