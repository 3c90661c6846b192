//! Whether bytes may begin to move now.

use transload_plan::Window;

use crate::{ErrorName, Failure};

/// What stands in front of the seconds: the definitions read them from the message.
const OPENS_IN: &str = "opens in ";

/// Nothing, if the window is open at `entered`, milliseconds since 1970, or there is none.
///
/// # Errors
/// [`ErrorName::WindowClosed`] with the seconds to wait; `InputInvalid` if nobody says when the state was entered.
pub fn check_window(window: Option<&Window>, entered: Option<u64>) -> Result<(), Failure> {
    let Some(window) = window else { return Ok(()) };
    match opens_in(window, entered)? {
        None => Ok(()),
        Some(seconds) => Err(ErrorName::WindowClosed
            .because(format!("options.window: expected a time within {window}; {OPENS_IN}{seconds} s"))),
    }
}

/// Seconds until it opens; `None` if it is open at `entered`.
///
/// # Errors
/// `InputInvalid` if nobody says when the state was entered.
pub fn opens_in(window: &Window, entered: Option<u64>) -> Result<Option<u64>, Failure> {
    let entered = entered.ok_or_else(|| {
        ErrorName::InputInvalid
            .because("entered: expected milliseconds since 1970 beside a window, found none")
    })?;
    Ok(window.opens_in(entered))
}

#[cfg(test)]
mod tests {
    use super::check_window;
    use crate::ErrorName;

    #[test]
    fn a_closed_window_tells_when_it_opens() {
        let window = "22:00-06:00".parse().unwrap();
        // 1970-01-01, 21:59:30 and 22:00.
        let refused = check_window(Some(&window), Some(79_170_000)).unwrap_err();
        assert_eq!(refused.name, ErrorName::WindowClosed);
        assert!(refused.message.ends_with("within 22:00-06:00+00:00; opens in 30 s"), "{refused}");
        assert!(check_window(Some(&window), Some(79_200_000)).is_ok());
        assert!(check_window(None, None).is_ok());
        assert_eq!(check_window(Some(&window), None).unwrap_err().name, ErrorName::InputInvalid);
    }
}
