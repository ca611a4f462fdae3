// pty-manager as its page tells to use it: a session of a program, output taken from the session.
// Usage: node npm_pty.js FILE; prints milliseconds on the wall and of CPU from the start to the program's end.
const { PTYManager, createAdapter } = require('pty-manager');
const file = process.argv[2];
const manager = new PTYManager({ logger: { debug() {}, info() {}, warn() {}, error() {} } });
const adapter = createAdapter({ command: '/bin/cat', args: [file], readyIndicators: [/no such prompt/] });
manager.registerAdapter(adapter);
const usage = process.cpuUsage(), begin = process.hrtime.bigint();
manager.on('session_stopped', () => {
  const { user, system } = process.cpuUsage(usage);
  console.log(Number(process.hrtime.bigint() - begin) / 1e6, (user + system) / 1000);
  process.exit(0);
});
manager.spawn({ name: 'bench', type: adapter.adapterType, workdir: '/', cols: 120, rows: 40 }).catch((error) => {
  console.error(error);
  process.exit(1);
});
