//! The story of a project: plan, start, monthly reports, reviews, money, acceptance. It ends on the
//! business date, and everything in it adds up.

use super::calendar::{BUSINESS_DATE, Day, PENDING_FROM, moment, report_days, year};
use super::dice::Dice;
use super::names;
use super::project::{Fund, Outcome, Plan, Project, Report, Revision};

/// Where the story plays.
pub struct Scene<'a> {
    /// 6 digits.
    pub county: &'a str,
    /// 五华县.
    pub county_name: &'a str,
    /// Serial of the project in the county's library.
    pub serial: usize,
}

/// Tells the story of a plan.
pub fn tell(plan: Plan, scene: &Scene, dice: &mut Dice) -> Project {
    let (planned_start, planned_finish) = planned_days(&plan, dice);
    let start = match plan.outcome {
        o if o.built() => plan.start,
        Outcome::NeverReported => plan.start,
        _ => planned_start + dice.whole(0, 10) as Day,
    };
    let approved_on = start.min(planned_start) - dice.whole(75, 140) as Day;
    let code =
        format!("{}-{}-{}{:05}", scene.county, year(approved_on), sector_letter(plan.sector), scene.serial);
    let stem = scene.county_name.trim_end_matches(['县', '市', '区']);
    let mut project = Project {
        id: dice.uuid(moment(approved_on, 9 * 60 + scene.serial as i64 % 400)),
        approval_no: format!("{stem}发改投审〔{}〕{}号", year(approved_on), 10 + scene.serial % 890),
        code,
        approved_on,
        planned_start,
        planned_finish,
        milestones: milestones(plan.sector, planned_start, planned_finish),
        contractor: None,
        revisions: Vec::new(),
        reports: Vec::new(),
        funds: Vec::new(),
        started: None,
        completed: None,
        accepted: None,
        version: 0,
        plan,
    };
    prologue(&mut project, scene, start, dice);
    let outcome = project.plan.outcome;
    let allocated = allocate(&mut project, stem, dice);
    if outcome.built() || outcome.under_way() {
        project.started = Some(start);
        let recorded = moment(start + dice.whole(0, 3) as Day, dice.whole(9 * 60, 17 * 60));
        revise(&mut project, "under_way", start, recorded, "开工令");
    }
    if outcome != Outcome::NeverReported && project.started.is_some() {
        report_monthly(&mut project, start, allocated, dice);
    }
    if outcome == Outcome::Accepted {
        accept(&mut project, allocated, dice);
    }
    settle_funds(&mut project);
    project
}

fn sector_letter(sector: &str) -> char {
    match sector {
        "road" => 'L',
        "water" => 'S',
        "relocation" => 'B',
        "housing" => 'Z',
        "power" => 'D',
        _ => 'J',
    }
}

/// The plan's first and last day, chosen so that the outcome is true on the business date.
fn planned_days(plan: &Plan, dice: &mut Dice) -> (Day, Day) {
    let today = BUSINESS_DATE;
    let length = dice.whole(120, 260) as Day;
    match plan.outcome {
        Outcome::Accepted | Outcome::Completed | Outcome::Pending => {
            let start = plan.start - dice.whole(0, 14) as Day;
            (start, (plan.finish + dice.whole(-12, 35) as Day).max(start + 30))
        }
        Outcome::NeverReported => {
            (plan.start - dice.whole(0, 8) as Day, (plan.start + length).max(today + 15))
        }
        Outcome::OnPlan | Outcome::Behind | Outcome::Stale => {
            let passed = (f64::from(length) * dice.between(0.35, 0.9)) as Day;
            // Stale means that a report was due long ago: there must have been time for one.
            let passed = if plan.outcome == Outcome::Stale { passed.max(125) } else { passed };
            (today - passed, (today - passed + length).max(today + 6))
        }
        Outcome::Late => {
            let finish = if dice.chance(0.35) {
                today - dice.whole(4, 70) as Day
            } else {
                today + dice.whole(6, 60) as Day
            };
            (finish - length.max(150), finish)
        }
        Outcome::Waiting | Outcome::Cancelled => {
            let start = today + dice.whole(5, 45) as Day;
            (start, start + length.min(180))
        }
        Outcome::StartDue => {
            let start = today - dice.whole(3, 24) as Day;
            (start, start + length.max(220))
        }
        Outcome::StartLate => {
            let start = today - dice.whole(34, 80) as Day;
            (start, (start + length).max(today + 20))
        }
    }
}

fn milestones(sector: &str, start: Day, finish: Day) -> Vec<(&'static str, Day, i64)> {
    let words = match sector {
        "road" => ["开工", "路基完成", "路面铺筑", "完工"],
        "water" => ["开工", "主管安装", "入户管网", "通水"],
        "relocation" => ["开工", "主体封顶", "竣工", "入住"],
        "housing" => ["开工", "封顶", "竣工", "验收拨付"],
        "power" => ["开工", "立杆放线", "入户", "投运"],
        _ => ["开工", "三清三拆", "雨污分流", "达标"],
    };
    let at = |t: f64| start + (f64::from(finish - start) * t).round() as Day;
    vec![
        (words[0], start, 0),
        (words[1], at(0.4), 3_500),
        (words[2], at(0.8), 8_500),
        (words[3], finish, 10_000),
    ]
}

/// Planned percent in hundredths on a day: straight between the milestones.
pub fn planned_percent(milestones: &[(&'static str, Day, i64)], on: Day) -> i64 {
    let mut previous: Option<(Day, i64)> = None;
    for (_, day, percent) in milestones {
        if on < *day {
            return previous
                .map_or(0, |(d, p)| p + (percent - p) * i64::from(on - d) / i64::from((day - d).max(1)));
        }
        previous = Some((*day, *percent));
    }
    previous.map_or(0, |(_, p)| p)
}

/// Everything before work begins.
fn prologue(project: &mut Project, scene: &Scene, start: Day, dice: &mut Dice) {
    let outcome = project.plan.outcome;
    let approved = project.approved_on;
    let window = (start.min(BUSINESS_DATE) - approved).max(40);
    let mut state = |project: &mut Project, name, day: Day, reason| {
        let recorded = moment(day + dice.whole(0, 2) as Day, dice.whole(9 * 60, 17 * 60 + 30));
        revise(project, name, day, recorded, reason);
    };
    state(project, "reserve", approved - 45, "村申报、镇审核、县审定");
    state(project, "approved", approved, "立项批复");
    state(project, "plan_issued", approved + window * 3 / 10, "计划下达");
    let tendered = matches!(outcome, Outcome::StartDue | Outcome::StartLate)
        || outcome.built()
        || outcome.under_way()
        || (outcome == Outcome::Waiting && project.planned_start < BUSINESS_DATE + 25);
    if tendered {
        state(project, "tendered", approved + window * 7 / 10, "中标通知");
        project.contractor = Some(names::contractor(scene.county_name, project.plan.sector, dice));
    } else if outcome == Outcome::Cancelled {
        state(project, "cancelled", approved + window * 8 / 10, "村民小组撤并，出库");
    }
}

/// Adds a state that is not a report. Such states need no review of figures: they count as approved.
fn revise(project: &mut Project, state: &'static str, day: Day, recorded_at: i64, reason: &'static str) {
    let (percent, invested, paid) = project.standing().map_or((0, 0, 0), |r| (r.percent, r.invested, r.paid));
    let floor = project.revisions.last().map_or(i64::MIN, |r| r.recorded_at + 60_000);
    let recorded_at = recorded_at.max(floor).min(moment(BUSINESS_DATE, 18 * 60));
    project.version += 1;
    project.revisions.push(Revision {
        version: project.version,
        effective_on: day,
        recorded_at,
        by_reviewer: true,
        state,
        percent,
        invested,
        paid,
        report: None,
        reason,
        approved_at: Some(recorded_at),
        voided: None,
    });
}

/// Quantities done (thousandths) when `work` of 0 to 1 is done.
pub fn quantities(plan: &Plan, work: f64) -> Vec<i64> {
    let span = |from: f64, to: f64| ((work - from) / (to - from)).clamp(0.0, 1.0);
    plan.items
        .iter()
        .map(|(item, planned, _)| {
            let fraction = match (plan.sector, *item) {
                ("road", "roadbed_km") => span(0.0, 0.55),
                ("road", _) => span(0.3, 1.0),
                ("water", "pipe_km") | ("power", "line_km") => span(0.0, 0.8),
                ("water", "villages_connected") => {
                    return plan.served.iter().filter(|s| s.at <= work).count() as i64 * 1_000;
                }
                ("water", _) => {
                    return plan.served.iter().filter(|s| s.at <= work).map(|s| s.households).sum::<i64>()
                        * 1_000;
                }
                ("relocation", "homes_built") => span(0.0, 0.85),
                ("relocation", _) => span(0.6, 1.0),
                ("housing", "homes_started") => span(0.0, 0.5),
                ("housing", _) => span(0.25, 1.0),
                ("power", _) => span(0.5, 1.0),
                _ => work,
            };
            let exact = *planned as f64 * fraction;
            // Kilometres are reported in metres, everything else in whole things.
            if item.ends_with("_km") {
                exact.round() as i64
            } else {
                (exact / 1_000.0).floor() as i64 * 1_000
            }
        })
        .collect()
}

/// Percent in hundredths from the quantities and their weights, rounded half up.
pub fn percent(plan: &Plan, done: &[i64]) -> i64 {
    let sum: f64 = plan
        .items
        .iter()
        .zip(done)
        .map(|((_, planned, weight), d)| *weight as f64 * (*d as f64 / *planned as f64).min(1.0))
        .sum();
    (sum + 1e-9).round() as i64
}

/// How much work has to be done for this percentage.
fn work_for(plan: &Plan, wanted: i64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if percent(plan, &quantities(plan, middle)) < wanted { low = middle } else { high = middle }
    }
    high
}

/// Monthly reports, and the last one that says 100 % for what is built.
fn report_monthly(project: &mut Project, start: Day, allocated: i64, dice: &mut Dice) {
    let outcome = project.plan.outcome;
    let offset = dice.index(4) as u32;
    let (last, last_work) = if outcome.built() {
        (project.plan.finish, 1.0)
    } else {
        let planned = planned_percent(&project.milestones, BUSINESS_DATE);
        let lag = match outcome {
            Outcome::Late => dice.whole(1_700, 3_200),
            Outcome::Behind => dice.whole(650, 1_350),
            _ => dice.whole(-250, 380),
        };
        let wanted = (planned - lag).clamp(400, 9_700);
        let last = match outcome {
            Outcome::Stale => BUSINESS_DATE - dice.whole(50, 105) as Day,
            _ if dice.chance(0.55) => BUSINESS_DATE - dice.whole(1, 7) as Day,
            _ => BUSINESS_DATE - dice.whole(31, 38) as Day,
        };
        (last.max(start + 3), work_for(&project.plan, wanted))
    };
    let mut days = report_days(start + 12, last - 6, offset);
    // Some months are forgotten.
    days.retain(|_| !dice.chance(0.06));
    days.push(last);
    let length = f64::from((last - start).max(1));
    let bend = dice.between(0.75, 1.35);
    let mut work = 0.0_f64;
    for day in days {
        let t = f64::from(day - start) / length;
        let smooth = t.powf(bend) * 0.6 + (3.0 * t * t - 2.0 * t * t * t) * 0.4;
        work = if day == last {
            last_work
        } else {
            (smooth * last_work * dice.between(0.93, 1.04)).clamp(work, last_work.min(0.985))
        };
        report(project, day, work, allocated, day == last, dice);
    }
}

fn report(project: &mut Project, day: Day, work: f64, allocated: i64, last: bool, dice: &mut Dice) {
    let done = quantities(&project.plan, work);
    let percent = percent(&project.plan, &done);
    let outcome = project.plan.outcome;
    let (invested_before, paid_before, floor) =
        project.revisions.last().map_or((0, 0, i64::MIN), |r| (r.invested, r.paid, r.recorded_at + 600_000));
    let total = project.plan.total_yuan;
    let round = |yuan: f64| (yuan / 100.0).floor() as i64 * 100;
    let invested =
        round(total as f64 * percent as f64 / 1e4 * dice.between(0.93, 1.0)).max(invested_before).min(total);
    let paid = round((invested as f64 * dice.between(0.6, 0.92)).min(allocated as f64)).max(paid_before);
    let end = moment(BUSINESS_DATE, 17 * 60 + 45);
    let recorded_at =
        moment(day + dice.whole(0, 3) as Day, dice.whole(8 * 60 + 30, 17 * 60)).max(floor).min(end);
    let review_at = recorded_at + dice.whole(1, 8) * 86_400_000 + dice.whole(0, 200) * 60_000;
    let waits = review_at > end
        || outcome == Outcome::Pending && last
        || day >= PENDING_FROM
            && outcome != Outcome::Accepted
            && outcome != Outcome::Completed
            && dice.chance(0.7);
    let must_stand = outcome.built() && last;
    // Some of this month's reports came back at once, for the clerk to mend.
    let sent_back =
        day >= PENDING_FROM && !outcome.built() && recorded_at < end - 86_400_000 && dice.chance(0.28);
    let review_at = if sent_back { recorded_at + dice.whole(3, 20) * 3_600_000 } else { review_at };
    let waits = waits && !sent_back;
    let returned = sent_back || !waits && !must_stand && dice.chance(0.02);
    let review_at = review_at.min(end);
    let id = dice.uuid(recorded_at);
    let reason = [
        "照片不清晰，请补传同一位置的照片",
        "路面长度与现场不符，请核实后重报",
        "投资额缺少支付凭证",
        "数量与监理月报不一致",
    ];
    let why = if returned { reason[dice.index(4)] } else { "" };
    project.version += 1;
    project.revisions.push(Revision {
        version: project.version,
        effective_on: day,
        recorded_at,
        by_reviewer: false,
        state: if percent >= 10_000 { "completed" } else { "under_way" },
        percent,
        invested,
        paid,
        report: Some(project.reports.len()),
        reason: "",
        approved_at: (!waits && !returned).then_some(review_at),
        voided: returned.then_some((review_at, why)),
    });
    if returned {
        project.version += 1;
    }
    if percent >= 10_000 {
        project.completed = Some(day);
    }
    let notes =
        ["", "", "", "雨天较多，进度受影响。", "材料已到场。", "已完成验槽，下月铺筑。", "春节停工后复工。"];
    project.reports.push(Report {
        id,
        effective_on: day,
        recorded_at,
        percent,
        invested,
        paid,
        done,
        note: notes[dice.index(notes.len())],
        review_state: if returned {
            "returned"
        } else if waits {
            "submitted"
        } else {
            "approved"
        },
        review: (!waits).then(|| (dice.uuid(review_at), review_at, why)),
        work,
    });
}

/// 交工验收, and what follows it for old projects.
fn accept(project: &mut Project, allocated: i64, dice: &mut Dice) {
    let Some(completed) = project.completed else { return };
    let accepted = (completed + dice.whole(12, 60) as Day).min(BUSINESS_DATE - 2);
    project.accepted = Some(accepted);
    let known = project.revisions.last().map_or(0, |r| r.approved_at.unwrap_or(r.recorded_at));
    revise(project, "accepted", accepted, known.max(moment(accepted, 16 * 60)), "交工验收合格");
    if let Some(r) = project.revisions.last_mut() {
        r.invested = (project.plan.total_yuan as f64 * dice.between(0.97, 1.0) / 100.0).floor() as i64 * 100;
        r.paid =
            ((r.invested as f64 * dice.between(0.9, 0.97)) as i64 / 100 * 100).min(allocated).max(r.paid);
        r.invested = r.invested.max(r.paid);
    }
    let finally = accepted + dice.whole(120, 260) as Day;
    if finally < BUSINESS_DATE && dice.chance(0.6) {
        revise(project, "final_accepted", finally, moment(finally, 15 * 60), "竣工验收，决算审计完成");
        let handed = finally + dice.whole(10, 60) as Day;
        if handed < BUSINESS_DATE && dice.chance(0.6) {
            revise(project, "handed_over", handed, moment(handed, 11 * 60), "移交养护");
        }
    }
}

/// Money by source; returns what is allocated in all.
fn allocate(project: &mut Project, stem: &str, dice: &mut Dice) -> i64 {
    let mix: &[(&str, f64)] = match project.plan.sector {
        "road" => &[("province", 0.6), ("county", 0.25), ("pairing", 0.15)],
        "water" => &[("province", 0.5), ("city", 0.2), ("county", 0.3)],
        "relocation" => &[("province", 0.5), ("pairing", 0.35), ("social", 0.15)],
        "housing" => &[("province", 0.75), ("county", 0.25)],
        "power" => &[("own", 0.8), ("province", 0.2)],
        _ => &[("province", 0.7), ("pairing", 0.2), ("own", 0.1)],
    };
    let total = project.plan.total_yuan;
    let outcome = project.plan.outcome;
    let share = match outcome {
        Outcome::Accepted => 1.0,
        Outcome::Completed | Outcome::Pending => dice.between(0.9, 1.0),
        Outcome::Cancelled => return 0,
        o if o.under_way() => dice.between(0.65, 1.0),
        _ => dice.between(0.3, 0.8),
    };
    let issued = project.approved_on + dice.whole(12, 30) as Day;
    let year = year(issued);
    let mut sum = 0;
    for (i, (source, part)) in mix.iter().enumerate() {
        let allocated = (total as f64 * share * part / 100.0).floor() as i64 * 100;
        let document_no = match *source {
            "province" => format!("粤财农〔{year}〕{}号", dice.whole(20, 210)),
            "pairing" => format!("帮扶办〔{year}〕{}号", dice.whole(3, 80)),
            _ => format!("{stem}财农〔{year}〕{}号", dice.whole(5, 160)),
        };
        let effective_on = (issued + 10 * i as Day).min(BUSINESS_DATE - 1);
        let id = dice.uuid(moment(effective_on, 10 * 60));
        project.funds.push(Fund { id, source, effective_on, allocated, paid: 0, document_no });
        sum += allocated;
    }
    sum
}

/// Splits what is paid over the sources, none above what it allocated.
fn settle_funds(project: &mut Project) {
    let paid = project.standing().map_or(0, |r| r.paid);
    let allocated: i64 = project.funds.iter().map(|f| f.allocated).sum();
    let mut left = paid;
    for fund in &mut project.funds {
        fund.paid = if allocated > 0 {
            (i128::from(paid) * i128::from(fund.allocated) / i128::from(allocated)) as i64
        } else {
            0
        };
        left -= fund.paid;
    }
    for fund in &mut project.funds {
        let more = left.min(fund.allocated - fund.paid);
        fund.paid += more;
        left -= more;
    }
}
