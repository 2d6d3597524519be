-- The libraries that meet the C library: files, time, memory, many objects.
-- SPDX-License-Identifier: MIT
local file = assert(io.open(arg[0]))
print(file:read("l"))
print(file:read(4), file:seek("cur"), file:seek("set", 3), file:read("l"), io.type(file))
local lines = 0
for _ in io.lines(arg[0]) do lines = lines + 1 end
print(lines, file:seek("end") > 100, file:close(), io.type(file))
print(io.open("/no/such/file"))
print(os.date("!%Y-%m-%d %H:%M:%S", 86400 * 365), os.time({ year = 2020, month = 2, day = 30, hour = 12 }) - os.time({ year = 2020, month = 3, day = 1, hour = 12 }))
print(os.getenv("NO_SUCH_VARIABLE"), type(os.time()), type(os.clock()), os.clock() >= 0)
print(pcall(require, "no_such_module") == false, package.config:sub(1, 1))
print(math.sin(1), math.exp(1), math.sqrt(2), math.log(10), math.floor(-2.5), math.fmod(-7, 3), math.ult(1, -1))
math.randomseed(42)
local a = math.random(1000000)
math.randomseed(42)
print(a == math.random(1000000), tonumber("0x1p4"), tonumber("ff", 16), tonumber("1e1"), tonumber("nan"), tonumber(" 12 "), tonumber("12a"))

-- 200,000 objects, most of which are dropped, with weak references and finalizers.
local weak, finalized = setmetatable({}, { __mode = "v" }), 0
for i = 1, 200000 do
    weak[i % 1000] = setmetatable({ i, tostring(i) }, i % 100 == 0 and { __gc = function() finalized = finalized + 1 end } or nil)
end
collectgarbage()
collectgarbage()
local left = 0
for _ in pairs(weak) do left = left + 1 end
print(left, finalized, collectgarbage("count") < 20000)
local parts = {}
for i = 1, 50000 do parts[#parts + 1] = i % 7 end
local text = table.concat(parts)
local sum = 0
for digit in text:gmatch("%d") do sum = sum + digit end
print(#text, sum, #text:reverse():upper():rep(20))
os.exit(true, true)
