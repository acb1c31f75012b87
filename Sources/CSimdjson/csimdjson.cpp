#include "csimdjson.h"
#include <cstring>
#include <new>
#include <simdjson.h>

struct icegate_json {
  simdjson::dom::document document;
};

extern "C" icegate_json *icegate_json_parse(const uint8_t *bytes, size_t length, size_t max_depth, char *error, size_t error_size) {
  auto fail = [&](const char *message) -> icegate_json * {
    if (error && error_size) {
      std::strncpy(error, message, error_size - 1);
      error[error_size - 1] = 0;
    }
    return nullptr;
  };
  simdjson::dom::parser parser;
  auto allocated = parser.allocate(length < 64 ? 64 : length, max_depth);
  if (allocated) return fail(simdjson::error_message(allocated));
  auto *result = new (std::nothrow) icegate_json();
  if (!result) return fail("out of memory");
  auto element = parser.parse_into_document(result->document, bytes, length, true);
  if (element.error()) {
    delete result;
    return fail(simdjson::error_message(element.error()));
  }
  return result;
}
extern "C" void icegate_json_free(icegate_json *j) { delete j; }
extern "C" const uint64_t *icegate_json_tape(const icegate_json *j) { return j->document.tape.get(); }
extern "C" const uint8_t *icegate_json_strings(const icegate_json *j) { return j->document.string_buf.get(); }
