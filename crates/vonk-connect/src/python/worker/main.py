"""The process that calls the functions of Python programs; the engine starts it and talks over a socket.

It is sent functions as PySpark's client pickles them, is told to run one, asks for the batches of its
input one by one, and answers with the batches of its result. Batches travel as Arrow streams.
"""

import json
import os
import pickle
import struct
import sys
import threading
import time
import traceback

import pyarrow as pa
from vonk_worker import files
from vonk_worker.kinds import RUNS

HEADER = struct.Struct("<cQ")
PARENT_CHECK_S = 1.0


class Channel:
    """Messages with a kind of one letter over the socket."""

    def __init__(self, file):
        self.file = file

    def send(self, kind, body=b""):
        self.file.write(HEADER.pack(kind, len(body)))
        self.file.write(body)
        self.file.flush()

    def receive(self):
        """The next message; the process ends with the engine."""
        try:
            header = self.file.read(HEADER.size)
        except OSError:
            header = b""
        if len(header) < HEADER.size:
            os._exit(0)
        kind, size = HEADER.unpack(header)
        return kind, self.file.read(size)


def read_batch(body):
    """The batch of a stream that has one, or none."""
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        for batch in reader:
            return batch
        return pa.RecordBatch.from_arrays(
            [pa.array([], field.type) for field in reader.schema], schema=reader.schema
        )


class Function:
    """A function of the program, what it is given and what it gives."""

    def __init__(self, about, schema, command):
        self.about = about
        self.kind = about["kind"]
        self.names = about["names"]
        self.key_count = about["keys"]
        #: Which argument is a row of a table.
        self.table = about["table"]
        self.zone = about["zone"]
        self.safe = about["safe"]
        self.by_name = about["by_name"]
        #: The columns of the result.
        self.schema = schema
        loaded = pickle.loads(command)
        # Some come with a type, some with more that is not needed.
        self.call, self.type = loaded[:2] if isinstance(loaded, tuple) else (loaded, None)
        self.run = RUNS[self.kind]

    def arguments(self, values):
        """Positional and named arguments."""
        named = self.about["named"]
        if not any(named):
            return values, {}
        plain = [value for value, name in zip(values, named) if name is None]
        return plain, {name: value for value, name in zip(values, named) if name is not None}

    def apply(self, values):
        plain, named = self.arguments(values)
        return self.call(*plain, **named)

    def batch(self, arrays):
        """The result for arrays that are its columns."""
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def define(body):
    """A function from its description, the schema of its result and its pickle."""
    parts = []
    while body:
        size = int.from_bytes(body[:8], "little")
        parts.append(body[8 : 8 + size])
        body = body[8 + size :]
    about = json.loads(parts[0])
    schema = pa.ipc.open_stream(pa.py_buffer(parts[1])).schema
    try:
        return about["id"], Function(about, schema, parts[2])
    except BaseException as error:
        # It is told when the function is to run.
        return about["id"], error


def inputs(channel):
    """The batches of the input, each asked for when it is wanted."""
    while True:
        channel.send(b"N")
        kind, body = channel.receive()
        if kind == b"E":
            return
        yield read_batch(body)


def answer(channel, function):
    """Runs a function over its input."""
    if isinstance(function, BaseException):
        raise function
    for batch in function.run(function, inputs(channel)):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        channel.send(b"R", sink.getvalue())
    channel.send(b"Z")


def failure(error):
    """What is told of an exception: with the user's part of the traceback, without ours."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith("<vonk worker"):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    return json.dumps({"class": type(error).__name__, "message": str(error), "traceback": "".join(lines)})


def end_with_parent():
    """Ends this process when the engine's has ended, also while a function runs."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def limit_memory(megabytes):
    """Bounds what the functions may take; they then fail with `MemoryError`."""
    if megabytes:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def main(file, settings):
    channel = Channel(file)
    end_with_parent()
    files.take(settings["files"])
    limit_memory(settings["memory_mb"])
    channel.send(b"H", json.dumps({"version": "%d.%d" % sys.version_info[:2]}).encode())
    functions = {}
    while True:
        kind, body = channel.receive()
        try:
            if kind == b"F":
                name, function = define(body)
                functions[name] = function
            else:
                answer(channel, functions[body.decode()])
        except SystemExit as error:
            channel.send(b"X", failure(RuntimeError(f"the function called exit: {error}")).encode())
        except BaseException as error:
            channel.send(b"X", failure(error).encode())
