// node-pty with @xterm/headless, 10,000 rows of scrollback, as VS Code and others combine them.
// Usage: node npm_xterm.js FILE; prints milliseconds on the wall and of CPU until the last byte is drawn.
const { Terminal } = require('@xterm/headless');
const { spawn } = require('node-pty');
const terminal = new Terminal({ cols: 120, rows: 40, scrollback: 10000, allowProposedApi: true });
const usage = process.cpuUsage(), begin = process.hrtime.bigint();
const program = spawn('/bin/cat', [process.argv[2]], { cols: 120, rows: 40, cwd: '/' });
program.onData((data) => terminal.write(data));
program.onExit(() => {
  // A write is drawn after those before it.
  setTimeout(() => terminal.write('', () => {
    const { user, system } = process.cpuUsage(usage);
    console.log(Number(process.hrtime.bigint() - begin) / 1e6, (user + system) / 1000);
    process.exit(0);
  }), 0);
});
