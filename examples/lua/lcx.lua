-- SPDX-License-Identifier: MIT
--- liblcx for LuaJIT: its foreign function interface, nothing compiled.
--
-- Whatever fails raises a table with the errno, the step and the library's words, which prints as those. Handles
-- are freed when they are collected, or by close(). The library is $LCX_LIBRARY, or "lcx".

local ffi = require("ffi")

ffi.cdef([[
struct lcx_error; struct lcx_ctx; struct lcx_container; struct lcx_container_list; struct lcx_event;
struct lcx_log_reader;
const char *lcx_error_message(const struct lcx_error *error);
const char *lcx_error_stage(const struct lcx_error *error);
void *lcx_error_free(struct lcx_error *error);

int lcx_ctx_open(const char *root, const char *run, struct lcx_ctx **ret, struct lcx_error **error);
struct lcx_ctx *lcx_ctx_free(struct lcx_ctx *ctx);
int lcx_ctx_fd(struct lcx_ctx *ctx, struct lcx_error **error);
int lcx_dispatch(struct lcx_ctx *ctx, struct lcx_error **error);
int lcx_event_next(struct lcx_ctx *ctx, const struct lcx_event **ret, struct lcx_error **error);
const char *lcx_event_type(const struct lcx_event *event);
const char *lcx_event_container_id(const struct lcx_event *event);
int32_t lcx_event_exit_status(const struct lcx_event *event);

int lcx_container_new(struct lcx_ctx *ctx, const char *name, struct lcx_container **ret, struct lcx_error **error);
struct lcx_container *lcx_container_free(struct lcx_container *container);
int lcx_container_set_rootfs(struct lcx_container *container, const char *path, struct lcx_error **error);
int lcx_container_set_network(struct lcx_container *container, const char *network, struct lcx_error **error);
int lcx_container_add_volume(struct lcx_container *container, const char *volume, struct lcx_error **error);
int lcx_container_set_command(struct lcx_container *container, const char *const *argv, struct lcx_error **error);
int lcx_container_start(struct lcx_container *container, const void *stdio, struct lcx_error **error);
int lcx_container_remove(struct lcx_container *container, int32_t force, struct lcx_error **error);
const char *lcx_container_id(const struct lcx_container *container);
int lcx_container_state(const struct lcx_container *container);
const char *lcx_container_state_name(int state);
const char *lcx_container_log_path(const struct lcx_container *container);

int lcx_container_list_new(struct lcx_ctx *ctx, struct lcx_container_list **ret, struct lcx_error **error);
struct lcx_container_list *lcx_container_list_free(struct lcx_container_list *list);
uint32_t lcx_container_list_count(const struct lcx_container_list *list);

int lcx_log_reader_open(int dir_fd, const char *name, struct lcx_log_reader **ret, struct lcx_error **error);
struct lcx_log_reader *lcx_log_reader_free(struct lcx_log_reader *reader);
int lcx_log_reader_next(struct lcx_log_reader *reader, struct lcx_error **error);
const void *lcx_log_reader_text(const struct lcx_log_reader *reader);
size_t lcx_log_reader_length(const struct lcx_log_reader *reader);

int open(const char *path, int flags, ...);
int close(int fd);
]])

local library = ffi.load(os.getenv("LCX_LIBRARY") or "lcx")
local O_DIRECTORY_CLOEXEC = 0x90000
local lcx = {}

local failure = {
	__tostring = function(self)
		return self.message .. (self.stage ~= "" and " (step: " .. self.stage .. ")" or "")
	end,
}

-- (An argument may be nil, so a table's length says nothing.)
local function with_last(value, ...)
	local arguments, length = { ... }, select("#", ...)
	arguments[length + 1] = value
	return unpack(arguments, 1, length + 1)
end

-- Call a function that returns 0 or more, or a negative errno, and takes a place for the error last.
local function call(name, ...)
	local error_out = ffi.new("struct lcx_error *[1]")
	local result = library[name](with_last(error_out, ...))
	if result >= 0 then
		return result
	end
	local words = {
		errno = -result,
		message = ffi.string(library.lcx_error_message(error_out[0])),
		stage = ffi.string(library.lcx_error_stage(error_out[0])),
	}
	library.lcx_error_free(error_out[0])
	error(setmetatable(words, failure), 0)
end

-- Call one that also makes a handle; it is collected with what it was made from.
local function make(thing, name, ...)
	local out = ffi.new("struct lcx_" .. thing .. " *[1]")
	call(name, with_last(out, ...))
	return ffi.gc(out[0], library["lcx_" .. thing .. "_free"])
end

local function free(handle, thing)
	library["lcx_" .. thing .. "_free"](ffi.gc(handle, nil))
end

--- A root directory and a run directory.
local Context = {}
Context.__index = Context

function lcx.open(root, run)
	return setmetatable({ handle = make("ctx", "lcx_ctx_open", root, run) }, Context)
end

--- The descriptor to poll.
function Context:fd()
	return call("lcx_ctx_fd", self.handle)
end

--- Serve this program's containers, and iterate over what happened: type, container's id, exit status.
function Context:events()
	call("lcx_dispatch", self.handle)
	local event = ffi.new("const struct lcx_event *[1]")
	return function()
		if call("lcx_event_next", self.handle, event) > 0 then
			return ffi.string(library.lcx_event_type(event[0])),
				ffi.string(library.lcx_event_container_id(event[0])), library.lcx_event_exit_status(event[0])
		end
	end
end

--- How many containers there are.
function Context:count()
	local list = make("container_list", "lcx_container_list_new", self.handle)
	local length = library.lcx_container_list_count(list)
	free(list, "container_list")
	return length
end

function Context:close()
	free(self.handle, "ctx")
end

local Container = {}
Container.__index = Container

function Context:container(name)
	return setmetatable({ context = self, handle = make("container", "lcx_container_new", self.handle, name) }, Container)
end

for method, name in pairs({ set_rootfs = "set_rootfs", set_network = "set_network", add_volume = "add_volume" }) do
	Container[method] = function(self, value)
		call("lcx_container_" .. name, self.handle, value)
	end
end

function Container:set_command(words)
	local argv = ffi.new("const char *[?]", #words + 1)
	for i, word in ipairs(words) do
		argv[i - 1] = word -- which lives as long as "words"
	end
	call("lcx_container_set_command", self.handle, argv)
end

function Container:start()
	call("lcx_container_start", self.handle, nil)
end

function Container:id()
	return ffi.string(library.lcx_container_id(self.handle))
end

function Container:state()
	return ffi.string(library.lcx_container_state_name(library.lcx_container_state(self.handle)))
end

--- The whole log as one string.
function Container:log()
	local directory, name = ffi.string(library.lcx_container_log_path(self.handle)):match("^(.*)/([^/]*)$")
	local fd = ffi.C.open(directory, O_DIRECTORY_CLOEXEC)
	local reader = make("log_reader", "lcx_log_reader_open", fd, name)
	ffi.C.close(fd)
	local parts = {}
	while call("lcx_log_reader_next", reader) > 0 do
		parts[#parts + 1] = ffi.string(library.lcx_log_reader_text(reader), library.lcx_log_reader_length(reader))
	end
	free(reader, "log_reader")
	return table.concat(parts)
end

function Container:remove(force)
	call("lcx_container_remove", self.handle, force and 1 or 0)
end

function Container:close()
	free(self.handle, "container")
end

return lcx
