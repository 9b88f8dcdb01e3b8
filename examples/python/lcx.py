# SPDX-License-Identifier: MIT
"""liblcx for Python: ctypes, nothing compiled.

A handle is freed when its object goes away, or at the end of a `with`. Whatever fails raises lcx.Error,
which carries the errno, the step and the library's words. ctypes releases the interpreter's lock during
each call, so other threads go on; but one thread at a time per handle.

The library is $LCX_LIBRARY, or whatever the dynamic linker finds as liblcx.
"""

import ctypes
import ctypes.util
import json
import os
import pathlib
import weakref
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint16, c_uint32
from ctypes import c_void_p

_library = ctypes.CDLL(os.environ.get("LCX_LIBRARY") or ctypes.util.find_library("lcx")
                       or "liblcx.so.0")

EXIT_UNKNOWN = -1
UNLIMITED = -1
_OUT = POINTER(c_void_p)

# What each function takes and returns. Those of the first table return 0 or more, or a negative errno, and take
# a place for the error last, which is not written down here.
_FALLIBLE = {
    "lcx_container_add_env": [c_void_p, c_char_p],
    "lcx_container_add_volume": [c_void_p, c_char_p],
    "lcx_container_create": [c_void_p],
    "lcx_container_exec": [c_void_p, c_void_p, c_void_p, _OUT],
    "lcx_container_exec_spec": [c_void_p, _OUT],
    "lcx_container_inspect": [c_void_p, _OUT],
    "lcx_container_kill": [c_void_p, c_int32],
    "lcx_container_list_new": [c_void_p, _OUT],
    "lcx_container_new": [c_void_p, c_char_p, _OUT],
    "lcx_container_open": [c_void_p, c_char_p, _OUT],
    "lcx_container_publish": [c_void_p, c_char_p],
    "lcx_container_refresh": [c_void_p],
    "lcx_container_remove": [c_void_p, c_int32],
    "lcx_container_set_command": [c_void_p, POINTER(c_char_p)],
    "lcx_container_set_image": [c_void_p, c_char_p],
    "lcx_container_set_network": [c_void_p, c_char_p],
    "lcx_container_set_rootfs": [c_void_p, c_char_p],
    "lcx_container_start": [c_void_p, c_void_p],
    "lcx_container_start_detached": [c_void_p, c_void_p],
    "lcx_container_stats": [c_void_p, _OUT],
    "lcx_container_stop": [c_void_p, c_int32],
    "lcx_container_wait": [c_void_p, c_int32, POINTER(c_int32)],
    "lcx_ctx_fd": [c_void_p],
    "lcx_ctx_open": [c_char_p, c_char_p, _OUT],
    "lcx_dispatch": [c_void_p],
    "lcx_event_next": [c_void_p, _OUT],
    "lcx_gc": [c_void_p, POINTER(c_uint32)],
    "lcx_image_import": [c_void_p, c_char_p, c_char_p, c_char_p, _OUT],
    "lcx_log_reader_next": [c_void_p],
    "lcx_log_reader_open": [c_int, c_char_p, _OUT],
    "lcx_network_create": [c_void_p, c_void_p],
    "lcx_network_new": [c_char_p, _OUT],
    "lcx_network_open": [c_void_p, c_char_p, _OUT],
    "lcx_network_remove": [c_void_p, c_char_p],
    "lcx_network_set_subnet": [c_void_p, c_char_p],
    "lcx_process_dispatch": [c_void_p],
    "lcx_process_kill": [c_void_p, c_int32],
    "lcx_process_wait": [c_void_p, c_int32, POINTER(c_int32)],
    "lcx_spec_add_env": [c_void_p, c_char_p],
    "lcx_spec_set_args": [c_void_p, POINTER(c_char_p)],
    "lcx_spec_set_hostname": [c_void_p, c_char_p],
    "lcx_spec_set_memory_limit": [c_void_p, c_int64],
    "lcx_spec_set_pids_limit": [c_void_p, c_int64],
    "lcx_stdio_new": [_OUT],
}
_PLAIN = {
    "lcx_cgroup_stats_cpu_usage_ns": (c_int64, [c_void_p]),
    "lcx_cgroup_stats_memory_usage_bytes": (c_int64, [c_void_p]),
    "lcx_cgroup_stats_pids_current": (c_int64, [c_void_p]),
    "lcx_container_address": (c_char_p, [c_void_p]),
    "lcx_container_id": (c_char_p, [c_void_p]),
    "lcx_container_list_id": (c_char_p, [c_void_p, c_uint32]),
    "lcx_container_list_count": (c_uint32, [c_void_p]),
    "lcx_container_log_path": (c_char_p, [c_void_p]),
    "lcx_container_name": (c_char_p, [c_void_p]),
    "lcx_container_process": (c_void_p, [c_void_p]),
    "lcx_container_spec": (c_void_p, [c_void_p]),
    "lcx_container_state": (c_int, [c_void_p]),
    "lcx_container_state_name": (c_char_p, [c_int]),
    "lcx_error_code": (c_int32, [c_void_p]),
    "lcx_error_message": (c_char_p, [c_void_p]),
    "lcx_error_stage": (c_char_p, [c_void_p]),
    "lcx_event_container_id": (c_char_p, [c_void_p]),
    "lcx_event_exit_status": (c_int32, [c_void_p]),
    "lcx_event_type": (c_char_p, [c_void_p]),
    "lcx_has_feature": (c_int32, [c_char_p]),
    "lcx_image_id": (c_char_p, [c_void_p]),
    "lcx_log_reader_length": (c_size_t, [c_void_p]),
    "lcx_log_reader_stream": (c_int, [c_void_p]),
    "lcx_log_reader_text": (c_void_p, [c_void_p]),
    "lcx_log_reader_time_ns": (c_int64, [c_void_p]),
    "lcx_network_subnet": (c_char_p, [c_void_p]),
    "lcx_process_fd": (c_int, [c_void_p]),
    "lcx_process_pid": (c_int32, [c_void_p]),
    "lcx_stdio_set_attach": (None, [c_void_p, c_int, c_int, c_int]),
    "lcx_stdio_set_terminal": (None, [c_void_p, c_uint16, c_uint16]),
    "lcx_version": (c_char_p, []),
}
_FREE = ["cgroup_stats", "container", "container_list", "ctx", "error", "image", "log_reader", "network",
         "process", "spec", "stdio", "string"]


def _declare():
    for name, arguments in _FALLIBLE.items():
        function = getattr(_library, name)
        function.restype, function.argtypes = c_int, arguments + [_OUT]
    for name, (result, arguments) in _PLAIN.items():
        function = getattr(_library, name)
        function.restype, function.argtypes = result, arguments
    for thing in _FREE:
        function = getattr(_library, f"lcx_{thing}_free")
        function.restype, function.argtypes = c_void_p, [c_void_p]


_declare()


class Error(OSError):
    """What failed, in words; `stage` is the step of a longer sequence, or ''."""

    def __init__(self, code, message, stage):
        super().__init__(code, message)
        self.stage = stage


def _call(name, *arguments):
    error = c_void_p()
    result = getattr(_library, name)(*arguments, byref(error))
    if result < 0:
        message = _library.lcx_error_message(error).decode(errors="replace")
        stage = _library.lcx_error_stage(error).decode()
        _library.lcx_error_free(error)
        raise Error(-result, message or os.strerror(-result), stage)
    return result


def _make(name, *arguments):
    """Call a function whose last argument but the error is a place for a new handle."""
    handle = c_void_p()
    _call(name, *arguments, byref(handle))
    return handle


def _bytes(text):
    return None if text is None else os.fsencode(text)


def _vector(words):
    return (c_char_p * (len(words) + 1))(*map(os.fsencode, words), None)


def _text(name, handle):
    return getattr(_library, name)(handle).decode(errors="replace")


class _Handle:
    """Owns a handle.

    What it was made from lives as long as it; if that is closed before, as when an exception leaves a
    `with`, this one is closed first.
    """

    _thing = None
    _handle = None

    def __init__(self, handle, *needed):
        self._handle, self._dependents = handle, weakref.WeakSet()
        self._needed = [other for other in needed if other]
        for other in self._needed:
            other._dependents.add(self)

    def close(self):
        handle, self._handle = self._handle, None
        if handle:
            for other in list(self._dependents):
                other.close()
            getattr(_library, f"lcx_{self._thing}_free")(handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


def version():
    return _library.lcx_version().decode()


def has_feature(name):
    return bool(_library.lcx_has_feature(name.encode()))


class Context(_Handle):
    """A root directory and a run directory."""

    _thing = "ctx"

    def __init__(self, root=None, run=None):
        super().__init__(_make("lcx_ctx_open", _bytes(root), _bytes(run)))

    def import_image(self, layout, name, layout_ref=None):
        """Take an image out of an OCI layout; returns its identifier."""
        with Image(_make("lcx_image_import", self._handle, _bytes(layout), _bytes(layout_ref),
                         _bytes(name))) as image:
            return _text("lcx_image_id", image._handle)

    def create_network(self, name, subnet=None):
        """Returns the subnet."""
        with Network(_make("lcx_network_new", name.encode())) as network:
            if subnet:
                _call("lcx_network_set_subnet", network._handle, subnet.encode())
            _call("lcx_network_create", self._handle, network._handle)
            return _text("lcx_network_subnet", network._handle)

    def remove_network(self, name):
        _call("lcx_network_remove", self._handle, name.encode())

    def containers(self):
        """The identifiers of all containers."""
        with ContainerList(_make("lcx_container_list_new", self._handle)) as ids:
            return [_library.lcx_container_list_id(ids._handle, i).decode()
                    for i in range(_library.lcx_container_list_count(ids._handle))]

    def fileno(self):
        """For select and asyncio: readable when there is work for events()."""
        return _call("lcx_ctx_fd", self._handle)

    def events(self):
        """Serve this program's containers, and tell what happened: (type, container's id, exit status)."""
        _call("lcx_dispatch", self._handle)
        event = c_void_p()
        while _call("lcx_event_next", self._handle, byref(event)):
            yield (_text("lcx_event_type", event), _text("lcx_event_container_id", event),
                   _library.lcx_event_exit_status(event))

    def gc(self):
        count = c_uint32()
        _call("lcx_gc", self._handle, byref(count))
        return count.value


class Image(_Handle):
    _thing = "image"


class Network(_Handle):
    _thing = "network"


class ContainerList(_Handle):
    _thing = "container_list"


class Stdio(_Handle):
    """Standard input, output and error of a process; fresh: captured into the log."""

    _thing = "stdio"

    def __init__(self):
        super().__init__(_make("lcx_stdio_new"))

    def attach(self, in_fd=-1, out_fd=-1, err_fd=-1):
        _library.lcx_stdio_set_attach(self._handle, in_fd, out_fd, err_fd)
        return self

    def terminal(self, rows=24, columns=80):
        _library.lcx_stdio_set_terminal(self._handle, rows, columns)
        return self


class Process(_Handle):
    """A process in a container. fileno() makes it fit for select and asyncio."""

    _thing = "process"

    def fileno(self):
        return _library.lcx_process_fd(self._handle)

    @property
    def pid(self):
        return _library.lcx_process_pid(self._handle)

    def dispatch(self):
        """Whenever fileno() is readable. False when the process and its output have ended."""
        return _call("lcx_process_dispatch", self._handle) > 0

    def wait(self, timeout_ms=-1):
        status = c_int32()
        _call("lcx_process_wait", self._handle, timeout_ms, byref(status))
        return status.value

    def kill(self, signal):
        _call("lcx_process_kill", self._handle, signal)


class BorrowedProcess(Process):
    """The container's own: the container frees it."""

    def close(self):
        self._handle = None


class Spec(_Handle):
    """An OCI description; only what run.py needs of it."""

    _thing = "spec"

    def set_args(self, words):
        _call("lcx_spec_set_args", self._handle, _vector(words))

    def add_env(self, assignment):
        _call("lcx_spec_add_env", self._handle, assignment.encode())

    def set_hostname(self, name):
        _call("lcx_spec_set_hostname", self._handle, name.encode())

    def set_memory_limit(self, size_bytes):
        _call("lcx_spec_set_memory_limit", self._handle, size_bytes)

    def set_pids_limit(self, limit):
        _call("lcx_spec_set_pids_limit", self._handle, limit)


class BorrowedSpec(Spec):
    """The container's own."""

    def close(self):
        self._handle = None


class Stats(_Handle):
    _thing = "cgroup_stats"

    @property
    def cpu_usage_ns(self):
        return _library.lcx_cgroup_stats_cpu_usage_ns(self._handle)

    @property
    def memory_usage_bytes(self):
        return _library.lcx_cgroup_stats_memory_usage_bytes(self._handle)

    @property
    def pids_current(self):
        return _library.lcx_cgroup_stats_pids_current(self._handle)


class Container(_Handle):
    _thing = "container"

    def __init__(self, context, name=None, handle=None):
        super().__init__(handle or _make("lcx_container_new", context._handle, _bytes(name)), context)

    @classmethod
    def open(cls, context, name):
        return cls(context, handle=_make("lcx_container_open", context._handle, name.encode()))

    # --- describing

    @property
    def spec(self):
        return BorrowedSpec(_library.lcx_container_spec(self._handle), self)

    def set_image(self, reference):
        _call("lcx_container_set_image", self._handle, reference.encode())

    def set_rootfs(self, path):
        _call("lcx_container_set_rootfs", self._handle, _bytes(path))

    def set_command(self, words):
        _call("lcx_container_set_command", self._handle, _vector(words))

    def set_network(self, name):
        _call("lcx_container_set_network", self._handle, name.encode())

    def add_env(self, assignment):
        _call("lcx_container_add_env", self._handle, assignment.encode())

    def add_volume(self, volume):
        _call("lcx_container_add_volume", self._handle, _bytes(volume))

    def publish(self, port):
        _call("lcx_container_publish", self._handle, port.encode())

    # --- life

    def start(self, stdio=None):
        """Owned by this program: poll the process that is returned."""
        _call("lcx_container_start", self._handle, stdio._handle if stdio else None)
        return BorrowedProcess(_library.lcx_container_process(self._handle), self, stdio)

    def start_detached(self):
        _call("lcx_container_start_detached", self._handle, None)

    def exec(self, words, stdio=None, env=()):
        with Spec(_make("lcx_container_exec_spec", self._handle)) as spec:
            spec.set_args(words)
            for assignment in env:
                spec.add_env(assignment)
            return Process(_make("lcx_container_exec", self._handle, spec._handle,
                                 stdio._handle if stdio else None), self, stdio)

    def wait(self, timeout_ms=-1):
        status = c_int32()
        _call("lcx_container_wait", self._handle, timeout_ms, byref(status))
        return status.value

    def kill(self, signal):
        _call("lcx_container_kill", self._handle, signal)

    def stop(self, grace_ms=10000):
        _call("lcx_container_stop", self._handle, grace_ms)

    def remove(self, force=False):
        _call("lcx_container_remove", self._handle, force)

    # --- looking

    def refresh(self):
        _call("lcx_container_refresh", self._handle)

    @property
    def id(self):
        return _text("lcx_container_id", self._handle)

    @property
    def address(self):
        return _text("lcx_container_address", self._handle)

    @property
    def state(self):
        return _library.lcx_container_state_name(_library.lcx_container_state(self._handle)).decode()

    def inspect(self):
        text = _make("lcx_container_inspect", self._handle)
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            _library.lcx_string_free(text)

    def stats(self):
        return Stats(_make("lcx_container_stats", self._handle))

    def log(self):
        """(time_ns, stream, bytes) for each line; stream is 1 for output, 2 for error."""
        path = pathlib.Path(_text("lcx_container_log_path", self._handle))
        directory = os.open(path.parent, os.O_DIRECTORY)
        try:
            reader = LogReader(_make("lcx_log_reader_open", directory, _bytes(path.name)))
        finally:
            os.close(directory)
        with reader:
            yield from reader


class LogReader(_Handle):
    _thing = "log_reader"

    def __iter__(self):
        while _call("lcx_log_reader_next", self._handle) > 0:
            yield (_library.lcx_log_reader_time_ns(self._handle),
                   _library.lcx_log_reader_stream(self._handle),
                   ctypes.string_at(_library.lcx_log_reader_text(self._handle),
                                    _library.lcx_log_reader_length(self._handle)))
