/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "netlink/inet.h"
#include "netlink/link-internal.h"
#include "netlink/nft.h"
#include "netlink/reply.h"

/* ---- addresses ---- */

static const struct {
	const char *text;
	int r;
	const char *network;
} inet_cases[] = {
	{"10.88.3.4/16", 0, "10.88.0.0/16"},
	{"10.88.3.4/0", 0, "0.0.0.0/0"},
	{"10.88.3.255/31", 0, "10.88.3.254/31"},
	{"fd00:1::ff/65", 0, "fd00:1::/65"},
	{"fd00:1::ff/128", 0, "fd00:1::ff/128"},
	{"10.88.0.0/33", -EINVAL, NULL},
	{"10.88.0.0/-1", -EINVAL, NULL},
	{"10.88.0.0/", -EINVAL, NULL},
	{"10.88.0.0", -EINVAL, NULL},
	{"010.88.0.0/16", -EINVAL, NULL},
	{"10.88/16", -EINVAL, NULL},
	{"fd00::/129", -EINVAL, NULL},
	{"fd00::/64 ", -EINVAL, NULL},
	{"0000000000000000000000000000000000000000000000000000000000000000000/1", -EINVAL, NULL},
};

START_TEST(subnet_is_parsed_strictly)
{
	struct lcx__inet inet, network;
	char text[LCX__INET_SIZE];

	ck_assert_int_eq(lcx__inet_parse(inet_cases[_i].text, &inet), inet_cases[_i].r);
	if (!inet_cases[_i].network)
		return;
	network = lcx__inet_network(&inet);
	lcx__inet_format(&network, text);
	ck_assert_str_eq(text, inet_cases[_i].network);
}
END_TEST

static const struct {
	const char *a, *b;
	bool overlap;
} overlap_cases[] = {
	{"10.88.0.0/16", "10.88.1.0/24", true},  {"10.88.1.0/24", "10.0.0.0/8", true},
	{"10.88.0.0/16", "10.89.0.0/16", false}, {"10.88.0.0/17", "10.88.128.0/17", false},
	{"0.0.0.0/0", "10.88.0.0/16", true},     {"::/0", "10.88.0.0/16", false},
	{"fd00::/64", "fd00::1/128", true},
};

START_TEST(overlap_of_subnets_is_seen)
{
	struct lcx__inet a, b;

	ck_assert_ok(lcx__inet_parse(overlap_cases[_i].a, &a));
	ck_assert_ok(lcx__inet_parse(overlap_cases[_i].b, &b));
	ck_assert_int_eq(lcx__inet_overlap(&a, &b), overlap_cases[_i].overlap);
	ck_assert_int_eq(lcx__inet_overlap(&b, &a), overlap_cases[_i].overlap);
}
END_TEST

/* ---- messages ---- */

static void begin(struct lcx__nl_batch *batch)
{
	struct ifinfomsg ifi = {0};

	lcx__nl_begin(batch, RTM_NEWLINK, NLM_F_REQUEST, &ifi, sizeof(ifi));
}

/* The length of an attribute has 16 bits and counts its own 4-byte header. */
START_TEST(attribute_that_does_not_fit_is_refused)
{
	size_t length = (size_t)_i;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(freep) char *data = calloc(1, length + 1);

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', length);
	begin(&batch);
	lcx__nl_put(&batch, IFLA_IFALIAS, data, length);
	if (length <= 65535 - 4) {
		const struct nlattr *attr = (const struct nlattr *)(batch.data + NLMSG_HDRLEN +
								    sizeof(struct ifinfomsg));

		ck_assert_int_eq(batch.failed, 0);
		ck_assert_uint_eq(attr->nla_len, length + 4);
		ck_assert_uint_eq(batch.length,
				  NLMSG_HDRLEN + sizeof(struct ifinfomsg) + 4 + MNL_ALIGN(length));
	} else {
		ck_assert_int_eq(batch.failed, -EMSGSIZE);
	}
}
END_TEST

START_TEST(nest_that_does_not_fit_is_refused)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	static const char data[40000];
	size_t nest;

	begin(&batch);
	nest = lcx__nl_nest(&batch, IFLA_LINKINFO);
	lcx__nl_put(&batch, 1, data, sizeof(data));
	ck_assert_int_eq(batch.failed, 0);
	lcx__nl_put(&batch, 1, data, sizeof(data));
	lcx__nl_nest_end(&batch, nest);
	ck_assert_int_eq(batch.failed, -EMSGSIZE);
}
END_TEST

START_TEST(failed_batch_is_never_sent)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(freep) char *data = calloc(1, 70000);

	ck_assert_ok(lcx_netlink_open(&nl, NULL));
	begin(&batch);
	lcx__nl_put(&batch, IFLA_IFALIAS, data, 70000);
	ck_assert_int_eq(lcx__nl_exchange(nl, &batch, NULL, NULL, NULL), -EMSGSIZE);
}
END_TEST

START_TEST(messages_of_a_batch_follow_each_other)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	const struct nlmsghdr *nlh;
	int left, count = 0;

	for (int i = 0; i < 500; i++) {
		begin(&batch);
		lcx__nl_put_str(&batch, IFLA_IFNAME, i % 2 ? "a" : "abcdefgh");
	}
	nlh = (const struct nlmsghdr *)batch.data;
	left = (int)batch.length;
	while (mnl_nlmsg_ok(nlh, left)) {
		ck_assert_uint_eq(nlh->nlmsg_type, RTM_NEWLINK);
		nlh = mnl_nlmsg_next(nlh, &left);
		count++;
	}
	ck_assert_int_eq(count, 500);
	ck_assert_int_eq(left, 0);
	ck_assert_uint_eq(batch.count, 500);
}
END_TEST

/* ---- answers ---- */

enum { SEQ = 100, PORT = 4711 };

static struct {
	char words[LCX__NL_WORDS_SIZE];
	struct lcx__nl_reply reply;
	struct lcx__nl_batch batch;
	int answers;
} mock;

static int count_answer(const struct nlmsghdr *nlh, void *data)
{
	(void)data;
	mock.answers += nlh ? 1 : 0;
	return 0;
}

static void mock_begin(unsigned int messages)
{
	memset(&mock, 0, sizeof(mock));
	mock.reply = (struct lcx__nl_reply){
		.first_seq = SEQ,
		.portid = PORT,
		.messages = messages,
		.answer = count_answer,
		.words = mock.words,
	};
}

static void mock_message(uint16_t type, uint16_t flags, uint32_t seq, const void *data, size_t size)
{
	struct nlmsghdr *nlh;

	lcx__nl_begin(&mock.batch, type, flags, data, size);
	nlh = (struct nlmsghdr *)(mock.batch.data + mock.batch.message);
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_pid = PORT;
}

static int mock_read(void)
{
	int r = lcx__nl_reply_read(&mock.reply, mock.batch.data, mock.batch.length);

	lcx__nl_batch_free(&mock.batch);
	return r;
}

START_TEST(kernels_words_are_kept)
{
	struct nlmsgerr e = {.error = -EEXIST};

	mock_begin(3);
	mock_message(NLMSG_ERROR, NLM_F_CAPPED, SEQ, &(struct nlmsgerr){0}, sizeof(e));
	mock_message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, SEQ + 1, &e, sizeof(e));
	lcx__nl_put_str(&mock.batch, NLMSGERR_ATTR_MSG, "Name in use\x1b[31m");
	ck_assert_ok(mock_read());
	ck_assert_int_eq(mock.reply.result, -EEXIST);
	ck_assert_uint_eq(mock.reply.failed, 1);
	ck_assert_uint_eq(mock.reply.confirmed, 1);
	ck_assert_str_eq(mock.words, "Name in use?[31m");
}
END_TEST

/* Without NLM_F_CAPPED our message stands before the words; its length is the sender's claim. */
START_TEST(lying_length_inside_an_error_is_harmless)
{
	static const uint32_t lengths[] = {
		0, 1, 16, 17, 100, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffd, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct nlmsgerr e = {.error = -EINVAL, .msg.nlmsg_len = lengths[i]};

		mock_begin(1);
		mock_message(NLMSG_ERROR, NLM_F_ACK_TLVS, SEQ, &e, sizeof(e));
		ck_assert_ok(mock_read());
		ck_assert_int_eq(mock.reply.result, -EINVAL);
	}
}
END_TEST

START_TEST(answers_to_others_are_skipped)
{
	struct nlmsgerr e = {.error = -EPERM};
	struct nlmsghdr *nlh;

	mock_begin(2);
	mock_message(NLMSG_ERROR, 0, SEQ - 1, &e, sizeof(e));
	mock_message(NLMSG_ERROR, 0, SEQ + 2, &e, sizeof(e));
	mock_message(NLMSG_ERROR, 0, SEQ, &e, sizeof(e));
	nlh = (struct nlmsghdr *)(mock.batch.data + mock.batch.message);
	nlh->nlmsg_pid = PORT + 1;
	ck_assert_ok(mock_read());
	ck_assert_int_eq(mock.reply.result, 0);
	ck_assert_uint_eq(mock.reply.confirmed, 0);
}
END_TEST

START_TEST(interrupted_dump_is_noticed)
{
	int done = 0;

	mock_begin(1);
	mock_message(RTM_NEWLINK, NLM_F_MULTI, SEQ, &done, sizeof(done));
	mock_message(RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, SEQ, &done, sizeof(done));
	mock_message(NLMSG_DONE, NLM_F_MULTI, SEQ, &done, sizeof(done));
	ck_assert_ok(mock_read());
	ck_assert(mock.reply.interrupted);
	ck_assert_int_eq(mock.answers, 1);
	ck_assert_uint_eq(mock.reply.confirmed, 1);
}
END_TEST

START_TEST(end_of_a_dump_may_be_a_failure)
{
	int code = -EBUSY;

	mock_begin(1);
	mock_message(NLMSG_DONE, NLM_F_MULTI, SEQ, &code, sizeof(code));
	ck_assert_ok(mock_read());
	ck_assert_int_eq(mock.reply.result, -EBUSY);
}
END_TEST

START_TEST(errors_that_are_none_become_eio)
{
	struct nlmsgerr e = {.error = 5};

	mock_begin(1);
	mock_message(NLMSG_ERROR, 0, SEQ, &e, sizeof(e));
	ck_assert_ok(mock_read());
	ck_assert_int_eq(mock.reply.result, -EIO);
}
END_TEST

START_TEST(torn_datagram_is_refused)
{
	struct nlmsgerr e = {.error = 0};

	mock_begin(1);
	mock_message(NLMSG_ERROR, 0, SEQ, &e, sizeof(e));
	mock.batch.length -= 8;
	ck_assert_int_eq(mock_read(), -EBADMSG);
	mock_begin(1);
	mock_message(NLMSG_ERROR, 0, SEQ, &e, 2);
	ck_assert_int_eq(mock_read(), -EBADMSG);
}
END_TEST

START_TEST(message_that_claims_gibibytes_is_refused)
{
	static const uint32_t lengths[] = {0, 15, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff};
	struct nlmsgerr e = {.error = 0};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		mock_begin(1);
		mock_message(NLMSG_ERROR, 0, SEQ, &e, sizeof(e));
		((struct nlmsghdr *)mock.batch.data)->nlmsg_len = lengths[i];
		ck_assert_int_eq(mock_read(), -EBADMSG);
	}
}
END_TEST

/* ---- links ---- */

static const struct {
	const char *name;
	bool valid;
} name_cases[] = {
	{"eth0", true},
	{"lcx-0a1b2c3d", true},
	{"123456789012345", true},
	{"1234567890123456", false},
	{"", false},
	{".", false},
	{"..", false},
	{"a/b", false},
	{"a b", false},
	{"a\nb", false},
	{"eth%d", false},
	{"eth0:1", false},
	{"\xc3\xa4", false},
};

START_TEST(names_of_interfaces_are_checked)
{
	ck_assert_int_eq(lcx__link_name_is_valid(name_cases[_i].name), name_cases[_i].valid);
}
END_TEST

START_TEST(overlong_strings_of_a_link_are_cut)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {.ifi_index = 3};
	char alias[1000];
	struct lcx_link link;

	memset(alias, 'a', sizeof(alias));
	lcx__nl_begin(&batch, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	lcx__nl_put(&batch, IFLA_IFNAME, alias, 100); /* no NUL */
	lcx__nl_put(&batch, IFLA_IFALIAS, alias, sizeof(alias));
	lcx__nl_put(&batch, IFLA_MTU, alias, 2);
	ck_assert_ok(lcx__link_parse((const struct nlmsghdr *)batch.data, &link));
	ck_assert_uint_eq(strlen(link.name), 15);
	ck_assert_uint_eq(strlen(link.alias), 255);
	ck_assert_uint_eq(link.mtu, 0);
}
END_TEST

static const struct {
	const char *mac;
	int r;
} mac_cases[] = {
	{"02:42:0a:58:00:02", 0},
	{"02:42:0A:58:00:FF", 0},
	{"01:42:0a:58:00:02", -EINVAL},
	{"02:42:0a:58:00", -EINVAL},
	{"02:42:0a:58:00:0", -EINVAL},
	{"02:42:0a:58:00:02:", -EINVAL},
	{"02-42-0a-58-00-02", -EINVAL},
	{"02:42:0a:58: 0:02", -EINVAL},
	{"", -EINVAL},
	{"02:42:0a:58:00:0g", -EINVAL},
	{"+2:42:0a:58:00:02", -EINVAL},
};

START_TEST(mac_addresses_are_checked)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *config = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_link_config_new(&config, NULL));
	ck_assert_int_eq(lcx_link_config_set_mac(config, mac_cases[_i].mac, &err), mac_cases[_i].r);
}
END_TEST

START_TEST(loopback_interface_is_found)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL, *none = NULL;
	CLEANUP(lcx_link_list_freep) struct lcx_link_list *links = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_netlink_open(&nl, NULL));
	ck_assert_ok(lcx_link_open(nl, "lo", &link, NULL));
	ck_assert_uint_eq(lcx_link_index(link), 1);
	ck_assert_str_eq(lcx_link_kind(link), "");
	ck_assert_fails(lcx_link_open(nl, "nosuchlink", &none, &err), ENODEV, err, "nosuchlink");
	ck_assert_ptr_null(none);
	ck_assert_ok(lcx_link_list_open(nl, 0, &links, NULL));
	ck_assert_str_eq(lcx_link_name(lcx_link_list_next(links)), "lo");
}
END_TEST

START_TEST(only_a_route_socket_is_taken)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(closep) int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	ck_assert_fails(lcx_netlink_open_fd(udp, &nl, &err), EINVAL, err, "NETLINK_ROUTE");
	ck_assert_fails(lcx_netlink_open_fd(-1, &nl, &err), EINVAL, err, "NETLINK_ROUTE");
	ck_assert_ok(lcx_netlink_open_fd(route, &nl, NULL));
	ck_assert_int_eq(fcntl(route, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(lcx_netlink_fd(nl), route);
}
END_TEST

/* In one's own namespace, since the tests run without privilege; refused or not, nothing stays. */
START_TEST(socket_of_a_namespace_is_made_by_a_child_nobody_sees)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL, *none = NULL;
	CLEANUP(closep) int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = lcx_netlink_open_netns(netns, &nl, &err);

	if (r == 0) {
		ck_assert_int_eq(fcntl(lcx_netlink_fd(nl), F_GETFD), FD_CLOEXEC);
		ck_assert_ok(lcx_link_open(nl, "lo", &link, NULL));
	} else {
		ck_assert_int_eq(r, -EPERM);
	}
	ck_assert_int_eq(waitpid(-1, NULL, __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
	nl = lcx_netlink_free(nl);
	ck_assert_int_lt(lcx_netlink_open_netns(-1, &nl, &none), 0);
	ck_assert_ptr_null(nl);
}
END_TEST

/* ---- nf_tables ---- */

START_TEST(entry_of_a_set_is_read_back)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements read = {0};
	struct lcx__nft_element element = {.key = "abcd",
					   .key_length = 4,
					   .data = "xy",
					   .data_length = 8,
					   .comment = "tag:owner"};

	lcx__nft_put_elements(&batch, NFT_MSG_NEWSETELEM, 0, "lcx", "set", &element, 1);
	ck_assert_int_eq(batch.failed, 0);
	ck_assert_ok(lcx__nft_parse_elements((const struct nlmsghdr *)batch.data, &read));
	ck_assert_uint_eq(read.count, 1);
	ck_assert_mem_eq(read.list[0].key, "abcd", 4);
	ck_assert_str_eq(read.list[0].comment, "tag:owner");
	ck_assert_uint_eq(read.list[0].data_length, 8);
}
END_TEST

START_TEST(thousands_of_entries_stay_within_16_bits)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements elements = {0};
	struct lcx__nft_element element = {.key_length = 32, .data_length = 8, .is_range = true};

	memset(element.comment, 'c', sizeof(element.comment) - 1);
	for (int i = 0; i < 5000; i++)
		ck_assert_ok(lcx__nft_elements_add(&elements, &element));
	lcx__nft_put_elements(&batch, NFT_MSG_NEWSETELEM, 0, "lcx", "set", elements.list,
			      elements.count);
	ck_assert_int_eq(batch.failed, 0);
	ck_assert_uint_eq(batch.count, 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("netlink");
	TCase *addresses = tcase_create("addresses"), *messages = tcase_create("messages"),
	      *answers = tcase_create("answers"), *links = tcase_create("links"),
	      *nft = tcase_create("nf_tables");

	tcase_add_loop_test(addresses, subnet_is_parsed_strictly, 0, ARRAY_SIZE(inet_cases));
	tcase_add_loop_test(addresses, overlap_of_subnets_is_seen, 0, ARRAY_SIZE(overlap_cases));
	suite_add_tcase(suite, addresses);

	tcase_add_loop_test(messages, attribute_that_does_not_fit_is_refused, 65525, 65545);
	tcase_add_test(messages, nest_that_does_not_fit_is_refused);
	tcase_add_test(messages, failed_batch_is_never_sent);
	tcase_add_test(messages, messages_of_a_batch_follow_each_other);
	suite_add_tcase(suite, messages);

	tcase_add_test(answers, kernels_words_are_kept);
	tcase_add_test(answers, lying_length_inside_an_error_is_harmless);
	tcase_add_test(answers, answers_to_others_are_skipped);
	tcase_add_test(answers, interrupted_dump_is_noticed);
	tcase_add_test(answers, end_of_a_dump_may_be_a_failure);
	tcase_add_test(answers, errors_that_are_none_become_eio);
	tcase_add_test(answers, torn_datagram_is_refused);
	tcase_add_test(answers, message_that_claims_gibibytes_is_refused);
	suite_add_tcase(suite, answers);

	tcase_add_loop_test(links, names_of_interfaces_are_checked, 0, ARRAY_SIZE(name_cases));
	tcase_add_test(links, overlong_strings_of_a_link_are_cut);
	tcase_add_loop_test(links, mac_addresses_are_checked, 0, ARRAY_SIZE(mac_cases));
	tcase_add_test(links, loopback_interface_is_found);
	tcase_add_test(links, only_a_route_socket_is_taken);
	tcase_add_test(links, socket_of_a_namespace_is_made_by_a_child_nobody_sees);
	suite_add_tcase(suite, links);

	tcase_add_test(nft, entry_of_a_set_is_read_back);
	tcase_add_test(nft, thousands_of_entries_stay_within_16_bits);
	suite_add_tcase(suite, nft);
	return unit_run(suite);
}
