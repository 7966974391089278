/** Writes docs/settings.md anew from the table of settings: `make settings`. */
import { writeFileSync } from 'node:fs';
import { settingsPage } from '../dist/src/core/config/settings-page.js';

writeFileSync(new URL('../docs/settings.md', import.meta.url), settingsPage());
