use proptest::prelude::*;

use super::*;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn quantity(item: &str, weight: &str, planned: &str, done: &str) -> Quantity {
    Quantity {
        item: item.into(),
        name_zh: if item == "roadbed_km" { "路基" } else { "路面" }.into(),
        name_en: item.into(),
        unit_zh: "公里".into(),
        unit_en: "km".into(),
        decimals: 3,
        weight: dec(weight),
        planned: dec(planned),
        done: dec(done),
    }
}

fn road(bed: &str, surface: &str) -> Basis {
    Basis {
        business_date: day("2020-10-31"),
        last_effective_on: Some(day("2020-09-30")),
        quantities: vec![
            quantity("roadbed_km", "0.35", "2.400", bed),
            quantity("surface_km", "0.65", "2.400", surface),
        ],
        invested_yuan: dec("300000"),
        paid_yuan: dec("100000"),
        total_investment_yuan: Some(dec("1200000")),
    }
}

fn draft(bed: &str, surface: &str) -> Draft {
    Draft {
        effective_on: day("2020-10-20"),
        items: vec![("roadbed_km".into(), dec(bed)), ("surface_km".into(), dec(surface))],
        invested_yuan: None,
        paid_yuan: None,
        note: String::new(),
    }
}

fn faults(draft: &Draft, basis: &Basis) -> Vec<(FaultKind, String)> {
    check(draft, basis).unwrap_err().into_iter().map(|f| (f.kind, f.field)).collect()
}

#[test]
fn the_percentage_is_weighted() {
    let accepted = check(&draft("2.4", "1.2"), &road("1", "0.5")).unwrap();
    // 0.35 · 1 + 0.65 · 0.5
    assert_eq!(accepted.percent, dec("67.50"));
    assert!(!accepted.complete && accepted.progressed);
    assert_eq!((accepted.invested_yuan, accepted.paid_yuan), (dec("300000"), dec("100000")));
}

#[test]
fn more_than_planned_of_one_does_not_make_up_for_another() {
    let mut over = draft("2.8", "0.5");
    over.note = "路线调整".into();
    assert_eq!(check(&over, &road("1", "0.5")).unwrap().percent, dec("48.54"));
}

#[test]
fn a_hundred_means_complete() {
    let almost = check(&draft("2.4", "2.399"), &road("1", "1")).unwrap();
    assert!(almost.percent < Decimal::ONE_HUNDRED && !almost.complete);
    let all = check(&draft("2.4", "2.4"), &road("1", "1")).unwrap();
    assert_eq!(all.percent, Decimal::ONE_HUNDRED);
    assert!(all.complete);
}

#[test]
fn an_item_left_out_stays_as_it_was() {
    let mut one = draft("2", "0");
    one.items.pop();
    let accepted = check(&one, &road("1", "0.5")).unwrap();
    assert_eq!(accepted.items, vec![("roadbed_km".into(), dec("2")), ("surface_km".into(), dec("0.5"))]);
}

#[test]
fn cumulative_figures_do_not_fall() {
    let mut falling = draft("0.9", "0.5");
    falling.paid_yuan = Some(dec("99999.99"));
    assert_eq!(
        faults(&falling, &road("1", "0.5")),
        [
            (FaultKind::CumulativeFalls, "items.roadbed_km".into()),
            (FaultKind::CumulativeFalls, "paid_yuan".into())
        ]
    );
}

#[test]
fn dates_lie_between_the_last_report_and_today() {
    for (date, kind) in [("2020-09-29", Some(FaultKind::BackDated)), ("2020-11-01", Some(FaultKind::Invalid))]
    {
        let mut d = draft("1", "0.5");
        d.effective_on = day(date);
        assert_eq!(faults(&d, &road("1", "0.5")).first().map(|f| f.0), kind, "{date}");
    }
    for date in ["2020-09-30", "2020-10-31"] {
        let mut d = draft("1", "0.5");
        d.effective_on = day(date);
        assert!(check(&d, &road("1", "0.5")).is_ok(), "{date}");
    }
}

#[test]
fn more_than_planned_needs_a_note_and_has_a_ceiling() {
    let mut over = draft("2.5", "0.5");
    assert_eq!(faults(&over, &road("1", "0.5")), [(FaultKind::Invalid, "items.roadbed_km".into())]);
    over.note = "  ".into();
    assert!(check(&over, &road("1", "0.5")).is_err(), "blank is no reason");
    over.note = "增加错车道".into();
    assert!(check(&over, &road("1", "0.5")).is_ok());
    over.items[0].1 = dec("2.881");
    assert!(check(&over, &road("1", "0.5")).is_err());
}

#[test]
fn all_faults_are_told_at_once() {
    let bad = Draft {
        effective_on: day("2020-11-05"),
        items: vec![
            ("roadbed_km".into(), dec("-1")),
            ("surface_km".into(), dec("1.2345")),
            ("surface_km".into(), dec("1")),
            ("homes_built".into(), dec("1")),
        ],
        invested_yuan: Some(dec("-5")),
        paid_yuan: Some(dec("1.005")),
        note: "字".repeat(NOTE_LIMIT + 1),
    };
    let fields: Vec<String> = faults(&bad, &road("0", "0")).into_iter().map(|f| f.1).collect();
    assert_eq!(
        fields,
        [
            "effective_on",
            "note",
            "items.roadbed_km",
            "items.surface_km",
            "items.surface_km",
            "items.homes_built",
            "invested_yuan",
            "paid_yuan"
        ]
    );
    let mut none = draft("1", "1");
    none.items.clear();
    assert_eq!(faults(&none, &road("0", "0")), [(FaultKind::Invalid, "items".into())]);
}

proptest! {
    #[test]
    fn the_percentage_stays_in_range_and_never_falls(
        plans in prop::collection::vec((1u32..100_000, 0u32..120_000, 0u32..50_000, 1u32..10_000), 1..5),
    ) {
        let at = |extra: bool| -> Vec<Quantity> {
            plans.iter().map(|(planned, done, more, weight)| Quantity {
                weight: Decimal::new(i64::from(*weight), 4),
                planned: Decimal::new(i64::from(*planned), 3),
                done: Decimal::new(i64::from(*done) + if extra { i64::from(*more) } else { 0 }, 3),
                ..quantity("surface_km", "1", "1", "0")
            }).collect()
        };
        let (before, after) = (percent(&at(false)), percent(&at(true)));
        prop_assert!(before >= Decimal::ZERO && after <= Decimal::ONE_HUNDRED);
        prop_assert!(after >= before, "{before} → {after}");
        let complete = at(false).iter().all(|q| q.done >= q.planned);
        prop_assert_eq!(before == Decimal::ONE_HUNDRED, complete);
    }
}
