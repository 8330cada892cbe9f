#!/usr/bin/env node
/** From the sources where they are, as in the repository; from the bundle that is packed where they aren't. */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const source = join(__dirname, '../src/main.ts');
if (existsSync(source)) {
  require('tsx/cjs');
  require(source);
} else require('../dist/main.cjs');
