//! Questions of agents and their answers: which one waits, who answers it, and what became of an answer.
//!
//! A question is what the screen shows while the agent is known to wait for a person. An answer names its question, so that
//! one that comes too late is never pressed into something else.

use super::draft::Draft;
use crate::activity::Activity;
use crate::effect::{Effect, Outcome, Priority};
use crate::event::Answer;
use crate::facts::Facts;
use crate::id::{LaunchId, SessionId};
use crate::kind::Fault;
use crate::question::{AnswerState, Answering, Dialog, Proposal, Question, Reply, find};
use crate::reaction::ReactionKey;
use crate::session::{Attention, Phase, Process, Session};
use crate::supervision::{AUTO_WINDOW, AnswerRule, MOST_AUTO, MOST_LATELY, Plan, Supervision, plan};
use crate::time::{Millis, Time};

/// An answered dialog that is still there after this long is asked again: it is another one with the same words.
const ASKED_AGAIN: Millis = Millis::secs(3);

/// A session that may be answered by rules calls nobody before its question was read off the screen, which takes half a
/// second, or before this long.
const READ_WITHIN: Millis = Millis::secs(2);

/// The screen shows another dialog, or none.
pub(super) fn shown(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, dialog: Option<&Dialog>) -> Answer {
    let found = d.sessions.get_mut(id).filter(|s| !s.ended() && s.launch.as_ref() == Some(launch));
    if let Some(session) = found {
        session.asking.shown = dialog.cloned();
    }
    Answer::Noted
}

/// A new launch: nothing is asked yet.
pub(super) fn launched(session: &mut Session) {
    session.asking.shown = None;
    session.asking.question = None;
}

/// Brings the questions of all sessions up to what is known, and answers what rules answer.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let changed: Vec<SessionId> = d.sessions.values().filter(|s| is_stale(s, now)).map(|s| s.id.clone()).collect();
    for id in changed {
        if let Some(session) = d.sessions.get_mut(&id) {
            renew(session, now);
        }
    }
    let unjudged =
        |s: &&Session| s.asking.waiting().is_some_and(|q| q.seen && !q.judged) && !s.asking.is_being_answered();
    let unjudged: Vec<SessionId> = d.sessions.values().filter(unjudged).map(|s| s.id.clone()).collect();
    for id in unjudged {
        judge(d, &id);
    }
}

/// When a question is to be looked at again.
pub(super) fn deadline(session: &Session) -> Option<Time> {
    let again = session.asking.question.as_ref().and_then(|q| q.answered).filter(|_| session.asking.shown.is_some());
    again.filter(|_| asks(session)).map(|at| at.after(ASKED_AGAIN))
}

/// When a person may be called to a question: not while an answer is on its way, and not before rules had their say.
pub(super) fn calls_at(facts: &Facts, session: &Session) -> Option<Time> {
    let level = level(facts.projects.get(&session.project).map(|p| p.settings.supervision), session);
    call_time(level, session)
}

/// As [`calls_at`], while a decision is made.
pub(super) fn calls_within(d: &Draft<'_>, session: &Session) -> Option<Time> {
    let level = level(d.projects.get(&session.project).map(|p| p.settings.supervision), session);
    call_time(level, session)
}

fn call_time(level: Supervision, session: &Session) -> Option<Time> {
    let since = session.known.since;
    let Some(question) = &session.asking.question else { return Some(since) };
    if question.answered.is_some() || session.asking.is_being_answered() {
        return None;
    }
    if level == Supervision::Notify || question.judged {
        return Some(since);
    }
    Some(question.since.after(READ_WITHIN))
}

fn level(of_project: Option<Supervision>, session: &Session) -> Supervision {
    session.supervision.or(of_project).unwrap_or_default()
}

fn asks(session: &Session) -> bool {
    let lives = matches!(session.phase, Phase::Launching | Phase::Live);
    let gone = matches!(session.process, Process::Exited { .. } | Process::Missing);
    lives && !gone && matches!(session.known.activity, Activity::NeedsInput { .. })
}

fn is_stale(session: &Session, now: Time) -> bool {
    let asking = &session.asking;
    match (&asking.question, &asking.shown) {
        _ if !asks(session) => asking.question.is_some(),
        (None, _) => true,
        (Some(q), Some(dialog)) => match q.answered {
            Some(at) => !q.dialog.is(dialog) || now >= at.after(ASKED_AGAIN),
            None => !q.seen || q.dialog != *dialog,
        },
        (Some(q), None) => q.seen && q.answered.is_none(),
    }
}

fn renew(session: &mut Session, now: Time) {
    let Activity::NeedsInput { what } = session.known.activity else {
        session.asking.question = None;
        return;
    };
    if !asks(session) {
        session.asking.question = None;
        return;
    }
    let asking = &mut session.asking;
    match (&mut asking.question, &asking.shown) {
        // It is read at last, or its menu's cursor moved.
        (Some(q), Some(dialog))
            if q.answered.is_none() && (!q.seen && q.dialog.options.is_empty() || q.dialog.is(dialog)) =>
        {
            q.dialog = dialog.clone();
            q.seen = true;
        }
        (Some(q), None) => q.seen = false,
        (_, shown) => {
            asking.count += 1;
            let unread = || Dialog {
                kind: what,
                text: session.known.why.clone(),
                options: Vec::new(),
                takes_text: false,
                safe: None,
                url: None,
                code: None,
            };
            asking.question = Some(Question {
                n: asking.count,
                since: now,
                seen: shown.is_some(),
                dialog: shown.clone().unwrap_or_else(unread),
                answered: None,
                judged: false,
                proposal: None,
            });
        }
    }
}

/// Decides whether a question is answered without a person.
fn judge(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else { return };
    let Some(question) = session.asking.waiting() else { return };
    let settings = d.projects.get(&session.project).map(|p| &p.settings);
    let level = level(settings.map(|s| s.supervision), session);
    let rules = session.answers.iter().chain(settings.map(|s| s.answers.as_slice()).unwrap_or_default());
    let used = |rule: &&AnswerRule| !(rule.once && session.asking.used.contains(&rule.name));
    let plan = plan(level, rules.filter(used), &question.dialog);
    let n = question.n;
    let asking = &session.asking;
    let lately = asking.lately.iter().filter(|at| now.since(**at) < AUTO_WINDOW).count();
    let spent = asking.auto >= MOST_AUTO || lately >= MOST_LATELY;
    if let Some(question) = d.sessions.get_mut(id).and_then(|s| s.asking.question.as_mut()) {
        question.judged = true;
        if let Plan::Propose(rule) | Plan::Answer(rule) = &plan {
            question.proposal = Some(Proposal { reply: rule.reply.clone(), rule: rule.name.clone() });
        }
    }
    let Plan::Answer(rule) = plan else { return };
    if spent {
        call(d, id, &format!("it was answered too often by itself ({} would answer again)", rule.name));
        return;
    }
    if let Some(session) = d.sessions.get_mut(id) {
        session.asking.auto += 1;
        session.asking.lately.retain(|at| now.since(*at) < AUTO_WINDOW);
        session.asking.lately.push(now);
        if rule.once {
            session.asking.used.insert(rule.name.clone());
        }
    }
    press(d, id, n, &rule.reply, &format!("rule {}", rule.name));
}

/// A person answers.
pub(super) fn requested(d: &mut Draft<'_>, id: &SessionId, n: u32, reply: &Reply, by: &str) -> Answer {
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    let said = session.asking.answer.as_ref().filter(|a| a.n == n && !matches!(a.state, AnswerState::Held { .. }));
    if let Some(said) = said {
        // The same answer once more is the same answer.
        if said.reply == *reply {
            return Answer::Session(id.clone());
        }
        let fault = Fault::conflict(format!("question {n} of {id} was answered with {} already", said.reply.words()));
        return Answer::Refused(fault);
    }
    let Some(question) = session.asking.waiting() else {
        let fault = Fault::conflict(format!("{id} asks nothing now"));
        return Answer::Refused(fault.hint(format!("`ao status {id}` says how it stands")));
    };
    if question.n != n {
        let fault = Fault::conflict(format!("question {n} of {id} is over; now it asks: {}", words(question)));
        return Answer::Refused(
            fault.hint(format!("look at it (`ao answer {id}`) and answer question {}", question.n)),
        );
    }
    if !question.seen {
        let fault = Fault::conflict(format!("question {n} of {id} is not to be seen on its screen"));
        return Answer::Refused(fault.hint(format!("answer it there: ao attach {id}")));
    }
    if let Err(fault) = fits(&question.dialog, id, reply) {
        return Answer::Refused(fault);
    }
    press(d, id, n, reply, by);
    Answer::Session(id.clone())
}

/// A question in one line.
fn words(question: &Question) -> String {
    let text = question.dialog.text.split('\n').rfind(|line| !line.is_empty()).unwrap_or("something");
    let options: Vec<&str> = question.dialog.options.iter().map(|o| o.label.as_str()).collect();
    if options.is_empty() { text.to_owned() } else { format!("{text} ({})", options.join(" / ")) }
}

fn fits(dialog: &Dialog, id: &SessionId, reply: &Reply) -> Result<(), Fault> {
    match reply {
        Reply::Option(wanted) if find(&dialog.options, wanted).is_none() => {
            let labels: Vec<&str> = dialog.options.iter().map(|o| o.label.as_str()).collect();
            let fault = Fault::invalid(format!("the dialog of {id} has no single choice {wanted:?}"));
            Err(if labels.is_empty() {
                fault.hint(format!("it shows no choices that are understood: ao attach {id}"))
            } else {
                fault.hint(format!("it has: {}", labels.join(", ")))
            })
        }
        Reply::Text(_) | Reply::Hidden(_) if !dialog.takes_text => {
            let fault = Fault::invalid(format!("the dialog of {id} takes no words"));
            Err(fault.hint(format!("choose one of its options, or type there: ao attach {id}")))
        }
        Reply::Option(_) | Reply::Text(_) | Reply::Hidden(_) | Reply::Keys(_) => Ok(()),
    }
}

fn press(d: &mut Draft<'_>, id: &SessionId, n: u32, reply: &Reply, by: &str) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    let (Some(launch), Some(question)) = (session.launch.clone(), session.asking.waiting()) else { return };
    let dialog = question.dialog.clone();
    let attempt = session.asking.answer.as_ref().filter(|a| a.n == n).map_or(0, |a| a.attempt) + 1;
    let answering = Answering { n, attempt, reply: reply.clone(), by: by.to_owned(), state: AnswerState::Asked };
    session.asking.answer = Some(answering);
    d.ask(Effect::AnswerQuestion {
        session: id.clone(),
        launch,
        n,
        attempt,
        dialog: Box::new(dialog),
        reply: reply.clone(),
    });
}

/// The keys of an answer were pressed, or could not be.
pub(super) fn pressed(d: &mut Draft<'_>, id: &SessionId, n: u32, attempt: u32, outcome: &Outcome) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let asking = &mut session.asking;
    let Some(answer) = asking.answer.as_mut().filter(|a| a.n == n && a.attempt == attempt) else { return };
    let by_rule = answer.by.starts_with("rule ");
    if let Outcome::Held { why } = outcome {
        answer.state = AnswerState::Held { why: why.clone() };
        if by_rule {
            call(d, id, &format!("a rule's answer was not taken: {why}"));
        }
        return;
    }
    answer.state = AnswerState::Given;
    if let Some(question) = asking.question.as_mut().filter(|q| q.n == n) {
        question.answered = Some(now);
        if session.attention.as_ref().is_some_and(|a| a.key == ReactionKey::AgentNeedsInput) {
            session.attention = None;
        }
    }
}

/// A person is called to a question that no rule may answer any more.
fn call(d: &mut Draft<'_>, id: &SessionId, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(question) = session.asking.waiting() else { return };
    let (n, asks) = (question.n, words(question));
    session.attention = Some(Attention { key: ReactionKey::AgentNeedsInput, why: why.to_owned(), since: now });
    let (project, title) = (session.project.clone(), format!("{} waits for you", session.name));
    let body = format!("{why}. It asks: {asks}. Answer it: ao answer {id}");
    d.notify(format!("answer:{id}:{n}:{}", now.0), &project, Some(id), Priority::Urgent, title, body);
}

/// What a person is told who is called to a session's question.
pub(super) fn call_words(session: &Session) -> String {
    let id = &session.id;
    let Some(question) = session.asking.waiting().filter(|q| q.seen) else {
        return format!("{}. Answer it: ao attach {id}", session.known.why);
    };
    let login = question.dialog.url.as_ref().map(|url| format!(" Open {url}"));
    let code = question.dialog.code.as_ref().map(|code| format!(" and enter {code}"));
    let proposal = question.proposal.as_ref().map(|p| format!(" (proposed: {})", p.reply.words()));
    format!(
        "{}.{}{} Answer it: ao answer {id}{}",
        words(question),
        login.unwrap_or_default(),
        code.unwrap_or_default(),
        proposal.unwrap_or_default()
    )
}
