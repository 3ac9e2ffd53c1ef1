//! Single cells: 截止日期, 填报单位, 填报人.

use super::super::grid::{Grid, cell_name};
use super::super::mapping::Single;

/// Labels and what follows them.
const LABELS: [(&str, &str); 12] = [
    ("截止日期", "{date}"),
    ("截至日期", "{date}"),
    ("数据截至", "{date}"),
    ("截止时间", "{date}"),
    ("截至时间", "{date}"),
    ("填报日期", "{date}"),
    ("填报单位", "{unit}"),
    ("填表单位", "{unit}"),
    ("单位名称", "{unit}"),
    ("填报人", "{person}"),
    ("填表人", "{person}"),
    ("制表人", "{person}"),
];

pub(super) fn read(grid: &Grid, body: u32, data: &[u32]) -> Vec<Single> {
    let last = data.last().copied().unwrap_or(body);
    let mut found = Vec::new();
    for (at, cell) in &grid.cells {
        if (at.0 >= body && at.0 <= last) || cell.formula.is_some() || cell.text.trim().is_empty() {
            continue;
        }
        let (text, open) = filled(&cell.text);
        if text != cell.text {
            found.push(Single { cell: cell_name(*at), text });
        } else if let Some(word) = open {
            // The label stands alone: its value belongs right of it, past the merge.
            let end = grid.merges.iter().find(|m| m.holds(*at)).map_or(at.1, |m| m.right);
            let next = (at.0, end + 1);
            if grid.shown(next).trim().is_empty() && !grid.is_formula(next) {
                found.push(Single { cell: cell_name(next), text: word.to_owned() });
            }
        }
    }
    found
}

/// A row of labels such as 填报单位 … 单位：万元 is no heading.
pub(super) fn is_line_of_labels(grid: &Grid, row: u32) -> bool {
    (1..=grid.size.1).any(|c| {
        let text: String = grid.text((row, c)).split_whitespace().collect();
        LABELS.iter().any(|(l, _)| text.starts_with(l))
            || text.starts_with("单位:")
            || text.starts_with("单位：")
    })
}

/// The text with blanks after its labels filled in, or the word for a label that stands alone.
fn filled(text: &str) -> (String, Option<&'static str>) {
    let mut out = text.to_owned();
    for (label, word) in LABELS {
        let Some(from) = out.find(label) else { continue };
        let mut end = from + label.len();
        // (盖章), (签字)
        for (open, close) in [('（', '）'), ('(', ')')] {
            if out[end..].starts_with(open)
                && let Some(n) = out[end..].find(close)
            {
                end += n + close.len_utf8();
            }
        }
        let rest = &out[end..];
        let Some(colon) = rest.chars().next().filter(|c| matches!(c, ':' | '：')) else {
            if rest.trim().is_empty() && text.trim().starts_with(label) {
                return (out, Some(word));
            }
            continue;
        };
        let start = end + colon.len_utf8();
        let blank = |c: char| c.is_whitespace() || matches!(c, '_' | '年' | '月' | '日');
        let gap: usize = out[start..].chars().take_while(|c| blank(*c)).map(char::len_utf8).sum();
        let only = out[start + gap..].trim().is_empty();
        if gap == 0 && only {
            return (out, Some(word));
        }
        if gap == 0 {
            continue;
        }
        let space = if only { "" } else { "    " };
        out.replace_range(start..start + gap, &format!("{word}{space}"));
    }
    (out, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_after_labels_are_filled() {
        let (text, _) = filled("填报单位（盖章）：            填表人：        截止日期：    年  月  日");
        assert_eq!(text, "填报单位（盖章）：{unit}    填表人：{person}    截止日期：{date}");
        assert_eq!(filled("截止日期："), ("截止日期：".to_owned(), Some("{date}")));
        assert_eq!(filled("截止日期"), ("截止日期".to_owned(), Some("{date}")));
        assert_eq!(filled("单位：万元"), ("单位：万元".to_owned(), None));
        assert_eq!(filled("填报单位：五华县"), ("填报单位：五华县".to_owned(), None));
    }
}
