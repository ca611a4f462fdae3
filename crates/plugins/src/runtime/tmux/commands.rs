//! Commands to a launch in tmux: typing, views, rows, stopping.
//!
//! A stage is typed and written down by one list of commands inside the tmux server, if it is not written down there yet:
//! a daemon that dies at any point finds it done or not begun.

use super::control::Answered;
use super::link::telling::read_look;
use super::link::{Place, Request, drop_orphans, with_family};
use super::pane::{self, Pane, TmuxRecord};
use super::screen;
use super::server::{Refused, Server, senseless};
use super::tree::Family;
use super::viewers::{self, FRAMES};
use crate::runtime::process::exit::exit_of;
use ao_core::id::LaunchId;
use ao_core::kind::{Fault, Kind};
use ao_core::screen::{Screen, sha256_hex};
use ao_host::engine::queries::ReplyFilter;
use ao_host::exec_launch::AgentRecord;
use ao_host::record::now_us;
use ao_slots::Answer;
use ao_slots::runtime::{Attachment, Control, Exit, TypeStage, Typed, TypedStage, Usage, View, ViewerInput};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// tmux answers within milliseconds; while a program floods its terminal, within a second.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// tmux notices the end of a process within milliseconds.
const NOTICES_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
const NOTICES: Duration = Duration::from_millis(20);

/// Start of the names of the pane's options that hold typed stages.
const STAGE: &str = "@ao-stage-";

/// Commands to one launch.
pub(super) struct TmuxControl {
    pub(super) place: Arc<Place>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) offset: Arc<AtomicU64>,
}

/// The answers of commands of which each must have been carried out.
fn all(answers: Vec<Answered>) -> Answer<Vec<Answered>> {
    match answers.iter().find(|answer| !answer.done) {
        Some(refusal) => Err(Fault::unavailable(format!("tmux: {}", refusal.lines.join(" ")))),
        None => Ok(answers),
    }
}

impl TmuxControl {
    /// Gives commands to tmux over the link.
    async fn ask(&self, commands: String) -> Answer<Vec<Answered>> {
        let (answer, answers) = oneshot::channel();
        self.requests.send(Request::Ask { commands, answer }).await.map_err(|_| self.lost())?;
        timeout(ANSWERS_WITHIN, answers).await.map_err(|_| self.lost())?.map_err(|_| self.lost())
    }

    fn lost(&self) -> Fault {
        Fault::unavailable(format!("the link to tmux session {} is lost", self.place.record.name))
    }

    /// What is written down of a stage, and the screen.
    async fn look(&self, option: &str) -> Answer<(Option<TypedStage>, Screen)> {
        let id = &self.place.pane.id;
        let commands = format!(
            "display-message -p -t \"{id}\" \"#{{{option}}}\" ; display-message -p -t \"{id}\" \"{}\" ; capture-pane -p -t \"{id}\"",
            screen::LOOK
        );
        let answers = all(self.ask(commands).await?)?;
        let (typed, look) = answers.split_first().ok_or_else(|| senseless("a look at a pane", ""))?;
        let typed = typed.lines.first().filter(|line| !line.is_empty());
        let typed = typed.map(|line| Stage::read(line).ok_or_else(|| senseless("a stage", line))).transpose()?;
        Ok((typed.map(|stage| stage.typed), read_look(look)?.screen))
    }

    /// Its pane now; none when it is gone.
    async fn pane(&self) -> Answer<Option<Pane>> {
        let launch = LaunchId::new(&self.place.record.launch);
        match pane::look(&self.place.server, &launch).await {
            Ok(pane) => Ok(pane),
            Err(Refused::NoServer(_)) => Ok(None),
            Err(refused) => Err(refused.into()),
        }
    }
}

/// How long what an agent left may take to leave politely, as with session hosts.
const LEFTOVER_GRACE: Duration = Duration::from_millis(500);

/// Closes the session of a launch whose end is written down, and ends what the agent left.
pub(super) async fn close(server: &Server, record: &TmuxRecord, dir: &Path) -> Answer<()> {
    let of = dir.to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        let Some(agent) = AgentRecord::read(&of) else { return };
        let mut family = Family::of(agent.pid, &of);
        family.end(LEFTOVER_GRACE);
        family.remove();
    });
    ended.await.map_err(|e| Fault::new(Kind::Bug, format!("ending processes failed: {e}")))?;
    // The name may be the next launch's by now; the pane is this one's.
    match pane::look(server, &LaunchId::new(&record.launch)).await {
        Ok(None) | Err(Refused::NoServer(_)) => return Ok(()),
        Ok(Some(_)) => {}
        Err(refused) => return Err(refused.into()),
    }
    drop_orphans(server, &record.name).await;
    match server.run(["kill-session", "-t", &format!("={}", record.name)]).await {
        Err(Refused::NotAsked(fault)) => Err(fault),
        // Somebody else closed it.
        Ok(_) | Err(Refused::Said(_) | Refused::NoServer(_)) => Ok(()),
    }
}

/// A stage as an option of the pane holds it: `MICROSECONDS.OFFSET.DELIVERY.STAGE`, the names in hexadecimal.
struct Stage {
    at_us: u64,
    typed: TypedStage,
}

impl Stage {
    fn read(value: &str) -> Option<Self> {
        let mut fields = value.split('.');
        let (at_us, offset) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let (delivery, stage) = (from_hex(fields.next()?)?, from_hex(fields.next()?)?);
        Some(Self { at_us, typed: TypedStage { delivery, stage, offset } })
    }

    fn value(&self) -> String {
        let TypedStage { delivery, stage, offset } = &self.typed;
        format!("{}.{offset}.{}.{}", self.at_us, to_hex(delivery), to_hex(stage))
    }

    /// The option that holds it.
    fn option(delivery: &str, stage: &str) -> String {
        let hash = sha256_hex(format!("{delivery}\0{stage}").as_bytes());
        format!("{STAGE}{}", hash.get(..16).unwrap_or(&hash))
    }
}

fn to_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<String> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// Every stage that the options of a pane hold, oldest first.
pub(super) fn stages(options: &str) -> Vec<TypedStage> {
    let values = options.lines().filter(|line| line.starts_with(STAGE)).filter_map(|line| line.split_once(' '));
    let mut stages: Vec<Stage> = values.filter_map(|(_, value)| Stage::read(value.trim_matches('"'))).collect();
    stages.sort_by_key(|stage| stage.at_us);
    stages.into_iter().map(|stage| stage.typed).collect()
}

/// Text as a terminal pastes it: without control characters other than newline and tab.
fn clean(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect::<String>().into_bytes()
}

#[async_trait]
impl Control for TmuxControl {
    async fn type_stage(&self, stage: TypeStage) -> Answer<Typed> {
        let option = Stage::option(&stage.delivery, &stage.stage);
        let (known, shown) = self.look(&option).await?;
        if let Some(known) = known {
            return Ok(Typed::Repeat { offset: known.offset });
        }
        if stage.if_region.is_some_and(|region| shown.region(region.from, region.to) != region) {
            return Ok(Typed::Moved);
        }
        // A halted program is typed to when it runs again.
        let thawed = self.halt(false).await;
        if let Err(fault) = thawed.as_ref()
            && fault.kind != Kind::Unsupported
        {
            return Err(fault.clone());
        }
        let id = &self.place.pane.id;
        let buffer = option.trim_start_matches('@');
        let typing = if stage.stage != "paste" {
            viewers::keys(id, &stage.bytes).join(" ; ")
        } else {
            let text = clean(&stage.bytes);
            if text.is_empty() {
                "refresh-client".to_owned()
            } else {
                self.place.server.run_with(["load-buffer", "-b", buffer, "-"], &text).await?;
                // -p wraps it if the program asked for that, -r leaves newlines alone, -d forgets it.
                format!("paste-buffer -p -r -d -b {buffer} -t \"{id}\"")
            }
        };
        // The log is where marks have their offsets: what it holds by now came before this stage.
        let logged = screen::Log::of(&self.place.dir).len();
        let offset = self.offset.load(Ordering::Relaxed).max(logged);
        let typed = TypedStage { delivery: stage.delivery, stage: stage.stage, offset };
        let value = Stage { at_us: now_us(), typed }.value();
        let commands = format!(
            "if-shell -F -t \"{id}\" \"#{{{option}}}\" {{ display-message -p -t \"{id}\" \"repeat #{{{option}}}\" }} \
             {{ set-option -p -t \"{id}\" {option} {value} ; {typing} ; display-message -p \"written\" }}"
        );
        let answers = all(self.ask(commands).await?)?;
        let line = answers.iter().flat_map(|answer| &answer.lines).next_back().cloned().unwrap_or_default();
        if line == "written" {
            return Ok(Typed::Written { offset });
        }
        let known = line.strip_prefix("repeat ").and_then(Stage::read).ok_or_else(|| senseless("a stage", &line))?;
        // Another daemon was faster; its text is typed, ours is not needed.
        drop(self.ask(format!("delete-buffer -b {buffer}")).await);
        Ok(Typed::Repeat { offset: known.typed.offset })
    }

    async fn typed_stages(&self) -> Answer<Vec<TypedStage>> {
        let answers = all(self.ask(format!("show-options -p -t \"{}\"", self.place.pane.id)).await?)?;
        let lines: Vec<String> = answers.into_iter().flat_map(|answer| answer.lines).collect();
        Ok(stages(&lines.join("\n")))
    }

    async fn stop(&self, grace_ms: u64) -> Answer<Exit> {
        let grace = Duration::from_millis(grace_ms);
        let (left, held) = with_family(&self.place, move |family| (family.end(grace), family.is_held())).await?;
        if !left.is_empty() {
            let words = format!("{} processes of the session could not be ended: {left:?}", left.len());
            return Err(Fault::unavailable(words));
        }
        let until = Instant::now() + NOTICES_WITHIN;
        let exit = loop {
            if let Some(exit) = pane::exit(&self.place.dir) {
                break exit_of(&exit);
            }
            match self.pane().await? {
                None => break Exit { code: None, signal: None, why: None, left: None },
                Some(pane) if pane.ending.is_some() => {
                    let place = &self.place;
                    break exit_of(&pane::settle(&place.server, &place.record, &place.dir, &pane).await?);
                }
                Some(_) if Instant::now() < until => {
                    self.place.record.nudge();
                    sleep(NOTICES).await;
                }
                Some(_) => {
                    return Err(Fault::unavailable("the agent's processes are gone, and tmux does not notice it"));
                }
            }
        };
        Ok(Exit { left: held.then_some(0), ..exit })
    }

    async fn acknowledge_exit(&self) -> Answer<()> {
        if pane::exit(&self.place.dir).is_none() {
            return Err(Fault::conflict("the agent has not ended"));
        }
        close(&self.place.server, &self.place.record, &self.place.dir).await
    }

    async fn attach(&self, view: View) -> Answer<Attachment> {
        let (frames, receiver) = mpsc::channel(FRAMES);
        let (number, viewer) = oneshot::channel();
        self.requests.send(Request::Attach { view, frames, number }).await.map_err(|_| self.lost())?;
        let viewer = timeout(ANSWERS_WITHIN, viewer).await.map_err(|_| self.lost())?.map_err(|_| self.lost())?;
        let (input, mut done) = mpsc::channel(FRAMES);
        let requests = self.requests.clone();
        tokio::spawn(async move {
            let mut filter = ReplyFilter::new();
            while let Some(input) = done.recv().await {
                let input = match input {
                    ViewerInput::Keys(bytes) => ViewerInput::Keys(viewers::typed(&mut filter, &bytes)),
                    other => other,
                };
                if requests.send(Request::Input { viewer, input }).await.is_err() {
                    return;
                }
            }
            // A link that is over has no viewers.
            let _ = requests.send(Request::Leave(viewer)).await;
        });
        Ok(Attachment { frames: Box::new(receiver), input: Box::new(input) })
    }

    async fn history(&self, from: u64, to: u64) -> Answer<Vec<String>> {
        let id = &self.place.pane.id;
        let asked = self.ask(format!("display-message -p -t \"{id}\" \"#{{history_size}}|#{{pane_width}}\"")).await?;
        let answers = all(asked)?;
        let line = answers.first().and_then(|answer| answer.lines.first()).map_or("", String::as_str);
        let numbers =
            line.split_once('|').and_then(|(size, cols)| Some((size.parse::<u64>().ok()?, cols.parse::<u16>().ok()?)));
        let (size, cols) = numbers.ok_or_else(|| senseless("a history", line))?;
        if size >= pane::NUMBERED {
            return Err(Fault::new(
                Kind::Unsupported,
                "tmux has begun to forget rows, so that they have no numbers any more",
            )
            .hint(format!(
                "`tmux -S {} attach -t ={}` scrolls",
                self.place.server.socket().display(),
                self.place.record.name
            )));
        }
        let captures = screen::chunks(from, to, size).into_iter();
        let captures: Vec<String> =
            captures.map(|(start, end)| format!("capture-pane -e -p -t \"{id}\" -S {start} -E {end}")).collect();
        if captures.is_empty() {
            return Ok(Vec::new());
        }
        let answers = all(self.ask(captures.join(" ; ")).await?)?;
        Ok(answers.iter().flat_map(|answer| screen::rows_alone(cols, &answer.lines)).collect())
    }

    async fn usage(&self) -> Answer<Usage> {
        with_family(&self.place, Family::usage).await
    }

    async fn freeze(&self) -> Answer<()> {
        self.halt(true).await
    }

    async fn thaw(&self) -> Answer<()> {
        self.halt(false).await
    }
}

impl TmuxControl {
    async fn halt(&self, frozen: bool) -> Answer<()> {
        let (answer, done) = oneshot::channel();
        self.requests.send(Request::Halt { frozen, answer }).await.map_err(|_| self.lost())?;
        timeout(ANSWERS_WITHIN, done).await.map_err(|_| self.lost())?.map_err(|_| self.lost())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_plain_words_and_come_back() {
        let typed = TypedStage { delivery: "d \"1\"; é".to_owned(), stage: "submit#1".to_owned(), offset: 7 };
        let value = Stage { at_us: 5, typed: typed.clone() }.value();
        assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{value}");
        let older = Stage { at_us: 4, typed: TypedStage { stage: "paste".to_owned(), ..typed.clone() } }.value();
        let options = format!("@ao-launch abc\n{STAGE}00 {value}\n{STAGE}11 \"{older}\"\n{STAGE}22 broken\n");
        let stages = stages(&options);
        assert_eq!(stages.len(), 2);
        assert_eq!((stages[0].stage.as_str(), &stages[1]), ("paste", &typed));
    }

    #[test]
    fn pasted_text_holds_no_keys() {
        assert_eq!(clean("a\x1b[201~b\r\u{9b}c\n\td\u{7f}é".as_bytes()), "a[201~bc\n\tdé".as_bytes());
    }
}
