import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kubeconfig } from '../../packages/core/src/material/kubeconfig.js';
import { mustRun } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

describeWith(['kubectl'], 'kubectl', ({ kubectl }) => {
  it('writes a kubeconfig in which we see the same', async () => {
    const dir = tempDir();
    const path = join(dir, 'config');
    const config = (...args: string[]) => mustRun(kubectl, ['config', '--kubeconfig', path, ...args], { env: { ...process.env, HOME: dir } });
    await config('set-cluster', 'root', '--server=https://c.api.k8s.fr-par.scw.cloud:6443');
    await config('set-cluster', 'other', '--server=https://other.example.org:6443/k8s');
    await config('set-credentials', 'admin', '--token=11111111-2222-3333-4444-555555555555');
    await config('set-credentials', 'plugin', '--exec-api-version=client.authentication.k8s.io/v1', '--exec-command=scw', '--exec-arg=k8s');
    await config('set-context', 'admin@root', '--cluster=root', '--user=admin');
    await config('use-context', 'admin@root');
    const { stdout } = await config('view', '--raw');

    const file = await kubeconfig.import(stdout, {}, { now: 0, name: 'kube/root' });
    const seen = JSON.parse((await config('view', '-o', 'json')).text) as { clusters: { name: string; cluster: { server: string } }[]; users: { name: string }[]; 'current-context': string };
    expect(file.public).toEqual({
      clusters: seen.clusters.map(({ name, cluster }) => ({ name, server: cluster.server })),
      users: seen.users.map(({ name }) => ({ name, auth: name === 'admin' ? { how: 'token', provider: 'scaleway' } : { how: 'exec', command: 'scw' } })),
      context: seen['current-context'],
    });

    const kept = join(dir, 'kept');
    file.file.use((bytes) => writeFileSync(kept, bytes, { mode: 0o600 }));
    expect((await mustRun(kubectl, ['config', '--kubeconfig', kept, 'view', '--raw'], { env: { ...process.env, HOME: dir } })).text).toBe(stdout.toString());
    expect((await kubeconfig.check(file, { now: 0 })).filter(({ ok }) => !ok)).toEqual([]);
  });

  it('takes JSON, as we do', async () => {
    const dir = tempDir();
    const path = join(dir, 'config');
    const json = '{"apiVersion":"v1","kind":"Config","clusters":[{"name":"c","cluster":{"server":"https://c"}}],"users":[{"name":"u","user":{"username":"a","password":"b"}}],"contexts":[]}';
    writeFileSync(path, json);
    await mustRun(kubectl, ['config', '--kubeconfig', path, 'view'], { env: { ...process.env, HOME: dir } });
    expect((await kubeconfig.import(new TextEncoder().encode(json), {}, { now: 0, name: 'x' })).public['users']).toEqual([{ name: 'u', auth: { how: 'basic' } }]);
  });
});
