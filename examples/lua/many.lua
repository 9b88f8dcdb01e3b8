-- SPDX-License-Identifier: MIT
--- usage: luajit many.lua ROOT ROOTFS GATE [COUNT]
--
-- Many containers at once on one thread, in a loop around poll(2) that has a clock of its own to serve. Each
-- container waits for GATE/fifo, says a line, and ends with a status of its own.

package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path
local ffi = require("ffi")
local lcx = require("lcx")

ffi.cdef([[
struct pollfd { int fd; short events; short revents; };
int poll(struct pollfd *fds, unsigned long n, int timeout);
]])
local POLLIN = 1

local function start(context, rootfs, gate, number)
	local container = context:container("many-" .. number)
	container:set_rootfs(rootfs)
	container:set_network("none")
	container:add_volume(gate .. ":/gate")
	container:set_command({ "sh", "-c", ("read go </gate/fifo; echo line of %d; exit %d"):format(number, number % 100) })
	container:start()
	return container
end

-- Until all have ended; whenever the time is up, the clock is served.
local function loop(context, by_id, left)
	local fds = ffi.new("struct pollfd[1]", { { context:fd(), POLLIN } })
	local statuses, ticks = {}, 0
	while left > 0 do
		if ffi.C.poll(fds, 1, 10) == 0 then
			ticks = ticks + 1
		end
		for kind, id, status in context:events() do
			if kind == "exited" and by_id[id] then
				statuses[id] = status
				left = left - 1
			end
		end
	end
	return statuses, ticks
end

local function run(context, rootfs, gate, count)
	local by_id, running, right, whole = {}, 0, 0, 0
	-- First the descriptor: from then on events are told and containers are served.
	context:fd()
	for number = 0, count - 1 do
		local container = start(context, rootfs, gate, number)
		by_id[container:id()] = { number = number, container = container }
	end
	for _, each in pairs(by_id) do
		running = running + (each.container:state() == "running" and 1 or 0)
	end
	print("running at once: " .. running)
	-- A line for each; who is late finds his, as the pipe stays open.
	local fifo = assert(io.open(gate .. "/fifo", "r+"))
	fifo:write(("\n"):rep(count))
	fifo:flush()
	local statuses, ticks = loop(context, by_id, count)
	fifo:close()
	for id, each in pairs(by_id) do
		right = right + (statuses[id] == each.number % 100 and 1 or 0)
		whole = whole + (each.container:log() == ("line of %d\n"):format(each.number) and 1 or 0)
		each.container:remove(true)
		each.container:close()
	end
	print(("right statuses: %d, whole logs: %d, ticks of the clock: %d"):format(right, whole, ticks))
	print("left: " .. context:count())
end

local root, rootfs, gate, count = unpack(arg)
if not gate then
	io.stderr:write("usage: luajit many.lua ROOT ROOTFS GATE [COUNT]\n")
	os.exit(2)
end
local ok, why = pcall(function()
	local context = lcx.open(root)
	run(context, rootfs, gate, tonumber(count or 200))
	context:close()
end)
if not ok then
	io.stderr:write("many.lua: " .. tostring(why) .. "\n")
	os.exit(1)
end
