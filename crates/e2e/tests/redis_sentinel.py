"""A program that follows Sentinels with redis-py and never stops writing. Usage: redis_sentinel.py NAME PASSWORD PORT...

It prints a line for every write that was acknowledged, with the port of the server that took it, and ends with its input.
"""

import sys
import threading
import time

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

name, password, ports = sys.argv[1], sys.argv[2], sys.argv[3:]
sentinels = Sentinel([("127.0.0.1", int(port)) for port in ports], socket_timeout=0.5)
primary = sentinels.master_for(name, password=password, socket_timeout=0.5)
over = threading.Event()


def wait_for_the_end():
    sys.stdin.read()
    over.set()


threading.Thread(target=wait_for_the_end, daemon=True).start()
writes = 0
while not over.is_set():
    try:
        port = sentinels.discover_master(name)[1]
        primary.set("written", writes)
        writes += 1
        print(port, writes, flush=True)
    except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError, MasterNotFoundError):
        pass
    except redis.ResponseError as error:
        # A primary that has just come back may still be loading, or be about to be told its role.
        print("refused", error, file=sys.stderr, flush=True)
    time.sleep(0.05)
