#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Compiled code lies beside this file; in a checkout tsx reads the sources.
if (!existsSync(new URL('main.js', import.meta.url))) (await import('tsx/esm/api')).register();
await import('./main.js');
