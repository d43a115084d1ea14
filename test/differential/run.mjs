// Reads inputs of the draw, each ended by a NUL byte since broken ones may hold line
// ends, and writes one line per answer: {"output": …} or {"error": kind, "entry": …,
// "message": …, "details": …}.
import { readFileSync } from 'node:fs';
import { checkBeacon, draw } from './fixtures.mjs';

function answer(bytes) {
  try {
    return { output: draw.compute(draw.parse(draw.decode(bytes)), { checkBeacon }) };
  } catch (error) {
    if (!(error instanceof draw.DrawError)) throw error;
    return { error: error.kind, entry: error.entry, message: error.message, details: error.details };
  }
}

const input = readFileSync(0);
for (let start = 0, end; (end = input.indexOf(0, start)) >= 0; start = end + 1) {
  process.stdout.write(`${JSON.stringify(answer(input.subarray(start, end)))}\n`);
}
