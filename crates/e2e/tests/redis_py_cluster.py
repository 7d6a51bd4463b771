"""A workload through redis-py's RedisCluster. Usage: redis_py_cluster.py PORT ROUNDS

Writes counters and lists over all slots, reads everything back, and says how many errors it met and got over."""

import sys
import time

from redis.cluster import RedisCluster

PORT, ROUNDS = int(sys.argv[1]), int(sys.argv[2])
client = RedisCluster(host="127.0.0.1", port=PORT, decode_responses=True, socket_timeout=5)
assert len(client.get_primaries()) >= 3, client.get_nodes()

expected = {}
got_over = 0
deadline = time.monotonic() + 120
for n in range(ROUNDS):
    key = f"counter:{n % 500}"
    while True:
        assert time.monotonic() < deadline, "it takes too long"
        try:
            client.set(key, n)
            expected[key] = str(n)
            break
        except Exception as error:  # during a failover everything may fail, and nothing else may
            got_over += 1
            last = repr(error)
            time.sleep(0.05)
for key, value in expected.items():
    assert client.get(key) == value, key
assert client.mset_nonatomic({f"tag:{n}": n for n in range(100)})
assert client.mget_nonatomic([f"tag:{n}" for n in range(100)]) == [str(n) for n in range(100)]
client.delete("{list}:1")
pipe = client.pipeline()
for n in range(50):
    pipe.rpush("{list}:1", n)
pipe.lrange("{list}:1", 0, -1)
assert pipe.execute()[-1] == [str(n) for n in range(50)]
assert client.keyslot("{list}:1") == client.cluster_keyslot("{list}:1")
print(f"content: {len(expected)} keys, {got_over} errors got over")
