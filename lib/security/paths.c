/* SPDX-License-Identifier: MIT */
#include "lcx/security.h"
#include "util/error.h"

/*
 * Facts from Docker's daemon/pkg/oci/defaults.go (August 2026). Each one tells
 * about, or acts upon, the whole machine. A path that is missing is nothing to hide.
 * The list has one more part that depends on the machine: lcx_spec_new() adds it.
 */
static const char *const masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

LCX_PUBLIC const char *lcx_default_masked_path(size_t index)
{
	return index < ARRAY_SIZE(masked) ? masked[index] : NULL;
}

LCX_PUBLIC const char *lcx_default_readonly_path(size_t index)
{
	return index < ARRAY_SIZE(readonly) ? readonly[index] : NULL;
}
