"""What a program that uses redis-py does all day, with assertions. Usage: redis_py.py PORT"""

import sys
import threading
import time

import redis

PORT = int(sys.argv[1])
client = redis.Redis(port=PORT, socket_timeout=30)
text = redis.Redis(port=PORT, decode_responses=True, socket_timeout=30)


def refused(function, *words):
    try:
        function(*words)
    except redis.ResponseError as error:
        return str(error)
    raise AssertionError("no error was raised")


# Strings, keys, expiry.
assert client.ping() is True
assert client.set("greeting", b"hello \x00\xff") is True
assert client.get("greeting") == b"hello \x00\xff"
assert client.set("greeting", "x", nx=True) is None
assert client.set("session", "token", ex=100) and 0 < client.ttl("session") <= 100
assert client.mset({"a": 1, "b": 2}) and client.mget("a", "b", "c") == [b"1", b"2", None]
assert client.incrbyfloat("a", 0.5) == 1.5
assert client.delete("a", "b", "c") == 2
assert client.type("greeting") == b"string"
assert refused(client.incr, "greeting") == "value is not an integer or out of range"

# Lists, hashes, sets, sorted sets.
assert client.rpush("list", *range(5)) == 5 and client.lrange("list", 0, -1) == [b"0", b"1", b"2", b"3", b"4"]
assert client.blpop(["nothing", "list"], timeout=1) == (b"list", b"0")
assert client.hset("hash", mapping={"f": "1", "g": "2"}) == 2 and text.hgetall("hash") == {"f": "1", "g": "2"}
assert client.sadd("set", "x", "y") == 2 and client.smembers("set") == {b"x", b"y"}
assert client.zadd("zset", {"one": 1, "two": 2.5}) == 2
assert client.zrange("zset", 0, -1, withscores=True) == [(b"one", 1.0), (b"two", 2.5)]
assert client.zscore("zset", "two") == 2.5 and client.zscore("zset", "none") is None
assert "WRONGTYPE" in refused(client.lpush, "hash", 1)

# Iterators.
with client.pipeline(transaction=False) as pipeline:
    for i in range(1000):
        pipeline.set(f"many:{i}", i)
    assert pipeline.execute() == [True] * 1000
assert len(set(client.scan_iter("many:*", count=50))) == 1000
client.hset("wide", mapping={f"f{i}": i for i in range(1000)})
assert len(dict(client.hscan_iter("wide"))) == 1000
assert client.sort("list", desc=True) == [b"4", b"3", b"2", b"1"]

# Transactions: one that succeeds, one that a change under WATCH breaks.
with client.pipeline() as pipeline:
    assert pipeline.incr("counter").incr("counter").get("counter").execute() == [1, 2, b"2"]
    pipeline.watch("counter")
    client.set("counter", 10)
    pipeline.multi()
    pipeline.incr("counter")
    try:
        pipeline.execute()
        raise AssertionError("WATCH saw nothing")
    except redis.WatchError:
        pass
assert client.transaction(lambda p: (p.multi(), p.incr("counter")), "counter") == [11]

# Publish and subscribe, with patterns.
subscriber = text.pubsub(ignore_subscribe_messages=True)
subscriber.subscribe("news")
subscriber.psubscribe("n*")
ready = redis.Redis(port=PORT, decode_responses=True).pubsub_numsub("news")
assert ready == [("news", 1)], ready
assert client.publish("news", "hello") == 2
seen = []
while len(seen) < 2:
    message = subscriber.get_message(timeout=10)
    if message:
        seen.append((message["type"], message["channel"], message["data"]))
assert sorted(seen) == [("message", "news", "hello"), ("pmessage", "news", "hello")]
subscriber.close()

# A blocked client and the one that wakes it, on threads of their own.
taken = []
waiter = threading.Thread(target=lambda: taken.append(redis.Redis(port=PORT).brpop("queue", timeout=30)))
waiter.start()
while client.info("clients")["blocked_clients"] == 0:
    time.sleep(0.001)
client.lpush("queue", "job")
waiter.join()
assert taken == [(b"queue", b"job")]

# Introspection.
info = client.info()
assert info["redis_version"] and info["role"] == "master" and info["connected_clients"] >= 1
assert client.client_setname("python") and client.client_getname() in ("python", b"python")
assert "maxmemory" in client.config_get("max*")
assert client.dbsize() > 1000
assert client.dump("zset") and client.restore("copy", 0, client.dump("zset"))
assert client.object("encoding", "copy") is not None

# RESP3, where this redis-py has it.
if int(redis.__version__.split(".")[0]) >= 5:
    three = redis.Redis(port=PORT, protocol=3, decode_responses=True)
    assert three.hgetall("hash") == {"f": "1", "g": "2"}
    assert three.zrange("zset", 0, -1, withscores=True) == [["one", 1.0], ["two", 2.5]]
    assert three.smembers("set") == {"x", "y"}

# Many connections from many threads.
def count(connections):
    for _ in range(200):
        connections.incr("shared")

pool = redis.Redis(port=PORT)
threads = [threading.Thread(target=count, args=(pool,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert client.get("shared") == b"1600"
assert client.flushall() and client.dbsize() == 0
print("redis-py", redis.__version__, "is content")
