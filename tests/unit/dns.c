/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "dns/answer.h"
#include "dns/server.h"
#include "util/str.h"

/* ---- messages as bytes ---- */

/* A query for @name as a client writes it, with 0x1234 as its number. */
static size_t make_query(uint8_t *bytes, const char *name, unsigned int type, bool edns)
{
	static const uint8_t header[12] = {0x12, 0x34, 1, 0, 0, 1};
	static const uint8_t opt[11] = {0, 0, 41, 0x04, 0xd0};
	size_t at = sizeof(header);

	memcpy(bytes, header, sizeof(header));
	while (*name) {
		size_t label = strcspn(name, ".");

		bytes[at++] = (uint8_t)label;
		memcpy(bytes + at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	bytes[at++] = 0;
	bytes[at++] = (uint8_t)(type >> 8);
	bytes[at++] = (uint8_t)type;
	bytes[at++] = 0;
	bytes[at++] = 1;
	if (edns) {
		bytes[11] = 1;
		memcpy(bytes + at, opt, sizeof(opt));
		at += sizeof(opt);
	}
	return at;
}

static unsigned int rcode_of(const uint8_t *bytes)
{
	return bytes[3] & 15;
}

static unsigned int answers_of(const uint8_t *bytes)
{
	return (unsigned int)(bytes[6] << 8 | bytes[7]);
}

START_TEST(query_is_read)
{
	uint8_t bytes[DNS_QUERY_SIZE];
	struct lcx__dns_query query;
	size_t length = make_query(bytes, "Web.Example", DNS_TYPE_AAAA, true);

	ck_assert_int_eq(lcx__dns_read_query(bytes, length, &query), 0);
	ck_assert_str_eq(query.name, "web.example");
	ck_assert_uint_eq(query.id, 0x1234);
	ck_assert_uint_eq(query.type, DNS_TYPE_AAAA);
	ck_assert_uint_eq(query.class, DNS_CLASS_IN);
	ck_assert_uint_eq(query.udp_size, 0x4d0);
	ck_assert(query.has_edns && query.is_plain);
}
END_TEST

static void cut(uint8_t *bytes, size_t *length)
{
	(void)bytes;
	*length -= 1;
}

static void make_an_answer(uint8_t *bytes, size_t *length)
{
	(void)length;
	bytes[2] |= 0x80;
}

static void make_a_notification(uint8_t *bytes, size_t *length)
{
	(void)length;
	bytes[2] |= 4 << 3;
}

static void make_two_questions(uint8_t *bytes, size_t *length)
{
	(void)length;
	bytes[5] = 2;
}

static void make_a_pointer(uint8_t *bytes, size_t *length)
{
	(void)length;
	bytes[12] = 0xc0;
	bytes[13] = 12;
}

static void make_a_long_label(uint8_t *bytes, size_t *length)
{
	(void)length;
	bytes[12] = 64;
}

static void make_another_record(uint8_t *bytes, size_t *length)
{
	bytes[*length - 9] = 1;
}

static void make_another_version(uint8_t *bytes, size_t *length)
{
	bytes[*length - 5] = 1;
}

static void claim_options(uint8_t *bytes, size_t *length)
{
	bytes[*length - 1] = 1;
}

static void leave_the_header(uint8_t *bytes, size_t *length)
{
	(void)bytes;
	*length = 12;
}

static void leave_less(uint8_t *bytes, size_t *length)
{
	(void)bytes;
	*length = 11;
}

static const struct {
	void (*damage)(uint8_t *bytes, size_t *length);
	int result;
} damages[] = {
	{cut, DNS_FORMERR},
	{make_an_answer, -EBADMSG},
	{make_a_notification, DNS_NOTIMP},
	{make_two_questions, DNS_FORMERR},
	{make_a_pointer, DNS_FORMERR},
	{make_a_long_label, DNS_FORMERR},
	{make_another_record, DNS_FORMERR},
	{make_another_version, DNS_BADVERS},
	{claim_options, DNS_FORMERR},
	{leave_the_header, DNS_FORMERR},
	{leave_less, -EBADMSG},
};

START_TEST(damaged_query_is_told_from_none)
{
	uint8_t bytes[DNS_QUERY_SIZE];
	struct lcx__dns_query query;
	size_t length = make_query(bytes, "web", DNS_TYPE_A, true);

	damages[_i].damage(bytes, &length);
	ck_assert_int_eq(lcx__dns_read_query(bytes, length, &query), damages[_i].result);
}
END_TEST

/* Four labels of 63 bytes would be 256 bytes. */
START_TEST(name_beyond_the_limit_is_refused)
{
	char name[4 * 64] = "";
	uint8_t bytes[512];
	struct lcx__dns_query query;

	memset(name, 'a', sizeof(name) - 1);
	name[63] = name[127] = name[191] = '.';
	ck_assert(!lcx__dns_name_is_valid(name));
	ck_assert_int_eq(
		lcx__dns_read_query(bytes, make_query(bytes, name, DNS_TYPE_A, false), &query),
		DNS_FORMERR);
	name[253] = '\0';
	ck_assert(lcx__dns_name_is_valid(name));
	ck_assert_int_eq(
		lcx__dns_read_query(bytes, make_query(bytes, name, DNS_TYPE_A, false), &query), 0);
	ck_assert_str_eq(query.name, name);
}
END_TEST

START_TEST(dot_inside_of_a_label_is_no_host)
{
	uint8_t bytes[DNS_QUERY_SIZE];
	struct lcx__dns_query query;
	size_t length = make_query(bytes, "a-b.net", DNS_TYPE_A, false);

	bytes[14] = '.';
	ck_assert_int_eq(lcx__dns_read_query(bytes, length, &query), 0);
	ck_assert(!query.is_plain);
}
END_TEST

START_TEST(question_is_passed_on_without_options)
{
	uint8_t bytes[DNS_QUERY_SIZE + 4], out[DNS_QUERY_SIZE];
	struct lcx__dns_query query, again;
	size_t length = make_query(bytes, "example.org", DNS_TYPE_ANY, true);

	bytes[length - 1] = 4;
	memset(bytes + length, 0xff, 4);
	ck_assert_int_eq(lcx__dns_read_query(bytes, length + 4, &query), 0);
	ck_assert_uint_eq(lcx__dns_write_query(&query, 7, out), length);
	ck_assert_int_eq(lcx__dns_read_query(out, length, &again), 0);
	ck_assert_uint_eq(again.id, 7);
	ck_assert_str_eq(again.name, "example.org");
}
END_TEST

START_TEST(answer_of_another_question_is_none)
{
	uint8_t bytes[DNS_QUERY_SIZE], other[DNS_QUERY_SIZE];
	struct lcx__dns_query query;
	size_t length = make_query(bytes, "example.org", DNS_TYPE_A, false);

	ck_assert_int_eq(lcx__dns_read_query(bytes, length, &query), 0);
	(void)make_query(other, "EXAMPLE.org", DNS_TYPE_A, false);
	ck_assert_int_eq(lcx__dns_check_answer(&query, 0x1234, other, length), -EBADMSG);
	other[2] |= 0x80;
	other[3] = DNS_NXDOMAIN;
	ck_assert_int_eq(lcx__dns_check_answer(&query, 0x1234, other, length), DNS_NXDOMAIN);
	ck_assert_int_eq(lcx__dns_check_answer(&query, 0x1235, other, length), -EBADMSG);
	ck_assert_int_eq(lcx__dns_check_answer(&query, 0x1234, other, length - 1), -EBADMSG);
	lcx__dns_adopt_answer(&query, other);
	ck_assert_mem_eq(other + 12, bytes + 12, length - 12);
	(void)make_query(other, "example.net", DNS_TYPE_A, false);
	other[2] |= 0x80;
	ck_assert_int_eq(lcx__dns_check_answer(&query, 0x1234, other, length), -EBADMSG);
}
END_TEST

static const struct {
	const char *name, *address;
} reverse_cases[] = {
	{"2.0.89.10.in-addr.arpa", "10.89.0.2"},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", "fd00:1::1"},
	{"0.89.10.in-addr.arpa", NULL},
	{"2.0.89.010.in-addr.arpa", NULL},
	{"in-addr.arpa", NULL},
	{"1.0.ip6.arpa", NULL},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.g.ip6.arpa", NULL},
	{"1-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", NULL},
	{"web", NULL},
};

START_TEST(backward_name_is_an_address)
{
	struct lcx__inet inet;
	char text[LCX__INET_SIZE];
	bool found = lcx__dns_parse_reverse(reverse_cases[_i].name, &inet);

	ck_assert_int_eq(found, reverse_cases[_i].address != NULL);
	if (found) {
		lcx__inet_format_address(&inet, text);
		ck_assert_str_eq(text, reverse_cases[_i].address);
	}
}
END_TEST

/* ---- the table ---- */

static void *memory;
static size_t memory_size;
static struct lcx__dns_table table;

static struct lcx__inet inet_of(const char *text)
{
	struct lcx__inet inet;

	if (strchr(text, '/'))
		ck_assert_ok(lcx__inet_parse(text, &inet));
	else
		ck_assert_ok(lcx__inet_parse_address(text, &inet));
	return inet;
}

static uint32_t add_place(struct lcx__dns_builder *b, uint32_t network, const char *owner,
			  const char *name, const char *v4, const char *v6)
{
	struct lcx__inet addresses[2] = {{0}};
	uint32_t place;

	addresses[0] = inet_of(v4);
	if (v6)
		addresses[1] = inet_of(v6);
	place = lcx__dns_build_place(b, network, owner, name, addresses, 2);
	lcx__dns_build_name(b, place, name);
	return place;
}

/* Two networks; "web" is in both, "db" in the second only; two have the alias "pool". */
static void make_table(bool internal, uint16_t server_port)
{
	struct lcx__dns_builder b = {0};
	uint32_t front = lcx__dns_build_network(&b, "Front", internal),
		 back = lcx__dns_build_network(&b, "back", true), place;
	struct lcx__inet subnet = inet_of("10.1.0.0/24"), subnet6 = inet_of("fd00:1::/64"),
			 other = inet_of("10.2.0.0/24");
	struct dns_server_address server = {.address = inet_of("127.0.0.1"), .port = server_port};

	place = add_place(&b, front, "w", "Web", "10.1.0.2", "fd00:1::2");
	lcx__dns_build_name(&b, place, "pool");
	lcx__dns_build_name(&b, place, "POOL");
	lcx__dns_build_name(&b, place, "www.example.org");
	lcx__dns_build_name(&b, place, "not..one");
	place = add_place(&b, front, "o", "other", "10.1.0.3", NULL);
	lcx__dns_build_name(&b, place, "pool");
	(void)add_place(&b, back, "w", "web", "10.2.0.2", NULL);
	(void)add_place(&b, back, "d", "db", "10.2.0.3", NULL);
	lcx__dns_build_subnet(&b, front, &subnet);
	lcx__dns_build_subnet(&b, front, &subnet6);
	lcx__dns_build_subnet(&b, back, &other);
	if (server_port)
		lcx__dns_build_server(&b, &server);
	b.head.internal = internal;
	ck_assert_ok(lcx__dns_build_end(&b, &memory, &memory_size));
	ck_assert_ok(lcx__dns_table_open(memory, memory_size, &table));
}

static void drop_table(void)
{
	free(memory);
	memory = NULL;
}

START_TEST(torn_table_is_none)
{
	struct lcx__dns_table torn;

	make_table(false, 0);
	for (size_t length = 0; length < memory_size; length++) {
		CLEANUP(freep) void *copy = malloc(length ? length : 1);

		memcpy(copy, memory, length);
		ck_assert_int_eq(lcx__dns_table_open(copy, length, &torn), -EBADMSG);
	}
	drop_table();
}
END_TEST

/* Answer a question of @asker; return the reply's length, or 0 when others have to be asked. */
static size_t resolve(const char *asker, const char *name, unsigned int type, uint32_t turn,
		      uint8_t *bytes, size_t size)
{
	uint8_t question[DNS_QUERY_SIZE];
	struct lcx__inet address = inet_of(asker);
	struct lcx__dns_query query;
	struct lcx__dns_reply reply;

	ck_assert_int_eq(
		lcx__dns_read_query(question, make_query(question, name, type, true), &query), 0);
	lcx__dns_reply_begin(&reply, &query, bytes, size);
	return lcx__dns_answer(&table, &address, turn, &reply) ? lcx__dns_reply_end(&reply) : 0;
}

/* What is answered, in words: addresses in their order, a name, "nobody", "none" or "ask". */
static void read_reply(const uint8_t *bytes, size_t length, char *text)
{
	static const char *const words[] = {"none", "1", "2", "nobody", "4", "refused"};
	size_t at = 12;

	*text = '\0';
	if (length == 0)
		strcpy(text, "ask");
	else if (answers_of(bytes) == 0)
		strcpy(text, words[rcode_of(bytes)]);
	while (length > 0 && bytes[at] != 0)
		at += 1u + bytes[at];
	at += 5;
	for (unsigned int i = 0; length > 0 && i < answers_of(bytes); i++) {
		unsigned int type = (unsigned int)(bytes[at + 2] << 8 | bytes[at + 3]);
		char *end = text + strlen(text);

		if (i > 0)
			*end++ = ' ';
		ck_assert_uint_eq(bytes[at + 9], DNS_TTL_S);
		at += 12;
		if (type == DNS_TYPE_PTR) {
			for (size_t k = at; bytes[k] != 0; k += 1u + bytes[k])
				end += sprintf(end, "%.*s.", bytes[k], (const char *)bytes + k + 1);
		} else {
			ck_assert_ptr_nonnull(inet_ntop(type == DNS_TYPE_A ? AF_INET : AF_INET6,
							bytes + at, end, LCX__INET_SIZE));
		}
		at += bytes[at - 1];
	}
}

static const struct {
	const char *asker, *name;
	unsigned int type;
	const char *open, *internal; /* NULL: the same */
} answer_cases[] = {
	{"10.1.0.3", "web", DNS_TYPE_A, "10.1.0.2", NULL},
	{"10.1.0.3", "WEB", DNS_TYPE_AAAA, "fd00:1::2", NULL},
	{"10.1.0.3", "web", DNS_TYPE_ANY, "10.1.0.2 fd00:1::2", NULL},
	{"10.1.0.3", "web", 15, "none", NULL},
	{"10.1.0.3", "other", DNS_TYPE_AAAA, "none", NULL},
	{"10.1.0.3", "web.front", DNS_TYPE_A, "10.1.0.2", NULL},
	{"10.1.0.3", "www.example.org", DNS_TYPE_A, "10.1.0.2", NULL},
	/* Others' networks are not to be seen. */
	{"10.1.0.3", "db", DNS_TYPE_A, "nobody", NULL},
	{"10.1.0.3", "db.back", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.2", "db", DNS_TYPE_A, "10.2.0.3", NULL},
	{"10.1.0.2", "db.back", DNS_TYPE_A, "10.2.0.3", NULL},
	{"10.1.0.2", "web.back", DNS_TYPE_A, "10.2.0.2", NULL},
	/* What is not in an internal network is not asked for outside by who is in it. */
	{"10.1.0.2", "gone.back", DNS_TYPE_A, "nobody", NULL},
	{"10.1.0.3", "gone.back", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.2", "gone.front", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.99", "web", DNS_TYPE_A, "10.1.0.2", NULL},
	/* Backwards. */
	{"10.1.0.3", "2.0.1.10.in-addr.arpa", DNS_TYPE_PTR, "Web.front.", NULL},
	{"10.1.0.3", "2.0.1.10.in-addr.arpa", DNS_TYPE_A, "none", NULL},
	{"10.1.0.3", "77.0.1.10.in-addr.arpa", DNS_TYPE_PTR, "nobody", NULL},
	{"10.1.0.3", "3.0.2.10.in-addr.arpa", DNS_TYPE_PTR, "ask", "nobody"},
	{"10.1.0.2", "3.0.2.10.in-addr.arpa", DNS_TYPE_PTR, "db.back.", NULL},
	{"10.1.0.3", "8.8.8.8.in-addr.arpa", DNS_TYPE_PTR, "ask", "nobody"},
	/* Everybody else. */
	{"10.1.0.3", "nobody", DNS_TYPE_A, "nobody", NULL},
	{"10.1.0.3", "nobody", DNS_TYPE_AAAA, "nobody", NULL},
	{"10.1.0.3", "com", 2, "ask", "nobody"},
	{"10.1.0.3", "", 2, "ask", "nobody"},
	{"10.1.0.3", "", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.3", "example.org", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.3", "web.example.org", DNS_TYPE_A, "ask", "nobody"},
	{"10.1.0.3", "example.org", DNS_TYPE_AXFR, "refused", NULL},
};

START_TEST(question_is_answered_or_passed_on)
{
	uint8_t bytes[DNS_UDP_MOST];
	char text[512];

	make_table(_i % 2, 0);
	read_reply(bytes,
		   resolve(answer_cases[_i / 2].asker, answer_cases[_i / 2].name,
			   answer_cases[_i / 2].type, 0, bytes, sizeof(bytes)),
		   text);
	ck_assert_str_eq(text, _i % 2 && answer_cases[_i / 2].internal
				       ? answer_cases[_i / 2].internal
				       : answer_cases[_i / 2].open);
	drop_table();
}
END_TEST

START_TEST(those_of_one_name_take_turns)
{
	uint8_t bytes[DNS_UDP_MOST];
	char text[512];

	make_table(false, 0);
	for (uint32_t turn = 0; turn < 4; turn++) {
		read_reply(bytes,
			   resolve("10.1.0.2", "pool", DNS_TYPE_A, turn, bytes, sizeof(bytes)),
			   text);
		ck_assert_str_eq(text, turn % 2 ? "10.1.0.3 10.1.0.2" : "10.1.0.2 10.1.0.3");
	}
	drop_table();
}
END_TEST

START_TEST(what_finds_no_room_is_told)
{
	struct lcx__dns_builder b = {0};
	uint32_t network = lcx__dns_build_network(&b, "n", false);
	uint8_t bytes[DNS_MESSAGE_SIZE];
	size_t length;

	for (unsigned int i = 0; i < 100; i++) {
		CLEANUP(freep) char *owner = lcx__format("c%u", i);
		CLEANUP(freep) char *address = lcx__format("10.1.0.%u", i);
		uint32_t place = add_place(&b, network, owner, owner, address, NULL);

		lcx__dns_build_name(&b, place, "pool");
	}
	ck_assert_ok(lcx__dns_build_end(&b, &memory, &memory_size));
	ck_assert_ok(lcx__dns_table_open(memory, memory_size, &table));
	length = resolve("10.1.0.2", "pool", DNS_TYPE_A, 5, bytes, DNS_UDP_LEAST);
	ck_assert_uint_le(length, DNS_UDP_LEAST);
	ck_assert(bytes[2] & 2);
	ck_assert_uint_eq(answers_of(bytes), 29);
	length = resolve("10.1.0.2", "pool", DNS_TYPE_A, 5, bytes, sizeof(bytes));
	ck_assert_uint_eq(answers_of(bytes), 100);
	ck_assert(!(bytes[2] & 2));
	ck_assert_uint_gt(length, 1600);
	drop_table();
}
END_TEST

/* ---- on sockets ---- */

static struct lcx__dns_server *server;
static int asker_fd = -1, upstream_fd = -1, upstream_listen_fd = -1;
static uint16_t server_port;
static int refreshed;

static int give_table(void *data, struct lcx__dns_table *ret)
{
	(void)data;
	*ret = table;
	return refreshed++ == 0;
}

static int open_socket(int type, uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void connect_to(int fd, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* A port that is free for both kinds: one of several tries, as another test may have one of them.
 */
static void open_pair(int *ret_udp, int *ret_tcp, uint16_t *ret_port)
{
	*ret_tcp = open_socket(SOCK_STREAM, 0, ret_port);
	*ret_udp = open_socket(SOCK_DGRAM, *ret_port, ret_port);
}

static void set_up(void)
{
	uint16_t upstream_port;
	int sockets[2];

	open_pair(&upstream_fd, &upstream_listen_fd, &upstream_port);
	make_table(false, upstream_port);
	open_pair(&sockets[0], &sockets[1], &server_port);
	refreshed = 0;
	ck_assert_ok(lcx__dns_server_new(sockets, 2, give_table, NULL, &server));
	asker_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	connect_to(asker_fd, server_port);
}

static void tear_down(void)
{
	server = lcx__dns_server_free(server);
	closep(&asker_fd);
	closep(&upstream_fd);
	closep(&upstream_listen_fd);
	drop_table();
}

/* Let the server work until @fd can be read. */
static void work_until_readable(int fd)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = lcx__dns_server_fd(server), .events = POLLIN},
		};

		ck_assert_int_ge(poll(fds, 2, 20000), 1);
		if (fds[0].revents)
			return;
		ck_assert_ok(lcx__dns_server_dispatch(server));
	}
}

static size_t ask_and_hear(const char *name, unsigned int type, uint8_t *bytes, size_t size)
{
	ssize_t n;

	ck_assert_int_gt(send(asker_fd, bytes, make_query(bytes, name, type, false), 0), 0);
	work_until_readable(asker_fd);
	n = recv(asker_fd, bytes, size, 0);
	ck_assert_int_ge(n, 12);
	return (size_t)n;
}

START_TEST(name_is_answered_over_udp)
{
	uint8_t bytes[512];
	char text[512];

	read_reply(bytes, ask_and_hear("web", DNS_TYPE_A, bytes, sizeof(bytes)), text);
	ck_assert_str_eq(text, "10.1.0.2");
}
END_TEST

/* The question as it arrives outside. */
static size_t hear_outside(uint8_t *bytes, size_t size, struct sockaddr_in *from)
{
	socklen_t length = sizeof(*from);
	ssize_t n;

	work_until_readable(upstream_fd);
	n = recvfrom(upstream_fd, bytes, size, 0, (struct sockaddr *)from, &length);
	ck_assert_int_ge(n, 12);
	return (size_t)n;
}

START_TEST(what_others_know_is_asked_outside)
{
	uint8_t bytes[512], question[512];
	struct sockaddr_in from;
	size_t length, n;

	length = make_query(bytes, "Example.org", DNS_TYPE_A, false);
	ck_assert_int_gt(send(asker_fd, bytes, length, 0), 0);
	n = hear_outside(question, sizeof(question), &from);
	ck_assert_uint_eq(n, length);
	ck_assert_mem_eq(question + 12, bytes + 12, length - 12);
	question[2] |= 0x80;
	/* Somebody else's number first: nothing comes of it. */
	question[0] ^= 1;
	ck_assert_int_gt(sendto(upstream_fd, question, n, 0, (void *)&from, sizeof(from)), 0);
	question[0] ^= 1;
	question[3] = 0x80 | DNS_NXDOMAIN;
	ck_assert_int_gt(sendto(upstream_fd, question, n, 0, (void *)&from, sizeof(from)), 0);
	work_until_readable(asker_fd);
	ck_assert_int_eq(recv(asker_fd, bytes, sizeof(bytes), 0), (ssize_t)n);
	ck_assert_uint_eq(bytes[0] << 8 | bytes[1], 0x1234);
	ck_assert_uint_eq(rcode_of(bytes), DNS_NXDOMAIN);
}
END_TEST

START_TEST(each_question_outside_has_its_own_port_and_number)
{
	uint8_t bytes[512];
	struct sockaddr_in from[8];
	unsigned int same_ports = 0, same_ids = 0;
	uint16_t ids[8];

	for (unsigned int i = 0; i < 8; i++) {
		CLEANUP(freep) char *name = lcx__format("n%u.example.org", i);

		ck_assert_int_gt(
			send(asker_fd, bytes, make_query(bytes, name, DNS_TYPE_A, false), 0), 0);
		(void)hear_outside(bytes, sizeof(bytes), &from[i]);
		ids[i] = (uint16_t)(bytes[0] << 8 | bytes[1]);
		for (unsigned int k = 0; k < i; k++) {
			same_ports += from[k].sin_port == from[i].sin_port;
			same_ids += ids[k] == ids[i];
		}
	}
	ck_assert_uint_eq(same_ports, 0);
	ck_assert_uint_lt(same_ids, 2);
}
END_TEST

START_TEST(asker_who_wants_too_much_is_told)
{
	uint8_t bytes[512];
	unsigned int failures = 0;

	for (unsigned int i = 0; i < 60; i++) {
		CLEANUP(freep) char *name = lcx__format("n%u.example.org", i);
		struct pollfd ready = {.fd = asker_fd, .events = POLLIN};

		ck_assert_int_gt(
			send(asker_fd, bytes, make_query(bytes, name, DNS_TYPE_A, false), 0), 0);
		ck_assert_ok(lcx__dns_server_dispatch(server));
		while (poll(&ready, 1, 0) == 1) {
			ck_assert_int_gt(recv(asker_fd, bytes, sizeof(bytes), 0), 0);
			failures += rcode_of(bytes) == DNS_SERVFAIL;
		}
	}
	ck_assert_uint_eq(failures, 60 - 48);
}
END_TEST

START_TEST(server_that_is_not_there_is_a_failure_at_once)
{
	uint8_t bytes[512];

	closep(&upstream_fd);
	(void)ask_and_hear("example.org", DNS_TYPE_A, bytes, sizeof(bytes));
	ck_assert_uint_eq(rcode_of(bytes), DNS_SERVFAIL);
}
END_TEST

START_TEST(silent_server_is_a_failure_in_the_end)
{
	uint8_t bytes[512];

	(void)ask_and_hear("example.org", DNS_TYPE_A, bytes, sizeof(bytes));
	ck_assert_uint_eq(rcode_of(bytes), DNS_SERVFAIL);
	/* Three attempts have been made. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_gt(recv(upstream_fd, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
	ck_assert_int_lt(recv(upstream_fd, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
}
END_TEST

static void receive_all(int fd, uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		ssize_t n;

		work_until_readable(fd);
		n = recv(fd, bytes + at, length - at, 0);
		ck_assert_int_gt(n, 0);
		at += (size_t)n;
	}
}

START_TEST(streams_carry_several_questions)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t bytes[1024];
	size_t first = make_query(bytes + 2, "web", DNS_TYPE_A, false), second;
	char text[512];

	bytes[1] = (uint8_t)first;
	second = make_query(bytes + 4 + first, "other", DNS_TYPE_A, false);
	bytes[2 + first] = 0;
	bytes[3 + first] = (uint8_t)second;
	bytes[0] = 0;
	connect_to(fd, server_port);
	/* Torn apart, as a hostile asker would. */
	ck_assert_int_eq(send(fd, bytes, 7, 0), 7);
	ck_assert_ok(lcx__dns_server_dispatch(server));
	ck_assert_int_gt(send(fd, bytes + 7, 4 + first + second - 7, 0), 0);
	for (int i = 0; i < 2; i++) {
		uint8_t length[2];

		receive_all(fd, length, 2);
		receive_all(fd, bytes, length[1]);
		read_reply(bytes, length[1], text);
		ck_assert_str_eq(text, i == 0 ? "10.1.0.2" : "10.1.0.3");
	}
}
END_TEST

START_TEST(streams_are_answered_by_streams)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), outside = -1;
	uint8_t bytes[1024];
	size_t length = make_query(bytes + 2, "example.org", 16, false);
	CLEANUP(freep) uint8_t *large = calloc(1, 2 + 60000);

	bytes[0] = 0;
	bytes[1] = (uint8_t)length;
	connect_to(fd, server_port);
	ck_assert_int_eq(send(fd, bytes, 2 + length, 0), (ssize_t)(2 + length));
	work_until_readable(upstream_listen_fd);
	outside = accept(upstream_listen_fd, NULL, NULL);
	receive_all(outside, large, 2 + length);
	large[0] = 60000 >> 8;
	large[1] = 60000 & 0xff;
	large[4] |= 0x80;
	ck_assert_int_eq(send(outside, large, 2 + 60000, 0), 2 + 60000);
	receive_all(fd, large, 2 + 60000);
	ck_assert_uint_eq(large[2] << 8 | large[3], 0x1234);
}
END_TEST

START_TEST(asker_has_a_few_streams_at_a_time)
{
	int fds[9];
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		connect_to(fds[i], server_port);
		ck_assert_ok(lcx__dns_server_dispatch(server));
	}
	ck_assert_int_eq(recv(fds[8], &byte, 1, 0), 0);
	ck_assert_int_lt(recv(fds[7], &byte, 1, MSG_DONTWAIT), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns");
	TCase *wire = tcase_create("wire"), *names = tcase_create("names"),
	      *sockets = tcase_create("sockets");

	tcase_add_test(wire, query_is_read);
	tcase_add_loop_test(wire, damaged_query_is_told_from_none, 0, ARRAY_SIZE(damages));
	tcase_add_test(wire, name_beyond_the_limit_is_refused);
	tcase_add_test(wire, dot_inside_of_a_label_is_no_host);
	tcase_add_test(wire, question_is_passed_on_without_options);
	tcase_add_test(wire, answer_of_another_question_is_none);
	tcase_add_loop_test(wire, backward_name_is_an_address, 0, ARRAY_SIZE(reverse_cases));
	suite_add_tcase(suite, wire);

	tcase_add_test(names, torn_table_is_none);
	tcase_add_loop_test(names, question_is_answered_or_passed_on, 0,
			    2 * ARRAY_SIZE(answer_cases));
	tcase_add_test(names, those_of_one_name_take_turns);
	tcase_add_test(names, what_finds_no_room_is_told);
	suite_add_tcase(suite, names);

	tcase_add_checked_fixture(sockets, set_up, tear_down);
	tcase_add_test(sockets, name_is_answered_over_udp);
	tcase_add_test(sockets, what_others_know_is_asked_outside);
	tcase_add_test(sockets, each_question_outside_has_its_own_port_and_number);
	tcase_add_test(sockets, asker_who_wants_too_much_is_told);
	tcase_add_test(sockets, server_that_is_not_there_is_a_failure_at_once);
	tcase_add_test(sockets, silent_server_is_a_failure_in_the_end);
	tcase_add_test(sockets, streams_carry_several_questions);
	tcase_add_test(sockets, streams_are_answered_by_streams);
	tcase_add_test(sockets, asker_has_a_few_streams_at_a_time);
	suite_add_tcase(suite, sockets);
	return unit_run(suite);
}
