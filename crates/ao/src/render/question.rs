//! A question of an agent with its choices, and how it is answered.

use super::words::line;
use ao_api::question::QuestionView;

/// The question, its choices, and what to type.
#[must_use]
pub fn lines(asked: &QuestionView, session: &str) -> Vec<String> {
    let mut out: Vec<String> = asked.text.lines().map(line).collect();
    for (n, option) in asked.options.iter().enumerate() {
        let sign = if option.selected { "→" } else { " " };
        let key = option.key.as_deref().map_or_else(|| format!("{}", n + 1), line);
        out.push(format!(" {sign} {key}  {}", line(&option.label)));
    }
    if let Some(url) = &asked.url {
        out.push(format!("open: {}", line(url)));
    }
    if let Some(code) = &asked.code {
        out.push(format!("code: {}", line(code)));
    }
    if let Some(why) = &asked.refused {
        out.push(format!("the last answer was not taken: {}", line(why)));
    }
    if let (Some(label), Some(rule)) = (&asked.proposal, &asked.rule) {
        out.push(format!("proposed by {}: {}", line(rule), line(label)));
    }
    out.push(format!("answer: {}", verb(asked, session)));
    out
}

/// What to type for an answer.
#[must_use]
pub fn verb(asked: &QuestionView, session: &str) -> String {
    if asked.answerable && asked.proposal.is_some() {
        format!("ao answer {session} --proposed")
    } else if asked.answerable && !asked.options.is_empty() {
        format!("ao answer {session} OPTION")
    } else if asked.answerable && asked.takes_text {
        format!("ao answer {session} --text -")
    } else {
        format!("ao attach {session}")
    }
}

/// A question in one line: its last words, then the choices.
#[must_use]
pub fn short(asked: &QuestionView) -> String {
    let last = asked.text.lines().rfind(|text| !text.trim().is_empty()).unwrap_or("a dialog");
    let labels: Vec<String> = asked.options.iter().map(|o| line(&o.label)).collect();
    let login = match (&asked.url, &asked.code) {
        (Some(url), Some(code)) => format!(" · open {} and enter {}", line(url), line(code)),
        (Some(url), None) => format!(" · open {}", line(url)),
        (None, _) => String::new(),
    };
    let choices = if labels.is_empty() { String::new() } else { format!(" [{}]", labels.join(" / ")) };
    format!("{}{choices}{login}", line(last))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use ao_api::question::OptionView;

    /// A permission dialog with two choices.
    pub fn question() -> QuestionView {
        let option = |key: &str, label: &str, selected| OptionView {
            key: Some(key.to_owned()),
            label: label.to_owned(),
            selected,
        };
        QuestionView {
            id: "app-2.q1".to_owned(),
            kind: "permission".to_owned(),
            text: "Bash command\n\nmake\u{7}\n\nDo you want to proceed?".to_owned(),
            options: vec![option("1", "Yes", true), option("2", "No", false)],
            takes_text: false,
            answerable: true,
            url: None,
            code: None,
            proposal: None,
            rule: None,
            refused: None,
            since: 1,
        }
    }

    #[test]
    fn a_question_is_shown_with_its_choices_and_what_to_type() {
        insta::assert_snapshot!(lines(&question(), "app-2").join("\n"), @r"
        Bash command

        make

        Do you want to proceed?
         → 1  Yes
           2  No
        answer: ao answer app-2 OPTION
        ");
        assert_eq!(short(&question()), "Do you want to proceed? [Yes / No]");
        let login = QuestionView {
            options: Vec::new(),
            takes_text: true,
            url: Some("https://a".to_owned()),
            code: Some("AAAA-BBBB".to_owned()),
            ..question()
        };
        assert_eq!(verb(&login, "app-2"), "ao answer app-2 --text -");
        assert!(short(&login).ends_with("open https://a and enter AAAA-BBBB"));
        let unseen = QuestionView { answerable: false, ..question() };
        assert_eq!(verb(&unseen, "app-2"), "ao attach app-2");
    }
}
