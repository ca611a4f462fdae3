// What the daemon says, as the modules see it. A Rust test compares the names with the schemas of crates/api.

/** One session. */
export interface SessionView {
  id: string;
  name: string;
  projectId: string;
  title: string;
  status: string;
  why: string;
  state: string;
  activity: ActivityView;
  runtimeState: string;
  exit?: string;
  hint?: string;
  leftRunning?: number[];
  agent: string;
  runtime: string;
  workspace: string;
  workspacePath?: string;
  branch: string;
  chosen?: string;
  issue?: string;
  run?: string;
  pr?: PullRequestView;
  attention?: string;
  needsPerson: boolean;
  question?: QuestionView;
  delivery?: DeliveryView;
  promptsWaiting: number;
  turns: number;
  turnEnd?: string;
  ended: boolean;
  rescue?: string;
  portBase?: number;
  putBack?: string;
  ignored?: IgnoredView;
  frozenSince?: number;
  beginsAnew?: boolean;
  archivedAt?: number;
  notArchived?: string;
  terminal?: TerminalView;
  usage?: ConversationView;
  createdAt: number;
  changedAt: number;
}

/** A dialog of an agent that waits for a person; its words are the agent's own. */
export interface QuestionView {
  id: string;
  kind: string;
  text: string;
  options: OptionView[];
  takesText: boolean;
  answerable: boolean;
  url?: string;
  code?: string;
  proposal?: string;
  rule?: string;
  refused?: string;
  since: number;
}

/** One choice of a dialog. */
export interface OptionView {
  key?: string;
  label: string;
  selected: boolean;
}

/** What a program said to the person before its terminal. */
export interface TerminalView {
  title?: string;
  bells: number;
  bellAt?: number;
  notifications: number;
  notification?: NotificationView;
  commands: number;
  command?: CommandView;
}

/** One notification of a program. */
export interface NotificationView {
  text: string;
  at: number;
}

/** The end of a command. */
export interface CommandView {
  code?: number;
  at: number;
}

/** What an agent's transcripts say. */
export interface ConversationView {
  model?: string;
  nativeId?: string;
  tool?: string;
  lastMessage?: string;
  subAgents: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  cost: string;
  costMicroUsd?: number;
  unknownPrices?: string[];
  limitResetsAt?: number;
}

/** What git ignored in a workspace that was removed. */
export interface IgnoredView {
  paths: number;
  bytes: number;
  largest: IgnoredPath[];
}

/** One ignored path. */
export interface IgnoredPath {
  path: string;
  bytes: number;
}

/** What an agent does. */
export interface ActivityView {
  activity: string;
  since: number;
  source: string;
  confidence: number;
  why: string;
}

/** A pull request. */
export interface PullRequestView {
  id: string;
  number: number;
  state: string;
  head: string;
  target: string;
  checks: string;
  merge: string;
  landed?: string;
}

/** A prompt on its way. */
export interface DeliveryView {
  id: string;
  state: string;
  sha256: string;
  held?: string;
}

/** One session with its evidence. */
export interface Explanation {
  session: SessionView;
  rule: string;
  evidence: EvidenceView[];
  pending: PendingView[];
  deliveries: DeliveryView[];
  env: string[];
}

/** One piece of evidence. */
export interface EvidenceView {
  source: string;
  activity: string;
  at: number;
  why: string;
}

/** One effect that has not ended. */
export interface PendingView {
  key: string;
  since: number;
  fault?: string;
  uncertain: boolean;
}

/** One run. */
export interface RunView {
  id: string;
  projectId: string;
  check: string;
  agent?: string;
  chosen?: string;
  target: string;
  state: string;
  outcome?: string;
  fault?: ErrorView;
  commit?: string;
  left?: number;
  rounds: number;
  tasks: TaskView[];
  startedAt: number;
  endedAt?: number;
  joined: boolean;
  notes?: string[];
}

/** One group of failures. */
export interface TaskView {
  title: string;
  failures: string[];
  session?: string;
  state: string;
  why?: string;
  attempts: number;
  tookMs?: number;
  commit?: string;
  contained?: boolean;
}

/** One merge queue. */
export interface QueueView {
  projectId: string;
  target: string;
  waiting: QueueEntry[];
  batch: QueueEntry[];
  stage?: string;
  blocked?: string;
}

/** One pull request in a queue. */
export interface QueueEntry {
  pr: string;
  session: string;
  title: string;
}

/** One project. */
export interface ProjectView {
  id: string;
  path: string;
  data: string;
  prefix: string;
  defaultBranch: string;
  check?: string;
  agent: string;
  liveSessions: number;
}

/** One event; what changed is in it. */
export interface EventView {
  seq: number;
  at: number;
  project?: string;
  session?: string;
  type: string;
  summary: string;
  sessions?: SessionView[];
  runs?: RunView[];
  queues?: QueueView[];
}

/** What went wrong, and what to do about it. */
export interface ErrorView {
  code: string;
  message: string;
  hint?: string;
  retryAfterMs?: number;
}

/** Who the page is to the daemon. */
export interface WhoAmI {
  role: string;
  name: string;
}

/** The text of a terminal. */
export interface Logs {
  session: string;
  lines: string[];
  earlier: number;
  live: boolean;
}
