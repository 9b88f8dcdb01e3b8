/* SPDX-License-Identifier: MIT */
#include "container/volume/volume.h"

#include <string.h>

#include "container/log.h"
#include "container/network/network.h"
#include "container/supervisor/loop.h"
#include "lcx/net.h"
#include "net/net.h"

/* A container that is only described: nothing here touches the disk. */

enum { USUAL_STOP_TIMEOUT = 10, LONGEST_STOP_TIMEOUT = INT32_MAX / 1000 };

static int replace(char **place, const char *text, struct lcx_error **err)
{
	char *copy = strdup(text);

	if (!copy)
		return lcx__fail_nomem(err);
	free(*place);
	*place = copy;
	return 0;
}

static int replace_vector(char ***place, const char *const *texts, struct lcx_error **err)
{
	char **copy = lcx__strv_copy(texts);

	if (!copy)
		return lcx__fail_nomem(err);
	(void)lcx__strv_free(*place);
	*place = copy;
	return 0;
}

static int append(char ***place, const char *text, struct lcx_error **err)
{
	return lcx__strv_append(place, text) < 0 ? lcx__fail_nomem(err) : 0;
}

static int set_pair(void *list_of_pairs, const char *key, const char *value, struct lcx_error **err)
{
	struct lcx__list *list = list_of_pairs;
	struct lcx__key_value *items = list->items, *bigger;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(items[i].key, key) == 0)
			return replace(&items[i].value, value, err);
	bigger = realloc(items, (list->n + 1) * sizeof(*bigger));
	if (!bigger)
		return lcx__fail_nomem(err);
	list->items = bigger;
	bigger[list->n].key = strdup(key);
	bigger[list->n].value = strdup(value);
	list->set = true;
	list->n++;
	if (!bigger[list->n - 1].key || !bigger[list->n - 1].value)
		return lcx__fail_nomem(err);
	return 0;
}

struct lcx_container *lcx__container_alloc(struct lcx_ctx *ctx)
{
	struct lcx_container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ctx = ctx;
	c->dir_fd = c->run_fd = c->owner_fd = c->waited.fd = c->seccomp_socket_fd = -1;
	c->exit_status = LCX_EXIT_UNKNOWN;
	return c;
}

int lcx__container_new(struct lcx_ctx *ctx, const char *name, struct lcx_spec **spec,
		       struct lcx_container **ret, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	char id[LCX__ID_SIZE];
	int r;

	if (name && !lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name a container; use letters, digits, '_', '.', '-'",
				 name);
	c = lcx__container_alloc(ctx);
	if (!c)
		return lcx__fail_nomem(err);

	r = lcx__random_id(id);
	if (r < 0)
		return lcx__fail_sys(err, -r, "make an identifier");
	r = replace(&c->d.id, id, err);
	if (r == 0)
		r = replace(&c->d.name, name ? name : "", err);
	if (r == 0)
		r = replace(&c->d.network, "bridge", err);
	if (r == 0)
		r = replace(&c->d.log_driver, "json-file", err);
	if (r < 0)
		return r;
	c->spec = TAKE_PTR(*spec);
	*ret = TAKE_PTR(c);
	return 0;
}

LCX_PUBLIC int lcx_container_new(struct lcx_ctx *ctx, const char *name, struct lcx_container **ret,
				 struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r = lcx_spec_new(&spec, err);

	return r < 0 ? r : lcx__container_new(ctx, name, &spec, ret, err);
}

LCX_PUBLIC struct lcx_container *lcx_container_free(struct lcx_container *c)
{
	if (!c)
		return NULL;
	lcx__loop_remove(c);
	lcx_process_free(c->process);
	lcx_cgroup_free(c->cgroup);
	if (c->log)
		(void)lcx__log_writer_close(c->log);
	free(c->log);
	free(c->log_context);
	lcx__description_clear(&c->d);
	lcx__run_state_clear(&c->run);
	lcx_spec_free(c->spec);
	(void)lcx__strv_free(c->env);
	(void)lcx__strv_free(c->devices);
	free(c->cwd);
	closep(&c->dir_fd);
	closep(&c->run_fd);
	closep(&c->owner_fd);
	closep(&c->waited.fd);
	closep(&c->seccomp_socket_fd);
	for (uint32_t i = 0; i < c->n_steps; i++)
		free(c->steps[i].name);
	free(c->steps);
	free(c->log_path);
	free(c->command_text);
	free(c);
	return NULL;
}

LCX_PUBLIC struct lcx_spec *lcx_container_spec(struct lcx_container *c)
{
	/* Of one that is there it is read at first need; without memory there is none. */
	if (c->state != LCX_CONTAINER_NEW)
		(void)lcx__container_load_spec(c, NULL);
	return c->spec;
}

LCX_PUBLIC int lcx_container_set_image(struct lcx_container *c, const char *reference,
				       struct lcx_error **err)
{
	return replace(&c->d.image, reference, err);
}

LCX_PUBLIC int lcx_container_set_rootfs(struct lcx_container *c, const char *path,
					struct lcx_error **err)
{
	char *absolute = realpath(path, NULL);

	if (!absolute)
		return lcx__fail_sys(err, errno, "root file system '%s'", path);
	free(c->d.rootfs);
	c->d.rootfs = absolute;
	return 0;
}

LCX_PUBLIC int lcx_container_set_entrypoint(struct lcx_container *c, const char *const *argv,
					    struct lcx_error **err)
{
	return replace_vector(&c->d.entrypoint, argv, err);
}

LCX_PUBLIC int lcx_container_set_command(struct lcx_container *c, const char *const *argv,
					 struct lcx_error **err)
{
	return replace_vector(&c->d.command, argv, err);
}

LCX_PUBLIC int lcx_container_add_env(struct lcx_container *c, const char *assignment,
				     struct lcx_error **err)
{
	const char *equals = strchr(assignment, '=');

	if (!equals || equals == assignment)
		return lcx__fail(err, EINVAL, "environment '%s': must be NAME=VALUE", assignment);
	return append(&c->env, assignment, err);
}

LCX_PUBLIC int lcx_container_set_user(struct lcx_container *c, const char *user,
				      struct lcx_error **err)
{
	return replace(&c->d.user, user, err);
}

LCX_PUBLIC int lcx_container_set_cwd(struct lcx_container *c, const char *path,
				     struct lcx_error **err)
{
	if (path[0] != '/')
		return lcx__fail(err, EINVAL, "working directory '%s': must be an absolute path",
				 path);
	return replace(&c->cwd, path, err);
}

/* Nothing but a directory that is there can be meant: a typo must not make one on the host. */
int lcx__container_add_bind(struct lcx_container *c, char *source, char *destination, char *options,
			    struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(lcx__strv_freep) char **list = NULL;
	char *option;
	int r = 0;

	if (source[0] != '/' || !destination || destination[0] != '/')
		return lcx__fail(err, EINVAL,
				 "must be [SOURCE:]/DESTINATION[:OPTION,...], and SOURCE a path "
				 "that starts with '/' or the name of a volume");
	if (access(source, F_OK) < 0)
		return lcx__fail_sys(err, errno, "source '%s'", source);
	if (lcx__strv_append(&list, "rbind") < 0 || lcx__strv_append(&list, "rprivate") < 0)
		return lcx__fail_nomem(err);
	while (r == 0 && options && (option = strsep(&options, ",")))
		if (strncmp(option, "idmap=", 6) == 0)
			r = map ? lcx__fail(err, EINVAL, "two maps of ids")
				: lcx__volume_idmap(option + 6, &map, err);
		else if (strcmp(option, "bind") == 0)
			(void)strcpy(list[0], option); /* shorter than "rbind" */
		else if (option[0] && lcx__strv_append(&list, option) < 0)
			r = lcx__fail_nomem(err);
	if (r == 0)
		r = lcx_spec_add_mount(c->spec, source, destination, "bind",
				       (const char *const *)list, err);
	return r < 0 || !map ? r : lcx_spec_set_mount_idmap(c->spec, destination, map, err);
}

LCX_PUBLIC int lcx_container_add_volume(struct lcx_container *c, const char *volume,
					struct lcx_error **err)
{
	CLEANUP(freep) char *copy = strdup(volume);
	char *rest = copy, *source, *destination;
	int r;

	if (!copy)
		return lcx__fail_nomem(err);
	source = strsep(&rest, ":");
	destination = strsep(&rest, ":");
	if (!destination && source[0] == '/')
		r = lcx__volume_wish(c, NULL, source, NULL, err);
	else if (destination && lcx__name_is_valid(source))
		r = lcx__volume_wish(c, source, destination, rest, err);
	else
		r = lcx__container_add_bind(c, source, destination, rest, err);
	return lcx__fail_prefix(err, r, "volume '%s'", volume);
}

LCX_PUBLIC int lcx_container_set_network(struct lcx_container *c, const char *network,
					 struct lcx_error **err)
{
	if (!lcx__name_is_valid(network) && !lcx__network_is_mode(network))
		return lcx__fail(err, EINVAL, "'%s' cannot name a network", network);
	return replace(&c->d.network, network, err);
}

LCX_PUBLIC int lcx_container_publish(struct lcx_container *c, const char *port,
				     struct lcx_error **err)
{
	CLEANUP(lcx_port_freep) struct lcx_port *parsed = NULL;
	int r = lcx_port_parse(port, &parsed, err);

	return r < 0 ? r : append(&c->d.ports, port, err);
}

LCX_PUBLIC int lcx_container_set_log_driver(struct lcx_container *c, const char *driver,
					    struct lcx_error **err)
{
	int r = lcx__log_check_driver(driver, err);

	return r < 0 ? r : replace(&c->d.log_driver, driver, err);
}

LCX_PUBLIC int lcx_container_set_log_option(struct lcx_container *c, const char *key,
					    const char *value, struct lcx_error **err)
{
	int r = lcx__log_check_option(key, value, err);

	return r < 0 ? r : set_pair(&c->d.log_options, key, value, err);
}

LCX_PUBLIC int lcx_container_set_log_callback(struct lcx_container *c, lcx_log_fn fn, void *data,
					      struct lcx_error **err)
{
	if (!fn)
		return lcx__fail(err, EINVAL, "a log needs a function to call");
	c->log_callback = fn;
	c->log_callback_data = data;
	return replace(&c->d.log_driver, "callback", err);
}

LCX_PUBLIC int lcx_container_set_storage_option(struct lcx_container *c, const char *key,
						const char *value, struct lcx_error **err)
{
	int r = lcx__container_check_storage_option(key, value, err);

	return r < 0 ? r : set_pair(&c->d.storage_options, key, value, err);
}

LCX_PUBLIC int lcx_container_set_label(struct lcx_container *c, const char *key, const char *value,
				       struct lcx_error **err)
{
	return set_pair(&c->d.labels, key, value, err);
}

LCX_PUBLIC void lcx_container_set_auto_remove(struct lcx_container *c, int32_t auto_remove)
{
	c->d.auto_remove = (struct lcx__opt_bool)LCX__OPT(auto_remove != 0);
}

LCX_PUBLIC void lcx_container_set_stdin_open(struct lcx_container *c, int32_t stdin_open)
{
	c->d.stdin_open = (struct lcx__opt_bool)LCX__OPT(stdin_open != 0);
}

LCX_PUBLIC void lcx_container_set_init(struct lcx_container *c, int32_t init)
{
	c->d.init = (struct lcx__opt_bool)LCX__OPT(init != 0);
}

LCX_PUBLIC void lcx_container_set_move_root(struct lcx_container *c, int32_t move_root)
{
	c->d.move_root = (struct lcx__opt_bool)LCX__OPT(move_root != 0);
}

LCX_PUBLIC void lcx_container_set_new_keyring(struct lcx_container *c, int32_t new_keyring)
{
	c->d.same_keyring = (struct lcx__opt_bool)LCX__OPT(new_keyring == 0);
}

LCX_PUBLIC int lcx_container_set_stop_timeout(struct lcx_container *c, int32_t seconds,
					      struct lcx_error **err)
{
	if (seconds < -1 || seconds > LONGEST_STOP_TIMEOUT)
		return lcx__fail(err, EINVAL, "stop timeout of %d s: must be -1 to %d", seconds,
				 LONGEST_STOP_TIMEOUT);
	c->d.stop_timeout = (struct lcx__opt_i64)LCX__OPT(seconds);
	return 0;
}

LCX_PUBLIC int32_t lcx_container_stop_timeout_ms(const struct lcx_container *c)
{
	int64_t seconds = c->d.stop_timeout.set ? c->d.stop_timeout.value : USUAL_STOP_TIMEOUT;

	return seconds < 0 || seconds > LONGEST_STOP_TIMEOUT ? -1 : (int32_t)(seconds * 1000);
}

LCX_PUBLIC void lcx_container_set_debug(struct lcx_container *c, int32_t debug)
{
	c->debug = debug != 0;
}

/* ---- numbers of log options --------------------------------------------- */

int lcx__parse_count(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (lcx__parse_u64(text, LCX__LOG_MAX_FILES, &value) < 0 || value == 0)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

/* "10m": as Docker, with powers of 1024. */
int lcx__parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmg";
	CLEANUP(freep) char *number = strdup(text);
	size_t length = strlen(text);
	const char *unit;
	uint64_t factor = 1;

	if (!number)
		return -ENOMEM;
	if (length > 1 && (unit = strchr(units, number[length - 1] | 0x20))) {
		factor = UINT64_C(1) << (10 * (unit - units + 1));
		number[length - 1] = '\0';
	}
	if (lcx__parse_u64(number, INT64_MAX / factor, ret) < 0 || *ret == 0)
		return -EINVAL;
	*ret *= factor;
	return 0;
}
