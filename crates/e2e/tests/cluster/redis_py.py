"""A consistency checker through redis-py's RedisCluster. Usage: redis_py.py PORT

Reads and writes numbers over all slots, one command after the other, until its standard input ends; then every key is read
once more. What it prints are events with their time in milliseconds:

    error TIME what           a command failed
    lost TIME key ...         a write that was acknowledged at that time is not there
    content: ...              the end

Every number that is written is greater than all before it, so a smaller one is an older one."""

import sys
import threading
import time

from redis.cluster import RedisCluster

PORT, KEYS = int(sys.argv[1]), 500


def now():
    return int(time.time() * 1000)


class Checker:
    def __init__(self):
        self.client = RedisCluster(host="127.0.0.1", port=PORT, decode_responses=True, socket_timeout=5)
        self.acknowledged = {}  # key -> (number, when)
        self.uncertain = {}  # key -> numbers whose writing failed
        self.writes = self.errors = self.lost = 0

    def attempt(self, call):
        """The reply, and whether there was one."""
        try:
            return call(), True
        except Exception as error:
            self.errors += 1
            print(f"error {now()} {error!r}", flush=True)
            time.sleep(0.05)
            return None, False

    def verify(self, key, reply):
        number, when = self.acknowledged.get(key, (0, 0))
        found = int(reply or 0)
        if found != number and found not in self.uncertain.get(key, ()):
            self.lost += 1
            print(f"lost {when} {key}: {found} for {number}", flush=True)
        self.acknowledged[key] = (found, when)

    def read(self, key):
        reply, answered = self.attempt(lambda: self.client.get(key))
        if answered:
            self.verify(key, reply)
        return answered

    def write(self, key, number):
        reply, answered = self.attempt(lambda: self.client.set(key, number))
        if answered:
            assert reply is True, reply
            self.acknowledged[key] = (number, now())
            self.uncertain.pop(key, None)
            self.writes += 1
        else:
            self.uncertain.setdefault(key, set()).add(number)

    def several(self, number):
        """What concerns several keys of a slot, and several slots."""
        tag = f"{{tag:{number % KEYS}}}"
        pairs = {f"{tag}:{n}": number for n in range(3)}
        written, answered = self.attempt(lambda: self.client.mset(pairs))
        if answered:
            assert written is True, written
            values, answered = self.attempt(lambda: self.client.mget(list(pairs)))
            # A failover in between may have taken what was not replicated yet.
            if answered and values != [str(number)] * 3:
                self.lost += 1
                print(f"lost {now()} {tag}: {values} for {number}", flush=True)

        def pipeline():
            pipe = self.client.pipeline()
            for n in range(5):
                pipe.incr(f"piped:{(number + n) % KEYS}")
            return pipe.execute()

        replies, answered = self.attempt(pipeline)
        assert not answered or all(isinstance(reply, int) for reply in replies), replies


def run():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    checker = Checker()
    number = 0
    while not over.is_set():
        number += 1
        key = f"py:{number % KEYS}"
        if checker.read(key):
            checker.write(key, number)
        if number % 20 == 0:
            checker.several(number)
        if number == KEYS:
            print("under way", flush=True)
        time.sleep(0.002)
    for key in list(checker.acknowledged):
        assert checker.read(key), "the end is no failover"
    keys = len(checker.acknowledged)
    print(f"content: {keys} keys, {checker.writes} writes, {checker.errors} errors, {checker.lost} lost", flush=True)


run()
