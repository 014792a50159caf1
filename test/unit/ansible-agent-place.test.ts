import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/markdown.js';
import { mustRun } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const LOOK = `
import sys
from ansible_collections.oxp.vault.plugins.plugin_utils import agent
from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault
try:
    print(agent.connect(sys.argv[1]))
except VaultFault as fault:
    print(fault.document()["code"])
`;

describeWith(['python3'], 'the collection looks for an agent', ({ python3 }) => {
  it('nowhere where everybody may exchange the directory of its socket', async () => {
    const place = tempDir('collection');
    mkdirSync(join(place, 'ansible_collections', 'oxp'), { recursive: true });
    symlinkSync(join(root, 'packages', 'ansible'), join(place, 'ansible_collections', 'oxp', 'vault'));
    writeFileSync(join(place, 'look.py'), LOOK);
    const above = join(tempDir('runtime'), 'oxp-vault-1000');
    mkdirSync(join(above, 'run-1'), { recursive: true, mode: 0o700 });
    const look = async (): Promise<string> => (await mustRun(python3, [join(place, 'look.py'), join(above, 'run-1', 'agent.sock')], { env: { PYTHONPATH: place, PYTHONDONTWRITEBYTECODE: '1' } })).text.trim();
    expect(await look()).toBe('None');
    chmodSync(above, 0o777);
    expect(await look()).toBe('AGENT_UNSAFE');
    chmodSync(above, 0o1777);
    expect(await look()).toBe('None');
  });
});
