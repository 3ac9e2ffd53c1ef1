//! Results of the simple formulas that forms have: sums, differences, shares.
//!
//! Excel, WPS and LibreOffice compute when they open the file. Viewers on a phone do not; for them,
//! and for the preview, the results of formulas that are understood in full are stored. Of any
//! other formula the stored result is dropped: no number is better than an old one.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use super::grid::{At, Grid, parse_ref};
use super::patch::Content;

/// Brackets and formulas that refer to one another, at most so deep together.
const DEPTH: u32 = 64;
/// Characters of a formula that is looked at.
const LENGTH: usize = 1_000;
/// Cells that all formulas of a sheet may read in sum.
const READS: u32 = 2_000_000;

/// What a cell gives to a formula.
#[derive(Clone, Copy)]
enum Given {
    Number(Decimal),
    /// Blank: 0 in arithmetic, left out of averages.
    Blank,
    /// Words: left out of sums over ranges.
    Words,
}

/// Results by place, of the formulas that are understood in full.
pub(super) fn results(grid: &Grid, written: &BTreeMap<At, Content>) -> BTreeMap<At, Decimal> {
    let mut sheet = Sheet { grid, written, known: HashMap::new(), reads: 0 };
    let places: Vec<At> = grid.cells.iter().filter(|(_, c)| c.formula.is_some()).map(|(at, _)| *at).collect();
    let mut found = BTreeMap::new();
    for at in places {
        // What an array formula gives, it gives to many cells.
        if grid.arrays.iter().any(|a| a.holds(at)) {
            continue;
        }
        if let Some(Given::Number(value)) = sheet.cell(at, 0) {
            found.insert(at, value);
        }
    }
    found
}

struct Sheet<'a> {
    grid: &'a Grid,
    written: &'a BTreeMap<At, Content>,
    /// None while it is being computed, or when it cannot be.
    known: HashMap<At, Option<Given>>,
    reads: u32,
}

impl Sheet<'_> {
    fn cell(&mut self, at: At, depth: u32) -> Option<Given> {
        self.reads += 1;
        if depth > DEPTH || self.reads > READS {
            return None;
        }
        if let Some(content) = self.written.get(&at) {
            return Some(match content {
                Content::Number(n) => Given::Number(*n),
                Content::Text(_) => Given::Words,
                Content::Empty => Given::Blank,
            });
        }
        if self.grid.arrays.iter().any(|a| a.holds(at)) {
            return None;
        }
        let Some(cell) = self.grid.cells.get(&at) else { return Some(Given::Blank) };
        let Some(formula) = &cell.formula else {
            let text = cell.text.trim();
            return Some(if text.is_empty() {
                Given::Blank
            } else if cell.number {
                decimal(text).map_or(Given::Words, Given::Number)
            } else {
                Given::Words
            });
        };
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        // A circle finds this and gives up.
        self.known.insert(at, None);
        let value = self.formula(formula, depth).map(Given::Number);
        self.known.insert(at, value);
        value
    }

    fn formula(&mut self, formula: &str, depth: u32) -> Option<Decimal> {
        if formula.is_empty() || formula.len() > LENGTH {
            return None;
        }
        let tokens = tokens(formula)?;
        let mut reader = Parser { tokens: &tokens, at: 0, sheet: self, depth: depth + 1 };
        let value = reader.sum()?;
        (reader.at == tokens.len()).then_some(value)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Decimal),
    Cell(At),
    Name(String),
    Sign(char),
}

fn tokens(formula: &str) -> Option<Vec<Token>> {
    let chars: Vec<char> = formula.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    let run = |from: usize, ok: &dyn Fn(char) -> bool| {
        chars[from..].iter().take_while(|c| ok(**c)).collect::<String>()
    };
    while let Some(&c) = chars.get(i) {
        if c.is_whitespace() {
            i += 1;
        } else if c.is_ascii_digit() || c == '.' {
            let text = run(i, &|c| c.is_ascii_digit() || c == '.');
            i += text.len();
            tokens.push(Token::Number(text.parse().ok()?));
        } else if c.is_ascii_alphabetic() || c == '$' {
            let text = run(i, &|c| c.is_ascii_alphanumeric() || c == '$');
            i += text.len();
            tokens.push(match parse_ref(&text) {
                Some(at) => Token::Cell(at),
                None => Token::Name(text.to_ascii_uppercase()),
            });
        } else if "+-*/(),:%".contains(c) {
            i += 1;
            tokens.push(Token::Sign(c));
        } else {
            // Other sheets, comparisons, text: left to Excel.
            return None;
        }
    }
    Some(tokens)
}

struct Parser<'t, 's, 'a> {
    tokens: &'t [Token],
    at: usize,
    sheet: &'s mut Sheet<'a>,
    /// Brackets and cells on the way here: together they use up the stack.
    depth: u32,
}

impl Parser<'_, '_, '_> {
    fn sign(&mut self, wanted: char) -> bool {
        let is = self.tokens.get(self.at) == Some(&Token::Sign(wanted));
        self.at += usize::from(is);
        is
    }

    fn sum(&mut self) -> Option<Decimal> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut value = self.product()?;
        loop {
            if self.sign('+') {
                value = value.checked_add(self.product()?)?;
            } else if self.sign('-') {
                value = value.checked_sub(self.product()?)?;
            } else {
                self.depth -= 1;
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<Decimal> {
        let mut value = self.factor()?;
        loop {
            if self.sign('*') {
                value = value.checked_mul(self.factor()?)?;
            } else if self.sign('/') {
                // #DIV/0! is Excel's to say.
                value = value.checked_div(self.factor()?)?;
            } else if self.sign('%') {
                value = value.checked_div(Decimal::from(100))?;
            } else {
                return Some(value);
            }
        }
    }

    fn factor(&mut self) -> Option<Decimal> {
        let mut negative = false;
        while self.sign('-') {
            negative = !negative;
        }
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        let value = match token {
            Token::Number(n) => n,
            Token::Sign('(') => {
                let value = self.sum()?;
                self.sign(')').then_some(value)?
            }
            Token::Cell(at) => match self.sheet.cell(at, self.depth)? {
                Given::Number(n) => n,
                Given::Blank => Decimal::ZERO,
                Given::Words => return None,
            },
            Token::Name(name) => self.function(&name)?,
            Token::Sign(_) => return None,
        };
        Some(if negative { -value } else { value })
    }

    fn function(&mut self, name: &str) -> Option<Decimal> {
        if !self.sign('(') {
            return None;
        }
        if name == "ROUND" {
            let value = self.sum()?;
            let places: Decimal = self.sign(',').then(|| self.sum())??;
            let places: u32 = places.to_string().parse().ok().filter(|p| *p <= 15)?;
            let away = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
            return self.sign(')').then(|| value.round_dp_with_strategy(places, away));
        }
        if !["SUM", "AVERAGE", "MAX", "MIN", "COUNT"].contains(&name) {
            return None;
        }
        let mut all: Vec<Decimal> = Vec::new();
        loop {
            self.argument(&mut all)?;
            if self.sign(')') {
                break;
            }
            if !self.sign(',') {
                return None;
            }
        }
        let sum = || all.iter().try_fold(Decimal::ZERO, |sum, n| sum.checked_add(*n));
        match name {
            "SUM" => sum(),
            "AVERAGE" => sum()?.checked_div(Decimal::from(all.len())),
            "COUNT" => Some(Decimal::from(all.len())),
            "MAX" => Some(all.iter().max().copied().unwrap_or_default()),
            _ => Some(all.iter().min().copied().unwrap_or_default()),
        }
    }

    /// A range, a cell or a value.
    fn argument(&mut self, all: &mut Vec<Decimal>) -> Option<()> {
        let from = match self.tokens.get(self.at) {
            Some(Token::Cell(at)) => *at,
            _ => {
                all.push(self.sum()?);
                return Some(());
            }
        };
        let to = match (self.tokens.get(self.at + 1), self.tokens.get(self.at + 2)) {
            (Some(Token::Sign(':')), Some(Token::Cell(to))) => *to,
            (Some(Token::Sign(',' | ')')), _) => from,
            _ => {
                all.push(self.sum()?);
                return Some(());
            }
        };
        self.at += if self.tokens.get(self.at + 1) == Some(&Token::Sign(':')) { 3 } else { 1 };
        if to.0 < from.0 || to.1 < from.1 || to.0 > 5_000 || to.1 > 256 {
            return None;
        }
        for row in from.0..=to.0 {
            for column in from.1..=to.1 {
                if let Given::Number(n) = self.sheet.cell((row, column), self.depth)? {
                    all.push(n);
                }
            }
        }
        Some(())
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::sheets::grid::Cell;

    fn result(cells: &[(&str, &str)], formula: &str) -> Option<String> {
        let mut grid = Grid::default();
        for (name, text) in cells {
            let number = text.parse::<f64>().is_ok();
            let formula = text.strip_prefix('=').map(str::to_owned);
            grid.cells
                .insert(parse_ref(name).unwrap(), Cell { text: (*text).into(), number, formula, style: 0 });
        }
        grid.cells.insert((9, 9), Cell { formula: Some(formula.into()), ..Cell::default() });
        results(&grid, &BTreeMap::new()).get(&(9, 9)).map(|d| d.normalize().to_string())
    }

    #[test]
    fn what_forms_compute_is_computed_and_nothing_else() {
        let cells = [("A1", "1"), ("A2", "2.5"), ("A3", "镇"), ("A5", "=A1*2"), ("B1", "0")];
        for (formula, value) in [
            ("SUM(A1:A4)", Some("3.5")),
            ("SUM($A$1:A2, 4,A5)", Some("9.5")),
            ("A1+A2*2-(3-1)/4", Some("5.5")),
            ("-A2+10%", Some("-2.4")),
            ("ROUND(A2/3,2)", Some("0.83")),
            ("AVERAGE(A1:A4)", Some("1.75")),
            ("A4+1", Some("1")),
            ("A3+1", None),
            ("A1/B1", None),
            ("IF(A1>1,1,2)", None),
            ("Sheet2!A1", None),
            ("I9+1", None),
            ("SUM(A1:A2", None),
            ("((((", None),
            ("", None),
        ] {
            assert_eq!(result(&cells, formula).as_deref(), value, "{formula}");
        }
        let deep = format!("{}1{}", "(".repeat(400), ")".repeat(400));
        assert_eq!(result(&[], &deep), None, "no stack is used up");
    }
}
