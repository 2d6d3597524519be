-- The language: what it computes must be what it computes on the host.
-- SPDX-License-Identifier: MIT
print(_VERSION, #arg, arg[1], arg[2])
print(7 // 2, -7 // 2, 7 % -3, 7.5 // 2, 1 / 0, -1 / 0, 2 ^ 53, 10 / 2, 3 | 4, ~0, 1 << 62, "10" + 5)
print(math.maxinteger, math.mininteger, math.maxinteger + 1 == math.mininteger, math.type(1), math.type(1.0), math.tointeger(3.0))
print(0.1, 1e100, 123456789012345678, 1e15, 2 ^ 63, -0.0, 3.14159265358979, tostring(1e300 * 1e10))
print(string.format("%5d|%-5s|%05.1f|%x|%q|%g|%a", 42, "ab", 3.14159, 255, 'a "b"\n', 1e-5, 0.5))

local sorted = { "pear", "apple", "fig", "banana" }
table.sort(sorted, function(a, b) return #a < #b or (#a == #b and a < b) end)
print(table.concat(sorted, " "), select("#", table.unpack({ 1, nil, 3 }, 1, 3)))
print(table.concat(table.move({ 1, 2, 3 }, 1, 3, 2, { 9 }), ","), table.remove({ 4, 5, 6 }, 1))

for word, number in string.gmatch("one=1, two=2, three=3", "(%a+)=(%d+)") do io.write(word, ":", number * 2, " ") end
print(".")
print(("hello world"):gsub("o", { o = "0" }), ("abc"):rep(3, "-"), ("%d+"):len(), ("hello"):byte(1, -1))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
print(utf8.char(228, 8364, 128512), utf8.len("äö€"), utf8.codepoint("€", 1))
print(string.unpack("<i4 z s1", string.pack("<i4 z s1", -2, "zero", "counted")))

local point = setmetatable({ x = 1, y = 2 }, {
    __add = function(a, b) return a.x + b.x end, __index = function(_, key) return "no " .. key end,
    __tostring = function(self) return "(" .. self.x .. "," .. self.y .. ")" end, __call = function(_, n) return n * 2 end,
    __close = function() print("closed") end, __len = function() return 7 end, __lt = function() return true end })
do
    local held <close> = point
    print(tostring(held), held + held, held.z, held(21), #held, held < held)
end

local function generate(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i * i) end end) end
for square in generate(5) do io.write(square, " ") end
print(".")
local thread = coroutine.create(function(...) local got = coroutine.yield(...) error({ code = got }) end)
print(coroutine.resume(thread, 1, 2))
local ok, problem = coroutine.resume(thread, 42)
print(ok, type(problem), problem.code, coroutine.status(thread))

print(pcall(error, "message", 0), select(2, pcall(function() local t = nil; return t.x end)))
print(xpcall(function() error("deep") end, function(text) return "handled: " .. text:gsub("^.-:%d+: ", "") end))
print(load("return 1 +")) -- the message of the parser
print(load("local a <const> = 5; return a * ...")(8))
for i = 1, 3 do
    if i == 2 then goto continue end
    io.write("i", i, " ")
    ::continue::
end
print(".")

local function fibonacci(n) return n < 2 and n or fibonacci(n - 1) + fibonacci(n - 2) end
print(fibonacci(24))
local deep = 0
print(pcall(function() local function down() deep = deep + 1; return 1 + down() end down() end), deep > 1000)
