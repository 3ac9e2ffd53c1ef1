//! Passwords: Argon2id, never kept or logged in clear.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, FieldError, Result};

/// Shortest password that is taken, in characters.
pub const SHORTEST: usize = 10;
/// Longest password that is hashed, in bytes: a limit on work, not on taste.
pub const LONGEST: usize = 512;

/// 19 MiB, two passes: the first choice of OWASP's list for Argon2id.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Hash of a password as a PHC string with a fresh salt. Takes tens of milliseconds: not on a
/// thread that serves requests.
pub fn hash(password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    argon2()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(anyhow::anyhow!("argon2: {error}")))
}

/// Does the password belong to the hash? A hash that cannot be read fits nothing.
pub fn verify(password: &str, hash: &str) -> bool {
    password.len() <= LONGEST
        && PasswordHash::new(hash)
            .is_ok_and(|parsed| argon2().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Refuses a password that is too short, too long, or the account's own name.
pub fn check(password: &str, login: &str) -> Result<()> {
    let (zh, en) = if password.chars().count() < SHORTEST {
        (format!("密码至少 {SHORTEST} 个字符。"), format!("A password has at least {SHORTEST} characters."))
    } else if password.len() > LONGEST {
        (format!("密码最多 {LONGEST} 字节。"), format!("A password has at most {LONGEST} bytes."))
    } else if password.contains(login) {
        ("密码不能包含账号名。".to_owned(), "A password may not contain the login.".to_owned())
    } else {
        return Ok(());
    };
    Err(Error::invalid(vec![FieldError { field: "password".into(), message: zh, message_en: en }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only_and_is_salted() {
        let first = hash("cuntong-2020").unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("cuntong-2020", &first));
        assert!(!verify("cuntong-2021", &first));
        assert!(!verify("cuntong-2020", "no hash"));
        assert_ne!(first, hash("cuntong-2020").unwrap());
    }

    #[test]
    fn weak_passwords_are_refused() {
        assert!(check("short", "a").is_err());
        assert!(check("limin-limin-1", "limin").is_err());
        assert!(check("三人行必有我师焉，择其善者", "limin").is_ok());
    }
}
