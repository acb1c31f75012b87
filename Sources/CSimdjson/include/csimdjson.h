#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct icegate_json icegate_json;
/// Parses one JSON document. The input is copied, so no padding is asked of the caller.
/// Returns NULL on failure and writes the library's message (NUL-terminated, cut to `error_size`).
icegate_json *icegate_json_parse(const uint8_t *bytes, size_t length, size_t max_depth, char *error, size_t error_size);
void icegate_json_free(icegate_json *);
/// The tape: one 64-bit word per element, type in the top byte. See LakeJSON for the walk.
const uint64_t *icegate_json_tape(const icegate_json *);
/// Strings of the tape: 4-byte little-endian length, then the bytes.
const uint8_t *icegate_json_strings(const icegate_json *);
#ifdef __cplusplus
}
#endif
