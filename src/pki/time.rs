//! Times as certificates write them (RFC 5280 section 4.1.2.5), and as people read them.

use alloc::format;
use alloc::string::String;

use super::der::Element;

pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;

/// How a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Utc,
    Generalized,
}

/// The seconds since 1970 of a UTCTime or a GeneralizedTime in the one form that certificates may use: to the second,
/// in UTC, without a fraction. `None` for anything else.
pub(super) fn seconds(element: Element<'_>) -> Option<(i64, Form)> {
    let (form, year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = number(element.content, 2)?;
            // RFC 5280 section 4.1.2.5.1: "Where YY is greater than or equal to 50, the year SHALL be interpreted as
            // 19YY".
            (Form::Utc, if year >= 50 { 1900_i64 } else { 2000 }.checked_add(year)?, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = number(element.content, 4)?;
            (Form::Generalized, year, rest)
        }
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    if rest != b"Z" || hour > 23 || minute > 59 || second > 59 || day < 1 || day > days_in(year, month)? {
        return None;
    }
    let of_day = hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    Some((days(year, month, day)?.checked_mul(86_400)?.checked_add(of_day)?, form))
}

/// A number of so many decimal digits, and what follows it.
fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let number = digits.iter().try_fold(0_i64, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(i64::from(digit))
    })?;
    Some((number, rest))
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that a leap day ends one.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let (year, month) =
        if month > 2 { (year, month.checked_sub(3)?) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    let leaps = year.div_euclid(4).checked_sub(year.div_euclid(100))?.checked_add(year.div_euclid(400))?;
    let of_year = month.checked_mul(153)?.checked_add(2)?.div_euclid(5).checked_add(day)?;
    year.checked_mul(365)?.checked_add(leaps)?.checked_add(of_year)?.checked_sub(719_469)
}

/// Seconds since 1970 as a date and a time of day.
pub(super) fn date(seconds: i64) -> String {
    written(seconds).unwrap_or_else(|| format!("{seconds} seconds since 1970"))
}

fn written(seconds: i64) -> Option<String> {
    let (whole, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The year of a day is never off by more than one from this.
    let guess = whole.checked_mul(400)?.div_euclid(146_097).checked_add(1970)?;
    let year = [guess.checked_add(1)?, guess, guess.checked_sub(1)?]
        .into_iter()
        .find(|year| days(*year, 1, 1).is_some_and(|first| first <= whole))?;
    if !(0..=9999).contains(&year) {
        return None;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1).is_some_and(|first| first <= whole))?;
    let day = whole.checked_sub(days(year, month, 1)?)?.checked_add(1)?;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &[u8]) -> Option<i64> {
        seconds(Element { tag, content: text, whole: text }).map(|(seconds, _)| seconds)
    }

    #[test]
    fn times_are_read_as_they_are_printed() {
        for (tag, text, at, printed) in [
            (UTC_TIME, &b"700101000000Z"[..], 0, "1970-01-01 00:00:00 UTC"),
            (UTC_TIME, b"500101000000Z", -631_152_000, "1950-01-01 00:00:00 UTC"),
            (UTC_TIME, b"491231235959Z", 2_524_607_999, "2049-12-31 23:59:59 UTC"),
            (GENERALIZED_TIME, b"20000229235959Z", 951_868_799, "2000-02-29 23:59:59 UTC"),
            (GENERALIZED_TIME, b"21000101000000Z", 4_102_444_800, "2100-01-01 00:00:00 UTC"),
            (GENERALIZED_TIME, b"99991231235959Z", 253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(read(tag, text), Some(at), "{printed}");
            assert_eq!(date(at), printed);
        }
        assert_eq!(date(i64::MAX), format!("{} seconds since 1970", i64::MAX));
        assert_eq!(date(-1), "1969-12-31 23:59:59 UTC");
        assert_eq!(date(12 * 3_600 + 34 * 60 + 56), "1970-01-01 12:34:56 UTC");
    }

    #[test]
    fn every_day_of_eight_centuries_prints_and_reads_back() {
        for day in 0..146_097_i64 * 2 {
            let text: String = date(day * 86_400).chars().filter(char::is_ascii_digit).collect();
            assert_eq!(read(GENERALIZED_TIME, (text + "Z").as_bytes()), Some(day * 86_400));
        }
    }

    #[test]
    fn other_forms_and_impossible_times_are_refused() {
        for text in [
            &b"260101000000"[..],
            b"2601010000Z",
            b"260101000000+0000",
            b"260230000000Z",
            b"261301000000Z",
            b"260100000000Z",
            b"260101240000Z",
            b"260101006000Z",
            b"260101000060Z",
            b"2601010000 0Z",
        ] {
            assert_eq!(read(UTC_TIME, text), None, "{text:?}");
        }
        for text in [&b"20260101000000.5Z"[..], b"20250229000000Z", b"260101000000Z", b""] {
            assert_eq!(read(GENERALIZED_TIME, text), None, "{text:?}");
        }
        assert_eq!(read(0x0C, b"260101000000Z"), None);
    }
}
