//! Tables for terminals: columns as wide as their widest cell, numbers to the right.

/// A column's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a header.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(header: &[(&'static str, Side)]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The text, with a line break at the end of each line and none of the trailing blanks.
    pub(crate) fn render(&self) -> String {
        let titles: Vec<String> = self.header.iter().map(|(title, _)| (*title).to_owned()).collect();
        let widths = self.widths();
        let mut out = String::new();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let cell = |(index, (_, side)): (usize, &(&str, Side))| {
                let (text, width) = (row.get(index).map_or("", String::as_str), widths[index]);
                match side {
                    Side::Left => format!("{text:<width$}"),
                    Side::Right => format!("{text:>width$}"),
                }
            };
            let line: Vec<String> = self.header.iter().enumerate().map(cell).collect();
            out.push_str(line.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    fn widths(&self) -> Vec<usize> {
        let of = |index: usize| {
            self.rows.iter().filter_map(move |row| Some(row.get(index)?.chars().count())).max()
        };
        self.header.iter().enumerate().map(|(i, (title, _))| of(i).unwrap_or(0).max(title.len())).collect()
    }
}

/// Width of the names at least, so that blocks that follow each other line up.
const NAMES: usize = "destination".len();

/// `name  value` lines with the values in one column.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(NAMES);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}").trim_end().to_owned() + "\n").collect()
}

/// At most `most` characters of the first line, with an ellipsis if there was more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= most && line.len() == text.trim_end().len() {
        return line.to_owned();
    }
    line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Side, Table, cut, pairs};

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let mut table = Table::new(&[("id", Side::Right), ("type", Side::Left), ("detail", Side::Left)]);
        table.row(["1".into(), "ExecutionStarted".into(), String::new()]);
        table.row(["12".into(), "Exited".into(), "ü".into()]);
        let expected = "id  type              detail\n 1  ExecutionStarted\n12  Exited            ü\n";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn pairs_line_up() {
        assert_eq!(pairs(&[("a", "1".into()), ("long", String::new())]), "a            1\nlong\n");
    }

    #[test]
    fn long_text_is_cut_with_a_sign() {
        assert_eq!(
            (cut("short", 5), cut("longer", 5), cut("two\nlines", 9)),
            ("short".into(), "long…".into(), "two…".into())
        );
    }
}
