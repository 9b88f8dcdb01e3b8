/* SPDX-License-Identifier: MIT */
#include "spec/fields.h"

#include "spec/check.h"

/* linux.resources: one row for each property of config-linux.md, "Control groups". */

static const struct lcx__json_field device_rule_fields[] = {
	{"allow", AS_BOOL(struct lcx__res_device_rule, allow), .required = true},
	{"type", AS_STRING(struct lcx__res_device_rule, type),
	 .check = lcx__check_device_rule_type},
	{"major", AS_I64(struct lcx__res_device_rule, major), .min = -1, .max = UINT32_MAX},
	{"minor", AS_I64(struct lcx__res_device_rule, minor), .min = -1, .max = UINT32_MAX},
	{"access", AS_STRING(struct lcx__res_device_rule, access),
	 .check = lcx__check_device_access},
	{0},
};

static const struct lcx__json_field memory_fields[] = {
	{"limit", AS_I64(struct lcx__res_memory, limit), .min = -1, .max = INT64_MAX},
	{"reservation", AS_I64(struct lcx__res_memory, reservation), .min = -1, .max = INT64_MAX},
	{"swap", AS_I64(struct lcx__res_memory, swap), .min = -1, .max = INT64_MAX},
	{"kernel", AS_I64(struct lcx__res_memory, kernel), .min = -1, .max = INT64_MAX},
	{"kernelTCP", AS_I64(struct lcx__res_memory, kernel_tcp), .min = -1, .max = INT64_MAX},
	{"swappiness", AS_U64(struct lcx__res_memory, swappiness), .max = 100},
	{"disableOOMKiller", AS_BOOL(struct lcx__res_memory, disable_oom_killer)},
	{"useHierarchy", AS_BOOL(struct lcx__res_memory, use_hierarchy)},
	{"checkBeforeUpdate", AS_BOOL(struct lcx__res_memory, check_before_update)},
	{0},
};

static const struct lcx__json_field cpu_fields[] = {
	{"shares", AS_U64(struct lcx__res_cpu, shares)},
	{"quota", AS_I64(struct lcx__res_cpu, quota_us), .min = -1, .max = INT64_MAX},
	{"burst", AS_U64(struct lcx__res_cpu, burst_us)},
	{"period", AS_U64(struct lcx__res_cpu, period_us)},
	{"realtimeRuntime", AS_I64(struct lcx__res_cpu, realtime_runtime_us), .min = -1,
	 .max = INT64_MAX},
	{"realtimePeriod", AS_U64(struct lcx__res_cpu, realtime_period_us)},
	{"idle", AS_I64(struct lcx__res_cpu, idle), .max = 1},
	{"cpus", AS_STRING(struct lcx__res_cpu, cpus), .check = lcx__check_id_list},
	{"mems", AS_STRING(struct lcx__res_cpu, mems), .check = lcx__check_id_list},
	{0},
};

static const struct lcx__json_field pids_fields[] = {
	{"limit", AS_I64(struct lcx__res_pids, limit), .required = true, .min = -1,
	 .max = INT64_MAX},
	{0},
};

static const struct lcx__json_field weight_fields[] = {
	{"major", AS_I64(struct lcx__res_blkio_weight, major), .required = true, .max = UINT32_MAX},
	{"minor", AS_I64(struct lcx__res_blkio_weight, minor), .required = true, .max = UINT32_MAX},
	{"weight", AS_U32(struct lcx__res_blkio_weight, weight), .max = 1000},
	{"leafWeight", AS_U32(struct lcx__res_blkio_weight, leaf_weight), .max = 1000},
	{0},
};

static const struct lcx__json_field throttle_fields[] = {
	{"major", AS_I64(struct lcx__res_blkio_throttle, major), .required = true,
	 .max = UINT32_MAX},
	{"minor", AS_I64(struct lcx__res_blkio_throttle, minor), .required = true,
	 .max = UINT32_MAX},
	{"rate", AS_U64(struct lcx__res_blkio_throttle, rate), .required = true},
	{0},
};

static const struct lcx__json_field blkio_fields[] = {
	{"weight", AS_U32(struct lcx__res_blkio, weight), .max = 1000},
	{"leafWeight", AS_U32(struct lcx__res_blkio, leaf_weight), .max = 1000},
	{"weightDevice", AS_LIST(struct lcx__res_blkio, weight_device), .fields = weight_fields},
	{"throttleReadBpsDevice", AS_LIST(struct lcx__res_blkio, read_bps),
	 .fields = throttle_fields},
	{"throttleWriteBpsDevice", AS_LIST(struct lcx__res_blkio, write_bps),
	 .fields = throttle_fields},
	{"throttleReadIOPSDevice", AS_LIST(struct lcx__res_blkio, read_iops),
	 .fields = throttle_fields},
	{"throttleWriteIOPSDevice", AS_LIST(struct lcx__res_blkio, write_iops),
	 .fields = throttle_fields},
	{0},
};

static const struct lcx__json_field hugepage_fields[] = {
	{"pageSize", AS_STRING(struct lcx__res_hugepage, page_size), .required = true,
	 .check = lcx__check_page_size},
	{"limit", AS_U64(struct lcx__res_hugepage, limit), .required = true},
	{0},
};

static const struct lcx__json_field priority_fields[] = {
	{"name", AS_STRING(struct lcx__res_if_priority, name), .required = true,
	 .check = lcx__check_interface},
	{"priority", AS_U32(struct lcx__res_if_priority, priority), .required = true},
	{0},
};

static const struct lcx__json_field network_fields[] = {
	{"classID", AS_U32(struct lcx__res_network_class, class_id)},
	{"priorities", AS_LIST(struct lcx__res_network_class, priorities),
	 .fields = priority_fields},
	{0},
};

static const struct lcx__json_field rdma_fields[] = {
	{"hcaHandles", AS_U32(struct lcx__res_rdma, hca_handles)},
	{"hcaObjects", AS_U32(struct lcx__res_rdma, hca_objects)},
	{0},
};

const struct lcx__json_field lcx__resources_fields[] = {
	{"devices", AS_LIST(struct lcx__resources, devices), .fields = device_rule_fields},
	{"memory", AS_OBJECT(struct lcx__resources, memory), .fields = memory_fields},
	{"cpu", AS_OBJECT(struct lcx__resources, cpu), .fields = cpu_fields},
	{"pids", AS_OBJECT(struct lcx__resources, pids), .fields = pids_fields},
	{"blockIO", AS_OBJECT(struct lcx__resources, blkio), .fields = blkio_fields},
	{"hugepageLimits", AS_LIST(struct lcx__resources, hugepages), .fields = hugepage_fields},
	{"network", AS_OBJECT(struct lcx__resources, network), .fields = network_fields},
	{"rdma", AS_MAP(struct lcx__resources, rdma), .fields = rdma_fields,
	 .check = lcx__check_file_name},
	{"unified", AS_STRING_MAP(struct lcx__resources, unified), .check = lcx__check_unified_name,
	 .finish = lcx__finish_unified},
	{0},
};
