//! What reading requests have in common: who asks, parameters, dates, lists and cursors.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::AppState;
use crate::db::ledger;
use crate::domain::permit::{Account, Place};
use crate::domain::sector::Sector;
use crate::error::{Code, Error, Result};

/// Who reads: a person signed in, or the public.
#[derive(Debug, Clone)]
pub struct Viewer(pub Option<std::sync::Arc<Account>>);

impl Viewer {
    /// Not signed in: sees what is published and approved, by an allow-list of fields.
    pub fn is_public(&self) -> bool {
        self.0.is_none()
    }
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let session = super::auth::current_session(state, &parts.headers).await?;
        Ok(Self(session.map(|s| s.account)))
    }
}

/// The parameters of the query, or a problem that says which one cannot be read.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(bad_request(
                &format!("网址中的参数无法识别：{}", rejection.body_text()),
                &format!("A parameter cannot be read: {}", rejection.body_text()),
            )),
        }
    }
}

/// [`Code::BadRequest`] in both languages.
pub fn bad_request(zh: &str, en: &str) -> Error {
    Error::problem(Code::BadRequest, zh, en)
}

/// A date of the query, YYYY-MM-DD.
///
/// # Errors
/// `bad_date`.
pub fn date(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    let parsed = if text.len() == 10 { text.parse().ok() } else { None };
    parsed.map(Some).ok_or_else(|| {
        Error::problem(
            Code::BadDate,
            format!("参数 {name} 应为日期，如 2020-10-31；收到“{text}”。"),
            format!("Parameter {name} must be a date such as 2020-10-31, not '{text}'."),
        )
    })
}

/// `at` of a list: the state of that day. A day after today is refused: nothing is known of it.
/// Today and no day at all are both the present.
pub fn at(text: Option<&str>, today: NaiveDate) -> Result<Option<NaiveDate>> {
    match date("at", text)? {
        Some(day) if day > today => Err(Error::problem(
            Code::BadDate,
            format!("{day} 尚未到来：业务日期为 {today}。"),
            format!("{day} lies in the future: the business date is {today}."),
        )),
        Some(day) if day == today => Ok(None),
        other => Ok(other),
    }
}

/// Rows of a page: as asked, 1 to 200, or `usual`.
pub fn limit(text: Option<&str>, usual: usize) -> Result<usize> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(usual) };
    text.parse().ok().filter(|n| (1..=200).contains(n)).ok_or_else(|| {
        bad_request(
            "参数 limit 应为 1 至 200 的整数。",
            "Parameter limit must be a whole number from 1 to 200.",
        )
    })
}

/// Words of a list such as `road,water`, each read by `parse`.
pub fn words<T>(name: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    text.unwrap_or_default()
        .split(',')
        .filter(|w| !w.is_empty())
        .map(|word| {
            parse(word).ok_or_else(|| {
                bad_request(
                    &format!("参数 {name} 中没有“{word}”这个取值。"),
                    &format!("Parameter {name} knows no value '{word}'."),
                )
            })
        })
        .collect()
}

/// A cursor: where a list goes on, with a sum that ties it to the list it came from. It is not a
/// secret and opens nothing; a changed or foreign one is noticed.
pub fn cursor<T: Serialize>(list: &str, position: &T) -> Result<String> {
    let body = serde_json::to_vec(position).map_err(|e| Error::Internal(e.into()))?;
    let mut bytes = sum(list, &body).to_vec();
    bytes.extend_from_slice(&body);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The position that [`cursor`] wrote for the same list.
///
/// # Errors
/// `bad_request` for a cursor that was changed or belongs to another list or filter.
pub fn position<T: DeserializeOwned>(list: &str, cursor: Option<&str>) -> Result<Option<T>> {
    let Some(text) = cursor.filter(|c| !c.is_empty()) else { return Ok(None) };
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, body) = bytes.split_at_checked(SUM_BYTES)?;
        if head != sum(list, body) {
            return None;
        }
        serde_json::from_slice(body).ok()
    };
    read().map(Some).ok_or_else(|| {
        bad_request(
            "翻页标记无效，或与当前筛选条件不符；请从第一页重新开始。",
            "The cursor is not valid for this list and filter; start from the first page.",
        )
    })
}

/// The place and sector that a list is narrowed to.
///
/// # Errors
/// `not_found` for an unknown area, `bad_request` for an unknown sector.
pub async fn place_and_sector(
    state: &AppState,
    area: Option<&str>,
    sector: Option<&str>,
) -> Result<(Option<Place>, Option<Sector>)> {
    let place = match area.filter(|code| !code.is_empty()) {
        Some(code) => Some(Place::from(state.ledger.snapshot(&state.pool).await?.area_by_code(code)?)),
        None => None,
    };
    let sector = words("sector", sector, Sector::parse)?;
    match sector.as_slice() {
        [] => Ok((place, None)),
        [one] => Ok((place, Some(*one))),
        _ => Err(bad_request("参数 sector 只能有一个行业。", "Parameter sector takes one sector.")),
    }
}

const SUM_BYTES: usize = 8;

fn sum(list: &str, body: &[u8]) -> [u8; SUM_BYTES] {
    let digest = Sha256::new().chain_update(list).chain_update([0]).chain_update(body).finalize();
    let mut head = [0; SUM_BYTES];
    head.copy_from_slice(&digest[..SUM_BYTES]);
    head
}

/// A thing by its code and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
}

impl From<&ledger::Area> for Named {
    fn from(area: &ledger::Area) -> Self {
        Self { code: area.code.clone(), name: area.name.clone() }
    }
}

/// An id in the path.
///
/// # Errors
/// `not_found`: what is not an id names nothing.
pub fn id(text: &str, what: &str, what_en: &str) -> Result<uuid::Uuid> {
    text.parse().map_err(|_| Error::not_found(what, what_en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let text = cursor("projects?area=44", &(7, "A-1")).unwrap();
        assert_eq!(position("projects?area=44", Some(&text)).unwrap(), Some((7, "A-1".to_owned())));
        assert!(position::<(i32, String)>("projects?area=45", Some(&text)).is_err());
        let mut bytes = text.clone().into_bytes();
        let last = bytes.len() - 3;
        bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        assert!(
            position::<(i32, String)>("projects?area=44", Some(&String::from_utf8(bytes).unwrap())).is_err()
        );
        for junk in ["x", "AAAA", "%%%", "中"] {
            assert!(position::<(i32, String)>("l", Some(junk)).is_err());
        }
    }

    #[test]
    fn a_day_to_come_is_refused() {
        let today = "2020-10-31".parse().unwrap();
        assert_eq!(at(None, today).unwrap(), None);
        assert_eq!(at(Some("2020-10-31"), today).unwrap(), None);
        assert_eq!(at(Some("2019-06-30"), today).unwrap(), "2019-06-30".parse().ok());
        assert!(at(Some("2020-11-01"), today).is_err());
        for junk in ["2020-02-30", "2020-2-3", "+002020-01", "yesterday", "31.10.2020"] {
            assert!(at(Some(junk), today).is_err(), "{junk}");
        }
    }

    #[test]
    fn limits_and_words() {
        assert_eq!(limit(None, 50).unwrap(), 50);
        assert!(
            limit(Some("0"), 50).is_err() && limit(Some("201"), 50).is_err() && limit(Some("x"), 50).is_err()
        );
        let light = |w: &str| crate::domain::lights::Light::parse(w);
        assert_eq!(words("light", Some("late,warn"), light).unwrap().len(), 2);
        assert!(words("light", Some("late,red"), light).is_err());
    }
}
