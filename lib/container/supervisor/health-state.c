/* SPDX-License-Identifier: MIT */
#include "container/supervisor/health.h"

#include <string.h>

#include "image/image.h"
#include "util/fs.h"
#include "util/json.h"

/* ---- what is asked for ----------------------------------------------------------- */

#define SECOND INT64_C(1000000000)

/* Docker's. */
static const struct {
	const char *name;
	size_t offset;
	int64_t usual, max;
} settings[] = {
	[LCX_HEALTH_INTERVAL_NS] = {"interval", offsetof(struct description, health_interval),
				    30 * SECOND, INT64_MAX / 4},
	[LCX_HEALTH_TIMEOUT_NS] = {"timeout", offsetof(struct description, health_timeout),
				   30 * SECOND, INT64_MAX / 4},
	[LCX_HEALTH_START_PERIOD_NS] = {"start period",
					offsetof(struct description, health_start_period), 0,
					INT64_MAX / 4},
	[LCX_HEALTH_START_INTERVAL_NS] = {"start interval",
					  offsetof(struct description, health_start_interval),
					  5 * SECOND, INT64_MAX / 4},
	[LCX_HEALTH_RETRIES] = {"retries", offsetof(struct description, health_retries), 3, 1000},
};

static struct lcx__opt_i64 *place_of(const struct lcx_container *c, enum lcx_health_setting setting)
{
	return (struct lcx__opt_i64 *)((uintptr_t)&c->d + settings[setting].offset);
}

static bool is_setting(enum lcx_health_setting setting)
{
	return setting >= LCX_HEALTH_INTERVAL_NS && (size_t)setting < ARRAY_SIZE(settings);
}

int64_t lcx__health_setting(const struct lcx_container *c, enum lcx_health_setting setting)
{
	const struct lcx__opt_i64 *value = place_of(c, setting);

	return value->set && value->value > 0 ? value->value : settings[setting].usual;
}

LCX_PUBLIC int lcx_container_set_health_setting(struct lcx_container *c,
						enum lcx_health_setting setting, int64_t value,
						struct lcx_error **err)
{
	if (!is_setting(setting))
		return lcx__fail(err, EINVAL, "there is no health setting %d", (int)setting);
	if (value < 0 || value > settings[setting].max ||
	    (value > 0 && value < 1000000 && setting != LCX_HEALTH_RETRIES))
		return lcx__fail(err, EINVAL, "health check: %s of %lld%s cannot be",
				 settings[setting].name, (long long)value,
				 setting == LCX_HEALTH_RETRIES ? "" : " ns");
	*place_of(c, setting) = (struct lcx__opt_i64)LCX__OPT(value);
	return 0;
}

/* {"CMD", PROGRAM...}, {"CMD-SHELL", LINE}, {"NONE"}; nothing is the image's. */
static bool is_test(const char *const *test)
{
	size_t n = lcx__strv_length((char **)(uintptr_t)test);

	if (n == 0)
		return false;
	if (strcmp(test[0], "NONE") == 0)
		return n == 1;
	if (strcmp(test[0], "CMD-SHELL") == 0)
		return n == 2 && test[1][0];
	return strcmp(test[0], "CMD") == 0 && n > 1;
}

static int copy_test(struct lcx_container *c, const char *const *test, struct lcx_error **err)
{
	char **copy = lcx__strv_copy(test);

	if (!copy)
		return lcx__fail_nomem(err);
	c->d.health_test = lcx__strv_free(c->d.health_test);
	c->d.health_test = copy;
	return 0;
}

LCX_PUBLIC int lcx_container_set_health_test(struct lcx_container *c, const char *const *test,
					     struct lcx_error **err)
{
	if (!is_test(test))
		return lcx__fail(
			err, EINVAL,
			"a health check is CMD with a program and its arguments, CMD-SHELL "
			"with one line, or NONE");
	return copy_test(c, test, err);
}

LCX_PUBLIC int32_t lcx_container_has_health_check(const struct lcx_container *c)
{
	return c->d.health_test && c->d.health_test[0] && strcmp(c->d.health_test[0], "NONE") != 0;
}

/* Each setting by itself, as Docker does. */
int lcx__health_merge(struct lcx_container *c, const struct lcx_image *image,
		      struct lcx_error **err)
{
	const char *const *test = image ? lcx_image_health_test(image) : NULL;
	int r = 0;

	if (!c->d.health_test && test && test[0]) {
		if (!is_test(test))
			return lcx__fail(err, EBADMSG, "image '%s': its health check is none",
					 c->d.image);
		r = copy_test(c, test, err);
	}
	for (size_t i = LCX_HEALTH_INTERVAL_NS; r == 0 && image && i < ARRAY_SIZE(settings); i++)
		if (!place_of(c, i)->set)
			r = lcx_container_set_health_setting(
				c, i, lcx_image_health_setting(image, i), err);
	return r;
}

/* ---- what came of it ------------------------------------------------------------- */

static const struct lcx__json_field log_fields[] = {
	{"start", AS_I64(struct health_log, start_ns)},
	{"end", AS_I64(struct health_log, end_ns)},
	{"exitCode", AS_I64(struct health_log, exit_code), .min = -1, .max = 255},
	{"output", AS_STRING(struct health_log, output)},
	{0},
};

static const struct lcx__json_field health_fields[] = {
	{"status", AS_STRING(struct health, status), .required = true},
	{"failingStreak", AS_I64(struct health, failing_streak)},
	{"log", AS_LIST(struct health, log), .fields = log_fields},
	{0},
};

void lcx__health_clear(struct health *health)
{
	lcx__json_release(health_fields, health);
	*health = (struct health){0};
}

int lcx__health_load(const struct lcx_container *c, struct health *ret)
{
	int r;

	*ret = (struct health){0};
	r = c->dir_fd < 0 ? -ENOENT
			  : lcx__record_load(health_fields, ret, c->dir_fd, "health.json", NULL);
	if (r < 0)
		lcx__health_clear(ret);
	return r;
}

int lcx__health_save(const struct lcx_container *c, const struct health *health)
{
	return lcx__record_save(health_fields, health, c->dir_fd, "health.json", lcx__replace_file,
				false, NULL);
}

int lcx__health_begin(const struct lcx_container *c, struct lcx_error **err)
{
	static char starting[] = "starting";
	const struct health health = {.status = starting};
	int r;

	(void)unlinkat(c->dir_fd, "health.json", 0);
	if (!lcx_container_has_health_check(c))
		return 0;
	r = lcx__health_save(c, &health);
	return r < 0 ? lcx__fail_sys(err, -r, "write 'health.json'") : 0;
}

static bool set_status(struct health *health, const char *status)
{
	char *copy = health->status && strcmp(health->status, status) == 0 ? NULL : strdup(status);

	if (!copy)
		return false;
	free(health->status);
	health->status = copy;
	return true;
}

/* In its start period a container that was never healthy may fail as often as it likes. */
bool lcx__health_judge(struct health *health, bool passed, bool within_start_period,
		       int64_t retries)
{
	bool is_starting = health->status && strcmp(health->status, "starting") == 0;
	int64_t streak = health->failing_streak.value;

	if (passed) {
		health->failing_streak = (struct lcx__opt_i64)LCX__OPT(0);
		return set_status(health, "healthy");
	}
	if (is_starting && within_start_period)
		return false;
	health->failing_streak = (struct lcx__opt_i64)LCX__OPT(streak + 1);
	return streak + 1 >= retries && set_status(health, "unhealthy");
}

LCX_PUBLIC const char *lcx_container_health(const struct lcx_container *c)
{
	static const char *const words[] = {"starting", "healthy", "unhealthy"};
	struct health health;
	const char *found = "";

	if (!lcx_container_has_health_check(c) || lcx__health_load(c, &health) < 0)
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(health.status, words[i]) == 0)
			found = words[i];
	lcx__health_clear(&health);
	return found;
}

/* Times as everywhere in what inspect prints. */
static void spell_times(struct json_object *entry)
{
	static const char *const keys[] = {"start", "end"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char text[LCX__TIME_SIZE];
		struct json_object *ns;

		if (!json_object_object_get_ex(entry, keys[i], &ns))
			continue;
		lcx__format_time(json_object_get_int64(ns), text);
		(void)json_object_object_add(entry, keys[i], json_object_new_string(text));
	}
}

struct json_object *lcx__health_to_json(const struct lcx_container *c)
{
	struct json_object *json, *log;
	struct health health;

	if (!lcx_container_has_health_check(c) || lcx__health_load(c, &health) < 0)
		return NULL;
	json = lcx__json_write(health_fields, &health, NULL);
	if (json && json_object_object_get_ex(json, "log", &log))
		for (size_t i = 0; i < json_object_array_length(log); i++)
			spell_times(json_object_array_get_idx(log, i));
	lcx__health_clear(&health);
	return json;
}
