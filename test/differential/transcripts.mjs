// Reads transcripts, each ended by a NUL byte, and writes one line per answer: the
// status of every step, or {"unreadable": why}. A beacon is checked once and remembered.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { checkBeacon, draw } from './fixtures.mjs';

const transcript = createRequire(import.meta.url)('../../gateway/web/assets/transcript.js');

function answer(bytes) {
  try {
    const steps = transcript.verify(draw.parse(draw.decode(bytes)), { checkBeacon });
    return { steps: steps.map(({ name, status, detail }) => ({ name, status, detail })) };
  } catch (error) {
    if (!(error instanceof draw.DrawError)) throw error;
    return { unreadable: error.message };
  }
}

const input = readFileSync(0);
for (let start = 0, end; (end = input.indexOf(0, start)) >= 0; start = end + 1) {
  process.stdout.write(`${JSON.stringify(answer(input.subarray(start, end)))}\n`);
}
