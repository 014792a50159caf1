#!/usr/bin/env node
import { keepCompiledCode } from './compiled-code.js';

keepCompiledCode();
// What standard error gets, Terraform puts into its log: where it happened, never what an error quotes.
process.on('uncaughtException', (error) => {
  process.stderr.write(`terraform-provider-oxpvault: INTERNAL: ${error.name}\n${(error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).join('\n')}\n`);
  process.exit(1);
});
const [{ providerProcess }, { processIo }] = await Promise.all([import('./terraform/provider-process.js'), import('./process-io.js')]);
const code = await providerProcess(process.argv.slice(2), processIo());
if (code !== undefined) process.exitCode = code;
