//! Passwords: argon2id with the parameters OWASP names (19 MiB, 2 passes, 1
//! lane), computed on blocking threads, few at a time.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use lophoc_ledger::fold_name;
use tokio::sync::Semaphore;

use crate::random;

/// Shortest password, characters.
pub const SHORTEST: usize = 10;
/// Longest password, characters: hashing time does not depend on it, memory does.
pub const LONGEST: usize = 128;
/// Fewest different characters.
const DISTINCT: usize = 5;
/// Words that make a password guessable wherever they are most of it.
const COMMON: [&str; 12] = [
    "password",
    "matkhau",
    "123456789",
    "987654321",
    "qwerty",
    "iloveyou",
    "administrator",
    "quantri",
    "vietnam",
    "hanoi",
    "giaovien",
    "hocsinh",
];
/// Computations that may wait; more are refused.
const MOST_WAITING: usize = 64;
const SALT: usize = 16;
const TAG: usize = 32;
/// Hash nobody's password has; the time is spent on it when there is no account.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password cannot be used or looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess; the code of the field.
    #[error("password {0}")]
    Weak(&'static str),
    /// Too many are being looked at.
    #[error("too many passwords at a time")]
    Busy,
    /// No memory or randomness, or a damaged hash.
    #[error("hashing failed")]
    Failed,
}

/// Computes hashes, a bounded number at a time.
#[derive(Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Passwords {
    /// `places` computations at a time; each takes 19 MiB and about 30 ms of a
    /// core.
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
            queue: Arc::new(Semaphore::new(MOST_WAITING)),
        }
    }

    /// The hash to store for each password, in order.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn hash(&self, passwords: Vec<String>) -> Result<Vec<String>, PasswordError> {
        self.compute(move || passwords.iter().map(|password| hash(password)).collect())
            .await?
    }

    /// Whether the password has this hash. Without one the answer is no, after
    /// the same time.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn verify(
        &self,
        secret: Option<String>,
        password: String,
    ) -> Result<bool, PasswordError> {
        self.compute(move || {
            let good = verify(secret.as_deref().unwrap_or(NOBODY), &password)?;
            Ok(good && secret.is_some())
        })
        .await?
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _waits = self.queue.try_acquire().map_err(|_| PasswordError::Busy)?;
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Failed)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        })
        .await
        .map_err(|_| PasswordError::Failed)
    }
}

/// Whether a person may choose this password.
///
/// # Errors
/// [`PasswordError::Weak`] with `tooShort`, `tooLong` or `badValue`.
pub fn allowed(password: &str, login: &str, name: &str) -> Result<(), PasswordError> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(PasswordError::Weak("tooShort"));
    }
    if length > LONGEST {
        return Err(PasswordError::Weak("tooLong"));
    }
    let letters = |text: &str| -> String {
        fold_name(text)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect()
    };
    let (folded, login, name) = (letters(password), letters(login), letters(name));
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    // What is left when the word is taken out is all there is to guess.
    let mostly = |word: &str| {
        word.len() >= 4
            && folded.contains(word)
            && folded.replace(word, "").chars().count() < SHORTEST / 2
    };
    let running = "01234567890123456789";
    let weak = distinct.len() < DISTINCT
        || mostly(&login)
        || mostly(&name)
        || COMMON.iter().any(|word| mostly(word))
        || running.contains(&folded)
        || password.chars().any(char::is_control);
    if weak {
        Err(PasswordError::Weak("badValue"))
    } else {
        Ok(())
    }
}

/// A first password: 60 random bits in three groups that can be read aloud.
pub fn generate() -> Result<String, random::NoRandomness> {
    let signs = random::spoken::<12>()?;
    let mut text = String::with_capacity(14);
    for (at, sign) in signs.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(sign);
    }
    Ok(text)
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let mut salt = [0u8; SALT];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| PasswordError::Failed)?;
    let params = Params::DEFAULT;
    let tag = tag(password, &salt, params.clone())?;
    Ok(format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(tag)
    ))
}

/// The parameters are those the hash was made with.
fn verify(secret: &str, password: &str) -> Result<bool, PasswordError> {
    let mut parts = secret.split('$').skip(1);
    let (Some("argon2id"), Some("v=19"), Some(costs), Some(salt), Some(known), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err(PasswordError::Failed);
    };
    let mut numbers = costs.split(',').map(|part| {
        part.split_once('=')
            .and_then(|(_, number)| number.parse::<u32>().ok())
    });
    let (Some(Some(memory)), Some(Some(passes)), Some(Some(lanes))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        return Err(PasswordError::Failed);
    };
    let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Failed)?;
    let decode = |text| {
        STANDARD_NO_PAD
            .decode(text)
            .map_err(|_| PasswordError::Failed)
    };
    let made = tag(password, &decode(salt)?, params)?;
    Ok(verify_slices_are_equal(&made, &decode(known)?).is_ok())
}

fn tag(password: &str, salt: &[u8], params: Params) -> Result<[u8; TAG], PasswordError> {
    let mut tag = [0u8; TAG];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut tag)
        .map_err(|_| PasswordError::Failed)?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_and_no_other() {
        let passwords = Passwords::new(1);
        let made = passwords
            .hash(vec!["mưa rào tháng bảy".into(), "mưa rào tháng bảy".into()])
            .await
            .unwrap();
        assert_ne!(made[0], made[1], "each hash has its own salt");
        let verify = async |secret: Option<&str>, password: &str| {
            passwords
                .verify(secret.map(str::to_owned), password.to_owned())
                .await
        };
        assert_eq!(verify(Some(&made[0]), "mưa rào tháng bảy").await, Ok(true));
        assert_eq!(verify(Some(&made[0]), "mưa rào tháng tám").await, Ok(false));
        assert_eq!(verify(None, "mưa rào tháng bảy").await, Ok(false));
        assert_eq!(
            verify(Some("$argon2id$v=19$m=1$x$y"), "a").await,
            Err(PasswordError::Failed)
        );
    }

    #[test]
    fn passwords_easy_to_guess_are_refused() {
        let told = |password| allowed(password, "hoa.nt", "Nguyễn Thị Hoa");
        for (password, code) in [
            ("ngắn", "tooShort"),
            ("aaaaaaaaaaaaaa", "badValue"),
            ("1234567890", "badValue"),
            ("hoa.nt2026", "badValue"),
            ("NguyenThiHoa1", "badValue"),
            ("Nguyễn Thị Hoa", "badValue"),
            ("matkhau@123", "badValue"),
        ] {
            assert_eq!(told(password), Err(PasswordError::Weak(code)), "{password}");
        }
        for password in ["mưa rào tháng bảy", "x7!kQp2-vb", "đò chiều sông Hương"] {
            assert_eq!(told(password), Ok(()), "{password}");
        }
        assert_eq!(
            told(&"ab1!c".repeat(40)),
            Err(PasswordError::Weak("tooLong"))
        );
    }

    #[test]
    fn generated_passwords_are_allowed_and_differ() {
        let (a, b) = (generate().unwrap(), generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 14);
    }
}
