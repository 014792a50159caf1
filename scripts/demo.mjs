/**
 * `npm run demo`: five people, three teams. A platform is born, runs, is attacked, and is handed over. Everything is real: keys,
 * files, the Git repository, the tools that check them. It happens in a scratch directory that is removed at the end.
 */
import { beginnings } from './demo/beginnings.mjs';
import { dailyLife } from './demo/daily-life.mjs';
import { ceremony } from './demo/handover.mjs';
import { total } from './demo/stage.mjs';
import { trouble } from './demo/trouble.mjs';

const started = performance.now();
const vault = await beginnings();
await dailyLife(vault);
await trouble(vault);
await ceremony();
total(`\nThat was it: ${((performance.now() - started) / 1000).toFixed(1)} s, all of it in a scratch directory that is gone now.`);
console.log('Your own: README.md, "Day one".');
