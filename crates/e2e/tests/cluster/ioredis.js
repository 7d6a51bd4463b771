// The consistency checker of redis_py.py, through ioredis' Cluster. Usage: ioredis.js PORT
'use strict';
const { Cluster } = require('ioredis');

const PORT = Number(process.argv[2]);
const KEYS = 500;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const say = (line) => process.stdout.write(line + '\n');

const client = new Cluster([{ host: '127.0.0.1', port: PORT }], { redisOptions: { commandTimeout: 5000 } });
// A node that is gone is told by every connection; what matters is whether commands fail.
client.on('error', () => {});
client.on('node error', () => {});

const acknowledged = new Map(); // key -> { number, when }
const uncertain = new Map(); // key -> numbers whose writing failed
let writes = 0;
let errors = 0;
let lost = 0;

// The reply, in an array; nothing if there was none.
async function attempt(call) {
  try {
    return [await call()];
  } catch (error) {
    errors += 1;
    const why = error.lastNodeError ? `: ${error.lastNodeError}` : '';
    say(`error ${Date.now()} ${error}${why}`);
    await pause(50);
    return null;
  }
}

async function read(key) {
  const answer = await attempt(() => client.get(key));
  if (!answer) return false;
  const { number, when } = acknowledged.get(key) || { number: 0, when: 0 };
  const found = Number(answer[0] || 0);
  if (found !== number && !(uncertain.get(key) || []).includes(found)) {
    lost += 1;
    say(`lost ${when} ${key}: ${found} for ${number}`);
  }
  acknowledged.set(key, { number: found, when });
  return true;
}

async function write(key, number) {
  if (await attempt(() => client.set(key, number))) {
    acknowledged.set(key, { number, when: Date.now() });
    uncertain.delete(key);
    writes += 1;
  } else {
    uncertain.set(key, [...(uncertain.get(key) || []), number]);
  }
}

// What concerns several keys of a slot.
async function several(number) {
  const tag = `{tag:${number % KEYS}}`;
  const keys = [0, 1, 2].map((n) => `${tag}:js:${n}`);
  if (!(await attempt(() => client.mset(...keys.flatMap((key) => [key, number]))))) return;
  const values = await attempt(() => client.mget(...keys));
  if (values && values[0].some((value) => Number(value) !== number)) {
    lost += 1;
    say(`lost ${Date.now()} ${tag}: ${values[0]} for ${number}`);
  }
  const piped = await attempt(() => client.pipeline().incr(`${tag}:n`).rpush(`${tag}:l`, number).lpop(`${tag}:l`).exec());
  if (piped) {
    for (const [error] of piped[0]) {
      if (error) await attempt(() => Promise.reject(error));
    }
  }
}

async function run() {
  let over = false;
  process.stdin.on('end', () => { over = true; });
  process.stdin.resume();
  for (let number = 1; !over; number += 1) {
    const key = `js:${number % KEYS}`;
    if (await read(key)) await write(key, number);
    if (number % 20 === 0) await several(number);
    if (number === KEYS) say('under way');
    await pause(2);
  }
  for (const key of acknowledged.keys()) {
    if (!(await read(key))) throw new Error('the end is no failover');
  }
  say(`content: ${acknowledged.size} keys, ${writes} writes, ${errors} errors, ${lost} lost`);
  client.disconnect();
}

run().catch((error) => {
  say(`failed: ${error.stack}`);
  process.exit(1);
});
