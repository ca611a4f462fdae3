//! A command with places for a session, split into words as a shell would, and never given to one.

use ao_slots::terminal::Opening;

/// The command of a terminal emulator or editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
}

/// Why a text is no such command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// There is no word in it.
    #[error("the command of the terminal is empty")]
    Empty,
    /// A quote has no end.
    #[error("the command of the terminal has a {0} without its end")]
    Quote(char),
    /// A place that is none.
    #[error("the command of the terminal has {{{0}}}; there are {{attach}}, {{session}}, {{url}} and {{dir}}")]
    Place(String),
    /// It shows no session.
    #[error("the command of the terminal names no session: it needs {{attach}}, {{session}}, {{url}} or {{dir}}")]
    NoPlace,
}

impl std::str::FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Self, BadTemplate> {
        let words = split(text)?;
        if words.is_empty() {
            return Err(BadTemplate::Empty);
        }
        let mut places = 0;
        for word in &words {
            for name in names(word) {
                if !["attach", "session", "url", "dir"].contains(&name) {
                    return Err(BadTemplate::Place(name.to_owned()));
                }
                places += 1;
            }
        }
        if places == 0 { Err(BadTemplate::NoPlace) } else { Ok(Self { words }) }
    }
}

impl Template {
    /// The words for a session. `{attach}` that stands alone becomes several words, inside of others one that a shell would
    /// split again.
    #[must_use]
    pub fn fill(&self, opening: &Opening) -> Vec<String> {
        let mut filled = Vec::new();
        for word in &self.words {
            if word == "{attach}" {
                filled.extend(opening.attach.iter().cloned());
                continue;
            }
            let attach = opening.attach.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            let mut text = word.clone();
            for (place, value) in [
                ("{attach}", attach.as_str()),
                ("{session}", opening.session.as_deref().unwrap_or_default()),
                ("{url}", &opening.url),
                ("{dir}", opening.dir.as_deref().unwrap_or(".")),
            ] {
                text = text.replace(place, value);
            }
            filled.push(text);
        }
        filled
    }
}

/// What stands between braces.
fn names(word: &str) -> impl Iterator<Item = &str> {
    word.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn split(text: &str) -> Result<Vec<String>, BadTemplate> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err(BadTemplate::Quote(c)),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => word.extend(chars.next()),
                        Some(other) => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A word as a shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        let attach = ["/opt/a b/ao", "attach", "app-1"].map(str::to_owned).to_vec();
        let dir = Some("/w/app 1".to_owned());
        Opening { session: Some("app-1".to_owned()), url: "http://127.0.0.1:3000/#x".to_owned(), attach, dir }
    }

    fn filled(text: &str) -> Vec<String> {
        text.parse::<Template>().unwrap().fill(&opening())
    }

    #[test]
    fn words_stay_words_whatever_is_filled_in() {
        assert_eq!(filled("kitty -e {attach}"), ["kitty", "-e", "/opt/a b/ao", "attach", "app-1"]);
        assert_eq!(filled("code --new-window {dir}"), ["code", "--new-window", "/w/app 1"]);
        assert_eq!(filled("'my term' --title \"ao {session}\" x\\ y"), ["my term", "--title", "ao app-1", "x y"]);
        assert_eq!(
            filled("foot sh -c '{attach}; exec sh'"),
            ["foot", "sh", "-c", "'/opt/a b/ao' attach app-1; exec sh"]
        );
        assert_eq!(filled("w --app={url} $(rm) ; &"), ["w", "--app=http://127.0.0.1:3000/#x", "$(rm)", ";", "&"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let bad = |text: &str| text.parse::<Template>().unwrap_err();
        assert_eq!(bad("  "), BadTemplate::Empty);
        assert_eq!(bad("kitty 'x {attach}"), BadTemplate::Quote('\''));
        assert_eq!(bad("kitty {atach}"), BadTemplate::Place("atach".to_owned()));
        assert_eq!(bad("kitty"), BadTemplate::NoPlace);
    }
}
