#!/usr/bin/env node
import('../dist/src/cli.js').then(({ main }) => main(process.argv));
