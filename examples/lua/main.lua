-- A plain Lua script as a machine, with nothing of libbaremetal in it: counts the words of each line that it is given, until "quit".
-- SPDX-License-Identifier: MIT
print(_VERSION .. ", " .. collectgarbage("count") // 1 .. " KiB in use; say a line, or quit")
for line in io.lines() do
    if line == "quit" then
        break
    end
    local counts, words = {}, {}
    for word in line:gmatch("%w+") do
        if not counts[word] then
            words[#words + 1] = word
        end
        counts[word] = (counts[word] or 0) + 1
    end
    table.sort(words)
    for _, word in ipairs(words) do
        io.write(word, " ", counts[word], "\n")
    end
end
