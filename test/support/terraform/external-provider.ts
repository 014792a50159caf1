/**
 * Stands in for hashicorp/terraform-provider-external 2.4.0 where its binary cannot be had: the same schema, invocation, results and
 * messages, and like it the whole of what the program says in the trace log. (It speaks protocol 6 instead of 5; Terraform takes both.)
 */
import { spawn } from 'node:child_process';
import { encodeValue, type Handler, providerHandlers, Config, type Value, type WireValue } from '../../../packages/terraform-hooks/src/provider/index.js';
import { fault, serve } from './program.js';

const ID = '-';

const handlers = providerHandlers({
  description: '',
  attributes: {},
  configure: () => undefined,
  ephemeralResources: {},
  dataSources: {
    external: {
      description: '',
      attributes: {
        program: { type: ['list', 'string'], use: 'required', description: '' },
        working_dir: { type: 'string', use: 'optional', description: '' },
        query: { type: ['map', 'string'], use: 'optional', description: '' },
        // Not sensitive, as in the original.
        result: { type: ['map', 'string'], use: 'computed', description: '' },
        id: { type: 'string', use: 'computed', description: '' },
      },
      read: () => Promise.reject(new Error('answered below')),
    },
  },
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start([program = '', ...args]: readonly string[], cwd: string | undefined, query: object): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...(cwd === undefined ? {} : { cwd }), stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }));
    child.stdin.end(JSON.stringify(query));
  });
}

const entries = (value: Value): [string, string][] => Object.entries((value ?? {}) as Record<string, string | null>).filter((pair): pair is [string, string] => pair[1] !== null);

const read: Handler = async ({ config: wire = {} }) => {
  const config = Config.read(wire);
  const program = ((config.get('program') ?? []) as (string | null)[]).filter((word): word is string => word !== null && word !== '');
  const failed = (summary: string, detail: string): object => ({ state: encodeValue(null), diagnostics: [fault(summary, detail)] });
  const where = `Program: ${program[0] ?? ''}`;
  let ended: Ended;
  try {
    ended = await start(program, config.text('working_dir'), Object.fromEntries(entries(config.get('query'))));
  } catch {
    return failed('External Program Lookup Failed', where);
  }
  if (process.env['TF_LOG'] === 'TRACE') process.stderr.write(`Executed external program: output=${ended.stdout} stderr=${ended.stderr}\n`);
  if (ended.code !== 0) return failed('External Program Execution Failed', `The data source received an unexpected error while attempting to execute the program.\n\n${where}\nError Message: ${ended.stderr}\nState: exit status ${ended.code}`);
  let result: unknown;
  try {
    result = JSON.parse(ended.stdout);
  } catch {
    return failed('Unexpected External Program Results', where);
  }
  const isMap = typeof result === 'object' && result !== null && Object.values(result).every((value) => typeof value === 'string');
  if (!isMap) return failed('Unexpected External Program Results', `${where}\nThe JSON object is not one of strings`);
  const state: WireValue = encodeValue({ program, working_dir: config.get('working_dir'), query: config.get('query'), result: result as Record<string, string>, id: ID });
  return { state, diagnostics: [] };
};

serve({ ...handlers, ReadDataSource: read });
