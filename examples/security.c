/* SPDX-License-Identifier: MIT */

/*
 * lib/security on its own.
 *
 *     security confine [+CALL|-CALL]... PROGRAM [ARGUMENT]...   run a program under the default
 *                                                               seccomp profile, with changes
 *     security export PROFILE.json [CAPABILITY,...] >FILE       compile a profile, for bwrap
 *                                                               --seccomp for instance
 *     security user ROOT USER[:GROUP]                           who that is in a root file system
 *     security caps LIST                                        a list of capabilities as a mask
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lcx/security.h>

enum { MAX_PROFILE = 1 << 20 };

static int fail_sys(const char *step)
{
	int code = errno;

	perror(step);
	return -code;
}

/* From here on, this process and all that come of it live under the filter. */
static int install(int fd)
{
	struct sock_fprog program = {0};
	struct stat st;
	void *code;

	if (fstat(fd, &st) < 0)
		return fail_sys("security: fstat");
	code = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		return fail_sys("security: mmap");
	program.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	program.filter = code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_sys("security: no_new_privs");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return fail_sys("security: seccomp");
	return 0;
}

static int confine(char **argv, struct lcx_error **err)
{
	struct lcx_seccomp *profile = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC), r;

	if (fd < 0)
		return fail_sys("security: memfd_create");
	r = lcx_seccomp_default(&profile, err);
	for (; r == 0 && *argv && strchr("+-", **argv); argv++)
		r = **argv == '+' ? lcx_seccomp_allow(profile, *argv + 1, err)
				  : lcx_seccomp_deny(profile, *argv + 1, EPERM, err);
	if (r == 0)
		r = lcx_seccomp_export(profile, lcx_capability_default_mask(), fd, err);
	if (r == 0)
		r = install(fd);
	lcx_seccomp_free(profile);
	close(fd);
	if (r < 0 || !*argv)
		return r < 0 ? r : -EINVAL;
	execvp(argv[0], argv);
	return fail_sys(argv[0]);
}

static int export(const char *name, const char *capabilities, struct lcx_error **err)
{
	struct lcx_seccomp *profile = NULL;
	char *text = malloc(MAX_PROFILE + 1);
	FILE *file = fopen(name, "re");
	uint64_t mask;
	int r = lcx_capability_mask(capabilities ? capabilities : "", &mask, err);

	if (r == 0 && !file)
		r = fail_sys(name);
	if (r == 0 && !text)
		r = -ENOMEM;
	if (r == 0)
		r = lcx_seccomp_from_json(text, fread(text, 1, MAX_PROFILE + 1, file), &profile,
					  err);
	if (r == 0)
		r = lcx_seccomp_export(profile, mask, STDOUT_FILENO, err);
	lcx_seccomp_free(profile);
	if (file)
		fclose(file);
	free(text);
	return r;
}

static int show_user(const char *root, const char *name, struct lcx_error **err)
{
	struct lcx_user *user = NULL;
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return fail_sys(root);
	r = lcx_user_lookup(fd, name, &user, err);
	close(fd);
	if (r < 0)
		return r;
	printf("uid=%u gid=%u groups=", lcx_user_uid(user), lcx_user_gid(user));
	for (size_t i = 0; i < lcx_user_group_count(user); i++)
		printf("%s%u", i ? "," : "", lcx_user_group(user, i));
	printf(" home=%s\n", lcx_user_home(user));
	lcx_user_free(user);
	return 0;
}

static int show_capabilities(const char *list, struct lcx_error **err)
{
	uint64_t mask;
	int r = lcx_capability_mask(list, &mask, err);

	if (r < 0)
		return r;
	printf("%016" PRIx64 "\n", mask);
	for (int32_t i = 0; i < 64; i++)
		if ((mask >> i & 1) && lcx_capability_name(i))
			printf("%s\n", lcx_capability_name(i));
	return 0;
}

int main(int argc, char **argv)
{
	struct lcx_error *err = NULL;
	int r = -EINVAL;

	if (argc >= 3 && strcmp(argv[1], "confine") == 0)
		r = confine(argv + 2, &err);
	else if ((argc == 3 || argc == 4) && strcmp(argv[1], "export") == 0)
		r = export(argv[2], argv[3], &err);
	else if (argc == 4 && strcmp(argv[1], "user") == 0)
		r = show_user(argv[2], argv[3], &err);
	else if (argc == 3 && strcmp(argv[1], "caps") == 0)
		r = show_capabilities(argv[2], &err);
	else
		fputs("usage: security confine [+CALL|-CALL]... PROGRAM [ARGUMENT]...\n"
		      "       security export PROFILE.json [CAPABILITY,...]\n"
		      "       security user ROOT USER[:GROUP]\n"
		      "       security caps LIST\n",
		      stderr);
	if (err)
		fprintf(stderr, "security: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
