/* SPDX-License-Identifier: MIT */

/* Limits that have a name beside the number: CPUs, devices, page sizes, interfaces, any file. */

#include "cgroup/limits-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"

/* Of these characters only, and not empty: nothing that a control file would read as more. */
static bool is_made_of(const char *text, const char *characters)
{
	return *text && strlen(text) < 4096 && text[strspn(text, characters)] == '\0';
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int set_cpuset(struct lcx_cgroup *cg, const char *file, const char *list,
		      struct lcx_error **err)
{
	int index;

	if (!is_made_of(list, DIGITS ",-"))
		return lcx__fail(err, EINVAL, "%s: '%s' is not a list like 0-2,5", file, list);
	index = lcx__cgroup_use(cg, CONTROLLER_CPUSET, err);
	return index < 0 ? index : lcx__cgroup_write(cg, index, file, list, err);
}

LCX_PUBLIC int lcx_cgroup_set_cpus(struct lcx_cgroup *cg, const char *list, struct lcx_error **err)
{
	return set_cpuset(cg, "cpuset.cpus", list, err);
}

LCX_PUBLIC int lcx_cgroup_set_mems(struct lcx_cgroup *cg, const char *list, struct lcx_error **err)
{
	return set_cpuset(cg, "cpuset.mems", list, err);
}

#define PARTITION "cpuset.cpus.partition"

/* "root invalid (Parent is not a partition root)": what the kernel made of it. */
static int check_partition(struct lcx_cgroup *cg, int index, const char *type,
			   struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(cg->dir_fd[index], PARTITION, 512, &text, NULL);
	const char *reason;

	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': read " PARTITION, cg->path);
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, type) == 0)
		return 0;
	(void)lcx__write_control(cg->dir_fd[index], PARTITION, "member");
	reason = strchr(text, '(');
	return lcx__fail(err, EBUSY, "cgroup '%s' can't be a partition '%s': %s", cg->path, type,
			 reason ? reason : "its parent is none, or its CPUs are others', too");
}

LCX_PUBLIC int lcx_cgroup_set_partition(struct lcx_cgroup *cg, const char *type,
					struct lcx_error **err)
{
	int index, r;

	if (strcmp(type, "member") != 0 && strcmp(type, "root") != 0 &&
	    strcmp(type, "isolated") != 0)
		return lcx__fail(err, EINVAL,
				 PARTITION ": '%s' is none of member, root and isolated", type);
	index = lcx__cgroup_use(cg, CONTROLLER_CPUSET, err);
	if (index < 0)
		return index;
	if (!lcx__cgroup_is_v2(cg, index))
		return lcx__fail(err, EOPNOTSUPP, "cgroup version 1 has no partitions");
	r = lcx__cgroup_write(cg, index, PARTITION, type, err);
	return r < 0 ? r : check_partition(cg, index, type, err);
}

/* "max" or the number. */
static const char *spell(int64_t value, const char *unlimited, char text[static 24])
{
	if (value == INT64_MAX)
		return unlimited;
	(void)snprintf(text, 24, "%" PRId64, value);
	return text;
}

/* --- block devices --- */

static const struct io_rule {
	const char *name;
	int64_t min, max;
	const char *v2_file, *v2_key, *v1_file, *v1_else;
} io_rules[] = {
	[LCX_CGROUP_IO_READ_BYTES_PER_S] = {"read bytes per second", 1, INT64_MAX, "io.max",
					    "rbps=", "blkio.throttle.read_bps_device", NULL},
	[LCX_CGROUP_IO_WRITE_BYTES_PER_S] = {"written bytes per second", 1, INT64_MAX, "io.max",
					     "wbps=", "blkio.throttle.write_bps_device", NULL},
	[LCX_CGROUP_IO_READ_OPS_PER_S] = {"reads per second", 1, INT64_MAX, "io.max",
					  "riops=", "blkio.throttle.read_iops_device", NULL},
	[LCX_CGROUP_IO_WRITE_OPS_PER_S] = {"writes per second", 1, INT64_MAX, "io.max",
					   "wiops=", "blkio.throttle.write_iops_device", NULL},
	[LCX_CGROUP_IO_DEVICE_WEIGHT] = {"device weight", 1, 10000, "io.weight", "",
					 "blkio.weight_device", "blkio.bfq.weight_device"},
	[LCX_CGROUP_IO_DEVICE_LEAF_WEIGHT] = {"device leaf weight", 10, 1000, NULL, NULL,
					      "blkio.leaf_weight_device", NULL},
};
_Static_assert(ARRAY_SIZE(io_rules) == LCX_CGROUP_IO_DEVICE_LEAF_WEIGHT + 1,
	       "io_rules and enum lcx_cgroup_io_limit differ");

static int write_io(struct lcx_cgroup *cg, int index, int32_t limit, const char *device,
		    int64_t value, struct lcx_error **err)
{
	const struct io_rule *rule = &io_rules[limit];
	bool v2 = lcx__cgroup_is_v2(cg, index);
	const char *file = v2 ? rule->v2_file : rule->v1_file;
	const char *key = v2 ? rule->v2_key : "";
	char text[96], number[24];

	if (!file)
		return lcx__fail(err, EOPNOTSUPP, "cgroup version 2 has no limit '%s'", rule->name);
	if (limit == LCX_CGROUP_IO_DEVICE_WEIGHT) {
		const char *bfq = v2 ? "io.bfq.weight" : rule->v1_else;

		if (faccessat(cg->dir_fd[index], file, F_OK, 0) < 0 &&
		    faccessat(cg->dir_fd[index], bfq, F_OK, 0) == 0)
			file = bfq;
		if (!v2 || file == bfq)
			value = (int64_t)lcx__cgroup_blkio_from_io_weight((uint64_t)value);
	}
	(void)snprintf(text, sizeof(text), "%s %s%s", device, key,
		       spell(value, v2 ? "max" : "0", number));
	return lcx__cgroup_write(cg, index, file, text, err);
}

LCX_PUBLIC int lcx_cgroup_set_io_limit(struct lcx_cgroup *cg, int32_t limit, uint32_t major,
				       uint32_t minor, int64_t value, struct lcx_error **err)
{
	const struct io_rule *rule;
	char device[24];
	int index;

	if (limit < 0 || (size_t)limit >= ARRAY_SIZE(io_rules))
		return lcx__fail(err, EINVAL, "%d is not an I/O limit", limit);
	rule = &io_rules[limit];
	if (value < rule->min || value > rule->max)
		return lcx__fail(err, ERANGE,
				 "the limit '%s' does not take %" PRId64 ": it must be %" PRId64
				 " to %" PRId64,
				 rule->name, value, rule->min, rule->max);
	index = lcx__cgroup_use(cg, CONTROLLER_IO, err);
	if (index < 0)
		return index;
	(void)snprintf(device, sizeof(device), "%u:%u", major, minor);
	return write_io(cg, index, limit, device, value, err);
}

/* --- huge pages --- */

LCX_PUBLIC int lcx_cgroup_set_hugetlb(struct lcx_cgroup *cg, const char *page_size,
				      int64_t limit_bytes, struct lcx_error **err)
{
	size_t digits = strspn(page_size, DIGITS);
	const char *unit = page_size + digits, *suffix;
	char file[64], reserved[64], number[24];
	int index, r;

	if (digits == 0 || digits > 10 || strlen(unit) != 2 || !strchr("KMG", unit[0]) ||
	    unit[1] != 'B')
		return lcx__fail(err, EINVAL, "'%s' is not the size of a huge page like 2MB",
				 page_size);
	if (limit_bytes < 0)
		return lcx__fail(err, ERANGE, "huge pages of %s: %" PRId64 " bytes is no limit",
				 page_size, limit_bytes);
	index = lcx__cgroup_use(cg, CONTROLLER_HUGETLB, err);
	if (index < 0)
		return index;

	suffix = lcx__cgroup_is_v2(cg, index) ? "max" : "limit_in_bytes";
	(void)snprintf(file, sizeof(file), "hugetlb.%s.%s", page_size, suffix);
	(void)snprintf(reserved, sizeof(reserved), "hugetlb.%s.rsvd.%s", page_size, suffix);
	r = lcx__cgroup_write(
		cg, index, file,
		spell(limit_bytes, lcx__cgroup_is_v2(cg, index) ? "max" : "-1", number), err);
	/* Reservations count apart since 5.7; without this limit mmap(2) succeeds and SIGBUS comes.
	 */
	if (r == 0 && faccessat(cg->dir_fd[index], reserved, F_OK, 0) == 0)
		r = lcx__cgroup_write(
			cg, index, reserved,
			spell(limit_bytes, lcx__cgroup_is_v2(cg, index) ? "max" : "-1", number),
			err);
	return r;
}

/* --- RDMA, misc, network priorities --- */

LCX_PUBLIC int lcx_cgroup_set_rdma(struct lcx_cgroup *cg, const char *device, int64_t handles,
				   int64_t objects, struct lcx_error **err)
{
	char text[192], number[24];
	int index, used;

	if (!is_made_of(device, LETTERS DIGITS "_-.:") || strlen(device) > 64)
		return lcx__fail(err, EINVAL, "'%s' is not the name of an RDMA device", device);
	index = lcx__cgroup_use(cg, CONTROLLER_RDMA, err);
	if (index < 0)
		return index;
	used = snprintf(text, sizeof(text), "%s", device);
	if (handles >= 0)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " hca_handle=%s",
				 spell(handles, "max", number));
	if (objects >= 0)
		(void)snprintf(text + used, sizeof(text) - (size_t)used, " hca_object=%s",
			       spell(objects, "max", number));
	return lcx__cgroup_write(cg, index, "rdma.max", text, err);
}

LCX_PUBLIC int lcx_cgroup_set_misc(struct lcx_cgroup *cg, const char *resource, int64_t value,
				   struct lcx_error **err)
{
	char text[128], number[24];
	int index;

	if (!is_made_of(resource, LETTERS DIGITS "_-") || strlen(resource) > 64 || value < 0)
		return lcx__fail(err, EINVAL, "misc: '%s' cannot be limited to %" PRId64, resource,
				 value);
	index = lcx__cgroup_use(cg, CONTROLLER_MISC, err);
	if (index < 0)
		return index;
	(void)snprintf(text, sizeof(text), "%s %s", resource, spell(value, "max", number));
	return lcx__cgroup_write(cg, index, "misc.max", text, err);
}

LCX_PUBLIC int lcx_cgroup_set_net_priority(struct lcx_cgroup *cg, const char *interface,
					   uint32_t priority, struct lcx_error **err)
{
	char text[64];
	int index;

	if (strlen(interface) > 15 || strpbrk(interface, " \t\n/") || !*interface)
		return lcx__fail(err, EINVAL, "'%s' is not the name of a network interface",
				 interface);
	index = lcx__cgroup_use(cg, CONTROLLER_NET_PRIO, err);
	if (index < 0)
		return index;
	(void)snprintf(text, sizeof(text), "%s %u", interface, priority);
	return lcx__cgroup_write(cg, index, "net_prio.ifpriomap", text, err);
}

/* --- any file of version 2 --- */

/* These do not limit: they move, stop or delegate. "cgroup.max.*" and pressure stay allowed. */
static bool is_control_of_tree(const char *file)
{
	static const char *const refused[] = {"cgroup.procs", "cgroup.threads",
					      "cgroup.kill",  "cgroup.freeze",
					      "cgroup.type",  "cgroup.subtree_control"};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcmp(file, refused[i]) == 0)
			return true;
	return false;
}

LCX_PUBLIC int lcx_cgroup_set_file(struct lcx_cgroup *cg, const char *file, const char *text,
				   struct lcx_error **err)
{
	size_t prefix = strcspn(file, ".");
	int c, index = cg->layout->unified;

	if (!is_made_of(file, LETTERS DIGITS "_.-") || file[0] == '.' || file[prefix] != '.' ||
	    strlen(file) > 200 || is_control_of_tree(file))
		return lcx__fail(err, EINVAL,
				 "'%s' is not a control file of a cgroup that can be set", file);
	if (!*text || strpbrk(text, "\r\n"))
		return lcx__fail(err, EINVAL, "%s: the value must be one line", file);
	if (index < 0)
		return lcx__fail(err, ENODEV,
				 "%s is a file of cgroup version 2, which is not mounted here; use "
				 "the named limits instead",
				 file);
	c = lcx__controller_find(file, prefix);
	if (c >= 0 && lcx__controllers[c].v2_name) {
		index = lcx__cgroup_use(cg, (enum controller)c, err);
		if (index < 0)
			return index;
		if (index != cg->layout->unified)
			return lcx__fail(
				err, ENODEV,
				"%s is a file of cgroup version 2, but the controller '%s' "
				"is mounted as version 1; use the named limit instead",
				file, lcx__controllers[c].v2_name);
	}
	if (cg->dir_fd[index] < 0)
		return lcx__fail(err, ENODEV, "cgroup '%s' is not in the unified hierarchy",
				 cg->path);
	return lcx__cgroup_write(cg, index, file, text, err);
}
