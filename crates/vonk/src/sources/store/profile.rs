//! Keys of S3 that stand in the files of Amazon's own tools, as `aws configure` writes them.

use std::path::PathBuf;

use object_store::aws::AmazonS3ConfigKey as Key;

use super::settings::Settings;

/// The keys and the region of the profile that the environment names, or of `default`.
pub(super) fn credentials(settings: &Settings) -> Vec<(Key, String)> {
    let profile = settings.variable("AWS_PROFILE").unwrap_or("default");
    let place = |variable: &str, name: &str| -> Option<PathBuf> {
        if let Some(path) = settings.variable(variable) {
            return Some(PathBuf::from(path));
        }
        let home = settings.variable("HOME").or_else(|| settings.variable("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".aws").join(name))
    };
    let read = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok());
    let keys = read(place("AWS_SHARED_CREDENTIALS_FILE", "credentials")).unwrap_or_default();
    let config = read(place("AWS_CONFIG_FILE", "config")).unwrap_or_default();
    let mut found = Vec::new();
    for (name, value) in section(&config, profile).chain(section(&keys, profile)) {
        let key = match name {
            "aws_access_key_id" => Key::AccessKeyId,
            "aws_secret_access_key" => Key::SecretAccessKey,
            "aws_session_token" => Key::Token,
            "region" if settings.variable("AWS_REGION").is_none() => Key::Region,
            "endpoint_url" if settings.variable("AWS_ENDPOINT_URL").is_none() => Key::Endpoint,
            _ => continue,
        };
        found.push((key, value.to_owned()));
    }
    found
}

/// The names and values below `[profile]`, which the second file writes `[profile name]`.
fn section<'a>(text: &'a str, profile: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut is_inside = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_inside = name.trim().trim_start_matches("profile ").trim() == profile;
            return None;
        }
        let (name, value) = line.split_once('=')?;
        is_inside.then(|| (name.trim(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn profiles_are_told_apart() {
        let text = "[default]\naws_access_key_id = A\n[profile dev]\nregion=eu-west-1\n# x = y\n";
        let of = |profile| section(text, profile).collect::<Vec<_>>();
        assert_eq!(of("default"), [("aws_access_key_id", "A")]);
        assert_eq!(of("dev"), [("region", "eu-west-1"), ("# x", "y")]);
        assert_eq!(of("other"), []);
    }
}
