//! Tables as Markdown: readable on a terminal, and as they are in docs/performance.md.

/// A table with aligned columns: the first to the left, the others to the right.
pub(crate) fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count(), 3]).max().unwrap_or(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut out = line(&head, &widths);
    let rule = widths.iter().enumerate().map(|(column, width)| {
        if column == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width - 1)) }
    });
    out += &line(&rule.collect::<Vec<_>>(), &widths);
    rows.iter().fold(out, |out, row| out + &line(row, &widths))
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).enumerate().map(|(column, (cell, &width))| {
        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    });
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let table = markdown(&["tool", "MB/s"], &[vec!["rclone".into(), "5".into()]]);
        assert_eq!(table, "| tool   | MB/s |\n| ------ | ---: |\n| rclone |    5 |\n");
    }
}
