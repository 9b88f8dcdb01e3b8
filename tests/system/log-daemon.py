# SPDX-License-Identifier: MIT
# A daemon that logs are sent to, for tests: listens at a unix socket, and writes down what arrives.
#
#     log-daemon.py journald|datagram|stream SOCKET OUT [FILE]
#
# OUT gets a line of JSON for each message: of journald its fields and whether it came as a file, else
# {"text": ...}. Bytes are Latin-1. It does not read before FILE exists.
import json, os, socket, struct, sys, time

kind, path, out = sys.argv[1:4]


def fields(data):
	result, at = {}, 0
	while at < len(data):
		end = data.index(b'\n', at)
		name, equals, value = data[at:end].partition(b'=')
		if not equals:
			length, = struct.unpack('<Q', data[end + 1:end + 9])
			value = data[end + 9:end + 9 + length]
			end += 9 + length
			assert data[end:end + 1] == b'\n', data[end:end + 10]
		result[name.decode()] = value.decode('latin-1')
		at = end + 1
	return result


def messages():
	s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == 'stream' else socket.SOCK_DGRAM)
	s.bind(path)
	if kind == 'stream':
		s.listen()
	with open(out + '.ready', 'w'):
		pass
	while len(sys.argv) > 4 and not os.path.exists(sys.argv[4]):
		time.sleep(0.05)
	while kind != 'stream':
		data, ancillary, flags, _ = s.recvmsg(1 << 20, socket.CMSG_SPACE(4))
		assert not flags & socket.MSG_TRUNC
		if ancillary:
			fd, = struct.unpack('i', ancillary[0][2][:4])
			import fcntl
			assert fcntl.fcntl(fd, 1034) & 0xf == 0xf, 'not sealed'
			data = os.pread(fd, os.fstat(fd).st_size, 0)
			os.close(fd)
		yield data, bool(ancillary)
	while True:
		connection, _ = s.accept()
		stream = connection.makefile('rb')
		while True:
			digits = b''
			while (c := stream.read(1)) not in (b' ', b''):
				assert c.isdigit(), c
				digits += c
			if not digits:
				break
			yield stream.read(int(digits)), False


with open(out, 'w') as o:
	for data, is_file in messages():
		record = {**fields(data), 'file': is_file} if kind == 'journald' else {'text': data.decode('latin-1')}
		o.write(json.dumps(record) + '\n')
		o.flush()
