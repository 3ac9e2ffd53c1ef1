//! The one error of the program. Only this file turns an error into an HTTP status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

/// Shorthand for results of this program.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, in the user's words. Every variant has a stable `code` in [`Code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A problem the user can understand and mend.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The database refused or could not be reached.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    /// Anything else that is our own fault or the machine's.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

/// A problem in the user's words, as it goes out in `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// Code from the registry: stable, documented in docs/error-codes.md.
    pub code: Code,
    /// What went wrong, Chinese.
    pub title: String,
    /// Where, and how to mend it, Chinese.
    pub detail: String,
    /// The same in English.
    pub detail_en: String,
    /// Fields at fault, for forms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Members of their own that some codes carry (`current`, `changed` of a stale version).
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
}

/// One field that is wrong, and why.
#[derive(Debug, Clone, Serialize)]
pub struct FieldError {
    /// JSON pointer or plain name of the field.
    pub field: String,
    /// Why and how to mend it, Chinese.
    pub message: String,
    /// The same in English.
    pub message_en: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident $code:literal $status:ident $title:literal;)*) => {
        /// The registry of error codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name),* }
        impl Code {
            /// All codes, for the documentation and its test.
            pub const ALL: &[Code] = &[$(Code::$name),*];
            /// The stable word.
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $code),* } }
            /// The HTTP status it is answered with.
            pub fn status(self) -> StatusCode { match self { $(Code::$name => StatusCode::$status),* } }
            /// What went wrong, in a few Chinese words.
            pub fn title(self) -> &'static str { match self { $(Code::$name => $title),* } }
        }
    };
}

codes! {
    /// The address names nothing.
    NotFound "not_found" NOT_FOUND "找不到";
    /// A part of the request cannot be read.
    BadRequest "bad_request" BAD_REQUEST "请求有误";
    /// Tile coordinates that cannot be.
    BadTile "bad_tile" BAD_REQUEST "瓦片坐标有误";
    /// A layer of this name does not exist, or not for this reader.
    UnknownLayer "unknown_layer" NOT_FOUND "没有这个图层";
    /// A date that cannot be.
    BadDate "bad_date" BAD_REQUEST "日期有误";
    /// No session, or it has ended.
    SignInRequired "sign_in_required" UNAUTHORIZED "请先登录";
    /// Wrong name or password.
    SignInFailed "sign_in_failed" UNAUTHORIZED "账号或密码不对";
    /// Too many tries.
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "尝试次数过多";
    /// The CSRF token or the origin does not fit the session.
    ForeignOrigin "foreign_origin" FORBIDDEN "请求来源不可信";
    /// The account's areas do not hold this place.
    OutsideArea "outside_area" FORBIDDEN "不在您的辖区";
    /// The account's sectors do not hold this one.
    OutsideSector "outside_sector" FORBIDDEN "不在您的行业";
    /// No role of the account may do this.
    RoleMissing "role_missing" FORBIDDEN "没有这项权限";
    /// A reviewer may not review what he or she reported.
    OwnReport "own_report" FORBIDDEN "不能审核自己的填报";
    /// Somebody changed it in between.
    StaleVersion "stale_version" PRECONDITION_FAILED "内容已被他人更新";
    /// A change needs If-Match.
    IfMatchRequired "if_match_required" PRECONDITION_REQUIRED "缺少版本号";
    /// A write needs Idempotency-Key.
    IdempotencyKeyRequired "idempotency_key_required" BAD_REQUEST "缺少幂等键";
    /// The key was used with another body.
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "幂等键已用于另一内容";
    /// Fields do not fit.
    Invalid "invalid" UNPROCESSABLE_ENTITY "填写有误";
    /// A cumulative figure falls.
    CumulativeFalls "cumulative_falls" UNPROCESSABLE_ENTITY "累计数不能减少";
    /// Earlier than what was already reported.
    ReportBackDated "report_back_dated" UNPROCESSABLE_ENTITY "截至日期早于上次填报";
    /// The lifecycle does not allow it.
    TransitionRefused "transition_refused" CONFLICT "当前状态不能这样做";
    /// The report was already reviewed.
    AlreadyReviewed "already_reviewed" CONFLICT "已经审核过";
    /// A rule of the database refused it; the constraint is named in `constraint`.
    ConstraintViolated "constraint_violated" UNPROCESSABLE_ENTITY "不符合数据规则";
    /// A file to import is broken, of a format that is not allowed, or in a coordinate system we cannot trust.
    UnreadableFile "unreadable_file" UNPROCESSABLE_ENTITY "文件读不出来";
    /// A workbook that we do not open: too large, encrypted, with macros or links; `reason` says which.
    FileRefused "file_refused" UNPROCESSABLE_ENTITY "文件不符合要求";
    /// This node has not yet caught up.
    NotCaughtUp "not_caught_up" SERVICE_UNAVAILABLE "数据正在更新";
    /// The database cannot be reached or asked us to wait.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "服务暂时不可用";
    /// Our fault.
    Internal "internal" INTERNAL_SERVER_ERROR "程序出错";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl Error {
    /// A problem with its place and mend, in Chinese and English.
    pub fn problem(code: Code, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Problem {
            code,
            title: code.title().to_owned(),
            detail: detail.into(),
            detail_en: detail_en.into(),
            errors: Vec::new(),
            extra: None,
        }
        .into()
    }

    /// [`Code::NotFound`] for a thing, named in Chinese and English.
    pub fn not_found(what: &str, what_en: &str) -> Self {
        Self::problem(Code::NotFound, format!("{what}不存在或已撤销。"), format!("No such {what_en}."))
    }

    /// [`Code::Invalid`] with the fields at fault.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join("；");
        let detail_en = errors.iter().map(|e| e.message_en.as_str()).collect::<Vec<_>>().join("; ");
        Problem {
            code: Code::Invalid,
            title: Code::Invalid.title().to_owned(),
            detail,
            detail_en,
            errors,
            extra: None,
        }
        .into()
    }

    /// The code that this error is answered with.
    pub fn code(&self) -> Code {
        match self {
            Self::Problem(p) => p.code,
            Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed) => {
                Code::Unavailable
            }
            Self::Database(_) | Self::Internal(_) => Code::Internal,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<sqlx::Error> for Error {
    /// A named constraint becomes a named error; a policy that refused becomes "outside your area".
    fn from(error: sqlx::Error) -> Self {
        let Some(db) = error.as_database_error() else { return Self::Database(error) };
        match (db.code().as_deref(), db.constraint()) {
            (Some("42501"), _) => Self::problem(
                Code::OutsideArea,
                "数据库的权限策略拒绝了这次写入：不在您的辖区或行业内。",
                "The database policy refused this write: outside your areas or sectors.",
            ),
            (Some("23514" | "23503" | "23505" | "P0001"), Some(name)) => {
                let mut problem = match Self::problem(
                    Code::ConstraintViolated,
                    format!("数据规则 {name} 不满足：{}", db.message()),
                    format!("Rule {name} is broken: {}", db.message()),
                ) {
                    Self::Problem(p) => p,
                    other => return other,
                };
                problem.extra = Some(serde_json::json!({ "constraint": name }));
                Self::Problem(problem)
            }
            _ => Self::Database(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let code = self.code();
        let mut body = match &self {
            Self::Problem(problem) => serde_json::to_value(problem).unwrap_or_default(),
            Self::Database(_) | Self::Internal(_) => {
                // The user gets a request id to name; the cause stays in our log.
                tracing::error!(error = %self, "request failed");
                serde_json::json!({
                    "code": code.as_str(),
                    "title": code.title(),
                    "detail": "请稍后再试；若仍不行，请把请求编号告诉管理员。",
                    "detail_en": "Please try again; if it persists, tell the administrator the request id.",
                })
            }
        };
        if let Some(map) = body.as_object_mut() {
            map.insert("type".into(), format!("/api/docs#error-{}", code.as_str()).into());
            map.insert("status".into(), code.status().as_u16().into());
        }
        let mut response = (code.status(), Json(body)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if code.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
