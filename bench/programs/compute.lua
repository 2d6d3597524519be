-- What an interpreter does most: calls, tables, strings, sorting, closures. SPDX-License-Identifier: MIT
print("begin")
local began = os.clock()

local function fibonacci(n)
    return n < 2 and n or fibonacci(n - 1) + fibonacci(n - 2)
end

local sum = fibonacci(25)

local sieve = {}
for i = 2, 200000 do
    sieve[i] = true
end
for i = 2, 447 do
    if sieve[i] then
        for j = i * i, 200000, i do
            sieve[j] = false
        end
    end
end
for i = 2, 200000 do
    sum = sum + (sieve[i] and i or 0)
end

local words = {}
for i = 1, 20000 do
    words[i] = string.format("%05d", i * 7919 % 20000)
end
table.sort(words)
local text = table.concat(words, " ")
for word in text:gmatch("%d+7%d") do
    sum = sum + tonumber(word)
end
sum = sum + #text:gsub("9", "nine"):upper()

local counters = {}
for i = 1, 20000 do
    local count = 0
    counters[i] = function(n)
        count = count + n
        return count
    end
end
for round = 1, 5 do
    for i = 1, #counters do
        sum = sum + counters[i](round)
    end
end

print("end", os.clock() - began, sum)
