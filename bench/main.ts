import { runScript, OperatorError } from '../scripts/errors';
import { printTable, type Row } from './table';

/** Each bench by its name. Loaded when asked for. */
const BENCHES: Record<string, () => Promise<{ run: () => Promise<Row[]>; title: string }>> = {
  synth: () => import('./synth.js'),
  'local-aws': () => import('./local-aws.js'),
  runtime: () => import('./runtime.js'),
  gateway: () => import('./gateway.js'),
  broker: () => import('./broker.js'),
  proxy: () => import('./proxy.js'),
};

const FLAGS = new Set(['--json', '--requests']);

const HELP = `Measures, as ratios within one run.

Usage: npm run bench -- NAME [--json]

  NAME    ${Object.keys(BENCHES).join(', ')}
  --json      one JSON object on the last line, too
  --requests  local-aws: without the deploys, which take six minutes`;

void runScript(async () => {
  const args = process.argv.slice(2);
  const [name = ''] = args.filter((arg) => !arg.startsWith('--'));
  const load = BENCHES[name];
  if (!load || args.some((arg) => arg.startsWith('--') && !FLAGS.has(arg))) throw new OperatorError(HELP);
  const { run, title } = await load();
  console.log(title);
  const rows = await run();
  printTable(rows);
  if (args.includes('--json')) console.log(JSON.stringify({ bench: name, rows }));
});
