#!/usr/bin/env node
import { keepCompiledCode } from './compiled-code.js';

keepCompiledCode();
const [{ main }, { processIo }] = await Promise.all([import('./main.js'), import('./process-io.js')]);
process.exitCode = await main(process.argv.slice(2), processIo());
