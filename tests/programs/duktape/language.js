// The language: what it computes must be what it computes on the host.
// SPDX-License-Identifier: MIT
print(Duktape.version, 0.1 + 0.2, 1 / 3, 1e21, 123456789012345680000, 5e-324, 1.7976931348623157e308, -0, (25).toString(36));
print((1.005).toFixed(2), (123.456).toPrecision(4), (1e-7).toExponential(3), parseInt("0x1f"), parseFloat("3.5abc"), Number(" 12 "));
print([3, 1, 2].sort().join(), [1, 2, 3, 4].filter(function (x) { return x % 2; }).map(function (x) { return x * x; }),
      [1, 2, 3].reduce(function (a, b) { return a + b; }));
print("The quick brown fox".replace(/(\w+) (\w+)/, "$2 $1"), /(\d+)-(\d+)/.exec("tel 555-1234").join("|"), "a,b;c".split(/[,;]/));
print(JSON.stringify({ a: [1, { b: null }], c: "ü\n", d: undefined, e: new Date(0) }), JSON.parse('{"x": [1, 2, {"y": "z"}]}').x[2].y);
print(new Date(Date.UTC(2024, 1, 29, 12, 30)).toISOString(), new Date(2e12).getUTCDay(), isNaN(new Date("no date")));
try {
    null.property;
} catch (error) {
    print(error instanceof TypeError, error.name);
}
function Shape(name) { this.name = name; }
Shape.prototype.toString = function () { return "shape " + this.name; };
print(String(new Shape("round")), Object.keys({ b: 1, a: 2 }));
var bytes = new Uint8Array([1, 2, 250]);
print(bytes[2] + 10, new DataView(bytes.buffer).getUint16(0), Duktape.enc("base64", "hello"), Duktape.enc("hex", bytes));
var primes = [];
for (var i = 2; primes.length < 500; i++)
    if (primes.every(function (p) { return i % p; }))
        primes.push(i);
print(primes[499], Math.sin(1), Math.pow(2, 0.5), Math.round(-2.5), Math.atan2(-1, -1));
var objects = {};
for (i = 0; i < 20000; i++)
    objects["key" + i % 1000] = { index: i, text: "value " + i };
Duktape.gc();
print(Object.keys(objects).length, objects.key999.text);
function fibonacci(n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
print(fibonacci(20), encodeURIComponent("ä b"), "äöü".length, "straße".toUpperCase());
