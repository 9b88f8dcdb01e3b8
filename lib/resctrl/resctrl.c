/* SPDX-License-Identifier: MIT */
#include "resctrl/resctrl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/fs.h"
#include "util/mountinfo.h"
#include "util/str.h"

/*
 * Documentation/filesystems/resctrl.rst. A line that the kernel refuses is explained in
 * info/last_cmd_status. In one write(2) each resource may be named once, so what is written last
 * has a write of its own.
 */

enum { FILE_LIMIT = 64 << 10, MOUNTS_LIMIT = 16 << 20 };

int lcx__resctrl_find(char **ret, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__mount_line line;
	char *rest;
	int r = lcx__read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_LIMIT, &text, NULL);

	if (r < 0)
		return lcx__fail_sys(err, -r, "read '/proc/self/mountinfo'");
	for (rest = text; lcx__mountinfo_next(&rest, &line);)
		if (strcmp(line.type, "resctrl") == 0 && strcmp(line.root, "/") == 0) {
			*ret = strdup(line.point);
			return *ret ? 0 : lcx__fail_nomem(err);
		}
	return lcx__fail(err, EOPNOTSUPP,
			 "linux.intelRdt: no resctrl file system is mounted here; where processor "
			 "and kernel (CONFIG_X86_CPU_RESCTRL) have it: mount -t resctrl resctrl "
			 "/sys/fs/resctrl");
}

void lcx__resctrl_clear(struct lcx__resctrl *groups)
{
	free(groups->class_dir);
	free(groups->monitor_dir);
	*groups = (struct lcx__resctrl){0};
}

/* ---- what stands in schemata ------------------------------------------------ */

static bool has_lines(const struct lcx__resctrl_wish *wish)
{
	return wish->l3_schema || wish->mb_schema || (wish->schemata && wish->schemata[0]);
}

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " \t");
}

/* "0=7f0" stands in "0=7f0;1=1f", as a number: "0=0x07F0" is the same. */
static bool has_part(const char *parts, const char *part, size_t length)
{
	char *end;
	unsigned long domain = strtoul(part, &end, 10);
	unsigned long value = *end == '=' ? strtoul(end + 1, NULL, 16) : 0;

	if (*end != '=' || end > part + length)
		return false;
	while (*parts) {
		unsigned long other = strtoul(parts, &end, 10);

		if (*end == '=' && other == domain)
			return strtoul(end + 1, NULL, 16) == value;
		parts += strcspn(parts, ";\n");
		if (*parts != ';')
			return false;
		parts++;
	}
	return false;
}

/* Each domain of @line, "L3:0=f;1=f", has that value in @text, which has more lines. */
static bool has_line(const char *text, const char *line, size_t length)
{
	size_t name = (size_t)(strchrnul(line, ':') - line) + 1;

	for (; *text; text = *text ? text + 1 : text) {
		const char *parts = skip_spaces(text);

		if (name <= length && strncmp(parts, line, name) == 0) {
			for (const char *part = line + name; part < line + length;) {
				size_t n = strcspn(part, ";\n");

				if (n > 0 && !has_part(parts + name, skip_spaces(part), n))
					return false;
				part += n + 1;
			}
			return true;
		}
		text += strcspn(text, "\n");
		if (!*text)
			return false;
	}
	return false;
}

/* Without its line breaks: l3CacheSchema may have several lines. */
static bool has_lines_of(const char *text, const char *lines)
{
	for (; lines && *lines; lines += *lines == '\n') {
		size_t length = strcspn(lines, "\n");

		if (length > 0 && !has_line(text, lines, length))
			return false;
		lines += length;
	}
	return true;
}

static int compare(const char *class_dir, const struct lcx__resctrl_wish *wish,
		   struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("%s/schemata", class_dir), *text = NULL;
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	if (!wish->l3_schema && !wish->mb_schema)
		return 0;
	r = lcx__read_file(AT_FDCWD, path, FILE_LIMIT, &text, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	if (has_lines_of(text, wish->l3_schema) && has_lines_of(text, wish->mb_schema))
		return 0;
	return lcx__fail(err, EEXIST,
			 "linux.intelRdt.closID: the class of service '%s' is there, with other "
			 "lines in schemata than l3CacheSchema and memBwSchema; leave these out to "
			 "join it as it is, or choose another name",
			 wish->class_name);
}

/* The kernel's own words, of which only the last command's are kept. */
static void read_why(const char *mount, char **ret)
{
	CLEANUP(freep) char *path = lcx__format("%s/info/last_cmd_status", mount);

	if (path && lcx__read_file(AT_FDCWD, path, FILE_LIMIT, ret, NULL) == 0)
		(*ret)[strcspn(*ret, "\n")] = '\0';
}

static int write_lines(const char *mount, const char *class_dir, const char *lines,
		       struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("%s/schemata", class_dir), *why = NULL;
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	if (!*lines)
		return 0;
	r = lcx__write_control(AT_FDCWD, path, lines);
	if (r == 0)
		return 0;
	read_why(mount, &why);
	return lcx__fail_sys(err, -r, "linux.intelRdt: write '%.*s' to '%s'%s%s",
			     (int)strcspn(lines, "\n"), lines, path, why && *why ? ": " : "",
			     why ? why : "");
}

static int write_schemata(const char *mount, const struct lcx__resctrl *groups,
			  const struct lcx__resctrl_wish *wish, struct lcx_error **err)
{
	struct lcx__strbuf first = STRBUF_EMPTY, last = STRBUF_EMPTY;
	int r;

	/* One that was there has the same lines, or was refused. */
	if (!groups->is_there && wish->l3_schema)
		lcx__strbuf_addf(&first, "%s\n", wish->l3_schema);
	if (!groups->is_there && wish->mb_schema)
		lcx__strbuf_addf(&first, "%s\n", wish->mb_schema);
	for (size_t i = 0; wish->schemata && wish->schemata[i]; i++)
		lcx__strbuf_addf(&last, "%s\n", wish->schemata[i]);
	r = first.failed || last.failed ? lcx__fail_nomem(err) : 0;
	if (r == 0)
		r = write_lines(mount, groups->class_dir, first.text ? first.text : "", err);
	if (r == 0)
		r = write_lines(mount, groups->class_dir, last.text ? last.text : "", err);
	lcx__strbuf_free(&first);
	lcx__strbuf_free(&last);
	return r;
}

int lcx__resctrl_rewrite(const char *mount, const char *class_dir, const char *lines,
			 struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("%s/schemata", class_dir), *before = NULL;
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	r = lcx__read_file(AT_FDCWD, path, FILE_LIMIT, &before, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "linux.intelRdt: read '%s'", path);
	r = write_lines(mount, class_dir, lines, err);
	if (r < 0)
		(void)write_lines(mount, class_dir, before, NULL);
	return r;
}

/* ---- directories -------------------------------------------------------------- */

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Directories of the file system's own, which are no classes. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = {"info", "mon_groups", "mon_data"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int check_class(const struct lcx__resctrl *groups, const struct lcx__resctrl_wish *wish,
		       struct lcx_error **err)
{
	if (!wish->class_name && groups->is_there)
		return lcx__fail(err, EEXIST,
				 "linux.intelRdt: there is a class of service with this "
				 "container's name already, '%s'; name it as closID to join it",
				 groups->class_dir);
	if (wish->class_name && !has_lines(wish) && !groups->is_there)
		return lcx__fail(err, ENOENT,
				 "linux.intelRdt.closID: there is no class of service '%s', and "
				 "none is described; make it, or say its schemata",
				 wish->class_name);
	return wish->class_name && groups->is_there ? compare(groups->class_dir, wish, err) : 0;
}

int lcx__resctrl_look(const char *mount, const struct lcx__resctrl_wish *wish,
		      struct lcx__resctrl *ret, struct lcx_error **err)
{
	const char *name = wish->class_name ? wish->class_name : wish->own;
	struct lcx__resctrl groups = {0};
	int r = 0;

	if (is_reserved(name))
		return lcx__fail(err, EINVAL,
				 "linux.intelRdt: '%s' can't be the name of a class of service, "
				 "the file system has a directory of that name",
				 name);
	groups.class_dir =
		strcmp(name, "/") == 0 ? strdup(mount) : lcx__format("%s/%s", mount, name);
	if (groups.class_dir && wish->monitor)
		groups.monitor_dir = lcx__format("%s/mon_groups/%s", groups.class_dir, wish->own);
	if (!groups.class_dir || (wish->monitor && !groups.monitor_dir))
		r = lcx__fail_nomem(err);
	if (r == 0) {
		groups.is_there = is_directory(groups.class_dir);
		groups.is_ours = !wish->class_name;
		r = check_class(&groups, wish, err);
	}
	if (r == 0 && groups.monitor_dir && is_directory(groups.monitor_dir))
		r = lcx__fail(err, EEXIST, "linux.intelRdt: '%s' is there already",
			      groups.monitor_dir);
	if (r < 0) {
		lcx__resctrl_clear(&groups);
		return r;
	}
	*ret = groups;
	return 0;
}

/* Return: 1 if it was made, 0 if somebody else has made it. */
static int make_directory(const char *mount, const char *path, bool may_be_there,
			  struct lcx_error **err)
{
	CLEANUP(freep) char *why = NULL;
	int code;

	if (mkdir(path, 0755) == 0)
		return 1;
	if (errno == EEXIST && may_be_there)
		return 0;
	code = errno;
	read_why(mount, &why);
	return lcx__fail_sys(err, code, "linux.intelRdt: make '%s'%s%s", path,
			     why && *why ? ": " : "",
			     code == ENOSPC ? "the processor has no more of them"
			     : why          ? why
					    : "");
}

int lcx__resctrl_make(const char *mount, const struct lcx__resctrl *groups,
		      const struct lcx__resctrl_wish *wish, struct lcx_error **err)
{
	/* Another container may make a class with a name at the same moment. */
	int r = groups->is_there ? 0
				 : make_directory(mount, groups->class_dir, !groups->is_ours, err);
	bool made = r > 0;

	if (r >= 0)
		r = write_schemata(mount, groups, wish, err);
	if (r == 0 && groups->monitor_dir)
		r = make_directory(mount, groups->monitor_dir, false, err);
	/* With a name it stays for ever, so that one that was refused would stay as a ruin. */
	if (r < 0 && made)
		(void)rmdir(groups->class_dir);
	return r < 0 ? r : 0;
}

int lcx__resctrl_open_tasks(const char *dir, struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("%s/tasks", dir);
	int fd;

	if (!path)
		return lcx__fail_nomem(err);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? lcx__fail_sys(err, errno, "linux.intelRdt: open '%s'", path) : fd;
}

int lcx__resctrl_remove(const char *dir, struct lcx_error **err)
{
	if (rmdir(dir) == 0 || errno == ENOENT)
		return 0;
	return lcx__fail_sys(err, errno, "linux.intelRdt: remove '%s'", dir);
}
