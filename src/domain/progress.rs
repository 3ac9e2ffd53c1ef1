//! Progress in the clerk's quantities: the percentage (形象进度) and the rules a report must pass.

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};

/// One quantity of a project: what is planned and how much it weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// Word of the item: surface_km, villages_connected, …
    pub item: String,
    /// Name on screens.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// Unit on screens.
    pub unit_zh: String,
    /// The same in English.
    pub unit_en: String,
    /// Decimals that the item is counted with.
    pub decimals: u32,
    /// Share in the percentage.
    pub weight: Decimal,
    /// Planned, above zero.
    pub planned: Decimal,
    /// Done as the last standing report says; zero before the first.
    pub done: Decimal,
}

/// What somebody wants to report: cumulative figures as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The day the figures speak of (截至).
    pub effective_on: NaiveDate,
    /// Item and cumulative quantity done. An item that is left out stays as it was.
    pub items: Vec<(String, Decimal)>,
    /// Cumulative investment done, yuan.
    pub invested_yuan: Option<Decimal>,
    /// Cumulative payment, yuan.
    pub paid_yuan: Option<Decimal>,
    /// Free words; needed where a figure exceeds its plan.
    pub note: String,
}

/// What a draft is held against.
#[derive(Debug, Clone)]
pub struct Basis {
    /// "Today" of the field.
    pub business_date: NaiveDate,
    /// The day the last standing report speaks of.
    pub last_effective_on: Option<NaiveDate>,
    /// The project's quantities.
    pub quantities: Vec<Quantity>,
    /// Cumulative investment so far, yuan.
    pub invested_yuan: Decimal,
    /// Cumulative payment so far, yuan.
    pub paid_yuan: Decimal,
    /// Investment in the plan, yuan, where known.
    pub total_investment_yuan: Option<Decimal>,
}

/// A draft that passed every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Every item of the project with its cumulative quantity done.
    pub items: Vec<(String, Decimal)>,
    /// 形象进度, two decimals; 100 only when every planned quantity is done.
    pub percent: Decimal,
    /// Every planned quantity is done.
    pub complete: bool,
    /// Some quantity grew.
    pub progressed: bool,
    /// Cumulative investment after this report, yuan.
    pub invested_yuan: Decimal,
    /// Cumulative payment after this report, yuan.
    pub paid_yuan: Decimal,
    /// Trimmed.
    pub note: String,
}

/// Which rule a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The field's own form or range.
    Invalid,
    /// A cumulative figure falls.
    CumulativeFalls,
    /// Earlier than the last report.
    BackDated,
}

/// One field that is wrong, why, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub kind: FaultKind,
    /// Name of the field: `effective_on`, `items.surface_km`, …
    pub field: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Longest note, in characters.
pub const NOTE_LIMIT: usize = 2000;

/// 形象进度: Σ weight · min(done ÷ planned, 1) ÷ Σ weight, in percent with two decimals.
///
/// Rounded down, so that 100 means that every planned quantity is done and nothing else does.
pub fn percent(quantities: &[Quantity]) -> Decimal {
    let total: Decimal = quantities.iter().map(|q| q.weight).sum();
    if total.is_zero() {
        return Decimal::ZERO;
    }
    if quantities.iter().all(|q| q.done >= q.planned) {
        return Decimal::ONE_HUNDRED;
    }
    let earned: Decimal =
        quantities.iter().map(|q| q.weight * (q.done / q.planned).clamp(Decimal::ZERO, Decimal::ONE)).sum();
    (earned / total * Decimal::ONE_HUNDRED).round_dp_with_strategy(2, RoundingStrategy::ToZero)
}

/// Holds a draft against the project.
///
/// # Errors
/// Every field at fault, not only the first.
pub fn check(draft: &Draft, basis: &Basis) -> Result<Accepted, Vec<Fault>> {
    let mut faults = Vec::new();
    check_date(draft, basis, &mut faults);

    let note = draft.note.trim().to_owned();
    if note.chars().count() > NOTE_LIMIT {
        faults.push(invalid(
            "note",
            format!("备注最多 {NOTE_LIMIT} 字。"),
            format!("A note has at most {NOTE_LIMIT} characters."),
        ));
    }

    let quantities = check_items(draft, basis, &note, &mut faults);
    let invested = check_money(
        ("invested_yuan", "累计完成投资", "Investment done"),
        draft.invested_yuan,
        basis.invested_yuan,
        basis.total_investment_yuan,
        &note,
        &mut faults,
    );
    let paid = check_money(
        ("paid_yuan", "累计支付", "Payment"),
        draft.paid_yuan,
        basis.paid_yuan,
        basis.total_investment_yuan,
        &note,
        &mut faults,
    );
    if !faults.is_empty() {
        return Err(faults);
    }
    let complete = !quantities.is_empty() && quantities.iter().all(|q| q.done >= q.planned);
    let progressed = quantities.iter().zip(&basis.quantities).any(|(now, was)| now.done > was.done);
    Ok(Accepted {
        percent: percent(&quantities),
        items: quantities.into_iter().map(|q| (q.item, q.done)).collect(),
        complete,
        progressed,
        invested_yuan: invested,
        paid_yuan: paid,
        note,
    })
}

fn invalid(field: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault { kind: FaultKind::Invalid, field: field.into(), zh: zh.into(), en: en.into() }
}

fn check_date(draft: &Draft, basis: &Basis, faults: &mut Vec<Fault>) {
    let day = draft.effective_on;
    if day > basis.business_date {
        faults.push(invalid(
            "effective_on",
            format!("截至日期不能晚于今天（{}）。", basis.business_date),
            format!("The date may not be after today ({}).", basis.business_date),
        ));
    }
    if let Some(last) = basis.last_effective_on.filter(|last| day < *last) {
        faults.push(Fault {
            kind: FaultKind::BackDated,
            field: "effective_on".into(),
            zh: format!("截至日期早于上次填报（{last}）；如上次有误，请走更正流程。"),
            en: format!("The date is before the last report ({last}); mend that one by a correction."),
        });
    }
}

/// The project's quantities with the draft's figures put in.
fn check_items(draft: &Draft, basis: &Basis, note: &str, faults: &mut Vec<Fault>) -> Vec<Quantity> {
    let mut quantities = basis.quantities.clone();
    if draft.items.is_empty() {
        faults.push(invalid("items", "请至少填写一项完成数量。", "Report at least one quantity."));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (item, done) in &draft.items {
        let field = format!("items.{item}");
        let Some(quantity) = quantities.iter_mut().find(|q| q.item == *item) else {
            faults.push(invalid(
                field,
                format!("本项目没有“{item}”这一项。"),
                format!("This project has no item “{item}”."),
            ));
            continue;
        };
        if seen.contains(&item.as_str()) {
            faults.push(invalid(
                field,
                format!("“{}”填写了两次。", quantity.name_zh),
                format!("{} is given twice.", quantity.name_en),
            ));
            continue;
        }
        seen.push(item);
        if let Some(fault) = check_quantity(quantity, *done, &field, note) {
            faults.push(fault);
        }
        quantity.done = *done;
    }
    quantities
}

fn check_quantity(quantity: &Quantity, done: Decimal, field: &str, note: &str) -> Option<Fault> {
    let Quantity { name_zh, name_en, unit_zh, unit_en, planned, decimals, .. } = quantity;
    let (planned, was) = (planned.normalize(), quantity.done.normalize());
    if done.is_sign_negative() && !done.is_zero() {
        return Some(invalid(
            field,
            format!("{name_zh}不能是负数。"),
            format!("{name_en} may not be negative."),
        ));
    }
    if done.normalize().scale() > *decimals {
        return Some(invalid(
            field,
            format!("{name_zh}最多 {decimals} 位小数。"),
            format!("{name_en} has at most {decimals} decimals."),
        ));
    }
    if done < was {
        return Some(Fault {
            kind: FaultKind::CumulativeFalls,
            field: field.into(),
            zh: format!("{name_zh}是累计数，不能少于上次的 {was} {unit_zh}；如上次有误，请走更正流程。"),
            en: format!("{name_en} is cumulative and may not fall below {was} {unit_en}."),
        });
    }
    let ceiling = (planned * Decimal::new(12, 1)).normalize();
    if done > ceiling {
        return Some(invalid(
            field,
            format!("{name_zh}超过计划 {planned} {unit_zh}的 120%，请先办理计划变更。"),
            format!("{name_en} exceeds 120% of the plan ({planned} {unit_en}); change the plan first."),
        ));
    }
    if done > planned && note.is_empty() {
        return Some(invalid(
            field,
            format!("{name_zh}超过计划 {planned} {unit_zh}，请在备注中说明原因。"),
            format!("{name_en} exceeds the plan ({planned} {unit_en}); say why in the note."),
        ));
    }
    None
}

fn check_money(
    (field, name_zh, name_en): (&str, &str, &str),
    given: Option<Decimal>,
    was: Decimal,
    total: Option<Decimal>,
    note: &str,
    faults: &mut Vec<Fault>,
) -> Decimal {
    let Some(sum) = given else { return was };
    // numeric(16, 2) in the database.
    let largest = Decimal::new(99_999_999_999_999, 0);
    if sum.is_sign_negative() && !sum.is_zero() || sum > largest || sum.normalize().scale() > 2 {
        faults.push(invalid(
            field,
            format!("{name_zh}以元为单位，不能是负数，最多两位小数。"),
            format!("{name_en} is in yuan, not negative, with at most two decimals."),
        ));
    } else if sum < was {
        faults.push(Fault {
            kind: FaultKind::CumulativeFalls,
            field: field.into(),
            zh: format!("{name_zh}是累计数，不能少于上次的 {was} 元。"),
            en: format!("{name_en} is cumulative and may not fall below {was} yuan."),
        });
    } else if total.is_some_and(|total| sum > total && sum > was) && note.is_empty() {
        faults.push(invalid(
            field,
            format!("{name_zh}超过计划总投资，请在备注中说明原因。"),
            format!("{name_en} exceeds the planned investment; say why in the note."),
        ));
    }
    sum
}

#[cfg(test)]
mod tests;
