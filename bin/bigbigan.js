#!/usr/bin/env node
// Before anything is loaded: the stacks of --verbose then name lines of src.
if (process.argv.includes('--verbose')) process.setSourceMapsEnabled(true);
const { main } = await import('../dist/src/cli.js');
await main(process.argv);
