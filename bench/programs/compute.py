# What an interpreter does most: calls, lists and dictionaries, strings, sorting, objects.
# SPDX-License-Identifier: MIT
import json
import re
import time


class Account:
    def __init__(self, owner):
        self.owner, self.balance = owner, 0

    def add(self, amount):
        self.balance += amount
        return self.balance


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def primes(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, int(limit ** 0.5) + 1):
        if sieve[i]:
            sieve[i * i::i] = bytes(len(range(i * i, limit, i)))
    return sum(i for i in range(2, limit) if sieve[i])


def text():
    words = sorted(f"{i * 7919 % 20000:05d}" for i in range(20000))
    joined = " ".join(words)
    return sum(int(word) for word in re.findall(r"\d+7\d", joined)) + len(joined.replace("9", "nine").upper())


def objects():
    accounts = {str(i): Account(i) for i in range(10000)}
    return sum(account.add(i) for i in range(5) for account in accounts.values())


def tree():
    data = {"rows": [{"id": i, "name": f"row {i}", "values": [i, i / 2, None, True]} for i in range(3000)]}
    return len(json.loads(json.dumps(data))["rows"])


print("begin", flush=True)
BEGAN = time.perf_counter()
RESULT = sum(fibonacci(22) + primes(200000) + text() + objects() + tree() for _ in range(5))
print("end", time.perf_counter() - BEGAN, RESULT, flush=True)
