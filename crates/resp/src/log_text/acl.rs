//! Users that cannot be read or written.

pub const SPACES: &str = "Spaces not allowed in ACL usernames";
pub const CRITICAL: &str = "Critical error while loading ACLs. Exiting.";
pub const FILE_AND_LINES: &str = "Configuring Rubellite with users defined in redis.conf and at the same setting an ACL \
                                  file path is invalid. This setup is very likely to lead to configuration errors and \
                                  security holes, please define either an ACL file or declare users directly in your \
                                  redis.conf, but not both.";

pub fn bad_rule(rule: &str, user: &str, why: &str) -> String {
    format!("Error loading ACL rule '{rule}' for the user named '{user}': {why}")
}

pub fn disabled(user: &str) -> String {
    format!(
        "The user '{user}' is disabled (there is no 'on' modifier in the user description). Make sure this is not a \
         configuration error."
    )
}

pub fn aborting(errors: &str) -> String {
    format!("Aborting Rubellite startup because of ACL errors: {errors}")
}

/// `why` is the operating system's text.
pub fn save_failed(why: &str) -> String {
    format!("Writing ACL file for ACL SAVE: {why}")
}
