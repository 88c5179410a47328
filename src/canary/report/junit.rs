//! `JUnit` XML, as far as its many writers agree.
//!
//! It is read as a stream: no tree is built, a document type is refused, and no entity but XML's own
//! five is known, so that a report cannot ask for more time or memory than its size.
//!
//! A writer that gives no file names (`jest-junit`, as it comes) cannot satisfy a demand for a file.
//! Vitest writes the tests that a failed set-up kept from running as if they had passed, and the
//! failure as a test with the name of the suite; here they count as not executed.

use super::{BrokenFile, Format, MAX_TESTS, Report, ReportError, Test, TestOutcome, files, text};
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use std::collections::BTreeSet;

/// How deeply elements may stand in each other.
const MAX_DEPTH: usize = 64;
/// How much of a failure's text is collected before it is cut down, in bytes.
const MAX_RAW: usize = 16 * 1024;
/// What Vitest and others put between the suites of a name.
const WITHIN: &str = " > ";

pub(super) fn parse(xml: &str) -> Result<Report, ReportError> {
    let mut reader = Reader::from_str(xml);
    let mut open = Open::default();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(tag) => open.start(&tag)?,
            Event::Empty(tag) => {
                open.start(&tag)?;
                open.end()?;
            }
            Event::End(_) => open.end()?,
            Event::Text(text) => open.text(&text.xml10_content()),
            Event::CData(text) => open.text(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().map_err(malformed)?;
                let known = resolve_predefined_entity(&entity);
                match (character, known) {
                    (Some(character), _) => open.text(character.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => open.text(known),
                    (None, None) => return Err(malformed("an entity that is not XML's own")),
                }
            }
            Event::DocType(_) => return Err(malformed("a document type is not accepted")),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    open.finish()
}

fn malformed(why: impl std::fmt::Display) -> ReportError {
    ReportError::malformed(Format::Junit, why)
}

/// An element that was not closed yet.
enum Element {
    Suite(Suite),
    Case(Case),
    /// A failure or an error: what it says, and whether its text is passed over, because its
    /// attribute said it.
    Failure(String, bool),
    /// What says nothing of an outcome.
    Other,
}

#[derive(Default)]
struct Suite {
    name: String,
    file: Option<String>,
    /// The number of tests before it.
    first: usize,
    /// Whether other suites stand in it.
    outer: bool,
}

struct Case {
    file: Option<String>,
    name: String,
    skipped: bool,
    todo: bool,
    failure: Option<String>,
}

/// The elements that are open, and what was read so far.
#[derive(Default)]
struct Open {
    elements: Vec<Element>,
    /// Whether there was an outermost element, and whether it was a report's.
    seen_root: bool,
    report: Report,
}

impl Open {
    fn start(&mut self, tag: &BytesStart) -> Result<(), ReportError> {
        if self.elements.len() >= MAX_DEPTH {
            return Err(malformed(format!("elements are more than {MAX_DEPTH} deep")));
        }
        if self.report.tests.len() > MAX_TESTS {
            return Err(ReportError::TooMany);
        }
        let local = tag.local_name();
        let name: &str = local.as_ref();
        if self.elements.is_empty() {
            if self.seen_root || !["testsuites", "testsuite"].contains(&name) {
                return Err(malformed(format!("<{name}> is not where a report begins")));
            }
            self.seen_root = true;
        }
        let attributes = Attributes::of(tag)?;
        let element = match (name, self.elements.last_mut()) {
            ("testsuites" | "testsuite", outer @ (None | Some(Element::Suite(_)))) => {
                if let Some(Element::Suite(suite)) = outer {
                    suite.outer = true;
                }
                Element::Suite(self.suite(attributes))
            }
            ("testcase", Some(Element::Suite(_))) => Element::Case(self.case(attributes)),
            ("failure" | "error", Some(Element::Case(_) | Element::Suite(_))) => {
                let told = attributes.message.is_some();
                Element::Failure(attributes.message.unwrap_or_default(), told)
            }
            ("skipped", Some(Element::Case(case))) => {
                case.skipped = true;
                case.todo |= attributes.kind.as_deref() == Some("todo");
                Element::Other
            }
            _ => Element::Other,
        };
        self.elements.push(element);
        Ok(())
    }

    fn suite(&self, attributes: Attributes) -> Suite {
        let outer = self.innermost_suite();
        let name = attributes.name.unwrap_or_default();
        let named = files::looks_like_file(&name).then(|| name.clone());
        let file = attributes.file.or(named).or_else(|| outer.and_then(|it| it.file.clone()));
        Suite { name, file, first: self.report.tests.len(), outer: false }
    }

    fn case(&self, attributes: Attributes) -> Case {
        let suite = self.innermost_suite().and_then(|suite| suite.file.clone());
        let class = attributes.class.filter(|class| files::looks_like_file(class));
        // Google's writer says it in an attribute.
        let skipped = ["notrun", "skipped", "disabled", "suppressed"];
        let not_run = |it: &Option<String>| it.as_deref().is_some_and(|it| skipped.contains(&it));
        Case {
            file: attributes.file.or(class).or(suite),
            name: attributes.name.unwrap_or_default(),
            skipped: not_run(&attributes.status) || not_run(&attributes.result),
            todo: false,
            failure: None,
        }
    }

    fn innermost_suite(&self) -> Option<&Suite> {
        self.elements.iter().rev().find_map(|element| match element {
            Element::Suite(suite) => Some(suite),
            Element::Case(_) | Element::Failure(..) | Element::Other => None,
        })
    }

    fn text(&mut self, text: &str) {
        if let Some(Element::Failure(said, false)) = self.elements.last_mut()
            && said.len() < MAX_RAW
        {
            said.push_str(text);
        }
    }

    fn end(&mut self) -> Result<(), ReportError> {
        match self.elements.pop().ok_or_else(|| malformed("an end without a beginning"))? {
            Element::Suite(suite) => self.end_suite(&suite),
            Element::Case(case) => self.report.tests.push(case.test()),
            Element::Failure(said, _) => match self.elements.last_mut() {
                Some(Element::Case(case)) => {
                    case.failure.get_or_insert_with(|| text::message(&said));
                }
                Some(Element::Suite(suite)) => {
                    let file = suite.file.as_deref().unwrap_or(&suite.name);
                    let broken =
                        BrokenFile { file: text::name(file), message: text::message(&said) };
                    self.report.broken_files.push(broken);
                }
                Some(Element::Failure(..) | Element::Other) | None => {}
            },
            Element::Other => {}
        }
        Ok(())
    }

    /// Tells the failures of a suite, which are written as tests, from those of its tests.
    fn end_suite(&mut self, suite: &Suite) {
        if suite.outer {
            return;
        }
        let tests = self.report.tests.split_off(suite.first.min(self.report.tests.len()));
        let file = suite.file.as_deref().map(text::name);
        let broken = broken_suites(&tests, file.as_deref());
        for mut test in tests {
            let mut around = outer_names(&test.name).chain(file.as_deref());
            let not_reached = around.any(|name| broken.contains(name));
            drop(around);
            match test.outcome {
                TestOutcome::Failed { message } if broken.contains(&test.name) => {
                    let file = test.file.or_else(|| file.clone()).unwrap_or(test.name);
                    self.report.broken_files.push(BrokenFile { file, message });
                    continue;
                }
                TestOutcome::Passed if not_reached => test.outcome = TestOutcome::Skipped,
                TestOutcome::Passed | TestOutcome::Failed { .. } | TestOutcome::Skipped => {}
            }
            self.report.tests.push(test);
        }
    }

    fn finish(self) -> Result<Report, ReportError> {
        if !self.seen_root || !self.elements.is_empty() {
            return Err(malformed("it ends too early"));
        }
        Ok(self.report)
    }
}

impl Case {
    fn test(self) -> Test {
        let outcome = match self.failure {
            // A test that is still to do may fail.
            Some(message) if !self.todo => TestOutcome::Failed { message },
            None if !self.skipped => TestOutcome::Passed,
            Some(_) | None => TestOutcome::Skipped,
        };
        let file = self.file.as_deref().map(text::name);
        Test { file, name: text::name(&self.name), outcome }
    }
}

/// The failed "tests" that have the name of the file, or of a suite that other tests stand in.
fn broken_suites(tests: &[Test], file: Option<&str>) -> BTreeSet<String> {
    let failed = tests.iter().filter(|test| matches!(test.outcome, TestOutcome::Failed { .. }));
    let failed: BTreeSet<&str> = failed.map(|test| test.name.as_str()).collect();
    let suites = tests.iter().flat_map(|test| outer_names(&test.name)).chain(file);
    suites.filter(|name| failed.contains(name)).map(str::to_owned).collect()
}

/// `a` and `a > b` of `a > b > c`.
fn outer_names(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(WITHIN).map(|(end, _)| &name[..end])
}

/// The attributes that say something. Others are passed over, however many there are.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    class: Option<String>,
    file: Option<String>,
    message: Option<String>,
    kind: Option<String>,
    status: Option<String>,
    result: Option<String>,
}

impl Attributes {
    fn of(tag: &BytesStart) -> Result<Self, ReportError> {
        let mut found = Self::default();
        // Not held to be unique: that takes the square of their number.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(malformed)?;
            let place = match attribute.key.as_ref() {
                "name" => &mut found.name,
                "classname" => &mut found.class,
                "file" => &mut found.file,
                "message" => &mut found.message,
                "type" => &mut found.kind,
                "status" => &mut found.status,
                "result" => &mut found.result,
                _ => continue,
            };
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
            *place = Some(value.into_owned()).filter(|value| !value.trim().is_empty());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, MAX_TESTS, Report, ReportError, TestOutcome, parse};

    fn read(xml: &str) -> Report {
        parse(Format::Junit, xml.as_bytes()).unwrap()
    }

    /// Each test as `file: name = outcome`, then each broken file as `file! message`.
    fn told(xml: &str) -> Vec<String> {
        let report = read(xml);
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
    fn each_writer_is_understood() {
        for (xml, expected) in [
            // Vitest: the class is the file.
            (
                r#"<?xml version="1.0" encoding="UTF-8" ?>
                <testsuites name="vitest tests" tests="3"><testsuite name="t/a.test.ts">
                  <testcase classname="t/a.test.ts" name="s &gt; each 2" time="0">
                  </testcase>
                  <testcase classname="t/a.test.ts" name="s &gt; each 2" time="0"/>
                  <testcase classname="t/a.test.ts" name="s &gt; b"><failure message="1 &lt; 2">
AssertionError: 1 &lt; 2
 ❯ t/a.test.ts:7:79</failure></testcase>
                  <testcase classname="t/a.test.ts" name="later"><skipped/></testcase>
                </testsuite></testsuites>"#,
                &[
                    "t/a.test.ts: s > each 2 = passed",
                    "t/a.test.ts: s > each 2 = passed",
                    "t/a.test.ts: s > b = failed (1 < 2)",
                    "t/a.test.ts: later = skipped",
                ][..],
            ),
            // Suites in suites, with the file in an attribute; CDATA, references, an error.
            (
                "<testsuites><testsuite file='x/a.spec.js' name='A'><testsuite name='B'>\
                 <testcase name='&#x61;&amp;&#98;' classname='A B'><error type='E'>\
                 <![CDATA[<no> ]]>&quot;way&#34;</error></testcase></testsuite>\
                 <testcase name='c'><system-out>noise <![CDATA[<failure/>]]></system-out></testcase>\
                 </testsuite></testsuites>",
                &["x/a.spec.js: a&b = failed (<no> \"way\")", "x/a.spec.js: c = passed"],
            ),
            // Node: a test that is still to do may fail. No file is named.
            (
                r#"<testsuites><testsuite name="s"><testcase name="a" classname="test">
                <skipped type="todo" message="true"/><failure message="1 == 2"/></testcase></testsuite>
                <testcase name="top" classname="test"/></testsuites>"#,
                &[": a = skipped", ": top = passed"],
            ),
            // Surefire's flaky tests passed in the end; Google's do not say so in an element.
            (
                r#"<testsuite name="s"><testcase name="a"><flakyFailure message="m"/></testcase>
                <testcase name="b"><failure/><rerunFailure/></testcase>
                <testcase name="c" status="notrun"/><testcase name="d" result="suppressed"/></testsuite>"#,
                &[": a = passed", ": b = failed ()", ": c = skipped", ": d = skipped"],
            ),
            ("<testsuites/>", &[]),
            ("\u{feff}<testsuite name='empty'></testsuite>", &[]),
            ("<testsuite name='t/a.py'><error message='no x'/></testsuite>", &["t/a.py! no x"]),
        ] {
            assert_eq!(told(xml), expected, "{xml}");
        }
    }

    #[test]
    fn what_a_failed_set_up_kept_from_running_did_not_pass() {
        // As Vitest 1.6 writes it, for a file and for a suite in it.
        let file = r#"<testsuites><testsuite name="t/a.test.ts">
            <testcase classname="t/a.test.ts" name="a"/>
            <testcase classname="t/a.test.ts" name="t/a.test.ts"><failure message="boot failed"/></testcase>
            </testsuite></testsuites>"#;
        assert_eq!(told(file), ["t/a.test.ts: a = skipped", "t/a.test.ts! boot failed"]);
        let suite = r#"<testsuites><testsuite name="t/a.test.ts">
            <testcase classname="t/a.test.ts" name="d &gt; a"/>
            <testcase classname="t/a.test.ts" name="c"/>
            <testcase classname="t/a.test.ts" name="d"><failure message="boot failed"/></testcase>
            </testsuite></testsuites>"#;
        assert_eq!(
            told(suite),
            ["t/a.test.ts: d > a = skipped", "t/a.test.ts: c = passed", "t/a.test.ts! boot failed"]
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let deep = "<testsuite>".repeat(65);
        for (xml, why) in [
            ("", "too early"),
            ("no xml", "too early"),
            ("<testsuites><testsuite name='a'>", "too early"),
            ("<testsuites><testsuite name='a'", ""),
            ("<testsuites></testsuite>", ""),
            ("<testsuites/></testsuites>", ""),
            ("<testsuites/><testsuites/>", "not where a report begins"),
            ("<html><testsuites/></html>", "not where a report begins"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><testsuites/>", "document type"),
            ("<testsuite><testcase><failure>&b;</failure></testcase></testsuite>", "not XML's own"),
            ("<testsuite><testcase name='&b;'/></testsuite>", ""),
            ("<testsuite name='a\u{fffe}", ""),
            (&deep, "deep"),
        ] {
            let Err(ReportError::Malformed { format: "junit", why: told }) =
                parse(Format::Junit, xml.as_bytes())
            else {
                panic!("{xml:.60}")
            };
            assert!(told.contains(why), "{xml:.60}: {told}");
        }
        assert!(parse(Format::Junit, b"<testsuites name='\xff'/>").is_err());
    }

    #[test]
    fn a_hostile_report_takes_no_more_time_than_its_size() {
        let attributes: Vec<String> = (0..100_000).map(|n| format!(" a{n}=''")).collect();
        let attributes = attributes.concat();
        assert_eq!(
            told(&format!("<testsuite><testcase{attributes}/></testsuite>")),
            [":  = passed"]
        );
        let many = format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(MAX_TESTS + 2));
        assert_eq!(parse(Format::Junit, many.as_bytes()), Err(ReportError::TooMany));
        let name = "a &gt; ".repeat(50);
        let failed = format!("<testcase name='{name}'><failure/></testcase>").repeat(20_000);
        assert_eq!(read(&format!("<testsuite>{failed}</testsuite>")).tests.len(), 20_000);
    }
}
