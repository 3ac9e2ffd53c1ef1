//! The lifecycle of a project (生命周期): states, and what a progress report does to them.

/// State of a project, as the table `project_states` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// 储备入库
    Reserve,
    /// 立项批复
    Approved,
    /// 计划下达
    PlanIssued,
    /// 招标发包
    Tendered,
    /// 在建
    UnderWay,
    /// 停工
    Suspended,
    /// 完工未验收
    Completed,
    /// 交工验收
    Accepted,
    /// 竣工验收
    FinalAccepted,
    /// 移交管护
    HandedOver,
    /// 取消出库
    Cancelled,
}

/// Why a state does not allow what was asked, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl State {
    /// All states in the order of the lifecycle.
    pub const ALL: [Self; 11] = [
        Self::Reserve,
        Self::Approved,
        Self::PlanIssued,
        Self::Tendered,
        Self::UnderWay,
        Self::Suspended,
        Self::Completed,
        Self::Accepted,
        Self::FinalAccepted,
        Self::HandedOver,
        Self::Cancelled,
    ];

    /// The word of the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Approved => "approved",
            Self::PlanIssued => "plan_issued",
            Self::Tendered => "tendered",
            Self::UnderWay => "under_way",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Accepted => "accepted",
            Self::FinalAccepted => "final_accepted",
            Self::HandedOver => "handed_over",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word of the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// The coarse word of maps and figures.
    pub fn status(self) -> &'static str {
        match self {
            Self::Reserve | Self::Approved | Self::PlanIssued | Self::Tendered => "not_started",
            Self::UnderWay | Self::Suspended => "under_way",
            Self::Completed => "completed",
            Self::Accepted | Self::FinalAccepted | Self::HandedOver => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Name as officials say it.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Reserve => "储备入库",
            Self::Approved => "立项批复",
            Self::PlanIssued => "计划下达",
            Self::Tendered => "招标发包",
            Self::UnderWay => "在建",
            Self::Suspended => "停工",
            Self::Completed => "完工未验收",
            Self::Accepted => "交工验收",
            Self::FinalAccepted => "竣工验收",
            Self::HandedOver => "移交管护",
            Self::Cancelled => "取消出库",
        }
    }

    /// Has work on site begun (or ended)?
    pub fn started(self) -> bool {
        self >= Self::UnderWay && self != Self::Cancelled
    }

    /// Is all planned work done?
    pub fn finished(self) -> bool {
        self >= Self::Completed && self != Self::Cancelled
    }

    /// The state after a progress report, or why no report can be made in this one.
    ///
    /// `complete`: every planned quantity is done. `progressed`: some quantity grew since the
    /// last report, so that a suspended project is at work again and one that waited has started.
    ///
    /// # Errors
    /// [`Refusal`] before the plan is issued, and from completion on: then figures change by a
    /// correction (更正), which is another operation.
    pub fn after_report(self, complete: bool, progressed: bool) -> Result<Self, Refusal> {
        match self {
            Self::Reserve | Self::Approved => Err(Refusal {
                zh: format!("项目处于“{}”，计划下达后才能填报进度。", self.name_zh()),
                en: "The plan has not been issued yet; progress can be reported after that.".into(),
            }),
            Self::Completed | Self::Accepted | Self::FinalAccepted | Self::HandedOver => Err(Refusal {
                zh: format!("项目已“{}”，不再填报进度；如数据有误，请走更正流程。", self.name_zh()),
                en: "The project is complete; wrong figures are mended by a correction.".into(),
            }),
            Self::Cancelled => Err(Refusal {
                zh: "项目已取消出库，不能填报进度。".into(),
                en: "The project was cancelled.".into(),
            }),
            Self::PlanIssued | Self::Tendered | Self::UnderWay | Self::Suspended => Ok(if complete {
                Self::Completed
            } else if progressed {
                Self::UnderWay
            } else {
                self
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("done"), None);
    }

    #[test]
    fn reports_move_only_projects_that_are_planned_and_not_complete() {
        use State::*;
        for state in State::ALL {
            let open = matches!(state, PlanIssued | Tendered | UnderWay | Suspended);
            assert_eq!(state.after_report(false, true).is_ok(), open, "{state:?}");
            if open {
                assert_eq!(state.after_report(false, true), Ok(UnderWay));
                assert_eq!(state.after_report(true, true), Ok(Completed));
                assert_eq!(state.after_report(false, false), Ok(state), "no progress changes nothing");
            }
        }
    }

    #[test]
    fn cancelled_is_neither_started_nor_finished() {
        assert!(!State::Cancelled.started() && !State::Cancelled.finished());
        assert!(State::Suspended.started() && !State::Suspended.finished());
        assert!(State::HandedOver.finished());
    }
}
