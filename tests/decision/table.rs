//! Reads the hand-written table. Knows nothing of what the words mean.

use std::cell::Cell;

/// A section of the table.
pub(crate) struct Table {
    name: &'static str,
    rows: Vec<Row>,
}

/// One row: which cases it speaks of, and what it expects.
pub(crate) struct Row {
    line: usize,
    cells: Vec<Vec<&'static str>>,
    /// The right side, cell by cell, as words.
    pub(crate) expected: Vec<Vec<&'static str>>,
    used: Cell<bool>,
}

impl Table {
    /// Reads the section `name`, whose columns take the words of `dimensions`.
    pub(crate) fn read(name: &'static str, dimensions: &[(&str, &[&str])]) -> Self {
        let text: &'static str = include_str!("table.txt");
        let mut rows = Vec::new();
        let mut inside = false;
        let mut header = false;
        for (index, line) in text.lines().enumerate() {
            if let Some(section) = line.strip_prefix("== ") {
                (inside, header) = (section == name, section == name);
            } else if inside && header && !line.starts_with('#') && !line.is_empty() {
                let columns: Vec<&str> =
                    line.split("->").next().unwrap().split_whitespace().collect();
                let known: Vec<&str> = dimensions.iter().map(|(column, _)| *column).collect();
                assert_eq!(columns, known, "the columns of {name}");
                header = false;
            } else if inside && !line.starts_with('#') && !line.is_empty() {
                rows.push(Row::read(index + 1, line, dimensions));
            }
        }
        assert!(!rows.is_empty(), "no section {name}");
        Self { name, rows }
    }

    /// The one row that speaks of this case.
    pub(crate) fn row(&self, case: &[&str]) -> &Row {
        let found: Vec<&Row> = self.rows.iter().filter(|row| row.matches(case)).collect();
        match found[..] {
            [row] => {
                row.used.set(true);
                row
            }
            [] => panic!("{}: no row for {case:?}", self.name),
            [a, b, ..] => {
                panic!("{}: lines {} and {} both speak of {case:?}", self.name, a.line, b.line)
            }
        }
    }

    /// Fails if a row spoke of no case.
    pub(crate) fn assert_all_used(&self) {
        let idle: Vec<usize> =
            self.rows.iter().filter(|row| !row.used.get()).map(|row| row.line).collect();
        assert!(idle.is_empty(), "{}: rows without a case, at lines {idle:?}", self.name);
    }
}

impl Row {
    fn read(line: usize, text: &'static str, dimensions: &[(&str, &[&str])]) -> Self {
        let mut sides = text.split("->");
        let cells: Vec<Vec<&str>> = sides
            .next()
            .unwrap()
            .split_whitespace()
            .map(|cell| cell.split('/').collect())
            .collect();
        assert_eq!(cells.len(), dimensions.len(), "line {line}: number of columns");
        for (cell, (column, words)) in cells.iter().zip(dimensions) {
            for word in cell {
                assert!(*word == "*" || words.contains(word), "line {line}: {column} {word}");
            }
        }
        let expected = sides
            .map(|side| side.split([' ', '/']).filter(|word| !word.is_empty()).collect())
            .collect();
        Self { line, cells, expected, used: Cell::new(false) }
    }

    fn matches(&self, case: &[&str]) -> bool {
        assert_eq!(case.len(), self.cells.len());
        self.cells.iter().zip(case).all(|(cell, word)| cell[..] == ["*"] || cell.contains(word))
    }

    /// The line of the table, for a failure's text.
    pub(crate) const fn line(&self) -> usize {
        self.line
    }
}

/// Every combination of the dimensions' words, in the order of the dimensions.
pub(crate) fn product<'a>(dimensions: &[(&str, &'a [&'a str])]) -> Vec<Vec<&'a str>> {
    dimensions.iter().fold(vec![Vec::new()], |cases, (_, words)| {
        cases
            .iter()
            .flat_map(|case| words.iter().map(|word| [&case[..], &[*word]].concat()))
            .collect()
    })
}
