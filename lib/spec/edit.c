/* SPDX-License-Identifier: MIT */
#include "spec/edit.h"

#include <string.h>

int lcx__set_string(char **place, const char *value, struct lcx_error **err)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return lcx__fail_nomem(err);
	free(*place);
	*place = copy;
	return 0;
}

int lcx__set_strings(char ***place, const char *const *values, struct lcx_error **err)
{
	char **copy = lcx__strv_copy(values);

	if (!copy)
		return lcx__fail_nomem(err);
	(void)lcx__strv_free(*place);
	*place = copy;
	return 0;
}

int lcx__add_string(char ***place, const char *value, bool once, struct lcx_error **err)
{
	for (char **at = *place; once && at && *at; at++)
		if (strcmp(*at, value) == 0)
			return 0;
	return lcx__strv_append(place, value) < 0 ? lcx__fail_nomem(err) : 0;
}

static void remove_pair(struct lcx__list *list, size_t index)
{
	struct lcx__key_value *pair = (struct lcx__key_value *)list->items + index;

	free(pair->key);
	free(pair->value);
	lcx__list_remove(list, index, sizeof(*pair));
}

static int add_pair(struct lcx__list *list, const char *key, const char *value,
		    struct lcx_error **err)
{
	CLEANUP(freep) char *key_copy = strdup(key), *value_copy = strdup(value);
	struct lcx__key_value *pair;

	if (!key_copy || !value_copy)
		return lcx__fail_nomem(err);
	pair = lcx__add_item(list, sizeof(*pair), err);
	if (!pair)
		return -ENOMEM;
	pair->key = TAKE_PTR(key_copy);
	pair->value = TAKE_PTR(value_copy);
	return 0;
}

int lcx__set_pair(void *place, const char *key, const char *value, struct lcx_error **err)
{
	struct lcx__list *list = place;
	struct lcx__key_value *pairs = list->items;

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(pairs[i].key, key) != 0)
			continue;
		if (value)
			return lcx__set_string(&pairs[i].value, value, err);
		remove_pair(list, i);
		return 0;
	}
	return value ? add_pair(list, key, value, err) : 0;
}

int lcx__check_switch(int32_t value, const char *what, struct lcx_error **err)
{
	if (value == 0 || value == 1)
		return 0;
	return lcx__fail(err, EINVAL, "%s: must be 0 or 1, not %d", what, value);
}

void *lcx__add_item(void *list, size_t item_size, struct lcx_error **err)
{
	void *item = lcx__list_grow(list, item_size);

	if (!item)
		(void)lcx__fail_nomem(err);
	return item;
}
